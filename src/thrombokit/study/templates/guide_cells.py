"""The guide study's flow cytometry in memory: six donors, dose series, controls and two panels, from one seed.

Cord-blood CD34+ cells of donors A, B and C, the same people as in the plates and as sensitive, after twelve days with hetrombopag, vehicle
or rhTPO. The surface panel has a well for each dose and, of each donor's rhTPO culture, a tube without each marker (FMO); single stains
and the unstained tube come from donor A. The ploidy panel has vehicle, a dose series and rhTPO of each donor, fixed, and of three
donors of adult-blood CD34+ cells (G, H and I) besides, because ploidy answers the other way in those. Some tubes are at fault on purpose,
as tubes are: a clog, a drift, a step in gain, an air bubble, and donor C was stained with a tandem dye that has begun to break down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from thrombokit.cells.tubes import VIABILITY, TubeKind
from thrombokit.study.templates.cytometer import PLOIDY, SURFACE, Cytometer
from thrombokit.study.templates.cytometer_faults import Bubble, Clog, Drift, GainStep, TandemBreakdown, TubeFault
from thrombokit.study.templates.cytometer_tube import TubePlan, run_tube
from thrombokit.study.templates.guide_truth import CD34_CORD_BLOOD, draw_run
from thrombokit.study.templates.megakaryocyte_culture import ADULT, MARKERS, Culture, Donor, draw_donor
from thrombokit.study.templates.synthetic_tube import SyntheticTube
from thrombokit.study.templates.well_plan import RHTPO, VEHICLE, DoseSeries

DONORS = ("donor A", "donor B", "donor C")
ADULT_DONORS = ("donor G", "donor H", "donor I")
"""Donors of adult-blood CD34+ cells; on the ploidy panel alone."""
CONTROL_DONOR = "donor A"
"""Whose cells make the single stains and the unstained tube."""
PLATE = "cells 1"
DOSES = DoseSeries(agonist="hetrombopag", top_nM=250.0, fold=5.0, n_doses=6)
SURFACE_EVENTS, PLOIDY_EVENTS = 4000, 4000
_EVENTS_PER_S = 100.0
FAULTS: dict[tuple[str, str, float], tuple[TubeFault, ...]] = {
    ("donor A", "hetrombopag", 0.4): (Bubble(start=0.6),),
    ("donor B", "hetrombopag", 10.0): (Clog(seconds=2.0, start=0.4),),
    ("donor B", "hetrombopag", 0.08): (GainStep(factor=1.10, start=0.5),),
    ("donor C", "hetrombopag", 2.0): (Drift(factor=1.15),),
}
"""Donor, agonist, dose in nM -> what went wrong with that well on the surface panel."""
BROKEN_TANDEM: dict[str, tuple[TubeFault, ...]] = {"donor C": (TandemBreakdown(share=0.03),)}


@dataclass(frozen=True, kw_only=True)
class _Setup:
    """A panel's instrument and its number of events a tube."""

    cytometer: Cytometer
    n_events: int


_SURFACE = _Setup(cytometer=replace(SURFACE, events_per_s=_EVENTS_PER_S), n_events=SURFACE_EVENTS)
_PLOIDY = _Setup(cytometer=replace(PLOIDY, events_per_s=_EVENTS_PER_S), n_events=PLOIDY_EVENTS)


def guide_donors(seed: int) -> tuple[Donor, ...]:
    """The three cord-blood donors; each is as sensitive to agonists as in the plate assay of the same seed."""
    return tuple(
        draw_donor(seed, name, ec50_shift_log10=draw_run(seed, CD34_CORD_BLOOD, name).ec50_shift_log10) for name in DONORS
    )  # fmt: skip


def guide_cell_plans(seed: int) -> tuple[TubePlan, ...]:
    """Every tube of the guide study's cytometry, in the order of the sample sheet: 42 surface tubes and 48 for ploidy.

    Parameters
    ----------
    seed : int
        >= 0; the study's.
    """
    plans: list[TubePlan] = []
    for donor in guide_donors(seed):
        plans += [_well(culture) for culture in donor_cultures(donor)]
        plans += [_control(_rhTPO(donor), TubeKind.FMO, marker) for marker in MARKERS]
    cells = _rhTPO(next(donor for donor in guide_donors(seed) if donor.name == CONTROL_DONOR))
    plans += [_control(cells, TubeKind.SINGLE_STAIN, marker) for marker in (*MARKERS, VIABILITY)]
    plans.append(_control(cells, TubeKind.UNSTAINED, ""))
    adults = (draw_donor(seed, name, source=ADULT) for name in ADULT_DONORS)
    for donor in (*guide_donors(seed), *adults):
        for culture in donor_cultures(donor):
            plans.append(_plan(_PLOIDY, culture, f"{stem(culture)}_ploidy", TubeKind.FULL, "", ()))
    return tuple(replace(plan, number=number) for number, plan in enumerate(plans))


def guide_tubes(seed: int) -> tuple[SyntheticTube, ...]:
    """Every tube of the guide study's cytometry, run; the same seed gives the same events."""
    return tuple(run_tube(plan, seed) for plan in guide_cell_plans(seed))


def _rhTPO(donor: Donor) -> Culture:
    return Culture(donor=donor, agonist=RHTPO)


def donor_cultures(donor: Donor) -> tuple[Culture, ...]:
    """The donor's wells: vehicle, the doses rising, rhTPO."""
    doses = (Culture(donor=donor, agonist=DOSES.agonist, concentration_nM=dose) for dose in DOSES.doses_nM)
    return (Culture(donor=donor, agonist=VEHICLE), *doses, _rhTPO(donor))


def stem(culture: Culture) -> str:
    """donor-A_hetrombopag-0.4nM, a name for files."""
    dose = f"-{culture.concentration_nM:g}nM" if culture.concentration_nM else ""
    return f"{culture.donor.name.replace(' ', '-')}_{culture.agonist}{dose}"


def _well(culture: Culture) -> TubePlan:
    faults = FAULTS.get((culture.donor.name, culture.agonist, culture.concentration_nM), ())
    return _plan(_SURFACE, culture, f"{stem(culture)}_surface", TubeKind.FULL, "", faults)


def _control(culture: Culture, kind: TubeKind, marker: str) -> TubePlan:
    label = {TubeKind.FMO: f"without-{marker}", TubeKind.SINGLE_STAIN: f"only-{marker}"}.get(kind, "unstained")
    return _plan(_SURFACE, culture, f"{stem(culture)}_surface_{label}", kind, marker, ())


def _plan(setup: _Setup, culture: Culture, name: str, kind: TubeKind, stain: str, faults: tuple[TubeFault, ...]) -> TubePlan:
    return TubePlan(
        name=name, culture=culture, cytometer=setup.cytometer, n_events=setup.n_events, kind=kind, stain=stain, plate=PLATE,
        faults=(*faults, *BROKEN_TANDEM.get(culture.donor.name, ())),
    )  # fmt: skip
