"""Cells of an assay, mutations, receptor variants and inhibitors, as data: what a simulation can be asked for by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.domain.toml_table import TableReader
from thrombokit.domain.toml_text import parse_toml
from thrombokit.errors import Fault, InputError, SpecError, raise_all
from thrombokit.signalling.rates import Rate, RateSet, RateTier, read_rate


class Sign(StrEnum):
    """What a pathway does to endomitosis."""

    SUPPORTS = "supports"
    LOWERS = "lowers"
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class CellSystem:
    """Cells as an assay uses them.

    `hours` of the usual read-out, `seeded` cells a well, `capacity` cells a well can feed; `rates` replace those of the network and of the
    fates. `stat5_on_endomitosis` is the switch by source of the cells.
    """

    name: str
    cells: str
    hours: float
    seeded: float
    capacity: float
    stat5_on_endomitosis: Sign
    rates: RateSet
    aliases: tuple[str, ...] = ()
    note: str = ""

    def is_called(self, name: str) -> bool:
        """Whether `name` is this system's name or one of its aliases; case does not matter."""
        return name.strip().casefold() in {known.casefold() for known in (self.name, *self.aliases)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutation:
    """A mutation as drive without agonist, with its assumed range."""

    name: str
    basal_drive: float
    low: float
    high: float
    tier: RateTier
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Perturbations:
    """Mutations, receptor variants (1: answers small molecules at His499, 0: does not) and the model parameter of each inhibitor."""

    mutations: tuple[Mutation, ...]
    receptors: dict[str, float]
    inhibitors: dict[str, str]


def cell_systems() -> tuple[CellSystem, ...]:
    """All cell systems thrombokit knows."""
    return _shipped_systems()


def find_cell_system(name: str) -> CellSystem:
    """The cell system of that name or alias.

    Raises
    ------
    InputError
        If there is none; the message lists them.
    """
    found = next((system for system in _shipped_systems() if system.is_called(name)), None)
    if found is None:
        raise InputError(_unknown("cell system", name, [system.name for system in _shipped_systems()]))
    return found


def known_inhibitors() -> tuple[str, ...]:
    """Names of the inhibitors that the model has."""
    return tuple(perturbations().inhibitors)


def known_mutations() -> tuple[str, ...]:
    """Names of the mutations that the model has."""
    return tuple(mutation.name for mutation in perturbations().mutations)


def perturbation_faults(*, mutation: str, receptor: str, inhibitors: Iterable[str]) -> list[Fault]:
    """A fault for each name that is none of a mutation, receptor variant or inhibitor."""
    known = perturbations()
    faults: list[Fault] = []
    if mutation and mutation not in known_mutations():
        faults.append(_unknown("mutation", mutation, known_mutations()))
    if receptor not in known.receptors:
        faults.append(_unknown("receptor", receptor, known.receptors))
    faults.extend(_unknown("inhibitor", name, known.inhibitors) for name in inhibitors if name not in known.inhibitors)
    return faults


def basal_drive_of(mutation: str) -> float:
    """Drive without agonist of a mutation; 0 for ""."""
    return next((known.basal_drive for known in perturbations().mutations if known.name == mutation), 0.0)


@cache
def perturbations() -> Perturbations:
    """What can be done to the receptor and its pathways, from `perturbations.toml`."""
    top, faults = _open("perturbations.toml", "thrombokit-perturbations/1")
    mutations = [_mutation(table) for table in top.tables("mutation")]
    receptors = {_text(table, "name"): _number(table, "human_His499", and_source=True) for table in top.tables("receptor")}
    inhibitors = {_text(table, "name"): _text(table, "parameter") for table in top.tables("inhibitor")}
    top.close()
    raise_all(faults, SpecError)
    return Perturbations(mutations=tuple(mutations), receptors=receptors, inhibitors=inhibitors)


@cache
def _shipped_systems() -> tuple[CellSystem, ...]:
    top, faults = _open("cell_systems.toml", "thrombokit-cell-systems/1")
    systems = [_system(table) for table in top.tables("system")]
    top.close()
    raise_all(faults, SpecError)
    return tuple(systems)


def _open(file: str, schema: str) -> tuple[TableReader, list[Fault]]:
    document = parse_toml((files("thrombokit.signalling") / file).read_text(encoding="utf-8"), file=file)
    faults = list(document.faults)
    top = TableReader(document.values, places=document.places, faults=faults)
    if top.text("schema", expected=f'"{schema}"', example=f'schema = "{schema}"') != schema:
        top.fault("schema", expected=f'"{schema}"', cure="Correct it.")
    return top, faults


def _system(table: TableReader) -> CellSystem:
    rates = [read_rate(rate) for rate in table.tables("rate")]
    sign = table.choice("stat5_on_endomitosis", Sign, example='stat5_on_endomitosis = "supports"')
    note = table.text("note", expected="a sentence")
    system = CellSystem(
        name=_text(table, "name"), cells=_text(table, "cells"), hours=_number(table, "hours"), seeded=_number(table, "seeded"),
        capacity=_number(table, "capacity"), stat5_on_endomitosis=sign or Sign.NONE, note=note or "",
        rates=RateSet(rates=tuple(rate for rate in rates if isinstance(rate, Rate))), aliases=table.texts("aliases", expected="names"),
    )  # fmt: skip
    table.close()
    return system


def _mutation(table: TableReader) -> Mutation:
    tier = table.choice("tier", RateTier, example='tier = "assumed"')
    mutation = Mutation(
        name=_text(table, "name"), basal_drive=_number(table, "basal_drive"), low=_number(table, "low"), high=_number(table, "high"),
        tier=tier or RateTier.ASSUMED, source=_text(table, "source"),
    )  # fmt: skip
    table.close()
    return mutation


def _text(table: TableReader, key: str) -> str:
    return table.text(key, expected="a text", example=f'{key} = "..."') or ""


def _number(table: TableReader, key: str, *, and_source: bool = False) -> float:
    value = table.number(key, expected="a number", example=f"{key} = 1.0")
    if and_source:
        _text(table, "source")
    return value if value is not None else float("nan")


def _unknown(kind: str, name: str, known: Iterable[str]) -> Fault:
    options = list(known)
    return Fault(place=f"signalling, {kind}", found=f'"{name}"', expected=", ".join(options),
                 cure=did_you_mean(name, options, otherwise="Choose one of these."))  # fmt: skip
