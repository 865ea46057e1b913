"""From fitted DNA histograms to their pictures: components, classes over dose, small multiples of a plate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from thrombokit.cells.treatments import culture_panels, treatment_words
from thrombokit.cells.tube_ploidy import TubePloidy
from thrombokit.domain.ploidy import CLASSES, Ploidy
from thrombokit.drawing.compositions import composition_chart
from thrombokit.drawing.ploidy import COMPONENTS, PloidyPanel, ploidy_chart, ploidy_plate_chart
from thrombokit.report.charts import Figure

MOST_HISTOGRAMS, MOST_MULTIPLES = 6, 96
LEAST_EVENTS = 0.5
"""A part of the model that expects fewer events in the whole picture is not drawn."""
VERDICT_WORDS = {
    "fit": "", "octave_assumed": "octave assumed", "too_few_cells": "too few cells", "no_2n_peak": "no 2N peak", "saturated": "saturated",
    "display_transformed": "display-transformed",
}  # fmt: skip


def treatment_of(tube: TubePloidy) -> str:
    """ "vehicle", "hetrombopag 3 nM"."""
    return treatment_words(tube.role, tube.agonist, tube.concentration_nM)


def ploidy_figures(tubes: Sequence[TubePloidy]) -> list[Figure]:
    """All pictures of ploidy: histograms of the telling tubes, classes over dose, small multiples; fewer where there is less."""
    found = (_histogram_figure(tubes), _class_figure(tubes), _multiples_figure(tubes))
    return [figure for figure in found if figure is not None]


def ploidy_panel(tube: TubePloidy, *, heading: str) -> PloidyPanel | None:
    """One tube's histogram for drawing; None where it has no histogram above zero."""
    histogram = tube.ploidy.histogram
    if histogram is None:
        return None
    # the lowest and highest bin may be open at infinity; they have no width to be drawn in
    left, right = histogram.edges[:-1], histogram.edges[1:]
    kept = np.flatnonzero((left > 0) & np.isfinite(left) & np.isfinite(right) & (left >= _lowest(tube.ploidy.g1_peak)))
    if kept.size < 2:
        return None
    span = slice(int(kept[0]), int(kept[-1]) + 1)
    parts = zip(histogram.names, histogram.curves, strict=True)
    components = {_component(name): curve[span] for name, curve in parts if curve[span].sum() >= LEAST_EVENTS}
    return PloidyPanel(
        heading=heading,
        edges=histogram.edges[span.start : span.stop + 1],
        counts=np.rint(histogram.counts[span]).astype(np.int64),
        components=components if tube.ploidy.is_known else {},
        class_signals=class_signals(tube.ploidy),
        x_title="DNA signal, log scale",
    )


def class_signals(ploidy: Ploidy) -> dict[str, float]:
    """Where each class has its peak, in the signal's units: g1 x (o + (1 - o) 2^(k p)); none where 2N is not known."""
    if not np.isfinite(ploidy.g1_peak):
        return {}
    exponent = ploidy.exponent if np.isfinite(ploidy.exponent) else 1.0
    offset = ploidy.offset if np.isfinite(ploidy.offset) else 0.0
    return {name: float(ploidy.g1_peak * (offset + (1 - offset) * 2.0 ** (k * exponent))) for k, name in enumerate(CLASSES)}


def telling_tubes(tubes: Sequence[TubePloidy]) -> list[TubePloidy]:
    """Per donor the vehicle tube, the highest dose and the positive control, first of each; at most six in all, every donor first."""
    donors = list(dict.fromkeys(tube.donor for tube in tubes))
    wanted: list[TubePloidy] = []
    for role in ("vehicle", "sample", "positive_control", "untreated"):
        for donor in donors:
            mine = [tube for tube in tubes if tube.donor == donor and tube.role == role and tube.ploidy.histogram is not None]
            if mine and len(wanted) < MOST_HISTOGRAMS:
                wanted.append(max(mine, key=lambda tube: tube.concentration_nM or 0.0))
    return sorted(wanted, key=lambda tube: donors.index(tube.donor))


def _lowest(g1_peak: float) -> float:
    """The picture starts at a quarter of 2N: debris below it would take half of a logarithmic axis."""
    return g1_peak / 4 if np.isfinite(g1_peak) else 0.0


def _component(name: str) -> str:
    return {"s_phase": "S phase", "S": "S phase"}.get(name, name)


def _histogram_figure(tubes: Sequence[TubePloidy]) -> Figure | None:
    chosen = telling_tubes(tubes)
    panels = [panel for tube in chosen if (panel := ploidy_panel(tube, heading=_heading(tube))) is not None]
    if not panels:
        return None
    names = ", ".join(tube.tube for tube in chosen)
    chart = ploidy_chart(panels, description=f"DNA histograms of {names} with the parts of the fit and its residuals.")
    caption = (
        "Grey: events; colours: what the model takes the histogram apart into; black line: their sum; below: what is left over, in "
    )
    caption += (
        "standard deviations of a bin. Both axes are not linear: the signal is logarithmic, events are on a square-root axis."
    )
    return Figure(key="ploidy-histograms", heading="DNA histograms", caption=caption, chart=chart)


def _heading(tube: TubePloidy) -> str:
    said = VERDICT_WORDS.get(tube.ploidy.verdict, tube.ploidy.verdict)
    day = [f"day {tube.day_d:g}"] if tube.day_d is not None else []
    first = " · ".join(part for part in (tube.donor, treatment_of(tube), *day, said) if part)
    return f"{first}\n{tube.tube}"


def _class_figure(tubes: Sequence[TubePloidy]) -> Figure | None:
    known = [tube for tube in tubes if tube.ploidy.is_known]
    if not known:
        return None
    rows = [
        {"tube": t.tube, "donor": t.donor, "day_d": t.day_d, "role": t.role, "agonist": t.agonist, "concentration_nM": t.concentration_nM,
         "part": name, "percent": 100.0 * float(share)}
        for t in known
        for name, share in zip(CLASSES, t.ploidy.fractions, strict=True)
    ]  # fmt: skip
    frame = culture_panels(pl.DataFrame(rows, schema_overrides={"day_d": pl.Float64, "concentration_nM": pl.Float64}))
    shares = frame.group_by("panel", "dose", "part", maintain_order=True).agg(pl.col("percent").mean(), tubes=pl.len())
    colours = {name: COMPONENTS[name] for name in CLASSES}
    chart = composition_chart(shares, colours=colours, share_title="% of megakaryocytes", part_title="ploidy",
                              description="Share of megakaryocytes in each ploidy class, by donor and dose.")  # fmt: skip
    caption = "Each bar is 100 % of the megakaryocytes of a treatment; tubes of the same donor and treatment are averaged. 64N: and above."
    return Figure(key="ploidy-classes", heading="Ploidy classes over dose", caption=caption, chart=chart)


def _multiples_figure(tubes: Sequence[TubePloidy]) -> Figure | None:
    panels = [panel for tube in tubes[:MOST_MULTIPLES] if (panel := ploidy_panel(tube, heading=tube.tube)) is not None]
    if len(panels) <= MOST_HISTOGRAMS:
        return None
    chart = ploidy_plate_chart(panels, description=f"DNA histograms of {len(panels)} tubes with the fitted line.")
    left = f" The first {MOST_MULTIPLES} of {len(tubes)} tubes." if len(tubes) > MOST_MULTIPLES else ""
    caption = f"Events (grey) and fit (line) of every tube; axes as in the figure above, each tube to its own height.{left}"
    return Figure(key="ploidy-tubes", heading="DNA histograms, tube by tube", caption=caption, chart=chart)
