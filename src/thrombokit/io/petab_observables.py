"""The observable table of a PEtab problem: formulas parsed, names of other observables in noise formulas written out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from thrombokit.errors import Fault
from thrombokit.io.petab_formulas import CONSTANTS, FormulaError, parse_formula
from thrombokit.io.petab_tables import TableRow, choice_of
from thrombokit.numerics.expression_tree import substitute
from thrombokit.signalling.expression import Expression, Number, names_in
from thrombokit.signalling.network import Network
from thrombokit.signalling.petab_problem import Observable, ScaleName

TRANSFORMATIONS: tuple[ScaleName, ...] = ("lin", "log", "log10")
DISTRIBUTIONS = ("normal", "laplace")
PLACEHOLDER = re.compile(r"(observable|noise)Parameter([1-9]\d*)_(\w+)", re.ASCII)


def read_observables(rows: Sequence[TableRow], network: Network, faults: list[Fault]) -> tuple[Observable, ...]:
    """The observables, in the order of the table.

    Parameters
    ----------
    rows : sequence of TableRow
    network : Network
        Its ids have precedence over constants such as `e` and over observables of the same name.
    faults : list of Fault
        What is wrong is appended.
    """
    in_model = {*network.species_by_id, *network.parameter_by_id, *network.compartment_by_id, *network.reaction_by_id}
    formulas: dict[str, Expression] = {}
    for row in rows:
        formulas[row.text("observableId")] = _formula(row, "observableFormula", in_model, faults)
    return tuple(_observable(row, formulas, in_model, faults) for row in rows)


def _observable(row: TableRow, formulas: Mapping[str, Expression], in_model: set[str], faults: list[Fault]) -> Observable:
    id = row.text("observableId")
    noise = _formula(row, "noiseFormula", in_model, faults)
    others = {name: formula for name, formula in formulas.items() if name not in in_model}
    noise = substitute(noise, others)
    _check_placeholders(row, id, formulas[id], noise, faults)
    transformation = choice_of(row, "observableTransformation", TRANSFORMATIONS, faults, default="lin")
    distribution = choice_of(row, "noiseDistribution", DISTRIBUTIONS, faults, default="normal")
    return Observable(
        id=id, formula=formulas[id], noise=noise, name=row.text("observableName"), place=f"{row.file}, row {row.number}",
        transformation=next(t for t in TRANSFORMATIONS if t == transformation),
        distribution="laplace" if distribution == "laplace" else "normal",
    )  # fmt: skip


def _formula(row: TableRow, column: str, in_model: set[str], faults: list[Fault]) -> Expression:
    try:
        expression = parse_formula(row.text(column))
    except FormulaError as error:
        faults.append(row.fault(column, found=str(error), expected="a formula", cure="Correct the formula."))
        return Number(1.0)
    constants: dict[str, Expression] = {name: Number(value) for name, value in CONSTANTS.items() if name not in in_model}
    return substitute(expression, constants)


def _check_placeholders(row: TableRow, id: str, formula: Expression, noise: Expression, faults: list[Fault]) -> None:
    """Placeholders carry the id of their own observable; observableParameters and noiseParameters are counted from 1."""
    for column, expression in (("observableFormula", formula), ("noiseFormula", noise)):
        for name in sorted(names_in(expression)):
            matched = PLACEHOLDER.fullmatch(name)
            if matched is None:
                continue
            if matched[3] != id:
                faults.append(row.fault(column, found=f'"{name}"', expected=f'"{matched[1]}Parameter{matched[2]}_{id}"',
                                        cure="A placeholder ends in the id of its own observable."))  # fmt: skip
            elif matched[1] == "noise" and column == "observableFormula":
                faults.append(row.fault(column, found=f'"{name}"', expected="placeholders observableParameter alone",
                                        cure="Use the noise parameter in the noise formula."))  # fmt: skip


def placeholder_count(expressions: Sequence[Expression], kind: str, id: str) -> int:
    """The highest number of the placeholders `kind`Parameter{n}_id in the formulas, 0 where there is none."""
    names = {name for expression in expressions for name in names_in(expression)}
    matched = [match for name in names if (match := PLACEHOLDER.fullmatch(name)) and match[1] == kind and match[3] == id]
    return max((int(match[2]) for match in matched), default=0)
