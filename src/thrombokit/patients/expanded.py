"""A model with its pieces written out: compartments, flows, terms and named values, in expressions alone.

This is what is compiled, and what an export to another program's language needs. Two things have no form as an expression: the phase of
dual absorption, read under the name `PHASE` (0 before the switch, 1 after), and Savic's gamma input of each dose (`GammaInput`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from thrombokit.patients.model import DoseSettings, Entry

PHASE = "@phase"
"""A name no file can write: 0 before the switch of dual absorption, 1 after it."""


COLUMN = "@column "
"""Begins the name of a data column that a [record] entry of the same name reads: CL = "CL*1000"."""


def column_title(name: str) -> str:
    """The data column behind a name of `ExpandedModel.columns`."""
    return name.removeprefix(COLUMN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """`coefficient` (1/time) x amount of `source` leaves `source` and enters `target` (None: leaves the body)."""

    source: str
    target: str | None
    coefficient: Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """An addend to d/dt of a compartment."""

    compartment: str
    entry: Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class GammaInput:
    """Transit with any number n of compartments: each dose into `source` reaches `target` at the rate
    dose x rate (rate t)^n exp(-rate t) / Gamma(n + 1), t being the time since it arrived.

    References
    ----------
    Savic et al. 2007, doi:10.1007/s10928-007-9066-0, equation 12. Here the doses are summed, and what has not yet reached the target
    stays in the source, so that no amount is lost.
    """

    source: str
    target: str
    n: Entry
    rate: Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpandedModel:
    """See the module; every name is spelt as where it is defined, whatever the case of its use.

    `compartments`: the declared ones in the order of the file, then those that pieces add. `record`, `algebra` in an order in which each
    entry reads only earlier ones. `columns` are the names nobody defines: data columns (see `COLUMN`).
    """

    compartments: tuple[str, ...]
    record: Mapping[str, Entry]
    algebra: Mapping[str, Entry]
    flows: tuple[Flow, ...]
    terms: tuple[Term, ...]
    dose: Mapping[str, DoseSettings]
    initial: Mapping[str, Entry]
    output: Mapping[str, Entry]
    switch: Entry | None
    switch_from_record: bool
    gamma_inputs: tuple[GammaInput, ...]
    columns: tuple[str, ...]
