"""What is believed of a DNA histogram before it is seen: centres, spreads and bounds of the model's shape, and where a fit starts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from thrombokit.cells.ploidy_model import (
    CV_SLOPE,
    DEBRIS,
    DEBRIS_POWER,
    EXPONENT,
    EXTRAS,
    LOG_CV,
    LOG_DEBRIS_SCALE,
    LOG_G1,
    LOG_TAIL_SCALE,
    N_GAPS,
    N_PEAKS,
    N_SHAPES,
    NOISE,
    OFFSET,
    PEAKS,
    S_LATE,
    S_MIDDLE,
    S_PHASE,
    TAIL,
    TAIL_SHIFT,
)
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen

EXPONENT_SD = 0.03
EXPONENT_BAND = (0.93, 1.03)
"""Outside, a comb speaks of background or staining, not of biology: it is fitted, and said."""
EXPONENT_BOUNDS = (0.88, 1.08)
STRETCHED_BOUNDS = (0.60, 1.20)
REFERENCE_SD = 0.05
"""How far (in ln) the cells' 2N may lie from that of their reference."""

_SHAPES: dict[int, tuple[float, float, float, float]] = {
    EXPONENT: (1.0, EXPONENT_SD, *EXPONENT_BOUNDS),
    OFFSET: (0.0, 0.02, -0.1, 0.1),
    LOG_CV: (math.log(0.05), 0.6, math.log(0.005), math.log(0.25)),
    NOISE: (0.0, 1.0, 0.0, 15.0),
    CV_SLOPE: (0.0, 0.05, -0.3, 0.3),
    TAIL: (0.05, 0.12, 0.0, 0.45),
    LOG_TAIL_SCALE: (math.log(2.2), 0.3, math.log(1.3), math.log(5.0)),
    TAIL_SHIFT: (0.0, 0.5, -2.0, 2.0),
    S_LATE: (0.0, 1.6, -6.0, 6.0),
    S_MIDDLE: (0.0, 1.6, -6.0, 6.0),
    DEBRIS_POWER: (1.0, 1.0, -3.0, 6.0),
    LOG_DEBRIS_SCALE: (math.log(0.4), 1.0, math.log(0.03), math.log(40.0)),
}
"""Centre, SD, lowest, highest of each shape parameter."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapePrior(FrozenArrays):
    """`centre` and `spread` of shape (N_SHAPES,): Gaussian priors of the shape parameters, infinite spread for none; `held`: parameters
    (by place) that do not move from a value."""

    centre: Array
    spread: Array
    exponent_bounds: tuple[float, float] = EXPONENT_BOUNDS
    held: dict[int, float] = field(default_factory=dict[int, float])

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre", frozen(self.centre))
        object.__setattr__(self, "spread", frozen(self.spread))

    def with_parameter(self, place: int, centre: float, spread: float) -> ShapePrior:
        """The same with another belief about one parameter."""
        centres, spreads = self.centre.copy(), self.spread.copy()
        centres[place], spreads[place] = centre, spread
        return replace(self, centre=centres, spread=spreads)


def usual_prior(reference_2n: float | None = None) -> ShapePrior:
    """The prior of a tube on its own; a reference says about where its 2N lies."""
    centre, spread = np.zeros(N_SHAPES), np.full(N_SHAPES, math.inf)
    for place, (middle, sd, _, _) in _SHAPES.items():
        centre[place], spread[place] = middle, sd
    prior = ShapePrior(centre=centre, spread=spread)
    return prior if reference_2n is None else prior.with_parameter(LOG_G1, math.log(reference_2n), REFERENCE_SD)


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """Where a fit starts: `theta` (p,), `bounds` (2, p), `prior` (2, p); writeable, made for one fit."""

    theta: Array
    bounds: Array
    prior: Array


def start_of(g1: float, cv: float, n_events: float, prior: ShapePrior, extras: list[tuple[float, float, float]]) -> Start:
    """A start from a 2N position and CV; `extras` are (position, CV, events) of peaks off the comb."""
    size = EXTRAS + 3 * len(extras)
    theta, bounds, belief = np.zeros(size), np.zeros((2, size)), np.zeros((2, size))
    bounds[1], belief[1] = math.inf, math.inf
    belief[0, :N_SHAPES], belief[1, :N_SHAPES] = prior.centre, prior.spread
    theta[:N_SHAPES] = prior.centre
    for place, (_, _, low, high) in _SHAPES.items():
        bounds[:, place] = low, high
        theta[place] = np.clip(theta[place], low, high)
    bounds[:, EXPONENT] = prior.exponent_bounds
    theta[EXPONENT] = np.clip(prior.centre[EXPONENT], *prior.exponent_bounds)
    theta[LOG_G1], theta[LOG_CV], theta[NOISE] = math.log(g1), math.log(cv), max(prior.centre[NOISE], 0.1)
    bounds[:, LOG_G1] = math.log(g1) - 0.2, math.log(g1) + 0.2
    theta[PEAKS : PEAKS + N_PEAKS] = 0.8 * n_events / N_PEAKS
    theta[S_PHASE : S_PHASE + N_GAPS] = 0.1 * n_events / N_GAPS
    theta[DEBRIS:EXTRAS] = 0.03 * n_events
    for place, value in prior.held.items():
        theta[place] = bounds[0, place] = bounds[1, place] = value
    for i, (position, width, events) in enumerate(extras):
        at = EXTRAS + 3 * i
        theta[at : at + 3] = math.log(position), math.log(width), events
        bounds[:, at] = math.log(position) - 0.08, math.log(position) + 0.08
        bounds[:, at + 1] = math.log(0.01), math.log(0.15)
        belief[:, at + 1] = math.log(width), 0.4
    return Start(theta=theta, bounds=bounds, prior=belief)
