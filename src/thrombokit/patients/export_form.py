"""A patient model on its way to another program's language: equations in order, under names that language allows.

Neutral of the language: expressions stay trees, and only names change. What no exported model can hold is refused here, by name. Time since
the last dose, and the phase of dual absorption, become variables that the exported code keeps itself (`uses_time_after_dose`, `switch`).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.patients.expanded import PHASE, ExpandedModel, column_title
from thrombokit.patients.expansion import dose_entries, expand
from thrombokit.patients.expressions import ZERO, Expression, Name, minus, names_in, plus, substitute, times
from thrombokit.patients.model import CONTINUOUS_TIME, TIME, TIME_AFTER_DOSE, PatientModel

_COMMENT_LETTERS = 120


@dataclass(frozen=True, kw_only=True, eq=False)
class ExportForm:
    """Equations under exported names.

    `names` maps each name of the model to its own ("@column CL" for a column that a [record] entry of the same name reads). `record` and
    `algebra` are (name, expression) in an order in which each reads only earlier ones; `derivatives`, `initial`, `dose` (keys lag, F, rate,
    duration) go by compartment number from 0. `switch` is (delay, from the record, compartment number of the doses that switch).
    """

    model: PatientModel
    names: Mapping[str, str]
    compartments: tuple[str, ...]
    columns: tuple[str, ...]
    record: tuple[tuple[str, Expression], ...]
    algebra: tuple[tuple[str, Expression], ...]
    derivatives: tuple[Expression, ...]
    initial: Mapping[int, Expression]
    dose: Mapping[int, Mapping[str, Expression]]
    outputs: Mapping[str, Expression]
    switch: tuple[Expression, bool, int] | None
    lag_of_switch: Expression
    uses_time_after_dose: bool

    def column_titles(self) -> dict[str, str]:
        """Title in the data -> exported name, for each data column that the model reads."""
        return {column_title(column): self.names[column] for column in self.columns}


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """What a language allows: `longest` letters of a name, `reserved` ones (checked in any case), and how amounts, times and phase are read."""

    longest: int
    reserved: Callable[[str], bool]
    amount: Callable[[int, str], str]
    time: str
    record_time: str
    time_after_dose: str
    phase: str


def export_form(model: PatientModel, spelling: Spelling, *, target: str) -> ExportForm:
    """The model under the names of a language.

    Raises
    ------
    SpecError
        What cannot be exported, each by name: transit with a number of compartments that is computed, random effects by occasion.
    """
    raise_all(_refusals(model, target), SpecError)
    expanded = expand(model)
    names = _names(model, expanded, spelling)
    replaced: dict[str, Expression] = {
        **{name: Name(exported) for name, exported in names.items()},
        **{name: Name(spelling.amount(k, names[name])) for k, name in enumerate(expanded.compartments)},
        CONTINUOUS_TIME: Name(spelling.time), TIME: Name(spelling.record_time), TIME_AFTER_DOSE: Name(spelling.time_after_dose),
        PHASE: Name(spelling.phase),
    }  # fmt: skip

    def renamed(expression: Expression) -> Expression:
        return substitute(expression, replaced)

    number = {name: k for k, name in enumerate(expanded.compartments)}
    dose = {number[name]: {key: renamed(entry.expression) for key, entry in dose_entries(s)} for name, s in expanded.dose.items()}
    switch, lag = None, ZERO
    if expanded.switch is not None:
        source = next(piece.name("from") or "" for piece in model.pieces if piece.kind == "dual_absorption")
        into = next(k for name, k in number.items() if name.casefold() == source.casefold())
        switch, lag = (renamed(expanded.switch.expression), expanded.switch_from_record, into), dose.get(into, {}).get("lag", ZERO)
    moving = [*(entry.expression for entry in expanded.algebra.values()), *(entry.expression for entry in expanded.output.values()),
              *(flow.coefficient.expression for flow in expanded.flows), *(term.entry.expression for term in expanded.terms)]  # fmt: skip
    return ExportForm(
        model=model, names=names, compartments=expanded.compartments, columns=expanded.columns,
        record=tuple((names[name], renamed(entry.expression)) for name, entry in expanded.record.items()),
        algebra=tuple((names[name], renamed(entry.expression)) for name, entry in expanded.algebra.items()),
        derivatives=tuple(renamed(expression) for expression in _derivatives(expanded)),
        initial={number[name]: renamed(entry.expression) for name, entry in expanded.initial.items()},
        dose=dose, outputs={names[f"@output {name}"]: renamed(entry.expression) for name, entry in expanded.output.items()},
        switch=switch, lag_of_switch=lag,
        uses_time_after_dose=any(TIME_AFTER_DOSE in names_in(expression) for expression in moving),
    )  # fmt: skip


def _refusals(model: PatientModel, target: str) -> list[Fault]:
    faults: list[Fault] = []
    for gamma in expand(model).gamma_inputs:
        faults.append(Fault(place=gamma.rate.place, found="a transit piece whose n is computed", expected=f"what {target} can hold",
                            cure="Write n as a whole number: it becomes a chain of compartments."))  # fmt: skip
    for block in model.omega:
        if block.occasion_column is not None:
            faults.append(Fault(place=f"{model.file}, random.omega", found=f"{', '.join(block.names)} by {block.occasion_column}",
                                expected=f"random effects of the patient, for an export to {target}",
                                cure="Leave occasion out of the block, or write the occasions by hand in the exported file."))  # fmt: skip
    return faults


def _derivatives(expanded: ExpandedModel) -> list[Expression]:
    """d/dt of every compartment: what flows in, less what flows out, and the terms."""
    total: dict[str, Expression] = dict.fromkeys(expanded.compartments, ZERO)
    for flow in expanded.flows:
        moved = times(flow.coefficient.expression, Name(flow.source))
        total[flow.source] = minus(total[flow.source], moved)
        if flow.target is not None:
            total[flow.target] = plus(total[flow.target], moved)
    for term in expanded.terms:
        total[term.compartment] = plus(total[term.compartment], term.entry.expression)
    return list(total.values())


def _names(model: PatientModel, expanded: ExpandedModel, spelling: Spelling) -> dict[str, str]:
    """A free name for everything; who comes first keeps its own. Hidden names ("@3 root") become X3_ROOT."""
    taken: set[str] = set()
    names: dict[str, str] = {}
    everything: Iterable[str] = (
        *expanded.compartments, *expanded.columns, *model.theta, *model.eta_names, *(mixture.name for mixture in model.mixtures),
        *expanded.record, *expanded.algebra, *(f"@output {name}" for name in expanded.output),
    )  # fmt: skip
    for name in everything:
        plain = re.sub(r"\W", "_", column_title(name).removeprefix("@output "), flags=re.ASCII)
        plain = f"X{plain.lstrip('_')}" if plain.startswith("_") else plain
        ending = "_OUT" if name.startswith("@output ") else "_DATA" if name in expanded.columns else "_X"
        candidate, count = plain[: spelling.longest], 1
        while {candidate.casefold(), f"{candidate}e".casefold()} & taken or spelling.reserved(candidate):
            tail = ending if count == 1 else f"{ending}{count}"
            candidate, count = plain[: spelling.longest - len(tail)] + tail, count + 1
        taken |= {candidate.casefold(), f"{candidate}e".casefold()}  # NONMEM's $ERROR says CONCE where $DES says CONC
        names[name] = candidate
    return names


def described(model: PatientModel, name: str) -> str:
    """What a theta is: unit and tier."""
    theta = model.theta[name]
    return ", ".join(part for part in (theta.unit, None if theta.tier is None else f"tier {theta.tier.value}") if part)


def source_lines(form: ExportForm) -> list[str]:
    """Where every theta and random effect comes from, in lines for a comment."""
    model = form.model
    told = [(form.names[name], theta.source) for name, theta in model.theta.items()]
    told += [(", ".join(form.names[name] for name in block.names), block.source) for block in model.omega]
    told += [(form.names[mixture.name], mixture.source) for mixture in model.mixtures]
    return [line for name, source in told if source for line in wrapped(f"{name}: {' '.join(source.split())}")]


def wrapped(text: str) -> list[str]:
    """A long sentence on several lines, those after the first indented."""
    return textwrap.wrap(text, _COMMENT_LETTERS, subsequent_indent="  ", break_long_words=False)


def header_lines(form: ExportForm, program: str) -> list[str]:
    """What the exported file says of itself."""
    model = form.model
    lines = [
        model.title or model.file,
        f"Exported by thrombokit from {model.file} (model {model.hash[:16]}). Written for {program}, NOT YET CONFIRMED in {program}:",
        "the equations were read back and integrated elsewhere; compare a first run with thrombokit before you rely on it.",
        f"Units: time {model.units.time}, amount {model.units.amount}, concentration {model.units.concentration}.",
        f"Compartments: {', '.join(f'{k} {name}' for k, name in enumerate(form.compartments, start=1))}.",
        f"Data columns read besides the events: {', '.join(form.column_titles()) or 'none'}; covariates {model.covariates.value}.",
        "Random effects and residuals are variances here. A titration rule is not part of the model and is not exported.",
    ]
    if form.switch is not None or form.uses_time_after_dose:
        lines.append("Doses must stand in the data one a record (no ADDL): the time of the last one is taken from the records.")
    renamed = [f"{old} is {new}" for old, new in form.names.items() if old != new and not old.startswith("@")]
    if renamed:
        lines.append(f"Renamed, since the name is taken there: {', '.join(renamed)}.")
    return [part for line in lines for part in wrapped(line)]
