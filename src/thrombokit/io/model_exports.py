"""A reaction model in another form: SBML, Antimony, an SBGN map, and the built-in model as a PEtab problem."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from thrombokit.errors import Fault, raise_all
from thrombokit.io.models import BUILT_IN, load_network
from thrombokit.io.network_pictures import draw_network
from thrombokit.io.petab_export import FILES, write_tpor_problem
from thrombokit.io.petab_fits import make_fit_folder
from thrombokit.io.sbgn import sbgn_text
from thrombokit.io.whole_files import replace_file
from thrombokit.signalling.antimony_source import antimony_of_sbml, tpor_antimony


class ExportForm(StrEnum):
    """Forms a model can be exported in."""

    SBML = "sbml"
    ANTIMONY = "antimony"
    SBGN = "sbgn"
    PETAB = "petab"


ENDINGS = {ExportForm.SBML: (".xml", ".sbml"), ExportForm.ANTIMONY: (".ant", ".txt"), ExportForm.SBGN: (".sbgn",)}
"""Endings of a form's file; a PEtab problem is a folder."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written: `files` by name, the first the one to open; `said` in a sentence."""

    form: ExportForm
    source: str
    files: tuple[str, ...]
    said: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "schema": "thrombokit.export/1", "form": self.form.value, "model": self.source, "files": list(self.files), "message": self.said,
        }  # fmt: skip


def export_model(
    form: ExportForm | str, out: str | Path, source: str | Path = BUILT_IN, *, agonist: str | None = None, seed: int | None = None,
) -> Exported:  # fmt: skip
    """Write a model in another form.

    Parameters
    ----------
    form : "sbml", "antimony", "sbgn" or "petab"
    out : path
        A file; for PEtab a folder, made where it is missing.
    source : path or str
        As of `load_network`.
    agonist, seed : optional
        Of the PEtab problem: the small molecule in it (hetrombopag), and the seed of its synthetic measurements (1).

    Raises
    ------
    InputError
        If the file's ending belongs to another form, or a PEtab problem is asked for of a model of one's own.
    FileFormatError
        If the model cannot be read, or the place cannot be written.
    MissingExtraError
        If the extra [signalling] is not installed.
    """
    form, out = ExportForm(form), Path(out)
    built_in = str(source) == BUILT_IN
    raise_all(
        _faults(
            form,
            out,
            built_in=built_in,
            only_petab=[name for name, value in (("--agonist", agonist), ("--seed", seed)) if value is not None],
        )
    )
    if form is ExportForm.PETAB:
        return _petab(out, agonist, seed)
    network = load_network(source)
    if form is ExportForm.SBML:
        text, said = network.sbml, "SBML Level 3 Version 2."
    elif form is ExportForm.SBGN:
        text, said = (
            sbgn_text(network, draw_network(source)),
            "SBGN-ML 0.3, Process Description; rates, events and sizes are not in it.",
        )
    else:
        text = tpor_antimony() if built_in else antimony_of_sbml(network.sbml, source=network.source)
        said = "Antimony."
    make_fit_folder(out.parent)
    replace_file(out, text.encode("utf-8"))
    return Exported(form=form, source=str(source) if built_in else network.source, files=(out.name,), said=said)


def _petab(out: Path, agonist: str | None, seed: int | None) -> Exported:
    named = {} if agonist is None else {"agonist": agonist}
    _, problem = write_tpor_problem(out, seed=1 if seed is None else seed, **named)
    estimated = int(problem.parameters["estimate"].sum())
    said = (
        f"PEtab 1: {problem.conditions.height} conditions, {problem.measurements.height} SYNTHETIC measurements, {estimated} estimated "
        f"parameters. The measurements are the model's own numbers with noise, no data about cells."
    )
    return Exported(form=ExportForm.PETAB, source=BUILT_IN, files=FILES, said=said)


def _faults(form: ExportForm, out: Path, *, built_in: bool, only_petab: list[str]) -> list[Fault]:
    faults: list[Fault] = []
    if form is ExportForm.PETAB:
        if not built_in:
            faults.append(Fault(place="MODEL", found="a model of your own", expected="the built-in model for a PEtab problem",
                                cure="Its measurements are yours to tell: write the tables, and export the model as SBML."))  # fmt: skip
        if out.suffix.casefold() in (".yaml", ".yml", ".zip") or out.is_file():
            faults.append(
                Fault(
                    place="--out",
                    found=f'"{out.name}"',
                    expected="a folder",
                    cure="Name the folder; its files get names of their own.",
                )
            )
        return faults
    if out.suffix.casefold() not in ENDINGS[form]:
        expected = f"a name that ends in {' or '.join(ENDINGS[form])} for {form.value}"
        faults.append(Fault(place="--out", found=f'"{out.name}"', expected=expected, cure="Change its ending, or the form."))
    faults.extend(
        Fault(place=name, found=f"{name} beside {form.value}", expected="petab", cure="Leave it out: it is about measurements.")
        for name in only_petab
    )
    return faults
