"""Cochran-Mantel-Haenszel tests: does the response depend on the arm within strata?

2 x 2 x K: one statistic, with or without continuity correction. R x C x K: nonzero correlation (ordered rows and columns), differing row
mean scores (ordered columns), general association (no order).

References
----------
Mantel N, Haenszel W (1959), doi:10.1093/jnci/22.4.719. Landis JR, Heyman ER, Koch GG (1978) Int Stat Rev 46:237-254, doi:10.2307/1402373.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.normal_distribution import chi_square_p
from thrombokit.trials.strata import Strata


@dataclass(frozen=True, kw_only=True)
class AssociationTest:
    """A chi-square statistic; None where every stratum has an empty margin."""

    statistic: float | None
    df: int
    p: float | None


def cmh_test(strata: Strata, *, corrected: bool = False) -> AssociationTest:
    """Mantel and Haenszel's statistic of 2 x 2 x K tables; `corrected` takes 1/2 off the difference, as R does unless it is smaller."""
    counts = strata.counts()
    total = counts.sum(axis=(1, 2))
    rows, responders = counts.sum(axis=2), counts[:, :, 0].sum(axis=1)
    expected = rows[:, 0] * responders / total
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = rows[:, 0] * rows[:, 1] * responders * (total - responders) / (total**2 * (total - 1.0))
    spread = float(np.where(total > 1, variance, 0.0).sum())
    if spread <= 0.0:
        return AssociationTest(statistic=None, df=1, p=None)
    difference = abs(float((counts[:, 0, 0] - expected).sum()))
    difference -= 0.5 if corrected and difference >= 0.5 else 0.0
    statistic = difference**2 / spread
    return AssociationTest(statistic=statistic, df=1, p=chi_square_p(statistic, 1))


@dataclass(frozen=True, kw_only=True)
class GeneralisedTests:
    """The three statistics of R x C x K tables."""

    correlation: AssociationTest
    row_mean_scores: AssociationTest
    general_association: AssociationTest


def generalised_cmh(counts: Array, *, row_scores: Array | None = None, column_scores: Array | None = None) -> GeneralisedTests:
    """Tests of R x C x K tables.

    Parameters
    ----------
    counts : array of shape (K, R, C)
        Subjects by stratum, row (arm) and column (response category); whole numbers, R and C at least 2.
    row_scores, column_scores : arrays of shape (R,) and (C,), optional
        0, 1, 2, ... where not given (only their spacing matters).

    Raises
    ------
    InputError
        For counts that are negative, not whole, or of another shape.

    References
    ----------
    Landis, Heyman, Koch 1978, doi:10.2307/1402373, equations of section 2.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if counts.ndim != 3 or min(counts.shape[1:], default=0) < 2 or (counts < 0).any() or (counts != np.round(counts)).any():
        raise InputError(Fault(place="counts", found=f"an array of shape {counts.shape}", expected="whole numbers >= 0 by stratum, row and "
                               "column, at least 2 x 2", cure="Count subjects, not shares."))  # fmt: skip
    _, n_rows, n_columns = counts.shape
    rows = np.arange(n_rows, dtype=np.float64) if row_scores is None else np.asarray(row_scores, dtype=np.float64)
    columns = np.arange(n_columns, dtype=np.float64) if column_scores is None else np.asarray(column_scores, dtype=np.float64)
    free_rows, free_columns = np.eye(n_rows)[:-1], np.eye(n_columns)[:-1]
    return GeneralisedTests(
        correlation=_contrast_test(counts, rows[None], columns[None]),
        row_mean_scores=_contrast_test(counts, free_rows, columns[None]),
        general_association=_contrast_test(counts, free_rows, free_columns),
    )


def _contrast_test(counts: Array, rows: Array, columns: Array) -> AssociationTest:
    """Quadratic form of sum over strata of (rows (x) columns)(observed - expected), with the multiple hypergeometric covariance."""
    size = rows.shape[0] * columns.shape[0]
    difference, covariance = np.zeros(size), np.zeros((size, size))
    for table in counts:
        n = table.sum()
        if n < 2:
            continue
        across, down = table.sum(axis=1) / n, table.sum(axis=0) / n
        difference += (rows @ (table - n * np.outer(across, down)) @ columns.T).ravel()
        of_rows = rows @ (np.diag(across) - np.outer(across, across)) @ rows.T
        of_columns = columns @ (np.diag(down) - np.outer(down, down)) @ columns.T
        covariance += n * n / (n - 1.0) * np.kron(of_rows, of_columns)
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True))
    if rank == 0:
        return AssociationTest(statistic=None, df=size, p=None)
    statistic = float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference)
    return AssociationTest(statistic=statistic, df=rank, p=chi_square_p(statistic, rank))
