"""Gate trees that cannot be: every fault in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from thrombokit.cells.gates import (
    BooleanGate,
    Bounds,
    Dimension,
    Divider,
    EllipsoidGate,
    GateTree,
    Operand,
    PolygonGate,
    Quadrant,
    QuadrantGate,
    rectangle,
)
from thrombokit.cells.spectrum import SpectrumMatrix
from thrombokit.errors import InputError

X, Y = Dimension(channel="X"), Dimension(channel="Y")


def faults_of(*gates: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        GateTree(gates=gates, source="g.xml")
    return [str(fault) for fault in caught.value.faults]


def quadrants(**changes: Any) -> QuadrantGate:
    said: dict[str, Any] = {
        "id": "q", "dividers": (Divider(id="d", dimension=X, values=(1.0,)),), "quadrants": (Quadrant(id="q+", positions=(("d", 2.0),)),)
    }  # fmt: skip
    return QuadrantGate(**{**said, **changes})


def test_references_circles_and_ids_are_checked_together() -> None:
    found = faults_of(
        rectangle("a", Bounds(dimension=X, low=0.0), parent="nobody"),
        rectangle("a", Bounds(dimension=Dimension(channel="X", compensation="other"), low=0.0)),
        quadrants(),
        rectangle("b", Bounds(dimension=X, low=0.0), parent="q"),
    )
    assert [text.split("; ")[0] for text in found] == [
        "g.xml, gate a: found an id used more than once",
        'g.xml, gate a: found a reference to "nobody"',
        'g.xml, gate a: found the compensation "other"',
        'g.xml, gate b: found a reference to the quadrant gate "q"',
    ]
    assert "expected one of its quadrants: q+" in found[3]
    (circle,) = faults_of(
        rectangle("a", Bounds(dimension=X, low=0.0), parent="b"),
        BooleanGate(id="b", operation="not", operands=(Operand(gate="a"),)),
    )
    assert circle.startswith("g.xml: found gates that hang on each other in a circle")


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (rectangle("g"), "a rectangle without a dimension"),
        (rectangle("g", Bounds(dimension=X, low=2.0, high=2.0)), "the range 2.0 to 2.0, which holds no event"),
        (rectangle("g", Bounds(dimension=X, low=float("nan"))), "the lower bound nan"),
        (PolygonGate(id="g", x=X, y=Y, vertices=np.zeros((2, 2))), "vertices of shape (2, 2)"),
        (PolygonGate(id="g", x=X, y=Y, vertices=np.full((3, 2), np.inf)), "a vertex that is not finite"),
        (PolygonGate(id="g", x=X, y=Y, vertices=np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1e200]])), "endlessly far"),
        (EllipsoidGate(id="g", dimensions=(X, Y), mean=np.zeros(3), covariance=np.eye(2), distance_square=1.0), "a mean of shape (3,)"),
        (EllipsoidGate(id="g", dimensions=(X,), mean=np.zeros(1), covariance=np.eye(1), distance_square=1.0), "of 1 dimension(s)"),
        (EllipsoidGate(id="g", dimensions=(X, Y), mean=np.zeros(2), covariance=np.eye(3), distance_square=1.0), "of shape (3, 3)"),
        (EllipsoidGate(id="g", dimensions=(X, Y), mean=np.zeros(2), covariance=np.ones((2, 2)), distance_square=1.0), "that is singular"),
        (EllipsoidGate(id="g", dimensions=(X, Y), mean=np.zeros(2), covariance=np.eye(2), distance_square=0.0), "the squared distance 0.0"),
        (quadrants(dividers=(Divider(id="d", dimension=X, values=(2.0, 1.0)),)), "divider values 2.0, 1.0"),
        (quadrants(quadrants=(Quadrant(id="q+", positions=(("e", 1.0),)),)), "quadrant q+ with positions for e"),
        (quadrants(quadrants=()), "a quadrant gate without quadrants"),
        (BooleanGate(id="g", operation="or", operands=()), "or of 0 gates"),
    ],
)  # fmt: skip
def test_shapes_that_cannot_be_are_refused(gate: Any, said: str) -> None:
    (found,) = faults_of(gate)
    assert said in found


def test_not_of_two_gates_is_refused() -> None:
    both = (Operand(gate="a"), Operand(gate="b"))
    a, b = (rectangle(name, Bounds(dimension=X, low=0.0)) for name in "ab")
    (found,) = faults_of(a, b, BooleanGate(id="n", operation="not", operands=both))
    assert "found not of 2 gates; expected one" in found


def test_a_covariance_that_is_none_is_applied_as_written_and_noted() -> None:
    odd = EllipsoidGate(
        id="e", dimensions=(X, Y), mean=np.zeros(2), covariance=np.array([[1.0, 2.0], [2.0, 1.0]]), distance_square=1.0
    )
    (note,) = GateTree(gates=(odd,)).notes
    assert note.startswith("gate e: its covariance matrix is not symmetric and positive definite")
    wide = EllipsoidGate(id="e", dimensions=(X, Y), mean=np.zeros(2), covariance=np.diag([1e10, 1e-4]), distance_square=1.0)
    assert GateTree(gates=(wide,)).notes == ()


def test_a_spectrum_matrix_tells_all_its_faults() -> None:
    with pytest.raises(InputError) as caught:
        SpectrumMatrix(fluorochromes=("A", "A", "B"), detectors=("X", "Y"), matrix=np.eye(2), source="m")
    assert [fault.found for fault in caught.value.faults] == [
        "fluorochrome named twice: A",
        "3 fluorochromes and 2 detectors",
        "coefficients of shape (2, 2)",
    ]
    with pytest.raises(InputError, match="singular"):
        SpectrumMatrix(fluorochromes=("A", "B"), detectors=("X", "Y"), matrix=np.ones((2, 2)), source="m")
