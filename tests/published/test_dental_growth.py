"""Repeated measures on the dental growth data, beside the numbers printed for them.

Data: Potthoff RF & Roy SN 1964, Biometrika 51:313-326, doi:10.1093/biomet/51.3-4.313, Table 1: distance (mm) from pituitary to
pterygomaxillary fissure of 11 girls and 16 boys at ages 8, 10, 12, 14.
"""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.numerics.restricted_likelihood import Pattern
from thrombokit.numerics.restricted_search import RepeatedFit, fit_repeated
from thrombokit.numerics.visit_covariance import VisitCovariance

GIRLS = """21 20 21.5 23; 21 21.5 24 25.5; 20.5 24 24.5 26; 23.5 24.5 25 26.5; 21.5 23 22.5 23.5; 20 21 21 22.5; 21.5 22.5 23 25; 23 23 23.5 24;
20 21 22 21.5; 16.5 19 19 19.5; 24.5 25 28 28"""
BOYS = """26 25 29 31; 21.5 22.5 23 26.5; 23 22.5 24 27.5; 25.5 27.5 26.5 27; 20 23.5 22.5 26; 24.5 25.5 27 28.5; 22 22 24.5 26.5;
24 21.5 24.5 25.5; 23 20.5 31 26; 27.5 28 31 31.5; 23 23 23.5 25; 21.5 23.5 24 28; 17 24.5 26 29.5; 22.5 25.5 25.5 26; 23 24.5 26 30;
22 21.5 23.5 25"""
AGES = np.array([8.0, 10.0, 12.0, 14.0])


def distances(text: str) -> np.ndarray:
    return np.array([[float(number) for number in row.split()] for row in text.split(";")])


def growth_lines(structure: str) -> RepeatedFit:
    """A line of age for each sex: intercept, female, age, female x age."""
    response = np.vstack([distances(BOYS), distances(GIRLS)])
    female = np.r_[np.zeros(16), np.ones(11)]
    design = np.stack([np.stack([np.ones(4), np.full(4, sex), AGES, sex * AGES], axis=1) for sex in female])
    pattern = Pattern(visits=np.arange(4), design=design, response=response)
    return fit_repeated([pattern], VisitCovariance(structure=structure, n_visits=4))


def test_random_intercepts_of_pinheiro_and_bates() -> None:
    """Compound symmetry is their random intercept: nlme prints SDs 1.816214 and 1.386382, log-likelihood -216.8786 (Orthodont, REML)."""
    fit = growth_lines("cs")
    variance, covariance = fit.parameters
    assert np.sqrt(covariance) == pytest.approx(1.816214, abs=5e-7)
    assert np.sqrt(variance - covariance) == pytest.approx(1.386382, abs=5e-7)
    assert -0.5 * fit.minus2_reml == pytest.approx(-216.8786, abs=6e-5)
    assert fit.beta == pytest.approx([16.340625, 1.032102, 0.784375, -0.304830], abs=6e-7)


def test_slope_difference_has_the_degrees_of_a_split_plot() -> None:
    """Within subjects, 27 x 3 differences carry two slopes: 79 degrees (nlme prints DF 79 for age and its interaction)."""
    estimate, se, degrees = growth_lines("cs").contrast(np.array([0.0, 0.0, 0.0, 1.0]))
    assert estimate / se == pytest.approx(-2.511, abs=6e-4)
    assert degrees == pytest.approx(79.0, abs=1e-6)
