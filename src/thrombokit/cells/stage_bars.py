"""Stages of maturation over dose, as stacked bars: a panel a donor, a bar a treatment, 100 % each."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.cells.treatments import culture_panels
from thrombokit.drawing.compositions import composition_chart
from thrombokit.drawing.theme import BLUE, GREEN, HAIRLINE, ORANGE, PURPLE, SKY_BLUE, VERMILLION, YELLOW
from thrombokit.errors import Fault, InputError

COLOURS = (SKY_BLUE, BLUE, GREEN, ORANGE, VERMILLION, PURPLE, YELLOW)
"""In the order of maturation; cells that carry no marker of the lineage are light grey."""


def stage_bars(stages: pl.DataFrame) -> alt.FacetChart:
    """Stacked bars of the stages: one panel a donor (and agonist, day and staining panel where there are several).

    Parameters
    ----------
    stages : DataFrame
        One row a tube and stage, stages from the least to the most mature: `donor, day_d, panel` (staining panel), `role, agonist,
        concentration_nM, stage, parent, percent`. Tubes of the same donor and treatment are averaged; those without cells are left out.

    Raises
    ------
    InputError
        If no tube has stages, or a tube's stages do not add up to 100 %.
    """
    known = stages.filter(pl.col("percent").is_finite()) if stages.width else stages
    if known.is_empty():
        raise InputError(
            Fault(place="stages", found="no tube with cells in its stages", expected="at least one",
                  cure="Look at the table of quality to see which gate took them.")
        )  # fmt: skip
    parts = known.partition_by("panel", maintain_order=True)
    bars = [_bars(part, several=len(parts) > 1) for part in parts]
    parents = sorted({str(name) for part in parts for name in part["parent"].unique() if name})
    return composition_chart(
        pl.concat(bars), colours=_colours(known), part_title="stage",
        share_title=f"% of {parents[0]}" if len(parents) == 1 else "% of analysed cells",
        description="Stages of maturation in percent, by donor and treatment.",
    )  # fmt: skip


def _bars(stages: pl.DataFrame, *, several: bool) -> pl.DataFrame:
    """The bars of one staining panel, whose name stands in the heading where there are several."""
    shares = culture_panels(stages.rename({"panel": "staining"}))
    means = shares.group_by("panel", "dose", "staining", part="stage", maintain_order=True).agg(
        pl.col("percent").mean(), tubes=pl.len()
    )
    named = pl.format("{}, {} panel", "panel", "staining") if several else pl.col("panel")
    return means.select(named.alias("panel"), "dose", "part", "percent", "tubes")


def _colours(stages: pl.DataFrame) -> dict[str, str]:
    names: list[str] = stages["stage"].unique(maintain_order=True).to_list()
    of_the_lineage = [name for name in names if "+" in name]
    return {name: COLOURS[of_the_lineage.index(name) % len(COLOURS)] if name in of_the_lineage else HAIRLINE for name in names}
