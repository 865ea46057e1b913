"""Light pulses: area, height and width of what crosses the laser, one particle or two.

A particle moves through a laser spot whose profile along the flow is Gaussian with standard deviation b = beam / 4 (beam: the 1/e^2
height). Light comes from the whole of a sphere of diameter d, whose matter has the variance d^2 / 20 along the flow. The pulse is the
convolution of the two, near enough a Gaussian of variance b^2 + d^2 / 20, times the elongation. Its area is the light, its height is
area / width. With the amplifiers set as usual, area and height agree for a round cell of 10 um. So a large cell has a wide pulse by
itself: 64N megakaryocytes are twice as wide as 2N ones.

Two cells as one event: the areas add, the pulses overlap by their distance along the flow, and the height is the peak of their sum.
Cells that stick touch each other, and the narrowing sheath turns the pair into the flow. A spheroid of aspect ratio r in pure stretching
turns so that the tangent of its angle shrinks by V^(-1.5 B), where V is how much faster the core runs at the laser than at the injector
and B = (r^2 - 1) / (r^2 + 1) (Jeffery). With V = 25, assumed, and any angle at the start, 3 % of equal pairs cross at more than 60 degrees: side
by side, their heights add and no pulse shape tells them from one larger cell. A small cell on a large one is turned less and seen less.
Cells that merely pass together have any distance, up to where the signal between them falls so low that the electronics see two.

References
----------
Jeffery GB (1922) Proc R Soc Lond A 102:161-179: motion of spheroids in a viscous fluid.
Wersto RP et al. (2001) Cytometry 46:296-306: doublets seen by area, height and width of DNA pulses.
"""

from __future__ import annotations

import math

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray

ACCELERATION = 25.0
"""Speed of the core at the laser over its speed at the injector; assumed."""
_REFERENCE_UM = 10.0
_PLACES = np.linspace(0.0, 1.0, 33)  # between the two centres, where the peak of the sum must be
WIDTH_UNITS = 65_536.0
"""Width is area / height on this scale, as common instruments have it."""


def pulse_sd_um(diameter_um: Array, elongation: Array, *, beam_um: float) -> Array:
    """Standard deviation of the pulse along the flow, um, same shape."""
    return np.sqrt((beam_um / 4.0) ** 2 + (diameter_um * elongation) ** 2 / 20.0)


def reference_sd_um(beam_um: float) -> float:
    """The pulse of the round cell for which area and height agree."""
    return math.sqrt((beam_um / 4.0) ** 2 + _REFERENCE_UM**2 / 20.0)


def pair_distances_um(first_um: Array, second_um: Array, passing: BoolArray, *, beam_um: float, rng: np.random.Generator) -> Array:
    """Distance along the flow of two cells in one event, um, shape (n,).

    Parameters
    ----------
    first_um, second_um : arrays of shape (n,)
        Diameters.
    passing : array of shape (n,)
        True where the two do not touch but pass together.
    beam_um : float
    rng : numpy.random.Generator
    """
    n = first_um.size
    aspect = 1.0 + np.minimum(first_um, second_um) / np.maximum(first_um, second_um)
    turned = ACCELERATION ** (-1.5 * (aspect**2 - 1.0) / (aspect**2 + 1.0))
    cosine = np.maximum(rng.random(n), 1e-9)
    tangent = turned * np.sqrt(1.0 / cosine**2 - 1.0)
    touching = 0.5 * (first_um + second_um) * rng.uniform(0.85, 1.0, n)
    farthest = beam_um + 0.5 * (first_um + second_um)
    return np.where(passing, rng.random(n) * farthest, touching / np.sqrt(1.0 + tangent**2))


def pair_heights(area_1: Array, sd_1: Array, area_2: Array, sd_2: Array, distance: Array) -> Array:
    """Peak of the sum of two Gaussian pulses, all shapes (n,); in units in which the height of one pulse is area / sd."""
    x = distance[:, None] * _PLACES
    first = (area_1 / sd_1)[:, None] * np.exp(-0.5 * (x / sd_1[:, None]) ** 2)
    second = (area_2 / sd_2)[:, None] * np.exp(-0.5 * ((x - distance[:, None]) / sd_2[:, None]) ** 2)
    return (first + second).max(axis=1)
