"""Who the virtual patients are: random effects, classes and covariates, drawn until the inclusion criterion is met.

Every draw comes from a stream named by seed, patient and purpose, so a patient is the same in any cohort, whoever is drawn before. Those who do not
fit are drawn anew as a whole; nothing is clipped. "etas" and "classes" are the streams of event tables: patient 7 of a cohort without
inclusion is individual 7 of a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types

from thrombokit.errors import SimulationError
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray
from thrombokit.numerics.jit import kernel, typed_kernel
from thrombokit.numerics.streams import StreamReel
from thrombokit.patients.cohort import Cohort, Counted, Inclusion
from thrombokit.patients.compiled_model import CompiledModel
from thrombokit.patients.covariates import Covariate, covariate_values
from thrombokit.patients.fluctuation import assayed
from thrombokit.patients.random_effects import STAGE, covariance_root
from thrombokit.patients.signatures import INITIAL_FUNCTION, OUTPUT_FUNCTION, RECORD_FUNCTION

DRAWN_AT_ONCE = 4
"""Draws of a patient made ready at a time where there is a criterion; most need one or two."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """What virtual patients are drawn from.

    `root` (n_etas, n_etas), lower triangle, turns standard normals into random effects; `eta_places`, `class_places`, `covariate_places` are
    places in the inputs; `shares` (n_mixtures, most classes) cumulated; `signal` the place of the count among the outputs; `observation` as
    from `observation_program`.
    """

    cohort: Cohort
    compiled: CompiledModel
    typical: Array
    root: Array
    eta_places: IntArray
    class_places: IntArray
    shares: Array
    covariate_places: IntArray
    covariates: tuple[Covariate, ...]
    signal: int
    observation: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnPatients(FrozenArrays):
    """The patients who were included, one a row.

    `inputs` (n, n_inputs), `record` (n, n_record), `initial` (n, n_compartments), `baseline` (n,) the model's count before treatment, `screening`
    (n, 3) the normals of the screening visit (fluctuation, assay, assay), `draws` (n,) how often each was drawn.
    """

    inputs: Array
    record: Array
    initial: Array
    baseline: Array
    screening: Array
    draws: IntArray


def population_of(
    cohort: Cohort, compiled: CompiledModel, covariates: dict[str, Covariate], *, signal: int, observation: Array
) -> Population:
    """Everything that drawing needs; `covariates` has a value for every column of the compiled model."""
    model = compiled.model
    names = [name for block in model.omega for name in block.names]
    root, begin = np.zeros((len(names), len(names))), 0
    for block in model.omega:
        end = begin + len(block.names)
        root[begin:end, begin:end] = covariance_root(block.matrix)
        begin = end
    shares = np.ones((len(model.mixtures), max((len(mixture.shares) for mixture in model.mixtures), default=1)))
    for k, mixture in enumerate(model.mixtures):
        shares[k, : len(mixture.shares)] = np.cumsum(mixture.shares)
        shares[k, len(mixture.shares) - 1 :] = np.inf
    return Population(
        cohort=cohort, compiled=compiled, typical=compiled.default_inputs(dict.fromkeys(compiled.columns, 0.0)), root=root,
        eta_places=_places(compiled, names), class_places=_places(compiled, [mixture.name for mixture in model.mixtures]), shares=shares,
        covariate_places=_places(compiled, compiled.columns), covariates=tuple(covariates[name] for name in compiled.columns),
        signal=signal, observation=observation,
    )  # fmt: skip


def draw_patients(population: Population, *, seed: int, start: int, stop: int) -> DrawnPatients:
    """Patients number start + 1 to stop.

    Raises
    ------
    SimulationError
        If a patient could not be included within the criterion's number of draws; the message says what the draws were like.
    """
    compiled, n, criterion = population.compiled, stop - start, population.cohort.criterion
    inputs = np.empty((n, population.typical.size))
    record, initial = np.zeros((n, compiled.n_record)), np.zeros((n, len(compiled.compartments)))
    baseline, draws = np.full(n, np.nan), np.zeros(n, np.int64)
    screening = np.zeros((n, 3))
    pending, tried, ready = np.arange(n), 0, 0
    chances: _Chances | None = None
    while pending.size:
        if chances is None or tried == ready:
            ready = min(2 * ready or (DRAWN_AT_ONCE if criterion else 1), criterion.most_draws if criterion else 1)
            chances = _chances(population, seed, pending + start + 1, ready)
        _fill(population, chances, tried, pending, inputs, record, initial, baseline)
        screening[pending] = chances.screening[:, tried]
        draws[pending] = tried = tried + 1
        fits = _fits(population, criterion, baseline[pending], screening[pending])
        if criterion and not fits.all() and tried >= criterion.most_draws:
            raise _none_fits(population, criterion, int(pending[~fits][0]) + start + 1, baseline[pending[~fits]])
        chances = chances.of(~fits)
        pending = pending[~fits]
    return DrawnPatients(inputs=inputs, record=record, initial=initial, baseline=baseline, screening=screening, draws=draws)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Chances:
    """Raw draws, first axis patients, second axis tries."""

    normals: Array
    classes: Array
    covariates: Array
    screening: Array

    def of(self, keep: BoolArray) -> _Chances:
        return _Chances(normals=self.normals[keep], classes=self.classes[keep], covariates=self.covariates[keep],
                        screening=self.screening[keep])  # fmt: skip


def _chances(population: Population, seed: int, numbers: Sequence[int] | IntArray, tries: int) -> _Chances:
    """The first `tries` draws of each patient; asking for more begins with the same ones."""
    n, reel = len(numbers), StreamReel()
    normals = np.zeros((n, tries, population.root.shape[0]))
    classes = np.zeros((n, tries, population.class_places.size))
    uniforms = np.zeros((n, tries, population.covariate_places.size))
    screening = np.zeros((n, tries, 3))
    criterion = population.cohort.criterion
    for row, number in enumerate(numbers):
        key = str(number)
        if normals.size:
            reel.stream(seed, STAGE, key, "etas").standard_normal(out=normals[row])
        if classes.size:
            reel.stream(seed, STAGE, key, "classes").random(out=classes[row])
        if uniforms.size:
            reel.stream(seed, STAGE, key, "covariates").random(out=uniforms[row])
        if criterion is not None and criterion.counted is Counted.MEASURED:
            reel.stream(seed, STAGE, key, "screening").standard_normal(out=screening[row])
    values = np.empty_like(uniforms)
    for k, covariate in enumerate(population.covariates):
        values[..., k] = covariate_values(covariate, uniforms[..., k])
    return _Chances(normals=normals, classes=classes, covariates=values, screening=screening)


def _fill(
    population: Population,
    chances: _Chances,
    tried: int,
    who: IntArray,
    inputs: Array,
    record: Array,
    initial: Array,
    baseline: Array,
) -> None:
    """Make the patients `who` from one try."""
    compiled = population.compiled
    fill_patients(
        compiled.fill_record, compiled.fill_initial, compiled.output, np.array(population.typical), np.array(population.root),
        np.array(population.eta_places), np.array(population.class_places), np.array(population.shares),
        np.array(population.covariate_places), np.ascontiguousarray(chances.normals[:, tried]),
        np.ascontiguousarray(chances.classes[:, tried]), np.ascontiguousarray(chances.covariates[:, tried]), who, population.signal,
        np.zeros(len(compiled.outputs)), inputs, record, initial, baseline,
    )  # fmt: skip


_NUMBER, _VECTOR, _MATRIX, _INTEGERS = types.float64, types.float64[::1], types.float64[:, ::1], types.int64[::1]


@typed_kernel(
    types.void(
        RECORD_FUNCTION, INITIAL_FUNCTION, OUTPUT_FUNCTION, _VECTOR, _MATRIX, _INTEGERS, _INTEGERS, _MATRIX, _INTEGERS, _MATRIX, _MATRIX,
        _MATRIX, _INTEGERS, types.int64, _VECTOR, _MATRIX, _MATRIX, _MATRIX, _VECTOR,
    )
)  # fmt: skip
def fill_patients(
    fill_record: Any, fill_initial: Any, output: Any, typical: Array, root: Array, eta_places: IntArray, class_places: IntArray,
    shares: Array, covariate_places: IntArray, normals: Array, classes: Array, covariates: Array, who: IntArray, signal: int,
    out: Array, inputs: Array, record: Array, initial: Array, baseline: Array,
) -> None:  # fmt: skip
    """Rows `who` of inputs, record values, states at the start and counts before treatment, from row k of the draws for who[k]."""
    for k in range(who.size):
        i = who[k]
        row = inputs[i]
        for j in range(typical.size):
            row[j] = typical[j]
        for j in range(eta_places.size):
            total = 0.0
            for m in range(j + 1):
                total += root[j, m] * normals[k, m]
            row[eta_places[j]] = total
        for j in range(class_places.size):
            kind = 0
            while classes[k, j] >= shares[j, kind]:
                kind += 1
            row[class_places[j]] = kind + 1.0
        for j in range(covariate_places.size):
            row[covariate_places[j]] = covariates[k, j]
        for j in range(initial.shape[1]):
            initial[i, j] = 0.0
        fill_record(row, 0.0, record[i])
        fill_initial(record[i], initial[i])
        output(0.0, 0.0, initial[i], record[i], out)
        baseline[i] = out[signal]


def _fits(population: Population, criterion: Inclusion | None, baseline: Array, screening: Array) -> BoolArray:
    """Which counts (n,) meet the criterion; one that is no number never does."""
    if criterion is None:
        return np.ones(baseline.size, dtype=np.bool_)
    counts = np.empty(baseline.size)
    if criterion.counted is Counted.MEASURED:
        _read_at_screening(baseline, screening, population.observation, counts)
    else:
        counts[:] = baseline
    condition = criterion.condition
    above = counts >= condition.low if condition.low_in else counts > condition.low
    below = counts <= condition.high if condition.high_in else counts < condition.high
    return above & below


@kernel
def _read_at_screening(baseline: Array, screening: Array, observation: Array, counts: Array) -> None:
    for i in range(baseline.size):
        count = baseline[i] * np.exp(observation[0] * screening[i, 0])
        counts[i] = assayed(count, screening[i, 1], screening[i, 2], observation[2], observation[3], observation[4])


def _places(compiled: CompiledModel, names: Sequence[str]) -> IntArray:
    return np.array([compiled.input_index(name) for name in names], dtype=np.int64)


def _none_fits(population: Population, criterion: Inclusion, number: int, baseline: Array) -> SimulationError:
    file, name = population.compiled.model.file, population.compiled.outputs[population.signal]
    seen = baseline[np.isfinite(baseline)]
    told = f"from {seen.min():.4g} to {seen.max():.4g} at the last draw of those left" if seen.size else "no finite numbers"
    return SimulationError(
        f"patient {number}: none of {criterion.most_draws} draws from {file} had {name} {criterion.when} before treatment; the counts were "
        f"{told}. Take another population or criterion, or allow more draws (most_draws)"
    )
