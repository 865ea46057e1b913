"""The whole strategy over some tubes of synthetic cultures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from thrombokit.cells.analyse import analyse_samples
from thrombokit.cells.debris import DebrisSettings
from thrombokit.cells.drift import TimeQuality, TimeSettings
from thrombokit.cells.gates import Bounds, GateTree, rectangle
from thrombokit.cells.live import LiveSettings
from thrombokit.cells.membership import apply_gates
from thrombokit.cells.particles import calibrate_particles
from thrombokit.cells.result import CellsResult
from thrombokit.cells.sample import Sample
from thrombokit.cells.singlets import SingletSettings
from thrombokit.cells.stages import Stage
from thrombokit.cells.steps import log_dimension
from thrombokit.cells.strategy import MegakaryocyteStrategy, tube_tree
from thrombokit.cells.tubes import Tube, TubeKind, Viability
from thrombokit.errors import InputError
from thrombokit.io.gatingml_read import read_gatingml
from thrombokit.io.gatingml_write import write_gatingml
from thrombokit.numerics.streams import stream
from thrombokit.study.templates.cytometer import PLOIDY, SURFACE, Cytometer
from thrombokit.study.templates.cytometer_faults import Clog
from thrombokit.study.templates.cytometer_tube import simulate_tube
from thrombokit.study.templates.megakaryocyte_culture import ADULT, Culture, draw_donor
from thrombokit.study.templates.synthetic_tube import SyntheticTube
from thrombokit.study.templates.well_plan import RHTPO, VEHICLE

DONOR = draw_donor(7, "A", source=ADULT)
TRUE = {
    "CD34+CD41-": 0,
    "CD34+CD41+CD42b-": 1,
    "CD34+CD41+CD42b+": 2,
    "CD34-CD41+CD42b-": 3,
    "CD34-CD41+CD42b+": 4,
    "CD34-CD41-": 5,
}
"""Stages and the places of their types in the generator's list."""


def run(name: str, culture: Culture, cytometer: Cytometer = SURFACE, n: int = 5000, **more: object) -> SyntheticTube:
    return simulate_tube(culture, cytometer, n_events=n, rng=stream(7, name), name=name, **more)  # pyright: ignore[reportArgumentType]


@cache
def made() -> tuple[SyntheticTube, ...]:
    """Vehicle, two doses (one clogged), rhTPO, and the FMO tubes of rhTPO."""
    full = Culture(donor=DONOR, agonist=RHTPO)
    doses = [Culture(donor=DONOR, agonist="hetrombopag", concentration_nM=dose) for dose in (3.0, 30.0)]
    return (
        run("vehicle", Culture(donor=DONOR, agonist=VEHICLE)),
        run("3 nM", doses[0]),
        run("30 nM", doses[1], faults=(Clog(start=0.4),)),
        run("rhTPO", full),
        *(run(f"FMO {marker}", full, kind=TubeKind.FMO, stain=marker) for marker in ("CD34", "CD41", "CD61", "CD42b")),
    )


@cache
def tubes() -> tuple[Tube, ...]:
    return tuple(tube.to_tube() for tube in made())


@cache
def analysed() -> CellsResult:
    return analyse_samples(tubes())


def counts(result: CellsResult) -> pl.DataFrame:
    return result.populations.select("tube", "population", "parent", "count")


def without(tube: Tube, *channels: str) -> Tube:
    """The tube as it would be had these channels not been recorded."""
    sample = tube.sample
    kept = [i for i, name in enumerate(sample.channel_names) if name not in channels]
    fewer = Sample(name=sample.name, channels=tuple(sample.channels[i] for i in kept), stored=sample.stored[:, kept],
                   keywords=sample.keywords, spillover=sample.spillover)  # fmt: skip
    return replace(tube, sample=fewer)


def first_events(tube: Tube, n: int) -> Tube:
    return replace(tube, sample=replace(tube.sample, stored=tube.sample.stored[:n]))


def test_stages_are_close_to_the_truth_and_share_out_every_cell() -> None:
    result = analysed()
    sums = result.stages.group_by("tube").agg(pl.col("percent").sum(), pl.col("count").sum(), pl.col("parent_count").first())
    assert sums["percent"].to_list() == pytest.approx([100.0] * 4)
    assert (sums["count"] == sums["parent_count"]).all()
    for tube in made()[:4]:
        truth = tube.truth
        cells = truth.is_cell & truth.singlet & truth.live & ~truth.shed & ~truth.coated
        rows = result.stages.filter(pl.col("tube") == tube.name)
        for stage, percent in rows.select("stage", "percent").iter_rows():
            true = 100.0 * float((truth.cell_type[cells] == TRUE[stage]).mean())
            assert percent == pytest.approx(true, abs=3.0), (tube.name, stage)


def test_populations_carry_intervals_medians_and_rules() -> None:
    result = analysed()
    row = result.populations.row(by_predicate=(pl.col("tube") == "rhTPO") & (pl.col("population") == "CD41+"), named=True)
    assert row["parent"] == "live"
    assert row["percent"] == pytest.approx(100.0 * row["count"] / row["parent_count"])
    assert row["percent_low"] < row["percent"] < row["percent_high"]
    assert row["median_CD41"] > 5000
    assert 0 < row["delta_CD41"] < row["median_CD41"]
    assert row["rule_CD41"] == "FMO"
    assert set(result.populations["kind"]) == {"full"}
    assert set(result.thresholds["rule"]) == {"FMO"}
    told = result.thresholds
    assert ((told["low"] <= told["threshold"]) & (told["threshold"] <= told["high"]) & (told["threshold"] < told["large"])).all()


def test_quality_adds_up_and_tells_the_clog() -> None:
    quality = analysed().quality
    removed = sum(quality[c] for c in ("removed_time", "removed_debris", "removed_doublets", "removed_dead"))
    assert (quality["events"] - removed == quality["analysed"]).all()
    clogged = quality.row(by_predicate=pl.col("tube") == "30 nM", named=True)
    assert clogged["time"] == "cut"
    assert "clog or air" in clogged["findings"]
    assert quality["time"].to_list().count("clean") == len(quality) - 1
    assert set(quality["particles"]) == {"uncalibrated"}
    assert quality["platelet_like"].null_count() == len(quality)


def test_the_fitted_strategy_is_a_tree_that_gives_the_same_counts_and_survives_gatingml(
    tmp_path: Path,
) -> None:
    result = analysed()
    [(group, tree)] = result.gates.items()
    assert group == ("A", "plate 1", 12.0, "surface")
    path = tmp_path / "gates.xml"
    write_gatingml(tree, path)
    again = read_gatingml(path)
    for tube in tubes()[:2]:
        mine, theirs = apply_gates(tube.sample, tree), apply_gates(tube.sample, again)
        assert list(mine) == list(theirs)
        assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
        rows = result.populations.filter(pl.col("tube") == tube.name)
        for population, count in rows.select("population", "count").iter_rows():
            assert int(mine[population].sum()) == count


def test_locked_gates_are_applied_as_they_are() -> None:
    result = analysed()
    locked = analyse_samples(tubes()[:4], locked=result.gates)
    assert counts(locked).equals(counts(result))
    assert set(locked.thresholds["rule"]) == {"locked"}
    assert locked.thresholds["threshold"].to_list() == pytest.approx(result.thresholds["threshold"].to_list(), rel=1e-6)
    one_tree = analyse_samples(tubes()[:4], locked=next(iter(result.gates.values())))
    assert counts(one_tree).equals(counts(result))
    with pytest.raises(InputError, match=r"control group B plate 1 12\.0 surface: found no locked gates for it"):
        analyse_samples([replace(tubes()[0], donor="B")], locked=result.gates)


def test_a_matrix_given_takes_the_files_place() -> None:
    matrix = tubes()[0].sample.spillover
    assert matrix is not None
    bare = [replace(tube, sample=replace(tube.sample, spillover=None)) for tube in tubes()]
    given = analyse_samples(bare, spillover=matrix)
    assert counts(given).equals(counts(analysed()))
    assert next(iter(given.gates.values())).matrices == {"spillover": matrix}


def test_steps_can_be_switched_off_and_gates_drawn_by_hand() -> None:
    off = MegakaryocyteStrategy(
        time=TimeSettings(enabled=False), debris=DebrisSettings(enabled=False), singlets=SingletSettings(enabled=False),
        live=LiveSettings(enabled=False),
    )  # fmt: skip
    result = analyse_samples(tubes(), off)
    assert not {"cells", "singlets", "live"} & set(result.populations["population"])
    assert (result.quality["analysed"] == result.quality["events"]).all()
    assert set(result.quality["time"]) == {"not checked"}
    drawn = rectangle("cells", Bounds(dimension=log_dimension("FSC-A", 262144.0), low=0.7))
    by_hand = analyse_samples(tubes(), MegakaryocyteStrategy(hand_drawn=(drawn,)))
    assert next(iter(by_hand.gates.values())).gate("cells") == drawn
    assert by_hand.fitted[tubes()[0].control_group].steps[0].rule == "drawn by hand"


def test_own_stages_are_used_and_checked() -> None:
    stages = (Stage(signs=(("CD61", True),), meaning="lineage"), Stage(signs=(("CD61", False),), meaning="other"))
    result = analyse_samples(tubes(), MegakaryocyteStrategy(stages=stages))
    assert set(result.stages["stage"]) == {"CD61+", "CD61-"}
    with pytest.raises(InputError, match=r"A plate 1 12\.0 surface, stages: found CD61- in no stage"):
        analyse_samples(tubes(), MegakaryocyteStrategy(stages=stages[:1]))


def test_what_was_not_recorded_is_said_and_not_made_up() -> None:
    bare = analyse_samples([without(tube, "FSC-H", "SSC-H", "Time") for tube in tubes()])
    assert set(bare.quality["time"]) == {"no time channel"}
    sentence = bare.warnings.filter(pl.col("subject") == "singlets")["sentence"].to_list()
    assert sentence == ["No singlet gate: no pulse height was recorded; doublets are among the cells."]
    forward_only = analyse_samples([without(tube, "SSC-H") for tube in tubes()])
    assert "singlets_side" not in next(iter(forward_only.gates.values())).population_ids


def test_fixed_cells_get_no_live_gate_from_an_unfixed_dye() -> None:
    fixed = [replace(tube, panel=replace(tube.panel, viability=Viability.UNFIXED_DYE, fixed=True)) for tube in tubes()]
    result = analyse_samples(fixed)
    assert "live" not in set(result.populations["population"])
    said = result.warnings.filter(pl.col("subject") == "live")["sentence"][0]
    assert "only a fixable dye, added before fixation, can tell" in said
    unfixed = [replace(tube, panel=replace(tube.panel, viability=Viability.UNFIXED_DYE)) for tube in tubes()]
    assert "live" in set(analyse_samples(unfixed).populations["population"])


def test_without_fmo_the_valley_is_used_and_said() -> None:
    result = analyse_samples(tubes()[:4])
    rules = dict(result.thresholds.select("marker", "rule").iter_rows())
    assert rules["CD41"] == "density valley"
    said = result.warnings.filter((pl.col("warning") == "no_FMO") & (pl.col("subject") == "CD41"))["sentence"][0]
    assert said == "CD41: threshold by density valley (no FMO tube)."
    assert result.populations["delta_CD41"].null_count() == len(result.populations)


def test_faults_of_all_tubes_come_at_once() -> None:
    first, second, *_ = tubes()
    wrong = replace(second, name=first.name, panel=replace(second.panel, channels={**second.panel.channels, "CD41": "FL9-A"}))
    with pytest.raises(InputError) as refused:
        analyse_samples([first, wrong], ploidy_classes={first.name: np.zeros(3, dtype=np.int64)})
    said = str(refused.value)
    assert "tube vehicle: found 2 tubes of that name" in said
    assert "tube vehicle, panel surface, CD41: found no channel 'FL9-A' in 3 nM.fcs" in said
    assert "tube vehicle, ploidy classes: found an array of shape (3,); expected one class an event, shape (5000,)" in said
    short = replace(first.sample.spillover, channels=("X", "Y"), matrix=np.eye(2), source="other panel")
    with pytest.raises(InputError, match=r"tube vehicle, other panel: found channels that vehicle\.fcs lacks: X, Y"):
        analyse_samples([first], spillover=short)


def test_signals_by_ploidy_class() -> None:
    truth = made()[3].truth
    classes = np.where(truth.is_megakaryocyte, np.log2(np.maximum(truth.ploidy, 2)).astype(np.int64) - 1, -1)
    result = analyse_samples(tubes(), ploidy_classes={"rhTPO": classes})
    rows = result.by_ploidy.filter(pl.col("population") == "CD41+")
    assert rows["ploidy"].to_list() == ["2N", "4N", "8N", "16N", "32N", "64N"]
    assert (rows["percent_low"] <= rows["percent"]).all()
    medians = rows["median_CD41"].to_list()
    assert medians[3] > medians[0]
    assert analysed().by_ploidy.is_empty()


def test_particles_are_counted_where_a_reference_was_run() -> None:
    truth, sample = made()[3].truth, made()[3].sample
    reference = np.asarray(sample.stored[truth.cell_type == 6, 0], dtype=np.float64)
    size = calibrate_particles(np.tile(reference, 3), source="platelets of the same run")
    result = analyse_samples(tubes(), MegakaryocyteStrategy(particle_size=size))
    row = result.quality.row(by_predicate=pl.col("tube") == "rhTPO", named=True)
    verdict = row["particles"]
    assert verdict == "counted"
    assert row["platelet_like"] == pytest.approx(int((truth.cell_type == 6).sum()), rel=0.25)


@pytest.mark.parametrize("n", [0, 1, 60, 700])
def test_tubes_with_few_events_end_in_verdicts(n: int) -> None:
    result = analyse_samples([first_events(tube, n) for tube in tubes()])
    assert len(result.quality) == 8
    assert set(result.quality["time"]) <= {"too few events", "no time channel"}
    assert len(result.summary()) > 20
    alone: Sequence[Tube] = [*tubes()[1:], first_events(tubes()[0], n)]
    assert analyse_samples(alone).quality["analysed"].sum() > 10_000


def test_no_tubes_and_tubes_without_cells_give_empty_tables() -> None:
    assert analyse_samples([]).summary() == "No tubes."
    beads = replace(tubes()[0], kind=TubeKind.BEADS)
    result = analyse_samples([beads])
    assert result.populations.is_empty()
    assert result.quality["analysed"].to_list() == [None]


def test_densities_are_small_and_count_the_events_shown() -> None:
    result = analysed()
    assert {density.tube for density in result.densities} == {"rhTPO"}
    assert [density.step for density in result.densities][:4] == ["time", "cells", "singlets_forward", "live"]
    for density in result.densities:
        assert density.counts.shape == (density.x_edges.size - 1, density.y_edges.size - 1)
        assert max(density.counts.shape) <= 128
        assert 0 < density.counts.sum() <= 5000
    live = next(density for density in result.densities if density.step == "live")
    shown = result.populations.row(by_predicate=(pl.col("tube") == "rhTPO") & (pl.col("population") == "live"), named=True)
    assert live.share_inside == pytest.approx(shown["percent"] / 100.0)
    assert {h.marker: set(h.counts) for h in result.histograms}["CD41"] == {"stained", "FMO"}
    assert all(h.low is not None and h.low <= h.threshold <= h.high for h in result.histograms)  # pyright: ignore[reportOperatorIssue]


def test_two_panels_are_two_control_groups_and_dna_sees_doublets() -> None:
    ploidy = [run(f"ploidy {a}", Culture(donor=DONOR, agonist=a), PLOIDY).to_tube() for a in (VEHICLE, RHTPO)]
    result = analyse_samples([*tubes(), *ploidy])
    assert [group[3] for group in result.gates] == ["surface", "ploidy"]
    assert "singlets_DNA" in result.gates[ploidy[0].control_group].population_ids
    assert (
        counts(result)
        .filter(pl.col("tube").is_in(["vehicle", "rhTPO"]))
        .equals(counts(analysed()).filter(pl.col("tube").is_in(["vehicle", "rhTPO"])))
    )


def test_windows_of_time_stand_above_the_tree() -> None:
    result = analysed()
    tree = next(iter(result.gates.values()))
    assert isinstance(tree, GateTree)
    row = result.populations.row(by_predicate=(pl.col("tube") == "30 nM") & (pl.col("population") == "cells"), named=True)
    assert row["parent"] == "time"
    clean = result.populations.row(by_predicate=(pl.col("tube") == "rhTPO") & (pl.col("population") == "cells"), named=True)
    assert clean["parent"] == ""
    assert tube_tree(tree, TimeQuality(verdict="clean"), "Time") is tree


def test_the_same_tubes_give_the_same_tables_in_any_order() -> None:
    backwards = analyse_samples(tubes()[::-1])
    key = ["tube", "population"]
    assert counts(backwards).sort(key).equals(counts(analysed()).sort(key))
