"""The spillover matrix from single-stain controls, with an interval for every number in it, and what it costs: spreading.

Row i of the matrix comes from the tube stained with dye i alone. Two statistics are offered:

*median*         (median of the stained tube - median of the unstained) in every detector, divided by the dye's own. What most software does; right
                 for beads, and for cells that all stain.
*grouped_slope*  the robust slope from dim to bright events of the tube itself. Right where only some cells stain (CD41 in a
                 young culture), and where stained cells and the unstained tube differ in autofluorescence.

All of this happens on decoded values: spillover adds light, and a logarithm of light does not add.

References
----------
Bagwell CB, Adams EG (1993) Fluorescence spectral overlap compensation for any number of flow cytometry parameters. Ann N Y Acad Sci
677:167-184, doi:10.1111/j.1749-6632.1993.tb38775.x.
Nguyen R, Perfetto S, Mahnke YD, Chattopadhyay P, Roederer M (2013) Quantifying spillover spreading for comparing instrument performance and
aiding in multicolor panel design. Cytometry A 83:306-315, doi:10.1002/cyto.a.22251.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import numpy as np
import polars as pl
from scipy.special import ndtri

from thrombokit.cells.sample import Sample
from thrombokit.cells.single_stains import StainedEvents, bright_events, check_controls, gather_controls
from thrombokit.cells.spillover import Spillover
from thrombokit.drawing.matrices import matrix_chart
from thrombokit.drawing.numerals import three_digits
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, frozen
from thrombokit.numerics.spillover_slopes import grouped_slope, median_ratios, medians_of

Statistic = Literal["median", "grouped_slope"]
FEWEST_DIM, FEWEST_DIM_SHARE = 200, 0.05
"""So many dim events a tube must hold for its own dim events to stand in for the unstained tube."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SpilloverFit(FrozenArrays):
    """A spillover matrix with what is known about its numbers.

    `low`, `high` (n, n): ends of the interval of every coefficient at `confidence`; the diagonal is 1 by definition. `spreading` (n, n): row dye,
    column detector, in square roots of the decoded unit; not-a-number on the diagonal. `n_events` (n,) events used of each
    stain, `n_bright` (n,) those brighter than the unstained tube, `at_top` (n,) share of events at the top of the dye's own detector.
    """

    spillover: Spillover
    low: Array
    high: Array
    spreading: Array
    n_events: Array
    n_bright: Array
    at_top: Array
    files: tuple[str, ...]
    unstained: str
    statistic: Statistic
    confidence: float
    notes: tuple[str, ...] = ()

    def table(self) -> pl.DataFrame:
        """One row for each pair of dye and detector."""
        names = self.spillover.channels
        n = len(names)
        spread = self.spreading.ravel()
        return pl.DataFrame(
            {
                "stain": [name for name in names for _ in range(n)],
                "detector": list(names) * n,
                "spillover": self.spillover.matrix.ravel(),
                "low": self.low.ravel(),
                "high": self.high.ravel(),
                "spreading": [None if math.isnan(value) else float(value) for value in spread],
            }
        )

    def summary(self) -> str:
        """A few plain sentences."""
        names, matrix = self.spillover.channels, np.array(self.spillover.matrix)
        if len(names) == 1:
            return f"One channel, {names[0]}: nothing to compensate."
        np.fill_diagonal(matrix, -np.inf)
        row, column = np.unravel_index(int(np.argmax(matrix)), matrix.shape)
        spread = np.nan_to_num(self.spreading, nan=-1.0)
        wide, into = np.unravel_index(int(np.argmax(spread)), spread.shape)
        return (
            f"{len(names)} channels from {len(self.files)} single stains ({self.statistic.replace('_', ' ')}). Largest spillover: "
            f"{names[row]} into {names[column]}, {100.0 * matrix[row, column]:.1f} % "
            f"({100.0 * self.low[row, column]:.1f} to {100.0 * self.high[row, column]:.1f}). "
            f"Largest spreading: {names[wide]} into {names[into]}, {spread[wide, into]:.3g}."
        )

    def plot(self) -> alt.FacetChart:
        """Spillover in % and spreading, as two heat maps; raises InputError where there is one channel only."""
        pairs = self.table().filter(pl.col("stain") != pl.col("detector"))
        percent = pairs.select(
            "stain", "detector", table=pl.lit("Spillover, %"), value=100.0 * pl.col("spillover"),
        )  # fmt: skip
        spread = pairs.select("stain", "detector", table=pl.lit("Spreading"), value=pl.col("spreading"))
        rows = pl.concat([percent, spread]).select("table", "value", line="stain", column="detector")
        text = [three_digits(value) for value in rows["value"]]
        return matrix_chart(
            rows.with_columns(text=pl.Series(text, dtype=pl.String)), line_title="dye", column_title="detector", value_title="value",
            description="How much of each dye shows in every other detector, and by how much it widens what that detector shows.",
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON; not-a-number becomes null."""
        return {
            "channels": list(self.spillover.channels), "matrix": self.spillover.matrix.tolist(), "low": self.low.tolist(),
            "high": self.high.tolist(),
            "spreading": [[None if math.isnan(value) else value for value in row] for row in self.spreading.tolist()],
            "statistic": self.statistic, "confidence": self.confidence, "unstained": self.unstained,
            "stains": [
                {"channel": name, "file": file, "events": int(n), "bright_events": int(bright), "share_at_top": float(top)}
                for name, file, n, bright, top in zip(
                    self.spillover.channels, self.files, self.n_events, self.n_bright, self.at_top, strict=True
                )
            ],
            "notes": list(self.notes),
        }  # fmt: skip


def compute_spillover(
    stains: Mapping[str, Sample],
    unstained: Sample,
    *,
    channels: Sequence[str] | None = None,
    statistic: Statistic = "median",
    gated: Mapping[str, BoolArray] | None = None,
) -> Spillover:
    """The spillover matrix from single-stain controls and an unstained tube; `fit_spillover` adds intervals and spreading.

    Parameters
    ----------
    stains : channel name -> Sample
        Each dye's control, under the name ($PnN) of the dye's own channel.
    unstained : Sample
    channels : sequence of str, optional
        Channels of the matrix and their order; by default those of `stains`, in the unstained file's order.
    statistic : "median" or "grouped_slope"
        See the module's head.
    gated : channel name (or "unstained") -> bool array of shape (n_events,), optional
        Which events of a control to use; by default all.

    Returns
    -------
    Spillover
        Row i is dye i, the diagonal is 1.

    Raises
    ------
    InputError
        If a control is missing, too dim, too small, cut off at the top, brightest in another detector, or was acquired with other settings
        than the unstained tube; if a dye for DNA stands on a logarithmic amplifier; if the matrix comes out singular.

    References
    ----------
    Bagwell and Adams 1993, doi:10.1111/j.1749-6632.1993.tb38775.x.
    """
    return fit_spillover(stains, unstained, channels=channels, statistic=statistic, gated=gated).spillover


def fit_spillover(
    stains: Mapping[str, Sample],
    unstained: Sample,
    *,
    channels: Sequence[str] | None = None,
    statistic: Statistic = "median",
    gated: Mapping[str, BoolArray] | None = None,
    confidence: float = 0.95,
) -> SpilloverFit:
    """The spillover matrix with intervals and spreading; parameters and faults as in `compute_spillover`.

    Intervals are of the control tubes' events (how well these events fix the number), not of repeated staining.
    """
    if statistic not in ("median", "grouped_slope"):
        raise ValueError(f"no statistic {statistic!r}: median or grouped_slope")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"a confidence of {confidence}: between 0 and 1")
    names = tuple(channels) if channels is not None else _in_file_order(stains, unstained)
    controls, blank = gather_controls(stains, unstained, names, gated or {})
    by_slope = statistic == "grouped_slope"
    check_controls(controls, blank, names, gate_bright=by_slope)
    rows = [_slope_row(control, blank) if by_slope else _median_row(control, blank) for control in controls]
    matrix, error = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    reach = float(ndtri(0.5 + 0.5 * confidence)) * error
    source = f"single stains ({', '.join(control.name for control in controls)}) and {blank.name}"
    spillover = Spillover(channels=names, matrix=matrix, source=source)
    bright = [bright_events(control, blank) for control in controls]
    return SpilloverFit(
        spillover=spillover, low=frozen(matrix - reach), high=frozen(matrix + reach),
        spreading=measure_spreading(controls, blank, spillover, only_bright=by_slope),
        n_events=frozen([control.values.shape[0] for control in controls]), n_bright=frozen([b.sum() for b in bright]),
        at_top=frozen([control.at_top[:, control.own].mean() for control in controls]),
        files=tuple(control.name for control in controls), unstained=blank.name, statistic=statistic, confidence=confidence,
        notes=_notes(controls, blank, names, spillover),
    )  # fmt: skip


def measure_spreading(
    controls: Sequence[StainedEvents], unstained: StainedEvents, spillover: Spillover, *, only_bright: bool = False
) -> Array:
    """Spillover spreading: how much wider dye i makes detector j, for each square root of its brightness; shape (n, n).

    sqrt(sd_stained^2 - sd_unstained^2) / sqrt(F_stained - F_unstained), after compensation, sd the 84th less the 50th percentile, F the
    dye's own median. Zero where the stained tube is no wider; not-a-number on the diagonal.

    References
    ----------
    Nguyen et al. 2013, doi:10.1002/cyto.a.22251 (the spillover spreading matrix).
    """
    inverse = np.linalg.inv(spillover.matrix)
    empty_middle, empty_upper = np.quantile(unstained.values @ inverse, (0.5, 0.84), axis=0)
    n = len(spillover.channels)
    spreading = np.full((n, n), np.nan)
    for control in controls:
        keep = bright_events(control, unstained) if only_bright else slice(None)
        middle, upper = np.quantile(control.values[keep] @ inverse, (0.5, 0.84), axis=0)
        wider = np.maximum((upper - middle) ** 2 - (empty_upper - empty_middle) ** 2, 0.0)
        row = np.sqrt(wider / (middle[control.own] - empty_middle[control.own]))
        row[control.own] = np.nan
        spreading[control.own] = row
    return frozen(spreading)


def _in_file_order(stains: Mapping[str, Sample], unstained: Sample) -> tuple[str, ...]:
    known = unstained.channel_names
    return tuple(sorted(stains, key=lambda name: known.index(name) if name in known else len(known)))


def _median_row(control: StainedEvents, unstained: StainedEvents) -> tuple[Array, Array]:
    return median_ratios(medians_of(control.values), medians_of(unstained.values), control.own)


def _slope_row(control: StainedEvents, unstained: StainedEvents) -> tuple[Array, Array]:
    """Slopes from the tube's own dim events to its bright ones; from the unstained tube where it has hardly any dim ones."""
    whole = ~control.at_top.any(axis=1)
    values, bright = control.values[whole], bright_events(control, unstained)[whole]
    n_dim = int((~bright).sum())
    if n_dim < FEWEST_DIM or n_dim < FEWEST_DIM_SHARE * bright.size:
        values = np.vstack([values, unstained.values])
        bright = np.concatenate([bright, np.zeros(len(unstained.values), dtype=np.bool_)])
    n = values.shape[1]
    slope, error = np.ones(n), np.zeros(n)
    for column in range(n):
        if column != control.own:
            slope[column], error[column] = grouped_slope(values[:, control.own], values[:, column], bright)
    return slope, error


def _notes(
    controls: Sequence[StainedEvents], unstained: StainedEvents, names: tuple[str, ...], spillover: Spillover
) -> tuple[str, ...]:
    notes = [
        f"{control.place}, channel {name}: {int(count)} of {control.at_top.shape[0]} events at the top of the scale."
        for control in (*controls, unstained)
        for name, count in zip(names, control.at_top.sum(axis=0), strict=True)
        if count
    ]
    low = spillover.matrix - np.eye(len(names))
    notes += [
        f"{names[row]} into {names[column]}: {spillover.matrix[row, column]:.3g} is below zero; the unstained tube was brighter there."
        for row, column in zip(*np.nonzero(low < -0.001), strict=True)
    ]
    return tuple(notes)
