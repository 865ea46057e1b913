"""Statistics of fits: each figure by hand, from numpy alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import f as f_distribution

from thrombokit.dose_response.fit import fit_curves, fit_points
from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.points import CurvePoints, points_from_table
from thrombokit.dose_response.settings import FitSettings
from thrombokit.dose_response.statistics import fit_statistics
from thrombokit.errors import InputError

DOSES = np.repeat(np.concatenate([[0.0], 0.3 * 3.0 ** np.arange(9)]), 2)
COLUMNS = ["curve", "aicc", "p_flat", "q_flat", "p_lack_of_fit", "r_squared", "n_outliers"]


def curve(name: str, seed: int, *, span: float = 90.0, bump: float = 0.0, every: int = 1) -> pl.DataFrame:
    dose = DOSES[::every]
    mean = 10.0 + span * dose**1.2 / (dose**1.2 + 20.0**1.2) + bump * np.sin(2.0 * np.log(dose + 0.1))
    y = mean + 2.0 * np.random.default_rng(seed).standard_normal(dose.size)
    weight = 0.5 + (np.arange(dose.size) % 3) / 4.0
    return pl.DataFrame({"curve": [name] * dose.size, "concentration_nM": dose, "response": y, "weight": weight})


TABLE = pl.concat([curve("plain", 1), curve("wavy", 2, bump=8.0), curve("flat", 4, span=0.0), curve("single", 4, every=2)])
BAD = curve("bad", 1).with_columns(response=pl.lit(3.0))


def statistics(table: pl.DataFrame, **options: object) -> tuple[CurveFits, CurvePoints, pl.DataFrame]:
    points = points_from_table(table)
    fits = fit_points(points, FitSettings(**options))  # type: ignore[arg-type]
    return fits, points, fit_statistics(fits, points)


@pytest.mark.parametrize("weights", ["none", "column"])
def test_every_figure_by_hand(weights: str) -> None:
    fits, _, found = statistics(pl.concat([TABLE, BAD]), weights=weights)
    assert found.columns == COLUMNS
    for i, (_, points) in enumerate(TABLE.group_by("curve", maintain_order=True)):
        dose, y = points["concentration_nM"].to_numpy(), points["response"].to_numpy()
        w = points["weight"].to_numpy() if weights == "column" else np.ones(y.size)
        n, row = y.size, found.row(i, named=True)
        rss = float(np.sum(w * (y - fits.predict(i, dose)) ** 2))
        k = 5
        expected = n * np.log(rss / n) - np.sum(np.log(w)) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
        assert row["aicc"] == pytest.approx(expected)
        assert row["r_squared"] == pytest.approx(1 - rss / np.sum(w * (y - np.average(y, weights=w)) ** 2), abs=1e-9)
        assert row["p_flat"] == fits.p_flat[i]
        if row["curve"] == "single":
            assert row["p_lack_of_fit"] is None
            continue
        pure = sum(np.sum(w[dose == d] * (y[dose == d] - np.average(y[dose == d], weights=w[dose == d])) ** 2) for d in set(dose))
        f = (rss - pure) / 6 / (pure / 10)
        assert row["p_lack_of_fit"] == pytest.approx(f_distribution.sf(f, 6, 10), rel=1e-6)
    assert found.row(4) == ("bad", None, None, None, None, None, 0)


def test_a_wavy_curve_lacks_fit_and_a_plain_one_does_not() -> None:
    _, _, found = statistics(TABLE, weights="none")
    p = dict(found.select("curve", "p_lack_of_fit").iter_rows())
    assert p["wavy"] < 0.01 < 0.05 < p["plain"]


def test_q_values_are_over_the_whole_table_without_bad_curves() -> None:
    _, _, found = statistics(pl.concat([TABLE, BAD]), weights="none")
    p = np.array(found["p_flat"].to_list()[:4])
    order = np.argsort(p)
    q = np.minimum.accumulate((p[order] * 4 / np.arange(1, 5))[::-1])[::-1]
    np.testing.assert_allclose(np.array(found["q_flat"].to_list()[:4])[order], np.minimum(q, 1.0))


def test_aicc_finds_the_model_behind_the_points_although_each_model_brings_weights_of_its_own() -> None:
    """A slope of 2: the 3PL, held at 1, must lose."""
    dose, rng = DOSES, np.random.default_rng(3)
    parts = []
    for i in range(5):
        mean = 10.0 + 90.0 * dose**2 / (dose**2 + 20.0**2)
        y = mean * (1 + 0.05 * rng.standard_normal(dose.size))
        parts.append(pl.DataFrame({"curve": [f"c{i}"] * dose.size, "concentration_nM": dose, "response": y}))
    four, three = (statistics(pl.concat(parts), model=model)[2] for model in ("4pl", "3pl"))
    assert (four["aicc"] < three["aicc"] - 4.0).all()


def test_too_few_points_for_a_criterion_give_null() -> None:
    table = curve("six", 1, every=2)[[0, 3, 4, 5, 6, 8]]
    fits, _, found = statistics(table, weights="none")
    assert fits.verdict[0] != "bad"
    assert found["aicc"].to_list() == [None], "n - k - 1 is 0"


def test_a_robust_fit_has_no_aicc_and_no_lack_of_fit() -> None:
    spoilt = curve("a", 1).with_columns(
        response=pl.col("response") + pl.when(pl.int_range(pl.len()) == 9).then(60.0).otherwise(0.0)
    )
    _, _, found = statistics(spoilt, weights="none", robust="tukey", interval="sandwich")
    row = found.row(0, named=True)
    assert (row["aicc"], row["p_lack_of_fit"], row["n_outliers"]) == (None, None, 1)
    assert row["p_flat"] < 1e-6


def test_runs_are_rows_of_their_own() -> None:
    table = pl.concat([curve("a", 1).with_columns(run=pl.lit("r1")), curve("a", 2).with_columns(run=pl.lit("r2"))])
    found = statistics(table, weights="model")[2]
    assert found.columns == ["curve", "run", *COLUMNS[1:]]
    assert found["run"].to_list() == ["r1", "r2"]


def test_points_of_other_fits_are_refused() -> None:
    fits = fit_curves(TABLE)
    with pytest.raises(InputError, match="found 1 curves, not those of the 4 fits; expected the points that were fitted"):
        fit_statistics(fits, points_from_table(curve("plain", 1)))
    with pytest.raises(InputError, match=r'points, curve "single": found 9 points; expected 10, as fitted\. Pass the points'):
        fit_statistics(fits, points_from_table(TABLE.head(-1)))
