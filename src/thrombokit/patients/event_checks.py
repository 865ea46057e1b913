"""What an event table may not say: every record against NONMEM's rules, all faults in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault
from thrombokit.numerics.arrays import Array, BoolArray, IntArray
from thrombokit.patients.event_columns import MOST_TOLD, Columns

_RATES = "0 (at once), a positive rate, -1 (rate from the model) or -2 (duration from the model)"
_EVID_CURE = "0 observes, 1 doses, 2 is any other record, 3 resets, 4 resets and doses."


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rule:
    """Records that break one rule: which, the column to look at, what was expected and what to do."""

    broken: BoolArray
    column: str
    expected: str
    cure: str
    found: Callable[[int], str] | None = None


def check_records(columns: Columns, evid: Array, individual: IntArray) -> list[Fault]:
    """Faults of the records, in the order of the rules below.

    Parameters
    ----------
    columns : Columns
        The table, n records.
    evid : array of shape (n,)
        EVID of each record, given or derived; NaN where it was no number.
    individual : array of shape (n,)
        Number of the individual, counted along the file.
    """
    return [fault for rule in (*_time_rules(columns, evid, individual), *_record_rules(columns, evid), *_dose_rules(columns, evid))
            for fault in _told(rule, columns)]  # fmt: skip


def _told(rule: _Rule, columns: Columns) -> Iterator[Fault]:
    if rule.column not in columns.numbers:
        return
    places = np.setdiff1d(np.flatnonzero(rule.broken), columns.unread.get(rule.column, ()))  # those were told already
    values = columns.numbers[rule.column]
    for k in places[:MOST_TOLD]:
        found = rule.found(int(k)) if rule.found else f"{columns.header(rule.column)} {_text(float(values[k]))}"
        yield Fault(place=columns.place(int(k), rule.column), found=found, expected=rule.expected, cure=rule.cure)
    if places.size > MOST_TOLD:
        where = f"{columns.source}, row {columns.row[places[MOST_TOLD]]} and after, column {columns.header(rule.column)}"
        yield Fault(place=where, found=f"{places.size - MOST_TOLD} more like these", expected=rule.expected, cure=rule.cure)


def _time_rules(columns: Columns, evid: Array, individual: IntArray) -> list[_Rule]:
    time = columns.numbers.get("TIME", np.zeros(columns.row.size))
    before = np.concatenate([[np.nan], time[:-1]])
    same = np.concatenate([[False], individual[1:] == individual[:-1]])
    falls = same & (time < before) & ~np.isin(evid, (3, 4))
    return [
        _Rule(broken=np.isnan(columns.whole("ID", np.nan)), column="ID", expected="a number", cure="Number the individuals.",
              found=lambda _: "no ID"),
        _Rule(broken=np.isnan(time), column="TIME", expected="a number", cure="Every record needs its time.", found=lambda _: "no time"),
        _Rule(broken=falls, column="TIME", expected="times that do not fall within an individual, unless the record resets (EVID 3 or 4)",
              cure="Sort the records of the individual by time.",
              found=lambda k: f"time {_text(time[k])} after {_text(before[k])}"),
    ]  # fmt: skip


def _record_rules(columns: Columns, evid: Array) -> list[_Rule]:
    amount, compartment, mdv = columns.whole("AMT", 0.0), columns.whole("CMT", 0.0), columns.whole("MDV", 0.0)
    no_dose = np.isin(evid, (0, 2, 3))
    return [
        _Rule(broken=~np.isin(evid, (0, 1, 2, 3, 4)), column="EVID", expected="EVID 0, 1, 2, 3 or 4", cure=_EVID_CURE),
        _Rule(broken=amount < 0, column="AMT", expected="a dose of 0 or more", cure="Correct the sign."),
        _Rule(broken=no_dose & (amount > 0), column="AMT", expected="no amount on a record that gives no dose",
              cure="Set EVID to 1 if it is a dose, or AMT to 0.",
              found=lambda k: f"AMT {_text(amount[k])} with EVID {_text(evid[k])}"),
        _Rule(broken=compartment < 0, column="CMT", expected="a compartment from 1 up, or 0 for the model's default",
              cure="NONMEM's negative CMT turns a compartment off, which is not read: let the model's rates say it, or reset with EVID 3."),
        _Rule(broken=(compartment >= 0) & (compartment % 1 != 0), column="CMT", expected="a whole number", cure="Correct the compartment."),
        _Rule(broken=~np.isin(mdv, (0, 1, 100, 101)), column="MDV", expected="0 (observed) or 1 (missing)", cure="Correct the cell."),
    ]  # fmt: skip


def _dose_rules(columns: Columns, evid: Array) -> list[_Rule]:
    dose = np.isin(evid, (1, 4))
    amount, rate, steady = columns.whole("AMT", 0.0), columns.whole("RATE", 0.0), columns.whole("SS", 0.0)
    interval, additional = columns.whole("II", 0.0), columns.whole("ADDL", 0.0)
    none = np.isnan(columns.numbers.get("AMT", np.full(columns.row.size, np.nan)))
    is_steady = dose & np.isin(steady, (1, 2))
    constant = is_steady & (amount == 0) & (interval <= 0)
    wrong_rate = (rate < 0) & ~np.isin(rate, (-1, -2))
    return [
        _Rule(broken=dose & none & ~constant, column="AMT" if "AMT" in columns.numbers else "EVID", expected="the amount of the dose",
              cure="Fill in AMT; 0 is a dose of nothing.", found=lambda _: "a dose record without an amount"),
        _Rule(broken=dose & wrong_rate, column="RATE", expected=_RATES,
              cure="Correct the rate."),
        _Rule(broken=dose & (rate > 0) & (amount == 0) & ~none & ~constant, column="RATE", expected="an amount with a rate",
              cure="Fill in AMT; a constant infusion at steady state has AMT 0, II 0 and SS 1.",
              found=lambda k: f"RATE {_text(rate[k])} with AMT 0"),
        _Rule(broken=dose & (interval < 0), column="II", expected="an interval of 0 or more", cure="Correct the sign."),
        _Rule(broken=dose & ((additional < 0) | (additional % 1 != 0)), column="ADDL", expected="a whole number of 0 or more",
              cure="ADDL counts the doses after the first."),
        _Rule(broken=dose & (additional > 0) & (interval <= 0), column="ADDL", expected="an interval in II for additional doses",
              cure="Fill in II, the time between doses, or set ADDL to 0.",
              found=lambda k: f"ADDL {_text(additional[k])} with II {_text(interval[k])}"),
        _Rule(broken=dose & ~np.isin(steady, (0, 1, 2)), column="SS", expected="SS 0, 1 or 2",
              cure="1 replaces what is there by the steady state, 2 adds the steady state to it."),
        _Rule(broken=is_steady & (interval <= 0) & (amount > 0), column="SS", expected="an interval in II for a steady state",
              cure="Fill in II; a constant infusion at steady state has AMT 0, II 0 and a RATE.",
              found=lambda k: f"SS {_text(steady[k])} with II {_text(interval[k])}"),
        _Rule(broken=constant & (rate == -2), column="RATE", expected="a rate for a constant infusion at steady state",
              cure="Give RATE, or -1 where the model has the rate; a duration has no meaning here."),
    ]  # fmt: skip


def _text(number: float) -> str:
    return f"{number:.10g}"
