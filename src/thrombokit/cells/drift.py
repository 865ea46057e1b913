"""Time quality of a tube: steps of a detector's gain, slow drift, clogs, air bubbles; what is wrong, when, and which part to keep.

Three looks at the events in the order in which they came: the event rate (`flow_rate`), short stretches whose signals stand apart from
those around them, and lasting changes of level. Signals enter as scores for a change of gain, once as they are and once as what the other
channels do not predict, so that a change of one detector stands out as well as one of all. False alarms are bounded over all channels and
all times together; what chance does not explain but is too small to matter is left alone. The smallest part is removed: after a step, the
shorter side. A slow drift has no right part, so it is told and nothing is removed.

References
----------
Monaco et al. 2016, doi:10.1093/bioinformatics/btw191, and Emmaneel et al. 2022, doi:10.1002/cyto.a.24501 (the aims; other statistics).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcinv

from thrombokit.cells.flow_rate import RateStretch, odd_rates
from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.numerics.change_points import level_changes, rather_slope_than_step
from thrombokit.numerics.gain_scores import gain_axis, gain_scores, residuals_given_others

_FEWEST_EVENTS, _EVENTS_A_BIN, _MOST_BINS = 1000, 25, 800
_CLEAR, _EVIDENT = 3.0, 3.5
"""Standard errors from which a channel by itself, and a part of the tube, stand apart."""
_STRETCH_BINS = (4, 8, 16, 32)


@dataclass(frozen=True, kw_only=True)
class TimeSettings:
    """How time is checked.

    `false_alarm` is the chance that a tube without fault is flagged by chance; `smallest_step` and `smallest_shift` are the relative
    changes of gain, lasting and passing, below which nothing is said; `slow`, `fast` are event rates as multiples of the rate around. Where
    more than the share `most_removed` would go, nothing is removed: no part of such a tube is the right one.
    """

    enabled: bool = True
    false_alarm: float = 0.005
    smallest_step: float = 0.025
    smallest_shift: float = 0.08
    slow: float = 0.5
    fast: float = 1.8
    most_removed: float = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeFinding:
    """One fault: `kind` is "rate", "shift", "step" or "drift"; from `start` to `stop` in the time channel's unit.

    `channel` is where it shows most (empty for the rate); `change` the relative change of gain there, or the relative rate.
    """

    kind: str
    start: float
    stop: float
    channel: str
    change: float
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeQuality:
    """What was found and what is kept.

    `kept` are windows start <= time < stop, in the time channel's unit; empty when nothing is removed. `verdict` is "clean", "cut" (a part
    is removed), "drift" and "unstable" (told, nothing removed), "gap" (nothing to remove), "no time channel", "too few events", "not
    checked".
    """

    verdict: str
    findings: tuple[TimeFinding, ...] = ()
    kept: tuple[tuple[float, float], ...] = ()

    @property
    def is_flagged(self) -> bool:
        """Whether any fault was found."""
        return bool(self.findings)


@dataclass(frozen=True, kw_only=True)
class _Clock:
    """Time of each event, rising, and how to say it."""

    time: Array
    seconds_per_unit: float | None

    def say(self, at: float) -> str:
        since = at - float(self.time[0])
        return f"{since * self.seconds_per_unit:.1f} s" if self.seconds_per_unit else f"time {at:.6g}"


def check_time(
    time: Array | None, signals: Array, names: tuple[str, ...], settings: TimeSettings, *, seconds_per_unit: float | None = None
) -> TimeQuality:
    """Faults of one tube over time, and the windows to keep.

    Parameters
    ----------
    time : array of shape (n_events,) or None
        The time channel, in file order; None: there is none.
    signals : array of shape (n_events, n_channels)
        Decoded (not compensated) values of the channels to watch, scatter and fluorescence.
    names : tuple of str
        Their names.
    settings : TimeSettings
    seconds_per_unit : float, optional
        Seconds in one unit of time (FCS $TIMESTEP); without it places are told in the channel's own unit.

    Returns
    -------
    TimeQuality
    """
    if not settings.enabled:
        return TimeQuality(verdict="not checked")
    if time is None or not float(np.ptp(time) if time.size else 0.0) > 0.0:
        return TimeQuality(verdict="no time channel")
    if time.size < _FEWEST_EVENTS:
        return TimeQuality(verdict="too few events")
    order = np.argsort(time, kind="stable")
    clock = _Clock(time=np.asarray(time, dtype=np.float64)[order], seconds_per_unit=seconds_per_unit)
    bad = np.zeros(time.size, dtype=np.bool_)
    findings = _rate_faults(clock, bad, settings)
    watch = _Watch.over(np.asarray(signals, dtype=np.float64)[order], names, settings)
    findings += _shift_faults(clock, watch, bad)
    findings += _level_faults(clock, watch, bad)
    if bad.mean() > settings.most_removed:
        return TimeQuality(verdict="unstable", findings=tuple(findings))
    kept = _windows(clock.time, ~bad) if bad.any() else ()
    return TimeQuality(verdict=_verdict(findings, bad), findings=tuple(findings), kept=kept)


def _verdict(findings: list[TimeFinding], bad: BoolArray) -> str:
    if not findings:
        return "clean"
    if bad.any():
        return "cut"
    return "drift" if any(f.kind == "drift" for f in findings) else "gap"


@dataclass(frozen=True, kw_only=True)
class _Watch:
    """Scores of all events, shape (n_events, n_series), and the change of gain per unit of mean score, shape (n_series,).

    With m channels there are 2 m + 1 series: each channel by itself, each given the others, all together.
    """

    scores: Array
    change: Array
    names: tuple[str, ...]
    settings: TimeSettings

    @classmethod
    def over(cls, signals: Array, names: tuple[str, ...], settings: TimeSettings) -> _Watch:
        n, m = signals.shape
        y, movement = np.empty((m, n)), np.empty((m, n))
        for j in range(m):
            y[j], movement[j] = gain_axis(signals[:, j])
        beyond, shared = residuals_given_others(y.T)
        scores, change = np.empty((2 * m + 1, n)), np.empty(2 * m + 1)
        for j in range(m):
            scores[j], change[j] = gain_scores(y[j], movement[j])
            scores[m + j], change[m + j] = gain_scores(np.ascontiguousarray(beyond[:, j]), movement[j])
        scores[2 * m], change[2 * m] = gain_scores(shared, np.ones(n))
        return cls(scores=scores.T, change=change, names=names, settings=settings)

    @property
    def usable(self) -> BoolArray:
        return np.isfinite(self.change)

    @property
    def limit(self) -> float:
        """Chance of a false alarm that each of the three looks may use."""
        return self.settings.false_alarm / 3.0

    def binned(self, good: BoolArray) -> _Bins:
        """Equal-count bins over the good events."""
        index = np.flatnonzero(good)
        n_bins = int(max(1, min(_MOST_BINS, index.size // _EVENTS_A_BIN)))
        cuts = np.linspace(0, index.size, n_bins + 1).astype(np.int64)
        weights = np.diff(cuts).astype(np.float64)
        total = np.concatenate([np.zeros((1, self.change.size)), self.scores[index].cumsum(axis=0)])
        means = np.diff(total[cuts], axis=0) / weights[:, None]
        return _Bins(means=means, weights=weights, first=np.append(index[cuts[:-1]], index[-1] + 1 if index.size else 0))

    def largest(self, difference: Array, events: float) -> tuple[str, float]:
        """The channel that a difference of mean scores (n_series,) over so many events points to, and its change of gain there.

        A channel by itself where one is clear; else the most evident of those given the others; "all channels" when only all together are.
        """
        m = len(self.names)
        evidence = np.abs(difference) * np.sqrt(events) * self.usable
        column = int(evidence[:m].argmax()) if m else 2 * m
        if m and evidence[column] < _CLEAR:
            column = int(evidence.argmax())
        name = "all channels" if column == 2 * m else self.names[column % m]
        return name, float(difference[column] * self.change[column])


def _flow_words(part: RateStretch, settings: TimeSettings) -> str:
    if part.slowest < settings.slow:
        return "events nearly stopped" + (", then came in a burst" if part.fastest > settings.fast else "") + " (clog or air)"
    return f"{part.relative_rate:.1f} times the events (burst)"


@dataclass(frozen=True, kw_only=True)
class _Bins:
    """Means of the scores (n_bins, n_series), events in each bin, index of each bin's first event and, last, of the end."""

    means: Array
    weights: Array
    first: NDArray[np.int64]

    def mean(self, start: int, stop: int) -> Array:
        return np.average(self.means[start:stop], axis=0, weights=self.weights[start:stop])

    def times(self, clock: _Clock, start: int, stop: int) -> tuple[float, float]:
        last = min(int(self.first[stop]), clock.time.size - 1)
        return float(clock.time[self.first[start]]), float(clock.time[last])


def _rate_faults(clock: _Clock, bad: BoolArray, settings: TimeSettings) -> list[TimeFinding]:
    """Stretches of odd flow; their events are marked in `bad`."""
    found: list[TimeFinding] = []
    for part in odd_rates(clock.time, false_alarm=settings.false_alarm / 3.0, slow=settings.slow, fast=settings.fast):
        first, last = np.searchsorted(clock.time, (part.start, part.stop))
        bad[first:last] = True
        what = _flow_words(part, settings)
        sentence = f"{clock.say(part.start)} to {clock.say(part.stop)}: {what}."
        found.append(
            TimeFinding(kind="rate", start=part.start, stop=part.stop, channel="", change=part.relative_rate, sentence=sentence)
        )
    return found


def _spans(watch: _Watch, bins: _Bins) -> list[tuple[int, int]]:
    """Bins between changes of level, as (start, stop)."""
    changes = level_changes(bins.means, watch.usable.astype(np.float64), bins.weights, false_alarm=watch.limit)
    cuts = [0, *(c.at for c in changes), len(bins.means)]
    return list(itertools.pairwise(cuts))


def _shift_faults(clock: _Clock, watch: _Watch, bad: BoolArray) -> list[TimeFinding]:
    """Short stretches whose signals stand apart from the level they lie in; their events are marked in `bad`."""
    bins = watch.binned(~bad)
    n_bins = len(bins.means)
    if n_bins < 2 * max(_STRETCH_BINS) or not watch.usable.any():
        return []
    beside = bins.means.copy()
    for start, stop in _spans(watch, bins):
        beside[start:stop] -= np.median(bins.means[start:stop], axis=0) if stop - start > 8 else bins.mean(start, stop)
    limit = float(np.sqrt(2.0) * erfcinv(watch.limit / (n_bins * len(_STRETCH_BINS) * watch.usable.sum())))
    change = np.where(watch.usable, watch.change, 0.0)
    odd = np.zeros(n_bins, dtype=np.bool_)
    total = np.concatenate([np.zeros((1, change.size)), (beside * bins.weights[:, None]).cumsum(axis=0)])
    for length in _STRETCH_BINS:
        events = bins.weights[:length].sum()
        level = (total[length:] - total[:-length]) / events
        far = (np.abs(level) * np.sqrt(events) > limit) & (np.abs(level * change) > watch.settings.smallest_shift)
        for start in np.flatnonzero(far.any(axis=1)):
            odd[start : start + length] = True
    found: list[TimeFinding] = []
    for a, b in _runs(odd):
        difference = np.average(beside[a:b], axis=0, weights=bins.weights[a:b])
        channel, amount = watch.largest(difference, bins.weights[a:b].sum())
        bad[bins.first[a] : bins.first[b]] = True
        found.append(_passing(clock, bins.times(clock, a, b), channel, amount))
    return found


def _passing(clock: _Clock, span: tuple[float, float], channel: str, amount: float) -> TimeFinding:
    sentence = f"{clock.say(span[0])} to {clock.say(span[1])}: {channel} off by about {100 * amount:+.0f} %, then back."
    return TimeFinding(kind="shift", start=span[0], stop=span[1], channel=channel, change=amount, sentence=sentence)


def _level_faults(clock: _Clock, watch: _Watch, bad: BoolArray) -> list[TimeFinding]:
    """Lasting changes of level; all but the largest part that agrees with itself is marked in `bad`."""
    bins = watch.binned(~bad)
    drift = _drift(clock, watch, bins)
    if drift is not None:
        return [drift]
    spans = _spans(watch, bins)
    kept = max(spans, key=lambda s: bins.weights[s[0] : s[1]].sum())
    n_kept = bins.weights[kept[0] : kept[1]].sum()
    found: list[TimeFinding] = []
    for a, b in spans:
        events = 1.0 / (1.0 / n_kept + 1.0 / bins.weights[a:b].sum())
        difference = bins.mean(a, b) - bins.mean(*kept)
        channel, amount = watch.largest(difference, events)
        evident = np.abs(difference[watch.usable]).max(initial=0.0) * np.sqrt(events) > _EVIDENT
        if (a, b) == kept or not evident or abs(amount) < watch.settings.smallest_step:
            continue
        bad[bins.first[a] : bins.first[b]] = True
        span = bins.times(clock, a, b)
        if a > 0 and b < len(bins.means):
            found.append(_passing(clock, span, channel, amount))
            continue
        side = "before" if a == 0 else "after"
        times = f"{clock.say(span[0])} to {clock.say(span[1])}"
        sentence = f"{times}: {channel} {100 * amount:+.1f} % {side} a step of the gain, against the longer part."
        found.append(TimeFinding(kind="step", start=span[0], stop=span[1], channel=channel, change=amount, sentence=sentence))
    return found


def _drift(clock: _Clock, watch: _Watch, bins: _Bins) -> TimeFinding | None:
    """A level that changes slowly from the first bin to the last, if that describes the most evident change better than a step."""
    first = level_changes(bins.means, watch.usable.astype(np.float64), bins.weights, false_alarm=watch.limit, most=1)
    if not first or not rather_slope_than_step(bins.means[:, first[0].series], bins.weights, first[0].at):
        return None
    place = np.linspace(-0.5, 0.5, len(bins.means))
    place -= np.average(place, weights=bins.weights)
    slope = (bins.weights * place) @ bins.means / (bins.weights * place**2).sum()
    channel, amount = watch.largest(slope, float((bins.weights * place**2).sum()))
    if abs(amount) < watch.settings.smallest_step:
        return None
    start, stop = float(clock.time[0]), float(clock.time[-1])
    sentence = f"{channel} drifts slowly, {100 * amount:+.1f} % from start to end; nothing removed, no part is the right one."
    return TimeFinding(kind="drift", start=start, stop=stop, channel=channel, change=amount, sentence=sentence)


def _runs(flags: BoolArray) -> list[tuple[int, int]]:
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def _windows(time: Array, good: BoolArray) -> tuple[tuple[float, float], ...]:
    """Windows start <= time < stop that hold the good events and none of the bad ones (up to ties of the clock, which count as bad)."""
    windows: list[tuple[float, float]] = []
    for a, b in _runs(good):
        start = float(time[a]) if a == 0 or time[a] > time[a - 1] else float(np.nextafter(time[a], np.inf))
        stop = float(time[b]) if b < time.size else float(np.nextafter(time[-1], np.inf))
        if stop > start:
            windows.append((start, stop))
    return tuple(windows)
