"""The built-in model of TPO-R, from its Antimony source to a `Network`, and the simulation of treatments with it by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from thrombokit.agonists.load import load_agonist
from thrombokit.domain.agonist import Agonist
from thrombokit.domain.estimate import Estimate
from thrombokit.domain.potency import Potency
from thrombokit.errors import Fault, InputError
from thrombokit.io.sbml import parse_sbml
from thrombokit.signalling.antimony_source import TPOR_FILE, tpor_sbml
from thrombokit.signalling.bindings import bind_agonists
from thrombokit.signalling.cell_systems import Sign, find_cell_system
from thrombokit.signalling.experiments import simulate_treatments
from thrombokit.signalling.fates import ERK_ON_ENDOMITOSIS
from thrombokit.signalling.network import Network
from thrombokit.signalling.result import SignallingResult
from thrombokit.signalling.tpor_model import TporModel
from thrombokit.signalling.treatments import Treatment, dose_series

POSITIVE_CONTROL = "rhTPO"
POSITIVE_CONTROL_nM = 1.43
"""100 ng/mL rhTPO at 70 kDa: what responses are % of, as in Xie 2018 (doi:10.1111/jcmm.13809)."""


@cache
def tpor_network() -> Network:
    """The built-in network: receptor, JAK2/STAT5, MAPK, PI3K/AKT/mTOR, BCL-XL and cyclin D1, with sources in its notes.

    Raises
    ------
    MissingExtraError
        If antimony or libsbml is not installed.
    """
    return parse_sbml(tpor_sbml(), place=TPOR_FILE)


def tpor_model(
    cell_system: str = "32D-MPL", *, rates: Mapping[str, float] | None = None, erk_on_endomitosis: Sign | str = ERK_ON_ENDOMITOSIS
) -> TporModel:
    """The built-in model with one cell system; `rates` replace values by id.

    Raises
    ------
    InputError
        If there is no such cell system or rate.
    """
    return TporModel(network=tpor_network(), cell_system=find_cell_system(cell_system), replaced=dict(rates or {}),
                     erk_on_endomitosis=Sign(erk_on_endomitosis))  # fmt: skip


def simulate_signalling(
    treatments: Mapping[str, Sequence[float]] | Sequence[Treatment], *, cell_system: str = "32D-MPL", hours: float | None = None,
    inhibitors_nM: Mapping[str, float] | None = None, mutation: str = "", receptor: str = "human", agonists: Sequence[Agonist] = (),
    potencies: Sequence[Potency] = (), emax_pct: Mapping[str, Estimate] | None = None, serum_percent: float | None = None,
    erk_on_endomitosis: Sign | str = ERK_ON_ENDOMITOSIS, rates: Mapping[str, float] | None = None, culture: bool = False,
) -> SignallingResult:  # fmt: skip
    """Simulate what agonists do to cells with TPO-R: phosphorylation, fates, and the cell number a luminometer would read.

    Parameters
    ----------
    treatments : dict of str to sequence of float, or sequence of Treatment
        Doses (nM) by agonist, each its own series; or treatments with mixtures, pulses and inhibitors.
    cell_system : "32D-MPL", "32D-EPOR", "CD34+ cord blood" or "CD34+ adult blood"
    hours : float, optional
        Length of the experiment; the cell system's usual read-out without it.
    inhibitors_nM, mutation, receptor : optional
        Shared by all doses, where doses are given; see `Treatment`.
    agonists : sequence of Agonist, optional
        Compounds of files of your own; those that ship are found by name.
    potencies : sequence of Potency, optional
        Measured EC50s that anchor the agonists; without them the published ones in their files do.
    emax_pct : dict of str to Estimate, optional
        Measured upper plateaus, in % of the positive control.
    serum_percent : float, optional
        Serum of the medium, where it differs from that of the anchoring assay.
    erk_on_endomitosis : "lowers", "supports" or "none"
        The declared sign; sources disagree, so simulate both.
    rates : dict of str to float, optional
        Values in the place of those in tpor_rates.toml and fate_rates.toml.
    culture : bool
        Follow CD41 and ploidy too.

    Raises
    ------
    InputError
        With everything that is unknown or impossible.
    MissingExtraError
        If the extra [signalling] is not installed.

    Examples
    --------
    >>> simulate_signalling({"hetrombopag": [0.0, 0.4, 10.0]}).table()          # doctest: +SKIP
    """
    shared = {"inhibitors_nM": dict(inhibitors_nM or {}), "mutation": mutation, "receptor": receptor}
    wells = _wells(treatments, shared)
    model = tpor_model(cell_system, rates=rates, erk_on_endomitosis=erk_on_endomitosis)
    names = dict.fromkeys([POSITIVE_CONTROL, *(name for well in wells for name in well.agonists_nM)])
    own = {agonist.name: agonist for agonist in agonists}
    called = {name: own.get(name) or load_agonist(name) for name in names}
    known = list({agonist.name: agonist for agonist in called.values()}.values())
    bindings, anchors = bind_agonists(
        known, model, control=known[0], control_nM=POSITIVE_CONTROL_nM, potencies=potencies, emax_pct=emax_pct
    )
    return simulate_treatments(
        model, [_under_full_names(well, called) for well in wells], bindings, hours=hours,
        positive_control=Treatment(agonists_nM={known[0].name: POSITIVE_CONTROL_nM}), serum_percent=serum_percent, culture=culture,
        anchors=anchors,
    )  # fmt: skip


def _wells(treatments: Mapping[str, Sequence[float]] | Sequence[Treatment], shared: dict[str, Any]) -> list[Treatment]:
    """One treatment a dose, or the treatments as given; what is to be shared by doses is refused beside treatments of one's own."""
    if isinstance(treatments, Mapping):
        return [one for name, doses in treatments.items() for one in dose_series(name, doses, **shared)]
    if shared != {"inhibitors_nM": {}, "mutation": "", "receptor": "human"}:
        cure = "Say it in each Treatment, or give doses by agonist."
        found = "inhibitors, a mutation or a receptor for treatments that say so themselves"
        raise InputError(Fault(place="signalling", found=found, expected="one of the two", cure=cure))
    return list(treatments)


def _under_full_names(well: Treatment, agonists: Mapping[str, Agonist]) -> Treatment:
    """The same treatment with the agonists' own names in the place of aliases; doses of one agonist under two names add up."""
    doses: dict[str, float] = {}
    for name, dose in well.agonists_nM.items():
        doses[agonists[name].name] = doses.get(agonists[name].name, 0.0) + dose
    return replace(well, agonists_nM=doses, label="" if well.label == well.words() else well.label)
