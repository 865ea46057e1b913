"""Where the numbers of a gate's dimensions come from: which channels of a sample, mixed by which weights.

A dimension without compensation is one channel; with it, a weighted sum of the detectors that a matrix mixes; a ratio has two such
parts. Everything that does not fit together (a channel that is not there, a matrix without its detectors) is found before any event is
looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thrombokit.cells.gates import FILE_MATRIX, UNCOMPENSATED, Dimension, GateTree, dimensions_of
from thrombokit.cells.sample import Sample
from thrombokit.cells.scales import Ratio
from thrombokit.cells.spectrum import detectors_of, fluorochromes_of, unmixing
from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.weighted_sums import weighted_sum


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """One plain value an event: the sum of some columns of the sample, each with its weight."""

    columns: tuple[int, ...]
    weights: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, kw_only=True)
class RatioOfMixtures:
    """One plain value an event: a ratio of two mixtures."""

    ratio: Ratio
    numerator: Mixture
    denominator: Mixture


Recipe = Mixture | RatioOfMixtures
RecipeKey = tuple[str | Ratio, str]


def key_of(dimension: Dimension) -> RecipeKey:
    """What a dimension's plain values depend on: its channel and its compensation, not its scale."""
    return dimension.channel, dimension.compensation


def recipes_for(sample: Sample, tree: GateTree) -> dict[RecipeKey, Recipe]:
    """How to compute the plain values of every dimension of a tree from a sample.

    Raises
    ------
    InputError
        If a channel is not in the sample, or there twice, a label stands where a channel's name should, a matrix lacks its detectors,
        or the file's own matrix cannot be used; all faults at once.
    """
    users: dict[RecipeKey, list[str]] = {}
    for gate in tree.gates:
        for dimension in dimensions_of(gate):
            users.setdefault(key_of(dimension), []).append(gate.id)
    recipes: dict[RecipeKey, Recipe] = {}
    faults: list[Fault] = []
    if sample.spillover_faults and any(compensation == FILE_MATRIX for _, compensation in users):
        faults.extend(sample.spillover_faults)
    for key, ids in users.items():
        named = list(dict.fromkeys(ids))
        some = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
        place = f"{tree.source}, gate{'s' if len(named) > 1 else ''} {some}"
        try:
            recipes[key] = _recipe(sample, tree, key, place)
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(dict.fromkeys(faults))
    return recipes


@dataclass(kw_only=True)
class EventBlock:
    """Consecutive decoded events of shape (n, n_channels), and the columns made from them so far, each made once."""

    events: NDArray[Any]
    channels: dict[int, Array] = field(default_factory=dict[int, Array])
    made: dict[Recipe, Array] = field(default_factory=dict[Recipe, Array])

    def values(self, recipe: Recipe) -> Array:
        """Plain values of shape (n,), float64."""
        if recipe not in self.made:
            self.made[recipe] = self._make(recipe)
        return self.made[recipe]

    def _make(self, recipe: Recipe) -> Array:
        if isinstance(recipe, RatioOfMixtures):
            return recipe.ratio.apply(self.values(recipe.numerator), self.values(recipe.denominator))
        if recipe.weights == (1.0,):
            return self._channel(recipe.columns[0])
        return weighted_sum([self._channel(column) for column in recipe.columns], np.array(recipe.weights))

    def _channel(self, column: int) -> Array:
        if column not in self.channels:
            self.channels[column] = np.ascontiguousarray(self.events[:, column], dtype=np.float64)
        return self.channels[column]


def _recipe(sample: Sample, tree: GateTree, key: RecipeKey, place: str) -> Recipe:
    channel, compensation = key
    if isinstance(channel, str):
        return _mixture(sample, tree, channel, compensation, place)
    parts: list[Mixture] = []
    faults: list[Fault] = []
    for name in (channel.numerator, channel.denominator):
        try:
            parts.append(_mixture(sample, tree, name, compensation, place))
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(faults)
    return RatioOfMixtures(ratio=channel, numerator=parts[0], denominator=parts[1])


def _mixture(sample: Sample, tree: GateTree, name: str, compensation: str, place: str) -> Mixture:
    if compensation == FILE_MATRIX:
        own = sample.spillover
        if own is None or own.is_identity or name not in own.channels:
            return Mixture(columns=_columns(sample, (name,), place))
        return _mixed(_columns(sample, own.channels, place), unmixing(own)[:, own.channels.index(name)])
    if compensation == UNCOMPENSATED:
        return Mixture(columns=_columns(sample, (name,), place))
    matrix = tree.matrices[compensation]
    fluorochromes, detectors = fluorochromes_of(matrix), detectors_of(matrix)
    if name in fluorochromes:
        where = f'{place}, matrix "{compensation}"'
        return _mixed(_columns(sample, detectors, where), unmixing(matrix)[:, fluorochromes.index(name)])
    if name in detectors or name not in sample.channel_names:
        what = "a detector of the matrix" if name in detectors else "no fluorochrome of the matrix and no channel of the sample"
        cure = "Name the fluorochrome that the matrix finds, or a channel that it does not touch."
        expected = f'what matrix "{compensation}" finds: {", ".join(fluorochromes)}'
        raise InputError(Fault(place=f"{place} on {sample.name}", found=f'"{name}", {what}', expected=expected, cure=cure))
    return Mixture(columns=_columns(sample, (name,), place))


def _mixed(columns: tuple[int, ...], weights: Array) -> Mixture:
    return Mixture(columns=columns, weights=tuple(float(weight) for weight in weights))


def _columns(sample: Sample, names: Iterable[str], place: str) -> tuple[int, ...]:
    wanted = tuple(names)
    faults = list(_name_faults(sample, wanted, f"{place} on {sample.name}"))
    if faults:
        raise InputError(faults)
    return tuple(sample.channel_names.index(name) for name in wanted)


def _name_faults(sample: Sample, names: tuple[str, ...], place: str) -> Iterator[Fault]:
    for name in names:
        count = sample.channel_names.count(name)
        if count == 1:
            continue
        expected = f"the name ($PnN) of one channel: {', '.join(sample.channel_names)}"
        labelled = [channel.name for channel in sample.channels if channel.label == name]
        if count > 1:
            found, cure = (
                f'"{name}", the name of {count} channels',
                "Rename the channels in the file so that each name is there once.",
            )
        elif labelled:
            found = f'"{name}", the label ($PnS) of channel {" and ".join(labelled)}'
            cure = f'Name the channel "{labelled[0]}" in the gate: labels differ from tube to tube.'
        else:
            found, cure = (
                f'"{name}", which is no channel of the sample',
                "Correct the gate's channel, or choose the file it was drawn on.",
            )
        yield Fault(place=place, found=found, expected=expected, cure=cure)
