"""Gates written by us, read and applied by FlowKit: the same events in every population; and read back by us, the same gates.

Kept out, as FlowKit does otherwise than the standard there, or fails: two compensations in one gate, a channel twice in one gate,
compensated ratios, ratios with one bound, bounds of a transformation, Boolean gates of their own parent, and logarithms of values
below zero (not-a-number there, below every bound here).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import flowkit
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit import apply_gates, read_fcs, read_gatingml, write_fcs, write_gatingml
from thrombokit.cells.gate_words import words_of
from thrombokit.cells.gates import (
    BooleanGate,
    Bounds,
    Dimension,
    Divider,
    EllipsoidGate,
    Gate,
    GateTree,
    Operand,
    PolygonGate,
    Quadrant,
    QuadrantGate,
    RectangleGate,
    population_ids_of,
)
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.scales import AsinhScale, HyperlogScale, LinearScale, LogicleScale, LogScale, Ratio, Scale
from thrombokit.cells.spillover import Spillover

DYES = ("FL1-A", "FL2-A", "FL3-A", "FL4-A")
NAMES = ("FSC-A", "SSC-A", *DYES)
MATRIX = np.array([[1.0, 0.12, 0.03, 0.0], [0.02, 1.0, 0.15, 0.01], [0.0, 0.04, 1.0, 0.2], [0.05, 0.0, 0.02, 1.0]])
OTHER = MATRIX.T
SCALES: tuple[Scale | None, ...] = (
    None,
    LinearScale(t=262144.0, a=1000.0),
    AsinhScale(t=262144.0, m=4.5, a=0.5),
    LogicleScale(t=262144.0, w=0.8, m=4.5, a=0.0),
    LogicleScale(t=262144.0, w=0.3, m=4.0, a=0.6),
    HyperlogScale(t=262144.0, w=0.7, m=4.5, a=0.1),
)
KINDS = ("rectangle", "polygon", "ellipsoid", "quadrants", "boolean", "ratio")


def made_sample(n: int, seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    events = np.empty((n, len(NAMES)), dtype=np.float32)
    events[:, :2] = rng.lognormal(10.0, 0.6, (n, 2))
    bright = rng.random((n, len(DYES))) < 0.5
    light = np.where(bright, rng.lognormal(8.0, 1.0, bright.shape), rng.normal(0.0, 80.0, bright.shape))
    events[:, 2:] = light @ MATRIX
    channels = tuple(Channel(name=name, range_max=262144.0) for name in NAMES)
    spillover = Spillover(channels=DYES, matrix=MATRIX, source="file")
    return Sample(name="made.fcs", channels=channels, stored=events, spillover=spillover)


def random_tree(kinds: list[str], seed: int) -> GateTree:
    """Gates of those kinds; parents and operands are drawn from the populations before them."""
    rng = np.random.default_rng(seed)
    gates: list[Gate] = []
    known: list[str] = []
    for number, kind in enumerate(kinds):
        parent = str(rng.choice(known)) if known and rng.random() < 0.5 else None
        gate = random_gate(kind, f"g{number}", parent, known, rng)
        gates.append(gate)
        known.extend(population_ids_of(gate))
    return GateTree(gates=tuple(gates), matrices={"plate": Spillover(channels=DYES, matrix=OTHER, source="plate")})


def random_dimensions(n: int, rng: np.random.Generator) -> tuple[Dimension, ...]:
    compensation = str(rng.choice(["uncompensated", "FCS", "plate"]))
    names = rng.permutation(NAMES if compensation == "uncompensated" else DYES)[:n]
    found: list[Dimension] = []
    for name in names:
        scale = SCALES[int(rng.integers(len(SCALES)))]
        if name in NAMES[:2] and rng.random() < 0.3:
            scale = LogScale(t=262144.0, m=float(rng.uniform(3.0, 6.0)))
        found.append(Dimension(channel=str(name), scale=scale, compensation=compensation))
    return tuple(found)


def random_places(dimension: Dimension, n: int, rng: np.random.Generator) -> np.ndarray:
    """n rising places where events are, on the dimension's scale."""
    plain = np.sort(rng.choice(np.concatenate([rng.lognormal(9.0, 1.3, 50), rng.normal(0.0, 300.0, 15)]), n, replace=False))
    if isinstance(dimension.scale, LogScale):
        plain = np.sort(np.abs(plain) + 1.0)
    return plain if dimension.scale is None else dimension.scale.apply(plain)


def random_gate(kind: str, id: str, parent: str | None, known: list[str], rng: np.random.Generator) -> Gate:
    others = [name for name in known if name != parent]
    if kind == "boolean" and others:
        operation = str(rng.choice(["and", "or", "not"]))
        chosen = rng.choice(others, 1 if operation == "not" else int(rng.integers(2, 4)))
        operands = tuple(Operand(gate=str(one), complement=bool(rng.random() < 0.4)) for one in chosen)
        return BooleanGate(id=id, operation=operation, operands=operands, parent=parent)  # type: ignore[arg-type]
    if kind == "polygon":
        x, y = random_dimensions(2, rng)
        n = int(rng.integers(3, 9))
        vertices = np.column_stack([rng.permutation(random_places(one, n, rng)) for one in (x, y)])
        return PolygonGate(id=id, x=x, y=y, vertices=vertices, parent=parent)
    if kind == "ellipsoid":
        dimensions = random_dimensions(int(rng.integers(2, 4)), rng)
        ends = np.array([random_places(one, 2, rng) for one in dimensions])
        half = 0.5 * (ends[:, 1] - ends[:, 0]) + 1e-3
        root = np.diag(half) @ (np.eye(len(half)) + 0.3 * rng.standard_normal((len(half), len(half))))
        covariance = root @ root.T
        square = float(rng.uniform(0.5, 4.0))
        return EllipsoidGate(
            id=id, dimensions=dimensions, mean=ends.mean(axis=1), covariance=0.5 * (covariance + covariance.T), distance_square=square,
            parent=parent,
        )  # fmt: skip
    if kind == "quadrants":
        dimensions = random_dimensions(2, rng)
        cuts = [random_places(one, int(rng.integers(1, 3)), rng) for one in dimensions]
        dividers = tuple(
            Divider(id=f"{id}d{i}", dimension=one, values=tuple(cut))
            for i, (one, cut) in enumerate(zip(dimensions, cuts, strict=True))
        )
        places = [np.append(cut, cut[-1] + 1.0) - np.append([1.0], np.diff(np.append(cut, cut[-1] + 1.0))) * 0.5 for cut in cuts]
        quadrants = tuple(
            Quadrant(id=f"{id}q{i}{j}", positions=((f"{id}d0", float(a)), (f"{id}d1", float(b))))
            for i, a in enumerate(places[0])
            for j, b in enumerate(places[1])
        )
        return QuadrantGate(id=id, dividers=dividers, quadrants=quadrants, parent=parent)
    if kind == "ratio":
        top, below = rng.permutation(NAMES)[:2]
        ratio = Ratio(numerator=str(top), denominator=str(below), a=float(rng.uniform(0.5, 3.0)), b=float(rng.normal()), c=-1e5)
        scale = LinearScale(t=10.0, a=0.5) if rng.random() < 0.5 else None
        low = float(rng.uniform(-0.1, 0.2))
        whole = Bounds(dimension=Dimension(channel=ratio, scale=scale), low=low, high=low + float(rng.uniform(0.05, 0.5)))
        return RectangleGate(id=id, bounds=(whole,), parent=parent)
    bounds: list[Bounds] = []
    for one in random_dimensions(int(rng.integers(1, 4)), rng):
        low, high = random_places(one, 2, rng)
        bounds.append(Bounds(dimension=one, low=float(low) if rng.random() < 0.8 else None, high=float(high)))
    return RectangleGate(id=id, bounds=tuple(bounds), parent=parent)


def by_flowkit(fcs: Path, gates: Path, populations: tuple[str, ...]) -> dict[str, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = flowkit.parse_gating_xml(str(gates)).gate_sample(flowkit.Sample(str(fcs)))
        return {name: np.asarray(results.get_gate_membership(name)) for name in populations}


@pytest.fixture(scope="module")
def small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flowkit") / "made.fcs"
    write_fcs(made_sample(400, 1), path)
    return path


@settings(max_examples=100)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6), st.integers(0, 10**9))
def test_random_trees_hold_the_same_events_and_come_back_the_same(small_file: Path, kinds: list[str], seed: int) -> None:
    tree = random_tree(kinds, seed)
    file = small_file.with_name("tree.xml")
    write_gatingml(tree, file)
    again = read_gatingml(file)
    assert [words_of(gate, again) for gate in again.gates] == [words_of(gate, tree) for gate in tree.gates]
    own = apply_gates(read_fcs(small_file), again)
    theirs = by_flowkit(small_file, file, tree.population_ids)
    assert list(own) == list(tree.population_ids)
    assert {name: int((own[name] != theirs[name]).sum()) for name in own} == dict.fromkeys(own, 0)


def test_names_that_are_no_xml_ids_are_written_as_such_for_others_and_come_back(small_file: Path) -> None:
    low = Dimension(channel="FL1-A", compensation="plate matrix")
    tree = GateTree(
        gates=(
            RectangleGate(id="CD34+CD41-", bounds=(Bounds(dimension=low, low=100.0),)),
            RectangleGate(id="8N", bounds=(Bounds(dimension=low, low=500.0),), parent="CD34+CD41-"),
        ),
        matrices={"plate matrix": Spillover(channels=DYES, matrix=OTHER, source="plate")},
    )
    file = small_file.with_name("names.xml")
    write_gatingml(tree, file)
    own = apply_gates(read_fcs(small_file), read_gatingml(file))
    theirs = by_flowkit(small_file, file, ("CD34posCD41-", "_8N"))
    assert list(own) == ["CD34+CD41-", "8N"]
    assert [a.tolist() for a in own.values()] == [b.tolist() for b in theirs.values()]
    assert own["CD34+CD41-"].sum() > own["8N"].sum() > 0


@pytest.mark.long
def test_a_million_events_lie_in_the_same_populations(tmp_path: Path, print_figure: Callable[[str], None]) -> None:
    fcs, file = tmp_path / "made.fcs", tmp_path / "gates.xml"
    write_fcs(made_sample(1_000_000, 2), fcs)
    tree = random_tree(["polygon", "rectangle", "ellipsoid", "quadrants", "polygon", "boolean", "ellipsoid", "ratio"], 8)
    write_gatingml(tree, file)
    own = apply_gates(read_fcs(fcs), read_gatingml(file))
    theirs = by_flowkit(fcs, file, tree.population_ids)
    assert sum(1000 < member.sum() < 999_000 for member in own.values()) >= 6  # else it would be no test
    differing = {name: int((own[name] != theirs[name]).sum()) for name in own}
    print_figure(
        f"gates of a million events beside FlowKit: {sum(differing.values())} of {len(own)} x 1,000,000 memberships differ"
    )
    assert differing == dict.fromkeys(own, 0)
