"""The valley between two hills of a density, and how deep it is: where to cut without a control.

References
----------
Silverman 1986, Density Estimation, section 3.4 (bandwidth; half of his rule is used, for densities with more than one hill).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array

_CELLS = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Valley:
    """The lowest place between two hills: `depth` is its density over that of the lower hill (0 = empty, 1 = no valley).

    `left`, `right` are the tops of the hills; `share_below` is the share of the values below the valley.
    """

    at: float
    depth: float
    left: float
    right: float
    share_below: float


def smooth_density(values: Array, low: float, high: float, *, narrower: float = 0.5) -> tuple[Array, Array]:
    """Smoothed density of values between two ends.

    Parameters
    ----------
    values : array of shape (n,)
        Values outside low..high are left out.
    low, high : float
        The ends, low < high.
    narrower : float
        Bandwidth as a multiple of Silverman's.

    Returns
    -------
    (centres, density) : arrays of shape (256,)
        The density sums to 1 over the cells.
    """
    inside = values[(values >= low) & (values <= high)]
    counts, edges = np.histogram(inside, _CELLS, (low, high))
    centres = 0.5 * (edges[1:] + edges[:-1])
    if inside.size == 0:
        return centres, np.zeros(_CELLS)
    place = np.arange(_CELLS)
    share = counts / counts.sum()
    sd = float(np.sqrt((share * (place - (share * place).sum()) ** 2).sum()))
    quartiles = np.interp((0.25, 0.75), share.cumsum(), place)
    spread = min(sd, float(quartiles[1] - quartiles[0]) / 1.34) or sd
    bandwidth = max(narrower * 0.9 * spread * inside.size**-0.2, 1.0)
    reach = min(int(4 * bandwidth) + 1, _CELLS - 1)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / bandwidth) ** 2)
    padded = np.concatenate([share[reach:0:-1], share, share[-2 : -reach - 2 : -1]])  # mirrored: the ends are no valleys
    return centres, np.convolve(padded, taps / taps.sum(), "valid")


def valleys(values: Array, low: float, high: float, *, narrower: float = 0.5, least_share: float = 0.005) -> tuple[Valley, ...]:
    """Every valley of the density between two ends, in order of place.

    Parameters
    ----------
    values, low, high, narrower
        As in `smooth_density`. An end where the density falls inwards counts as a hill.
    least_share : float
        A valley has at least this share of the values on either side.

    Returns
    -------
    tuple of Valley
    """
    centres, density = smooth_density(values, low, high, narrower=narrower)
    rise = np.diff(density)
    turn = np.flatnonzero((rise[:-1] < 0) & (rise[1:] >= 0)) + 1
    below = density.cumsum()
    found: list[Valley] = []
    for place in turn:
        left, right = int(density[: place + 1].argmax()), int(place + density[place:].argmax())
        if min(below[place], 1.0 - below[place]) < least_share:
            continue
        depth = float(density[place] / min(density[left], density[right]))
        found.append(Valley(at=float(centres[place]), depth=depth, left=float(centres[left]), right=float(centres[right]),
                            share_below=float(below[place])))  # fmt: skip
    return tuple(found)
