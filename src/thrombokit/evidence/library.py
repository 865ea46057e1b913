"""Every published number that thrombokit carries, to look up and to cite: `load_library()`.

The files in `records/` hold what was read about TPO-R agonists, the receptor, megakaryocytes and ITP, and a few values computed from that.
`records.toml` (the guide's questions Q1 to Q5) comes first where both have a record.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, InputError
from thrombokit.evidence.load import EvidenceRecord, load_evidence

FILES = ("hetrombopag", "eltrombopag", "romiplostim", "other-agonists", "biology", "derived")
TIERS = {"read-in-source": "published", "read-in-abstract": "published", "secondary": "transcribed", "computed": "computed"}
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s,;()]+[^\s,;().]")
_PMC = re.compile(r"\bPMC\d+\b")
_TRIAL = re.compile(r"\bNCT\d{8}\b")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


@dataclass(frozen=True, kw_only=True)
class LibraryRecord:
    """One number, list of numbers or fact: what, in which unit and system, from where, and how it was read (`confidence`).

    `confidence` is "computed" for values derived from other records; `locator` then says how.
    """

    id: str
    quantity: str
    value: float | str | tuple[float | str, ...]
    unit: str = ""
    uncertainty: str = ""
    n: int | None = None
    system: str = ""
    source: str = ""
    locator: str = ""
    note: str = ""
    confidence: str = "computed"

    @property
    def tier(self) -> str:
        """published, transcribed or computed."""
        return TIERS[self.confidence]

    @property
    def doi(self) -> str | None:
        """The DOI named in the source, if one is."""
        found = _DOI.search(self.source)
        return found[0] if found else None

    @property
    def year(self) -> str | None:
        """The year named in the source, if one is."""
        found = _YEAR.search(_DOI.sub("", self.source))
        return found[0] if found else None

    def value_text(self) -> str:
        """The value as words, with its unit: "0.4 nmol/L", "11.9, 40.1 h"."""
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        words = ", ".join(v if isinstance(v, str) else f"{v:g}" for v in values)
        return f"{words} {self.unit}".strip()

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        told = {
            name: getattr(self, name)
            for name in ("unit", "uncertainty", "n", "system", "source", "locator", "note", "confidence", "tier")
        }
        return {
            "id": self.id,
            "quantity": self.quantity,
            "value": value,
            **{k: v if v != "" else None for k, v in told.items()},
            "doi": self.doi,
        }

    def citation(self) -> str:
        """A sentence to print under a figure: what, from where, how it was read."""
        computed = self.confidence == "computed"
        origin = f"computed: {self.locator}" if computed else f"{self.source}{f', {self.locator}' if self.locator else ''}"
        spread = f" ({self.uncertainty})" if self.uncertainty else ""
        told = f"{self.quantity}: {self.value_text()}{spread}{f', {self.system}' if self.system else ''}"
        return f"{told}. {origin}. Tier: {self.tier}, {self.confidence}."

    def bibtex(self) -> str:
        """A BibTeX entry of the source; `@misc`, because only what was read is known."""
        fields = {"title": "{" + self.source + "}", "year": self.year, "doi": self.doi}
        pmc, trial = _PMC.search(self.source), _TRIAL.search(self.source)
        fields |= {"eprint": pmc[0] if pmc else None, "note": trial[0] if trial else None}
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@misc{{{self.id.replace('.', '_')},", *lines, "}"])


@cache
def load_library() -> tuple[LibraryRecord, ...]:
    """All shipped records: the guide's questions first, then by file."""
    of_questions = [_from_evidence(record) for record in load_evidence()]
    known = {record.id for record in of_questions}
    folder = files("thrombokit.evidence") / "records"
    found = list(of_questions)
    for name in FILES:
        document = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
        found += [
            _record(table) for table in (*document.get("record", ()), *document.get("derived", ())) if table["id"] not in known
        ]
    return tuple(found)


def find_record(identifier: str) -> LibraryRecord:
    """The record of an id.

    Raises
    ------
    InputError
        If there is none; names what was probably meant.
    """
    by_id = {record.id: record for record in load_library()}
    if identifier not in by_id:
        cure = did_you_mean(identifier, by_id, otherwise="`thrombokit evidence list` names them all.")
        raise InputError(Fault(place="evidence", found=f'"{identifier}"', expected="the id of a record", cure=cure))
    return by_id[identifier]


def search_library(words: Iterable[str]) -> tuple[LibraryRecord, ...]:
    """Records that hold every word somewhere, case aside."""
    wanted = [word.casefold() for word in words]
    return tuple(record for record in load_library() if all(word in _everything(record) for word in wanted))


def _everything(record: LibraryRecord) -> str:
    parts = (record.id, record.quantity, record.value_text(), record.system, record.source, record.note, record.uncertainty)
    return " ".join(parts).casefold()


def _record(table: dict[str, Any]) -> LibraryRecord:
    value = table["value"]
    told = tuple(_plain(v) for v in value) if isinstance(value, list) else _plain(value)
    if "how" in table:
        return LibraryRecord(
            id=table["id"], quantity=table["quantity"], value=told, unit=table.get("unit", ""), locator=table["how"]
        )
    rest = {
        name: table[name]
        for name in ("unit", "uncertainty", "n", "system", "source", "locator", "note", "confidence")
        if name in table
    }
    return LibraryRecord(id=table["id"], quantity=table["quantity"], value=told, **rest)


def _plain(value: Any) -> float | str:
    return value if isinstance(value, str) else float(value)


def _from_evidence(record: EvidenceRecord) -> LibraryRecord:
    limits = (
        f"{record.interval or 'interval'} {record.low:g} to {record.high:g}"
        if record.low is not None and record.high is not None
        else ""
    )
    count = f"{record.count} of {record.n}" if record.count is not None and record.n is not None else ""
    quantity = ", ".join(filter(None, (record.quantity, record.agonist, record.arm)))
    return LibraryRecord(id=record.id, quantity=quantity, value=record.value, unit=record.unit, uncertainty="; ".join(filter(None, (count, limits))),
                         n=record.n, system=record.system, source=record.source, locator=record.locator, note=record.note or "",
                         confidence=record.confidence)  # fmt: skip
