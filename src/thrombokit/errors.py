"""What can go wrong, as a tree one can see.

::

    ThrombokitError
    ├── InputError                 the user's files or options; exit code 3
    │   ├── FileFormatError        a file that is not what it should be
    │   ├── LayoutError            a plate map that does not fit its plate
    │   ├── UnitError              a quantity without a unit, or with the wrong one
    │   └── SpecError              study.toml or an agonist file
    ├── SimulationError            a computation that could not finish; exit code 4
    └── MissingExtraError          an optional part is not installed; exit code 5

An `InputError` carries every fault of one pass as a tuple of `Fault`: what was found, where, what was expected and what to do.
A bug of our own is never an `InputError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EXIT_OK, EXIT_QC_FAILED, EXIT_USAGE, EXIT_INPUT, EXIT_COMPUTATION, EXIT_EXTRA, EXIT_STOPPED = 0, 1, 2, 3, 4, 5, 130


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing wrong with the input.

    `place` reads from the outside in: "study.toml:12, plate.files[2].map" or "plate2.csv, row 7". All four are sentences or
    fragments for a person; `cure` says what to do next.
    """

    place: str
    found: str
    expected: str
    cure: str

    def __str__(self) -> str:
        return f"{self.place}: found {self.found}; expected {self.expected}. {self.cure}".rstrip()

    def to_dict(self) -> dict[str, str]:
        """The four fields as plain text, for `--json`."""
        return {"place": self.place, "found": self.found, "expected": self.expected, "cure": self.cure}


class ThrombokitError(Exception):
    """Anything thrombokit raises on purpose."""

    exit_code = EXIT_COMPUTATION


class InputError(ThrombokitError):
    """The input is not usable as it is; `.faults` holds all that was found in one pass."""

    exit_code = EXIT_INPUT

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)


class FileFormatError(InputError):
    """A file that is not of the kind it should be, or is damaged."""


class LayoutError(InputError):
    """A plate map that does not fit its plate, or contradicts itself."""


class UnitError(InputError):
    """A quantity whose unit is missing, unknown or of the wrong dimension."""


class SpecError(InputError):
    """A study file or agonist file that says something it cannot mean."""


class SimulationError(ThrombokitError):
    """A computation that could not finish."""

    exit_code = EXIT_COMPUTATION


class MissingExtraError(ThrombokitError):
    """An optional part of thrombokit is needed and not installed."""

    exit_code = EXIT_EXTRA


def raise_all(faults: Iterable[Fault], kind: type[InputError] = InputError) -> None:
    """Raise one `kind` with all `faults`; do nothing when there are none."""
    found = tuple(faults)
    if found:
        raise kind(found)
