"""What a cohort hands on: counts, doses and decisions of every virtual patient, and how they were computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import altair as alt
import numpy as np
import polars as pl

from thrombokit.drawing.percentile_bands import percentile_band_chart
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray
from thrombokit.patients.ledger import Ledger

PERCENTILES = (5.0, 25.0, 50.0, 75.0, 95.0)
"""What a band shows: 90 % and 50 % of the patients, and the median."""
HASH_SHOWN = 12
"""Characters of a parameter set's hash that name it in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnFrom:
    """The frozen draw that a cohort was run under: its set, the set's hash, and the row (from 0)."""

    parameters: str
    sha256: str
    draw: int
    structure: str
    reading: str
    kind: str

    @property
    def words(self) -> str:
        """ "draw 7 of hetrombopag-itp-absolute-stopped-day-14 (1a2b3c4d)"."""
        return f"draw {self.draw} of {self.parameters} ({self.sha256[:HASH_SHOWN]})"


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortResult(FrozenArrays):
    """Virtual patients, one a row, at weeks 0 to `n_weeks`.

    Attributes
    ----------
    counts, measured : arrays of shape (n, n_weeks + 1)
        The count in the blood, with fluctuation and rescue where the cohort has them, and what the assay reads, 1e9/L; nan once a patient has
        left.
    doses_mg : array of shape (n, n_weeks + 1)
        Dose in force once the week's visit has decided, for one administration, in `amount_unit`; 0 while held, stopped or after leaving.
    taken_mg : array of shape (n, n_weeks)
        Amount taken in each week.
    rescued, rescue_given, dropped_out : bool arrays of shape (n, n_weeks + 1)
        Within the exclusion window of a rescue; rescued on that day; left by then.
    ledger : Ledger
        Every decision of the titration, holds and keeps included; ID is the patient's number, from 1.
    engine, stated_error : str, float
        "quadrature", "exact-pk" or "ode", and the relative error of a count. `quadrature_error` is the largest estimate of its own.
    baseline, draws : arrays of shape (n,)
        The model's count before treatment, and how often each patient was drawn until the `criterion` was met.
    remission_d : array of shape (n,)
        Day of a lasting remission, inf where there is none.
    drawn_from : DrawnFrom or None
        The draw of frozen parameters; None: the model file's own values.
    inputs : array of shape (n, n_inputs)
        Parameters, random effects, classes and covariates under `input_names`.
    outputs : array of shape (n, n_times, n_outputs)
        The model's outputs at `outputs_h`, without fluctuation, rescue or error.
    """

    model_file: str
    model_title: str
    model_hash: str
    regimen: str
    titrated: bool
    population: str
    criterion: str | None
    seed: int
    engine: str
    stated_error: float
    quadrature_error: float
    amount_unit: str
    signal: str
    counts: Array
    measured: Array
    doses_mg: Array
    taken_mg: Array
    rescued: BoolArray
    rescue_given: BoolArray
    dropped_out: BoolArray
    ledger: Ledger
    baseline: Array
    draws: IntArray
    remission_d: Array
    inputs: Array
    input_names: tuple[str, ...]
    outputs: Array
    outputs_h: Array
    output_names: tuple[str, ...]
    class_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    notes: tuple[str, ...] = ()
    drawn_from: DrawnFrom | None = None

    @property
    def n(self) -> int:
        """Patients."""
        return self.counts.shape[0]

    @property
    def n_weeks(self) -> int:
        """Weeks followed."""
        return self.counts.shape[1] - 1

    @property
    def patients(self) -> pl.DataFrame:
        """One row a patient: `patient, baseline_1e9_per_L, draws`, then all that differs between patients, under its name; classes in words."""
        columns: dict[str, pl.Series] = {
            "patient": pl.Series(np.arange(1, self.n + 1)), "baseline_1e9_per_L": pl.Series(self.baseline), "draws": pl.Series(self.draws),
        }  # fmt: skip
        if np.isfinite(self.remission_d).any():
            columns["remission_d"] = pl.Series(
                [day if np.isfinite(day) else None for day in self.remission_d.tolist()], dtype=pl.Float64
            )
        for k, name in enumerate(self.input_names):
            values = self.inputs[:, k]
            if name in self.class_labels:
                columns[name] = pl.Series([self.class_labels[name][int(value) - 1] for value in values], dtype=pl.String)
            elif self.n == 1 or (values != values[0]).any():
                columns[name] = pl.Series(values)
        return pl.DataFrame(columns)

    def near_ties(self) -> Ledger:
        """Decisions whose count is nearer to a threshold than the engine's stated error: there rounding decides."""
        return self.ledger.near_ties(self.stated_error)

    def table(self) -> pl.DataFrame:
        """One row a patient and week: `patient, week, count_1e9_per_L, measured_1e9_per_L, dose, taken, rescued, dropped_out`.

        `dose` and `taken` (in the week that begins) in the amount unit of the model; `taken` is null at the last week.
        """
        n, weeks = self.counts.shape
        taken = np.concatenate([self.taken_mg, np.full((n, 1), np.nan)], axis=1)
        unit = self.amount_unit.replace("/", "_per_")
        return pl.DataFrame(
            {
                "patient": np.repeat(np.arange(1, n + 1), weeks), "week": np.tile(np.arange(weeks), n),
                "count_1e9_per_L": self.counts.ravel(),
                "measured_1e9_per_L": pl.Series(self.measured.ravel()).fill_nan(None), f"dose_{unit}": self.doses_mg.ravel(),
                f"taken_{unit}": pl.Series(taken.ravel()).fill_nan(None), "rescued": self.rescued.ravel(),
                "dropped_out": self.dropped_out.ravel(),
            }
        )  # fmt: skip

    def percentiles(self, levels: tuple[float, ...] = PERCENTILES) -> pl.DataFrame:
        """Percentiles of the measured counts at each week, over those still there: `week, patients, p5, p25, ...` (1e9/L)."""
        rows: list[dict[str, float | None]] = []
        for week in range(self.n_weeks + 1):
            seen = self.measured[~np.isnan(self.measured[:, week]), week]
            values = np.percentile(seen, levels) if seen.size else np.full(len(levels), np.nan)
            named = {f"p{level:g}": None if np.isnan(value) else float(value) for level, value in zip(levels, values, strict=True)}
            rows.append({"week": week, "patients": seen.size, **named})
        return pl.DataFrame(rows)

    def summary(self) -> str:
        """Who was simulated under what, by which engine, the counts at the end, and what else happened."""
        included = f", {self.signal} {self.criterion} before treatment" if self.criterion else ""
        end = self.measured[~np.isnan(self.measured[:, -1]), -1]
        said = [
            f"{self.n} virtual patients ({self.population}{included}) of {self.model_title}, {self.regimen}, {self.n_weeks} weeks, "
            f"seed {self.seed}.",
            f"Engine {self.engine}, relative error of a count at most {self.stated_error:.0e}.",
        ]
        if self.criterion:
            said.append(f"{self.draws.mean():.2f} draws a patient until the criterion was met, at most {self.draws.max()}.")
        if end.size:
            low, middle, high = np.percentile(end, (5.0, 50.0, 95.0))
            said.append(
                f"Measured count at week {self.n_weeks}: median {middle:.3g}, 5 to 95 % {low:.3g} to {high:.3g} x 1e9/L (n = {end.size})."
            )
        said += self._events()
        return " ".join([*said, *self.notes, "Simulated: research use only."])

    def plot(self) -> alt.TopLevelMixin:
        """Measured counts over the weeks: median, and the bands that hold 50 and 90 % of the patients."""
        bands = self.percentiles()
        shown = bands.filter(pl.col("patients") > 0)
        levels = {name: shown[name].to_numpy() for name in shown.columns if name.startswith("p") and name != "patients"}
        return percentile_band_chart(
            time=shown["week"].to_numpy().astype(np.float64), bands=((levels["p5"], levels["p95"], "5 to 95 %"),
            (levels["p25"], levels["p75"], "25 to 75 %")), middle=levels["p50"], time_title="week", value_title="platelets (1e9/L)",
            caption=f"{self.model_title}; {self.regimen}; {self.n} virtual patients, simulated",
        )  # fmt: skip

    def to_dict(self) -> dict[str, object]:
        """The result as plain values, for `--json`; single patients are in the tables."""
        return {
            "schema": "thrombokit.cohort/1", "model": self.model_file, "model_title": self.model_title, "model_hash": self.model_hash,
            "regimen": self.regimen, "titrated": self.titrated, "population": self.population, "criterion": self.criterion,
            "patients": self.n, "weeks": self.n_weeks, "seed": self.seed, "engine": self.engine, "stated_error": self.stated_error,
            "amount_unit": self.amount_unit, "draws_per_patient": float(self.draws.mean()), "percentiles": self.percentiles().to_dicts(),
            "decisions": len(self.ledger), "near_ties": self.near_ties().table().to_dicts(),
            "rescued_patients": int(self.rescue_given.any(axis=1).sum()), "dropped_out": int(self.dropped_out[:, -1].sum()),
            "parameters": asdict(self.drawn_from) if self.drawn_from is not None else None,
            "remissions": int((self.remission_d <= 7.0 * self.n_weeks).sum()), "notes": list(self.notes),
        }  # fmt: skip

    def _events(self) -> list[str]:
        said: list[str] = []
        if self.titrated:
            said.append(
                f"{len(self.ledger)} decisions, {len(self.ledger.changes())} changed a dose, {len(self.near_ties())} near ties."
            )
        if self.rescue_given.any():
            said.append(
                f"{int(self.rescue_given.any(axis=1).sum())} patients were rescued, {int(self.rescue_given.sum())} times in all."
            )
        remissions = int((self.remission_d <= 7.0 * self.n_weeks).sum())
        if remissions:
            said.append(f"{remissions} went into lasting remission.")
        if self.dropped_out[:, -1].any():
            said.append(f"{int(self.dropped_out[:, -1].sum())} left before the end.")
        return said
