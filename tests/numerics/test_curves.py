"""The shapes themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.numerics import curves

LEVEL, CENTRE, HILL = st.floats(-1e3, 1e3), st.floats(-10, 10), st.floats(0.1, 10.0)
X = np.array([-np.inf, -800.0, -3.0, 0.0, 0.5, 4.0, 800.0])


@given(a0=LEVEL, a1=LEVEL, m=CENTRE, h=HILL, s=st.floats(0.1, 10.0))
@settings(max_examples=60, deadline=None)
def test_plateaus_and_half_way_dose(a0: float, a1: float, m: float, h: float, s: float) -> None:
    for shape in (lambda x: curves.four_parameter(x, a0, a1, m, h), lambda x: curves.five_parameter(x, a0, a1, m, h, s)):
        value = shape(np.array([-np.inf, m, m + 700.0]))
        assert value[0] == a0
        assert value[1] == pytest.approx(0.5 * (a0 + a1), abs=1e-9)
        assert value[2] == pytest.approx(a1, abs=1e-9)
    np.testing.assert_allclose(curves.five_parameter(X, a0, a1, m, h, 1.0), curves.four_parameter(X, a0, a1, m, h), atol=1e-9)


@given(a0=LEVEL, a1=LEVEL, a2=LEVEL, m=CENTRE, m2=CENTRE, h=HILL)
@settings(max_examples=40, deadline=None)
def test_bell_has_three_levels(a0: float, a1: float, a2: float, m: float, m2: float, h: float) -> None:
    value = curves.bell(np.array([-np.inf, 900.0]), a0, a1, a2, m, m2, h)
    assert value == pytest.approx([a0, a2], abs=1e-9)
    np.testing.assert_allclose(curves.bell(X, a0, a1, a1, m, m2, h), curves.four_parameter(X, a0, a1, m, h), atol=1e-9)


def test_three_doses_of_the_logistic_by_hand() -> None:
    """At x = m - ln 3, m, m + ln 3 and hill 1 the share is 1/4, 1/2, 3/4."""
    assert curves.logistic(np.log([10 / 3, 10.0, 30.0]), float(np.log(10.0)), 1.0) == pytest.approx([0.25, 0.5, 0.75])
