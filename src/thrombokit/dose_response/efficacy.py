"""How two agonists differ when they are not parallel: Emax ratio, and ln(Emax / EC50), the agonist's power at low dose.

For hill slope 1 the difference of ln(Emax / EC50) is that of ln(tau / K_A) of the operational model, whatever the efficacies.

References: Black & Leff 1983, doi:10.1098/rspb.1983.0093; Kenakin 2017, doi:10.1124/mol.117.108787 (delta log(max/EC50)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from thrombokit.domain.estimate import Estimate
from thrombokit.dose_response.fits import CurveFits


@dataclass(frozen=True, kw_only=True, slots=True)
class Operational:
    """tau and K_A (nM) of the operational model, given the system's largest response and slope."""

    tau: Estimate
    k_a_nM: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Efficacy:
    """Emax of the curve / Emax of the reference, and curve minus reference of ln(Emax / EC50), each with its interval.

    Emax is the span from the response at dose 0 to the plateau at high dose. `operational` is the curve's tau and K_A, taking the reference for a
    full agonist: None unless the curve reaches clearly less than the reference (its Emax ratio lies below 1 with its whole interval).
    """

    emax_ratio: Estimate
    delta_ln_emax_over_ec50: Estimate
    se_ln_emax_ratio: float = float("nan")
    operational: Operational | None = None


def compare_efficacy(fits: CurveFits, reference: int, test: int) -> Efficacy:
    """Efficacy of curve `test` beside curve `reference` by the delta method on the log scale; empty where a plateau is not determined."""
    nothing = Estimate(estimate=None, low=None, high=None)
    spans = [float(fits.theta[i, 1] - fits.theta[i, 0]) for i in (reference, test)]
    if spans[0] == 0 or spans[1] / spans[0] <= 0:
        return Efficacy(emax_ratio=nothing, delta_ln_emax_over_ec50=nothing)
    t = float(stdtrit(max(int(fits.degrees[reference] + fits.degrees[test]), 1), 0.5 + fits.settings.confidence / 2))
    variances = [_log_variances(fits, i, span) for i, span in zip((reference, test), spans, strict=True)]
    ln_emax = float(np.log(spans[1] / spans[0]))
    ln_power = ln_emax + float(fits.theta[reference, 2] - fits.theta[test, 2])
    half_emax = t * float(np.sqrt(variances[0][0] + variances[1][0]))
    half_power = t * float(np.sqrt(variances[0][1] + variances[1][1]))
    ratio = Estimate(
        estimate=float(np.exp(ln_emax)), low=float(np.exp(ln_emax - half_emax)), high=float(np.exp(ln_emax + half_emax))
    )
    power = Estimate(estimate=ln_power, low=ln_power - half_power, high=ln_power + half_power)
    partial = ratio.high is not None and ratio.high < 1.0 and str(fits.verdict[reference]) == "fit"
    operational = operational_model(fits, test, system_max=abs(spans[0])) if partial else None
    return Efficacy(emax_ratio=ratio, delta_ln_emax_over_ec50=power, se_ln_emax_ratio=half_emax / t, operational=operational)


def _log_variances(fits: CurveFits, i: int, span: float) -> tuple[float, float]:
    """Variance of ln Emax and of ln(Emax / EC50)."""
    by_emax = np.zeros(fits.theta.shape[1])
    by_emax[0], by_emax[1] = -1.0 / span, 1.0 / span
    by_power = by_emax.copy()
    by_power[2] = -1.0
    cov = fits.covariance[i]
    return float(by_emax @ cov @ by_emax), float(by_power @ cov @ by_power)


def operational_model(fits: CurveFits, i: int, *, system_max: float) -> Operational:
    """tau and K_A of curve `i` when the system can give at most `system_max` (response units above the curve's own bottom).

    With slope n of the curve: Emax = Em tau^n / (1 + tau^n), EC50 = K_A / ((2 + tau^n)^(1/n) - 1). A full agonist has no
    finite tau: only a curve whose Emax lies below the system's carries one. Intervals by the delta method on ln tau, ln K_A.
    """
    nothing = Estimate(estimate=None, low=None, high=None)
    theta, cov = fits.theta[i], fits.covariance[i]
    emax = abs(float(theta[1] - theta[0]))
    if not 0 < emax / system_max < 1:
        return Operational(tau=nothing, k_a_nM=nothing)

    def logs(p: np.ndarray) -> np.ndarray:
        n = np.exp(p[3])
        share = abs(p[1] - p[0]) / system_max
        tau_n = share / (1.0 - share)
        return np.array([np.log(tau_n) / n, p[2] + np.log((2.0 + tau_n) ** (1.0 / n) - 1.0)])

    centre = logs(theta[:4])
    gradient = np.empty((2, 4))
    for k in range(4):
        step = 1e-6 * max(1.0, abs(float(theta[k])))
        up, down = theta[:4].copy(), theta[:4].copy()
        up[k] += step
        down[k] -= step
        gradient[:, k] = (logs(up) - logs(down)) / (2 * step)
    t = float(stdtrit(max(int(fits.degrees[i]), 1), 0.5 + fits.settings.confidence / 2))
    half = t * np.sqrt(np.diag(gradient @ cov[:4, :4] @ gradient.T))
    ends = [
        Estimate(estimate=float(np.exp(c)), low=float(np.exp(c - h)), high=float(np.exp(c + h)))
        for c, h in zip(centre, half, strict=True)
    ]
    return Operational(tau=ends[0], k_a_nM=ends[1])
