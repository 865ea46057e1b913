"""From curves to potencies: one EC50 a run, runs combined; the ratio to the comparator formed within each run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from thrombokit.domain.potency import Assay, Potency
from thrombokit.dose_response.combine import USED_VERDICTS, Combined, RunEstimate, combine_runs
from thrombokit.dose_response.fits import CurveFits
from thrombokit.plate.curves import CurveKey
from thrombokit.plate.result import PotencyRatio

if TYPE_CHECKING:
    from thrombokit.plate.analyse import PlateSettings


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
    out: list[RunEstimate] = []
    for run, members in by_run.items():
        good: list[int] = []
        reasons: list[str] = []
        for row in members:
            if keys[row].plate in failed:
                reasons.append(f"plate {keys[row].plate} failed its quality check")
            elif str(fits.verdict[row]) not in USED_VERDICTS or not np.isfinite(fits.se_ln_ec50[row]):
                reasons.append(f"plate {keys[row].plate}: {fits.message[row] or fits.verdict[row]}")
            else:
                good.append(row)
        if not good:
            out.append(RunEstimate(run=run, ln_value=float("nan"), se=float("nan"), left_out="; ".join(reasons)))
            continue
        weight = 1.0 / fits.se_ln_ec50[good] ** 2
        mean = float(np.sum(weight * fits.theta[good, 2]) / np.sum(weight))
        out.append(RunEstimate(run=run, ln_value=mean, se=float(1.0 / np.sqrt(np.sum(weight)))))
    return out


def combine_potencies(keys: Sequence[CurveKey], fits: CurveFits, failed: set[str], settings: PlateSettings) -> tuple[Potency, ...]:
    """Potency of every agonist in every assay, over runs; plates in `failed` are named and left out."""
    out: list[Potency] = []
    for (assay, agonist), rows in _groups(keys, settings).items():
        combined = combine_runs(run_values(keys, fits, rows, failed), confidence=settings.fit.confidence)
        out.append(
            Potency(
                agonist=agonist,
                assay=assay,
                ec50_nM=combined.value,
                n_runs=combined.n_runs,
                runs_used=combined.used,
                runs_left_out=combined.left_out,
                run_ec50_nM=combined.values,
                between_run_sd_log10=combined.between_sd_log10,
                interval=combined.interval,
                verdict=_verdict(combined),
            )
        )
    return tuple(out)


def _verdict(combined: Combined) -> str:
    if combined.interval == "hartung_knapp":
        return "combined"
    return "too_few_runs" if combined.used else "no_estimate"


def combine_ratios(
    keys: Sequence[CurveKey], fits: CurveFits, failed: set[str], settings: PlateSettings
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
