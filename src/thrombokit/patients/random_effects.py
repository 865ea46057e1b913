"""Random effects of the individuals of an event table, each from a stream of its own name: no order, no other patient changes them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.numerics.streams import stream
from thrombokit.patients.compiled_model import CompiledModel
from thrombokit.patients.event_table import EventTable, id_text
from thrombokit.patients.model import PatientModel, Residual

STAGE = "patients"


def draw_effects(
    model: PatientModel, compiled: CompiledModel, events: EventTable, inputs: Array, *, occasions: Mapping[str, Array], seed: int
) -> None:  # fmt: skip
    """Fill the random effects and mixture classes of `inputs` (n_records, n_inputs), in place.

    `occasions` gives, for each occasion column in capitals, the occasion of every record, (n_records,) without gaps.
    """
    roots = [covariance_root(block.matrix) for block in model.omega]
    bounds = events.first_records
    for patient, key in enumerate(events.keys):
        records = slice(int(bounds[patient]), int(bounds[patient + 1]))
        draws = stream(seed, STAGE, key, "etas")
        for number, (block, root) in enumerate(zip(model.omega, roots, strict=True)):
            places = [compiled.input_index(name) for name in block.names]
            normals = draws.standard_normal(root.shape[0])
            if block.occasion_column is None:
                inputs[records, places] = root @ normals
            else:
                of_record = occasions[block.occasion_column.upper()][records]
                inputs[records, places] = _by_occasion(root, of_record, (seed, key, number))
        shares = stream(seed, STAGE, key, "classes")
        for mixture in model.mixtures:
            chosen = int(np.searchsorted(np.cumsum(mixture.shares), shares.random(), side="right"))
            inputs[records, compiled.input_index(mixture.name)] = min(chosen, len(mixture.shares) - 1) + 1


def covariance_root(matrix: Array) -> Array:
    """The lower triangle L with L L' = `matrix`, (n, n), symmetric; a variance of 0 gives a row of 0."""
    n = matrix.shape[0]
    root = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i, j] - root[i, :j] @ root[j, :j]
            if i == j:
                root[i, i] = np.sqrt(rest) if rest > 1e-14 * matrix[i, i] else 0.0
            elif root[j, j] > 0.0:
                root[i, j] = rest / root[j, j]
    return root


def _by_occasion(root: Array, occasions: Array, names: tuple[int, str, int]) -> Array:
    """Effects (n_records, n_effects) of one block for one patient, a draw for each occasion."""
    seed, key, number = names
    effects = np.zeros((occasions.size, root.shape[0]))
    for occasion in np.unique(occasions):
        normals = stream(seed, STAGE, key, "occasion", number, id_text(float(occasion))).standard_normal(root.shape[0])
        effects[occasions == occasion] = root @ normals
    return effects


def measured(true: Array, normals: Array, residual: Residual) -> Array:
    """What an assay reads: `true` (n,) with the errors `normals` (n, 2), standard normal; additive with proportional, or on the log."""
    if residual.log_sd > 0.0:
        return true * np.exp(residual.log_sd * normals[:, 0])
    return true * (1.0 + residual.proportional_sd * normals[:, 0]) + residual.additive_sd * normals[:, 1]
