"""A trial's result in plain sentences: each estimand's rules are said before its figures."""

from __future__ import annotations

from thrombokit.drawing.numerals import three_digits
from thrombokit.trials.analysed_trial import AnalysedTrial, Analysis
from thrombokit.trials.count_change import ChangeAnalysis
from thrombokit.trials.platelet_days import DaysAnalysis
from thrombokit.trials.response_analysis import ResponseAnalysis
from thrombokit.trials.time_analysis import TimeAnalysis


def summary_of(result: AnalysedTrial) -> str:
    """A line on the subjects, one on what was left out, then one an estimand."""
    arms = ", ".join(f"{a.arm} {a.enrolled} ({a.rescued} rescued, {sum(a.dropped_out.values())} dropped out)" for a in result.flow)
    lines = [f"{len(result.data.subjects)} subjects: {arms}."]
    lines += [f"Left out: {'; '.join(f'{one.n} {one.reason}' for one in result.data.left_out)}."] if result.data.left_out else []
    return "\n".join([*lines, *result.data.notes, *(_estimand_words(one) for one in result.analyses)])


def _estimand_words(one: Analysis) -> str:
    estimand = one.estimand
    role = f" ({estimand.role})" if estimand.role else ""
    rules = [f"rescue {estimand.rescue.rule.value.replace('_', ' ')}"]
    rules += [f"missing {estimand.missing.value.replace('_', ' ')}"] if isinstance(one, ResponseAnalysis | DaysAnalysis) else []
    rules += [f"within {', '.join(estimand.strata)}"] if estimand.strata else []
    said = _figures(one)
    return f"{estimand.name}{role}, {', '.join(rules)}: {said}"


def _figures(one: Analysis) -> str:
    if isinstance(one, ResponseAnalysis):
        return _response_words(one)
    if isinstance(one, TimeAnalysis):
        return _time_words(one)
    if isinstance(one, DaysAnalysis):
        return _days_words(one)
    return _change_words(one)


def _response_words(one: ResponseAnalysis) -> str:
    shares = [f"{a.arm} {a.responders}/{a.n} ({'–' if a.share is None else f'{100 * a.share:.1f} %'})" for a in one.arms]
    said = [", ".join(shares) + "."]
    for c in one.contrasts:
        low, high = 100 * c.difference_interval.low, 100 * c.difference_interval.high
        said.append(f"{c.arm} minus {c.reference} {100 * c.difference:.1f} points ({low:.1f} to {high:.1f}), p = {three_digits(c.p)}"
                    f"{_adjusted(c.p_adjusted, c.adjusted_by)}.")  # fmt: skip
    said += [
        f"{grid.arm}: with {grid.missing[0]} and {grid.missing[1]} missing outcomes, better in "
        f"{100 * float(grid.better.mean()):.0f} % of allocations "
             f"({grid.verdict})." for grid in one.tipping]  # fmt: skip
    return " ".join([*said, *one.notes])


def _time_words(one: TimeAnalysis) -> str:
    if one.survival is None:
        return "nobody is at risk."
    parts: list[str] = []
    for m in one.medians:
        medians = "nobody had it" if m.median_d is None else f"median {three_digits(m.median_d)} d among the {m.n} who had it"
        parts.append(f"{m.arm}: {medians}")
    tests = [
        f"{c.arm} against {c.reference}, {c.test} p = {three_digits(c.p)}{_adjusted(c.p_adjusted, c.adjusted_by)}"
        for c in one.contrasts
    ]
    return f"{'; '.join([*parts, *tests])}."


def _days_words(one: DaysAnalysis) -> str:
    parts = [f"{a.arm} {three_digits(a.mean_d)} d ({three_digits(a.low_d)} to {three_digits(a.high_d)})" for a in one.arms]
    tests = [f"{c.arm} minus {c.reference} {three_digits(c.difference_d)} d "
             f"({three_digits(c.low_d)} to {three_digits(c.high_d)}), p = {three_digits(c.p)}"
             f"{_adjusted(c.p_adjusted, c.adjusted_by)}" for c in one.contrasts]  # fmt: skip
    return f"mean days in range {'; '.join([*parts, *tests])}."


def _change_words(one: ChangeAnalysis) -> str:
    told = one.to_dict()
    if one.fit is None:
        return f"{one.verdict}."
    last = one.fit.rows.visits[-1]
    parts = [f"{c['arm']} over {c['reference']} {three_digits(c['ratio'])} ({three_digits(c['low'])} to {three_digits(c['high'])}), p = "
             f"{three_digits(c['p'])}" for c in told["contrasts"] if c["visit"] == last]  # fmt: skip
    return f"ratio of the ratios to baseline at {last}: {'; '.join(parts)}; fit {one.verdict}."


def _adjusted(p: float | None, by: str) -> str:
    return "" if by == "none" else f" ({by.replace('_', ' ')} {three_digits(p)})"
