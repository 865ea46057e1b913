"""How a numerical routine ended; every estimate carries one."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How an iteration ended."""

    CONVERGED = "converged"
    AT_BOUND = "at_bound"
    MAX_STEPS = "max_steps"
    NOT_FINITE = "not_finite"


OUTCOME_BY_CODE: tuple[Outcome, ...] = (Outcome.CONVERGED, Outcome.AT_BOUND, Outcome.MAX_STEPS, Outcome.NOT_FINITE)
"""Integer codes used inside compiled kernels -> `Outcome`."""
