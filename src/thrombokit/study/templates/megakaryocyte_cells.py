"""Single cells of a synthetic culture: size, DNA, antigens and state, before any instrument looks at them.

Antigen amounts are given in the units of the detector that will see them: what a cell of 10 um diameter would show per unit of surface,
times its surface. Size follows DNA with the exponent of fresh marrow megakaryocytes: 21 um at 2N and 56 um at 64N, so that the diameter
grows as DNA^0.283 (Tomer, Blood 104:4166, abstract); cultured cells are smaller throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.study.templates.megakaryocyte_culture import (
    CELL_TYPES,
    DEBRIS,
    EARLY,
    EARLY_CD42B,
    IMMATURE,
    MARKERS,
    MATURE,
    OTHER,
    PLATELET,
    PLOIDY_CLASSES,
    PROGENITOR,
    CultureTruth,
    is_cell,
    is_megakaryocyte,
)

DIAMETER_EXPONENT = 0.283
S_SHARE_MK, S_SHARE_OTHER = 0.08, 0.12  # cells in S phase; assumed
_SMALLEST_PARTICLE_UM = 1.9  # what still triggers the cytometer; assumed
_DENSITY = {
    # signal per surface of a 10 um cell, in detector units, and its SD on the natural logarithm; assumed
    "CD34": {PROGENITOR: (3000.0, 0.65), EARLY: (1600.0, 0.65), EARLY_CD42B: (1100.0, 0.65)},
    "CD41": {EARLY: (2500.0, 0.60), EARLY_CD42B: (5000.0, 0.50), IMMATURE: (5500.0, 0.50), MATURE: (9000.0, 0.45), PLATELET: (9000.0, 0.40)},
    "CD42b": {EARLY_CD42B: (1100.0, 0.70), MATURE: (2000.0, 0.70), PLATELET: (5000.0, 0.40)},
}  # fmt: skip
_CD61_PER_CD41, _CD61_MONOCYTIC = 0.55, (180.0, 0.40)
_NUCLEUS_2N_UM, _PLATELET_UM = 7.5, 3.0
_GRANULARITY = {PROGENITOR: 0.6, EARLY: 0.7, EARLY_CD42B: 0.8, IMMATURE: 0.9, MATURE: 1.1, OTHER: 1.8, PLATELET: 0.8, DEBRIS: 1.5}
_DEAD_BINDING, _DEBRIS_BINDING = (250.0, 0.6), (120.0, 0.9)  # antibody that sticks to dead cells and to debris; assumed
_AMINE_LIVE, _AMINE_DEAD = (300.0, 0.25), (12_000.0, 0.45)  # fixable dye: surface of the living, whole inside of the dead; assumed
_APOPTOTIC_SHARE = 0.3  # of dead cells: have lost part of their DNA; assumed


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """n cells and particles; every array has n rows.

    `antigen` (n, 4) and `positive` (n, 4) go by `MARKERS`; `sticky` is antibody bound without an antigen, alike for every dye. `dna_N` is
    the DNA really there (a 2N cell in mid S phase has 3), `ploidy` its class (S counts with the lower; 0 for particles). `elongation` is the
    length along the flow over the diameter. `autofluorescence` and `granularity` are relative to the average cell of that size.
    """

    cell_type: NDArray[np.int8]
    ploidy: NDArray[np.int16]
    s_phase: BoolArray
    dna_N: Array
    diameter_um: Array
    elongation: Array
    nucleus_um: Array
    dead: BoolArray
    coated: BoolArray
    shed: BoolArray
    antigen: Array
    positive: BoolArray
    sticky: Array
    amine: Array
    autofluorescence: Array
    granularity: Array


def draw_cells(
    truth: CultureTruth, n: int, rng: np.random.Generator, *, only_cells: bool = False, dead_share: float | None = None
) -> Cells:
    """`n` cells and particles of a culture at random.

    Parameters
    ----------
    truth : CultureTruth
    n : int
    rng : numpy.random.Generator
    only_cells : bool
        Leave particles out.
    dead_share : float, optional
        Instead of the culture's own, as in a control tube of which half was heated.
    """
    shares = truth.shares[: OTHER + 1] if only_cells else truth.shares
    edges = np.cumsum(shares) / shares.sum()
    cell_type = np.minimum(np.searchsorted(edges, rng.random(n), side="right"), shares.size - 1).astype(np.int8)
    cells, mk = is_cell(cell_type), is_megakaryocyte(cell_type)
    step, s_phase, dna_N = _draw_dna(truth, cell_type, cells, mk, rng)
    diameter_um = _draw_diameter(truth, cell_type, mk, dna_N, rng)
    surface = (diameter_um / 10.0) ** 2
    dead = cells & (rng.random(n) < (truth.dead_share if dead_share is None else dead_share))
    coated = (cell_type == PROGENITOR) & (rng.random(n) < truth.coated_share)
    shed = ((cell_type == MATURE) | (cell_type == EARLY_CD42B)) & (rng.random(n) < truth.shed_share)
    monocytic = (cell_type == OTHER) & (rng.random(n) < truth.monocytic_share)
    antigen = _draw_antigens(cell_type, surface, dead, coated, shed, monocytic, rng)
    dna_N = np.where(dead & (rng.random(n) < _APOPTOTIC_SHARE), dna_N * rng.uniform(0.3, 0.95, n), dna_N)
    ploidy = np.where(cells, np.array(PLOIDY_CLASSES)[step], 0).astype(np.int16)
    debris = cell_type == DEBRIS
    sticky = np.where(dead, _scattered(_DEAD_BINDING, n, rng), np.where(debris, _scattered(_DEBRIS_BINDING, n, rng), 0.0))
    amine = np.where(dead | (debris & (rng.random(n) < 0.4)), _scattered(_AMINE_DEAD, n, rng), _scattered(_AMINE_LIVE, n, rng))
    autofluorescence = np.exp(0.28 * rng.standard_normal(n)) * np.where(cell_type == OTHER, 1.1, 1.0) * np.where(dead, 1.6, 1.0)
    granularity = _by_type(_GRANULARITY, cell_type, 1.0) * np.exp(0.22 * rng.standard_normal(n)) * np.where(dead, 1.6, 1.0)
    return Cells(
        cell_type=cell_type, ploidy=ploidy, s_phase=s_phase, dna_N=dna_N, diameter_um=diameter_um,
        elongation=np.exp(np.where(cell_type == MATURE, 0.05, 0.03) * rng.standard_normal(n)),
        nucleus_um=_NUCLEUS_2N_UM * (np.maximum(dna_N, 0.2) / 2.0) ** (1.0 / 3.0),
        dead=dead, coated=coated, shed=shed, antigen=antigen, positive=_positive(cell_type, shed, monocytic),
        sticky=sticky * surface, amine=amine * surface, autofluorescence=autofluorescence, granularity=granularity,
    )  # fmt: skip


def _scattered(level: tuple[float, float], n: int, rng: np.random.Generator) -> Array:
    median, sd = level
    return median * np.exp(sd * rng.standard_normal(n))


def _by_type(values: dict[int, float], cell_type: NDArray[np.int8], otherwise: float) -> Array:
    table = np.full(len(CELL_TYPES), otherwise)
    for kind, value in values.items():
        table[kind] = value
    return table[cell_type]


def _draw_dna(
    truth: CultureTruth, cell_type: NDArray[np.int8], cells: BoolArray, mk: BoolArray, rng: np.random.Generator
) -> tuple[NDArray[np.int64], BoolArray, Array]:
    """Step of the ploidy class (0 = 2N), whether in S phase, and DNA in N; more of the S cells are early than late."""
    n = cell_type.size
    edges = np.cumsum(truth.ploidy, axis=1)[cell_type]
    step = np.minimum((rng.random(n)[:, None] > edges).sum(axis=1), len(PLOIDY_CLASSES) - 1)
    share = np.where(mk, S_SHARE_MK, S_SHARE_OTHER)
    cycling = cells & (step < len(PLOIDY_CLASSES) - 1) & (mk | (step == 0))
    s_phase = cycling & (rng.random(n) < share)
    dna_N = np.where(cells, 2.0 * 2.0**step * (1.0 + s_phase * rng.beta(1.2, 1.7, n)), 0.0)
    fragments = (cell_type == DEBRIS) & (rng.random(n) < 0.5)
    return step, s_phase, np.where(fragments, rng.exponential(0.5, n), dna_N)


def _draw_diameter(
    truth: CultureTruth, cell_type: NDArray[np.int8], mk: BoolArray, dna_N: Array, rng: np.random.Generator
) -> Array:
    """Diameter in um; lognormal about the type's, particles with a falling tail as debris has."""
    n = cell_type.size
    two_n = truth.culture.donor.source.diameter_2n_um
    median = _by_type({PROGENITOR: 9.5, OTHER: 11.0, PLATELET: _PLATELET_UM}, cell_type, two_n)  # assumed
    sd = _by_type({OTHER: 0.11, PLATELET: 0.20}, cell_type, 0.09)
    grown = np.where(is_cell(cell_type), (np.maximum(dna_N, 2.0) / 2.0) ** DIAMETER_EXPONENT, 1.0)
    diameter = median * grown * np.exp(sd * rng.standard_normal(n))
    diameter *= np.where(cell_type == EARLY, 0.88, 1.0)
    particles = np.minimum(_SMALLEST_PARTICLE_UM + rng.exponential(1.5, n), 9.0)
    return np.where(cell_type == DEBRIS, particles, np.maximum(diameter, _SMALLEST_PARTICLE_UM))


def _draw_antigens(
    cell_type: NDArray[np.int8], surface: Array, dead: BoolArray, coated: BoolArray, shed: BoolArray, monocytic: BoolArray,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    """Amounts (n, 4) in detector units; CD61 goes with CD41, as both are one complex; platelets on a cell bring their own."""
    n = cell_type.size
    out = np.zeros((n, len(MARKERS)))
    kept = np.where(dead, 0.6, 1.0)
    for column, marker in enumerate(MARKERS):
        if marker in _DENSITY:
            levels = _DENSITY[marker]
            median = _by_type({kind: level for kind, (level, _) in levels.items()}, cell_type, 0.0)
            sd = _by_type({kind: sd for kind, (_, sd) in levels.items()}, cell_type, 0.0)
            out[:, column] = kept * median * surface * np.exp(sd * rng.standard_normal(n))
    cd41, cd61, cd42b = (MARKERS.index(marker) for marker in ("CD41", "CD61", "CD42b"))
    fragments = (cell_type == DEBRIS) & (rng.random(n) < 0.25)
    n_platelets = 1 + rng.poisson(0.8, n)
    out[:, cd41] += np.where(fragments, _scattered((2500.0, 0.6), n, rng) * surface, 0.0)
    out[:, cd42b] *= np.where(shed, rng.uniform(0.0, 0.02, n), 1.0)
    for column, marker in ((cd41, "CD41"), (cd42b, "CD42b")):
        one = _DENSITY[marker][PLATELET][0] * (_PLATELET_UM / 10.0) ** 2
        out[:, column] += np.where(coated, n_platelets * one * np.exp(0.35 * rng.standard_normal(n)), 0.0)
    out[:, cd61] = _CD61_PER_CD41 * out[:, cd41] * np.exp(0.18 * rng.standard_normal(n))
    out[:, cd61] += np.where(monocytic, _scattered(_CD61_MONOCYTIC, n, rng) * surface, 0.0)
    return out


def _positive(cell_type: NDArray[np.int8], shed: BoolArray, monocytic: BoolArray) -> BoolArray:
    """Whether each marker is the cell's own and on its surface, (n, 4); platelets stuck to a cell do not count."""
    mk, platelet = is_megakaryocyte(cell_type), cell_type == PLATELET
    cd34 = cell_type <= EARLY_CD42B
    cd42b = ((cell_type == EARLY_CD42B) | (cell_type == MATURE)) & ~shed
    return np.stack([cd34, mk | platelet, mk | platelet | monocytic, cd42b | platelet], axis=1)
