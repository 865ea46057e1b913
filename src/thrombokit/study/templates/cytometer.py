"""The synthetic cytometer: detectors, dyes, the light that spills, and the noise of each step.

What a detector shows of an event is built up in the order in which it happens: dyes and the cell's own light fall on all detectors
(spillover, autofluorescence); the laser hits a little more or a little less (one factor for the event); photons are counted, so that the
variance grows with the light, also with light that spilled over and is later subtracted; electronics add noise and a small offset; the
converter ends at 262144. Negative values are what is left after the baseline is taken off. All figures are assumed, in the range that
bench cytometers have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.cells.sample import Channel
from thrombokit.cells.spillover import Spillover
from thrombokit.cells.tubes import DNA, VIABILITY, Panel, Viability
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen

RANGE = 262_144.0
SCATTER = ("FSC-A", "FSC-H", "FSC-W", "SSC-A", "SSC-H", "SSC-W")
TIMESTEP_S = 0.01


@dataclass(frozen=True, kw_only=True)
class Detector:
    """A fluorescence detector.

    `autofluorescence` is the light of an unstained 10 um cell; it grows with the cell's surface. `units_per_photoelectron` sets the
    counting noise, `noise_sd` and `offset` are electronic; all in channel units. `laser` names the laser: a fault may hit one.
    """

    name: str
    laser: str
    autofluorescence: float
    units_per_photoelectron: float
    noise_sd: float
    offset: float = 0.0
    has_pulse: bool = False


@dataclass(frozen=True, kw_only=True)
class Dye:
    """A stain: what it marks, its name, the detector it is read in, and the tandem's donor detector ("" if no tandem)."""

    marker: str
    name: str
    detector: str
    donor_detector: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cytometer(FrozenArrays):
    """An instrument set up for one panel.

    `spillover` has shape (n_dyes, n_detectors), row by dye in the order of `dyes`, 1 in the dye's own detector: fresh dyes. `gamma` is the
    exponent by which the DNA signal follows DNA (1: in proportion), `g1` the channel of 2N, `background` the share of it that a
    10 um cell shows without DNA. `staining_cv` is how much the brightness of a dye differs between tubes, `illumination_cv` how much
    the light differs between events. `events_per_s` is the flow rate, `beam_um` the 1/e^2 height of the laser spot along the flow.
    """

    panel: str
    dyes: tuple[Dye, ...]
    detectors: tuple[Detector, ...]
    spillover: Array
    events_per_s: float = 1000.0
    beam_um: float = 9.0
    forward_10um: float = 14_000.0
    side_10um: float = 12_000.0
    illumination_cv: float = 0.02
    staining_cv: float = 0.03
    nonspecific: float = 0.02
    fixed: bool = False
    g1: float = 6000.0
    gamma: float = 0.99
    dna_cv: float = 0.04
    background: float = 0.02

    def __post_init__(self) -> None:
        object.__setattr__(self, "spillover", frozen(self.spillover))

    @property
    def markers(self) -> tuple[str, ...]:
        """What the panel stains, viability and DNA included."""
        return tuple(dye.marker for dye in self.dyes)

    @property
    def own_detector(self) -> tuple[int, ...]:
        """For each dye the place of its detector."""
        names = [detector.name for detector in self.detectors]
        return tuple(names.index(dye.detector) for dye in self.dyes)

    @property
    def lasers(self) -> tuple[str, ...]:
        """Lasers in use; scatter is of the blue one."""
        return tuple(dict.fromkeys(["blue", *(detector.laser for detector in self.detectors)]))

    def aged(self, breakdown: float) -> Array:
        """The spillover, shape (n_dyes, n_detectors), when the share `breakdown` of each tandem shines as its donor dye does."""
        names = [detector.name for detector in self.detectors]
        matrix = np.array(self.spillover)
        for row, dye in enumerate(self.dyes):
            if dye.donor_detector:
                matrix[row, names.index(dye.donor_detector)] += breakdown
        return matrix

    def stated_spillover(self) -> Spillover:
        """The matrix of fresh dyes, as a file carries it: square, on the dyes' own detectors."""
        own = list(self.own_detector)
        names = tuple(dye.detector for dye in self.dyes)
        return Spillover(channels=names, matrix=self.spillover[:, own], source="$SPILLOVER of the synthetic cytometer")

    def channels(self) -> tuple[Channel, ...]:
        """The channels of a file: scatter, fluorescence (area; height and width where the pulse is kept), time."""
        labels = {dye.detector: f"{dye.marker} {dye.name}" for dye in self.dyes}
        named: list[Channel] = [Channel(name=name, range_max=RANGE) for name in SCATTER]
        for detector in self.detectors:
            named.append(Channel(name=detector.name, label=labels.get(detector.name, ""), range_max=RANGE))
            if detector.has_pulse:
                stem = detector.name.removesuffix("-A")
                named += [Channel(name=f"{stem}-H", range_max=RANGE), Channel(name=f"{stem}-W", range_max=RANGE)]
        return (*named, Channel(name="Time", range_max=RANGE))

    def panel_noun(self) -> Panel:
        """The panel as a sample sheet would describe it."""
        return Panel(
            name=self.panel,
            channels={dye.marker: dye.detector for dye in self.dyes},
            viability=Viability.FIXABLE if VIABILITY in self.markers else Viability.NONE,
            fixed=self.fixed,
        )


SURFACE = Cytometer(
    panel="surface",
    dyes=(
        Dye(marker=VIABILITY, name="Aqua", detector="BV510-A"),
        Dye(marker="CD41", name="FITC", detector="FITC-A"),
        Dye(marker="CD42b", name="PE", detector="PE-A"),
        Dye(marker="CD34", name="PE-Cy7", detector="PE-Cy7-A", donor_detector="PE-A"),
        Dye(marker="CD61", name="APC", detector="APC-A"),
    ),
    detectors=(
        Detector(name="BV510-A", laser="violet", autofluorescence=220.0, units_per_photoelectron=8.0, noise_sd=35.0, offset=4.0),
        Detector(name="FITC-A", laser="blue", autofluorescence=150.0, units_per_photoelectron=5.0, noise_sd=30.0, offset=-3.0),
        Detector(name="PE-A", laser="blue", autofluorescence=100.0, units_per_photoelectron=3.0, noise_sd=28.0, offset=2.0),
        Detector(name="PE-Cy7-A", laser="blue", autofluorescence=35.0, units_per_photoelectron=8.0, noise_sd=30.0),
        Detector(name="APC-A", laser="red", autofluorescence=30.0, units_per_photoelectron=6.0, noise_sd=26.0, offset=-2.0),
    ),
    spillover=np.array(
        [
            [1.0, 0.030, 0.010, 0.002, 0.001],
            [0.020, 1.0, 0.160, 0.010, 0.001],
            [0.004, 0.012, 1.0, 0.030, 0.003],
            [0.002, 0.003, 0.015, 1.0, 0.010],
            [0.001, 0.0005, 0.002, 0.040, 1.0],
        ]
    ),
)
"""CD34, CD41, CD61, CD42b and a fixable viability dye, on living cells."""

PLOIDY = Cytometer(
    panel="ploidy",
    fixed=True,
    dyes=(
        Dye(marker="CD41", name="FITC", detector="FITC-A"),
        Dye(marker=DNA, name="PI", detector="PI-A"),
        Dye(marker="CD42b", name="APC", detector="APC-A"),
    ),
    detectors=(
        Detector(name="FITC-A", laser="blue", autofluorescence=230.0, units_per_photoelectron=5.0, noise_sd=30.0, offset=-3.0),
        Detector(
            name="PI-A", laser="blue", autofluorescence=20.0, units_per_photoelectron=3.0, noise_sd=30.0, offset=2.0, has_pulse=True
        ),
        Detector(name="APC-A", laser="red", autofluorescence=60.0, units_per_photoelectron=6.0, noise_sd=26.0, offset=-2.0),
    ),
    spillover=np.array([[1.0, 0.008, 0.001], [0.001, 1.0, 0.004], [0.0005, 0.003, 1.0]]),
)
"""CD41, CD42b and DNA by propidium iodide with RNase, on fixed and permeabilised cells; all areas linear."""
