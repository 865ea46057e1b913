"""Contract of `thrombokit plate fit TIDY --out FITS`: never edited to fit.

The curves are made here, from a formula written out here: a four-parameter logistic in ln concentration, dose 0 at its start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.optimize import curve_fit

Command = Callable[..., Any]
Process = Callable[..., Any]
Row = dict[str, Any]

COLUMNS = [
    "curve", "verdict", "ec50_nM", "ec50_low_nM", "ec50_high_nM", "bound_side", "hill_slope", "hill_low", "hill_high", "bottom", "top",
    "open_plateau", "rss", "n_points", "n_excluded", "confidence", "interval_method", "model", "message",
]  # fmt: skip
VERDICTS = {"bad", "flat", "not_sigmoid", "beyond_range", "plateau_open", "fit"}
DOSES_nM = (0.0, 0.0, 0.0, *np.repeat([0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0], 2).tolist())


def logistic(dose: Any, start: float, end: float, ln_ec50: float, hill: float) -> Any:
    with np.errstate(divide="ignore", over="ignore"):
        return start + (end - start) / (1.0 + np.exp(-hill * (np.log(dose) - ln_ec50)))


def curve(
    name: str, *, ec50: float = 20.0, start: float = 10.0, end: float = 100.0, hill: float = 1.2, noise: float = 1.5, seed: int = 1,
    doses: Sequence[float] = DOSES_nM, **extra: Any,
) -> list[Row]:  # fmt: skip
    rng = np.random.default_rng(seed)
    dose = np.array(doses)
    response = logistic(dose, start, end, float(np.log(ec50)), hill) + noise * rng.standard_normal(dose.size)
    return [
        {"curve": name, "concentration_nM": float(x), "response": float(y), **extra} for x, y in zip(dose, response, strict=True)
    ]


def save(rows: Iterable[Row], path: Path) -> Path:
    table = pl.DataFrame(list(rows))
    if path.suffix == ".parquet":
        table.write_parquet(path)
    else:
        table.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.fixture
def fit(command: Command, tmp_path: Path) -> Callable[..., list[Row]]:
    """Rows of FITS.csv as dictionaries, empty cells as None."""

    def run(rows: Iterable[Row], *options: str) -> list[Row]:
        tidy, out = save(rows, tmp_path / "tidy.csv"), tmp_path / "fits.csv"
        done = command("plate", "fit", tidy, "--out", out, *options)
        assert done.exit_code == 0, done.stderr
        assert done.stdout == ""
        return pl.read_csv(out, infer_schema_length=None).to_dicts()

    return run


def test_columns_stand_in_their_order(fit: Callable[..., list[Row]]) -> None:
    (row,) = fit(curve("a"))
    assert list(row) == COLUMNS
    assert (row["curve"], row["verdict"], row["confidence"], row["interval_method"], row["model"]) == (
        "a",
        "fit",
        0.95,
        "profile",
        "4pl",
    )


def test_the_ec50_and_its_interval_enclose_the_truth_of_a_quiet_curve(fit: Callable[..., list[Row]]) -> None:
    (row,) = fit(curve("a", ec50=20.0, hill=1.2, noise=0.5))
    assert row["ec50_low_nM"] < 20.0 < row["ec50_high_nM"]
    assert row["ec50_low_nM"] < row["ec50_nM"] < row["ec50_high_nM"]
    assert row["ec50_nM"] == pytest.approx(20.0, rel=0.05)
    assert row["hill_low"] < 1.2 < row["hill_high"]
    assert (row["bound_side"], row["open_plateau"]) == (None, None)


def test_without_weights_it_is_ordinary_least_squares_and_dose_0_counts(fit: Callable[..., list[Row]]) -> None:
    rows = curve("a")
    (row,) = fit(rows, "--weights", "none")
    x, y = np.array([r["concentration_nM"] for r in rows]), np.array([r["response"] for r in rows])
    best, _ = curve_fit(logistic, x, y, p0=[10.0, 100.0, 3.0, 1.0])
    assert row["n_points"] == len(rows) == 19
    assert row["rss"] == pytest.approx(float(np.sum((y - logistic(x, *best)) ** 2)), rel=1e-9)
    assert row["ec50_nM"] == pytest.approx(float(np.exp(best[2])), rel=1e-4)
    assert [row["bottom"], row["top"], row["hill_slope"]] == pytest.approx([best[0], best[1], best[3]], rel=1e-4)
    without_vehicle = x > 0
    assert row["rss"] > 1.01 * float(np.sum((y - logistic(x, *best))[without_vehicle] ** 2))


def test_without_weights_a_weight_column_is_ignored(fit: Callable[..., list[Row]]) -> None:
    rows = curve("a")
    weighted = [{**row, "weight": 0.1 + 3.0 * (number % 4)} for number, row in enumerate(rows)]
    assert fit(weighted, "--weights", "none") == fit(rows, "--weights", "none")


def test_a_weight_column_is_one_over_the_variance(fit: Callable[..., list[Row]]) -> None:
    sd = np.array([0.5 + 0.05 * number for number in range(19)])
    rows = [{**row, "weight": float(1 / s**2)} for row, s in zip(curve("a"), sd, strict=True)]
    (row,) = fit(rows, "--weights", "column")
    x, y = np.array([r["concentration_nM"] for r in rows]), np.array([r["response"] for r in rows])
    best, _ = curve_fit(logistic, x, y, p0=[10.0, 100.0, 3.0, 1.0], sigma=sd)
    assert row["rss"] == pytest.approx(float(np.sum(((y - logistic(x, *best)) / sd) ** 2)), rel=1e-8)
    assert row["ec50_nM"] == pytest.approx(float(np.exp(best[2])), rel=1e-4)


def test_weights_from_a_column_that_is_not_there_are_bad_input(command: Command, tmp_path: Path) -> None:
    done = command("plate", "fit", save(curve("a"), tmp_path / "tidy.csv"), "--weights", "column")
    assert done.exit_code == 3
    assert "weight column" in done.stderr


@pytest.mark.parametrize("weights", ["model", "none"])
def test_an_ec50_above_the_doses_is_a_bound(fit: Callable[..., list[Row]], weights: str) -> None:
    (row,) = fit(curve("weak", ec50=3_000.0, noise=0.1), "--weights", weights)
    assert (row["verdict"], row["ec50_nM"], row["ec50_high_nM"], row["bound_side"]) == ("beyond_range", None, None, "above")
    assert 1_000.0 < row["ec50_low_nM"] < 3_000.0
    assert "above" in row["message"]


@pytest.mark.parametrize("weights", ["model", "none"])
def test_an_ec50_below_the_doses_is_a_bound(fit: Callable[..., list[Row]], weights: str) -> None:
    (row,) = fit(curve("strong", ec50=0.02, hill=1.0, noise=0.1), "--weights", weights)
    assert (row["verdict"], row["ec50_nM"], row["ec50_low_nM"], row["bound_side"]) == ("beyond_range", None, None, "below")
    assert 0.02 < row["ec50_high_nM"] < 1.0
    assert "below" in row["message"]


def test_flat_and_bad_curves_have_no_ec50_and_no_bound(fit: Callable[..., list[Row]]) -> None:
    few = [row for row in curve("few") if row["concentration_nM"] in (0.0, 10.0, 100.0)]
    same = [{**row, "response": 7.0} for row in curve("same")]
    flat, *bad = fit([*curve("flat", end=10.0), *few, *same])
    assert flat["verdict"] == "flat"
    assert {row["verdict"] for row in bad} == {"bad"}
    for row in (flat, *bad):
        assert [row[name] for name in ("ec50_nM", "ec50_low_nM", "ec50_high_nM", "bound_side")] == [None] * 4
        assert row["message"]


def test_every_other_verdict(fit: Callable[..., list[Row]]) -> None:
    turned = [
        {**row, "response": row["response"] - float(logistic(row["concentration_nM"], 0.0, 80.0, np.log(200.0), 2.0))}
        for row in curve("bell", ec50=3.0, noise=0.5)
    ]
    bell, still_open, falling = fit([*turned, *curve("open", ec50=800.0, noise=8.0), *curve("falls", start=100.0, end=10.0)])
    assert bell["verdict"] == "not_sigmoid"
    assert (still_open["verdict"], still_open["open_plateau"]) == ("plateau_open", "top")
    assert (falling["verdict"], falling["bottom"] < falling["top"], falling["hill_slope"] < 0) == ("fit", True, True)
    assert falling["hill_low"] < falling["hill_slope"] < falling["hill_high"] < 0


def test_empty_responses_are_left_out_and_counted(fit: Callable[..., list[Row]]) -> None:
    rows = curve("a")
    rows[5]["response"] = None
    (row,) = fit(rows)
    assert (row["n_points"], row["n_excluded"]) == (18, 1)


def test_runs_give_a_row_each_and_a_combined_one(fit: Callable[..., list[Row]]) -> None:
    table = [row for run in range(4) for row in curve("a", ec50=20.0 * 1.1**run, seed=run, run=f"r{run}")]
    table += [row for run in range(2) for row in curve("b", seed=10 + run, run=f"r{run}")]
    rows = fit(table)
    assert list(rows[0]) == [COLUMNS[0], "run", *COLUMNS[1:]]
    assert [(row["curve"], row["run"]) for row in rows] == [
        *(("a", f"r{run}") for run in range(4)), ("a", "combined"), ("b", "r0"), ("b", "r1"), ("b", "combined"),
    ]  # fmt: skip
    four, two = rows[4], rows[7]
    values = [row["ec50_nM"] for row in rows[:4]]
    assert min(values) < four["ec50_nM"] < max(values)
    assert four["ec50_low_nM"] < four["ec50_nM"] < four["ec50_high_nM"]
    assert four["n_points"] == 4 * 19
    assert two["ec50_nM"] == pytest.approx(float(np.sqrt(rows[5]["ec50_nM"] * rows[6]["ec50_nM"])))
    assert (two["ec50_low_nM"], two["ec50_high_nM"]) == (None, None)
    assert "no pooled interval" in two["message"]


def test_a_run_without_an_ec50_leaves_the_combined_value_and_is_named(fit: Callable[..., list[Row]]) -> None:
    table = [row for run in range(3) for row in curve("a", seed=run, run=f"r{run}")]
    *_, combined = fit([*table, *curve("a", end=10.0, seed=9, run="dead")])
    assert combined["run"] == "combined"
    assert "3 of 4 runs" in combined["message"]
    assert "dead left out" in combined["message"]


@pytest.mark.parametrize("model", ["4pl", "3pl", "5pl", "bell"])
def test_models(fit: Callable[..., list[Row]], model: str) -> None:
    (row,) = fit(curve("a", hill=1.0), "--model", model)
    assert row["model"] == model
    assert row["verdict"] in VERDICTS
    assert (row["hill_slope"] == 1.0) == (model == "3pl")
    if model in ("3pl", "4pl"):
        assert row["ec50_nM"] == pytest.approx(20.0, rel=0.2)


def test_intervals_by_profile_wald_and_bootstrap(fit: Callable[..., list[Row]]) -> None:
    table = curve("a", noise=4.0)
    rows = {method: fit(table, "--interval", method)[0] for method in ("profile", "wald", "bootstrap")}
    for method, row in rows.items():
        assert row["interval_method"] == method
        assert row["ec50_nM"] == rows["profile"]["ec50_nM"]
        assert row["ec50_low_nM"] < row["ec50_nM"] < row["ec50_high_nM"]
    wald = rows["wald"]
    assert wald["ec50_nM"] ** 2 == pytest.approx(wald["ec50_low_nM"] * wald["ec50_high_nM"])
    assert len({row["ec50_low_nM"] for row in rows.values()}) == 3


def test_the_bootstrap_depends_on_the_seed_alone(fit: Callable[..., list[Row]]) -> None:
    table = curve("a", noise=4.0)
    first, again, other = (fit(table, "--interval", "bootstrap", "--seed", seed) for seed in ("3", "3", "4"))
    assert first == again
    assert first[0]["ec50_low_nM"] != other[0]["ec50_low_nM"]


def test_less_confidence_narrows_the_interval(fit: Callable[..., list[Row]]) -> None:
    (wide,), (narrow,) = fit(curve("a")), fit(curve("a"), "--confidence", "0.8")
    assert narrow["confidence"] == 0.8
    assert wide["ec50_low_nM"] < narrow["ec50_low_nM"] < narrow["ec50_high_nM"] < wide["ec50_high_nM"]


def test_csv_tsv_and_parquet_say_the_same(command: Command, tmp_path: Path) -> None:
    rows = [*curve("a"), *curve("flat", end=10.0)]
    for ending in (".csv", ".tsv", ".parquet"):
        tidy = save(rows, tmp_path / f"tidy{ending}")
        assert command("plate", "fit", tidy, "--out", tmp_path / f"fits{ending}", "--quiet").exit_code == 0
    expected = pl.read_csv(tmp_path / "fits.csv")
    assert pl.read_csv(tmp_path / "fits.tsv", separator="\t").equals(expected)
    parquet = pl.read_parquet(tmp_path / "fits.parquet")
    assert parquet.columns == expected.columns
    for name in ("ec50_nM", "rss", "verdict", "n_points"):
        assert parquet[name].to_list() == expected[name].to_list()


def test_scattered_rows_are_bad_input_with_their_row_and_sort_gathers_them(command: Command, tmp_path: Path) -> None:
    a, b = curve("a"), curve("b", ec50=50.0, seed=2)
    scattered = save([*a[:10], *b, *a[10:]], tmp_path / "scattered.csv")
    done = command("plate", "fit", scattered, "--out", tmp_path / "no.csv")
    assert done.exit_code == 3
    assert "scattered.csv, row 31" in done.stderr
    assert '"a"' in done.stderr
    assert "--sort" in done.stderr
    assert not (tmp_path / "no.csv").exists()
    assert command("plate", "fit", scattered, "--sort", "--out", tmp_path / "sorted.csv").exit_code == 0
    gathered = save([*a, *b], tmp_path / "gathered.csv")
    assert command("plate", "fit", gathered, "--out", tmp_path / "plain.csv").exit_code == 0
    assert (tmp_path / "sorted.csv").read_bytes() == (tmp_path / "plain.csv").read_bytes()


def test_two_workers_give_the_same_bytes_as_one(process: Process, command: Command, simulate_curves: Any, tmp_path: Path) -> None:
    table = simulate_curves(2_300, seed=5, n_doses=7, replicates=1).table  # more than one task's worth
    table.write_parquet(tmp_path / "tidy.parquet")
    assert command("plate", "fit", tmp_path / "tidy.parquet", "--out", tmp_path / "one.csv").exit_code == 0
    done = process("plate", "fit", tmp_path / "tidy.parquet", "--out", tmp_path / "two.csv", "--workers", "2", "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_without_out_the_table_is_on_stdout_and_the_summary_on_stderr(command: Command, tmp_path: Path) -> None:
    tidy = save(curve("a"), tmp_path / "tidy.csv")
    done = command("plate", "fit", tidy)
    assert done.stdout.splitlines()[0] == ",".join(COLUMNS)
    assert len(done.stdout.splitlines()) == 2
    assert "1 curves fitted" in done.stderr
    assert command("plate", "fit", tidy, "--quiet").stderr == ""


def test_json_holds_noise_and_fits(command: Command, tmp_path: Path) -> None:
    done = command("plate", "fit", save(curve("a"), tmp_path / "tidy.csv"), "--json", "--quiet")
    document = json.loads(done.stdout)
    assert next(iter(document.items())) == ("schema", "thrombokit.fits/1")
    (noise,) = document["noise"].values()
    assert noise.keys() >= {"sigma0", "phi"}
    assert list(document["fits"][0]) == COLUMNS


def test_usage_and_option_errors(command: Command, tmp_path: Path) -> None:
    tidy = save(curve("a"), tmp_path / "tidy.csv")
    for wrong in (("--model", "6pl"), ("--weights", "some"), ("--interval", "guess"), ("--workers", "0")):
        assert command("plate", "fit", tidy, *wrong).exit_code == 2
    assert command("plate", "fit").exit_code == 2
    confidence = command("plate", "fit", tidy, "--confidence", "95")
    assert confidence.exit_code == 3
    assert "0.95" in confidence.stderr
    ending = command("plate", "fit", tidy, "--out", tmp_path / "fits.docx")
    assert ending.exit_code == 3
    assert ".parquet" in ending.stderr
