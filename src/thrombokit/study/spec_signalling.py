"""[signalling] of study.toml: what the executable network is asked, which cells anchor it, and the measured signals beside it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from thrombokit.study.spec_section import Section
from thrombokit.study.spec_types import PositiveList, RelativePath, Text, TextList


class RateChange(Section):
    """[[signalling.rates]]: one rate of the model replaced, and why."""

    id: Text = Field(description="a rate of tpor_rates.toml or fate_rates.toml", examples=["erk_dephosphorylation"])
    value: float = Field(gt=0, description="a number above 0, in the rate's own unit", examples=[0.5])
    reason: Text = Field(description="why the rate is replaced, a text", examples=["own time course"])


class SignallingSection(Section):
    """[signalling]: agonists in the model of TPO-R and its pathways.

    Without `agonists` all of the study's are simulated. They are anchored on the study's own EC50s in the cells `anchor`, where the plates have one,
    else on the published one of the agonist's file. Without `inhibitors`, `mutations` or `receptors` all that the model has are shown; an empty
    list shows none. `predict` names other cells whose EC50s are foretold, `cultures` CD34+ cells whose CD41 and ploidy are drawn as
    bands; `rate_sets` is the number of sets of rates behind every band. `fit_rates` are fitted to the signals of `measured`.
    """

    agonists: TextList | None = Field(
        default=None, min_length=1, description="a list of agonists of the study", examples=[["hetrombopag"]]
    )
    positive_control: Text = Field(default="rhTPO", description="the agonist that responses are % of, a text", examples=["rhTPO"])
    positive_control_nM: float | None = Field(default=None, gt=0, description="a concentration in nM, above 0", examples=[1.43])
    anchor: Text = Field(default="32D-MPL", description="the cells of the anchoring assay, a text", examples=["32D-MPL"])
    cell_system: Text | None = Field(default=None, description="the cells to simulate, a text", examples=["32D-MPL"])
    hours: float | None = Field(
        default=None, gt=0, le=720, description="the hours of the read-out, above 0 and at most 720", examples=[72]
    )
    doses_nM: PositiveList | None = Field(
        default=None, min_length=1, max_length=30, description="a list of 1 to 30 doses in nM, above 0", examples=[[0.1, 1, 10]]
    )
    times_h: PositiveList | None = Field(
        default=None, min_length=1, max_length=30, description="a list of 1 to 30 times in hours, above 0", examples=[[0.25, 1, 24]]
    )
    inhibitors: TextList | None = Field(default=None, description="a list of inhibitors of the model", examples=[["ruxolitinib"]])
    inhibitor_doses_nM: PositiveList = Field(
        default=(10.0, 100.0, 1000.0), min_length=1, max_length=10, description="a list of 1 to 10 doses in nM, above 0",
        examples=[[10, 100, 1000]],
    )  # fmt: skip
    mutations: TextList | None = Field(default=None, description="a list of mutations of the model", examples=[["JAK2 V617F"]])
    receptors: TextList | None = Field(default=None, description="a list of receptor variants of the model", examples=[["H499L"]])
    shown_dose_nM: float | None = Field(default=None, gt=0, description="the picture's dose in nM, above 0", examples=[10])
    shown_time_min: float = Field(default=10.0, ge=0, description="the picture's moment in minutes, 0 or more", examples=[10])
    predict: TextList = Field(default=(), description="a list of other cells", examples=[["CD34+ cord blood"]])
    cultures: TextList = Field(default=(), description="a list of CD34+ cells", examples=[["CD34+ cord blood"]])
    culture_days: float = Field(default=12.0, ge=1, le=30, description="the days of a culture, 1 to 30", examples=[12])
    erk_on_endomitosis: Literal["lowers", "supports", "none"] = Field(
        default="lowers", description='"lowers", "supports" or "none"', examples=["lowers"]
    )
    rate_sets: int = Field(default=50, ge=20, le=10_000, description="a whole number from 20 to 10000", examples=[50])
    measured: RelativePath | None = Field(
        default=None, description="a table of measured signals in the study folder", examples=["signalling/signals.csv"]
    )
    fit_rates: TextList = Field(
        default=(), max_length=6, description="a list of at most six rates to fit", examples=[["erk_dephosphorylation"]]
    )
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0, description="a number above 0.5 and below 1", examples=[0.95])
    rates: tuple[RateChange, ...] = Field(default=(), strict=False, description="tables [[signalling.rates]]")
