"""A table of curves as arrays: which points belong to which curve, checked once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen

_MOST_FAULTS = 20
REQUIRED = ("curve", "concentration_nM", "response")


@dataclass(frozen=True, kw_only=True, eq=False)
class CurvePoints(FrozenArrays):
    """Points of n curves, those of curve i from starts[i] to starts[i + 1].

    keys : one row a curve, columns `curve` and, where runs were given, `run`.
    x : (n_points,) ln(concentration in nM), -inf for dose 0. y : (n_points,) response. w : (n_points,) weights (1 / variance), or
    None. starts : (n + 1,). n_excluded : (n,) points left out because their response was empty.
    """

    keys: pl.DataFrame
    x: Array
    y: Array
    w: Array | None
    starts: IntArray
    n_excluded: IntArray

    @property
    def n_curves(self) -> int:
        """Number of curves (curve x run)."""
        return self.keys.height

    @property
    def has_runs(self) -> bool:
        """Whether the table named runs."""
        return "run" in self.keys.columns

    def slice(self, start: int, stop: int) -> CurvePoints:
        """Curves start to stop - 1, as views."""
        a, b = int(self.starts[start]), int(self.starts[stop])
        return CurvePoints(
            keys=self.keys.slice(start, stop - start), x=self.x[a:b], y=self.y[a:b], w=None if self.w is None else self.w[a:b],
            starts=self.starts[start : stop + 1] - a, n_excluded=self.n_excluded[start:stop],
        )  # fmt: skip


def points_from_table(table: pl.DataFrame, *, source: str = "table", sort: bool = False, header_rows: int = 1) -> CurvePoints:
    """Curves of a tidy table.

    Parameters
    ----------
    table : DataFrame with columns `curve`, `concentration_nM`, `response`, optional `weight` (1 / variance) and `run`
        Concentration in nM, 0 = vehicle. An empty response is left out and counted.
    source : str
        File name for messages.
    sort : bool
        Gather scattered rows of a curve (stable); without it they must be contiguous.
    header_rows : int
        Rows above the first data row, so that messages give the file's row numbers.

    Raises
    ------
    FileFormatError
        With all faults: missing columns, text or negative doses, weights of 0 or less, scattered curves.
    """
    _check_columns(table, source)
    with_weight, with_run = "weight" in table.columns, "run" in table.columns
    keys = ["curve", "run"] if with_run else ["curve"]
    table = table.select(
        [pl.col(k).cast(pl.String) for k in keys]
        + [pl.col(c).alias(c) for c in ("concentration_nM", "response", *(("weight",) if with_weight else ()))]
    ).with_row_index("row", offset=header_rows + 1)
    faults = [fault for column in table.columns[1 + len(keys) :] for fault in _column_faults(table, column, source)]
    faults += _empty_key_faults(table, keys, source)
    raise_all(faults, FileFormatError)
    numbers = [c for c in ("concentration_nM", "response", "weight") if c in table.columns]
    as_text = [c for c in numbers if table[c].dtype == pl.String]
    table = table.with_columns(pl.col(as_text).str.strip_chars()).with_columns(pl.col(numbers).cast(pl.Float64))
    raise_all(_value_faults(table, source, with_weight), FileFormatError)
    if sort:
        table = table.with_columns(pl.col("row").min().over(keys).alias("_first")).sort("_first", maintain_order=True)
    return _gather(table, keys, source, with_weight)


def _check_columns(table: pl.DataFrame, source: str) -> None:
    missing = [c for c in REQUIRED if c not in table.columns]
    if missing or table.height == 0:
        found = f"columns {', '.join(table.columns)}" if missing else "no rows"
        raise FileFormatError(
            Fault(
                place=source,
                found=found,
                expected="columns curve, concentration_nM, response, optional weight and run",
                cure=f"Add {', '.join(missing)}." if missing else "Add one row for each point.",
            )
        )


def _column_faults(table: pl.DataFrame, column: str, source: str) -> list[Fault]:
    """Cells of a number column that hold text."""
    if table[column].dtype.is_numeric() or table[column].dtype == pl.Null:
        return []
    bad = table.filter(
        pl.col(column).cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False).is_null() & pl.col(column).is_not_null()
    )
    return [
        Fault(
            place=f"{source}, row {row['row']}, column {column}",
            found=f'"{row[column]}"',
            expected="a number",
            cure="Write the decimal sign as a point; leave the cell empty where there is no value.",
        )
        for row in bad.head(_MOST_FAULTS).iter_rows(named=True)
    ]


def _empty_key_faults(table: pl.DataFrame, keys: list[str], source: str) -> list[Fault]:
    bad = table.filter(pl.any_horizontal([pl.col(k).is_null() | (pl.col(k) == "") for k in keys]))
    return [
        Fault(
            place=f"{source}, row {row}",
            found="an empty name",
            expected=" and ".join(keys) + " in every row",
            cure="Fill in the name.",
        )
        for row in bad["row"].head(_MOST_FAULTS)
    ]


def _value_faults(table: pl.DataFrame, source: str, with_weight: bool) -> list[Fault]:
    dose, response = pl.col("concentration_nM"), pl.col("response")
    checks = [
        (
            "concentration_nM",
            dose.is_null() | dose.is_nan() | dose.is_infinite() | (dose < 0),
            "a dose in nM, 0 or more (0 = vehicle)",
        ),
        ("response", response.is_infinite() | response.is_nan(), "a finite number, or an empty cell"),
    ]
    if with_weight:
        weight = pl.col("weight")
        checks.append(("weight", weight.is_null() | ~(weight > 0) | weight.is_infinite(), "a weight above 0 (1 / variance)"))
    return [
        Fault(
            place=f"{source}, row {row['row']}, column {column}",
            found=f"{row[column]}",
            expected=expected,
            cure="Correct the cell or drop the row.",
        )
        for column, rule, expected in checks
        for row in table.filter(rule).head(_MOST_FAULTS).iter_rows(named=True)
    ]


def _gather(table: pl.DataFrame, keys: list[str], source: str, with_weight: bool) -> CurvePoints:
    changes = table.select(pl.struct(keys).rle_id().alias("i"))["i"]
    first = np.flatnonzero(np.diff(changes.to_numpy(), prepend=-1))
    names = table.select(keys)[first]
    if names.is_duplicated().any():
        again = names.with_columns(row=table["row"].gather(first)).filter(~pl.struct(keys).is_first_distinct()).head(_MOST_FAULTS)
        raise FileFormatError(
            Fault(
                place=f"{source}, row {row['row']}",
                found=f'curve "{row["curve"]}" again, after other curves',
                expected="all rows of a curve next to each other",
                cure="Sort the file by curve, or pass --sort.",
            )
            for row in again.iter_rows(named=True)
        )
    kept = table["response"].is_not_null().to_numpy()
    index = changes.to_numpy()
    counts = np.bincount(index[kept], minlength=first.size)
    with np.errstate(divide="ignore"):
        x = np.log(table["concentration_nM"].to_numpy()[kept])
    return CurvePoints(
        keys=names, x=frozen(x), y=frozen(table["response"].to_numpy()[kept]),
        w=frozen(table["weight"].to_numpy()[kept]) if with_weight else None,
        starts=frozen(np.concatenate([[0], np.cumsum(counts)]), np.int64),
        n_excluded=frozen(np.bincount(index[~kept], minlength=first.size), np.int64),
    )  # fmt: skip
