"""Times that differ by rounding alone made equal: 0.3 and 0.1 + 0.2 weeks are one moment, and what counts ties must see it."""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array

TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))
"""Of the mean distinct time, 1.5e-8: far below any clock of a trial, far above the noise of a division."""


def merge_near_ties(times: Array) -> tuple[Array, int]:
    """Each time replaced by the smallest one it is tied with, and how many distinct times that took away.

    Neighbours in the sorted distinct times are tied when they differ by at most `TOLERANCE` times the mean distinct time; a chain of
    such neighbours is one moment. The rule does not depend on the unit. R's `aeqSurv` (survival, option `timefix`) uses the same one
    and besides merges gaps of at most 1.5e-8 in whatever unit the times have.

    Parameters
    ----------
    times : array of shape (n,), finite
        In any unit.

    Returns
    -------
    merged : array of shape (n,)
    n_merged : int
    """
    distinct, places = np.unique(times, return_inverse=True)
    if distinct.size < 2:
        return times.copy(), 0
    starts = np.diff(distinct, prepend=-np.inf) > TOLERANCE * np.abs(distinct).mean()
    first_of_chain = np.maximum.accumulate(np.where(starts, np.arange(distinct.size), 0))
    return distinct[first_of_chain][places], int(np.count_nonzero(~starts))
