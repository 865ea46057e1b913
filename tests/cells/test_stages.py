"""Stages share out every cell exactly once."""

from __future__ import annotations

import itertools

import pytest

from thrombokit.cells.stages import WITH_CD34, WITHOUT_CD34, Stage, check_stages, preset_stages, stage_gates
from thrombokit.errors import InputError

ALL = ("CD34", "CD41", "CD61", "CD42b")


@pytest.mark.parametrize("n", range(1, 5))
def test_every_preset_is_exhaustive_and_disjoint(n: int) -> None:
    for markers in itertools.combinations(ALL, n):
        stages = preset_stages(markers)
        assert bool(stages) == ("CD41" in markers)
        check_stages(stages, markers, "panel")


def test_the_presets_by_panel() -> None:
    assert preset_stages(ALL) is WITH_CD34
    assert preset_stages(("CD41", "CD61", "CD42b")) is WITHOUT_CD34
    assert [stage.name for stage in WITH_CD34] == [
        "CD34+CD41-", "CD34+CD41+CD42b-", "CD34+CD41+CD42b+", "CD34-CD41+CD42b-", "CD34-CD41+CD42b+", "CD34-CD41-",
    ]  # fmt: skip
    assert all(stage.meaning for stage in (*WITH_CD34, *WITHOUT_CD34))


def test_gaps_overlaps_and_markers_without_gate_are_refused_together() -> None:
    stages = (
        Stage(signs=(("CD41", True),), meaning="a"),
        Stage(signs=(("CD41", True), ("CD9", True)), meaning="b"),
    )
    with pytest.raises(InputError) as refused:
        check_stages(stages, ("CD41",), "donor 1")
    said = str(refused.value)
    assert "donor 1, stages: found CD9 in CD41+CD9+; expected markers with a gate: CD41" in said
    assert "in CD41+ and CD41+CD9+; expected each combination of markers in one stage" in said
    assert "found CD41-CD9+ in no stage" in said
    assert "found CD41-CD9- in no stage" in said
    assert len(refused.value.faults) == 4


def test_a_stage_of_one_positive_marker_is_that_markers_gate() -> None:
    gates = stage_gates(preset_stages(("CD41",)), "live")
    assert [(gate.id, gate.operation, gate.parent) for gate in gates] == [("CD41-", "not", "live")]
