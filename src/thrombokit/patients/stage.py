"""What a study knows of its patients: cohorts under regimens, runs of event tables, non-compartmental analyses, as plain values and tables.

A cohort under one regimen is an *arm*. Arms of one cohort are the same virtual patients, so they are compared within patients. Tables have a
column `arm`; those with a row a patient or a decision are for files, never for a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import altair as alt
import polars as pl

from thrombokit.drawing.cohort_weeks import cohort_weeks_chart
from thrombokit.errors import Fault, InputError
from thrombokit.patients.cohort_diagnostics import CountRange
from thrombokit.patients.draws_result import SetUsed


@dataclass(frozen=True, kw_only=True)
class PatientsArm:
    """One cohort under one regimen.

    `name` is unique in the study, `regimen` is as the study file has it and `regimen_title` in words. `parameter_tiers` and `rule_tiers` count
    what the model's parameters and the rule's lines rest on. `near_ties` are decisions with a count nearer to a threshold than the engine's
    `stated_error`. `draws_mean`, `draws_most`: draws a patient until the `criterion` was met. `said` is the cohort in sentences. `parameter_sets` are
    frozen sets that it was run under as well, `draws` times in all, and `said_of_draws` what came out.
    """

    name: str
    cohort: str
    regimen: str
    regimen_title: str
    model_file: str
    model_title: str
    model_hash: str
    titrated: bool
    population: str
    criterion: str | None
    patients: int
    weeks: int
    engine: str
    stated_error: float
    amount_unit: str
    draws_mean: float
    draws_most: int
    decisions: int
    changes: int
    near_ties: int
    rescued_patients: int
    dropped_out: int
    parameter_tiers: Mapping[str, int]
    rule_tiers: Mapping[str, int]
    said: tuple[str, ...]
    notes: tuple[str, ...] = ()
    parameter_sets: tuple[SetUsed, ...] = ()
    draws: int = 0
    said_of_draws: str | None = None

    @property
    def tier_words(self) -> str:
        """ "Parameters: 9 published, 10 assumed; rule: 3 read, 6 assumed"."""
        said = [f"parameters: {_counted(self.parameter_tiers)}"] if self.parameter_tiers else []
        said += [f"rule: {_counted(self.rule_tiers)}"] if self.rule_tiers else []
        return "; ".join(said) or "no tiers given"


@dataclass(frozen=True, kw_only=True)
class EventsRun:
    """An event table that was run through a model; `outputs` is (name, lowest, highest) over its records."""

    name: str
    model_file: str
    individuals: int
    records: int
    engine: str
    stated_error: float
    random: bool
    decisions: int | None
    outputs: tuple[tuple[str, float, float], ...]
    said: str


@dataclass(frozen=True, kw_only=True)
class ProfilesRun:
    """A non-compartmental analysis of one table of concentrations."""

    name: str
    profiles: int
    route: str
    method: str
    said: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PatientsStage:
    """Everything [patients] gives.

    Attributes
    ----------
    weeks : DataFrame
        A row an arm and week: percentiles of the measured count (1e9/L), shares in range, below and above with Monte-Carlo intervals, doses.
    measures : DataFrame
        A row a cohort, arm and measure, with the paired difference from the cohort's first arm; only cohorts of two arms or more.
    reasons : DataFrame
        `arm, reason, decisions, patients`: the ledger, counted.
    ledger, near_ties, courses, members : DataFrame
        A row a decision, a decision too near to a threshold, a patient and week, a patient. For files alone.
    event_rows, event_ledger : DataFrame
        `run, record, ID, TIME, output, value`, and the decisions of titrated runs.
    nca_statistics, nca_parameters : DataFrame
        Over subjects, and subject by subject under CDISC's names.
    draws : DataFrame
        `arm` and the columns of `DrawsResult.table`, for arms that were run under frozen parameter sets.
    """

    arms: tuple[PatientsArm, ...]
    seed: int
    counts_in: CountRange
    confidence: float
    weeks: pl.DataFrame
    measures: pl.DataFrame
    reasons: pl.DataFrame
    ledger: pl.DataFrame
    near_ties: pl.DataFrame
    courses: pl.DataFrame
    members: pl.DataFrame
    events: tuple[EventsRun, ...]
    event_rows: pl.DataFrame
    event_ledger: pl.DataFrame
    profiles: tuple[ProfilesRun, ...]
    nca_statistics: pl.DataFrame
    nca_parameters: pl.DataFrame
    draws: pl.DataFrame = field(default_factory=pl.DataFrame)
    notes: tuple[str, ...] = ()

    def arm(self, name: str) -> PatientsArm:
        """One arm.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        known = ", ".join(f'"{arm.name}"' for arm in self.arms) or "none"
        raise InputError(Fault(place="arm", found=f'"{name}"', expected=f"an arm of the study: {known}", cure="Name one of them."))

    def weeks_of(self, name: str) -> pl.DataFrame:
        """The weeks of one arm."""
        return self.weeks.filter(pl.col("arm") == name)

    def table(self) -> pl.DataFrame:
        """The weeks of all arms."""
        return self.weeks

    def summary(self) -> str:
        """What was simulated and found, and what it is not."""
        said = [sentence for arm in self.arms for sentence in arm.said]
        said += [arm.said_of_draws for arm in self.arms if arm.said_of_draws is not None]
        said += [run.said for run in self.events] + [run.said for run in self.profiles]
        return " ".join([*said, *self.notes, "Research use only."])

    def plot(self, name: str | None = None) -> alt.TopLevelMixin:
        """The weeks of one arm in four panels; of the first one unless named.

        Raises
        ------
        InputError
            If there is no such arm, or none at all.
        """
        arm = self.arms[0] if name is None and self.arms else self.arm(name or "")
        caption = f"{arm.regimen_title}; {arm.patients} virtual patients, simulated; {arm.tier_words}"
        return cohort_weeks_chart(
            self.weeks_of(arm.name), low=self.counts_in.low, high=self.counts_in.high, above=self.counts_in.above,
            amount_unit=arm.amount_unit, caption=caption,
        )  # fmt: skip


def _counted(tiers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {tier}" for tier, number in tiers.items() if number)
