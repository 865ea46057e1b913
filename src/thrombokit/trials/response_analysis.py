"""An estimand whose subjects either respond or not: shares by arm, arms against the reference, p adjusted, tipping points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thrombokit.numerics.arrays import BoolArray, FrozenArrays, IntArray, frozen
from thrombokit.numerics.binomial_intervals import clopper_pearson, wilson
from thrombokit.trials.analysis_results import AnalysisNumber
from thrombokit.trials.estimand import Adjustment, Estimand, MissingRule, OddsRatio, Population, ShareTest
from thrombokit.trials.multiplicity import fixed_sequence, holm
from thrombokit.trials.responders import extreme_responders, responders
from thrombokit.trials.several_arms import ArmComparison, ArmsComparison, compare_arms
from thrombokit.trials.tipping_point import TippingGrid, tipping_grid
from thrombokit.trials.trial_data import TrialData, baseline_1e9_per_L, factor_words
from thrombokit.trials.two_by_two import Interval
from thrombokit.trials.visit_states import UNKNOWN, filled, visit_states
from thrombokit.trials.visit_windows import VisitCounts


@dataclass(frozen=True, kw_only=True)
class ArmShare:
    """One arm: `responders` of `n`; `n_unknown` subjects have no outcome (`n_left_out` of them are not in `n`)."""

    arm: str
    responders: int
    n: int
    n_unknown: int
    n_left_out: int
    clopper_pearson: Interval | None
    wilson: Interval | None

    @property
    def share(self) -> float | None:
        """Responders / n, None where nobody can be counted."""
        return self.responders / self.n if self.n else None


@dataclass(frozen=True, kw_only=True)
class ResponseContrast:
    """One arm against the reference by the methods the estimand names; p adjusted over the arms as it says."""

    arm: str
    reference: str
    difference: float
    difference_interval: Interval
    difference_method: str
    odds_ratio: float | None
    odds_ratio_interval: Interval
    odds_ratio_method: str
    test: str
    p: float | None
    p_adjusted: float | None
    adjusted_by: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ResponseAnalysis(FrozenArrays):
    """`outcome` (s,): 1 responded, 0 not, -1 unknown or not in the population; what was counted and compared from it."""

    estimand: Estimand
    outcome: IntArray
    in_population: BoolArray
    arms: tuple[ArmShare, ...]
    contrasts: tuple[ResponseContrast, ...]
    comparison: ArmsComparison | None
    tipping: tuple[TippingGrid, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Keys `arms`, `contrasts`, `tipping`, `notes`."""
        return {"arms": [_share_dict(a) for a in self.arms], "contrasts": [_contrast_dict(c) for c in self.contrasts],
                "tipping": [g.to_dict() for g in self.tipping], "notes": list(self.notes)}  # fmt: skip

    def numbers(self) -> tuple[AnalysisNumber, ...]:
        """Every number: shares, contrasts by every method computed, adjusted p, corners of the tipping grids."""
        out: list[AnalysisNumber] = []
        for arm in self.arms:
            out.append(AnalysisNumber(measure="responders", method="count", group=arm.arm, value=float(arm.responders), n=arm.n))
            for method, interval in (("clopper_pearson", arm.clopper_pearson), ("wilson", arm.wilson)):
                limits = interval.to_list() if interval else (None, None)
                out.append(AnalysisNumber(measure="share", method=method, group=arm.arm, value=arm.share, low=limits[0], high=limits[1], n=arm.n,
                                          verdict="" if arm.n else "nobody with a known outcome"))  # fmt: skip
        for found in self.comparison.comparisons if self.comparison else ():
            out += _all_methods(found)
        for c in self.contrasts:
            out.append(AnalysisNumber(measure=f"p adjusted for {len(self.contrasts)} comparisons", method=f"{c.adjusted_by} of {c.test}", group=c.arm,
                                      against=c.reference, p=c.p_adjusted))  # fmt: skip
        return (*out, *(number for grid in self.tipping for number in _corner_numbers(grid)))


def analyse_response(
    data: TrialData, visits: VisitCounts, estimand: Estimand, *, reference: str | None, order: Sequence[str]
) -> ResponseAnalysis:
    """Counts, shares and comparisons of one estimand.

    Parameters
    ----------
    data : TrialData
    visits : VisitCounts
        Of the same data.
    estimand : Estimand
        Of a response.
    reference : str, optional
        The arm that the others are compared with; None with a single arm.
    order : sequence of str
        The arms in the order a fixed sequence tests them.

    Raises
    ------
    InputError
        A week that is not planned, more last visits than planned, a stratum that nobody has or somebody lacks.
    """
    states = visit_states(data, visits, baseline_1e9_per_L(data), estimand.endpoint, estimand.rescue)
    worst, best = extreme_responders(states, estimand.endpoint, visits)
    unknown = worst != best
    if estimand.missing is MissingRule.TIPPING_POINT:
        outcome = worst
    else:
        outcome = responders(filled(states, estimand.missing), estimand.endpoint, visits)
    inside = population(data, estimand)
    outcome = np.where(inside, outcome, UNKNOWN)
    arms = tuple(_share(name, k, data.arm, outcome, inside, unknown, estimand.confidence) for k, name in enumerate(data.arms))
    notes = [f"Nobody in {a.arm} has a known outcome: the arm is not compared." for a in arms if not a.n]
    words = factor_words(data, estimand.strata) if estimand.strata else [""] * len(data.subjects)
    counts = _counts(data, outcome, words, {a.arm for a in arms if a.n}, order)
    apart = [name for name in counts if reference in counts and not set(counts[name]) & set(counts[reference])]
    notes += [f"{name} and {reference} share no stratum: the arm is not compared." for name in apart]
    counts = {name: strata for name, strata in counts.items() if name not in apart}
    comparison = None
    if reference is not None and reference in counts and len(counts) > 1:
        comparison = compare_arms(counts, reference=reference, confidence=estimand.confidence)
    return ResponseAnalysis(
        estimand=estimand, outcome=frozen(outcome, np.int64), in_population=frozen(inside, np.bool_), arms=arms, comparison=comparison,
        contrasts=_contrasts(comparison, estimand) if comparison else (),
        tipping=_grids(data, worst, unknown & inside, inside, reference, order, estimand), notes=tuple(notes),
    )  # fmt: skip


def population(data: TrialData, estimand: Estimand) -> BoolArray:
    """Who is analysed, shape (s,)."""
    return data.treated if estimand.population is Population.TREATED else np.ones(len(data.subjects), dtype=np.bool_)


def adjusted(p_values: Sequence[float | None], by: Adjustment) -> tuple[float | None, ...]:
    """p values of several arms adjusted; a p that does not exist counts as 1 and stays None."""
    known = [1.0 if p is None else p for p in p_values]
    found = {Adjustment.HOLM: holm, Adjustment.FIXED_SEQUENCE: fixed_sequence, Adjustment.NONE: tuple}[by](known)
    return tuple(None if p is None else q for p, q in zip(p_values, found, strict=True))


def _share(
    name: str, k: int, arm: IntArray, outcome: IntArray, inside: BoolArray, unknown: BoolArray, confidence: float
) -> ArmShare:
    mine = (arm == k) & inside
    n, count = int(np.count_nonzero(mine & (outcome != UNKNOWN))), int(np.count_nonzero(mine & (outcome == 1)))
    limits = (
        [Interval(low=low, high=high) for low, high in (f(count, n, confidence=confidence) for f in (clopper_pearson, wilson))]
        if n
        else [None, None]
    )
    return ArmShare(arm=name, responders=count, n=n, n_unknown=int(np.count_nonzero(mine & unknown)), n_left_out=int(mine.sum()) - n,
                    clopper_pearson=limits[0], wilson=limits[1])  # fmt: skip


def _counts(
    data: TrialData, outcome: IntArray, words: Sequence[str], arms: set[str], order: Sequence[str]
) -> dict[str, dict[str, tuple[int, int]]]:
    counts: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in (*order, *data.arms) if name in arms}
    for one, stratum, state in zip(data.subjects, words, outcome.tolist(), strict=True):
        if state == UNKNOWN or one.arm not in counts:
            continue
        a, n = counts[one.arm].get(stratum, (0, 0))
        counts[one.arm][stratum] = (a + state, n + 1)
    return counts


def _contrasts(comparison: ArmsComparison, estimand: Estimand) -> tuple[ResponseContrast, ...]:
    p_values = [_p(found, estimand.test_used) for found in comparison.comparisons]
    corrected = adjusted(p_values, estimand.adjust)
    return tuple(
        _contrast(found, estimand, p, q) for found, p, q in zip(comparison.comparisons, p_values, corrected, strict=True)
    )  # fmt: skip


def _p(found: ArmComparison, test: ShareTest) -> float | None:
    if found.stratified is not None and test in (ShareTest.CMH, ShareTest.EXACT):
        return found.stratified.exact.p if test is ShareTest.EXACT else found.stratified.tests["cmh"].p
    return found.pooled.p_values[test.value]


def _contrast(found: ArmComparison, estimand: Estimand, p: float | None, p_adjusted: float | None) -> ResponseContrast:
    held = found.stratified
    if held is None:
        difference = found.pooled.risk_difference.estimate or 0.0
        interval = found.pooled.risk_difference.intervals[estimand.difference.value]
        method, ratios = estimand.odds_ratio.value, found.pooled.odds_ratio
        ratio, ratio_interval = ratios.estimates.get(method, ratios.estimate), ratios.intervals[method]
    else:
        difference, interval = held.difference, held.difference_intervals[estimand.difference.value]
        exact = estimand.odds_ratio is OddsRatio.EXACT
        ratio, ratio_interval = (
            (held.exact.estimate, held.exact.interval) if exact else (held.odds_ratio.estimate, held.odds_ratio.interval)
        )
        method = "exact_conditional" if exact else "mantel_haenszel"
    kind = "stratified " if held is not None else ""
    return ResponseContrast(
        arm=found.arm, reference=found.reference, difference=difference, difference_interval=interval,
        difference_method=f"{kind}{estimand.difference.value}", odds_ratio=ratio, odds_ratio_interval=ratio_interval, odds_ratio_method=method,
        test=estimand.test_used.value, p=p, p_adjusted=p_adjusted, adjusted_by=estimand.adjust.value,
    )  # fmt: skip


def _grids(
    data: TrialData,
    worst: IntArray,
    unknown: BoolArray,
    inside: BoolArray,
    reference: str | None,
    order: Sequence[str],
    estimand: Estimand,
) -> tuple[TippingGrid, ...]:
    if estimand.missing is not MissingRule.TIPPING_POINT or reference not in data.arms:
        return ()
    code = data.arm

    def told(name: str) -> tuple[int, int, int]:
        mine = (code == data.arms.index(name)) & inside
        return int(worst[mine & ~unknown].sum()), int(np.count_nonzero(mine & ~unknown)), int(np.count_nonzero(mine & unknown))

    second = told(reference or "")
    grids: list[TippingGrid] = []
    for name in [arm for arm in dict.fromkeys((*order, *data.arms)) if arm != reference and arm in data.arms]:
        first = told(name)
        if first[1] + first[2] and second[1] + second[2]:
            grids.append(tipping_grid(arm=name, reference=reference or "", responders=(first[0], second[0]), sizes=(first[1], second[1]),
                                      missing=(first[2], second[2]), test=estimand.test_used, alpha=1.0 - estimand.confidence))  # fmt: skip
    return tuple(grids)


def _all_methods(found: ArmComparison) -> list[AnalysisNumber]:
    rows: Sequence[Mapping[str, Any]] = [row for row in found.pooled.to_rows() if row["measure"] not in ("first arm", "second arm")]
    held = found.stratified
    numbers = [
        AnalysisNumber(measure=row["measure"], method=row["method"], group=found.arm, against=found.reference, value=row["estimate"], low=row["low"],
                       high=row["high"], p=row["p"], n=found.pooled.table.total)
        for row in rows
    ]  # fmt: skip
    if held is None:
        return numbers
    measures = [("stratified risk difference", name, held.difference, i) for name, i in held.difference_intervals.items()]
    measures += [("common odds ratio", "mantel_haenszel", held.odds_ratio.estimate, held.odds_ratio.interval),
                 ("common odds ratio", "exact_conditional", held.exact.estimate, held.exact.interval),
                 ("common odds ratio", "firth", held.firth.estimate, held.firth.interval),
                 ("common risk ratio", "mantel_haenszel", held.risk_ratio.estimate, held.risk_ratio.interval)]  # fmt: skip
    tests = {**{name: test.p for name, test in held.tests.items()}, "exact_conditional": held.exact.p}
    numbers += [
        AnalysisNumber(measure=measure, method=method, group=found.arm, against=found.reference, value=value, low=i.to_list()[0], high=i.to_list()[1])
        for measure, method, value, i in measures
    ]  # fmt: skip
    return numbers + [
        AnalysisNumber(measure="no difference within strata", method=name, group=found.arm, against=found.reference, p=p,
                       verdict="" if p is not None else "not computable")
        for name, p in tests.items()
    ]  # fmt: skip


def _corner_numbers(grid: TippingGrid) -> list[AnalysisNumber]:
    told = grid.to_dict()
    numbers = [
        AnalysisNumber(measure=f"risk difference, {corner['name']}", method=f"tipping point, {grid.test.value}", group=grid.arm,
                       against=grid.reference,
                       value=corner["difference"], low=corner["low"], high=corner["high"], p=corner["p"])
        for corner in told["corners"]
    ]  # fmt: skip
    share = AnalysisNumber(measure="share of allocations in which the arm is better", method=f"tipping point, {grid.test.value}", group=grid.arm,
                           against=grid.reference, value=told["share_of_allocations_better"], verdict=grid.verdict)  # fmt: skip
    return [*numbers, share]


def _share_dict(arm: ArmShare) -> dict[str, Any]:
    return {
        "name": arm.arm, "responders": arm.responders, "n": arm.n, "n_unknown": arm.n_unknown, "n_left_out": arm.n_left_out, "estimate": arm.share,
        "clopper_pearson": arm.clopper_pearson.to_list() if arm.clopper_pearson else None, "wilson": arm.wilson.to_list() if arm.wilson else None,
    }  # fmt: skip


def _contrast_dict(c: ResponseContrast) -> dict[str, Any]:
    return {
        "arm": c.arm, "reference": c.reference,
        "risk_difference": {"estimate": c.difference, "interval": c.difference_interval.to_list(), "method": c.difference_method},
        "odds_ratio": {"estimate": c.odds_ratio, "interval": c.odds_ratio_interval.to_list(), "method": c.odds_ratio_method},
        "test": c.test, "p": c.p, "p_adjusted": c.p_adjusted, "adjusted_by": c.adjusted_by,
    }  # fmt: skip
