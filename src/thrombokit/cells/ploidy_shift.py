"""Does the agonist shift the ploidy classes, and which way? One dose series: cumulative logit with an Emax in the dose.

The log odds of being above any cut (2N | 4N | ... ) shift by Delta x g(dose) / g(highest dose), g = dose / (dose + EC50): Delta is the whole
shift from vehicle to the highest dose, up or down. The EC50 is looked for within the doses alone, and Delta is there to be judged also when
nothing shifts and no EC50 exists. The best of many EC50s fits noise better than one given beforehand, so whether there is a shift is asked
with 2 degrees of freedom (F), and Delta's interval is that of the joint region where there is none, the profile interval where there is:
a series without a shift then has an interval that holds 0. Delta itself is the mean over the EC50s tried, weighted by their likelihood: the best
one alone would shun 0 where nothing shifts, and three such donors would agree on a direction too often.

Reference: Davies 1987, doi:10.1093/biomet/74.1.33 (a parameter that exists only under the alternative).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import fdtrc, fdtri, stdtrit

from thrombokit.domain.ploidy import CLASS_PLOIDY, CLASSES
from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.numerics.beta_binomial import effective_count
from thrombokit.numerics.curves import logistic
from thrombokit.numerics.ordered_logit import OrderedLogit, class_shares, fit_ordered_logit

EC50S_TRIED = 25
LEAST_CELLS = 5.0
"""A class with fewer (effective) cells over all wells of a series joins its lower neighbour."""
FLAT_LEVEL = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassCounts(FrozenArrays):
    """One series: x (n_wells,) ln dose (-inf for vehicle), counts (n_wells, K) of the classes that are fitted, their names and the
    mean log2 ploidy (K,) of the cells in them."""

    x: Array
    counts: Array
    names: tuple[str, ...]
    log2_ploidy: Array

    @property
    def n_parameters(self) -> int:
        """Cuts, shift and EC50."""
        return len(self.names) + 1

    @property
    def degrees(self) -> int:
        """Wells that are left when level, shift and EC50 are paid for: what t has, however many cells there are."""
        return self.x.size - 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Shift(FrozenArrays):
    """The fitted shift of one series.

    log_odds, low, high : Delta from vehicle to the highest dose, with its profile interval. doublings (3,) : the shift of mean log2 ploidy,
    estimate, low, high. ln_ec50 (3,) : estimate, low, high; -inf and +inf where open to that side. p : of any shift, two-sided. logit : the
    fit. verdict : "higher_ploidy", "lower_ploidy", "no_shift" or "bad".
    """

    log_odds: float
    low: float
    high: float
    doublings: Array
    ln_ec50: Array
    p: float
    verdict: str
    message: str
    logit: OrderedLogit | None


_NONE = Shift(
    log_odds=np.nan, low=np.nan, high=np.nan, doublings=np.full(3, np.nan), ln_ec50=np.full(3, np.nan), p=np.nan, verdict="bad",
    message="", logit=None,
)  # fmt: skip


def gather_classes(x: Array, counts: Array) -> ClassCounts:
    """Classes with enough cells; the others join their lower neighbour (the lowest one its upper).

    Parameters
    ----------
    x : array of shape (n_wells,)
        ln dose, -inf for vehicle.
    counts : array of shape (n_wells, 6)
        Cells in 2N to 64N; may be fractional.
    """
    columns = [counts[:, k] for k in range(counts.shape[1])]
    members = [[k] for k in range(counts.shape[1])]
    k = len(columns) - 1
    while k >= 0 and len(columns) > 1:
        if float(columns[k].sum()) < LEAST_CELLS:
            into = k - 1 if k > 0 else 1
            columns[into] = columns[into] + columns[k]
            members[into] = sorted(members[into] + members[k])
            del columns[k], members[k]
        k -= 1
    total = counts.sum(axis=0)
    log2 = np.log2(CLASS_PLOIDY)
    means = [float(np.average(log2[m], weights=np.maximum(total[m], 1e-9))) for m in members]
    names = tuple(CLASSES[m[0]] if len(m) == 1 else f"{CLASSES[m[0]]} to {CLASSES[m[-1]]}" for m in members)
    return ClassCounts(x=x, counts=np.stack(columns, axis=1), names=names, log2_ploidy=np.array(means))


def fit_shift(classes: ClassCounts, rho: float, *, confidence: float) -> Shift:
    """Fit one series at the intraclass correlation `rho`; too little data gives the verdict "bad" with its reason."""
    doses = np.unique(classes.x[np.isfinite(classes.x)])
    wells = classes.x.size
    if doses.size < 3 or wells < 5 or len(classes.names) < 2:
        found = f"{doses.size} doses, {wells} wells, {len(classes.names)} ploidy class{'es' if len(classes.names) != 1 else ''} with cells"
        return replace(_NONE, message=f"too little to fit: {found}; 3 doses, 5 wells and 2 classes are needed")
    total = classes.counts.sum(axis=1)
    counts = classes.counts * (effective_count(total, rho) / total)[:, None]
    centres = np.linspace(doses[0], doses[-1], EC50S_TRIED)
    fits: list[OrderedLogit] = []
    for centre in centres:
        fits.append(fit_ordered_logit(counts, _design(classes.x, centre, doses[-1]), start=fits[-1] if fits else None))
    nothing = fit_ordered_logit(counts, np.empty((wells, 0)))
    return _judged(classes, centres, fits, nothing, confidence)


def _design(x: Array, centre: float, highest: float) -> Array:
    """g(dose) / g(highest dose), shape (n_wells, 1)."""
    return (logistic(x, centre, 1.0) / logistic(np.array(highest), centre, 1.0))[:, None]


def _judged(classes: ClassCounts, centres: Array, fits: list[OrderedLogit], nothing: OrderedLogit, confidence: float) -> Shift:
    deviance = np.array([-2.0 * fit.log_likelihood for fit in fits])
    slopes = np.array([fit.slopes[0] for fit in fits])
    errors = np.sqrt(np.array([fit.covariance[-1, -1] for fit in fits]))
    if not (np.all(np.isfinite(deviance)) and np.all(np.isfinite(errors))):
        return replace(_NONE, message="the cumulative logit could not be fitted")
    best = int(np.argmin(deviance))
    t = float(stdtrit(classes.degrees, 0.5 + confidence / 2))
    p = float(fdtrc(2, classes.degrees, max(-2.0 * nothing.log_likelihood - deviance[best], 0.0) / 2.0))
    limit = t * t if p <= FLAT_LEVEL else 2.0 * float(fdtri(2, classes.degrees, confidence))
    spare = limit - (deviance - deviance[best])
    reach = np.sqrt(np.maximum(spare, 0.0)) * errors
    within = spare >= 0
    low, high = float(np.min((slopes - reach)[within])), float(np.max((slopes + reach)[within]))
    likelihood = np.exp(-0.5 * (deviance - deviance[best]))
    value = float(likelihood @ slopes / likelihood.sum())
    verdict = "no_shift" if p > FLAT_LEVEL else ("higher_ploidy" if value > 0 else "lower_ploidy")
    merged = [name for name in classes.names if " to " in name]
    message = f"too few cells for classes of their own: {', '.join(merged)}" if merged else ""
    return Shift(
        log_odds=value, low=low, high=high, doublings=_doublings(classes, fits[best], np.array([value, low, high])),
        ln_ec50=_ln_ec50(centres, deviance, t) if verdict != "no_shift" else np.full(3, np.nan), p=p, verdict=verdict, message=message,
        logit=fits[best],
    )  # fmt: skip


def _doublings(classes: ClassCounts, fit: OrderedLogit, shifts: Array) -> Array:
    """Shift of mean log2 ploidy from vehicle for shifts of the log odds (n,), at the fitted cuts."""
    shares = class_shares(fit.cuts, np.concatenate([[0.0], shifts]))
    means = shares @ classes.log2_ploidy
    return means[1:] - means[0]


def _ln_ec50(centres: Array, deviance: Array, t: float) -> Array:
    """Estimate (refined by a parabola) and profile interval; an end that reaches the last dose is open."""
    best = int(np.argmin(deviance))
    value = float(centres[best])
    if 0 < best < centres.size - 1:
        before, here, after = (float(v) for v in deviance[best - 1 : best + 2])
        bend = before - 2.0 * here + after
        if bend > 0:
            value += 0.5 * float(centres[1] - centres[0]) * (before - after) / bend
    over = deviance - deviance[best] - t * t
    low, high = -np.inf, np.inf
    below, above = np.flatnonzero(over[:best] > 0), np.flatnonzero(over[best:] > 0)
    if below.size:
        low = _crossing(centres, over, int(below[-1]))
    if above.size:
        high = _crossing(centres, over, best + int(above[0]) - 1)
    return np.array([value, low, high])


def _crossing(centres: Array, over: Array, i: int) -> float:
    """Where `over` crosses 0 between neighbours i and i + 1."""
    return float(centres[i] - over[i] * (centres[i + 1] - centres[i]) / (over[i + 1] - over[i]))
