"""e^{A t} v at many rising times, for small matrices.

From one time on, e^{A t} v is a Taylor polynomial in t: its vectors are worked out once and serve all times that lie near enough, four or eight
of them at once. Then the last of these times is the next to start from; where times are far apart for the fastest rate, powers of one
step's matrix jump most of the way. As in `matrix_exponential`, a compartment matrix (no negative entry off the diagonal) is shifted by its
largest loss: nothing can cancel, every entry keeps its digits and none turns negative.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import kernel
from thrombokit.numerics.matrix_exponential import exponential

REACH = 8.0
"""Norm of the shifted matrix times time up to which one polynomial serves; its terms are all positive."""
REACH_UNSHIFTED = 2.0
"""The same for a matrix with negative entries off its diagonal, whose terms cancel: so it loses less than a digit."""
JUMP_SHARE = 0.5
"""A jump leaves less than this share of the reach to go."""
SMALLEST_TERM = 1e-17
MAX_TERMS = 60
LARGEST_NORM = 1e12
"""Norm of A t up to which steps can be counted."""


@kernel
def _shift_of(a: Array) -> float:
    """Largest loss -A[i, i] where no entry off the diagonal is negative, else 0."""
    n = a.shape[0]
    loss = 0.0
    for i in range(n):
        loss = max(loss, -a[i, i])
        for j in range(n):
            if i != j and a[i, j] < 0.0:
                return 0.0
    return loss


@kernel
def _shifted_rows(a: Array, shift: float, rows: Array) -> float:
    """Write A + shift I; gives the largest sum of a column's sizes."""
    n, largest = a.shape[0], 0.0
    for j in range(n):
        total = 0.0
        for i in range(n):
            rows[i, j] = a[i, j] + shift if i == j else a[i, j]
            total += abs(rows[i, j])
        if not (total <= largest) and largest == largest:
            largest = total
    return largest


@kernel
def _spans_of(rows: Array, spans: IntArray) -> None:
    """First and last place (after it) of each row that is not 0."""
    n = rows.shape[0]
    for i in range(n):
        spans[i, 0], spans[i, 1] = n, 0
        for j in range(n):
            if rows[i, j] != 0.0:
                spans[i, 0] = min(spans[i, 0], j)
                spans[i, 1] = j + 1


@kernel
def _fill_terms(rows: Array, spans: IntArray, span: float, norm: float, terms: Array) -> int:
    """terms[k] <- (M span)^k terms[0] / k!, M given by its rows, their spans and its norm; gives the last k."""
    n, order, size = rows.shape[0], 0, 1.0
    while size > SMALLEST_TERM and order < MAX_TERMS:
        order += 1
        factor = span / order
        size *= norm * factor
        for i in range(n):
            total = 0.0
            for j in range(spans[i, 0], spans[i, 1]):
                total += rows[i, j] * terms[order - 1, j]
            terms[order, i] = total * factor
    return order


@kernel
def _sum_terms(terms: Array, order: int, shares: Array, out: Array) -> None:
    """out[i, :] <- the polynomial with coefficients terms[:, i] at the shares (0 to 1) of its span."""
    for i in range(out.shape[0]):
        row = out[i]
        for j in range(shares.size):
            row[j] = terms[order, i]
        for k in range(order - 1, -1, -1):
            coefficient = terms[k, i]
            for j in range(shares.size):
                row[j] = row[j] * shares[j] + coefficient


@kernel
def _jump(powers: Array, n_steps: int, vector: Array, spare: Array) -> None:
    """vector <- (step matrix)^n_steps vector, by the binary digits of n_steps; powers[k] is the step matrix to the power 2^k."""
    n = vector.size
    digit = 0
    while n_steps > 0:
        if n_steps % 2 == 1:
            for i in range(n):
                total = 0.0
                for j in range(n):
                    total += powers[digit, i, j] * vector[j]
                spare[i] = total
            for i in range(n):
                vector[i] = spare[i]
        n_steps //= 2
        digit += 1


@kernel
def _fill_powers(a: Array, step: float, n_steps: int) -> Array:
    """e^{A step} to the powers 1, 2, 4, ... not above n_steps; shape (digits, n, n)."""
    n, digits = a.shape[0], 0
    while 2**digits <= n_steps:
        digits += 1
    powers = np.zeros((digits, n, n))
    if digits > 0:
        exponential(a, step, powers[0])
    for digit in range(1, digits):
        for i in range(n):
            for k in range(n):
                value = powers[digit - 1, i, k]
                for j in range(n):
                    powers[digit, i, j] += value * powers[digit - 1, k, j]
    return powers


@kernel
def act_exponential(a: Array, start: Array, times: Array, out: Array) -> None:
    """Write e^{a t} start for each of many times.

    Parameters
    ----------
    a : array of shape (n, n)
        Rates in 1/time: column from, row to. Not changed.
    start : array of shape (n,)
        The vector at time 0.
    times : array of shape (n_times,), rising, >= 0
        Times.
    out : array of shape (n, n_times)
        Receives the vectors, one a column; NaN throughout where a times the last time is not finite or beyond `LARGEST_NORM`.
    """
    n, n_times = out.shape
    rows, spans = np.empty((n, n)), np.empty((n, 2), np.int64)
    shift = _shift_of(a)
    norm = _shifted_rows(a, shift, rows)
    _spans_of(rows, spans)
    if not (norm * times[n_times - 1] < LARGEST_NORM):
        out[:, :] = np.nan
        return
    reach = (REACH if shift > 0.0 else REACH_UNSHIFTED) / norm if norm > 0.0 else np.inf
    longest, at = 0.0, 0.0
    for j in range(n_times):
        longest = max(longest, times[j] - at)
        at = times[j]
    step = JUMP_SHARE * reach if longest > reach else np.inf
    powers = _fill_powers(a, step, int(longest / step))
    vector, terms, spare, shares = start.copy(), np.empty((MAX_TERMS + 1, n)), np.empty(n), np.empty(n_times)
    at, j = 0.0, 0
    while j < n_times:
        if times[j] - at > reach:
            n_steps = int((times[j] - at) / step)
            _jump(powers, n_steps, vector, spare)
            at = min(at + n_steps * step, times[j])
        stop = j + 1
        while stop < n_times and times[stop] - at <= reach:
            stop += 1
        span = times[stop - 1] - at
        for k in range(j, stop):
            shares[k] = (times[k] - at) / span if span > 0.0 else 0.0
        terms[0] = vector
        order = _fill_terms(rows, spans, span, norm, terms)
        _sum_terms(terms, order, shares[j:stop], out[:, j:stop])
        for k in range(j, stop):
            decay = np.exp(-shift * (times[k] - at))
            for i in range(n):
                out[i, k] *= decay
        for i in range(n):
            vector[i] = out[i, stop - 1]
        at, j = times[stop - 1], stop
