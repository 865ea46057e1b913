"""Published numbers that results are set beside, each with its source, where in it, and how much it can carry.

`records.toml` beside this file holds what the technical guide on hetrombopag reports (questions Q1 to Q5) and the corrections
to the guide that a reader needs to know. Nothing in thrombokit fits to these numbers; reports print them next to what was
measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from thrombokit.domain.agonist import Tier
from thrombokit.domain.toml_faults import one_of
from thrombokit.domain.toml_table import TableReader
from thrombokit.domain.toml_text import TomlDocument, parse_toml
from thrombokit.errors import Fault, InputError, SpecError, raise_all

EVIDENCE_SCHEMA = "thrombokit-evidence/1"

QUESTIONS = ("Q1", "Q2", "Q3", "Q4", "Q5")
"""Q1 EC50 in 32D-MPL, Q2 EC50 in CD34+ cord blood, Q3 phase 1 response, Q4 phase 1 time to response, Q5 phase 3 response."""

CONFIDENCES = ("read-in-source", "read-in-abstract", "secondary")
"""How the number was read: in the article or registry itself, in its abstract, or in a text that repeats it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceRecord:
    """One published number.

    `value` is in `unit`; `low` and `high` bound it as `interval` says (which interval, and whose); `count` of `n` patients,
    where it is a share. `agonist` and `arm` are None where they do not apply.
    """

    id: str
    question: str
    quantity: str
    value: float
    unit: str
    system: str
    source: str
    locator: str
    tier: Tier
    confidence: str
    agonist: str | None = None
    arm: str | None = None
    low: float | None = None
    high: float | None = None
    interval: str | None = None
    count: int | None = None
    n: int | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """Something the guide says that its sources do not bear out, or leaves open. `question` is None where it touches none of Q1
    to Q5.
    """

    id: str
    guide_says: str
    correction: str
    source: str
    locator: str
    confidence: str
    question: str | None = None


def load_evidence() -> tuple[EvidenceRecord, ...]:
    """All shipped records, in the order Q1 to Q5."""
    return _shipped()[0]


def evidence_for(question: str) -> tuple[EvidenceRecord, ...]:
    """The records of one question, "Q1" to "Q5".

    Raises
    ------
    InputError
        If there is no such question.
    """
    if question not in QUESTIONS:
        raise InputError(
            Fault(place="evidence", found=f'the question "{question}"', expected=one_of(QUESTIONS), cure="Choose one of these.")
        )
    return tuple(record for record in load_evidence() if record.question == question)


def corrections() -> tuple[Correction, ...]:
    """What to correct in the guide, or to read with care."""
    return _shipped()[1]


@cache
def _shipped() -> tuple[tuple[EvidenceRecord, ...], tuple[Correction, ...]]:
    text = (files("thrombokit.evidence") / "records.toml").read_text(encoding="utf-8")
    return read_evidence(parse_toml(text, file="records.toml"))


def read_evidence(document: TomlDocument) -> tuple[tuple[EvidenceRecord, ...], tuple[Correction, ...]]:
    """Records and corrections of one evidence file.

    Raises
    ------
    SpecError
        With every fault of the file, each with line and key.
    """
    faults = list(document.faults)
    top = TableReader(document.values, places=document.places, faults=faults)
    schema = top.text("schema", expected=f'"{EVIDENCE_SCHEMA}"', example=f'schema = "{EVIDENCE_SCHEMA}"')
    if schema is not None and schema != EVIDENCE_SCHEMA:
        top.fault("schema", expected=f'"{EVIDENCE_SCHEMA}"', cure="Correct it.")
    records = [_record(table) for table in top.tables("record")]
    found = [_correction(table) for table in top.tables("correction")]
    top.close()
    raise_all(faults, SpecError)
    order = sorted((record for record in records if record is not None), key=lambda record: QUESTIONS.index(record.question))
    return tuple(order), tuple(correction for correction in found if correction is not None)


def _record(table: TableReader) -> EvidenceRecord | None:
    words = {key: _required(table, key) for key in ("id", "quantity", "unit", "system", "source", "locator")}
    question, confidence = (
        _one_of(table, "question", QUESTIONS, required=True),
        _one_of(table, "confidence", CONFIDENCES, required=True),
    )
    value = table.number("value", expected="the published number", example="value = 0.4")
    tier = table.choice("tier", Tier, example='tier = "published"')
    low, high = (table.number(key, expected="a bound of the interval") for key in ("low", "high"))
    interval = table.text("interval", expected="which interval, and whose")
    count, n = (table.whole_number(key, expected="a number of patients") for key in ("count", "n"))
    agonist, arm, note = (table.text(key, expected="a text") for key in ("agonist", "arm", "note"))
    if (low is None) != (high is None) or (low is not None and interval is None):
        table.fault("interval", expected="low, high and interval together", cure="Add the missing one.")
    table.close()
    if None in words.values() or question is None or confidence is None or value is None or tier is None:
        return None
    texts = {key: text for key, text in words.items() if text is not None}
    return EvidenceRecord(
        **texts, question=question, value=value, tier=tier, confidence=confidence, low=low, high=high, interval=interval,
        count=count, n=n, agonist=agonist, arm=arm, note=note,
    )  # fmt: skip


def _correction(table: TableReader) -> Correction | None:
    words = {key: _required(table, key) for key in ("id", "guide_says", "correction", "source", "locator")}
    confidence, question = (
        _one_of(table, "confidence", CONFIDENCES, required=True),
        _one_of(table, "question", QUESTIONS, required=False),
    )
    table.close()
    if None in words.values() or confidence is None:
        return None
    return Correction(**{key: text for key, text in words.items() if text is not None}, confidence=confidence, question=question)


def _required(table: TableReader, key: str) -> str | None:
    return table.text(key, expected="a text", example=f'{key} = "..."')


def _one_of(table: TableReader, key: str, options: tuple[str, ...], *, required: bool) -> str | None:
    text = table.text(key, expected=one_of(options), example=f'{key} = "{options[0]}"' if required else None)
    if text is None or text in options:
        return text
    table.fault(key, expected=one_of(options), cure="Choose one of these.")
    return None
