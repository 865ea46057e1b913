"""Agonists of a study given their place in the model: by a measured affinity, or anchored on a measured potency."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thrombokit.domain.agonist import Agonist, BindingSite, PublishedPotency
from thrombokit.domain.estimate import Estimate
from thrombokit.domain.potency import Potency
from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.anchor import Anchor, DriveCurve, anchor_agonist, drive_curve
from thrombokit.signalling.cell_systems import find_cell_system
from thrombokit.signalling.tpor_model import TporModel

_SERUM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%")
USUAL_HOURS = 72.0
"""Hours of an assay whose hours are not known; said in the binding's basis."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What an agonist is anchored on: an EC50 in one assay, whose it is, and Emax in % of the positive control where known."""

    cell_system: str
    hours: float
    ec50_nM: float
    basis: str
    emax_pct: Estimate | None = None
    serum_percent: float | None = None


def bind_agonists(
    agonists: Sequence[Agonist], model: TporModel, *, control: Agonist, control_nM: float, potencies: Sequence[Potency] = (),
    emax_pct: Mapping[str, Estimate] | None = None,
) -> tuple[tuple[Binding, ...], tuple[Anchor, ...]]:  # fmt: skip
    """KA and efficacy of every agonist.

    Parameters
    ----------
    agonists : sequence of Agonist
    model : TporModel
        Its rates are used in the anchoring assay too; its cell system need not be that of the assay.
    control : Agonist
        The positive control, with an affinity of its own, and `control_nM` its concentration in the assay.
    potencies : sequence of Potency, optional
        Measured in the study; they go before the published ones of the agonist's file.
    emax_pct : dict of str to Estimate, optional
        Upper plateau of an agonist in % of the positive control.

    Returns
    -------
    bindings, anchors
        One binding an agonist, in their order; an anchor for each that was anchored.

    Raises
    ------
    InputError
        With every agonist whose site, affinity or potency is missing.
    """
    everyone = [*agonists, *([] if any(a.name == control.name for a in agonists) else [control])]
    faults = [fault for agonist in everyone for fault in _faults(agonist, potencies)]
    raise_all([*faults, *_useless_emax(everyone, emax_pct or {})])
    efficacy = _control_efficacy(control, model)
    reference = _given(control, efficacy)
    curves: dict[tuple[str, float], DriveCurve] = {}
    bindings: list[Binding] = []
    anchors: list[Anchor] = []
    for agonist in agonists:
        found = _measured(agonist, potencies, emax_pct or {})
        if found is None:
            bindings.append(_given(agonist, efficacy))
            continue
        key = (found.cell_system, found.hours)
        if key not in curves:
            assay = TporModel(network=model.network, cell_system=find_cell_system(found.cell_system), replaced=model.replaced,
                              erk_on_endomitosis=model.erk_on_endomitosis)  # fmt: skip
            curves[key] = drive_curve(assay, hours=found.hours, reference=reference, reference_nM=control_nM)
        unbound = agonist.signalling.plasma_unbound_fraction if agonist.signalling else None
        anchor = anchor_agonist(
            curves[key], agonist=agonist.name, site=agonist.binding_site or BindingSite.TRANSMEMBRANE, ec50_nM=found.ec50_nM,
            emax_pct=found.emax_pct, reference_efficacy=efficacy, basis=found.basis, serum_percent=found.serum_percent,
            plasma_unbound_fraction=unbound.value if unbound else None,
        )  # fmt: skip
        anchors.append(anchor)
        bindings.append(anchor.binding)
    return tuple(bindings), tuple(anchors)


def _control_efficacy(control: Agonist, model: TporModel) -> float:
    own = control.signalling.efficacy if control.signalling else None
    return own.value if own else model.values()["TPO_efficacy"]


def _given(agonist: Agonist, efficacy: float) -> Binding:
    """Affinity (and efficacy) as the agonist's file has them."""
    signalling = agonist.signalling
    if signalling is None or signalling.affinity_nM is None or agonist.binding_site is None:
        raise InputError(_not_placed(agonist))
    own = signalling.efficacy.value if signalling.efficacy else efficacy
    basis = f"affinity: {signalling.affinity_nM.source}; efficacy {'of its file' if signalling.efficacy else 'assumed'}"
    unbound = signalling.plasma_unbound_fraction
    return Binding(
        agonist=agonist.name, site=agonist.binding_site, affinity_nM=signalling.affinity_nM.value, efficacy=own, basis=basis,
        plasma_unbound_fraction=unbound.value if unbound else None, serum_percent=0.0,
    )  # fmt: skip


def _measured(agonist: Agonist, potencies: Sequence[Potency], emax_pct: Mapping[str, Estimate]) -> Measured | None:
    """What the agonist is anchored on: the study's own EC50 in the cells its file names, else the published one; None where its file gives KA."""
    signalling = agonist.signalling
    if signalling is not None and signalling.affinity_nM is not None:
        return None
    own = next((p for p in potencies if _anchors(p, agonist)), None)
    if own is not None and own.ec50_nM.estimate is not None:
        hours = own.assay.hours or USUAL_HOURS
        basis = f"EC50 measured in {own.assay.label()}" + ("" if own.assay.hours else f", {USUAL_HOURS:g} h assumed")
        return Measured(cell_system=own.assay.cell_system, hours=hours, ec50_nM=own.ec50_nM.estimate, basis=basis,
                        emax_pct=emax_pct.get(agonist.name), serum_percent=_percent(own.assay.serum))  # fmt: skip
    published = _published(agonist)
    if published is None:
        return None
    hours = published.hours or USUAL_HOURS
    basis = f"EC50 in {published.cell_system}, {published.source}" + ("" if published.hours else f"; {USUAL_HOURS:g} h assumed")
    return Measured(cell_system=published.cell_system, hours=hours, ec50_nM=published.ec50_nM, basis=basis,
                    emax_pct=emax_pct.get(agonist.name), serum_percent=_percent(published.serum))  # fmt: skip


def _percent(serum: str | None) -> float | None:
    """10.0 of "10 % FBS"; None where it names no per cent."""
    matched = _SERUM.match(serum or "")
    return float(matched[1]) if matched else None


def _anchors(potency: Potency, agonist: Agonist) -> bool:
    anchor = agonist.signalling.anchor if agonist.signalling else None
    wanted = find_cell_system(anchor or "32D-MPL")
    return (
        agonist.is_called(potency.agonist) and potency.ec50_nM.estimate is not None and wanted.is_called(potency.assay.cell_system)
    )


def _published(agonist: Agonist) -> PublishedPotency | None:
    anchor = agonist.signalling.anchor if agonist.signalling else None
    return agonist.potency_in(anchor or "32D-MPL")


def _faults(agonist: Agonist, potencies: Sequence[Potency]) -> list[Fault]:
    if agonist.binding_site is None:
        cure = 'Say binding_site = "extracellular" or "transmembrane" in its file.'
        return [Fault(place=f"signalling, {agonist.name}", found="no binding site", expected="where it binds", cure=cure)]
    has_affinity = agonist.signalling is not None and agonist.signalling.affinity_nM is not None
    if has_affinity or _published(agonist) is not None or any(_anchors(p, agonist) for p in potencies):
        return []
    return [_not_placed(agonist)]


def _useless_emax(agonists: Sequence[Agonist], emax_pct: Mapping[str, Estimate]) -> list[Fault]:
    """A fault for each Emax that would change nothing."""
    faults: list[Fault] = []
    for name in emax_pct:
        agonist = next((one for one in agonists if one.name == name), None)
        place = f"signalling, Emax of {name}"
        if agonist is None:
            names = ", ".join(one.name for one in agonists)
            faults.append(
                Fault(place=place, found="an agonist that is not simulated", expected=names, cure="Use the agonist's own name.")
            )
        elif agonist.signalling is not None and agonist.signalling.affinity_nM is not None:
            cure = "Leave it out, or leave affinity_nM out of the file so that EC50 and Emax anchor the agonist."
            faults.append(
                Fault(place=place, found="an Emax of an agonist whose file gives its affinity", expected="none", cure=cure)
            )
    return faults


def _not_placed(agonist: Agonist) -> Fault:
    return Fault(
        place=f"signalling, {agonist.name}", found="neither an affinity nor an EC50 in 32D-MPL",
        expected="one of the two, to place it in the model",
        cure="Measure it on a plate of the study, add a [[potency]], or give affinity_nM in [signalling] of its file.",
    )  # fmt: skip
