"""Speed of ploidy fits, one well and a plate: `python -m benchmarks.ploidy` (see README.md)."""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from thrombokit.cells.ploidy import fit_ploidy
from thrombokit.cells.ploidy_plate import fit_ploidy_plate
from thrombokit.numerics.streams import stream
from thrombokit.scale.engine import make_engine

WELL_SECONDS, PLATE_SECONDS = 0.3, 20.0
SHARES = np.array([0.45, 0.25, 0.15, 0.10, 0.04, 0.01])


def simulate_well(seed: int, n: int) -> np.ndarray:
    """DNA signal of one well: six classes, S phase, 5 % debris, 3 % doublets; shape (n,)."""
    rng = stream(seed, "benchmark well")
    k = rng.choice(6, n, p=SHARES)
    content = 2.0**k * np.where(rng.random(n) < 0.12, 1 + rng.random(n), 1.0)
    signal = 1e4 * content**0.97 * (1 + 0.05 * rng.standard_normal(n))
    pair, debris = rng.random(n) < 0.03, rng.random(n) < 0.05
    signal[pair] += rng.permutation(signal)[pair]
    signal[debris] = 1_500 + rng.exponential(4_000, int(debris.sum()))
    return signal


class TimePloidy:
    """asv: one well of 20,000 events, and 12 wells as a plate."""

    def setup(self) -> None:
        """Simulate, and compile the kernels."""
        self.wells = [simulate_well(i, 20_000) for i in range(12)]
        fit_ploidy(self.wells[0])

    def time_well(self) -> None:
        """One well."""
        fit_ploidy(self.wells[0])

    def time_plate_of_12(self) -> None:
        """Twelve wells, shapes shared."""
        fit_ploidy_plate(self.wells)

    def peakmem_plate_of_12(self) -> None:
        """Twelve wells, shapes shared."""
        fit_ploidy_plate(self.wells)


def main() -> int:
    """Both bars; exit code 1 where one is missed."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.ploidy", description=__doc__)
    arguments.add_argument("--events", type=int, default=20_000, help="events of a well")
    arguments.add_argument("--workers", type=int, default=2)
    chosen = arguments.parse_args()
    wells = [simulate_well(i, chosen.events) for i in range(96)]
    fit_ploidy(wells[0])
    took_s = []
    for well in wells:
        start = time.perf_counter()
        fit_ploidy(well)
        took_s.append(time.perf_counter() - start)
    start = time.perf_counter()
    fit_ploidy_plate(wells, engine=make_engine(chosen.workers))
    plate_s = time.perf_counter() - start
    print(
        f"one well of {chosen.events:,} events, one core: median {np.median(took_s):.3f} s, slowest {max(took_s):.3f} s (bar {WELL_SECONDS} s)"
    )
    print(f"96 wells as a plate, {chosen.workers} workers, their start included: {plate_s:.1f} s (bar {PLATE_SECONDS:.0f} s)")
    met = max(took_s) <= WELL_SECONDS and plate_s <= PLATE_SECONDS
    print("every bar is met" if met else "a bar is missed")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
