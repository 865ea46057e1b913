"""Score intervals of two proportions beside limits computed in R by direct maximisation, six printed digits."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from thrombokit import compare_proportions

PRINTED = 0.5e-6
"""The limits are printed with six decimals; ours may differ by half a unit of the last one, and by rounding."""


def test_the_newcombe_tables_and_the_empty_one(reference_data: Path) -> None:
    rows = pl.read_csv(reference_data / "clinical" / "proportion-ci-published" / "two_proportions_mn.csv").to_dicts()
    assert len(rows) == 4
    for row in rows:
        found = compare_proportions(row["x1"], row["n1"], row["x2"], row["n2"]).to_dict()["risk_difference"]
        for method, name in (("miettinen_nurminen", "mn"), ("mee", "mee")):
            assert found[method] == pytest.approx([row[f"{name}_lower"], row[f"{name}_upper"]], abs=1.01 * PRINTED), (
                row["label"],
                method,
            )


def test_hetrombopag_phase_3_rescue_intervals_are_clopper_pearson() -> None:
    """Published: 13.1 (8.4-19.2), 9.9 (5.9-15.4) and 37.6 % (27.4-48.8), doi 10.1186/s13045-021-01047-9, table 2."""
    for responders, n, low, high in ((22, 168, 8.4, 19.2), (17, 171, 5.9, 15.4), (32, 85, 27.4, 48.8)):
        limits = compare_proportions(responders, n, 5, 85).to_dict()["arms"][0]["intervals"]["clopper_pearson"]
        assert [100 * limit for limit in limits] == pytest.approx([low, high], abs=0.05 + 1e-9)
