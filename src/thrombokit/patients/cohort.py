"""A cohort of virtual patients, as said: how many, of which population, who is included, and what happens to them besides the drug."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.patients.conditions import Condition, ConditionError, parse_condition
from thrombokit.patients.covariates import Covariate
from thrombokit.patients.fluctuation import Fluctuation
from thrombokit.patients.remission import Remission
from thrombokit.patients.rescue import Rescue

PLATELETS = "PLATELET"
"""The output of a model that is a platelet count, 1e9/L."""


class Counted(StrEnum):
    """What an inclusion criterion looks at: the model's count, or one that an assay reads at screening, with its fluctuation."""

    LATENT = "latent"
    MEASURED = "measured"


@dataclass(frozen=True, kw_only=True, slots=True)
class Inclusion:
    """Who is taken in: by the count before treatment, such as "< 30" (1e9/L).

    Who does not fit is drawn anew, with new random effects, classes and covariates; nothing is clipped. After `most_draws` the run ends.

    Raises
    ------
    SpecError
        If `when` is no condition, or `most_draws` is below 1.
    """

    when: str
    counted: Counted = Counted.LATENT
    most_draws: int = 1000

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        try:
            parse_condition(self.when)
        except ConditionError as error:
            faults.append(Fault(place="cohort, inclusion, when", found=str(error), expected='a condition such as "< 30" or "10..50"',
                                cure="Correct it."))  # fmt: skip
        if self.most_draws < 1:
            faults.append(_fault("inclusion, most_draws", self.most_draws, "1 or more"))
        raise_all(faults, SpecError)

    @property
    def condition(self) -> Condition:
        """`when` as an interval."""
        return parse_condition(self.when)


@dataclass(frozen=True, kw_only=True, slots=True)
class DropOut:
    """Patients leave with a constant hazard: from then on no dose, no visit, no measurement."""

    hazard_per_d: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.hazard_per_d < math.inf:
            raise SpecError(_fault("drop_out, hazard_per_d", self.hazard_per_d, "a finite number, 0 or more"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Adherence:
    """Doses that are not taken: their share, and how many in a row are missed on average (None: each dose for itself)."""

    missed_share: float
    run_doses: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.missed_share < 1.0:
            raise SpecError(_fault("adherence, missed_share", self.missed_share, "0 or more and below 1"))
        least = max(1.0, self.missed_share / (1.0 - self.missed_share))
        if self.run_doses is not None and not least <= self.run_doses < math.inf:
            raise SpecError(
                _fault("adherence, run_doses", self.run_doses, f"{least:g} or more, so that runs can make up that share")
            )

    @property
    def begins(self) -> float:
        """Chance that a dose after one taken is missed."""
        return self.missed_share if self.run_doses is None else self.missed_share / ((1.0 - self.missed_share) * self.run_doses)

    @property
    def goes_on(self) -> float:
        """Chance that a dose after one missed is missed too."""
        return self.missed_share if self.run_doses is None else 1.0 - 1.0 / self.run_doses


@dataclass(frozen=True, kw_only=True, slots=True)
class Cohort:
    """Virtual patients.

    Attributes
    ----------
    n : int
        How many are included.
    population : str
        "itp", "healthy", "cld" or a name of your own: which model of an agonist, and which usual covariates.
    covariates : mapping of str to Covariate
        Data columns of the model and where their values come from; what is not given is as usual for the population.
    inclusion : Inclusion, None or "usual"
        None: everybody. As usual: in ITP those with a count below 30e9/L before treatment, elsewhere everybody.
    fluctuation, rescue, drop_out, adherence, remission : optional
        None: there is none of it.

    Raises
    ------
    SpecError
        If n is below 1.
    """

    n: int = 1000
    population: str = "itp"
    covariates: Mapping[str, Covariate] = field(default_factory=dict[str, Covariate])
    inclusion: Inclusion | Literal["usual"] | None = "usual"
    fluctuation: Fluctuation | None = None
    rescue: Rescue | None = None
    drop_out: DropOut | None = None
    adherence: Adherence | None = None
    remission: Remission | None = None

    def __post_init__(self) -> None:
        if self.n < 1:
            raise SpecError(_fault("n", self.n, "1 patient or more"))

    @property
    def criterion(self) -> Inclusion | None:
        """The inclusion criterion in force."""
        if self.inclusion != "usual":
            return self.inclusion
        return Inclusion(when="< 30") if self.population.casefold() == "itp" else None


def _fault(name: str, found: float, expected: str) -> Fault:
    return Fault(place=f"cohort, {name}", found=f"{found:g}", expected=expected, cure="Correct it.")
