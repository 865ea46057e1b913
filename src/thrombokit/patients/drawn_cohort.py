"""A cohort under one joint draw of frozen parameters: model, fluctuation, rescue and remission as they were fitted together.

The draw's spread of patients' own levels is what its fluctuation leaves of the published spread of *measured* counts; so a usual inclusion
criterion looks at the measured count here, as it did in the fit. What the cohort says of fluctuation, rescue or remission goes before the draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from thrombokit.domain.parameter_set import ParameterSet
from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.patients.calibration.frozen_draw import apply_draw, fluctuation_of, remission_of, rescue_of
from thrombokit.patients.cohort import Cohort, Counted
from thrombokit.patients.cohort_result import CohortResult, DrawnFrom
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.model import PatientModel
from thrombokit.patients.simulate_cohort import simulate_cohort
from thrombokit.patients.titration import Titration
from thrombokit.scale.engine import Engine


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnModel:
    """A frozen set and the model it was fitted with; see `io.parameter_inputs.drawn_models`."""

    parameters: ParameterSet
    model: PatientModel


def cohort_under_draw(cohort: Cohort, parameters: ParameterSet, draw: int) -> Cohort:
    """The cohort with what the draw says of fluctuation, rescue, remission and of how patients were admitted, where the cohort says nothing.

    Parameters
    ----------
    cohort : Cohort
        A fluctuation, rescue or remission of its own stays; `Fluctuation(log_sd=0, correlation_time_d=0)` is none at all.
    parameters : ParameterSet
    draw : int
        Row of the set, from 0.

    Raises
    ------
    SpecError
        If the set has no such row, or is of another population.
    """
    _check(cohort, parameters, draw)
    criterion = cohort.criterion
    admitted = (
        replace(criterion, counted=Counted.MEASURED) if cohort.inclusion == "usual" and criterion is not None else cohort.inclusion
    )
    return replace(
        cohort, inclusion=admitted, fluctuation=cohort.fluctuation or fluctuation_of(parameters, draw),
        rescue=cohort.rescue or rescue_of(parameters, draw), remission=cohort.remission or remission_of(parameters, draw),
    )  # fmt: skip


def simulate_drawn_cohort(
    drawn: DrawnModel, draw: int, regimen: Titration | FixedDose, cohort: Cohort, *, seed: int, weeks: int = 52, workers: int = 1,
    engine: Engine | None = None, outputs_h: Sequence[float] = (), progress: Callable[[int], None] | None = None,
) -> CohortResult:  # fmt: skip
    """`simulate_cohort` under one draw; the result says which.

    Parameters
    ----------
    drawn : DrawnModel
    draw : int
        Row of the set, from 0.
    regimen, cohort, seed, weeks, workers, engine, outputs_h, progress
        As in `simulate_cohort`.

    Raises
    ------
    SpecError
        If set, row, model and cohort do not go together.
    SimulationError
        If a patient could not be drawn or run to the end.
    """
    parameters = drawn.parameters
    who = cohort_under_draw(cohort, parameters, draw)
    result = simulate_cohort(
        apply_draw(drawn.model, parameters, draw), regimen, who, seed=seed, weeks=weeks, workers=workers, engine=engine, outputs_h=outputs_h,
        progress=progress,
    )  # fmt: skip
    source = drawn_from(parameters, draw)
    return replace(result, drawn_from=source, notes=(*result.notes, *_notes(source, cohort, who)))


def drawn_from(parameters: ParameterSet, draw: int) -> DrawnFrom:
    """Which draw, as a result tells it."""
    return DrawnFrom(parameters=parameters.name, sha256=parameters.sha256, draw=draw, structure=parameters.structure,
                     reading=parameters.reading, kind=parameters.kind)  # fmt: skip


def given_instead(cohort: Cohort) -> tuple[str, ...]:
    """What a cohort says itself, and a draw therefore does not."""
    return tuple(name for name in ("fluctuation", "rescue", "remission") if getattr(cohort, name) is not None)


def _notes(source: DrawnFrom, given: Cohort, who: Cohort) -> tuple[str, ...]:
    own = given_instead(given)
    taken = [name for name in ("fluctuation", "rescue", "remission") if name not in own]
    also = f", with its {', '.join(taken)}" if taken else ""
    said = [f"Parameters: {source.words}{also}."]
    if own:
        said.append(f"Of the cohort, not of the draw: {', '.join(own)}.")
    if "fluctuation" in own:
        said.append("Patients' own levels keep the spread that the draw's own fluctuation leaves of measured counts.")
    if given.inclusion == "usual" and who.criterion is not None:
        said.append("Patients were admitted by their measured count, as in the fit.")
    return tuple(said)


def _check(cohort: Cohort, parameters: ParameterSet, draw: int) -> None:
    faults: list[Fault] = []
    if not 0 <= draw < parameters.n:
        faults.append(Fault(place=f"parameter set {parameters.name}, draw", found=str(draw), expected=f"a row from 0 to {parameters.n - 1}",
                            cure="Correct it; rows count from 0."))  # fmt: skip
    if cohort.population.casefold() != parameters.population.casefold():
        faults.append(Fault(place=f"parameter set {parameters.name}", found=f'a cohort of "{cohort.population}"',
                            expected=f'"{parameters.population}", whom it was fitted to',
                            cure="Take that population, or leave the set out."))  # fmt: skip
    raise_all(faults, SpecError)
