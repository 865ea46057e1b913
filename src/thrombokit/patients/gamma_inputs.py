"""Transit with any number of compartments: the doses under way, kept beside the record values, and the rate at which they arrive.

The record values r of such a model end with one stretch for each gamma input: a count, then for each dose under way its time of arrival
and its amount. A dose that has arrived but for 1e-16 of it makes room for later ones.
"""

from __future__ import annotations

import math

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import kernel

MOST_DOSES_UNDER_WAY = 128
SLOTS = 1 + 2 * MOST_DOSES_UNDER_WAY
_NOTHING_LEFT = 37.0


@kernel
def gamma_rate(t: float, r: Array, start: int, n: float, rate: float) -> float:
    """Amount/time that arrives at time t from the doses under way in r[start:].

    n is the number of transit compartments (any number above 0), rate the rate constant from each to the next (1/time).
    """
    total = 0.0
    for dose in range(int(r[start])):
        elapsed = rate * (t - r[start + 1 + 2 * dose])
        if elapsed > 0.0:
            total += r[start + 2 + 2 * dose] * math.exp(n * math.log(elapsed) - elapsed - math.lgamma(n + 1.0))
    return total * rate


@kernel
def note_arrival(r: Array, gamma_inputs: IntArray, compartment: int, time: float, amount: float) -> bool:
    """Add a dose to those under way from a compartment; do nothing where it has no gamma input.

    Parameters
    ----------
    r : array of shape (n_record,)
    gamma_inputs : int64 array of shape (n_gamma_inputs, 4)
        `CompiledModel.gamma_inputs`: compartment, start of its stretch in r, place of n, place of rate.
    compartment : int
        Where the dose enters.
    time, amount : float
        When it arrives (after its lag), and how much (after F).

    Returns
    -------
    bool
        False if more doses are under way than there is room for; the dose is then not noted, and the answer would be wrong.
    """
    for row in range(gamma_inputs.shape[0]):
        if gamma_inputs[row, 0] == compartment:
            start = gamma_inputs[row, 1]
            _make_room(r, start, float(r[gamma_inputs[row, 2]]), float(r[gamma_inputs[row, 3]]), time)
            count = int(r[start])
            if count == MOST_DOSES_UNDER_WAY:
                return False
            r[start + 1 + 2 * count] = time
            r[start + 2 + 2 * count] = amount
            r[start] = count + 1.0
    return True


@kernel
def clear_arrivals(r: Array, gamma_inputs: IntArray) -> None:
    """Forget the doses under way, as a reset of the compartments does."""
    for row in range(gamma_inputs.shape[0]):
        r[gamma_inputs[row, 1]] = 0.0


@kernel
def _make_room(r: Array, start: int, n: float, rate: float, time: float) -> None:
    """Drop the doses of which, by Chernoff's bound on the gamma distribution, less than 1e-16 is still to come."""
    kept = 0
    for dose in range(int(r[start])):
        at, amount = r[start + 1 + 2 * dose], r[start + 2 + 2 * dose]
        elapsed, mean = rate * (time - at), n + 1.0
        if elapsed <= mean or elapsed - mean - mean * math.log(elapsed / mean) < _NOTHING_LEFT:
            r[start + 1 + 2 * kept] = at
            r[start + 2 + 2 * kept] = amount
            kept += 1
    r[start] = float(kept)
