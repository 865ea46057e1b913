"""Comparisons over runs: the ratio formed within each run, then combined; and all of it as a JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from thrombokit.domain.estimate import Estimate
from thrombokit.dose_response.combine import Combined, RunEstimate, combine_runs
from thrombokit.dose_response.compare import Comparison

SCHEMA = "thrombokit.comparison/1"


def combine_comparisons(comparisons: Sequence[Comparison], *, confidence: float = 0.95) -> dict[str, tuple[Combined, Combined]]:
    """EC50 ratio and relative potency of each curve over its runs (REML, Hartung-Knapp).

    The second counts only runs in which the curves are parallel; both name the runs left out.
    """
    curves = dict.fromkeys(c.curve for c in comparisons if c.run is not None)
    return {
        curve: (
            combine_runs([_of(c, c.ec50_ratio, "no EC50 ratio") for c in comparisons if c.curve == curve], confidence=confidence),
            combine_runs([_of(c, c.relative_potency, c.reason) for c in comparisons if c.curve == curve], confidence=confidence),
        )
        for curve in curves
    }


def _of(comparison: Comparison, value: Estimate | None, why_not: str) -> RunEstimate:
    run = comparison.run or ""
    if value is None or value.estimate is None or not np.isfinite(comparison.se_ln_ratio):
        return RunEstimate(run=run, ln_value=float("nan"), se=float("nan"), left_out=why_not)
    return RunEstimate(
        run=run,
        ln_value=float(np.log(value.estimate)),
        se=comparison.se_ln_ratio,
        ln_low=float(np.log(value.low)) if value.low else float("-inf"),
        ln_high=float(np.log(value.high)) if value.high else float("inf"),
    )


def comparison_document(comparisons: Sequence[Comparison], *, confidence: float = 0.95) -> dict[str, Any]:
    """What `plate compare --json` prints: every comparison, and with runs one combined entry a curve."""
    combined = [
        {
            "curve": curve,
            "reference": comparisons[0].reference,
            "ec50_ratio": ratio.value.to_dict(),
            "relative_potency": potency.value.to_dict() if potency.value.low is not None else None,
            "n_runs": ratio.n_runs,
            "n_runs_parallel": potency.n_runs,
            "between_run_sd_log10": ratio.between_sd_log10,
            "within_run_sd_log10": ratio.within_sd_log10,
            "interval": ratio.interval,
            "runs_left_out": [{"run": run, "reason": reason} for run, reason in ratio.left_out],
            "reason": f"{ratio.n_runs} runs" if ratio.interval == "hartung_knapp" else ratio.interval,
        }
        for curve, (ratio, potency) in combine_comparisons(comparisons, confidence=confidence).items()
    ]
    return {"schema": SCHEMA, "confidence": confidence, "comparisons": [_plain(c) for c in comparisons], "combined": combined}


def _plain(comparison: Comparison) -> dict[str, Any]:
    document = asdict(comparison)
    for part, name in ((document, "se_ln_ratio"), (document["efficacy"], "se_ln_emax_ratio")):
        if not np.isfinite(part[name]):
            part[name] = None
    if comparison.run is None:
        del document["run"]
    return document
