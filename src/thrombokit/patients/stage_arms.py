"""Results of cohorts, event tables and analyses -> the rows of a study's patients stage."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl

from thrombokit.domain.agonist import Tier
from thrombokit.numerics.binomial_intervals import wilson
from thrombokit.patients.cohort_diagnostics import CohortDiagnostics
from thrombokit.patients.cohort_result import CohortResult
from thrombokit.patients.draws_result import DrawsResult
from thrombokit.patients.events_result import EventsResult
from thrombokit.patients.ledger import Ledger
from thrombokit.patients.model import PatientModel
from thrombokit.patients.nca_result import NcaResult
from thrombokit.patients.stage import EventsRun, PatientsArm, ProfilesRun
from thrombokit.patients.titration import Titration

NOT_SAID = "without a tier"
TOLD = ("CMAX", "AUCLST", "AUCIFO", "AUCTAU", "LAMZHL")
"""Parameters that a sentence tells."""
LEDGER_SCHEMA = {
    "arm": pl.String, "ID": pl.Int64, "TIME": pl.Float64, "VISIT_VALUE": pl.Float64, "AMT_BEFORE": pl.Float64, "AMT_AFTER": pl.Float64,
    "RULE": pl.Int64, "REASON": pl.String, "THRESHOLD": pl.Float64, "DISTANCE": pl.Float64,
}  # fmt: skip


def arm_of(
    name: str,
    cohort: str,
    regimen: str,
    result: CohortResult,
    diagnostics: CohortDiagnostics,
    model: PatientModel,
    rule: Titration | None,
    drawn: DrawsResult | None = None,
) -> PatientsArm:
    """One arm in plain values.

    Parameters
    ----------
    name, cohort, regimen : str
        What the study calls them.
    result : CohortResult
    diagnostics : CohortDiagnostics
        Of that result.
    model : PatientModel
        That was run; its parameters' tiers are counted.
    rule : Titration or None
        None for a fixed dose.
    drawn : DrawsResult, optional
        The same regimen under draws of frozen parameters.
    """
    return PatientsArm(
        name=name, cohort=cohort, regimen=regimen, regimen_title=result.regimen if result.titrated else regimen, model_file=result.model_file,
        model_title=result.model_title, model_hash=result.model_hash, titrated=result.titrated, population=result.population,
        criterion=result.criterion, patients=result.n, weeks=result.n_weeks, engine=result.engine, stated_error=result.stated_error,
        amount_unit=result.amount_unit, draws_mean=float(result.draws.mean()), draws_most=int(result.draws.max()),
        decisions=len(result.ledger), changes=len(result.ledger.changes()), near_ties=len(result.near_ties()),
        rescued_patients=int(result.rescue_given.any(axis=1).sum()), dropped_out=int(result.dropped_out[:, -1].sum()),
        parameter_tiers=parameter_tiers(model), rule_tiers={} if rule is None else rule_tiers(rule),
        said=arm_sentences(name, result, diagnostics), notes=result.notes, parameter_sets=() if drawn is None else drawn.sets,
        draws=0 if drawn is None else drawn.draws, said_of_draws=None if drawn is None else f"{name}, under frozen draws: {drawn.summary()}",
    )  # fmt: skip


def arm_sentences(name: str, result: CohortResult, diagnostics: CohortDiagnostics) -> tuple[str, ...]:
    """The end of an arm in words: share in range, ever above the limit, dose; then engine, decisions, and what else happened."""
    last, r, n = diagnostics.weeks.row(-1, named=True), diagnostics.counts_in, result.n
    ever = int((diagnostics.weeks_above > 0).sum())
    low, high = wilson(ever, n, confidence=diagnostics.confidence)
    if last["in_range"] is None:
        end = f"{name}: nobody of {n} virtual patients is left at week {last['week']}"
    else:
        share = f"{100 * last['in_range']:.1f} % ({100 * last['in_range_low']:.1f} to {100 * last['in_range_high']:.1f} %)"
        end = (
            f"{name}: at week {last['week']}, {share} of {last['patients']} virtual patients are at {r.low:g} to {r.high:g} x 1e9/L, "
            f"the median is {last['p50']:.3g} x 1e9/L and the mean dose {last['dose_mean']:.3g} {result.amount_unit} "
            f"(0 for the {100 * last['not_dosed']:.1f} % who are not dosed)"
        )
    over = f"{100 * ever / n:.1f} % ({100 * low:.1f} to {100 * high:.1f} %) were above {r.above:g} x 1e9/L at least once"
    how = f"Engine {result.engine}, relative error of a count at most {result.stated_error:.0e}"
    if result.titrated:
        ties = "no near tie" if not len(result.near_ties()) else f"{len(result.near_ties())} near ties"
        how += f"; {len(result.ledger)} decisions, {len(result.ledger.changes())} changed the dose, {ties}"
    rescued, left = int(result.rescue_given.any(axis=1).sum()), int(result.dropped_out[:, -1].sum())
    others = [f"{rescued} patients were rescued"] if rescued else []
    others += [f"{left} left before the end"] if left else []
    return (f"{end}; {over}.", f"{'; '.join([how, *others])}.")


def parameter_tiers(model: PatientModel) -> dict[str, int]:
    """How many thetas, blocks of random effects and mixtures of a model are of each tier."""
    tiers = [theta.tier for theta in model.theta.values()] + [block.tier for block in model.omega]
    tiers += [mixture.tier for mixture in model.mixtures]
    counted = Counter(NOT_SAID if tier is None else str(tier) for tier in tiers)
    return {tier: counted[tier] for tier in (*map(str, Tier), NOT_SAID) if counted[tier]}


def rule_tiers(rule: Titration) -> dict[str, int]:
    """How many lines of a titration were read somewhere, and how many are assumed (a line may be both: it counts as assumed)."""
    lines = [line.casefold() for told in rule.tier.values() for line in told]
    counted = Counter("assumed" if "assumed" in line else line.split(":")[0] for line in lines)
    return dict(sorted(counted.items()))


def ledger_table(arm: str, ledger: Ledger) -> pl.DataFrame:
    """The ledger with its arm, the nearest threshold and the distance of the count from it (1e9/L; null where there is none)."""
    return ledger.table().select(
        pl.lit(arm).alias("arm"), pl.col("ID").cast(pl.Int64), *(pl.col(name) for name in list(LEDGER_SCHEMA)[2:8]),
        THRESHOLD=_finite(ledger.threshold), DISTANCE=_finite(ledger.distance),
    ).cast(LEDGER_SCHEMA)  # fmt: skip  # pyright: ignore[reportArgumentType]


def reasons_table(ledger: pl.DataFrame) -> pl.DataFrame:
    """`arm, reason, decisions, patients`, the most frequent first."""
    counted = ledger.group_by("arm", "REASON", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("decisions"), pl.col("ID").n_unique().cast(pl.Int64).alias("patients")
    )
    places = {arm: at for at, arm in enumerate(ledger["arm"].unique(maintain_order=True).to_list())}
    ordered = counted.with_columns(pl.col("arm").replace_strict(places, return_dtype=pl.Int64).alias("at"))
    return ordered.sort("at", "decisions", "REASON", descending=[False, True, False]).drop("at").rename({"REASON": "reason"})


def events_run(name: str, result: EventsResult) -> EventsRun:
    """A run of an event table in plain values."""
    outputs = tuple(
        (output, float(result.outputs[:, k].min()), float(result.outputs[:, k].max()))
        for k, output in enumerate(result.output_names)
    )
    return EventsRun(
        name=name, model_file=result.model_file, individuals=result.n_individuals, records=int(result.time.size), engine=result.engine,
        stated_error=result.stated_error, random=result.seed is not None,
        decisions=None if result.ledger is None else len(result.ledger), outputs=outputs, said=result.summary(),
    )  # fmt: skip


def profiles_run(name: str, result: NcaResult) -> ProfilesRun:
    """An analysis of concentrations in plain values; its sentence names no subject."""
    settings = result.settings
    said = [f"{name}: {len(result.profiles)} profiles ({settings.route.value}, {settings.method.value})."]
    for row in result.statistics().filter(pl.col("PPTESTCD").is_in(TOLD)).to_dicts():
        group = f"{row['GROUP']}, " if row["GROUP"] else ""
        mean, cv = row["geometric_mean"], row["geometric_cv_percent"]
        value = "no value" if mean is None else f"{mean:.4g} {row['PPSTRESU']}" + ("" if cv is None else f" ({cv:.3g} %)")
        withheld = f", {row['n_withheld']} withheld" if row["n_withheld"] else ""
        said.append(f"{group}{row['PPTESTCD']}: geometric mean (CV) {value}, n = {row['n']}{withheld}.")
    return ProfilesRun(
        name=name, profiles=len(result.profiles), route=settings.route.value, method=settings.method.value, said=" ".join(said)
    )


def event_rows(name: str, result: EventsResult) -> pl.DataFrame:
    """`run, record, ID, TIME, output, value`: a row a record and output."""
    table = result.table().with_columns(pl.col("ID").cast(pl.Float64)).with_row_index("record", offset=1)
    long = table.unpivot(index=["record", "ID", "TIME"], variable_name="output", value_name="value")
    return long.select(pl.lit(name).alias("run"), pl.col("record").cast(pl.Int64), "ID", "TIME", "output", "value")


def _finite(values: np.ndarray) -> pl.Series:
    return pl.Series([float(value) if np.isfinite(value) else None for value in values], dtype=pl.Float64)
