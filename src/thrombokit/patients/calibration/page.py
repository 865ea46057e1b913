"""The page that tells how a calibration went, written from its result alone: no number in it can disagree with the frozen sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from thrombokit.evidence.scenarios import Scenario, ScenarioEntry, Use, load_scenarios
from thrombokit.patients.calibration.drug_free import PRIOR_WORDS as DRUG_FREE_PRIORS
from thrombokit.patients.calibration.effect_site import STRETCH_H, halflife_at, mean_drive
from thrombokit.patients.calibration.eltrombopag import PRIOR_WORDS as ELTROMBOPAG_PRIORS
from thrombokit.patients.calibration.figures import CHECKS_FIGURE, INFORMED_FIGURE
from thrombokit.patients.calibration.hetrombopag import PRIOR_WORDS as HETROMBOPAG_PRIORS
from thrombokit.patients.calibration.page_words import CLOSING, OPENING, PROTOCOL
from thrombokit.patients.calibration.run import LARGEST_SHIFT, LEAST_EFFECTIVE, LEAST_RETAINED, CalibrationResult
from thrombokit.patients.calibration.tables import FAILED_BELOW, Informed


def calibration_page(result: CalibrationResult, *, freezes: Sequence[tuple[str, ...]] = ()) -> str:
    """The page as Markdown; `freezes` are version, seed, hash over all sets and reason of every freeze so far."""
    effort = result.effort
    ran = (
        f"This page was written by the run it tells of (`make calibrate`, seed {result.seed}, version {result.version}): "
        f"{effort.n_draws:,} prior draws a step (four times as many for V8), {effort.n_patients} virtual candidates an arm, "
        f"{effort.n_retained} draws retained."
    )
    parts = [
        OPENING, ran, _short_answers(result), PROTOCOL, _priors(), "## How well the trials are known", _scenarios(load_scenarios()),
        "## Enough draws?", _accounts(result), "## What the data said",
        f"![Posterior over prior SD of each parameter](figures/{INFORMED_FIGURE}.svg)",
        _informed(result), "## Published numbers beside the fit", f"![Posterior-predictive p of each number](figures/{CHECKS_FIGURE}.svg)",
        _checks(result), "## Twice the patients", _doubling(result), "## Transfer: other spreads", _sensitivity(result),
        CLOSING, _halflife(), "## Frozen sets", _sets(result), _freezes(freezes),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def _short_answers(result: CalibrationResult) -> str:
    failed = sorted({row.arm for row in result.checks if row.verdict == "failed"})
    few = [account.chain for account in result.accounts if account.verdict != "enough draws"]
    mute = sorted({row.parameter for row in result.informed if row.parameter.startswith("rescue.") and row.ratio > 0.8})
    moved = sum(abs(row.shift) > LARGEST_SHIFT for row in result.doubling)
    lines = [
        f"- Failed checks (p below {FAILED_BELOW:g} in one chain or more; they stay, and nothing is added to repair them): "
        f"{'; '.join(failed) or 'none'}.",
        f"- Chains with fewer than {LEAST_EFFECTIVE:.0f} effective draws: {', '.join(few) or 'none'}.",
        f"- Of rescue, not informed by any placebo arm: {', '.join(mute) or 'nothing'}.",
        f"- Posterior means that move by more than {LARGEST_SHIFT:g} SD when patients are doubled: {moved} of {len(result.doubling)}.",
    ]
    return "\n".join(lines)


def _priors() -> str:
    told = {**DRUG_FREE_PRIORS, **ELTROMBOPAG_PRIORS, **HETROMBOPAG_PRIORS}
    return "### Priors\n\n" + _table(("parameter", "prior"), [(f"`{name}`", words) for name, words in told.items()])


def _scenarios(scenarios: Iterable[Scenario]) -> str:
    rows: list[tuple[str, ...]] = []
    for scenario in scenarios:
        entries = [*scenario.design.values(), *(entry for arm in scenario.arms for entry in (arm.dose_mg, arm.days, arm.n))]
        entries += [outcome.result for arm in scenario.arms for outcome in arm.outcomes]
        fitted = ", ".join(arm.name for arm in scenario.arms if arm.use is Use.CALIBRATE) or "none"
        kept = ", ".join(arm.name for arm in scenario.arms if arm.use is Use.PREDICT) or "none"
        rows.append(
            (
                scenario.name,
                ", ".join(_rows_of(scenario)),
                fitted,
                kept,
                _tiers(entries),
                str(sum(not entry.is_known for entry in entries)),
            )
        )
    return _table(
        ("scenario", "rows", "arms fitted to", "arms excluded from fitting", "entries by tier", "sets of possibilities"), rows
    )


def _rows_of(scenario: Scenario) -> list[str]:
    return sorted({outcome.row for arm in scenario.arms for outcome in arm.outcomes})


def _tiers(entries: Iterable[ScenarioEntry]) -> str:
    tiers = [entry.tier.value for entry in entries]
    return ", ".join(f"{tiers.count(tier)} {tier}" for tier in sorted(set(tiers)))


def _accounts(result: CalibrationResult) -> str:
    limits = f"Limits fixed beforehand: {LEAST_EFFECTIVE:.0f} effective draws at every step of a chain, {LEAST_RETAINED} retained."
    rows = [
        (
            account.chain,
            "; ".join(f"{name.split(': ')[-1]} {size:,.0f}" for name, size in account.steps),
            f"{account.least:.0f}",
            account.verdict,
        )
        for account in result.accounts
    ]
    return limits + "\n\n" + _table(("chain", "effective draws of each step", "least", "verdict"), rows)


def _number(value: float) -> str:
    return f"{value:.3g}"


def _range(told: tuple[float, float, float]) -> str:
    low, middle, high = (_number(value) for value in told)
    return f"{middle} ({low} to {high})"


def _informed_rows(rows: Iterable[Informed]) -> list[tuple[str, ...]]:
    return [
        (row.chain, f"`{row.parameter}`", _range(row.prior), _range(row.posterior), f"{row.ratio:.2f}", row.verdict) for row in rows
    ]


def _informed(result: CalibrationResult) -> str:
    words = (
        "Median and 5 to 95 % range before and after. The ratio is posterior over prior SD, on the log scale for parameters with a "
        "log-uniform or log-normal prior; above 0.8 a parameter counts as not informed by the data. `trial.*` are things the articles do "
        "not say. For hetrombopag the prior of the disease parameters is what eltrombopag left."
    )
    head = ("chain", "parameter", "prior", "posterior", "ratio", "verdict")
    return words + "\n\n" + _table(head, _informed_rows(result.informed))


def _checks(result: CalibrationResult) -> str:
    words = (
        "Two-sided posterior-predictive p: how often a new trial of the same size, from the fitted draws, gives a number as far out. For medians "
        "and rises `predicted` is the probability of a lower one."
    )
    rows = [(row.chain, row.arm, row.published, f"{row.predicted:.3f}", f"{row.p:.3f}", row.verdict) for row in result.checks]
    return words + "\n\n" + _table(("chain", "number", "published", "predicted", "p", "check"), rows)


def _doubling(result: CalibrationResult) -> str:
    words = (
        f"The same {result.effort.n_doubled:,} draws weighed with {result.effort.n_patients} and with {2 * result.effort.n_patients} "
        f"candidates an arm: the largest shift of a posterior mean in each chain, in posterior SDs. A shift above {LARGEST_SHIFT:g} counts as moved."
    )
    rows: list[tuple[str, ...]] = []
    for chain in dict.fromkeys(row.chain for row in result.doubling):
        worst = max((row for row in result.doubling if row.chain == chain), key=lambda row: abs(row.shift))
        rows.append(
            (chain, f"`{worst.parameter}`", f"{worst.shift:+.2f}", "moved" if abs(worst.shift) > LARGEST_SHIFT else "stands")
        )
    return words + "\n\n" + _table(("chain", "parameter that moves most", "shift (SD)", "verdict"), rows)


def _sensitivity(result: CalibrationResult) -> str:
    words = "Transfer from eltrombopag to hetrombopag is multiplied by a log-normal factor of SD 0.5. The same step with an SD of 0 and of 1:"
    rows = [
        (f"{told.transfer_sd:g}", row.chain, f"`{row.parameter}`", _range(row.posterior))
        for told in result.sensitivity
        for row in told.rows
        if row.parameter in ("gamma", "theta x transfer")
    ]
    return words + "\n\n" + _table(("SD", "chain", "parameter", "posterior"), rows)


def _sets(result: CalibrationResult) -> str:
    words = (
        "In `agonists/calibrated/`, read with `load_parameter_set(name)`, which refuses a set whose content does not have its hash."
    )
    rows = [(f"`{told.name}`", told.kind, told.model or "none", str(told.n), f"`{told.sha256}`") for told in result.sets]
    return words + "\n\n" + _table(("set", "kind", "model", "draws", "SHA-256"), rows)


def _freezes(freezes: Sequence[tuple[str, ...]]) -> str:
    head = ("version", "seed", "SHA-256 over all sets", "reason")
    return "Every freeze so far:\n\n" + _table(head, [(v, seed, f"`{digest}`", why) for v, seed, digest, why in freezes])


def _halflife() -> str:
    """How much the mean daily drive at steady state changes when the half-life of 5 mg is used at 7.5 mg, over the range of half-lives."""
    drive, worst = np.empty(40 * 4), 0.0
    for halflife_h in (12.0, 20.0, 30.0, 40.0):
        for gamma in (0.3, 0.6, 1.0, 1.5):
            means: list[float] = []
            for used_h in (halflife_h, halflife_at(7.5, halflife_h)):
                mean_drive(7.5, 40, used_h, gamma, STRETCH_H, drive)
                means.append(float(drive[-4:].mean()))
            worst = max(worst, abs(means[0] / means[1] - 1.0))
    return (
        "The half-life of the effect site in a set is that of 5 mg, and the model file uses it at every dose. In the fit it rises with the dose: at "
        f"7.5 mg a day this changes the mean drive of steady state by {100 * worst:.1f} % at most (half-lives of 12 to 40 h, gamma of 0.3 to 1.5)."
    )
