"""The columns of the cells stage's tables, in their order, with their types; rows of dictionaries in, frames out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import polars as pl

from thrombokit.cells.fitting import GroupPools
from thrombokit.cells.gated_tube import GatedTube, tube_columns
from thrombokit.cells.group_controls import threshold_at
from thrombokit.cells.scales import LogicleScale
from thrombokit.cells.steps import top_of
from thrombokit.cells.strategy import FittedStrategy, Group, MegakaryocyteStrategy
from thrombokit.cells.thresholds import FMO, UNSTAINED
from thrombokit.cells.tubes import Tube

Row = dict[str, Any]
Schema = dict[str, Any]
TUBE: Schema = {
    "tube": pl.String, "donor": pl.String, "plate": pl.String, "day_d": pl.Float64, "panel": pl.String, "kind": pl.String,
    "role": pl.String, "agonist": pl.String, "concentration_nM": pl.Float64,
}  # fmt: skip
_COUNT: Schema = {
    "count": pl.Int64,
    "parent_count": pl.Int64,
    "percent": pl.Float64,
    "percent_low": pl.Float64,
    "percent_high": pl.Float64,
}
_TABLES: dict[str, Schema] = {
    "population": {**TUBE, "population": pl.String, "parent": pl.String, **_COUNT},
    "stage": {**TUBE, "stage": pl.String, "meaning": pl.String, "source": pl.String, "parent": pl.String, **_COUNT},
    "ploidy": {**TUBE, "population": pl.String, "ploidy": pl.String, **_COUNT},
    "threshold": {
        "donor": pl.String, "plate": pl.String, "day_d": pl.Float64, "panel": pl.String, "marker": pl.String, "channel": pl.String,
        "rule": pl.String, "percentile": pl.Float64, "threshold": pl.Float64, "low": pl.Float64, "high": pl.Float64, "large": pl.Float64,
        "n_control": pl.Int64, "n_effective": pl.Float64, "note": pl.String,
    },
    "quality": {
        **TUBE, "events": pl.Int64, "removed_time": pl.Int64, "removed_debris": pl.Int64, "removed_doublets": pl.Int64,
        "removed_dead": pl.Int64, "analysed": pl.Int64, "time": pl.String, "live": pl.String, "particles": pl.String,
        "platelet_like": pl.Int64, "findings": pl.String,
    },
    "warning": {
        **TUBE, "warning": pl.String, "subject": pl.String, "value": pl.Float64, "limit": pl.Float64, "sentence": pl.String,
    },
}  # fmt: skip
Table = Literal["population", "stage", "ploidy", "threshold", "quality", "warning"]


def population_schema(table: Table, markers: Sequence[str]) -> Schema:
    """Columns and types of a table; `markers` add their medians, and to the populations their difference to FMO and their rule."""
    schema = dict(_TABLES[table])
    for marker in markers:
        schema[f"median_{marker}"] = pl.Float64
        if table == "population":
            schema[f"delta_{marker}"] = pl.Float64
            schema[f"rule_{marker}"] = pl.String
    return schema


def frame_of(rows: Sequence[Mapping[str, Any]], schema: Schema) -> pl.DataFrame:
    """A frame with exactly the columns of the schema; what a row lacks is null."""
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in schema}, schema=schema, strict=False)


def threshold_rows(
    fitted: Mapping[Group, FittedStrategy], pools: Mapping[Group, GroupPools], strategy: MegakaryocyteStrategy
) -> list[Row]:
    """One row a control group and marker; values linear, at the median size of the analysed cells and at the start of its top decile."""
    rows: list[Row] = []
    for group, one in fitted.items():
        pool = pools[group]
        for marker, threshold in one.thresholds.items():
            channel = pool.panel.channels[marker]
            scale = LogicleScale(t=top_of(pool.first, channel), w=0.5, m=4.5)
            told = (*threshold_at(one, pool, marker), threshold_at(one, pool, marker, large=True)[0])
            value, low, high, large = (None if v is None else float(scale.inverse(np.array([v]))[0]) for v in told)
            rows.append(
                {
                    "donor": group[0], "plate": group[1], "day_d": group[2], "panel": group[3], "marker": marker, "channel": channel,
                    "rule": threshold.rule, "percentile": strategy.thresholds.percentile if threshold.rule in (FMO, UNSTAINED) else None,
                    "threshold": value, "low": low, "high": high, "large": large, "n_control": threshold.n_events or None,
                    "n_effective": threshold.line.n_effective or None if threshold.line is not None else None,
                    "note": "; ".join(threshold.reasons),
                }
            )  # fmt: skip
    return rows


def warning_rows(tubes: Sequence[Tube], gated: Sequence[GatedTube], fitted: Mapping[Group, FittedStrategy]) -> list[Row]:
    """Signs of each tube, then what a whole control group lacks: a step that could not be fitted, a marker without FMO."""
    rows: list[Row] = []
    for tube, one in zip(tubes, gated, strict=True):
        for sign in one.warnings:
            rows.append({**tube_columns(tube), "warning": sign.kind, "subject": sign.subject, "value": sign.value, "limit": sign.limit,
                         "sentence": sign.sentence})  # fmt: skip
    for group, one in fitted.items():
        place = {"tube": "", "donor": group[0], "plate": group[1], "day_d": group[2], "panel": group[3]}
        for step in one.steps:
            if step.gate is None and step.rule != "off":
                rows.append({**place, "warning": "no_gate", "subject": step.step, "sentence": step.sentence})
        for marker, threshold in one.thresholds.items():
            if threshold.line is None:
                sentence = f"{marker}: no threshold ({'; '.join(threshold.reasons)}); populations and stages are told without it."
                rows.append({**place, "warning": "no_threshold", "subject": marker, "sentence": sentence})
            elif threshold.reasons:
                sentence = f"{marker}: threshold by {threshold.rule} ({'; '.join(threshold.reasons)})."
                rows.append({**place, "warning": "no_FMO", "subject": marker, "sentence": sentence})
    return rows
