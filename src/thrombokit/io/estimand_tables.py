"""One [[estimand]] table after another: endpoint, rescue, missing, population, strata, comparison, and where each line comes from.

A key that an endpoint does not read is a fault: passed over in silence it would seem to have been heeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from thrombokit.domain.toml_faults import found_words, one_of
from thrombokit.domain.toml_table import TableReader
from thrombokit.errors import Fault
from thrombokit.numerics.visit_covariance import STRUCTURES
from thrombokit.trials.estimand import (
    RESPONSES,
    STRATIFIED_TESTS,
    TIMES,
    Adjustment,
    Difference,
    Endpoint,
    EndpointKind,
    Estimand,
    MissingRule,
    OddsRatio,
    Population,
    Rescue,
    RescueRule,
    ShareTest,
)  # fmt: skip

RULES = ("rescue", "missing", "population", "strata", "confidence", "compare", "dropout", "endpoint")
_RESPONSE_KEYS = ("threshold_1e9_per_L", "times_baseline")
ENDPOINT_KEYS: dict[EndpointKind, tuple[str, ...]] = {
    EndpointKind.AT_WEEK: ("week", *_RESPONSE_KEYS),
    EndpointKind.AT_LEAST_ONCE: _RESPONSE_KEYS,
    EndpointKind.AT_SHARE: ("share", *_RESPONSE_KEYS),
    EndpointKind.DURABLE: ("at_least", "of_last", *_RESPONSE_KEYS),
    EndpointKind.FIRST_RESPONSE: _RESPONSE_KEYS,
    EndpointKind.RELAPSE: ("after", *_RESPONSE_KEYS),
    EndpointKind.PLATELET_DAYS: ("from_week", "to_week", "low_1e9_per_L", "high_1e9_per_L"),
    EndpointKind.CHANGE: (),
}
"""What each endpoint reads."""
NUMBERS = {
    "week": "a planned week", "share": "a share of visits, above 0 and at most 1", "threshold_1e9_per_L": "a count in 1e9/L, above 0",
    "times_baseline": "a multiple of the baseline, above 0", "from_week": "a week, 0 or later", "to_week": "a week after from_week",
    "low_1e9_per_L": "a count in 1e9/L, 0 or more", "high_1e9_per_L": "a count in 1e9/L, above low_1e9_per_L",
}  # fmt: skip


class Dropout(StrEnum):
    """What a drop-out is to a time to event."""

    COMPETES = "competes"
    CENSORS = "censors"


class After(StrEnum):
    """What a relapse comes after."""

    RESPONSE = "response"
    STOP = "stop"


def read_estimands(tables: Sequence[TableReader], *, weeks: Sequence[float]) -> tuple[Estimand, ...]:
    """The estimands in their order; one with a fault is left out (the faults are noted).

    Parameters
    ----------
    tables : sequence of TableReader
        One an estimand.
    weeks : sequence of float
        The planned weeks; () where they could not be read.
    """
    found = [_estimand(table, weeks) for table in tables]
    seen: set[str] = set()
    for table in tables:
        name = table.values.get("name")
        if isinstance(name, str) and name in seen:
            table.fault("name", expected="a name of its own for each estimand", cure="Rename one of them.")
        seen.add(str(name))
    return tuple(one for one in found if one is not None)


def _estimand(table: TableReader, weeks: Sequence[float]) -> Estimand | None:
    before = len(table.faults)
    name = table.text("name", expected="a name", example='name = "response at week 8"')
    role = table.text("role", expected="such as primary or supportive")
    kind, endpoint = _endpoint(table, weeks)
    rescue = _rescue(table, kind)
    missing = table.choice("missing", MissingRule)
    _check_missing(table, kind, missing)
    population = table.choice("population", Population)
    strata = table.texts("strata", expected="factors of the subjects")
    confidence = table.number("confidence", expected="above 0.5 and below 1")
    if confidence is not None and not 0.5 < confidence < 1.0:
        table.fault("confidence", expected="above 0.5 and below 1", cure="Usual is 0.95.")
    dropout = table.choice("dropout", Dropout)
    if dropout is not None and kind is not None and kind not in TIMES:
        table.fault(
            "dropout", found=f"dropout beside {kind.value}", expected="it beside a time to an event", cure="Remove the key."
        )
    chosen = _compare(table, kind, strata)
    tier = _tier(table)
    table.close()
    if len(table.faults) > before or name is None or endpoint is None:
        return None
    estimand = Estimand(
        name=name, role=role or "", endpoint=endpoint, rescue=rescue, missing=missing or MissingRule.NON_RESPONDER,
        population=population or Population.ENROLLED, strata=strata, confidence=0.95 if confidence is None else confidence,
        dropout_competes=dropout is not Dropout.CENSORS, tier=tier,
    )  # fmt: skip
    return replace(estimand, **chosen)


def _endpoint(table: TableReader, weeks: Sequence[float]) -> tuple[EndpointKind | None, Endpoint | None]:
    """The kind where it is known, so that what depends on it is checked too, and the endpoint where nothing in it is wrong."""
    example = 'endpoint = {kind = "response_at_week", week = 8, threshold_1e9_per_L = 50}'
    table.anything("endpoint", expected="what is read off the counts", example=example)
    inner = table.table("endpoint")
    if inner is None:
        return None, None
    before = len(table.faults)
    kind = inner.choice("kind", EndpointKind, example='kind = "response_at_week"')
    if kind is None:
        inner.close(passed_over=inner.values)
        return None, None
    values: dict[str, Any] = {}
    for key in ENDPOINT_KEYS[kind]:
        value = _endpoint_value(inner, key)
        if value is not None:
            values[key] = value
    _check_endpoint(inner, kind, values, weeks)
    inner.close()
    return kind, Endpoint(kind=kind, **values) if len(table.faults) == before else None


def _endpoint_value(inner: TableReader, key: str) -> Any:
    if key in ("at_least", "of_last"):
        return inner.whole_number(key, expected="a whole number of visits, 1 or more")
    if key == "after":
        chosen = inner.choice(key, After)
        return None if chosen is None else chosen.value
    above = None if key in ("from_week", "low_1e9_per_L") else 0.0
    return inner.number(key, expected=NUMBERS[key], above=above)


def _check_endpoint(inner: TableReader, kind: EndpointKind, values: dict[str, Any], weeks: Sequence[float]) -> None:
    usual = Endpoint(kind=kind)
    if kind is EndpointKind.AT_WEEK and weeks:
        known = ", ".join(f"{w:g}" for w in weeks)
        if "week" not in inner.values:
            place = inner.places.place_of((*inner.path, "week"))
            inner.faults.append(
                Fault(place=place, found='no key "week"', expected=f"a planned week: {known}", cure=f"Add week = {weeks[-1]:g}.")
            )
        elif "week" in values and not any(abs(values["week"] - w) < 1e-9 for w in weeks):
            inner.fault("week", expected=f"a planned week: {known}", cure="Plan the visit under [visits], or name another week.")
    if values.get("share", 0.5) > 1.0:
        inner.fault("share", expected=NUMBERS["share"], cure="Write 0.75 for 75 %.")
    if kind is EndpointKind.DURABLE:
        at_least, of_last = values.get("at_least", usual.at_least), values.get("of_last", usual.of_last)
        if not 1 <= at_least <= of_last:
            inner.fault(
                "at_least",
                found=f"{at_least} of {of_last}",
                expected="1 or more, and no more than of_last",
                cure="Correct at_least or of_last.",
            )
        if weeks and of_last > len(weeks):
            inner.fault(
                "of_last",
                found=f"{of_last}",
                expected=f"at most the {len(weeks)} planned visits",
                cure="Plan more visits, or ask for fewer.",
            )
    if kind is EndpointKind.PLATELET_DAYS:
        start, end = values.get("from_week", 0.0), values.get("to_week", weeks[-1] if weeks else None)
        if start < 0.0 or (end is not None and end <= start):
            inner.fault("from_week", found=f"weeks {start:g} to {end:g}" if end is not None else f"week {start:g}",
                        expected="a period that begins at 0 or later and ends after that", cure="Correct from_week or to_week.")  # fmt: skip
        low, high = values.get("low_1e9_per_L", usual.low_1e9_per_L), values.get("high_1e9_per_L", usual.high_1e9_per_L)
        if not 0.0 <= low < high:
            inner.fault(
                "low_1e9_per_L",
                found=f"{low:g} to {high:g}",
                expected="a range from 0 or more to something above",
                cure="Correct the range.",
            )


def _rescue(table: TableReader, kind: EndpointKind | None) -> Rescue:
    inner = table.table("rescue")
    if inner is None:
        return Rescue()
    rule = inner.choice("rule", RescueRule, example='rule = "failure_from_rescue"')
    days = inner.number("days", expected="days of failure after a rescue, above 0", above=0.0)
    if rule is RescueRule.FAILURE_FOR and "days" not in inner.values:
        place = inner.places.place_of((*inner.path, "days"))
        inner.faults.append(
            Fault(place=place, found='no key "days"', expected="how long a rescue counts as failure", cure="Add days = 28, say.")
        )
    if rule is not None and rule is not RescueRule.FAILURE_FOR and days is not None:
        inner.fault(
            "days", found=f"days beside {rule.value}", expected="it beside failure_for", cure="Remove it, or choose failure_for."
        )
    if kind is EndpointKind.CHANGE and rule in (RescueRule.FAILURE_FROM_RESCUE, RescueRule.FAILURE_FOR):
        inner.fault("rule", expected="as_measured or set_missing: a mean of counts knows no failure", cure="Choose one of these.")
    inner.close()
    return Rescue(rule=rule or RescueRule.AS_MEASURED, days=days)


def _check_missing(table: TableReader, kind: EndpointKind | None, missing: MissingRule | None) -> None:
    if missing is None or kind is None or kind in RESPONSES:
        return
    if kind is EndpointKind.PLATELET_DAYS and missing is not MissingRule.TIPPING_POINT:
        return
    known = "non_responder, locf or observed_only" if kind is EndpointKind.PLATELET_DAYS else f"no such key beside {kind.value}"
    table.fault("missing", expected=known,
                cure="Remove it: what is missing is censored or left to the model." if kind is not EndpointKind.PLATELET_DAYS
                else "Choose one of these.")  # fmt: skip


def _compare(table: TableReader, kind: EndpointKind | None, strata: Sequence[str]) -> dict[str, Any]:
    """Fields of an `Estimand` that say how arms are compared."""
    inner = table.table("compare")
    if inner is None:
        return {}
    chosen: dict[str, Any] = {"adjust": inner.choice("adjust", Adjustment)}
    if kind is EndpointKind.CHANGE:
        covariance = inner.text("covariance", expected=one_of(STRUCTURES))
        if covariance is not None and covariance not in STRUCTURES:
            inner.fault("covariance", expected=one_of(STRUCTURES), cure="Choose one of these.")
        chosen["covariance"] = covariance
    elif kind in RESPONSES:
        chosen |= {"difference": inner.choice("difference", Difference), "odds_ratio": inner.choice("odds_ratio", OddsRatio),
                   "test": inner.choice("test", ShareTest)}  # fmt: skip
        _check_strata(inner, chosen, strata)
    inner.close()
    return {key: value for key, value in chosen.items() if value is not None}


def _check_strata(inner: TableReader, chosen: dict[str, Any], strata: Sequence[str]) -> None:
    test = chosen["test"]
    if test is ShareTest.CMH and not strata:
        inner.fault(
            "test",
            found="cmh without strata",
            expected="a test of one table",
            cure='Add strata, or choose "chi_square" or "fisher".',
        )
    if test is ShareTest.EXACT and not strata:
        inner.fault(
            "test",
            found="exact_conditional without strata",
            expected="a test of one table",
            cure='Choose "fisher", which is the same, or add strata.',
        )
    if strata and test is not None and test not in STRATIFIED_TESTS:
        inner.fault(
            "test",
            found=f"{test.value} beside strata",
            expected="cmh or exact_conditional",
            cure="Choose one of these, or remove the strata.",
        )
    if strata and chosen["difference"] is Difference.MEE:
        inner.fault("difference", found="mee beside strata", expected="miettinen_nurminen or newcombe", cure="Choose one of these.")
    if strata and chosen["odds_ratio"] in (OddsRatio.SCORE, OddsRatio.WALD):
        inner.fault("odds_ratio", found=f"{chosen['odds_ratio'].value} beside strata",
                    expected="exact_conditional, or no key for Mantel and Haenszel's",
                    cure="Remove the key, or choose exact_conditional.")  # fmt: skip


def _tier(table: TableReader) -> dict[str, str]:
    """Where each line comes from: key -> a sentence."""
    inner = table.table("tier")
    if inner is None:
        return {}
    found: dict[str, str] = {}
    for key, value in inner.values.items():
        if key not in RULES:
            continue
        text = inner.text(key, expected="a sentence that begins with read or assumed")
        if text is not None and not text.startswith(("read", "assumed")):
            inner.fault(
                key,
                found=found_words(value),
                expected='a sentence that begins with "read" or "assumed"',
                cure='Write "assumed: ..." or "read: ...".',
            )
        elif text is not None:
            found[key] = text
    inner.close()
    return found
