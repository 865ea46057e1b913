"""Gates applied: each rule of the standard on events made for it, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit import apply_gates
from thrombokit.cells.gates import (
    BooleanGate,
    Bounds,
    Dimension,
    Divider,
    EllipsoidGate,
    GateTree,
    Operand,
    Quadrant,
    QuadrantGate,
    polygon,
    rectangle,
)
from thrombokit.cells.membership import EVENTS_AT_ONCE
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.scales import LinearScale, LogicleScale, LogScale, Ratio
from thrombokit.cells.spectrum import SpectrumMatrix
from thrombokit.cells.spillover import Spillover
from thrombokit.errors import Fault, InputError

X, Y = Dimension(channel="X"), Dimension(channel="Y")
LOGICLE = LogicleScale(t=1000.0, w=0.5, m=4.0, a=0.0)


def sample(*rows: tuple[float, ...], names: str = "XYZ", **more: Any) -> Sample:
    values = np.array(rows, dtype=np.float64)
    return Sample(name="tube.fcs", channels=tuple(Channel(name=n) for n in names[: values.shape[1]]), stored=values, **more)


def members(of: Sample, *gates: Any, **matrices: Any) -> dict[str, list[int]]:
    found = apply_gates(of, GateTree(gates=gates, matrices=matrices, source="gates.xml"))
    return {name: member.astype(int).tolist() for name, member in found.items()}


def refused(of: Sample, *gates: Any, **matrices: Any) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        members(of, *gates, **matrices)
    return caught.value.faults


def test_a_range_takes_its_lower_bound_in_and_leaves_its_upper_bound_out() -> None:
    of = sample((0.9,), (1.0,), (1.5,), (2.0,), (np.nan,), (np.inf,), (-np.inf,))
    gates = [rectangle("both", Bounds(dimension=X, low=1.0, high=2.0)), rectangle("up", Bounds(dimension=X, low=1.0)),
             rectangle("down", Bounds(dimension=X, high=1.0)), rectangle("open", Bounds(dimension=X))]  # fmt: skip
    assert members(of, *gates) == {
        "both": [0, 1, 1, 0, 0, 0, 0],
        "up": [0, 1, 1, 1, 0, 1, 0],
        "down": [1, 0, 0, 0, 0, 0, 1],
        "open": [1, 1, 1, 1, 0, 1, 1],
    }


def test_an_event_is_in_a_gate_only_if_it_is_in_its_parent_whatever_the_order_they_stand_in() -> None:
    child, parent = rectangle("child", Bounds(dimension=Y, low=0.0), parent="top"), rectangle("top", Bounds(dimension=X, low=0.0))
    assert members(sample((1, 1), (1, -1), (-1, 1)), child, parent) == {"child": [1, 0, 0], "top": [1, 1, 0]}


def test_complements_are_of_all_events_and_parents_of_boolean_gates_count() -> None:
    top, low = rectangle("top", Bounds(dimension=X, low=0.0)), rectangle("low", Bounds(dimension=Y, high=0.0), parent="top")
    refs = (Operand(gate="low", complement=True), Operand(gate="top"))
    gates = (
        top, low, BooleanGate(id="not", operation="not", operands=(Operand(gate="low"),)), BooleanGate(id="and", operation="and", operands=refs),
        BooleanGate(id="or", operation="or", operands=refs), BooleanGate(id="in", operation="not", operands=refs[:1], parent="top"),
    )  # fmt: skip
    found = members(sample((1, 1), (1, -1), (-1, 1), (-1, -1)), *gates)
    assert found["low"] == [0, 1, 0, 0]
    assert found["not"] == [1, 0, 1, 1]
    assert found["and"] == [1, 0, 0, 0]
    assert found["or"] == [1, 1, 1, 1]
    assert found["in"] == [0, 1, 0, 0]  # not (not low), within top


def test_quadrants_are_intervals_of_their_dividers_and_may_be_parents_and_operands() -> None:
    gate = QuadrantGate(
        id="q", dividers=(Divider(id="x", dimension=X, values=(1.0, 3.0)), Divider(id="y", dimension=Y, values=(0.0,))),
        quadrants=(Quadrant(id="middle", positions=(("x", 1.0), ("y", 9.0))), Quadrant(id="right", positions=(("x", 7.0),))),
    )  # fmt: skip
    inner = rectangle("inner", Bounds(dimension=X, low=2.0), parent="middle")
    other = BooleanGate(id="other", operation="not", operands=(Operand(gate="right"),))
    found = members(sample((0.9, 0), (1.0, 0), (2.9, 0), (3.0, -1), (1.5, -0.1)), gate, inner, other)
    assert found == {"middle": [0, 1, 1, 0, 0], "right": [0, 0, 0, 1, 0], "inner": [0, 0, 1, 0, 0], "other": [1, 1, 1, 0, 1]}


def test_fcs_means_the_files_matrix_and_channels_outside_it_are_taken_as_they_are() -> None:
    true = np.array([[100.0, 0.0], [0.0, 100.0]])
    matrix = np.array([[1.0, 0.5], [0.25, 1.0]])
    seen = np.column_stack([true @ matrix, [7.0, 8.0]])
    of = sample(*map(tuple, seen), spillover=Spillover(channels=("X", "Y"), matrix=matrix, source="file"))
    plain = rectangle("plain", Bounds(dimension=X, low=20.0))
    ours = rectangle("ours", Bounds(dimension=Dimension(channel="X", compensation="FCS"), low=20.0))
    outside = rectangle("outside", Bounds(dimension=Dimension(channel="Z", compensation="FCS"), low=7.5))
    assert members(of, plain, ours, outside) == {"plain": [1, 1], "ours": [1, 0], "outside": [0, 1]}
    assert members(sample(*map(tuple, seen)), ours) == {"ours": [1, 1]}  # a file without a matrix


def test_a_matrix_of_more_detectors_than_fluorochromes_is_solved_by_least_squares() -> None:
    spectrum = np.array([[1.0, 0.4, 0.1], [0.2, 1.0, 0.6]])
    true = np.array([[50.0, 10.0], [10.0, 50.0]])
    matrix = SpectrumMatrix(fluorochromes=("FITC", "PE"), detectors=("X", "Y", "Z"), matrix=spectrum, source="m")
    gates = [
        rectangle(name, Bounds(dimension=Dimension(channel=name, compensation="m"), low=49.0, high=51.0)) for name in ("FITC", "PE")
    ]
    assert members(sample(*map(tuple, true @ spectrum)), *gates, m=matrix) == {"FITC": [1, 0], "PE": [0, 1]}
    inverse = SpectrumMatrix(
        fluorochromes=("FITC", "PE"), detectors=("X", "Y", "Z"), matrix=np.linalg.pinv(spectrum), source="m", inverted=True
    )
    assert members(sample(*map(tuple, true @ spectrum)), *gates, m=inverse) == {"FITC": [1, 0], "PE": [0, 1]}


def test_a_ratio_is_of_compensated_values_and_may_have_a_scale() -> None:
    ratio = Ratio(numerator="X", denominator="Y", a=2.0, b=1.0, c=-1.0)
    of = sample((4.0, 1.0), (4.0, 5.0), (0.0, -1.0), (1.0, -1.0))  # 3, 1, -inf, not a number
    linear = rectangle("linear", Bounds(dimension=Dimension(channel=ratio), low=1.0, high=3.0))
    log = rectangle("log", Bounds(dimension=Dimension(channel=ratio, scale=LogScale(t=10.0, m=1.0)), low=0.4))
    assert members(of, linear, log) == {"linear": [0, 1, 0, 0], "log": [1, 0, 0, 0]}
    twice = Spillover(channels=("X", "Y"), matrix=np.diag([1.0, 2.0]), source="m")
    half = rectangle("half", Bounds(dimension=Dimension(channel=Ratio(numerator="X", denominator="Y"), compensation="m"), low=8.0))
    assert members(of, half, m=twice)["half"] == [1, 0, 0, 0]


@given(st.integers(0, 10**6))
def test_blocks_boxes_and_carried_bounds_change_nothing(seed: int) -> None:
    """Beside the rules written out in numpy on all events at once; more events than one block holds."""
    rng = np.random.default_rng(seed)
    values = rng.normal(100.0, 150.0, (EVENTS_AT_ONCE + 100, 2))
    of = sample(*map(tuple, values[:10]))
    of = Sample(name="tube.fcs", channels=of.channels, stored=values)
    x, y = Dimension(channel="X", scale=LOGICLE), Dimension(channel="Y", scale=LinearScale(t=1000.0))
    low, high = np.sort(rng.uniform(0.2, 0.9, 2))
    mean, covariance = rng.uniform(0.2, 0.6, 2), np.diag(rng.uniform(0.001, 0.05, 2))
    gates = (
        rectangle("r", Bounds(dimension=x, low=float(low), high=float(high))),
        EllipsoidGate(id="e", dimensions=(x, y), mean=mean, covariance=covariance, distance_square=2.0),
        polygon("p", x, y, [[low, -0.1], [high, -0.1], [high, 0.3], [low, 0.3]], parent="r"),
    )
    found = apply_gates(of, GateTree(gates=gates))
    sx, sy = x.scale.apply(values[:, 0]), values[:, 1] / 1000.0  # type: ignore[union-attr]
    box = (sx >= low) & (sx < high)
    away = (sx - mean[0]) ** 2 / covariance[0, 0] + (sy - mean[1]) ** 2 / covariance[1, 1]
    assert np.array_equal(found["r"], box)
    assert np.array_equal(found["e"], away <= 2.0)
    assert np.array_equal(found["p"], box & (sy >= -0.1) & (sy <= 0.3))


def test_an_empty_tube_has_empty_populations() -> None:
    of = Sample(name="tube.fcs", channels=(Channel(name="X"), Channel(name="Y")), stored=np.empty((0, 2)))
    found = members(of, rectangle("r", Bounds(dimension=X, low=0.0)), polygon("p", X, Y, [[0, 0], [1, 0], [1, 1]], parent="r"))
    assert found == {"r": [], "p": []}


def test_values_of_any_type_and_byte_order_are_gated_alike() -> None:
    for dtype in ("<f4", ">f4", ">f8", "u2"):
        of = Sample(name="t.fcs", channels=(Channel(name="X"),), stored=np.array([[1], [2], [3]], dtype=dtype))
        assert members(of, rectangle("r", Bounds(dimension=X, low=2.0))) == {"r": [0, 1, 1]}


def test_all_that_does_not_fit_the_sample_is_told_at_once() -> None:
    of = sample((1.0, 2.0, 3.0), names="XYX")
    labelled = Sample(name="tube.fcs", channels=(Channel(name="X"), Channel(name="B1", label="CD41")), stored=np.ones((2, 2)))
    gates = [
        rectangle(f"g{i}", Bounds(dimension=Dimension(channel=name), low=0.0))
        for i, name in enumerate(["X", "FL9", "FL9", "FL9", "FL9"])
    ]
    twice, absent = refused(of, *gates)
    assert twice.place == "gates.xml, gate g0 on tube.fcs"
    assert twice.found == '"X", the name of 2 channels'
    assert absent.place == "gates.xml, gates g1, g2, g3 and 1 more on tube.fcs"
    assert absent.found == '"FL9", which is no channel of the sample'
    assert absent.expected == "the name ($PnN) of one channel: X, Y, X"
    (label,) = refused(labelled, rectangle("MK", Bounds(dimension=Dimension(channel="CD41"), low=0.0)))
    assert label.found == '"CD41", the label ($PnS) of channel B1'
    assert 'Name the channel "B1"' in label.cure


def test_what_a_matrix_does_not_find_or_lacks_is_refused() -> None:
    matrix = SpectrumMatrix(fluorochromes=("FITC", "PE"), detectors=("X", "Q"), matrix=np.eye(2), source="m")
    gates = [
        rectangle(name, Bounds(dimension=Dimension(channel=name, compensation="m"), low=0.0)) for name in ("FITC", "Q", "Z", "APC")
    ]
    faults = refused(sample((1.0, 2.0, 3.0)), *gates, m=matrix)
    assert [fault.found for fault in faults] == [
        '"Q", which is no channel of the sample',
        '"Q", a detector of the matrix',
        '"APC", no fluorochrome of the matrix and no channel of the sample',
    ]
    assert faults[0].place == 'gates.xml, gate FITC, matrix "m" on tube.fcs'
    assert "FITC, PE" in faults[1].expected


def test_a_files_matrix_that_cannot_be_used_is_refused_only_where_it_is_asked_for() -> None:
    broken = Fault(place="tube.fcs, $SPILLOVER", found="a singular matrix", expected="one that is not", cure="Compensate anew.")
    of = sample((1.0, 2.0), spillover_faults=(broken,))
    assert members(of, rectangle("plain", Bounds(dimension=X, low=0.0))) == {"plain": [1]}
    assert refused(of, rectangle("own", Bounds(dimension=Dimension(channel="X", compensation="FCS"), low=0.0))) == (broken,)
