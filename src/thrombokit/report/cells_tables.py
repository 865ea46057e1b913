"""The cells' tables for the page: populations, thresholds with their rule, EC50s over donors, yields, ploidy, quality, what was not stated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from thrombokit.cells.ploidy_response import PloidyResponse
from thrombokit.cells.population_result import PopulationResult
from thrombokit.cells.treatments import treatment_words
from thrombokit.cells.tube_ploidy import TubePloidy
from thrombokit.domain.ploidy import CLASSES
from thrombokit.drawing.numerals import three_digits
from thrombokit.report.page_tables import (
    NOTHING,
    PageColumn,
    PageTable,
    count,
    interval,
    interval_words,
    name,
    number,
    page_table,
    plain_number,
    words,
)

METHOD_WORDS = {
    "t_over_donors": "t over donors", "mixed_model": "mixed model over donors", "descriptive": "donors told one by one",
}  # fmt: skip
LONG_TEXTS = frozenset({"findings", "sentence", "message"})
"""Columns of whole sentences; they get room."""


def population_table(populations: pl.DataFrame) -> PageTable | None:
    """Share of the parent of every population of every tube, with the interval of counting alone."""
    columns = [
        name("Tube", "tube"), name("Donor", "donor"), plain_number("Day", "day_d"), _treatment_column(), name("Population", "population"),
        number("% of parent", "percent"), interval("interval (%)", "percent_low", "percent_high"), count("Cells", "count"),
        words("Parent", "parent"), count("Cells of parent", "parent_count"),
    ]  # fmt: skip
    note = "The interval is that of counting cells within one tube; it says nothing about other tubes or donors. Populations of the answer and "
    note += "stages; all others stand in the saved tables."
    return page_table(populations, columns, caption="Populations, one row a tube and population", note=note)


def threshold_table(thresholds: pl.DataFrame) -> PageTable | None:
    """Threshold of every marker in every control group, and the rule that set it."""
    columns = [
        name("Donor", "donor"), name("Plate", "plate"), plain_number("Day", "day_d"), name("Panel", "panel"), name("Marker", "marker"),
        words("Rule", "rule", look="nowrap"), number("Threshold", "threshold"), interval("95 % interval", "low", "high"),
        number("For large cells", "large"), count("Control events", "n_control"), words("Remark", "note"),
    ]  # fmt: skip
    note = "In compensated linear signal, for a cell of median size; the line follows size, and its value at the beginning of the largest tenth "
    note += "stands beside. It holds for the tubes of its donor, plate, day and panel."
    return page_table(thresholds, columns, caption="Thresholds and the rule behind each", note=note)


def potency_table(result: PopulationResult) -> PageTable | None:
    """EC50 of every agonist and population over donors, with each donor's own."""
    rows = [
        {"agonist": p.agonist, "population": p.population, "assay": p.panel, "day_d": p.day_d, "ec50": three_digits(p.ec50_nM.estimate),
         "interval": interval_words(p.ec50_nM.low, p.ec50_nM.high), "n": p.n_donors, "method": METHOD_WORDS.get(p.method, p.method),
         "donors": _by_donor(p.donors, p.donor_ec50_nM), "sd": _spread_words(p.between_donor_sd_log10), "verdict": p.verdict,
         "top": p.top.estimate, "left_out": "; ".join(f"{donor}: {reason}" for donor, reason in p.donors_left_out)}
        for p in result.potencies
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema_overrides={"day_d": pl.Float64, "top": pl.Float64})
    columns = [
        name("Agonist", "agonist"), name("Population", "population"), words("Assay", "assay"), plain_number("Day", "day_d"),
        _plain("EC50 (nM)", "ec50"), _plain(f"{100 * result.confidence:g} % interval (nM)", "interval"), count("Donors (n)", "n"),
        words("EC50 by donor (nM)", "donors"),
        words("SD between donors (log10)", "sd", look="number"), number("Top", "top"), words("Verdict", "verdict"), words("Method", "method"),
        words("Left out", "left_out"),
    ]  # fmt: skip
    note = "Geometric mean over donors; n is donors, never tubes or cells. The interval is open where the donors leave it open."
    return page_table(frame, columns, caption="EC50 over donors", note=note)


def donor_curve_table(result: PopulationResult) -> PageTable | None:
    """Every donor's own fit."""
    columns = [
        name("Donor", "donor"), name("Agonist", "agonist"), name("Population", "population"), words("Assay", "panel"),
        plain_number("Day", "day_d"), words("Verdict", "verdict", look="nowrap"), number("EC50 (nM)", "ec50_nM"),
        interval(f"{100 * result.confidence:g} % interval (nM)", "ec50_low_nM", "ec50_high_nM"), number("Hill slope", "hill_slope"),
        number("Bottom", "bottom"), number("Top", "top"), count("Tubes", "n_points"), words("Message", "message", look="words message"),
    ]  # fmt: skip
    note = (
        "Bottom and top in % (or in the unit of the yield). A donor's own interval rests on its tubes, not on the number of cells."
    )
    return page_table(result.curves, columns, caption="Fits, one row a donor", note=note)


def yield_table(yields: pl.DataFrame) -> PageTable | None:
    """Cumulative yield at every sampling."""
    columns = [
        name("Donor", "donor"), name("Culture", "culture"), plain_number("Day", "day_d"), number("MKs per CD34+ cell", "MKs_per_CD34"),
        interval("interval", "MKs_per_CD34_low", "MKs_per_CD34_high"), count("MKs counted", "MKs_counted"), words("Counted by", "method"),
        words("Largest error", "largest_error"), words("Verdict", "verdict"), words("Message", "message", look="words message"),
    ]  # fmt: skip
    note = "Cumulative megakaryocytes per CD34+ cell seeded; cells removed at samplings and feeds are counted in."
    return page_table(yields, columns, caption="Yield, one row a sampling", note=note)


def ploidy_table(tubes: Sequence[TubePloidy]) -> PageTable | None:
    """Classes, mean ploidy and share at 8N or more of every tube."""
    rows = [
        {"tube": t.tube, "donor": t.donor, "day_d": t.day_d, "treatment": treatment_words(t.role, t.agonist, t.concentration_nM),
         "verdict": t.ploidy.verdict, "cells": t.ploidy.n_cells,
         **{one: float(share) for one, share in zip(CLASSES, t.ploidy.fractions, strict=True)},
         **{key: getattr(t.ploidy, key) for key in ("mean_ploidy", "mean_ploidy_low", "mean_ploidy_high", "ge8N", "ge8N_low", "ge8N_high")},
         "message": " ".join((t.ploidy.message, *t.ploidy.warnings))}
        for t in tubes
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema_overrides={"day_d": pl.Float64}, infer_schema_length=None)
    columns = [
        name("Tube", "tube"), name("Donor", "donor"), plain_number("Day", "day_d"), name("Treatment", "treatment"), words("Verdict", "verdict"),
        number("Mean ploidy", "mean_ploidy"), interval("95 % interval", "mean_ploidy_low", "mean_ploidy_high"),
        number("≥ 8N (%)", "ge8N", factor=100.0), interval("95 % interval (%)", "ge8N_low", "ge8N_high", factor=100.0),
        *(number(f"{'≥ ' if one == CLASSES[-1] else ''}{one} (%)", one, factor=100.0) for one in CLASSES),
        number("Cells", "cells"), words("Message", "message", look="words message"),
    ]  # fmt: skip
    note = "Shares of megakaryocytes by DNA content; cells in S phase count with the lower class. Intervals are within one tube."
    return page_table(frame, columns, caption="Ploidy, one row a tube", note=note)


def shift_table(response: PloidyResponse) -> PageTable | None:
    """Shift of ploidy over dose, over donors; a shift may go either way."""
    percent = f"{100 * response.confidence:g} %"
    columns = [
        name("Agonist", "agonist"), words("Assay", "panel"), plain_number("Day", "day_d"), words("Verdict", "verdict", look="nowrap"),
        count("Donors (n)", "n_donors"),
        number("Shift (doublings)", "doublings"), interval(f"{percent} interval", "doublings_low", "doublings_high"),
        number("Odds ratio", "odds_ratio"), interval(f"{percent} interval", "odds_ratio_low", "odds_ratio_high"),
        PageColumn(title="p (two-sided)", text=lambda row: NOTHING if row["p"] is None else f"{row['p']:.2g}", look="number"),
        number("EC50 of the shift (nM)", "ec50_nM"), interval(f"{percent} interval (nM)", "ec50_nM_low", "ec50_nM_high"),
        words("Message", "message", look="words message"),
    ]  # fmt: skip
    note = "From vehicle to the highest dose. The odds ratio is that of lying above any cut between classes; one doubling is one class."
    return page_table(response.combined, columns, caption="Ploidy over dose, over donors", note=note)


def plain_table(frame: pl.DataFrame, titles: Mapping[str, str], *, caption: str, note: str = "") -> PageTable | None:
    """Any table with the columns of `titles` (name -> heading) that it has; numbers to three digits, lists joined."""
    columns = [_by_type(frame, key, title) for key, title in titles.items() if key in frame.columns]
    return page_table(frame, columns, caption=caption, note=note)


def _by_type(frame: pl.DataFrame, key: str, title: str) -> PageColumn:
    kind = frame.schema[key]
    if kind.is_integer():
        return count(title, key)
    if kind.is_float():
        return number(title, key)
    if kind == pl.List:
        return PageColumn(title=title, text=lambda row: "; ".join(map(str, row[key] or [])) or NOTHING)
    if kind == pl.String:
        return words(title, key, look="words message" if key in LONG_TEXTS else "words")
    return PageColumn(title=title, text=lambda row: NOTHING if row[key] is None else str(row[key]))


def _treatment_column() -> PageColumn:
    def text(row: Mapping[str, Any]) -> str:
        return treatment_words(row["role"] or "sample", row["agonist"] or "", row["concentration_nM"])

    return PageColumn(title="Treatment", text=text, look="nowrap")


def _plain(title: str, key: str) -> PageColumn:
    return PageColumn(title=title, text=lambda row: str(row[key]), look="number")


def _spread_words(sd_log10: float | None) -> str:
    """Three digits; what an estimate cannot tell from nothing as "< 0.001"."""
    return "< 0.001" if sd_log10 is not None and sd_log10 < 0.001 else three_digits(sd_log10)


def _by_donor(donors: Sequence[str], ec50_nM: Sequence[float | None]) -> str:
    return ", ".join(f"{donor} {three_digits(value)}" for donor, value in zip(donors, ec50_nM, strict=True))
