"""Text to numbers, once, at the door: "30 nM" -> 30.0, with exact factors.

Every value inside thrombokit is a plain float whose unit rides in its name (`concentration_nM`, `time_h`). Text is converted here and
nowhere else, through `decimal`, so that "0.1 uM" is exactly 100 nM. A mass concentration ("100 ng/mL") becomes molar only where a molar
mass is known.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation

from thrombokit.errors import Fault, UnitError

MOLAR_UNITS_nM: dict[str, Decimal] = {
    "M": Decimal("1e9"),
    "mM": Decimal("1e6"),
    "uM": Decimal("1e3"),
    "nM": Decimal("1"),
    "pM": Decimal("1e-3"),
    "fM": Decimal("1e-6"),
}
"""Molar unit -> how many nM one of it is."""

MASS_UNITS_ng_per_mL: dict[str, Decimal] = {
    "mg/mL": Decimal("1e6"),
    "ug/mL": Decimal("1e3"),
    "ng/mL": Decimal("1"),
    "pg/mL": Decimal("1e-3"),
    "mg/L": Decimal("1e3"),
    "ug/L": Decimal("1"),
    "ng/L": Decimal("1e-3"),
}
"""Mass-concentration unit -> how many ng/mL one of it is."""

TIME_UNITS_h: dict[str, Decimal] = {
    "min": Decimal(1) / Decimal(60),
    "h": Decimal(1),
    "d": Decimal(24),
    "week": Decimal(168),
}
"""Unit of time -> how many hours one of it is."""

DOSE_UNITS_mg: dict[str, Decimal] = {
    "g": Decimal("1e3"),
    "mg": Decimal("1"),
    "ug": Decimal("1e-3"),
    "ng": Decimal("1e-6"),
}
"""Unit of a dose by mass -> how many mg one of it is."""

_TIME_WORDS = {
    "min": ("min", "minute", "minutes"), "h": ("h", "hr", "hrs", "hour", "hours"), "d": ("d", "day", "days"),
    "week": ("week", "weeks", "wk"),
}  # fmt: skip
_DOSE_WORDS = {"g": ("g",), "mg": ("mg",), "ug": ("ug", "mcg", "µg", "μg"), "ng": ("ng",)}

_QUANTITY = re.compile(r"^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*$")


def canonical_unit(text: str) -> str | None:
    """The house spelling of a concentration unit ("µM", "umol/l" -> "uM"), or None when it is not one."""
    unit = text.strip().replace("µ", "u").replace("μ", "u").replace(" ", "")
    mol = re.fullmatch(r"([munpf]?)mol/[lL]", unit)
    if mol:
        unit = mol.group(1) + "M"
    unit = re.sub(r"/ml$", "/mL", unit)
    unit = re.sub(r"/l$", "/L", unit)
    return unit if unit in MOLAR_UNITS_nM or unit in MASS_UNITS_ng_per_mL else None


def parse_number(text: object, *, place: str) -> float:
    """A finite number from a cell or a piece of text; `place` names the cell in the error.

    Raises
    ------
    UnitError
        If it is not a finite number; decimal commas are named as such, never guessed.
    """
    if isinstance(text, bool) or text is None:
        found = "nothing" if text is None else repr(text)
        raise UnitError(Fault(place=place, found=found, expected="a number", cure="Fill in the number."))
    if isinstance(text, int | float):
        value = float(text)
    else:
        try:
            value = float(Decimal(str(text).strip()))
        except InvalidOperation:
            comma = re.fullmatch(r"\s*[+-]?\d+,\d+\s*", str(text)) is not None
            cure = "Write the decimal sign as a point." if comma else "Write a plain number such as 12.5 or 1e-3."
            raise UnitError(Fault(place=place, found=f'"{text}"', expected="a number", cure=cure)) from None
    if not math.isfinite(value):
        raise UnitError(Fault(place=place, found=f'"{text}"', expected="a finite number", cure="Leave it out if it is not known."))
    return value


def concentration_nM(value: object, unit: str | None, *, place: str, molar_mass_g_per_mol: float | None = None) -> float:
    """A concentration in nmol/L.

    Parameters
    ----------
    value : number or text
        Scalar, >= 0; text may carry its own unit ("30 nM"), which must then agree with `unit` or stand alone.
    unit : str or None
        "nM", "uM", "ng/mL", ...; None where the value carries it.
    place : str
        Where it stood, for the message.
    molar_mass_g_per_mol : float, optional
        Needed to turn a mass concentration (ng/mL) into nM.

    Raises
    ------
    UnitError
        If the number, the unit or the molar mass is missing or wrong.
    """
    number: object = value
    if isinstance(value, str):
        matched = _QUANTITY.match(value)
        if matched and matched.group(2):
            number, unit = matched.group(1), matched.group(2)
    if unit is None or not unit.strip():
        raise UnitError(
            Fault(place=place, found=f'"{value}" without a unit', expected='a concentration such as "30 nM"',
                  cure="Add a unit column to the map, or map_unit to study.toml.")
        )  # fmt: skip
    known = canonical_unit(unit)
    if known is None:
        raise UnitError(
            Fault(place=place, found=f'unit "{unit}"', expected="one of M, mM, uM, nM, pM, fM, ug/mL, ng/mL, pg/mL",
                  cure="Correct the unit.")
        )  # fmt: skip
    amount = Decimal(repr(parse_number(number, place=place)))
    if amount < 0:
        raise UnitError(
            Fault(place=place, found=f"{amount} {known}", expected="a concentration of 0 or more", cure="Correct the sign.")
        )
    if known in MOLAR_UNITS_nM:
        return float(amount * MOLAR_UNITS_nM[known])
    if molar_mass_g_per_mol is None:
        raise UnitError(
            Fault(place=place, found=f"{amount} {known} of a compound without a molar mass", expected="a molar unit, or an agonist file "
                  "with molar_mass_g_per_mol", cure="Write the dose in nM, or give the compound an agonist file.")
        )  # fmt: skip
    # 1 ng/mL = 1e-6 g/L; divided by g/mol and times 1e9 nmol/mol
    return float(amount * MASS_UNITS_ng_per_mL[known] * Decimal(1000) / Decimal(repr(molar_mass_g_per_mol)))


def time_unit(text: str) -> str | None:
    """The house spelling of a unit of time ("hours" -> "h"), or None when it is not one."""
    return next((unit for unit, words in _TIME_WORDS.items() if text.strip().casefold() in words), None)


def dose_unit(text: str) -> str | None:
    """The house spelling of a unit of mass for doses ("mcg" -> "ug"), or None when it is not one."""
    return next((unit for unit, words in _DOSE_WORDS.items() if text.strip().casefold() in words), None)


def time_h(value: object, *, place: str) -> float:
    """A length of time with its unit ("30 min", "2 weeks") in hours, >= 0.

    Raises
    ------
    UnitError
        If the number or the unit is missing or wrong.
    """
    number, unit = _number_and_unit(value, place=place, expected='a time such as "24 h" or "14 days"')
    known = time_unit(unit)
    if known is None:
        raise UnitError(Fault(place=place, found=f'unit "{unit}"', expected="min, h, d (day) or week", cure="Correct the unit."))
    return float(_not_negative(number, known, place=place) * TIME_UNITS_h[known])


def dose_in(value: object, unit: str, *, place: str) -> float:
    """A dose with its unit ("2.5 mg") in `unit` ("mg", "ug", ...), >= 0.

    Raises
    ------
    UnitError
        If the number or a unit is missing or wrong; a dose per kg of body weight is named as such.
    """
    number, given = _number_and_unit(value, place=place, expected='a dose such as "2.5 mg"')
    known, wanted = dose_unit(given), dose_unit(unit)
    if known is None or wanted is None:
        cure = (
            "Multiply by the weight: doses are per patient." if "/kg" in given.replace(" ", "").casefold() else "Correct the unit."
        )
        raise UnitError(
            Fault(place=place, found=f'unit "{given if known is None else unit}"', expected="g, mg, ug or ng", cure=cure)
        )
    return float(_not_negative(number, known, place=place) * DOSE_UNITS_mg[known] / DOSE_UNITS_mg[wanted])


def _number_and_unit(value: object, *, place: str, expected: str) -> tuple[Decimal, str]:
    matched = _QUANTITY.match(value) if isinstance(value, str) else None
    if matched is None or not matched.group(2):
        raise UnitError(Fault(place=place, found=f'"{value}" without a unit' if value not in (None, "") else "nothing",
                              expected=expected, cure="Write the number, a space and the unit, in quotes."))  # fmt: skip
    return Decimal(matched.group(1)), matched.group(2)


def _not_negative(number: Decimal, unit: str, *, place: str) -> Decimal:
    if number < 0:
        raise UnitError(Fault(place=place, found=f"{number} {unit}", expected="0 or more", cure="Correct the sign."))
    return number
