"""Regimens beside one another under many joint draws of frozen parameters: how sure a difference is, given what is not known of the model.

Within a replicate every regimen meets the same patients under the same draw; the interval over replicates is of parameters and patients together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import altair as alt
import numpy as np
import polars as pl

from thrombokit.drawing.regimen_differences import regimen_chart
from thrombokit.numerics.arrays import Array, FrozenArrays, IntArray, frozen
from thrombokit.patients.cohort import Cohort
from thrombokit.patients.cohort_diagnostics import CountRange
from thrombokit.patients.compare_regimens import compare_cohorts
from thrombokit.patients.drawn_cohort import DrawnModel, given_instead, simulate_drawn_cohort
from thrombokit.patients.draws_result import ALL, INTERVAL, SetUsed, parts_of
from thrombokit.patients.fixed_dose import FixedDose
from thrombokit.patients.simulate_draws import DRAWS, Replicate, choose_replicates, sets_used
from thrombokit.patients.titration import Titration
from thrombokit.scale.engine import Engine, SerialEngine, make_engine


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawsComparison(FrozenArrays):
    """Measures of every regimen over replicates; `reference` is the regimen the others are compared with.

    Attributes
    ----------
    values, differences : arrays of shape (draws, n_regimens, n_measures)
        Of each replicate, in the order of `regimens` and `measures`; differences from the reference, nan for itself.
    n : int
        Patients of one replicate.
    """

    title: str
    regimens: tuple[str, ...]
    reference: str
    measures: tuple[str, ...]
    units: tuple[str, ...]
    n: int
    n_weeks: int
    seed: int
    counts_in: CountRange
    sets: tuple[SetUsed, ...]
    set_places: IntArray
    values: Array
    differences: Array
    notes: tuple[str, ...] = ()

    @property
    def draws(self) -> int:
        """Replicates."""
        return self.values.shape[0]

    def table(self) -> pl.DataFrame:
        """A row a part, regimen and measure.

        `part, regimen, measure, unit, value, low, high, difference, difference_low, difference_high, above_reference`: medians and 5 to 95 %
        over replicates, and the share of replicates in which the regimen is above the reference.
        """
        parts = parts_of(self.sets, self.set_places)
        rows = [
            {"part": part, "regimen": regimen, "measure": measure, "unit": self.units[m], **_told(self.values[held, k, m], ""),
             **_told(self.differences[held, k, m], "difference_")}
            for part, held in parts.items() for k, regimen in enumerate(self.regimens) for m, measure in enumerate(self.measures)
        ]  # fmt: skip
        return (
            pl.DataFrame(rows, infer_schema_length=None)
            .rename({"difference_value": "difference", "difference_above": "above_reference"})
            .drop("above")
        )

    def summary(self) -> str:
        """Time in range of every regimen, and its difference from the reference, over all sets."""
        r = self.counts_in
        said = [f"{self.title}: {len(self.regimens)} regimens in the same {self.n} virtual patients under each of {self.draws} draws, {self.n_weeks} "
                f"weeks, seed {self.seed}. Range {r.low:g} to {r.high:g}, limit {r.above:g} x 1e9/L."]  # fmt: skip
        whole = self.table().filter((pl.col("part") == ALL) & (pl.col("measure") == "time in range"))
        for row in whole.to_dicts():
            text = f"{row['regimen']}: {row['value']:.0f} % of the weeks in range ({row['low']:.0f} to {row['high']:.0f})"
            if row["difference"] is not None:
                text += (
                    f", {row['difference']:+.1f} points from {self.reference} ({row['difference_low']:+.1f} to {row['difference_high']:+.1f}), "
                    f"above it in {100 * row['above_reference']:.0f} % of the draws"
                )
            said.append(f"{text}.")
        said.append(f"Sets, of equal weight: {', '.join(one.words for one in self.sets)}. Intervals hold 5 to 95 % of the draws.")
        return " ".join([*said, *self.notes, "Simulated: research use only."])

    def to_dict(self) -> dict[str, object]:
        """The result as plain values, for `--json`."""
        return {
            "schema": "thrombokit.regimen-draws/1", "title": self.title, "reference": self.reference, "regimens": list(self.regimens),
            "patients": self.n, "weeks": self.n_weeks, "seed": self.seed, "draws": self.draws, "sets": [asdict(one) for one in self.sets],
            "low_1e9_per_L": self.counts_in.low, "high_1e9_per_L": self.counts_in.high, "above_1e9_per_L": self.counts_in.above,
            "interval_percent": list(INTERVAL), "measures": self.table().to_dicts(), "notes": list(self.notes),
        }  # fmt: skip

    def plot(self) -> alt.TopLevelMixin:
        """Every measure that is not 0 everywhere in a panel, a regimen a row, with intervals over the draws of all sets."""
        shown = self.table().filter(pl.col("part") == ALL).filter((pl.col("high") > 0.0).any().over("measure"))
        return regimen_chart(shown, regimens=self.regimens, caption=f"{self.title}; the same {self.n} virtual patients under each regimen, "
                             f"{self.n_weeks} weeks, simulated. Bars: 5 to 95 % of {self.draws} draws of frozen parameters.")  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class _Job:
    models: tuple[DrawnModel, ...]
    regimens: Mapping[str, Titration | FixedDose]
    reference: str | None
    cohort: Cohort
    weeks: int
    counts_in: CountRange
    replicates: tuple[Replicate, ...]


def compare_draws(
    models: Sequence[DrawnModel], regimens: Mapping[str, Titration | FixedDose], cohort: Cohort, *, draws: int = DRAWS, seed: int,
    weeks: int = 52, workers: int = 1, engine: Engine | None = None, reference: str | None = None, counts_in: CountRange | None = None,
    progress: Callable[[int], None] | None = None,
) -> DrawsComparison:  # fmt: skip
    """Every regimen in the same patients, under many draws of one or more frozen sets.

    Parameters
    ----------
    models, cohort, draws, seed, weeks, workers, engine, counts_in, progress
        As in `simulate_draws`.
    regimens : mapping of str to Titration or FixedDose
        Two or more, by their labels.
    reference : str, optional
        The regimen the others are compared with; the first by default.

    Raises
    ------
    InputError
        What does not go together in sets, models, regimens and cohort.
    SimulationError
        If a patient could not be drawn or run to the end.
    """
    replicates, r = choose_replicates(models, draws, seed=seed), counts_in or CountRange()
    job = _Job(
        models=tuple(models),
        regimens=dict(regimens),
        reference=reference,
        cohort=cohort,
        weeks=weeks,
        counts_in=r,
        replicates=replicates,
    )
    tables = [
        one
        for part in (engine or make_engine(workers)).map_ranges(_run_range, job, draws, chunk=1, progress=progress)
        for one in part
    ]
    first, names = tables[0], list(regimens)
    n_measures = first.height // len(names)
    shape = (draws, len(names), n_measures)
    own = given_instead(cohort)
    return DrawsComparison(
        title="; ".join(dict.fromkeys(one.model.title or one.model.file for one in models)), regimens=tuple(names), reference=reference or names[0],
        measures=tuple(first["measure"][:n_measures]), units=tuple(first["unit"][:n_measures]), n=cohort.n, n_weeks=weeks, seed=seed, counts_in=r,
        sets=sets_used(models, replicates), set_places=frozen([one.at for one in replicates], np.int64),
        values=frozen(np.stack([table["value"].to_numpy() for table in tables]).reshape(shape)),
        differences=frozen(np.stack([table["difference"].fill_null(np.nan).to_numpy() for table in tables]).reshape(shape)),
        notes=(f"Of the cohort, not of the draws: {', '.join(own)}.",) if own else (),
    )  # fmt: skip


def _run_range(job: _Job, start: int, stop: int) -> list[pl.DataFrame]:
    """The comparison of each replicate, as its table."""
    found: list[pl.DataFrame] = []
    for one in job.replicates[start:stop]:
        cohorts = {
            name: simulate_drawn_cohort(
                job.models[one.at], one.draw, regimen, job.cohort, seed=one.seed, weeks=job.weeks, engine=SerialEngine()
            )
            for name, regimen in job.regimens.items()
        }
        found.append(compare_cohorts(cohorts, reference=job.reference, counts_in=job.counts_in).table())
    return found


def _told(values: Array, prefix: str) -> dict[str, float | None]:
    """Median, interval, and share above 0 of the replicates; null where there is nothing to tell."""
    if not np.isfinite(values).all():
        return {f"{prefix}{name}": None for name in ("value", "low", "high", "above")}
    low, high = np.percentile(values, INTERVAL)
    return {f"{prefix}value": float(np.median(values)), f"{prefix}low": float(low), f"{prefix}high": float(high),
            f"{prefix}above": float((values > 0.0).mean())}  # fmt: skip
