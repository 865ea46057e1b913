"""What the command line says of frozen parameters: --parameters, and one draw of a set or many."""

from __future__ import annotations

from typing import Annotated

import typer

from thrombokit.errors import Fault

Parameters = Annotated[
    list[str] | None,
    typer.Option(help='Cohort: "calibrated", or the name of a frozen set; several times for several sets of equal weight.'),
]
Draw = Annotated[int | None, typer.Option(min=0, help="Cohort: one draw, the row of the set, from 0.")]
Draws = Annotated[int | None, typer.Option(min=1, help="Cohort: many draws, each with new patients; 40 unless said.")]


def parameters_named(parameters: list[str] | None) -> str | list[str]:
    """One name, or several of equal weight."""
    named = parameters or []
    return named[0] if len(named) == 1 else named


def draw_faults(parameters: list[str] | None, draw: int | None, draws: int | None, *, is_cohort: bool = True) -> list[Fault]:
    """One draw or many, and neither without a set."""
    faults: list[Fault] = []
    if parameters is not None and not is_cohort:
        faults.append(Fault(place="--parameters", found="a data set", expected="a cohort: --agonist and --seed",
                            cure="Leave it out; in Python apply_draw puts a draw into a model for an event table."))  # fmt: skip
    if parameters is None and (draw is not None or draws is not None):
        option = "--draw" if draw is not None else "--draws"
        faults.append(Fault(place=option, found="no --parameters", expected="a frozen set to draw from",
                            cure="Add --parameters calibrated, or the name of a set."))  # fmt: skip
    if draw is not None and draws is not None:
        faults.append(Fault(place="--draw, --draws", found="both", expected="one draw or many", cure="Keep one of them."))
    if draw is not None and parameters is not None and len(parameters) > 1:
        faults.append(Fault(place="--draw", found=f"{len(parameters)} sets for a single draw", expected="one set",
                            cure="Name one set, or take --draws."))  # fmt: skip
    return faults
