"""Diagnostics of cohorts and comparison of regimens: against direct counts, pairing, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import thrombokit as tk
from thrombokit.errors import InputError, SpecError
from thrombokit.patients.cohort_result import CohortResult

RULES = ("hetrombopag-150-250", "hetrombopag-250-400")


@pytest.fixture(scope="module")
def cohorts() -> dict[str, CohortResult]:
    """The same patients under two rules."""
    return {rule: tk.simulate_cohort("hetrombopag", rule, 120, seed=3, weeks=12) for rule in RULES}


def test_weeks_are_counted_as_a_person_would(cohorts: dict[str, CohortResult]) -> None:
    result = cohorts[RULES[0]]
    table = tk.diagnose_cohort(result).table()
    for week in (0, 5, 12):
        seen = result.measured[:, week]
        row = table.row(week, named=True)
        assert row["in_range"] == np.mean((seen >= 50) & (seen <= 200) & ~result.rescued[:, week])
        assert row["in_range_low"] < row["in_range"] < row["in_range_high"] or row["in_range"] == 0.0
        assert (row["p50"], row["dose_mean"]) == (pytest.approx(np.median(seen)), pytest.approx(result.doses_mg[:, week].mean()))
    assert tk.diagnose_cohort(result).weeks_above.sum() == (result.measured[:, 1:] > 400).sum()


def test_those_who_left_and_those_rescued(cohorts: dict[str, CohortResult]) -> None:
    result = cohorts[RULES[0]]
    measured, left, rescued = result.measured.copy(), result.dropped_out.copy(), result.rescued.copy()
    measured[:30, 6:], left[:30, 6:], rescued[30:, 6] = np.nan, True, True
    changed = replace(result, measured=measured, dropped_out=left, rescued=rescued)
    row = tk.diagnose_cohort(changed).table().row(6, named=True)
    assert (row["patients"], row["in_range"]) == (90, 0.0)
    compared = tk.compare_cohorts({"as is": result, "left": changed})
    assert compared.value("left", "left").value == 0.25
    assert compared.value("left", "time in range").value < compared.value("as is", "time in range").value
    nobody = replace(result, measured=np.where(np.arange(13) >= 8, np.nan, result.measured))
    assert tk.diagnose_cohort(nobody).table().row(12, named=True)["p50"] is None


def test_differences_are_within_patients(cohorts: dict[str, CohortResult]) -> None:
    found = tk.compare_cohorts(cohorts)
    second = found.value(RULES[1], "time in range")
    r = {
        name: 100 * ((c.measured[:, 1:] >= 50) & (c.measured[:, 1:] <= 200) & ~c.rescued[:, 1:]).mean(axis=1)
        for name, c in cohorts.items()
    }
    d = r[RULES[1]] - r[RULES[0]]
    assert second.difference == pytest.approx(d.mean())
    assert second.difference_high == pytest.approx(d.mean() + 1.959964 * d.std(ddof=1) / np.sqrt(d.size))
    unpaired = np.sqrt(sum(x.var(ddof=1) for x in r.values()) / d.size)
    assert (second.difference_high or 0.0) - (second.difference or 0.0) < 0.8 * 1.96 * unpaired
    assert found.value(RULES[0], "time in range").difference is None
    assert "points from hetrombopag-150-250" in found.summary()


def test_an_interval_of_nothing_is_not_nothing(cohorts: dict[str, CohortResult]) -> None:
    result = cohorts[RULES[0]]
    none = replace(result, measured=np.full_like(result.measured, 5.0))
    found = tk.compare_cohorts({"none": none, "rule": result})
    assert found.value("none", "time in range").value == 0.0
    assert 0.0 < found.value("none", "time in range").high < 5.0
    share = found.value("rule", "in range at the end")
    assert share.difference_low is not None
    assert share.difference is not None
    assert share.difference_high is not None
    assert share.difference_low < share.difference < share.difference_high


def test_cohorts_of_other_patients_are_refused(cohorts: dict[str, CohortResult]) -> None:
    other = tk.simulate_cohort("hetrombopag", RULES[0], 120, seed=4, weeks=12)
    with pytest.raises(
        InputError, match="regimen b: found other patients than under a; expected one model, cohort, seed and weeks"
    ):
        tk.compare_cohorts({"a": cohorts[RULES[0]], "b": other})
    with pytest.raises(InputError, match="two or more"):
        tk.compare_cohorts({"a": other})
    with pytest.raises(InputError, match="0 <= low < high"):
        tk.CountRange(low=300.0)


def test_a_grid_of_rules_and_starts() -> None:
    found = tk.compare_regimens("hetrombopag", [*RULES, "placebo"], (2.5, 5.0), 30, seed=1, weeks=4)
    assert found.regimens == (*(f"{rule}, start {start}" for rule in RULES for start in ("2.5", "5")), "placebo")
    assert found.value("placebo", "mean dose").value == 0.0
    assert isinstance(found.table(), pl.DataFrame)
    alone = tk.simulate_cohort("hetrombopag", "placebo", 30, seed=1, weeks=4)
    mean = 100 * float((alone.measured[:, 1:] < 50).mean())
    assert found.value("placebo", "time below").value == pytest.approx(mean)


def test_starts_a_rule_does_not_know_and_wrong_labels() -> None:
    with pytest.raises(SpecError) as told:
        tk.compare_regimens("hetrombopag", RULES, (3.0,), 10, seed=1, weeks=2)
    assert len(told.value.faults) == 2
    assert "hetrombopag-150-250, start: found 3; expected a dose of the rule: 2.5, 3.75" in str(told.value)
    with pytest.raises(SpecError, match='reference: found "x"'):
        tk.compare_regimens("hetrombopag", RULES, seed=1, reference="x")
    with pytest.raises(SpecError, match='"placebo" twice'):
        tk.compare_regimens("hetrombopag", ["placebo", "placebo"], seed=1)
