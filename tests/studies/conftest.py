"""What the studies share: curves with a known truth, at any place of the EC50 and with any noise, and the tables they print."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from thrombokit.numerics.streams import stream

STUDY_SEED = 20_417
EVEN, GROWING = (5.0, 0.0), (1.0, 0.08)
"""Noise as (sd in response units, CV): variance sd^2 + (CV mean)^2, on curves from 10 to 100."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulated:
    """n curves with their truth: `dose` (n_points,) in nM, `mean` (n, n_points), `ec50_nM` and `hill` (n,)."""

    dose: np.ndarray
    mean: np.ndarray
    ec50_nM: np.ndarray
    hill: np.ndarray

    def table(self, response: np.ndarray) -> pl.DataFrame:
        """The tidy table of a response of shape (n, n_points)."""
        n, points = response.shape
        return pl.DataFrame(
            {
                "curve": np.repeat([f"c{i:06d}" for i in range(n)], points),
                "concentration_nM": np.tile(self.dose, n),
                "response": response.ravel(),
            }
        )


def half_log_doses(n_doses: int, replicates: int, *, top_nM: float = 10_000.0) -> np.ndarray:
    """Doses in half-log steps below `top_nM`, each `replicates` times, ascending; shape (n_doses x replicates,)."""
    return np.repeat(top_nM / np.sqrt(10.0) ** np.arange(n_doses)[::-1], replicates)


def simulate_truth(
    n: int,
    name: str,
    *,
    centre_nM: float | None = None,
    decades: tuple[float, float] = (-0.5, 0.5),
    n_doses: int = 10,
    replicates: int = 3,
) -> Simulated:
    """Curves from 10 to 100, hill 0.8 to 1.8, log10 EC50 even over `decades` about `centre_nM` (default: the middle dose)."""
    rng = stream(STUDY_SEED, name, "truth")
    dose = half_log_doses(n_doses, replicates)
    centre = centre_nM or float(np.sqrt(dose[0] * dose[-1]))
    ec50 = centre * 10.0 ** rng.uniform(*decades, n)
    hill = rng.uniform(0.8, 1.8, n)
    mean = 10.0 + 90.0 / (1.0 + (ec50[:, None] / dose) ** hill[:, None])
    return Simulated(dose=dose, mean=mean, ec50_nM=ec50, hill=hill)


def add_noise(mean: np.ndarray, name: str, noise: tuple[float, float]) -> np.ndarray:
    """`mean` with independent well noise, same shape."""
    sd, cv = noise
    return mean + np.sqrt(sd**2 + (cv * mean) ** 2) * stream(STUDY_SEED, name, "wells").standard_normal(mean.shape)


@pytest.fixture(scope="session")
def truth() -> Callable[..., Simulated]:
    """See `simulate_truth`."""
    return simulate_truth


@pytest.fixture(scope="session")
def with_noise() -> Callable[[np.ndarray, str, tuple[float, float]], np.ndarray]:
    """See `add_noise`."""
    return add_noise
