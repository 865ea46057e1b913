"""Student's interval against a worked example, and at its edges."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.numerics.student import t_interval


def test_three_values_by_hand() -> None:
    """Mean 2, SD 1, n 3: half-width 4.302653 / sqrt(3); t = 2 sqrt(3) = 3.4641 has p = 0.0742 with 2 degrees of freedom."""
    found = t_interval(np.array([1.0, 2.0, 3.0]))
    assert (found.mean, found.sd, found.n) == (2.0, 1.0, 3)
    assert found.high - found.mean == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert found.p == pytest.approx(0.07418, rel=1e-3)


def test_one_value_has_no_interval_and_equal_values_no_spread() -> None:
    one = t_interval(np.array([4.0]))
    assert one.mean == 4.0
    assert np.isnan([one.low, one.high, one.sd, one.p]).all()
    assert t_interval(np.array([0.0, 0.0])).p == 1.0
    assert t_interval(np.array([1.0, 1.0])).p == 0.0
