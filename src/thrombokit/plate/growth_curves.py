"""Dose-response of the growth rate, beside that of the end-point signal.

After several divisions a small change in growth rate is a large change in cell number, so the EC50 of the signal lies many-fold from
the EC50 of the rate. Both are EC50s, of two assays: the growth rate gets its own read-out, its own runs combined, its own ratios.

Noise. A signal of squared coefficient of variation cv^2 = (sigma0^2 + (phi mean)^2) / mean^2 has a logarithm of variance near
cv^2 + 5/2 cv^4, on average cv^2 / 2 too low (delta method, second order): near constant well above the blank, growing without bound
towards it. Points are corrected by the one and weighted by the inverse of the other, at the mean that the end-point fit gives their dose,
so that wells near the blank (32D-MPL without agonist) neither steer nor bend the curve; the scale stays free for each curve. Where the
study asks for unweighted fits, these are unweighted and uncorrected. Well and GR values are never corrected. The error of the mean
day-0 signal shifts all rates of a plate together: it goes into the plateaus and not into the EC50. The error of the mean blank is
in neither; where vehicle wells come near the blank, many blank wells keep it small.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from scipy.special import stdtrit

from thrombokit.domain.potency import Potency
from thrombokit.dose_response.fit import fit_points
from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.points import points_from_table
from thrombokit.numerics.arrays import Array
from thrombokit.plate.counter_screen import heed_counter_screens
from thrombokit.plate.curves import CurveKey
from thrombokit.plate.day_zero import DayZero, find_day_zero
from thrombokit.plate.gr_metrics import gr_metrics, vehicle_rate_per_d
from thrombokit.plate.growth_rate import HOURS_A_DAY, gr_value, growth_rate_per_d
from thrombokit.plate.layout import Role
from thrombokit.plate.normalise import Normalised
from thrombokit.plate.potencies import combine_potencies, combine_ratios
from thrombokit.plate.result import PotencyRatio
from thrombokit.plate.settings import PlateSettings
from thrombokit.scale.engine import Engine

NOT_TREATED = (Role.BLANK, Role.EMPTY, Role.DAY0)
_SMALLEST_SHARE = 1e-3
_LARGEST_CV = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Growth:
    """The growth-rate read-out of all plates; empty where the study holds no day-0 wells.

    curves : one row a curve, see `PlateResult.growth`. wells : plate, well, growth_rate_per_d, gr_value. notes : sentences.
    """

    curves: pl.DataFrame = field(default_factory=pl.DataFrame)
    wells: pl.DataFrame = field(default_factory=pl.DataFrame)
    potencies: tuple[Potency, ...] = ()
    ratios: tuple[PotencyRatio, ...] = ()
    notes: tuple[str, ...] = ()


def analyse_growth(
    plates: Sequence[Normalised], keys: Sequence[CurveKey], frames: Sequence[pl.DataFrame], fits: CurveFits,
    failed: Collection[str], settings: PlateSettings, *, engine: Engine,
) -> Growth:  # fmt: skip
    """Growth rates and their dose-response for every plate with a day-0 signal and known hours.

    Parameters
    ----------
    plates : sequence of Normalised
        All plates of the study, day-0 plates among them.
    keys, frames, fits : the n end-point curves
        Whose they are, their points (concentration_nM, response = blank-corrected signal), their fits.
    failed : names of plates
        Left out of the combined values, not of the tables; a failed day-0 plate gives no growth rates.
    settings : PlateSettings
    engine : Engine

    Returns
    -------
    Growth
        With `readout` "growth rate (...)", so that no ratio mixes it with the end-point.
    """
    starts, notes = find_day_zero(plates, failed)
    rows = [i for i, key in enumerate(keys) if (key.plate, key.cell_system) in starts]
    if not rows:
        return Growth(notes=notes, wells=_wells(plates, starts))
    own_keys = [keys[i] for i in rows]
    zeros = [starts[key.plate, key.cell_system] for key in own_keys]
    weighted = settings.fit.weights == "model"
    tables = [
        _rates(frames[i], zero, fits if weighted else None, i).with_columns(curve=pl.lit(f"{number}"), run=pl.lit(zero.plate))
        for number, (i, zero) in enumerate(zip(rows, zeros, strict=True))
    ]
    points = points_from_table(pl.concat(tables), source="growth rates")
    fitted = fit_points(points, replace(settings.fit, weights="column" if weighted else "none"), engine=engine)
    growth_fits = heed_counter_screens(own_keys, fitted)
    assay = replace(settings, readout=f"growth rate ({settings.readout})")
    lost = set(failed)
    return Growth(
        curves=_table(own_keys, zeros, tables, growth_fits, fits.ec50_nM[rows]),
        wells=_wells(plates, starts),
        potencies=combine_potencies(own_keys, growth_fits, lost, assay),
        ratios=combine_ratios(own_keys, points, growth_fits, lost, assay),
        notes=notes,
    )


def _rates(frame: pl.DataFrame, zero: DayZero, fits: CurveFits | None, i: int) -> pl.DataFrame:
    """Points of one curve: growth rates per day, null where a well has none, and the response to fit (the rate, corrected for noise).

    With weights where the end-point's noise is known.
    """
    dose = frame["concentration_nM"].to_numpy()
    rate = growth_rate_per_d(frame["response"].to_numpy(), zero.start.mean, hours=zero.hours)
    per_d = HOURS_A_DAY / zero.hours
    columns = {"concentration_nM": dose, "growth_rate_per_d": rate, "response": rate}
    if fits is not None:
        cv2 = _squared_cv(dose, fits, i)
        columns |= {"response": rate + per_d * cv2 / 2.0, "weight": 1.0 / (per_d**2 * cv2 * (1.0 + 2.5 * cv2))}
    return pl.DataFrame(columns).with_columns(pl.col("growth_rate_per_d", "response").fill_nan(None))


def _squared_cv(dose_nM: Array, fits: CurveFits, i: int) -> Array:
    """Squared coefficient of variation of the signal at each dose (n_points,), from the end-point's noise; 1e-4 where it is not known."""
    noise = fits.variance.get(str(fits.keys["run"][i]))
    mean = fits.predict(i, dose_nM) if str(fits.verdict[i]) != "bad" else np.full(dose_nM.shape, np.nan)
    if noise is None or not np.all(np.isfinite(mean)) or not np.max(mean) > 0:
        return np.full(dose_nM.shape, 1e-4)
    mean = np.maximum(mean, _SMALLEST_SHARE * np.max(mean))
    return np.clip(noise.variance(mean) / mean**2, 1e-12, _LARGEST_CV**2)


def _table(
    keys: Sequence[CurveKey], zeros: Sequence[DayZero], tables: Sequence[pl.DataFrame], fits: CurveFits, endpoint_nM: Array
) -> pl.DataFrame:
    """`PlateResult.growth`: keys, FITS columns, plateaus with the day-0 signal's error, GR metrics, the end-point EC50."""
    named = pl.DataFrame(
        {
            "plate": [k.plate for k in keys], "agonist": [k.agonist for k in keys], "cell_system": [k.cell_system for k in keys],
            "run": [k.run for k in keys], "hours": [zero.hours for zero in zeros],
        }
    )  # fmt: skip
    half0, half1 = fits.plateau_intervals()
    plateaus = [_plateaus(fits, i, zero, float(half0[i]), float(half1[i])) for i, zero in enumerate(zeros)]
    metrics = [gr_metrics(frame, zero, fits, i) for i, (frame, zero) in enumerate(zip(tables, zeros, strict=True))]
    said = {"day0_plate": [zero.day0_plate for zero in zeros], "gr_message": [m.message or None for m in metrics]}
    numbers = {name: [p[name] for p in plateaus] for name in plateaus[0]} | {
        "vehicle_per_d": [m.vehicle_per_d for m in metrics], "gr50_nM": [m.gr50_nM for m in metrics],
        "gr_max": [m.gr_max for m in metrics], "gr_aoc": [m.gr_aoc for m in metrics], "endpoint_ec50_nM": endpoint_nM.tolist(),
    }  # fmt: skip
    extra = pl.DataFrame(numbers, schema=dict.fromkeys(numbers, pl.Float64)).with_columns(pl.all().fill_nan(None))
    texts = pl.DataFrame(said, schema=dict.fromkeys(said, pl.String))
    table = _with_left_out(fits.table().drop("curve", "run"))
    return pl.concat([named, table, extra, texts], how="horizontal")


def _with_left_out(table: pl.DataFrame) -> pl.DataFrame:
    """Messages that say how many wells stood at or below the blank and have no growth rate."""
    count = pl.col("n_excluded")
    noun = pl.when(count == 1).then(pl.lit(" well")).otherwise(pl.lit(" wells"))
    said = pl.format("{}{} at or below the blank left out: growth at these doses reads too high", count, noun)
    joined = pl.when(pl.col("message").is_null()).then(said).otherwise(pl.format("{}; {}", "message", said))
    return table.with_columns(message=pl.when(count > 0).then(joined).otherwise("message"))


def _plateaus(fits: CurveFits, i: int, zero: DayZero, half0: float, half1: float) -> dict[str, float | None]:
    """Bottom and top of curve i per day with intervals: the plateau's own error and that of the day-0 signal together.

    None where the doses do not determine the plateau.
    """
    names = ("bottom_per_d", "top_per_d")
    out: dict[str, float | None] = {f"{name}{end}": None for name in names for end in ("", "_low", "_high")}
    if str(fits.verdict[i]) in ("bad", "flat"):
        return out
    t = float(stdtrit(max(int(fits.degrees[i]), 1), 0.5 + fits.settings.confidence / 2))
    start_half = t * zero.start.se / zero.start.mean * HOURS_A_DAY / zero.hours
    ends = sorted(((float(fits.theta[i, 0]), half0), (float(fits.theta[i, 1]), half1)))
    open_plateau = str(fits.open_plateau[i])
    for name, (value, half) in zip(names, ends, strict=True):
        if open_plateau in ("both", name.removesuffix("_per_d")):
            continue
        spread = float(np.hypot(half, start_half))
        out[name] = value
        if np.isfinite(spread):
            out[f"{name}_low"], out[f"{name}_high"] = value - spread, value + spread
    return out


def _wells(plates: Sequence[Normalised], starts: dict[tuple[str, str], DayZero]) -> pl.DataFrame:
    """Growth rate and GR value of every treated well: plate, row, column, growth_rate_per_d, gr_value."""
    schema = {"plate": pl.String, "row": pl.Int64, "column": pl.Int64, "growth_rate_per_d": pl.Float64, "gr_value": pl.Float64}
    parts = [pl.DataFrame(schema=schema)]
    by_name = {each.plate.name: each for each in plates}
    for zero in starts.values():
        each = by_name[zero.plate]
        wells = each.used & ~np.isin(each.role, NOT_TREATED) & (each.cell_system == zero.cell_system)
        rows, columns = np.nonzero(wells)
        rate = growth_rate_per_d(each.corrected[wells], zero.start.mean, hours=zero.hours)
        columns_of = {
            "plate": [zero.plate] * rows.size, "row": rows, "column": columns, "growth_rate_per_d": rate,
            "gr_value": gr_value(rate, vehicle_rate_per_d(zero)),
        }  # fmt: skip
        parts.append(pl.DataFrame(columns_of, schema=schema))
    return pl.concat(parts).with_columns(pl.col("growth_rate_per_d", "gr_value").fill_nan(None))
