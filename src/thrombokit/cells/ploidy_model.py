"""What a DNA histogram of polyploid cells is made of, as a function of its parameters; compiled.

Class k (0 = 2N ... 6 = 128N, told as "64N and above") lies at g1 (o + (1 - o) 2^(k p)), with SD^2 = cv^2 (position^2 + c g1^2), cv rising or
falling by a small power of DNA content. A share `tail` of each peak is wider by a factor and may be shifted: heavier or lopsided
flanks. Cells in S phase lie between neighbours, by a curve common to all gaps (Bernstein polynomials of degree 2: falling, rising or
humped). Debris falls off as x^a exp(-x / s), or is cut from whole cells, once or twice; doublets are sums of two cells. Peaks off the comb
have parameters of their own.

References
----------
Dean PN, Jett JH (1974) J Cell Biol 60:523-527, doi:10.1083/jcb.60.2.523; Bagwell CB et al. (1991) Cytometry 12:107-118,
doi:10.1002/cyto.990120203 (debris by cutting). Ours differs in the tails, the free S shape and the exponent.
"""

from __future__ import annotations

import math

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel
from thrombokit.numerics.mixtures import LEAST_EXPECTED, normal_mass

(
    LOG_G1,
    EXPONENT,
    OFFSET,
    LOG_CV,
    NOISE,
    CV_SLOPE,
    TAIL,
    LOG_TAIL_SCALE,
    TAIL_SHIFT,
    S_LATE,
    S_MIDDLE,
    DEBRIS_POWER,
    LOG_DEBRIS_SCALE,
) = range(13)
"""Shape parameters, by their place."""
N_SHAPES = 13
N_PEAKS = 7
N_GAPS = N_PEAKS - 1
PEAKS = N_SHAPES
S_PHASE = PEAKS + N_PEAKS
DEBRIS = S_PHASE + N_GAPS
FRAGMENTS = DEBRIS + 1
SLIVERS = DEBRIS + 2
DOUBLETS = DEBRIS + 3
EXTRAS = DEBRIS + 4
"""Weights (events), by their first place; from EXTRAS on, three for each peak off the comb: ln position, ln CV, events."""
N_CURVES = N_PEAKS + 4
"""Curves for pictures: the classes with their S cells, debris, fragments, doublets, peaks off the comb."""
S_ATOMS = 20
REACH, S_REACH = 7.0, 5.0


@kernel
def place_of(theta: Array, content: float, spread: float, place: Array) -> None:
    """Mean, SD and their derivatives of cells with `content` times the DNA of 2N; `spread` is an SD added, as a share of g1.

    Writes (mean, sd, mean by LOG_G1 .. CV_SLOPE, sd by LOG_G1 .. CV_SLOPE) to `place` (14,).
    """
    g1, offset = math.exp(theta[LOG_G1]), theta[OFFSET]
    log_content = math.log(content)
    power = math.exp(theta[EXPONENT] * log_content)
    mean = g1 * (offset + (1.0 - offset) * power)
    by_exponent = g1 * (1.0 - offset) * power * log_content
    by_offset = g1 * (1.0 - power)
    factor = math.exp(theta[LOG_CV] + theta[CV_SLOPE] * log_content)
    root = math.sqrt(mean * mean + theta[NOISE] * g1 * g1)
    own = factor * root
    sd = math.sqrt(own * own + (spread * g1) ** 2)
    back = own / sd
    by_mean = back * factor * mean / root
    place[0], place[1] = mean, sd
    place[2], place[3], place[4], place[5], place[6], place[7] = mean, by_exponent, by_offset, 0.0, 0.0, 0.0
    place[8], place[9], place[10], place[11] = sd, by_mean * by_exponent, by_mean * by_offset, back * own
    place[12], place[13] = back * factor * g1 * g1 / (2.0 * root), back * own * log_content


@kernel
def _add_peak(edges: Array, theta: Array, k: int, place: Array, work: Array, jacobian: Array, curve: Array) -> None:
    """One class: its Gaussian and the wider part of it."""
    weight, tail = theta[PEAKS + k], theta[TAIL]
    scale, shift = math.exp(theta[LOG_TAIL_SCALE]), theta[TAIL_SHIFT]
    place_of(theta, 2.0**k, 0.0, place)
    mean, sd = place[0], place[1]
    first, last = normal_mass(edges, mean, sd, REACH, work[0], work[1], work[2])
    for b in range(first, last):
        curve[b] += weight * (1.0 - tail) * work[0, b]
        jacobian[PEAKS + k, b] += (1.0 - tail) * work[0, b]
        jacobian[TAIL, b] -= weight * work[0, b]
        for i in range(6):
            jacobian[i, b] += weight * (1.0 - tail) * (work[1, b] * place[2 + i] + work[2, b] * place[8 + i])
    first, last = normal_mass(edges, mean + shift * sd, scale * sd, REACH, work[0], work[1], work[2])
    for b in range(first, last):
        curve[b] += weight * tail * work[0, b]
        jacobian[PEAKS + k, b] += tail * work[0, b]
        jacobian[TAIL, b] += weight * work[0, b]
        jacobian[LOG_TAIL_SCALE, b] += weight * tail * work[2, b] * scale * sd
        jacobian[TAIL_SHIFT, b] += weight * tail * work[1, b] * sd
        for i in range(6):
            by_sd = work[1, b] * shift + work[2, b] * scale
            jacobian[i, b] += weight * tail * (work[1, b] * place[2 + i] + by_sd * place[8 + i])


@kernel
def s_shape(theta: Array, shape: Array) -> None:
    """Share of S cells at each of S_ATOMS steps through S phase, and its derivatives by S_LATE and S_MIDDLE; `shape` (3, S_ATOMS)."""
    late, middle = math.exp(theta[S_LATE]), math.exp(theta[S_MIDDLE])
    total = 1.0 + late + middle
    for m in range(S_ATOMS):
        u = (m + 0.5) / S_ATOMS
        early_m, middle_m, late_m = 3.0 * (1.0 - u) ** 2, 6.0 * u * (1.0 - u), 3.0 * u * u
        density = (early_m + middle * middle_m + late * late_m) / total
        shape[0, m] = density / S_ATOMS
        shape[1, m] = late / total * (late_m - density) / S_ATOMS
        shape[2, m] = middle / total * (middle_m - density) / S_ATOMS


@kernel
def _add_s_phase(
    edges: Array, theta: Array, k: int, shape: Array, place: Array, work: Array, jacobian: Array, curve: Array
) -> None:
    """S cells between class k and the next, as a row of narrow Gaussians."""
    weight = theta[S_PHASE + k]
    for m in range(S_ATOMS):
        content = 2.0**k * (1.0 + (m + 0.5) / S_ATOMS)
        place_of(theta, content, 2.0**k / S_ATOMS / math.sqrt(12.0), place)
        first, last = normal_mass(edges, place[0], place[1], S_REACH, work[0], work[1], work[2])
        share = shape[0, m]
        for b in range(first, last):
            jacobian[S_PHASE + k, b] += share * work[0, b]
            curve[b] += weight * share * work[0, b]
        if weight > 0.0:
            for b in range(first, last):
                jacobian[S_LATE, b] += weight * shape[1, m] * work[0, b]
                jacobian[S_MIDDLE, b] += weight * shape[2, m] * work[0, b]
                for i in range(6):
                    jacobian[i, b] += weight * share * (work[1, b] * place[2 + i] + work[2, b] * place[8 + i])


@kernel
def _add_debris(edges: Array, theta: Array, unit: float, jacobian: Array, curve: Array) -> None:
    """Debris x^a exp(-x / s), x in units of `unit`, over the finite bins."""
    weight, power, scale = theta[DEBRIS], theta[DEBRIS_POWER], math.exp(theta[LOG_DEBRIS_SCALE])
    n = edges.size - 1
    last = n if np.isfinite(edges[n]) else n - 1
    row = jacobian[DEBRIS]
    largest = -np.inf
    for b in range(last):
        x = math.sqrt(edges[b] * edges[b + 1]) / unit
        row[b] = power * math.log(x) - x / scale + math.log(math.log(edges[b + 1] / edges[b]))
        largest = max(largest, row[b])
    total, mean_log, mean_x = 0.0, 0.0, 0.0
    for b in range(last):
        x = math.sqrt(edges[b] * edges[b + 1]) / unit
        row[b] = math.exp(row[b] - largest)
        total += row[b]
        mean_log += row[b] * math.log(x)
        mean_x += row[b] * x
    for b in range(last):
        x = math.sqrt(edges[b] * edges[b + 1]) / unit
        row[b] /= total
        curve[b] += weight * row[b]
        jacobian[DEBRIS_POWER, b] = weight * row[b] * (math.log(x) - mean_log / total)
        jacobian[LOG_DEBRIS_SCALE, b] = weight * row[b] * (x - mean_x / total) / scale


@kernel
def _add_extras(edges: Array, theta: Array, work: Array, jacobian: Array, curve: Array) -> None:
    """Peaks off the comb, each a Gaussian of its own."""
    for i in range(EXTRAS, theta.size, 3):
        mean, weight = math.exp(theta[i]), theta[i + 2]
        sd = mean * math.exp(theta[i + 1])
        first, last = normal_mass(edges, mean, sd, REACH, work[0], work[1], work[2])
        for b in range(first, last):
            curve[b] += weight * work[0, b]
            jacobian[i + 2, b] = work[0, b]
            jacobian[i, b] = weight * (work[1, b] * mean + work[2, b] * sd)
            jacobian[i + 1, b] = weight * work[2, b] * sd


@kernel
def evaluate(edges: Array, theta: Array, unit: float, lagged: Array, expected: Array, jacobian: Array, curves: Array) -> None:
    """Events expected in each bin, their derivatives and their parts.

    Parameters
    ----------
    edges : array of shape (n_bins + 1,)
        The last may be infinite.
    theta : array of shape (EXTRAS + 3 n_extras,)
        See the names above.
    unit : float
        Where debris is measured from; fixed through a fit.
    lagged : array of shape (3, n_bins)
        Pieces of cells cut once, pieces of cells cut twice, and doublets, of the cells as they were last estimated; each sums to at most 1.
    expected, jacobian, curves : arrays of shape (n_bins,), (theta.size, n_bins), (N_CURVES, n_bins)
        Written to.
    """
    work, place, shape = np.empty((3, edges.size)), np.empty(14), np.empty((3, S_ATOMS))
    jacobian[:, :] = 0.0
    curves[:, :] = 0.0
    s_shape(theta, shape)
    for k in range(N_PEAKS):
        _add_peak(edges, theta, k, place, work, jacobian, curves[k])
        if k < N_GAPS:
            _add_s_phase(edges, theta, k, shape, place, work, jacobian, curves[k])
    _add_debris(edges, theta, unit, jacobian, curves[N_PEAKS])
    _add_extras(edges, theta, work, jacobian, curves[N_PEAKS + 3])
    for b in range(expected.size):
        jacobian[FRAGMENTS, b] = lagged[0, b]
        jacobian[SLIVERS, b] = lagged[1, b]
        jacobian[DOUBLETS, b] = lagged[2, b]
        curves[N_PEAKS + 1, b] = theta[FRAGMENTS] * lagged[0, b] + theta[SLIVERS] * lagged[1, b]
        curves[N_PEAKS + 2, b] = theta[DOUBLETS] * lagged[2, b]
        expected[b] = LEAST_EXPECTED
        for i in range(N_CURVES):
            expected[b] += curves[i, b]
