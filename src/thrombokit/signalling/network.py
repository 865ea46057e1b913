"""A reaction network as a value: what an SBML model says, before anything is computed.

Species, compartments, parameters, reactions with their rates as formulas, rules, events and annotations, in the order of the file. The
network also carries its SBML text, which is what the solver is given: formulas and text come from one and the same document.

What a name means in a formula (SBML Level 3): a species is its concentration, or its amount where `substance_only`; a compartment is
its size, a reaction its rate, a species reference with an id its stoichiometry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from thrombokit.signalling.expression import Expression, names_in

_UNIPROT = re.compile(
    r"uniprot(?:kb)?[:/]((?:[OPQ][0-9][A-Z0-9]{3}[0-9])|(?:[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2}))\b", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """A link from a part of the model to an outside resource: `qualifier` as in "bqbiol:is", `resource` a URI."""

    qualifier: str
    resource: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """What every part of a model may carry: notes as plain text, links, a Systems Biology Ontology term, a display name."""

    id: str
    name: str = ""
    sbo_term: str = ""
    notes: str = ""
    annotations: tuple[Annotation, ...] = ()

    @property
    def label(self) -> str:
        """The name, or the id where there is none."""
        return self.name or self.id

    @property
    def uniprot(self) -> tuple[str, ...]:
        """UniProt accessions among the annotations, each once, in their order."""
        found = [match[1].upper() for link in self.annotations if (match := _UNIPROT.search(link.resource))]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, kw_only=True, slots=True)
class Compartment(Described):
    """A space of `dimensions` (3: a volume) and `size`, None where the model leaves it open; `unit` as the model names it."""

    size: float | None = None
    dimensions: float | None = None
    constant: bool = True
    unit: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Species(Described):
    """A pool of one kind of molecule.

    At most one of `initial_amount` and `initial_concentration` is given. `boundary`: reactions do not change it. `substance_only`: in
    formulas it stands for its amount, else for its concentration. `conversion_factor` is a parameter's id, "" where there is none.
    """

    compartment: str
    initial_amount: float | None = None
    initial_concentration: float | None = None
    substance_only: bool = False
    boundary: bool = False
    constant: bool = False
    conversion_factor: str = ""
    unit: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter(Described):
    """A number; `unit` as the model names it."""

    value: float | None = None
    constant: bool = True
    unit: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Participant:
    """A species in a reaction, and how many of it; `id` is what formulas call the stoichiometry by, "" where they cannot."""

    species: str
    stoichiometry: float | None = None
    id: str = ""
    constant: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Reaction(Described):
    """Reactants become products at a rate (amount per time), None where the model gives none.

    Local parameters are called `reaction.parameter` in the rate.
    """

    reactants: tuple[Participant, ...] = ()
    products: tuple[Participant, ...] = ()
    modifiers: tuple[str, ...] = ()
    rate: Expression | None = None
    local_parameters: tuple[Parameter, ...] = ()
    reversible: bool = False
    compartment: str = ""

    @property
    def participants(self) -> tuple[tuple[Participant, float], ...]:
        """Reactants with -1, then products with +1."""
        return (*((one, -1.0) for one in self.reactants), *((one, 1.0) for one in self.products))


@dataclass(frozen=True, kw_only=True, slots=True)
class Event(Described):
    """Assignments made when the trigger becomes true, after a delay; a part the model leaves out is None.

    `initial_value`: what the trigger counts as before the start; false lets the event happen at time 0.
    """

    trigger: Expression | None = None
    initial_value: bool = True
    persistent: bool = True
    delay: Expression | None = None
    priority: Expression | None = None
    assignments: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    values_of_trigger_time: bool = True


@dataclass(frozen=True, kw_only=True)
class Network(Described):
    """A model as read from SBML.

    Attributes
    ----------
    source : str
        The file, for messages.
    sbml : str
        The model as SBML Level 3 Version 2; the solver reads this text.
    assignment_rules, rate_rules, initial_assignments : dict of id to Expression
        x = ...; dx/dt = ...; x(0) = ... (of species: of what their name means in formulas).
    model_notes : tuple of str
        What was read in a way a reader should know of.
    time_unit, substance_unit : str
        As the model names them, "" where it does not.
    """

    source: str
    sbml: str = field(repr=False)
    compartments: tuple[Compartment, ...] = ()
    species: tuple[Species, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    assignment_rules: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    rate_rules: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    initial_assignments: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    events: tuple[Event, ...] = ()
    conversion_factor: str = ""
    time_unit: str = ""
    substance_unit: str = ""
    model_notes: tuple[str, ...] = ()

    @cached_property
    def species_by_id(self) -> Mapping[str, Species]:
        """Species by id."""
        return {one.id: one for one in self.species}

    @cached_property
    def compartment_by_id(self) -> Mapping[str, Compartment]:
        """Compartments by id."""
        return {one.id: one for one in self.compartments}

    @cached_property
    def parameter_by_id(self) -> Mapping[str, Parameter]:
        """Global parameters by id."""
        return {one.id: one for one in self.parameters}

    @cached_property
    def reaction_by_id(self) -> Mapping[str, Reaction]:
        """Reactions by id."""
        return {one.id: one for one in self.reactions}

    @cached_property
    def stoichiometry_by_id(self) -> Mapping[str, Participant]:
        """Species references that have an id."""
        return {one.id: one for reaction in self.reactions for one, _ in reaction.participants if one.id}

    @cached_property
    def moved_by_reactions(self) -> frozenset[str]:
        """Species whose amount reactions change."""
        moved = {one.species for reaction in self.reactions for one, _ in reaction.participants}
        return frozenset(s.id for s in self.species if s.id in moved and not s.boundary and not s.constant)

    @cached_property
    def set_by_events(self) -> frozenset[str]:
        """Ids some event assigns."""
        return frozenset(id for event in self.events for id in event.assignments)

    @cached_property
    def formulas(self) -> tuple[Expression, ...]:
        """Every formula: of rules, initial assignments, rates and events."""
        formulas = [*self.assignment_rules.values(), *self.rate_rules.values(), *self.initial_assignments.values()]
        formulas.extend(reaction.rate for reaction in self.reactions if reaction.rate is not None)
        for event in self.events:
            formulas.extend(one for one in (event.trigger, event.delay, event.priority) if one is not None)
            formulas.extend(event.assignments.values())
        return tuple(formulas)

    @cached_property
    def used(self) -> frozenset[str]:
        """Ids that some formula reads, and those it needs besides: sizes of compartments, conversion factors."""
        used = {id for formula in self.formulas for id in names_in(formula)}
        used.update(self.moved_by_reactions, self.rate_rules)
        used.update(self.factor_of(self.species_by_id[id]) for id in self.moved_by_reactions)
        read = [species for species in self.species if species.id in used]
        used.update(one.compartment for one in read if not one.substance_only or one.initial_concentration is not None)
        return frozenset(used)

    def factor_of(self, species: Species) -> str:
        """The parameter that converts extent to this species' amount, "" where there is none."""
        return species.conversion_factor or self.conversion_factor

    def can_change(self, id: str) -> bool:
        """Whether rules, reactions or events change the value of `id` as time goes on."""
        return id in self.rate_rules or id in self.assignment_rules or id in self.set_by_events or id in self.moved_by_reactions
