"""The spillover matrix an FCS file carries: $SPILLOVER, its older spellings, and $COMP."""

from __future__ import annotations

import math

import numpy as np

from thrombokit.cells.spillover import Spillover
from thrombokit.errors import Fault, InputError

NAMED = ("$SPILLOVER", "$SPILL", "SPILLOVER", "SPILL", "$COMP", "COMP")
CURE = 'Use events("decoded"), and compensate with a matrix from your own single-stain controls.'


def read_spillover(
    keywords: dict[str, str], names: tuple[str, ...], place: str
) -> tuple[Spillover | None, tuple[Fault, ...], list[str]]:
    """The file's own matrix.

    Parameters
    ----------
    keywords : dict
    names : tuple of str
        The file's channels, in order.
    place : str
        The file, for messages.

    Returns
    -------
    spillover : Spillover or None
        None if there is none, or none that can be used.
    faults : tuple of Fault
        Why it cannot be used; empty if there is none at all.
    notes : list of str
    """
    given = [key for key in NAMED if keywords.get(key)]
    pairs = [key for key, value in keywords.items() if key.startswith("$DFC") and _number(value) != 0]
    if not given and pairs:
        found = f"compensation in the form of FCS 2.0 ({pairs[0]})"
        return None, (Fault(place=place, found=found, expected="a matrix in $SPILLOVER", cure=CURE),), []
    if not given:
        return None, (), ["The file holds no spillover matrix: compensated events are the decoded ones."]
    key = given[0]
    try:
        spillover, notes = _matrix(keywords[key], key, names, f"{place}, {key}")
        for other in given[1:]:
            _same(spillover, _matrix(keywords[other], other, names, f"{place}, {other}")[0])
    except InputError as error:
        return None, error.faults, []
    if spillover.is_identity:
        notes.append(f"{key} is an identity matrix: compensated events are the decoded ones.")
    return spillover, (), notes


def _matrix(text: str, key: str, names: tuple[str, ...], place: str) -> tuple[Spillover, list[str]]:
    fields = [part.strip() for part in text.split(",")]
    count = int(fields[0]) if fields[0].isascii() and fields[0].isdigit() and len(fields[0]) < 6 else 0
    has_names = len(fields) == 1 + count + count * count
    bare = "COMP" in key and count == len(names) and len(fields) == 1 + count * count
    if count == 0 or not (has_names or bare):
        found = f"{count} channels in {len(fields)} fields"
        expected = "the number n of channels, their n names and n x n numbers"
        raise InputError(Fault(place=place, found=found, expected=expected, cure=CURE))
    notes: list[str] = []
    said = tuple(fields[1 : 1 + count]) if has_names else names
    if not set(said) & set(names) and all(name.isascii() and name.isdigit() and len(name) < 6 for name in said):
        numbers = [int(name) for name in said]
        if all(1 <= number <= len(names) for number in numbers):
            said = tuple(names[number - 1] for number in numbers)
            notes.append(f"{key} names its channels by number; they were taken as {', '.join(said)}.")
    wrong = [name for name in said if names.count(name) != 1]
    if wrong:
        found = ", ".join(f"{name!r} ({names.count(name)} channels of that name)" for name in wrong)
        raise InputError(Fault(place=place, found=found, expected=f"channels of the file: {', '.join(names)}", cure=CURE))
    values = [_number(part) for part in fields[-count * count :]]
    if any(not math.isfinite(value) for value in values):
        bad = next(part for part, value in zip(fields[-count * count :], values, strict=True) if not math.isfinite(value))
        raise InputError(Fault(place=place, found=repr(bad), expected="a number", cure=CURE))
    matrix = np.array(values).reshape(count, count)
    if "COMP" in key and not np.array_equal(np.diag(matrix), np.ones(count)):
        found = f"{np.diag(matrix).tolist()} on the diagonal"
        raise InputError(Fault(place=place, found=found, expected="ones: fractions of each dye's own detector", cure=CURE))
    return Spillover(channels=said, matrix=matrix, source=place), notes


def _same(one: Spillover, other: Spillover) -> None:
    if one.channels != other.channels or not np.array_equal(one.matrix, other.matrix):
        raise InputError(
            Fault(place=one.source, found=f"another matrix in {other.source.split(', ')[-1]}", expected="one matrix", cure=CURE)
        )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
