"""Sessions: starting again, setting, going on, rest, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.errors import FileFormatError, InputError, MissingExtraError, SimulationError
from thrombokit.io.sbml import parse_sbml
from thrombokit.numerics.outcome import Outcome
from thrombokit.signalling import roadrunner_model
from thrombokit.signalling.antimony_source import sbml_of_antimony
from thrombokit.signalling.network import Network
from thrombokit.signalling.roadrunner_model import SimulationSession, load_session
from thrombokit.signalling.solver_settings import Tolerances


def network_of(text: str) -> Network:
    return parse_sbml(sbml_of_antimony(f"model m\n{text}\nend\n", source="m.ant"), place="m.ant")


DECAY = "compartment c=2; species A in c, B in c; A = 3*k; B = 0; J: A -> B; k*A*c; k = 0.5; total := A + B; fixed = 1"


@pytest.fixture(scope="module")
def decay() -> SimulationSession:
    return SimulationSession(network_of(DECAY))


def test_a_start_forgets_everything_before_it(decay: SimulationSession) -> None:
    decay.start()
    first = decay.run([0.0, 1.0, 2.0], ["A", "B", "k"])
    decay.start({"k": 2.0})
    decay.run([0.0, 0.5], ["A"])
    decay.change({"A": 100.0, "k": 3.0})
    decay.run([1.0], ["A"])
    decay.start()
    np.testing.assert_array_equal(decay.run([0.0, 1.0, 2.0], ["A", "B", "k"]), first)


def test_pending_events_are_forgotten_as_well() -> None:
    session = SimulationSession(network_of("n = 0; k = 0; at 5 after (k > 1), t0=false: n = 1"))
    session.start({"k": 2.0})
    assert session.run([0.0, 1.0], ["n"])[-1, 0] == 0.0
    session.start({"k": 0.0})
    assert session.run([0.0, 10.0], ["n"])[-1, 0] == 0.0
    session.start({"k": 2.0})
    assert session.run([0.0, 10.0], ["n"])[-1, 0] == 1.0


def test_what_the_file_would_trigger_at_time_0_is_not_pending_when_settings_prevent_it() -> None:
    session = SimulationSession(network_of("n = 0; k = 2; at 5 after (k > 1), t0=false, fromTrigger=false: n = n + 1"))
    session.start({"k": 0.0})
    assert session.run([0.0, 10.0], ["n"])[-1, 0] == 0.0
    session.start()
    assert session.run([0.0, 10.0], ["n"])[-1, 0] == 1.0


def test_a_run_in_pieces_is_the_run_as_a_whole(decay: SimulationSession) -> None:
    decay.start()
    whole = decay.run([0.0, 1.0, 2.0, 3.0], ["A", "[B]"])
    decay.start()
    parts = np.concatenate([decay.run([0.0, 1.0], ["A", "[B]"]), decay.run([2.0], ["A", "[B]"]), decay.run([3.0], ["A", "[B]"])])
    np.testing.assert_allclose(parts, whole, rtol=1e-7)


def test_a_delayed_event_survives_the_end_of_a_piece() -> None:
    session = SimulationSession(network_of("n = 0; at 2 after (time >= 1): n = 1"))
    session.start()
    assert session.run([0.0, 2.0], ["n"])[-1, 0] == 0.0
    assert session.run([2.9, 3.1], ["n"])[:, 0].tolist() == [0.0, 1.0]


def test_values_changed_on_the_way_hold_from_there_on(decay: SimulationSession) -> None:
    decay.start()
    at_1 = decay.run([0.0, 1.0], ["A", "B"])[-1]
    decay.change({"k": 0.0, "[B]": 7.0})
    after = decay.run([1.0, 2.0], ["A", "[B]"])
    np.testing.assert_allclose(after, [[at_1[0], 7.0], [at_1[0], 7.0]])


def test_a_state_can_be_carried_into_another_start(decay: SimulationSession) -> None:
    decay.start({"k": 1.0})
    decay.run([0.0, 1.0], ["A"])
    state = decay.state()
    assert set(state) == {"A", "B"}
    decay.start({"k": 0.25, "B": 0.5}, state=state)
    values = decay.run([0.0, 4.0], ["A", "B", "k", "total"])
    np.testing.assert_allclose(values[0], [state["A"], 0.5, 0.25, state["A"] / 2 + 0.25])
    assert values[1, 0] == pytest.approx(state["A"] * np.exp(-1.0), rel=1e-7)


def test_rest_is_found_and_its_absence_told() -> None:
    session = SimulationSession(network_of("compartment c=1; species A in c; A = 0; J: -> A; k; R: A -> ; 0.01*A; k = 3"))
    session.start()
    rest = session.run_to_rest()
    assert rest.outcome is Outcome.CONVERGED
    assert session.state()["A"] == pytest.approx(300.0, rel=1e-7)
    oscillator = SimulationSession(network_of("x = 1; y = 0; x' = y; y' = -x"))
    assert oscillator.run_to_rest(most_time=500.0).outcome is Outcome.MAX_STEPS
    growing = SimulationSession(network_of("x = 1; x' = 0.5"))
    grown = growing.run_to_rest(most_time=1e6)
    assert (grown.outcome, grown.time) == (Outcome.MAX_STEPS, 1e6)


def test_every_wrong_setting_is_told_in_one_pass(decay: SimulationSession) -> None:
    with pytest.raises(InputError) as caught:
        decay.start({"kk": 1.0, "total": 2.0, "J": 1.0, "A": 1.0, "[A]": 2.0, "zzzzzz": 0.0})
    told = {fault.place.partition('"')[2].rstrip('"'): fault for fault in caught.value.faults}
    assert set(told) == {"kk", "total", "J", "[A]", "zzzzzz"}
    assert told["kk"].cure == 'Did you mean "k"?'
    assert "rule" in told["total"].found
    assert "rate of a reaction" in told["J"].found
    assert told["[A]"].found == "A set as well"
    assert "The model has k" in told["zzzzzz"].cure


def test_a_setting_that_is_no_number_is_told(decay: SimulationSession) -> None:
    with pytest.raises(InputError, match=r'setting "k": found nan; expected a finite number'):
        decay.start({"k": float("nan")})
    with pytest.raises(InputError, match=r'setting "k": found inf'):
        decay.change({"k": float("inf")})


def test_a_reactions_own_parameter_cannot_be_set() -> None:
    text = sbml_of_antimony("model m\ncompartment c=1; species A in c; A=1; J: A -> ; 0.5*A; end\n", source="m")
    local = text.replace("<cn> 0.5 </cn>", "<ci> k </ci>").replace(
        "</math>\n        </kineticLaw>",
        '</math><listOfLocalParameters><localParameter id="k" value="0.5"/></listOfLocalParameters></kineticLaw>',
    )
    assert local != text
    session = SimulationSession(parse_sbml(local, place="m.xml"))
    assert session.run([0.0, 2.0], ["A"])[-1, 0] == pytest.approx(np.exp(-1.0), rel=1e-7)
    with pytest.raises(InputError, match="a reaction's own parameter"):
        session.start({"J.k": 1.0})


def test_times_that_run_backwards_are_refused(decay: SimulationSession) -> None:
    decay.start()
    decay.run([0.0, 2.0], ["A"])
    with pytest.raises(InputError, match=r"times: found 1; expected times that increase, from 2 on"):
        decay.run([1.0, 3.0], ["A"])
    with pytest.raises(InputError, match="times that increase"):
        decay.run([3.0, 3.0], ["A"])
    with pytest.raises(InputError, match="not finite"):
        decay.run([3.0, float("nan")], ["A"])


def test_the_present_moment_and_no_moment_can_be_asked_for(decay: SimulationSession) -> None:
    decay.start()
    assert decay.run([0.0], ["A", "k"]).tolist() == [[3.0, 0.5]]
    assert decay.run([], ["A"]).shape == (0, 1)


def test_a_solver_that_cannot_go_on_says_where() -> None:
    session = SimulationSession(network_of("x = 1; x' = x*x"))  # infinite at time 1
    with pytest.raises(SimulationError, match=r"m.ant: the solver stopped at time (0\.99|1)"):
        session.run([0.0, 2.0], ["x"])


def test_values_the_model_leaves_open_must_be_given() -> None:
    network = network_of("compartment c=1; species A in c; A = 2; J: A -> ; k*A; k = 1; unused = 2")
    text = network.sbml.replace('<parameter id="k" value="1" constant="true"/>', '<parameter id="k" constant="true"/>')
    assert text != network.sbml
    open_network = parse_sbml(text, place="open.xml")
    with pytest.raises(InputError, match=r"open.xml, k: found no value; .* set k to a number"):
        SimulationSession(open_network)


def test_rules_in_a_circle_are_told() -> None:
    network = network_of("a = 1; b = 2; q = 3")
    rules = "<listOfRules>" + "".join(
        f'<assignmentRule variable="{x}"><math xmlns="http://www.w3.org/1998/Math/MathML"><ci> {y} </ci></math></assignmentRule>'
        for x, y in (("a", "b"), ("b", "a"))
    )
    text = network.sbml.replace("</listOfParameters>", f"</listOfParameters>{rules}</listOfRules>").replace(
        'constant="true"', 'constant="false"'
    )
    with pytest.raises(InputError, match=r"(?i)circle|circular|cycl|depend"):
        SimulationSession(parse_sbml(text, place="circle.xml"))


def test_names_the_solver_would_mistake_are_refused() -> None:
    text = network_of("other = 2; x := other").sbml.replace("other", "time")
    with pytest.raises(FileFormatError, match=r'found the id "time"; .*Rename it'):
        SimulationSession(parse_sbml(text, place="m.xml"))


def test_a_rate_of_a_concentration_in_a_changing_compartment_is_refused() -> None:
    network = network_of("compartment c=1; c' = 1; species A in c; A = 2; J: A -> ; 0.1*A; v := rateOf(A)")
    with pytest.raises(FileFormatError, match="rateOf A, a concentration in a compartment whose size changes"):
        SimulationSession(network)


def test_a_model_read_in_two_ways_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(DECAY)
    wrong = network_of(DECAY.replace("k*A*c", "1.0001*k*A*c")).sbml
    monkeypatch.setattr(roadrunner_model, "solver_text", lambda _, **__: wrong)
    with pytest.raises(FileFormatError, match=r"the rate of J at time 0: found 1.50015 by libroadrunner, 1.5 by our reading"):
        SimulationSession(network)


def test_without_libroadrunner_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roadrunner_model, "roadrunner", None)
    with pytest.raises(MissingExtraError, match=r'pip install "thrombokit\[signalling\]"'):
        SimulationSession(network_of("k = 1"))


def test_sessions_are_kept_by_text_and_tolerances() -> None:
    network = network_of("x = 1; x' = -x; y = 9")
    first = load_session(network)
    first.run([0.0, 3.0], ["x"])
    assert load_session(network) is first
    assert first.time == 0.0
    assert load_session(network, tolerances=Tolerances(relative=1e-6)) is not first


@pytest.mark.parametrize(("name", "value"), [("relative", 0.0), ("relative", 0.5), ("absolute", 0.0), ("longest_step", 2.0)])
def test_tolerances_have_limits(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"tolerances, {name}: found {value:g}; expected"):
        Tolerances(**{name: value})


def test_small_numbers_are_as_exact_as_large_ones() -> None:
    small = SimulationSession(
        network_of("compartment c=1e-12; species A in c, B in c; A = 1e-9; B = 0; J: A -> B; 0.5*A*c; K: B -> ; 2*B*c")
    )
    values = small.run([0.0, 1.0, 5.0], ["[A]", "[B]"])
    times = np.array([0.0, 1.0, 5.0])
    expected = 1e-9 * np.column_stack([np.exp(-0.5 * times), (np.exp(-0.5 * times) - np.exp(-2.0 * times)) / 3.0])
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-20)
