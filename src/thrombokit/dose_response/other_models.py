"""5PL and bell curves over a batch, and the bell tried as an alternative where a 4PL leaves the top doses unexplained."""

from __future__ import annotations

import numpy as np

from thrombokit.dose_response.working import Working
from thrombokit.numerics import curves, general_fit
from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.general_models import GeneralFit, covariance_general, fit_general, profile_ln_ec50

BELL_TURN = 0.2
"""Share of its rise that a curve must give back at high dose to count as bell-shaped."""

_LEAST_F = 4.6
"""The 1 % point of F(2, n) for n without end: no bell wins the test below it."""

MODEL_CODE = {"5pl": general_fit.FIVE_PARAMETER, "bell": general_fit.BELL}


def _curve(working: Working, i: int) -> tuple[Array, Array, Array]:
    a, b = int(working.means.starts[i]), int(working.means.starts[i + 1])
    return working.means.x[a:b], working.means.mean[a:b], working.weight[a:b]


def fit_all(working: Working, four: Array) -> None:
    """Fit the working model (5PL or bell) to every usable curve; `four` (n, 4) holds the 4PL starts (a0, a1, ln EC50, hill)."""
    code = MODEL_CODE[working.settings.model]
    for i in np.flatnonzero(working.usable):
        if not np.all(np.isfinite(four[i])):
            continue
        fit = fit_general(code, *_curve(working, int(i)), four[i])
        working.theta[i], working.mean_rss[i], working.code[i] = fit.theta, fit.rss, fit.code


def intervals(working: Working, t: Array, scale: Array, limit: Array, *, profile: bool) -> tuple[Array, Array, Array]:
    """Ends of ln EC50 (n,), and the unscaled covariance (n, p, p), for the working model (5PL or bell)."""
    n, p = working.theta.shape
    low, high, covariance = np.full(n, -np.inf), np.full(n, np.inf), np.full((n, p, p), np.nan)
    for i in np.flatnonzero(working.usable & working.finite()):
        x, y, w = _curve(working, int(i))
        fit = GeneralFit(
            model=MODEL_CODE[working.settings.model],
            theta=working.theta[i],
            rss=float(working.mean_rss[i]),
            code=int(working.code[i]),
        )
        inverse = covariance_general(fit, x, w)
        half = np.inf
        if inverse is not None:
            covariance[i] = inverse
            half = float(t[i] * np.sqrt(inverse[2, 2] * scale[i]))
        if profile:
            low[i], high[i] = profile_ln_ec50(fit, x, y, w, float(limit[i]), half)
        else:
            low[i], high[i] = fit.theta[2] - half, fit.theta[2] + half
    return low, high, covariance


def try_bells(working: Working) -> tuple[Array, Array]:
    """RSS of a bell (NaN where none was tried) and how far it turns back, as a share of its rise; each of shape (n,).

    Tried only where it could win, see `_candidates`.
    """
    n = working.usable.size
    rss, turn = np.full(n, np.nan), np.zeros(n)
    if working.settings.model not in ("4pl", "3pl"):
        return rss, turn
    natural = working.natural()
    for i in _candidates(working):
        x, y, w = _curve(working, int(i))
        if x.size < 6 or working.n_points[i] <= 6:
            continue
        fit = fit_general(general_fit.BELL, x, y, w, natural[i])
        rss[i] = fit.rss + working.pure[i]
        turn[i] = _turn_back(fit, x)
    return rss, turn


def _turn_back(fit: GeneralFit, x: Array) -> float:
    """How much of its rise (or fall) the fitted bell gives back by the highest dose, between its extreme inside the doses and the end."""
    a0, a1, m, ln_h, m2, a2 = (float(v) for v in fit.theta)
    finite = x[np.isfinite(x)]
    inside = np.linspace(float(finite[0]), float(finite[-1]), 200)
    shape = curves.bell(inside, a0, a1, a2, m, m2, float(np.exp(ln_h)))
    start = a0 if np.isneginf(x[0]) else float(shape[0])
    peak = int(np.argmax(np.abs(shape - start)))
    rise, fall = float(shape[peak] - start), float(shape[peak] - shape[-1])
    return fall / rise if rise != 0.0 and 0 < peak < shape.size - 1 else 0.0


def _candidates(working: Working) -> IntArray:
    """Curves that a bell could win: not flat, means that turn back by half of what is asked, and enough lack of fit for the F test.

    A bell can take away no more than the residuals of the dose means, so where these are too small against the pure error the test
    is lost before it starts.
    """
    means = working.means
    sizes = np.diff(means.starts)
    able = working.usable & working.finite() & (sizes >= 6) & (working.n_points > 6) & (means.starts[:-1] < means.starts[1:])
    first, last = means.starts[:-1], np.maximum(means.starts[1:] - 1, 0)
    start, end = _at(means.mean, first), _at(means.mean, last)
    index = means.curve_index()
    travel = np.zeros(sizes.size)
    np.maximum.at(travel, index, np.abs(means.mean - start[index]))
    rising_most = np.zeros(sizes.size)
    np.maximum.at(rising_most, index, means.mean - start[index])
    extreme = start + np.where(rising_most >= travel, travel, -travel)
    with np.errstate(invalid="ignore", divide="ignore"):
        turn = np.where(travel > 0, (extreme - end) / (extreme - start), 0.0)
        freedom = np.maximum(working.n_points - 6, 1)
        enough = working.mean_rss / 2.0 > _LEAST_F * (working.rss - working.mean_rss) / freedom
        flat_f = (working.flat_rss() - working.rss) / 3.0 / (working.rss / np.maximum(working.degrees, 1))
    return np.flatnonzero(able & (turn >= 0.5 * BELL_TURN) & enough & (flat_f > 1.0))


def _at(values: Array, index: IntArray) -> Array:
    return values[np.minimum(index, values.size - 1)] if values.size else np.zeros(index.size)
