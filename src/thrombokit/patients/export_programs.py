"""Programs a patient model can be exported to. Kept apart from what exports, so that the command line starts at once."""

from __future__ import annotations

from enum import StrEnum


class Program(StrEnum):
    """Programs, by their words."""

    MRGSOLVE = "mrgsolve"
    NONMEM = "nonmem"
