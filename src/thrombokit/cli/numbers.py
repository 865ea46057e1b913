"""Numbers as a command line says them: lists, stretches, ids with values; every fault in one pass."""

from __future__ import annotations

import math
from collections.abc import Sequence

from thrombokit.errors import Fault, InputError, raise_all

MOST_VALUES = 10_000


def numbers_of(text: str, place: str) -> tuple[float, ...]:
    """Numbers separated by commas, 0 or more.

    Raises
    ------
    InputError
        With every part that is none.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    values = [_number(part) for part in parts]
    faults = [
        Fault(place=place, found=f'"{part}"', expected="a number of 0 or more", cure="Write numbers separated by commas.")
        for part, value in zip(parts, values, strict=True) if value is None or value < 0.0
    ]  # fmt: skip
    if not parts:
        faults.append(
            Fault(place=place, found=f'"{text}"', expected="one or more numbers", cure="Write numbers separated by commas.")
        )
    raise_all(faults, InputError)
    return tuple(value for value in values if value is not None)


def stretches_of(text: str, place: str) -> tuple[tuple[float, float], ...]:
    """Stretches of hours: "0-6,24-30".

    Raises
    ------
    InputError
        With every stretch that is none.
    """
    found: list[tuple[float, float]] = []
    faults: list[Fault] = []
    for part in (one.strip() for one in text.split(",")):
        start, _, end = part.partition("-")
        ends = _number(start), _number(end)
        if ends[0] is None or ends[1] is None or not 0.0 <= ends[0] < ends[1]:
            faults.append(Fault(place=place, found=f'"{part}"', expected="from-to in hours", cure="Write 0-6,24-30."))
        else:
            found.append((ends[0], ends[1]))
    raise_all(faults, InputError)
    return tuple(found)


def settings_of(said: Sequence[str], place: str) -> dict[str, float]:
    """Values by id of "k1=0.5", each id once.

    Raises
    ------
    InputError
        With every text that is no such setting.
    """
    settings: dict[str, float] = {}
    faults: list[Fault] = []
    for text in said:
        name, sign, value = (part.strip() for part in text.partition("="))
        try:
            number = float(value)
        except ValueError:
            number = None
        if not name or not sign or number is None:
            faults.append(Fault(place=place, found=f'"{text}"', expected="id=number", cure="Write it as k1=0.5."))
        elif name in settings:
            faults.append(Fault(place=place, found=f'"{name}" twice', expected="each id once", cure="Leave one out."))
        else:
            settings[name] = number
    raise_all(faults, InputError)
    return settings


def varied_of(said: Sequence[str], place: str) -> dict[str, tuple[float, ...]]:
    """Values by id of "k1=0.1,1,10", "k1=0:10:5" (evenly) or "k1=0.1:10:5:log" (evenly on the log scale), each id once.

    Raises
    ------
    InputError
        With every text that is none of these.
    """
    varied: dict[str, tuple[float, ...]] = {}
    faults: list[Fault] = []
    for text in said:
        name, _, right = (part.strip() for part in text.partition("="))
        values = _series(right) if ":" in right else _list(right)
        if not name or not values:
            faults.append(
                Fault(place=place, found=f'"{text}"', expected="id=values", cure="Write k1=0.1,1,10, k1=0:10:5 or k1=0.1:10:5:log.")
            )
        elif name in varied:
            faults.append(Fault(place=place, found=f'"{name}" twice', expected="each id once", cure="Put its values in one list."))
        else:
            varied[name] = values
    raise_all(faults, InputError)
    return varied


def _list(text: str) -> tuple[float, ...]:
    values = [_number(part.strip()) for part in text.split(",")]
    return tuple(value for value in values if value is not None) if None not in values else ()


def _series(text: str) -> tuple[float, ...]:
    """LOW:HIGH:N and LOW:HIGH:N:log; () where it is neither."""
    low, high, count, *rest = [*text.split(":"), "", "", ""][:4]
    ends, n = (_number(low), _number(high)), _number(count)
    even = rest == [""] if text.count(":") == 2 else False
    log = rest == ["log"] and text.count(":") == 3
    if (
        ends[0] is None
        or ends[1] is None
        or n is None
        or not (even or log)
        or n != int(n)
        or not 2 <= n <= MOST_VALUES
        or ends[0] >= ends[1]
    ):
        return ()
    if log and ends[0] <= 0.0:
        return ()
    steps = [k / (int(n) - 1) for k in range(int(n))]
    if log:
        return (*(ends[0] * (ends[1] / ends[0]) ** step for step in steps[:-1]), ends[1])
    return tuple(ends[0] + step * (ends[1] - ends[0]) for step in steps)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
