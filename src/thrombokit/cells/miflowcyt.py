"""The MIFlowCyt record: what a cytometry experiment must tell so that others can judge and repeat it.

Everything comes from the files and the sample sheet, or from what the user states; what nobody said is listed as not stated. The operator
named in a file is left out unless asked for.

References
----------
Lee JA et al. (2008) MIFlowCyt: the minimum information about a flow cytometry experiment. Cytometry A 73:926-930,
doi:10.1002/cyto.a.20623. Numbers such as "3.3" below are those of its check-list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import polars as pl

from thrombokit.cells.gate_records import gate_records
from thrombokit.cells.gates import GateTree
from thrombokit.cells.instrument import InstrumentSetting, instrument_settings, keyword
from thrombokit.cells.spillover import Spillover
from thrombokit.cells.tubes import Tube

SCHEMA = "thrombokit.miflowcyt/1"
NOT_STATED = "not stated"


@dataclass(frozen=True, kw_only=True)
class Reagent:
    """What the user knows of one stain; empty: not stated."""

    marker: str
    reporter: str = ""
    clone: str = ""
    manufacturer: str = ""
    catalogue_number: str = ""


@dataclass(frozen=True, kw_only=True)
class Statements:
    """What no file can say and the user may: purpose, people, material, reagents, filters of the cytometer."""

    title: str = ""
    purpose: str = ""
    keywords: tuple[str, ...] = ()
    organisation: str = ""
    contact: str = ""
    conclusions: str = ""
    quality_control: str = ""
    sample_source: str = ""
    sample_preparation: str = ""
    manufacturer: str = ""
    alterations: str = ""
    reagents: tuple[Reagent, ...] = field(default_factory=tuple[Reagent, ...])


def miflowcyt_record(
    tubes: Sequence[Tube],
    *,
    statements: Statements | None = None,
    gates: Mapping[str, GateTree] | None = None,
    thresholds: pl.DataFrame | None = None,
    software: str = "",
    include_operator: bool = False,
) -> dict[str, Any]:
    """The record as plain values, ready for JSON.

    Parameters
    ----------
    tubes : sequence of Tube
        All tubes of the experiment, controls too.
    statements : Statements, optional
        What the user states beside the files.
    gates : mapping of str to GateTree, optional
        Control group in words -> its gates.
    thresholds : DataFrame, optional
        The thresholds table of an analysis; its rows are taken over as they are.
    software : str
        Name and version of what analysed the events.
    include_operator : bool
        Whether the operators named in the files ($OP) may appear.

    Returns
    -------
    dict
        `schema`, `reference`, `experiment` (1), `specimens` and `reagents` (2), `instruments` (3), `analysis` (4), `not_stated`: the
        items nobody stated, each with its number in the check-list.
    """
    said = statements or Statements()
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "reference": "MIFlowCyt 1.0, Lee et al. 2008, doi:10.1002/cyto.a.20623",
        "experiment": _experiment(tubes, said),
        "specimens": _specimens(tubes, said),
        "reagents": list(_reagents(tubes, said)),
        "instruments": [_instrument(one, said, include_operator=include_operator) for one in instrument_settings(tubes)],
        "analysis": _analysis(tubes, gates or {}, thresholds, software),
    }
    return {**record, "not_stated": _not_stated(record)}


def miflowcyt_table(record: Mapping[str, Any]) -> pl.DataFrame:
    """The record for reading: `section, item, value`, one row a fact; lists of numbers are counted, not printed."""
    sections = {"experiment": "1 Experiment", "specimens": "2 Specimen", "reagents": "2.4 Reagents", "instruments": "3 Instrument",
                "analysis": "4 Analysis"}  # fmt: skip
    shown = {**record, "analysis": _analysis_in_short(record["analysis"])}
    rows = [(title, item, value) for name, title in sections.items() for item, value in _facts_of(shown[name], "")]
    rows += [("Not stated", item, NOT_STATED) for item in record["not_stated"]]
    return pl.DataFrame(rows, schema={"section": pl.String, "item": pl.String, "value": pl.String}, orient="row")


def _experiment(tubes: Sequence[Tube], said: Statements) -> dict[str, Any]:
    return {
        "title": said.title or None,
        "purpose": said.purpose or None,
        "keywords": list(said.keywords),
        "variables": {
            "donors": _each(tube.donor for tube in tubes),
            "days_of_culture": sorted({tube.day_d for tube in tubes if tube.day_d is not None}),
            "agonists": _each(tube.agonist for tube in tubes),
            "concentrations_nM": sorted({tube.concentration_nM for tube in tubes if tube.concentration_nM is not None}),
            "roles": _each(str(tube.role) for tube in tubes),
        },
        "organisation": said.organisation or None,
        "contact": said.contact or None,
        "dates_as_written": _each(keyword(tube.sample, "$DATE") for tube in tubes),
        "conclusions": said.conclusions or None,
        "quality_control": said.quality_control or None,
        "control_tubes": _counts(str(tube.kind) for tube in tubes),
    }


def _specimens(tubes: Sequence[Tube], said: Statements) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for donor in _each(tube.donor for tube in tubes) or [""]:
        mine = [tube for tube in tubes if tube.donor == donor]
        out.append({
            "donor": donor or None,
            "cell_source": ", ".join(_each(tube.cell_source for tube in mine)) or said.sample_source or None,
            "preparation": said.sample_preparation or None,
            "fixed": sorted({tube.panel.name for tube in mine if tube.panel.fixed}),
            "days_of_culture": sorted({tube.day_d for tube in mine if tube.day_d is not None}),
            "treatments": _each(_treatment(tube) for tube in mine),
        })  # fmt: skip
    return out


def _reagents(tubes: Sequence[Tube], said: Statements) -> Iterator[dict[str, Any]]:
    known = {reagent.marker: reagent for reagent in said.reagents}
    panels = {(tube.panel.name, tuple(tube.panel.channels.items())): tube for tube in tubes}
    for (name, channels), tube in panels.items():
        labels = {channel.name: channel.label for channel in tube.sample.channels}
        for marker, channel in channels:
            reagent = known.get(marker, Reagent(marker=marker))
            yield {
                "panel": name, "marker": marker, "channel": channel, "label_in_file": labels.get(channel) or None,
                "reporter": reagent.reporter or None, "clone": reagent.clone or None, "manufacturer": reagent.manufacturer or None,
                "catalogue_number": reagent.catalogue_number or None,
            }  # fmt: skip


def _instrument(one: InstrumentSetting, said: Statements, *, include_operator: bool) -> dict[str, Any]:
    operators = {"operators": list(one.operators)} if include_operator else {}
    return {
        "manufacturer": said.manufacturer or None,
        **dict(one.facts),
        **operators,
        "alterations": said.alterations or None,
        "detectors": [detector.to_dict() for detector in one.detectors],
        "tubes": list(one.tubes),
    }


def _analysis(
    tubes: Sequence[Tube], gates: Mapping[str, GateTree], thresholds: pl.DataFrame | None, software: str
) -> dict[str, Any]:
    files = [
        {"tube": t.name, "file": t.file or t.sample.name, "data_set": t.data_set, "kind": str(t.kind), "stain": t.stain or None,
         "version": t.sample.version, "events": t.sample.n_events, "notes": list(t.sample.notes)}
        for t in tubes
    ]  # fmt: skip
    in_files = {_matrix_key(t.sample.spillover): t.sample.spillover for t in tubes if t.sample.spillover is not None}
    named = {(group, name): matrix for group, tree in gates.items() for name, matrix in tree.matrices.items()}
    compensation = [
        {"name": "FCS", "source": m.source, "channels": list(m.channels), "matrix": m.matrix.tolist()} for m in in_files.values()
    ]
    compensation += [
        {"name": name, "group": group, "source": matrix.source, "matrix": matrix.matrix.tolist()}
        for (group, name), matrix in named.items()
    ]  # fmt: skip
    return {
        "software": software or None,
        "files": files,
        "compensation": compensation,
        "gates": [{"group": group, "gates": gate_records(tree)} for group, tree in gates.items()],
        "thresholds": thresholds.to_dicts() if thresholds is not None else [],
    }


def _analysis_in_short(analysis: Mapping[str, Any]) -> dict[str, Any]:
    """What was analysed and how in a few lines: files are named, matrices measured, gates listed by group, thresholds counted."""
    files = cast("list[dict[str, Any]]", analysis["files"])
    return {
        "software": analysis["software"],
        "list-mode data files": [file["file"] for file in files],
        "events": sum(file["events"] for file in files),
        "compensation": analysis["compensation"],
        "gates": [{"group": one["group"], "gates": [gate["id"] for gate in one["gates"]]} for one in analysis["gates"]],
        "thresholds": len(analysis["thresholds"]),
    }


def _matrix_key(spillover: Spillover) -> tuple[tuple[str, ...], bytes]:
    return spillover.channels, spillover.matrix.tobytes()


def _treatment(tube: Tube) -> str:
    dose = f" {tube.concentration_nM:g} nM" if tube.concentration_nM is not None else ""
    return f"{tube.agonist}{dose}".strip() or str(tube.role).replace("_", " ")


def _each(values: Any) -> list[str]:
    """Each text once, in order of appearance, without empty ones."""
    return [value for value in dict.fromkeys(values) if value]


def _counts(values: Any) -> dict[str, int]:
    listed = list(values)
    return {value: listed.count(value) for value in dict.fromkeys(listed)}


_ASKED: tuple[tuple[str, str, str], ...] = (
    ("experiment", "purpose", "1.1 purpose"), ("experiment", "keywords", "1.2 keywords"), ("experiment", "organisation", "1.4 organisation"),
    ("experiment", "contact", "1.5 primary contact"), ("experiment", "dates_as_written", "1.6 date"),
    ("experiment", "conclusions", "1.7 conclusions"), ("experiment", "quality_control", "1.8 quality control measures"),
    ("specimens", "cell_source", "2.1 sample material and source"), ("specimens", "preparation", "2.2 sample treatment and preparation"),
    ("specimens", "donor", "2.1 donor"), ("reagents", "reporter", "2.4 fluorescence reporter"), ("reagents", "clone", "2.4 antibody clone"),
    ("reagents", "manufacturer", "2.4 reagent manufacturer"), ("reagents", "catalogue_number", "2.4 reagent catalogue number"),
    ("instruments", "manufacturer", "3.1 instrument manufacturer"), ("instruments", "cytometer", "3.2 instrument model"),
    ("instruments", "serial_number", "3.2 instrument serial number"), ("instruments", "alterations", "3.3 alterations of the instrument"),
    ("analysis", "software", "4.1 analysis software"), ("analysis", "compensation", "4.2 compensation"), ("analysis", "gates", "4.4 gates"),
)  # fmt: skip
_ASKED_OF_DETECTORS = {"voltage_V": "3.3 detector voltage", "filter": "3.3 optical filter", "detector": "3.3 detector type",
                       "excitation_nm": "3.3 excitation wavelength"}  # fmt: skip


def _not_stated(record: Mapping[str, Any]) -> list[str]:
    """What the check-list asks for and nobody said, with the places where it is missing when it is not missing everywhere."""
    out: list[str] = []
    for section, item, words in _ASKED:
        entries = cast("list[dict[str, Any]]", record[section] if isinstance(record[section], list) else [record[section]])
        out += _missing([(_entry_name(entry, n), entry[item]) for n, entry in enumerate(entries, start=1)], words)
    detectors = {
        d["channel"]: d for instrument in record["instruments"] for d in instrument["detectors"] if d["channel"].lower() != "time"
    }
    for fact, words in _ASKED_OF_DETECTORS.items():
        out += _missing([(name, detector[fact]) for name, detector in detectors.items()], words)
    return out


def _missing(values: list[tuple[str, Any]], words: str) -> list[str]:
    lacking = [name for name, value in values if value in (None, [], "")]
    if not lacking:
        return []
    return [words if len(lacking) == len(values) else f"{words}: {', '.join(dict.fromkeys(lacking))}"]


def _entry_name(entry: Mapping[str, Any], number: int) -> str:
    return str(entry.get("marker") or entry.get("donor") or entry.get("cytometer") or f"entry {number}")


def _facts_of(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Leaves of a record as (path in words, text); numbers in rows and matrices are counted."""
    if isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, Any]", value).items():
            yield from _facts_of(inner, f"{path}, {_words(key)}" if path else _words(key))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for number, inner in enumerate(cast("list[Any]", value), start=1):
            yield from _facts_of(inner, f"{path} {number}".strip())
    elif isinstance(value, list):
        yield path, _listed(cast("list[Any]", value))
    else:
        yield path, NOT_STATED if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _listed(values: list[Any]) -> str:
    if not values:
        return NOT_STATED
    if isinstance(values[0], list):
        return f"{len(values)} x {len(values[0])} numbers"
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


def _words(key: str) -> str:
    return key.replace("_", " ")
