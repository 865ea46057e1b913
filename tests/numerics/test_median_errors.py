"""The variance of a median from one sample, against all its resamples and against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.numerics.median_errors import median_variance
from thrombokit.numerics.streams import stream


@pytest.mark.parametrize("n", [3, 5, 7])
def test_odd_samples_tell_the_variance_over_every_resample(n: int) -> None:
    values = stream(1, "median", n).lognormal(size=n)
    medians = np.median(values[np.indices((n,) * n).reshape(n, -1)], axis=0)
    assert median_variance(values) == pytest.approx(medians.var(), rel=1e-9)


@pytest.mark.parametrize(("n", "most"), [(40, 1.3), (200, 1.15)])
def test_even_samples_tell_how_medians_scatter(n: int, most: float) -> None:
    """2,000 samples: the mean estimate is that of their medians, a little too large, the less so the more values there are."""
    samples = stream(2, "median", n).lognormal(size=(2000, n))
    told = np.mean([median_variance(sample) for sample in samples])
    assert 0.95 < told / np.median(samples, axis=1).var(ddof=1) < most


def test_what_cannot_vary_does_not() -> None:
    assert median_variance(np.full(20, 2.5)) == pytest.approx(0.0, abs=1e-25)
    assert np.isnan(median_variance(np.ones(1)))
    assert median_variance(np.array([4.0, 0.0] * 50)) > 1.0
