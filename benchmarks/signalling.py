"""Speed of PEtab likelihoods, gradients, fits and profiles on one core: `python -m benchmarks.signalling FOLDER` (see README.md).

FOLDER holds problems of the Benchmark-Models-PEtab collection, one folder each. A likelihood is timed with other parameters each time, as
the latest simulation is kept.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from pathlib import Path

import numpy as np

from thrombokit.io.petab import read_petab
from thrombokit.signalling.calibrate import fit_petab
from thrombokit.signalling.gradients import local_model
from thrombokit.signalling.likelihood import TIGHT, PetabLikelihood
from thrombokit.signalling.profiles import profile_petab

BARS_MS = {
    "Bachmann_MSB2011": 100.0,
    "Raia_CancerResearch2011": 15.0,
    "Boehm_JProteomeRes2014": math.inf,
    "Fujita_SciSignal2010": math.inf,
}
FITTED, FIT_STARTS, FOUND_BAR, PROFILE_SECONDS = "Boehm_JProteomeRes2014", 20, 8, 120.0


def likelihood_ms(likelihood: PetabLikelihood, repeats: int = 20) -> float:
    """Median CPU time of one evaluation, ms; every estimated parameter moves a little each time."""
    nominal = likelihood.problem.space.nominal
    times: list[float] = []
    for number in range(repeats + 2):
        point = nominal + 1e-6 * np.sin(number + np.arange(nominal.size))
        began = time.process_time()
        likelihood.value(point)
        times.append(1e3 * (time.process_time() - began))
    return float(np.median(times[2:]))


def show_likelihoods(folder: Path) -> bool:
    """Print times; whether every bar is met."""
    met = True
    for name, bar in BARS_MS.items():
        problem = read_petab(folder / name / f"{name}.yaml")
        took = likelihood_ms(PetabLikelihood(problem))
        began = time.process_time()
        local_model(PetabLikelihood(problem, tolerances=TIGHT), problem.space.nominal)
        slope_s, said = time.process_time() - began, f"bar {bar:g}" if math.isfinite(bar) else "no bar"
        print(f"{name:28s} likelihood {took:7.2f} ms ({said}), gradient and information {slope_s:6.2f} s")
        met = met and took <= bar
    return met


def show_fit(folder: Path) -> bool:
    """Print how often the best fit is found and how long all profiles take; whether both bars are met."""
    problem = read_petab(folder / FITTED / f"{FITTED}.yaml")
    began = time.process_time()
    fit = fit_petab(problem, starts=FIT_STARTS, seed=1)
    fitted = time.process_time()
    profile_petab(problem, fit)
    profiled = time.process_time() - fitted
    print(
        f"{FITTED}: {fit.n_near_best} of {FIT_STARTS} searches within 0.1 of the best (bar {FOUND_BAR}), {fitted - began:.0f} CPU s"
    )
    print(f"{FITTED}: all {len(fit.parameters)} profiles {profiled:.0f} CPU s (bar {PROFILE_SECONDS:.0f})")
    return fit.n_near_best >= FOUND_BAR and profiled <= PROFILE_SECONDS


class TimeLikelihood:
    """asv: needs a folder of problems in BENCHMARK_PETAB_FOLDER."""

    params = tuple(BARS_MS)
    param_names = ("problem",)

    def setup(self, problem: str) -> None:
        """Read and simulate once."""
        folder = Path(os.environ["BENCHMARK_PETAB_FOLDER"])
        self.likelihood = PetabLikelihood(read_petab(folder / problem / f"{problem}.yaml"))
        self.number = 0

    def time_likelihood(self, problem: str) -> None:
        """One evaluation with other parameters than the last."""
        self.number += 1
        self.likelihood.value(self.likelihood.problem.space.nominal + 1e-6 * np.sin(float(self.number)))


def main() -> int:
    """Everything; exit code 1 where a bar is missed."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.signalling", description=__doc__)
    arguments.add_argument("folder", type=Path, help="problems of the collection")
    arguments.add_argument("--no-fit", action="store_true", help="likelihoods and gradients alone")
    said = arguments.parse_args()
    met = show_likelihoods(said.folder)
    return 0 if (said.no_fit or show_fit(said.folder)) and met else 1


if __name__ == "__main__":
    sys.exit(main())
