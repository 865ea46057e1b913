"""Dose-response of populations: every donor's curve, and what the donors say together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from thrombokit.cells.donor_potencies import DonorPotency
from thrombokit.domain.estimate import Estimate
from thrombokit.drawing.numerals import three_digits

if TYPE_CHECKING:
    import altair as alt

_INTERVALS = {"t_over_donors": "t over {n} donors", "mixed_model": "mixed model over {n} donors"}


@dataclass(frozen=True, kw_only=True, eq=False)
class PopulationResult:
    """What `analyse_population_response` answers.

    curves : one row a donor's curve: donor, agonist, population, day_d, panel, response_unit ("percent" or "yield"), then the FITS columns
        (docs/conventions.md; bottom and top in the response's own unit), `scatter`: rho within a well (percent) or CV between wells.
    points : one row a well as fitted: donor, agonist, population, day_d, panel, plate, tube, role, concentration_nM, response, fitted, weight
        (1 / variance on the fitted scale: percent, or ln yield).
    lines : up to 48 points a curve: donor, agonist, population, day_d, panel, concentration_nM, fitted, low, high (95 % band).
    controls : mean of every single-dose control by donor: role, agonist, concentration_nM, donor, population, day_d, panel, n_wells, mean.
    combined : one row an agonist, population, day and panel; see `DonorPotency` for the words. potencies : the same as values.
    """

    curves: pl.DataFrame
    points: pl.DataFrame
    lines: pl.DataFrame
    controls: pl.DataFrame
    combined: pl.DataFrame
    potencies: tuple[DonorPotency, ...]
    comparator: str | None
    confidence: float

    def table(self) -> pl.DataFrame:
        """`combined`: one row an agonist, population, day and panel; EC50 in nM."""
        return self.combined

    def summary(self) -> str:
        """One or two plain sentences for each agonist and population."""
        return " ".join(potency_sentence(each, self.confidence) for each in self.potencies)

    def plot(self) -> alt.FacetChart:
        """EC50 of every donor and over donors, as a forest plot (nM, log axis).

        Raises
        ------
        InputError
            If no donor has an EC50.
        """
        # altair takes 0.3 s to import, which an analysis that draws nothing should not pay
        from thrombokit.drawing.forest import forest_chart

        shared = {"assay": _assay(), "agonist": pl.col("agonist"), "ec50_nM": pl.col("ec50_nM")}
        ends = {"ec50_low_nM": pl.col("ec50_low_nM"), "ec50_high_nM": pl.col("ec50_high_nM")}
        known = pl.col("ec50_nM").is_not_null()
        donors = self.curves.filter(known).select(**shared, kind=pl.lit("run"), label=pl.col("donor"), **ends)
        over = self.combined.filter(known).select(**shared, kind=pl.lit("combined"), label=pl.lit("over donors"), **ends)
        columns = ["assay", "agonist", "kind", "label", "ec50_nM", "ec50_low_nM", "ec50_high_nM"]
        rows = pl.concat([donors.select(columns), over.select(columns)])
        return forest_chart(rows, description="EC50 of every donor with its interval, and over donors, in nM.")


def _assay() -> pl.Expr:
    day = pl.when(pl.col("day_d").is_null()).then(pl.lit("")).otherwise(pl.format(", day {}", pl.col("day_d")))
    panel = pl.when(pl.col("panel") == "").then(pl.lit("")).otherwise(pl.format(", {}", pl.col("panel")))
    return pl.concat_str([pl.col("population"), panel, day])


def potency_sentence(potency: DonorPotency, confidence: float) -> str:
    """What the donors say about one agonist and population, for a person."""
    place = potency.population + (f" ({potency.panel})" if potency.panel else "")
    place += f" on day {potency.day_d:g}" if potency.day_d is not None else ""
    head = f"{potency.agonist}, {place}:"
    value = potency.ec50_nM
    if value.estimate is None:
        said = [f"{head} no EC50 ({_bound(value) or potency.verdict})."]
    elif potency.method == "descriptive":
        each = ", ".join(f"{d} {three_digits(v)}" for d, v in zip(potency.donors, potency.donor_ec50_nM, strict=True))
        said = [f"{head} EC50 by donor (nM): {each}; no interval over donors below three."]
    else:
        method = _INTERVALS[potency.method].format(n=potency.n_donors)
        said = [f"{head} EC50 {three_digits(value.estimate)} nM ({100 * confidence:g} % interval {_ends(value)}, {method})."]
    if potency.donors_left_out:
        said.append("Left out: " + "; ".join(f"{donor} ({reason})" for donor, reason in potency.donors_left_out) + ".")
    if potency.ratio is not None and potency.ratio.ratio.estimate is not None:
        ratio = potency.ratio
        ends = _ends(ratio.ratio) if ratio.method == "t_over_donors" else "no interval below three donors"
        donors = f"{len(ratio.donors)} donor{'s' if len(ratio.donors) > 1 else ''}"
        said.append(f"EC50 of {ratio.comparator} is {three_digits(ratio.ratio.estimate)} times as high ({ends}; {donors}).")
    return " ".join(said)


def _ends(value: Estimate) -> str:
    if value.low is None and value.high is None:
        return "open at both ends"
    if value.high is None:
        return f"above {three_digits(value.low)}, no upper end"
    if value.low is None:
        return f"below {three_digits(value.high)}, no lower end"
    return f"{three_digits(value.low)} to {three_digits(value.high)}"


def _bound(value: Estimate) -> str:
    if value.low is not None:
        return f"above {three_digits(value.low)} nM in every donor"
    return f"below {three_digits(value.high)} nM in every donor" if value.high is not None else ""
