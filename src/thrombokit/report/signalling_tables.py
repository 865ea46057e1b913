"""The tables of the signalling part: predictions with their misses, combinations, EC50 by hours, fitted rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

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
from thrombokit.signalling.anchor import Anchor
from thrombokit.signalling.measured_fit import SignalFit
from thrombokit.signalling.predictions import Prediction, predictions_table

BLISS = "Bliss: the two as independent shares. Sum: the plain sum. The model adds their drives at the receptor."
MISSED = {"inside the band": "hit", "outside the band": "miss", "no published value found": "no published value found"}


def prediction_table(predictions: Sequence[Prediction]) -> PageTable | None:
    """Every prediction, hits and misses alike; sources are numbered and told in full below the caption."""
    if not predictions:
        return None
    numbers = {source: at for at, source in enumerate(dict.fromkeys(one.source for one in predictions if one.source), 1)}
    verdict = PageColumn(title="Verdict", text=lambda row: MISSED.get(str(row["verdict"]), str(row["verdict"])))
    source = PageColumn(title="Source", text=lambda row: f"[{numbers[row['source']]}]" if row["source"] else NOTHING, look="nowrap")
    fact = PageColumn(title="Fact", text=lambda row: f"{row['fact']} (nM)" if row["unit"] == "nM" else str(row["fact"]))
    columns = (
        fact, number("Predicted", "predicted"), interval("Band", "low", "high"), number("Known", "published"), number("Fold", "fold"), verdict,
        source, words("Note", "note"),
    )  # fmt: skip
    told = "".join(f" [{at}] {one}." for one, at in numbers.items())
    return page_table(
        predictions_table(predictions), columns, caption="Predictions of facts that were not fitted",
        note="Band: 5 to 95 % of the sets of rates. Known: published, or measured on this study’s plates. Fold: predicted / known. "
        f"A miss is printed like a hit.{told}",
    )  # fmt: skip


def combination_page(table: pl.DataFrame) -> PageTable | None:
    """Two agonists together, beside Bliss and the sum."""
    if table.is_empty():
        return None
    first, second = table.row(0, named=True)["first"], table.row(0, named=True)["second"]
    columns = (
        number(f"{first} (nM)", "first_nM"), number(f"{second} (nM)", "second_nM"), number(f"{first} alone (%)", "first_pct"),
        number(f"{second} alone (%)", "second_pct"), number("Model, drives add (%)", "drive_additive_pct"), number("Bliss (%)", "bliss_pct"),
        number("Sum (%)", "sum_pct"),
    )  # fmt: skip
    return page_table(table, columns, caption=f"{first} with {second}, in % of the positive control", note=BLISS)


def shift_page(table: pl.DataFrame) -> PageTable | None:
    """EC50 by hours of the read-out."""
    columns = (
        name("Agonist", "agonist"), name("Cells", "cell_system"), plain_number("Hours", "hours"), number("EC50 (nM)", "ec50_nM"),
        number("Emax (%)", "emax_pct"), number("Hill slope", "hill_slope"), number("EC50 over that of the last", "shift"),
    )  # fmt: skip
    return page_table(table, columns, caption="EC50 by hours of the read-out", note="The model's, not measured.")


def anchor_page(anchors: Sequence[Anchor]) -> PageTable | None:
    """What each agonist's place in the model rests on."""
    if not anchors:
        return None
    rows = pl.DataFrame([{"agonist": one.binding.agonist, "said": one.summary()} for one in anchors])
    return page_table(rows, (name("Agonist", "agonist"), words("Anchored on", "said")), caption="Agonists in the model")


def rate_page(fit: SignalFit) -> PageTable | None:
    """Fitted rates and how each ended."""
    if not fit.rates:
        return None
    known = PageColumn(title=f"{100 * fit.confidence:g} % interval", text=_interval_or_dash, look="number")
    columns = (
        name("Rate", "id"), name("Unit", "unit"), number("Before", "before"), number("Fitted", "estimate"), known, count("Runs", "n_runs"),
        words("Verdict", "verdict"),
    )  # fmt: skip
    return page_table(fit.table(), columns, caption="Rates fitted to the measured signals", note="n is runs or donors.")


def quality_page(fit: SignalFit) -> PageTable | None:
    """How near the model comes to each scale."""
    columns = (
        name("Analyte", "analyte"), name("Assay", "assay"), name("Run", "run"), count("Points", "n"),
        number("RMS difference (points of 100)", "rms_pct"), number("R2", "r_squared"),
    )  # fmt: skip
    return page_table(fit.quality, columns, caption="Model beside measurement, run by run")


def _interval_or_dash(row: Mapping[str, Any]) -> str:
    return interval_words(row["low"], row["high"])
