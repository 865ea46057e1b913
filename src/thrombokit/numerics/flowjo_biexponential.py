"""FlowJo's biexponential axis: a table of 4,097 channels and the value at each.

FlowJo looks values up in this table and interpolates along straight lines between channels; so does this. Channels below the one of zero are
the mirror image of those above. "Width basis" (negative; -10 by default) sets how many values are pressed together about zero,
"negative" adds decades to the left, "positive" is the number of decades to the right.

References
----------
The parametrisation follows FlowJo's documentation of its biexponential transform; the table is checked against one exported by FlowJo.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from thrombokit.numerics.arrays import Array, frozen
from thrombokit.numerics.logicle import second_exponent

N_CHANNELS = 4096


@lru_cache(maxsize=64)
def flowjo_values(negative: float, width_basis: float, positive: float, top: float) -> Array:
    """The value at each channel 0 to 4096, shape (4097,), rising.

    Parameters
    ----------
    negative : float
        Additional negative decades, >= 0.
    width_basis : float
        -1 or below; more negative presses more values together about zero.
    positive : float
        Decades from the bottom to the top of the axis.
    top : float
        Value at the top of the axis, > 0.
    """
    width = math.log10(-width_basis)
    decades, extra = positive - 0.5 * width, max(negative, 0.0) + 0.5 * width
    zero = min(int(extra * N_CHANNELS / (extra + decades)), N_CHANNELS // 2)
    if zero > 0:
        decades = extra * N_CHANNELS / zero
    rise = math.log(10.0) * decades
    relative_width = width / (2.0 * decades)
    fall = second_exponent(rise, relative_width)
    lowest = top * math.exp(-rise)
    place = np.arange(N_CHANNELS + 1) / (N_CHANNELS + 1)
    lift = (rise + fall) * (relative_width + extra / decades)
    shape = np.exp(rise * place) - np.exp(lift - fall * place)
    values = lowest * (shape - shape[zero])
    values[:zero] = -values[2 * zero - np.arange(zero)]
    return frozen(values)
