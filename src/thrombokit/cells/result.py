"""What the cells stage hands on: tables, warnings, gates of each control group, and small densities to draw. No event leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from thrombokit.cells.gates import GateTree
from thrombokit.cells.scales import Scale
from thrombokit.cells.strategy import FittedStrategy, Group
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, kw_only=True, eq=False)
class Density(FrozenArrays):
    """Counts of one tube's events in two dimensions, for one step of the strategy.

    `parent` is the population shown ("" = all events), `gate` the step's gate. Edges have shape (n_x + 1,) and (n_y + 1,), `counts`
    (n_x, n_y); they, and `outlines` (each (k, 2): closed polygons, or lines of two points), are on the scales `x_scale` and `y_scale` (None: plain
    values). `spans` are intervals of x that are kept (time). `shares` are fractions of the events shown, by population.
    """

    step: str
    group: Group
    tube: str
    parent: str
    gate: str
    x_name: str
    y_name: str
    x_scale: Scale | None
    y_scale: Scale | None
    x_edges: Array
    y_edges: Array
    counts: IntArray
    outlines: tuple[Array, ...] = ()
    spans: tuple[tuple[float, float], ...] = ()
    shares: dict[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        for name in ("x_edges", "y_edges"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "counts", frozen(self.counts, "int64"))
        object.__setattr__(self, "outlines", tuple(frozen(outline) for outline in self.outlines))

    @property
    def share_inside(self) -> float:
        """Fraction of the events shown that lie in the step's gate; not-a-number where the step has none."""
        return self.shares.get(self.gate, float("nan"))


@dataclass(frozen=True, kw_only=True, eq=False)
class MarkerHistogram(FrozenArrays):
    """One marker in one control group: counts of the analysed cells by kind of tube ("stained", "FMO", "unstained"), shape (n,).

    `edges` (n + 1,) and the threshold, told at the median size, with its interval are on `scale`.
    """

    group: Group
    marker: str
    channel: str
    scale: Scale
    edges: Array
    counts: dict[str, IntArray]
    rule: str
    threshold: float | None
    low: float | None
    high: float | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", frozen(self.edges))


@dataclass(frozen=True, kw_only=True, eq=False)
class CellsResult:
    """The cells stage's answer. n is donors: intervals in these tables are of counting or of controls, within one tube or group.

    Tubes are told by tube, donor, plate, day_d, panel, kind, role, agonist, concentration_nM, in this order, in every table but `thresholds`.

    populations : fully stained tubes, a row a population: population, parent, count, parent_count, percent, percent_low, percent_high
        (counting error within the tube, Clopper-Pearson), then for each marker median_ (compensated, linear), delta_ (minus the median of
        the analysed cells of the FMO tube) and rule_ (what set its threshold).
    stages : likewise, the stages only, which share out the analysed cells: stage, meaning, source, count, parent_count, percent ...
    by_ploidy : where classes were given: population, ploidy, count, percent (of the population), medians.
    thresholds : donor, plate, day_d, panel, marker, channel, rule, percentile, threshold, low, high (95 %, at the median size), large (at the
        beginning of the top decile of size), n_control, n_effective, note.
    quality : all tubes: events, removed_time, removed_debris, removed_doublets, removed_dead, analysed, time, live, particles (verdicts),
        platelet_like (count), findings.
    warnings : tube (or "" for the group), kind, subject, value, limit, sentence.
    """

    populations: pl.DataFrame
    stages: pl.DataFrame
    thresholds: pl.DataFrame
    quality: pl.DataFrame
    warnings: pl.DataFrame
    by_ploidy: pl.DataFrame
    fitted: dict[Group, FittedStrategy]
    densities: tuple[Density, ...] = ()
    histograms: tuple[MarkerHistogram, ...] = ()

    @property
    def gates(self) -> dict[Group, GateTree]:
        """The tree of each control group, without the tubes' own windows of time."""
        return {group: fitted.tree for group, fitted in self.fitted.items()}

    def table(self) -> pl.DataFrame:
        """The populations."""
        return self.populations

    def summary(self) -> str:
        """Tubes, donors, what was removed, which rules set the thresholds, and how many warnings, in plain sentences."""
        quality = self.quality
        if quality.is_empty():
            return "No tubes."
        n_donors = quality["donor"].n_unique()
        full = quality.filter(pl.col("kind") == "full")
        said = [f"{len(quality)} tubes ({len(full)} fully stained) of {n_donors} {'donor' if n_donors == 1 else 'donors'}."]
        flagged = quality.filter(~pl.col("time").is_in(["clean", "not checked"]))
        if len(flagged):
            kinds = flagged.group_by("time").len().sort("time")
            said.append("Time: " + ", ".join(f"{n} {verdict}" for verdict, n in kinds.iter_rows()) + ".")
        analysed, events = int(full["analysed"].sum()), int(full["events"].sum())
        if events:
            said.append(f"{analysed} of {events} events of the stained tubes are analysed ({100 * analysed / events:.1f} %).")
        if not self.thresholds.is_empty():
            rules = self.thresholds.group_by("rule").len().sort("len", "rule", descending=[True, False])
            said.append("Thresholds: " + ", ".join(f"{n} by {rule}" for rule, n in rules.iter_rows()) + ".")
        said.append(f"{len(self.warnings)} warnings." if len(self.warnings) else "No warnings.")
        return " ".join(said)

    def plot(self) -> alt.FacetChart:
        """Stages over dose as stacked bars (% of the analysed cells), a panel a donor.

        Raises
        ------
        InputError
            If no tube has cells in its stages.
        """
        # altair takes 0.3 s to import, which an analysis that draws nothing should not pay
        from thrombokit.cells.stage_bars import stage_bars

        return stage_bars(self.stages)
