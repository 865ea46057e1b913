"""Every number of a model with its provenance: value, unit, tier, source, and how far it may be off.

Numbers stand in TOML files beside the models (`tpor_rates.toml`, `fate_rates.toml`), one entry a rate. The tier says what a number can
carry: "measured" on TPO-R or on the molecule itself, "fitted" to data of other cells (`on` says which) or "assumed". What varies in
an ensemble is drawn from `low` to `high`, whose meaning `range` tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from thrombokit.domain.toml_table import TableReader
from thrombokit.domain.toml_text import parse_toml
from thrombokit.errors import Fault, SpecError, raise_all

RATES_SCHEMA = "thrombokit-rates/1"
"""The form of a file of rates."""
DRAWN_WITHIN_SD = 1.959964
"""A measured interval is read as a central 95 % one of a lognormal."""


class RateTier(StrEnum):
    """What a rate rests on."""

    MEASURED = "measured"
    FITTED = "fitted"
    ASSUMED = "assumed"


class RangeKind(StrEnum):
    """What `low` and `high` of a rate are: a measurement's interval, a range for a value carried over from other cells, an assumed one, or
    none, because the number is a definition or a switch.
    """

    INTERVAL = "interval"
    TRANSFER = "transfer"
    PRIOR = "prior"
    FIXED = "fixed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """One number of a model; `unit` as the model names it, `on` the cells or data a value was fitted to or measured in ("" where none)."""

    id: str
    value: float
    unit: str
    tier: RateTier
    source: str
    low: float
    high: float
    range: RangeKind
    on: str = ""
    note: str = ""

    @property
    def varies(self) -> bool:
        """Whether an ensemble draws this rate."""
        return self.range is not RangeKind.FIXED

    def drawn(self, normal: float) -> float:
        """The rate at a standard normal deviate: lognormal within an interval, log-uniform within a range.

        Parameters
        ----------
        normal : float
            Of a range the deviate is turned into its quantile first.
        """
        if not self.varies:
            return self.value
        low, high = math.log(self.low), math.log(self.high)
        if self.range is RangeKind.INTERVAL:
            return math.exp(0.5 * (low + high) + normal * 0.5 * (high - low) / DRAWN_WITHIN_SD)
        return math.exp(low + (high - low) * 0.5 * math.erfc(-normal / math.sqrt(2.0)))

    def words(self) -> str:
        """Tier, range and source as one sentence, for the notes of the model."""
        where = f" on {self.on}" if self.on else ""
        span = f", {self.range.value} {self.low:g} to {self.high:g}" if self.varies else ""
        return f"{self.tier.value}{where}{span}; source: {self.source}." + (f" {self.note}" if self.note else "")


@dataclass(frozen=True, kw_only=True)
class RateSet:
    """The numbers of one model, in the order of their file."""

    rates: tuple[Rate, ...]

    def __iter__(self) -> Iterator[Rate]:
        return iter(self.rates)

    def __len__(self) -> int:
        return len(self.rates)

    def __getitem__(self, id: str) -> Rate:
        return next(rate for rate in self.rates if rate.id == id)

    def values(self) -> dict[str, float]:
        """Value by id."""
        return {rate.id: rate.value for rate in self.rates}

    def counted(self) -> tuple[Rate, ...]:
        """The rates a share is counted over: those that are numbers about cells, not definitions or switches."""
        return tuple(rate for rate in self.rates if rate.varies)

    def assumed_share(self) -> float:
        """Share of the counted rates that are assumed, 0 to 1."""
        counted = self.counted()
        return sum(rate.tier is RateTier.ASSUMED for rate in counted) / len(counted)

    def caption(self) -> str:
        """What every figure says: how many rates are assumed, and what the others come from."""
        counted = self.counted()
        number = {tier: sum(rate.tier is tier for rate in counted) for tier in RateTier}
        others = sorted({rate.on for rate in counted if rate.tier is RateTier.FITTED})
        return (
            f"{number[RateTier.ASSUMED]} of {len(counted)} rates are assumed ({100 * self.assumed_share():.0f} %), "
            f"{number[RateTier.FITTED]} fitted on {', '.join(others)}, {number[RateTier.MEASURED]} measured."
        )


@cache
def read_rates(file: str) -> RateSet:
    """The rates in a file of this package ("tpor_rates.toml", "fate_rates.toml").

    Raises
    ------
    SpecError
        With every fault of the file, each with line and key.
    """
    text = (files("thrombokit.signalling") / file).read_text(encoding="utf-8")
    return parse_rates(text, file=file)


def parse_rates(text: str, *, file: str) -> RateSet:
    """The rates in a text of the form of `tpor_rates.toml`.

    Raises
    ------
    SpecError
        With every fault of the text, each with line and key.
    """
    document = parse_toml(text, file=file)
    faults = list(document.faults)
    top = TableReader(document.values, places=document.places, faults=faults)
    schema = top.text("schema", expected=f'"{RATES_SCHEMA}"', example=f'schema = "{RATES_SCHEMA}"')
    if schema is not None and schema != RATES_SCHEMA:
        top.fault("schema", expected=f'"{RATES_SCHEMA}"', cure="Correct it.")
    rates = [read_rate(table) for table in top.tables("rate")]
    top.close()
    known = [rate for rate in rates if rate is not None]
    faults.extend(_repeated(known, file))
    raise_all(faults, SpecError)
    return RateSet(rates=tuple(known))


def read_rate(table: TableReader) -> Rate | None:
    """One rate of a TOML table; None, with its faults noted, where it is incomplete."""
    id = table.text("id", expected="the rate's name in the model", example='id = "mpl_turnover"')
    value = table.number("value", expected="a number", example="value = 0.1")
    unit = table.text("unit", expected="a unit of the model", example='unit = "per_min"')
    tier = table.choice("tier", RateTier, example='tier = "assumed"')
    source = table.text("source", expected="where the value comes from", example='source = "assumed here"')
    kind = table.choice("range", RangeKind, example='range = "prior"')
    on = table.text("on", expected="the cells or data behind it")
    note = table.text("note", expected="a sentence")
    low, high = (table.number(key, expected="an end of the range") for key in ("low", "high"))
    if kind is not None and value is not None and kind is not RangeKind.FIXED and not _ordered(low, value, high):
        table.fault(
            "low", found=f"{low} to {high} around {value:g}", expected="0 < low <= value <= high", cure="Correct the range."
        )
    table.close()
    if id is None or value is None or unit is None or tier is None or source is None or kind is None:
        return None
    return Rate(
        id=id, value=value, unit=unit, tier=tier, source=source, range=kind, on=on or "", note=note or "",
        low=value if low is None else low, high=value if high is None else high,
    )  # fmt: skip


def _ordered(low: float | None, value: float, high: float | None) -> bool:
    return low is not None and high is not None and 0.0 < low <= value <= high and low < high


def _repeated(rates: list[Rate], file: str) -> list[Fault]:
    ids = [rate.id for rate in rates]
    twice = sorted({id for id in ids if ids.count(id) > 1})
    return [
        Fault(place=file, found=f'the rate "{id}" twice', expected="each rate once", cure="Keep one of the two.") for id in twice
    ]
