"""Titrated patient-years by the two adaptive engines beside scipy, in one run: `python -m benchmarks.ode` (see README.md).

Daily oral two-compartment drug with lag, five transits and platelets, Emax drive, a count every week, a decision every second week. All
parameters are invented: they set the size of the task, not what is known of a drug.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from numba import types
from scipy.integrate import solve_ivp

from thrombokit.io.titrations import parse_titration
from thrombokit.numerics.adaptive_ode import advance
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.driven_derivative import DERIVATIVE, TRIAL, no_trial
from thrombokit.numerics.jit import typed_kernel
from thrombokit.numerics.linear_modes import modes_size, prepare_modes
from thrombokit.numerics.streams import stream
from thrombokit.patients import exact_pk_engine, ode_engine
from thrombokit.patients.ode_engine import ode_memory_size, tolerances
from thrombokit.patients.titration_program import titration_program
from thrombokit.patients.titration_state import (
    DECISION_SIZE,
    amount_in_force,
    decide,
    next_dose_h,
    next_visit_h,
    start_state,
    state_size,
    take_dose,
)

ODE_BAR, EXACT_PK_BAR = 400, 1_000
DAYS, WEEKS, N = 364, 52, 9
CL, V2, Q, V3, KA, LAG, BASE, KDEG, KTR, EMAX, EC50 = range(11)
_A, _I, _M = types.float64[::1], types.int64[::1], types.float64[:, ::1]


@typed_kernel(DERIVATIVE)
def platelets(t: float, tad: float, phase: float, x: Array, r: Array, dx: Array) -> None:
    """What the drug drives: five transits and platelets (compartments 3 to 8)."""
    c = 1000.0 * x[1] / r[V2]
    dx[3] = r[BASE] * r[KDEG] * (1.0 + r[EMAX] * c / (r[EC50] + c)) - r[KTR] * x[3]
    for i in range(4, 8):
        dx[i] = r[KTR] * (x[i - 1] - x[i])
    dx[8] = r[KTR] * x[7] - r[KDEG] * x[8]


@typed_kernel(DERIVATIVE)
def whole(t: float, tad: float, phase: float, x: Array, r: Array, dx: Array) -> None:
    """Drug and platelets."""
    k20, k23, k32 = r[CL] / r[V2], r[Q] / r[V2], r[Q] / r[V3]
    dx[0] = -r[KA] * x[0]
    dx[1] = r[KA] * x[0] + k32 * x[2] - (k20 + k23) * x[1]
    dx[2] = k23 * x[1] - k32 * x[2]
    platelets(t, tad, phase, x, r, dx)


def population(n: int) -> Array:
    """Parameters of n invented patients, shape (n, 11)."""
    rng = stream(20, "benchmark", "patients")
    typical = np.array([7.66, 30.0, 3.0, 60.0, 0.5, 0.5, 14.0, 0.02, 5 / 144, 12.0, 30.0])
    spread = np.array([0.58, 0.68, 0.29, 0.39, 0.39, 0.29, 0.47, 0.25, 0.15, 0.39, 0.55])
    drawn = typical * np.exp(spread * rng.standard_normal((n, typical.size)))
    drawn[:, LAG] = np.clip(drawn[:, LAG], 0.05, 2.0)
    drawn[:, BASE] = np.clip(drawn[:, BASE], 1.0, 29.0)
    return drawn


@typed_kernel(types.void(_A, _M))
def drug_matrix(r: Array, matrix: Array) -> None:
    """Rates of the drug's three compartments."""
    k20, k23, k32 = r[CL] / r[V2], r[Q] / r[V2], r[Q] / r[V3]
    matrix[:] = 0.0
    matrix[0, 0], matrix[1, 0], matrix[1, 1], matrix[1, 2] = -r[KA], r[KA], -k20 - k23, k32
    matrix[2, 1], matrix[2, 2] = k23, -k32


@typed_kernel(types.void(types.FunctionType(DERIVATIVE), types.FunctionType(TRIAL), types.boolean, _M, _A, _A, _M, _M, _A))
def run_cohort(derivative: Callable[..., None], trial: Callable[..., float], exact: bool, patients: Array, program: Array, allowed: Array,
               counts: Array, doses: Array, steps: Array) -> None:  # fmt: skip
    """A year of every patient: weekly counts and doses in force (n, 53), mean steps a day (explicit, implicit, taken back)."""
    none, nobody, u = np.empty(0), np.empty((0, N)), np.zeros(N)
    block = np.arange(3 if exact else 0)
    moving, modes, matrix = np.arange(block.size, N), np.zeros(modes_size(3)), np.zeros((3, 3))
    state, decision = np.zeros(state_size(program)), np.zeros(DECISION_SIZE)
    for k in range(patients.shape[0]):
        r, x, memory = patients[k], np.zeros(N), np.zeros(ode_memory_size(N))
        for i in range(3, 8):
            x[i] = r[BASE] * r[KDEG] / r[KTR]
        x[8] = r[BASE]
        if exact:
            drug_matrix(r, matrix)
            prepare_modes(matrix, modes)
        start_state(program, state)
        counts[k, 0], doses[k, 0], t = x[8], amount_in_force(state), 0.0
        for day in range(DAYS):
            x_at = (24.0 * day + r[LAG], 24.0 * (day + 1))
            for leg in range(2):
                if leg == 1 and (day + 1) % 7 != 0:
                    continue  # nothing happens at midnight: the next break point is the next arrival
                advance(
                    derivative, trial, False, t, x_at[leg], 0.0, 0.0, x, r, u, moving, block, modes, allowed, memory, none, nobody
                )  # fmt: skip
                t = x_at[leg]
                if leg == 0 and next_dose_h(state) <= 24.0 * day:
                    x[0] += take_dose(program, state)
            if (day + 1) % 7 == 0:
                week = (day + 1) // 7
                counts[k, week] = x[8]
                if next_visit_h(state) <= t:
                    decide(program, state, t, x[8], decision)
                doses[k, week] = amount_in_force(state)
        for c in range(3):
            steps[c] += memory[5 + c] / DAYS / patients.shape[0]


def rule() -> Array:
    """Levels 2.5 to 7.5, a decision every second week: up below 50, down above 150, held above 250 until below 100."""
    return titration_program(
        parse_titration(
            """
            schema = "thrombokit-titration/1"
            signal = "PLATELET"
            observed_with = "latent"
            dose = {compartment = "depot", every_h = 24}
            levels = [2.5, 3.75, 5.0, 7.5]
            start = 2.5
            then_every_h = 336
            rules = [
              {when = "> 250", do = "hold", resume_when = "< 100", resume_at = "one level lower"},
              {when = "> 150", do = "down"},
              {when = "< 50", do = "up"},
            ]
            """
        )
    )


def simulate(engine: str, patients: Array, allowed: Array) -> tuple[Array, Array, Array, float]:
    """Counts, doses, mean steps a day, CPU seconds."""
    shape = (patients.shape[0], WEEKS + 1)
    counts, doses, steps = np.zeros(shape), np.zeros(shape), np.zeros(3)
    exact = engine == exact_pk_engine.ENGINE
    begun = time.process_time()
    run_cohort(platelets if exact else whole, no_trial, exact, patients, rule(), allowed, counts, doses, steps)
    return counts, doses, steps, time.process_time() - begun


def scipy_year(r: Array, doses: Array) -> float:
    """CPU seconds of one patient's year with `solve_ivp` (RK45, 2e-5), the weekly doses given."""
    x = np.zeros(N)
    x[3:8], x[8] = r[BASE] * r[KDEG] / r[KTR], r[BASE]

    def slope(t: float, y: Array) -> Array:
        dx = np.empty(N)
        whole(t, 0.0, 0.0, y, r, dx)
        return dx

    begun, t = time.process_time(), 0.0
    for day in range(DAYS):
        arrival = 24.0 * day + r[LAG]
        x = solve_ivp(slope, (t, arrival), x, rtol=2e-5, atol=1e-7).y[:, -1]
        x[0] += doses[day // 7]
        t = arrival
    return time.process_time() - begun


def main() -> int:
    """Everything; exit code 1 where a bar or a stated error is missed."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.ode", description=__doc__)
    arguments.add_argument("--patients", type=int, default=300)
    arguments.add_argument("--relative", type=float, nargs="*", help="other tolerances to try")
    chosen = arguments.parse_args()
    patients, met = population(chosen.patients), True
    truth, true_doses, _, _ = simulate("ode", patients, tolerances(1e-11))
    seconds = scipy_year(patients[0], true_doses[0])
    print(f"scipy solve_ivp (compiled right-hand side, RK45 at 2e-5): {1 / seconds:.2f} patient-years a CPU second")
    for engine, bar, default in (("exact-pk", EXACT_PK_BAR, exact_pk_engine.RELATIVE), ("ode", ODE_BAR, ode_engine.RELATIVE)):
        for relative in chosen.relative or (default,):
            counts, doses, steps, cpu = simulate(engine, patients, tolerances(relative))
            rate, same = patients.shape[0] / cpu, (doses == true_doses).all(axis=1)
            error = np.abs(counts / truth - 1.0)[same].max()
            met = met and rate >= bar and error <= ode_engine.STATED_ERROR and bool(same.all())
            print(
                f"{engine:9s} tolerance {relative:.0e}: {rate:7,.0f} patient-years a CPU second (bar {bar:,}), {rate * seconds:,.0f} times "
                f"scipy; largest error {error:.1e}; {int((~same).sum())} other doses; {steps[0]:.1f} steps a day, {steps[2]:.2f} back"
            )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
