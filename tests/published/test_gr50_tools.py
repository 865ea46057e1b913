"""GR values beside the three implementations that came with Hafner et al. 2016 (R, MATLAB, Python), on their toy data.

The programs print no GR values, but three figures that are made of them alone: GRmax (in the programs the lower of the two highest doses),
the area over the curve, and r2 of their fitted curve against the GR values. All three must agree to the printed digits. Their GR50
comes from a three-parameter curve of the GR values with its top held at 1, ours from a 4PL of the growth rate: close, not equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from thrombokit.dose_response.fit import fit_curves
from thrombokit.plate.growth_rate import (
    dose_means,
    four_parameter_dose_nM,
    gr_area_over_curve,
    gr_value,
    growth_rate_per_d,
    half_gr_rate_per_d,
)

KEYS = ("cell_line", "agent", "perturbation", "replicate", "time")
NAMES = {
    "R": {"area": "GR_AOC", "middle": "GEC50", "hill": "Hill", "r2": "r2"},
    "matlab": {"area": "GR_AOC", "middle": "GEC50", "hill": "h_GR", "r2": "r2_GR"},
    "python": {"area": "GR_AUC", "middle": "EC50", "hill": "Hill", "r2": "r2"},
}
PRINTED = {"R": 1e-13, "matlab": 1e-13, "python": 1e-11}
"""Digits printed: 15 by R and MATLAB, 12 by Python."""
N_CURVES = 112


@dataclass(frozen=True, kw_only=True, eq=False)
class Toy:
    """One curve: doses (any unit), growth rates per day and GR values, and the vehicle's rate."""

    dose: np.ndarray
    rate: np.ndarray
    gr: np.ndarray
    vehicle: float


@pytest.fixture(scope="module")
def toys(reference_data: Path) -> dict[tuple[str, ...], Toy]:
    table = pl.read_csv(reference_data / "plates" / "gr50_tools" / "toy_example_input1.tsv", separator="\t")
    found: dict[tuple[str, ...], Toy] = {}
    for key, curve in table.group_by(KEYS, maintain_order=True):
        start, hours = float(curve["cell_count__time0"][0]), float(curve["time"][0])
        vehicle = float(growth_rate_per_d(curve["cell_count__ctrl"].to_numpy()[:1], start, hours=hours)[0])
        rate = growth_rate_per_d(curve["cell_count"].to_numpy(), start, hours=hours)
        dose, means = dose_means(curve["concentration"].to_numpy(), gr_value(rate, vehicle))
        found[tuple(str(k) for k in key)] = Toy(dose=dose, rate=rate[np.argsort(curve["concentration"])], gr=means, vehicle=vehicle)
    return found


def published(reference_data: Path, program: str) -> Iterator[tuple[tuple[str, ...], dict[str, float]]]:
    path = reference_data / "plates" / "gr50_tools" / f"{program}_input1_GRmetrics.tsv"
    names = {"GRmax": "GRmax", "GRinf": "GRinf", "GR50": "GR50", **NAMES[program]}
    for row in pl.read_csv(path, separator="\t", infer_schema_length=0).iter_rows(named=True):
        if row["cell_line"]:
            missing = {None: "nan", "NA": "nan"}
            numbers = {name: float(missing.get(row[column], row[column])) for name, column in names.items()}
            yield tuple(row[k] for k in KEYS), numbers


@pytest.mark.parametrize("program", NAMES)
def test_gr_values_agree_to_the_printed_digits(reference_data: Path, toys: dict[tuple[str, ...], Toy], program: str) -> None:
    tolerance, fitted = PRINTED[program], 0
    rows = list(published(reference_data, program))
    assert len(rows) == len(toys) == N_CURVES
    for key, theirs in rows:
        toy = toys[key]
        assert min(toy.gr[-2:]) == pytest.approx(theirs["GRmax"], abs=tolerance), key
        assert gr_area_over_curve(toy.dose, toy.gr) == pytest.approx(theirs["area"], abs=tolerance), key
        if theirs["middle"] > 0:
            curve = theirs["GRinf"] + (1 - theirs["GRinf"]) / (1 + (toy.dose / theirs["middle"]) ** theirs["hill"])
            r2 = 1 - np.sum((toy.gr - curve) ** 2) / np.sum((toy.gr - toy.gr.mean()) ** 2)
            assert r2 == pytest.approx(theirs["r2"], abs=tolerance), key
            fitted += 1
    assert fitted == 100


def test_gr50_lies_near_theirs(reference_data: Path, toys: dict[tuple[str, ...], Toy], print_figure: Callable[[str], None]) -> None:
    """Theirs within their doses, ours from a 4PL of the growth rate: within 5 % in the median, within a factor of 1.3 in 95 %."""
    tables = [
        pl.DataFrame({"curve": "|".join(key), "concentration_nM": toy.dose, "response": toy.rate}) for key, toy in toys.items()
    ]
    fits = fit_curves(pl.concat(tables), weights="none")
    ours = {
        key: four_parameter_dose_nM(half_gr_rate_per_d(toy.vehicle), fits.theta[i]) for i, (key, toy) in enumerate(toys.items())
    }
    apart: list[float] = []
    for key, theirs in published(reference_data, "R"):
        if toys[key].dose[0] <= theirs["GR50"] <= toys[key].dose[-1]:
            apart.append(float(np.log(ours[key] / theirs["GR50"])))
    found = np.abs(np.array(apart))
    assert np.isfinite(found).mean() > 0.95
    found = found[np.isfinite(found)]
    print_figure(
        f"GR50 beside gr50_tools: {found.size} curves, {np.exp(np.median(found)):.3f}-fold apart in the median, "
        f"{np.exp(np.quantile(found, 0.95)):.2f}-fold in 95 %"
    )
    assert np.median(found) < np.log(1.05)
    assert np.quantile(found, 0.95) < np.log(1.3)
