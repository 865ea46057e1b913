"""A trial analysed: the flow of subjects, response by visit, every estimand, and every number of them in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from thrombokit.trials.analysed_trial import AnalysedTrial
from thrombokit.trials.analysis_results import AnalysisNumber, AnalysisResults, NumbersOfEstimand
from thrombokit.trials.trial_pictures import (
    flow_picture,
    forest_picture,
    response_picture,
    spaghetti_picture,
    swimmer_picture,
    waterfall_picture,
)  # fmt: skip
from thrombokit.trials.trial_words import summary_of
from thrombokit.trials.visit_windows import VisitCounts

SCHEMA = "thrombokit.trial/1"


@dataclass(frozen=True, kw_only=True)
class TrialResult(AnalysedTrial):
    """An analysed trial with its tables, its words and its pictures."""

    def results(self) -> AnalysisResults:
        """Every number with its method, options, population, inputs and version."""
        whole = [n for arm in self.flow for n in arm.numbers()] + [n for row in self.by_visit for n in row.numbers()]
        lead = self.leading
        groups = [NumbersOfEstimand(estimand="trial", numbers=tuple(whole), population="enrolled",
                                    options={} if lead is None else {"by visit": lead.estimand.options(),
                                                                     "visits": visits_dict(self.visits)})]  # fmt: skip
        for one in self.analyses:
            extra: tuple[AnalysisNumber, ...] = tuple(s.number() for s in self.subgroups) if one is lead else ()
            options = {**one.estimand.options(), "visits": visits_dict(self.visits)}
            groups.append(NumbersOfEstimand(estimand=one.estimand.name, role=one.estimand.role, numbers=(*one.numbers(), *extra),
                                            population=one.estimand.population.value, options=options))  # fmt: skip
        return AnalysisResults(groups=tuple(groups), inputs=self.data.inputs, version=self.version)

    def to_dict(self) -> dict[str, Any]:
        """What `thrombokit trials analyse --json` prints: figures of arms, never of a subject."""
        return {
            "schema": SCHEMA, "title": self.plan.title, "version": self.version, "inputs": dict(self.data.inputs), "arms": list(self.data.arms),
            "reference": self.plan.reference, "n_subjects": len(self.data.subjects), "n_counts": int(self.data.day.size),
            "left_out": [one.to_dict() for one in self.data.left_out], "notes": list(self.data.notes),
            "visits": {**visits_dict(self.visits), "n_ties": self.visits.n_ties, "n_unscheduled_used": self.visits.n_unscheduled,
                       "n_outside_windows": self.visits.n_outside},
            "flow": [arm.to_dict() for arm in self.flow],
            "response_by_visit": [row.to_dict() for row in self.by_visit],
            "estimands": [
                {"name": one.estimand.name, "role": one.estimand.role, "options": one.estimand.options(), "tier": dict(one.estimand.tier),
                 **one.to_dict()}
                for one in self.analyses
            ],
            "subgroups": [one.to_dict() for one in self.subgroups],
        }  # fmt: skip

    def table(self) -> pl.DataFrame:
        """The analysis-results data set: one row a number."""
        return self.results().frame()

    def summary(self) -> str:
        """A few plain sentences an estimand."""
        return summary_of(self)

    def plot(self) -> alt.LayerChart:
        """Response by visit."""
        return self.plot_response()

    def plot_response(self) -> alt.LayerChart:
        """Share responding at each visit, by arm, with intervals."""
        return response_picture(self)

    def plot_flow(self) -> alt.LayerChart:
        """What became of the subjects."""
        return flow_picture(self)

    def plot_forest(self) -> alt.FacetChart:
        """Differences of shares in all subjects and in subgroups."""
        return forest_picture(self)

    def plot_spaghetti(self, *, include_subjects: bool = False) -> alt.FacetChart:
        """Median and quartiles of counts by visit; every subject's line only with `include_subjects`."""
        return spaghetti_picture(self, include_subjects=include_subjects)

    def plot_waterfall(self, *, include_subjects: bool = False) -> alt.FacetChart:
        """The largest change from baseline of each subject, in order. It is subject-level data: only with `include_subjects`."""
        return waterfall_picture(self, include_subjects=include_subjects)

    def plot_swimmer(self, *, include_subjects: bool = False) -> alt.FacetChart:
        """Each subject's time on study with responses, rescue and end. It is subject-level data: only with `include_subjects`."""
        return swimmer_picture(self, include_subjects=include_subjects)


def visits_dict(visits: VisitCounts) -> dict[str, Any]:
    """The plan of visits as plain values."""
    plan = visits.plan
    return {
        "weeks": list(plan.weeks),
        "before_d": plan.before_d,
        "after_d": plan.after_d,
        "unscheduled": plan.unscheduled.value,
        "tie": plan.tie.value,
    }
