"""The whole calibration, steps 2 to 4 and the freezing: scenarios and models in, parameter sets and tables out.

Nothing here opens a file. The same seed gives the same bytes. The four structures, and the two readings of the first trial in patients, keep
equal weights whatever their fit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from thrombokit.domain.parameter_set import ParameterSet
from thrombokit.evidence.scenarios import calibration_rows, scenario_texts
from thrombokit.numerics.arrays import IntArray
from thrombokit.numerics.importance_resampling import resample
from thrombokit.numerics.streams import stream
from thrombokit.patients.calibration.drug_free import DRUG_FREE_NAMES, ROWS, Step, fit_drug_free, weigh_drug_free
from thrombokit.patients.calibration.eltrombopag import ELTROMBOPAG_NAMES, PATIENT_ROWS, fit_eltrombopag, weigh_patients
from thrombokit.patients.calibration.eltrombopag_arms import model_of
from thrombokit.patients.calibration.frozen_sets import (
    ELTROMBOPAG_MODELS,
    HETROMBOPAG_MODELS,
    drug_free_columns,
    eltrombopag_columns,
    frozen_set,
    hetrombopag_columns,
)
from thrombokit.patients.calibration.hetrombopag import (
    HETROMBOPAG_NAMES,
    Reading,
    draw_hetrombopag_prior,
    fit_hetrombopag,
    weigh_first_patients,
)
from thrombokit.patients.calibration.latent_counts import Structure
from thrombokit.patients.calibration.particles import Particles
from thrombokit.patients.calibration.starting_point import starting_point
from thrombokit.patients.calibration.tables import ArmCheck, Doubling, Informed, arm_checks, doubling, informed, with_products
from thrombokit.patients.model import PatientModel

LEAST_EFFECTIVE, LEAST_RETAINED = 100.0, 200
"""Limits fixed before the first run."""
LARGEST_SHIFT = 0.25
"""Doubling the patients must not move a posterior mean by more of its SD."""
DISEASE_NAMES = ("transfer", "spread", "non_responders")
CALIBRATED_MODELS = ("eltrombopag-itp", "eltrombopag-itp-emax")


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is computed: prior draws of each step, virtual candidates an arm, draws retained, draws weighed twice, draws for sensitivity."""

    n_draws: int = 10_000
    n_patients: int = 500
    n_retained: int = 250
    n_doubled: int = 2_500
    n_sensitivity: int = 2_000


@dataclass(frozen=True, kw_only=True)
class ChainAccount:
    """How a chain ended: effective sample size of each of its steps."""

    chain: str
    steps: tuple[tuple[str, float], ...]
    n_retained: int

    @property
    def least(self) -> float:
        """Along the chain."""
        return min(size for _, size in self.steps)

    @property
    def verdict(self) -> str:
        """In words."""
        enough = self.least >= LEAST_EFFECTIVE and self.n_retained >= LEAST_RETAINED
        return "enough draws" if enough else f"too few effective draws ({self.least:.0f}, wanted {LEAST_EFFECTIVE:.0f})"


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """Step 4 again with another spread of transfer: medians and 90 % ranges by chain and parameter."""

    transfer_sd: float
    rows: tuple[Informed, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class CalibrationResult:
    """Everything the run has to show."""

    seed: int
    version: str
    effort: Effort
    sets: tuple[ParameterSet, ...]
    accounts: tuple[ChainAccount, ...]
    informed: tuple[Informed, ...]
    checks: tuple[ArmCheck, ...]
    doubling: tuple[Doubling, ...]
    sensitivity: tuple[Sensitivity, ...]


@dataclass(kw_only=True)
class _Run:
    """The state of a run: what is asked, and what has been gathered so far."""

    models: Mapping[str, PatientModel]
    seed: int
    version: str
    effort: Effort
    progress: Callable[[str], None]
    inputs: dict[str, str]
    sets: list[ParameterSet] = field(default_factory=list)
    accounts: list[ChainAccount] = field(default_factory=list)
    informed: list[Informed] = field(default_factory=list)
    checks: list[ArmCheck] = field(default_factory=list)
    doubling: list[Doubling] = field(default_factory=list)

    def survivors(self, step: Step, n: int, name: str) -> Particles:
        """`n` draws of a step in proportion to their weights."""
        uniform = float(stream(self.seed, "calibration", "resample", name).random())
        return step.draws.take(resample(step.weighted.weights, n, uniform))

    def places_to_double(self, name: str) -> IntArray:
        """Which draws of a step are weighed a second time, with twice the patients."""
        names = ("calibration", "doubled") if name == "drug-free" else ("calibration", "doubled", name)
        return stream(self.seed, *names).permutation(self.effort.n_draws)[: self.effort.n_doubled]

    def close(self, chain: str, steps: tuple[Step, ...]) -> ChainAccount:
        """Note how a chain ended."""
        sizes = tuple((step.name, step.weighted.effective_sample_size) for step in steps)
        account = ChainAccount(chain=chain, steps=sizes, n_retained=self.effort.n_retained)
        self.accounts.append(account)
        return account


def run_calibration(
    models: Mapping[str, PatientModel],
    *,
    seed: int,
    version: str,
    effort: Effort | None = None,
    structures: tuple[Structure, ...] = tuple(Structure),
    progress: Callable[[str], None] = lambda _: None,
) -> CalibrationResult:
    """Steps 2 to 4.

    Parameters
    ----------
    models : mapping of name to PatientModel
        Those of CALIBRATED_MODELS; what is freed in them is put back to its starting point, and their hashes are taken then.
    seed : int
    version : str
        Of thrombokit, recorded with the sets.
    effort, structures
        Less of them only to try things out.
    progress : function
        Told what is computed next.

    Raises
    ------
    SimulationError
        If no draw of a step can give its data.
    """
    fitted = {row.scenario.name for row in calibration_rows(*ROWS, "V3", *PATIENT_ROWS, "V8", "V9")}
    texts = {name: text for name, text in scenario_texts().items() if name.removesuffix(".toml") in fitted}
    inputs = {f"scenarios/{name}": hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    started = {name: starting_point(models[name]) for name in CALIBRATED_MODELS}
    inputs |= {f"models/{name}": model.hash for name, model in started.items()}
    run = _Run(models=started, seed=seed, version=version, effort=effort or Effort(), progress=progress, inputs=inputs)
    drug_free = _drug_free(run)
    sensitivity: dict[float, list[Informed]] = {0.0: [], 1.0: []}
    for structure in structures:
        disease, chain = _eltrombopag(run, structure, drug_free)
        _prior_only(run, structure, disease, chain)
        for reading in Reading:
            _hetrombopag(run, structure, reading, disease, chain)
            for sd, rows in sensitivity.items():
                rows += _sensitive(run, structure, reading, disease, sd)
    return CalibrationResult(
        seed=seed, version=version, effort=run.effort, sets=tuple(run.sets), accounts=tuple(run.accounts), informed=tuple(run.informed),
        checks=tuple(run.checks), doubling=tuple(run.doubling),
        sensitivity=tuple(Sensitivity(transfer_sd=sd, rows=tuple(rows)) for sd, rows in sensitivity.items()),
    )  # fmt: skip


def _drug_free(run: _Run) -> Step:
    step = fit_drug_free(run.seed, n_draws=run.effort.n_draws, n_patients=run.effort.n_patients, progress=run.progress)
    names = DRUG_FREE_NAMES
    run.informed += informed("drug-free", names, step.draws, step.draws, step.weighted.weights)
    run.checks += arm_checks("drug-free", step)
    places = run.places_to_double("drug-free")
    some = step.draws.take(places)
    double = weigh_drug_free(some, run.seed, n_patients=2 * run.effort.n_patients, progress=run.progress)
    run.doubling += doubling("drug-free", names, some, step.weighed_at(places), double.weighted)
    account = run.close("drug-free", (step,))
    kept = run.survivors(step, run.effort.n_retained, "drug-free")
    words = _words(run, name="itp-drug-free", agonist="none", structure="none", reading="none", kind="posterior", model="")
    run.sets.append(frozen_set(words, drug_free_columns(kept), seed=run.seed, inputs=run.inputs, account=_told(account)))
    return step


def _eltrombopag(run: _Run, structure: Structure, drug_free: Step) -> tuple[Particles, tuple[Step, ...]]:
    effort, name = run.effort, f"eltrombopag-itp-{structure.value}"
    pool = run.survivors(drug_free, effort.n_draws, name)
    first, second = fit_eltrombopag(run.models, structure, pool, run.seed, n_draws=effort.n_draws, n_patients=effort.n_patients,
                                    progress=run.progress)  # fmt: skip
    chain = (drug_free, first, second)
    names = [*ELTROMBOPAG_NAMES, "slope x transfer"]
    prior, after = with_products(first.draws), with_products(second.draws)
    run.informed += informed(name, [*names, "trial.stopping", "trial.healthy_visits"], prior, after, second.weighted.weights)
    run.checks += [*arm_checks(name, first), *arm_checks(name, second)]
    places = run.places_to_double(name)
    some, model = second.draws.take(places), run.models[model_of(structure)]
    double = weigh_patients(some, structure, model, run.seed, n_patients=2 * effort.n_patients, progress=run.progress)
    run.doubling += doubling(name, names, with_products(some), second.weighed_at(places), double.weighted)
    account = run.close(name, chain)
    kept = run.survivors(second, effort.n_retained, name)
    words = _words(run, name=name, agonist="eltrombopag", structure=structure.value, reading="none", kind="posterior",
                   model=ELTROMBOPAG_MODELS[structure])  # fmt: skip
    run.sets.append(
        frozen_set(words, eltrombopag_columns(kept, structure), seed=run.seed, inputs=run.inputs, account=_told(account))
    )
    return run.survivors(second, effort.n_draws, f"{name}/disease"), chain


def _prior_only(run: _Run, structure: Structure, disease: Particles, chain: tuple[Step, ...]) -> None:
    name = f"hetrombopag-itp-{structure.value}-prior-only"
    draws = draw_hetrombopag_prior(run.seed, disease, run.effort.n_retained, name)
    words = _words(run, name=name, agonist="hetrombopag", structure=structure.value, reading="none", kind="prior-only",
                   model=HETROMBOPAG_MODELS[structure])  # fmt: skip
    account = run.close(name, chain)
    run.sets.append(frozen_set(words, hetrombopag_columns(draws), seed=run.seed, inputs=run.inputs, account=_told(account)))


def _hetrombopag(run: _Run, structure: Structure, reading: Reading, disease: Particles, chain: tuple[Step, ...]) -> None:
    effort, name = run.effort, f"hetrombopag-itp-{structure.value}-{reading.value}"
    first, second = fit_hetrombopag(disease, structure, reading, run.seed, n_draws=effort.n_draws, n_patients=effort.n_patients,
                                    progress=run.progress)  # fmt: skip
    names = [*HETROMBOPAG_NAMES, *DISEASE_NAMES, "theta x transfer"]
    run.informed += informed(name, names, with_products(first.draws), with_products(second.draws), second.weighted.weights)
    run.checks += [*arm_checks(name, first), *arm_checks(name, second)]
    places = run.places_to_double(name)
    some = second.draws.take(places)
    double = weigh_first_patients(some, structure, reading, run.seed, n_patients=2 * effort.n_patients, progress=run.progress)
    run.doubling += doubling(name, names, with_products(some), second.weighed_at(places), double.weighted)
    account = run.close(name, (*chain, first, second))
    kept = run.survivors(second, effort.n_retained, name)
    words = _words(run, name=name, agonist="hetrombopag", structure=structure.value, reading=reading.value, kind="posterior",
                   model=HETROMBOPAG_MODELS[structure])  # fmt: skip
    run.sets.append(frozen_set(words, hetrombopag_columns(kept), seed=run.seed, inputs=run.inputs, account=_told(account)))


def _sensitive(run: _Run, structure: Structure, reading: Reading, disease: Particles, sd: float) -> list[Informed]:
    n = run.effort.n_sensitivity
    first, second = fit_hetrombopag(disease, structure, reading, run.seed, n_draws=n, n_patients=run.effort.n_patients, progress=run.progress,
                                    transfer_factor_sd=sd)  # fmt: skip
    names = ("theta", "gamma", "transfer", "theta x transfer")
    chain = f"hetrombopag-itp-{structure.value}-{reading.value}"
    return informed(chain, names, with_products(first.draws), with_products(second.draws), second.weighted.weights)


def _words(run: _Run, **words: str) -> dict[str, str]:
    return {"population": "itp", "version": run.version, **words}


def _told(account: ChainAccount) -> dict[str, float | str]:
    sizes = {f"effective draws, {name}": float(f"{size:.4g}") for name, size in account.steps}
    return {**sizes, "least along the chain": float(f"{account.least:.4g}"), "verdict": account.verdict}
