"""Agonist files: a compound is data, not code.

A file of your own, in the same form, stands beside those that thrombokit ships on equal terms.
Every number in such a file carries its source and its tier, and a molar mass that disagrees with the formula beside it is
refused: doses in ng/mL are turned into nM with it.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from os import PathLike
from pathlib import Path

from thrombokit.agonists.formula import molar_mass_of
from thrombokit.agonists.patient_sections import read_patient_sections
from thrombokit.agonists.signalling import read_signalling
from thrombokit.domain.agonist import Agonist, BindingSite, PublishedPotency, Tier
from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.domain.toml_table import TableReader
from thrombokit.domain.toml_text import TomlDocument, parse_toml, read_toml
from thrombokit.errors import Fault, SpecError, raise_all

AGONIST_SCHEMA = "thrombokit-agonist/1"
"""The form of an agonist file; a file of another form is refused, not guessed at."""

MOLAR_MASS_TOLERANCE_g_per_mol = 0.1
"""A stated mass may differ this much from its formula's (rounding); the monoisotopic mass of a drug differs by more."""


def shipped_agonists() -> tuple[str, ...]:
    """Names of the agonists that thrombokit ships, in alphabetical order."""
    return tuple(agonist.name for agonist in _shipped())


def shipped_molar_masses() -> dict[str, float]:
    """Molar mass in g/mol of every shipped agonist that has one, under its name and aliases."""
    names = {spelt: a.molar_mass_g_per_mol for a in _shipped() for spelt in (a.name, *a.aliases)}
    return {name: mass for name, mass in names.items() if mass is not None}


def find_shipped_agonist(name: str) -> Agonist | None:
    """The shipped agonist of that name or alias (case does not matter), or None."""
    return next((agonist for agonist in _shipped() if agonist.is_called(name)), None)


def load_agonist(name_or_path: str | PathLike[str]) -> Agonist:
    """An agonist, by the name of a shipped one or from a file.

    Parameters
    ----------
    name_or_path : str or path
        "hetrombopag", "SHR-8735" (names and aliases; case does not matter), or a TOML file. A text that names no shipped agonist is
        taken as a file when it ends in .toml or holds a slash.

    Returns
    -------
    Agonist
        Potencies in nM, molar mass in g/mol.

    Raises
    ------
    SpecError
        If no shipped agonist has that name, or the file is wrong; with every fault of the file, each with line and key.
    """
    if isinstance(name_or_path, str):
        if (shipped := find_shipped_agonist(name_or_path)) is not None:
            return shipped
        if not name_or_path.casefold().endswith(".toml") and not set(name_or_path) & {"/", "\\"}:
            raise SpecError(unknown_agonist_fault(name_or_path, place="agonist"))
    return _agonist(read_toml(Path(name_or_path)), folder=Path(name_or_path).parent)


def unknown_agonist_fault(name: str, *, place: str) -> Fault:
    """A name that no shipped agonist has; `place` is where it was asked for."""
    known = [word for agonist in _shipped() for word in (agonist.name, *agonist.aliases)]
    otherwise = (
        f'Write an agonist file ({AGONIST_SCHEMA}) and name it with file = "...", or leave the compound a plain name in the map.'
    )
    return Fault(
        place=place,
        found=f'the name "{name}"',
        expected=f"a shipped agonist: {', '.join(shipped_agonists())}",
        cure=did_you_mean(name, known, otherwise=otherwise),
    )


@cache
def _shipped() -> tuple[Agonist, ...]:
    found = [entry for entry in files("thrombokit.agonists").iterdir() if entry.name.endswith(".toml")]
    agonists = [_agonist(parse_toml(entry.read_text(encoding="utf-8"), file=entry.name)) for entry in found]
    return tuple(sorted(agonists, key=lambda agonist: agonist.name.casefold()))


def _agonist(document: TomlDocument, *, folder: Path | None = None) -> Agonist:
    faults = list(document.faults)
    top = TableReader(document.values, places=document.places, faults=faults)
    top.schema(AGONIST_SCHEMA)
    name = top.text("name", expected="the name that maps and results use", example='name = "eltrombopag"')
    kind = top.text("class", expected="what kind of compound it is", example='class = "small molecule"')
    salt = top.table("salt")
    salt_name = salt.text("name", expected="the salt's name", example='name = "olamine"') if salt else None
    mass = _molar_mass(top, what="the compound")
    salt_mass = _molar_mass(salt, what="the salt") if salt else None
    binding_site = top.choice("binding_site", BindingSite)
    aliases = top.texts("aliases", expected="a list of other names")
    source = top.text("molar_mass_source", expected="where the molar mass comes from")
    tier = top.choice("molar_mass_tier", Tier)
    note = top.text("note", expected="a sentence")
    potencies = [_potency(table) for table in top.tables("potency")]
    signalling_table = top.table("signalling")
    signalling = read_signalling(signalling_table) if signalling_table else None
    if signalling and signalling.anchor and signalling.anchor not in {p.cell_system for p in potencies if p is not None}:
        expected = "the cell system of a [[potency]] in this file"
        top.fault(
            "signalling",
            found=f'anchor = "{signalling.anchor}"',
            expected=expected,
            cure="Add that [[potency]], or correct anchor.",
        )
    patients = read_patient_sections(top, folder=folder)
    if salt:
        salt.close()
    top.close()
    raise_all(faults, SpecError)
    return Agonist(
        name=name or "",
        compound_class=kind or "",
        binding_site=binding_site,
        # a compound whose file gives only the salt's mass is taken to be dosed as that salt
        molar_mass_g_per_mol=mass if mass is not None else salt_mass,
        salt=salt_name,
        potencies=tuple(potency for potency in potencies if potency is not None),
        note=note,
        aliases=aliases,
        molar_mass_source=source,
        molar_mass_tier=tier,
        signalling=signalling,
        route=patients.route,
        food=patients.food,
        models=patients.models,
    )


def _molar_mass(table: TableReader, *, what: str) -> float | None:
    """`molar_mass_g_per_mol` of a table, held against `formula` where that is given; the formula's mass where only that is."""
    key = "molar_mass_g_per_mol"
    mass = table.number(key, expected=f"the molar mass of {what} in g/mol, above 0", above=0.0)
    formula = table.text("formula", expected="a molecular formula such as C25H22N4O4")
    if formula is None:
        return mass
    try:
        computed = molar_mass_of(formula)
    except ValueError as error:
        table.fault(
            "formula",
            found=str(error),
            expected="a molecular formula such as C25H22N4O4",
            cure="Correct the formula, or remove it.",
        )
        return mass
    if mass is not None and abs(mass - computed) > MOLAR_MASS_TOLERANCE_g_per_mol:
        cure = "Correct the one that is wrong; a salt has its own formula and mass in [salt]."
        table.fault(key, expected=f"{computed:.2f} g/mol, the mass of {formula}", cure=cure)
    return mass if mass is not None else computed


def _potency(table: TableReader) -> PublishedPotency | None:
    cell_system = table.text("cell_system", expected="the cells it was measured in", example='cell_system = "32D-MPL"')
    readout = table.text("readout", expected="what was measured", example='readout = "proliferation"')
    hours = table.number("hours", expected="the time with the agonist in hours, above 0", above=0.0)
    serum = table.text("serum", expected='the serum in the medium, such as "10 % FBS"')
    ec50 = table.number("ec50_nM", expected="an EC50 in nmol/L, above 0", example="ec50_nM = 13.4", above=0.0)
    source = table.text("source", expected="where the number was published", example='source = "doi:10.1111/jcmm.13809"')
    tier = table.choice("tier", Tier, example='tier = "published"')
    note = table.text("note", expected="a sentence")
    table.close()
    if cell_system is None or readout is None or ec50 is None or source is None or tier is None:
        return None
    return PublishedPotency(
        cell_system=cell_system, readout=readout, hours=hours, serum=serum, ec50_nM=ec50, source=source, tier=tier, note=note
    )
