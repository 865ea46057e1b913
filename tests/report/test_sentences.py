"""The answer in words, for every way a potency can end."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.domain.estimate import Estimate
from thrombokit.domain.potency import Assay, Potency
from thrombokit.plate.result import PlateQuality, PlateResult, PotencyRatio, QualityCheck
from thrombokit.report.sentences import answer_sentences, potency_sentence, published_sentence, quality_sentences, ratio_sentence
from thrombokit.study.result import PublishedComparison, StudyResult

ASSAY = Assay(cell_system="32D-MPL", readout="luminescence", hours=72.0)


def _potency(estimate: float | None = None, low: float | None = None, high: float | None = None, **changes: Any) -> Potency:
    base = Potency(
        agonist="hetrombopag", assay=ASSAY, ec50_nM=Estimate(estimate=estimate, low=low, high=high), n_runs=0, runs_used=(), runs_left_out=(),
        run_ec50_nM=(), between_run_sd_log10=None, interval="", verdict="fit",
    )  # fmt: skip
    return dataclasses.replace(base, **changes)


def _ratio(
    estimate: float | None, low: float | None, high: float | None, runs: tuple[float, ...] = (), reason: str = ""
) -> PotencyRatio:
    return PotencyRatio(
        agonist="hetrombopag", comparator="eltrombopag", assay=ASSAY, ratio=Estimate(estimate=estimate, low=low, high=high), n_runs=len(runs),
        runs_used=(), run_ratios=runs, interval="", reason=reason,
    )  # fmt: skip


def _say(potency: Potency) -> str:
    return potency_sentence(potency, confidence=0.95)


HEAD = "In 32D-MPL cells (luminescence, 72 h) hetrombopag"


@pytest.mark.parametrize(
    ("potency", "sentence"),
    [
        (_potency(0.41, 0.31, 0.54, n_runs=4), "’s EC50 is 0.410 nM (95 % interval 0.310 to 0.540 nM, 4 runs)."),
        (_potency(n_runs=2, run_ec50_nM=(0.39, 0.45)),
         "’s EC50 is 0.390 nM and 0.450 nM in 2 runs; fewer than 3 runs, so no combined interval is given."),
        (_potency(0.39, 0.3, 0.5, n_runs=1, run_ec50_nM=(0.39,)),
         "’s EC50 is 0.390 nM in 1 run; fewer than 3 runs, so no combined interval is given."),
        (_potency(0.4, None, None, n_runs=3, run_ec50_nM=(0.3, 0.4, 0.5), interval="did not converge"),
         "’s EC50 is 0.300 nM, 0.400 nM and 0.500 nM in 3 runs; no combined interval (did not converge)."),
        (_potency(low=1000.0, verdict="beyond_range"), "’s EC50 lies above 1000 nM: the curve does not turn within the doses tested."),
        (_potency(high=0.01, verdict="beyond_range"), "’s EC50 lies below 0.0100 nM: the curve has already turned at the lowest dose tested."),
        (_potency(verdict="flat"), " has no EC50: no response to dose was seen."),
        (_potency(verdict="not_sigmoid"), " has no EC50: the response does not follow a sigmoid curve."),
        (_potency(verdict="plateau_open"), " has no EC50: no plateau was reached, so half-way between bottom and top is not known."),
        (_potency(verdict="mixed", interval="runs disagree on the verdict"), " has no EC50: runs disagree on the verdict."),
        (_potency(5.0, 3.0, 9.0, n_runs=3, run_intervals_nM=((3.0, 9.0), (2.0, None), (None, None))),
         "’s EC50 is 5.00 nM (95 % interval 3.00 to 9.00 nM, 3 runs). 2 of 3 runs have own intervals that are open, because a plateau was "
         "not reached."),
        (_potency(n_runs=2, run_ec50_nM=(0.39, 254.0), run_intervals_nM=((0.31, 0.5), (None, None))),
         "’s EC50 is 0.390 nM (0.310 to 0.500) and 254 nM (open at both ends) in 2 runs, each with its own 95 % interval; fewer than 3 runs, "
         "so no combined interval is given."),
        (_potency(n_runs=1, run_ec50_nM=(47.9,), run_intervals_nM=((11.6, None),)),
         "’s EC50 is 47.9 nM (11.6 to open) in 1 run, with its own 95 % interval; fewer than 3 runs, so no combined interval is given."),
    ],
)  # fmt: skip
def test_potency_in_words(potency: Potency, sentence: str) -> None:
    assert _say(potency) == HEAD + sentence


@pytest.mark.parametrize(
    ("ratio", "sentence"),
    [
        (_ratio(33.5, 24.1, 45.3, (30.0, 33.0, 37.0)), "That is 33.5-fold below the EC50 of eltrombopag (95 % interval 24.1 to 45.3, 3 runs)."),
        (_ratio(0.5, 0.4, 0.8, (0.5, 0.5, 0.5)), "That is 2.00-fold above the EC50 of eltrombopag (95 % interval 1.25 to 2.50, 3 runs)."),
        (_ratio(1.2, 0.8, 1.7, (1.0, 1.2, 1.4)),
         "Its EC50 is not told apart from that of eltrombopag: ratio 1.20 (95 % interval 0.800 to 1.70, 3 runs)."),
        (_ratio(None, None, None, (30.0, 36.0)),
         "EC50 of eltrombopag divided by its own: 30.0 and 36.0 in 2 runs; no combined interval (fewer than 3 runs)."),
        (_ratio(None, None, None, (), "eltrombopag lies beyond the doses"),
         "It cannot be compared with eltrombopag: eltrombopag lies beyond the doses."),
    ],
)  # fmt: skip
def test_ratio_in_words(ratio: PotencyRatio, sentence: str) -> None:
    assert ratio_sentence(ratio, confidence=0.95) == sentence


@given(st.floats(min_value=1.01, max_value=1e4), st.floats(min_value=1.001, max_value=3.0))
def test_below_one_way_is_above_the_other(value: float, spread: float) -> None:
    runs = (1.0, 1.0, 1.0)
    one = ratio_sentence(_ratio(value, value / spread, value * spread, runs), confidence=0.95)
    other = ratio_sentence(_ratio(1 / value, 1 / value / spread, spread / value, runs), confidence=0.95)
    if "not told apart" not in one:
        figures = [float(text) for text in re.findall(r"\d[\d.]*(?:e-?\d+)?", one)]
        assert [float(t) for t in re.findall(r"\d[\d.]*(?:e-?\d+)?", other)] == pytest.approx(figures, rel=0.011)
        assert ("fold below" in one, "fold above" in other) == (True, True)
    else:
        assert "not told apart" in other


@pytest.mark.parametrize(
    ("recovered", "inside", "tail"),
    [
        (Estimate(estimate=0.41, low=0.3, high=0.5), True, "here 0.410 nM. The published value lies inside the 95 % interval 0.300 to 0.500 nM."),
        (Estimate(estimate=0.9, low=0.6, high=1.5), False, "here 0.900 nM. The published value lies outside the 95 % interval 0.600 to 1.50 nM."),
        (Estimate(estimate=0.9, low=None, high=None), None, "here 0.900 nM, without an interval to judge it by."),
        (Estimate(estimate=None, low=100.0, high=None), None, "here the EC50 lies above 100 nM."),
        (Estimate(estimate=None, low=None, high=0.1), None, "here the EC50 lies below 0.100 nM."),
        (Estimate(estimate=None, low=None, high=None), None, "this study holds no EC50 to set beside it."),
        (None, None, "this study holds no EC50 to set beside it."),
    ],
)  # fmt: skip
def test_published_value_beside_the_recovered_one(recovered: Estimate | None, inside: bool | None, tail: str) -> None:
    one = PublishedComparison(agonist="hetrombopag", cell_system="32D-MPL", published_ec50_nM=0.4, source="s", tier="t",
                              recovered=recovered, inside=inside)  # fmt: skip
    assert published_sentence(one, confidence=0.95) == f"hetrombopag in 32D-MPL: published EC50 0.400 nM; {tail}"


def _quality(plate: str, status: str, reason: str = "") -> PlateQuality:
    check = QualityCheck(check="Z'", value=0.1, status=status, reason=reason)
    return PlateQuality(plate=plate, run="1", cell_system="c", status=status, checks=(check,))


def test_failed_plates_are_named_with_their_reason() -> None:
    one, two = _quality("p7", "fail", "Z' is 0.12."), _quality("p8", "fail", "Vehicle CV is 43 %.")
    good, warned = _quality("p1", "pass"), _quality("p2", "warn", "edges")
    said = quality_sentences((one, good, warned))
    assert said == [
        "1 plate failed its quality check and is left out of the combined values: p7 (Z' is 0.12).", "1 plate passed with a warning: p2.",
    ]  # fmt: skip
    assert quality_sentences((one, two))[0].startswith(
        "2 plates failed their quality checks and are left out of the combined values: p7 ("
    )
    assert quality_sentences((good, good)) == ["All 2 plates passed their quality checks."]


def test_the_whole_answer_names_what_limits_it(study: StudyResult) -> None:
    said = answer_sentences(study)
    assert said[0].startswith("In 32D-MPL cells (luminescence, 72 h, 10 % FBS) hetrombopag’s EC50 is ")
    assert " That is 33.5-fold below the EC50 of eltrombopag (95 % interval 24.1 to 45.9, 5 runs)." in said[0]
    assert said[-3:] == [
        "1 plate failed its quality check and is left out of the combined values: plate-06 "
        "(Z' is 0.12; 0.5 or more is expected; The map fits better shifted one row up and one column left: try map_origin = \"B2\").",
        "1 plate passed with a warning: plate-09.", "1 export named in the manifest is missing: plate-13.csv.",
    ]  # fmt: skip
    assert not any("+-" in sentence or "±" in sentence for sentence in said)


def test_agonists_without_an_ec50_share_a_sentence(plate: PlateResult, changed: Callable[..., StudyResult]) -> None:
    potencies = tuple(_potency(agonist=name, verdict="flat") for name in ("a-1", "a-2", "a-3"))
    said = answer_sentences(changed(plate=dataclasses.replace(plate, potencies=potencies, ratios=(), comparator=None), missing=()))
    assert said[:3] == [
        "No EC50 could be estimated in this study; the table of fits says why for each curve.",
        "In 32D-MPL cells (luminescence, 72 h) a-1, a-2 and a-3 have no EC50: no response to dose was seen.",
        "No comparator is named in this study, so EC50s are not compared with one another.",
    ]


def test_a_study_without_plates_says_so(changed: Callable[..., StudyResult]) -> None:
    assert answer_sentences(changed(plate=None, missing=())) == ["No plates were analysed in this study."]
