"""The spillover matrix from controls: it finds the matrix that was put in, and refuses controls that cannot teach it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from thrombokit.cells.compensation import SpilloverFit, Statistic, compute_spillover, fit_spillover
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.spillover import remove_spillover
from thrombokit.drawing.export import chart_spec
from thrombokit.errors import InputError
from thrombokit.numerics.spillover_slopes import grouped_slope, medians_of

NAMES = ("FL1-A", "FL2-A", "FL3-A")
TRUE = np.array([[1.0, 0.2, 0.03], [0.01, 1.0, 0.15], [0.001, 0.05, 1.0]])
AUTOFLUORESCENCE = np.array([1.0, 0.8, 0.5])


def tube(
    rng: np.random.Generator,
    own: int = -1,
    *,
    n: int = 5000,
    share: float = 1.0,
    bright: float = 20_000.0,
    beads: bool = True,
    **channel: Any,
) -> Sample:
    """A control as a photomultiplier sees it: lognormal dye and autofluorescence, noise growing with the root of the light."""
    dim = 100.0 * np.exp(rng.normal(0.0, 0.05 if beads else 0.35, (n, 1))) * AUTOFLUORESCENCE
    dye = np.zeros((n, 3))
    if own >= 0:
        dye[:, own] = np.where(rng.random(n) < share, bright * np.exp(rng.normal(0.0, 0.15 if beads else 0.5, n)), 0.0)
    light = dim + dye @ TRUE
    shown = light + np.sqrt(20.0 * light + 900.0) * rng.standard_normal((n, 3))
    channels = tuple(Channel(name=name, range_max=262_144.0, **channel) for name in NAMES)
    return Sample(name="unstained.fcs" if own < 0 else f"stain{own + 1}.fcs", channels=channels, stored=shown.astype(np.float32))


def controls(seed: int, **options: Any) -> tuple[dict[str, Sample], Sample]:
    rng = np.random.default_rng(seed)
    return {name: tube(rng, own, **options) for own, name in enumerate(NAMES)}, tube(rng, beads=options.get("beads", True))


@pytest.mark.parametrize("statistic", ["median", "grouped_slope"])
def test_the_matrix_put_in_comes_out_of_beads(statistic: Statistic) -> None:
    fit = fit_spillover(*controls(1), statistic=statistic)
    assert np.abs(fit.spillover.matrix - TRUE).max() < 0.002
    assert np.diag(fit.spillover.matrix).tolist() == [1.0, 1.0, 1.0]
    assert fit.spillover.channels == NAMES
    inside = (fit.low <= TRUE) & (fit.high >= TRUE)
    assert inside.sum() >= 8


def test_grouped_slope_needs_only_some_cells_to_stain() -> None:
    stains, unstained = controls(2, share=0.2, beads=False)
    found = compute_spillover(stains, unstained, statistic="grouped_slope")
    assert np.abs(found.matrix - TRUE).max() < 0.002
    with pytest.raises(InputError, match=r'too dim: median .* use statistic "grouped_slope"'):
        compute_spillover(stains, unstained)


def test_grouped_slope_is_not_moved_by_dead_cells() -> None:
    stains, unstained = controls(3)
    events = np.array(stains["FL1-A"].stored)
    events[:200, 1] += 30_000.0  # dead cells, bright in a detector that is not the dye's
    dirty = {**stains, "FL1-A": replace(stains["FL1-A"], stored=events)}
    found = compute_spillover(dirty, unstained, statistic="grouped_slope")
    assert abs(found.matrix[0, 1] - 0.2) < 0.01
    least_squares = np.polyfit(events[:, 0], events[:, 1], 1)[0]
    assert abs(least_squares - 0.2) > 0.01


def test_compensated_controls_have_no_slope_left() -> None:
    stains, unstained = controls(4)
    found = compute_spillover(stains, unstained)
    for own, name in enumerate(NAMES):
        after = remove_spillover(np.asarray(stains[name].events("decoded"), dtype=float), NAMES, found)
        empty = remove_spillover(np.asarray(unstained.events("decoded"), dtype=float), NAMES, found)
        moved = np.median(after, axis=0) - np.median(empty, axis=0)
        assert np.abs(np.delete(moved, own)).max() < 1e-3 * moved[own]


def test_scaling_a_detector_scales_its_column_and_row() -> None:
    stains, unstained = controls(5)
    plain = compute_spillover(stains, unstained).matrix
    louder = np.array([1.0, 3.0, 1.0], dtype=np.float32)
    scaled = compute_spillover(
        {name: replace(sample, stored=sample.stored * louder) for name, sample in stains.items()},
        replace(unstained, stored=unstained.stored * louder),
    ).matrix
    np.testing.assert_allclose(scaled, plain * louder / louder[:, None], rtol=1e-6)


def test_spreading_is_that_of_the_noise_put_in() -> None:
    """Noise of variance 20 x light: a dye that lights a detector with s widens it by 20 s a unit of brightness."""
    fit = fit_spillover(*controls(6, n=40_000))
    expected = np.sqrt(20.0 * TRUE)
    found = np.nan_to_num(fit.spreading)
    for row, column in ((0, 1), (0, 2), (1, 2), (2, 1)):  # compensation itself adds the own detector's noise, x s^2: small here
        assert found[row, column] == pytest.approx(expected[row, column], rel=0.15)
    assert np.isnan(np.diag(fit.spreading)).all()


def test_order_of_channels_is_the_file_s_or_the_one_asked_for() -> None:
    stains, unstained = controls(7)
    turned = dict(reversed(stains.items()))
    assert compute_spillover(turned, unstained).channels == NAMES
    asked = compute_spillover(stains, unstained, channels=("FL3-A", "FL1-A"))
    assert asked.channels == ("FL3-A", "FL1-A")
    full = compute_spillover(stains, unstained).matrix
    np.testing.assert_array_equal(asked.matrix, full[np.ix_([2, 0], [2, 0])])


def test_gated_events_are_the_only_ones_used() -> None:
    stains, unstained = controls(8)
    rng = np.random.default_rng(8)
    dirt = np.vstack([stains["FL1-A"].stored, rng.uniform(0.0, 90_000.0, (9000, 3)).astype(np.float32)])
    mixed = {**stains, "FL1-A": replace(stains["FL1-A"], stored=dirt)}
    gated = {"FL1-A": np.arange(len(dirt)) < 5000}
    clean = compute_spillover(stains, unstained).matrix
    np.testing.assert_array_equal(compute_spillover(mixed, unstained, gated=gated).matrix, clean)
    assert np.abs(compute_spillover(mixed, unstained).matrix - clean).max() > 0.05


def _faults(stains: Mapping[str, Sample], unstained: Sample, **options: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        compute_spillover(stains, unstained, **options)
    return [str(fault) for fault in caught.value.faults]


def test_all_dim_and_wrong_controls_are_named_at_once() -> None:
    stains, unstained = controls(9)
    said = _faults({"FL1-A": stains["FL2-A"], "FL2-A": unstained, "FL3-A": stains["FL3-A"]}, unstained)
    assert len(said) == 2
    assert said[0].startswith("stain2.fcs (single stain of FL1-A): found more light in FL2-A (")
    assert "expected the brightest detector to be FL1-A. Check which file belongs to which channel" in said[0]
    assert said[1].startswith("unstained.fcs (single stain of FL2-A): found a single stain too dim: median 7")


def test_a_stain_without_bright_cells_is_refused_by_its_count() -> None:
    stains, unstained = controls(10, share=0.01)
    (first, *_) = _faults(stains, unstained, statistic="grouped_slope")
    assert "events (" in first
    assert "brighter in FL1-A than 99.5 % of the unstained; expected at least 200, and 2 % of the tube" in first


def test_cut_off_events_are_counted() -> None:
    stains, unstained = controls(11, bright=200_000.0)
    clipped = {name: replace(sample, stored=np.minimum(sample.stored, np.float32(262_143.0))) for name, sample in stains.items()}
    said = _faults(clipped, unstained)
    assert len(said) == 3
    assert "stain1.fcs (single stain of FL1-A), channel FL1-A: found " in said[0]
    assert " % at the top" not in said[0]
    assert "at the top of the scale; expected at most 1 %. Lower the voltage of FL1-A" in said[0]


def test_few_cut_off_events_are_noted_and_leave_the_slope() -> None:
    stains, unstained = controls(12)
    events = np.array(stains["FL1-A"].stored)
    events[:20] = 262_143.0
    few = {**stains, "FL1-A": replace(stains["FL1-A"], stored=events)}
    fit = fit_spillover(few, unstained, statistic="grouped_slope")
    assert fit.notes[0] == "stain1.fcs (single stain of FL1-A), channel FL1-A: 20 of 5000 events at the top of the scale."
    assert abs(fit.spillover.matrix[0, 1] - 0.2) < 0.002


def test_too_few_events_and_values_that_are_no_numbers() -> None:
    stains, unstained = controls(13)
    events = np.array(stains["FL2-A"].stored)
    events[3:5, 2] = np.nan
    said = _faults(
        {
            **stains,
            "FL1-A": replace(stains["FL1-A"], stored=stains["FL1-A"].stored[:50]),
            "FL2-A": replace(stains["FL2-A"], stored=events),
        },
        unstained,
    )
    assert said[0].startswith("stain1.fcs (single stain of FL1-A): found 50 events; expected at least 200.")
    assert said[1].startswith("stain2.fcs (single stain of FL2-A): found 2 events with a value that is not finite")


def test_channels_gates_and_names_that_do_not_fit() -> None:
    stains, unstained = controls(14)
    said = _faults(
        stains,
        unstained,
        channels=("FL1-A", "FL9-A", "FL1-A"),
        gated={"FL7-A": np.ones(5000, dtype=bool), "FL1-A": np.ones(3, dtype=bool)},
    )
    text = "\n".join(said)
    assert "channels: found 'FL1-A' twice; expected each channel once." in text
    assert "channel FL9-A: found no single stain; expected one of: FL1-A, FL2-A, FL3-A." in text
    assert "unstained.fcs (unstained): found 0 channels named 'FL9-A'; expected one; it has FL1-A, FL2-A, FL3-A." in text
    assert "gated, 'FL7-A': found no control of that name" in text
    assert "found gated of shape (3,), type bool; expected one true or false for each of 5000 events." in text
    assert _faults({}, unstained)[0].startswith("single stains: found none; expected one single-stain control")


def test_settings_must_be_those_of_the_unstained_tube() -> None:
    stains, unstained = controls(15)
    volts = {"$P1V": "500", "$P2V": "450", "$P3V": "600"}
    other = {**stains, "FL2-A": replace(stains["FL2-A"], keywords={**volts, "$P2V": "480"})}
    louder = tuple(replace(c, gain=2.0) if c.name == "FL3-A" else c for c in stains["FL3-A"].channels)
    other["FL3-A"] = replace(stains["FL3-A"], channels=louder)
    said = _faults(other, replace(unstained, keywords=volts))
    assert said[0].startswith(
        "stain2.fcs (single stain of FL2-A), channel FL2-A: found a detector voltage of 480.0; expected 450.0, as in unstained.fcs"
    )
    assert said[1].startswith("stain3.fcs (single stain of FL3-A), channel FL3-A: found gain 2.0; expected 1.0")


@pytest.mark.parametrize(
    ("label", "refused"), [("PI", True), ("Propidium Iodide", True), ("DNA", True), ("7AAD", False), ("API", False), ("", False)]
)
def test_dna_on_a_logarithmic_amplifier_is_refused(label: str, refused: bool) -> None:
    rng = np.random.default_rng(16)
    channels = (
        Channel(name="FL1-H", range_max=1024.0, decades=4.0),
        Channel(name="FL2-H", label=label, range_max=1024.0, decades=4.0),
    )
    dim, lit = rng.normal(100.0, 20.0, (600, 2)), rng.normal(100.0, 20.0, (600, 2))
    lit[:, 1] += 600.0
    first = np.array(lit[:, ::-1])
    made = [
        Sample(name=name, channels=channels, stored=np.round(e).astype(np.uint16))
        for name, e in (("u", dim), ("a", first), ("b", lit))
    ]
    stains = {"FL1-H": made[1], "FL2-H": made[2]}
    if not refused:
        assert compute_spillover(stains, made[0]).channels == ("FL1-H", "FL2-H")
        return
    said = _faults(stains, made[0])
    assert (
        f"channel FL2-H: found {label} on a logarithmic amplifier of 4 decades; expected DNA content on a linear scale only"
        in said[0]
    )


def test_table_summary_document_and_picture_say_the_same() -> None:
    fit = fit_spillover(*controls(17))
    table = fit.table()
    assert table.columns == ["stain", "detector", "spillover", "low", "high", "spreading"]
    assert table.height == 9
    row = table.row(1, named=True)
    assert (row["stain"], row["detector"]) == ("FL1-A", "FL2-A")
    assert row["low"] < row["spillover"] < row["high"]
    assert f"FL1-A into FL2-A, {100 * row['spillover']:.1f} %" in fit.summary()
    document = fit.to_dict()
    assert document["matrix"] == fit.spillover.matrix.tolist()
    assert document["spreading"][0][0] is None
    assert document["stains"][1] == {
        "channel": "FL2-A",
        "file": "stain2.fcs",
        "events": 5000,
        "bright_events": 5000,
        "share_at_top": 0.0,
    }
    (cells,) = chart_spec(fit.plot())["datasets"].values()
    assert {cell["table"] for cell in cells} == {"Spillover, %", "Spreading"}
    assert len(cells) == 12


def test_one_channel_has_nothing_to_compensate() -> None:
    stains, unstained = controls(18)
    fit = fit_spillover({"FL2-A": stains["FL2-A"]}, unstained)
    assert fit.spillover.is_identity
    assert fit.summary() == "One channel, FL2-A: nothing to compensate."
    with pytest.raises(InputError, match="no cell with a value"):
        fit.plot()


@pytest.mark.parametrize(
    "call", [lambda s, u: fit_spillover(s, u, statistic="mean"), lambda s, u: fit_spillover(s, u, confidence=1.0)]
)
def test_options_that_do_not_exist(call: Callable[[dict[str, Sample], Sample], SpilloverFit]) -> None:
    with pytest.raises(ValueError, match=r"no statistic 'mean'|a confidence of"):
        call(*controls(19))


def test_medians_of_steps_carry_the_width_of_a_step() -> None:
    rng = np.random.default_rng(20)
    fine = rng.normal(500.0, 5.0, (20_000, 1))
    coarse = medians_of(np.round(fine / 10.0) * 10.0)
    assert np.sqrt(coarse.covariance[0, 0]) >= 10.0 / np.sqrt(12.0)
    assert np.sqrt(medians_of(fine).covariance[0, 0]) == pytest.approx(5.0 * np.sqrt(np.pi / 2.0 / 20_000), rel=0.1)


def test_a_slope_through_points_on_a_line_is_that_line() -> None:
    x = np.concatenate([np.linspace(0.0, 10.0, 50), np.linspace(100.0, 900.0, 50)])
    slope, error = grouped_slope(x, 3.0 + 0.25 * x, x > 50.0)
    assert slope == pytest.approx(0.25, rel=1e-12)
    assert error < 1e-9


@pytest.mark.long
@pytest.mark.parametrize(
    ("statistic", "share", "beads"), [("median", 1.0, True), ("grouped_slope", 1.0, False), ("grouped_slope", 0.2, False)]
)
def test_intervals_cover_the_truth(statistic: Statistic, share: float, beads: bool, print_figure: Callable[[str], None]) -> None:
    beside = ~np.eye(3, dtype=bool)
    covered = np.zeros((400, 6), dtype=bool)
    for run in range(400):
        fit = fit_spillover(*controls(1000 + run, n=2000, share=share, beads=beads), statistic=statistic)
        covered[run] = ((fit.low <= TRUE) & (fit.high >= TRUE))[beside]
    rate = covered.mean()
    kind = "beads" if beads else "cells"
    print_figure(
        f"spillover, {statistic}, {kind}, {100 * share:.0f} % stained: 95 % intervals cover {100 * rate:.1f} % (400 runs x 6)"
    )
    assert 0.925 <= rate <= 0.985
    assert covered.mean(axis=0).min() >= 0.88
