"""An agonist as data: what it is, where it binds, and what others measured."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class BindingSite(StrEnum):
    """Where a TPO-R agonist binds."""

    EXTRACELLULAR = "extracellular"
    TRANSMEMBRANE = "transmembrane"


class Tier(StrEnum):
    """How much a number can carry."""

    PUBLISHED = "published"
    TRANSCRIBED = "transcribed"
    CALIBRATED = "calibrated"
    ASSUMED = "assumed"


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedPotency:
    """An EC50 (nM) somebody else reported, with its assay, source and tier."""

    cell_system: str
    readout: str
    hours: float | None
    serum: str | None
    ec50_nM: float
    source: str
    tier: Tier
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SourcedNumber:
    """A number, where it was read, and how much it can carry."""

    value: float
    source: str
    tier: Tier


@dataclass(frozen=True, kw_only=True, slots=True)
class AgonistSignalling:
    """What the signalling model is told of an agonist; None where it is not known.

    `affinity_nM` is where half of its site on the receptor is taken, `efficacy` its transducer ratio, `plasma_unbound_fraction` (0 to 1) its
    share not bound in plasma. `anchor` names the cell system of the potency that fixes affinity and efficacy where they are not given.
    """

    affinity_nM: SourcedNumber | None = None
    efficacy: SourcedNumber | None = None
    plasma_unbound_fraction: SourcedNumber | None = None
    anchor: str | None = None
    note: str | None = None


class Covers(StrEnum):
    """How far a patient model reaches."""

    PLASMA = "pk"
    PLATELETS = "pk/pd"


@dataclass(frozen=True, kw_only=True, slots=True)
class AgonistModel:
    """A patient model of an agonist: a model file for one population, and the titration rules that go with it.

    `file` and each of `rules` is the name of a file that thrombokit ships, or a path that ends in .toml, relative to `folder`, where the
    agonist file stands (None for those shipped). A model that is not `of_record` is an alternative: it runs when asked for by name.
    """

    population: str
    covers: Covers
    file: str
    rules: tuple[str, ...] = ()
    of_record: bool = True
    note: str | None = None
    folder: Path | None = None

    @property
    def rule(self) -> str | None:
        """The titration rule used where none is asked for: the first."""
        return self.rules[0] if self.rules else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Agonist:
    """One compound of an agonist file (`schema = "thrombokit-agonist/1"`).

    `molar_mass_g_per_mol` is that of the compound as `name` names it (the parent, not its salt); it turns a dose in ng/mL into
    nM, and `molar_mass_tier` and `molar_mass_source` say what it rests on. `aliases` are other names a plate map may use. `route` is how
    patients take it, `food` what a meal does, in words; `models` are its patient models.
    """

    name: str
    compound_class: str
    binding_site: BindingSite | None
    molar_mass_g_per_mol: float | None
    salt: str | None = None
    potencies: tuple[PublishedPotency, ...] = ()
    note: str | None = None
    aliases: tuple[str, ...] = ()
    molar_mass_source: str | None = None
    molar_mass_tier: Tier | None = None
    signalling: AgonistSignalling | None = None
    route: str | None = None
    food: str | None = None
    models: tuple[AgonistModel, ...] = ()

    def is_called(self, name: str) -> bool:
        """Whether `name` is this agonist's name or one of its aliases; case does not matter."""
        return name.strip().casefold() in {known.casefold() for known in (self.name, *self.aliases)}

    def potency_in(self, cell_system: str) -> PublishedPotency | None:
        """The published EC50 in one cell system, if there is one."""
        return next((p for p in self.potencies if p.cell_system == cell_system), None)

    def model_for(self, population: str) -> AgonistModel | None:
        """The model of record of a population such as "itp" (case does not matter), or None; one of platelets before one of plasma."""
        wanted = population.strip().casefold()
        found = [model for model in self.models if model.of_record and model.population.casefold() == wanted]
        return min(found, key=lambda model: model.covers is Covers.PLASMA, default=None)
