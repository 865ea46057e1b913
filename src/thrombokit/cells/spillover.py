"""Spillover: how much of each dye's light reaches the detectors of the others, and its removal from events.

Row i of the matrix is dye i, column j the detector it spills into; the diagonal is the dye's own detector. What a detector shows is
`true @ matrix`, so the true signal is found by solving that system, on linear (decoded) values only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.numerics.column_mixing import mix_columns

WORST_CONDITION = 1e8
"""Condition number beyond which solving loses half of the digits of a float64: the matrix counts as singular."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spillover(FrozenArrays):
    """Spillover among some channels of a sample.

    `channels` are names, in the order of the rows and columns of `matrix`, shape (n, n). `source` says where it comes from.
    """

    channels: tuple[str, ...]
    matrix: Array
    source: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", frozen(self.matrix))
        faults = tuple(_faults(self))
        if faults:
            raise InputError(faults)

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return bool(np.array_equal(self.matrix, np.eye(len(self.channels))))


def _faults(spillover: Spillover) -> list[Fault]:
    place, names, matrix = spillover.source, spillover.channels, spillover.matrix
    cure = "Take the matrix from the single-stain controls again, or correct it where it was exported."
    n = len(names)
    if n == 0 or matrix.shape != (n, n):
        return [Fault(place=place, found=f"a matrix of shape {matrix.shape}", expected=f"{n} x {n}, one row a channel", cure=cure)]
    if len(set(names)) != n:
        twice = sorted({name for name in names if names.count(name) > 1})
        return [Fault(place=place, found=f"channel named twice: {', '.join(twice)}", expected="each channel once", cure=cure)]
    if not np.isfinite(matrix).all():
        return [Fault(place=place, found="a value that is not finite", expected="finite numbers", cure=cure)]
    if not (np.diag(matrix) > 0).all():
        worst = names[int(np.argmin(np.diag(matrix)))]
        return [Fault(place=place, found=f"{np.diag(matrix).min():g} on the diagonal at {worst}", expected="> 0", cure=cure)]
    condition = np.linalg.cond(matrix)
    if not condition < WORST_CONDITION:
        found = f"a singular matrix (condition number {condition:.3g})"
        return [Fault(place=place, found=found, expected=f"a condition number below {WORST_CONDITION:g}", cure=cure)]
    return []


def remove_spillover(events: Array, names: tuple[str, ...], spillover: Spillover) -> Array:
    """Events with the spillover taken out.

    Parameters
    ----------
    events : array of shape (n_events, n_channels)
        Decoded (linear) values.
    names : tuple of str
        The channels of `events`, in order.
    spillover : Spillover
        Its channels must all be among `names`, each once.

    Returns
    -------
    array of shape (n_events, n_channels), float64
        A new array; channels outside the matrix are unchanged. Where a value is not finite, so is what it
        spills into.

    Raises
    ------
    InputError
        If a channel of the matrix is not, or not once, among `names`.
    """
    wrong = [name for name in spillover.channels if names.count(name) != 1]
    if wrong:
        raise InputError(
            Fault(
                place=spillover.source,
                found=", ".join(f"{name!r} ({names.count(name)} channels of that name)" for name in wrong),
                expected=f"channels of the sample, each once: {', '.join(names)}",
                cure="Name the matrix's channels as in $PnN.",
            )
        )
    values = np.array(events, dtype=np.float64, order="C")
    mix_columns(values, np.array([names.index(name) for name in spillover.channels]), frozen(np.linalg.inv(spillover.matrix)))
    return values
