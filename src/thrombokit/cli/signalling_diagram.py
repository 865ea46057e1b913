"""`thrombokit signalling diagram|export`: the picture of a model, made from the model; a model in another form."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, exit_codes, log, print_json

ModelArgument = Annotated[
    str, typer.Argument(metavar="MODEL", help="SBML file (.xml) or Antimony file (.ant); tpor is the built-in model.")
]


class Form(StrEnum):
    """Forms a model can be exported in."""

    SBML = "sbml"
    ANTIMONY = "antimony"
    SBGN = "sbgn"
    PETAB = "petab"


def diagram(
    out: Annotated[Path, typer.Option(help="File to write: .svg, .png, .pdf, or .sbgn for an SBGN map.")],
    model: ModelArgument = "tpor",
    agonist: Annotated[str | None, typer.Option(help="Show activity under this agonist (a name, or an agonist file).")] = None,
    dose: Annotated[str | None, typer.Option(help='Its dose, such as "10 nM" or "100 ng/mL".')] = None,
    at: Annotated[
        str | None, typer.Option(help='The moment shown, such as "10 min"; of a model of your own, in its unit of time.')
    ] = None,
    cell_system: Annotated[str, typer.Option(help="Cells of the built-in model.")] = "32D-MPL",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw a model: species, reactions and regulation as the model has them, with activity as colour on request."""
    with exit_codes(as_json=json):
        picture = tk.save_network(out, model, agonist=agonist, dose=dose, at=at, cell_system=cell_system)
        if json:
            print_json(
                {
                    "schema": "thrombokit.picture/1", "file": out.name, "title": picture.title, "species": len(picture.boxes),
                    "reactions": len(picture.dots), "edges": len(picture.lines), "caption": list(picture.caption),
                    "values": {box.id: box.value for box in picture.boxes},
                }
            )  # fmt: skip
        log(f"{out}: {picture.title}; {len(picture.boxes)} species, {len(picture.dots)} reactions.", quiet=quiet)


def export(
    form: Annotated[Form, typer.Argument(metavar="FORM", help="sbml, antimony, sbgn or petab.")],
    out: Annotated[Path, typer.Option(help="File to write; for petab a folder.")],
    model: ModelArgument = "tpor",
    agonist: Annotated[str | None, typer.Option(help="petab: the small molecule in the problem; hetrombopag by default.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="petab: of the synthetic measurements; 1 by default.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a model in another form; petab writes the built-in model as a problem with synthetic measurements."""
    with exit_codes(as_json=json):
        written = tk.export_model(form.value, out, model, agonist=agonist, seed=seed)
        if json:
            print_json(written.to_dict())
        log(f"{out}: {written.said}", quiet=quiet)
