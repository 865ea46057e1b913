"""Screens: tables of millions of curves, fitted in pieces that fit in memory, on all cores.

The table's `curve` column is read once to find where curves begin; the noise is estimated on a sample of curves spread over the file; then each
piece of some thousand curves is read, fitted and written by whichever worker is free, and the pieces are joined in order. The numbers are those of
`fit_curves` on the whole table, for any number of workers.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from thrombokit.dose_response.fit import estimate_noise, fit_points, noise_stretches
from thrombokit.dose_response.points import CurvePoints, points_from_table
from thrombokit.dose_response.settings import FitSettings
from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.fit_tables import scan_table, write_scanned
from thrombokit.numerics.arrays import IntArray
from thrombokit.numerics.variance_model import VarianceModel
from thrombokit.scale.engine import Engine, Progress, SerialEngine

ROWS_THAT_MAKE_A_SCREEN = 2_000_000
CURVES_A_PIECE = 10_000
_ROWS_A_LOOK = 4_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class _Screen:
    """What a worker needs: the table, the first row of each curve (n + 1), settings, noise, and where pieces go."""

    source: Path
    name: str
    first_row: IntArray
    settings: FitSettings
    variance: dict[str, VarianceModel]
    folder: Path


def is_screen(path: Path) -> bool:
    """Whether a table is long enough, and of a form (Parquet without runs), to be fitted piece by piece."""
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return False
    try:
        scan = pl.scan_parquet(path)
        return "run" not in scan.collect_schema().names() and scan.select(pl.len()).collect().item() >= ROWS_THAT_MAKE_A_SCREEN
    except pl.exceptions.PolarsError:
        return False


def fit_screen(
    source: str | Path, out: str | Path, settings: FitSettings, *, engine: Engine | None = None, progress: Progress | None = None
) -> dict[str, int]:
    """Fit a large table on disk to a table of fits on disk.

    Parameters
    ----------
    source : Parquet, CSV or TSV with columns curve, concentration_nM (nM), response, optional weight
        Rows of a curve next to each other; no runs.
    out : Parquet, CSV or TSV
        One row a curve, the columns of FITS.csv.
    progress : callable, optional
        Told how many curves were finished since its last call.

    Returns
    -------
    dict
        How many curves got which verdict.

    Raises
    ------
    FileFormatError
        If the table is not usable, with row numbers.
    """
    source, out = Path(source), Path(out)
    first_row = curve_starts(source)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".screen-") as name:
        screen = _Screen(source=source, name=source.name, first_row=first_row, settings=settings, variance={}, folder=Path(name))
        if settings.weights == "model":
            screen = replace(screen, variance=estimate_noise(_sample(screen), settings))
        parts = (engine or SerialEngine()).map_ranges(
            _fit_piece, screen, first_row.size - 1, chunk=CURVES_A_PIECE, progress=progress
        )
        write_scanned(pl.scan_parquet([screen.folder / file for file, _ in parts]), out)
    totals: dict[str, int] = {}
    for _, counts in parts:
        for verdict, count in counts.items():
            totals[verdict] = totals.get(verdict, 0) + count
    return dict(sorted(totals.items()))


def curve_starts(source: Path) -> IntArray:
    """First row of every curve and the number of rows, shape (n_curves + 1,); faults where a curve comes twice."""
    scan = scan_table(source).select(pl.col("curve").cast(pl.String))
    n_rows = int(scan.select(pl.len()).collect().item())
    starts: list[np.ndarray] = []
    hashes: list[np.ndarray] = []
    last: str | None = None
    for offset in range(0, n_rows, _ROWS_A_LOOK):
        column = scan.slice(offset, _ROWS_A_LOOK).collect()["curve"]
        changed = (column != column.shift(1)).fill_null(True).to_numpy().copy()
        changed[0] = column[0] != last
        at = np.flatnonzero(changed)
        starts.append(at + offset)
        hashes.append(column.gather(at).hash(seed=0).to_numpy())
        last = column[-1]
    first_row = np.concatenate([*starts, [n_rows]]).astype(np.int64)
    seen, first = np.unique(np.concatenate(hashes), return_index=True)
    if seen.size < first_row.size - 1:
        again = int(np.setdiff1d(np.arange(first_row.size - 1), first)[0])
        raise FileFormatError(
            Fault(
                place=f"{source.name}, row {first_row[again] + 2}",
                found=f'curve "{scan.slice(int(first_row[again]), 1).collect().item()}" again, after other curves',
                expected="all rows of a curve next to each other",
                cure="Sort the file by curve.",
            )
        )
    return first_row


def _read(screen: _Screen, start: int, stop: int) -> CurvePoints:
    first = int(screen.first_row[start])
    rows = scan_table(screen.source).slice(first, int(screen.first_row[stop]) - first).collect()
    return points_from_table(rows, source=screen.name, header_rows=1 + first)


def _sample(screen: _Screen) -> CurvePoints:
    """The curves that the noise is estimated on, the same as for a table in memory."""
    tables: list[pl.DataFrame] = []
    for begin, end in noise_stretches(screen.first_row.size - 1):
        first, last = int(screen.first_row[begin]), int(screen.first_row[end])
        tables.append(scan_table(screen.source).slice(first, last - first).collect())
    return points_from_table(pl.concat(tables), source=screen.name)


def _fit_piece(screen: _Screen, start: int, stop: int) -> tuple[str, dict[str, int]]:
    """Fit curves start to stop - 1 and write them as one piece; what a worker runs."""
    fits = fit_points(_read(screen, start, stop), screen.settings, variance=screen.variance, first_curve=start)
    name = f"piece-{start:012d}.parquet"
    fits.table().write_parquet(screen.folder / name, compression="zstd")
    verdicts, counts = np.unique(fits.verdict.astype(str), return_counts=True)
    return name, {str(v): int(c) for v, c in zip(verdicts, counts, strict=True)}
