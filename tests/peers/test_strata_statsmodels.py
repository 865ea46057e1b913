"""Stratified tables beside statsmodels, and UCBAdmissions beside what R prints."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from thrombokit.trials.cochran_mantel_haenszel import cmh_test
from thrombokit.trials.mantel_haenszel import breslow_day, common_odds_ratio, common_risk_ratio
from thrombokit.trials.strata import Strata
from thrombokit.trials.stratified import compare_strata
from thrombokit.trials.two_by_two import TwoByTwo


@pytest.mark.parametrize("seed", range(8))
def test_statsmodels_agrees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(5, 40, (4, 2))
    counts = rng.integers(1, sizes)
    tables = tuple(TwoByTwo(a=int(a), n=int(n), b=int(b), m=int(m)) for (a, b), (n, m) in zip(counts, sizes, strict=True))
    strata = Strata(names=("a", "b", "c", "d"), tables=tables)
    peer: Any = StratifiedTable(list(strata.counts()))
    ours = common_odds_ratio(strata)
    assert ours.estimate == pytest.approx(peer.oddsratio_pooled, rel=1e-12)
    assert (ours.interval.low, ours.interval.high) == pytest.approx(peer.oddsratio_pooled_confint(), rel=1e-10)
    assert common_risk_ratio(strata).estimate == pytest.approx(peer.riskratio_pooled, rel=1e-12)
    assert cmh_test(strata).statistic == pytest.approx(peer.test_null_odds().statistic, rel=1e-12)
    assert breslow_day(strata).statistic == pytest.approx(peer.test_equal_odds(adjust=True).statistic, rel=1e-9)
    assert breslow_day(strata, tarone=False).p == pytest.approx(peer.test_equal_odds().pvalue, rel=1e-9)


def test_ucb_admissions(reference_data: Path) -> None:
    """R's mantelhaen.test prints 1.5246 (1.4269 corrected), p 0.2169, common odds ratio 0.9046968 (0.7719074 to 1.0603298) for men to women."""
    with (reference_data / "clinical" / "proportion-ci-published" / "ucb_admissions.csv").open() as file:
        freq = {(r["Dept"], r["Gender"], r["Admit"]): int(r["Freq"]) for r in csv.DictReader(file)}
    departments = sorted({key[0] for key in freq})

    def arm(department: str, gender: str) -> tuple[int, int]:
        admitted = freq[department, gender, "Admitted"]
        return admitted, admitted + freq[department, gender, "Rejected"]

    tables = []
    for d in departments:
        (a, n), (b, m) = arm(d, "Male"), arm(d, "Female")
        tables.append(TwoByTwo(a=a, n=n, b=b, m=m))
    found = compare_strata(Strata(names=tuple(departments), tables=tuple(tables)))
    assert found.tests["cmh"].statistic == pytest.approx(1.5246, abs=5e-5)
    assert found.tests["cmh_corrected"].statistic == pytest.approx(1.4269, abs=5e-5)
    assert found.tests["cmh"].p == pytest.approx(0.2169, abs=5e-5)
    assert found.odds_ratio.estimate == pytest.approx(0.9046968, abs=5e-8)
    assert (found.odds_ratio.interval.low, found.odds_ratio.interval.high) == pytest.approx((0.7719074, 1.0603298), abs=1e-7)
    assert found.homogeneity["breslow_day"].p == pytest.approx(0.002071, abs=5e-7)
