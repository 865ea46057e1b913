"""A time-to-event analysis in a few plain sentences: the median rule, the event coding and what was left out are always said."""

from __future__ import annotations

from collections import Counter

from thrombokit.drawing.numerals import three_digits
from thrombokit.trials.kaplan_meier import MEDIAN_RULES
from thrombokit.trials.survival_estimates import ArmSurvival, SurvivalEstimates


def summary_of(result: SurvivalEstimates) -> str:
    """Sentences in the order a reader asks: medians, test, hazard ratios, incidence, rules, rows left out."""
    said = [_median_words(arm, result.confidence) for arm in result.arms]
    if result.logrank is not None:
        said.append(_test_words(f"{result.logrank.name} test", result.logrank.statistic, result.logrank.p, result.logrank.verdict))
    if result.cox is not None:
        said += [
            f"Hazard ratio of {one.arm} over {one.reference}: {three_digits(one.ratio.estimate)} "
            f"({three_digits(one.ratio.low)} to {three_digits(one.ratio.high)}), {result.cox.ties} ties."
            for one in result.cox.ratios
            if one.ratio.estimate is not None
        ]
        if result.cox.message:
            said.append(result.cox.message)
    for one in result.incidences:
        last = one.to_dict()
        said.append(f"{one.arm}: {100 * last['estimate']:.1f} % had {one.cause} by {last['time']:g}.")
    said += [_test_words(f"Gray's test of {test.cause}", test.statistic, test.p, test.verdict) for test in result.gray]
    return " ".join([*said, *_rules(result)])


def dropped_words(result: SurvivalEstimates) -> str:
    """How many rows were left out, by reason; "" where none was."""
    dropped = result.data.dropped
    said = [_counted([row.reason for row in dropped if not row.tests_only], "left out"),
            _counted([row.reason for row in dropped if row.tests_only], "left out of the stratified tests")]  # fmt: skip
    return " ".join(text for text in said if text)


def _counted(reasons: list[str], fate: str) -> str:
    told = ", ".join(f"{reason} {count}" for reason, count in Counter(reasons).items())
    return f"{len(reasons)} row{'s' if len(reasons) != 1 else ''} {fate} ({told})." if reasons else ""


def _rules(result: SurvivalEstimates) -> list[str]:
    coding = result.data.coding
    rules = [
        f"Median rule {result.median_rule}: {MEDIAN_RULES[result.median_rule]}. Bands: {result.conf_type}.",
        f"Events are the rows with {coding.event} ({coding.rule}).",
    ]
    if len(result.data.causes) > 1:
        rules.append(
            f"In the curves, medians and the {result.logrank.name if result.logrank else 'log-rank'} test, what competes "
            f"({', '.join(result.data.causes[1:])}) counts as censored."
        )
    if result.data.n_merged_times:
        rules.append(f"Joined to a neighbour that differs by rounding alone: {result.data.n_merged_times} of the distinct times.")
    dropped = dropped_words(result)
    return [*rules, dropped] if dropped else rules


def _median_words(arm: ArmSurvival, confidence: float) -> str:
    median = arm.median
    low, high = (three_digits(value) if value is not None else "not reached" for value in (median.low, median.high))
    place = f"median {three_digits(median.median)}" if median.median is not None else "median not reached"
    return f"{arm.name}: {arm.n_events} events in {arm.n} subjects, {place} ({100 * confidence:g} % {low} to {high})."


def _test_words(name: str, statistic: float | None, p: float | None, verdict: str) -> str:
    name = name[0].upper() + name[1:]
    if statistic is None or p is None:
        why = {
            "no_events": "no subject had the event",
            "not_comparable": "the arms were never at risk together where the test looks",
        }
        return f"{name}: no answer, {why.get(verdict, verdict)}."
    return f"{name}: chi-square {three_digits(statistic)}, p = {p:.3g}."
