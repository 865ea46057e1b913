"""Populations against concentration, per donor: from counts (or yields) to EC50s, and to one EC50 over donors.

::

    counts -> dose series (donor x agonist x population x day x panel) -> 4PL, overdispersed-binomial weights -> verdict and interval each
           -> over donors: descriptive, t or mixed model -> EC50 ratio to the comparator within donors

n is donors. Wells and cells make a donor's own curve sharper; they never stand in for another donor.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from thrombokit.cells.donor_potencies import DonorPotency, combine_donors, donor_ratio
from thrombokit.cells.dose_series import SERIES_KEYS, check_table, dose_series
from thrombokit.cells.population_fits import PopulationFits, fit_populations, series_points
from thrombokit.cells.population_result import PopulationResult
from thrombokit.errors import Fault, InputError, raise_all

CURVE_POINTS = 48
_KEYS = ("donor", "agonist", "population", "day_d", "panel")
_MOST_FAULTS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class PopulationSettings:
    """Choices: the agonist that others are compared with, and the two-sided confidence of every interval."""

    comparator: str | None = None
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not 0.5 < self.confidence < 1:
            found = f"{self.confidence}"
            raise InputError(
                Fault(place="confidence", found=found, expected="above 0.5 and below 1", cure="Use 0.95 for a 95 % interval.")
            )


def analyse_population_response(
    counts: pl.DataFrame, *, settings: PopulationSettings | None = None, source: str = "populations"
) -> PopulationResult:
    """Dose-response of populations (or yields) per donor and over donors.

    Parameters
    ----------
    counts : DataFrame, one row a well and population
        `donor, agonist, concentration_nM` (nM, 0 = vehicle), `population`, and either `count, parent_count` (cells; the response is their
        percentage) or `value, relative_sd` (a yield and its relative standard deviation; fitted on the log scale). Optional `role` (sample,
        comparator, positive_control, vehicle, untreated), `day_d` (d), `plate`, `panel`, `tube`.
    settings : PopulationSettings, optional
    source : str
        Name of the table for messages.

    Returns
    -------
    PopulationResult
        `.curves` a row a donor's curve with the FITS columns, `.combined` a row an agonist and population over donors; `.summary()`.
        A curve that cannot be fitted has a verdict and is named where it is left out.

    Raises
    ------
    InputError
        With all faults: missing columns, text for numbers, doses without an agonist, more cells than their parent holds, an unknown
        comparator.

    References
    ----------
    Williams 1982, doi:10.2307/2347977 (overdispersed counts); Lindstrom & Bates 1990, doi:10.2307/2532087 (mixed model).
    """
    settings = settings or PopulationSettings()
    percent = "count" in counts.columns or "value" not in counts.columns
    numbers = ("count", "parent_count") if percent else ("value", "relative_sd")
    table = check_table(counts, numbers=numbers, source=source)
    raise_all(_population_faults(table, percent, source))
    series = dose_series(table, source=source)
    known = list(dict.fromkeys(each.agonist for each in series))
    if settings.comparator is not None and settings.comparator not in known:
        expected = "one of " + (", ".join(known) or "none: no dose series")
        raise InputError(
            Fault(place="comparator", found=f'"{settings.comparator}"', expected=expected, cure="Name an agonist of the table.")
        )
    found = fit_populations(series_points(table, series), confidence=settings.confidence)
    potencies = _potencies(found, settings)
    return PopulationResult(
        curves=_curves(found), points=_points(found, table), lines=_lines(found), controls=_controls(table, found),
        combined=_combined(potencies), potencies=potencies, comparator=settings.comparator, confidence=settings.confidence,
    )  # fmt: skip


def _population_faults(table: pl.DataFrame, percent: bool, source: str) -> list[Fault]:
    """What only the pair of numbers can get wrong."""
    if percent:
        wrong, column = pl.col("count") > pl.col("parent_count"), "count"
        expected, cure = "no more cells than the parent holds", "Check which population is the parent."
    else:
        wrong, column = pl.col("relative_sd").is_null() & pl.col("value").is_not_null(), "relative_sd"
        expected, cure = "the relative standard deviation of the yield (0 if it is exact)", "Give it, or leave the yield empty too."
    rows = np.flatnonzero(table.select(wrong.fill_null(False)).to_series().to_numpy())[:_MOST_FAULTS]
    other = {"count": "parent_count", "relative_sd": "value"}[column]
    return [
        Fault(
            place=f"{source}, row {row + 2}, column {column}",
            found=f"{_plain(table[column][row])} beside {other} {_plain(table[other][row])}",
            expected=expected, cure=cure,
        )
        for row in rows.tolist()
    ]  # fmt: skip


def _plain(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.15g}"


def _potencies(found: PopulationFits, settings: PopulationSettings) -> tuple[DonorPotency, ...]:
    """Every agonist x population x day x panel over donors, with the ratio to the comparator."""
    groups: dict[tuple[str, float | None, str], dict[str, list[int]]] = {}
    for row, each in enumerate(found.points.series):
        groups.setdefault((each.population, each.day_d, each.panel), {}).setdefault(each.agonist, []).append(row)
    out: list[DonorPotency] = []
    for agonists in groups.values():
        reference = agonists.get(settings.comparator or "")
        for agonist, rows in agonists.items():
            potency = combine_donors(found, rows, confidence=settings.confidence)
            if reference is not None and agonist != settings.comparator:
                potency = replace(potency, ratio=donor_ratio(found, rows, reference, confidence=settings.confidence))
            out.append(potency)
    return tuple(out)


def _key_columns(found: PopulationFits, index: np.ndarray | None = None) -> pl.DataFrame:
    """Donor, agonist, population, day_d, panel of every curve (or of the curves `index`)."""
    chosen = found.points.series if index is None else [found.points.series[int(i)] for i in index]
    schema = {name: pl.Float64 if name == "day_d" else pl.String for name in _KEYS}
    return pl.DataFrame({name: [getattr(each, name) for each in chosen] for name in _KEYS}, schema=schema)


def _curves(found: PopulationFits) -> pl.DataFrame:
    percent = found.points.percent
    fits = found.fits.table()
    if not percent:
        fits = fits.with_columns(pl.col("bottom", "top").exp())
    extra = pl.DataFrame(
        {"scatter": found.scatter[found.points.pool] if found.points.series else []}, schema={"scatter": pl.Float64}
    ).with_columns(pl.col("scatter").fill_nan(None))
    unit = pl.lit("percent" if percent else "yield").alias("response_unit")
    return pl.concat([_key_columns(found).with_columns(unit), fits, extra], how="horizontal")


def _natural(found: PopulationFits, values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return values if found.points.percent else np.exp(values)


def _points(found: PopulationFits, table: pl.DataFrame) -> pl.DataFrame:
    points = found.points
    own = table.select("plate", "tube", "role")[points.row]
    weight = found.curves.w if found.curves.w is not None else np.ones(points.y.size)
    values = pl.DataFrame(
        {
            "concentration_nM": np.exp(points.x), "response": _natural(found, points.y), "fitted": _natural(found, found.fitted),
            "weight": weight,
        }
    ).with_columns(pl.col("fitted").fill_nan(None))  # fmt: skip
    return pl.concat([_key_columns(found, points.curve), own, values], how="horizontal")


def _lines(found: PopulationFits) -> pl.DataFrame:
    """48 points from the lowest to the highest dose of every curve that was fitted."""
    fits = found.fits
    fitted = np.flatnonzero(fits.verdict != "bad")
    doses, parts = [np.empty(0)], [np.empty((3, 0))]
    for i in fitted.tolist():
        dose = np.geomspace(float(fits.dose_low_nM[i]), float(fits.dose_high_nM[i]), CURVE_POINTS)
        doses.append(dose)
        parts.append(np.stack([fits.predict(i, dose), *fits.band(i, dose)]))
    values = _natural(found, np.concatenate(parts, axis=1))
    columns = {"concentration_nM": np.concatenate(doses), "fitted": values[0], "low": values[1], "high": values[2]}
    frame = pl.DataFrame(columns).with_columns(pl.col("low", "high").fill_nan(None))
    return pl.concat([_key_columns(found, np.repeat(fitted, CURVE_POINTS)), frame], how="horizontal")


def _controls(table: pl.DataFrame, found: PopulationFits) -> pl.DataFrame:
    """Mean response of vehicle, untreated and single-dose controls by donor; wells count alike."""
    percent = found.points.percent
    response = 100.0 * pl.col("count") / pl.col("parent_count") if percent else pl.col("value")
    fitted = {(each.donor, each.agonist) for each in found.points.series}
    keys = ["role", "agonist", "concentration_nM", *SERIES_KEYS]
    wells = table.with_columns(response=response.fill_nan(None)).filter(
        pl.col("role").is_in(("vehicle", "untreated", "positive_control")) & pl.col("response").is_not_null()
    )
    means = wells.group_by(keys, maintain_order=True).agg(n_wells=pl.len().cast(pl.Int64), mean=pl.col("response").mean())
    alone = [
        role != "positive_control" or (donor, agonist) not in fitted
        for role, donor, agonist in means.select("role", "donor", "agonist").iter_rows()
    ]
    return means.filter(pl.Series(alone, dtype=pl.Boolean))


def _combined(potencies: tuple[DonorPotency, ...]) -> pl.DataFrame:
    schema: dict[str, Any] = {
        "agonist": pl.String, "population": pl.String, "day_d": pl.Float64, "panel": pl.String, "method": pl.String, "verdict": pl.String,
        "n_donors": pl.Int64, "donors": pl.String, "donors_left_out": pl.String, "ec50_nM": pl.Float64, "ec50_low_nM": pl.Float64,
        "ec50_high_nM": pl.Float64, "between_donor_sd_log10": pl.Float64, "bottom": pl.Float64, "bottom_low": pl.Float64,
        "bottom_high": pl.Float64, "top": pl.Float64, "top_low": pl.Float64, "top_high": pl.Float64, "comparator": pl.String,
        "ec50_ratio": pl.Float64, "ec50_ratio_low": pl.Float64, "ec50_ratio_high": pl.Float64, "ratio_method": pl.String,
        "n_donors_ratio": pl.Int64, "message": pl.String,
    }  # fmt: skip
    rows: list[dict[str, Any]] = []
    for each in potencies:
        row = {name: value for name, value in asdict(each).items() if name in schema and name not in ("bottom", "top")}
        row |= {"donors": ", ".join(each.donors), "donors_left_out": ", ".join(donor for donor, _ in each.donors_left_out)}
        for name, value in (("bottom", each.bottom), ("top", each.top)):
            row |= {name: value.estimate, f"{name}_low": value.low, f"{name}_high": value.high}
        row |= {"ec50_nM": each.ec50_nM.estimate, "ec50_low_nM": each.ec50_nM.low, "ec50_high_nM": each.ec50_nM.high}
        if each.ratio is not None:
            ratio = each.ratio.ratio
            row |= {
                "comparator": each.ratio.comparator,
                "ratio_method": each.ratio.method,
                "n_donors_ratio": len(each.ratio.donors),
            }
            row |= {"ec50_ratio": ratio.estimate, "ec50_ratio_low": ratio.low, "ec50_ratio_high": ratio.high}
        rows.append(row)
    return pl.DataFrame(rows, schema=schema)
