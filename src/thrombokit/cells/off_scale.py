"""Events at the ends of a detector's scale, whose true value is not known: at the top it was brighter, at the bottom dimmer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thrombokit.cells.sample import Channel
from thrombokit.numerics.arrays import BoolArray


def is_at_top(stored: NDArray[Any], channel: Channel) -> BoolArray:
    """Which stored values lie in the last channel of a detector, or above it.

    Parameters
    ----------
    stored : array of shape (n_events,)
        As the file holds them.
    channel : Channel
        Its range says where the scale ends; where the file gives none, no event is at the top.

    Returns
    -------
    bool array of shape (n_events,)
        The last channel is range - 1 for ranges of 256 and more (also in files of floats, which cytometers fill up to 262143); for
        smaller ranges, which count no channels, within 1e-5 of the range.
    """
    if channel.range_max is None or channel.range_max <= 0.0:
        return np.zeros(stored.shape, dtype=np.bool_)
    last = channel.range_max - 1.0 if channel.range_max >= 256.0 else channel.range_max * (1.0 - 1e-5)
    return np.asarray(stored >= last)


def is_at_bottom(stored: NDArray[Any], channel: Channel) -> BoolArray:
    """Which stored values lie in channel 0; shape (n_events,). Floats have no lowest channel: none do, nor in time."""
    if stored.dtype.kind == "f" or channel.name.lower() == "time":
        return np.zeros(stored.shape, dtype=np.bool_)
    return np.asarray(stored == 0)
