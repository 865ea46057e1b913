"""What a plate reader is to us: a name, a test that says yes or no with a reason, and a function that reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from thrombokit.io.tables import Sheet
from thrombokit.plate.plate import Reading


@dataclass(frozen=True, kw_only=True, slots=True)
class Recognition:
    """Whether a file is of a format, and why (a fragment that follows "because")."""

    claims: bool
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateReader:
    """One export format.

    `recognise` looks at content only and never raises; `read` gives one `Reading` per plate (without `why` and `rejected`, which
    `detect` adds) and raises `FileFormatError` with every fault of the file. `expected` says what the format looks like.
    """

    name: str
    expected: str
    recognise: Callable[[tuple[Sheet, ...]], Recognition]
    read: Callable[[tuple[Sheet, ...]], tuple[Reading, ...]]
