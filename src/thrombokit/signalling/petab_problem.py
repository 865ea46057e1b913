"""A calibration problem: a network, what was measured of it, under which conditions, and which numbers are unknown.

The nouns are those of PEtab 1: parameters, observables, conditions, measurements. Everything is resolved as far as it can be without
values: formulas are trees, and each place that is filled by a number or by a parameter is an `Entry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray, frozen
from thrombokit.signalling.expression import Expression
from thrombokit.signalling.network import Network

ScaleName: TypeAlias = Literal["lin", "log", "log10"]
Entry: TypeAlias = float | str
"""A number, or the id of a parameter whose value stands there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PetabParameter:
    """One row of the parameter table; all numbers are on linear scale, `scale` is the one that a fit moves on."""

    id: str
    scale: ScaleName
    nominal: float
    estimated: bool
    lower: float = -np.inf
    upper: float = np.inf
    name: str = ""
    place: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observable:
    """What is measured: a formula of the model's entities, and the width of the noise around it.

    `transformation`: the scale on which residuals are taken. `noise` is the standard deviation of normal noise, the scale of Laplace
    noise. Names of other observables in `noise` are written out.
    """

    id: str
    formula: Expression
    noise: Expression
    transformation: ScaleName = "lin"
    distribution: Literal["normal", "laplace"] = "normal"
    name: str = ""
    place: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """One row of a measurement table; `time` may be infinite (steady state), `preequilibration` is "" where there is none."""

    observable: str
    preequilibration: str
    condition: str
    value: float
    time: float
    observable_parameters: tuple[Entry, ...] = ()
    noise_parameters: tuple[Entry, ...] = ()
    place: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class PetabProblem:
    """A whole problem, checked.

    Attributes
    ----------
    source : str
        The YAML file, for messages.
    network : Network
        The model.
    parameters, observables : tuple
        In the order of the files.
    conditions : dict of condition id to dict of id to Entry
        What each condition sets; a column whose cell is empty is left out.
    measurements : tuple of Measurement
        In the order of the files, one after another.
    """

    source: str
    network: Network
    parameters: tuple[PetabParameter, ...]
    observables: tuple[Observable, ...]
    conditions: Mapping[str, Mapping[str, Entry]]
    measurements: tuple[Measurement, ...] = field(repr=False)

    @cached_property
    def space(self) -> ParameterSpace:
        """The estimated parameters as a box on the scales a fit moves on."""
        return ParameterSpace.of(self.parameters)

    @cached_property
    def observable_by_id(self) -> Mapping[str, Observable]:
        """Observables by id."""
        return {one.id: one for one in self.observables}


@dataclass(frozen=True, kw_only=True, eq=False)
class ParameterSpace(FrozenArrays):
    """Estimated parameters on their scales (lin, log, log10), and all parameters on linear scale.

    Attributes
    ----------
    ids : tuple of str
        Estimated parameters, n of them.
    scales : tuple of str
        The scale of each.
    lower, upper, nominal : array of shape (n,)
        On those scales.
    position : array of shape (n,), integer
        Place of each among all parameters.
    all_nominal : array of shape (n_parameters,)
        All parameters, linear.
    """

    ids: tuple[str, ...]
    scales: tuple[ScaleName, ...]
    lower: Array
    upper: Array
    nominal: Array
    position: IntArray
    all_nominal: Array

    @classmethod
    def of(cls, parameters: tuple[PetabParameter, ...]) -> ParameterSpace:
        """The space of a parameter table."""
        found = [(at, one) for at, one in enumerate(parameters) if one.estimated]
        scales: tuple[ScaleName, ...] = tuple(one.scale for _, one in found)
        log, log10 = _kinds(scales)

        def scaled(values: list[float]) -> Array:
            return frozen(_to_scale(np.array(values, dtype=float), log, log10))

        return cls(
            ids=tuple(one.id for _, one in found), scales=scales, position=frozen([at for at, _ in found], np.int64),
            lower=scaled([one.lower for _, one in found]), upper=scaled([one.upper for _, one in found]),
            nominal=scaled([one.nominal for _, one in found]), all_nominal=frozen([one.nominal for one in parameters]),
        )  # fmt: skip

    @cached_property
    def _log_kinds(self) -> tuple[BoolArray, BoolArray]:
        return _kinds(self.scales)

    def linear(self, point: Array) -> Array:
        """All parameters on linear scale, shape (n_parameters,), from the estimated ones on their scales, shape (n,)."""
        log, log10 = self._log_kinds
        values = np.array(point, dtype=float)
        values[log] = np.exp(values[log])
        values[log10] = 10.0 ** values[log10]
        everything = np.array(self.all_nominal)
        everything[self.position] = values
        return everything

    def slope(self, point: Array) -> Array:
        """d linear / d scaled of the estimated parameters, shape (n,)."""
        log, log10 = self._log_kinds
        values = self.linear(point)[self.position]
        return np.where(log, values, np.where(log10, values * np.log(10.0), 1.0))


def _kinds(scales: tuple[ScaleName, ...]) -> tuple[BoolArray, BoolArray]:
    return np.array([s == "log" for s in scales], dtype=bool), np.array([s == "log10" for s in scales], dtype=bool)


def _to_scale(values: Array, log: BoolArray, log10: BoolArray) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(log, np.log(np.maximum(values, 0.0)), np.where(log10, np.log10(np.maximum(values, 0.0)), values))
