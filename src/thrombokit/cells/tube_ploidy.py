"""Ploidy of every tube with a DNA dye: megakaryocytes (CD41+) fitted plate-wide, their 2N placed by the diploid CD41- cells of the same tubes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from thrombokit.cells.gates import GateTree
from thrombokit.cells.membership import apply_gates
from thrombokit.cells.ploidy import class_probabilities, fit_ploidy
from thrombokit.cells.ploidy_plate import fit_ploidy_plate
from thrombokit.cells.strategy import FittedStrategy, Group
from thrombokit.cells.tubes import DNA, Tube, TubeKind
from thrombokit.domain.ploidy import CLASSES, Ploidy
from thrombokit.numerics.arrays import Array, BoolArray, IntArray
from thrombokit.scale.engine import Engine

MEGAKARYOCYTES = "CD41+"
FEWEST_DIPLOID_CELLS = 200
"""CD41- cells of a control group below which they place no 2N."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TubePloidy:
    """The ploidy of one tube, with what the sample sheet says of it."""

    tube: str
    donor: str
    ploidy: Ploidy
    plate: str = ""
    day_d: float | None = None
    panel: str = ""
    role: str = "sample"
    agonist: str = ""
    concentration_nM: float | None = None
    cell_source: str = ""


def ploidy_of_tubes(tubes: Sequence[Tube], fitted: Mapping[Group, FittedStrategy], *, engine: Engine) -> tuple[TubePloidy, ...]:
    """Ploidy of the megakaryocytes of each fully stained tube whose panel has a DNA dye.

    Parameters
    ----------
    tubes : sequence of Tube
        Others than those are passed over.
    fitted : mapping of control group to FittedStrategy
        From `analyse_samples`; a group without a CD41+ gate is fitted on all of its analysed cells, without a diploid reference.
    engine : Engine
        Where the wells of a group are fitted.

    Returns
    -------
    tuple of TubePloidy
        In the order of `tubes`; the verdict of each says what placed the octave.
    """
    stained = [tube for tube in tubes if tube.kind is TubeKind.FULL and DNA in tube.panel.channels and tube.control_group in fitted]
    found: dict[str, Ploidy] = {}
    for group in dict.fromkeys(tube.control_group for tube in stained):
        members = [tube for tube in stained if tube.control_group == group]
        signals = [_signals(tube, fitted[group]) for tube in members]
        reference = _reference_2n(np.concatenate([diploid for _, diploid in signals]))
        plate = fit_ploidy_plate(
            [cells for cells, _ in signals], reference_2n=reference, names=[tube.name for tube in members], engine=engine
        )
        found |= dict(zip(plate.names, plate.wells, strict=True))
    return tuple(
        TubePloidy(
            tube=tube.name, donor=tube.donor, ploidy=found[tube.name], plate=tube.plate, day_d=tube.day_d, panel=tube.panel.name,
            role=tube.role, agonist=tube.agonist, concentration_nM=tube.concentration_nM, cell_source=tube.cell_source,
        )
        for tube in stained
    )  # fmt: skip


def classes_of_events(tubes: Sequence[Tube], found: Sequence[TubePloidy]) -> dict[str, IntArray]:
    """Tube -> ploidy class of each of its events, shape (n_events,): 0 to 5 for 2N to 64N, -1 where no class is likelier than not."""
    by_name = {tube.name: tube for tube in tubes}
    classes: dict[str, IntArray] = {}
    for one in found:
        if one.ploidy.is_known and one.ploidy.histogram is not None:
            likely = class_probabilities(_dna(by_name[one.tube]), one.ploidy)
            classes[one.tube] = np.where(likely.max(axis=1) > 0.5, likely.argmax(axis=1), -1).astype(np.int64)
    return classes


def class_table(found: Sequence[TubePloidy]) -> pl.DataFrame:
    """Tubes whose ploidy is known, one row a tube: shares of the classes, their standard errors and the cells they rest on.

    Returns
    -------
    DataFrame
        donor, agonist, concentration_nM, role, day_d, plate, panel, tube, `2N` to `64N`, `se_2N` to `se_64N`, n_effective; empty without one.
    """
    known = [one for one in found if one.ploidy.is_known]
    rows = [
        {
            "donor": one.donor, "agonist": one.agonist or None, "concentration_nM": one.concentration_nM, "role": str(one.role),
            "day_d": one.day_d, "plate": one.plate, "panel": one.panel, "tube": one.tube,
            **dict(zip(CLASSES, map(float, one.ploidy.fractions), strict=True)),
            **{f"se_{name}": float(se) for name, se in zip(CLASSES, _standard_errors(one.ploidy), strict=True)},
            "n_effective": one.ploidy.n_cells,
        }
        for one in known
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame()


def _standard_errors(ploidy: Ploidy) -> Array:
    """From the 95 % intervals: half their width over 1.96."""
    return (ploidy.high - ploidy.low) / (2.0 * 1.959963984540054)


def _signals(tube: Tube, fitted: FittedStrategy) -> tuple[Array, Array]:
    """DNA signal of the megakaryocytes, and of the cells of the same tube that are none."""
    members = apply_gates(tube.sample, fitted.tree)
    everything = np.ones(tube.sample.n_events, dtype=bool)
    analysed: BoolArray = members[fitted.analysed] if fitted.analysed else everything
    signal = _dna(tube)
    if not _has(fitted.tree, MEGAKARYOCYTES):
        return signal[analysed], signal[:0]
    positive = members[MEGAKARYOCYTES]
    return signal[analysed & positive], signal[analysed & ~positive]


def _dna(tube: Tube) -> Array:
    """The DNA dye's linear signal of every event."""
    column = tube.sample.channel_names.index(tube.panel.channels[DNA])
    return np.ascontiguousarray(tube.sample.events("decoded")[:, column], dtype=np.float64)


def _has(tree: GateTree, id: str) -> bool:
    return id in tree.population_ids


def _reference_2n(diploid: Array) -> float | None:
    """The 2N peak of diploid cells; None where they show none."""
    if diploid.size < FEWEST_DIPLOID_CELLS:
        return None
    position = fit_ploidy(diploid).g1_peak
    return float(position) if np.isfinite(position) else None
