"""PEtab 1 problems: a YAML file and its tables, read strictly into a `PetabProblem`.

Every fault of all tables is told in one pass, with file, row and column. What PEtab 1 allows is read; what is not supported here is
refused by name (`petab_yaml`), so that no number comes from half a problem.

References
----------
Schmiester L et al. (2021) PEtab: interoperable specification of parameter estimation problems in systems biology. PLoS Comput Biol
17:e1008646, doi:10.1371/journal.pcbi.1008646.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.io.petab_measurements import read_measurements
from thrombokit.io.petab_observables import read_observables
from thrombokit.io.petab_parameters import read_parameters
from thrombokit.io.petab_tables import PetabTable, TableRow, entry_of, read_petab_table
from thrombokit.io.petab_yaml import read_petab_yaml
from thrombokit.io.sbml import read_sbml
from thrombokit.signalling.gradients import CheckedGradient, checked_gradient
from thrombokit.signalling.likelihood import TIGHT, PetabLikelihood, log_likelihood
from thrombokit.signalling.petab_problem import Entry, PetabProblem
from thrombokit.signalling.petab_references import reference_faults

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "parameters": ("parameterId", "parameterScale", "nominalValue", "estimate"),
    "conditions": ("conditionId",),
    "observables": ("observableId", "observableFormula", "noiseFormula"),
    "measurements": ("observableId", "simulationConditionId", "measurement", "time"),
}


def read_petab(path: str | Path) -> PetabProblem:
    """Read a PEtab 1 problem.

    Parameters
    ----------
    path : path
        The problem's YAML file.

    Returns
    -------
    PetabProblem

    Raises
    ------
    FileFormatError
        If the files are no PEtab 1 problem, contradict each other, or use what is not supported: every fault in one pass.
    MissingExtraError
        If the extra `signalling` is not installed.
    """
    path = Path(path)
    files = read_petab_yaml(path)
    faults: list[Fault] = []
    tables = {
        kind: [table for file in paths if (table := read_petab_table(file, _NEEDED[kind], faults)) is not None]
        for kind, paths in (
            ("parameters", files.parameters),
            ("conditions", files.conditions),
            ("observables", files.observables),
            ("measurements", files.measurements),
        )
    }
    raise_all(condensed(faults), FileFormatError)
    network = read_sbml(files.model)
    parameters = read_parameters(_rows(tables["parameters"], "parameterId", faults), faults)
    observables = read_observables(_rows(tables["observables"], "observableId", faults), network, faults)
    conditions = _read_conditions(tables["conditions"], faults)
    measurements = read_measurements(
        [row for table in tables["measurements"] for row in table.rows], observables, conditions, faults
    )
    problem = PetabProblem(
        source=path.name, network=network, parameters=parameters, observables=observables, conditions=conditions,
        measurements=measurements,
    )  # fmt: skip
    if not faults:
        places = {row.text("conditionId"): row.place("conditionId") for table in tables["conditions"] for row in table.rows}
        faults.extend(reference_faults(problem, places))
    raise_all(condensed(faults), FileFormatError)
    return problem


def petab_llh(path: str | Path) -> float:
    """Log-likelihood of a PEtab 1 problem at its nominal parameters, priors excluded.

    Parameters
    ----------
    path : path
        The problem's YAML file.

    Returns
    -------
    float
        Natural logarithm of the likelihood of all measurements, on the scale they are written in (where residuals are taken on a
        logarithmic scale, the density is that of the measurement itself).

    Raises
    ------
    FileFormatError
        If the problem cannot be read; see `read_petab`.
    SimulationError
        If the model cannot be simulated at these parameters, or gives a measurement no likelihood; the message says which.
    MissingExtraError
        If the extra `signalling` is not installed.
    """
    return log_likelihood(read_petab(path))


def petab_gradient(path: str | Path) -> CheckedGradient:
    """Log-likelihood of a PEtab 1 problem and its gradient at the nominal parameters, priors excluded.

    Parameters
    ----------
    path : path
        The problem's YAML file.

    Returns
    -------
    CheckedGradient
        In the estimated parameters, each on its own scale (lin, log, log10), with an estimate of the error of each.

    Raises
    ------
    FileFormatError
        If the problem cannot be read; see `read_petab`.
    SimulationError
        If there is no likelihood at the parameters, or next to them.
    MissingExtraError
        If the extra `signalling` is not installed.
    """
    problem = read_petab(path)
    return checked_gradient(PetabLikelihood(problem, tolerances=TIGHT), problem.space.nominal)


def _rows(tables: Iterable[PetabTable], key: str, faults: list[Fault]) -> list[TableRow]:
    """All rows, each id once."""
    rows: dict[str, TableRow] = {}
    for table in tables:
        for row in table.rows:
            id = row.text(key)
            if not id:
                faults.append(row.fault(key, found="an empty cell", expected="an id", cure="Name it."))
            elif id in rows:
                faults.append(row.fault(key, found=f'"{id}" again, first in {rows[id].place(key)}', expected="each id once",
                                        cure="Remove or rename one of them."))  # fmt: skip
            else:
                rows[id] = row
    return list(rows.values())


def _read_conditions(tables: Sequence[PetabTable], faults: list[Fault]) -> dict[str, dict[str, Entry]]:
    found: dict[str, dict[str, Entry]] = {}
    columns = {id: table.columns for table in tables for id in (row.text("conditionId") for row in table.rows)}
    for row in _rows(tables, "conditionId", faults):
        id = row.text("conditionId")
        entries = {column: row.text(column) for column in columns[id] if column not in ("conditionId", "conditionName")}
        found[id] = {column: entry_of(text) for column, text in entries.items() if text}
    return found
