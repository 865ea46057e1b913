"""Regimens beside one another by name: every rule at every starting dose, in the same virtual patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from thrombokit.domain.parameter_set import ParameterSet
from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.io.cohort_inputs import AgonistLike, RegimenLike, cohort_model, cohort_regimen
from thrombokit.io.parameter_inputs import CALIBRATED, ParametersLike, drawn_models, one_drawn_model
from thrombokit.patients import compare_draws as many
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_diagnostics import CountRange
from thrombokit.patients.cohort_result import CohortResult
from thrombokit.patients.compare_draws import DrawsComparison
from thrombokit.patients.compare_regimens import RegimenComparison, compare_cohorts
from thrombokit.patients.drawn_cohort import simulate_drawn_cohort
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.model import PatientModel
from thrombokit.patients.simulate_cohort import simulate_cohort
from thrombokit.patients.titration import LEVEL_ROUNDING, Levels, Titration


def compare_regimens(
    agonist: AgonistLike, regimens: Sequence[RegimenLike] = ("default",), starts: Sequence[float] = (), cohort: int | Cohort = 1000, *,
    seed: int, weeks: int = 52, workers: int = 1, reference: str | None = None, counts_in: CountRange | None = None,
    confidence: float = 0.95, parameters: str | ParameterSet | None = None, draw: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> RegimenComparison:  # fmt: skip
    """Every regimen, and every starting dose of a rule, in the same virtual patients.

    Parameters
    ----------
    agonist, cohort, seed, weeks, workers
        As in `simulate_cohort`.
    regimens : sequence
        Rules (by name, path or as they are) and fixed doses ("5 mg once daily", "placebo"), as in `simulate_cohort`.
    starts : sequence of float
        Starting doses to try with every rule, in its unit; without them each rule starts as it says. Fixed doses have none.
    reference : str, optional
        The regimen the others are compared with, by its label; the first by default.
    counts_in : CountRange, optional
        Target 50 to 200, limit 400 x 1e9/L by default.
    confidence : float
        Of the Monte-Carlo intervals.
    parameters, draw
        A frozen set and a row of it, as in `simulate_cohort`; `compare_draws` takes many.
    progress : callable, optional
        Called with the number of patients finished since the last call.

    Returns
    -------
    RegimenComparison
        Labels are the names as given, with ", start 5" where starts were given.

    Raises
    ------
    InputError
        What is wrong with agonist, rules, starting doses or labels, in one pass where it can be seen.
    """
    who = cohort if isinstance(cohort, Cohort) else Cohort(n=cohort)
    if (parameters is None) != (draw is None):
        raise SpecError(Fault(place="parameters, draw", found="one without the other", expected="a frozen set and a row of it, or neither",
                              cure="Give both, or take compare_draws for many draws."))  # fmt: skip
    drawn, rule_file = (None, None) if parameters is None else one_drawn_model(agonist, parameters, who.population)
    model, rule_file = cohort_model(agonist, who.population) if drawn is None else (drawn.model, rule_file)
    grid = _checked_grid(regimens, model, rule_file, starts, reference)

    def one(regimen: Titration | FixedDose) -> CohortResult:
        if drawn is None or draw is None:
            return simulate_cohort(model, regimen, who, seed=seed, weeks=weeks, workers=workers, progress=progress)
        return simulate_drawn_cohort(drawn, draw, regimen, who, seed=seed, weeks=weeks, workers=workers, progress=progress)

    cohorts = {label: one(regimen) for label, regimen in grid.items()}
    return compare_cohorts(cohorts, reference=reference, counts_in=counts_in, confidence=confidence)


def compare_draws(
    agonist: AgonistLike, regimens: Sequence[RegimenLike] = ("default",), starts: Sequence[float] = (), cohort: int | Cohort = 1000, *,
    parameters: ParametersLike = CALIBRATED, draws: int = many.DRAWS, seed: int, weeks: int = 52, workers: int = 1,
    reference: str | None = None, counts_in: CountRange | None = None, progress: Callable[[int], None] | None = None,
) -> DrawsComparison:  # fmt: skip
    """Every regimen, and every starting dose of a rule, in the same virtual patients under many joint draws of frozen parameters.

    Parameters
    ----------
    agonist, regimens, starts, cohort, seed, weeks, workers, reference, counts_in
        As in `compare_regimens`; `cohort` is the number of new patients in each replicate.
    parameters, draws
        As in `simulate_draws`.
    progress : callable, optional
        Called with the number of replicates finished since the last call.

    Returns
    -------
    DrawsComparison
        Median and 5 to 95 % over the draws of every measure and of its difference from the reference, over all sets and reading by reading.

    Raises
    ------
    InputError
        What is wrong with sets, agonist, rules, starting doses or labels.
    """
    who = cohort if isinstance(cohort, Cohort) else Cohort(n=cohort)
    models, rule_file = drawn_models(agonist, parameters, who.population)
    grid = _checked_grid(regimens, models[0].model, rule_file, starts, reference)
    return many.compare_draws(
        models, grid, who, draws=draws, seed=seed, weeks=weeks, workers=workers, reference=reference, counts_in=counts_in, progress=progress
    )  # fmt: skip


def _checked_grid(
    regimens: Sequence[RegimenLike],
    model: PatientModel,
    rule_file: str | Path | None,
    starts: Sequence[float],
    reference: str | None,
) -> dict[str, Titration | FixedDose]:
    grid = _grid(regimens, [cohort_regimen(regimen, model, rule_file) for regimen in regimens], starts)
    _check_labels(grid, reference)
    return grid


def _grid(
    given: Sequence[RegimenLike], regimens: Sequence[Titration | FixedDose], starts: Sequence[float]
) -> dict[str, Titration | FixedDose]:
    grid: dict[str, Titration | FixedDose] = {}
    faults: list[Fault] = []
    for name, regimen in zip(given, regimens, strict=True):
        label = _label(name, regimen)
        variants = _started(label, regimen, starts, faults) if starts and isinstance(regimen, Titration) else {label: regimen}
        for key, variant in variants.items():
            if key in grid:
                faults.append(
                    Fault(place="regimens", found=f'"{key}" twice', expected="each once", cure="Leave one out, or rename its file.")
                )
            grid[key] = variant
    raise_all(faults, SpecError)
    return grid


def _label(given: RegimenLike, regimen: Titration | FixedDose) -> str:
    if isinstance(given, Path) or (isinstance(given, str) and given.casefold().endswith(".toml")):
        return Path(given).stem
    if isinstance(given, str):
        return given
    return regimen.title if isinstance(regimen, Titration) else f"{regimen.amount:g} every {regimen.every_h:g} h"


def _started(label: str, rule: Titration, starts: Sequence[float], faults: list[Fault]) -> dict[str, Titration | FixedDose]:
    """The rule at every starting dose that it knows; a fault for each that it does not."""
    variants: dict[str, Titration | FixedDose] = {}
    for start in starts:
        amounts = rule.ladder.amounts if isinstance(rule.ladder, Levels) else None
        known = rule.ladder.lowest <= start <= rule.ladder.highest
        if amounts is not None:
            known = any(abs(start - amount) <= LEVEL_ROUNDING * amount for amount in amounts)
        if not known:
            expected = ", ".join(f"{a:g}" for a in amounts) if amounts else f"{rule.ladder.lowest:g} to {rule.ladder.highest:g}"
            faults.append(Fault(place=f"{label}, start", found=f"{start:g}", expected=f"a dose of the rule: {expected}",
                                cure="Take one of its doses, or a rule with that level."))  # fmt: skip
        variants[f"{label}, start {start:g}"] = replace(rule, start=float(start))
    return variants


def _check_labels(grid: Mapping[str, Titration | FixedDose], reference: str | None) -> None:
    faults: list[Fault] = []
    if len(grid) < 2:
        faults.append(
            Fault(place="regimens", found=f"{len(grid)}", expected="two or more to compare", cure="Add a rule, a dose or a start.")
        )
    if reference is not None and reference not in grid:
        faults.append(
            Fault(place="reference", found=f'"{reference}"', expected=f"one of: {'; '.join(grid)}", cure="Name one of these.")
        )
    raise_all(faults, SpecError)
