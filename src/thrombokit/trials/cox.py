"""Cox's proportional hazards model of the arms, through statsmodels (extra [clinical]); the only module of the trials that imports it.

Whether a finite answer exists is settled before the fit: arm k "beats" arm j when k has an event while j is at risk, and the
likelihood has its maximum at finite ratios exactly when each arm can be reached from every other along such wins. Otherwise an
optimiser would stop somewhere on an endless slope and print a large number.

References
----------
Cox DR (1972) J R Stat Soc B 34:187-220, doi:10.1111/j.2517-6161.1972.tb00899.x. Efron B (1977) J Am Stat Assoc 72:557-565,
doi:10.1080/01621459.1977.10480613. Breslow N (1974) Biometrics 30:89-99, doi:10.2307/2529620. The condition is Ford's: Ford LR (1957)
Am Math Mon 64(8):28-33, doi:10.2307/2308513.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thrombokit.domain.estimate import Estimate
from thrombokit.errors import Fault, InputError, MissingExtraError, raise_all
from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.numerics.normal_distribution import chi_square_p, two_sided_p, two_sided_z
from thrombokit.trials.hazard_ratios import HazardRatio, HazardRatios
from thrombokit.trials.log_rank import at_risk_by_arm, events_by_arm
from thrombokit.trials.survival_data import SurvivalData

try:
    import statsmodels.duration.hazard_regression as hazard_regression  # pyright: ignore[reportMissingImports]
except ImportError:  # the extra is not installed
    hazard_regression: Any = None

TIES = ("efron", "breslow")
FLAT = 1e-8
"""The largest score of a search that has ended, in events."""
MOST_STEPS = 200


def fit_cox(data: SurvivalData, *, ties: str = "efron", reference: str | None = None, confidence: float = 0.95) -> HazardRatios:
    """Hazard ratios of the arms against one of them; within strata where the data have them.

    Parameters
    ----------
    data : SurvivalData
        Two arms or more. What competes with the event counts as censored: the ratios are of cause-specific hazards.
    ties : "efron" or "breslow"
        How simultaneous events share the likelihood; Efron's is nearer to the exact one.
    reference : str, optional
        The arm in the denominator; the first by default.
    confidence : float
        Of the Wald intervals, two-sided.

    Returns
    -------
    HazardRatios
        With a verdict; where no finite ratio exists, none is given.

    Raises
    ------
    MissingExtraError
        If statsmodels is not installed.
    InputError
        If there is one arm only, no such reference, or no such way to treat ties.
    """
    if hazard_regression is None:
        raise MissingExtraError('Hazard ratios need statsmodels, which is not installed: pip install "thrombokit[clinical]"')
    raise_all(_faults(data, ties, reference, confidence), InputError)
    data = data.known_strata
    base = data.arms.index(reference) if reference is not None else 0
    verdict, message = _existence(data)
    if verdict != "fit":
        return _without_ratios(data, base, ties, confidence, verdict, message)
    others = [k for k in range(len(data.arms)) if k != base]
    design = np.stack([data.arm == k for k in others], axis=1).astype(np.float64)
    # the order of the times is all that counts; statsmodels loses events at time 0, so that ranks from 1 take their place
    ranks = np.unique(data.time, return_inverse=True)[1] + 1.0
    model: Any = hazard_regression.PHReg(
        ranks, design, status=data.event.astype(np.float64), strata=data.stratum if data.is_stratified else None, ties=ties
    )
    log_ratios, converged = _climb(model, len(others))
    if not converged:
        return _without_ratios(
            data, base, ties, confidence, "not_converged", "The search stopped before the top of the likelihood."
        )
    errors = np.sqrt(np.diag(np.linalg.inv(-model.hessian(log_ratios))))
    log_likelihood = float(model.loglike(log_ratios))
    statistic = max(2.0 * (log_likelihood - float(model.loglike(np.zeros(len(others))))), 0.0)
    ratios = tuple(
        _ratio(data.arms[k], data.arms[base], float(log_ratios[at]), float(errors[at]), confidence) for at, k in enumerate(others)
    )
    return HazardRatios(
        verdict="fit", ties=ties, stratified=data.is_stratified, confidence=confidence, ratios=ratios, log_likelihood=log_likelihood,
        likelihood_ratio=statistic, df=len(others), p=chi_square_p(statistic, len(others)), message="",
    )  # fmt: skip


def _climb(model: Any, n: int) -> tuple[Array, bool]:
    """Log ratios (n,) at the top of the likelihood, and whether the search got there.

    Newton's steps on statsmodels' likelihood, halved until they lead upwards: its own search takes them whole, which in small trials may
    end far out on a slope.
    """
    at = np.zeros(n)
    height = float(model.loglike(at))
    for _ in range(MOST_STEPS):
        score: Array = model.score(at)
        if np.max(np.abs(score)) < FLAT:
            return at, True
        step: Array = np.linalg.solve(-model.hessian(at), score)
        risen = _rise(model, at, height, step)
        if risen is None:  # no step leads higher in the last bits of the likelihood
            return at, bool(np.max(np.abs(score)) < FLAT * max(1e3, abs(height)))
        at, height = risen
    return at, False


def _rise(model: Any, at: Array, height: float, step: Array) -> tuple[Array, float] | None:
    """The first of step, step/2, step/4 ... that does not lead down, and how high it leads; None where none does."""
    while np.max(np.abs(step)) > 1e-14:
        with np.errstate(all="ignore"):
            reached = float(model.loglike(at + step))
        if reached >= height:
            return at + step, reached
        step = 0.5 * step
    return None


def _faults(data: SurvivalData, ties: str, reference: str | None, confidence: float) -> list[Fault]:
    faults: list[Fault] = []
    if len(data.arms) < 2:
        faults.append(Fault(place="arm", found="one arm", expected="two or more", cure="Name the column of the arms."))
    if ties not in TIES:
        faults.append(Fault(place="cox", found=f'"{ties}"', expected="efron or breslow", cure="Write one of them."))
    if reference is not None and reference not in data.arms:
        faults.append(Fault(place="reference", found=f'"{reference}"', expected=f"one of the arms {', '.join(data.arms)}",
                            cure="Write it as in the file."))  # fmt: skip
    if not 0.5 < confidence < 1.0:
        faults.append(
            Fault(place="confidence", found=f"{confidence}", expected="a number above 0.5 and below 1", cure="Write 0.95, say.")
        )
    return faults


def _existence(data: SurvivalData) -> tuple[str, str]:
    """Verdict and message: whether finite ratios exist."""
    if not data.event.any():
        return "no_events", "No subject had the event."
    reached = _reachable(_wins(data))
    unbeaten = [data.arms[k] for k in range(len(data.arms)) if not reached[:, k].all()]
    if not unbeaten:
        return "fit", ""
    return "monotone", (
        f"No finite hazard ratio: while other arms were at risk, {', '.join(unbeaten)} never had an event that would bound it "
        "(directly or through a third arm). The log-rank test holds all the same."
    )


def _wins(data: SurvivalData) -> BoolArray:
    """[j, k]: whether arm k had an event while arm j was at risk in the same stratum, shape (arms, arms)."""
    size = len(data.arms)
    wins = np.zeros((size, size))
    for stratum in range(len(data.strata)):
        inside = data.stratum == stratum
        time, event, arm = data.time[inside], data.event[inside], data.arm[inside]
        times = np.unique(time[event])
        present = at_risk_by_arm(time, arm, size, times) > 0
        had = events_by_arm(time, event, arm, size, times) > 0
        wins += present.T.astype(np.float64) @ had.astype(np.float64)
    return wins > 0.0


def _reachable(step: BoolArray) -> BoolArray:
    """[j, k]: whether k can be reached from j along steps, each from itself too."""
    reached = step | np.eye(step.shape[0], dtype=np.bool_)
    for middle in range(step.shape[0]):
        reached |= reached[:, [middle]] & reached[[middle], :]
    return reached


def _ratio(arm: str, reference: str, log_ratio: float, std_error: float, confidence: float) -> HazardRatio:
    half = two_sided_z(confidence) * std_error
    limits = Estimate(estimate=float(np.exp(log_ratio)), low=float(np.exp(log_ratio - half)), high=float(np.exp(log_ratio + half)))
    return HazardRatio(arm=arm, reference=reference, ratio=limits, log_ratio=log_ratio, std_error=std_error,
                       p=two_sided_p(log_ratio / std_error))  # fmt: skip


def _without_ratios(data: SurvivalData, base: int, ties: str, confidence: float, verdict: str, message: str) -> HazardRatios:
    none = Estimate(estimate=None, low=None, high=None)
    ratios = tuple(
        HazardRatio(arm=arm, reference=data.arms[base], ratio=none, log_ratio=None, std_error=None, p=None)
        for k, arm in enumerate(data.arms)
        if k != base
    )
    return HazardRatios(
        verdict=verdict, ties=ties, stratified=data.is_stratified, confidence=confidence, ratios=ratios, log_likelihood=None,
        likelihood_ratio=None, df=len(data.arms) - 1, p=None, message=message,
    )  # fmt: skip
