"""Where the calibration starts from: the shipped eltrombopag models with what it frees put back to the values before any fit.

The shipped files hold the medians of the frozen sets, so they change when the sets do; the sets must not hang on themselves. None of these values
reaches a draw (every draw brings its own), but the hash of the models that were fitted with covers them, and so stays what it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from thrombokit.numerics.arrays import frozen
from thrombokit.patients.model import PatientModel

THETA: Mapping[str, float] = {"SLOPE": 0.426, "TRANSFER": 1.0}
"""Healthy Japanese men's slope, and as much production added in ITP as in healthy people."""
OMEGA: Mapping[str, float] = {"ETA_SLOPE": 0.287}
"""Farrell 2014, Table 6: chronic liver disease."""
SHARES: Mapping[str, tuple[float, ...]] = {"RESPONSE": (0.81, 0.19)}
"""Hayes 2011: 19 % do not respond."""


def starting_point(model: PatientModel) -> PatientModel:
    """The model with every value that the calibration frees as it was before the first fit; the others as they are."""
    blocks = tuple(
        replace(block, matrix=frozen(np.array([[OMEGA[block.names[0]]]]))) if block.names[0] in OMEGA and len(block.names) == 1 else block
        for block in model.omega
    )  # fmt: skip
    mixtures = tuple(replace(mixture, shares=SHARES.get(mixture.name, mixture.shares)) for mixture in model.mixtures)
    return replace(model.with_theta(THETA), omega=blocks, mixtures=mixtures)
