"""Compare curves with a reference: EC50 ratio always, relative potency only where the curves are parallel.

Parallel means both: an F test finds no fault with common plateaus and slope (5 %), and equivalence is shown (two one-sided tests on
the hill ratio and on the difference of each plateau, as % of the reference's range). Not finding a difference is no equality: where an
interval reaches beyond its margin without lying outside it, the verdict is "design_cannot_decide".

References: USP <1032> and <1034>; Callahan & Sajjadi 2003, doi:10.1002/bapj.200300021 (equivalence for parallelism);
Zou & Donner 2008, doi:10.1002/sim.3095 (MOVER: intervals of differences from intervals).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import fdtrc, stdtrit

from thrombokit.domain.estimate import Estimate
from thrombokit.dose_response.efficacy import Efficacy, compare_efficacy
from thrombokit.dose_response.fit import fit_points
from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.points import CurvePoints, points_from_table
from thrombokit.dose_response.settings import FitSettings, Weights
from thrombokit.dose_response.shared_fit import SharedFit, fit_shared
from thrombokit.dose_response.weighted_means import WeightedMeans, weighted_means
from thrombokit.errors import Fault, InputError

F_LEVEL, TOST_LEVEL = 0.05, 0.05
WITH_EC50 = ("fit", "plateau_open")


@dataclass(frozen=True, kw_only=True, slots=True)
class Margins:
    """What still counts as equal: hill ratio within [hill_low, hill_high], plateaus within plateau_pct % of the reference's range."""

    hill_low: float = 0.8
    hill_high: float = 1.25
    plateau_pct: float = 10.0

    def __post_init__(self) -> None:
        if not (0 < self.hill_low < 1 < self.hill_high and self.plateau_pct > 0):
            found = f"hill {self.hill_low} to {self.hill_high}, plateau {self.plateau_pct} %"
            expected = "hill margins around 1 and a plateau margin above 0"
            raise InputError(Fault(place="margins", found=found, expected=expected, cure="Use 0.8, 1.25 and 10."))


@dataclass(frozen=True, kw_only=True, slots=True)
class Parallelism:
    """F test of common against free plateaus and slope, and equivalence.

    `hill_ratio` (test / reference), `top_difference_pct`, `bottom_difference_pct` (test - reference, % of the reference's range) carry 90 %
    intervals, those of the two one-sided 5 % tests. `verdict`: "parallel", "not_parallel" or "design_cannot_decide".
    """

    f: float | None
    df1: int
    df2: int
    p: float | None
    equivalent: bool
    verdict: str
    hill_ratio: Estimate
    top_difference_pct: Estimate
    bottom_difference_pct: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One curve against the reference. Ratios are EC50 of the reference / EC50 of the curve: above 1 the curve is more potent.

    `relative_potency` is None where the curves are not shown to be parallel; `reason` says why, and `efficacy` then says how they
    differ.
    """

    curve: str
    reference: str
    run: str | None
    ec50_ratio: Estimate
    parallel: Parallelism
    relative_potency: Estimate | None
    se_ln_ratio: float
    efficacy: Efficacy
    reason: str


def compare_curves(
    table: pl.DataFrame, *, reference: str, weights: Weights = "model", confidence: float = 0.95, margins: Margins | None = None,
    sort: bool = False, source: str = "table",
) -> tuple[Comparison, ...]:  # fmt: skip
    """Compare every curve of a tidy table with one of them, within each run where runs are given.

    Parameters
    ----------
    table : DataFrame
        As for `fit_curves`; concentrations in nM.
    reference : str
        Name of the reference curve.
    margins : Margins, optional
        Equivalence margins; 0.8 to 1.25 and 10 % without.

    Returns
    -------
    tuple of Comparison
        In the order of the table.

    Raises
    ------
    InputError
        If the table is not usable or holds no such reference.
    """
    settings = FitSettings(weights=weights, confidence=confidence)
    points = points_from_table(table, source=source, sort=sort)
    names = points.keys["curve"].to_list()
    if reference not in names:
        listed = ", ".join(dict.fromkeys(names[:12]))
        raise InputError(
            Fault(place=source, found=f'no curve "{reference}"', expected=f"one of {listed}", cure="Name a curve of the table.")
        )
    fits = fit_points(points, settings)
    runs = points.keys["run"].to_list() if points.has_runs else [None] * len(names)
    references = {run: i for i, (name, run) in enumerate(zip(names, runs, strict=True)) if name == reference}
    return tuple(
        compare_pair(points, fits, references[run], i, margins or Margins(), run=run)
        for i, (name, run) in enumerate(zip(names, runs, strict=True))
        if name != reference and run in references
    )


def compare_pair(
    points: CurvePoints, fits: CurveFits, reference: int, test: int, margins: Margins, *, run: str | None = None
) -> Comparison:
    """Compare curve `test` with curve `reference` of one set of fits."""
    names = points.keys["curve"]
    bad = [str(names[i]) for i in (reference, test) if str(fits.verdict[i]) == "bad"]
    if bad:
        return _not_compared(str(names[test]), str(names[reference]), run, f"{' and '.join(bad)} could not be fitted")
    pair = weighted_means(points, fits, reference), weighted_means(points, fits, test)
    common = fit_shared(pair, fits.theta[[reference, test]], shared=("a0", "a1", "ln_hill"))
    parallel = _parallelism(fits, reference, test, pair, common, margins)
    ratio = ec50_ratio(fits, reference, test)
    usable = all(str(fits.verdict[i]) in WITH_EC50 for i in (reference, test))
    potency = None
    if parallel.verdict == "parallel" and usable:
        ln_ratio, se = common.ln_ratio(0, 1)
        half = float(stdtrit(common.degrees, 0.5 + fits.settings.confidence / 2)) * se
        potency = Estimate(
            estimate=float(np.exp(ln_ratio)),
            low=float(np.exp(ln_ratio - half)),
            high=float(np.exp(ln_ratio + half)),
        )
    return Comparison(
        curve=str(names[test]), reference=str(names[reference]), run=run, ec50_ratio=ratio, parallel=parallel,
        relative_potency=potency, se_ln_ratio=float(np.hypot(fits.se_ln_ec50[reference], fits.se_ln_ec50[test])),
        efficacy=compare_efficacy(fits, reference, test), reason=_reason(parallel, fits, reference, test),
    )  # fmt: skip


def ec50_ratio(fits: CurveFits, reference: int, test: int) -> Estimate:
    """EC50 of the reference / EC50 of the test from their free fits; interval by MOVER from the two profile intervals."""
    verdicts = str(fits.verdict[reference]), str(fits.verdict[test])
    if any(v not in (*WITH_EC50, "not_sigmoid") for v in verdicts):
        return Estimate(estimate=None, low=None, high=None)
    m1, m2 = float(fits.theta[reference, 2]), float(fits.theta[test, 2])
    low = m1 - m2 - float(np.hypot(m1 - fits.ln_low[reference], fits.ln_high[test] - m2))
    high = m1 - m2 + float(np.hypot(fits.ln_high[reference] - m1, m2 - fits.ln_low[test]))
    return Estimate(
        estimate=float(np.exp(m1 - m2)), low=float(np.exp(low)) if np.isfinite(low) else None,
        high=float(np.exp(high)) if np.isfinite(high) else None,
    )  # fmt: skip


def _parallelism(
    fits: CurveFits, reference: int, test: int, pair: tuple[WeightedMeans, WeightedMeans], common: SharedFit, margins: Margins
) -> Parallelism:
    free_rss = float(fits.rss[reference] + fits.rss[test])
    df2 = pair[0].n_points + pair[1].n_points - 8
    f = max(common.rss - free_rss, 0.0) / 3.0 / (free_rss / df2) if df2 > 0 and free_rss > 0 else None
    p = float(fdtrc(3, df2, f)) if f is not None else None
    hill, top, bottom = _differences(fits, reference, test)
    inside = [
        _tested(hill, np.log(margins.hill_low), np.log(margins.hill_high)),
        _tested(top, -margins.plateau_pct, margins.plateau_pct),
        _tested(bottom, -margins.plateau_pct, margins.plateau_pct),
    ]
    equivalent = all(t == "inside" for t in inside)
    if (p is not None and p < F_LEVEL) or "outside" in inside:
        verdict = "not_parallel"
    else:
        verdict = "parallel" if equivalent and p is not None else "design_cannot_decide"
    return Parallelism(
        f=f, df1=3, df2=df2, p=p, equivalent=equivalent, verdict=verdict, hill_ratio=_estimate(hill, log=True),
        top_difference_pct=_estimate(top), bottom_difference_pct=_estimate(bottom),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class _Difference:
    value: float
    se: float
    t: float


def _differences(fits: CurveFits, reference: int, test: int) -> tuple[_Difference, _Difference, _Difference]:
    """ln hill ratio, and top and bottom difference in % of the reference's range, with standard errors and the TOST quantile."""
    degrees = int(fits.degrees[reference] + fits.degrees[test])
    t = float(stdtrit(max(degrees, 1), 1.0 - TOST_LEVEL))
    a, b = fits.theta[reference], fits.theta[test]
    va, vb = fits.covariance[reference], fits.covariance[test]
    span = abs(float(a[1] - a[0]))
    hill = _Difference(value=float(b[3] - a[3]), se=float(np.sqrt(va[3, 3] + vb[3, 3])), t=t)
    rising = a[1] >= a[0]
    top, bottom = (1, 0) if rising else (0, 1)
    plateaus = [
        _Difference(value=100.0 * float(b[k] - a[k]) / span, se=100.0 * float(np.sqrt(va[k, k] + vb[k, k])) / span, t=t)
        for k in (top, bottom)
    ]
    if (b[1] >= b[0]) != rising:
        hill = _Difference(value=float("nan"), se=float("nan"), t=t)
    return hill, plateaus[0], plateaus[1]


def _tested(difference: _Difference, low: float, high: float) -> str:
    """ "inside" (equivalent), "outside" (the whole 90 % interval is), "undecided" otherwise."""
    if not np.isfinite(difference.se) or not np.isfinite(difference.value):
        return "undecided" if np.isfinite(difference.value) else "outside"
    half = difference.t * difference.se
    if difference.value - half > low and difference.value + half < high:
        return "inside"
    return "outside" if difference.value - half > high or difference.value + half < low else "undecided"


def _estimate(difference: _Difference, *, log: bool = False) -> Estimate:
    half = difference.t * difference.se
    ends = [difference.value, difference.value - half, difference.value + half]
    values = [float(np.exp(min(v, 700.0))) if log else float(v) for v in ends]
    return Estimate(estimate=values[0], low=values[1], high=values[2])


def _reason(parallel: Parallelism, fits: CurveFits, reference: int, test: int) -> str:
    lacking = [str(fits.keys["curve"][i]) for i in (reference, test) if str(fits.verdict[i]) not in WITH_EC50]
    if lacking:
        return f"no EC50 of {' and '.join(lacking)}: {fits.verdict[reference]} and {fits.verdict[test]}"
    if parallel.verdict == "parallel":
        return "parallel: the F test finds no difference and equivalence is shown"
    if parallel.verdict == "design_cannot_decide":
        return (
            "design cannot decide: the intervals of slope or plateaus reach beyond the margins; more doses or replicates are needed"
        )
    if parallel.p is not None and parallel.p < F_LEVEL:
        return (
            f"not parallel: common plateaus and slope do not fit (F test, p = {parallel.p:.2g}); compare efficacy as well as EC50"
        )
    return "not parallel: slope or plateaus differ by more than the margins; compare efficacy as well as EC50"


def _not_compared(curve: str, reference: str, run: str | None, reason: str) -> Comparison:
    nothing = Estimate(estimate=None, low=None, high=None)
    parallel = Parallelism(
        f=None, df1=3, df2=0, p=None, equivalent=False, verdict="design_cannot_decide", hill_ratio=nothing, top_difference_pct=nothing,
        bottom_difference_pct=nothing,
    )  # fmt: skip
    return Comparison(
        curve=curve, reference=reference, run=run, ec50_ratio=nothing, parallel=parallel, relative_potency=None, se_ln_ratio=float("nan"),
        efficacy=Efficacy(emax_ratio=nothing, delta_ln_emax_over_ec50=nothing), reason=reason,
    )  # fmt: skip
