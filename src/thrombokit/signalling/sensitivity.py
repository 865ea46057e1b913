"""Which rates the answer hangs on: locally, around the rates as they stand, and over their whole ranges (Morris).

The local measure is the elasticity, per cent of output a per cent of rate. Morris' elementary effects walk through the ranges one rate at a
time: the mean of their sizes (mu*) ranks the rates, their spread (sigma) tells that a rate acts otherwise at other places.

References
----------
Morris MD (1991) Factorial sampling plans for preliminary computational experiments. Technometrics 33:161-174,
doi:10.1080/00401706.1991.10484804. Campolongo F et al. (2007), doi:10.1016/j.envsoft.2006.10.004 (mu*).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.elementary_effects import walk_effects
from thrombokit.numerics.streams import stream
from thrombokit.scale.engine import Engine, SerialEngine
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.rates import Rate
from thrombokit.signalling.tpor_model import TporModel, time_grid_h
from thrombokit.signalling.treatments import Treatment

OUTPUTS = ("cells", "STAT5_p_peak", "ERK_p_peak", "AKT_p_peak", "endomitosis_per_d")
"""Living cells at the end, peaks in nM, mean endomitosis; sensitivities are of their logarithms."""
LOCAL_STEP = 0.01
BY_FIXED_BINDING = ("TPO_affinity", "TPO_efficacy", "TM_affinity", "TM_efficacy")
"""Rates that the agonists' bindings replace."""
_SMALLEST = 1e-12


@dataclass(frozen=True, kw_only=True)
class Question:
    """One treatment of one model over `hours`: what sensitivities are of."""

    model: TporModel
    treatment: Treatment
    bindings: tuple[Binding, ...]
    hours: float

    def rates(self) -> tuple[Rate, ...]:
        """The rates that vary."""
        return tuple(rate for rate in self.model.rate_set if rate.varies and rate.id not in BY_FIXED_BINDING)

    def answers(self, rates: Mapping[str, float]) -> Array:
        """Natural logarithms of `OUTPUTS`, shape (5,), with some rates replaced."""
        model = replace(self.model, replaced={**self.model.replaced, **rates})
        activity = model.activity(self.treatment, self.bindings, time_grid_h(self.hours))
        fates = model.fates(activity, label=self.treatment.label)
        found = [float(model.cells(fates)[-1]), *(float(activity[name].max()) for name in ("STAT5_p", "ERK_p", "AKT_p")),
                 fates.mean()["endomitosis_per_d"]]  # fmt: skip
        return np.log(np.maximum(found, _SMALLEST))


def local_sensitivity(question: Question) -> pl.DataFrame:
    """Elasticity of every output by every rate, by central differences of 1 %.

    Returns
    -------
    DataFrame
        One row a rate and output: `rate`, `tier`, `output`, `elasticity` (d ln output / d ln rate).
    """
    rows: list[dict[str, object]] = []
    values = question.model.values()
    step = math.log1p(LOCAL_STEP)
    for rate in question.rates():
        up, down = (question.answers({rate.id: values[rate.id] * math.exp(sign * step)}) for sign in (1.0, -1.0))
        elasticities = (up - down) / (2.0 * step)
        rows.extend({"rate": rate.id, "tier": rate.tier.value, "output": name, "elasticity": float(elasticities[k])}
                    for k, name in enumerate(OUTPUTS))  # fmt: skip
    return pl.DataFrame(rows)


def morris_screening(question: Question, *, trajectories: int, seed: int, engine: Engine | None = None) -> pl.DataFrame:
    """Elementary effects of every rate over its range.

    Parameters
    ----------
    question : Question
    trajectories : int
        Walks through the ranges, 2 or more; 10 to 50 are usual. Each costs one simulation a rate.
    seed : int
    engine : Engine, optional

    Returns
    -------
    DataFrame
        One row a rate and output: `rate`, `tier`, `output`, `mu_star`, `mu`, `sigma`: effects on ln output of crossing the whole range of
        the rate; `sigma` is null with a single trajectory.
    """
    shared = (question, seed)
    effects = np.concatenate((engine or SerialEngine()).map_ranges(_walk, shared, trajectories, chunk=1))
    rates = question.rates()
    spread = effects.std(axis=0, ddof=1) if trajectories > 1 else np.full(effects.shape[1:], np.nan)
    rows = [
        {"rate": rate.id, "tier": rate.tier.value, "output": name, "mu_star": float(np.abs(effects[:, at, k]).mean()),
         "mu": float(effects[:, at, k].mean()), "sigma": float(spread[at, k])}
        for at, rate in enumerate(rates) for k, name in enumerate(OUTPUTS)
    ]  # fmt: skip
    return pl.DataFrame(rows).with_columns(pl.col("sigma").fill_nan(None))


def _walk(shared: tuple[Question, int], start: int, stop: int) -> Array:
    """Elementary effects of some trajectories, shape (n, n_rates, n_outputs)."""
    question, seed = shared
    rates = question.rates()
    return np.stack([_trajectory(question, rates, seed, number) for number in range(start, stop)])


def _trajectory(question: Question, rates: Sequence[Rate], seed: int, number: int) -> Array:
    return walk_effects(lambda place: question.answers(_at(rates, place)), len(rates), stream(seed, "signalling", "morris", number))


def _at(rates: Sequence[Rate], place: Array) -> dict[str, float]:
    """Rates at places 0 to 1 of their ranges, evenly on the log scale."""
    return {
        rate.id: math.exp(math.log(rate.low) + float(where) * (math.log(rate.high) - math.log(rate.low)))
        for rate, where in zip(rates, place, strict=True)
    }
