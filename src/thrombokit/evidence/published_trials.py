"""Counts of published trials, each endpoint with what the article prints beside them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, InputError


@dataclass(frozen=True, kw_only=True)
class PrintedRatio:
    """An odds ratio as an article prints it, against the reference arm."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class PublishedEndpoint:
    """Responders by arm, and the article's own odds ratios by arm (empty where it prints none)."""

    name: str
    responders: dict[str, int]
    odds_ratios: dict[str, PrintedRatio]


@dataclass(frozen=True, kw_only=True)
class PublishedTrial:
    """A trial's arms with their sizes, its endpoints, and where they were read. `reference` is None for a single arm."""

    name: str
    title: str
    source: str
    locator: str
    tier: str
    sizes: dict[str, int]
    reference: str | None
    endpoints: tuple[PublishedEndpoint, ...]
    note: str


@cache
def published_trials() -> tuple[PublishedTrial, ...]:
    """All shipped trials."""
    text = (files("thrombokit.evidence") / "published_trials.toml").read_text(encoding="utf-8")
    return tuple(_trial(table) for table in tomllib.loads(text)["trial"])


def find_published_trial(name: str) -> PublishedTrial:
    """The trial of a name.

    Raises
    ------
    InputError
        If there is none.
    """
    by_name = {trial.name: trial for trial in published_trials()}
    if name not in by_name:
        cure = did_you_mean(name, by_name, otherwise=f"There are {', '.join(by_name)}.")
        raise InputError(Fault(place="published trials", found=f'"{name}"', expected="the name of a shipped trial", cure=cure))
    return by_name[name]


def _trial(table: dict[str, Any]) -> PublishedTrial:
    arms: list[str] = table["arms"]
    return PublishedTrial(
        name=table["name"], title=table["title"], source=table["source"], locator=table["locator"], tier=table["tier"],
        sizes=dict(zip(arms, table["sizes"], strict=True)), reference=table.get("reference"), note=table["note"],
        endpoints=tuple(_endpoint(row, arms) for row in table["endpoint"]),
    )  # fmt: skip


def _endpoint(row: dict[str, Any], arms: list[str]) -> PublishedEndpoint:
    printed = (PrintedRatio(estimate=e, low=low, high=high) for e, low, high in row.get("odds_ratio", ()))
    return PublishedEndpoint(name=row["name"], responders=dict(zip(arms, row["responders"], strict=True)),
                             odds_ratios=dict(zip(arms, printed, strict=False)))  # fmt: skip
