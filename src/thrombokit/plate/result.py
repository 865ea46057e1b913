"""What the plate stage hands on: wells, fits, curves to draw, quality, potencies and ratios, all saved as they stand."""

from __future__ import annotations

from dataclasses import dataclass, field

import altair as alt
import polars as pl

from thrombokit.domain.estimate import Estimate
from thrombokit.domain.potency import Assay, Potency
from thrombokit.drawing.forest import forest_chart
from thrombokit.drawing.numerals import three_digits
from thrombokit.plate.forest_rows import FOREST_SCHEMA, forest_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class PotencyRatio:
    """EC50 of the comparator / EC50 of the agonist in one assay, formed within each run and combined.

    Above 1 the agonist has the lower EC50. `run_ratios` follow `runs_used`; `reason` says why `ratio` has no interval, or no value.
    `parallel` is "parallel", "not_parallel", "design_cannot_decide" or "not_compared", from the plates that hold both curves (`runs_*` count
    them); `relative_potency` is given only where the curves are parallel; `emax_ratio` is Emax of the agonist / of the comparator.
    """

    agonist: str
    comparator: str
    assay: Assay
    ratio: Estimate
    n_runs: int
    runs_used: tuple[str, ...]
    run_ratios: tuple[float, ...]
    interval: str
    reason: str
    parallel: str = "not_compared"
    runs_parallel: int = 0
    runs_not_parallel: int = 0
    runs_undecided: int = 0
    relative_potency: Estimate | None = None
    emax_ratio: Estimate | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityCheck:
    """One figure of a plate's quality.

    `status` is "pass", "warn", "fail" or "not_available"; `value` is None where it could not be formed; `reason` is a sentence.
    """

    check: str
    value: float | None
    status: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateQuality:
    """All checks of one plate; `status` is the worst of them. `suggestion` is what would mend a failed plate, or "".

    `operator` is the declared code, kept only where the study asks for it to be shown.
    """

    plate: str
    run: str
    cell_system: str
    status: str
    checks: tuple[QualityCheck, ...]
    suggestion: str = ""
    operator: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class PlateResult:
    """The plate stage's answer.

    wells : one row a well: plate, run, cell_system, well, row, column (zero-based), role, agonist, concentration_nM, signal
        (instrument units), corrected (minus blank), response_pct (see `response_unit`), excluded, reason, caveat (what
        speaks against an outlier well, else null), outlier (too far from a curve; kept in the fit).
    fits : one row a curve: plate, agonist, cell_system, run, then the FITS columns of docs/conventions.md, on blank-corrected signal, then
        bottom_pct, top_pct, emax_pct (% of the rhTPO window or of vehicle, see response_unit) and ec50_abs_nM (dose at 50 % of the rhTPO
        window), each with _low and _high.
    curves : up to 48 points a curve: plate, agonist, cell_system, run, concentration_nM, fitted_pct, low_pct, high_pct (95 % band).
    growth : with day-0 wells, one row a curve of the growth rate: plate, agonist, cell_system, run, hours, the FITS columns (bottom and top
        per day), bottom_per_d and top_per_d with _low and _high (the day-0 signal's error included), vehicle_per_d, gr50_nM, gr_max, gr_aoc,
        endpoint_ec50_nM, day0_plate, gr_message; `wells` then holds growth_rate_per_d and gr_value too.
    growth_potencies, growth_ratios : as potencies and ratios, in assays whose read-out is the growth rate. growth_notes : sentences.
    """

    wells: pl.DataFrame
    fits: pl.DataFrame
    curves: pl.DataFrame
    quality: tuple[PlateQuality, ...]
    potencies: tuple[Potency, ...]
    ratios: tuple[PotencyRatio, ...]
    response_unit: dict[str, str]
    comparator: str | None
    confidence: float
    growth: pl.DataFrame = field(default_factory=pl.DataFrame)
    growth_potencies: tuple[Potency, ...] = ()
    growth_ratios: tuple[PotencyRatio, ...] = ()
    growth_notes: tuple[str, ...] = ()

    @property
    def failed_plates(self) -> set[str]:
        """Names of the plates that failed their quality check."""
        return {q.plate for q in self.quality if q.status == "fail"}

    def summary(self) -> str:
        """How many plates, how many failed, and each combined EC50, in plain sentences."""
        failed = self.failed_plates
        said = [f"{len(self.quality)} plates, {len(failed)} failed their quality check." if self.quality else "No plates."]
        for p in self.potencies:
            value = p.ec50_nM
            if value.estimate is not None and value.low is not None and value.high is not None:
                ends = f"{three_digits(value.low)} to {three_digits(value.high)} nM"
                said.append(f"{p.agonist} ({p.assay.label()}): EC50 {three_digits(value.estimate)} nM ({ends}, {p.n_runs} runs).")
            else:
                values = ", ".join(three_digits(v) for v in p.run_ec50_nM)
                said.append(
                    f"{p.agonist} ({p.assay.label()}): " + (f"EC50 by run {values} nM." if values else f"no EC50 ({p.verdict}).")
                )
        return " ".join(said)

    def plot(self) -> alt.FacetChart:
        """EC50 of every run and over runs, as a forest plot (nM, log axis).

        Raises
        ------
        InputError
            If no curve has an EC50.
        """
        rows = forest_rows(self.potencies, self.fits, self.failed_plates)
        return forest_chart(
            pl.DataFrame(rows, schema=FOREST_SCHEMA), description="EC50 of every run with its interval, and over runs, in nM."
        )

    def table(self) -> pl.DataFrame:
        """One row per potency; concentrations in nM."""
        rows = [
            {
                "agonist": p.agonist, "assay": p.assay.label(), "ec50_nM": p.ec50_nM.estimate, "ec50_low_nM": p.ec50_nM.low,
                "ec50_high_nM": p.ec50_nM.high, "n_runs": p.n_runs, "verdict": p.verdict, "interval": p.interval,
            }
            for p in self.potencies
        ]  # fmt: skip
        return pl.DataFrame(rows, infer_schema_length=None)
