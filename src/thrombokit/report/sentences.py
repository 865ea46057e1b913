"""The answer in sentences: what a reader would say after looking at the tables, no more and no less.

Numbers carry three significant digits and a unit; intervals are written "a to b". Fewer than three runs are told one by one,
without a pooled interval; a missing EC50 is told with its reason.
"""

from __future__ import annotations

from thrombokit.domain.potency import Assay, Potency
from thrombokit.drawing.numerals import three_digits
from thrombokit.plate.result import PlateQuality, PotencyRatio
from thrombokit.report.cells import cells_sentences
from thrombokit.report.patients import patients_sentences
from thrombokit.report.signalling import signalling_sentences
from thrombokit.report.trials import trials_sentences
from thrombokit.study.result import PublishedComparison, StudyResult

RUNS_FOR_AN_INTERVAL = 3
MOST_TOLD_SINGLY = 8
"""With more agonists in one assay the answer counts them; the table lists them."""


def answer_sentences(result: StudyResult) -> list[str]:
    """The whole answer, one entry a sentence or two: potencies assay by assay, each with its ratio, then what limits them."""
    cells = cells_sentences(result.cells) if result.cells is not None else []
    signalling = signalling_sentences(result.signalling) if result.signalling is not None else []
    trials = trials_sentences(result.trials) if result.trials is not None else []
    patients = patients_sentences(result.patients) if result.patients is not None else []
    return [*potency_sentences(result), *caveat_sentences(result), *cells, *signalling, *patients, *trials]


def potency_sentences(result: StudyResult) -> list[str]:
    """Potencies and ratios in words; agonists without an EC50 for the same reason share a sentence."""
    plate = result.plate
    if plate is None:
        others = (result.cells, result.signalling, result.patients, result.trials)
        return [] if any(one is not None for one in others) else ["No plates were analysed in this study."]
    sentences: list[str] = []
    if not any(_has_value(potency) for potency in plate.potencies):
        sentences.append("No EC50 could be estimated in this study; the table of fits says why for each curve.")
    for assay in dict.fromkeys(potency.assay for potency in plate.potencies):
        here = [potency for potency in plate.potencies if potency.assay == assay]
        if len(here) > MOST_TOLD_SINGLY:
            sentences += _screen_sentences(here)
            continue
        for potency in here:
            if _has_value(potency):
                ratio = next((r for r in plate.ratios if r.agonist == potency.agonist and r.assay == assay), None)
                said = [potency_sentence(potency, confidence=plate.confidence)]
                said += [ratio_sentence(ratio, confidence=plate.confidence)] if ratio is not None else []
                sentences.append(" ".join(said))
        sentences += _no_ec50_sentences([potency for potency in here if not _has_value(potency)])
    return sentences


def _screen_sentences(potencies: list[Potency]) -> list[str]:
    """Many agonists in one assay: how many have an EC50, over which range, and why the others have none."""
    where = _where(potencies[0].assay)
    known = sorted((p for p in potencies if p.ec50_nM.estimate is not None), key=lambda p: p.ec50_nM.estimate or 0.0)
    if not known:
        said = f"{where} none of {len(potencies)} agonists has an EC50"
    else:
        ends = " to ".join(f"{three_digits(p.ec50_nM.estimate)} nM ({p.agonist})" for p in (known[0], known[-1]))
        runs = {p.n_runs for p in known}
        each = f", each from {_count(runs.pop(), 'run')}" if len(runs) == 1 else ""
        said = f"{where} {len(known)} of {len(potencies)} agonists have an EC50, from {ends}{each}"
    bounded = [p for p in potencies if p.ec50_nM.estimate is None and (p.ec50_nM.low is not None or p.ec50_nM.high is not None)]
    others = [p for p in potencies if p not in known and p not in bounded]
    parts = [f"{len(bounded)} a bound alone"] if bounded else []
    for reason in dict.fromkeys(_why_none(p) for p in others):
        parts.append(f"{sum(_why_none(p) == reason for p in others)} none ({reason})")
    return [f"{said}; {', '.join(parts)}." if parts else f"{said}."]


def caveat_sentences(result: StudyResult) -> list[str]:
    """What a reader must know before using the potencies: no comparator, failed plates, missing exports."""
    plate, missing = result.plate, result.missing
    sentences: list[str] = []
    if plate is not None:
        if plate.potencies and plate.comparator is None:
            sentences.append("No comparator is named in this study, so EC50s are not compared with one another.")
        sentences += quality_sentences(plate.quality)
    if missing:
        exports = _count(len(missing), "export")
        sentences.append(
            f"{exports} named in the manifest {'is' if len(missing) == 1 else 'are'} missing: {', '.join(name.split(' (')[0] for name in missing)}."
        )
    return sentences


def potency_sentence(potency: Potency, *, confidence: float) -> str:
    """What is known of one agonist's EC50 in one assay."""
    ec50, own = potency.ec50_nM, f"{_where(potency.assay)} {_possessive(potency.agonist)} EC50"
    if ec50.estimate is not None and ec50.low is not None and ec50.high is not None and potency.n_runs >= RUNS_FOR_AN_INTERVAL:
        between = f"{three_digits(ec50.low)} to {three_digits(ec50.high)} nM, {potency.n_runs} runs"
        return f"{own} is {three_digits(ec50.estimate)} nM ({_percent(confidence)} interval {between}).{_open_runs(potency)}"
    if potency.run_ec50_nM or ec50.estimate is not None:
        return _few_runs_sentence(potency, confidence=confidence)
    if ec50.low is not None:
        return f"{own} lies above {three_digits(ec50.low)} nM: the curve does not turn within the doses tested."
    if ec50.high is not None:
        return f"{own} lies below {three_digits(ec50.high)} nM: the curve has already turned at the lowest dose tested."
    return f"{_where(potency.assay)} {potency.agonist} has no EC50: {_why_none(potency)}."


def ratio_sentence(ratio: PotencyRatio, *, confidence: float) -> str:
    """How potent an agonist is beside the comparator, in the same assay and formed within each run."""
    value, other = ratio.ratio, ratio.comparator
    if value.estimate is None or value.low is None or value.high is None:
        if not ratio.run_ratios:
            return f"It cannot be compared with {other}: {ratio.reason or 'no run holds both EC50s'}."
        listed = _listed([three_digits(one) for one in ratio.run_ratios])
        reason = ratio.reason or f"fewer than {RUNS_FOR_AN_INTERVAL} runs"
        runs = _count(len(ratio.run_ratios), "run")
        return f"EC50 of {other} divided by its own: {listed} in {runs}; no combined interval ({reason})."
    interval = f"{_percent(confidence)} interval {{}} to {{}}, {ratio.n_runs} runs"
    if value.low <= 1 <= value.high:
        spread = interval.format(three_digits(value.low), three_digits(value.high))
        said = f"Its EC50 is not told apart from that of {other}: ratio {three_digits(value.estimate)} ({spread})"
    elif value.estimate > 1:
        spread = interval.format(three_digits(value.low), three_digits(value.high))
        said = f"That is {three_digits(value.estimate)}-fold below the EC50 of {other} ({spread})"
    else:
        spread = interval.format(three_digits(1 / value.high), three_digits(1 / value.low))
        said = f"That is {three_digits(1 / value.estimate)}-fold above the EC50 of {other} ({spread})"
    return f"{said}{_parallel_words(ratio)}."


def _parallel_words(ratio: PotencyRatio) -> str:
    """Whether the ratio may be read as relative potency, and if not, why."""
    emax = ratio.emax_ratio.estimate if ratio.emax_ratio is not None else None
    if ratio.parallel == "parallel":
        return "; the curves are parallel, so this is its relative potency"
    if ratio.parallel == "not_parallel":
        reaches = f", it reaches {100 * emax:.0f} % of its effect" if emax is not None else ""
        return f"; the curves are not parallel{reaches}, so this is no relative potency"
    if ratio.parallel == "design_cannot_decide":
        return "; whether the curves are parallel this design cannot decide"
    return ""


def quality_sentences(quality: tuple[PlateQuality, ...]) -> list[str]:
    """One sentence that names the failed plates with the reason, one that names those with a warning."""
    failed = [one for one in quality if one.status == "fail"]
    warned = [one.plate for one in quality if one.status == "warn"]
    if not failed and not warned:
        return [f"All {len(quality)} plates passed their quality checks."] if len(quality) > 1 else []
    sentences: list[str] = []
    if failed:
        reasons = "; ".join(f"{one.plate} ({_first_failure(one)})" for one in failed)
        number = len(failed)
        their = "its quality check and is" if number == 1 else "their quality checks and are"
        sentences.append(f"{_count(number, 'plate')} failed {their} left out of the combined values: {reasons}.")
    if warned:
        sentences.append(f"{_count(len(warned), 'plate')} passed with a warning: {', '.join(warned)}.")
    return sentences


def published_sentence(one: PublishedComparison, *, confidence: float) -> str:
    """A published EC50 beside the recovered interval, inside or outside said plainly."""
    head = f"{one.agonist} in {one.cell_system}: published EC50 {three_digits(one.published_ec50_nM)} nM"
    here = one.recovered
    if here is None or (here.estimate is None and here.low is None and here.high is None):
        return f"{head}; this study holds no EC50 to set beside it."
    if here.estimate is None:
        side, bound = ("above", here.low) if here.low is not None else ("below", here.high)
        return f"{head}; here the EC50 lies {side} {three_digits(bound)} nM."
    if here.low is None or here.high is None or one.inside is None:
        return f"{head}; here {three_digits(here.estimate)} nM, without an interval to judge it by."
    verdict = "inside" if one.inside else "outside"
    between = f"{three_digits(here.low)} to {three_digits(here.high)} nM"
    said = f"The published value lies {verdict} the {_percent(confidence)} interval {between}."
    return f"{head}; here {three_digits(here.estimate)} nM. {said}"


_WHY_NONE = {
    "flat": "no response to dose was seen",
    "not_sigmoid": "the response does not follow a sigmoid curve",
    "bad": "no curve could be fitted",
    "plateau_open": "no plateau was reached, so half-way between bottom and top is not known",
    "beyond_range": "the curve does not turn within the doses tested",
}


def run_values(potency: Potency, *, unit: str = "") -> list[str]:
    """EC50 of each run (nM) with its own interval: "0.390 (0.310 to 0.500)", "254 (open at both ends)"; the bare value where none is known.

    `unit` follows the value: " nM" gives "0.390 nM (0.310 to 0.500)".
    """
    if not potency.run_intervals_nM:
        return [f"{three_digits(value)}{unit}" for value in potency.run_ec50_nM]
    both = zip(potency.run_ec50_nM, potency.run_intervals_nM, strict=True)
    return [f"{three_digits(value)}{unit} ({_interval_words(low, high)})" for value, (low, high) in both]


def _interval_words(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "open at both ends"
    return " to ".join("open" if end is None else three_digits(end) for end in (low, high))


def _few_runs_sentence(potency: Potency, *, confidence: float) -> str:
    values = run_values(potency, unit=" nM") or [f"{three_digits(potency.ec50_nM.estimate)} nM"]
    number = len(values)
    own = f", {'each ' if number > 1 else ''}with its own {_percent(confidence)} interval" if potency.run_intervals_nM else ""
    few = f"fewer than {RUNS_FOR_AN_INTERVAL} runs, so no combined interval is given"
    why = few if number < RUNS_FOR_AN_INTERVAL else f"no combined interval ({potency.interval})"
    head = f"{_where(potency.assay)} {_possessive(potency.agonist)} EC50 is {_listed(values)}"
    return f"{head} in {_count(number, 'run')}{own}; {why}."


def _open_runs(potency: Potency) -> str:
    number = sum(low is None or high is None for low, high in potency.run_intervals_nM)
    if not number:
        return ""
    has = "has an own interval that is" if number == 1 else "have own intervals that are"
    return f" {number} of {_count(potency.n_runs, 'run')} {has} open, because a plateau was not reached."


def _no_ec50_sentences(potencies: list[Potency]) -> list[str]:
    sentences: list[str] = []
    for reason in dict.fromkeys(_why_none(potency) for potency in potencies):
        same = [potency for potency in potencies if _why_none(potency) == reason]
        have = "has" if len(same) == 1 else "have"
        sentences.append(f"{_where(same[0].assay)} {_listed([p.agonist for p in same])} {have} no EC50: {reason}.")
    return sentences


def _why_none(potency: Potency) -> str:
    return _WHY_NONE.get(potency.verdict, potency.interval or potency.verdict)


def _has_value(potency: Potency) -> bool:
    ec50 = potency.ec50_nM
    return bool(potency.run_ec50_nM) or any(value is not None for value in (ec50.estimate, ec50.low, ec50.high))


def _where(assay: Assay) -> str:
    detail = ", ".join(
        text for text in (assay.readout, "" if assay.hours is None else f"{assay.hours:g} h", assay.serum or "") if text
    )
    cells = f"In {assay.cell_system} cells" if assay.cell_system else "In this assay"
    return f"{cells} ({detail})" if detail else cells


def _first_failure(quality: PlateQuality) -> str:
    reason = next(
        (check.reason.rstrip(".") for check in quality.checks if check.status == "fail" and check.reason), "no reason recorded"
    )
    return f"{reason}; {quality.suggestion.rstrip('.')}" if quality.suggestion else reason


def _possessive(name: str) -> str:
    return f"{name}’" if name.endswith("s") else f"{name}’s"


def _percent(confidence: float) -> str:
    return f"{100 * confidence:g} %"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
