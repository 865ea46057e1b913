"""The trials stage of a study: every estimand of the counts, the times given, published trials beside, each number in one data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from thrombokit.study.load_trials import TrialsInput
from thrombokit.study.spec_trials import TrialsSection
from thrombokit.trials.analyse import analyse_trial
from thrombokit.trials.analysis_results import AnalysisNumber, AnalysisResults, NumbersOfEstimand
from thrombokit.trials.estimand_rows import estimand_rows
from thrombokit.trials.published import PublishedAnalysis, analyse_published
from thrombokit.trials.published_words import published_numbers, published_sentences, published_source
from thrombokit.trials.stage import TrialsStage
from thrombokit.trials.stage_pictures import time_picture, trial_pictures
from thrombokit.trials.survival import SurvivalResult, analyse_survival
from thrombokit.trials.time_analysis import TimeAnalysis
from thrombokit.trials.trial_result import TrialResult

TIMES = "times given"
PUBLISHED_ARE_REAL = (
    "Counts of published trials are those that the articles print, of real patients; they are no data of this study."
)
ONLY_ARMS = (
    "p values are adjusted over the arms of one estimand, not over estimands; the first estimand leads, the others stand beside it."
)


def run_trials(given: TrialsInput, section: TrialsSection, *, inputs: Mapping[str, str], version: str) -> TrialsStage:
    """Run the trials stage of a study.

    Parameters
    ----------
    given : TrialsInput
    section : TrialsSection
    inputs : dict of str to str
        File of the study -> SHA-256.
    version : str
        Of thrombokit.

    Raises
    ------
    InputError
        If an estimand asks what the data cannot answer, all of them told.
    """
    trial = analyse_trial(given.data, given.plan) if given.data is not None and given.plan is not None else None
    times = analyse_survival(given.times, confidence=section.confidence) if given.times is not None else None
    published = tuple(analyse_published(one, confidence=section.confidence) for one in given.published)
    stage = TrialsStage(
        title=trial.plan.title if trial is not None else "", arms=_arms(trial, times), reference=trial.plan.reference if trial is not None else None,
        confidence=section.confidence, include_subjects=section.include_subjects,
        answer=_answer(trial, times, given.times_file, published), caveats=_caveats(trial, given, published),
        document=trial.to_dict() if trial is not None else {}, pictures=_pictures(trial, times, section),
        sources=tuple(published_source(one.trial) for one in published),
        results=_results(trial, times, published, {given.times_file: inputs.get(given.times_file, "")}, version),
        curves=_curves(trial, times, given.times_file), medians=times.table() if times is not None else pl.DataFrame(),
        published=_published(published),
    )  # fmt: skip
    return stage if trial is None else replace(
        stage, estimands=estimand_rows(trial.analyses), by_visit=_frame([row.to_dict() for row in trial.by_visit]),
        flow=_flow(trial), subgroups=_subgroups(trial),
    )  # fmt: skip


def _arms(trial: TrialResult | None, times: SurvivalResult | None) -> tuple[str, ...]:
    if trial is not None:
        return trial.data.arms
    return times.data.arms if times is not None else ()


def _answer(
    trial: TrialResult | None, times: SurvivalResult | None, file: str, published: tuple[PublishedAnalysis, ...]
) -> tuple[str, ...]:
    said = trial.summary().splitlines() if trial is not None else []
    said += [f"{file}: {times.summary()}"] if times is not None else []
    return (*said, *(sentence for one in published for sentence in published_sentences(one)))


def _caveats(trial: TrialResult | None, given: TrialsInput, published: tuple[PublishedAnalysis, ...]) -> tuple[str, ...]:
    said: list[str] = [*given.notes]
    if trial is not None:
        lines = [word for one in trial.plan.estimands for word in one.tier.values()]
        assumed = [word for word in lines if word.startswith("assumed")]
        if lines:
            said.append(
                f"Of {len(lines)} rules of the estimands whose origin is told, {len(assumed)} are assumed and not read in a protocol."
            )
        said.append(ONLY_ARMS)
        if trial.visits.n_outside:
            said.append(f"{trial.visits.n_outside} counts after the first dose lie in no window of a planned visit.")
    said += [PUBLISHED_ARE_REAL] if published else []
    return (*said, *(f"{one.trial.title}: {one.trial.note}" for one in published if one.trial.note))


def _pictures(trial: TrialResult | None, times: SurvivalResult | None, section: TrialsSection) -> tuple[Any, ...]:
    drawn = trial_pictures(trial, include_subjects=section.include_subjects) if trial is not None else ()
    return drawn if times is None else (*drawn, time_picture("adtte", "Times given", times))


def _results(
    trial: TrialResult | None, times: SurvivalResult | None, published: tuple[PublishedAnalysis, ...], times_input: Mapping[str, str], version: str
) -> pl.DataFrame:  # fmt: skip
    """One table of all numbers; each part keeps its own inputs."""
    parts = [trial.results()] if trial is not None else []
    if times is not None:
        parts.append(AnalysisResults(groups=(_times_numbers(times),), inputs=times_input, version=version))
    if published:
        parts.append(
            AnalysisResults(
                groups=tuple(group for one in published for group in published_numbers(one)), inputs={}, version=version
            )
        )
    return pl.concat([part.frame() for part in parts])


def _times_numbers(times: SurvivalResult) -> NumbersOfEstimand:
    sizes = {arm.name: arm.n for arm in times.arms}
    numbers = tuple(
        AnalysisNumber(measure=row["measure"], method=row["method"], group=row["group"], value=row["estimate"], low=row["low"], high=row["high"],
                       p=row["p"], n=sizes.get(row["group"]), verdict="not reached" if row["measure"] == "median" and row["estimate"] is None else "")
        for row in times.to_rows()
    )  # fmt: skip
    options = {"conf_type": times.conf_type, "confidence": times.confidence, "median_rule": times.median_rule}
    return NumbersOfEstimand(estimand=TIMES, numbers=numbers, population="as in the data set", options=options)


def _curves(trial: TrialResult | None, times: SurvivalResult | None, file: str) -> pl.DataFrame:
    """Steps of every curve under the name of its estimand."""
    named = (
        [(one.estimand.name, one.survival) for one in trial.analyses if isinstance(one, TimeAnalysis)] if trial is not None else []
    )
    named += [(file, times)]
    tables = [
        pl.concat([one.steps().rename({"survival": "value"}).select(pl.lit("survival").alias("curve"), pl.all()),
                   one.incidence_steps().rename({"incidence": "value"}).select(
                       pl.concat_str(pl.lit("incidence of "), "cause").alias("curve"), pl.exclude("cause")
                   )], how="diagonal").select(pl.lit(name).alias("estimand"), pl.all())
        for name, one in named
        if one is not None
    ]  # fmt: skip
    return pl.concat(tables) if tables else pl.DataFrame()


def _flow(trial: TrialResult) -> pl.DataFrame:
    """Subjects by arm, reasons of drop-out in words."""
    rows = [arm.to_dict() for arm in trial.flow]
    return _frame(
        [
            {**row, "dropped_out_by_reason": "; ".join(f"{reason} {n}" for reason, n in row["dropped_out_by_reason"].items())}
            for row in rows
        ]
    )


def _subgroups(trial: TrialResult) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for one in trial.subgroups:
        (responders, against_responders), (n, against_n) = one.responders, one.sizes
        kept = {key: value for key, value in one.to_dict().items() if key not in ("responders", "sizes")}
        rows.append(
            {**kept, "responders_arm": responders, "n_arm": n, "responders_reference": against_responders, "n_reference": against_n}
        )
    return _frame(rows)


def _published(published: tuple[PublishedAnalysis, ...]) -> pl.DataFrame:
    tables = [one.table().select(pl.lit(one.trial.name).alias("trial"), pl.all()) for one in published]
    return pl.concat(tables, how="vertical_relaxed") if tables else pl.DataFrame()


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)
