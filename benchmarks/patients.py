"""Titrated patient-years of whole cohorts, by engine and by shipped model, beside scipy in one run: `python -m benchmarks.patients`.

The first table is a model whose parameters are all invented (they set the size of the task): a daily oral two-compartment drug with lag, five
transits and platelets, Emax drive, a decision every second week, a count every week. The second is what thrombokit ships, each under its
own rule. Every figure counts drawing the patients too; errors are against the same engine or exact-pk at 1e-11.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace

import numpy as np
from scipy.integrate import solve_ivp

from thrombokit import load_agonist, load_model, load_titration
from thrombokit.agonists.load import shipped_agonists
from thrombokit.domain.agonist import Covers
from thrombokit.io.patient_models import parse_model
from thrombokit.io.titrations import parse_titration
from thrombokit.numerics.arrays import Array
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_draws import draw_patients
from thrombokit.patients.cohort_setup import STATED_ERRORS, CohortJob, cohort_job
from thrombokit.patients.cohort_task import CohortPart, simulate_range
from thrombokit.patients.exact_pk_engine import exact_pk_tolerances
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.model import PatientModel
from thrombokit.patients.pilot import piloted_job
from thrombokit.patients.simulate_cohort import PATIENTS_A_RANGE
from thrombokit.patients.titration import Titration

WEEKS, DAYS = 52, 364
BARS = {"quadrature": 5000, "exact-pk": 1000, "ode": 400}
REFERENCE = 1e-11
DOSES = {"avatrombopag": 20.0, "eltrombopag": 50.0, "hetrombopag": 5.0, "lusutrombopag": 3.0, "rhtpo": 1.0, "romiplostim": 1.0}
"""Daily (romiplostim: weekly) dose of models that have no rule, in their own unit."""

INVENTED = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "ng/mL"}
compartments = ["depot", "central", "peripheral", "p1", "p2", "p3", "p4", "p5", "platelets"]
default_dose = "depot"
[record]
CL = "7.66*exp(0.58*Z1)"
V2 = "30*exp(0.68*Z2)"
Q = "3*exp(0.29*Z3)"
V3 = "60*exp(0.39*Z4)"
KA = "0.5*exp(0.39*Z5)"
LAGT = "0.5*exp(0.29*Z6)"
BASE = "min(14*exp(0.47*Z7), 29)"
KDEG = "0.02*exp(0.25*Z8)"
KTR = "5/144*exp(0.15*Z9)"
EMAX = "12*exp(0.39*Z10)"
EC50 = "30*exp(0.55*Z11)"
[algebra]
C = "1000*central/V2"
[flow]
"depot->central" = "KA"
"central->peripheral" = "Q/V2"
"peripheral->central" = "Q/V3"
"central->out" = "CL/V2"
"p1->p2" = "KTR"
"p2->p3" = "KTR"
"p3->p4" = "KTR"
"p4->p5" = "KTR"
"p5->platelets" = "KTR"
"platelets->out" = "KDEG"
[ode]
p1 = "BASE*KDEG*(1 + EMAX*C/(EC50 + C))"
[dose.depot]
lag = "LAGT"
[initial]
p1 = "BASE*KDEG/KTR"
p2 = "BASE*KDEG/KTR"
p3 = "BASE*KDEG/KTR"
p4 = "BASE*KDEG/KTR"
p5 = "BASE*KDEG/KTR"
platelets = "BASE"
[random]
omega = [OMEGA]
[output]
PLATELET = "platelets"
""".replace("OMEGA", ", ".join(f'{{names = ["Z{k}"], matrix = [[1.0]]}}' for k in range(1, 12)))

RULE = """
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


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Patient-years per CPU second, largest relative error of a weekly count, and patients whose doses are others than the reference's."""

    rate: float
    error: float
    changed: int


def run(job: CohortJob, n: int) -> tuple[list[CohortPart], float]:
    """All patients in ranges, and the CPU seconds they took."""
    simulate_range(job, 0, 1)
    begun = time.process_time()
    parts = [simulate_range(job, start, min(start + PATIENTS_A_RANGE, n)) for start in range(0, n, PATIENTS_A_RANGE)]
    return parts, time.process_time() - begun


def measure(
    model: PatientModel, regimen: Titration | FixedDose, cohort: Cohort, engine: str | None, checked: int
) -> tuple[str, Measured]:
    """One engine's speed over the cohort, and its error over the first `checked` patients."""
    job = piloted_job(model, regimen, cohort, seed=1, weeks=WEEKS, prefer=engine)
    parts, seconds = run(job, cohort.n)
    best = cohort_job(model, regimen, cohort, seed=1, weeks=WEEKS, prefer="exact-pk")
    truth = simulate_range(replace(best, plan=best.plan._replace(tolerances=exact_pk_tolerances(REFERENCE))), 0, checked)
    doses, counts = (np.concatenate([getattr(part, name) for part in parts])[:checked] for name in ("doses", "counts"))
    same = (doses == truth.doses).all(axis=1)
    error = float(np.abs(counts / truth.counts - 1.0)[same].max(initial=0.0))
    return job.engine, Measured(rate=cohort.n / seconds, error=error, changed=int((~same).sum()))


def scipy_year(job: CohortJob, part: CohortPart) -> float:
    """CPU seconds of patient 1's year with `solve_ivp` (RK45 at 2e-5, the same compiled right-hand side), the doses of each week given."""
    drawn = draw_patients(job.population, seed=1, start=0, stop=1)
    r, x, compiled = np.array(drawn.record[0]), np.array(drawn.initial[0]), job.compiled
    lag = r[compiled.record_index("LAGT")]

    def slope(t: float, y: Array) -> Array:
        dx = np.empty(y.size)
        compiled.derivative(t, 0.0, 0.0, y, r, dx)
        return dx

    begun, t = time.process_time(), 0.0
    for day in range(DAYS):
        arrival = 24.0 * day + lag
        x = np.ascontiguousarray(solve_ivp(slope, (t, arrival), x, rtol=2e-5, atol=1e-7).y[:, -1])
        x[0] += part.doses[0, day // 7]
        t = arrival
    return time.process_time() - begun


def by_engine(n: int, checked: int) -> bool:
    """The invented model, by all three engines, beside scipy."""
    model, rule = parse_model(INVENTED, file="invented.toml"), parse_titration(RULE, file="rule.toml")
    cohort = Cohort(n=n, inclusion=None)
    job = cohort_job(model, rule, cohort, seed=1, weeks=WEEKS)
    seconds = scipy_year(job, simulate_range(job, 0, 1))
    print(f"scipy solve_ivp (compiled right-hand side, RK45 at 2e-5): {1 / seconds:.2f} patient-years a CPU second")
    met = True
    for engine, bar in BARS.items():
        _, seen = measure(model, rule, replace(cohort, n=n if engine == "quadrature" else max(n // 5, 1)), engine, checked)
        met = met and seen.rate >= bar and seen.error <= STATED_ERRORS[engine] and seen.changed == 0
        print(
            f"{engine:10s} {seen.rate:7,.0f} patient-years a CPU second (bar {bar:,}), {seen.rate * seconds:6,.0f} times scipy; largest error "
            f"{seen.error:.1e} (stated {STATED_ERRORS[engine]:.0e}); {seen.changed} of {checked} with other doses"
        )
    return met


def by_model(n: int, checked: int) -> bool:
    """Every shipped model with platelets, under its own rule, or else a fixed dose."""
    print(f"\n{'model':28s} {'engine':11s} {'per CPU s':>9s}  error    regimen")
    met = True
    for agonist in shipped_agonists():
        for entry in load_agonist(agonist).models:
            if entry.covers is Covers.PLASMA:
                continue
            every_h = 168.0 if agonist == "romiplostim" else 24.0
            regimen = load_titration(entry.rule) if entry.rule else FixedDose(amount=DOSES[agonist.casefold()], every_h=every_h)
            told = entry.rule or f"{DOSES[agonist.casefold()]:g} every {every_h:g} h"
            model, population = load_model(entry.file), Cohort(n=n, population=entry.population)
            slow = len(model.compartments) > 20 or "tmdd" in entry.file
            cohort = replace(population, n=max(n // 20, 10)) if slow else population
            engine, seen = measure(model, regimen, cohort, None, 2 if slow else min(checked, cohort.n))
            met = met and seen.error <= STATED_ERRORS[engine] and seen.changed == 0
            print(f"{entry.file:28s} {engine:11s} {seen.rate:9,.0f}  {seen.error:.1e}  {told}")
    return met


def main() -> int:
    """Both tables; exit code 1 where a bar or a stated error is missed."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.patients", description=__doc__)
    arguments.add_argument("--patients", type=int, default=1000)
    arguments.add_argument("--checked", type=int, default=20, help="patients compared with the reference")
    chosen = arguments.parse_args()
    first = by_engine(chosen.patients, chosen.checked)
    second = by_model(max(chosen.patients // 4, 20), chosen.checked)
    return 0 if first and second else 1


if __name__ == "__main__":
    sys.exit(main())
