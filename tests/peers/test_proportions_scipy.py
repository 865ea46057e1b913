"""Two proportions beside scipy and statsmodels, where those are right.

statsmodels' score interval of the *difference* solves a wrong cubic (its issue 10269) and is no oracle; its ratios are right.
"""

from __future__ import annotations

import pytest
from scipy import stats
from scipy.stats.contingency import odds_ratio
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from thrombokit import compare_proportions

TABLES = [(12, 30, 5, 31), (99, 168, 5, 85), (3, 10, 9, 12), (1, 40, 7, 38), (20, 21, 10, 20)]


@pytest.mark.parametrize("table", TABLES)
def test_tests_and_odds_ratio_beside_scipy(table: tuple[int, int, int, int]) -> None:
    a, n, b, m = table
    ours = compare_proportions(*table).to_dict()
    cells = [[a, n - a], [b, m - b]]
    assert ours["tests"]["fisher"]["p"] == pytest.approx(stats.fisher_exact(cells).pvalue, rel=1e-9)
    assert ours["tests"]["chi_square"]["p"] == pytest.approx(stats.chi2_contingency(cells, correction=False).pvalue, rel=1e-9)
    theirs = stats.boschloo_exact([[a, b], [n - a, m - b]], n=64).pvalue
    assert ours["tests"]["boschloo"]["p"] == pytest.approx(theirs, rel=1e-5)
    conditional = odds_ratio(cells)
    exact = ours["odds_ratio"]["exact_conditional"]
    assert exact["estimate"] == pytest.approx(conditional.statistic, rel=1e-6)
    assert exact["interval"] == pytest.approx(list(conditional.confidence_interval()), rel=1e-6)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # theirs, while they look for a limit
@pytest.mark.parametrize("table", TABLES)
def test_score_intervals_of_the_ratios_beside_statsmodels(table: tuple[int, int, int, int]) -> None:
    a, n, b, m = table
    ours = compare_proportions(*table).to_dict()
    for measure, name in (("risk_ratio", "ratio"), ("odds_ratio", "odds-ratio")):
        theirs = confint_proportions_2indep(a, n, b, m, method="score", compare=name)
        assert ours[measure]["score"] == pytest.approx(list(theirs), rel=1e-7)
    assert ours["risk_ratio"]["log"] == pytest.approx(
        list(confint_proportions_2indep(a, n, b, m, method="log", compare="ratio")), rel=1e-9
    )


@pytest.mark.parametrize("table", TABLES)
def test_one_arm_beside_statsmodels(table: tuple[int, int, int, int]) -> None:
    a, n, _, _ = table
    ours = compare_proportions(*table).to_dict()["arms"][0]["intervals"]
    for name, method in (("clopper_pearson", "beta"), ("wilson", "wilson")):
        assert ours[name] == pytest.approx(list(proportion_confint(a, n, method=method)), rel=1e-9)
