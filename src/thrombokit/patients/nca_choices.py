"""Choices of a non-compartmental analysis, by their words. Kept apart from what computes, so that the command line starts at once."""

from __future__ import annotations

from enum import StrEnum


class AreaMethod(StrEnum):
    """How two samples are joined."""

    LINEAR = "linear"
    LINEAR_UP_LOG_DOWN = "linear-up/log-down"


class Route(StrEnum):
    """How the dose was given."""

    EXTRAVASCULAR = "extravascular"
    BOLUS = "bolus"
    INFUSION = "infusion"


class Between(StrEnum):
    """What a sample below the limit between two quantified ones counts as."""

    LEFT_OUT = "left-out"
    ZERO = "zero"
