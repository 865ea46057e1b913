"""The keys of each built-in piece: what a [[piece]] of a model file may say, and what it must.

A key holds a compartment that [compartments] declares, a compartment that is added where it is not declared, a new name for other
expressions to read, an expression, a list of these, or a whole number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from thrombokit.errors import Fault
from thrombokit.patients.expressions import ZERO, Number, expression_text
from thrombokit.patients.model import Piece

MOST_COMPARTMENTS_OF_A_CHAIN = 200


class Form(StrEnum):
    """What a key holds."""

    COMPARTMENT = "the name of a compartment"
    ANY_COMPARTMENT = "the name of a compartment, which is added if it is not declared"
    ANY_COMPARTMENTS = "a list of names of compartments, which are added if they are not declared"
    NEW_NAME = "a new name, for other expressions to read"
    EXPRESSION = "an expression or a number"
    EXPRESSIONS = "a list of expressions or numbers"
    SWITCH_FROM = '"arrival" or "record"'


@dataclass(frozen=True, kw_only=True, slots=True)
class PieceKey:
    """One key of a piece; `example` is the line to add where it is required and absent."""

    form: Form
    meaning: str
    required: bool = False
    example: str = ""


def _must(form: Form, meaning: str, example: str) -> PieceKey:
    return PieceKey(form=form, meaning=meaning, required=True, example=example)


def _may(form: Form, meaning: str) -> PieceKey:
    return PieceKey(form=form, meaning=meaning)


_BINDING: dict[str, PieceKey] = {
    "central": _must(Form.COMPARTMENT, "the amount of drug", 'central = "central"'),
    "volume": _must(Form.EXPRESSION, "its volume: concentration = factor x amount / volume", 'volume = "V"'),
    "factor": _may(Form.EXPRESSION, "from amount/volume to the unit of concentration (default 1)"),
    "kel": _must(Form.EXPRESSION, "elimination of free drug, 1/time", 'kel = "CL/V"'),
    "kint": _must(Form.EXPRESSION, "internalisation of the complex, 1/time", 'kint = "KINT"'),
    "ksyn": _may(Form.EXPRESSION, "synthesis of target, concentration/time"),
    "kdeg": _may(Form.EXPRESSION, "degradation of free target, 1/time"),
    "free": _may(Form.NEW_NAME, "name of the concentration of free drug"),
    "peripheral": _may(Form.ANY_COMPARTMENT, "a compartment that exchanges free drug with the central one"),
    "kcp": _may(Form.EXPRESSION, "central to peripheral, 1/time"),
    "kpc": _may(Form.EXPRESSION, "peripheral to central, 1/time"),
}

PIECE_KEYS: dict[str, dict[str, PieceKey]] = {
    "linear": {
        "central": _must(Form.COMPARTMENT, "the compartment with the elimination", 'central = "central"'),
        "clearance": _must(Form.EXPRESSION, "volume/time", 'clearance = "CL"'),
        "volume": _must(Form.EXPRESSION, "of the central compartment", 'volume = "V"'),
        "from": _may(Form.COMPARTMENT, "the depot of first-order absorption"),
        "absorption": _may(Form.EXPRESSION, "rate of absorption from it, 1/time"),
        "peripherals": _may(Form.ANY_COMPARTMENTS, "compartments that exchange with the central one"),
        "distribution": _may(Form.EXPRESSIONS, "intercompartmental clearance of each, volume/time"),
        "peripheral_volumes": _may(Form.EXPRESSIONS, "volume of each"),
    },
    "dual_absorption": {
        "from": _must(Form.COMPARTMENT, "the depot", 'from = "depot"'),
        "to": _must(Form.COMPARTMENT, "where it is absorbed into", 'to = "central"'),
        "first_rate": _must(Form.EXPRESSION, "before the switch, 1/time", 'first_rate = "KA1"'),
        "second_rate": _must(Form.EXPRESSION, "after the switch, 1/time", 'second_rate = "KA2"'),
        "switch": _must(Form.EXPRESSION, "time from the dose to the switch", 'switch = "MTIME"'),
        "switch_from": _may(Form.SWITCH_FROM, "counted from the lagged arrival (default), or from the record of the dose"),
    },
    "transit": {
        "from": _must(Form.COMPARTMENT, "where the dose enters", 'from = "depot"'),
        "to": _must(Form.COMPARTMENT, "where the chain ends", 'to = "central"'),
        "n": _must(Form.EXPRESSION, "number of transit compartments between the two", "n = 3"),
        "rate": _must(Form.EXPRESSION, "from each to the next, 1/time", 'rate = "KTR"'),
    },
    "tmdd_qe": {
        **_BINDING,
        "kd": _must(Form.EXPRESSION, "dissociation constant, concentration", 'kd = "KD"'),
        "target": _may(Form.ANY_COMPARTMENT, "concentration of all target, free and bound"),
        "target_total": _may(Form.EXPRESSION, "concentration of all target, where no compartment holds it"),
        "bound": _may(Form.NEW_NAME, "name of the concentration of the complex"),
    },
    "tmdd_full": {
        **_BINDING,
        "kon": _must(Form.EXPRESSION, "association, 1/(concentration time)", 'kon = "KON"'),
        "koff": _must(Form.EXPRESSION, "dissociation, 1/time", 'koff = "KOFF"'),
        "target": _must(Form.ANY_COMPARTMENT, "concentration of free target", 'target = "target"'),
        "complex": _must(Form.ANY_COMPARTMENT, "concentration of the complex", 'complex = "complex"'),
    },
    "lifespan_chain": {
        "name": _must(Form.NEW_NAME, "its compartments are name_1, name_2, ...", 'name = "platelet"'),
        "n": _must(Form.EXPRESSION, "number of compartments", "n = 10"),
        "lifespan": _must(Form.EXPRESSION, "mean time from the first to the end, time", 'lifespan = "LIFE"'),
        "production": _may(Form.EXPRESSION, "what enters the first, amount/time (default 0)"),
        "to": _may(Form.COMPARTMENT, "where the survivors go (default: nowhere)"),
        "total": _may(Form.NEW_NAME, "name of the sum of its compartments"),
        "outflow": _may(Form.NEW_NAME, "name of what leaves the last, amount/time"),
        "initial": _may(Form.EXPRESSION, "the sum at the start, spread evenly (default 0)"),
    },
}
"""Kind -> key -> what it holds."""


def whole_number(piece: Piece, key: str) -> int | None:
    """The whole number from 1 that a key says literally, or None."""
    value = piece.expression(key)
    return int(value.value) if isinstance(value, Number) and value.value >= 1.0 and value.value == int(value.value) else None


def piece_faults(piece: Piece) -> Iterator[Fault]:
    """Keys of a piece that do not go together; each key by itself is sound."""
    given = piece.settings
    if piece.kind == "linear":
        yield from _linear_faults(piece)
    if piece.kind in ("transit", "lifespan_chain"):
        yield from _length_faults(piece)
    if piece.kind.startswith("tmdd"):
        yield from _together(piece, ("peripheral", "kcp", "kpc"))
    if piece.kind == "tmdd_full":
        yield from _required_here(piece, ("ksyn", "kdeg"), because="free target is made and degraded")
    if piece.kind == "tmdd_qe":
        if ("target" in given) == ("target_total" in given):
            found = "both target and target_total" if "target" in given else "neither target nor target_total"
            cure = "Give target (a compartment, with ksyn and kdeg) or target_total (an expression)."
            yield _fault(piece, "target", found, expected="one of the two", cure=cure)
        elif "target" in given:
            yield from _required_here(piece, ("ksyn", "kdeg"), because="the target is a compartment")
        else:
            for key in ("ksyn", "kdeg"):
                if key in given:
                    yield _fault(piece, key, f"{key} beside target_total", expected="target", cure=f"Remove {key}, or give target.")


def _length_faults(piece: Piece) -> Iterator[Fault]:
    """n: a literal whole number for a chain of life spans; for transit anything but 0 and a chain too long to write out."""
    n, value, most = whole_number(piece, "n"), piece.expression("n"), MOST_COMPARTMENTS_OF_A_CHAIN
    if piece.kind == "transit" and n is None and value != ZERO:
        return
    if n is None or n > most:
        cure = (
            "Write a [flow] where there is no compartment between the two." if value == ZERO else f"Correct n; {most} is the most."
        )
        found = expression_text(value) if value is not None else "nothing"
        yield _fault(piece, "n", found, expected=f"a whole number from 1 to {most}", cure=cure)


def _linear_faults(piece: Piece) -> Iterator[Fault]:
    yield from _together(piece, ("from", "absorption"))
    wanted = len(piece.names("peripherals"))
    for key in ("distribution", "peripheral_volumes"):
        if len(piece.expressions(key)) != wanted:
            found = f"{len(piece.expressions(key))} values beside {wanted} peripherals"
            yield _fault(piece, key, found, expected="one for each", cure="Give the three lists the same length.")


def _together(piece: Piece, keys: tuple[str, ...]) -> Iterator[Fault]:
    absent = [key for key in keys if key not in piece.settings]
    if absent and len(absent) < len(keys):
        cure = f"Add {' and '.join(absent)}, or remove the others."
        yield _fault(piece, absent[0], f"no {' and no '.join(absent)}", expected=f"{', '.join(keys)} together", cure=cure)


def _required_here(piece: Piece, keys: tuple[str, ...], *, because: str) -> Iterator[Fault]:
    for key in keys:
        if key not in piece.settings:
            yield _fault(
                piece, key, f"no {key}", expected=f"it, because {because}", cure=f'Add a line such as {key} = "{key.upper()}".'
            )


def _fault(piece: Piece, key: str, found: str, *, expected: str, cure: str) -> Fault:
    return Fault(place=f"{piece.place}.{key}", found=found, expected=expected, cure=cure)
