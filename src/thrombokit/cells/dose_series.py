"""Which rows of a table belong to one dose series: donor x agonist x population x day x panel, with the vehicle wells they share.

A row is one well (or tube). Rows at 0 nM are vehicle: they enter every agonist's series of the same donor, population, day and panel (and
plate, where the agonist's plates have vehicle of their own), unless they name an agonist of that table, then only its. Untreated
wells belong to no series; a positive control given at four or more doses is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import polars as pl

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import FrozenArrays, IntArray, frozen

ROLES = ("sample", "comparator", "positive_control", "vehicle", "untreated", "control_tube")
"""`control_tube` is what rows become whose `kind` is not "full" (FMO, single stain, unstained): no response of a culture."""
SERIES_KEYS = ("donor", "population", "day_d", "panel")
FEWEST_CONTROL_DOSES = 4
_MOST_FAULTS = 20
_FIRST_ROW = 2
_TEXTS = {"donor": None, "agonist": "", "population": "", "panel": "", "plate": "", "role": "sample", "tube": ""}


@dataclass(frozen=True, kw_only=True, eq=False)
class DoseSeries(FrozenArrays):
    """One series: whose it is, and the rows (n_wells,) of the checked table that hold it, vehicle first."""

    donor: str
    agonist: str
    population: str
    day_d: float | None
    panel: str
    rows: IntArray

    def label(self) -> str:
        """Words for a message: "donor D1, hetrombopag, CD41+, day 12"."""
        said = [
            f"donor {self.donor}",
            self.agonist,
            self.population,
            f"day {self.day_d:g}" if self.day_d is not None else "",
            self.panel,
        ]
        return ", ".join(part for part in said if part)


def check_table(table: pl.DataFrame, *, numbers: Sequence[str], source: str) -> pl.DataFrame:
    """The table with all key columns present, text trimmed and numbers as Float64.

    Parameters
    ----------
    table : DataFrame
        `donor`, `agonist`, `concentration_nM` (0 = vehicle) and the columns `numbers`; optional `role`, `population`, `day_d`, `plate`,
        `panel`, `tube`, `kind` (rows that are not "full" take no part). One row a well.
    numbers : sequence of str
        Further columns that must be there and hold numbers, 0 or more; empty cells stay empty.
    source : str
        Name for messages; rows count as in a file, the header being row 1.

    Raises
    ------
    InputError
        With all faults: missing columns, text, negative or missing doses, unknown roles, doses without an agonist.
    """
    required = ("donor", "agonist", "concentration_nM", *numbers)
    missing = [name for name in required if name not in table.columns]
    if missing or table.height == 0:
        found = f"columns {', '.join(table.columns) or 'none'}" if missing else "no rows"
        cure = f"Add {', '.join(missing)}." if missing else "Add one row for each well."
        raise InputError(Fault(place=source, found=found, expected=f"columns {', '.join(required)}", cure=cure))
    for name, default in _TEXTS.items():
        text = (
            pl.col(name).cast(pl.String).str.strip_chars().fill_null(default or "")
            if name in table.columns
            else pl.lit(default or "")
        )
        table = table.with_columns(text.alias(name))
    table = table.with_columns(role=pl.when(pl.col("role") == "").then(pl.lit("sample")).otherwise(pl.col("role")))
    if "kind" in table.columns:
        stained = pl.col("kind").cast(pl.String).fill_null("full") == "full"
        table = table.with_columns(role=pl.when(stained).then(pl.col("role")).otherwise(pl.lit("control_tube")))
    if "day_d" not in table.columns:
        table = table.with_columns(day_d=pl.lit(None, dtype=pl.Float64))
    columns = ("concentration_nM", "day_d", *numbers)
    faults = [fault for name in columns for fault in _text_faults(table, name, source)]
    raise_all(faults)
    as_text = [name for name in columns if table[name].dtype == pl.String]
    table = table.with_columns(pl.col(as_text).str.strip_chars()).with_columns(pl.col(name).cast(pl.Float64) for name in columns)
    raise_all(_value_faults(table, numbers, source))
    return table


def _place(source: str, row: int, column: str) -> str:
    return f"{source}, row {row + _FIRST_ROW}, column {column}"


def _text_faults(table: pl.DataFrame, name: str, source: str) -> list[Fault]:
    """Cells of a number column that hold text."""
    values = table[name]
    if values.dtype.is_numeric() or values.dtype == pl.Null:
        return []
    bad = values.is_not_null() & values.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False).is_null()
    return [
        Fault(place=_place(source, row, name), found=f'"{values[row]}"', expected="a number", cure="Write the number alone, without a unit.")
        for row in np.flatnonzero(bad.to_numpy())[:_MOST_FAULTS].tolist()
    ]  # fmt: skip


def _value_faults(table: pl.DataFrame, numbers: Sequence[str], source: str) -> list[Fault]:
    dose, dosed = pl.col("concentration_nM"), pl.col("role").is_in(("sample", "comparator", "positive_control"))
    wrong = "a number, 0 or more, or an empty cell"
    checks = [
        ("donor", pl.col("donor") == "", "the donor's name: n is donors", "Name the donor of every row."),
        ("role", ~pl.col("role").is_in(ROLES), "one of " + ", ".join(ROLES), ""),
        (
            "concentration_nM", dosed & ~(dose.is_finite() & (dose >= 0)).fill_null(False), "a dose in nM, 0 or more (0 = vehicle)",
            "Give the dose, or the role vehicle or untreated.",
        ),
        ("agonist", dosed & (dose > 0) & (pl.col("agonist") == ""), "the agonist of a dose above 0", "Name the agonist."),
        *((name, (~(pl.col(name).is_finite() & (pl.col(name) >= 0))).fill_null(False), wrong, "Correct the cell.") for name in numbers),
    ]  # fmt: skip
    faults: list[Fault] = []
    for column, rule, expected, cure in checks:
        for row in np.flatnonzero(table.select(rule.fill_null(False)).to_series().to_numpy())[:_MOST_FAULTS].tolist():
            found = table[column][row]
            near = get_close_matches(str(found), ROLES, n=1) if column == "role" else []
            advice = cure or (f'Did you mean "{near[0]}"?' if near else "Correct the role.")
            said = f'"{found}"' if isinstance(found, str) and found else ("nothing" if found in (None, "") else f"{found:g}")
            faults.append(Fault(place=_place(source, row, column), found=said, expected=expected, cure=advice))
    return faults


def dose_series(table: pl.DataFrame, *, source: str = "table") -> list[DoseSeries]:
    """All series of a table from `check_table`, in order of appearance.

    Raises
    ------
    InputError
        If there is none: no agonist at a dose above 0.
    """
    columns = {name: table[name].to_numpy() for name in ("agonist", "plate", "role", "concentration_nM")}
    grown = ~np.isin(columns["role"], ("untreated", "control_tube"))
    vehicle = grown & ((columns["role"] == "vehicle") | (columns["concentration_nM"] == 0))
    dosed = grown & ~vehicle & (columns["concentration_nM"] > 0)
    groups = table.select(SERIES_KEYS).with_row_index("row").group_by(SERIES_KEYS, maintain_order=True).agg("row")
    found: list[DoseSeries] = []
    for group in groups.iter_rows(named=True):
        rows = np.asarray(group["row"], dtype=np.int64)
        agonists = dict.fromkeys(columns["agonist"][rows[dosed[rows]]].tolist())
        for agonist in agonists:
            own = rows[dosed[rows] & (columns["agonist"][rows] == agonist)]
            doses = np.unique(columns["concentration_nM"][own]).size
            if np.all(columns["role"][own] == "positive_control") and doses < FEWEST_CONTROL_DOSES:
                continue
            shared = rows[
                vehicle[rows] & ((columns["agonist"][rows] == agonist) | ~np.isin(columns["agonist"][rows], list(agonists)))
            ]
            beside = shared[np.isin(columns["plate"][shared], np.unique(columns["plate"][own]))]
            found.append(
                DoseSeries(
                    donor=group["donor"], agonist=agonist, population=group["population"], day_d=group["day_d"], panel=group["panel"],
                    rows=frozen(np.concatenate([beside if beside.size else shared, own]), np.int64),
                )
            )  # fmt: skip
    if not found:
        expected = "a dose series: wells of one donor with an agonist at doses above 0"
        cure = "Check the columns role, agonist and concentration_nM."
        raise InputError(Fault(place=source, found="only control wells", expected=expected, cure=cure))
    return found
