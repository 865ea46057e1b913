"""From a start to the best parameters of the ploidy model: scoring steps within rounds that renew doublets and fragments; compiled."""

from __future__ import annotations

import numpy as np

from thrombokit.cells.ploidy_model import DOUBLETS, N_CURVES, N_GAPS, N_PEAKS, PEAKS, S_PHASE, evaluate
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel
from thrombokit.numerics.log_histogram import fragments, sums_of_two
from thrombokit.numerics.mixtures import information, log_likelihood, penalty, scored_step

GRID_OCTAVES = 1.0 / 48.0
"""Width of the grid on which sums of two cells are formed."""
THREES_TO_PAIRS, MOST_THREES = 2.0 / 3.0, 0.1
S_SPREAD, LEAST_S_SPREAD, LEAST_OTHERS = 0.25, 2.0, 1e-3
CONVERGED, OUT_OF_STEPS, NOT_SOLVED = 0, 1, 2


@kernel
def renew(edges: Array, curves: Array, theta: Array, lagged: Array) -> None:
    """Fragments and doublets of the cells in `curves`, written to `lagged`.

    Where pairs meet by chance so do threes: of n cells that arrive at random, threes are to pairs as 2/3 of pairs to single cells.
    """
    cells = np.zeros(edges.size - 1)
    for k in range(N_PEAKS):
        cells += curves[k]
    fragments(edges, cells, lagged[:2])
    sums_of_two(edges, cells, cells, GRID_OCTAVES, lagged[2])
    threes = np.empty(cells.size)
    sums_of_two(edges, cells, lagged[2], GRID_OCTAVES, threes)
    ratio = min(THREES_TO_PAIRS * theta[DOUBLETS] / max(cells.sum(), 1.0), MOST_THREES)
    for b in range(cells.size):
        lagged[2, b] = (lagged[2, b] + ratio * threes[b]) / (1.0 + ratio)


@kernel
def tie_s_phase(theta: Array, prior: Array) -> None:
    """Believe that every class has about the same share of its cells in S phase: renews the priors of the S weights.

    The common share is estimated from all classes; one class may differ from it by a factor of about 1 +- S_SPREAD.
    """
    s_cells, cells = 0.0, 0.0
    for k in range(N_GAPS):
        s_cells += theta[S_PHASE + k]
        cells += theta[S_PHASE + k] + theta[PEAKS + k]
    share = s_cells / max(cells, 1.0)
    for k in range(N_GAPS):
        here = theta[S_PHASE + k] + theta[PEAKS + k]
        others = max(
            1.0 - here / max(cells, 1.0), LEAST_OTHERS
        )  # a class that makes up most of the cells learns little from the rest
        prior[0, S_PHASE + k] = share * here
        prior[1, S_PHASE + k] = (S_SPREAD * share * here + LEAST_S_SPREAD) / np.sqrt(others)


@kernel
def descend(
    edges: Array,
    counts: Array,
    unit: float,
    theta: Array,
    bounds: Array,
    prior: Array,
    lagged: Array,
    rounds: int,
    steps: int,
    tolerance: float,
) -> tuple[float, int]:
    """Best parameters from `theta` on, changed in place; `lagged` too.

    Parameters
    ----------
    edges, counts : arrays of shape (n_bins + 1,), (n_bins,)
        The histogram.
    unit : float
        See `evaluate`.
    theta : array of shape (p,)
        Start and end.
    bounds, prior : arrays of shape (2, p)
        Lowest and highest values; centres and SDs of the priors (infinite SD: none).
    lagged : array of shape (3, n_bins)
        Fragments (cut once, cut twice) and doublets.
    rounds, steps : int
        At most so many renewals, and steps in each.
    tolerance : float
        A round that gains less (in log-likelihood) is the last.

    Returns
    -------
    (penalised log-likelihood, 0 converged | 1 out of steps | 2 not solvable)
    """  # fmt: skip
    p, n = theta.size, counts.size
    expected, new_expected = np.empty(n), np.empty(n)
    jacobian, new_jacobian = np.empty((p, n)), np.empty((p, n))
    curves, new_curves = np.empty((N_CURVES, n)), np.empty((N_CURVES, n))
    normal, gradient, trial = np.empty((p, p)), np.empty(p), np.empty(p)
    before, code = -np.inf, OUT_OF_STEPS
    value = -np.inf
    damping = 1e-2
    for turn in range(rounds):
        evaluate(edges, theta, unit, lagged, expected, jacobian, curves)
        renew(edges, curves, theta, lagged)
        if turn > 0:
            tie_s_phase(theta, prior)
        evaluate(edges, theta, unit, lagged, expected, jacobian, curves)
        value = log_likelihood(counts, expected) - penalty(theta, prior[0], prior[1])
        for _ in range(steps):
            information(counts, expected, jacobian, theta, prior[0], prior[1], normal, gradient)
            gained = -1.0
            while damping < 1e8:
                if scored_step(normal, gradient, theta, bounds[0], bounds[1], damping, trial):
                    evaluate(edges, trial, unit, lagged, new_expected, new_jacobian, new_curves)
                    new_value = log_likelihood(counts, new_expected) - penalty(trial, prior[0], prior[1])
                    if new_value >= value:
                        gained = new_value - value
                        value = new_value
                        theta[:] = trial
                        expected, new_expected = new_expected, expected
                        jacobian, new_jacobian = new_jacobian, jacobian
                        curves, new_curves = new_curves, curves
                        damping = max(damping / 10.0, 1e-9)
                        break
                damping *= 10.0
            if gained < 0.0:
                damping = 1e-2
                break
            if gained < 0.1 * tolerance:
                break
        if abs(value - before) < tolerance:
            code = CONVERGED
            break
        before = value
    if not np.isfinite(value):
        code = NOT_SOLVED
    return value, code
