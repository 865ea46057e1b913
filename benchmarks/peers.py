"""The same curves through other packages, one thread: each returns fits per CPU second, a 4PL with standard errors."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import lmfit
import numpy as np
import polars as pl
from benchmarks.screens import DOSE_nM, responses
from scipy.optimize import curve_fit

LN_DOSE = np.log(DOSE_nM)
ONE_THREAD = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def four_parameter(x: np.ndarray, bottom: float, top: float, m: float, hill: float) -> np.ndarray:
    """4PL in ln concentration."""
    return bottom + (top - bottom) / (1.0 + np.exp(-hill * (x - m)))


def scipy_loop(n: int) -> float:
    """`scipy.optimize.curve_fit`, its default method."""
    rows, start = responses(n, seed=1), [10.0, 100.0, float(LN_DOSE.mean()), 1.0]
    before = time.process_time()
    for y in rows:
        curve_fit(four_parameter, LN_DOSE, y, p0=start)
    return n / (time.process_time() - before)


def lmfit_loop(n: int) -> float:
    """`lmfit.Model.fit`, its default method."""
    model, rows = lmfit.Model(four_parameter), responses(n, seed=1)
    before = time.process_time()
    for y in rows:
        model.fit(y, x=LN_DOSE, bottom=10.0, top=100.0, m=float(LN_DOSE.mean()), hill=1.0)
    return n / (time.process_time() - before)


_CURVE_CURATOR = """[Meta]
id = "screen"
description = "simulated"
condition = "none"
treatment_time = "1 h"

[Experiment]
experiments = {experiments}
doses = {doses}
dose_scale = "1e-9"
dose_unit = "M"
control_experiment = {controls}
measurement_type = "OTHER"
data_type = "OTHER"
search_engine = "OTHER"
search_engine_version = "0"

[Paths]
input_file = "input.txt"
curves_file = "curves.txt"

[Processing]
available_cores = 1
max_missing = 5
imputation = false
normalization = false

["Curve Fit"]
type = "OLS"
speed = "standard"

["F Statistic"]
optimized_dofs = true
alpha = 0.05
fc_lim = 0.45
"""


def curve_curator(command: Path, folder: Path, n: int) -> float:
    """CurveCurator, installed in an environment of its own; three vehicle wells are added, which it insists on; start-up included."""
    count = DOSE_nM.size + 3
    config = _CURVE_CURATOR.format(
        experiments=list(range(1, count + 1)), doses=[0.0, 0.0, 0.0, *(float(d) for d in DOSE_nM)], controls=[1, 2, 3]
    )
    (folder / "config.toml").write_text(config, encoding="utf-8")
    vehicle = 10.0 + 5.0 * np.random.default_rng(2).standard_normal((n, 3))
    rows = np.maximum(np.hstack([vehicle, responses(n, seed=1)]), 0.1)
    table = pl.DataFrame({"Name": [f"c{i}" for i in range(n)], **{f"Raw {k + 1}": rows[:, k] for k in range(count)}})
    table.write_csv(folder / "input.txt", separator="\t")
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(
        [command, "config.toml"], cwd=folder, env={**os.environ, **ONE_THREAD}, check=True, capture_output=True, timeout=900
    )
    after = getrusage(RUSAGE_CHILDREN)
    return n / (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
