"""Regimen files (TOML): dose lines in words or as tables, when to read the outputs, and the patient's covariates."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from thrombokit.domain.toml_faults import found_words
from thrombokit.domain.toml_places import KeyPath, TomlPlaces
from thrombokit.domain.toml_table import TableReader
from thrombokit.domain.toml_text import read_toml
from thrombokit.errors import Fault, InputError, SpecError, raise_all
from thrombokit.patients.regimen import DoseLine, Regimen, dose_amount, every_h, moment_h, parse_dose_line
from thrombokit.quantities import time_h

T = TypeVar("T")

REGIMEN_SCHEMA = "thrombokit-regimen/1"
_KEYS = ("dose", "every", "from", "until", "food", "infusion", "compartment")
_EXAMPLE = 'regimen = ["2.5 mg once daily fasted from day 0 until day 27"]'
MOST_TIMES = 200_000


def load_regimen(path: str | Path) -> Regimen:
    """Read and check a regimen file.

    Raises
    ------
    SpecError
        All that is wrong, with line and key, in one pass.
    """
    path = Path(path)
    document = read_toml(path)
    faults: list[Fault] = list(document.faults)
    top = TableReader(document.values, places=document.places, faults=faults)
    schema = top.text("schema", expected=f'"{REGIMEN_SCHEMA}"', example=f'schema = "{REGIMEN_SCHEMA}"')
    if schema is not None and schema != REGIMEN_SCHEMA:
        top.fault("schema", expected=f'"{REGIMEN_SCHEMA}"', cure="Check that this is a regimen file of this version.")
    top.text("title", expected="a title")
    known = {"schema", "title", "regimen", "read", "patient"}
    for key in document.values:
        if key not in known:
            faults.append(Fault(place=document.places.place_of((key,)), found=f'the unknown key "{key}"', cure="Remove it, or correct its name.",
                                expected=f"a key of the file: {', '.join(sorted(known))}"))  # fmt: skip
    lines = _lines(document.values.get("regimen"), document.places, faults)
    read_h = _read_times(document.values.get("read"), document.places, faults)
    covariates = _covariates(document.values.get("patient", {}), document.places, faults)
    raise_all(faults, SpecError)
    return Regimen(lines=lines, read_h=read_h, covariates=covariates, file=path.name)


def _lines(value: object, places: TomlPlaces, faults: list[Fault]) -> tuple[DoseLine, ...]:
    items: list[Any] = [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []  # pyright: ignore[reportUnknownArgumentType]
    if not items:
        faults.append(
            Fault(
                place=places.place_of(("regimen",)),
                found=found_words(value),
                expected="a list of dose lines",
                cure=f"Write, for example: {_EXAMPLE}",
            )
        )
    lines: list[DoseLine] = []
    for k, item in enumerate(items):
        path: KeyPath = ("regimen", k) if isinstance(value, list) else ("regimen",)
        if isinstance(item, str):
            found = _tried(lambda said=item, at=path: parse_dose_line(said, place=places.place_of(at)), faults)
        elif isinstance(item, dict):
            found = _table_line(item, places, path, faults)  # pyright: ignore[reportUnknownArgumentType]
        else:
            faults.append(
                Fault(
                    place=places.place_of(path),
                    found=found_words(item),
                    expected="a text or a table",
                    cure=f"Write, for example: {_EXAMPLE}",
                )
            )
            found = None
        if found is not None:
            lines.append(found)
    return tuple(lines)


def _table_line(item: dict[str, Any], places: TomlPlaces, path: KeyPath, faults: list[Fault]) -> DoseLine | None:
    """{dose = "2.5 mg", every = "24 h", from = "day 0", until = "day 27", food = "fasted"}."""

    def at(key: str) -> str:
        return places.place_of((*path, key))

    before = len(faults)
    for key in item:
        if key not in _KEYS:
            faults.append(
                Fault(place=at(key), found=f'the unknown key "{key}"', expected=f"one of {', '.join(_KEYS)}", cure="Correct it.")
            )
    amount = _tried(lambda: dose_amount(str(item.get("dose", "")), place=at("dose")), faults)
    every = _tried(lambda: every_h(item["every"], place=at("every")), faults) if "every" in item else 0.0
    start = _tried(lambda: moment_h(item["from"], place=at("from")), faults) if "from" in item else 0.0
    until = _tried(lambda: moment_h(item["until"], place=at("until")), faults) if "until" in item else math.inf
    infusion = _tried(lambda: time_h(item["infusion"], place=at("infusion")), faults) if "infusion" in item else 0.0
    food = item.get("food")
    if food not in (None, "fed", "fasted"):
        faults.append(
            Fault(place=at("food"), found=found_words(food), expected='"fed" or "fasted"', cure="Correct it, or leave it out.")
        )
    if start is not None and until is not None and until < start:
        faults.append(
            Fault(place=at("until"), found="an end before the start", expected="until after from", cure="Correct one of them.")
        )
    if len(faults) > before or amount is None or every is None or start is None or until is None or infusion is None:
        return None
    compartment = item.get("compartment")
    return DoseLine(
        amount=amount[0], unit=amount[1], every_h=every, from_h=start, until_h=until, fed=None if food is None else food == "fed",
        infusion_h=infusion, compartment=None if compartment is None else str(compartment),
    )  # fmt: skip


def _read_times(value: object, places: TomlPlaces, faults: list[Fault]) -> tuple[float, ...]:
    """{every = "1 day", until = "week 12"} or a list of times, in hours."""
    expected, example = "when to read the outputs", 'read = {every = "1 day", until = "week 12"}'
    if isinstance(value, list) and value:
        times = [
            _tried(lambda said=item, k=k: moment_h(said, place=places.place_of(("read", k))), faults)
            for k, item in enumerate(value)
        ]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return tuple(sorted(time for time in times if time is not None))
    if isinstance(value, dict) and {"every", "until"} <= value.keys() and value.keys() <= {"every", "until", "from"}:
        found = {
            key: _tried(lambda said=item, k=key: moment_h(said, place=places.place_of(("read", str(k)))), faults)
            for key, item in value.items()
        }  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        every, until, start = found["every"], found["until"], found.get("from", 0.0)
        if every is not None and until is not None and start is not None:
            count = (until - start) / every if every > 0.0 else math.inf
            if 0.0 <= count <= MOST_TIMES:
                return tuple(start + every * np.arange(math.floor(count + 1e-9) + 1))
            faults.append(
                Fault(
                    place=places.place_of(("read",)),
                    found=f"{count:.3g} times",
                    expected=f"up to {MOST_TIMES:,} times",
                    cure="Read less often.",
                )
            )
        return (0.0,)
    faults.append(
        Fault(place=places.place_of(("read",)), found=found_words(value), expected=expected, cure=f"Add a line such as: {example}")
    )
    return (0.0,)


def _covariates(value: object, places: TomlPlaces, faults: list[Fault]) -> dict[str, float]:
    table: dict[str, Any] = dict(value) if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownArgumentType]
    reader = TableReader(table, places=places, faults=faults, path=("patient",))
    found = {key: reader.number(key, expected="a number, such as 70") for key in table}
    return {key: number for key, number in found.items() if number is not None}


def _tried(action: Callable[[], T], faults: list[Fault]) -> T | None:
    try:
        return action()
    except InputError as error:
        faults.extend(error.faults)
        return None
