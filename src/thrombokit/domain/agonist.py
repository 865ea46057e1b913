"""An agonist as data: what it is, where it binds, and what others measured."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Agonist:
    """One compound of an agonist file (`schema = "thrombokit-agonist/1"`).

    `molar_mass_g_per_mol` is that of the compound as `name` names it (the parent, not its salt); it turns a dose in ng/mL into
    nM, and `molar_mass_tier` and `molar_mass_source` say what it rests on. `aliases` are other names a plate map may use.
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

    def is_called(self, name: str) -> bool:
        """Whether `name` is this agonist's name or one of its aliases; case does not matter."""
        return name.strip().casefold() in {known.casefold() for known in (self.name, *self.aliases)}

    def potency_in(self, cell_system: str) -> PublishedPotency | None:
        """The published EC50 in one cell system, if there is one."""
        return next((p for p in self.potencies if p.cell_system == cell_system), None)
