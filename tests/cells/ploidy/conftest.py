"""DNA signals of simulated tubes: cells of known classes with noise, S phase, debris and doublets that the fitter's model need not share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from thrombokit.numerics.streams import stream

MIXED = (0.45, 0.25, 0.15, 0.10, 0.04, 0.01)
CORD_BLOOD = (0.80, 0.15, 0.03, 0.015, 0.004, 0.001)
ADULT = (0.12, 0.20, 0.28, 0.25, 0.12, 0.03)


@dataclass(frozen=True, kw_only=True)
class TubeRecipe:
    """What a simulated tube is made of: shares of events, shapes by name, positions as in the field's words."""

    population: tuple[float, ...] = MIXED
    g1: float = 10_000.0
    exponent: float = 1.0
    cv: float = 0.05
    noise: float = 0.1
    s_phase: float = 0.12
    s_shape: str = "even"
    tail: str = "normal"
    debris: float = 0.05
    debris_shape: str = "exponential"
    doublets: float = 0.03


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedTube:
    """`signal` (n_events,), `realised` shares of the single cells in it and `population` shares they were drawn from, both (6,)."""

    signal: np.ndarray
    realised: np.ndarray
    population: np.ndarray

    @property
    def realised_mean_ploidy(self) -> float:
        """Chromosome sets per single cell."""
        return float(self.realised @ 2.0 ** np.arange(1, 7))


def _noise(rng: np.random.Generator, tail: str, n: int) -> np.ndarray:
    draws = {
        "normal": lambda: rng.standard_normal(n),
        "student": lambda: rng.standard_t(5, n),
        "contaminated": lambda: rng.standard_normal(n) * np.where(rng.random(n) < 0.08, 2.5, 1.0),
        "laplace": lambda: rng.laplace(0.0, 0.75, n),
        "skewed": lambda: (rng.gamma(9.0, 1.0, n) - 9.0) / 3.0,
    }
    return draws[tail]()


def _through_s(rng: np.random.Generator, shape: str, n: int) -> np.ndarray:
    return {"even": lambda: rng.random(n), "early": lambda: rng.beta(1, 2, n), "late": lambda: rng.beta(2, 1, n)}[shape]()


def _cells(rng: np.random.Generator, recipe: TubeRecipe, n: int) -> tuple[np.ndarray, np.ndarray]:
    share = np.array(recipe.population) / np.sum(recipe.population)
    k = rng.choice(share.size, size=n, p=share)
    in_s = rng.random(n) < recipe.s_phase
    content = 2.0**k * np.where(in_s, 1.0 + _through_s(rng, recipe.s_shape, n), 1.0)
    mean = recipe.g1 * content**recipe.exponent
    sd = np.sqrt((recipe.cv * mean) ** 2 + recipe.noise * (recipe.cv * recipe.g1) ** 2)
    return k, np.maximum(mean + sd * _noise(rng, recipe.tail, n), 1.0)


def _debris(rng: np.random.Generator, recipe: TubeRecipe, n: int) -> np.ndarray:
    many = 6 * n + 60
    if recipe.debris_shape == "exponential":
        pieces = rng.exponential(0.4 * recipe.g1, many)
    elif recipe.debris_shape == "power":
        pieces = 0.15 * recipe.g1 * (1.0 - rng.random(many)) ** (-1.0 / 1.2)
    else:
        pieces = _cells(rng, recipe, many)[1] * rng.beta(1.0, 2.5, many)
    return pieces[pieces > 0.12 * recipe.g1][:n]


def simulate_tube(seed: int, n: int = 20_000, recipe: TubeRecipe | None = None) -> SimulatedTube:
    """`n` events: single cells, doublets (sums of two) and debris in the recipe's shares, in random order."""
    recipe = recipe or TubeRecipe()
    rng = stream(seed, "ploidy tube")
    n_debris, n_doublets = round(recipe.debris * n), round(recipe.doublets * n)
    n_single = n - n_debris - n_doublets
    k, single = _cells(rng, recipe, n_single)
    doublets = _cells(rng, recipe, n_doublets)[1] + _cells(rng, recipe, n_doublets)[1]
    signal = np.concatenate([single, doublets, _debris(rng, recipe, n_debris)])
    place = np.minimum(np.arange(len(recipe.population)), 5)  # what is above 64N counts as 64N
    population = np.bincount(place, np.array(recipe.population) / np.sum(recipe.population), minlength=6)
    realised = np.bincount(np.minimum(k, 5), minlength=6) / n_single
    return SimulatedTube(signal=rng.permutation(signal), realised=realised, population=population)


@pytest.fixture(scope="session")
def tube() -> Callable[..., SimulatedTube]:
    """See `simulate_tube`."""
    return simulate_tube


@pytest.fixture(scope="session")
def recipe() -> type[TubeRecipe]:
    """See `TubeRecipe`."""
    return TubeRecipe
