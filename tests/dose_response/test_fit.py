"""fit_curves: FITS columns, what enters the sums, and every curve answered for, however bad."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from thrombokit.dose_response.fit import fit_curves
from thrombokit.dose_response.fits import FITS_COLUMNS
from thrombokit.errors import InputError
from thrombokit.numerics.outcome import Outcome
from thrombokit.numerics.variance_model import VarianceModel

DOSES = np.array([0.0, 0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0])
VERDICTS = {"fit", "plateau_open", "beyond_range", "not_sigmoid", "flat", "bad"}


def response(dose: np.ndarray, *, bottom: float = 10.0, top: float = 100.0, ec50: float = 5.0, hill: float = 1.2) -> np.ndarray:
    return bottom + (top - bottom) * dose**hill / (dose**hill + ec50**hill)


def curve(name: str, y: np.ndarray, *, dose: np.ndarray = DOSES, seed: int = 1, sd: float = 2.0) -> pl.DataFrame:
    noise = sd * np.random.default_rng(seed).standard_normal(dose.size)
    return pl.DataFrame({"curve": [name] * dose.size, "concentration_nM": dose, "response": y + noise})


def one(table: pl.DataFrame, **options: object) -> dict[str, object]:
    (row,) = fit_curves(table, **options).table().rows(named=True)  # type: ignore[arg-type]
    return row


def test_the_columns_are_those_of_the_conventions() -> None:
    fits = fit_curves(curve("a", response(DOSES)))
    assert tuple(fits.table().columns) == FITS_COLUMNS
    assert fits.table()["message"].to_list() == [None], "a plain fit needs no words"
    with_run = fit_curves(curve("a", response(DOSES)).with_columns(run=pl.lit("r1"))).table()
    assert with_run.columns[:3] == ["curve", "run", "verdict"]


def test_dose_zero_counts_in_points_and_in_rss() -> None:
    y = response(DOSES)
    row = one(curve("a", y), weights="none")
    assert row["n_points"] == DOSES.size
    spoilt = y.copy()
    spoilt[0] += 40.0
    assert one(curve("a", spoilt), weights="none")["rss"] > row["rss"] + 100.0
    without = one(curve("a", y).filter(pl.col("concentration_nM") > 0), weights="none")
    assert without["n_points"] == DOSES.size - 2


def test_empty_responses_are_counted_and_left_out() -> None:
    table = curve("a", response(DOSES))
    gap = table.with_columns(response=pl.when(pl.int_range(pl.len()) == 4).then(None).otherwise("response"))
    row, expected = one(gap, weights="none"), one(table.filter(pl.int_range(pl.len()) != 4), weights="none")
    assert (row["n_points"], row["n_excluded"]) == (DOSES.size - 1, 1)
    assert row["ec50_nM"] == expected["ec50_nM"]


@pytest.mark.parametrize("weights", ["none", "column", "model"])
def test_rss_is_the_weighted_sum_over_the_table(weights: str) -> None:
    table = pl.concat([curve(f"c{i}", response(DOSES, ec50=2.0 + i), seed=i) for i in range(6)])
    table = table.with_columns(weight=1.0 / (1.0 + 0.05 * pl.col("response").abs()))
    fits = fit_curves(table, weights=weights)  # type: ignore[arg-type]
    for i, (_, points) in enumerate(table.group_by("curve", maintain_order=True)):
        fitted = fits.predict(i, points["concentration_nM"].to_numpy())
        residual = points["response"].to_numpy() - fitted
        if weights == "model":
            weight = 1.0 / fits.variance[""].variance(fitted)
        else:
            weight = points["weight"].to_numpy() if weights == "column" else np.ones(residual.size)
        # the model's weights stand at the fit before the last: they agree with the last fit's to some 1e-6
        tolerance = 1e-4 if weights == "model" else 1e-10
        assert fits.table()["rss"][i] == pytest.approx(np.sum(weight * residual**2), rel=tolerance)
        assert fits.table()["n_points"][i] == residual.size


def test_weights_none_ignores_a_weight_column_and_column_uses_it() -> None:
    table = curve("a", response(DOSES)).with_columns(weight=pl.Series(np.where(DOSES > 50, 100.0, 1.0)))
    plain = one(table.drop("weight"), weights="none")
    assert one(table, weights="none") == plain
    assert one(table, weights="column")["ec50_nM"] != plain["ec50_nM"]
    assert one(table.with_columns(weight=pl.lit(4.0)), weights="column")["ec50_nM"] == pytest.approx(plain["ec50_nM"], rel=1e-9)


def test_weights_column_without_one_says_what_to_do() -> None:
    with pytest.raises(InputError, match=r'weights: found "column" without a weight column.*Add the column'):
        fit_curves(curve("a", response(DOSES)), weights="column")


def test_noise_is_estimated_for_each_run() -> None:
    parts = []
    for run, sd in (("quiet", 1.0), ("loud", 12.0)):
        parts += [curve(f"c{i}", response(DOSES), seed=hash_of(run, i), sd=sd).with_columns(run=pl.lit(run)) for i in range(25)]
    fits = fit_curves(pl.concat(parts))
    assert set(fits.variance) == {"quiet", "loud"}

    def typical(model: VarianceModel) -> float:
        return float(np.sqrt(model.variance(np.array([50.0])))[0])

    assert typical(fits.variance["quiet"]) == pytest.approx(1.0, rel=0.25)
    assert typical(fits.variance["loud"]) == pytest.approx(12.0, rel=0.25)


def hash_of(run: str, i: int) -> int:
    return 1000 * len(run) + i


BAD = {
    "two doses": curve("two doses", np.array([1.0, 2.0, 3.0, 4.0]), dose=np.array([1.0, 1.0, 2.0, 2.0])),
    "vehicle alone": curve("vehicle alone", np.ones(4), dose=np.zeros(4)),
    "one point": curve("one point", np.ones(1), dose=np.ones(1)),
    "all equal": curve("all equal", np.full(DOSES.size, 7.0), sd=0.0),
    "all zero": curve("all zero", np.zeros(DOSES.size), sd=0.0),
    "four points": curve("four points", response(DOSES[2:6]), dose=DOSES[2:6]),
    "nothing read": curve("nothing read", np.ones(DOSES.size)).with_columns(response=pl.lit(None, dtype=pl.Float64)),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("interval", ["profile", "wald"])
def test_a_bad_curve_gets_a_verdict_alone_and_in_company(name: str, interval: str) -> None:
    for table in (BAD[name], pl.concat([curve("good", response(DOSES)), BAD[name], curve("good too", response(DOSES))])):
        rows = {r["curve"]: r for r in fit_curves(table, weights="none", interval=interval).table().rows(named=True)}  # type: ignore[arg-type]
        row = rows[name]
        assert row["verdict"] == "bad"
        assert row["message"] == "too few doses or points to fit, or all responses equal"
        for column in ("ec50_nM", "ec50_low_nM", "ec50_high_nM", "bound_side", "hill_slope", "bottom", "top"):
            assert row[column] is None
        assert {rows[other]["verdict"] for other in rows if other != name} <= {"fit"}


@pytest.mark.parametrize("model", ["4pl", "3pl", "5pl", "bell"])
@pytest.mark.parametrize("weights", ["model", "none"])
def test_nothing_raises_on_hostile_curves(model: str, weights: str) -> None:
    """Steps, spikes, huge and tiny numbers, exact curves, repeated points: a verdict each, and all numbers finite or null."""
    rng = np.random.default_rng(6)
    shapes = {
        "step": np.where(DOSES > 5, 100.0, 0.0),
        "spike": np.where(DOSES == 10, 1e6, 1.0),
        "exact": response(DOSES),
        "huge": 1e12 * response(DOSES),
        "tiny": 1e-12 * response(DOSES),
        "negative": -response(DOSES),
        "noise": rng.normal(0, 1, DOSES.size),
        "alternating": np.where(np.arange(DOSES.size) % 2, 1.0, -1.0),
        "two levels": np.where(np.arange(DOSES.size) < 2, 0.0, 1.0),
    }
    parts = [curve(name, y, sd=0.0) for name, y in shapes.items()] + list(BAD.values())
    fits = fit_curves(pl.concat(parts), model=model, weights=weights)  # type: ignore[arg-type]
    table = fits.table()
    assert table.height == len(parts)
    assert set(table["verdict"]) <= VERDICTS
    numbers = table.select(pl.col(pl.Float64)).drop_nulls().to_numpy()
    assert np.isfinite(numbers).all()
    both = table.drop_nulls(["ec50_low_nM", "ec50_nM"])
    assert (both["ec50_low_nM"] <= both["ec50_nM"] * (1 + 1e-9)).all()


def test_exact_curves_of_each_model_are_recovered() -> None:
    dose = np.concatenate([[0.0], 0.01 * 3.0 ** np.arange(14)])
    x = np.log(np.maximum(dose, 1e-100))
    five = 10 + 90 * (1 + (2.0 ** (1 / 0.5) - 1) * np.exp(-1.3 * (x - np.log(8.0)))) ** -0.5
    row = one(curve("five", five, dose=dose, sd=1e-4), model="5pl", weights="none")
    assert row["ec50_nM"] == pytest.approx(8.0, rel=1e-3)
    three = one(curve("three", response(dose, hill=1.0), dose=dose, sd=1e-4), model="3pl", weights="none")
    assert (three["ec50_nM"], three["hill_slope"]) == pytest.approx((5.0, 1.0), rel=1e-3)
    bell = response(dose, ec50=1.0, hill=1.5) - 60 * dose**1.5 / (dose**1.5 + 2000.0**1.5)
    row = one(curve("bell", bell, dose=dose, sd=1e-4), model="bell", weights="none")
    assert row["ec50_nM"] == pytest.approx(1.0, rel=1e-2)


def test_bootstrap_interval_is_seeded_and_near_the_profile_one() -> None:
    table = pl.concat([curve(f"c{i}", response(DOSES), seed=i, sd=1.5) for i in range(4)])
    boot, again = (fit_curves(table, interval="bootstrap", seed=5).table() for _ in range(2))
    assert boot.equals(again)
    assert not boot.equals(fit_curves(table, interval="bootstrap", seed=6).table())
    profile = fit_curves(table).table()
    for end in ("ec50_low_nM", "ec50_high_nM"):
        np.testing.assert_allclose(np.log(boot[end] / boot["ec50_nM"]), np.log(profile[end] / profile["ec50_nM"]), rtol=0.4)
    assert boot["interval_method"].unique().to_list() == ["bootstrap"]


def test_bootstrap_of_a_bell_is_refused_with_the_cure() -> None:
    with pytest.raises(
        InputError, match=r'interval: found "bootstrap" with model "5pl"; expected model 4pl or 3pl\. Use --interval'
    ):
        fit_curves(curve("a", response(DOSES)), model="5pl", interval="bootstrap")


def test_wald_interval_is_the_t_interval_on_ln_ec50() -> None:
    fits = fit_curves(curve("a", response(DOSES)), interval="wald", weights="none")
    from_t = 2.4469118511449692 * fits.se_ln_ec50[0]  # t(0.975) at 10 - 4 degrees of freedom
    assert (fits.ln_low[0], fits.ln_high[0]) == pytest.approx((fits.theta[0, 2] - from_t, fits.theta[0, 2] + from_t), rel=1e-9)


def test_options_are_checked_all_at_once() -> None:
    with pytest.raises(InputError) as caught:
        fit_curves(curve("a", response(DOSES)), model="6pl", weights="some", interval="exact", confidence=95)  # type: ignore[arg-type]
    places = [fault.place for fault in caught.value.faults]
    assert places == ["model", "weights", "interval", "confidence"]
    assert 'found "6pl"; expected one of 4pl, 3pl, 5pl, bell' in str(caught.value)
    assert "Use 0.95 for a 95 % interval" in str(caught.value)


def test_outcomes_band_and_summary() -> None:
    step = curve("step", np.where(DOSES > 5, 100.0, 0.0), sd=0.3)
    fits = fit_curves(pl.concat([curve("a", response(DOSES)), step]), weights="none")
    assert fits.outcomes == (Outcome.CONVERGED, Outcome.AT_BOUND)
    assert fits.table()["message"][1] == "the hill slope stands at its bound (0.1 or 10)"
    low, high = fits.band(0, DOSES[2:])
    assert np.all(low < fits.predict(0, DOSES[2:]))
    assert np.all(high > fits.predict(0, DOSES[2:]))
    assert fits.summary() == "2 curves fitted (4pl): 2 fit."
