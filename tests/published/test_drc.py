"""Five classic data sets against the R package drc (3.2-0, model LL.4, ordinary least squares).

drc's e is the EC50 in the data's own dose unit (called nM here; the unit cancels). Tolerance: half a unit in the fifth
significant digit, as drc's answers were written down, and 3e-4 for three spinach curves: drc stops there with a sum of squares up to
3e-4 above the minimum, so the same test asks that ours be no larger. The data (drcData, GPL-2) are read in place.

Ritz et al. 2015, doi:10.1371/journal.pone.0146021.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from thrombokit.dose_response.fit import fit_curves
from thrombokit.dose_response.fits import CurveFits
from thrombokit.numerics import curves, logistic_fit

COLUMNS = {
    "ryegrass": ("conc", "rootl", None),
    "S.alba": ("Dose", "DryMatter", "Herbicide"),
    "secalonic": ("dose", "rootl", None),
    "spinach": ("DOSE", "SLOPE", "CURVE"),
    "lettuce": ("conc", "weight", None),
}
"""Data set -> columns of dose, response and curve."""

FIVE_DIGITS = [
    ("ryegrass", "", 3.05795, 5.40021),
    ("S.alba", "Glyphosate", 62.0481, 4.53744),
    ("S.alba", "Bentazone", 29.2648, 3.8105),
    ("secalonic", "", 0.0803547, 0.262404),
    ("lettuce", "", 8.60712, 0.207075),
    ("spinach", "2", 0.945553, None),
    ("spinach", "4", 0.197326, None),
]
"""Data set, curve, EC50, residual sum of squares (None: not on record)."""

STOPPED_EARLY = [("1", 1.79471, 3e-4), ("3", 1.37282, 3e-4), ("5", 0.209579, 6e-3)]
"""Spinach curve, drc's EC50, and how near ours must lie to it."""


def fit(reference_data: Path, name: str, curve: str) -> tuple[CurveFits, pl.DataFrame]:
    dose, response, column = COLUMNS[name]
    data = pl.read_csv(reference_data / "plates" / "drc" / f"{name}.csv")
    if column:
        data = data.filter(pl.col(column).cast(pl.String) == curve)
    table = data.select(curve=pl.lit(name), concentration_nM=pl.col(dose).cast(pl.Float64), response=pl.col(response))
    return fit_curves(table, weights="none"), table


@pytest.mark.parametrize("name, curve, ec50, rss", FIVE_DIGITS)
def test_ec50_and_rss_to_five_digits(reference_data: Path, name: str, curve: str, ec50: float, rss: float | None) -> None:
    fits, _ = fit(reference_data, name, curve)
    assert np.exp(fits.theta[0, 2]) == pytest.approx(ec50, rel=1e-5)
    if rss is not None:
        assert fits.rss[0] == pytest.approx(rss, rel=1e-5)


@pytest.mark.parametrize("curve, ec50, nearness", STOPPED_EARLY)
def test_where_drc_stops_early_ours_goes_on_to_the_minimum(reference_data: Path, curve: str, ec50: float, nearness: float) -> None:
    fits, table = fit(reference_data, "spinach", curve)
    assert np.exp(fits.theta[0, 2]) == pytest.approx(ec50, rel=nearness)
    with np.errstate(divide="ignore"):
        x, y = np.log(table["concentration_nM"].to_numpy()), table["response"].to_numpy()
    point, out = np.array([0.0, fits.theta[0, 3]]), np.empty(8)
    best_at_theirs = logistic_fit.profile_rss(x, y, np.ones_like(y), float(np.log(ec50)), True, point, out)
    at_ours = float(np.sum((y - curves.four_parameter(x, *fits.theta[0, :3], np.exp(fits.theta[0, 3]))) ** 2))
    assert at_ours < best_at_theirs
    assert fits.rss[0] == pytest.approx(at_ours, rel=1e-10)


def test_spinach_curve_5_reaches_the_minimum_on_record(reference_data: Path) -> None:
    """drc's sum of squares is 0.160137; the R package drda reaches 0.159994."""
    fits, _ = fit(reference_data, "spinach", "5")
    assert fits.rss[0] == pytest.approx(0.159994, rel=5e-6)


def test_ryegrass_as_a_row_of_the_table(reference_data: Path) -> None:
    """Root length falls with dose: the hill is negative, and the highest dose is the bottom."""
    fits, table = fit(reference_data, "ryegrass", "")
    row = fits.table().row(0, named=True)
    assert (row["verdict"], row["n_points"]) == ("fit", 24)
    assert row["hill_slope"] < 0
    assert row["ec50_low_nM"] < 3.05795 < row["ec50_high_nM"]
    assert row["bottom"] < table["response"].min() + 0.5
