"""The built-in model written as a PEtab 1 problem: a folder with SBML, tables and YAML that any PEtab tool can read."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from thrombokit.agonists.load import load_agonist
from thrombokit.domain.agonist import BindingSite
from thrombokit.errors import Fault, raise_all
from thrombokit.io.petab_fits import make_fit_folder
from thrombokit.io.tpor import POSITIVE_CONTROL, POSITIVE_CONTROL_nM, tpor_model
from thrombokit.io.whole_files import replace_file
from thrombokit.signalling.bindings import bind_agonists
from thrombokit.signalling.tpor_problem import ANALYTES, DATASET, NOISE, TporProblem, tpor_problem

NAME = "tpor"
SMALL_MOLECULE = "hetrombopag"
FILES = (
    f"{NAME}.yaml", f"model_{NAME}.xml", f"conditions_{NAME}.tsv", f"observables_{NAME}.tsv", f"measurements_{DATASET}_{NAME}.tsv",
    f"parameters_{NAME}.tsv", "README.txt",
)  # fmt: skip
"""What the folder holds, the file to open first."""


def write_tpor_problem(
    folder: str | Path, *, agonist: str = SMALL_MOLECULE, cell_system: str = "32D-MPL", seed: int = 1
) -> tuple[Path, TporProblem]:
    """Write the problem; files of the same names are replaced.

    Parameters
    ----------
    folder : path
        Made where it is missing.
    agonist : str
        The small molecule: a name or an agonist file. Thrombopoietin is the other agonist.
    cell_system : str
    seed : int
        Of the noise of the synthetic measurements.

    Returns
    -------
    path, problem
        Of the YAML file, and the tables.

    Raises
    ------
    InputError
        If the agonist or cell system is unknown, or the agonist does not act at His499.
    FileFormatError
        If the folder cannot be written.
    MissingExtraError
        If the extra [signalling] is not installed.
    """
    folder = Path(folder)
    small = load_agonist(agonist)
    raise_all(_site_faults(small.name, small.binding_site))
    model = tpor_model(cell_system)
    control = load_agonist(POSITIVE_CONTROL)
    bindings, _ = bind_agonists([control, small], model, control=control, control_nM=POSITIVE_CONTROL_nM)
    problem = tpor_problem(model, bindings, seed=seed)
    make_fit_folder(folder)
    readme = _readme(model.cell_system.name, small.name, seed, model.rate_set.caption())
    contents = (
        _yaml().encode("utf-8"), model.network.sbml.encode("utf-8"), _tsv(problem.conditions), _tsv(problem.observables),
        _tsv(problem.measurements), _tsv(problem.parameters), readme.encode("utf-8"),
    )  # fmt: skip
    for name, data in zip(FILES, contents, strict=True):
        replace_file(folder / name, data)
    return folder / FILES[0], problem


def _site_faults(name: str, site: BindingSite | None) -> list[Fault]:
    if site is BindingSite.TRANSMEMBRANE:
        return []
    return [
        Fault(place="--agonist", found=f"{name}, which does not act at His499", expected="a small molecule that does",
              cure="Choose one; thrombopoietin is in the problem anyway.")
    ]  # fmt: skip


def _tsv(table: pl.DataFrame) -> bytes:
    return table.write_csv(separator="\t", quote_style="never").encode("utf-8")


def _yaml() -> str:
    return (
        f"# The measurements of this problem are {DATASET}: simulated from the model, with noise. They are no data about cells.\n"
        f"format_version: 1\nparameter_file: parameters_{NAME}.tsv\nproblems:\n- sbml_files:\n  - model_{NAME}.xml\n"
        f"  condition_files:\n  - conditions_{NAME}.tsv\n  observable_files:\n  - observables_{NAME}.tsv\n"
        f"  measurement_files:\n  - measurements_{DATASET}_{NAME}.tsv\n"
    )


def _readme(cells: str, agonist: str, seed: int, caption: str) -> str:
    return (
        f"TPO-R signalling as a PEtab 1 problem, made by thrombokit\n\n"
        f"The measurements are {DATASET.upper()}: the model's own numbers in {cells} (rhTPO, {agonist}, inhibitors) at its nominal rates, with\n"
        f"log-normal noise of {100 * NOISE:g} %, seed {seed}. They are no data about cells: put your own {', '.join(ANALYTES)} in their place.\n\n"
        f"{caption}\nSource, tier and range of each rate stand in the notes of the SBML. Ranges are priors; the log-likelihood leaves them out.\n"
        f"Research use only; not for diagnosis or treatment.\n"
    )
