"""Every number of a trial's analysis in one table: what it is, how it was made, from which subjects, from which files, by which version.

One row a number; `id` names it for good: estimand / measure / group / against / visit / method. Limits and p stand beside the value they belong to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

SCHEMA = "thrombokit.analysis-results/1"
WORDS = ("id", "estimand", "role", "measure", "group", "against", "visit", "method")
NUMBERS = ("value", "low", "high", "p")
TAIL = ("population", "verdict", "options", "input_sha256", "version")


@dataclass(frozen=True, kw_only=True)
class AnalysisNumber:
    """One number; None where it does not exist, and then `verdict` says why. `n` is subjects."""

    measure: str
    method: str
    group: str = "all arms"
    against: str = ""
    visit: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    n: int | None = None
    verdict: str = ""


@dataclass(frozen=True, kw_only=True)
class NumbersOfEstimand:
    """The numbers of one estimand (or of the trial as a whole, named "trial"), with the options that made them."""

    estimand: str
    numbers: tuple[AnalysisNumber, ...]
    role: str = ""
    population: str = ""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def rows(self) -> list[dict[str, Any]]:
        """One dict a number, without what belongs to the whole table."""
        options = json.dumps(self.options, ensure_ascii=False, sort_keys=True)
        return [
            {
                "id": "/".join(part for part in (self.estimand, n.measure, n.group, n.against, n.visit, n.method) if part),
                "estimand": self.estimand, "role": self.role, "measure": n.measure, "group": n.group, "against": n.against, "visit": n.visit,
                "method": n.method, "value": n.value, "low": n.low, "high": n.high, "p": n.p, "n": n.n, "population": self.population,
                "verdict": n.verdict, "options": options,
            }
            for n in self.numbers
        ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AnalysisResults:
    """All numbers of one analysis. `inputs` holds the SHA-256 of each file by its name; `version` is thrombokit's."""

    groups: tuple[NumbersOfEstimand, ...]
    inputs: Mapping[str, str]
    version: str

    def frame(self) -> pl.DataFrame:
        """The table; `input_sha256` and `version` stand in every row, so that a row can leave the file and still say where it is from."""
        told = json.dumps(dict(self.inputs), ensure_ascii=False, sort_keys=True)
        rows = [{**row, "input_sha256": told, "version": self.version} for group in self.groups for row in group.rows()]
        schema = {
            **dict.fromkeys(WORDS, pl.String),
            **dict.fromkeys(NUMBERS, pl.Float64),
            "n": pl.Int64,
            **dict.fromkeys(TAIL, pl.String),
        }
        return pl.DataFrame(rows, schema=schema)

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON: options are values there, inputs and version stand once."""
        rows = [{**row, "options": json.loads(row["options"])} for group in self.groups for row in group.rows()]
        return {"schema": SCHEMA, "version": self.version, "inputs": dict(self.inputs), "results": rows}


def repeated_ids(results: AnalysisResults) -> Sequence[str]:
    """Ids that more than one number has; there should be none."""
    ids = [row["id"] for group in results.groups for row in group.rows()]
    return sorted({one for one in ids if ids.count(one) > 1})
