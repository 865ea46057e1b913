"""Gates beside FlowKit in one run, and a plate of tubes to its table of counts.

python -m benchmarks.cells          a million events x 12 channels: read, compensate, logicle, six gates; then 96 tubes of 50,000 events
python -m benchmarks.cells --help   smaller ones

Every measurement is a process of its own, with one thread and with all cores; ratios are what to look at.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import flowkit
import numpy as np
from benchmarks.gated_events import DYES, six_gates, spillover_matrix, write_events
from benchmarks.peers import ONE_THREAD

from thrombokit import apply_gates, gate_files, make_engine, read_fcs, read_gatingml, write_gatingml
from thrombokit.cells.spillover import Spillover

ONE_CORE_BAR, TWO_CORES_BAR, PLATE_SECONDS = 3.0, 5.0, 20.0
TUBES, EVENTS_A_TUBE = 96, 50_000


class TimeGate:
    """asv: a million events through six gates."""

    def setup(self) -> None:
        """Write the events, and compile the kernels."""
        self.folder = tempfile.TemporaryDirectory()
        self.path = write_events(Path(self.folder.name) / "events.fcs", 1_000_000)
        apply_gates(read_fcs(self.path), six_gates())

    def time_gate_million_events(self) -> None:
        """Read, compensate, scale, gate."""
        apply_gates(read_fcs(self.path), six_gates())

    def peakmem_gate_million_events(self) -> None:
        """Read, compensate, scale, gate."""
        apply_gates(read_fcs(self.path), six_gates())


def by_thrombokit(fcs: Path, gates: Path) -> dict[str, np.ndarray]:
    """Membership of every population."""
    return apply_gates(read_fcs(fcs), read_gatingml(gates))


def by_flowkit(fcs: Path, gates: Path) -> dict[str, np.ndarray]:
    """Membership of every population, by the ids in the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = flowkit.parse_gating_xml(str(gates)).gate_sample(flowkit.Sample(str(fcs)))
        names = read_gatingml(gates).population_ids
        return {name: np.asarray(results.get_gate_membership(name.replace("+", "pos"))) for name in names}


PACKAGES = {"thrombokit": by_thrombokit, "flowkit": by_flowkit}


def measure_one(package: str, fcs: Path, gates: Path, out: Path) -> None:
    """Print the shortest of three wall times, in seconds; the first run compiles and is not counted."""
    apply = PACKAGES[package]
    members, seconds = apply(fcs, gates), []
    for _ in range(3):
        before = time.perf_counter()
        members = apply(fcs, gates)
        seconds.append(time.perf_counter() - before)
    np.savez(out, **members)
    print(min(seconds))


def show_million(folder: Path, n: int) -> bool:
    """Print wall times and ratios, one thread and all cores; whether the bars are met and no event differs."""
    fcs, gates = write_events(folder / "events.fcs", n), folder / "gates.xml"
    matrix = Spillover(channels=DYES, matrix=spillover_matrix(), source="benchmark")
    write_gatingml(six_gates(compensation="plate", matrices={"plate": matrix}), gates)
    met = True
    for what, environment, bar in (("one thread", ONE_THREAD, ONE_CORE_BAR), ("all cores", {}, TWO_CORES_BAR)):
        seconds: dict[str, float] = {}
        for package in PACKAGES:
            command = [
                sys.executable,
                "-m",
                "benchmarks.cells",
                "--one",
                package,
                str(fcs),
                str(gates),
                str(folder / f"{package}.npz"),
            ]
            said = subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True, text=True).stdout
            seconds[package] = float(said)
        ratio = seconds["flowkit"] / seconds["thrombokit"]
        print(
            f"{n:,} x 12 events, six gates, {what}: thrombokit {seconds['thrombokit']:.3f} s, FlowKit {seconds['flowkit']:.3f} s, "
            f"{ratio:.1f} x faster (bar {bar:g})"
        )
        met = met and ratio >= bar
    own, theirs = (np.load(folder / f"{package}.npz") for package in PACKAGES)
    differing = sum(int((own[name] != theirs[name]).sum()) for name in own.files)
    print(f"memberships that differ: {differing} of {len(own.files)} x {n:,}")
    return met and differing == 0


def show_plate(folder: Path, tubes: int) -> bool:
    """Print the wall time of a plate with two workers; whether the bar is met."""
    paths = [write_events(folder / f"tube{i:02d}.fcs", EVENTS_A_TUBE, seed=i) for i in range(tubes)]
    before = time.perf_counter()
    found = gate_files(paths, six_gates(), engine=make_engine(2))
    seconds = time.perf_counter() - before
    print(
        f"{len(found)} tubes x {EVENTS_A_TUBE:,} x 12 to counts, 2 workers: {seconds:.1f} s, their start included (bar {PLATE_SECONDS:g} s)"
    )
    return seconds <= PLATE_SECONDS


def main() -> int:
    """Everything; exit code 1 where a bar is missed."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.cells", description=__doc__)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--tubes", type=int, default=TUBES)
    arguments.add_argument(
        "--one", nargs=4, metavar=("PACKAGE", "FCS", "GATES", "OUT"), help="measure one package; used by this programme"
    )
    chosen = arguments.parse_args()
    if chosen.one:
        measure_one(chosen.one[0], *(Path(part) for part in chosen.one[1:]))
        return 0
    with tempfile.TemporaryDirectory() as name:
        met = show_million(Path(name), chosen.events)
        met = show_plate(Path(name), chosen.tubes) and met
    print("every bar is met" if met else "a bar is missed")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
