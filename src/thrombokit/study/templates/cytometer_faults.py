"""What goes wrong while a tube runs, and when: a gain that steps, a slow drift, a clog, an air bubble, a tandem that has broken down.

Events arrive at random at the flow rate, which the pump lets swing by a few per cent even in a sound tube. A clog lets few cells
through, slowly and off the middle of the stream: pulses are wider, light is weaker; when it comes loose a burst follows. Each fault
knows its window, and events inside it are marked in the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray

_BURST_S, _BURST_RATE, _CLOG_RATE = 0.5, 2.0, 0.08
_BUBBLE_S, _BUBBLE_RATE = 0.6, 1.5
_PUMP_SWING, _PUMP_PERIOD_S = 0.03, 7.0  # of the rate in a sound tube; assumed
_SOUND_DRIFT = 0.003  # of the signal over a sound tube, up or down; assumed


@dataclass(frozen=True, kw_only=True)
class GainStep:
    """From `start` (share of the tube) to the end, every detector of `laser` reads `factor` times as much ("" = all; scatter is blue)."""

    factor: float = 1.05
    start: float = 0.5
    laser: str = "blue"


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The signal of `laser` changes evenly to `factor` times its start over the whole tube ("" = all lasers)."""

    factor: float = 1.10
    laser: str = ""


@dataclass(frozen=True, kw_only=True)
class Clog:
    """From `start` (share of the tube's time) few cells pass for `seconds`, then a burst; with `gap` none pass at all."""

    seconds: float = 2.0
    start: float = 0.5
    gap: bool = False


@dataclass(frozen=True, kw_only=True)
class Bubble:
    """At `start` (share of the tube's time) air passes: events without dye and with any scatter."""

    start: float = 0.5


@dataclass(frozen=True, kw_only=True)
class TandemBreakdown:
    """The share of each tandem dye that shines as its donor does, on top of what the file's matrix knows."""

    share: float = 0.05


TubeFault: TypeAlias = GainStep | Drift | Clog | Bubble | TandemBreakdown


def arrival_times_s(n: int, *, events_per_s: float, faults: tuple[TubeFault, ...], rng: np.random.Generator) -> Array:
    """When each of `n` events passes, seconds from the start, rising, shape (n,).

    Drawn from the flow rate over time: pump, clogs and bubbles change it. A tube runs as long as `n` events need.
    """
    length = n / events_per_s
    t = np.linspace(0.0, length, 4001)
    rate = 1.0 + _PUMP_SWING * np.sin(2.0 * np.pi * (t / _PUMP_PERIOD_S + rng.random()))
    for fault in faults:
        for first, last, factor in _rate_changes(fault, length):
            rate[(t >= first) & (t < last)] *= factor
    passed = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]))])
    return np.interp(np.sort(rng.random(n)), passed / passed[-1], t)


def _rate_changes(fault: TubeFault, length: float) -> list[tuple[float, float, float]]:
    if isinstance(fault, Clog):
        first = fault.start * length
        loose = first + fault.seconds
        return [(first, loose, 0.0 if fault.gap else _CLOG_RATE), (loose, loose + _BURST_S, _BURST_RATE)]
    if isinstance(fault, Bubble):
        return [(fault.start * length, fault.start * length + _BUBBLE_S, _BUBBLE_RATE)]
    return []


def fault_windows(time_s: Array, length_s: float, faults: tuple[TubeFault, ...]) -> BoolArray:
    """Events inside a fault: clog with its burst, bubble, and all after a gain step; a drift or a broken tandem has no window."""
    inside = np.zeros(time_s.size, dtype=np.bool_)
    for fault in faults:
        if isinstance(fault, GainStep):
            inside |= time_s >= fault.start * length_s
        for first, last, _ in _rate_changes(fault, length_s):
            inside |= (time_s >= first) & (time_s < last)
    return inside


def air_events(time_s: Array, length_s: float, faults: tuple[TubeFault, ...], rng: np.random.Generator) -> BoolArray:
    """Which events are air: four of five inside a bubble."""
    air = np.zeros(time_s.size, dtype=np.bool_)
    for fault in faults:
        if isinstance(fault, Bubble):
            first = fault.start * length_s
            air |= (time_s >= first) & (time_s < first + _BUBBLE_S) & (rng.random(time_s.size) < 0.8)
    return air


@dataclass(frozen=True, kw_only=True, eq=False)
class Disturbance:
    """What time does to events: `gain` maps a laser to a factor for each event, `slow` is the pulse's stretch; shapes (n,)."""

    gain: dict[str, Array]
    slow: Array


def disturbance(
    time_s: Array, length_s: float, lasers: tuple[str, ...], faults: tuple[TubeFault, ...], rng: np.random.Generator
) -> Disturbance:
    """Gain of each laser and slowness of the stream, event by event."""
    n = time_s.size
    place = time_s / length_s
    gain = {laser: 1.0 + _SOUND_DRIFT * rng.uniform(-1.0, 1.0) * place for laser in lasers}
    slow = np.ones(n)
    for fault in faults:
        for laser in lasers:
            if isinstance(fault, GainStep) and fault.laser in ("", laser):
                gain[laser] = gain[laser] * np.where(place >= fault.start, fault.factor, 1.0)
            elif isinstance(fault, Drift) and fault.laser in ("", laser):
                gain[laser] = gain[laser] * (1.0 + (fault.factor - 1.0) * place)
        if isinstance(fault, Clog):
            first = fault.start * length_s
            held = (time_s >= first) & (time_s < first + fault.seconds)
            weaker = np.where(held, 0.8 * np.exp(0.15 * rng.standard_normal(n)), 1.0)
            gain = {laser: factor * weaker for laser, factor in gain.items()}
            slow = np.where(held, 1.25, slow)
    return Disturbance(gain=gain, slow=slow)


def tandem_breakdown(faults: tuple[TubeFault, ...]) -> float:
    """Share of tandems broken down beyond what the file's matrix says."""
    return sum(fault.share for fault in faults if isinstance(fault, TandemBreakdown))
