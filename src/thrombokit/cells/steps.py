"""One step of a gating strategy once it is fitted: an ordinary gate, the rule that set it, and what is to be said about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from thrombokit.cells.gates import Dimension, Gate
from thrombokit.cells.sample import Sample
from thrombokit.cells.scales import LogicleScale, LogScale

FAR = 3.0
"""A polygon's side that is meant to be open lies this far out on its scale (the top of the scale is 1)."""
_TOP, _DECADES = 262144.0, 4.5


@dataclass(frozen=True, kw_only=True)
class FittedStep:
    """`gate` None: the step lets everything through, and `sentence` says why. `rule` is a few words; `figures` are its numbers."""

    step: str
    gate: Gate | None
    rule: str
    sentence: str = ""
    figures: dict[str, float] = field(default_factory=dict[str, float])


def top_of(sample: Sample, channel: str) -> float:
    """Upper end of a channel's scale: $PnR where the file says it and it is a range, else 262144."""
    full = next(c.range_max for c in sample.channels if c.name == channel)
    return float(full) if full is not None and full > 1.0 else _TOP


def log_dimension(channel: str, top: float) -> Dimension:
    """A channel on a logarithmic scale, as decoded; values of zero and below have no place on it."""
    return Dimension(channel=channel, scale=LogScale(t=top, m=_DECADES))


def logicle_dimension(channel: str, top: float, compensation: str) -> Dimension:
    """A fluorescence channel on a logicle scale."""
    return Dimension(channel=channel, scale=LogicleScale(t=top, w=0.5, m=_DECADES, a=0.0), compensation=compensation)
