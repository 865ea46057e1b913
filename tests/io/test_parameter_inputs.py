"""Frozen sets by name: which belong to which agonist and model, and what is told where they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

import thrombokit as tk
from thrombokit.agonists.library import model_path
from thrombokit.errors import InputError, SpecError
from thrombokit.io.parameter_inputs import drawn_models

STOPPED = "hetrombopag-itp-absolute-stopped-day-14"


def names(agonist: str | Path, parameters: str | list[str] = "calibrated") -> list[str]:
    return [one.parameters.name for one in drawn_models(agonist, parameters, "itp")[0]]


def test_calibrated_is_every_posterior_set_of_the_model() -> None:
    readings = ("dosed-to-day-28", "stopped-day-14")
    assert names("hetrombopag") == [f"hetrombopag-itp-{s}-{r}" for s in ("absolute", "emax") for r in readings]
    assert names("hetrombopag-itp-relative") == [f"hetrombopag-itp-relative-{r}" for r in readings]
    assert names("eltrombopag") == ["eltrombopag-itp-absolute"]
    assert names("eltrombopag-itp-emax") == ["eltrombopag-itp-emax"]


def test_an_agonist_takes_each_set_with_its_own_model() -> None:
    found, rule = drawn_models("hetrombopag", ["hetrombopag-itp-relative-stopped-day-14", STOPPED], "itp")
    assert [one.model.file for one in found] == ["hetrombopag-itp-relative.toml", "hetrombopag-itp.toml"]
    assert rule is not None
    assert Path(rule).stem == "hetrombopag-150-250"


def test_a_file_of_ones_own_with_other_calibrated_values_is_the_same_model(tmp_path: Path) -> None:
    text = model_path("hetrombopag-itp").read_text(encoding="utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace("GAMMA = {value = 1.086", "GAMMA = {value = 0.9"), encoding="utf-8")
    assert len(names(own)) == 4
    own.write_text(text.replace("LIFE_SHORT = {value = 1.20", "LIFE_SHORT = {value = 1.4"), encoding="utf-8")
    with pytest.raises(
        SpecError, match=r"own\.toml, parameters: found no frozen set that was fitted with it; expected one of .*hetrombopag-itp"
    ):
        names(own)
    with pytest.raises(SpecError, match=r"found the model own\.toml; expected hetrombopag-itp, with which it was fitted"):
        names(own, STOPPED)


@pytest.mark.parametrize(
    ("agonist", "parameters", "said"),
    [
        (
            "hetrombopag-itp",
            "hetrombopag-itp-relative-stopped-day-14",
            "found the model hetrombopag-itp.toml; expected hetrombopag-itp-relative",
        ),
        ("eltrombopag", STOPPED, "found the agonist eltrombopag; expected hetrombopag"),
        ("hetrombopag", "itp-drug-free", "found a set without a model"),
        ("romiplostim", "calibrated", "romiplostim-itp.toml, parameters: found no frozen set"),
        ("hetrombopag", "hetrombopag-itp-absolute-stoped-day-14", f'Did you mean "{STOPPED}"?'),
        ("hetrombopag", [], 'expected "calibrated", or names of frozen sets'),
    ],
)
def test_a_set_that_does_not_belong_is_refused(agonist: str, parameters: str | list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        drawn_models(agonist, parameters, "itp")
    assert said in str(caught.value)


def test_every_set_that_does_not_belong_is_told_in_one_pass() -> None:
    with pytest.raises(SpecError) as caught:
        drawn_models("hetrombopag", ["itp-drug-free", "eltrombopag-itp-emax", "nothing"], "itp")
    assert len(caught.value.faults) == 3
    with pytest.raises(SpecError, match='found a cohort of "healthy"; expected "itp"'):
        drawn_models("hetrombopag", STOPPED, "healthy")


def test_a_single_draw_is_of_one_set() -> None:
    result = tk.simulate_cohort("hetrombopag", cohort=6, seed=1, weeks=2, parameters=STOPPED, draw=0)
    assert result.drawn_from is not None
    assert (result.drawn_from.parameters, result.drawn_from.draw) == (STOPPED, 0)
    given = tk.simulate_cohort("hetrombopag", cohort=6, seed=1, weeks=2, parameters=tk.load_parameter_set(STOPPED), draw=0)
    assert given.measured.tobytes() == result.measured.tobytes()
    with pytest.raises(SpecError, match=r"found 4 sets for a single draw; expected the name of one set"):
        tk.simulate_cohort("hetrombopag", cohort=6, seed=1, parameters="calibrated", draw=0)
    regimens = ["default", "placebo"]
    with pytest.raises(SpecError, match="one without the other"):
        tk.simulate_cohort("hetrombopag", cohort=6, seed=1, parameters=STOPPED)
    with pytest.raises(SpecError, match="one without the other"):
        tk.simulate_cohort("hetrombopag", cohort=6, seed=1, draw=0)
    with pytest.raises(SpecError, match="one without the other"):
        tk.compare_regimens("hetrombopag", regimens, cohort=6, seed=1, parameters=STOPPED)
    with pytest.raises(SpecError, match="one without the other"):
        tk.compare_regimens("hetrombopag", regimens, cohort=6, seed=1, draw=0)


def test_without_parameters_nothing_is_drawn() -> None:
    result = tk.simulate_cohort("hetrombopag", cohort=6, seed=1, weeks=2)
    assert result.drawn_from is None
    assert result.to_dict()["parameters"] is None
    assert result.notes == ()


def test_compared_under_one_draw_or_many() -> None:
    one = tk.compare_regimens("hetrombopag", ["default", "placebo"], cohort=8, seed=1, weeks=2, parameters=STOPPED, draw=3)
    alone = tk.simulate_cohort("hetrombopag", cohort=8, seed=1, weeks=2, parameters=STOPPED, draw=3)
    in_range = 100.0 * ((alone.measured[:, 1:] >= 50) & (alone.measured[:, 1:] <= 200) & ~alone.rescued[:, 1:]).mean()
    assert one.value("default", "time in range").value == pytest.approx(in_range)
    many = tk.compare_draws("hetrombopag", ["default", "placebo"], cohort=8, seed=1, weeks=2, draws=4)
    assert many.regimens == ("default", "placebo")
    assert many.table()["part"].unique(maintain_order=True).to_list() == ["all sets", "dosed-to-day-28", "stopped-day-14"]
