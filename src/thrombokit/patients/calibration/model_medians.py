"""What the shipped model files take from the frozen sets: the median of each calibrated value, told with its interval and its source.

All posterior sets of a model weigh equally, for hetrombopag both readings of its first trial in patients. Counts hang on the product of two
thetas, and a product of medians is no median of products: the transfer is set so that the product is. The spread of patients' own levels
(ETA_BASE) stays at that of measured counts: a model file has no fluctuation, which in a draw explains its part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from thrombokit.domain.parameter_set import ParameterSet
from thrombokit.errors import Fault, SpecError
from thrombokit.numerics.arrays import Array

FITTED_TO = {
    "eltrombopag": "rises in healthy Japanese men (abstract: Eltrombopag PK/PD in healthy Japanese males) and the dose-ranging trial "
    "(Bussel JB et al. 2007, N Engl J Med 357:2237-2247, abstract)",
    "hetrombopag": "rises in healthy people (Yang G et al. 2020, PMID 32069516) and the first trial in patients (doi:10.1111/jth.15078)",
}  # fmt: skip
HARDLY_INFORMED = ("GAMMA", "HALFLIFE", "ETA_DRIVE", "ETA_SLOPE", "RESPONSE")
"""The data leave these next to their prior in nearly every set: see the identifiability tables of docs/explanation/calibration.md."""
LEFT_ALONE = ("omega.ETA_BASE",)
"""A column of the sets that a model file does not take over."""
TRANSFER, DRUG = "TRANSFER", ("THETA", "SLOPE")
SIGNIFICANT_DIGITS = 4


class Kind(StrEnum):
    """Where in a model file a value stands."""

    THETA = "theta"
    OMEGA = "omega"
    SHARE = "share"


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelMedian:
    """One value of a model file: a theta, a variance, or the share of a mixture's first class; `source` in words."""

    kind: Kind
    name: str
    value: float
    source: str


def model_medians(sets: Sequence[ParameterSet]) -> tuple[ModelMedian, ...]:
    """Every calibrated value of one model.

    Parameters
    ----------
    sets : sequence of ParameterSet
        The posterior sets of that model; equally many draws in each, so that they weigh the same.

    Raises
    ------
    SpecError
        If there is no set, or they differ in model, columns or number of draws.
    """
    if not sets or len({(one.model, one.columns, one.n) for one in sets}) > 1:
        raise SpecError(Fault(place="medians of frozen sets", found=", ".join(one.name for one in sets) or "no set",
                              expected="sets of one model with the same columns and number of draws", cure="Ask model by model."))  # fmt: skip
    told: list[ModelMedian] = []
    for column in sets[0].columns:
        kind, _, name = column.partition(".")
        if kind not in set(Kind) or column in LEFT_ALONE:
            continue
        told.append(_transfer(sets) if name == TRANSFER else _median(sets, Kind(kind), name))
    return tuple(told)


def _median(sets: Sequence[ParameterSet], kind: Kind, name: str) -> ModelMedian:
    by_set = [one.column(f"{kind}.{name}") for one in sets]
    told = f"median of the frozen draws of {_names(sets)}; {_interval(np.concatenate(by_set))}{_by_reading(sets, by_set)}; "
    told += f"fitted to {FITTED_TO[sets[0].agonist]}"
    if name in HARDLY_INFORMED:
        told += "; next to its prior: the data say little of it"
    return ModelMedian(kind=kind, name=name, value=_short(float(np.median(np.concatenate(by_set)))), source=told)


def _transfer(sets: Sequence[ParameterSet]) -> ModelMedian:
    drug = next(name for name in DRUG if f"theta.{name}" in sets[0].columns)
    products = [one.column(f"theta.{drug}") * one.column(f"theta.{TRANSFER}") for one in sets]
    alone = np.concatenate([one.column(f"theta.{TRANSFER}") for one in sets])
    product, other = float(np.median(np.concatenate(products))), _median(sets, Kind.THETA, drug).value
    told = (
        f"set so that {drug} x {TRANSFER}, on which counts hang, is the median of that product in the frozen draws of {_names(sets)}: "
        f"{_short(product):g}, {_interval(np.concatenate(products))}{_by_reading(sets, products)}; by itself its median is "
        f"{_short(float(np.median(alone))):g}, {_interval(alone)}; fitted to {FITTED_TO[sets[0].agonist]}"
    )
    return ModelMedian(kind=Kind.THETA, name=TRANSFER, value=_short(product / other), source=told)


def _by_reading(sets: Sequence[ParameterSet], columns: Sequence[Array]) -> str:
    """Each reading beside the mixture, where there are several."""
    readings = list(dict.fromkeys(one.reading for one in sets))
    if len(readings) < 2:
        return ""
    of = {r: np.concatenate([c for one, c in zip(sets, columns, strict=True) if one.reading == r]) for r in readings}
    return " (" + ", ".join(f"{r} {float(np.median(values)):.3g}" for r, values in of.items()) + ")"


def _names(sets: Sequence[ParameterSet]) -> str:
    """ "hetrombopag-itp-absolute and -emax, each -dosed-to-day-28 and -stopped-day-14"."""
    first = sets[0]
    structures = list(dict.fromkeys(one.structure for one in sets))
    readings = [one for one in dict.fromkeys(one.reading for one in sets) if one != "none"]
    stem = f"{first.agonist}-{first.population}-{structures[0]}"
    named = " and ".join([stem, *(f"-{structure}" for structure in structures[1:])])
    return f"{named}{', each' if len(structures) > 1 else ','} {' and '.join(f'-{one}' for one in readings)}" if readings else named


def _interval(values: Array) -> str:
    low, high = np.percentile(values, (5.0, 95.0))
    return f"5 to 95 %: {low:.3g} to {high:.3g}"


def _short(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
