"""Adaptive steps: order, dense output, change of method, how a run ends, and the output grid that must not move the path."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from thrombokit.numerics.adaptive_ode import (
    CONVERGED,
    EXPLICIT_STEPS,
    IMPLICIT,
    IMPLICIT_STEPS,
    MAX_STEPS,
    NOT_FINITE,
    TAKEN_BACK,
    advance,
    memory_size,
    ode_tolerances,
)  # fmt: skip
from thrombokit.numerics.driven_derivative import DERIVATIVE, no_trial
from thrombokit.numerics.jit import typed_kernel
from thrombokit.numerics.linear_modes import modes_size, prepare_modes

NOBODY = np.empty(0, np.int64)


@typed_kernel(DERIVATIVE)
def turning(t, clock, phase, x, r, dx):  # type: ignore[no-untyped-def]
    dx[0], dx[1] = x[1] * math.cos(t), -x[0] * math.cos(t)


@typed_kernel(DERIVATIVE)
def fast_and_slow(t, clock, phase, x, r, dx):  # type: ignore[no-untyped-def]
    dx[0] = -r[0] * (x[0] - math.cos(t))
    dx[1] = x[0] - x[1]


@typed_kernel(DERIVATIVE)
def exploding(t, clock, phase, x, r, dx):  # type: ignore[no-untyped-def]
    dx[0] = x[0] * x[0]


@typed_kernel(DERIVATIVE)
def clocked(t, clock, phase, x, r, dx):  # type: ignore[no-untyped-def]
    dx[0] = clock + 100.0 * phase


@typed_kernel(DERIVATIVE)
def absorbed(t, clock, phase, x, r, dx):  # type: ignore[no-untyped-def]
    dx[0] = -1.3 * x[0]
    dx[1] = 1.3 * x[0] - 0.2 * x[1]
    dx[2] = 1.0 + 5.0 * x[1] / (0.5 + x[1]) - 0.05 * x[2]
    dx[3] = 0.05 * x[2] - 0.03 * x[3]


def run(
    function, x0, t1, *, relative=1e-8, times=(), r=(), u=None, memory=None, t0=0.0, clock0=0.0, phase=0.0, implicit=None, **more
):  # type: ignore[no-untyped-def]
    x = np.array(x0, dtype=float)
    n = x.size
    memory = np.zeros(memory_size(n)) if memory is None else memory
    if implicit is not None:
        memory[IMPLICIT] = implicit
    at, states = np.array(times, dtype=float), np.empty((len(times), n))
    status = advance(
        function, no_trial, False, t0, t1, clock0, phase, x, np.array(r, dtype=float), np.zeros(n) if u is None else np.array(u, dtype=float),
        np.arange(n), NOBODY, np.empty(0), ode_tolerances(relative=relative, **more), memory, at, states,
    )  # fmt: skip
    return status, x, states, memory


def turned(t: np.ndarray) -> np.ndarray:
    return np.stack([np.sin(np.sin(t)), np.cos(np.sin(t))], axis=1)


@pytest.mark.parametrize("implicit", [0.0, 1.0])
@pytest.mark.parametrize(("relative", "within"), [(1e-4, 1e-3), (1e-7, 1e-6), (1e-10, 1e-9)])
def test_the_error_follows_the_tolerance_at_the_end_and_in_between(implicit: float, relative: float, within: float) -> None:
    times = np.linspace(0.0, 20.0, 41)
    status, x, states, _ = run(turning, [0.0, 1.0], 20.0, relative=relative, times=times, implicit=implicit)
    assert status == CONVERGED
    np.testing.assert_allclose(states, turned(times), atol=within)
    np.testing.assert_allclose(states[-1], x, rtol=1e-14)


@pytest.mark.parametrize(("implicit", "count"), [(0.0, EXPLICIT_STEPS), (1.0, IMPLICIT_STEPS)])
def test_both_methods_are_of_order_five(implicit: float, count: int) -> None:
    """One step from the same point: halving it divides its error by about 2^6."""
    errors = []
    for h in (0.4, 0.2):
        _, start, _, memory = run(turning, turned(np.array([-3.0]))[0], 0.0, t0=-3.0, relative=1e3, implicit=implicit)
        before = memory[count]  # what comes next is a continuation, with a long step in mind
        memory[IMPLICIT] = implicit
        status, x, _, memory = run(turning, start, h, relative=1e3, memory=memory)
        assert status == CONVERGED
        assert memory[count] - before == 1
        errors.append(np.abs(x - run(turning, start, h, relative=1e-13)[1]).max())
    assert 25.0 < errors[0] / errors[1] < 160.0


@given(st.lists(st.floats(0.0, 20.0), max_size=30).map(sorted), st.sampled_from([0.0, 1.0]))
@settings(max_examples=40)
def test_what_is_asked_for_never_moves_the_path(times: list[float], implicit: float) -> None:
    alone = run(turning, [0.0, 1.0], 20.0, relative=1e-5, implicit=implicit)
    asked = run(turning, [0.0, 1.0], 20.0, relative=1e-5, implicit=implicit, times=times)
    np.testing.assert_array_equal(alone[1], asked[1])
    np.testing.assert_array_equal(alone[3], asked[3])
    np.testing.assert_allclose(asked[2], turned(np.array(times)).reshape(-1, 2), atol=1e-3)


def test_a_stiff_system_goes_over_to_the_implicit_method_and_a_mild_one_does_not() -> None:
    status, x, _, memory = run(fast_and_slow, [0.0, 0.0], 20.0, r=[1e5], relative=1e-7)
    assert status == CONVERGED
    assert memory[IMPLICIT_STEPS] > 0
    assert memory[EXPLICIT_STEPS] + memory[IMPLICIT_STEPS] + memory[TAKEN_BACK] < 2_000  # explicit alone: 20 * 1e5 / 3.5 steps
    truth = solve_ivp(
        lambda t, y: [-1e5 * (y[0] - np.cos(t)), y[0] - y[1]], (0, 20), [0.0, 0.0], method="Radau", rtol=1e-11, atol=1e-13
    )
    np.testing.assert_allclose(x, truth.y[:, -1], rtol=1e-5)
    assert run(fast_and_slow, [0.0, 0.0], 20.0, r=[1.0])[3][IMPLICIT_STEPS] == 0


def test_the_implicit_method_hands_back_when_the_system_is_mild() -> None:
    _, _, _, memory = run(turning, [0.0, 1.0], 20.0, relative=1e-8, implicit=1.0)
    assert memory[IMPLICIT] == 0.0
    assert memory[EXPLICIT_STEPS] > 0


def test_how_a_run_ends_is_never_silent() -> None:
    assert run(exploding, [1.0], 2.0)[0] in (NOT_FINITE, MAX_STEPS)
    assert run(turning, [0.0, 1.0], 20.0, relative=1e-10, max_steps=5)[0] == MAX_STEPS
    status, x, _, _ = run(turning, [np.nan, 1.0], 20.0)
    assert status == NOT_FINITE
    assert np.isnan(x[0])


def test_a_start_from_nothing_with_inflow_is_no_obstacle() -> None:
    memory = np.zeros(memory_size(4))
    status, x, _, _ = run(absorbed, [0.0] * 4, 10.0, u=[2.0, 0.0, 0.0, 0.0], memory=memory)
    assert status == CONVERGED
    assert x[0] == pytest.approx(2.0 / 1.3 * (1.0 - math.exp(-13.0)), rel=1e-7)
    before = memory[EXPLICIT_STEPS]
    status, _, _, _ = run(absorbed, x, 24.0, t0=10.0, memory=memory)
    assert status == CONVERGED
    assert 0 < memory[EXPLICIT_STEPS] - before < 300


def test_clock_and_phase_reach_the_derivative() -> None:
    _, x, _, _ = run(clocked, [0.0], 7.0, t0=5.0, clock0=1.0, phase=1.0)
    assert x[0] == pytest.approx(1.0 * 2.0 + 2.0 + 200.0, rel=1e-9)  # the clock runs from 1 to 3


def test_nothing_happens_over_no_time() -> None:
    status, x, states, _ = run(turning, [0.0, 1.0], 3.0, t0=3.0, times=[3.0])
    assert status == CONVERGED
    np.testing.assert_array_equal(states, [x])


def driven(relative: float, days: int, exact: bool) -> tuple[np.ndarray, np.ndarray]:
    """Daily doses into the first of four states; the first two exactly or by steps like the rest."""
    x, memory, modes = np.array([0.0, 0.0, 20.0, 30.0]), np.zeros(memory_size(4)), np.zeros(modes_size(2))
    prepare_modes(np.array([[-1.3, 0.0], [1.3, -0.2]]), modes)
    block = np.arange(2 if exact else 0)
    for day in range(days):
        x[0] += 1.0
        status = advance(
            absorbed, no_trial, False, 24.0 * day, 24.0 * day + 24.0, 0.0, 0.0, x, np.empty(0), np.zeros(4), np.arange(block.size, 4), block, modes,
            ode_tolerances(relative=relative), memory, np.empty(0), np.empty((0, 4)),
        )  # fmt: skip
        assert status == CONVERGED
    return x, memory


def test_a_block_followed_exactly_gives_the_same_in_fewer_steps() -> None:
    truth, _ = driven(1e-11, 10, exact=False)
    for relative, within in ((1e-5, 1e-4), (1e-8, 1e-7)):
        whole, by_steps = driven(relative, 10, exact=False)
        part, by_modes = driven(relative, 10, exact=True)
        np.testing.assert_allclose(whole, truth, rtol=within, atol=1e-9)
        np.testing.assert_allclose(part, truth, rtol=within, atol=1e-9)
        assert by_modes[EXPLICIT_STEPS] < by_steps[EXPLICIT_STEPS]
        assert by_modes[TAKEN_BACK] < 0.3 * by_modes[EXPLICIT_STEPS]
