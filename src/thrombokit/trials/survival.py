"""Time to event by arm: curves and medians, the test between arms, cumulative incidence where causes compete; hazard ratios on request.

What competes with the event (rescue, drop-out) is censored in the curves and in the log-rank test, which therefore speak of the rate
among those still at risk; what share of the arm has had the event by a time is the cumulative incidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import altair as alt
import numpy as np

from thrombokit.errors import InputError, raise_all
from thrombokit.trials.competing_risks import compare_incidence, estimate_incidence
from thrombokit.trials.hazard_ratios import HazardRatios
from thrombokit.trials.kaplan_meier import band_faults, estimate_survival, median_of, rule_faults
from thrombokit.trials.log_rank import compare_arms, weight_faults
from thrombokit.trials.survival_data import SurvivalData
from thrombokit.trials.survival_estimates import ArmSurvival, SurvivalEstimates
from thrombokit.trials.survival_pictures import incidence_picture, survival_picture
from thrombokit.trials.survival_words import summary_of


@dataclass(frozen=True, kw_only=True)
class SurvivalResult(SurvivalEstimates):
    """The figures of `SurvivalEstimates`, told in sentences and drawn."""

    def with_cox(self, cox: HazardRatios) -> SurvivalResult:
        """The same with hazard ratios."""
        return replace(self, cox=cox)

    def summary(self) -> str:
        """A few plain sentences."""
        return summary_of(self)

    def plot(self) -> alt.LayerChart:
        """The curves with bands, censorings and numbers at risk."""
        return survival_picture(self)

    def plot_incidence(self) -> alt.LayerChart:
        """The cumulative incidences with numbers at risk; of the event alone where nothing competes."""
        return incidence_picture(self)


def analyse_survival(
    data: SurvivalData, *, conf_type: str = "log", confidence: float = 0.95, median_rule: str = "R", rho: float = 0.0, gamma: float = 0.0
) -> SurvivalResult:  # fmt: skip
    """Curves, medians and the test between the arms.

    Parameters
    ----------
    data : SurvivalData
        Subjects, with arms, strata and causes as they are.
    conf_type : "log", "log-log" or "plain"
        Scale of the bands.
    confidence : float
        Of every interval, two-sided.
    median_rule : "R" or "inf"
        See `kaplan_meier.MEDIAN_RULES`; holds for the limits too.
    rho, gamma : float
        Fleming-Harrington exponents of the test; 0 and 0 is the log-rank test.

    Returns
    -------
    SurvivalResult
        With strata, the tests are stratified; the curves and medians are those of the whole arms.

    Raises
    ------
    InputError
        With every option that is none.
    """
    raise_all([*band_faults(conf_type, confidence), *rule_faults(median_rule), *weight_faults(rho, gamma)], InputError)
    arms = tuple(_arm(data, k, conf_type, confidence, median_rule) for k in range(len(data.arms)))
    several = len(arms) > 1
    causes = range(1, len(data.causes) + 1) if len(data.causes) > 1 else range(0)
    incidences = tuple(
        estimate_incidence(
            data.time[data.arm == k], data.cause[data.arm == k], of=of, arm=name, name=data.causes[of - 1], conf_type=conf_type,
            confidence=confidence,
        )
        for of in causes
        for k, name in enumerate(data.arms)
    )  # fmt: skip
    return SurvivalResult(
        data=data, conf_type=conf_type, confidence=confidence, median_rule=median_rule, arms=arms,
        logrank=compare_arms(data, rho=rho, gamma=gamma) if several else None,
        incidences=incidences, gray=tuple(compare_incidence(data, of=of) for of in causes) if several else (),
    )  # fmt: skip


def _arm(data: SurvivalData, k: int, conf_type: str, confidence: float, rule: str) -> ArmSurvival:
    inside = data.arm == k
    curve = estimate_survival(data.time[inside], data.event[inside], conf_type=conf_type, confidence=confidence)
    return ArmSurvival(
        name=data.arms[k], n=int(inside.sum()), n_events=int(data.event[inside].sum()),
        n_competing=int(np.count_nonzero(data.cause[inside] > 1)), curve=curve, median=median_of(curve, rule=rule),
    )  # fmt: skip
