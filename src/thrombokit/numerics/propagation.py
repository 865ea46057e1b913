"""Products and sums of measured numbers, with an interval: each number remembers how it hangs on independent sources of error.

A source is a factor around 1 (a pipetted volume, the concentration of a lot of beads) or a count. To first order the logarithm of a
result moves by elasticity x log(factor); a source that stands in two places (one pipetted volume in a dilution and in a concentration) is
counted once, with both its effects. The interval joins the sources' own log-scale limits by squares (method of variance estimates
recovery), so that the skewed limits of a small count stay skewed.

References
----------
Zou GY, Donner A (2008) Construction of confidence limits about effect measures: a general approach. Stat Med 27:1693-1702,
doi:10.1002/sim.3095.
Brown LD, Cai TT, DasGupta A (2003) Interval estimation in exponential families. Stat Sinica 13:19-49 (Jeffreys limits of a Poisson mean).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from scipy.special import betaincinv, gammaincinv, ndtri


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far a source may lie below and above its estimate, on the log scale, at the wanted confidence; both >= 0."""

    down: float
    up: float


@dataclass(frozen=True, kw_only=True)
class Uncertain:
    """A number, and by source its slope d value / d log(source)."""

    value: float
    slopes: Mapping[str, float] = field(default_factory=dict[str, float])

    def __mul__(self, other: Uncertain | float) -> Uncertain:
        right = _uncertain(other)
        return _joined(self.value * right.value, self, right.value, right, self.value)

    def __truediv__(self, other: Uncertain | float) -> Uncertain:
        right = _uncertain(other)
        value = self.value / right.value
        return _joined(value, self, 1.0 / right.value, right, -value / right.value)

    def __add__(self, other: Uncertain | float) -> Uncertain:
        right = _uncertain(other)
        return _joined(self.value + right.value, self, 1.0, right, 1.0)

    def __sub__(self, other: Uncertain | float) -> Uncertain:
        right = _uncertain(other)
        return _joined(self.value - right.value, self, 1.0, right, -1.0)


def measured(value: float, source: str) -> Uncertain:
    """A number that moves in proportion to one source."""
    return Uncertain(value=value, slopes={source: value})


def exact(value: float) -> Uncertain:
    """A number without error."""
    return Uncertain(value=value)


def factor_spread(cv: float, *, confidence: float) -> Spread:
    """Limits of a lognormal factor of coefficient of variation `cv` (a share, 0.02 for 2 %)."""
    half = _z(confidence) * math.sqrt(math.log1p(cv * cv))
    return Spread(down=half, up=half)


def count_spread(count: int, *, confidence: float) -> Spread:
    """Limits of a Poisson mean after `count` > 0 events (Jeffreys)."""
    tail = (1.0 - confidence) / 2.0
    low, high = (float(gammaincinv(count + 0.5, p)) for p in (tail, 1.0 - tail))
    return Spread(down=math.log(count / low), up=math.log(high / count))


def share_spread(part: int, whole: int, *, confidence: float) -> Spread:
    """Limits of a share after `part` > 0 of `whole` (Jeffreys)."""
    tail = (1.0 - confidence) / 2.0
    share = part / whole
    low = float(betaincinv(part + 0.5, whole - part + 0.5, tail))
    high = 1.0 if part == whole else float(betaincinv(part + 0.5, whole - part + 0.5, 1.0 - tail))
    return Spread(down=math.log(share / low), up=math.log(high / share))


def upper_limit_of_none(*, confidence: float) -> float:
    """The mean that a count of 0 still allows: the exact upper limit, 3.69 at 95 % two-sided."""
    return -math.log((1.0 - confidence) / 2.0)


def interval_of(number: Uncertain, spreads: Mapping[str, Spread]) -> tuple[float, float]:
    """Lower and upper limit of a number above 0; a source without a spread is exact."""
    down = up = 0.0
    for source, slope in number.slopes.items():
        spread, elasticity = spreads.get(source), slope / number.value
        if spread is not None:
            low, high = (spread.down, spread.up) if elasticity > 0 else (spread.up, spread.down)
            down += (elasticity * low) ** 2
            up += (elasticity * high) ** 2
    return number.value * math.exp(-math.sqrt(down)), number.value * math.exp(math.sqrt(up))


def variance_shares(number: Uncertain, spreads: Mapping[str, Spread]) -> dict[str, float]:
    """What each source adds to the interval, as shares of the squared log width that sum to 1 (empty where nothing is uncertain)."""
    parts = {
        source: (slope / number.value * (spreads[source].down + spreads[source].up)) ** 2
        for source, slope in number.slopes.items()
        if source in spreads
    }
    total = sum(parts.values())
    return {source: part / total for source, part in parts.items()} if total > 0 else {}


def _uncertain(value: Uncertain | float) -> Uncertain:
    return value if isinstance(value, Uncertain) else exact(value)


def _joined(value: float, left: Uncertain, left_weight: float, right: Uncertain, right_weight: float) -> Uncertain:
    slopes = {source: slope * left_weight for source, slope in left.slopes.items()}
    for source, slope in right.slopes.items():
        slopes[source] = slopes.get(source, 0.0) + slope * right_weight
    return Uncertain(value=value, slopes=slopes)


def _z(confidence: float) -> float:
    return float(ndtri(0.5 + confidence / 2.0))
