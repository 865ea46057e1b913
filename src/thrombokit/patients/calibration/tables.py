"""What a calibration has to show: what the data said about each parameter, which arms the fit fails, what moves when patients are doubled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.importance_resampling import UNINFORMED_RATIO, WeightedDraws
from thrombokit.patients.calibration.arm_likelihood import median_predictive_p, predictive_p
from thrombokit.patients.calibration.drug_free import Step
from thrombokit.patients.calibration.particles import Particles

FAILED_BELOW = 0.05
"""A posterior-predictive p below this is a failed check, and stays one."""
ON_LOG_SCALE = frozenset({
    "observation.correlation_time_d", "rescue.hazard_per_d", "rescue.added_1e9_per_L", "rescue.duration_d", "slope", "transfer", "spread",
    "theta", "iiv", "halflife_h", "slope x transfer", "theta x transfer",
})  # fmt: skip
"""Parameters whose spread is judged on the log scale: those with a log-uniform or log-normal prior."""


@dataclass(frozen=True, kw_only=True)
class Informed:
    """What the data said about one parameter: medians and 90 % ranges before and after, and the ratio of the SDs."""

    chain: str
    parameter: str
    prior: tuple[float, float, float]
    posterior: tuple[float, float, float]
    ratio: float

    @property
    def verdict(self) -> str:
        """In words."""
        return "not informed by the data" if self.ratio > UNINFORMED_RATIO else "informed"


@dataclass(frozen=True, kw_only=True)
class ArmCheck:
    """One published number beside its posterior prediction: mean share (or probability of a lower value) and two-sided p."""

    chain: str
    arm: str
    published: str
    predicted: float
    p: float

    @property
    def verdict(self) -> str:
        """In words."""
        return "failed" if self.p < FAILED_BELOW else "passed"


@dataclass(frozen=True, kw_only=True)
class Doubling:
    """How far posterior means move, in posterior SDs, when the simulated patients are doubled on the same draws."""

    chain: str
    n_draws: int
    parameter: str
    shift: float


def informed(chain: str, names: Iterable[str], prior: Particles, posterior: Particles, weights: Array) -> list[Informed]:
    """Rows for the parameters of one chain; `prior` unweighted, `posterior` with weights (n,)."""
    rows: list[Informed] = []
    for name in names:
        before, after = prior.column(name), posterior.column(name)
        even = np.full(before.size, 1.0 / before.size)
        ratio = _spread(name, after, weights) / max(_spread(name, before, even), 1e-12)
        rows.append(
            Informed(chain=chain, parameter=name, prior=_quantiles(before, even), posterior=_quantiles(after, weights), ratio=ratio)
        )
    return rows


def arm_checks(chain: str, step: Step) -> list[ArmCheck]:
    """A row for each published number of a step, from its weighted draws."""
    weights = step.weighted.weights
    rows: list[ArmCheck] = []
    for arm in step.arms:
        predicted = float(weights @ arm.share)
        kept = np.repeat(arm.share, np.round(weights * 20_000).astype(np.int64))
        if arm.is_median:
            p = median_predictive_p(arm.n, kept)
        elif arm.n:
            p = predictive_p(arm.k, arm.n, kept)
        else:
            p = min(1.0, 2.0 * min(predicted, 1.0 - predicted))
        rows.append(ArmCheck(chain=chain, arm=arm.label, published=arm.published, predicted=predicted, p=p))
    return rows


def doubling(chain: str, names: Iterable[str], draws: Particles, single: WeightedDraws, double: WeightedDraws) -> list[Doubling]:
    """How the posterior mean of each parameter moves between two weighings of the same draws."""
    rows: list[Doubling] = []
    for name in names:
        values = np.log(draws.column(name)) if name in ON_LOG_SCALE else draws.column(name)
        (first, sd), (second, _) = single.mean_and_sd(values), double.mean_and_sd(values)
        rows.append(Doubling(chain=chain, n_draws=draws.n, parameter=name, shift=(second - first) / max(sd, 1e-12)))
    return rows


def with_products(draws: Particles) -> Particles:
    """The draws with the products that the data bear on: slope x transfer, theta x transfer."""
    extra = {
        f"{name} x transfer": draws.column(name) * draws.column("transfer") for name in ("slope", "theta") if name in draws.names
    }
    return draws.joined(extra)


def _spread(name: str, values: Array, weights: Array) -> float:
    seen = np.log(values) if name in ON_LOG_SCALE else values
    mean = float(weights @ seen)
    return float(np.sqrt(weights @ (seen - mean) ** 2))


def _quantiles(values: Array, weights: Array) -> tuple[float, float, float]:
    order = np.argsort(values, kind="stable")
    edges = np.cumsum(weights[order])
    low, middle, high = (
        float(values[order][min(int(np.searchsorted(edges, q * edges[-1])), values.size - 1)]) for q in (0.05, 0.5, 0.95)
    )
    return low, middle, high
