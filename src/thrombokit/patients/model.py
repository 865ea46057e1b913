"""A patient model as a value: what a model file says, checked, nothing computed yet.

Expressions are trees (`expressions.py`); every entry remembers its place in the file, so that what is found wrong later, such as a name
that the data does not have, still points at its line. Names mean the same in any case, as column headers do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

import numpy as np

from thrombokit.domain.agonist import Tier
from thrombokit.errors import Fault, SpecError
from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.patients.expressions import Expression, expression_text

MODEL_SCHEMA = "thrombokit-model/1"
"""The form of a model file; a file of another form is refused, not guessed at."""

TIME, CONTINUOUS_TIME, TIME_AFTER_DOSE, OUT = "TIME", "T", "TAD", "out"
"""The record's time (in [record], [dose.*], [initial]); time and time since the last dose (everywhere else); the end of a flow."""


class CovariateRule(StrEnum):
    """Between two records the covariates are those of the next (NONMEM's behaviour), or of the last."""

    NEXT_CARRIED_BACKWARD = "nocb"
    LAST_CARRIED_FORWARD = "locf"


@dataclass(frozen=True, kw_only=True, slots=True)
class Units:
    """Labels; nothing is converted."""

    time: str
    amount: str
    concentration: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Theta:
    """A fixed number with where it comes from."""

    value: float
    unit: str | None = None
    source: str | None = None
    tier: Tier | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An expression and its place in the file."""

    expression: Expression
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseSettings:
    """What happens to a dose on its way into one compartment; None: not given.

    `lag` (time) before it arrives, bioavailability `F` (default 1), `rate` (amount/time) used where RATE = -1, `duration` (time) used
    where RATE = -2.
    """

    lag: Entry | None = None
    F: Entry | None = None
    rate: Entry | None = None
    duration: Entry | None = None


PieceValue = Expression | str | tuple[Expression, ...] | tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """One [[piece]]: a built-in structure. `settings` holds compartments and names as text, the rest as expressions."""

    kind: str
    settings: Mapping[str, PieceValue]
    place: str

    def name(self, key: str) -> str | None:
        """The compartment or name of a key."""
        value = self.settings.get(key)
        return value if isinstance(value, str) else None

    def names(self, key: str) -> tuple[str, ...]:
        """The compartments of a key."""
        value = self.settings.get(key, ())
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()

    def expression(self, key: str) -> Expression | None:
        """The expression of a key."""
        value = self.settings.get(key)
        return None if value is None or isinstance(value, str | tuple) else value

    def expressions(self, key: str) -> tuple[Expression, ...]:
        """The expressions of a key."""
        value = self.settings.get(key, ())
        return tuple(item for item in value if not isinstance(item, str)) if isinstance(value, tuple) else ()


@dataclass(frozen=True, kw_only=True, eq=False)
class OmegaBlock(FrozenArrays):
    """Random effects that vary together: normal, mean 0.

    `matrix`, shape (n, n): variances and covariances. With an `occasion_column` each of a patient's occasions (equal values of that data
    column) has a draw of its own; without one, each patient.
    """

    names: tuple[str, ...]
    matrix: Array
    occasion_column: str | None = None
    source: str | None = None
    tier: Tier | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixture:
    """Kinds of patients: expressions read the number of a patient's class (1, 2, ...) under `name`. `shares` sum to 1."""

    name: str
    shares: tuple[float, ...]
    labels: tuple[str, ...]
    source: str | None = None
    tier: Tier | None = None

    @property
    def typical_class(self) -> int:
        """The class with the largest share (the first of equals), counted from 1."""
        return int(np.argmax(self.shares)) + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Residual:
    """Measurement error of one output: y = f + f proportional + additive, or, with `log_sd`, y = f exp(error)."""

    additive_sd: float = 0.0
    proportional_sd: float = 0.0
    log_sd: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class PatientModel:
    """The checked content of a model file; see MODEL_SCHEMA.

    Mappings keep the order of the file. `flow` has (from, to) as keys; "out" leaves the body. `needed_columns` are the names that the
    model reads and does not define: columns the data must have. `time_records` are the entries whose expression uses TIME.
    """

    file: str
    units: Units
    compartments: tuple[str, ...]
    output: Mapping[str, Entry]
    title: str | None = None
    note: str | None = None
    default_dose: str | None = None
    default_observation: str | None = None
    covariates: CovariateRule = CovariateRule.NEXT_CARRIED_BACKWARD
    theta: Mapping[str, Theta] = field(default_factory=dict)
    record: Mapping[str, Entry] = field(default_factory=dict)
    algebra: Mapping[str, Entry] = field(default_factory=dict)
    flow: Mapping[tuple[str, str], Entry] = field(default_factory=dict)
    pieces: tuple[Piece, ...] = ()
    dose: Mapping[str, DoseSettings] = field(default_factory=dict)
    ode: Mapping[str, Entry] = field(default_factory=dict)
    initial: Mapping[str, Entry] = field(default_factory=dict)
    omega: tuple[OmegaBlock, ...] = ()
    mixtures: tuple[Mixture, ...] = ()
    residual: Mapping[str, Residual] = field(default_factory=dict)
    needed_columns: tuple[str, ...] = ()
    time_records: tuple[str, ...] = ()

    @property
    def eta_names(self) -> tuple[str, ...]:
        """The random effects, block by block."""
        return tuple(name for block in self.omega for name in block.names)

    def theta_values(self) -> dict[str, float]:
        """The value of every theta."""
        return {name: theta.value for name, theta in self.theta.items()}

    def with_theta(self, values: Mapping[str, float]) -> PatientModel:
        """The same model with other values of some thetas; their sources go, since they no longer hold.

        Raises
        ------
        SpecError
            If the model has no such theta, or a value is not finite.
        """
        by_folded = {name.casefold(): name for name in self.theta}
        wrong = [name for name, value in values.items() if name.casefold() not in by_folded or not np.isfinite(value)]
        if wrong:
            expected = f"finite values of {', '.join(self.theta) or 'no theta at all'}"
            raise SpecError(
                Fault(place=f"{self.file}, theta", found=f"{name} = {values[name]}", expected=expected, cure="Correct it.")
                for name in wrong
            )
        theta = dict(self.theta)
        for name, value in values.items():
            known = by_folded[name.casefold()]
            if float(value) != theta[known].value:
                theta[known] = Theta(value=float(value), unit=theta[known].unit)
        return replace(self, theta=theta)

    @cached_property
    def structure_hash(self) -> str:
        """SHA-256 of all that shapes the equations: everything but the values of theta, omega, shares and residuals."""
        return _hash(self._structure())

    @cached_property
    def hash(self) -> str:
        """SHA-256 of all that shapes an answer: equations, values and variances; not titles, notes, sources or places."""
        return _hash((*self._structure(), *self._values()))

    def _structure(self) -> tuple[object, ...]:
        """Lines of text, in a fixed order."""
        return (
            MODEL_SCHEMA, self.units, self.compartments, self.default_dose, self.default_observation, self.covariates.value,
            tuple(self.theta), self.eta_names, tuple((mixture.name, len(mixture.shares)) for mixture in self.mixtures),
            *(_texts(entries) for entries in (self.record, self.algebra, self.flow, self.ode, self.initial, self.output)),
            [(piece.kind, sorted((key, _piece_text(value)) for key, value in piece.settings.items())) for piece in self.pieces],
            [(name, *(expression_text(entry.expression) if entry else None for entry in (s.lag, s.F, s.rate, s.duration)))
             for name, s in self.dose.items()],
        )  # fmt: skip

    def _values(self) -> tuple[object, ...]:
        return (
            [(name, theta.value) for name, theta in self.theta.items()],
            [(block.names, block.matrix.tolist(), block.occasion_column) for block in self.omega],
            [(mixture.name, mixture.shares) for mixture in self.mixtures],
            list(self.residual.items()),
        )


def _texts(entries: Mapping[str, Entry] | Mapping[tuple[str, str], Entry]) -> list[tuple[object, str]]:
    return [(name, expression_text(entry.expression)) for name, entry in entries.items()]


def _piece_text(value: PieceValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return ", ".join(item if isinstance(item, str) else expression_text(item) for item in value)
    return expression_text(value)


def _hash(lines: tuple[object, ...]) -> str:
    return hashlib.sha256("\n".join(repr(line) for line in lines).encode()).hexdigest()
