"""Megakaryocytes per CD34+ cell, carried through every feed, split and sample of a culture, with an interval.

At each count: MKs in the vessel = concentration x volume; divided by the fraction of the culture that is still in the vessel, they are the
MKs that the whole culture would hold, so those taken away by samples, splits and half-feeds are counted as if they had stayed; divided by
the CD34+ cells seeded, they are the cumulative yield. Cells lost in washing before the beads go in, and evaporation, are not seen.

Sources of error: Poisson counts of MKs and beads, the lot of beads, every pipetted volume, cells counted by hand. The lot and the seeding are
common to cultures that share them: they widen each yield but not the ratio of two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from thrombokit.cells.culture_events import (
    ByBeads,
    ByVolume,
    CountingErrors,
    Culture,
    Feed,
    ManualCount,
    Sampling,
    Seed,
    Split,
    culture_faults,
)
from thrombokit.domain.estimate import Estimate
from thrombokit.errors import InputError, raise_all
from thrombokit.numerics.propagation import (
    Spread,
    Uncertain,
    count_spread,
    exact,
    factor_spread,
    interval_of,
    measured,
    share_spread,
    upper_limit_of_none,
    variance_shares,
)

FEW_COUNTS = 20
"""Below this many MKs or beads a yield is called rough: its interval is more than twofold wide."""


@dataclass(frozen=True, kw_only=True)
class YieldPoint:
    """The yield at one sample or count.

    Both estimates have intervals of `confidence`. `verdict`: "counted", "few_counts", "no_MKs_counted" (estimate 0, the upper limit still
    holds) or "not_counted" (nothing to compute from; `message` says what is missing). `kept_fraction` is the part of the culture still in
    the vessel. `error_shares` says what the interval comes from: source -> share of its squared width.
    """

    culture: str
    donor: str
    day_d: float
    tube: str
    method: str
    verdict: str
    MKs_per_CD34: Estimate
    MKs_in_vessel: Estimate
    kept_fraction: float
    volume_mL: float
    MKs_counted: int | None = None
    confidence: float = 0.95
    error_shares: dict[str, float] = field(default_factory=dict[str, float])
    message: str = ""


@dataclass
class _Ledger:
    """The state of a culture while its events are followed; `spreads` grows with each source met."""

    errors: CountingErrors
    confidence: float
    spreads: dict[str, Spread] = field(default_factory=dict[str, Spread])
    seeded: Uncertain = field(default_factory=lambda: exact(1.0))
    volume_mL: Uncertain = field(default_factory=lambda: exact(0.0))
    kept: Uncertain = field(default_factory=lambda: exact(1.0))

    def pipetted(self, volume: float, what: str) -> Uncertain:
        return self.factor(volume, f"pipetting, {what}", self.errors.pipetting_cv) if volume > 0 else exact(0.0)

    def factor(self, value: float, source: str, cv: float) -> Uncertain:
        self.spreads[source] = factor_spread(cv, confidence=self.confidence)
        return measured(value, source)

    def counted(self, count: int, source: str) -> Uncertain:
        self.spreads[source] = count_spread(count, confidence=self.confidence)
        return measured(float(count), source)

    def take(self, volume: Uncertain) -> None:
        """Suspension leaves the vessel."""
        left = self.volume_mL - volume
        self.kept = self.kept * left / self.volume_mL
        self.volume_mL = left


def follow_culture(culture: Culture, *, errors: CountingErrors | None = None, confidence: float = 0.95) -> tuple[YieldPoint, ...]:
    """The yield at every sample and count of a culture.

    Parameters
    ----------
    culture : Culture
        Its events, the seeding first.
    errors : CountingErrors, optional
        Coefficients of variation of volumes and of counts by hand; assumed ones without it.
    confidence : float
        Of the intervals, two-sided.

    Returns
    -------
    tuple of YieldPoint
        One for each sampling that was meant to be counted and each manual count, in their order.

    Raises
    ------
    InputError
        If the ledger cannot be: no seeding, days that go back, more taken than is there.
    """
    raise_all(culture_faults(culture), InputError)
    ledger = _Ledger(errors=errors or CountingErrors(), confidence=confidence)
    points: list[YieldPoint] = []
    for number, event in enumerate(culture.events, 1):
        match event:
            case Seed():
                cv = ledger.errors.manual_count_cv if event.cv is None else event.cv
                ledger.seeded = ledger.factor(event.CD34_cells, "cells seeded", cv)
                ledger.volume_mL = ledger.pipetted(event.volume_mL, f"event {number} seeded")
            case Feed():
                _feed(ledger, event, number)
            case Split():
                kept = exact(1.0) if event.kept_fraction == 1.0 else ledger.pipetted(event.kept_fraction, f"event {number} split")
                ledger.kept = ledger.kept * kept
                ledger.volume_mL = ledger.volume_mL * kept + ledger.pipetted(event.added_mL, f"event {number} added")
            case Sampling():
                if event.measure is not None:
                    points.append(_sampled(ledger, culture, event, number))
                ledger.take(ledger.pipetted(event.volume_mL, f"event {number} taken"))
            case ManualCount():
                points.append(_counted_by_hand(ledger, culture, event, number))
    return tuple(points)


def _feed(ledger: _Ledger, event: Feed, number: int) -> None:
    removed = ledger.pipetted(event.removed_mL, f"event {number} removed")
    if event.cells_lost:
        ledger.take(removed)
    else:
        ledger.volume_mL = ledger.volume_mL - removed
    ledger.volume_mL = ledger.volume_mL + ledger.pipetted(event.added_mL, f"event {number} added")


def _sampled(ledger: _Ledger, culture: Culture, event: Sampling, number: int) -> YieldPoint:
    measure = event.measure
    method = "beads" if isinstance(measure, ByBeads) else "volume"
    beads = measure.acquired if isinstance(measure, ByBeads) else 1
    which = f"tube {event.tube}" if event.tube else f"the sample of day {event.day_d:g}"
    if event.MKs_acquired is None:
        return _empty(ledger, culture, event, method, f"The MKs of {which} were not counted.")
    if not beads:
        said = "were not counted" if beads is None else "are none: they were not added, or their gate misses them"
        return _empty(ledger, culture, event, method, f"The beads of {which} {said}.")
    MKs, source = event.MKs_acquired, f"MKs counted, event {number}"
    if MKs > 0:
        ledger.spreads[source] = count_spread(MKs, confidence=ledger.confidence)
    stained = ledger.pipetted(event.volume_mL if event.stained_mL is None else event.stained_mL, f"event {number} stained")
    per_MK = _scale_of(ledger, measure, number) / stained
    least = min(MKs, beads or 0) if method == "beads" else MKs
    return _point(ledger, culture, event, method=method, MKs=MKs, source=source, per_MK=per_MK, least=least)


def _scale_of(ledger: _Ledger, measure: ByBeads | ByVolume | None, number: int) -> Uncertain:
    """MKs in the tube per MK acquired."""
    if isinstance(measure, ByBeads):
        assert measure.acquired  # seen to by the caller
        lot = ledger.factor(measure.lot.beads_per_uL, f"bead lot {measure.lot.name}", measure.lot.cv)
        added = lot * ledger.pipetted(measure.added_uL, f"event {number} beads")
        return added / ledger.counted(measure.acquired, f"beads counted, event {number}")
    assert measure is not None  # seen to by the caller
    return ledger.pipetted(measure.tube_uL, f"event {number} tube") / measure.acquired_uL


def _counted_by_hand(ledger: _Ledger, culture: Culture, event: ManualCount, number: int) -> YieldPoint:
    cv = ledger.errors.manual_count_cv if event.cv is None else event.cv
    source = f"MKs counted, event {number}"
    if event.MKs > 0:
        ledger.spreads[source] = share_spread(event.MKs, event.cells, confidence=ledger.confidence)
    per_MK = ledger.factor(event.cells_per_mL, f"manual count, event {number}", cv) / float(event.cells)
    return _point(ledger, culture, event, method="manual_count", MKs=event.MKs, source=source, per_MK=per_MK, least=event.MKs)


def _point(
    ledger: _Ledger,
    culture: Culture,
    event: Sampling | ManualCount,
    *,
    method: str,
    MKs: int,
    source: str,
    per_MK: Uncertain,
    least: int,
) -> YieldPoint:
    """`per_MK` is MKs per mL of culture for each MK counted, `least` the smallest count behind the estimate."""
    one_MK = per_MK * ledger.volume_mL
    in_vessel = one_MK * measured(float(MKs), source) if MKs else one_MK
    cumulative = in_vessel / ledger.kept / ledger.seeded
    verdict = "no_MKs_counted" if MKs == 0 else "few_counts" if least < FEW_COUNTS else "counted"
    message = {
        "no_MKs_counted": "No MK was counted; the upper limit is what that still allows.",
        "few_counts": f"The estimate rests on {least} counts: acquire more of the tube.",
        "counted": "",
    }[verdict]
    return YieldPoint(
        culture=culture.name, donor=culture.donor, day_d=event.day_d, tube=event.tube, method=method, verdict=verdict,
        MKs_per_CD34=_estimate(ledger, cumulative, MKs), MKs_in_vessel=_estimate(ledger, in_vessel, MKs),
        kept_fraction=ledger.kept.value, volume_mL=ledger.volume_mL.value, MKs_counted=MKs, confidence=ledger.confidence,
        error_shares=_error_shares(cumulative, ledger.spreads) if MKs else {}, message=message,
    )  # fmt: skip


def _estimate(ledger: _Ledger, number: Uncertain, MKs: int) -> Estimate:
    """The estimate of `number`; after no MKs, `number` is that of one MK."""
    low, high = interval_of(number, ledger.spreads)
    if MKs:
        return Estimate(estimate=number.value, low=low, high=high)
    return Estimate(estimate=0.0, low=0.0, high=high * upper_limit_of_none(confidence=ledger.confidence))


def _error_shares(number: Uncertain, spreads: dict[str, Spread]) -> dict[str, float]:
    """By kind of source (the words before the comma), the largest first."""
    kinds: dict[str, float] = {}
    for source, share in variance_shares(number, spreads).items():
        kind = source.split(",")[0]
        kinds[kind] = kinds.get(kind, 0.0) + share
    return dict(sorted(kinds.items(), key=lambda item: (-item[1], item[0])))


def _empty(ledger: _Ledger, culture: Culture, event: Sampling, method: str, message: str) -> YieldPoint:
    nothing = Estimate(estimate=None, low=None, high=None)
    return YieldPoint(
        culture=culture.name, donor=culture.donor, day_d=event.day_d, tube=event.tube, method=method, verdict="not_counted",
        MKs_per_CD34=nothing, MKs_in_vessel=nothing, kept_fraction=ledger.kept.value, volume_mL=ledger.volume_mL.value,
        MKs_counted=event.MKs_acquired, confidence=ledger.confidence, message=message,
    )  # fmt: skip


def yields_table(points: Iterable[YieldPoint]) -> pl.DataFrame:
    """One row per point, units in the column names; null where nothing could be computed."""
    rows = [
        {
            "culture": p.culture, "donor": p.donor, "day_d": p.day_d, "tube": p.tube, "verdict": p.verdict,
            "MKs_per_CD34": p.MKs_per_CD34.estimate, "MKs_per_CD34_low": p.MKs_per_CD34.low, "MKs_per_CD34_high": p.MKs_per_CD34.high,
            "MKs_in_vessel": p.MKs_in_vessel.estimate, "MKs_in_vessel_low": p.MKs_in_vessel.low,
            "MKs_in_vessel_high": p.MKs_in_vessel.high, "kept_fraction": p.kept_fraction, "volume_mL": p.volume_mL,
            "MKs_counted": p.MKs_counted, "method": p.method, "confidence": p.confidence,
            "largest_error": next(iter(p.error_shares), ""), "message": p.message,
        }
        for p in points
    ]  # fmt: skip
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "culture": pl.String, "donor": pl.String, "day_d": pl.Float64, "tube": pl.String, "verdict": pl.String,
        "MKs_per_CD34": pl.Float64, "MKs_per_CD34_low": pl.Float64, "MKs_per_CD34_high": pl.Float64, "MKs_in_vessel": pl.Float64,
        "MKs_in_vessel_low": pl.Float64, "MKs_in_vessel_high": pl.Float64, "kept_fraction": pl.Float64, "volume_mL": pl.Float64,
        "MKs_counted": pl.Int64, "method": pl.String, "confidence": pl.Float64, "largest_error": pl.String, "message": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)
