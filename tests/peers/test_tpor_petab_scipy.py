"""The built-in model as a PEtab problem: our reader's likelihood against scipy on the rate equations and the tables read by csv alone."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.stats import lognorm

from thrombokit.errors import InputError
from thrombokit.io.petab import petab_llh, read_petab
from thrombokit.io.petab_export import FILES, write_tpor_problem
from thrombokit.io.sbml import read_sbml
from thrombokit.signalling.gradients import checked_gradient
from thrombokit.signalling.likelihood import PetabLikelihood
from thrombokit.signalling.rate_equations import RateEquations
from thrombokit.signalling.solver_settings import Tolerances
from thrombokit.signalling.start_values import StartPlan

SPECIES = {"pSTAT5": {"STAT5_p": "cytoplasm", "STAT5_nuclear": "nucleus"}, "pERK": {"ERK_p": "cytoplasm"}, "pAKT": {"AKT_p": "cytoplasm"},
           "pJAK2": {"JAK2_p": "cytoplasm"}}  # fmt: skip


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tpor_problem(tmp_path_factory.mktemp("petab"))[0].parent


def independent_llh(folder: Path) -> float:
    """Natural log of the density of every measurement, log-normal as the observable table has it; nothing of our PEtab reader is used."""
    network = read_sbml(folder / "model_tpor.xml")
    nominal = {row["parameterId"]: float(row["nominalValue"]) for row in rows(folder / "parameters_tpor.tsv")}
    measured = rows(folder / "measurements_synthetic_tpor.tsv")
    sizes = {id: one.size or math.nan for id, one in network.compartment_by_id.items()}
    total = 0.0
    for condition in rows(folder / "conditions_tpor.tsv"):
        given = {name: float(value) for name, value in condition.items() if name not in ("conditionId", "conditionName")}
        settings = {f"[{name}]" if name in network.species_by_id else name: value for name, value in given.items()}
        settings |= {id: value for id, value in nominal.items() if id in network.parameter_by_id}
        start = StartPlan(network, settings).evaluate(settings)
        equations = RateEquations(network)
        times = np.unique([float(row["time"]) for row in measured])
        solved = solve_ivp(equations.right_hand_side(start), (0.0, times[-1]), equations.start_state(start), method="LSODA", t_eval=times,
                           rtol=1e-10, atol=1e-14)  # fmt: skip
        amounts = {time: equations.values(time, state, start) for time, state in zip(times, solved.y.T, strict=True)}
        for row in measured:
            if row["simulationConditionId"] == condition["conditionId"]:
                analyte = row["observableId"]
                level = sum(amounts[float(row["time"])]["amount", id] for id in SPECIES[analyte])
                middle = nominal[f"scale_{analyte}"] * level / sizes["cytoplasm"] + nominal[f"background_{analyte}"]
                width = nominal[row["noiseParameters"]] * math.log(10.0)
                total += float(lognorm.logpdf(float(row["measurement"]), s=width, scale=middle))
    return total


def test_two_evaluations_agree(folder: Path) -> None:
    assert petab_llh(folder / FILES[0]) == pytest.approx(independent_llh(folder), abs=1e-3)


def test_priors_are_no_part_of_the_likelihood(folder: Path, tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    table = tmp_path / "parameters_tpor.tsv"
    kept = rows(table)
    assert {row["objectivePriorType"] for row in kept} == {"parameterScaleUniform", "logNormal", ""}
    columns = [name for name in kept[0] if not name.startswith("objectivePrior")]
    table.write_text(
        "\n".join(["\t".join(columns), *("\t".join(row[name] for name in columns) for row in kept)]) + "\n", encoding="utf-8"
    )
    assert petab_llh(tmp_path / FILES[0]) == petab_llh(folder / FILES[0])


def test_the_gradient_against_differences_of_the_likelihood(folder: Path) -> None:
    """At a point off the nominal one; some parameters of each kind: a rate, an affinity, a scale, a background, a width of noise."""
    problem = read_petab(folder / FILES[0])
    likelihood = PetabLikelihood(problem, tolerances=Tolerances(relative=1e-10, absolute=1e-13))
    point = np.array(problem.space.nominal) + 0.02 * np.cos(np.arange(len(problem.space.ids)))
    ours = checked_gradient(likelihood, point)
    for id in ("jak2_activation", "TPO_affinity", "mpl_unstimulated", "erk_total", "scale_pERK", "background_pAKT", "sd_pSTAT5"):
        at, step = ours.ids.index(id), 1e-4
        ends: list[float] = []
        for sign in (-2.0, -1.0, 1.0, 2.0):
            moved = point.copy()
            moved[at] += sign * step
            ends.append(likelihood.value(moved))
        difference = (8.0 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / (12.0 * step)
        assert ours.gradient[at] == pytest.approx(difference, rel=2e-3, abs=2e-2), id
        assert ours.error[at] < 1e-2 * max(abs(ours.gradient[at]), 1.0)


def test_tables_say_what_they_are(folder: Path) -> None:
    measured, parameters = rows(folder / "measurements_synthetic_tpor.tsv"), rows(folder / "parameters_tpor.tsv")
    assert {row["datasetId"] for row in measured} == {"synthetic"}
    assert "no data about cells" in (folder / "tpor.yaml").read_text(encoding="utf-8")
    assert "SYNTHETIC" in (folder / "README.txt").read_text(encoding="utf-8")
    assert "rates are assumed" in (folder / "README.txt").read_text(encoding="utf-8")
    by_id = {row["parameterId"]: row for row in parameters}
    assert all(float(row["lowerBound"]) <= float(row["nominalValue"]) <= float(row["upperBound"]) for row in parameters)
    assert by_id["TM_affinity"]["estimate"] == "0", "anchored on a potency"
    assert {"bclxl_turnover", "ccnd1_turnover", "mtorc1_activation", "MTOR_inhibitor_half"} & set(by_id) == set(), (
        "no observable reads them"
    )
    assert by_id["TPO_affinity"]["objectivePriorType"] == "logNormal"
    mean, sd = (float(part) for part in by_id["TPO_affinity"]["objectivePriorParameters"].split(";"))
    assert (math.exp(mean - 1.959964 * sd), math.exp(mean + 1.959964 * sd)) == pytest.approx((0.132, 0.194), rel=1e-4)


def test_same_seed_same_bytes_another_seed_other_noise(folder: Path, tmp_path: Path) -> None:
    again, other = (write_tpor_problem(tmp_path / name, seed=seed)[0].parent for name, seed in (("a", 1), ("b", 2)))
    for name in FILES:
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name
    name = "measurements_synthetic_tpor.tsv"
    assert (other / name).read_bytes() != (folder / name).read_bytes()


def test_residuals_are_the_noise_that_was_asked_for(folder: Path) -> None:
    """With the truth as nominal values, a log-likelihood lies within 5 standard deviations of its expectation."""
    n = len(rows(folder / "measurements_synthetic_tpor.tsv"))
    jacobian = sum(math.log(float(row["measurement"])) for row in rows(folder / "measurements_synthetic_tpor.tsv"))
    expected = -n * (math.log(0.1) + 0.5 * math.log(2.0 * math.pi) + 0.5) - jacobian
    assert petab_llh(folder / FILES[0]) == pytest.approx(expected, abs=5.0 * math.sqrt(n / 2.0))


def test_an_agonist_of_the_other_site_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="romiplostim, which does not act at His499"):
        write_tpor_problem(tmp_path, agonist="romiplostim")
    assert list(tmp_path.iterdir()) == []
