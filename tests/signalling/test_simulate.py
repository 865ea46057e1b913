"""A model over time: what is reported by default, how far it can be trusted, and what is said when it cannot."""

from __future__ import annotations

import json

import numpy as np
import pytest

from thrombokit import InputError, simulate_model
from thrombokit.io.sbml import parse_sbml
from thrombokit.signalling.antimony_source import sbml_of_antimony
from thrombokit.signalling.network import Network
from thrombokit.signalling.solver_settings import Tolerances


def network_of(text: str) -> Network:
    return parse_sbml(sbml_of_antimony(f"model m\n{text}\nend\n", source="m.ant"), place="m.ant")


def test_by_default_time_amounts_and_what_changes_are_reported() -> None:
    network = network_of(
        "compartment c=2; compartment d=1; d' = 1; species A in c; A=1; J: A -> ; k*A*c; k=1; x=0; x' = 1; y := 2*x; fixed=3"
    )
    found = simulate_model(network, end=2.0, points=3)
    assert found.selections == ("time", "A", "x", "y", "d")
    assert found.table().columns == list(found.selections)
    np.testing.assert_allclose(found.values[:, 0], [0.0, 1.0, 2.0])
    assert found.outcome == "converged"
    assert 0.0 < found.largest_difference < 1e-7
    assert found.summary().startswith("3 points of m.ant. Two runs of different tolerances agree within ")
    assert not found.values.flags.writeable


def test_a_loose_first_run_is_tightened_until_two_agree() -> None:
    network = network_of("x = 1; y = 0; x' = y; y' = -x")
    found = simulate_model(network, end=50.0, points=6, selections=["x"], tolerances=Tolerances(relative=1e-2, absolute=1e-2))
    assert found.outcome == "converged"
    assert found.tolerances.relative < 1e-5
    np.testing.assert_allclose(found.values[:, 0], np.cos(np.linspace(0.0, 50.0, 6)), atol=1e-6)


def test_chaos_is_told_and_not_passed_for_exact() -> None:
    lorenz = network_of("x = 1; y = 1; z = 20; x' = 10*(y - x); y' = x*(28 - z) - y; z' = x*y - 8/3*z")
    found = simulate_model(lorenz, end=200.0, points=5)
    assert found.outcome == "max_steps"
    assert "values late in the simulation are not to be relied on" in found.message


def test_an_order_of_events_that_the_model_leaves_open_is_told() -> None:
    tied = "n = 0; E: at (time >= 2){}: n = 1; F: at (time >= 2){}: n = 2"
    found = simulate_model(network_of(tied.format("", "")), end=3.0, points=2)
    assert found.outcome == "max_steps"
    assert found.message.startswith("Events happen at the same time, and the model leaves their order open")
    assert found.values[-1, 1] == 2.0
    ordered = simulate_model(network_of(tied.format(", priority=1", ", priority=2")), end=3.0, points=2)
    assert (ordered.outcome, ordered.values[-1, 1]) == ("converged", 1.0)


def test_what_is_not_a_number_is_told_and_null_in_json() -> None:
    found = simulate_model(network_of("x = 1; x' = -1; y := sqrt(x)"), end=2.0, points=3, selections=["time", "y"])
    assert (found.outcome, found.message) == ("not_finite", "Not a finite number in places: y.")
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert next(iter(document)) == "schema"
    assert document["columns"]["y"][0] == 1.0
    assert document["columns"]["y"][2] is None


def test_the_same_bytes_every_time() -> None:
    network = network_of("compartment c=1; species A in c; A=1; J: A -> ; 0.3*A; at (A < 0.5): A = 2")
    first = simulate_model(network, end=20.0, points=50).values.tobytes()
    simulate_model(network, end=3.0, points=5, settings={"A": 7.0})
    assert simulate_model(network, end=20.0, points=50).values.tobytes() == first


def test_all_faults_come_in_one_pass() -> None:
    network = network_of("compartment c=1; species A in c; A=1; J: A -> ; k*A; k=1")
    with pytest.raises(InputError) as caught:
        simulate_model(network, end=-1.0, points=1, selections=["B", "[k]", "A", "A"], settings={"q": 1.0})
    places = [fault.place for fault in caught.value.faults]
    assert places == [
        "end",
        "points",
        'm.ant, selection "B"',
        'm.ant, selection "[k]"',
        'm.ant, selection "A"',
        'm.ant, setting "q"',
    ]
    told = {fault.place: str(fault) for fault in caught.value.faults}
    assert "Both ends are included" in told["points"]
    assert 'no species "k"' in told['m.ant, selection "[k]"']


def test_the_picture_has_a_line_for_each_column() -> None:
    network = network_of("x = 1; x' = -x; y = 2; y' = 1")
    chart = simulate_model(network, end=2.0, points=500).plot().to_dict()
    (rows,) = chart["datasets"].values()
    assert {row["name"] for row in rows} == {"x", "y"}
    assert len(rows) <= 2 * 242
    assert chart["encoding"]["x"]["title"] == "time"


def test_tolerances_too_tight_to_be_tightened_are_loosened_first() -> None:
    found = simulate_model(network_of("x = 1; x' = -x"), end=2.0, points=3, tolerances=Tolerances(relative=1e-14))
    assert found.outcome == "converged"
    assert found.tolerances.relative == pytest.approx(1e-13)
