"""Replicates to dose means, with nothing lost: mean, weight, count and the sum of squares within each dose.

For weights that are equal within a dose, sum w (y - f)^2 = sum W (ybar - f)^2 + sum w (y - ybar)^2, and the second term (pure error) does not depend
on the curve; so a fit to the means is the fit to all points, three times faster for triplicates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray
from thrombokit.numerics.jit import kernel


@dataclass(frozen=True, kw_only=True, eq=False)
class DoseMeans(FrozenArrays):
    """Ragged dose means of n curves; group g of curve i runs from starts[i] to starts[i + 1], ascending in x.

    x : (n_groups,) ln concentration, -inf for dose 0. mean, weight, count, within_ss : (n_groups,). starts : (n + 1,).
    """

    x: Array
    mean: Array
    weight: Array
    count: Array
    within_ss: Array
    starts: IntArray

    def curve_index(self) -> IntArray:
        """Curve number of each group, shape (n_groups,)."""
        return np.repeat(np.arange(self.starts.size - 1), np.diff(self.starts))


@kernel
def _collapse(
    x: Array, y: Array, w: Array, starts: IntArray, gx: Array, gy: Array, gw: Array, gn: Array, gss: Array, gstarts: IntArray
) -> int:
    filled = 0
    for i in range(starts.size - 1):
        a, b = starts[i], starts[i + 1]
        order = np.arange(a, b)
        for k in range(1, order.size):  # insertion sort: points mostly arrive in order of dose
            item = order[k]
            j = k - 1
            while j >= 0 and x[order[j]] > x[item]:
                order[j + 1] = order[j]
                j -= 1
            order[j + 1] = item
        gstarts[i] = filled
        k = 0
        while k < order.size:
            end = k
            total = sum_y = 0.0
            while end < order.size and x[order[end]] == x[order[k]]:
                total += w[order[end]]
                sum_y += w[order[end]] * y[order[end]]
                end += 1
            mean = sum_y / total
            within = 0.0
            for j in range(k, end):
                within += w[order[j]] * (y[order[j]] - mean) ** 2
            gx[filled], gy[filled], gw[filled] = x[order[k]], mean, total
            gn[filled], gss[filled] = end - k, within
            filled += 1
            k = end
    gstarts[starts.size - 1] = filled
    return filled


def collapse(x: Array, y: Array, w: Array, starts: IntArray) -> DoseMeans:
    """Dose means of ragged curves.

    Parameters
    ----------
    x, y, w : arrays of shape (n_points,)
        ln concentration (-inf for dose 0), response, weight > 0; all finite but x.
    starts : array of shape (n_curves + 1,)
        Points of curve i run from starts[i] to starts[i + 1].
    """
    n = x.size
    gx, gy, gw, gn, gss = (np.empty(n) for _ in range(5))
    gstarts = np.empty(starts.size, np.int64)
    filled = _collapse(x, y, w, starts, gx, gy, gw, gn, gss, gstarts)
    return DoseMeans(x=gx[:filled], mean=gy[:filled], weight=gw[:filled], count=gn[:filled], within_ss=gss[:filled], starts=gstarts)
