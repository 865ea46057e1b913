"""What is estimated, as data: the endpoint, what a rescue means, what a missing count means, in whom, and how arms are compared.

Nothing here computes; `analyse_trial` does what an `Estimand` says, so that several can stand side by side and a file says the same as the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from thrombokit.trials.visit_windows import VisitPlan


class EndpointKind(StrEnum):
    """What is read off the counts."""

    AT_WEEK = "response_at_week"
    AT_LEAST_ONCE = "response_at_least_once"
    AT_SHARE = "response_at_share_of_visits"
    DURABLE = "durable_response"
    FIRST_RESPONSE = "time_to_first_response"
    RELAPSE = "time_to_relapse"
    PLATELET_DAYS = "days_in_range"
    CHANGE = "change_from_baseline"


RESPONSES = (EndpointKind.AT_WEEK, EndpointKind.AT_LEAST_ONCE, EndpointKind.AT_SHARE, EndpointKind.DURABLE)
TIMES = (EndpointKind.FIRST_RESPONSE, EndpointKind.RELAPSE)


class RescueRule(StrEnum):
    """What a rescue does to the counts after it."""

    AS_MEASURED = "as_measured"
    FAILURE_FROM_RESCUE = "failure_from_rescue"
    FAILURE_FOR = "failure_for"
    SET_MISSING = "set_missing"


class MissingRule(StrEnum):
    """What a visit without a count means."""

    NON_RESPONDER = "non_responder"
    LOCF = "locf"
    OBSERVED = "observed_only"
    TIPPING_POINT = "tipping_point"


class Population(StrEnum):
    """Who is analysed, always in the arm of randomisation."""

    ENROLLED = "enrolled"
    TREATED = "treated"


class Difference(StrEnum):
    """Interval of a difference of two shares."""

    MIETTINEN_NURMINEN = "miettinen_nurminen"
    MEE = "mee"
    NEWCOMBE = "newcombe"


class OddsRatio(StrEnum):
    """Interval of an odds ratio without strata."""

    SCORE = "score"
    WALD = "wald"
    EXACT = "exact_conditional"


class ShareTest(StrEnum):
    """Test of no difference between two shares; the last two hold strata."""

    FISHER = "fisher"
    CHI_SQUARE = "chi_square"
    BOSCHLOO = "boschloo"
    CMH = "cmh"
    EXACT = "exact_conditional"


STRATIFIED_TESTS = (ShareTest.CMH, ShareTest.EXACT)


class Adjustment(StrEnum):
    """How p values of several arms are adjusted."""

    HOLM = "holm"
    FIXED_SEQUENCE = "fixed_sequence"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Rescue:
    """`rule`, and for `failure_for` the `days` of failure from the day of each rescue on."""

    rule: RescueRule = RescueRule.AS_MEASURED
    days: float | None = None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One endpoint; fields that its kind does not use keep their defaults.

    A response is a count of `threshold_1e9_per_L` or more, and, where `times_baseline` is given, that many times the baseline or more. `week`: of the
    response; `share`: of visits; `at_least` of the `of_last` planned visits: durable; `from_week` to `to_week`: days in range from
    `low_1e9_per_L` to `high_1e9_per_L`; `after`: relapse after the first "response" or after the "stop" of treatment.
    """

    kind: EndpointKind
    threshold_1e9_per_L: float = 50.0
    times_baseline: float | None = None
    week: float | None = None
    share: float = 0.75
    at_least: int = 6
    of_last: int = 8
    from_week: float = 0.0
    to_week: float | None = None
    low_1e9_per_L: float = 50.0
    high_1e9_per_L: float = 200.0
    after: str = "response"

    def used(self) -> dict[str, Any]:
        """The fields that this kind reads."""
        response = {"threshold_1e9_per_L": self.threshold_1e9_per_L, "times_baseline": self.times_baseline}
        by_kind: dict[EndpointKind, dict[str, Any]] = {
            EndpointKind.AT_WEEK: {"week": self.week, **response},
            EndpointKind.AT_LEAST_ONCE: response,
            EndpointKind.AT_SHARE: {"share": self.share, **response},
            EndpointKind.DURABLE: {"at_least": self.at_least, "of_last": self.of_last, **response},
            EndpointKind.FIRST_RESPONSE: response,
            EndpointKind.RELAPSE: {"after": self.after, **response},
            EndpointKind.PLATELET_DAYS: {
                "from_week": self.from_week, "to_week": self.to_week, "low_1e9_per_L": self.low_1e9_per_L,
                "high_1e9_per_L": self.high_1e9_per_L,
            },
            EndpointKind.CHANGE: {},
        }  # fmt: skip
        return {"kind": self.kind.value, **{key: value for key, value in by_kind[self.kind].items() if value is not None}}


@dataclass(frozen=True, kw_only=True)
class Estimand:
    """One estimand by `name`. `tier` says of its lines where they were read, or that they are assumed."""

    name: str
    endpoint: Endpoint
    role: str = ""
    rescue: Rescue = field(default_factory=Rescue)
    missing: MissingRule = MissingRule.NON_RESPONDER
    population: Population = Population.ENROLLED
    strata: tuple[str, ...] = ()
    confidence: float = 0.95
    difference: Difference = Difference.MIETTINEN_NURMINEN
    odds_ratio: OddsRatio = OddsRatio.SCORE
    test: ShareTest | None = None
    adjust: Adjustment = Adjustment.HOLM
    covariance: str = "us"
    dropout_competes: bool = True
    tier: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_response(self) -> bool:
        """Whether each subject either responded or did not."""
        return self.endpoint.kind in RESPONSES

    @property
    def test_used(self) -> ShareTest:
        """The test named, else Fisher's without strata and Cochran-Mantel-Haenszel's with them."""
        return self.test or (ShareTest.CMH if self.strata else ShareTest.FISHER)

    def options(self) -> dict[str, Any]:
        """Everything that its numbers depend on, as plain values."""
        kind = self.endpoint.kind
        shown: dict[str, Any] = {
            "endpoint": self.endpoint.used(),
            "population": self.population.value,
            "confidence": self.confidence,
        }
        shown["rescue"] = {"rule": self.rescue.rule.value, **({} if self.rescue.days is None else {"days": self.rescue.days})}
        if kind in RESPONSES or kind is EndpointKind.PLATELET_DAYS:
            shown["missing"] = self.missing.value
        if kind in RESPONSES:
            shown |= {"difference": self.difference.value, "odds_ratio": self.odds_ratio.value, "test": self.test_used.value}
        if kind in TIMES:
            shown["dropout"] = "competes" if self.dropout_competes else "censors"
        if kind is EndpointKind.CHANGE:
            shown["covariance"] = self.covariance
        return shown | {"strata": list(self.strata), "adjust": self.adjust.value}


@dataclass(frozen=True, kw_only=True)
class EstimandPlan:
    """Estimands of one trial with the visits they share; the first one leads the pictures. `reference` is None for a single arm.

    `arms` is the order of the others in a fixed sequence (the data's, where empty); `subgroups` are factors of the forest.
    """

    estimands: tuple[Estimand, ...]
    visits: VisitPlan
    reference: str | None = None
    arms: tuple[str, ...] = ()
    subgroups: tuple[str, ...] = ()
    title: str = ""
    source: str = ""
