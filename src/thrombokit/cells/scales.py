"""Scales on which cytometry values are looked at, with Gating-ML 2.0's definitions and its letters.

T is the top of the scale, M the number of decades, W the width of the linear part (in decades), A additional negative decades; T lies at 1. Every
scale may be cut: results below `bound_min` become `bound_min`, results above `bound_max` become `bound_max`. All are right for negative
values, except the logarithm, which has no place for them: zero and below lie at minus infinity (or at `bound_min`).

A value that is not a number stays so. Logicle and hyperlog use a table from 10,000 values on, which differs from the exact scale by
less than 1e-12.

References
----------
Spidlen J, ISAC Data Standards Task Force, Brinkman RR (2015) Gating-ML 2.0. Cytometry A 87:683-687, doi:10.1002/cyto.a.22690.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.flowjo_biexponential import N_CHANNELS, flowjo_values
from thrombokit.numerics.hyperlog import hyperlog_constants, hyperlog_exact, hyperlog_inverse
from thrombokit.numerics.logicle import logicle_constants, logicle_exact, logicle_inverse
from thrombokit.numerics.scale_table import FROM_EVENTS, ScaleTable, look_up, tabulate

LARGEST = 1e15
MOST_DECADES = 30.0
"""No cytometer comes near either; beyond, the constants of the scales overflow."""

SMALLEST_HYPERLOG_WIDTH = 1e-6
"""The hyperlog's W must be above 0; below this its straight part is steeper than float64 can solve for."""


@dataclass(frozen=True, kw_only=True)
class _Cut(ABC):
    """What all scales share: the cut of the results, and the check of the letters."""

    bound_min: float | None = None
    bound_max: float | None = None

    def __post_init__(self) -> None:
        faults = [*self._letter_faults(), *self._bound_faults()]
        if faults:
            raise InputError(faults)

    @abstractmethod
    def _letter_faults(self) -> Iterator[Fault]:
        """What is wrong with the scale's own letters."""

    def _bound_faults(self) -> Iterator[Fault]:
        for name, value in (("boundMin", self.bound_min), ("boundMax", self.bound_max)):
            if value is not None and math.isnan(value):
                yield _fault(self, f"{name} = nan", "a number")
        if self.bound_min is not None and self.bound_max is not None and self.bound_min > self.bound_max:
            yield _fault(self, f"boundMin = {self.bound_min:g} above boundMax = {self.bound_max:g}", "boundMin <= boundMax")

    def _cut(self, scaled: Array) -> Array:
        if self.bound_min is None and self.bound_max is None:
            return scaled
        return np.clip(scaled, self.bound_min, self.bound_max)


@dataclass(frozen=True, kw_only=True)
class LinearScale(_Cut):
    """(x + A) / (T + A); T > 0, 0 <= A <= T."""

    t: float
    a: float = 0.0

    def _letter_faults(self) -> Iterator[Fault]:
        yield from _top_faults(self, self.t)
        if not 0.0 <= self.a <= self.t:
            yield _fault(self, f"A = {self.a:g}", f"0 to T = {self.t:g}")

    def apply(self, values: Array) -> Array:
        """Values on the scale; same shape."""
        return self._cut((_float64(values) + self.a) / (self.t + self.a))

    def inverse(self, scaled: Array) -> Array:
        """Back to plain values, as if nothing had been cut; same shape."""
        return _float64(scaled) * (self.t + self.a) - self.a


@dataclass(frozen=True, kw_only=True)
class LogScale(_Cut):
    """log10(x / T) / M + 1; T > 0, M > 0. Zero and below: minus infinity, so that they lie below every bound of a gate."""

    t: float
    m: float

    def _letter_faults(self) -> Iterator[Fault]:
        yield from _top_faults(self, self.t)
        yield from _decade_faults(self, self.m)

    def apply(self, values: Array) -> Array:
        """Values on the scale; same shape."""
        x = _float64(values)
        with np.errstate(divide="ignore"):
            return self._cut(np.log10(np.where(x < 0.0, 0.0, x) / self.t) / self.m + 1.0)

    def inverse(self, scaled: Array) -> Array:
        """Back to plain values, as if nothing had been cut; same shape."""
        with np.errstate(over="ignore"):
            return self.t * 10.0 ** ((_float64(scaled) - 1.0) * self.m)


@dataclass(frozen=True, kw_only=True)
class AsinhScale(_Cut):
    """(asinh(x sinh(M ln 10) / T) + A ln 10) / ((M + A) ln 10); T > 0, M > 0, 0 <= A <= M."""

    t: float
    m: float
    a: float = 0.0

    def _letter_faults(self) -> Iterator[Fault]:
        yield from _top_faults(self, self.t)
        yield from _decade_faults(self, self.m)
        if not 0.0 <= self.a <= self.m:
            yield _fault(self, f"A = {self.a:g}", f"0 to M = {self.m:g}")

    @property
    def _unit(self) -> float:
        return self.t / math.sinh(self.m * math.log(10.0))

    def apply(self, values: Array) -> Array:
        """Values on the scale; same shape."""
        decades = (self.m + self.a) * math.log(10.0)
        return self._cut((np.arcsinh(_float64(values) / self._unit) + self.a * math.log(10.0)) / decades)

    def inverse(self, scaled: Array) -> Array:
        """Back to plain values, as if nothing had been cut; same shape."""
        with np.errstate(over="ignore"):
            return np.sinh(_float64(scaled) * (self.m + self.a) * math.log(10.0) - self.a * math.log(10.0)) * self._unit


@dataclass(frozen=True, kw_only=True)
class LogicleScale(_Cut):
    """Parks and Moore's logicle; T > 0, M > 0, 0 <= W <= M / 2, -W <= A <= M - 2 W. Negative values mirror positive ones about zero."""

    t: float = 262144.0
    w: float = 0.5
    m: float = 4.5
    a: float = 0.0

    def _letter_faults(self) -> Iterator[Fault]:
        yield from _top_faults(self, self.t)
        yield from _decade_faults(self, self.m)
        yield from _width_faults(self, self.w, self.m, self.a, smallest=0.0)

    def apply(self, values: Array) -> Array:
        """Values on the scale; same shape."""
        return self._cut(_tabulated_or_exact(self, values))

    def _uncut(self, values: Array) -> Array:
        out = np.empty(values.shape)
        logicle_exact(np.ascontiguousarray(values), logicle_constants(self.t, self.w, self.m, self.a), out)
        return out

    def inverse(self, scaled: Array) -> Array:
        """Back to plain values, as if nothing had been cut; same shape."""
        flat = np.ascontiguousarray(_float64(scaled)).ravel()
        out = np.empty(flat.size)
        logicle_inverse(flat, logicle_constants(self.t, self.w, self.m, self.a), out)
        return out.reshape(np.shape(scaled))

    @property
    def _unit(self) -> float:
        a, b, c, d, _, x1 = (float(value) for value in logicle_constants(self.t, self.w, self.m, self.a))
        return (a * b * math.exp(b * x1) + c * d * math.exp(-d * x1)) / b

    def table(self) -> ScaleTable:
        """The scale without its cut as a table, for `numerics.scale_table.look_up`."""
        return _table(self)


@dataclass(frozen=True, kw_only=True)
class HyperlogScale(_Cut):
    """Bagwell's hyperlog; T > 0, M > 0, 0 < W <= M / 2, -W <= A <= M - 2 W. Negative values mirror positive ones about zero."""

    t: float
    w: float
    m: float
    a: float = 0.0

    def _letter_faults(self) -> Iterator[Fault]:
        yield from _top_faults(self, self.t)
        yield from _decade_faults(self, self.m)
        yield from _width_faults(self, self.w, self.m, self.a, smallest=SMALLEST_HYPERLOG_WIDTH)

    def apply(self, values: Array) -> Array:
        """Values on the scale; same shape."""
        return self._cut(_tabulated_or_exact(self, values))

    def _uncut(self, values: Array) -> Array:
        out = np.empty(values.shape)
        hyperlog_exact(np.ascontiguousarray(values), hyperlog_constants(self.t, self.w, self.m, self.a), out)
        return out

    def inverse(self, scaled: Array) -> Array:
        """Back to plain values, as if nothing had been cut; same shape."""
        flat = np.ascontiguousarray(_float64(scaled)).ravel()
        out = np.empty(flat.size)
        hyperlog_inverse(flat, hyperlog_constants(self.t, self.w, self.m, self.a), out)
        return out.reshape(np.shape(scaled))

    @property
    def _unit(self) -> float:
        a, b, c, _, x1 = (float(value) for value in hyperlog_constants(self.t, self.w, self.m, self.a))
        return (a * b * math.exp(b * x1) + c) / b

    def table(self) -> ScaleTable:
        """The scale without its cut as a table, for `numerics.scale_table.look_up`."""
        return _table(self)


@dataclass(frozen=True, kw_only=True)
class BiexponentialScale(_Cut):
    """FlowJo's biexponential axis, from 0 at its left end to 1 at the right; values off the axis lie at its ends.

    `width_basis` (-1 or below) presses values together about zero, `negative` adds decades to the left, `positive` is the number of
    decades to the right, `top` the value at the right end. This is not part of Gating-ML.
    """

    width_basis: float = -10.0
    negative: float = 0.0
    positive: float = 4.41854
    top: float = 262144.000029

    def _letter_faults(self) -> Iterator[Fault]:
        yield from _top_faults(self, self.top, "max value")
        if not -1e6 <= self.width_basis <= -1.0:
            yield _fault(self, f"width basis = {self.width_basis:g}", "-1000000 to -1")
        if not 0.0 <= self.negative <= MOST_DECADES:
            yield _fault(self, f"negative decades = {self.negative:g}", f"0 to {MOST_DECADES:g}")
        if not 0.5 * math.log10(max(-self.width_basis, 1.0)) < self.positive <= MOST_DECADES:
            yield _fault(
                self, f"positive decades = {self.positive:g}", f"more than half of log10(-width basis), up to {MOST_DECADES:g}"
            )

    @property
    def _values(self) -> Array:
        return flowjo_values(self.negative, self.width_basis, self.positive, self.top)

    def apply(self, values: Array) -> Array:
        """Values on the scale; same shape."""
        return self._cut(np.interp(_float64(values), self._values, np.arange(N_CHANNELS + 1) / N_CHANNELS))

    def inverse(self, scaled: Array) -> Array:
        """Back to plain values, as if nothing had been cut; places off the axis give the value at its end; same shape."""
        return np.interp(_float64(scaled), np.arange(N_CHANNELS + 1) / N_CHANNELS, self._values)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A (x - B) / (y - C) of two channels."""

    numerator: str
    denominator: str
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0

    def __post_init__(self) -> None:
        faults = [
            Fault(place=f"ratio {self.numerator} / {self.denominator}", found=f"{name} = {value:g}", expected="a finite number",
                  cure="Correct the letter.")
            for name, value in (("A", self.a), ("B", self.b), ("C", self.c))
            if not math.isfinite(value)
        ]  # fmt: skip
        if faults:
            raise InputError(faults)

    def apply(self, numerator: Array, denominator: Array) -> Array:
        """The ratio, event by event; where y is C: plus or minus infinity, or not-a-number if x is B too.

        Parameters
        ----------
        numerator, denominator : arrays of one shape
            Values x and y of the two channels.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.a * (_float64(numerator) - self.b) / (_float64(denominator) - self.c)


Scale = LinearScale | LogScale | AsinhScale | LogicleScale | HyperlogScale | BiexponentialScale


def _float64(values: Array) -> Array:
    return np.asarray(values, dtype=np.float64)


def _tabulated_or_exact(scale: LogicleScale | HyperlogScale, values: Array) -> Array:
    plain = _float64(values)
    if plain.size >= FROM_EVENTS:
        return look_up(plain, _table(scale))
    return scale._uncut(plain.ravel()).reshape(plain.shape)  # pyright: ignore[reportPrivateUsage]


@lru_cache(maxsize=64)
def _table(scale: LogicleScale | HyperlogScale) -> ScaleTable:
    centre = float(scale._uncut(np.zeros(1))[0])  # pyright: ignore[reportPrivateUsage]
    return tabulate(scale._uncut, unit=scale._unit, centre=centre)  # pyright: ignore[reportPrivateUsage]


def _fault(scale: object, found: str, expected: str) -> Fault:
    place = f"{type(scale).__name__.removesuffix('Scale').lower()} scale"
    return Fault(place=place, found=found, expected=expected, cure="Correct the letter where the scale is defined.")


def _top_faults(scale: object, top: float, letter: str = "T") -> Iterator[Fault]:
    if not 0.0 < top <= LARGEST:
        yield _fault(scale, f"{letter} = {top:g}", f"above 0, up to {LARGEST:g}")


def _decade_faults(scale: object, m: float) -> Iterator[Fault]:
    if not 0.0 < m <= MOST_DECADES:
        yield _fault(scale, f"M = {m:g}", f"above 0, up to {MOST_DECADES:g} decades")


def _width_faults(scale: object, w: float, m: float, a: float, *, smallest: float) -> Iterator[Fault]:
    if not smallest <= w <= 0.5 * m:
        yield _fault(scale, f"W = {w:g}", f"{smallest:g} to M / 2 = {0.5 * m:g}")
    elif not -w <= a <= m - 2.0 * w:
        yield _fault(scale, f"A = {a:g}", f"-W = {-w:g} to M - 2 W = {m - 2.0 * w:g}")
