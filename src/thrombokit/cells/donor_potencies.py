"""From donors' curves to one EC50: n is donors, and the method says what n allows.

descriptive    fewer than three donors with an EC50: the geometric mean and each donor's own interval, none over donors
t_over_donors  three or four donors: Student's t over the donors' ln EC50
mixed_model    five donors or more: one 4PL with donor effects on all four parameters (`numerics.logistic_mixed`), so that a donor whose
               doses stop before the plateau counts for what it shows; where that does not converge, t over donors, and the reason

The mixed model's error is that of the donors' pulls where all curves are complete (the same as t over donors for balanced data),
and Kenward and Roger's where some are not; t has donors - 1 degrees of freedom in both. An end of the interval is left open where the
donors leave it open: for t any of them, for the mixed model more than a third. Coverage: docs/explanation/donors.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from thrombokit.cells.population_fits import PopulationFits, closed_ends
from thrombokit.domain.estimate import Estimate
from thrombokit.dose_response.combine import has_ec50
from thrombokit.dose_response.fits import CurveFits
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.logistic_mixed import LogisticMixed, fit_logistic_mixed
from thrombokit.numerics.meta_analysis import reml_variance
from thrombokit.numerics.outcome import Outcome
from thrombokit.numerics.student import t_interval

FEWEST_FOR_INTERVAL, FEWEST_FOR_MIXED = 3, 5
MIXED_VERDICTS = ("fit", "plateau_open", "beyond_range")
MOST_OPEN = 1 / 3
"""Share of donors that may leave an end open before the mixed model leaves it open too."""
_LN10 = float(np.log(10.0))
NOTHING = Estimate(estimate=None, low=None, high=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class DonorRatio:
    """EC50 of the comparator / EC50 of the agonist, formed within each donor; above 1 the agonist is more potent."""

    comparator: str
    ratio: Estimate
    method: str
    donors: tuple[str, ...]
    donor_ratios: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DonorPotency:
    """EC50 (nM) and plateaus (percent, or yield) of one agonist and population over donors.

    `method` is "descriptive", "t_over_donors" or "mixed_model"; `n_donors` how many it rests on. `verdict`: "combined" (both ends closed),
    "open" (an end left open by the donors), "too_few_donors", or, where no donor has an EC50, what most of their curves say.
    `donor_ec50_nM` follows `donors` (None: beyond the doses, and in the mixed model nevertheless); `donors_left_out` names the reasons.
    """

    agonist: str
    population: str
    day_d: float | None
    panel: str
    method: str
    verdict: str
    n_donors: int
    donors: tuple[str, ...]
    donor_ec50_nM: tuple[float | None, ...]
    donors_left_out: tuple[tuple[str, str], ...]
    ec50_nM: Estimate
    between_donor_sd_log10: float | None
    bottom: Estimate
    top: Estimate
    message: str
    ratio: DonorRatio | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Centre:
    """Common theta: ln EC50 with its ends, a0 and a1 with theirs (rows estimate, low, high; NaN where unknown), between-donor SD (ln)."""

    method: str
    members: Sequence[int]
    ln_ec50: Array
    plateaus: Array
    between_sd: float
    most_open: float
    said: str


def combine_donors(found: PopulationFits, rows: Sequence[int], *, confidence: float) -> DonorPotency:
    """One agonist and population over its donors; `rows` are their curves, one a donor."""
    fits, first = found.fits, found.points.series[rows[0]]
    inside = [row for row in rows if has_ec50(fits, row)]
    centre = _centre(found, rows, inside, confidence)
    donors = [found.points.series[row].donor for row in centre.members]
    ec50 = _ec50(centre, found, rows)
    left_out = tuple(
        (found.points.series[row].donor, str(fits.message[row] or fits.verdict[row])) for row in rows if row not in centre.members
    )
    rising = float(np.mean([fits.theta[row, 1] - fits.theta[row, 0] for row in centre.members or rows])) >= 0
    plateaus = centre.plateaus if found.points.percent else np.exp(centre.plateaus)
    bottom, top = (plateaus[:, 0], plateaus[:, 1]) if rising else (plateaus[:, 1], plateaus[:, 0])
    inside_set = set(inside)
    return DonorPotency(
        agonist=first.agonist, population=first.population, day_d=first.day_d, panel=first.panel, method=centre.method,
        verdict=_verdict(centre, ec50, rows, fits), n_donors=len(donors), donors=tuple(donors),
        donor_ec50_nM=tuple(float(np.exp(fits.theta[row, 2])) if row in inside_set else None for row in centre.members),
        donors_left_out=left_out, ec50_nM=ec50,
        between_donor_sd_log10=centre.between_sd / _LN10 if np.isfinite(centre.between_sd) else None,
        bottom=_estimate(bottom), top=_estimate(top), message=_message(centre, ec50, found, rows, left_out),
    )  # fmt: skip


def _centre(found: PopulationFits, rows: Sequence[int], inside: list[int], confidence: float) -> _Centre:
    """The method that the number of donors allows, carried out."""
    said = ""
    fits = found.fits
    candidates = [row for row in rows if str(fits.verdict[row]) in MIXED_VERDICTS and bool(np.all(np.isfinite(fits.theta[row])))]
    if len(inside) >= FEWEST_FOR_INTERVAL and len(candidates) >= FEWEST_FOR_MIXED:
        mixed = _mixed(found, candidates, confidence)
        if mixed is not None:
            return mixed
        said = "the mixed model did not converge: t over donors in its place"
    values = fits.theta[inside, 2]
    enough = len(inside) >= FEWEST_FOR_INTERVAL
    centre = np.full(3, np.nan)
    between = float("nan")
    if inside:
        t = t_interval(values, confidence=confidence)
        centre = np.array([t.mean, t.low, t.high]) if enough else np.array([t.mean, np.nan, np.nan])
        between = float(np.sqrt(reml_variance(values, fits.se_ln_ec50[inside] ** 2))) if enough else float("nan")
    return _Centre(
        method="t_over_donors" if enough else "descriptive", members=inside, ln_ec50=centre,
        plateaus=_mean_plateaus(fits, inside, confidence), between_sd=between, most_open=0.0, said=said,
    )  # fmt: skip


def _mean_plateaus(fits: CurveFits, inside: list[int], confidence: float) -> Array:
    """Mean a0 and a1 over donors, (3, 2): estimate and t interval; those that a curve leaves open do not enter."""
    out = np.full((3, 2), np.nan)
    for k in (0, 1):
        known = [row for row in inside if str(fits.open_plateau[row]) not in (_plateau_name(fits, row, k), "both")]
        if known:
            t = t_interval(fits.theta[known, k], confidence=confidence)
            ends = (t.low, t.high) if len(known) >= FEWEST_FOR_INTERVAL else (np.nan, np.nan)
            out[:, k] = (t.mean, *ends)
    return out


def _plateau_name(fits: CurveFits, row: int, k: int) -> str:
    rising = bool(fits.theta[row, 1] >= fits.theta[row, 0])
    return "top" if (k == 1) == rising else "bottom"


def _mixed(found: PopulationFits, candidates: list[int], confidence: float) -> _Centre | None:
    """The mixed model over the donors `candidates`; None where it did not converge."""
    fits, curves = found.fits, found.curves
    spans = [np.arange(int(curves.starts[row]), int(curves.starts[row + 1])) for row in candidates]
    index = np.concatenate(spans)
    group = np.repeat(np.arange(len(spans)), [span.size for span in spans])
    complete = np.array([str(fits.verdict[row]) == "fit" for row in candidates])
    settled = np.array([has_ec50(fits, row) for row in candidates])
    start = fits.theta[candidates, :4].copy()
    start[~complete] = np.median(start[complete if complete.any() else settled], axis=0)
    weight = curves.w if curves.w is not None else np.ones(curves.y.size)
    with np.errstate(all="ignore"):
        mixed = fit_logistic_mixed(curves.x[index], curves.y[index], weight[index], group, start)
    covariance = mixed.linear.cluster_covariance() if bool(complete.all()) else mixed.linear.covariance
    errors = np.diag(covariance)[:3]
    known = bool(np.all(np.isfinite(mixed.linear.degrees)) and np.all(errors > 0))
    if mixed.outcome in (Outcome.MAX_STEPS, Outcome.NOT_FINITE) or not known:
        return None
    half = float(stdtrit(len(candidates) - 1, 0.5 + confidence / 2)) * np.sqrt(errors)
    ends = np.stack([mixed.theta[:3], mixed.theta[:3] - half, mixed.theta[:3] + half])
    return _Centre(
        method="mixed_model", members=candidates, ln_ec50=ends[:, 2], plateaus=ends[:, :2], between_sd=_between(mixed), most_open=MOST_OPEN,
        said="",
    )  # fmt: skip


def _between(mixed: LogisticMixed) -> float:
    return float(np.sqrt(mixed.between_variance[2]))


def _open_donors(found: PopulationFits, rows: Sequence[int]) -> tuple[list[str], list[str], int]:
    """Donors that leave the EC50 open from below and from above, and how many have a say (a flat curve has none)."""
    low_closed, high_closed = closed_ends(found.fits)
    judged = [row for row in rows if str(found.fits.verdict[row]) not in ("flat", "bad", "not_sigmoid")]
    names = [found.points.series[row].donor for row in judged]
    low = [name for name, row in zip(names, judged, strict=True) if not low_closed[row]]
    high = [name for name, row in zip(names, judged, strict=True) if not high_closed[row]]
    return low, high, len(judged)


def _ec50(centre: _Centre, found: PopulationFits, rows: Sequence[int]) -> Estimate:
    """EC50 over donors, its ends open where the donors leave them open; the common bound where no donor has one."""
    if not centre.members:
        return _common_bound(found.fits, rows)
    open_low, open_high, judged = _open_donors(found, rows)
    value, low, high = (float(v) for v in np.exp(centre.ln_ec50))
    return Estimate(
        estimate=value, low=None if len(open_low) > centre.most_open * judged else low,
        high=None if len(open_high) > centre.most_open * judged else high,
    )  # fmt: skip


def _common_bound(fits: CurveFits, rows: Sequence[int]) -> Estimate:
    """Where every donor lies beyond the doses on the same side, the weakest of their bounds; else nothing."""
    low_closed, high_closed = closed_ends(fits)
    beyond = [row for row in rows if str(fits.verdict[row]) == "beyond_range"]
    if not beyond or len(beyond) < len(rows):
        return NOTHING
    if bool(np.all(low_closed[beyond])) and not bool(np.any(high_closed[beyond])):
        return Estimate(estimate=None, low=float(np.exp(fits.ln_low[beyond].min())), high=None)
    if bool(np.all(high_closed[beyond])) and not bool(np.any(low_closed[beyond])):
        return Estimate(estimate=None, low=None, high=float(np.exp(fits.ln_high[beyond].max())))
    return NOTHING


def _verdict(centre: _Centre, ec50: Estimate, rows: Sequence[int], fits: CurveFits) -> str:
    if not centre.members:
        return Counter(str(fits.verdict[row]) for row in rows).most_common(1)[0][0]
    if centre.method == "descriptive":
        return "too_few_donors"
    return "combined" if ec50.low is not None and ec50.high is not None else "open"


def _against(found: PopulationFits, members: Sequence[int]) -> str:
    """Donors whose curve runs against that of the others, in words, or ""."""
    rising = [bool(found.fits.theta[row, 1] >= found.fits.theta[row, 0]) for row in members]
    most = sum(rising) * 2 >= len(rising)
    others = [found.points.series[row].donor for row, rises in zip(members, rising, strict=True) if rises != most]
    return f"donors disagree: the curve of {', '.join(others)} {'falls' if most else 'rises'}" if others else ""


def _message(
    centre: _Centre, ec50: Estimate, found: PopulationFits, rows: Sequence[int], left_out: tuple[tuple[str, str], ...]
) -> str:
    said = [part for part in (centre.said, _against(found, centre.members)) if part]
    n = len(centre.members)
    if centre.method == "descriptive" and n:
        said.append(f"{n} donor{'s' if n > 1 else ''} with an EC50: no interval over donors below three")
    elif n:
        open_low, open_high, _ = _open_donors(found, rows)
        ends = (("lower", ec50.low, open_low), ("upper", ec50.high, open_high))
        said += [
            f"{side} end open, as {', '.join(names)} leave{'s' if len(names) == 1 else ''} it"
            for side, end, names in ends
            if end is None
        ]
    said += [f"{donor} left out: {reason}" for donor, reason in left_out]
    return "; ".join(said)


def _estimate(values: Array) -> Estimate:
    return Estimate(estimate=float(values[0]), low=float(values[1]), high=float(values[2]))


def donor_ratio(found: PopulationFits, rows: Sequence[int], reference: Sequence[int], *, confidence: float) -> DonorRatio | None:
    """EC50 of the comparator (its curves `reference`) / EC50 of the agonist (`rows`), in donors that have both; then t over donors."""
    fits, series = found.fits, found.points.series
    of_reference = {series[row].donor: row for row in reference if has_ec50(fits, row)}
    pairs = [(row, of_reference[series[row].donor]) for row in rows if has_ec50(fits, row) and series[row].donor in of_reference]
    comparator = series[reference[0]].agonist
    if not pairs:
        return DonorRatio(comparator=comparator, ratio=NOTHING, method="none: no donor has both", donors=(), donor_ratios=())
    test, against = [a for a, _ in pairs], [b for _, b in pairs]
    values = fits.theta[against, 2] - fits.theta[test, 2]
    t = t_interval(values, confidence=confidence)
    low_closed, high_closed = closed_ends(fits)
    enough = len(pairs) >= FEWEST_FOR_INTERVAL
    low = enough and bool(np.all(low_closed[against]) and np.all(high_closed[test]))
    high = enough and bool(np.all(high_closed[against]) and np.all(low_closed[test]))
    ratio = Estimate(
        estimate=float(np.exp(t.mean)), low=float(np.exp(t.low)) if low else None, high=float(np.exp(t.high)) if high else None
    )
    return DonorRatio(
        comparator=comparator, ratio=ratio, method="t_over_donors" if enough else "descriptive",
        donors=tuple(series[row].donor for row in test), donor_ratios=tuple(float(v) for v in np.exp(values)),
    )  # fmt: skip
