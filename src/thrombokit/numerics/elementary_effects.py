"""Morris' walks through a box: one dimension at a time, from a random place, in random order.

A walk starts at a level of a grid in the unit box and moves each dimension once by the same jump; the change of an answer at each step, over
the signed jump, is an elementary effect.

References
----------
Morris MD (1991) Factorial sampling plans for preliminary computational experiments. Technometrics 33:161-174,
doi:10.1080/00401706.1991.10484804.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thrombokit.numerics.arrays import Array

LEVELS = 4
"""Places a dimension can take, evenly from 0 to 1."""


def walk_effects(answer: Callable[[Array], Array], n: int, rng: np.random.Generator) -> Array:
    """Elementary effects of one walk.

    Parameters
    ----------
    answer : function of a place of shape (n,), 0 to 1 in each dimension, to answers of shape (n_answers,)
        Called n + 1 times.
    n : int
        Dimensions.
    rng : Generator

    Returns
    -------
    array of shape (n, n_answers)
        Change of each answer by crossing the whole of each dimension, from the place where the walk crossed a part of it.
    """
    jump = LEVELS / (2.0 * (LEVELS - 1.0))
    place = rng.integers(0, LEVELS // 2, size=n) / (LEVELS - 1.0)
    towards = rng.choice([-1.0, 1.0], size=n)
    place = np.where(towards > 0.0, place, 1.0 - place)
    before = answer(place)
    effects = np.empty((n, before.size))
    for at in rng.permutation(n):
        place[at] += towards[at] * jump
        after = answer(place)
        effects[at] = (after - before) / (towards[at] * jump)
        before = after
    return effects
