"""From fitted events to shares of cells, with intervals for the population the tube was drawn from.

The Poisson information of the binned likelihood holds both what chance put into the tube and what is not known of peak shapes, S phase,
debris and doublets; its inverse, carried through shares = events of a class / all cells, gives each share's variance. A share f with
variance v is worth as much as n' = f (1 - f) / v counted cells, at most as many as there are, and its interval is the Beta interval of
f n' among n' (Jeffreys): right near zero, where a symmetric one is not. For a class of no or few cells the upper end is that of Clopper
and Pearson, because a class of which one or two cells were expected is often not met at all. A class without cells is given half an
event before its variance is taken.

What counting cannot tell is how right the assumed shapes are: of the peaks' tails, S phase, debris and doublets. Each is believed to be
off by a few percent, here more, there less; what such an error would do to the shares is added to their variance (`shape_doubt`). It
does not shrink as cells are added.

References
----------
Brown LD, Cai TT, DasGupta A (2001) Interval estimation for a binomial proportion. Stat Sci 16:101-133, doi:10.1214/ss/1009213286.
Kennedy MC, O'Hagan A (2001) Bayesian calibration of computer models. J R Stat Soc B 63:425-464, doi:10.1111/1467-9868.00294 (a model's
discrepancy as a Gaussian process; ours has a fixed size and is carried through to first order).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from thrombokit.cells.ploidy_fit import CombFit
from thrombokit.cells.ploidy_model import DOUBLETS, N_GAPS, N_PEAKS, PEAKS, S_PHASE, TAIL
from thrombokit.domain.ploidy import CLASS_PLOIDY, CLASSES, Assignment
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen
from thrombokit.numerics.mixtures import free_parameters, information

LEAST_EVENTS = 0.5
FEW_CELLS = 2.0
TAIL_AREA = 0.025
LEAST_INFORMATION = 1e-12
NORMAL_QUANTILE = 1.959963984540054
LEAST_CHI_EXPECTED = 5.0
N_CLASSES = len(CLASSES)
TAIL_DOUBT, S_DOUBT, DEBRIS_DOUBT, DOUBLET_DOUBT = 0.02, 0.04, 0.08, 0.05
"""Relative SD of each assumed shape, chosen on simulated tubes (docs/explanation/ploidy.md)."""
DOUBT_OCTAVES = 0.1
"""Over such a distance an error of a shape changes its sign."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shares(FrozenArrays):
    """`fractions`, `low`, `high` (6,); `covariance` (6, 6) of the fractions; `events` (6,) and `s_events` (6,) by class;
    `chi_square_per_df` of the fit."""

    fractions: Array
    low: Array
    high: Array
    covariance: Array
    events: Array
    s_events: Array
    chi_square_per_df: float

    def __post_init__(self) -> None:
        for name in ("fractions", "low", "high", "covariance", "events", "s_events"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


def assignment_matrix(size: int, assignment: Assignment) -> Array:
    """Which class (rows, 6) the events of each parameter (columns, `size`) count in."""
    matrix = np.zeros((N_CLASSES, size))
    for k in range(N_PEAKS):
        matrix[min(k, N_CLASSES - 1), PEAKS + k] = 1.0
    if assignment != "excluded":
        for k in range(N_GAPS):
            matrix[min(k + (assignment == "upper"), N_CLASSES - 1), S_PHASE + k] = 1.0
    return matrix


def shares_of(fit: CombFit, assignment: Assignment = "lower") -> Shares:
    """Shares of the classes with 95 % intervals.

    Parameters
    ----------
    fit : CombFit
        A finished fit.
    assignment : "lower", "upper" or "excluded"
        Where S-phase cells count.
    """
    matrix = assignment_matrix(fit.theta.size, assignment)
    events = matrix @ fit.theta
    cells = max(float(events.sum()), 1e-9)
    fractions = events / cells
    known = parameter_covariance(fit)
    chi = chi_square_per_df(fit, known.effective)
    covariance = fraction_covariance(known, matrix) * max(chi, 1.0) + shape_doubt(fit, known, matrix)
    low, high = intervals(fractions, covariance, cells)
    gaps = np.zeros(N_CLASSES)
    gaps[:N_GAPS] = fit.theta[S_PHASE : S_PHASE + N_GAPS]
    return Shares(
        fractions=fractions, low=low, high=high, covariance=covariance, events=events, s_events=gaps, chi_square_per_df=chi
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class ParameterCovariance(FrozenArrays):
    """`places` (m,) of the free parameters, their `covariance` (m, m), `theta` (p,) with half an event at least in every class, and how
    many parameters the data (not the priors) speak for."""

    places: IntArray
    covariance: Array
    theta: Array
    effective: float


def parameter_covariance(fit: CombFit) -> ParameterCovariance:
    """Inverse of the expected information of all parameters that are free to move."""
    theta = fit.theta.copy()
    peaks = slice(PEAKS, PEAKS + N_PEAKS)
    theta[peaks] = np.where(fit.bounds[1, peaks] > 0.0, np.maximum(theta[peaks], LEAST_EVENTS), 0.0)
    expected, jacobian, _ = fit.expect(theta)
    normal, gradient = np.empty((theta.size, theta.size)), np.empty(theta.size)
    information(fit.histogram.counts, expected, jacobian, theta, fit.prior[0], fit.prior[1], normal, gradient)
    _let_common_share_vary(normal, theta, fit.prior[1])
    free = free_parameters(fit.theta, gradient, fit.bounds[0], fit.bounds[1])
    free[peaks] = fit.bounds[1, peaks] > 0.0
    free[DOUBLETS] = fit.bounds[1, DOUBLETS] > 0.0  # none found is not none there: they lie where 4N cells do
    index = np.flatnonzero(free & (np.diag(normal) > LEAST_INFORMATION))
    scale = 1.0 / np.sqrt(np.diag(normal)[index])
    block = normal[np.ix_(index, index)] * scale[:, None] * scale[None, :]
    inverse = np.linalg.inv(block + 1e-10 * np.eye(index.size)) * scale[:, None] * scale[None, :]
    effective = index.size - float(np.sum(np.diag(inverse) / fit.prior[1][index] ** 2))
    return ParameterCovariance(places=index, covariance=inverse, theta=theta, effective=effective)


def _let_common_share_vary(normal: Array, theta: Array, spread: Array) -> None:
    """S phase is tied to a share that all classes have in common; it is estimated from the same tube, and so not known exactly.

    The fit holds it still for a step (`tie_s_phase`), which would count it as known: the tie of each class is put into the information
    `normal` (p, p) again, as one of S cells to the common share of the class, with all that this share depends on.
    """
    peaks, s_phase = slice(PEAKS, PEAKS + N_GAPS), slice(S_PHASE, S_PHASE + N_GAPS)
    cells = theta[peaks] + theta[s_phase]
    share = float(theta[s_phase].sum() / max(cells.sum(), 1.0))
    part = cells / max(float(cells.sum()), 1.0)
    for k in range(N_GAPS):
        if not np.isfinite(spread[S_PHASE + k]):
            continue
        slope = np.zeros(theta.size)
        slope[s_phase], slope[peaks] = -part[k] * (1.0 - share), part[k] * share
        slope[S_PHASE + k] += 1.0 - share
        slope[PEAKS + k] -= share
        normal[S_PHASE + k, S_PHASE + k] -= 1.0 / spread[S_PHASE + k] ** 2
        normal += np.outer(slope, slope) / spread[S_PHASE + k] ** 2


def share_slopes(known: ParameterCovariance, matrix: Array) -> Array:
    """Change of each share with each free parameter, shape (6, m); `matrix` (6, p) says which class each parameter counts in."""
    events = matrix @ known.theta
    total = float(events.sum())
    slopes = (matrix - np.outer(events / total, matrix.sum(axis=0))) / total
    return np.asarray(slopes[:, known.places], dtype=np.float64)


def fraction_covariance(known: ParameterCovariance, matrix: Array) -> Array:
    """Covariance of the shares, shape (6, 6), as far as counting and free parameters go."""
    slopes = share_slopes(known, matrix)
    return np.asarray(slopes @ known.covariance @ slopes.T, dtype=np.float64)


def shape_doubt(fit: CombFit, known: ParameterCovariance, matrix: Array) -> Array:
    """Covariance of the shares, shape (6, 6), from errors of the shapes assumed for tails, S phase, debris and doublets.

    Each shape is multiplied by 1 + e(x), e a Gaussian process of log2 signal with the SDs above; to first order a bin's surplus of d events
    moves the parameters by (inverse information) (jacobian / expected) d.
    """
    expected, jacobian, curves = fit.expect(known.theta)
    by_event = share_slopes(known, matrix) @ known.covariance @ (jacobian[known.places] / expected)
    classes, bare = curves[:N_PEAKS].sum(axis=0), known.theta.copy()
    bare[PEAKS : PEAKS + N_PEAKS] = 0.0
    s_phase = fit.expect(bare)[2][:N_PEAKS].sum(axis=0)
    without_tail = known.theta.copy()
    without_tail[TAIL] = 0.0
    cores = fit.expect(without_tail)[2][:N_PEAKS].sum(axis=0) - s_phase
    tails = classes - s_phase - (1.0 - known.theta[TAIL]) * cores
    place = np.log2(fit.histogram.edges[:-1]) / DOUBT_OCTAVES
    alike = np.exp(-0.5 * (place[:, None] - place[None, :]) ** 2)
    total = np.zeros((N_CLASSES, N_CLASSES))
    debris = curves[N_PEAKS] + curves[N_PEAKS + 1]
    doublets = curves[N_PEAKS + 2]
    for shape, doubt in ((tails, TAIL_DOUBT), (s_phase, S_DOUBT), (debris, DEBRIS_DOUBT), (doublets, DOUBLET_DOUBT)):
        moved = by_event * (doubt * shape)
        total += moved @ alike @ moved.T
    return total


def intervals(fractions: Array, covariance: Array, cells: float) -> tuple[Array, Array]:
    """95 % intervals of shares (n,) with their covariance (n, n); ends within 0 and 1, the share itself within the ends.

    No share is worth more than `cells` counted cells.
    """
    floored = np.clip(fractions, LEAST_EVENTS / max(cells, 1.0), 1.0 - LEAST_EVENTS / max(cells, 1.0))
    variance = np.maximum(np.diag(covariance), 1e-300)
    worth = np.minimum(floored * (1.0 - floored) / variance, max(cells, 1.0))
    successes, failures = fractions * worth, (1.0 - fractions) * worth
    low = np.minimum(betaincinv(successes + 0.5, failures + 0.5, TAIL_AREA), fractions)
    half = 0.5 * np.exp(-successes / FEW_CELLS)  # Clopper and Pearson's end for none, Jeffreys' for many
    high = np.maximum(betaincinv(successes + 0.5 + half, failures + 0.5 - half + 1e-6, 1.0 - TAIL_AREA), fractions)
    empty = fractions * worth < LEAST_EVENTS
    return np.where(empty, 0.0, low), high


@dataclass(frozen=True, kw_only=True)
class DerivedNumbers:
    """What is told beside the shares, each as (estimate, low, high): mean ploidy (64N and above as 64), mean number of doublings beyond 2N,
    shares at 8N and at 16N or more."""

    mean_ploidy: tuple[float, float, float]
    doublings: tuple[float, float, float]
    ge8N: tuple[float, float, float]
    ge16N: tuple[float, float, float]

    def fields(self) -> dict[str, float]:
        """Named as the fields of `Ploidy`; the geometric mean ploidy is 2^(1 + doublings)."""
        geometric = tuple(2.0 ** (1.0 + value) for value in self.doublings)
        named = {"mean_ploidy": self.mean_ploidy, "geometric_mean_ploidy": geometric, "ge8N": self.ge8N, "ge16N": self.ge16N}
        out = {f"{name}{end}": row[i] for name, row in named.items() for i, end in enumerate(("", "_low", "_high"))}
        return {**out, "polyploidisation_index": self.doublings[0]}


def derived_numbers(fractions: Array, covariance: Array, cells: float) -> DerivedNumbers:
    """Numbers that follow from shares (6,) and their covariance (6, 6)."""
    k = np.arange(N_CLASSES, dtype=np.float64)
    mean, sd = _weighted(CLASS_PLOIDY, fractions, covariance)
    reach = math.exp(min(NORMAL_QUANTILE * sd / mean, 10.0))
    doublings, spread = _weighted(k, fractions, covariance)
    wide = NORMAL_QUANTILE * spread
    return DerivedNumbers(
        mean_ploidy=(mean, max(mean / reach, float(CLASS_PLOIDY[0])), min(mean * reach, float(CLASS_PLOIDY[-1]))),
        doublings=(doublings, max(doublings - wide, 0.0), min(doublings + wide, N_CLASSES - 1.0)),
        ge8N=_share_from(2, fractions, covariance, cells), ge16N=_share_from(3, fractions, covariance, cells),
    )  # fmt: skip


def _weighted(weights: Array, fractions: Array, covariance: Array) -> tuple[float, float]:
    return float(weights @ fractions), math.sqrt(max(float(weights @ covariance @ weights), 0.0))


def _share_from(first: int, fractions: Array, covariance: Array, cells: float) -> tuple[float, float, float]:
    chosen = (np.arange(N_CLASSES) >= first).astype(np.float64)
    share, sd = _weighted(chosen, fractions, covariance)
    share = min(max(share, 0.0), 1.0)
    low, high = intervals(np.array([share]), np.array([[sd * sd]]), cells)
    return share, float(low[0]), float(high[0])


def chi_square_per_df(fit: CombFit, effective: float) -> float:
    """Pearson's chi-square over its degrees of freedom, neighbouring bins joined until each expects five events.

    `effective` is the number of parameters that the data speak for; at least a third of the bins are left to judge by.
    """
    expected = fit.expect()[0]
    place = np.floor(np.cumsum(expected) / LEAST_CHI_EXPECTED).astype(np.int64)
    observed, wanted = np.bincount(place, fit.histogram.counts), np.bincount(place, expected)
    kept = wanted > 0.5 * LEAST_CHI_EXPECTED
    chi = float(np.sum((observed[kept] - wanted[kept]) ** 2 / wanted[kept]))
    n = int(kept.sum())
    return chi / max(n - effective, n / 3.0, 1.0)
