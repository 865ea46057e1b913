"""Repeated measurements from a table (CSV, TSV, XLSX, Parquet) whose columns the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.chosen_columns import ChosenTable, read_chosen_columns
from thrombokit.io.fault_lists import condensed
from thrombokit.numerics.arrays import Array, TextArray, frozen
from thrombokit.trials.repeated_measures import Covariate, RepeatedMeasures

MISSING = ("", ".", "NA", "NaN", "nan")
"""What stands for no value, besides an empty cell."""


def read_repeated_measures(
    path: str | Path, *, response: str, subject: str, visit: str, arm: str, covariates: Sequence[str] = ()
) -> RepeatedMeasures:
    """Rows of subjects at visits.

    Parameters
    ----------
    path : path
    response, subject, visit, arm : str
        Names of columns, as in the file.
    covariates : sequence of str
        Names of columns; one that holds numbers only is a number, any other a category.

    Raises
    ------
    InputError
        A column that is not there, used twice, or a response that is no number: with file, row and column.
    """
    chosen = {"response": response, "subject": subject, "visit": visit, "arm": arm, **{f"covariate {c}": c for c in covariates}}
    table = read_chosen_columns(path, chosen)
    faults: list[Fault] = []
    values = _numbers(table, "response", faults)
    raise_all(condensed(faults), FileFormatError)
    return RepeatedMeasures(
        file=table.file, subject=_words(table, "subject"), visit=_words(table, "visit"), arm=_words(table, "arm"), response=values,
        covariates=tuple(_covariate(table, name) for name in covariates), places=table.places,
    )  # fmt: skip


def _words(table: ChosenTable, role: str) -> TextArray:
    return frozen(["" if text in MISSING else text for text in table.texts[role]], object)


def _numbers(table: ChosenTable, role: str, faults: list[Fault]) -> Array:
    values = [_number(text) for text in table.texts[role]]
    for place, text, value in zip(table.places, table.texts[role], values, strict=True):
        if value is None:
            faults.append(Fault(place=f"{place}, {table.titles[role]}", found=f'"{text}"', expected="a number, or nothing where missing",
                                cure="Correct it, or clear the cell."))  # fmt: skip
    return frozen([np.nan if value is None else value for value in values])


def _number(text: str) -> float | None:
    """The number, NaN where missing, None where it is none."""
    if text in MISSING:
        return np.nan
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _covariate(table: ChosenTable, name: str) -> Covariate:
    texts = table.texts[f"covariate {name}"]
    numbers = [_number(text) for text in texts]
    if None in numbers:
        return Covariate(name=name, words=_words(table, f"covariate {name}"))
    return Covariate(name=name, values=frozen([n for n in numbers if n is not None]))
