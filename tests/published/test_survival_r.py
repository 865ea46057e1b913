"""lung, ovarian and leukemia: what R's survival 3.5-3 prints, and the hazard ratios of its manual."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from thrombokit import analyse_survival, fit_cox, read_survival

PRINTED: list[tuple[str, dict[str, Any], dict[str, tuple[float | None, ...]], float | None]] = [
    ("lung", {"time": "time", "event": "status"}, {"all": (310, 285, 363)}, None),
    ("lung", {"time": "time", "event": "status", "arm": "sex"}, {"1": (270, 212, 310), "2": (426, 348, 550)}, 10.326742),
    ("lung", {"time": "time", "event": "status", "arm": "sex", "strata": ("ph.ecog",)},
     {"1": (270, 212, 310), "2": (426, 348, 550)}, 10.79506),
    ("ovarian", {"time": "futime", "event": "fustat", "arm": "rx"}, {"1": (638, 268, None), "2": (None, 475, None)}, 1.0627399),
    ("leukemia", {"time": "time", "event": "status", "arm": "x"}, {"Maintained": (31, 18, None), "Nonmaintained": (23, 8, None)},
     3.3963887),
]  # fmt: skip


@pytest.mark.parametrize(("name", "columns", "medians", "statistic"), PRINTED)
def test_medians_and_log_rank(
    reference_data: Path, name: str, columns: dict[str, Any], medians: dict[str, tuple[float | None, ...]], statistic: float | None
) -> None:
    found = analyse_survival(read_survival(reference_data / f"clinical/survival-r/{name}.csv", **columns))
    assert {arm.name: (arm.median.median, arm.median.low, arm.median.high) for arm in found.arms} == medians
    if statistic is None:
        assert found.logrank is None
    else:
        digits = len(str(statistic).split(".")[1])
        assert round(found.logrank.statistic, digits) == statistic
        assert found.logrank.df == 1


@pytest.mark.parametrize(
    ("name", "columns", "log_ratio", "std_error", "limits"),
    [
        # printed by summary(coxph(Surv(time, status) ~ sex, lung)) and by coxph(Surv(time, status) ~ x, aml), both with Efron's ties
        ("lung", {"time": "time", "event": "status", "arm": "sex"}, -0.5310, 0.1672, (0.5880, 0.4237, 0.816)),
        ("leukemia", {"time": "time", "event": "status", "arm": "x"}, 0.9155, 0.5119, (2.498, 0.9159, 6.813)),
    ],
)
def test_hazard_ratios(
    reference_data: Path, name: str, columns: dict[str, Any], log_ratio: float, std_error: float, limits: tuple[float, float, float]
) -> None:
    (found,) = fit_cox(read_survival(reference_data / f"clinical/survival-r/{name}.csv", **columns), ties="efron").ratios
    assert found.log_ratio == pytest.approx(log_ratio, abs=5.1e-5)
    assert found.std_error == pytest.approx(std_error, abs=5.1e-5)
    assert (found.ratio.estimate, found.ratio.low, found.ratio.high) == pytest.approx(limits, abs=5.1e-4)
