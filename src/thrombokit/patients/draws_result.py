"""What many draws of frozen parameters hand on: every measure by week with its interval, and where the interval comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import altair as alt
import numpy as np
import polars as pl

from thrombokit.drawing.draw_bands import draw_bands_chart
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray
from thrombokit.patients.cohort_diagnostics import CountRange
from thrombokit.patients.cohort_result import HASH_SHOWN

MEASURES = ("median count", "in range", "response", "median dose")
"""The median measured count (1e9/L), the share within the target, the share at or above its low end, the median dose."""
SHARES = ("in range", "response")
INTERVAL = (5.0, 95.0)
ALL = "all sets"


@dataclass(frozen=True, kw_only=True, slots=True)
class SetUsed:
    """A frozen set, its hash, and how many replicates were drawn from it."""

    name: str
    sha256: str
    model: str
    structure: str
    reading: str
    kind: str
    draws: int

    @property
    def words(self) -> str:
        """ "hetrombopag-itp-absolute-stopped-day-14 (9f3c2a...)"."""
        return f"{self.name} ({self.sha256[:HASH_SHOWN]})"


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawsResult(FrozenArrays):
    """Replicates of a cohort, each under a joint draw of its own with patients of its own.

    Attributes
    ----------
    sets : tuple of SetUsed
        They weigh equally.
    set_places, set_rows : int arrays of shape (draws,)
        Of each replicate: the place of its set in `sets`, and the row of that set, from 0. `seeds` are those of its patients.
    estimates, sampling : arrays of shape (draws, n_measures, n_weeks + 1)
        MEASURES of each replicate, and the variance each owes to its own patients; nan where nobody was left.
    n : int
        Patients of one replicate.
    """

    model_titles: tuple[str, ...]
    regimen: str
    titrated: bool
    population: str
    criterion: str | None
    seed: int
    n: int
    n_weeks: int
    counts_in: CountRange
    amount_unit: str
    engines: tuple[str, ...]
    stated_error: float
    sets: tuple[SetUsed, ...]
    set_places: IntArray
    set_rows: IntArray
    seeds: tuple[int, ...]
    estimates: Array
    sampling: Array
    decisions: int
    near_ties: int
    notes: tuple[str, ...] = ()

    @property
    def draws(self) -> int:
        """Replicates."""
        return self.estimates.shape[0]

    @property
    def parts(self) -> Mapping[str, BoolArray]:
        """Which replicates (draws,) belong to what is told: all sets; then each reading, or each set where all have one reading."""
        return parts_of(self.sets, self.set_places)

    def table(self) -> pl.DataFrame:
        """A row a part, measure and week.

        `part, measure, unit, week, replicates, median, low, high` (5 and 95 % over replicates), `variance` of the replicates,
        `sampling_variance` (what other patients would change under the same parameters, the mean over replicates) and
        `parameter_variance` (the rest, not below 0). Null where a replicate had nobody left.
        """
        units = self._units()
        rows = [
            {"part": part, "measure": measure, "unit": units[measure], "week": week,
             **_over_replicates(self.estimates[held, m, week], self.sampling[held, m, week])}
            for part, held in self.parts.items() for m, measure in enumerate(MEASURES) for week in range(self.n_weeks + 1)
        ]  # fmt: skip
        return pl.DataFrame(rows, schema_overrides=dict.fromkeys(_NUMBERS, pl.Float64), infer_schema_length=None)

    def replicates(self) -> pl.DataFrame:
        """A row a replicate: its set, row and seed, and every measure at the last week."""
        last = self.estimates[:, :, -1]
        columns = {
            "replicate": np.arange(self.draws), "set": [self.sets[at].name for at in self.set_places.tolist()],
            "reading": [self.sets[at].reading for at in self.set_places.tolist()], "draw": self.set_rows, "seed": list(self.seeds),
        }  # fmt: skip
        ends = {measure.replace(" ", "_"): pl.Series(last[:, m]).fill_nan(None) for m, measure in enumerate(MEASURES)}
        return pl.DataFrame({**columns, **ends})

    def summary(self) -> str:
        """The last week in words, all sets first, each reading beside; what the interval is made of."""
        end = self.table().filter(pl.col("week") == self.n_weeks)
        said = [f"{'; '.join(self.model_titles)}; {self.regimen}: {self.draws} draws of {len(self.sets)} frozen "
                f"{'set' if len(self.sets) == 1 else 'sets'}, {self.n} virtual patients each, {self.n_weeks} weeks, seed {self.seed}."]  # fmt: skip
        said += [self._said(part, end.filter(pl.col("part") == part)) for part in self.parts]
        said.append(f"Sets, of equal weight: {', '.join(one.words for one in self.sets)}.")
        said.append("Intervals hold 5 to 95 % of the draws; what no set knows of (another structure, other people) is not in them.")
        return " ".join([*said, *self.notes, "Simulated: research use only."])

    def plot(self) -> alt.TopLevelMixin:
        """Four panels over the weeks: the interval and median of all sets, and the medians of every part."""
        return draw_bands_chart(self.table(), titles=measure_titles(self.counts_in, self.amount_unit), shares=SHARES, whole=ALL,
                                caption=f"{'; '.join(self.model_titles)}; {self.regimen}; {self.draws} draws, {self.n} patients each")  # fmt: skip

    def to_dict(self) -> dict[str, object]:
        """The result as plain values, for `--json`."""
        return {
            "schema": "thrombokit.draws/1", "models": list(self.model_titles), "regimen": self.regimen, "titrated": self.titrated,
            "population": self.population, "criterion": self.criterion, "patients": self.n, "weeks": self.n_weeks, "seed": self.seed,
            "draws": self.draws, "sets": [asdict(one) for one in self.sets], "engines": list(self.engines), "stated_error": self.stated_error,
            "amount_unit": self.amount_unit, "low_1e9_per_L": self.counts_in.low, "high_1e9_per_L": self.counts_in.high,
            "interval_percent": list(INTERVAL), "decisions": self.decisions, "near_ties": self.near_ties,
            "by_week": self.table().to_dicts(), "replicates": self.replicates().to_dicts(), "notes": list(self.notes),
        }  # fmt: skip

    def _units(self) -> dict[str, str]:
        return dict(zip(MEASURES, ("1e9/L", "share", "share", self.amount_unit), strict=True))

    def _said(self, part: str, end: pl.DataFrame) -> str:
        row = {told["measure"]: told for told in end.to_dicts()}
        share, count, dose, r = row["in range"], row["median count"], row["median dose"], self.counts_in
        if share["median"] is None:
            return f"{part}: in some draws nobody is left at week {self.n_weeks}."
        of_parameters = (
            ""
            if not share["variance"]
            else f", {100 * share['parameter_variance'] / share['variance']:.0f} % of its variance from the parameters"
        )
        return (
            f"{part}: at week {self.n_weeks} {100 * share['median']:.0f} % ({100 * share['low']:.0f} to {100 * share['high']:.0f} %) at {r.low:g} to "
            f"{r.high:g} x 1e9/L{of_parameters}; median count {count['median']:.3g} ({count['low']:.3g} to {count['high']:.3g}) x 1e9/L, "
            f"median dose {dose['median']:.3g} ({dose['low']:.3g} to {dose['high']:.3g}) {self.amount_unit}."
        )


_NUMBERS = ("median", "low", "high", "variance", "sampling_variance", "parameter_variance")


def measure_titles(r: CountRange, amount_unit: str) -> dict[str, str]:
    """Measure -> title of its axis."""
    named = (
        "median count (1e9/L)",
        f"share at {r.low:g} to {r.high:g}",
        f"share at {r.low:g} or more",
        f"median dose ({amount_unit})",
    )
    return dict(zip(MEASURES, named, strict=True))


def parts_of(sets: tuple[SetUsed, ...], set_places: IntArray) -> dict[str, BoolArray]:
    """Part -> which replicates (draws,) it holds: all; then every reading, or every set where there is one reading alone."""
    parts: dict[str, BoolArray] = {ALL: np.ones(set_places.size, np.bool_)}
    readings = list(dict.fromkeys(one.reading for one in sets))
    if len(sets) > 1:
        names = [one.reading if len(readings) > 1 else one.name for one in sets]
        for name in dict.fromkeys(names):
            parts[name] = np.isin(set_places, [at for at, other in enumerate(names) if other == name])
    return parts


def _over_replicates(estimates: Array, sampling: Array) -> dict[str, object]:
    """Median, interval and variances over the replicates (n,) of one measure at one week."""
    whole = {"replicates": int(np.isfinite(estimates).sum())}
    if not np.isfinite(estimates).all():
        return {**whole, **dict.fromkeys(_NUMBERS)}
    low, high = np.percentile(estimates, INTERVAL)
    told: dict[str, object] = {**whole, "median": float(np.median(estimates)), "low": float(low), "high": float(high)}
    if estimates.size < 2 or not np.isfinite(sampling).all():
        return {**told, **dict.fromkeys(_NUMBERS[3:])}
    variance, within = float(estimates.var(ddof=1)), float(sampling.mean())
    return {**told, "variance": variance, "sampling_variance": within, "parameter_variance": max(variance - within, 0.0)}
