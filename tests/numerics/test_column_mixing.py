"""Mixing columns: the product with a matrix, each row by itself, and nothing but the columns named."""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.column_mixing import mix_columns


def test_it_is_the_matrix_product_on_the_columns_named() -> None:
    rng = np.random.default_rng(1)
    values, columns, weights = rng.normal(size=(1000, 6)), np.array([4, 0, 3]), rng.normal(size=(3, 3))
    found = values.copy()
    mix_columns(found, columns, weights)
    np.testing.assert_allclose(found[:, columns], values[:, columns] @ weights, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(found[:, [1, 2, 5]], values[:, [1, 2, 5]])


def test_a_row_does_not_depend_on_the_others() -> None:
    rng = np.random.default_rng(2)
    values, columns, weights = rng.normal(size=(501, 5)), np.arange(5), rng.normal(size=(5, 5))
    whole, last = values.copy(), values[500:].copy()
    mix_columns(whole, columns, weights)
    mix_columns(last, columns, weights)
    np.testing.assert_array_equal(whole[500:], last)


def test_what_is_not_finite_spreads_only_by_weights_that_are_not_zero() -> None:
    values = np.array([[np.nan, 1.0, 2.0], [np.inf, 1.0, 2.0]])
    mix_columns(values, np.arange(3), np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
    assert np.isnan(values[0]).tolist() == [True, True, False]
    assert values[1].tolist() == [np.inf, np.inf, 2.0]
