"""The verdict on each curve, by the precedence bad > flat > not_sigmoid > beyond_range > plateau_open > fit.

bad            too few doses or points, or all responses equal
flat           an F test finds no effect of dose (5 %)
not_sigmoid    a bell-shaped curve is clearly better (F test, 1 %) and turns back by a fifth of its range or more
beyond_range   the inflection lies outside the tested doses
plateau_open   the inflection lies inside, but a plateau is not determined: its own 95 % half-width exceeds 30 % of the span, or the EC50's
               interval never closes on that side
fit            none of these
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc, stdtrit

from thrombokit.dose_response.other_models import BELL_TURN
from thrombokit.drawing.numerals import three_digits
from thrombokit.numerics.arrays import Array, BoolArray, IntArray, TextArray

FLAT_LEVEL = 0.05
BELL_LEVEL = 0.01
OPEN_SHARE = 0.3


@dataclass(frozen=True, kw_only=True, eq=False)
class VerdictSums:
    """Sums of squares (or what a robust fit puts in their place) of the fit, a constant and a bell, and the bell's turn; each (n,)."""

    rss: Array
    flat_rss: Array
    bell_rss: Array
    bell_turn: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What a verdict is formed from; all arrays of shape (n,) but `theta` (n, p) and `covariance` (n, p, p)."""

    usable: BoolArray
    theta: Array
    covariance: Array
    ln_low: Array
    ln_high: Array
    rss: Array
    flat_rss: Array
    bell_rss: Array
    bell_turn: Array
    degrees: IntArray
    n_parameters: int
    x_low: Array
    x_high: Array
    confidence: float


def flat_p(evidence: Evidence) -> Array:
    """p of the F test of the curve against a constant, shape (n,); 1 where it cannot be formed."""
    extra = evidence.n_parameters - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        f = (evidence.flat_rss - evidence.rss) / extra / (evidence.rss / evidence.degrees)
    return np.where(
        np.isnan(f), 1.0, fdtrc(extra, np.maximum(evidence.degrees, 1), np.maximum(np.nan_to_num(f, posinf=1e300), 0.0))
    )


def bell_p(evidence: Evidence) -> Array:
    """p of the F test of a bell (6 parameters) against the fitted model, shape (n,); 1 where no bell was tried."""
    extra = 6 - evidence.n_parameters
    if extra <= 0:
        return np.ones_like(evidence.rss)
    freedom = evidence.degrees - extra
    with np.errstate(divide="ignore", invalid="ignore"):
        f = (evidence.rss - evidence.bell_rss) / extra / (evidence.bell_rss / freedom)
    tried = np.isfinite(evidence.bell_rss) & (freedom > 0)
    return np.where(tried, fdtrc(extra, np.maximum(freedom, 1), np.maximum(np.nan_to_num(f, posinf=1e300), 0.0)), 1.0)


def open_plateaus(evidence: Evidence) -> tuple[BoolArray, BoolArray]:
    """Whether the plateau at dose 0 and the one at high dose are undetermined, each of shape (n,)."""
    span = np.abs(evidence.theta[:, 1] - evidence.theta[:, 0])
    t = stdtrit(np.maximum(evidence.degrees, 1), 0.5 + evidence.confidence / 2)
    half0 = t * np.sqrt(evidence.covariance[:, 0, 0])
    half1 = t * np.sqrt(evidence.covariance[:, 1, 1])
    start = ~(half0 <= OPEN_SHARE * span) | ~np.isfinite(evidence.ln_low)
    end = ~(half1 <= OPEN_SHARE * span) | ~np.isfinite(evidence.ln_high)
    return start, end


def judge(evidence: Evidence) -> tuple[TextArray, TextArray, Array]:
    """Verdict and open plateau ("", "top", "bottom", "both") of every curve, and the p value of the flat test; each of shape (n,)."""
    p_flat = flat_p(evidence)
    m = evidence.theta[:, 2]
    start, end = open_plateaus(evidence)
    rising = evidence.theta[:, 1] >= evidence.theta[:, 0]
    top_open, bottom_open = np.where(rising, end, start), np.where(rising, start, end)
    bell_wins = (bell_p(evidence) < BELL_LEVEL) & (evidence.bell_turn >= BELL_TURN)
    verdict = np.select(
        [
            ~evidence.usable, p_flat > FLAT_LEVEL, bell_wins, (m < evidence.x_low) | (m > evidence.x_high), start | end,
        ],
        ["bad", "flat", "not_sigmoid", "beyond_range", "plateau_open"],
        default="fit",
    ).astype(object)  # fmt: skip
    open_plateau = np.select([top_open & bottom_open, top_open, bottom_open], ["both", "top", "bottom"], default="").astype(object)
    open_plateau[~np.isin(verdict, ("plateau_open", "beyond_range"))] = ""
    return verdict, open_plateau, p_flat


def off_target(verdict: TextArray, rising: BoolArray) -> TextArray:
    """ "off_target_suspected" for curves that rise and then fall back at high dose, else ""; shape (n,).

    High TPO-R drive can arrest growth, but eltrombopag chelates iron and stops growth without TPO-R: only a counter-screen tells.
    """
    return np.where((verdict == "not_sigmoid") & rising, "off_target_suspected", "").astype(object)


def messages(
    verdict: TextArray, open_plateau: TextArray, qualifier: TextArray, evidence: Evidence, p_flat: Array, code: IntArray
) -> TextArray:
    """A sentence for every curve that is not a plain fit, shape (n,)."""
    out = np.full(verdict.size, "", dtype=object)
    at_bound = (verdict == "fit") & (code == 1)
    out[at_bound] = "the hill slope stands at its bound (0.1 or 10)"
    low_dose, high_dose = np.exp(evidence.x_low), np.exp(evidence.x_high)
    for i in (int(k) for k in np.flatnonzero(verdict != "fit")):
        kind = str(verdict[i])
        if kind == "bad":
            out[i] = "too few doses or points to fit, or all responses equal"
        elif kind == "flat":
            out[i] = f"no effect of dose found (F test, p = {p_flat[i]:.2g})"
        elif kind == "not_sigmoid":
            out[i] = "the response turns back at high dose; a four-parameter curve does not describe it"
        elif kind == "beyond_range":
            out[i] = _beyond(float(evidence.theta[i, 2]), evidence, i, float(low_dose[i]), float(high_dose[i]))
        else:
            out[i] = _open(str(open_plateau[i]), evidence, i)
        if qualifier[i]:
            out[i] += "; off-target effect suspected: run a counter-screen on cells without TPO-R"
    return out


def _natural(ln_value: float) -> float:
    """exp, without overflow for the end of a Wald interval far out."""
    return float(np.exp(np.clip(ln_value, -700.0, 700.0)))


def _dose(dose_nM: float) -> str:
    """A dose as a person would write it: 300, 0.3, 1970."""
    text = three_digits(dose_nM)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _beyond(m: float, evidence: Evidence, i: int, low_dose: float, high_dose: float) -> str:
    if m > np.log(high_dose):
        bound = _natural(evidence.ln_low[i])
        said = f"EC50 above {three_digits(bound)} nM" if np.isfinite(evidence.ln_low[i]) else "EC50 not bounded"
        return f"{said}: no plateau reached, highest dose {_dose(high_dose)} nM"
    bound = _natural(evidence.ln_high[i])
    said = f"EC50 below {three_digits(bound)} nM" if np.isfinite(evidence.ln_high[i]) else "EC50 not bounded"
    return f"{said}: response already changed at the lowest dose, {_dose(low_dose)} nM"


def _open(which: str, evidence: Evidence, i: int) -> str:
    plateaus = {"top": "the top plateau is", "bottom": "the bottom plateau is", "both": "both plateaus are"}[which]
    low, high = np.isfinite(evidence.ln_low[i]), np.isfinite(evidence.ln_high[i])
    if low and high:
        return f"{plateaus} not determined by these doses"
    if low:
        return f"{plateaus} not determined: EC50 > {three_digits(_natural(evidence.ln_low[i]))} nM"
    if high:
        return f"{plateaus} not determined: EC50 < {three_digits(_natural(evidence.ln_high[i]))} nM"
    return f"{plateaus} not determined: the EC50 has no bound"
