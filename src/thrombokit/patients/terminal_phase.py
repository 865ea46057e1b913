"""The terminal phase of a concentration curve: a straight line through the last samples on the log scale, or the verdict that there is none.

Of the last 3, 4, 5 ... quantified samples after the peak, those whose line has the best adjusted R2 are taken; of lines within 1e-4 of the
best, the one with the most samples. The interval of the slope is that of the line through the chosen samples (Student's t, n - 2 degrees of
freedom); that they were chosen widens the truth a little beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import stdtrit

from thrombokit.numerics.arrays import Array

LEAST_POINTS = 3
"""Fewer samples make no line with an error."""
R2ADJ_TOLERANCE = 1e-4
"""Lines this close to the best adjusted R2 are as good; the one with the most samples is taken."""


class Terminal(StrEnum):
    """What was found."""

    FOUND = "found"
    POOR_FIT = "poor_fit"
    NOT_DECLINING = "not_declining"
    TOO_FEW_POINTS = "too_few_points"


@dataclass(frozen=True, kw_only=True, slots=True)
class TerminalPhase:
    """The line log C = intercept - rate t through `n_points` samples from `start` to `end`; None where there is no line.

    `rate_low`, `rate_high` (1/time) are the ends of its interval; `rate_low` of 0 or less leaves the half-life without an upper end.
    """

    verdict: Terminal
    rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None
    intercept: float | None = None
    n_points: int = 0
    start: float | None = None
    end: float | None = None
    r2: float | None = None
    r2_adjusted: float | None = None
    correlation: float | None = None

    def predicted(self, time: float) -> float | None:
        """Concentration of the line at a time."""
        return None if self.rate is None or self.intercept is None else float(np.exp(self.intercept - self.rate * time))


def find_terminal_phase(
    time: Array, concentration: Array, *, first: int, least_r2_adjusted: float, confidence: float = 0.95
) -> TerminalPhase:
    """The terminal phase among the samples from number `first` on.

    Parameters
    ----------
    time : array of shape (n,), rising
        Time since the dose.
    concentration : array of shape (n,), 0 or more
        Zeros are not quantified and take no part.
    first : int
        The earliest sample that may take part: the one after the peak, or, after a bolus, the peak.
    least_r2_adjusted : float
        A best line below this is called "poor_fit".
    confidence : float
        Of the interval of the rate.

    Returns
    -------
    TerminalPhase
        With a verdict; the rate only where the line falls.
    """
    part = concentration[first:] > 0.0
    t, y = time[first:][part], np.log(concentration[first:][part])
    if t.size < LEAST_POINTS:
        return TerminalPhase(verdict=Terminal.TOO_FEW_POINTS)
    lines = [_line(t[-n:], y[-n:], confidence, least_r2_adjusted) for n in range(LEAST_POINTS, t.size + 1)]
    falling = [line for line in lines if line.rate is not None and line.rate > 0.0]
    if not falling:
        return TerminalPhase(verdict=Terminal.NOT_DECLINING)
    best = max(line.r2_adjusted or 0.0 for line in falling)
    return [line for line in falling if (line.r2_adjusted or 0.0) >= best - R2ADJ_TOLERANCE][-1]


def _line(t: Array, y: Array, confidence: float, least: float) -> TerminalPhase:
    n = t.size
    dt, dy = t - t.mean(), y - y.mean()
    sxx, sxy, syy = float(dt @ dt), float(dt @ dy), float(dy @ dy)
    slope = sxy / sxx
    residual = float(((dy - slope * dt) ** 2).sum())
    r2 = 1.0 - residual / syy if syy > 0.0 else 0.0
    adjusted = 1.0 - (1.0 - r2) * (n - 1) / (n - 2)
    half = float(stdtrit(n - 2, 0.5 + 0.5 * confidence)) * float(np.sqrt(residual / (n - 2) / sxx))
    return TerminalPhase(
        verdict=Terminal.FOUND if adjusted >= least else Terminal.POOR_FIT, rate=-slope, rate_low=-slope - half, rate_high=-slope + half,
        intercept=float(y.mean() - slope * t.mean()), n_points=n, start=float(t[0]), end=float(t[-1]), r2=r2, r2_adjusted=adjusted,
        correlation=float(np.sign(slope) * np.sqrt(max(r2, 0.0))),
    )  # fmt: skip
