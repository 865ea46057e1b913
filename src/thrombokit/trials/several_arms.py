"""Several arms, each against one reference: pairwise comparisons, and p values adjusted for their number.

Holm's adjustment holds in any order; the fixed sequence tests the arms in the order given and stops at the first that fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from thrombokit.errors import Fault, InputError
from thrombokit.trials.multiplicity import fixed_sequence, holm
from thrombokit.trials.proportions import ProportionComparison, compare_proportions
from thrombokit.trials.strata import Strata
from thrombokit.trials.stratified import StratifiedComparison, compare_strata
from thrombokit.trials.two_by_two import TwoByTwo

SCHEMA = "thrombokit.arms/1"
Counts = Mapping[str, Mapping[str, tuple[int, int]]]
"""Arm -> stratum -> (responders, size); one stratum, named "", where there are none."""


@dataclass(frozen=True, kw_only=True)
class ArmComparison:
    """One arm against the reference: `pooled` over strata, `stratified` where there are any, p adjusted over all arms."""

    arm: str
    reference: str
    pooled: ProportionComparison
    stratified: StratifiedComparison | None
    test: str
    p: float
    p_holm: float
    p_fixed_sequence: float

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        pooled = {key: value for key, value in self.pooled.to_dict().items() if key not in ("schema", "confidence")}
        stratified = None if self.stratified is None else self.stratified.to_dict()
        adjusted = {"test": self.test, "p": self.p, "holm": self.p_holm, "fixed_sequence": self.p_fixed_sequence}
        return {"arm": self.arm, "reference": self.reference, **pooled, "stratified": stratified, "multiplicity": adjusted}


@dataclass(frozen=True, kw_only=True)
class ArmsComparison:
    """Every arm against the reference, in the order in which a fixed sequence tests them."""

    confidence: float
    comparisons: tuple[ArmComparison, ...]

    def to_dict(self) -> dict[str, Any]:
        """What `thrombokit trials proportions --json` prints for a file or for three arms and more."""
        return {"schema": SCHEMA, "confidence": self.confidence, "comparisons": [c.to_dict() for c in self.comparisons]}

    def table(self) -> pl.DataFrame:
        """One row per arm, measure and method: estimate, limits or p."""
        rows = [
            {"arm": c.arm, "reference": c.reference, **row} for c in self.comparisons for row in (*c.pooled.to_rows(), *_rows(c))
        ]
        words = ("arm", "reference", "measure", "method")
        numbers = ("estimate", "low", "high", "p")
        return pl.DataFrame(rows, schema={**dict.fromkeys(words, pl.String), **dict.fromkeys(numbers, pl.Float64)})

    def summary(self) -> str:
        """A sentence an arm, and the adjusted p values where there are several."""
        lines = [f"{c.arm} against {c.reference}: {c.pooled.summary()}{_stratified_words(c)}" for c in self.comparisons]
        if len(self.comparisons) > 1:
            told = ", ".join(f"{c.arm} {c.p_holm:.3g} (in sequence {c.p_fixed_sequence:.3g})" for c in self.comparisons)
            lines.append(f"Adjusted for {len(self.comparisons)} comparisons, Holm: {told}.")
        return "\n".join(lines)


def compare_arms(counts: Counts, *, reference: str, confidence: float = 0.95) -> ArmsComparison:
    """Each arm against the reference.

    Parameters
    ----------
    counts : mapping
        Arm -> stratum -> (responders, size); arms in the order a fixed sequence tests them.
    reference : str
        The arm that the others are compared with.
    confidence : float
        Of every interval, two-sided.

    Returns
    -------
    ArmsComparison
        The p that is adjusted is Fisher's without strata, the exact conditional one with them.

    Raises
    ------
    InputError
        An unknown reference, a single arm, counts that are no counts, or no stratum in which both arms have subjects.
    """
    if reference not in counts or len(counts) < 2:
        raise InputError(Fault(place="arms", found=f"{', '.join(counts) or 'no arm'}; reference {reference}", cure="Name one of the arms.",
                               expected="two arms or more, the reference among them"))  # fmt: skip
    found = [_compared(arm, counts[arm], reference, counts[reference], confidence) for arm in counts if arm != reference]
    adjusted = zip(found, holm([p for *_, p in found]), fixed_sequence([p for *_, p in found]), strict=True)
    return ArmsComparison(
        confidence=confidence,
        comparisons=tuple(
            ArmComparison(
                arm=arm,
                reference=reference,
                pooled=pooled,
                stratified=stratified,
                test=test,
                p=p,
                p_holm=p_holm,
                p_fixed_sequence=last,
            )
            for (arm, pooled, stratified, test, p), p_holm, last in adjusted
        ),
    )


def _compared(
    arm: str, first: Mapping[str, tuple[int, int]], reference: str, second: Mapping[str, tuple[int, int]], confidence: float
) -> tuple[str, ProportionComparison, StratifiedComparison | None, str, float]:
    (a, n), (b, m) = (tuple(sum(side) for side in zip(*arms.values(), strict=True)) for arms in (first, second))
    pooled = compare_proportions(a, n, b, m, confidence=confidence)
    if set(first) | set(second) == {""}:
        return arm, pooled, None, "fisher", _known(pooled.p_values["fisher"])
    stratified = compare_strata(_strata(first, second), confidence=confidence)
    return arm, pooled, stratified, "exact_conditional", _known(stratified.exact.p)


def _known(p: float | None) -> float:
    return 1.0 if p is None else p


def _strata(first: Mapping[str, tuple[int, int]], second: Mapping[str, tuple[int, int]]) -> Strata:
    both = [name for name in first if name in second and first[name][1] > 0 and second[name][1] > 0]
    others = [name for name in dict.fromkeys((*first, *second)) if name not in both]
    tables = tuple(TwoByTwo(a=first[name][0], n=first[name][1], b=second[name][0], m=second[name][1]) for name in both)
    return Strata(names=tuple(both), tables=tables, without_comparison=tuple(others))


def _rows(comparison: ArmComparison) -> list[dict[str, Any]]:
    found = comparison.stratified
    rows = [_row("adjusted p", "holm", None, None, None, comparison.p_holm),
            _row("adjusted p", "fixed_sequence", None, None, None, comparison.p_fixed_sequence)]  # fmt: skip
    if found is None:
        return rows
    measures = [("stratified risk difference", name, found.difference, i) for name, i in found.difference_intervals.items()]
    measures += [
        ("common odds ratio", "mantel_haenszel", found.odds_ratio.estimate, found.odds_ratio.interval),
        ("common odds ratio", "exact_conditional", found.exact.estimate, found.exact.interval),
        ("common odds ratio", "firth", found.firth.estimate, found.firth.interval),
        ("common risk ratio", "mantel_haenszel", found.risk_ratio.estimate, found.risk_ratio.interval),
    ]
    rows += [_row(measure, method, estimate, *i.to_list()) for measure, method, estimate, i in measures]
    rows += [_row("no difference within strata", name, None, None, None, test.p) for name, test in found.tests.items()]
    rows.append(_row("no difference within strata", "exact_conditional", None, None, None, found.exact.p))
    return rows + [_row("one odds ratio in all strata", name, None, None, None, h.p) for name, h in found.homogeneity.items()]


def _row(
    measure: str, method: str, estimate: float | None, low: float | None, high: float | None, p: float | None = None
) -> dict[str, Any]:
    return {"measure": measure, "method": method, "estimate": estimate, "low": low, "high": high, "p": p}


def _stratified_words(comparison: ArmComparison) -> str:
    found = comparison.stratified
    if found is None:
        return ""
    low, high = (
        100 * limit
        for limit in (found.difference_intervals["miettinen_nurminen"].low, found.difference_intervals["miettinen_nurminen"].high)
    )
    p = "not computable" if found.tests["cmh"].p is None else f"{found.tests['cmh'].p:.3g}"
    left = f" {len(found.strata.without_comparison)} strata lack one of the arms." if found.strata.without_comparison else ""
    return (f" Within {len(found.strata.tables)} strata the difference is {100 * found.difference:.1f} points "
            f"({100 * found.confidence:g} % Miettinen-Nurminen {low:.1f} to {high:.1f}), CMH p = {p}.{left}")  # fmt: skip
