"""Every verdict from data that deserve it, its bounds and words, and the order in which verdicts go before one another."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.dose_response import verdicts
from thrombokit.dose_response.fit import fit_curves

DOSE = np.repeat(np.concatenate([[0.0], 0.3 * 3.0 ** np.arange(9)]), 3)


def rising(dose: np.ndarray, *, ec50: float, top: float = 100.0, bottom: float = 10.0, hill: float = 1.2) -> np.ndarray:
    return bottom + (top - bottom) * dose**hill / (dose**hill + ec50**hill)


def fit_row(y: np.ndarray, dose: np.ndarray = DOSE, *, sd: float = 2.5, seed: int = 3, model: str = "4pl") -> dict[str, object]:
    noise = sd * np.random.default_rng(seed).standard_normal(dose.size)
    table = pl.DataFrame({"curve": ["c"] * dose.size, "concentration_nM": dose, "response": y + noise})
    (row,) = fit_curves(table, weights="none", model=model).table().rows(named=True)  # type: ignore[arg-type]
    return row


def test_fit() -> None:
    row = fit_row(rising(DOSE, ec50=30.0))
    assert (row["verdict"], row["open_plateau"], row["bound_side"], row["message"]) == ("fit", None, None, None)
    assert row["ec50_low_nM"] < 30.0 < row["ec50_high_nM"]
    assert (row["bottom"], row["top"]) == pytest.approx((10.0, 100.0), abs=4.0)
    assert row["hill_low"] < 1.2 < row["hill_high"]


def test_flat_has_no_ec50_and_no_bound() -> None:
    row = fit_row(np.full(DOSE.size, 50.0))
    assert row["verdict"] == "flat"
    assert [row[c] for c in ("ec50_nM", "ec50_low_nM", "ec50_high_nM", "bound_side", "hill_slope")] == [None] * 5
    assert row["message"].startswith("no effect of dose found (F test, p = 0.")
    assert row["bottom"] == row["top"], "a flat curve has its mean for both plateaus"


def test_inflection_above_the_doses_is_a_lower_bound() -> None:
    row = fit_row(rising(DOSE, ec50=20_000.0, top=300.0), sd=1.0)
    assert (row["verdict"], row["bound_side"]) == ("beyond_range", "above")
    assert row["ec50_nM"] is None
    assert row["ec50_high_nM"] is None
    assert 300.0 < row["ec50_low_nM"] < 20_000.0
    said = f"EC50 above {row['ec50_low_nM']:.3g} nM: no plateau reached, highest dose 1970 nM"
    assert row["message"] == said


def test_inflection_below_the_doses_is_an_upper_bound() -> None:
    dose = DOSE[DOSE > 0]
    row = fit_row(rising(dose, ec50=0.02), dose, sd=0.3)
    assert (row["verdict"], row["bound_side"]) == ("beyond_range", "below")
    assert row["ec50_nM"] is None
    assert row["ec50_low_nM"] is None
    assert 0.02 < row["ec50_high_nM"] < 3.0
    said = f"EC50 below {row['ec50_high_nM']:.3g} nM: response already changed at the lowest dose, 0.3 nM"
    assert row["message"] == said


@pytest.mark.parametrize("falling", [False, True])
def test_a_missing_high_plateau_is_named_by_level_not_by_dose(falling: bool) -> None:
    """The plateau at high dose is the top of a rising curve and the bottom of a falling one."""
    sign = -1.0 if falling else 1.0
    row = fit_row(sign * rising(DOSE, ec50=1200.0, hill=1.0), sd=3.0)
    assert (row["verdict"], row["open_plateau"]) == ("plateau_open", "bottom" if falling else "top")
    assert row["ec50_nM"] is not None
    assert f"the {'bottom' if falling else 'top'} plateau is not determined" in row["message"]


def test_a_missing_low_plateau() -> None:
    dose = DOSE[DOSE > 0]
    row = fit_row(rising(dose, ec50=0.6, hill=0.8), dose, sd=3.0)
    assert (row["verdict"], row["open_plateau"]) == ("plateau_open", "bottom")


def test_a_bell_is_not_sigmoid_and_raises_the_off_target_question() -> None:
    y = rising(DOSE, ec50=5.0, hill=1.5) - 70.0 * DOSE**2 / (DOSE**2 + 500.0**2)
    row = fit_row(y)
    assert row["verdict"] == "not_sigmoid"
    assert row["message"] == (
        "the response turns back at high dose; a four-parameter curve does not describe it; "
        "off-target effect suspected: run a counter-screen on cells without TPO-R"
    )
    assert fit_row(-y)["message"] == "the response turns back at high dose; a four-parameter curve does not describe it"
    assert fit_row(y, model="bell")["verdict"] != "not_sigmoid"


def test_a_top_dose_that_falls_a_little_is_no_bell() -> None:
    y = rising(DOSE, ec50=5.0)
    y[DOSE.max() == DOSE] -= 5.0
    assert fit_row(y)["verdict"] == "fit"


def test_false_alarms_stay_at_their_level() -> None:
    """Of 1,500 curves without effect at most 5 % (and 3.5 standard errors) escape "flat"; of 1,500 sigmoids at most 1 % pass for bells."""
    rng = np.random.default_rng(8)
    n = 1_500
    for mean, verdict in ((np.full(DOSE.size, 50.0), "flat"), (rising(DOSE, ec50=30.0), "not_sigmoid")):
        table = pl.DataFrame(
            {
                "curve": np.repeat(np.arange(n), DOSE.size),
                "concentration_nM": np.tile(DOSE, n),
                "response": (mean + 5.0 * rng.standard_normal((n, DOSE.size))).ravel(),
            }
        )
        share = float(np.mean(fit_curves(table, weights="none").verdict == verdict))
        assert share >= 0.93 if verdict == "flat" else share <= 0.01, (verdict, share)


def evidence(**changed: object) -> verdicts.Evidence:
    """One curve that is a plain fit: F of 100 against a constant, no bell, inflection inside, plateaus known to 10 %."""
    plain = verdicts.Evidence(
        usable=np.array([True]),
        theta=np.array([[0.0, 100.0, 2.0, 0.0]]),
        covariance=np.diag([4.0, 4.0, 0.01, 0.01])[None],
        ln_low=np.array([1.8]),
        ln_high=np.array([2.2]),
        rss=np.array([20.0]),
        flat_rss=np.array([320.0]),
        bell_rss=np.array([np.nan]),
        bell_turn=np.array([0.0]),
        degrees=np.array([20]),
        n_parameters=4,
        x_low=np.array([0.0]),
        x_high=np.array([5.0]),
        confidence=0.95,
    )
    return dataclasses.replace(plain, **changed)


FINDINGS: dict[str, dict[str, object]] = {
    "bad": {"usable": np.array([False])},
    "flat": {"flat_rss": np.array([20.5])},
    "not_sigmoid": {"bell_rss": np.array([5.0]), "bell_turn": np.array([0.5])},
    "beyond_range": {"theta": np.array([[0.0, 100.0, 6.0, 0.0]])},
    "plateau_open": {"ln_high": np.array([np.inf])},
}
"""Each verdict's finding, in the order of precedence."""


def test_without_a_finding_it_is_a_fit() -> None:
    assert verdicts.judge(evidence())[0].tolist() == ["fit"]


@given(present=st.sets(st.sampled_from(list(FINDINGS)), min_size=1))
@settings(max_examples=40, deadline=None)
def test_the_first_finding_in_the_order_of_precedence_wins(present: set[str]) -> None:
    changed = {key: value for name in present for key, value in FINDINGS[name].items()}
    verdict, open_plateau, _ = verdicts.judge(evidence(**changed))
    first = next(name for name in FINDINGS if name in present)
    assert verdict.tolist() == [first]
    if first not in ("plateau_open", "beyond_range"):
        assert open_plateau.tolist() == [""], "no plateau is named where the verdict does not speak of one"


@pytest.mark.parametrize(
    "covariance, low, high, expected",
    [
        ((400.0, 4.0), 1.8, 2.2, "bottom"),
        ((4.0, 400.0), 1.8, 2.2, "top"),
        ((400.0, 400.0), 1.8, 2.2, "both"),
        ((4.0, 4.0), -np.inf, 2.2, "bottom"),
        ((4.0, 4.0), 1.8, np.inf, "top"),
        ((4.0, np.nan), 1.8, 2.2, "top"),
        ((196.0, 196.0), 1.8, 2.2, ""),
    ],
)
def test_open_plateaus_from_their_half_width_or_an_open_interval(
    covariance: tuple[float, float], low: float, high: float, expected: str
) -> None:
    """The limit is 30 % of the span: t(20) = 2.086 times 14 is 29.2 %, times 20 is 41.7 %."""
    given_ = evidence(covariance=np.diag([*covariance, 0.01, 0.01])[None], ln_low=np.array([low]), ln_high=np.array([high]))
    verdict, open_plateau, _ = verdicts.judge(given_)
    assert open_plateau.tolist() == [expected]
    assert verdict.tolist() == ["plateau_open" if expected else "fit"]


def test_words_for_bounds_that_do_not_exist() -> None:
    nowhere = {"ln_low": np.array([-np.inf]), "ln_high": np.array([np.inf])}
    cases = {
        "EC50 not bounded: no plateau reached, highest dose 148 nM": FINDINGS["beyond_range"] | nowhere,
        "EC50 not bounded: response already changed at the lowest dose, 1 nM": {
            "theta": np.array([[0.0, 100.0, -1.0, 0.0]]),
            **nowhere,
        },
        "both plateaus are not determined: the EC50 has no bound": nowhere,
        "the top plateau is not determined: EC50 > 6.05 nM": {"ln_high": np.array([np.inf])},
        "the bottom plateau is not determined: EC50 < 9.03 nM": {"ln_low": np.array([-np.inf])},
    }
    for said, changed in cases.items():
        case = evidence(**changed)
        verdict, open_plateau, p_flat = verdicts.judge(case)
        words = verdicts.messages(verdict, open_plateau, np.array([""], dtype=object), case, p_flat, np.zeros(1, np.int64))
        assert words.tolist() == [said]


def test_an_open_plateau_beyond_the_doses_is_printed_as_the_response_it_lies_beyond() -> None:
    dose = np.geomspace(0.01, 10, 9)
    table = pl.DataFrame(
        {"curve": "a", "concentration_nM": dose, "response": 100 * dose / (dose + 300.0) + 0.01 * (-1.0) ** np.arange(9)}
    )
    fits = fit_curves(table, weights="none")
    row = fits.table().row(0, named=True)
    assert row["verdict"] == "beyond_range"
    assert row["open_plateau"] == "top"
    assert row["top"] == pytest.approx(float(fits.predict(0, np.array([10.0]))[0]))
    assert row["bottom"] <= row["top"] < 4.0
