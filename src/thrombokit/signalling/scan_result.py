"""What a scan hands on: one table, what of it a picture shows, and the sentences that belong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import polars as pl

from thrombokit.drawing.model_lines import ModelLine, draw_model_lines
from thrombokit.drawing.table_bars import table_bars
from thrombokit.drawing.time_courses import time_course_chart
from thrombokit.signalling.ensembles import OUTPUT_TITLES

TIME, MODEL_TIME, OUTPUT = "time_h", "time", "output"
KINDS = (OUTPUT, "quantity", "unit")
"""Columns that say what a number is; each value has panels of its own."""
BAND = {"low", "median", "high"}
DRAWN_AT_MOST, BARS_AT_MOST = 8, 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Scan:
    """Many runs of one model, side by side.

    `rows` is the table, units in its column names; `label` the column that tells rows apart in a picture, `shown` the columns a picture shows
    (over `time_h`, where the table has it). `said` are sentences with the answer, `caption` says what it rests on, `settings` what was asked.
    """

    kind: str
    model: str
    rows: pl.DataFrame
    label: str
    shown: tuple[str, ...]
    caption: str
    said: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def table(self) -> pl.DataFrame:
        """The rows."""
        return self.rows

    def summary(self) -> str:
        """How many rows, the answer, and what it rests on."""
        return " ".join([f"{self.model}, {self.kind}: {self.rows.height} rows.", *self.said, self.caption])

    def plot(self) -> alt.FacetChart | alt.Chart:
        """Lines over time where there is a time, else bars, a panel a quantity; of a model's values the first quantity over time.

        Of many labels over time some, evenly spread, are drawn, of many rows of outputs those with the largest first number; the table has all.

        Raises
        ------
        InputError
            If the table has no number to draw.
        """
        told = f"{self.kind} of {self.model}. {self.caption}"
        if MODEL_TIME in self.rows.columns:
            return self._model_lines()
        if TIME not in self.rows.columns:
            return table_bars(self._bars(), caption=self.caption, description=told)
        labels = self.rows[self.label].cast(pl.String).unique(maintain_order=True).to_list()
        kept = labels[:: max(1, -(-len(labels) // DRAWN_AT_MOST))]
        rows = self.rows.with_columns(pl.col(self.label).cast(pl.String).alias("treatment"))
        if BAND.issubset(rows.columns):
            long = rows.select(
                "treatment", TIME, "low", "high", panel=pl.col(OUTPUT).replace(OUTPUT_TITLES), value="median"
            ).drop_nulls("value")
        else:
            long = rows.select("treatment", TIME, *self._numbers()).unpivot(
                index=["treatment", TIME], variable_name="panel", value_name="value"
            )
        return time_course_chart(long.filter(pl.col("treatment").is_in(kept)), series=kept, value_title="", caption=self.caption,
                                 description=told)  # fmt: skip

    def _model_lines(self) -> alt.Chart:
        """The first quantity of some runs; a run is named by what comes before its time."""
        column, ids = self.shown[0], self.rows.columns[: self.rows.columns.index(MODEL_TIME)]
        runs = [
            ModelLine(
                name=", ".join(f"{id} = {value:g}" for id, value in zip(ids, values, strict=True)), time=rows[MODEL_TIME].to_numpy(),
                values=rows[column].to_numpy(),
            )
            for values, rows in self.rows.drop_nulls(column).group_by(ids, maintain_order=True)
        ]  # fmt: skip
        step = max(1, -(-len(runs) // DRAWN_AT_MOST))
        return draw_model_lines(runs[::step], time_title="time", value_title=column)

    def _numbers(self) -> list[pl.Expr]:
        return [pl.col(name).cast(pl.Float64) for name in self.shown]

    def _bars(self) -> pl.DataFrame:
        """`label, panel, value`, quantities of their own unit apart."""
        rows = self.rows
        if OUTPUT in rows.columns:
            rows = rows.sort(pl.col(self.shown[0]).abs(), descending=True, nulls_last=True, maintain_order=True).head(BARS_AT_MOST)
        kinds = [name for name in KINDS if name in rows.columns]
        index = [self.label, *kinds]
        long = rows.select(*index, *self._numbers()).unpivot(index=index, variable_name="column", value_name="value")
        panel = pl.concat_str(*kinds, "column", separator=", ")
        return long.select(pl.col(self.label).cast(pl.String).alias("label"), panel.alias("panel"), "value")

    def to_dict(self) -> dict[str, Any]:
        """For JSON: columns by name, null where a number is not finite."""
        finite = self.rows.with_columns(
            pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name)
            for name, kind in self.rows.schema.items() if kind.is_float()
        )  # fmt: skip
        return {
            "schema": "thrombokit.scan/1", "kind": self.kind, "model": self.model, "n_rows": self.rows.height, "said": list(self.said),
            "caption": self.caption, "settings": dict(self.settings), "columns": finite.to_dict(as_series=False),
        }  # fmt: skip
