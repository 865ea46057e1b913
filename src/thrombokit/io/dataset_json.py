"""CDISC Dataset-JSON 1.1: columns described in a head, rows as arrays; as one JSON document or as NDJSON, one row a line.

Reference: CDISC, Dataset-JSON specification, version 1.1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.io.whole_files import read_bytes

EXPECTED = "Dataset-JSON 1.1"
NUMERIC = ("integer", "float", "double")


@dataclass(frozen=True, kw_only=True)
class JsonDataSet:
    """`titles`, `labels`, and `rows` of numbers, texts and None where missing."""

    name: str
    label: str
    titles: tuple[str, ...]
    labels: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]


def is_dataset_json(data: bytes) -> bool:
    """Whether bytes start as Dataset-JSON does."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b"datasetJSONVersion" in data[:4096]


def read_dataset_json(path: str | Path) -> JsonDataSet:
    """The data set of one file.

    Parameters
    ----------
    path : path
        .json or .ndjson; the content says which.

    Raises
    ------
    FileFormatError
        Not JSON, another version, columns or rows that do not fit together, numbers that are none: every fault with its record.
    """
    path = Path(path)
    head, rows = _parsed(path, read_bytes(path, expected=EXPECTED).decode("utf-8-sig", errors="replace"))
    version = str(head.get("datasetJSONVersion", ""))
    columns = cast("list[dict[str, Any]]", head.get("columns") or [])
    if not version.startswith("1.1") or not columns or any("name" not in column for column in columns):
        found = f'version "{version}"' if not version.startswith("1.1") else "no columns"
        raise FileFormatError(
            Fault(place=path.name, found=found, expected=f"{EXPECTED} with its columns", cure="Export it as Dataset-JSON 1.1.")
        )
    faults = _count_faults(path, head, rows)
    table = tuple(_row(path, k, row, columns, faults) for k, row in enumerate(rows))
    raise_all(condensed(faults), FileFormatError)
    return JsonDataSet(
        name=str(head.get("name", path.stem)), label=str(head.get("label", "")), rows=table,
        titles=tuple(str(c["name"]) for c in columns), labels=tuple(str(c.get("label", "")) for c in columns),
    )  # fmt: skip


def _parsed(path: Path, text: str) -> tuple[dict[str, Any], list[Any]]:
    """The head, and the rows: of one document, or of the lines after the first."""
    try:
        document = json.loads(text)
        return cast("dict[str, Any]", document), list(document.get("rows") or [])
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
    except AttributeError:
        raise _refused(path, "JSON that is no object") from None
    found: list[Any] = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise _refused(path, f"line {number} that is no JSON ({error.msg})") from None
    if not found or not isinstance(found[0], dict):
        raise _refused(path, "no description of the columns in the first line")
    return cast("dict[str, Any]", found[0]), found[1:]


def _count_faults(path: Path, head: dict[str, Any], rows: list[Any]) -> list[Fault]:
    said = head.get("records")
    if isinstance(said, int) and said != len(rows):
        return [
            Fault(
                place=path.name,
                found=f"{len(rows)} rows",
                expected=f'{said}, as "records" says',
                cure="Copy the file again; it may be cut.",
            )
        ]
    return []


def _row(path: Path, k: int, row: Any, columns: list[dict[str, Any]], faults: list[Fault]) -> tuple[str | float | None, ...]:
    place = f"{path.name}, record {k + 1}"
    if not isinstance(row, list) or len(cast("list[Any]", row)) != len(columns):
        found = f"{len(cast('list[Any]', row))} values" if isinstance(row, list) else "no array"
        faults.append(Fault(place=place, found=found, expected=f"{len(columns)} values", cure="Export the data set again."))
        return (None,) * len(columns)
    return tuple(_cell(place, value, column, faults) for value, column in zip(cast("list[Any]", row), columns, strict=True))


def _cell(place: str, value: Any, column: dict[str, Any], faults: list[Fault]) -> str | float | None:
    kind = column.get("dataType")
    if value is None:
        return None
    numeric = kind in NUMERIC or kind == "decimal"
    if not numeric:
        return str(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        faults.append(
            Fault(
                place=f"{place}, {column['name']}",
                found=json.dumps(value),
                expected=f"a number ({kind})",
                cure="Correct the export.",
            )
        )
        return None


def _refused(path: Path, found: str) -> FileFormatError:
    return FileFormatError(Fault(place=path.name, found=found, expected=EXPECTED, cure="Export the data set again."))
