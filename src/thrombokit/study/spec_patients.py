"""[patients] of study.toml: virtual patients under regimens, event tables through models, concentrations to analyse."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from thrombokit.study.spec_section import Section
from thrombokit.study.spec_types import PositiveList, RelativePath, Text, TextList

NumberList = Annotated[tuple[float, ...], Field(strict=False)]
"""A list of numbers."""
NamesOrOne = Annotated[
    tuple[Text, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value), Field(strict=False)
]
"""A text, or a list of texts."""
_POSITIVE, _NOT_NEGATIVE, _SHARE = "a number above 0", "a number of 0 or more", "a number from 0 to 1"


class CovariateTable(Section):
    """[[patients.covariates]]: one data column of the model, fixed (`value`), yes or no (`share`), log-normal, or one of `values`."""

    column: Text = Field(description="a data column of the model", examples=["WT"])
    value: float | None = Field(default=None, description="a number", examples=[70])
    share: float | None = Field(default=None, ge=0, le=1, description=_SHARE, examples=[0.5])
    median: float | None = Field(default=None, gt=0, description=_POSITIVE, examples=[70])
    log_sd: float | None = Field(default=None, ge=0, description=_NOT_NEGATIVE, examples=[0.2])
    low: float | None = Field(default=None, ge=0, description=_NOT_NEGATIVE, examples=[40])
    high: float | None = Field(default=None, gt=0, description=_POSITIVE, examples=[130])
    values: NumberList | None = Field(default=None, min_length=1, description="a list of numbers", examples=[[5, 6, 7]])
    shares: NumberList | None = Field(default=None, min_length=1, description="a list of shares", examples=[[0.2, 0.5, 0.3]])


class FluctuationTable(Section):
    """[patients.fluctuation]: the count moves within a patient, apart from the drug."""

    log_sd: float = Field(ge=0, description=_NOT_NEGATIVE, examples=[0.3])
    correlation_time_d: float = Field(ge=0, description=_NOT_NEGATIVE, examples=[14])


class RescueTable(Section):
    """[patients.rescue]: rescue treatment at low counts, with a transient effect; counts within `exclusion_d` are not in range."""

    threshold_1e9_per_L: float = Field(gt=0, description=_POSITIVE, examples=[20])
    hazard_per_d: float = Field(ge=0, description=_NOT_NEGATIVE, examples=[0.02])
    duration_d: float = Field(ge=0, description=_NOT_NEGATIVE, examples=[21])
    steepness: float = Field(default=0.0, ge=0, description=_NOT_NEGATIVE, examples=[1])
    added_1e9_per_L: float = Field(default=0.0, ge=0, description=_NOT_NEGATIVE, examples=[40])
    factor: float = Field(default=1.0, gt=0, description=_POSITIVE, examples=[2])
    onset_d: float = Field(default=0.0, ge=0, description=_NOT_NEGATIVE, examples=[2])
    apart_d: float = Field(default=0.0, ge=0, description=_NOT_NEGATIVE, examples=[7])
    exclusion_d: float = Field(default=28.0, ge=0, description=_NOT_NEGATIVE, examples=[28])


class DropOutTable(Section):
    """[patients.drop_out]: patients leave."""

    hazard_per_d: float = Field(ge=0, description=_NOT_NEGATIVE, examples=[0.001])


class AdherenceTable(Section):
    """[patients.adherence]: doses that are not taken, alone or in runs."""

    missed_share: float = Field(ge=0, lt=1, description="a number of 0 or more and below 1", examples=[0.05])
    run_doses: float | None = Field(default=None, ge=1, description="a number of 1 or more", examples=[3])


class CohortTable(Section):
    """[[patients.cohorts]]: an agonist of the study, or a model, under one or more regimens in the same virtual patients.

    A regimen is "default" (the agonist's own rule), a shipped rule, a titration file of the study, a dose in words, or "placebo".
    With `starts` every titration is run from each of these doses.
    """

    agonist: Text | None = Field(default=None, description="an agonist of the study", examples=["hetrombopag"])
    model: Text | None = Field(default=None, description="a shipped model or a model file", examples=["patients/my_model.toml"])
    regimens: TextList = Field(
        default=("default",), min_length=1, max_length=12, description="a list of 1 to 12 rules, titration files or doses",
        examples=[["hetrombopag-150-250", "5 mg once daily"]],
    )  # fmt: skip
    starts: PositiveList | None = Field(
        default=None, min_length=1, max_length=6, description="a list of 1 to 6 starting doses", examples=[[2.5, 5]]
    )


class EventsTable(Section):
    """[[patients.events]]: a NONMEM data set, or a regimen in words, through a model. With `random` effects and errors are drawn."""

    file: RelativePath = Field(description="an event table or regimen in the study folder", examples=["patients/events.csv"])
    model: Text = Field(description="a shipped model or a model file", examples=["patients/my_model.toml"])
    titration: Text | None = Field(default=None, description="a shipped rule or a titration file", examples=["eltrombopag-us"])
    random: bool = Field(default=False, description="true or false", examples=[True])


class ProfilesTable(Section):
    """[[patients.profiles]]: measured concentrations for a non-compartmental analysis; the columns by their titles."""

    file: RelativePath = Field(description="a table of concentrations in the study folder", examples=["patients/pk.csv"])
    subject: Text = Field(default="ID", description="the title of a column", examples=["ID"])
    time: Text = Field(default="TIME", description="the title of a column", examples=["TIME"])
    concentration: Text = Field(default="DV", description="the title of a column", examples=["DV"])
    amount: Text | None = Field(default=None, description="the title of a column", examples=["AMT"])
    event: Text | None = Field(default=None, description="the title of a column", examples=["EVID"])
    group: Text | None = Field(default=None, description="the title of a column", examples=["TREATMENT"])
    dose: float | None = Field(default=None, gt=0, description=_POSITIVE, examples=[50])
    limit: float = Field(default=0.0, ge=0, description=_NOT_NEGATIVE, examples=[0.05])
    route: Literal["extravascular", "bolus", "infusion"] = Field(
        default="extravascular", description='"extravascular", "bolus" or "infusion"', examples=["extravascular"]
    )
    method: Literal["linear", "linear-up/log-down"] = Field(
        default="linear-up/log-down", description='"linear" or "linear-up/log-down"', examples=["linear-up/log-down"]
    )
    duration: float = Field(default=0.0, ge=0, description=_NOT_NEGATIVE, examples=[1])
    tau: float | None = Field(default=None, gt=0, description=_POSITIVE, examples=[24])
    time_unit: Text = Field(default="time", description="a unit, a text", examples=["h"])
    concentration_unit: Text = Field(default="conc", description="a unit, a text", examples=["ng/mL"])
    dose_unit: Text = Field(default="dose", description="a unit, a text", examples=["mg"])


class PatientsSection(Section):
    """[patients]: simulated patients. The seed is the study's.

    Without `cohorts`, `events` and `profiles` each agonist of the study that has a model of `population` is run under its own rule.
    """

    population: Text = Field(default="itp", description="a population, a text", examples=["itp"])
    patients: int = Field(default=1000, ge=2, le=100_000, description="a whole number from 2 to 100000", examples=[1000])
    weeks: int = Field(default=26, ge=1, le=520, description="a whole number from 1 to 520", examples=[26])
    inclusion: Text = Field(default="usual", description='a condition, "usual" or "all"', examples=["< 30"])
    inclusion_by: Literal["latent", "measured"] = Field(
        default="latent", description='"latent" or "measured"', examples=["measured"]
    )
    target_1e9_per_L: PositiveList = Field(
        default=(50.0, 200.0), min_length=2, max_length=2, description="a list of two counts", examples=[[50, 200]]
    )
    above_1e9_per_L: float = Field(default=400.0, gt=0, description=_POSITIVE, examples=[400])
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0, description="a number above 0.5 and below 1", examples=[0.95])
    parameters: NamesOrOne | None = Field(
        default=None,
        min_length=1,
        description='"calibrated", the name of a frozen set, or a list of such names',
        examples=["calibrated"],
    )
    draws: int | None = Field(default=None, ge=2, le=10_000, description="a whole number from 2 to 10000", examples=[40])
    covariates: tuple[CovariateTable, ...] = Field(default=(), strict=False, description="tables [[patients.covariates]]")
    fluctuation: FluctuationTable | None = Field(default=None, description="a table [patients.fluctuation]")
    rescue: RescueTable | None = Field(default=None, description="a table [patients.rescue]")
    drop_out: DropOutTable | None = Field(default=None, description="a table [patients.drop_out]")
    adherence: AdherenceTable | None = Field(default=None, description="a table [patients.adherence]")
    cohorts: tuple[CohortTable, ...] = Field(default=(), strict=False, description="tables [[patients.cohorts]]")
    events: tuple[EventsTable, ...] = Field(default=(), strict=False, description="tables [[patients.events]]")
    profiles: tuple[ProfilesTable, ...] = Field(default=(), strict=False, description="tables [[patients.profiles]]")
