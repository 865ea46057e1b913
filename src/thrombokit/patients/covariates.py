"""Where the covariates of virtual patients come from: fixed values, shares, distributions, or values that were seen.

Each kind turns a uniform draw into a value, so a patient's covariates hang on its own stream alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.special import ndtr, ndtri

from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.numerics.arrays import Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """1 in a share of the patients, 0 in the others."""

    share: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise SpecError(_fault("share", self.share, "a number from 0 to 1"))

    def values(self, uniforms: Array) -> Array:
        """Values for uniform draws (n,) from [0, 1)."""
        return np.where(uniforms < self.share, 1.0, 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class LogNormal:
    """A log-normal value, kept between `low` and `high` as drawing anew would keep it (nothing piles up at the ends)."""

    median: float
    log_sd: float
    low: float = 0.0
    high: float = math.inf

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        if not 0.0 < self.median < math.inf:
            faults.append(_fault("median", self.median, "a finite number above 0"))
        if not 0.0 <= self.log_sd < math.inf:
            faults.append(_fault("log_sd", self.log_sd, "a finite number, 0 or more"))
        if not 0.0 <= self.low <= self.median <= self.high:
            faults.append(_fault("low", self.low, f"0 <= low <= median <= high; median {self.median:g}, high {self.high:g}"))
        raise_all(faults, SpecError)

    def values(self, uniforms: Array) -> Array:
        """Values for uniform draws (n,) from [0, 1)."""
        if self.log_sd == 0.0:
            return np.full(uniforms.shape, self.median)
        low = ndtr(math.log(self.low / self.median) / self.log_sd) if self.low > 0.0 else 0.0
        high = ndtr(math.log(self.high / self.median) / self.log_sd) if self.high < math.inf else 1.0
        inside = np.clip(low + (high - low) * uniforms, 1e-300, 1.0 - 1e-16)
        return np.clip(self.median * np.exp(self.log_sd * ndtri(inside)), self.low, self.high)


@dataclass(frozen=True, kw_only=True, slots=True)
class Values:
    """One of several values, each as often as the others or with its own share."""

    of: tuple[float, ...]
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        if not self.of or not all(math.isfinite(value) for value in self.of):
            faults.append(_fault("of", math.nan, "one finite value or more"))
        if self.shares and (len(self.shares) != len(self.of) or min(self.shares) < 0.0 or abs(sum(self.shares) - 1.0) > 1e-9):
            faults.append(_fault("shares", sum(self.shares), f"{len(self.of)} numbers, 0 or more, that sum to 1"))
        raise_all(faults, SpecError)

    def values(self, uniforms: Array) -> Array:
        """Values for uniform draws (n,) from [0, 1)."""
        shares = self.shares or (1.0 / len(self.of),) * len(self.of)
        places = np.searchsorted(np.cumsum(shares), uniforms, side="right")
        return np.array(self.of)[np.minimum(places, len(self.of) - 1)]


Covariate: TypeAlias = float | Share | LogNormal | Values

_WEIGHT_kg = LogNormal(median=70.0, log_sd=0.2, low=40.0, high=130.0)
_NEVER = dict.fromkeys(("EASTASIAN", "SCASIAN", "STEROID", "FED", "SPLENECTOMY", "NAB", "MEAL", "CP"), 0.0)
_ANY: Mapping[str, Covariate] = {"WT": _WEIGHT_kg, "FEMALE": Share(share=0.5), "TC": 1.0, **_NEVER}
USUAL_COVARIATES: Mapping[str, Mapping[str, Covariate]] = {
    "itp": {**_ANY, "FEMALE": Share(share=0.71)},
    "healthy": {**_ANY, "FEMALE": 0.0},
    "cld": {**_ANY, "CP": 6.0},
}
"""Columns of shipped models where a cohort says nothing, by population. Share of women in ITP: Mei 2021, doi:10.1186/s13045-021-01047-9, Table 1
(72.6, 69.6 and 70.6 % in three arms). All else is assumed: weight in kg around the models' reference of 70; healthy volunteers are men, as in most
phase 1 trials; fasted, of no Asian descent, no corticosteroid, spleen in place, no neutralising antibodies; Child-Pugh score 6 in liver disease."""


def usual_covariate(population: str, column: str) -> Covariate | None:
    """What a column is where nothing was said, or None; case does not matter."""
    usual = USUAL_COVARIATES.get(population.casefold(), _ANY)
    return next((value for name, value in usual.items() if name.casefold() == column.casefold()), None)


def covariate_values(covariate: Covariate, uniforms: Array) -> Array:
    """Values of shape (n,) for uniform draws (n,) from [0, 1)."""
    if isinstance(covariate, (Share, LogNormal, Values)):
        return covariate.values(uniforms)
    return np.full(uniforms.shape, float(covariate))


def _fault(name: str, found: float, expected: str) -> Fault:
    return Fault(place=f"covariate, {name}", found=f"{found:g}", expected=expected, cure="Correct it.")
