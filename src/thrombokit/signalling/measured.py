"""Measured phosphorylation: time courses and dose series by phospho-flow, HTRF or densitometry, on one scale for each run.

A signal is the value over its normaliser (total protein, loading control) where there is one. Within one assay, analyte and run 0 % is the
mean of the vehicle, or of time 0 where there is none, and 100 % the highest mean of all treatments: a scale of that run alone, since
arbitrary units of two runs have nothing in common. Where there is neither vehicle nor time 0, or nothing rises above it, there is no such
scale, and the run says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

GROUP = ("assay", "analyte", "run")
"""What shares one scale."""
POINT = ("agonist", "concentration_nM", "time_min")
SCHEMA: dict[str, type[pl.DataType]] = {
    "assay": pl.String, "analyte": pl.String, "agonist": pl.String, "concentration_nM": pl.Float64, "time_min": pl.Float64,
    "value": pl.Float64, "normaliser": pl.Float64, "replicate": pl.String, "run": pl.String,
}  # fmt: skip
"""Columns of a table of measurements; `agonist` is "" for the vehicle, `normaliser` null for none."""
OBSERVED: Mapping[str, tuple[str, ...]] = {
    "pSTAT5": ("STAT5_p", "STAT5_nuclear"), "pERK": ("ERK_p",), "pAKT": ("AKT_p",), "pJAK2": ("JAK2_p",), "pMEK": ("MEK_p",),
}  # fmt: skip
"""Analyte -> species of the built-in model whose amounts add up to it."""
NO_ZERO, NO_RISE = "no vehicle and no time 0", "nothing rises above the vehicle"


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredSignals:
    """Measurements with their scale.

    `points` has the columns of `SCHEMA`, `signal` (value over normaliser) and `response_pct` (null where the run has no scale); `scales` one
    row a scale: `assay, analyte, run, zero, top, n, verdict`.
    """

    points: pl.DataFrame
    scales: pl.DataFrame

    @property
    def runs(self) -> tuple[str, ...]:
        """Runs or donors, in the order of the file."""
        return tuple(self.points["run"].unique(maintain_order=True).to_list())

    def table(self) -> pl.DataFrame:
        """One row a measurement."""
        return self.points

    def means(self) -> pl.DataFrame:
        """Mean of each run over its replicates, then over runs: `assay, analyte, agonist, concentration_nM, time_min, response_pct, n_runs`."""
        own = self.points.filter(pl.col("response_pct").is_not_null())
        of_run = own.group_by(*GROUP, *POINT, maintain_order=True).agg(pl.col("response_pct").mean())
        return of_run.group_by("assay", "analyte", *POINT, maintain_order=True).agg(
            pl.col("response_pct").mean(), pl.col("response_pct").std(ddof=1).alias("sd_pct"), pl.len().alias("n_runs")
        )

    def summary(self) -> str:
        """How much there is, and which runs have no scale."""
        analytes = ", ".join(self.points["analyte"].unique(maintain_order=True).to_list())
        said = f"{self.points.height} measurements of {analytes} in {len(self.runs)} run{'' if len(self.runs) == 1 else 's'}."
        without = self.scales.filter(pl.col("verdict") != "scaled")
        told = [
            f"{row['analyte']} by {row['assay']} in run {row['run']} has no scale: {row['verdict']}." for row in without.to_dicts()
        ]
        return " ".join([said, *told])


def normalise_signals(table: pl.DataFrame) -> MeasuredSignals:
    """Signals, and their response in % of each run's own range.

    Parameters
    ----------
    table : DataFrame
        Columns of `SCHEMA`.
    """
    signal = pl.when(pl.col("normaliser").is_not_null()).then(pl.col("value") / pl.col("normaliser")).otherwise(pl.col("value"))
    points = table.select(*SCHEMA).cast(dict(SCHEMA)).with_columns(signal=signal)  # pyright: ignore[reportArgumentType]
    rows = [_scale(name, group) for name, group in points.group_by(*GROUP, maintain_order=True)]
    scales = pl.DataFrame(rows, schema={**dict.fromkeys(GROUP, pl.String), "zero": pl.Float64, "top": pl.Float64, "n": pl.Int64,
                                        "verdict": pl.String})  # fmt: skip
    scaled = scales.filter(pl.col("verdict") == "scaled").select(*GROUP, "zero", "top")
    response = 100.0 * (pl.col("signal") - pl.col("zero")) / (pl.col("top") - pl.col("zero"))
    joined = points.join(scaled, on=list(GROUP), how="left", maintain_order="left")
    return MeasuredSignals(points=joined.with_columns(response_pct=response).drop("zero", "top"), scales=scales)


def _scale(name: tuple[object, ...], group: pl.DataFrame) -> dict[str, object]:
    row: dict[str, object] = {
        **dict(zip(GROUP, name, strict=True)),
        "zero": None,
        "top": None,
        "n": group.height,
        "verdict": "scaled",
    }
    vehicle = group.filter(pl.col("concentration_nM") == 0.0)
    resting = vehicle if not vehicle.is_empty() else group.filter(pl.col("time_min") == 0.0)
    if resting.is_empty():
        return row | {"verdict": NO_ZERO}
    zero = float(resting["signal"].to_numpy().mean())
    means = group.group_by(*POINT, maintain_order=True).agg(pl.col("signal").mean())["signal"].to_numpy()
    top = float(means.max())
    return row | {"zero": zero, "top": top, "verdict": "scaled" if top > zero else NO_RISE}
