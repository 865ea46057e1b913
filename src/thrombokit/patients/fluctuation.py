"""How a patient's count wanders without any drug, and what an assay reads of it.

The logarithm of the count carries a stationary first-order autoregressive process in continuous time (Ornstein-Uhlenbeck): standard
deviation `log_sd`, correlation exp(-time / `correlation_time_d`) between two days. It is stepped exactly over any interval, so uneven visits
need no grid. Its median factor is 1: medians over patients stay where they were, means rise by exp(log_sd^2 / 2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.jit import kernel
from thrombokit.patients.model import Residual


@dataclass(frozen=True, kw_only=True, slots=True)
class Fluctuation:
    """Within-patient fluctuation of the count: SD of its natural logarithm, and the days after which correlation has fallen to 1/e.

    Raises
    ------
    SpecError
        If either is negative or not finite.
    """

    log_sd: float
    correlation_time_d: float

    def __post_init__(self) -> None:
        raise_all(
            (
                Fault(place=f"fluctuation, {name}", found=f"{value:g}", expected="a finite number, 0 or more", cure="Correct it.")
                for name, value in (("log_sd", self.log_sd), ("correlation_time_d", self.correlation_time_d))
                if not (math.isfinite(value) and value >= 0.0)
            ),
            SpecError,
        )


OBSERVATION_SIZE = 5
"""Numbers that describe the way from the model's count to the measured one; see `observation_program`."""


def observation_program(fluctuation: Fluctuation | None = None, residual: Residual | None = None) -> Array:
    """Fluctuation and assay error as numbers, shape (OBSERVATION_SIZE,); what is None does nothing.

    In this order: SD and correlation time (d) of the fluctuation; additive (1e9/L), proportional and logarithmic SD of the assay.
    """
    moves = (fluctuation.log_sd, fluctuation.correlation_time_d) if fluctuation else (0.0, 0.0)
    assay = residual if residual is not None else Residual()
    return np.array([*moves, assay.additive_sd, assay.proportional_sd, assay.log_sd])


@kernel
def correlation_after(elapsed_d: float, correlation_time_d: float) -> float:
    """Correlation of the log factor with itself `elapsed_d` days later."""
    if elapsed_d <= 0.0:
        return 1.0
    return math.exp(-elapsed_d / correlation_time_d) if correlation_time_d > 0.0 else 0.0


@kernel
def next_fluctuation(phi: float, elapsed_d: float, normal: float, log_sd: float, correlation_time_d: float) -> float:
    """The log factor `elapsed_d` days after it was `phi`, with a standard normal draw; exact for any interval.

    References
    ----------
    Gillespie 1996, Phys Rev E 54:2084, doi:10.1103/PhysRevE.54.2084: the exact update of an Ornstein-Uhlenbeck process.
    """
    rho = correlation_after(elapsed_d, correlation_time_d)
    return phi * rho + log_sd * math.sqrt(1.0 - rho * rho) * normal


@kernel
def fluctuation_between(
    left: float, since_left_d: float, right: float, until_right_d: float, normal: float, log_sd: float, correlation_time_d: float
) -> float:
    """The log factor between two known ones, with a standard normal draw: exact given both, at any two distances (days, >= 0)."""
    before = correlation_after(since_left_d, correlation_time_d)
    after = correlation_after(until_right_d, correlation_time_d)
    across = before * after
    free = 1.0 - across * across
    if free <= 0.0:
        return left
    mean = (before * (1.0 - after * after) * left + after * (1.0 - before * before) * right) / free
    spread = (1.0 - before * before) * (1.0 - after * after) / free
    return mean + log_sd * math.sqrt(spread) * normal


@kernel
def fluctuate(times_d: Array, normals: Array, log_sd: float, correlation_time_d: float, phi: Array) -> None:
    """A patient's log factors at visits, from its stationary start.

    Parameters
    ----------
    times_d : array of shape (n,)
        Days of the visits, rising; equal times have equal factors.
    normals : array of shape (n,)
        Standard normal draws.
    log_sd, correlation_time_d : float
        See `Fluctuation`.
    phi : array of shape (n,)
        Filled.
    """
    for k in range(times_d.size):
        if k == 0:
            phi[0] = log_sd * normals[0]
        else:
            phi[k] = next_fluctuation(phi[k - 1], times_d[k] - times_d[k - 1], normals[k], log_sd, correlation_time_d)


@kernel
def assayed(count: float, normal: float, normal2: float, additive_sd: float, proportional_sd: float, log_sd: float) -> float:
    """What an assay reads of a count, with two standard normal draws; a reading below 0 is 0. See `random_effects.measured`."""
    if log_sd > 0.0:
        return count * math.exp(log_sd * normal)
    read = count * (1.0 + proportional_sd * normal) + additive_sd * normal2
    return 0.0 if read < 0.0 else read
