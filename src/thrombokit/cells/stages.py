"""Stages of megakaryocyte differentiation as combinations of markers: a preset by panel, editable, exhaustive and disjoint.

Published order of appearance: CD34+CD41-, CD34+CD41+CD42b-, CD34+CD41+CD42b+, CD34-CD41+CD42b+ ("Isolation and culture of
megakaryocyte precursors", Methods Mol Biol 2004, abstract; CD42 comes slightly later than CD41). CD34-CD41+CD42b- is either on the way or has
lost CD42b: platelet-like particles of cultures mostly lack it (Wang et al. 2015, Blood 125:3627), because the receptor is shed. CD41
without CD61 (or the reverse) should not occur in number, as the two form one receptor; it is named, not hidden.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from thrombokit.cells.gates import BooleanGate, Operand
from thrombokit.errors import Fault, InputError

Signs = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Cells with all of the signs: (marker, whether it is carried). `meaning` is a few words, `source` where it is from."""

    signs: Signs
    meaning: str
    source: str = ""

    @property
    def name(self) -> str:
        """As people write it, and the id of its gate: CD34-CD41+."""
        return name_of(self.signs)


def name_of(signs: Signs) -> str:
    """Signs as people write them: CD34-CD41+."""
    return "".join(f"{marker}{'+' if carried else '-'}" for marker, carried in signs)


_ORDER = "Methods Mol Biol 2004, Isolation and culture of megakaryocyte precursors (abstract)"
_SHED = "Wang et al. 2015, Blood 125:3627 (abstract)"
_PAIR = "CD41 and CD61 are the two chains of GPIIb/IIIa"


def _stage(text: str, meaning: str, source: str = _ORDER) -> Stage:
    """From "CD34- CD41+"."""
    return Stage(signs=tuple((word[:-1], word[-1] == "+") for word in text.split()), meaning=meaning, source=source)


WITH_CD34 = (
    _stage("CD34+ CD41-", "progenitor, not yet of the lineage"),
    _stage("CD34+ CD41+ CD42b-", "megakaryocyte progenitor"),
    _stage("CD34+ CD41+ CD42b+", "late progenitor, or a progenitor coated with platelets"),
    _stage("CD34- CD41+ CD42b-", "immature megakaryocyte, or CD42b shed", f"{_ORDER}; {_SHED}"),
    _stage("CD34- CD41+ CD42b+", "mature megakaryocyte"),
    _stage("CD34- CD41-", "other cells", ""),
)
"""CD34, CD41 and CD42b stained."""

WITHOUT_CD34 = (
    _stage("CD41- CD61-", "not of the lineage", ""),
    _stage("CD41+ CD61+ CD42b-", "immature megakaryocyte, or CD42b shed", f"{_ORDER}; {_SHED}"),
    _stage("CD41+ CD61+ CD42b+", "mature megakaryocyte"),
    _stage("CD41+ CD61-", "one chain only: look at the staining", _PAIR),
    _stage("CD41- CD61+", "one chain only: CD61 with another partner, or dim CD41", _PAIR),
)
"""CD41, CD61 and CD42b stained, no CD34: the guide's panel."""

_BY_MARKERS: tuple[tuple[tuple[str, ...], tuple[Stage, ...]], ...] = (
    (("CD34", "CD41", "CD42b"), WITH_CD34),
    (("CD41", "CD61", "CD42b"), WITHOUT_CD34),
    (
        ("CD34", "CD41"),
        (
            _stage("CD34+ CD41-", "progenitor, not yet of the lineage"),
            _stage("CD34+ CD41+", "megakaryocyte progenitor, or a progenitor coated with platelets"),
            _stage("CD34- CD41+", "megakaryocyte"),
            _stage("CD34- CD41-", "other cells", ""),
        ),
    ),
    (
        ("CD41", "CD42b"),
        (
            _stage("CD41-", "not of the lineage", ""),
            _stage("CD41+ CD42b-", "immature megakaryocyte, or CD42b shed", f"{_ORDER}; {_SHED}"),
            _stage("CD41+ CD42b+", "mature megakaryocyte"),
        ),
    ),
    (
        ("CD41", "CD61"),
        (
            _stage("CD41- CD61-", "not of the lineage", ""),
            _stage("CD41+ CD61+", "megakaryocyte"),
            _stage("CD41+ CD61-", "one chain only: look at the staining", _PAIR),
            _stage("CD41- CD61+", "one chain only: CD61 with another partner, or dim CD41", _PAIR),
        ),
    ),
    (("CD41",), (_stage("CD41+", "megakaryocyte"), _stage("CD41-", "not of the lineage", ""))),
)


def preset_stages(markers: tuple[str, ...]) -> tuple[Stage, ...]:
    """The stages that a panel's markers can tell; none without CD41."""
    return next((stages for needed, stages in _BY_MARKERS if set(needed) <= set(markers)), ())


def check_stages(stages: tuple[Stage, ...], markers: tuple[str, ...], place: str) -> None:
    """Refuse stages that do not share out every cell exactly once.

    Raises
    ------
    InputError
        If a stage uses a marker without a gate, or some combination of markers belongs to no stage or to more than one; all at once.
    """
    faults: list[Fault] = []
    used = sorted({marker for stage in stages for marker, _ in stage.signs})
    for marker in used:
        if marker not in markers:
            users = ", ".join(stage.name for stage in stages if marker in dict(stage.signs))
            faults.append(Fault(place=f"{place}, stages", found=f"{marker} in {users}", expected=f"markers with a gate: {', '.join(markers)}",
                                cure="Stain the marker, or define the stages without it."))  # fmt: skip
    for carried in itertools.product((True, False), repeat=len(used)):
        cell = dict(zip(used, carried, strict=True))
        homes = [stage.name for stage in stages if all(cell[marker] == sign for marker, sign in stage.signs)]
        if len(homes) != 1 and stages:
            found = f"{name_of(tuple(cell.items()))} in {' and '.join(homes) if homes else 'no stage'}"
            faults.append(Fault(place=f"{place}, stages", found=found, expected="each combination of markers in one stage",
                                cure="Add a stage for it, or change the signs of the stages named."))  # fmt: skip
    if faults:
        raise InputError(faults)


def stage_gates(stages: tuple[Stage, ...], parent: str | None) -> tuple[BooleanGate, ...]:
    """One Boolean gate a stage, over the gates "<marker>+"; a stage that is one positive marker has that marker's own gate."""
    return tuple(sign_gate(stage.signs, parent) for stage in stages if not is_marker_gate(stage.signs))


def is_marker_gate(signs: Signs) -> bool:
    """Whether signs are met by a marker's own gate."""
    return len(signs) == 1 and signs[0][1]


def sign_gate(signs: Signs, parent: str | None) -> BooleanGate:
    """The Boolean gate of signs, over the gates "<marker>+"."""
    operands = tuple(Operand(gate=f"{marker}+", complement=not carried) for marker, carried in signs)
    if len(operands) == 1:
        return BooleanGate(id=name_of(signs), operation="not", operands=(Operand(gate=operands[0].gate),), parent=parent)
    return BooleanGate(id=name_of(signs), operation="and", operands=operands, parent=parent)
