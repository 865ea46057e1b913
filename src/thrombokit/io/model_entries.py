"""The tables of a model file that hold expressions: [record], [algebra], [flow], [ode], [initial], [dose.*], [output], and [[piece]]."""

from __future__ import annotations

import math
import re
from typing import Any

from thrombokit.domain.toml_faults import did_you_mean, found_words, missing_key_fault, one_of, unknown_key_fault
from thrombokit.domain.toml_table import TableReader
from thrombokit.errors import Fault
from thrombokit.patients.expression_parser import EXPECTED, ExpressionError, parse_expression
from thrombokit.patients.expressions import Call, Expression, Number
from thrombokit.patients.model import OUT, DoseSettings, Entry, Piece, PieceValue
from thrombokit.patients.piece_keys import PIECE_KEYS, Form, PieceKey, piece_faults

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAME_EXPECTED = "a name of letters, digits and underscores that begins with a letter"


def read_name(table: TableReader, name: object, key: str) -> str | None:
    """A name, or a fault and None."""
    if isinstance(name, str) and NAME.fullmatch(name) and not name.startswith("__"):
        return name
    table.fault(key, found=found_words(name), expected=NAME_EXPECTED, cure="Rename it.")
    return None


def read_expression(table: TableReader, key: str, value: Any, *, place: str | None = None) -> Entry | None:
    """An expression, given as text or as a number; a fault and None where it is neither."""
    where = place or table.places.place_of((*table.path, key))
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        number = Number(abs(float(value)))
        return Entry(expression=Call("neg", (number,)) if value < 0 else number, place=where)
    if not isinstance(value, str):
        cure = "Write the expression in double quotes, or a finite number."
        table.faults.append(Fault(place=where, found=found_words(value), expected=EXPECTED, cure=cure))
        return None
    try:
        return Entry(expression=parse_expression(value), place=where)
    except ExpressionError as error:
        found = f"{error.found} at character {error.position} of {found_words(value).removeprefix('the text ')}"
        table.faults.append(Fault(place=where, found=found, expected=error.expected, cure=error.cure))
        return None


def read_entries(top: TableReader, section: str) -> dict[str, Entry]:
    """[section]: name -> expression."""
    table = top.table(section)
    if table is None:
        return {}
    entries: dict[str, Entry] = {}
    for key, value in table.values.items():
        name = read_name(table, key, key)
        entry = read_expression(table, key, value)
        if name is not None and entry is not None:
            entries[name] = entry
    return entries


def read_flows(top: TableReader) -> dict[tuple[str, str], Entry]:
    """[flow]: "depot->central" = rate constant."""
    table = top.table("flow")
    flows: dict[tuple[str, str], Entry] = {}
    seen: set[tuple[str, str]] = set()
    for key, value in table.values.items() if table else ():
        ends = [end.strip() for end in key.split("->")]
        expected = 'from and to, such as "depot->central" or "central->out"'
        if table is None or len(ends) != 2 or not all(NAME.fullmatch(end) for end in ends):
            top.faults.append(
                Fault(
                    place=top.places.place_of(("flow", key)),
                    found=f'the key "{key}"',
                    expected=expected,
                    cure="Correct the key, in quotes.",
                )
            )
            continue
        source, target = ends
        pair = (source.casefold(), target.casefold())
        if pair[0] == OUT:
            cure = (
                'Write what enters from outside in [ode], such as central = "KIN": a flow is a rate constant times what it leaves.'
            )
            table.fault(key, found=f'"{source}" as the start of a flow', expected="a compartment", cure=cure)
        elif pair[0] == pair[1]:
            table.fault(key, found="a flow from a compartment to itself", expected=expected, cure="Correct one of its ends.")
        elif pair in seen:
            table.fault(key, found="this flow a second time", expected="it once", cure="Keep one, or add the two rate constants.")
        else:
            seen.add(pair)
            entry = read_expression(table, key, value)
            if entry is not None:
                flows[source, target] = entry
    return flows


def read_doses(top: TableReader) -> dict[str, DoseSettings]:
    """[dose.central] lag, F, rate, duration."""
    section = top.table("dose")
    doses: dict[str, DoseSettings] = {}
    for compartment in section.values if section else ():
        table = section.table(compartment) if section else None
        if table is None:
            continue
        given: dict[str, Entry] = {}
        for key, value in table.values.items():
            known = next((name for name in ("lag", "F", "rate", "duration") if name.casefold() == key.casefold()), None)
            if known is None or known in given:
                table.faults.append(unknown_key_fault(table.places, (*table.path, key), ("lag", "F", "rate", "duration")))
                continue
            entry = read_expression(table, key, value)
            if entry is not None:
                given[known] = entry
        doses[compartment] = DoseSettings(**given)
    return doses


def read_pieces(top: TableReader) -> tuple[Piece, ...]:
    """[[piece]]: built-in structures, each with its keys."""
    return tuple(piece for table in top.tables("piece") if (piece := _piece(table)) is not None)


def _piece(table: TableReader) -> Piece | None:
    kind = table.text("kind", expected=one_of(PIECE_KEYS), example='kind = "transit"')
    if kind is None:
        return None
    if kind not in PIECE_KEYS:
        table.fault("kind", expected=one_of(PIECE_KEYS), cure=did_you_mean(kind, PIECE_KEYS, otherwise="Choose one of these."))
        return None
    keys = PIECE_KEYS[kind]
    n_faults = len(table.faults)
    settings: dict[str, PieceValue] = {}
    for key in table.values:
        if key != "kind" and key not in keys:
            table.faults.append(unknown_key_fault(table.places, (*table.path, key), ("kind", *keys)))
    for name, key in keys.items():
        if name in table.values:
            value = _setting(table, name, key)
            if value is not None:
                settings[name] = value
        elif key.required:
            expected = f"{key.form.value}: {key.meaning}"
            table.faults.append(missing_key_fault(table.places, (*table.path, name), expected=expected, example=key.example))
    piece = Piece(kind=kind, settings=settings, place=table.places.place_of(table.path))
    if len(table.faults) == n_faults:
        table.faults.extend(piece_faults(piece))
    return piece if len(table.faults) == n_faults else None


def _setting(table: TableReader, name: str, key: PieceKey) -> PieceValue | None:
    value = table.values[name]
    if key.form in (Form.COMPARTMENT, Form.ANY_COMPARTMENT, Form.NEW_NAME):
        return read_name(table, value, name)
    if key.form is Form.SWITCH_FROM:
        if value in ("arrival", "record"):
            return str(value)
        table.fault(name, expected=key.form.value, cure="Choose one of the two.")
        return None
    if key.form is Form.EXPRESSION:
        return _expression(table, name, value)
    if not isinstance(value, list):
        table.fault(name, expected=key.form.value, cure='Write a list, such as ["A", "B"].')
        return None
    if key.form is Form.ANY_COMPARTMENTS:
        names = [read_name(table, item, name) for item in value]
        return tuple(item for item in names if item is not None) if None not in names else None
    found = [_expression(table, name, item) for item in value]
    return tuple(item for item in found if item is not None) if None not in found else None


def _expression(table: TableReader, key: str, value: Any) -> Expression | None:
    entry = read_expression(table, key, value)
    return entry.expression if entry is not None else None
