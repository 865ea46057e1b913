"""Thresholds of markers: from FMO controls first, then from a density valley, then from unstained cells; the rule stands beside the number.

A cell's own light grows with its size, so the threshold follows size: a quantile of the FMO signal given forward scatter. The FMO
tube holds all cells, but a false positive is a *negative* cell above the line. Negative cells carry less of the other dyes,
so less of their light spreads into this detector, than the cells that fill most FMO tubes of a good culture. The events of the FMO tube
are therefore weighed such that, within bands of size, they carry the other markers as often as the marker's negative
cells in the fully stained tubes do. Which cells these are depends on all thresholds, so the whole is done three times.

References
----------
Roederer 2001, doi:10.1002/1097-0320(20011101)45:3<194::AID-CYTO1163>3.0.CO;2-C (FMO controls); Nguyen et al. 2013,
doi:10.1002/cyto.a.22251 (spillover spreading).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, IntArray
from thrombokit.numerics.sloping_quantiles import SlopingQuantile, fit_sloping_quantile
from thrombokit.numerics.streams import stream
from thrombokit.numerics.valleys import Valley, valleys

FMO, VALLEY, UNSTAINED, NO_RULE = "FMO", "density valley", "unstained", "none"
_ROUNDS, _SIZE_BANDS, _WEIGHT_CAP = 3, 5, 0.99
_RESAMPLES, _RESAMPLE_EVENTS = 40, 10_000


@dataclass(frozen=True, kw_only=True)
class ThresholdSettings:
    """`percentile` of the negative cells lie below; a control counts with at least `fewest_events`; `deepest` is as for debris.

    `rules` are tried in order.
    """

    percentile: float = 99.5
    fewest_events: int = 400
    deepest: float = 0.6
    rules: tuple[str, ...] = (FMO, VALLEY, UNSTAINED)


@dataclass(frozen=True, kw_only=True, eq=False)
class Signals:
    """Gated events: `size` is forward scatter, `shine` each marker's compensated signal, both on their gates' scales, shape (n,)."""

    size: Array
    shine: dict[str, Array]


@dataclass(frozen=True, kw_only=True, eq=False)
class Threshold:
    """Where a marker becomes positive, along size; on the gates' scales. `rule` is FMO, density valley, unstained or none."""

    marker: str
    rule: str
    line: SlopingQuantile | None
    n_events: int
    reasons: tuple[str, ...] = field(default=())

    def is_above(self, events: Signals) -> BoolArray:
        """Whether each event is positive; nowhere without a line."""
        if self.line is None:
            return np.zeros(events.size.size, dtype=np.bool_)
        return events.shine[self.marker] >= self.line.at(events.size)


def fit_thresholds(
    stained: Signals, fmo: Mapping[str, Signals], unstained: Signals | None, markers: tuple[str, ...], settings: ThresholdSettings
) -> dict[str, Threshold]:
    """The threshold of each marker in one control group.

    Parameters
    ----------
    stained : Signals
        Pooled events of the fully stained tubes, after the live gate.
    fmo : mapping of marker to Signals
        Pooled events of the tubes that lack the marker.
    unstained : Signals or None
    markers : tuple of str
    settings : ThresholdSettings

    Returns
    -------
    dict of marker to Threshold
        `reasons` say why rules before the one used were not.
    """
    first = {marker: _first_that_works(marker, stained, fmo.get(marker), unstained, settings) for marker in markers}
    found = first
    for _ in range(_ROUNDS):
        found = {
            marker: _matched(marker, fmo[marker], stained, found, settings) if threshold.rule == FMO else threshold
            for marker, threshold in found.items()
        }
    return {marker: _reaching_out(threshold, first[marker]) for marker, threshold in found.items()}


def _first_that_works(
    marker: str, stained: Signals, fmo: Signals | None, unstained: Signals | None, settings: ThresholdSettings
) -> Threshold:
    reasons: list[str] = []
    share = settings.percentile / 100.0
    for rule in settings.rules:
        control = {FMO: fmo, VALLEY: stained, UNSTAINED: unstained}[rule]
        n = 0 if control is None else control.size.size
        if control is None:
            reasons.append(f"no {rule} tube" if rule != VALLEY else "no stained tube")
        elif n < settings.fewest_events:
            reasons.append(f"{rule}: {n} events, fewer than {settings.fewest_events}")
        elif rule == VALLEY:
            line = _valley_line(marker, control, settings)
            if line is not None:
                return Threshold(marker=marker, rule=rule, line=line, n_events=n, reasons=tuple(reasons))
            reasons.append("density valley: none that is deep enough")
        else:
            line = fit_sloping_quantile(control.size, control.shine[marker], np.ones(n), share=share)
            return Threshold(marker=marker, rule=rule, line=line, n_events=n, reasons=tuple(reasons))
    return Threshold(marker=marker, rule=NO_RULE, line=None, n_events=0, reasons=tuple(reasons))


def _matched(marker: str, fmo: Signals, stained: Signals, now: Mapping[str, Threshold], settings: ThresholdSettings) -> Threshold:
    """The FMO quantile with the events weighed as the marker's negative cells in the stained tubes are composed."""
    negative = ~now[marker].is_above(stained)
    weights = _weights(marker, fmo, stained, negative, now)
    if not weights.any():
        weights = np.ones(fmo.size.size)
    line = fit_sloping_quantile(fmo.size, fmo.shine[marker], weights, share=settings.percentile / 100.0)
    return Threshold(marker=marker, rule=FMO, line=line, n_events=fmo.size.size, reasons=now[marker].reasons)


def _reaching_out(threshold: Threshold, first: Threshold) -> Threshold:
    """Beyond the sizes that negative cells have, the line rises and falls as that of all FMO events does."""
    line, guide = threshold.line, first.line
    if threshold.rule != FMO or line is None or guide is None:
        return threshold
    below, above = guide.x[guide.x < line.x[0]], guide.x[guide.x > line.x[-1]]
    fall = np.minimum(guide.at(below) - float(guide.at(line.x[:1])[0]), 0.0)
    rise = np.maximum(guide.at(above) - float(guide.at(line.x[-1:])[0]), 0.0)

    def extended(values: Array) -> Array:
        return np.concatenate([values[0] + fall, values, values[-1] + rise])

    longer = SlopingQuantile(
        x=np.concatenate([below, line.x, above]), y=extended(line.y), low=extended(line.low), high=extended(line.high),
        n_effective=line.n_effective,
    )  # fmt: skip
    return replace(threshold, line=longer)


def _weights(marker: str, fmo: Signals, stained: Signals, negative: BoolArray, now: Mapping[str, Threshold]) -> Array:
    """Stained negatives over FMO events in each class of other markers and band of size; the highest are cut at their 99th percentile."""
    others = [other for other in now if other != marker and now[other].line is not None]
    size = stained.size[negative]
    if size.size == 0:
        return np.zeros(fmo.size.size)
    edges = np.quantile(size, np.linspace(0.0, 1.0, _SIZE_BANDS + 1)[1:-1])
    wanted = (_classes(stained, others, now)[negative]) * _SIZE_BANDS + np.searchsorted(edges, size)
    had = _classes(fmo, others, now) * _SIZE_BANDS + np.searchsorted(edges, fmo.size)
    cells = _SIZE_BANDS << len(others)
    n_wanted, n_had = np.bincount(wanted, minlength=cells), np.bincount(had, minlength=cells)
    ratio = np.where(n_had > 0, n_wanted / np.maximum(n_had, 1), 0.0)
    weights = ratio[had]
    return np.minimum(weights, np.quantile(weights, _WEIGHT_CAP))


def _classes(events: Signals, others: list[str], now: Mapping[str, Threshold]) -> IntArray:
    """Which of the other markers each event carries, as a number."""
    code = np.zeros(events.size.size, dtype=np.int64)
    for place, other in enumerate(others):
        code += now[other].is_above(events).astype(np.int64) << place
    return code


def _valley_line(marker: str, events: Signals, settings: ThresholdSettings) -> SlopingQuantile | None:
    """The valley of the signal above a line that follows the dull cells over size; its interval from resampled events."""
    signal = events.shine[marker]
    first = _deepest(signal, settings)
    if first is None:
        return None
    dull = signal < first.at
    if dull.sum() < settings.fewest_events:
        return None
    base = fit_sloping_quantile(events.size[dull], signal[dull], np.ones(int(dull.sum())), share=0.5)
    above = signal - base.at(events.size)
    valley = _deepest(above, settings)
    if valley is None:
        return None
    rng = stream(0, "density valley", marker)
    n = min(above.size, _RESAMPLE_EVENTS)
    again = [_deepest(above[rng.integers(0, above.size, n)], settings) for _ in range(_RESAMPLES)]
    places = np.array([v.at for v in again if v is not None] or [valley.at])
    low, high = np.quantile(places, (0.025, 0.975))
    return SlopingQuantile(
        x=base.x, y=base.y + valley.at, low=base.y + min(low, valley.at), high=base.y + max(high, valley.at), n_effective=float(above.size)
    )  # fmt: skip


def _deepest(signal: Array, settings: ThresholdSettings) -> Valley | None:
    low, high = (float(q) for q in np.quantile(signal, (0.001, 0.999)))
    hills = (
        [v for v in valleys(signal, low, high, narrower=1.0, least_share=0.02) if v.depth < settings.deepest] if high > low else []
    )
    return min(hills, key=lambda v: v.depth, default=None)
