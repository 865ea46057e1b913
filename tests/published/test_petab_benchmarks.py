"""Four problems of the Benchmark-Models-PEtab collection, at the published parameters.

Log-likelihoods are those the collection's solver (AMICI) gives, row by row we are held against the published models' own output
(`simulatedData_*.tsv`). Hass H et al. (2019) Bioinformatics 35:3073-3082, doi:10.1093/bioinformatics/btz020. Problems: Boehm 2014
(doi:10.1021/pr5006923), Bachmann 2011 (doi:10.1038/msb.2011.50), Fujita 2010 (doi:10.1126/scisignal.2000810), Raia 2011
(doi:10.1158/0008-5472.CAN-10-2987).
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from thrombokit import petab_llh, read_petab
from thrombokit.signalling.likelihood import TIGHT, PetabLikelihood
from thrombokit.signalling.petab_problem import PetabProblem

LOG_LIKELIHOODS = {
    "Boehm_JProteomeRes2014": -138.22200, "Bachmann_MSB2011": 418.40573, "Fujita_SciSignal2010": 53.08378,
    "Raia_CancerResearch2011": -346.08979,
}  # fmt: skip
PRINTED = {"Boehm_JProteomeRes2014": 2e-7, "Bachmann_MSB2011": 1e-4, "Raia_CancerResearch2011": 1e-6}
"""Relative difference the published outputs leave: they come from solvers of looser tolerance."""


def problem_file(reference_data: Path, name: str) -> Path:
    return reference_data / "models/petab_benchmark" / name / f"{name}.yaml"


@pytest.mark.parametrize("name", LOG_LIKELIHOODS)
def test_log_likelihood(reference_data: Path, name: str) -> None:
    assert petab_llh(problem_file(reference_data, name)) == pytest.approx(LOG_LIKELIHOODS[name], abs=1e-4)


def published_output(reference_data: Path, name: str, problem: PetabProblem) -> np.ndarray:
    file = problem_file(reference_data, name).parent / f"simulatedData_{name}.tsv"
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines(), delimiter="\t"))
    assert len(rows) == len(problem.measurements)
    for row, one in zip(rows, problem.measurements, strict=True):
        assert row["observableId"] in (one.observable, one.observable.removeprefix("observable_"))
        assert float(row["time"]) == one.time
    return np.array([float(row["simulation"]) for row in rows])


@pytest.mark.parametrize("name", PRINTED)
def test_simulated_values_row_by_row(reference_data: Path, name: str) -> None:
    problem = read_petab(problem_file(reference_data, name))
    ours = PetabLikelihood(problem, tolerances=TIGHT).evaluate(problem.space.all_nominal).simulated
    theirs = published_output(reference_data, name, problem)
    np.testing.assert_allclose(ours, theirs, rtol=PRINTED[name], atol=PRINTED[name] * float(np.abs(theirs).max()))


def test_simulated_values_of_fujita_are_those_of_the_parameters_in_its_model_file(reference_data: Path) -> None:
    """Not of the parameter table: rates and starts as in the SBML file, and a scale for each observable that no file gives."""
    name = "Fujita_SciSignal2010"
    problem = read_petab(problem_file(reference_data, name))
    in_model = problem.network.parameter_by_id
    values = [one.nominal if one.id not in in_model else in_model[one.id].value for one in problem.parameters]
    ours = PetabLikelihood(problem, tolerances=TIGHT).evaluate(np.array(values, dtype=float)).simulated
    theirs = published_output(reference_data, name, problem)
    for observable in problem.observable_by_id:
        rows = [row for row, one in enumerate(problem.measurements) if one.observable == observable]
        scale = theirs[rows].sum() / ours[rows].sum()
        np.testing.assert_allclose(ours[rows] * scale, theirs[rows], rtol=2e-4, atol=1e-5 * theirs[rows].max())
