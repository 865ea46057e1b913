"""A measured potency anchors an agonist in the model: KA and efficacy such that the model returns EC50 and Emax.

At a given efficacy tau the model's EC50 is proportional to KA, because a dose acts through A / KA alone; and Emax depends on tau alone. So the
cell number is computed once against drive, and everything else is arithmetic on that curve: Emax gives tau, EC50 then gives KA. Where Emax does
not tell tau (a full agonist has a receptor reserve of any size, or Emax was not measured) the answer is the profile of KA over tau, and the
verdict says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy.interpolate import PchipInterpolator

from thrombokit.domain.agonist import BindingSite
from thrombokit.domain.estimate import Estimate
from thrombokit.errors import Fault, InputError, SimulationError
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, frozen
from thrombokit.numerics.curves import four_parameter
from thrombokit.numerics.least_squares import least_squares
from thrombokit.numerics.outcome import Outcome
from thrombokit.signalling.agonist_drive import Binding, drive_of, site_settings
from thrombokit.signalling.tpor_model import TporModel, time_grid_h

DRIVES: Array = frozen(np.concatenate([[0.0], np.logspace(-5.0, 2.5, 61)]))
"""Drives at which the cell number is computed."""
COARSE_DRIVES: Array = frozen(DRIVES[[0, *range(1, DRIVES.size, 3)]])
"""Fewer of them, for ensembles: interpolation then errs by some tenths of a per cent."""
EFFICACIES: Array = frozen(np.logspace(-2.0, 2.0, 33))
"""Efficacies of a profile."""
FIT_DECADES, FIT_POINTS = 2.5, 31
"""A model curve is fitted over this many decades on either side of its half-way dose, as a plate with enough doses would be."""
LEAST_WINDOW = 1.05
"""Cells with the positive control over cells without, from which on an assay has a window."""
STILL_ON_TOP = 0.98
"""A dose beyond the highest response belongs to the falling limb below this share of it."""
RESERVE_PCT = 2.0
"""Emax without its interval still tells tau from a larger one only where it is this much below the model's largest Emax."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DriveCurve(FrozenArrays):
    """Cell number against drive: `drive` (n,), `cells` (n,) at `hours`, and `reference_cells` with the positive control."""

    drive: Array
    cells: Array
    hours: float
    reference_cells: float

    def __post_init__(self) -> None:
        for name in ("drive", "cells"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def answers(self) -> bool:
        """Whether the positive control gives more cells than nothing does, so that there is a window to be in % of."""
        return self.reference_cells > LEAST_WINDOW * self.cells[0]

    def response_pct(self, drive: Array) -> Array:
        """Response in % of the window from no drive to the positive control, shape of `drive`."""
        inside = PchipInterpolator(np.log(self.drive[1:]), self.cells[1:])
        ends = np.log(self.drive[[1, -1]])
        with np.errstate(divide="ignore"):
            cells = inside(np.clip(np.log(drive), *ends))
        low = drive < self.drive[1]
        cells = np.where(low, self.cells[0] + (self.cells[1] - self.cells[0]) * drive / self.drive[1], cells)
        return 100.0 * (cells - self.cells[0]) / (self.reference_cells - self.cells[0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Anchor(FrozenArrays):
    """KA and efficacy of one agonist, and the profile behind them.

    `efficacy` and `affinity_nM` have an open end (None) where the data allow any value on that side, and an `estimate` only where Emax tells
    the efficacy. `verdict`: "anchored"; "efficacy_open" (Emax agrees with any efficacy above `efficacy.low`); "efficacy_assumed" (no Emax
    given: that of the positive control is assumed); "emax_not_reached" (no efficacy gives so high an Emax). `binding` is what simulations use; under
    "efficacy_open" and "emax_not_reached" its efficacy is that of the positive control, or the nearest the profile allows. Profile: `efficacies`,
    `affinities_nM`, `emaxes_pct`, `hills`, shape (n,) each; every row of it returns the measured EC50.
    """

    binding: Binding
    efficacy: Estimate
    affinity_nM: Estimate
    verdict: str
    message: str
    ec50_nM: float
    returned_ec50_nM: float
    returned_emax_pct: float
    efficacies: Array
    affinities_nM: Array
    emaxes_pct: Array
    hills: Array
    allowed: Array

    def __post_init__(self) -> None:
        for name in ("efficacies", "affinities_nM", "emaxes_pct", "hills", "allowed"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def table(self) -> pl.DataFrame:
        """The profile, one row an efficacy; `allowed` is 1 where Emax agrees."""
        return pl.DataFrame({
            "agonist": [self.binding.agonist] * self.efficacies.size, "efficacy": self.efficacies, "affinity_nM": self.affinities_nM,
            "emax_pct": self.emaxes_pct, "hill_slope": self.hills, "allowed": self.allowed > 0.0,
        })  # fmt: skip

    def summary(self) -> str:
        """What is known, and what is not, in plain sentences."""
        return f"{self.binding.agonist}: {self.message}"


def drive_curve(
    model: TporModel, *, hours: float, reference: Binding, reference_nM: float, drives: Array = DRIVES, must_answer: bool = True
) -> DriveCurve:
    """Cell number of a model against drive.

    Parameters
    ----------
    model : TporModel
    hours : float
        Time of the read-out.
    reference : Binding
        The positive control, and `reference_nM` its concentration.
    drives : array of shape (n,), optional
        Rising from 0.
    must_answer : bool
        Refuse cells that do not answer the positive control; else the curve's `answers` says so.

    Raises
    ------
    InputError
        If the cells do not answer the positive control, so that nothing can be said in % of it.
    """
    session, time_h = model.session(), time_grid_h(hours)

    def cells(settings: dict[str, float]) -> float:
        activity = model.activity_of(settings, time_h, session=session)
        return float(model.cells(model.fates(activity, label="drive"))[-1])

    counted = [cells({"[TPO]": 0.0})]
    counted += [cells({"[TPO]": 1e12, "TPO_affinity": 1.0, "TPO_efficacy": float(drive)}) for drive in drives[1:]]
    control = cells(site_settings([reference], {reference.agonist: reference_nM}))
    curve = DriveCurve(drive=drives, cells=np.array(counted), hours=hours, reference_cells=control)
    if must_answer and not curve.answers:
        raise InputError(
            Fault(place=f"signalling, {model.cell_system.name}", found="cells that do not answer the positive control",
                  expected="cells with TPO-R", cure="Anchor on an assay with TPO-R, such as 32D-MPL.")
        )  # fmt: skip
    return curve


def curve_of_dose(curve: DriveCurve, binding: Binding) -> tuple[float, float, float]:
    """EC50 (nM), Emax (% of the positive control) and Hill slope of the 4PL through the model's dose series of one agonist.

    The doses are `FIT_POINTS` over `FIT_DECADES` on either side of the half-way dose; Emax is the upper plateau. Where growth arrests at high drive
    and the curve falls again, its rising limb alone is fitted. All three are NaN where nothing rises, or the fit does not settle.
    """

    def response(dose: Array) -> Array:
        return curve.response_pct(binding.efficacy * dose / (binding.affinity_nM + dose))

    wide = binding.affinity_nM * np.logspace(-8.0, 4.0, 481)
    seen = response(wide)
    top = float(seen.max())
    if not (curve.answers and top > 0.0):
        return math.nan, math.nan, math.nan
    half_way = float(wide[np.argmax(seen >= 0.5 * top)])
    dose = half_way * np.logspace(-FIT_DECADES, FIT_DECADES, FIT_POINTS)
    y = response(dose)
    rising = (np.arange(y.size) <= int(np.argmax(y))) | (y >= STILL_ON_TOP * y.max())
    x, y = np.log(dose[rising]), y[rising]

    def residual(p: Array) -> Array:
        return four_parameter(x, p[0], p[1], p[2], np.exp(p[3])) - y  # pyright: ignore[reportArgumentType]

    fit = least_squares(residual, np.array([0.0, top, np.log(half_way), 0.0]), tolerance=1e-9)
    if fit.outcome is not Outcome.CONVERGED:
        return math.nan, math.nan, math.nan
    return float(np.exp(fit.parameters[2])), float(fit.parameters[1]), float(np.exp(fit.parameters[3]))


def bind_at(curve: DriveCurve, binding: Binding, *, ec50_nM: float, efficacy: float) -> Binding:
    """The same agonist with that efficacy, and the KA that returns the EC50 on this curve."""
    unit = replace(binding, affinity_nM=1.0, efficacy=efficacy)
    found = curve_of_dose(curve, unit)[0]
    _refuse_unsettled(found, unit, curve)
    return replace(unit, affinity_nM=ec50_nM / found)


def anchor_agonist(
    curve: DriveCurve, *, agonist: str, site: BindingSite, ec50_nM: float, emax_pct: Estimate | None = None, reference_efficacy: float,
    basis: str = "", serum_percent: float | None = None, plasma_unbound_fraction: float | None = None,
) -> Anchor:  # fmt: skip
    """KA and efficacy from a measured EC50, and Emax where it was measured.

    Parameters
    ----------
    curve : DriveCurve
        Of the cells, hours and positive control of that assay.
    agonist : str
    site : BindingSite
    ec50_nM : float
        Relative EC50.
    emax_pct : Estimate, optional
        Upper plateau in % of the positive control, with its interval.
    reference_efficacy : float
        Efficacy of the positive control: assumed for the agonist too where its own stays open.
    basis : str
        Whose EC50 it is, for captions.
    serum_percent, plasma_unbound_fraction : float, optional
        See `Binding`.

    Returns
    -------
    Anchor

    Raises
    ------
    InputError
        If the EC50 or Emax is not a number above 0.
    SimulationError
        If no sigmoid curve goes through the model's cell numbers.
    """
    _refuse_impossible(agonist, ec50_nM, emax_pct)

    def bound(efficacy: float) -> tuple[Binding, tuple[float, float, float]]:
        unit = Binding(agonist=agonist, site=site, affinity_nM=1.0, efficacy=efficacy)
        found, emax, hill = curve_of_dose(curve, unit)
        _refuse_unsettled(found, unit, curve)
        binding = Binding(
            agonist=agonist, site=site, affinity_nM=ec50_nM / found, efficacy=efficacy, basis=basis, serum_percent=serum_percent,
            plasma_unbound_fraction=plasma_unbound_fraction,
        )  # fmt: skip
        return binding, (ec50_nM / found, emax, hill)

    profile = np.array([bound(float(efficacy))[1] for efficacy in EFFICACIES])
    allowed, best, verdict = _told_by_emax(profile[:, 1], emax_pct, reference_efficacy)
    binding, (_, emax, _) = bound(best)
    efficacy, affinity = _ranges(allowed, profile[:, 0], binding, pointed=verdict == "anchored")
    returned, emax, _ = curve_of_dose(curve, binding)
    return Anchor(
        binding=binding, efficacy=efficacy, affinity_nM=affinity, verdict=verdict, ec50_nM=ec50_nM,
        message=_words(verdict, ec50_nM, emax_pct, efficacy, affinity, binding, float(profile[:, 1].max())), returned_ec50_nM=returned,
        returned_emax_pct=emax, efficacies=EFFICACIES, affinities_nM=profile[:, 0], emaxes_pct=profile[:, 1], hills=profile[:, 2],
        allowed=allowed.astype(float),
    )  # fmt: skip


def responses_pct(
    curve: DriveCurve, bindings: Sequence[Binding], doses: Sequence[dict[str, float]], *, his499: float = 1.0
) -> Array:
    """Response (% of the positive control) to each mixture of doses (nM by agonist), shape (n_mixtures,), from drives added over the sites."""
    drives = np.array([drive_of(site_settings(bindings, mixture), his499=his499) for mixture in doses])
    return curve.response_pct(drives)


def _refuse_impossible(agonist: str, ec50_nM: float, emax_pct: Estimate | None) -> None:
    wrong = [("EC50", ec50_nM, "nM")] if not 0.0 < ec50_nM < float("inf") else []
    if emax_pct is not None and not (emax_pct.estimate is not None and emax_pct.estimate > 0.0):
        wrong.append(("Emax", float("nan") if emax_pct.estimate is None else emax_pct.estimate, "%"))
    if wrong:
        cure = "Leave out Emax where it was not measured; without an EC50 there is nothing to anchor on."
        raise InputError(
            Fault(
                place=f"signalling, anchor of {agonist}, {name}", found=f"{value:g} {unit}", expected="a number above 0", cure=cure
            )
            for name, value, unit in wrong
        )


def _refuse_unsettled(found_nM: float, binding: Binding, curve: DriveCurve) -> None:
    if not math.isfinite(found_nM):
        raise SimulationError(
            f"signalling, anchor of {binding.agonist}: no sigmoid curve goes through the model's cell numbers at {curve.hours:g} h with an "
            f"efficacy of {binding.efficacy:.3g}; check the replaced rates."
        )


def _told_by_emax(emaxes: Array, emax_pct: Estimate | None, reference_efficacy: float) -> tuple[BoolArray, float, str]:
    """Which efficacies of the profile agree with Emax, the one to use, and the verdict."""
    everything = np.ones(emaxes.size, dtype=bool)
    if emax_pct is None or emax_pct.estimate is None:
        return everything, reference_efficacy, "efficacy_assumed"
    target, largest = emax_pct.estimate, float(emaxes.max())
    low = emax_pct.low if emax_pct.low is not None else target
    high = emax_pct.high if emax_pct.high is not None else max(target, low)
    if low > largest:
        near_largest = emaxes >= largest - RESERVE_PCT
        return near_largest, max(reference_efficacy, float(EFFICACIES[int(np.argmax(near_largest))])), "emax_not_reached"
    rising = np.maximum.accumulate(emaxes)
    if max(target, high) >= largest - RESERVE_PCT:
        open_above = emaxes >= min(low, largest - RESERVE_PCT)
        first = float(EFFICACIES[int(np.argmax(open_above))])
        return open_above, max(reference_efficacy, first), "efficacy_open"
    at = float(np.interp(target, rising, np.log(EFFICACIES)))
    agreeing = (emaxes >= low) & (emaxes <= high)
    return agreeing, float(np.exp(at)), "anchored"


def _ranges(allowed: BoolArray, affinities: Array, binding: Binding, *, pointed: bool) -> tuple[Estimate, Estimate]:
    """Ranges of efficacy and KA over the allowed part of the profile; open where that reaches the profile's end."""
    at = np.flatnonzero(allowed)
    if at.size == 0:  # Emax came without an interval, or with one between two points of the profile
        only = Estimate(estimate=binding.efficacy, low=None, high=None)
        return only, Estimate(estimate=binding.affinity_nM, low=None, high=None)
    first, last = int(at[0]), int(at[-1])
    opens_low, opens_high = first == 0, last == allowed.size - 1
    efficacy = Estimate(
        estimate=binding.efficacy if pointed else None, low=None if opens_low else float(EFFICACIES[first]),
        high=None if opens_high else float(EFFICACIES[last]),
    )  # fmt: skip
    affinity = Estimate(
        estimate=binding.affinity_nM if pointed else None, low=None if opens_low else float(affinities[at].min()),
        high=None if opens_high else float(affinities[at].max()),
    )  # fmt: skip
    return efficacy, affinity


def _words(
    verdict: str,
    ec50_nM: float,
    emax_pct: Estimate | None,
    efficacy: Estimate,
    affinity: Estimate,
    binding: Binding,
    largest: float,
) -> str:
    pair = f"KA {binding.affinity_nM:.3g} nM with efficacy {binding.efficacy:.3g}"
    if verdict == "anchored":
        ends = "" if efficacy.low is None or efficacy.high is None else f" (efficacy {efficacy.low:.2g} to {efficacy.high:.2g})"
        return f"EC50 {ec50_nM:.3g} nM and its Emax give {pair}{ends}."
    if verdict == "efficacy_assumed":
        return f"EC50 {ec50_nM:.3g} nM, Emax not known: KA and efficacy cannot be told apart; {pair} assumes that of the positive control."
    said = f"{emax_pct.estimate:.3g} %" if emax_pct is not None and emax_pct.estimate is not None else "-"
    if verdict == "emax_not_reached":
        return f"Emax {said} is above the {largest:.3g} % that the model reaches with any efficacy; {pair} returns the EC50 only."
    least = "" if efficacy.low is None else f" above {efficacy.low:.2g}"
    return f"EC50 {ec50_nM:.3g} nM; Emax {said} agrees with any efficacy{least}: only the profile of KA over efficacy is known; {pair} is used."
