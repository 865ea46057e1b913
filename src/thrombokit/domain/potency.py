"""Potency: how much agonist it takes in one assay; the noun that crosses from plate to signalling and report."""

from __future__ import annotations

from dataclasses import dataclass

from thrombokit.domain.estimate import Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Assay:
    """What an EC50 belongs to; ratios compare only within one assay."""

    cell_system: str
    readout: str
    hours: float | None
    serum: str | None = None

    def label(self) -> str:
        """Words for a caption: "32D-MPL, luminescence, 72 h"."""
        parts = [self.cell_system, self.readout]
        if self.hours is not None:
            parts.append(f"{self.hours:g} h")
        if self.serum:
            parts.append(self.serum)
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, kw_only=True, slots=True)
class Potency:
    """Relative EC50 of one agonist in one assay, over its independent runs.

    Units: nM. `interval` says how the interval was formed ("hartung_knapp") or why there is none ("none: fewer than 3 runs").
    `between_run_sd_log10` and `within_run_sd_log10` (of the runs' own errors) are the variance components, in log10 units.
    `run_ec50_nM` and `run_intervals_nM` (each run's own interval, None where open) follow `runs_used`. `verdict` is "combined",
    "too_few_runs", or, where no run has an EC50, what most of their curves say ("flat", "beyond_range", ...); if all lie beyond the
    doses on one side, `ec50_nM` carries the bound.
    """

    agonist: str
    assay: Assay
    ec50_nM: Estimate
    n_runs: int
    runs_used: tuple[str, ...]
    runs_left_out: tuple[tuple[str, str], ...]
    run_ec50_nM: tuple[float, ...]
    between_run_sd_log10: float | None
    interval: str
    verdict: str
    within_run_sd_log10: float | None = None
    run_intervals_nM: tuple[tuple[float | None, float | None], ...] = ()
