"""Which points lie in a polygon: the even-odd rule, the border included.

Crossing borders make holes, as Gating-ML 2.0 has it. Whether a point is left or right of an edge, and whether on it, is one and the
same number, the cross product taken from the edge's lower end: no point falls between two polygons that share an edge.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray
from thrombokit.numerics.jit import kernel


@kernel
def _mark_inside(x: Array, y: Array, corner_x: Array, corner_y: Array, inside: BoolArray) -> None:
    n = corner_x.size
    for i in range(x.size):
        px, py = x[i], y[i]
        is_odd, on_edge = False, False
        ax, ay = corner_x[n - 1], corner_y[n - 1]
        for k in range(n):
            bx, by = corner_x[k], corner_y[k]
            if ay > by or (ay == by and ax > bx):
                low_x, low_y, high_x, high_y = bx, by, ax, ay
            else:
                low_x, low_y, high_x, high_y = ax, ay, bx, by
            ax, ay = bx, by
            if not low_y <= py <= high_y:
                continue
            cross = (high_x - low_x) * (py - low_y) - (high_y - low_y) * (px - low_x)
            if cross == 0.0 and min(low_x, high_x) <= px <= max(low_x, high_x):
                on_edge = True
                break
            if py < high_y and cross > 0.0:
                is_odd = not is_odd
        inside[i] = is_odd or on_edge


def inside_polygon(x: Array, y: Array, vertices: Array) -> BoolArray:
    """Whether each point lies in the polygon or on its border.

    Parameters
    ----------
    x, y : arrays of shape (n,)
        Coordinates; a point with one that is not a number lies outside.
    vertices : array of shape (m, 2), m >= 3
        In order; the last is joined to the first.

    Returns
    -------
    bool array of shape (n,)
    """
    inside = np.empty(x.size, dtype=np.bool_)
    corner_x, corner_y = np.ascontiguousarray(vertices[:, 0]), np.ascontiguousarray(vertices[:, 1])
    _mark_inside(np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(y, dtype=np.float64), corner_x, corner_y, inside)
    return inside
