"""Molar mass from a molecular formula, so that a mass in an agonist file can be checked against the compound it claims to be."""

from __future__ import annotations

import re

ATOMIC_MASSES_g_per_mol: dict[str, float] = {
    "H": 1.008, "B": 10.81, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998, "Na": 22.990, "Mg": 24.305, "P": 30.974, "S": 32.06,
    "Cl": 35.45, "K": 39.098, "Ca": 40.078, "Br": 79.904, "I": 126.904,
}  # fmt: skip
"""Standard atomic masses, abridged (IUPAC 2021, Pure Appl Chem 94:573, doi:10.1515/pac-2019-0603), of the elements drugs are
made of.
"""

_PART = re.compile(r"(\d*)\(?((?:[A-Z][a-z]?\d*)+)\)?")
_ELEMENT = re.compile(r"([A-Z][a-z]?)(\d*)")


def molar_mass_of(formula: str) -> float:
    """Molar mass (g/mol, isotopes as in nature) of a formula such as "C25H22N4O4" or, for a salt, "C25H22N4O4.2C2H7NO".

    Parts are joined by "." or "·"; a leading number multiplies its part, which may stand in brackets.

    Raises
    ------
    ValueError
        If the text is no such formula, or names an element outside the list.
    """
    total = 0.0
    for part in re.split(r"[.·]", formula.replace(" ", "")):
        matched = _PART.fullmatch(part)
        if not matched:
            raise ValueError(f'"{part}" is no formula such as C25H22N4O4')
        mass = 0.0
        for element, count in _ELEMENT.findall(matched[2]):
            if element not in ATOMIC_MASSES_g_per_mol:
                raise ValueError(f'"{element}" is none of the elements {", ".join(ATOMIC_MASSES_g_per_mol)}')
            mass += ATOMIC_MASSES_g_per_mol[element] * int(count or 1)
        total += int(matched[1] or 1) * mass
    return total
