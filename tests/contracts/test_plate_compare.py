"""Contract of `thrombokit plate compare TIDY --reference CURVE [--weights none] --json`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from thrombokit.cli.main import app

DOSES = np.logspace(-2, 2.5, 10)


def table(
    path: Path, curves: dict[str, tuple[float, float, float]], *, cv: float = 0.02, run: str | None = None, seed: int = 3
) -> Path:
    """Points of 4PL curves name -> (EC50 nM, hill, top) in triplicate."""
    rng = np.random.default_rng(seed)
    lines = ["curve,concentration_nM,response" + (",run" if run else "")]
    for name, (ec50, hill, top) in curves.items():
        for dose in DOSES:
            mean = 2 + (top - 2) / (1 + (ec50 / dose) ** hill)
            lines += [f"{name},{dose},{mean * (1 + cv * z)}" + (f",{run}" if run else "") for z in rng.normal(size=3)]
    path.write_text("\n".join(lines) + "\n")
    return path


def compare(*arguments: str) -> tuple[int, dict]:
    result = CliRunner().invoke(app, ["plate", "compare", *arguments, "--json", "--quiet"])
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize("weights", [[], ["--weights", "none"]])
def test_parallel_curves_get_a_relative_potency(tmp_path: Path, weights: list[str]) -> None:
    path = table(tmp_path / "tidy.csv", {"elt": (13.4, 1.1, 100.0), "het": (0.4, 1.1, 100.0)})
    code, document = compare(str(path), "--reference", "elt", *weights)
    assert code == 0
    assert next(iter(document)) == "schema"
    assert document["schema"] == "thrombokit.comparison/1"
    (one,) = document["comparisons"]
    assert (one["curve"], one["reference"]) == ("het", "elt")
    ratio = one["ec50_ratio"]
    assert ratio["low"] < 33.5 < ratio["high"]
    assert ratio["low"] < ratio["estimate"] < ratio["high"]
    parallel = one["parallel"]
    assert {"f", "df1", "df2", "p", "equivalent", "verdict"} <= set(parallel)
    assert (parallel["df1"], parallel["df2"]) == (3, 60 - 8)
    assert parallel["verdict"] == "parallel"
    assert parallel["equivalent"] is True
    potency = one["relative_potency"]
    assert potency["low"] < potency["estimate"] < potency["high"]
    assert potency["estimate"] == pytest.approx(ratio["estimate"], rel=0.1)
    assert isinstance(one["reason"], str)


def test_a_partial_agonist_has_a_ratio_and_no_relative_potency(tmp_path: Path) -> None:
    path = table(tmp_path / "tidy.csv", {"elt": (13.4, 1.1, 100.0), "partial": (13.4, 1.1, 45.0)})
    code, document = compare(str(path), "--reference", "elt", "--weights", "none")
    assert code == 0
    (one,) = document["comparisons"]
    assert one["ec50_ratio"]["estimate"] == pytest.approx(1.0, rel=0.2)
    assert one["parallel"]["verdict"] == "not_parallel"
    assert one["relative_potency"] is None
    assert "not parallel" in one["reason"]
    assert one["efficacy"]["emax_ratio"]["estimate"] == pytest.approx(0.44, abs=0.03)


def test_a_curve_without_an_ec50_has_no_ratio_and_a_reason(tmp_path: Path) -> None:
    path = table(tmp_path / "tidy.csv", {"elt": (13.4, 1.1, 100.0), "silent": (13.4, 1.0, 2.0)})
    code, document = compare(str(path), "--reference", "elt", "--weights", "none")
    assert code == 0
    (one,) = document["comparisons"]
    assert one["ec50_ratio"] == {"estimate": None, "low": None, "high": None}
    assert one["relative_potency"] is None
    assert "silent" in one["reason"]


def test_runs_are_compared_within_and_then_combined(tmp_path: Path) -> None:
    parts = [
        table(tmp_path / f"{k}.csv", {"elt": (13.4 * s, 1.1, 100.0), "het": (0.4 * s, 1.1, 100.0)}, run=f"r{k}", seed=k).read_text()
        for k, s in enumerate((0.6, 1.0, 1.7))
    ]
    path = tmp_path / "tidy.csv"
    path.write_text(parts[0] + "".join(part.split("\n", 1)[1] for part in parts[1:]))
    code, document = compare(str(path), "--reference", "elt")
    assert code == 0
    assert [one["run"] for one in document["comparisons"]] == ["r0", "r1", "r2"]
    (combined,) = document["combined"]
    assert combined["n_runs"] == 3
    assert combined["ec50_ratio"]["low"] < 33.5 < combined["ec50_ratio"]["high"]


def test_an_unknown_reference_is_bad_input(tmp_path: Path) -> None:
    path = table(tmp_path / "tidy.csv", {"elt": (13.4, 1.1, 100.0)})
    result = CliRunner().invoke(app, ["plate", "compare", str(path), "--reference", "nobody"])
    assert result.exit_code == 3
    assert 'no curve "nobody"' in result.stderr
    assert "tidy.csv" in result.stderr
    assert "elt" in result.stderr
