"""Trials as scenarios: everything has a tier and a source, and nothing marked predict is handed out for fitting."""

from __future__ import annotations

import pytest

from thrombokit.domain.toml_text import parse_toml
from thrombokit.errors import InputError, SpecError
from thrombokit.evidence.scenarios import (
    DESIGN,
    OutcomeKind,
    Use,
    calibration_rows,
    find_scenario,
    load_scenarios,
    read_scenario,
    scenario_texts,
)

PREDICTED = ("V6/eltrombopag", "V7/eltrombopag", "V10", "V11", "V12", "V13")
FITTED = ("V3", "V5", "V6/placebo", "V7/placebo", "V8", "V9")


def test_every_scenario_says_everything_with_tier_and_source() -> None:
    scenarios = load_scenarios()
    assert {row for s in scenarios for arm in s.arms for row in (o.row for o in arm.outcomes)} == {
        "V3", "V5", "V6", "V7", "V8", "V9", "V10", "V11", "V12", "V13",
    }  # fmt: skip
    for scenario in scenarios:
        assert set(scenario.design) == set(DESIGN)
        entries = [*scenario.design.values(), *(e for arm in scenario.arms for e in (arm.dose_mg, arm.days, arm.n))]
        entries += [outcome.result for arm in scenario.arms for outcome in arm.outcomes]
        assert all(entry.source and entry.choices for entry in entries)


def test_responders_are_possible_and_print_as_published() -> None:
    """Each [k, n] has n among the arm's possible sizes; those of V5 print as the percentages of the abstract."""
    printed = {"placebo": 11, "30 mg": 28, "50 mg": 70, "75 mg": 81}
    for scenario in load_scenarios():
        for arm in scenario.arms:
            for outcome in arm.outcomes:
                if outcome.kind.value.startswith("responders"):
                    for k, n in outcome.result.choices:
                        assert 0 <= k <= n
                        assert n in arm.n.choices
    for row in calibration_rows("V5"):
        for k, n in row.arm.outcome(OutcomeKind.RESPONDERS).result.choices:
            assert round(100 * k / n) == printed[row.arm.name]


@pytest.mark.parametrize("name", PREDICTED)
def test_rows_marked_predict_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"found an arm marked predict; expected arms marked calibrate.*excluded from fitting"):
        calibration_rows(name)


def test_every_predicted_arm_is_named_in_one_pass() -> None:
    with pytest.raises(InputError) as caught:
        calibration_rows("V6", "V13", "V5", "V99")
    text = str(caught.value)
    assert all(words in text for words in ("V6/eltrombopag", "V13/2.5 mg", "V13/5 mg", "V13/placebo", 'found "V99"'))
    assert "V6/placebo" not in text
    assert "V5/" not in text


def test_what_is_fitted_is_all_marked_calibrate() -> None:
    rows = calibration_rows(*FITTED)
    assert {row.arm.use for row in rows} == {Use.CALIBRATE}
    assert [row.arm.name for row in calibration_rows("V6/placebo")] == ["placebo"]
    kept = [arm for scenario in load_scenarios() for arm in scenario.arms if arm.use is Use.PREDICT]
    assert len(rows) + len(kept) == sum(len(scenario.arms) for scenario in load_scenarios())


def test_an_unknown_entry_has_no_value() -> None:
    entry = find_scenario("hetrombopag-itp-first-in-patient").design["stopping"]
    assert entry.choices == ("stopped on day 14", "dosed to day 28")
    with pytest.raises(InputError, match=r"found 2 possibilities.*expected a known entry"):
        _ = entry.value


def test_a_misspelt_name_is_corrected() -> None:
    with pytest.raises(InputError, match=r'Did you mean "hetrombopag-itp-phase3"'):
        find_scenario("hetrombopag-itp-phas3")


def test_all_faults_of_a_file_in_one_pass() -> None:
    text = scenario_texts()["eltrombopag-itp-china.toml"]
    text = text.replace('window_d = {value = 0, tier = "assumed"', 'window_d = {tier = "guessed"', 1)
    text = text.replace('use = "predict"', 'use = "fit"', 1).replace("[design]", '[design]\nwindows = 3\nmissing_rule = "x"', 1)
    with pytest.raises(SpecError) as caught:
        read_scenario(parse_toml(text, file="trial.toml"))
    told = str(caught.value)
    assert 'found the text "guessed"' in told
    assert 'found the text "fit"' in told
    assert "Give value where it is known, else set" in told
    assert "windows" in told
    assert "missing_rule" in told
    assert "trial.toml:" in told


def test_a_missing_entry_says_what_to_write() -> None:
    text = scenario_texts()["hetrombopag-itp-phase1.toml"]
    lines = [line for line in text.splitlines() if not line.startswith("denominator")]
    with pytest.raises(SpecError, match=r"design\.denominator.*denominator = \{value = "):
        read_scenario(parse_toml("\n".join(lines), file="trial.toml"))
