"""Units of a platelet count as laboratories and data sets write them, to 1e9/L."""

from __future__ import annotations

import re

from thrombokit.errors import Fault, UnitError

_TO_1e9_per_L = {
    "10^9/l": 1.0, "giga/l": 1.0, "g/l": 1.0, "gi/l": 1.0, "/nl": 1.0, "10^3/ul": 1.0, "k/ul": 1.0, "thou/ul": 1.0, "10^6/ml": 1.0,
    "10^4/ul": 10.0, "/ul": 1e-3, "10^6/l": 1e-3, "/l": 1e-9, "10^12/l": 1e3, "tera/l": 1e3, "10^11/l": 100.0, "10^10/l": 10.0, "/ml": 1e-6,
}  # fmt: skip
_RAISED = str.maketrans({digit: f"^{k}" for k, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})
EXPECTED = "10^9/L (G/L), 10^3/uL (K/uL), /uL or 10^6/L"


def canonical_count_unit(text: str) -> str | None:
    """One spelling for each unit ("x10E9/L", "10**9 / L", "GI/L" -> "10^9/l" and the like); None where it is no unit of a count."""
    unit = text.translate(_RAISED).strip().casefold().replace("µ", "u").replace("μ", "u").replace("×", "x").replace(" ", "")
    unit = (
        unit.replace("mm3", "ul")
        .replace("mm^3", "ul")
        .replace("mcl", "ul")
        .replace("cumm", "ul")
        .replace("l^-1", "/l")
        .replace("//", "/")
    )
    unit = re.sub(r"^(platelets|cells|count|counts|cell|plt|#)(?=/)", "", unit)
    unit = re.sub(r"^[x*.]?10(?:\*\*|\*|\^|e)?(\d+)(?=/)", r"10^\1", unit)
    unit = re.sub(r"^1e\+?0*(\d+)(?=/)", r"10^\1", unit)
    unit = re.sub(r"^x?e0*(\d+)(?=/)", r"10^\1", unit)
    unit = {"thousand/ul": "k/ul", "1000/ul": "k/ul", "1,000/ul": "k/ul", "10^9cells/l": "10^9/l"}.get(unit, unit)
    return unit if unit in _TO_1e9_per_L else None


def unit_in_words(text: str) -> str | None:
    """The unit that stands in the last brackets of a parameter's name: "Platelets (10^9/L)" -> "10^9/L"; None where there is none."""
    found = re.findall(r"[(\[]([^()\[\]]+)[)\]]", text)
    return next((part for part in reversed(found) if canonical_count_unit(part) is not None), None)


def count_1e9_per_L(value: float, unit: str, *, place: str) -> float:
    """A count in 1e9/L.

    Raises
    ------
    UnitError
        If the unit is none of a count.
    """
    known = canonical_count_unit(unit)
    if known is None:
        raise UnitError(
            Fault(place=place, found=f'unit "{unit}"' if unit.strip() else "no unit", expected=EXPECTED, cure="Correct the unit.")
        )
    factor = _TO_1e9_per_L[known]
    return value / round(1.0 / factor) if factor < 1.0 else value * factor
