"""Ploidy against concentration: the ordered classes 2N to 64N shift up or down with dose, per donor and over donors.

Thrombopoietin raises the ploidy of adult-blood megakaryocytes and lowers that of cord-blood ones, so every test here is two-sided and
"higher" is never taken for granted. Wells of a dose scatter more than their cells would: the correlation within a well is estimated over all
series of a day and panel, and caps what a well of many cells can tell. n is donors: the direction over donors is a t test on one shift
a donor, from three donors on.

References: McCullagh 1980, doi:10.1111/j.2517-6161.1980.tb01109.x (cumulative logit); Williams 1982, doi:10.2307/2347977 (overdispersion);
Mattia et al. 2002, doi:10.1182/blood.V99.3.888 (ploidy of megakaryocytes from peripheral and cord blood CD34+ cells).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from thrombokit.cells.dose_series import DoseSeries, check_table, dose_series
from thrombokit.cells.ploidy_shift import ClassCounts, Shift, fit_shift, gather_classes
from thrombokit.domain.ploidy import CLASS_PLOIDY, CLASSES
from thrombokit.drawing.numerals import three_digits
from thrombokit.errors import Fault, raise_all
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.beta_binomial import intraclass_correlation
from thrombokit.numerics.student import TInterval, t_interval

FEWEST_DONORS = 3
_ROUNDS = 3
_LEVEL = 0.05
_MOST_FAULTS = 20
_DIRECTIONS = {
    "higher_ploidy": "ploidy rises with dose", "lower_ploidy": "ploidy falls with dose", "no_shift_shown": "no shift of ploidy shown",
    "too_few_donors": "no test over donors below three",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class PloidyResponse:
    """What `analyse_ploidy_response` answers.

    shifts : one row a donor's series: donor, agonist, day_d, panel, verdict ("higher_ploidy", "lower_ploidy", "no_shift", "bad"), odds_ratio
        (of being above any cut, highest dose against vehicle), doublings (shift of mean log2 ploidy), ec50_nM (of the shift), each with
        _low and _high; p (two-sided), n_wells, classes, scatter (rho within a well), message.
    combined : one row an agonist, day and panel: method ("t_over_donors" or "descriptive"), verdict ("higher_ploidy", "lower_ploidy",
        "no_shift_shown", "too_few_donors"), n_donors, donors, odds_ratio, doublings and ec50_nM over donors, p (two-sided), n_donors_ec50.
    classes : one row a well and class: donor, agonist, day_d, panel, concentration_nM, ploidy, share, fitted.
    """

    shifts: pl.DataFrame
    combined: pl.DataFrame
    classes: pl.DataFrame
    confidence: float

    def table(self) -> pl.DataFrame:
        """`combined`: one row an agonist, day and panel."""
        return self.combined

    def summary(self) -> str:
        """One sentence for each agonist and day."""
        return " ".join(_sentence(row, self.confidence) for row in self.combined.iter_rows(named=True))


def analyse_ploidy_response(table: pl.DataFrame, *, confidence: float = 0.95, source: str = "ploidy") -> PloidyResponse:
    """Shift of the ploidy classes with dose, per donor and over donors.

    Parameters
    ----------
    table : DataFrame, one row a well
        `donor, agonist, concentration_nM` (nM, 0 = vehicle) and one column a class, `2N` to `64N`: cells counted, or shares (summing to 1)
        where a column `n_effective` says how many cells they rest on. With `se_2N` to `se_64N` beside shares, no more cells count than
        those standard errors allow. Optional `role`, `day_d` (d), `plate`, `panel`, `tube`.
    confidence : float
        Two-sided, above 0.5 and below 1.
    source : str
        Name of the table for messages.

    Returns
    -------
    PloidyResponse
        A series with too little to fit has the verdict "bad" and its reason, and takes no part over donors.

    Raises
    ------
    InputError
        With all faults: missing columns, text for numbers, shares that do not sum to 1, doses without an agonist.
    """
    checked, counts = _class_counts(table, source)
    series = [each for each in dose_series(checked, source=source) if counts[each.rows].sum() > 0]
    dose = np.where(checked["role"].to_numpy() == "vehicle", 0.0, checked["concentration_nM"].to_numpy())
    with np.errstate(divide="ignore", invalid="ignore"):
        ln_dose = np.log(dose)
    kept = [each.rows[counts[each.rows].sum(axis=1) > 0] for each in series]
    classes = [gather_classes(ln_dose[rows], counts[rows]) for rows in kept]
    pools = [(each.day_d, each.panel) for each in series]
    shifts, rho = _fit_all(classes, pools, confidence)
    return PloidyResponse(
        shifts=_shift_rows(series, classes, shifts, rho), combined=_combined(series, shifts, confidence),
        classes=_class_rows(series, classes, shifts), confidence=confidence,
    )  # fmt: skip


def ploidy_populations(table: pl.DataFrame, *, at_least: int = 8, source: str = "ploidy") -> pl.DataFrame:
    """The share of cells at `at_least` N or more as a population for `analyse_population_response`; columns as for the class table.

    Returns the key columns with `population` (">= 8N"), `count` and `parent_count` (effective cells, may be fractional).
    """
    checked, counts = _class_counts(table, source)
    keys = ["donor", "agonist", "concentration_nM", "role", "day_d", "plate", "panel", "tube"]
    return checked.select(keys).with_columns(
        population=pl.lit(f">= {at_least}N"), count=pl.Series(counts[:, at_least <= CLASS_PLOIDY].sum(axis=1)),
        parent_count=pl.Series(counts.sum(axis=1)),
    )  # fmt: skip


def _class_counts(table: pl.DataFrame, source: str) -> tuple[pl.DataFrame, Array]:
    """The checked table, and (effective) counts of shape (n_rows, 6); rows with an empty class count nothing."""
    shares = "n_effective" in table.columns
    errors = tuple(f"se_{name}" for name in CLASSES if f"se_{name}" in table.columns) if shares else ()
    numbers = (*CLASSES, *(("n_effective",) if shares else ()), *errors)
    checked = check_table(table, numbers=numbers, source=source)
    values = checked.select(CLASSES).to_numpy()
    known = np.all(np.isfinite(values), axis=1)
    if not shares:
        return checked, np.where(known[:, None], values, 0.0)
    total = values.sum(axis=1)
    raise_all(
        Fault(
            place=f"{source}, row {row + 2}", found=f"shares that sum to {total[row]:.4g}", expected="shares that sum to 1",
            cure="Give shares of 0 to 1 beside n_effective, or counts without it.",
        )
        for row in np.flatnonzero(known & (np.abs(total - 1.0) > 1e-3))[:_MOST_FAULTS].tolist()
    )  # fmt: skip
    size = np.nan_to_num(checked["n_effective"].to_numpy())
    if len(errors) == len(CLASSES):
        spread = np.nansum(checked.select(errors).to_numpy() ** 2, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.fmin(size, np.where(spread > 0, (values * (1.0 - values)).sum(axis=1) / spread, np.inf))
    return checked, np.where(known[:, None], values * size[:, None], 0.0)


def _fit_all(
    classes: list[ClassCounts], pools: list[tuple[float | None, str]], confidence: float
) -> tuple[list[Shift], list[float]]:
    """Shifts at the correlation within wells of their pool (day and panel), found in turn."""
    rho = dict.fromkeys(pools, 0.0)
    shifts = [fit_shift(each, 0.0, confidence=confidence) for each in classes]
    for _ in range(_ROUNDS):
        for pool in rho:
            members = [i for i, p in enumerate(pools) if p == pool]
            fitted = [(classes[i], logit) for i in members if (logit := shifts[i].logit) is not None]
            if fitted:
                chi_squared = np.concatenate([logit.pearson(each.counts) for each, logit in fitted])
                size = np.concatenate([each.counts.sum(axis=1) for each, _ in fitted])
                degrees = sum(each.x.size * (len(each.names) - 1) - each.n_parameters for each, _ in fitted)
                rho[pool] = intraclass_correlation(chi_squared, size, float(degrees))
        known = {pool: float(np.nan_to_num(value)) for pool, value in rho.items()}
        shifts = [fit_shift(each, known[pool], confidence=confidence) for each, pool in zip(classes, pools, strict=True)]
    return shifts, [rho[pool] for pool in pools]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _ends(name: str, values: Array | tuple[float, float, float]) -> dict[str, float | None]:
    return {name: _number(values[0]), f"{name}_low": _number(values[1]), f"{name}_high": _number(values[2])}


def _natural(values: Array | tuple[float, float, float]) -> Array:
    """exp; what overflows or was open becomes NaN."""
    with np.errstate(over="ignore"):
        out = np.exp(np.asarray(values, dtype=np.float64))
    return np.where(np.isfinite(out) & (out > 0), out, np.nan)


_PLACE: dict[str, Any] = {"agonist": pl.String, "day_d": pl.Float64, "panel": pl.String}
_SHIFT: dict[str, Any] = {
    f"{name}{end}": pl.Float64 for name in ("odds_ratio", "doublings", "ec50_nM") for end in ("", "_low", "_high")
}


def _shift_rows(series: list[DoseSeries], classes: list[ClassCounts], shifts: list[Shift], rho: list[float]) -> pl.DataFrame:
    rows = [
        {
            "donor": each.donor, "agonist": each.agonist, "day_d": each.day_d, "panel": each.panel, "verdict": shift.verdict,
            **_ends("odds_ratio", _natural((shift.log_odds, shift.low, shift.high))), **_ends("doublings", shift.doublings),
            **_ends("ec50_nM", _natural(shift.ln_ec50)), "p": _number(shift.p), "n_wells": counts.x.size, "classes": ", ".join(counts.names),
            "scatter": _number(scatter), "message": shift.message or None,
        }
        for each, counts, shift, scatter in zip(series, classes, shifts, rho, strict=True)
    ]  # fmt: skip
    schema = {"donor": pl.String, **_PLACE, "verdict": pl.String, **_SHIFT}
    tail = {"p": pl.Float64, "n_wells": pl.Int64, "classes": pl.String, "scatter": pl.Float64, "message": pl.String}
    return pl.DataFrame(rows, schema=schema | tail)


def _class_rows(series: list[DoseSeries], classes: list[ClassCounts], shifts: list[Shift]) -> pl.DataFrame:
    schema = {
        "donor": pl.String,
        **_PLACE,
        "concentration_nM": pl.Float64,
        "ploidy": pl.String,
        "share": pl.Float64,
        "fitted": pl.Float64,
    }
    parts = [pl.DataFrame(schema=schema)]
    for each, counts, shift in zip(series, classes, shifts, strict=True):
        wells, size = counts.counts.shape
        fitted = shift.logit.shares if shift.logit is not None else np.full((wells, size), np.nan)
        columns = {
            "donor": [each.donor] * (wells * size), "agonist": [each.agonist] * (wells * size), "day_d": [each.day_d] * (wells * size),
            "panel": [each.panel] * (wells * size), "concentration_nM": np.repeat(np.exp(counts.x), size),
            "ploidy": list(counts.names) * wells, "share": (counts.counts / counts.counts.sum(axis=1, keepdims=True)).ravel(),
            "fitted": fitted.ravel(),
        }  # fmt: skip
        parts.append(pl.DataFrame(columns, schema=schema).with_columns(pl.col("fitted").fill_nan(None)))
    return pl.concat(parts)


def _combined(series: list[DoseSeries], shifts: list[Shift], confidence: float) -> pl.DataFrame:
    groups: dict[tuple[str, float | None, str], list[int]] = {}
    for i, each in enumerate(series):
        groups.setdefault((each.agonist, each.day_d, each.panel), []).append(i)
    rows = [_combined_row(place, members, series, shifts, confidence) for place, members in groups.items()]
    schema = {**_PLACE, "method": pl.String, "verdict": pl.String, "n_donors": pl.Int64, "donors": pl.String, **_SHIFT}
    return pl.DataFrame(rows, schema=schema | {"p": pl.Float64, "n_donors_ec50": pl.Int64, "message": pl.String})


def _combined_row(
    place: tuple[str, float | None, str], members: list[int], series: list[DoseSeries], shifts: list[Shift], confidence: float
) -> dict[str, Any]:
    used = [i for i in members if shifts[i].verdict != "bad"]
    with_ec50 = [i for i in used if np.isfinite(shifts[i].ln_ec50[0])]
    odds = _over_donors(np.array([shifts[i].log_odds for i in used]), confidence)
    doublings = _over_donors(np.array([shifts[i].doublings[0] for i in used]), confidence)
    ec50 = _over_donors(np.array([shifts[i].ln_ec50[0] for i in with_ec50]), confidence)
    enough = len(used) >= FEWEST_DONORS
    verdict = "too_few_donors"
    if enough:
        verdict = "no_shift_shown" if odds.p > _LEVEL else ("higher_ploidy" if odds.mean > 0 else "lower_ploidy")
    said = [f"{series[i].donor} left out: {shifts[i].message}" for i in members if i not in used]
    without = [series[i].donor for i in used if i not in with_ec50]
    said += [f"no EC50 from {', '.join(without)}: no shift"] if without and with_ec50 else []
    open_ends = [series[i].donor for i in with_ec50 if not np.all(np.isfinite(shifts[i].ln_ec50))]
    said += [f"the EC50 of {', '.join(open_ends)} is open to a side within these doses"] if open_ends else []
    return {
        **dict(zip(_PLACE, place, strict=True)), "method": "t_over_donors" if enough else "descriptive", "verdict": verdict,
        "n_donors": len(used), "donors": ", ".join(series[i].donor for i in used),
        **_ends("odds_ratio", _natural((odds.mean, odds.low, odds.high))), **_ends("doublings", (doublings.mean, doublings.low, doublings.high)),
        **_ends("ec50_nM", _natural((ec50.mean, *((np.nan, np.nan) if open_ends else (ec50.low, ec50.high))))), "p": _number(odds.p),
        "n_donors_ec50": len(with_ec50), "message": "; ".join(said) or None,
    }  # fmt: skip


def _over_donors(values: Array, confidence: float) -> TInterval:
    """t over donors; below three donors the mean alone."""
    nan = float("nan")
    if values.size == 0:
        return TInterval(mean=nan, low=nan, high=nan, sd=nan, p=nan, n=0)
    found = t_interval(values, confidence=confidence)
    if values.size < FEWEST_DONORS:
        return TInterval(mean=found.mean, low=nan, high=nan, sd=nan, p=nan, n=found.n)
    return found


def _sentence(row: dict[str, Any], confidence: float) -> str:
    head = (
        row["agonist"]
        + (f", {row['panel']}" if row["panel"] else "")
        + (f", day {row['day_d']:g}" if row["day_d"] is not None else "")
    )
    if row["n_donors"] == 0:
        return f"{head}: no donor's classes could be fitted."
    shift = f"{_signed(row['doublings'])} doublings from vehicle to the highest dose"
    if row["method"] == "descriptive":
        donors = f"{row['n_donors']} donor{'s' if row['n_donors'] > 1 else ''}"
        return f"{head}: {shift} ({donors}: {_DIRECTIONS['too_few_donors']})."
    ends = f"{100 * confidence:g} % interval {_signed(row['doublings_low'])} to {_signed(row['doublings_high'])}"
    return (
        f"{head}: {_DIRECTIONS[row['verdict']]}: {shift} ({ends}, t over {row['n_donors']} donors, p = {row['p']:.2g}, two-sided)."
    )


def _signed(value: float) -> str:
    return ("+" if value > 0 else "-" if value < 0 else "") + three_digits(abs(value))
