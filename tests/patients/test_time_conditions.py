"""Windows and bends in time: no step goes across them, at rest least of all; and what cannot be located is refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.errors import SpecError
from thrombokit.io.patient_models import parse_model
from thrombokit.numerics.adaptive_ode import EXPLICIT_STEPS
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_result import CohortResult
from thrombokit.patients.compiled_model import CompiledModel, compile_model
from thrombokit.patients.event_records import event_table
from thrombokit.patients.events_result import EventsResult
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.model import PatientModel
from thrombokit.patients.ode_engine import tolerances
from thrombokit.patients.ode_movers import ABSOLUTE_SHARE, ExactPkMover, OdeMover
from thrombokit.patients.simulate_cohort import simulate_cohort
from thrombokit.patients.simulate_events import simulate_events

KD, BASE = 0.05, 50.0
TEXT = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "central", "platelets"]
[theta]
START = 100.0
[random]
omega = [{names = ["ETA"], matrix = [[0.04]]}]
[algebra]
IN = "%s"
[flow]
"depot->central" = "1"
"central->out" = "0.2"
[ode]
platelets = "0.05*(50 - platelets) + IN"
[initial]
platelets = "50"
[output]
PLATELET = "platelets"
IN = "IN"
"""
WINDOW = "if(T > 100, if(T < 102, 1, 0), 0)"
AFTER_DOSE = "if(TAD >= 3, if(TAD < 5, 1, 0), 0)"


def model_of(rule: str) -> PatientModel:
    """Platelets at rest at 50, with IN coming in besides."""
    return parse_model(TEXT % rule, file="window.toml")


def answer(times: np.ndarray, *windows: tuple[float, float]) -> np.ndarray:
    """Platelets where IN is 1 during the windows and 0 outside."""
    rise = np.zeros_like(times)
    for first, last in windows:
        began, ended = np.maximum(times - first, 0.0), np.maximum(times - last, 0.0)
        rise += (np.exp(-KD * ended) - np.exp(-KD * began)) / KD
    return BASE + rise


def run(model: PatientModel, times: np.ndarray, **dose: float) -> EventsResult:
    """One patient read at `times`, with a dose at time 0 where one is given."""
    rows = [{"ID": 1, "TIME": 0.0, "EVID": 1, "AMT": 0.0, "II": 0.0, "ADDL": 0, "SS": 0, **dose}] if dose else []
    rows += [{"ID": 1, "TIME": float(time), "EVID": 0, "AMT": 0.0, "II": 0.0, "ADDL": 0, "SS": 0} for time in times]
    return simulate_events(model, event_table(pl.DataFrame(rows)))


def counts(result: EventsResult) -> np.ndarray:
    return result.outputs[result.observed, 0]


def cohort(
    model: PatientModel, dose: FixedDose, prefer: str | None = None, n: int = 3, outputs_h: tuple[float, ...] = ()
) -> CohortResult:
    return simulate_cohort(model, dose, Cohort(n=n, inclusion=None), seed=5, weeks=3, prefer=prefer, outputs_h=outputs_h)


PLACEBO = FixedDose(amount=0.0)


def test_a_window_is_not_stepped_over_at_rest() -> None:
    """Two hours in a quiet year, read once: as exact as anywhere else; reading every hour changes nothing."""
    hours = np.arange(0.0, 400.0, 1.0)
    for times in (np.array([0.0, 120.0]), np.array([0.0, 8760.0, 8761.0]), hours):
        np.testing.assert_allclose(counts(run(model_of(WINDOW), times)), answer(times, (100.0, 102.0)), rtol=1e-9)
    often, seldom = counts(run(model_of(WINDOW), hours)), counts(run(model_of(WINDOW), hours[[0, 50, 250, 399]]))
    assert seldom.tobytes() == often[[0, 50, 250, 399]].tobytes()


@pytest.mark.parametrize("prefer", ["exact-pk", "ode"])
def test_a_cohort_sees_the_window(prefer: str) -> None:
    result = cohort(model_of(WINDOW), PLACEBO, prefer, outputs_h=(101.0, 110.0))
    times = np.array([0.0, 168.0, 336.0, 504.0])
    assert result.engine == prefer
    np.testing.assert_allclose(result.counts, np.tile(answer(times, (100.0, 102.0)), (3, 1)), rtol=result.stated_error)
    np.testing.assert_allclose(
        result.outputs[:, :, 0], np.tile(answer(np.array([101.0, 110.0]), (100.0, 102.0)), (3, 1)), rtol=2e-5
    )
    assert result.counts.tobytes() == cohort(model_of(WINDOW), PLACEBO, prefer).counts.tobytes()


@pytest.mark.parametrize("prefer", ["exact-pk", "ode"])
def test_a_window_after_each_dose(prefer: str) -> None:
    """Doses every 12 h from 0: every window from 3 to 5 h after one, on both ways; the lag of a dose moves none."""
    windows = [(12.0 * k + 3.0, 12.0 * k + 5.0) for k in range(43)]
    weeks = np.array([0.0, 168.0, 336.0, 504.0])
    for text in (TEXT % AFTER_DOSE, TEXT % AFTER_DOSE + '[dose.depot]\nlag = "4"\n'):
        model = parse_model(text, file="window.toml")
        np.testing.assert_allclose(counts(run(model, weeks, AMT=1.0, II=12.0, ADDL=42)), answer(weeks, *windows), rtol=1e-9)
        found = cohort(model, FixedDose(amount=1.0, every_h=12.0, until_h=504.5), prefer)
        np.testing.assert_allclose(found.counts[0], answer(weeks, *windows), rtol=found.stated_error)


def test_doses_in_a_steady_state_bring_their_windows() -> None:
    """For ever a dose every 12 h: the window's rise at its end, over what is lost in the 12 h."""
    found = counts(run(model_of(AFTER_DOSE), np.array([0.0, 5.0]), AMT=1.0, II=12.0, SS=1))[-1]
    share = math.exp(-KD * 12.0)
    at_end = (1.0 - math.exp(-KD * 2.0)) / KD / (1.0 - share)
    assert found == pytest.approx(BASE + at_end, rel=1e-6)


def test_a_window_that_differs_between_patients() -> None:
    """START exp(ETA): each patient's own hour, in cohorts and event tables alike."""
    model = model_of("if(T > START*exp(ETA), if(T < START*exp(ETA) + 2, 1, 0), 0)")
    found = cohort(model, PLACEBO, n=20)
    starts = 100.0 * np.exp(found.inputs[:, found.input_names.index("ETA")])
    weeks = np.array([0.0, 168.0, 336.0, 504.0])
    assert starts.std() > 5.0
    expected = np.array([answer(weeks, (start, start + 2.0)) for start in starts])
    np.testing.assert_allclose(found.counts, expected, rtol=found.stated_error)
    rows = [{"ID": k + 1, "TIME": time} for k in range(20) for time in weeks]
    same = simulate_events(model, event_table(pl.DataFrame(rows).with_columns(EVID=pl.lit(0))), seed=5)
    np.testing.assert_allclose(same.outputs[:, 0].reshape(20, 4), expected, rtol=1e-9)


def test_a_window_that_differs_between_records() -> None:
    """A column of the data moves it; two ways of writing one window cut at the same times."""
    model = model_of("(T/24 >= DAY)*(24*DAY + 2 > T)")
    rows = [{"ID": 1, "TIME": time, "EVID": 0, "DAY": day} for time, day in ((0.0, 2.0), (60.0, 2.0), (200.0, 7.0))]
    found = simulate_events(model, event_table(pl.DataFrame(rows))).outputs[:, 0]
    np.testing.assert_allclose(found, answer(np.array([0.0, 60.0, 200.0]), (48.0, 50.0), (168.0, 170.0)), rtol=1e-9)


@pytest.mark.parametrize("strict", [True, False])
def test_conditions_and_doses_at_one_time(strict: bool) -> None:
    """Four conditions change when a dose falls due, with `>` and `>=` alike; 0.1 x 3 is 0.3 here too."""
    less, more = ("<", ">") if strict else ("<=", ">=")
    rule = f"if(T {more} 0.1*3, 1, 0) - if(T {more} 36.3, 1, 0) + if(TAD {less} 12, 0, 5) + if(T {more} 24.3, 1, 0)"
    times = np.array([0.0, 0.3, 24.3, 36.3, 60.3])
    rows = [{"ID": 1, "TIME": 0.3, "EVID": 1, "AMT": 1.0, "II": 12.0, "ADDL": 4}]
    rows += [{"ID": 1, "TIME": float(time), "EVID": 0, "AMT": 0.0, "II": 0.0, "ADDL": 0} for time in times]
    table = event_table(pl.DataFrame(rows).sort("TIME", maintain_order=True))
    result = simulate_events(model_of(rule), table)
    np.testing.assert_allclose(counts(result), answer(times, (0.3, 36.3), (24.3, math.inf)), rtol=1e-9)


@given(
    first=st.floats(0.0, 300.0),
    long=st.floats(1e-3, 50.0),
    at_ends=st.sampled_from(["<", "<="]),
    by_day=st.booleans(),
    fast=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_any_window_anywhere(
    windowed: Callable[[bool, str], CompiledModel], first: float, long: float, at_ends: str, by_day: bool, fast: bool
) -> None:
    """Closed form to 1e-10 at that tolerance, by both movers, and few steps: a jump within a step would cost dozens."""
    compiled = windowed(by_day, at_ends)
    r = np.zeros(compiled.n_record)
    compiled.fill_record(compiled.default_inputs({"FROM": first, "LONG": long}), 0.0, r)
    mover = ExactPkMover(compiled) if fast else OdeMover(compiled)
    mover.set_record(r)
    mover.tolerances = tolerances(1e-10, ABSOLUTE_SHARE)
    x, times = np.array([0.0, 0.0, BASE]), np.array([first, 0.5 * (first + 351.0), 351.0])
    states = np.empty((3, 3))
    mover.advance(0.0, 351.0, 0.0, 0.0, x, np.zeros(3), times, states)
    np.testing.assert_allclose(states[:, 2], answer(times, (first, first + long)), rtol=1e-10)
    assert mover.memory[EXPLICIT_STEPS] < 160


@pytest.fixture(scope="module")
def windowed() -> Callable[[bool, str], CompiledModel]:
    """The window FROM to FROM + LONG as a compiled model, written in hours or in days."""

    def make(by_day: bool, less: str) -> CompiledModel:
        clock = "T/24" if by_day else "T"
        rule = f"if(FROM/24 {less} {clock}, if({clock} {less} (FROM + LONG)/24, 1, 0), 0)"
        return compile_model(model_of(rule if by_day else rule.replace("/24", "")), ("FROM", "LONG"))

    return make


@pytest.mark.parametrize(
    ("rule", "last", "area", "error"),
    [
        ("max(0, min(T - 100, 102 - T))", 102.0, 1.0, 1e-12),
        ("max(0, 1 - if(T < 100, 100 - T, T - 100))", 101.0, 1.0, 1e-12),
        ("if(min(T > 100, T < 102), 1, 0)", 102.0, 2.0, 1e-12),
        ("if((T > 100)*(T < 102), 1, 0)", 102.0, 2.0, 1e-12),
        ("if(T < 100, 0, if(T < 102, sqrt(T - 100)*sqrt(102 - T), 0))", 102.0, math.pi / 2.0, 1e-6),
        ("if(T == 100, 5, 0)", 100.0, 0.0, 1e-12),
    ],
)
def test_bends_and_products(rule: str, last: float, area: float, error: float) -> None:
    """Whatever comes in is seen: bends, products of comparisons, roots that end at the condition (without a slope there: to the stated
    error); an instant alone brings nothing.
    """
    times = np.array([0.0, last, 3000.0])
    model = parse_model((TEXT % rule).replace("0.05*(50 - platelets) + IN", "IN"), file="area.toml")
    found = counts(run(model, times))
    assert compile_model(model).time_conditions.size > 0
    np.testing.assert_allclose(found, BASE + np.array([0.0, area, area]), rtol=error)


def test_a_state_event_is_left_to_the_steps() -> None:
    """A compartment on one side: nothing to know beforehand, and nothing to refuse."""
    for rule in ("if(central > T, 1, 0)", "max(0, central - T)", "(central > 5)*(T > 3)"):
        compiled = compile_model(model_of(rule), ())
        assert compiled.time_conditions.shape == (1 if "T > 3" in rule else 0, 3)


def test_what_only_outputs_hear_cuts_nothing() -> None:
    text = (TEXT % "0").replace('IN = "IN"\n', 'IN = "if(T^2 > 100, 1, 0)"\n')
    assert compile_model(parse_model(text, file="window.toml")).time_conditions.shape == (0, 3)


def test_what_cannot_be_located_is_refused() -> None:
    """Each with its place, what was found and the cure; all in one pass."""
    text = (TEXT % "if(T^2 > 100, 1, 0) + min(1, exp(T)) + if(T - TAD > 24, 1, 0)").replace(
        '"central->out" = "0.2"', '"central->out" = "if(central + T > 7, 0.2, 0.1)"'
    )
    with pytest.raises(SpecError) as caught:
        compile_model(parse_model(text, file="window.toml"))
    said = str(caught.value)
    assert "window.toml" in said
    for found in ('the condition "T^2 > 100", whose time cannot be known beforehand',
                  'the condition "min(1, exp(T))", whose time cannot be known beforehand',
                  'the condition "T - TAD > 24", which weighs T against TAD',
                  'the condition "central + T > 7", which mixes time and compartments on one side'):  # fmt: skip
        assert found in said
    assert "Write T or TAD alone on one side and a value on the other, as in T > 100" in said
    assert "algebra.IN" in said


def test_a_branch_not_taken_may_have_no_time() -> None:
    """if(0 > 1, T < 1/0, ...): no fault of a value that nobody asks for, and no cut."""
    model = model_of("if(NEVER > 1, if(T < log(-NEVER - 1), 1, 0), 0)")
    rows = pl.DataFrame({"ID": [1, 1], "TIME": [0.0, 300.0], "EVID": [0, 0], "NEVER": [0.0, 0.0]})
    np.testing.assert_allclose(simulate_events(model, event_table(rows)).outputs[:, 0], BASE, rtol=1e-12)


@pytest.mark.parametrize(
    ("flow", "engine"), [("if(T > 3, 0.2, 0.1)", "exact-pk"), ("if(TAD > 3, 0.2, 0.1)", "exact-pk"), ("0.2", "quadrature")]
)
def test_engines_without_steps_never_get_such_a_model(flow: str, engine: str) -> None:
    """A rate that reads the time is no linear flow, a drive that reads it no linear response."""
    text = (TEXT % "0.01*central").replace('"central->out" = "0.2"', f'"central->out" = "{flow}"')
    compiled = compile_model(parse_model(text, file="window.toml"))
    assert compiled.engine == engine
    assert (compiled.time_conditions.size == 0) == (engine == "quadrature")
    assert compile_model(model_of(WINDOW)).engine == "exact-pk"
    alone = text[: text.index("[ode]")].replace(', "platelets"', "") + '[output]\nC = "central"\n'
    assert (compile_model(parse_model(alone, file="drug.toml")).engine == "exact") == (flow == "0.2")
