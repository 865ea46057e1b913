"""Synthetic phospho-flow data of the guide study: simple curves with their truth beside, made by no model of the pathway.

Every signal is background + span x Emax d^h/(EC50^h + d^h) x s(t) with scatter, where s rises to 1 at the time of the peak and falls to a
plateau: a difference of two exponentials. The numbers are invented for the exercise, but for the order of the agonists, which is that of
the guide's EC50s. The shape is not that of the network, so that whoever fits the one with the other sees where they differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from thrombokit.numerics.streams import stream
from thrombokit.study.templates.map_text import number_text

SIGNALS_FILE = "signalling/signals.csv"
ASSAY, CELLS = "phospho-flow", "32D-MPL"
RUNS = ("run 1", "run 2", "run 3")
DOSE_TIME_min = 15.0
TIMES_min = (0.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0)
DOSES_nM = {
    "hetrombopag": (0.01, 0.032, 0.1, 0.32, 1.0, 3.2, 10.0, 32.0), "eltrombopag": (0.32, 1.0, 3.2, 10.0, 32.0, 100.0, 320.0, 1000.0),
}  # fmt: skip
COURSE_DOSES = {"hetrombopag": (10.0, "nM"), "rhTPO": (100.0, "ng/mL")}
SCATTER_CV, SPAN_SD_LN, BACKGROUND = 0.05, 0.20, 300.0
COLUMNS = ("assay", "analyte", "agonist", "concentration", "unit", "time_min", "value", "normaliser", "replicate", "run", "notes")


@dataclass(frozen=True, kw_only=True)
class AnalyteTruth:
    """What is true of one analyte: time of the peak and how fast and how far it falls, and the EC50 of each agonist at 15 min."""

    name: str
    span: float
    rise_min: float
    fall_min: float
    plateau: float
    hill: float
    ec50_nM: dict[str, float]

    def course(self, time_min: float) -> float:
        """Signal over time, 1 at its peak, 0 at time 0."""
        return self._raw(time_min) / self._raw(self.peak_min)

    @cached_property
    def peak_min(self) -> float:
        """Time of the highest signal, to a tenth of a minute."""
        return max((0.1 * at for at in range(1, 2401)), key=self._raw)

    def effect(self, agonist: str, dose_nM: float) -> float:
        """Share of the span at a dose; rhTPO is given at a saturating dose alone."""
        if agonist not in self.ec50_nM:
            return 1.0
        return dose_nM**self.hill / (self.ec50_nM[agonist] ** self.hill + dose_nM**self.hill)

    def _raw(self, time_min: float) -> float:
        stays = self.plateau + (1.0 - self.plateau) * math.exp(-time_min / self.fall_min)
        return (1.0 - math.exp(-time_min / self.rise_min)) * stays


ANALYTES = (
    AnalyteTruth(name="pSTAT5", span=5200.0, rise_min=4.0, fall_min=70.0, plateau=0.45, hill=1.0,
                 ec50_nM={"hetrombopag": 1.2, "eltrombopag": 40.0}),
    AnalyteTruth(name="pERK", span=2600.0, rise_min=3.0, fall_min=14.0, plateau=0.20, hill=1.3,
                 ec50_nM={"hetrombopag": 2.0, "eltrombopag": 67.0}),
    AnalyteTruth(name="pAKT", span=1500.0, rise_min=4.5, fall_min=45.0, plateau=0.35, hill=1.0,
                 ec50_nM={"hetrombopag": 1.6, "eltrombopag": 54.0}),
)  # fmt: skip


def signalling_text(seed: int) -> str:
    """All measurements as CSV: dose series at 15 min, time courses, vehicle; three runs.

    Parameters
    ----------
    seed : int
        >= 0; the same seed gives the same text.
    """
    lines = [",".join(COLUMNS)]
    for run in RUNS:
        for analyte in ANALYTES:
            lines += _series(seed, run, analyte)
    return "\n".join(lines) + "\n"


def signalling_truth_text() -> str:
    """The truth as TOML tables, to stand in truth.toml."""
    lines = ["# Phosphorylation (phospho-flow, synthetic): no model of the pathway made these curves."]
    for analyte in ANALYTES:
        lines += ["", "[[signalling]]", f'analyte = "{analyte.name}"', f'cell_system = "{CELLS}"', f"peak_min = {analyte.peak_min:.1f}",
                  f"hill_slope = {analyte.hill}", f"minutes = {DOSE_TIME_min:g}"]  # fmt: skip
        lines += [f"ec50_{agonist}_nM = {value}" for agonist, value in analyte.ec50_nM.items()]
    return "\n".join(lines) + "\n"


def _series(seed: int, run: str, analyte: AnalyteTruth) -> list[str]:
    scatter = stream(seed, "guide", "signalling", run, analyte.name)
    span = analyte.span * math.exp(SPAN_SD_LN * scatter.standard_normal())
    background = BACKGROUND * math.exp(SPAN_SD_LN * scatter.standard_normal())

    def line(agonist: str, dose: float, unit: str, time_min: float, replicate: int) -> str:
        effect = analyte.effect(agonist, dose) * analyte.course(time_min) if agonist else 0.0
        value = (background + span * effect) * math.exp(SCATTER_CV * scatter.standard_normal())
        cells = (
            ASSAY,
            analyte.name,
            agonist,
            number_text(dose),
            unit,
            number_text(time_min),
            f"{value:.0f}",
            "",
            str(replicate),
            run,
            "synthetic",
        )
        return ",".join(cells)

    vehicle = [line("", 0.0, "nM", DOSE_TIME_min, at) for at in (1, 2, 3)]
    doses = [line(agonist, dose, "nM", DOSE_TIME_min, 1) for agonist, listed in DOSES_nM.items() for dose in listed]
    courses = [
        line(agonist, dose, unit, time, 2) for agonist, (dose, unit) in COURSE_DOSES.items() for time in TIMES_min
    ]  # fmt: skip
    return [*vehicle, *doses, *courses]
