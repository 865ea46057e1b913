"""Speed of dose-response fits beside other packages, in one run: `python -m benchmarks.potency` (see README.md)."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import peers
from benchmarks.process_tree import measure
from benchmarks.screens import write_screen

from thrombokit.dose_response.fit import fit_curves
from thrombokit.io.fit_tables import read_table

WALD_BAR, PROFILE_BAR, SCREEN_SECONDS, SCREEN_BYTES = 50_000, 10_000, 60.0, 2e9


class TimeFit:
    """asv: a screen of 20,000 curves in memory."""

    params = ("wald", "profile")
    param_names = ("interval",)

    def setup(self, interval: str) -> None:
        """Simulate, and compile the kernels."""
        with tempfile.TemporaryDirectory() as folder:
            self.table = read_table(write_screen(Path(folder) / "screen.parquet", 20_000))
        fit_curves(self.table.head(300), weights="none", interval=interval)  # type: ignore[arg-type]

    def time_fit(self, interval: str) -> None:
        """All curves, in memory."""
        fit_curves(self.table, weights="none", interval=interval)  # type: ignore[arg-type]

    def peakmem_fit(self, interval: str) -> None:
        """All curves, in memory."""
        fit_curves(self.table, weights="none", interval=interval)  # type: ignore[arg-type]


def own_fits_per_cpu_second(folder: Path, interval: str, n: int) -> float:
    """Parquet to Parquet in a process with one thread."""
    table = write_screen(folder / "one-core.parquet", n)
    command = [sys.executable, "-m", "benchmarks.one_core", str(table), str(folder / "fits.parquet"), interval]
    said = subprocess.run(
        command, env={**os.environ, **peers.ONE_THREAD}, check=True, capture_output=True, text=True
    ).stdout.split()
    return int(said[1]) / float(said[0])


def show_rates(folder: Path, n: int, curve_curator: Path | None) -> bool:
    """Print fits per CPU second and ratios; whether both bars are met."""
    wald, profile = (own_fits_per_cpu_second(folder, interval, n) for interval in ("wald", "profile"))
    rates = {
        f"thrombokit, Wald (bar {WALD_BAR:,})": wald,
        f"thrombokit, profile (bar {PROFILE_BAR:,})": profile,
        "scipy curve_fit, Wald": peers.scipy_loop(2_000),
        "lmfit, Wald": peers.lmfit_loop(300),
    }
    if curve_curator is not None:
        rates["CurveCurator (no interval), start included"] = peers.curve_curator(curve_curator.resolve(), folder, 1_000)
    print(f"{'4PL, 10 doses x 3':44s} {'fits / CPU s':>12s} {'thrombokit Wald is faster by':>30s}")
    for name, rate in rates.items():
        print(f"{name:44s} {rate:12,.0f} {wald / rate:30.1f}")
    return wald >= WALD_BAR and profile >= PROFILE_BAR


def show_screen(folder: Path, n: int) -> bool:
    """Print wall time and memory of `thrombokit plate fit` on n curves with two workers; whether the bars are met."""
    table, out = write_screen(folder / "screen.parquet", n), folder / "screen-fits.parquet"
    command = [sys.executable, "-m", "thrombokit", "plate", "fit", str(table), "--out", str(out), "--workers", "2", "--quiet"]
    found = measure(command)
    print(
        f"{n:,} curves, Parquet to Parquet, defaults, 2 workers: {found.wall_s:.1f} s wall (bar {SCREEN_SECONDS:.0f} s for 1,000,000), "
        f"{found.cpu_s:.1f} s CPU, {found.largest_rss_bytes / 1e9:.2f} GB (bar {SCREEN_BYTES / 1e9:.0f} GB)"
    )
    return found.wall_s <= SCREEN_SECONDS and found.largest_rss_bytes <= SCREEN_BYTES


def main() -> int:
    """Everything; exit code 1 where a bar is missed."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.potency", description=__doc__)
    arguments.add_argument("--curves", type=int, default=100_000, help="for the rate of one core")
    arguments.add_argument("--screen", type=int, default=1_000_000, help="curves of the large table; 0 leaves it out")
    arguments.add_argument("--curve-curator", type=Path, help="the CurveCurator command of another environment")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        met = show_rates(Path(name), chosen.curves, chosen.curve_curator)
        if chosen.screen:
            met = show_screen(Path(name), chosen.screen) and met
    print("every bar is met" if met else "a bar is missed")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
