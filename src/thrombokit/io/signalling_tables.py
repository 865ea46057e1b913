"""Measured phosphorylation from a tidy table (CSV, TSV, XLSX, TOML): one row a measurement.

::

    assay,analyte,agonist,concentration,unit,time_min,value,normaliser,replicate,run
    phospho-flow,pSTAT5,hetrombopag,10,nM,15,5230,,1,donor A
    phospho-flow,pSTAT5,,0,nM,15,410,,1,donor A
    Western,pERK,rhTPO,100,ng/mL,5,8810,12000,1,run 2

A row without agonist and with concentration 0 is the vehicle. `normaliser` is what the value is divided by (total protein, loading control).
`run` names the independent run or the donor.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from thrombokit.agonists.load import find_shipped_agonist, shipped_molar_masses
from thrombokit.domain.toml_faults import did_you_mean, one_of
from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.io.named_columns import Columns, Row, read_rows
from thrombokit.quantities import concentration_nM
from thrombokit.signalling.measured import OBSERVED, SCHEMA, MeasuredSignals, normalise_signals

COLUMNS = Columns(
    names={
        "assay": ("method", "readout"),
        "analyte": ("target", "phosphoprotein", "marker"),
        "agonist": ("compound", "treatment", "drug"),
        "concentration": ("dose", "conc"),
        "unit": ("concentration unit", "dose unit"),
        "time_min": ("time", "minutes", "time (min)"),
        "value": ("signal", "MFI", "intensity", "ratio"),
        "normaliser": ("normalizer", "total", "loading control"),
        "replicate": ("rep", "well"),
        "run": ("donor", "experiment", "run/donor"),
        "notes": ("note", "comment"),
    },
    required=("analyte", "agonist", "concentration", "time_min", "value", "run"),
    dose="concentration",
)  # fmt: skip
_SPELT = {"p-": "p", "phospho-": "p", "phospho": "p"}
_TAILS = ("1/2", "a/b", "(y694)", "-y694", "(s473)", "-s473")


def read_signals(path: str | Path, *, molar_masses: Mapping[str, float] | None = None) -> MeasuredSignals:
    """Read and normalise measured phosphorylation.

    Parameters
    ----------
    path : path
        A table as described above.
    molar_masses : dict of str to float, optional
        g/mol of agonists that do not ship, for doses in mass units.

    Returns
    -------
    MeasuredSignals

    Raises
    ------
    InputError
        With every fault: place (file, row, column), found, expected, cure.
    """
    rows, faults = read_rows(path, COLUMNS, toml_key="signals")
    masses = {**shipped_molar_masses(), **(molar_masses or {})}
    read: list[dict[str, object]] = []
    seen: dict[tuple[object, ...], str] = {}
    for row in rows:
        values = _values(row, masses, faults)
        if values is None:
            continue
        key = tuple(values[name] for name in SCHEMA if name not in ("value", "normaliser"))
        if values["replicate"] and key in seen:
            faults.append(Fault(place=row.place, found=f"the same measurement as {seen[key]}", expected="each once",
                                cure="Give replicates numbers of their own, or delete one."))  # fmt: skip
        seen[key] = row.place
        read.append(values)
    raise_all(condensed(faults), InputError)
    return normalise_signals(pl.DataFrame(read, schema=dict(SCHEMA)))


def _values(row: Row, masses: Mapping[str, float], faults: list[Fault]) -> dict[str, object] | None:
    before = len(faults)
    agonist = row.text("agonist")
    shipped = find_shipped_agonist(agonist)
    name = shipped.name if shipped else agonist
    dose = _dose(row, name, masses, faults)
    time = _needed(row, "time_min", faults, expected="minutes since the agonist was given, 0 or more", low=0.0)
    value = _needed(row, "value", faults, expected="the signal, a number", low=float("-inf"))
    normaliser = row.number("normaliser", faults, expected="what the value is divided by, above 0", above=True)
    run = row.text("run")
    if not run:
        faults.append(row.fault("run", found="nothing", expected="the run or donor", cure="Fill it in; runs are what n counts."))
    if dose is not None and dose > 0.0 and not agonist:
        faults.append(row.fault("agonist", found=f"no agonist at {dose:g} nM", expected="its name", cure="Fill it in."))
    analyte = _analyte(row, faults)
    if len(faults) > before:
        return None
    return {"assay": row.text("assay") or "not stated", "analyte": analyte, "agonist": name if dose else "", "concentration_nM": dose,
            "time_min": time, "value": value, "normaliser": normaliser, "replicate": row.text("replicate"), "run": run}  # fmt: skip


def _needed(row: Row, name: str, faults: list[Fault], *, expected: str, low: float) -> float | None:
    value = row.number(name, faults, expected=expected, low=low)
    if value is None and not row.text(name):
        faults.append(row.fault(name, found="nothing", expected=expected, cure="Fill it in, or delete the row."))
    return value


def _dose(row: Row, agonist: str, masses: Mapping[str, float], faults: list[Fault]) -> float | None:
    text = row.text("concentration")
    place = row.place_of("concentration")
    if not text:
        faults.append(
            row.fault("concentration", found="nothing", expected="a concentration; 0 for the vehicle", cure="Fill it in.")
        )
        return None
    if text in ("0", "0.0"):
        return 0.0
    try:
        return concentration_nM(text, row.text("unit") or None, place=place, molar_mass_g_per_mol=masses.get(agonist))
    except InputError as error:
        faults.extend(error.faults)
        return None


def _analyte(row: Row, faults: list[Fault]) -> str:
    said = row.text("analyte")
    plain = said.casefold().replace(" ", "")
    for spelt, short in _SPELT.items():
        plain = f"{short}{plain.removeprefix(spelt)}" if plain.startswith(spelt) else plain
    for tail in _TAILS:
        plain = plain.removesuffix(tail)
    found = next((name for name in OBSERVED if name.casefold() == plain), None)
    if found is None:
        cure = did_you_mean(said, OBSERVED, otherwise="Choose one of these; other analytes have no counterpart in the model.")
        faults.append(row.fault("analyte", found=f'"{said}"' if said else "nothing", expected=one_of(OBSERVED), cure=cure))
    return found or said
