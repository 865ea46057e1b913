"""Mixed model for repeated measures (MMRM): arm x visit means with covariates, a covariance of the visits, no random effects.

Least-squares means hold numeric covariates at their mean over the analysed rows and weight the levels of categories equally. Degrees of
freedom are Satterthwaite's, from the observed information of the covariance (as R's mmrm and SAS PROC MIXED do), or Kenward and Roger's.
Missing visits are left out, which is valid when they are missing at random given what was seen.

References
----------
Mallinckrodt et al. 2008, doi:10.1177/009286150804200402 (MMRM in confirmatory trials). Fai & Cornelius 1996, doi:10.1080/00949659608811740.
Kenward & Roger 1997, doi:10.2307/2533558.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.special import stdtr, stdtrit

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array, FrozenArrays
from thrombokit.numerics.outcome import Outcome
from thrombokit.numerics.restricted_likelihood import by_pattern
from thrombokit.numerics.restricted_search import RepeatedFit, fit_repeated
from thrombokit.numerics.visit_covariance import STRUCTURES, VisitCovariance
from thrombokit.trials.repeated_measures import AnalysisRows, DroppedRows, RepeatedMeasures, analysis_rows

SCHEMA = "thrombokit.mmrm/1"
DEGREES = ("satterthwaite", "kenward-roger")


@dataclass(frozen=True, kw_only=True)
class MeanEstimate:
    """A least-squares mean, or a difference of two when `reference` names an arm; None where it cannot be known."""

    visit: str
    arm: str
    reference: str | None
    estimate: float
    se: float
    df: float | None
    low: float | None
    high: float | None
    p: float | None

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it; a mean has no reference and no p."""
        shown: dict[str, Any] = {"visit": self.visit, "arm": self.arm}
        shown |= {} if self.reference is None else {"reference": self.reference}
        shown |= {name: getattr(self, name) for name in ("estimate", "se", "df", "low", "high")}
        return shown if self.reference is None else shown | {"p": self.p}


@dataclass(frozen=True, kw_only=True, eq=False)
class MmrmResult(FrozenArrays):
    """A fitted MMRM: means and contrasts by visit, the covariance (m, m) of the visits, and how the fit ended (`verdict`)."""

    structure: str
    degrees: str
    confidence: float
    verdict: str
    minus2_reml: float
    rows: AnalysisRows
    coefficients: dict[str, tuple[float, float]]
    covariance: Array
    lsmeans: tuple[MeanEstimate, ...]
    contrasts: tuple[MeanEstimate, ...]

    def to_dict(self) -> dict[str, Any]:
        """What `thrombokit trials mmrm --json` prints."""
        return {
            "schema": SCHEMA, "covariance_structure": self.structure, "df_method": self.degrees, "confidence": self.confidence,
            "verdict": self.verdict, "minus2_reml": self.minus2_reml, "n_subjects": len(self.rows.subjects),
            "n_rows": int(self.rows.response.size), "visits": list(self.rows.visits), "arms": list(self.rows.arms),
            "lsmeans": [mean.to_dict() for mean in self.lsmeans],
            "contrasts": [contrast.to_dict() for contrast in self.contrasts],
            "coefficients": [{"name": name, "estimate": b, "se": se} for name, (b, se) in self.coefficients.items()],
            "covariates_at": dict(zip(self.rows.extra_names, self.rows.extra_means.tolist(), strict=True)),
            "covariance": self.covariance.tolist(),
            "dropped_rows": [{"reason": d.reason, "n": d.n, "first": list(d.first_places)} for d in self.rows.dropped],
        }  # fmt: skip

    def table(self) -> pl.DataFrame:
        """One row per mean and contrast."""
        rows = [
            {"kind": kind, **_columns(row)}
            for kind, group in (("mean", self.lsmeans), ("contrast", self.contrasts))
            for row in group
        ]
        words = ("kind", "visit", "arm", "reference")
        numbers = ("estimate", "se", "df", "low", "high", "p")
        return pl.DataFrame(rows, schema={**dict.fromkeys(words, pl.String), **dict.fromkeys(numbers, pl.Float64)})

    def summary(self) -> str:
        """A few plain sentences."""
        n, dropped = len(self.rows.subjects), sum(d.n for d in self.rows.dropped)
        lines = [f"{n} subjects, {self.rows.response.size} rows, {len(self.rows.visits)} visits; {self.structure} covariance, "
                 f"{self.degrees} degrees of freedom; fit {self.verdict}."]  # fmt: skip
        lines += [f"{dropped} rows left out: {', '.join(f'{d.n} {d.reason}' for d in self.rows.dropped)}."] if dropped else []
        last = [c for c in self.contrasts if c.visit == self.rows.visits[-1]]
        lines += [_sentence(contrast, self.confidence) for contrast in last]
        return " ".join(lines)


def _columns(row: MeanEstimate) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("visit", "arm", "reference", "estimate", "se", "df", "low", "high", "p")}


def _sentence(contrast: MeanEstimate, confidence: float) -> str:
    head = f"Visit {contrast.visit}: {contrast.arm} minus {contrast.reference} {contrast.estimate:.4g}"
    if contrast.low is None or contrast.high is None or contrast.p is None:
        return f"{head}; no interval can be given."
    return f"{head} ({100 * confidence:g} % {contrast.low:.4g} to {contrast.high:.4g}), p = {contrast.p:.3g}."


def fit_mmrm(
    data: RepeatedMeasures, *, reference: str, covariance: str = "us", degrees: str = "satterthwaite", confidence: float = 0.95,
    visit_order: Sequence[str] = (),
) -> MmrmResult:  # fmt: skip
    """Fit arm x visit means with covariates by restricted maximum likelihood.

    Parameters
    ----------
    data : RepeatedMeasures
        Rows of subjects at visits; response in its own unit.
    reference : str
        The arm that every other is compared with at each visit.
    covariance : str
        "us" unstructured, "ar1", "cs", "toeplitz"; with an ending h ("ar1h") a standard deviation of its own a visit.
    degrees : str
        "satterthwaite" or "kenward-roger".
    confidence : float
        Of every interval, two-sided; above 0.5 and below 1.
    visit_order : sequence of str
        The visits in their order, where neither numbers nor words tell it.

    Returns
    -------
    MmrmResult
        With verdict "converged", "at_bound" (the covariance is all but singular), "max_steps" or "not_finite"; degrees of freedom, interval and
        p are None where the information on the covariance does not carry them.

    Raises
    ------
    InputError
        For rows, arms, visits or covariates that do not fit together, and designs that cannot be estimated.

    References
    ----------
    See the module.
    """
    _check_options(covariance, degrees, confidence)
    rows = analysis_rows(data, reference=reference, visit_order=visit_order)
    design = _design(rows)
    raise_all([*_unestimable(data.file, rows, design), *_never_together(data.file, rows, covariance)], InputError)
    structure = VisitCovariance(structure=covariance, n_visits=len(rows.visits))
    kenward_roger = degrees == "kenward-roger"
    fit = fit_repeated(by_pattern(rows.subject, rows.visit, design, rows.response), structure, kenward_roger=kenward_roger)
    means, contrasts = _estimates(rows, fit, confidence, kenward_roger=kenward_roger)
    spread = np.sqrt(np.diag(fit.beta_covariance)) if fit.outcome is not Outcome.NOT_FINITE else np.full(fit.beta.size, math.nan)
    names = [f"{arm} at {visit}" for arm in rows.arms for visit in rows.visits] + list(rows.extra_names)
    return MmrmResult(
        structure=covariance, degrees=degrees, confidence=confidence, verdict=str(fit.outcome), minus2_reml=fit.minus2_reml, rows=rows,
        coefficients={name: (float(b), float(se)) for name, b, se in zip(names, fit.beta, spread, strict=True)},
        covariance=fit.covariance, lsmeans=means, contrasts=contrasts,
    )  # fmt: skip


def _check_options(covariance: str, degrees: str, confidence: float) -> None:
    faults = [
        Fault(place=name, found=f'"{said}"', expected=", ".join(known), cure="Choose one of these.")
        for name, said, known in (("covariance", covariance, STRUCTURES), ("degrees", degrees, DEGREES)) if said not in known
    ]  # fmt: skip
    if not 0.5 < confidence < 1.0:
        faults.append(Fault(place="confidence", found=f"{confidence:g}", expected="above 0.5 and below 1", cure="Usual is 0.95."))
    raise_all(faults, InputError)


def _design(rows: AnalysisRows) -> Array:
    """One column an arm and visit, then the covariates about their means, so that a cell's coefficient is its least-squares mean."""
    cells = rows.arm * len(rows.visits) + rows.visit
    means = np.zeros((rows.response.size, len(rows.arms) * len(rows.visits)))
    means[np.arange(rows.response.size), cells] = 1.0
    return np.hstack([means, rows.extra - rows.extra_means])


def _unestimable(file: str, rows: AnalysisRows, design: Array) -> list[Fault]:
    scale = np.sqrt(np.sum(design**2, axis=0))
    rank = int(np.linalg.matrix_rank(design / np.where(scale > 0.0, scale, 1.0)))
    if rank < design.shape[1]:
        return [Fault(place=file, found=f"covariates {', '.join(rows.extra_names)} that repeat each other or the arms and visits",
                      expected=f"{design.shape[1]} columns that differ ({rank} do)", cure="Leave out one of them.")]  # fmt: skip
    if rows.response.size <= design.shape[1]:
        return [Fault(place=file, found=f"{rows.response.size} rows for {design.shape[1]} means and covariates",
                      expected="more rows than these", cure="Leave out covariates or visits.")]  # fmt: skip
    return []


def _never_together(file: str, rows: AnalysisRows, covariance: str) -> list[Fault]:
    """An unstructured covariance needs subjects seen at both of any two visits."""
    if covariance != "us":
        return []
    seen = np.zeros((len(rows.subjects), len(rows.visits)))
    seen[rows.subject, rows.visit] = 1.0
    together = seen.T @ seen
    return [
        Fault(place=file, found=f"{together[j, k]:.0f} subject(s) seen both at visit {rows.visits[k]} and at visit {rows.visits[j]}",
              expected="two or more, so that their covariance can be estimated", cure="Choose another covariance, such as toeplitz or ar1.")
        for j in range(len(rows.visits)) for k in range(j) if together[j, k] < 2
    ]  # fmt: skip


def _estimates(
    rows: AnalysisRows, fit: RepeatedFit, confidence: float, *, kenward_roger: bool
) -> tuple[tuple[MeanEstimate, ...], tuple[MeanEstimate, ...]]:
    """Means by visit and arm, and differences from the first arm by visit; none where the fit has no answer."""
    if fit.outcome is Outcome.NOT_FINITE:
        return (), ()
    unit, m = np.eye(fit.beta.size), len(rows.visits)

    def told(weights: Array, visit: str, arm: str, against: str | None) -> MeanEstimate:
        return _estimate(fit.contrast(weights, kenward_roger=kenward_roger), visit, arm, against, confidence)

    means = tuple(told(unit[a * m + v], visit, arm, None) for v, visit in enumerate(rows.visits) for a, arm in enumerate(rows.arms))
    contrasts = tuple(
        told(unit[a * m + v] - unit[v], visit, arm, rows.arms[0])
        for v, visit in enumerate(rows.visits) for a, arm in enumerate(rows.arms) if a > 0
    )  # fmt: skip
    return means, contrasts


def _estimate(found: tuple[float, float, float], visit: str, arm: str, reference: str | None, confidence: float) -> MeanEstimate:
    estimate, se, df = found
    if not (math.isfinite(df) and df > 0.0 and math.isfinite(se) and se > 0.0):
        return MeanEstimate(
            visit=visit, arm=arm, reference=reference, estimate=estimate, se=se, df=None, low=None, high=None, p=None
        )
    half = float(stdtrit(df, 0.5 + confidence / 2)) * se
    p = 2.0 * float(stdtr(df, -abs(estimate) / se))
    return MeanEstimate(
        visit=visit, arm=arm, reference=reference, estimate=estimate, se=se, df=df, low=estimate - half, high=estimate + half, p=p
    )


__all__ = ["DEGREES", "SCHEMA", "DroppedRows", "MeanEstimate", "MmrmResult", "fit_mmrm"]
