"""Comparing curves: laws of the ratio, MOVER against the plain interval, efficacy and the operational model."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.dose_response.compare import Margins, compare_curves
from thrombokit.dose_response.comparison_runs import comparison_document
from thrombokit.dose_response.efficacy import operational_model
from thrombokit.dose_response.fit import fit_curves
from thrombokit.dose_response.margin_history import margins_from_history
from thrombokit.errors import InputError

DOSES = np.repeat(np.logspace(-3, 3, 13), 3)


def table(seed: int, noise: float = 1.0, **curves: tuple[float, float, float]) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.concat(
        [
            pl.DataFrame(
                {
                    "curve": name,
                    "concentration_nM": DOSES,
                    "response": top / (1 + (ec50 / DOSES) ** hill) + rng.normal(0, 1, DOSES.size) * noise,
                }
            )
            for name, (ec50, hill, top) in curves.items()
        ]
    )


@settings(max_examples=15, deadline=None)
@given(st.floats(0.05, 20.0), st.integers(0, 50))
def test_swapping_curve_and_reference_inverts_the_ratio(ec50: float, seed: int) -> None:
    points = table(seed, a=(1.0, 1.0, 100.0), b=(ec50, 1.0, 100.0))
    (one,) = compare_curves(points, reference="a", weights="none")
    (other,) = compare_curves(points, reference="b", weights="none")
    assert one.ec50_ratio.estimate == pytest.approx(1 / other.ec50_ratio.estimate)
    assert one.ec50_ratio.low == pytest.approx(1 / other.ec50_ratio.high)
    assert one.parallel.f == pytest.approx(other.parallel.f, rel=1e-4, abs=1e-6)


def test_nearly_noise_free_parallel_curves_recover_the_ratio() -> None:
    (one,) = compare_curves(table(2, 1e-4, a=(13.4, 1.1, 100.0), b=(0.4, 1.1, 100.0)), reference="a", weights="none")
    assert one.parallel.verdict == "parallel"
    assert one.relative_potency is not None
    assert one.relative_potency.estimate == pytest.approx(33.5, rel=1e-4)


def test_noisy_curves_are_left_undecided_rather_than_called_parallel() -> None:
    (one,) = compare_curves(table(1, 15.0, a=(1.0, 1.0, 100.0), b=(1.0, 1.0, 100.0)), reference="a", weights="none")
    assert one.parallel.verdict == "design_cannot_decide"
    assert one.relative_potency is None
    assert "design cannot decide" in one.reason


def test_wider_margins_accept_more() -> None:
    points = table(2, 5.0, a=(1.0, 1.0, 100.0), b=(1.0, 1.0, 100.0))
    (wide,) = compare_curves(points, reference="a", weights="none", margins=Margins(hill_low=0.3, hill_high=3.0, plateau_pct=50))
    assert wide.parallel.verdict == "parallel"


def test_margins_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="hill margins around 1"):
        Margins(hill_low=1.2, hill_high=1.5)


def test_a_falling_curve_is_not_parallel_to_a_rising_one() -> None:
    points = table(3, 1.0, a=(1.0, 1.0, 100.0))
    falling = points.with_columns(curve=pl.lit("b"), response=100 - pl.col("response"))
    (one,) = compare_curves(pl.concat([points, falling]), reference="a", weights="none")
    assert one.parallel.verdict == "not_parallel"
    assert one.efficacy.emax_ratio.estimate is None


def test_a_document_is_plain_json_without_nan() -> None:
    import json

    points = pl.concat(
        [table(4, 1.0, a=(1.0, 1.0, 100.0)), pl.DataFrame({"curve": "b", "concentration_nM": [1.0, 2.0], "response": [1.0, 1.0]})]
    )
    document = comparison_document(compare_curves(points, reference="a", weights="none"))
    assert "could not be fitted" in json.dumps(document, allow_nan=False)


@pytest.mark.parametrize(("tau", "k_a"), [(0.5, 10.0), (2.0, 30.0)])
def test_operational_model_returns_tau_and_affinity(tau: float, k_a: float) -> None:
    """Black & Leff with slope 1: Emax = Em tau / (1 + tau), EC50 = K_A / (1 + tau)."""
    points = table(5, 0.2, a=(k_a / (1 + tau), 1.0, 100.0 * tau / (1 + tau)))
    fits = fit_curves(points, weights="none")
    found = operational_model(fits, 0, system_max=100.0)
    assert found.tau.low < tau < found.tau.high
    assert found.k_a_nM.low < k_a < found.k_a_nM.high
    assert found.tau.estimate == pytest.approx(tau, rel=0.05)


def test_a_full_agonist_has_no_finite_tau() -> None:
    fits = fit_curves(table(6, 0.5, a=(1.0, 1.0, 100.0)), weights="none")
    assert operational_model(fits, 0, system_max=90.0).tau.estimate is None


def test_margins_from_history_hold_the_next_difference() -> None:
    """Ten comparisons of the reference with itself; truly equal preparations of like noise then mostly pass."""
    history = table(7, 4.0, **dict.fromkeys(("ref", *(f"p{i}" for i in range(10))), (1.0, 1.0, 100.0)))
    margins = margins_from_history(compare_curves(history, reference="ref", weights="none"))
    assert 0.5 < margins.hill_low < 0.97
    assert margins.hill_high == pytest.approx(1 / margins.hill_low)
    assert 0.5 < margins.plateau_pct < 20


def test_too_short_a_history_is_refused() -> None:
    history = table(8, 2.0, ref=(1.0, 1.0, 100.0), p=(1.0, 1.0, 100.0))
    with pytest.raises(InputError, match="1 comparisons of the reference with itself; expected 5 or more"):
        margins_from_history(compare_curves(history, reference="ref", weights="none"))


def test_a_partial_agonist_carries_tau_and_affinity() -> None:
    points = table(9, 0.5, full=(1.0, 1.0, 100.0), half=(1.0, 1.0, 50.0))
    (one,) = compare_curves(points, reference="full", weights="none")
    assert one.efficacy.operational is not None
    assert one.efficacy.operational.tau.estimate == pytest.approx(1.0, rel=0.1)
    assert one.efficacy.operational.k_a_nM.estimate == pytest.approx(2.0, rel=0.1)
    (other,) = compare_curves(table(9, 0.5, full=(1.0, 1.0, 100.0), same=(1.0, 1.0, 100.0)), reference="full", weights="none")
    assert other.efficacy.operational is None
