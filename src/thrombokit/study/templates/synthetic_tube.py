"""One synthetic tube in memory: the sample as a reader would give it, what the sample sheet says of it, and the truth beside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thrombokit.cells.sample import Sample
from thrombokit.cells.tubes import Tube, TubeKind
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays
from thrombokit.study.templates.cytometer import Cytometer
from thrombokit.study.templates.cytometer_faults import TubeFault
from thrombokit.study.templates.megakaryocyte_culture import MARKERS, Culture, CultureTruth, is_cell, is_megakaryocyte
from thrombokit.study.templates.well_plan import RHTPO, VEHICLE


@dataclass(frozen=True, kw_only=True, eq=False)
class TubeTruth(FrozenArrays):
    """What every event is; arrays of n_events rows that cannot be written to.

    `cell_type` is a place in `megakaryocyte_culture.CELL_TYPES`, `ploidy` the class of DNA (2 to 64; 0 for particles); of two cells in
    one event both stand for the first, `second_type` and `second_ploidy` for the second (-1 and 0: there is none). `dna_N` is the DNA of the
    whole event, `diameter_um` the first cell's size. `live`: no cell of the event is dead (False for particles). `positive` (n_events, 4),
    by `MARKERS`: the marker is on the surface of the event's own cells; `coated`: platelets stuck to a progenitor feign CD41, CD61 and
    CD42b; `shed`: a cell that has lost its CD42b. `in_fault`: inside the window of a fault. `culture` is the population the tube was
    drawn from.
    """

    culture: CultureTruth
    cell_type: NDArray[np.int8]
    ploidy: NDArray[np.int16]
    second_type: NDArray[np.int8]
    second_ploidy: NDArray[np.int16]
    dna_N: Array
    diameter_um: Array
    s_phase: BoolArray
    live: BoolArray
    singlet: BoolArray
    coated: BoolArray
    shed: BoolArray
    positive: BoolArray
    in_fault: BoolArray
    faults: tuple[TubeFault, ...] = ()

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def is_positive(self, marker: str) -> BoolArray:
        """Whether each event truly carries a marker, shape (n_events,)."""
        return self.positive[:, MARKERS.index(marker)]

    @property
    def is_doublet(self) -> BoolArray:
        """Two nucleated cells in one event."""
        return ~self.singlet

    @property
    def is_cell(self) -> BoolArray:
        """Nucleated cells, single or two."""
        return is_cell(self.cell_type)

    @property
    def is_megakaryocyte(self) -> BoolArray:
        """Single megakaryocytes, dead ones included."""
        return is_megakaryocyte(self.cell_type) & self.singlet


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticTube:
    """A tube in memory: the sample as a reader would give it, what the sample sheet says, and the truth.

    `staining` maps what the panel stains to the brightness of its dye in this tube (1: as everywhere, 0: not in the tube).
    """

    name: str
    culture: Culture
    cytometer: Cytometer
    kind: TubeKind
    stain: str
    plate: str
    sample: Sample
    staining: dict[str, float]
    truth: TubeTruth

    @property
    def role(self) -> str:
        """The culture's role: vehicle, positive_control or sample."""
        return {VEHICLE: "vehicle", RHTPO: "positive_control"}.get(self.culture.agonist, "sample")

    def to_tube(self) -> Tube:
        """The tube as the analysis takes it, without the truth."""
        culture = self.culture
        return Tube(
            name=self.name, sample=self.sample, panel=self.cytometer.panel_noun(), kind=self.kind, stain=self.stain,
            donor=culture.donor.name, plate=self.plate, day_d=culture.day_d, role=self.role, agonist=culture.agonist,
            concentration_nM=None if culture.agonist == RHTPO else culture.concentration_nM, cell_source=culture.donor.source.name,
        )  # fmt: skip
