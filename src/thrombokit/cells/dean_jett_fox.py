"""The Dean-Jett-Fox model, named because reviewers know it, extended from two peaks to the classes of polyploid cells.

Gaussian peaks of one CV at exact doublings, an S phase of second degree between neighbours, exponential debris; no tails, no offset, no
exponent, no doublets. It is our model with the rest held still, so that a difference between the two answers comes from the model and
not from the numerics.

References
----------
Dean PN, Jett JH (1974) J Cell Biol 60:523-527, doi:10.1083/jcb.60.2.523. Fox MH (1980) Cytometry 1:71-77, doi:10.1002/cyto.990010114
(its extra Gaussian within S phase, for synchronised cells, is not taken over).
"""

from __future__ import annotations

from dataclasses import replace

from thrombokit.cells.ploidy_model import (
    CV_SLOPE,
    DEBRIS_POWER,
    DOUBLETS,
    EXPONENT,
    FRAGMENTS,
    NOISE,
    OFFSET,
    SLIVERS,
    TAIL,
    TAIL_SHIFT,
)
from thrombokit.cells.ploidy_prior import ShapePrior

HELD: dict[int, float] = {
    EXPONENT: 1.0, OFFSET: 0.0, NOISE: 0.0, CV_SLOPE: 0.0, TAIL: 0.0, TAIL_SHIFT: 0.0, DEBRIS_POWER: 1.0, FRAGMENTS: 0.0, SLIVERS: 0.0,
    DOUBLETS: 0.0,
}  # fmt: skip
"""What the older model does not have, and the value at which it is absent."""


def dean_jett_fox_prior(prior: ShapePrior) -> ShapePrior:
    """The prior that makes our model theirs."""
    return replace(prior, held=HELD)
