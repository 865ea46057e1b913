"""A spectrum matrix of a gating file: how much of each fluorochrome's light reaches each detector, and how to find the one from the other.

Row i is fluorochrome i, column j detector j. There may be more detectors than fluorochromes; then least squares finds the fluorochromes.
A matrix may also be given the other way round, as the one that takes detectors to fluorochromes ("inverted already" in Gating-ML).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.cells.spillover import WORST_CONDITION, Spillover
from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen


@dataclass(frozen=True, kw_only=True, eq=False)
class SpectrumMatrix(FrozenArrays):
    """Named fluorochromes found from named detectors.

    `matrix` has shape (n_fluorochromes, n_detectors); with `inverted`, (n_detectors, n_fluorochromes) and takes detectors to fluorochromes.
    `source` says where it comes from.
    """

    fluorochromes: tuple[str, ...]
    detectors: tuple[str, ...]
    matrix: Array
    source: str
    inverted: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", frozen(self.matrix))
        faults = _faults(self)
        if faults:
            raise InputError(faults)


def unmixing(matrix: SpectrumMatrix | Spillover) -> Array:
    """What takes detectors to fluorochromes: fluorochromes = detectors @ this.

    Returns
    -------
    array of shape (n_detectors, n_fluorochromes)
        The inverse of a square matrix; the pseudo-inverse where there are more detectors than fluorochromes, which is least squares.
    """
    if isinstance(matrix, Spillover):
        return frozen(np.linalg.inv(matrix.matrix))
    if matrix.inverted:
        return matrix.matrix
    is_square = len(matrix.fluorochromes) == len(matrix.detectors)
    return frozen(np.linalg.inv(matrix.matrix) if is_square else np.linalg.pinv(matrix.matrix))


def fluorochromes_of(matrix: SpectrumMatrix | Spillover) -> tuple[str, ...]:
    """The names that a gate uses for what the matrix finds."""
    return matrix.channels if isinstance(matrix, Spillover) else matrix.fluorochromes


def detectors_of(matrix: SpectrumMatrix | Spillover) -> tuple[str, ...]:
    """The channels of the sample that the matrix needs."""
    return matrix.channels if isinstance(matrix, Spillover) else matrix.detectors


def _faults(spectrum: SpectrumMatrix) -> list[Fault]:
    place = spectrum.source
    cure = "Correct the matrix where it was exported, or take it from the single-stain controls again."
    n, m = len(spectrum.fluorochromes), len(spectrum.detectors)
    faults: list[Fault] = []
    for what, names in (("fluorochrome", spectrum.fluorochromes), ("detector", spectrum.detectors)):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            faults.append(Fault(place=place, found=f"{what} named twice: {', '.join(twice)}", expected="each once", cure=cure))
    if n == 0 or m < n:
        found = f"{n} fluorochromes and {m} detectors"
        faults.append(
            Fault(place=place, found=found, expected="at least one fluorochrome, and as many detectors or more", cure=cure)
        )
    shape = (m, n) if spectrum.inverted else (n, m)
    if spectrum.matrix.shape != shape:
        rows = "row for each detector" if spectrum.inverted else "row for each fluorochrome"
        found = f"coefficients of shape {spectrum.matrix.shape}"
        faults.append(Fault(place=place, found=found, expected=f"{shape[0]} x {shape[1]}, one {rows}", cure=cure))
    elif not np.isfinite(spectrum.matrix).all():
        faults.append(Fault(place=place, found="a coefficient that is not finite", expected="finite numbers", cure=cure))
    elif not faults:
        condition = float(np.linalg.cond(spectrum.matrix))
        if not condition < WORST_CONDITION:
            found = f"a singular matrix (condition number {condition:.3g})"
            faults.append(Fault(place=place, found=found, expected=f"a condition number below {WORST_CONDITION:g}", cure=cure))
    return faults
