"""The SBML Test Suite's semantic cases, each within the tolerances its own settings ask for, or refused by name.

The SBML Test Suite (sbmlteam/sbml-test-suite, cases/semantic); the cases are read in place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from thrombokit import load_network, simulate_model

CASES = (
    "00001", "00050", "00100", "00150", "00199", "00246", "00293", "00340", "00387", "00437", "00487", "00586", "00641", "00703",
    "00758", "00812", "00863", "00920", "00976", "01040", "01096", "01215", "01262", "01310", "01432", "01507", "01600", "01673",
    "01720", "01772",
)  # fmt: skip
REFUSED: dict[str, str] = {}
"""Case -> words of the reason; none of those at hand needs it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A case's settings file."""

    duration: float
    steps: int
    absolute: float
    relative: float
    concentration: frozenset[str]


def read_settings(path: Path) -> Settings:
    said = dict(line.split(":", 1) for line in path.read_text(encoding="utf-8").splitlines() if ":" in line)
    said = {key.strip(): value.strip() for key, value in said.items()}
    assert float(said["start"]) == 0.0
    return Settings(
        duration=float(said["duration"]), steps=int(said["steps"]), absolute=float(said["absolute"]), relative=float(said["relative"]),
        concentration=frozenset(name.strip() for name in said["concentration"].split(",")),
    )  # fmt: skip


def read_expected(path: Path) -> tuple[list[str], np.ndarray]:
    header, *rows = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [name.strip() for name in header.split(",")], np.array([[float(cell) for cell in row.split(",")] for row in rows])


def test_all_cases_of_the_folder_are_tried(reference_data: Path) -> None:
    folder = reference_data / "models" / "sbml_test_suite"
    assert sorted(case.name for case in folder.iterdir() if case.is_dir()) == sorted(CASES)


@pytest.mark.parametrize("case", [case for case in CASES if case not in REFUSED])
def test_case_is_right(case: str, reference_data: Path, print_figure: Callable[[str], None]) -> None:
    folder = reference_data / "models" / "sbml_test_suite" / case
    settings = read_settings(folder / f"{case}-settings.txt")
    names, expected = read_expected(folder / f"{case}-results.csv")
    selections = ["time", *(f"[{name}]" if name in settings.concentration else name for name in names[1:])]
    (model,) = folder.glob("*.xml")
    found = simulate_model(load_network(model), end=settings.duration, points=settings.steps + 1, selections=selections)
    assert found.outcome == "converged"
    allowed = settings.absolute + settings.relative * np.abs(expected)
    used = float((np.abs(found.values - expected) / allowed).max())
    if used > 1e-3:
        print_figure(f"SBML Test Suite {case}: {used:.1e} of the tolerance used")
    assert used <= 1.0
