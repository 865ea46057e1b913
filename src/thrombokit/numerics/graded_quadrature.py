"""Gauss-Legendre quadrature whose nodes crowd at the start of what happens, and that knows its own error.

After a dose arrives, a concentration bends most at once and less and less later; an effect such as C / (EC50 + C) has a pole just
*before* the arrival, and C^0.5 a branch point *at* it. With y = sqrt(time since the arrival) as the variable the nodes crowd
quadratically where the bend is, and both become harmless: 24 nodes then do what 40 in six plain segments do.

A *mesh* is a row of panels in y with 16 nodes each. Gauss quadrature with 16 nodes is exact to degree 31, yet the error of a panel is
taken as the larger of its Legendre coefficients of degree 14 and 15, which its nodes give for nothing: what the nodes do not resolve (a kink, a
jump, a rise that is over before the second node) shows there, and what they do resolve is integrated some ten to ten thousand times better
than that. Extrapolating to degree 32 would save a panel in four and was tried: now and then, where a broad shape hides a narrow one, it
is wrong by three orders of magnitude. Panels in error are cut at 0.35 of their length in y, nearer to the happening; where no mesh will do,
that is said.

Reference: Trefethen 2013, Approximation Theory and Approximation Practice, ch. 8 and 19 (coefficients and Gauss error of analytic
functions).
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre

from thrombokit.numerics.arrays import Array, IntArray, frozen
from thrombokit.numerics.jit import kernel

PANEL_NODES = 16
"""Nodes of a panel."""
MAX_PANELS = 24
CUT = 0.35
"""Where a panel in error is cut, as a share of its length in y; 43 nodes on average where halves take 49."""
N_COEFFICIENTS = 2
"""Legendre coefficients read off a panel: of degrees 15 and 14."""
_DEGREES = (PANEL_NODES - 1, PANEL_NODES - 2)


def _rule() -> tuple[Array, Array, Array]:
    """Nodes and weights on (0, 1), and rows that, times an integrand at the nodes, give its Legendre coefficients, shape (2, 16)."""
    x, w = legendre.leggauss(PANEL_NODES)
    rows = [(2 * k + 1) * 0.5 * w * legendre.legval(x, [0.0] * k + [1.0]) for k in _DEGREES]
    return frozen(0.5 * (x + 1.0)), frozen(0.5 * w), frozen(rows)


_NODES, _WEIGHTS, _COEFFICIENTS = _rule()


@kernel
def place_nodes(since: float, start: float, end: float, times: Array, weights: Array, coefficients: Array) -> None:
    """Write the nodes of one panel.

    Parameters
    ----------
    since : float, >= 0
        Time from the happening to the start of the interval.
    start, end : float, start < end
        Ends of the panel in y = sqrt(time since the happening).
    times, weights : arrays of shape (16,)
        Receive the nodes as time since the start of the interval, rising, and their weights: sum weights f(times) = integral.
    coefficients : array of shape (16, 2)
        Receives what gives, summed over the panel times f, the two highest Legendre coefficients of f(t) dt/dy times the panel's length.
    """
    width = end - start
    for k in range(PANEL_NODES):
        y = start + width * _NODES[k]
        times[k] = max(y * y - since, 0.0)
        slope = 2.0 * y * width
        weights[k] = slope * _WEIGHTS[k]
        for q in range(N_COEFFICIENTS):
            coefficients[k, q] = slope * _COEFFICIENTS[q, k]


@kernel
def cut_panels(edges: Array, n_panels: int, errors: Array, allowed: float, origins: IntArray) -> int:
    """Cut, in y, every panel whose error is above `allowed`.

    Parameters
    ----------
    edges : array of shape (MAX_PANELS + 1,)
        Ends of the panels in y; changed in place.
    n_panels : int
        Panels of the mesh that was not good enough.
    errors : array of shape (>= n_panels,)
        Error of each panel.
    allowed : float
        Largest error.
    origins : int64 array of shape (MAX_PANELS,)
        Receives, for each panel of the new mesh, its number in the old one, -1 where it is new.

    Returns
    -------
    int
        Panels of the new mesh; 0, with `edges` as they were, where there is no room for it or nothing to cut.
    """
    n_cut = 0
    for panel in range(n_panels):
        if not (errors[panel] <= allowed):
            n_cut += 1
    if n_cut == 0 or n_panels + n_cut > MAX_PANELS:
        return 0
    target = n_panels + n_cut
    edges[target] = edges[n_panels]
    for panel in range(n_panels - 1, -1, -1):
        cut = not (errors[panel] <= allowed)
        if cut:
            target -= 1
            edges[target] = edges[panel] + CUT * (edges[panel + 1] - edges[panel])
            origins[target] = -1
        target -= 1
        edges[target] = edges[panel]
        origins[target] = -1 if cut else panel
    return n_panels + n_cut


def graded_nodes(length: float, *, since: float = 0.0, n_panels: int = 1) -> tuple[Array, Array]:
    """Nodes and weights, each of shape (16 n_panels,), of equal panels in sqrt(time) over an interval of `length`.

    `since` is the time from what happened last to the start of the interval; the nodes are times since that start.
    """
    edges = np.linspace(np.sqrt(since), np.sqrt(since + length), n_panels + 1)
    times, weights = np.empty((2, n_panels, PANEL_NODES))
    coefficients = np.empty((PANEL_NODES, N_COEFFICIENTS))
    for panel in range(n_panels):
        place_nodes(float(since), edges[panel], edges[panel + 1], times[panel], weights[panel], coefficients)
    return times.ravel(), weights.ravel()
