"""Tables of points and of fits on disk: CSV, TSV or Parquet, by file name."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from thrombokit.errors import Fault, FileFormatError

_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


def read_table(path: str | Path) -> pl.DataFrame:
    """A tidy table as it stands: numbers as numbers, a column that holds any text as text.

    Raises
    ------
    FileFormatError
        If the file is missing, empty, of another kind or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileFormatError(
            Fault(place=path.name, found="no such file", expected="a table (CSV, TSV or Parquet)", cure="Check the name.")
        )
    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, separator=_separator(path), infer_schema_length=None, encoding="utf8", raise_if_empty=True)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise FileFormatError(
            Fault(place=path.name, found=f"a file that cannot be read as a table ({said})", expected="CSV or TSV in UTF-8 with a header, or Parquet",
                  cure="Save it again in one of these forms.")
        ) from None  # fmt: skip


def scan_table(path: Path) -> pl.LazyFrame:
    """A table that is read on demand, piece by piece."""
    if path.suffix.lower() == ".parquet":
        return pl.scan_parquet(path)
    return pl.scan_csv(path, separator=_separator(path), infer_schema_length=10_000)


def write_scanned(table: pl.LazyFrame, path: Path) -> None:
    """Write a lazy table without holding it in memory, in the form its name says."""
    if path.suffix.lower() == ".parquet":
        table.sink_parquet(path, compression="zstd")
    else:
        table.sink_csv(path, separator=_separator(path))


def write_table(table: pl.DataFrame, path: str | Path) -> Path:
    """Write a table in the form its name says; CSV floats are the shortest that read back the same.

    Raises
    ------
    FileFormatError
        If the name has another ending or the place cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix != ".parquet" and suffix not in _SEPARATORS:
        raise FileFormatError(
            Fault(place=path.name, found=f'ending "{suffix}"', expected=".csv, .tsv or .parquet", cure="Choose another name.")
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".parquet":
            table.write_parquet(path, compression="zstd")
        else:
            table.write_csv(path, separator=_separator(path))
    except OSError as error:
        raise FileFormatError(
            Fault(
                place=path.name,
                found=f"a place that cannot be written ({error.strerror})",
                expected="a folder with room and permission",
                cure="Choose another.",
            )
        ) from None
    return path


def _separator(path: Path) -> str:
    return _SEPARATORS.get(path.suffix.lower(), ",")
