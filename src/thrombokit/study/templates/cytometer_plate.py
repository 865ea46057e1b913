"""A plate of synthetic tubes on which gates and ploidy fits can be judged: many donors, sound tubes and faulty ones, truth beside.

Every donor fills twenty tubes: four FMO controls and ten stained wells (vehicle, eight doses, rhTPO) on the surface panel, and six
wells on the ploidy panel. Two donors of three are cord blood, the third is adult, whose cultures are rich in 16N and more.
Of the sixteen stained tubes four have a gain that steps by 5 %, four a clog of 2 s, each at a place of its own, and eight are
sound; FMO tubes are sound.
"""

from __future__ import annotations

from collections.abc import Iterator

from thrombokit.cells.tubes import TubeKind
from thrombokit.numerics.streams import stream
from thrombokit.study.templates.cytometer import PLOIDY, SURFACE
from thrombokit.study.templates.cytometer_faults import Clog, GainStep, TubeFault
from thrombokit.study.templates.cytometer_tube import TubePlan, run_tube
from thrombokit.study.templates.megakaryocyte_culture import ADULT, CORD_BLOOD, MARKERS, Culture, Donor, draw_donor
from thrombokit.study.templates.synthetic_tube import SyntheticTube
from thrombokit.study.templates.well_plan import RHTPO, VEHICLE, DoseSeries

DOSES = DoseSeries(agonist="hetrombopag", top_nM=200.0, fold=4.0, n_doses=8)
TUBES_PER_DONOR = 20
_PLOIDY_DOSES = slice(0, 8, 2)
_FAULT_ORDER = ("", "step", "", "clog")


def study_plans(seed: int, *, n_tubes: int = 240, n_events: int = 20_000) -> tuple[TubePlan, ...]:
    """The tubes of the plate, donor by donor, each donor's FMO controls first.

    Parameters
    ----------
    seed : int
        >= 0.
    n_tubes : int
        At least so many; donors are whole.
    n_events : int
        Events in each tube.
    """
    n_donors = -(-n_tubes // TUBES_PER_DONOR)
    return tuple(plan for index in range(n_donors) for plan in _donor_plans(seed, index, n_events))


def study_plate(seed: int, *, n_tubes: int = 240, n_events: int = 20_000) -> Iterator[SyntheticTube]:
    """The tubes of `study_plans`, run one at a time, so that a plate need not fit in memory."""
    return (run_tube(plan, seed) for plan in study_plans(seed, n_tubes=n_tubes, n_events=n_events))


def _donor_plans(seed: int, index: int, n_events: int) -> list[TubePlan]:
    source = ADULT if index % 3 == 2 else CORD_BLOOD
    donor = draw_donor(seed, f"donor {index + 1}", source=source)
    plate = f"plate {index // 3 + 1}"
    doses = tuple(Culture(donor=donor, agonist=DOSES.agonist, concentration_nM=dose) for dose in DOSES.doses_nM)
    vehicle, rhTPO = Culture(donor=donor, agonist=VEHICLE), Culture(donor=donor, agonist=RHTPO)
    plans = [
        TubePlan(
            name=f"{donor.name} FMO {marker}", culture=rhTPO, cytometer=SURFACE, n_events=n_events, kind=TubeKind.FMO, stain=marker,
            plate=plate,
        )
        for marker in MARKERS
    ]  # fmt: skip
    stained = [(SURFACE, culture) for culture in (vehicle, *doses, rhTPO)]
    stained += [(PLOIDY, culture) for culture in (vehicle, *doses[_PLOIDY_DOSES], rhTPO)]
    for place, (cytometer, culture) in enumerate(stained):
        name = f"{donor.name} {cytometer.panel} {culture.agonist} {culture.concentration_nM:g} nM"
        faults = _faults(seed, donor, place, index)
        plans.append(TubePlan(name=name, culture=culture, cytometer=cytometer, n_events=n_events, plate=plate, faults=faults))
    return plans


def _faults(seed: int, donor: Donor, place: int, index: int) -> tuple[TubeFault, ...]:
    """The fault of a donor's stained tube; the order moves on by one with each donor, so that every kind of well meets every fault."""
    kind = _FAULT_ORDER[(place + index) % len(_FAULT_ORDER)]
    start = float(stream(seed, "cytometer plate", donor.name, place, "fault").uniform(0.25, 0.70))
    if kind == "step":
        return (GainStep(factor=1.05, start=start),)
    return (Clog(seconds=2.0, start=start),) if kind == "clog" else ()
