"""Where a bound on a scale lies among plain values, to the last bit.

Scales rise, so `scale.apply(x) >= bound` holds from one float64 on. Found once, that number is compared with the events themselves:
a range gate on a million events needs no scaled column at all, and its answer is that of the exact scale.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from thrombokit.cells.scales import Scale
from thrombokit.numerics.arrays import Array, IntArray

_AT_ONCE = 64
_LARGEST = float(np.finfo(np.float64).max)


@lru_cache(maxsize=4096)
def first_value_at(scale: Scale | None, bound: float) -> float:
    """The smallest float64 x with `scale.apply(x) >= bound`.

    Parameters
    ----------
    scale : Scale or None
        None: the plain values themselves.
    bound : float
        A place on the scale.

    Returns
    -------
    float
        Minus infinity if every x is there, not-a-number if none is: comparisons with it are false, so that no event is.
    """
    if scale is None:
        return bound
    low, high = _place_of(-_LARGEST), _place_of(_LARGEST)
    if _reaches(scale, low, bound):
        return -math.inf
    if not _reaches(scale, high, bound):
        return math.nan
    while high - low > 1:
        step = max((high - low) // _AT_ONCE, 1)
        places = np.arange(low + step, high, step, dtype=np.int64)
        there = _scaled(scale, _values_at(places)) >= bound
        if there.any():
            first = int(np.argmax(there))
            low, high = (int(places[first - 1]) if first else low), int(places[first])
        else:
            low = int(places[-1])
    return float(_values_at(np.array([high], dtype=np.int64))[0])


def _scaled(scale: Scale, values: Array) -> Array:
    with np.errstate(all="ignore"):
        return scale.apply(values)


def _reaches(scale: Scale, place: int, bound: float) -> bool:
    return bool(_scaled(scale, _values_at(np.array([place], dtype=np.int64)))[0] >= bound)


def _place_of(value: float) -> int:
    """The rank of a float64 among all, zero at 0."""
    bits = int(np.array(value).view(np.int64))
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def _values_at(places: IntArray) -> Array:
    """The float64 of each rank."""
    return np.where(places >= 0, 1.0, -1.0) * np.abs(places).view(np.float64)
