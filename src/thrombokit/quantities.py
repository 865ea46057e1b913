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
