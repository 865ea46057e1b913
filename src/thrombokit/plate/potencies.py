"""From curves to potencies: one EC50 a run, runs combined; the ratio to the comparator formed within each run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.special import stdtrit

from thrombokit.domain.estimate import Estimate
from thrombokit.domain.potency import Assay, Potency
from thrombokit.dose_response.combine import Combined, RunEstimate, combine_runs, has_ec50
from thrombokit.dose_response.fits import CurveFits
from thrombokit.dose_response.points import CurvePoints
from thrombokit.plate.curves import CurveKey
from thrombokit.plate.parallel_runs import parallel_in_runs
from thrombokit.plate.result import PotencyRatio
from thrombokit.plate.settings import PlateSettings


def _groups(keys: Sequence[CurveKey], settings: PlateSettings) -> dict[tuple[Assay, str], list[int]]:
    """Curves of one agonist in one assay, in order of appearance; counter-screens are no potency."""
    groups: dict[tuple[Assay, str], list[int]] = {}
    for row, key in enumerate(keys):
        if not key.counter_screen:
            assay = Assay(cell_system=key.cell_system, readout=settings.readout, hours=key.hours, serum=settings.serum)
            groups.setdefault((assay, key.agonist), []).append(row)
    return groups


def run_values(keys: Sequence[CurveKey], fits: CurveFits, rows: Iterable[int], failed: set[str]) -> list[RunEstimate]:
    """One estimate a run: the inverse-variance mean of the run's good curves, or the reasons why it has none."""
    by_run: dict[str, list[int]] = {}
    for row in rows:
        by_run.setdefault(keys[row].run, []).append(row)
    return [_run_value(run, keys, fits, members, failed) for run, members in by_run.items()]


def _run_value(run: str, keys: Sequence[CurveKey], fits: CurveFits, rows: list[int], failed: set[str]) -> RunEstimate:
    reasons: dict[str, None] = {}
    good: list[int] = []
    for row in rows:
        if keys[row].plate in failed:
            reasons[f"plate {keys[row].plate} failed its quality check"] = None
        elif not has_ec50(fits, row):
            reasons[str(fits.message[row] or fits.verdict[row])] = None
        else:
            good.append(row)
    if not good:
        return RunEstimate(run=run, ln_value=float("nan"), se=float("nan"), left_out="; ".join(reasons))
    weight = 1.0 / fits.se_ln_ec50[good] ** 2
    mean, se = float(np.sum(weight * fits.theta[good, 2]) / np.sum(weight)), float(1.0 / np.sqrt(np.sum(weight)))
    if len(good) == 1:
        low, high = float(fits.ln_low[good[0]]), float(fits.ln_high[good[0]])
    else:
        half = float(stdtrit(int(np.sum(fits.degrees[good])), 0.5 + fits.settings.confidence / 2)) * se
        low, high = mean - half, mean + half
    return RunEstimate(run=run, ln_value=mean, se=se, ln_low=low, ln_high=high)


def combine_potencies(keys: Sequence[CurveKey], fits: CurveFits, failed: set[str], settings: PlateSettings) -> tuple[Potency, ...]:
    """Potency of every agonist in every assay, over runs; plates in `failed` are named and left out."""
    out: list[Potency] = []
    for (assay, agonist), rows in _groups(keys, settings).items():
        combined = combine_runs(run_values(keys, fits, rows, failed), confidence=settings.fit.confidence)
        judged = [row for row in rows if keys[row].plate not in failed]
        out.append(
            Potency(
                agonist=agonist,
                assay=assay,
                ec50_nM=combined.value if combined.used else _common_bound(fits, judged),
                n_runs=combined.n_runs,
                runs_used=combined.used,
                runs_left_out=combined.left_out,
                run_ec50_nM=combined.values,
                between_run_sd_log10=combined.between_sd_log10,
                interval=combined.interval,
                verdict=_verdict(combined, fits, judged),
                run_intervals_nM=combined.intervals,
                within_run_sd_log10=combined.within_sd_log10,
            )
        )
    return tuple(out)


def _verdict(combined: Combined, fits: CurveFits, rows: list[int]) -> str:
    if combined.interval == "hartung_knapp":
        return "combined"
    if combined.used:
        return "too_few_runs"
    counts = Counter(str(fits.verdict[row]) for row in rows)
    return counts.most_common(1)[0][0] if counts else "no_plate_passed"


def _common_bound(fits: CurveFits, rows: list[int]) -> Estimate:
    """Where every curve lies beyond the doses on the same side, the weakest of their bounds; else nothing."""
    beyond = [row for row in rows if str(fits.verdict[row]) == "beyond_range"]
    if not beyond or len(beyond) < len(rows):
        return Estimate(estimate=None, low=None, high=None)
    above = fits.theta[beyond, 2] > np.log(fits.dose_high_nM[beyond])
    if above.all():
        return Estimate(estimate=None, low=float(np.exp(fits.ln_low[beyond].min())) or None, high=None)
    if not above.any():
        return Estimate(estimate=None, low=None, high=float(np.exp(fits.ln_high[beyond].max())))
    return Estimate(estimate=None, low=None, high=None)


def combine_ratios(
    keys: Sequence[CurveKey], points: CurvePoints, fits: CurveFits, failed: set[str], settings: PlateSettings
) -> tuple[PotencyRatio, ...]:
    """EC50 of the comparator / EC50 of each other agonist, within each run and then over runs."""
    if settings.comparator is None:
        return ()
    groups = _groups(keys, settings)
    out: list[PotencyRatio] = []
    for (assay, agonist), rows in groups.items():
        reference = groups.get((assay, settings.comparator))
        if agonist == settings.comparator or reference is None:
            continue
        test_runs = {e.run: e for e in run_values(keys, fits, rows, failed)}
        reference_runs = {e.run: e for e in run_values(keys, fits, reference, failed)}
        ratios = [_ratio(test_runs[run], reference_runs[run]) for run in test_runs if run in reference_runs]
        combined = combine_runs(ratios, confidence=settings.fit.confidence)
        parallel = parallel_in_runs(keys, points, fits, rows, reference, failed, settings.margins)
        out.append(
            PotencyRatio(
                agonist=agonist,
                comparator=settings.comparator,
                assay=assay,
                ratio=combined.value,
                n_runs=combined.n_runs,
                runs_used=combined.used,
                run_ratios=combined.values,
                interval=combined.interval,
                reason=_reason(combined),
                parallel=parallel.verdict,
                runs_parallel=parallel.parallel,
                runs_not_parallel=parallel.not_parallel,
                runs_undecided=parallel.undecided,
                relative_potency=parallel.relative_potency,
                emax_ratio=parallel.emax_ratio,
            )
        )
    return tuple(out)


def _ratio(test: RunEstimate, reference: RunEstimate) -> RunEstimate:
    left_out = test.left_out or (f"comparator: {reference.left_out}" if reference.left_out else "")
    return RunEstimate(
        run=test.run, ln_value=reference.ln_value - test.ln_value, se=float(np.hypot(test.se, reference.se)), left_out=left_out
    )


def _reason(combined: Combined) -> str:
    if combined.interval == "hartung_knapp":
        return ""
    if not combined.used:
        return "no run has an EC50 of both"
    return f"{combined.n_runs} run{'s' if combined.n_runs > 1 else ''}: value shown, no pooled interval"
