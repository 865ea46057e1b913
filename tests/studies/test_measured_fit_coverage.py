"""Does the interval of a fitted rate hold the truth 95 times in 100, over runs that each have a rate of their own?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
import pytest

from thrombokit.agonists.load import load_agonist
from thrombokit.io.tpor import POSITIVE_CONTROL_nM, tpor_model
from thrombokit.numerics.streams import stream
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.bindings import bind_agonists
from thrombokit.signalling.measured import normalise_signals
from thrombokit.signalling.measured_fit import FittedRate, fit_signals
from thrombokit.signalling.treatments import Treatment

RATE, TRUTH, RUNS, STUDIES = "erk_dephosphorylation", 0.5, 4, 60
BETWEEN_RUNS_SD_LN, SCATTER = 0.15, 0.05
TIMES_min = (0.0, 5.0, 10.0, 15.0, 30.0, 60.0)


def fitted(study: int, bindings: tuple[Binding, ...]) -> FittedRate:
    rng = stream(60_611, "measured signals", study)
    rows: list[Mapping[str, object]] = []
    for run in range(RUNS):
        model = tpor_model(rates={RATE: TRUTH * math.exp(BETWEEN_RUNS_SD_LN * rng.standard_normal())})
        scale, background = math.exp(rng.normal()), 20.0 * math.exp(rng.normal())
        for dose in (0.0, 1.0, 10.0):
            given = {"hetrombopag": dose} if dose else {}
            levels = model.activity(Treatment(agonists_nM=given), bindings, np.array(TIMES_min) / 60.0)["ERK_p"]
            for time, level in zip(TIMES_min, levels.tolist(), strict=True):
                rows.append({"assay": "flow", "analyte": "pERK", "agonist": "hetrombopag" if dose else "", "concentration_nM": dose,
                             "time_min": time, "value": (background + 10.0 * scale * level) * math.exp(SCATTER * rng.standard_normal()),
                             "normaliser": None, "replicate": "", "run": f"r{run}"})  # fmt: skip
    return fit_signals(normalise_signals(pl.DataFrame(rows)), tpor_model(), bindings, rates=[RATE]).rates[0]


@pytest.mark.long
def test_interval_over_runs_holds_the_truth(print_figure: Callable[[str], None]) -> None:
    """60 studies of 4 runs: 95 % nominal; 3 binomial standard errors below it is 87 %."""
    control = load_agonist("rhTPO")
    bindings = bind_agonists([control, load_agonist("hetrombopag")], tpor_model(), control=control, control_nM=POSITIVE_CONTROL_nM)[
        0
    ]
    rates = [fitted(study, bindings) for study in range(STUDIES)]
    known = [rate for rate in rates if rate.low is not None and rate.high is not None]
    held = sum(rate.low <= TRUTH <= rate.high for rate in known if rate.low is not None and rate.high is not None)
    bias = float(np.mean([math.log(rate.estimate / TRUTH) for rate in rates]))
    print_figure(
        f"Fitted rate over {RUNS} runs: {held} of {len(known)} intervals hold the truth ({STUDIES} studies), mean ln ratio {bias:+.3f}."
    )
    assert len(known) >= 0.95 * STUDIES
    assert held / len(known) >= 0.87
    assert abs(bias) < 0.08
