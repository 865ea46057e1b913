"""The signalling stage of a study: what the anchored model says of the study's agonists, all in one value for report and archive.

Dose x time of pathways and cells, inhibitors and mutants, two agonists together, EC50s by hours of read-out, predictions beside published
values, measured phosphorylation beside the model, and the picture. Each comes from its own module; here they are only asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from thrombokit.domain.agonist import BindingSite
from thrombokit.drawing.network import NetworkPicture
from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.anchor import Anchor, DriveCurve, curve_of_dose, drive_curve
from thrombokit.signalling.combinations import combination_table
from thrombokit.signalling.experiments import ec50_by_time, simulate_treatments
from thrombokit.signalling.measured_fit import SignalFit
from thrombokit.signalling.picture_activity import OTHER_CELLS, activity_picture
from thrombokit.signalling.predictions import NO_BAND, TOO_WIDE, Prediction
from thrombokit.signalling.result import SignallingResult
from thrombokit.signalling.stage_choices import SHOWN_TIMES_h, StageChoices
from thrombokit.signalling.tpor_model import TporModel
from thrombokit.signalling.treatments import Treatment

SHOWN = {"STAT5_p": "pSTAT5", "ERK_p": "pERK", "AKT_p": "pAKT"}
READ_OUTS_h = (24.0, 48.0, 72.0)
DOSES, DECADES = 9, 4.0
SHARE_pct = 20.0
"""Two agonists are put together at doses that give this much each, below saturation, where a sum means something."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SignallingStage:
    """What the stage knows.

    `dose_time`: `agonist, concentration_nM, quantity, time_h, value` (pathways in % of the highest level in the table, cells in % of
    the positive control). `inhibitors`, `mutants`: `treatment, response_pct, STAT5_p_peak_nM, ERK_p_peak_nM, AKT_p_peak_nM`.
    `combinations` and `shifts` as `combination_table` and `ec50_by_time` give them. `cultures` are bands of what is assumed of a
    culture: `cell_system, treatment, quantity, time_h, low, median, high`, with a caption for each of its cell systems. `caption`
    belongs under every other figure. Empty tables and None leave their part out. `anchoring` says agonist by agonist which EC50 it
    was anchored on, `notes` what else a reader must know; `shown_nM` is what the picture and the panels give (one agonist).
    """

    cell_system: str
    hours: float
    agonists: tuple[str, ...]
    dose_time: pl.DataFrame
    inhibitors: pl.DataFrame
    mutants: pl.DataFrame
    combinations: pl.DataFrame
    shifts: pl.DataFrame
    caption: str
    assumed_share: float
    anchors: tuple[Anchor, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    fit: SignalFit | None = None
    picture: NetworkPicture | None = None
    notes: tuple[str, ...] = field(default=())
    anchoring: tuple[str, ...] = ()
    shown_nM: dict[str, float] = field(default_factory=dict[str, float])
    cultures: pl.DataFrame = field(default_factory=pl.DataFrame)
    culture_captions: tuple[str, ...] = ()

    def summary(self) -> str:
        """Anchors, the shift of EC50 with time, hits and misses of the predictions, and the caption."""
        told = prediction_tally(self.predictions)
        fitted = [self.fit.summary()] if self.fit is not None else []
        return " ".join(
            [*self.anchoring, *(anchor.summary() for anchor in self.anchors), *told, *fitted, *self.notes, self.caption]
        )


def prediction_tally(predictions: Sequence[Prediction]) -> list[str]:
    """Hits, misses and what cannot be told, in one sentence; nothing where there is nothing to compare with."""
    verdicts = [one.verdict for one in predictions if one.published is not None]
    if not verdicts:
        return []
    words = {"inside the band": "inside the model’s band", "outside the band": "outside it", TOO_WIDE: "inside a band too wide to tell",
             NO_BAND: "beside a number without a band"}  # fmt: skip
    counts = ", ".join(f"{verdicts.count(verdict)} {said}" for verdict, said in words.items())
    known = "value" if len(verdicts) == 1 else "values"
    return [f"{len(verdicts)} {known}, published or measured here, that the model was not fitted to: {counts}."]


def simulate_stage(
    model: TporModel, bindings: Sequence[Binding], *, positive_control: Treatment, agonists: Sequence[str], anchors: Sequence[Anchor] = (),
    predictions: Sequence[Prediction] = (), fit: SignalFit | None = None, choices: StageChoices | None = None, hours: float | None = None,
) -> SignallingStage:  # fmt: skip
    """Everything the stage shows, for one cell system.

    Parameters
    ----------
    model : TporModel
    bindings : sequence of Binding
        Of the positive control's agonist and of all others.
    positive_control : Treatment
        One agonist at one dose; what 100 % is.
    agonists : sequence of str
        Those to show, the most important first.
    anchors, predictions, fit : optional
        As their modules gave them.
    choices : StageChoices, optional
        Doses, inhibitors, mutations, receptor variants and the picture's moment.
    hours : float, optional
        Read-out; the cell system's own without it.

    Raises
    ------
    InputError
        If an agonist or the positive control has no binding, or the cells do not answer the positive control.
    """
    known = {binding.agonist: binding for binding in bindings}
    control = next(iter(positive_control.agonists_nM), "")
    if not agonists:
        raise InputError(Fault(place="signalling", found="no agonist", expected="at least one", cure="Name an agonist."))
    raise_all(
        Fault(place="signalling", found=f'"{name}" without affinity and efficacy', expected=", ".join(known) or "an agonist",
              cure="Anchor it on a measured EC50, or give its file a [signalling] table.")
        for name in dict.fromkeys((control, *agonists)) if name not in known
    )  # fmt: skip
    end = hours if hours is not None else model.cell_system.hours
    reference, reference_nM = known[control], positive_control.agonists_nM[control]
    curve = drive_curve(model, hours=end, reference=reference, reference_nM=reference_nM)
    middle = {name: curve_of_dose(curve, known[name])[0] for name in agonists}
    chosen = choices if choices is not None else StageChoices()
    shown = {agonists[0]: chosen.shown_dose_nM or float(f"{10.0 * middle[agonists[0]]:.3g}")}
    doses = [Treatment(agonists_nM={name: one}) for name in agonists for one in chosen.doses_nM or _doses(middle[name])]
    series, panel, variants = (
        simulate_treatments(model, wells, bindings, positive_control=positive_control, hours=end) if wells else None
        for wells in (doses, chosen.inhibited(shown), chosen.mutated(shown))
    )
    assert series is not None  # there is an agonist
    caption = series.caption
    return SignallingStage(
        cell_system=model.cell_system.name, hours=end, agonists=tuple(agonists), dose_time=dose_time_rows(series, chosen.times_h),
        inhibitors=_panel(panel),
        mutants=_panel(variants), combinations=_together(curve, [known[name] for name in dict.fromkeys((*agonists, control))]),
        shifts=ec50_by_time(model, [known[name] for name in agonists], READ_OUTS_h, reference=reference, reference_nM=reference_nM),
        caption=caption, assumed_share=series.assumed_share, anchors=tuple(anchors), predictions=tuple(predictions), fit=fit,
        picture=_picture(model, bindings, positive_control, shown, chosen.shown_time_h, end), shown_nM=shown,
        notes=tuple(dict.fromkeys(note for one in (series, panel, variants) if one is not None for note in one.notes)),
    )  # fmt: skip


def _picture(
    model: TporModel, bindings: Sequence[Binding], control: Treatment, given_nM: dict[str, float], time_h: float, hours: float
) -> NetworkPicture:
    """The network under the first agonist, beside the positive control."""
    wells = [Treatment(agonists_nM=given_nM), control]
    shown = simulate_treatments(model, wells, bindings, positive_control=control, hours=hours)
    return activity_picture(
        model.network, shown.activities[0], time_h=time_h, compared=shown.activities, caption=(shown.caption, OTHER_CELLS),
        treatment=", ".join([*(f"{name} {dose:.3g} nM" for name, dose in given_nM.items()), model.cell_system.name]),
    )  # fmt: skip


def dose_time_rows(result: SignallingResult, times_h: Sequence[float] = SHOWN_TIMES_h) -> pl.DataFrame:
    """Pathways and response of single-agonist treatments at some times and at the end, a row each; straight lines between simulated times.

    `agonist, concentration_nM, time_h, quantity, value`; cell number from `READ_OUTS_h` on, null where there is no window to be in % of.
    """
    top = {id: max(float(one[id].max()) for one in result.activities) or 1.0 for id in SHOWN}
    times = sorted({one for one in times_h if one <= result.hours} | {result.hours})
    rows: list[dict[str, object]] = []
    for k, treatment in enumerate(result.treatments):
        ((agonist, dose),) = treatment.agonists_nM.items()
        for time_h in times:
            base: dict[str, object] = {"agonist": agonist, "concentration_nM": dose, "time_h": time_h}
            rows += [
                base
                | {"quantity": name, "value": 100.0 * float(np.interp(time_h, result.time_h, result.activities[k][id])) / top[id]}
                for id, name in SHOWN.items()
            ]
            response = float(np.interp(time_h, result.time_h, result.response_pct[k]))
            if time_h >= READ_OUTS_h[0]:
                rows.append(base | {"quantity": "cell number", "value": response if np.isfinite(response) else None})
    return pl.DataFrame(rows, infer_schema_length=None)


def _doses(middle_nM: float) -> list[float]:
    """Doses over four decades around an EC50, two figures each."""
    return [float(f"{one:.2g}") for one in middle_nM * np.logspace(-DECADES / 2, DECADES / 2, DOSES)]


def _panel(result: SignallingResult | None) -> pl.DataFrame:
    if result is None:
        return pl.DataFrame()
    peaks = [f"{id}_peak_nM" for id in SHOWN]
    return result.table().select("treatment", "response_pct", *peaks)


def _together(curve: DriveCurve, bindings: Sequence[Binding]) -> pl.DataFrame:
    """The first small molecule with the first agonist of the other site, at 0, EC20 and EC50 of each; empty where there is one site alone."""
    sites = {site: next((one for one in bindings if one.site is site), None) for site in BindingSite}
    first, second = sites[BindingSite.TRANSMEMBRANE], sites[BindingSite.EXTRACELLULAR]
    if first is None or second is None:
        return pl.DataFrame()
    doses = [[0.0, *(_dose_of(curve, one, share) for share in (SHARE_pct, 50.0))] for one in (first, second)]
    return combination_table(curve, first, second, *doses)


def _dose_of(curve: DriveCurve, binding: Binding, share_pct: float) -> float:
    """Dose that gives a share of the window, to three figures; the nearest on a fine grid."""
    doses = binding.affinity_nM * np.logspace(-6.0, 3.0, 2001)
    response = curve.response_pct(binding.efficacy * doses / (binding.affinity_nM + doses))
    return float(f"{doses[int(np.argmin(np.abs(response - share_pct)))]:.3g}")
