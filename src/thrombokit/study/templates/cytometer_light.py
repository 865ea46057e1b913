"""From cells to detector readings: scatter, dyes and DNA, of single cells and of two in one event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thrombokit.cells.tubes import DNA, VIABILITY
from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.study.templates.cytometer import RANGE, Cytometer
from thrombokit.study.templates.cytometer_faults import Disturbance
from thrombokit.study.templates.cytometer_pulses import (
    WIDTH_UNITS,
    pair_distances_um,
    pair_heights,
    pulse_sd_um,
    reference_sd_um,
)
from thrombokit.study.templates.megakaryocyte_cells import Cells, draw_cells
from thrombokit.study.templates.megakaryocyte_culture import MARKERS, CultureTruth, is_cell

COINCIDENCE_WINDOW_S = 5e-6
"""How long an event blocks the next; two cells within it are one event."""
HEIGHT_CV = 0.012
_FORWARD_CV, _FORWARD_NOISE_SD, _SIDE_NOISE_SD = 0.07, 60.0, 50.0  # assumed


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Second cells: `event` (m,) is where each goes, `cells` are m cells, `distance_um` (m,) is along the flow."""

    event: NDArray[np.intp]
    cells: Cells
    distance_um: Array


def draw_pairs(
    population: CultureTruth,
    cytometer: Cytometer,
    cells: Cells,
    stuck_share: float,
    rng: np.random.Generator,
    *,
    dead_share: float | None = None,
) -> Pairs:
    """Second cells for those events of cells that are two: some stuck, some that merely pass together."""
    together = 1.0 - np.exp(-cytometer.events_per_s * COINCIDENCE_WINDOW_S)
    u = rng.random(cells.cell_type.size)
    event = np.flatnonzero(is_cell(cells.cell_type) & (u < stuck_share + together))
    second = draw_cells(population, event.size, rng, only_cells=True, dead_share=dead_share)
    distance = pair_distances_um(
        cells.diameter_um[event], second.diameter_um, u[event] >= stuck_share, beam_um=cytometer.beam_um, rng=rng
    )
    return Pairs(event=event, cells=second, distance_um=distance)


def _pulse(
    area: Array, sd: Array, pair_area: Array, pair_sd: Array, pairs: Pairs, slow: Array, reference: float
) -> tuple[Array, Array]:
    """Area and height of every event's pulse; `slow` stretches time, so that the area grows and the height does not."""
    height = area * reference / sd
    at = pairs.event
    height[at] = pair_heights(area[at], sd[at], pair_area, pair_sd, pairs.distance_um) * reference
    whole = area * slow
    whole[at] += pair_area * slow[at]
    return whole, height


def read_scatter(
    cytometer: Cytometer, cells: Cells, pairs: Pairs, change: Disturbance, hit: Array, rng: np.random.Generator
) -> list[Array]:
    """FSC-A, -H, -W, SSC-A, -H, -W, each of shape (n_events,)."""
    reference = reference_sd_um(cytometer.beam_um)
    sd = pulse_sd_um(cells.diameter_um, cells.elongation, beam_um=cytometer.beam_um)
    pair_sd = pulse_sd_um(pairs.cells.diameter_um, pairs.cells.elongation, beam_um=cytometer.beam_um)
    out: list[Array] = []
    n = sd.size
    for light, cv, noise_sd in ((_forward, _FORWARD_CV, _FORWARD_NOISE_SD), (_side, 0.0, _SIDE_NOISE_SD)):
        area = light(cytometer, cells) * np.exp(cv * rng.standard_normal(n))
        pair_area = light(cytometer, pairs.cells) * np.exp(cv * rng.standard_normal(pair_sd.size))
        whole, height = _pulse(area, sd, pair_area, pair_sd, pairs, change.slow, reference)
        gain = change.gain["blue"] * hit
        whole = whole * gain + noise_sd * rng.standard_normal(n)
        height = height * gain * (1.0 + HEIGHT_CV * rng.standard_normal(n)) + 0.4 * noise_sd * rng.standard_normal(n)
        out += [whole, height, _width(whole, height)]
    return out


def _width(area: Array, height: Array) -> Array:
    return np.clip(WIDTH_UNITS * area / np.maximum(height, 1.0), 0.0, RANGE - 1.0)


def _forward(cytometer: Cytometer, cells: Cells) -> Array:
    """Forward scatter: with the surface; steeper for particles of a few um; less where the inside has leaked out."""
    size = (cells.diameter_um / 10.0) ** 2
    steeper = 1.04 / (1.0 + (2.0 / cells.diameter_um) ** 2)
    return cytometer.forward_10um * size * steeper * np.where(cells.dead, 0.55, 1.0)


def _side(cytometer: Cytometer, cells: Cells) -> Array:
    """Side scatter: with size and granularity."""
    return cytometer.side_10um * (cells.diameter_um / 10.0) ** 1.7 * cells.granularity


def _dye_light(cytometer: Cytometer, cells: Cells, staining: Array, rng: np.random.Generator) -> Array:
    """Light of each dye in its own detector, shape (n_cells, n_dyes); a little antibody binds to every cell's surface.

    `staining` (n_dyes,) is how bright each dye is in this tube, 0 where it was left out.
    """
    n = cells.cell_type.size
    light = np.zeros((n, len(cytometer.dyes)))
    surface = (cells.diameter_um / 10.0) ** 2
    for column, (dye, own) in enumerate(zip(cytometer.dyes, cytometer.own_detector, strict=True)):
        if staining[column] == 0.0:
            continue
        if dye.marker == VIABILITY:
            light[:, column] = cells.amine
        elif dye.marker == DNA:
            light[:, column] = _dna_light(cytometer, cells, surface, rng)
        else:
            everywhere = cytometer.nonspecific * cytometer.detectors[own].autofluorescence * surface
            light[:, column] = cells.antigen[:, MARKERS.index(dye.marker)] + cells.sticky + everywhere
    return light * staining


def _dna_light(cytometer: Cytometer, cells: Cells, surface: Array, rng: np.random.Generator) -> Array:
    """Propidium iodide: DNA to the power gamma, staining that varies between cells with a broad tail, and a background that grows
    with size (RNA that RNase left)."""
    n = surface.size
    broad = np.where(rng.random(n) < 0.06, 2.2, 1.0)
    varied = 1.0 + cytometer.dna_cv * broad * rng.standard_normal(n)
    background = cytometer.background * surface * np.exp(0.3 * rng.standard_normal(n))
    return cytometer.g1 * ((cells.dna_N / 2.0) ** cytometer.gamma * np.maximum(varied, 0.0) + background)


def read_fluorescence(
    cytometer: Cytometer,
    cells: Cells,
    pairs: Pairs,
    staining: Array,
    change: Disturbance,
    hit: Array,
    air: BoolArray,
    breakdown: float,
    rng: np.random.Generator,
) -> list[Array]:
    """Area of each detector, and height and width where the pulse is kept; each of shape (n_events,)."""
    matrix = cytometer.aged(breakdown)
    own = np.array([detector.autofluorescence for detector in cytometer.detectors])

    def whole(some: Cells) -> Array:
        surface = (some.diameter_um / 10.0) ** 2
        return _dye_light(cytometer, some, staining, rng) @ matrix + (surface * some.autofluorescence)[:, None] * own

    light, pair_light = whole(cells), whole(pairs.cells)
    total = light.copy()
    total[pairs.event] += pair_light
    total[air] *= 0.02
    out: list[Array] = []
    n = hit.size
    for column, detector in enumerate(cytometer.detectors):
        gain = change.gain[detector.laser] * hit
        mean = total[:, column] * gain * change.slow
        counted = np.sqrt(detector.units_per_photoelectron * np.maximum(mean, 0.0) + detector.noise_sd**2)
        area = mean + counted * rng.standard_normal(n) + detector.offset
        out.append(area)
        if detector.has_pulse:
            out += _nuclear_pulse(cytometer, cells, pairs, light[:, column], pair_light[:, column], gain, area, change, rng)
    return out


def _nuclear_pulse(
    cytometer: Cytometer, cells: Cells, pairs: Pairs, light: Array, pair_light: Array, gain: Array, area: Array,
    change: Disturbance, rng: np.random.Generator,
) -> list[Array]:  # fmt: skip
    """Height and width of the DNA pulse, which comes from the nucleus; smaller than the cell, so that two stay apart for longer."""
    beam_um = cytometer.beam_um
    sd = pulse_sd_um(cells.nucleus_um, cells.elongation, beam_um=beam_um)
    pair_sd = pulse_sd_um(pairs.cells.nucleus_um, pairs.cells.elongation, beam_um=beam_um)
    _, height = _pulse(light, sd, pair_light, pair_sd, pairs, change.slow, reference_sd_um(beam_um))
    n = height.size
    height = height * gain * (1.0 + HEIGHT_CV * rng.standard_normal(n)) + 12.0 * rng.standard_normal(n)
    return [height, _width(area, height)]
