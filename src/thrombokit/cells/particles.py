"""Platelet-like particles: small events that carry CD41 and CD42b, in a size window that a reference sets.

Forward scatter has no unit, and small particles scatter by their optics, not only by their size; so without platelets (or beads taken
for platelets) run at the same settings there is no window, and the verdict is "uncalibrated". Particles are counted among all events
of the kept time, before the debris gate. Their thresholds come from particles of the FMO tubes, as cells' do not hold for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.cells.gates import BooleanGate, Bounds, Gate, Operand, rectangle
from thrombokit.cells.steps import log_dimension, logicle_dimension
from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array

SIZE_ID, PARTICLE_ID = "platelet size", "platelet-like"
UNCALIBRATED, NO_CONTROL, COUNTED = "uncalibrated", "no FMO particles", "counted"
MARKERS = ("CD41", "CD42b")
_FEWEST, _HALF_WIDTH_SD = 200, 2.5


@dataclass(frozen=True, kw_only=True)
class ParticleSize:
    """Forward-scatter area between which an event has the size of a platelet; `source` says which reference, at these settings."""

    forward_low: float
    forward_high: float
    source: str

    def __post_init__(self) -> None:
        if not 0.0 < self.forward_low < self.forward_high:
            raise InputError(
                Fault(
                    place="size of platelet-like particles", found=f"{self.forward_low:g} to {self.forward_high:g} in forward scatter",
                    expected="0 < low < high", cure="Calibrate with platelets run at the same settings.",
                )
            )  # fmt: skip


def calibrate_particles(forward: Array, *, source: str) -> ParticleSize:
    """The size window of a reference: its main hill of forward scatter, 2.5 robust standard deviations of the logarithm either way.

    Parameters
    ----------
    forward : array of shape (n_events,)
        Forward-scatter area of a tube of platelets (gated on CD41 where stained), run at the settings of the samples.
    source : str
        What the reference is, for the record.

    Raises
    ------
    InputError
        If fewer than 200 events have a positive signal.
    """
    logs = np.log10(forward[forward > 0])
    if logs.size < _FEWEST:
        raise InputError(
            Fault(place=f"particle reference ({source})", found=f"{logs.size} events with forward scatter above 0",
                  expected=f"at least {_FEWEST}", cure="Record more events of the reference.")
        )  # fmt: skip
    middle, near = float(np.median(logs)), logs
    for _ in range(20):  # on to the middle of the main hill: median of what lies within its own spread
        sd = 1.4826 * float(np.median(np.abs(logs - middle)))
        near = logs[np.abs(logs - middle) <= max(3.0 * sd, 1e-6)]
        middle = float(np.median(near))
    sd = max(1.4826 * float(np.median(np.abs(near - middle))), 1e-3)
    return ParticleSize(
        forward_low=10.0 ** (middle - _HALF_WIDTH_SD * sd), forward_high=10.0 ** (middle + _HALF_WIDTH_SD * sd), source=source
    )


def fit_particles(
    size: ParticleSize | None,
    control: dict[str, tuple[Array, Array]],
    *,
    forward_channel: str,
    forward_top: float,
    marker_channels: dict[str, tuple[str, float]],
    compensation: str,
    percentile: float,
) -> tuple[str, tuple[Gate, ...]]:
    """The gates of platelet-like particles, and a verdict.

    Parameters
    ----------
    size : ParticleSize or None
    control : dict of marker to (forward, signal), arrays of shape (n_events,)
        Events of the marker's FMO tubes in the kept time, before the debris gate; signal compensated.
    forward_channel, forward_top
        Forward-scatter area and the upper end of its scale.
    marker_channels : dict of marker to (channel, top of its scale)
    compensation : str
        Of the markers' dimensions.
    percentile : float
        Of the FMO particles' signal.

    Returns
    -------
    (verdict, gates)
        Verdict "counted", "uncalibrated" or "no FMO particles"; gates are empty but for "counted".
    """
    if size is None:
        return UNCALIBRATED, ()
    scale = log_dimension(forward_channel, forward_top)
    assert scale.scale is not None
    ends = scale.scale.apply(np.array([size.forward_low, size.forward_high]))
    gates: list[Gate] = [rectangle(SIZE_ID, Bounds(dimension=scale, low=float(ends[0]), high=float(ends[1])))]
    for marker in MARKERS:
        forward, signal = control.get(marker, (np.zeros(0), np.zeros(0)))
        small = (forward >= size.forward_low) & (forward < size.forward_high)
        if small.sum() < _FEWEST or marker not in marker_channels:
            return NO_CONTROL, ()
        channel, top = marker_channels[marker]
        dimension = logicle_dimension(channel, top, compensation)
        assert dimension.scale is not None
        low = float(dimension.scale.apply(np.array([np.percentile(signal[small], percentile)]))[0])
        gates.append(rectangle(f"particle {marker}+", Bounds(dimension=dimension, low=low), parent=SIZE_ID))
    both = tuple(Operand(gate=f"particle {marker}+") for marker in MARKERS)
    return COUNTED, (*gates, BooleanGate(id=PARTICLE_ID, operation="and", operands=both, parent=SIZE_ID))
