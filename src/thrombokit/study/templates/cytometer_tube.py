"""Run one synthetic tube: cells of a culture, stained, some stuck together, through the cytometer, with the truth beside.

Written as physics and biology, apart from the gates on purpose: nothing here knows how a tube will be gated. The truth is a label for
every event, so that what an analysis says of the tube can be counted against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.cells.sample import Sample
from thrombokit.cells.tubes import VIABILITY, TubeKind
from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.numerics.streams import stream
from thrombokit.study.templates.cytometer import RANGE, TIMESTEP_S, Cytometer
from thrombokit.study.templates.cytometer_faults import (
    TubeFault,
    air_events,
    arrival_times_s,
    disturbance,
    fault_windows,
    tandem_breakdown,
)
from thrombokit.study.templates.cytometer_light import Pairs, draw_pairs, read_fluorescence, read_scatter
from thrombokit.study.templates.megakaryocyte_cells import Cells, draw_cells
from thrombokit.study.templates.megakaryocyte_culture import AIR, Culture, CultureTruth, culture_truth, is_cell
from thrombokit.study.templates.synthetic_tube import SyntheticTube, TubeTruth

STUCK_SHARE = 0.05
"""Share of cells' events that are two cells stuck together; assumed: 3 to 8 % are common in filtered cultures."""
HEATED_SHARE = 0.5
"""Dead cells in the viability dye's single stain, half of which was heated."""
SIMULATED_KINDS = (TubeKind.FULL, TubeKind.FMO, TubeKind.SINGLE_STAIN, TubeKind.UNSTAINED)
_FIRST_MINUTE = 9 * 60


@dataclass(frozen=True, kw_only=True)
class TubePlan:
    """A tube still to be run; `run_tube` gives the same events for the same plan, whatever else is run.

    `stain` is the marker left out (FMO) or the only one (single stain). `number` is the place in the run: times of day in the
    keywords count two minutes a tube. `stuck_share` is the share of cells' events that are two cells stuck together.
    """

    name: str
    culture: Culture
    cytometer: Cytometer
    n_events: int
    kind: TubeKind = TubeKind.FULL
    stain: str = ""
    plate: str = "plate 1"
    faults: tuple[TubeFault, ...] = ()
    number: int = 0
    stuck_share: float = STUCK_SHARE

    def __post_init__(self) -> None:
        if self.n_events < 1:
            raise ValueError(f"{self.name}: {self.n_events} events; at least one is needed")
        if self.kind in (TubeKind.FMO, TubeKind.SINGLE_STAIN) and self.stain not in self.cytometer.markers:
            named = ", ".join(self.cytometer.markers)
            raise ValueError(f"{self.name}: {self.kind} tube of {self.stain!r}; the {self.cytometer.panel} panel stains {named}")
        if self.kind not in SIMULATED_KINDS:
            raise ValueError(f"{self.name}: no {self.kind} tube can be made; known are {', '.join(SIMULATED_KINDS)}")


def run_tube(plan: TubePlan, seed: int) -> SyntheticTube:
    """Run a planned tube, with a stream named after plate, panel and tube; synthetic."""
    return _run(plan, stream(seed, "cytometer", plan.plate, plan.cytometer.panel, plan.name))


def simulate_tube(
    culture: Culture,
    cytometer: Cytometer,
    *,
    n_events: int,
    rng: np.random.Generator,
    kind: TubeKind = TubeKind.FULL,
    stain: str = "",
    faults: tuple[TubeFault, ...] = (),
    name: str = "tube",
) -> SyntheticTube:
    """Run one tube; synthetic.

    Parameters
    ----------
    culture : Culture
        Whose cells.
    cytometer : Cytometer
        `SURFACE`, `PLOIDY` or a copy with other figures.
    n_events : int
        Recorded events, doublets counted once.
    rng : numpy.random.Generator
        From `stream`, named after the tube.
    kind : TubeKind
    stain : str
        The marker left out (FMO) or the only one (single stain).
    faults : tuple of TubeFault
        What goes wrong while the tube runs.
    name : str

    Returns
    -------
    SyntheticTube
        float32 events of shape (n_events, n_channels), and the truth.

    Raises
    ------
    ValueError
        If `stain` names no marker of the panel where one is needed, `n_events` is not positive, or the kind is not simulated.
    """
    plan = TubePlan(name=name, culture=culture, cytometer=cytometer, n_events=n_events, kind=kind, stain=stain, faults=faults)
    return _run(plan, rng)


def _run(plan: TubePlan, rng: np.random.Generator) -> SyntheticTube:
    cytometer, n_events, faults = plan.cytometer, plan.n_events, plan.faults
    population = culture_truth(plan.culture)
    heated = HEATED_SHARE if (plan.kind, plan.stain) == (TubeKind.SINGLE_STAIN, VIABILITY) else None
    cells = draw_cells(population, n_events, rng, dead_share=heated)
    pairs = draw_pairs(population, cytometer, cells, plan.stuck_share, rng, dead_share=heated)
    length_s = n_events / cytometer.events_per_s
    time_s = arrival_times_s(n_events, events_per_s=cytometer.events_per_s, faults=faults, rng=rng)
    change = disturbance(time_s, length_s, cytometer.lasers, faults, rng)
    air = air_events(time_s, length_s, faults, rng)
    change.gain["blue"][air] *= np.exp(rng.standard_normal(int(air.sum())))
    staining = _stained(plan) * np.exp(cytometer.staining_cv * rng.standard_normal(len(cytometer.dyes)))
    hit = np.exp(cytometer.illumination_cv * rng.standard_normal(n_events))
    columns = [
        *read_scatter(cytometer, cells, pairs, change, hit, rng),
        *read_fluorescence(cytometer, cells, pairs, staining, change, hit, air, tandem_breakdown(faults), rng),
        time_s / TIMESTEP_S,
    ]
    events = np.empty((n_events, len(columns)), dtype=np.float32)
    for place, column in enumerate(columns):
        np.minimum(column, RANGE - 1.0, out=events[:, place], casting="same_kind")
    events.flags.writeable = False
    sample = Sample(
        name=f"{plan.name}.fcs", channels=cytometer.channels(), stored=events, keywords=_keywords(plan, length_s),
        spillover=cytometer.stated_spillover(),
    )  # fmt: skip
    return SyntheticTube(
        name=plan.name, culture=plan.culture, cytometer=cytometer, kind=plan.kind, stain=plan.stain, plate=plan.plate,
        sample=sample, staining=dict(zip(cytometer.markers, staining.tolist(), strict=True)),
        truth=_labels(population, cells, pairs, air, fault_windows(time_s, length_s, faults), faults),
    )  # fmt: skip


def _stained(plan: TubePlan) -> Array:
    """1 for each of the panel's dyes that is in the tube, 0 for the others, shape (n_dyes,)."""
    one = np.array([float(marker == plan.stain) for marker in plan.cytometer.markers])
    made = {TubeKind.FULL: np.ones_like(one), TubeKind.FMO: 1.0 - one, TubeKind.SINGLE_STAIN: one, TubeKind.UNSTAINED: 0.0 * one}
    return made[plan.kind]


def _labels(
    population: CultureTruth, cells: Cells, pairs: Pairs, air: BoolArray, in_fault: BoolArray, faults: tuple[TubeFault, ...]
) -> TubeTruth:
    """Labels of events from those of their cells."""
    n = cells.cell_type.size
    second_type, second_ploidy = np.full(n, -1, dtype=np.int8), np.zeros(n, dtype=np.int16)
    second_type[pairs.event], second_ploidy[pairs.event] = pairs.cells.cell_type, pairs.cells.ploidy
    cell_type = np.where(air, AIR, cells.cell_type).astype(np.int8)
    dna_N, dead, positive = cells.dna_N.copy(), cells.dead.copy(), cells.positive.copy()
    s_phase, coated, shed = cells.s_phase.copy(), cells.coated.copy(), cells.shed.copy()
    dna_N[pairs.event] += pairs.cells.dna_N
    for mine, second in ((dead, pairs.cells.dead), (positive, pairs.cells.positive), (s_phase, pairs.cells.s_phase),
                         (coated, pairs.cells.coated), (shed, pairs.cells.shed)):  # fmt: skip
        mine[pairs.event] |= second
    positive[air] = False
    second_type[air], second_ploidy[air], dna_N[air] = -1, 0, 0.0
    return TubeTruth(
        culture=population, cell_type=cell_type, ploidy=np.where(air, 0, cells.ploidy).astype(np.int16), second_type=second_type,
        second_ploidy=second_ploidy, dna_N=dna_N, diameter_um=cells.diameter_um.copy(), s_phase=s_phase & ~air,
        live=is_cell(cell_type) & ~dead, singlet=second_type < 0, coated=coated & ~air, shed=shed & ~air, positive=positive,
        in_fault=in_fault, faults=faults,
    )  # fmt: skip


def _keywords(plan: TubePlan, length_s: float) -> dict[str, str]:
    """Keywords of the file; the date is made up and the same for every run, the hours count up with the tube's number."""
    start_s = 60.0 * (_FIRST_MINUTE + 2 * plan.number)
    return {
        "$CYT": "SYNTHETIC",
        "$DATE": "06-MAY-2024",
        "$BTIM": _hour(start_s),
        "$ETIM": _hour(start_s + length_s),
        "$TIMESTEP": f"{TIMESTEP_S}",
        "$FIL": f"{plan.name}.fcs",
        "$SRC": plan.culture.donor.name,
        "$COM": "Synthetic data written by thrombokit; no instrument took part",
        "SYNTHETIC": "yes",
        "PANEL": plan.cytometer.panel,
    }


def _hour(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600 % 24:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
