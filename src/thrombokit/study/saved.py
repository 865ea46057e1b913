"""What every stage's archive is written with: JSON that never holds NaN, tables with a digest, and how both are read back."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import polars as pl

from thrombokit.errors import Fault, FileFormatError, raise_all

ReadTable = Callable[[bytes], pl.DataFrame]


def to_json(value: Any) -> Any:
    """Dataclasses, tuples and enums as plain JSON values; what is not finite becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {key: to_json(item) for key, item in asdict(value).items()}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_text(value: dict[str, Any]) -> str:
    """Indented JSON with a final newline; never NaN or Infinity."""
    return json.dumps(to_json(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def compact_json(value: dict[str, Any]) -> str:
    """JSON on one line, for machines; `value` is plain already."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 with plain newlines; the path."""
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def with_values(document: dict[str, Any], **replaced: Any) -> dict[str, Any]:
    """A JSON object with some of its values put back into their types."""
    return {**document, **replaced}


def read_json(path: Path, schema: str) -> dict[str, Any]:
    """A saved document of that schema.

    Raises
    ------
    FileFormatError
        If it is missing, damaged or of another schema.
    """
    place = f"results/{path.name}"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileFormatError(
            Fault(
                place=place,
                found="no such file",
                expected="the results of a run",
                cure="Run the study first: thrombokit run STUDY --out DIR.",
            )
        ) from None
    except ValueError as error:
        raise FileFormatError(
            Fault(place=place, found=f"damaged JSON ({error})", expected="the results of a run", cure="Run the study again.")
        ) from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != schema:
        raise FileFormatError(
            Fault(place=place, found=f"schema {found!r}", expected=schema, cure="Run the study again with this version.")
        )
    return document


def write_tables(folder: Path, tables: Mapping[str, pl.DataFrame]) -> list[Path]:
    """Each table under its file name, CSV or Parquet by ending; one without columns is no file, also none of an earlier run."""
    written: list[Path] = []
    for name, table in tables.items():
        path = folder / name
        if table.width == 0:
            path.unlink(missing_ok=True)
            continue
        if path.suffix == ".parquet":
            table.write_parquet(path, compression="zstd", statistics=False)
        else:
            table.write_csv(path)
        written.append(path)
    return written


def digests_of(paths: list[Path]) -> dict[str, str]:
    """File name -> SHA-256 in hex."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def read_tables(folder: Path, readers: Mapping[str, ReadTable], digests: dict[str, str]) -> dict[str, pl.DataFrame]:
    """The tables a result is made from; one that is missing, damaged or changed since the run is a fault.

    A name without a digest was not written, and is an empty frame here.
    """
    tables: dict[str, pl.DataFrame] = {}
    faults: list[Fault] = []
    for name, read in readers.items():
        if name not in digests:
            tables[name] = pl.DataFrame()
            continue
        try:
            content = (folder / name).read_bytes()
            if hashlib.sha256(content).hexdigest() != digests[name]:
                raise ValueError("contents other than the run wrote")
            tables[name] = read(content)
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:
            found = "no such file" if isinstance(error, FileNotFoundError) else f"a damaged or changed table ({error})"
            faults.append(
                Fault(
                    place=f"results/{name}", found=found, expected="the table as the run wrote it",
                    cure="Run the study again; make changes of your own in a copy.",
                )
            )  # fmt: skip
    raise_all(faults, FileFormatError)
    return tables


def parquet(content: bytes) -> pl.DataFrame:
    """A Parquet table."""
    return pl.read_parquet(io.BytesIO(content))


def typed_csv(*, text: tuple[str, ...], whole: tuple[str, ...] = ()) -> ReadTable:
    """A reader of CSV tables whose columns `text` are text, `whole` whole numbers, and all others float."""

    def read(content: bytes) -> pl.DataFrame:
        if not content.strip():
            return pl.DataFrame()
        header = content.split(b"\n", 1)[0].decode("utf-8").split(",")
        types = {c: pl.String if c in text else pl.Int64 if c in whole else pl.Float64 for c in header}
        return pl.read_csv(io.BytesIO(content), schema=types)

    return read
