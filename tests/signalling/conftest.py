"""Small PEtab problems, written from Antimony text and rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from thrombokit.signalling.antimony_source import sbml_of_antimony

Rows = Sequence[Mapping[str, Any]]
DECAY = "compartment c = 2; species A in c; A = A0; J: A -> ; c*k*A; k = 0.5; A0 = 3"


def write_tsv(path: Path, rows: Rows) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = ["\t".join(columns), *("\t".join(str(row.get(column, "")) for column in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_petab(
    folder: Path, *, model: str = DECAY, parameters: Rows, observables: Rows, measurements: Rows,
    conditions: Rows = ({"conditionId": "c0"},), yaml: str = "",
) -> Path:  # fmt: skip
    """A problem with what every row needs filled in: scale lin, estimate 1, noise 1, condition c0."""
    (folder / "model.xml").write_text(sbml_of_antimony(f"model m\n{model}\nend\n", source="m.ant"), encoding="utf-8")
    usual = {"parameterScale": "lin", "lowerBound": 1e-3, "upperBound": 1e3, "estimate": 1}
    write_tsv(folder / "parameters.tsv", [{**usual, **row} for row in parameters])
    write_tsv(folder / "observables.tsv", [{"noiseFormula": 1, **row} for row in observables])
    write_tsv(folder / "conditions.tsv", conditions)
    write_tsv(folder / "measurements.tsv", [{"simulationConditionId": "c0", "measurement": 1, **row} for row in measurements])
    text = """format_version: 1
parameter_file: parameters.tsv
problems:
- sbml_files: [model.xml]
  condition_files: [conditions.tsv]
  measurement_files: [measurements.tsv]
  observable_files: [observables.tsv]
"""
    (folder / "problem.yaml").write_text(yaml or text, encoding="utf-8")
    return folder / "problem.yaml"


@pytest.fixture
def petab(tmp_path: Path) -> Callable[..., Path]:
    """See `write_petab`; the folder is the test's own."""

    def write(**tables: Any) -> Path:
        tmp_path.mkdir(exist_ok=True)
        return write_petab(tmp_path, **tables)

    return write
