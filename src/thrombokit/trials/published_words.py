"""A published trial in sentences, and as rows of the analysis-results data set: counts analysed, what the article prints told apart."""

from __future__ import annotations

from typing import Any

from thrombokit.evidence.published_trials import PublishedTrial
from thrombokit.trials.analysis_results import AnalysisNumber, NumbersOfEstimand
from thrombokit.trials.published import PublishedAnalysis
from thrombokit.trials.stage import PublishedSource


def published_source(trial: PublishedTrial) -> PublishedSource:
    """Where the counts were read."""
    return PublishedSource(
        name=trial.name, title=trial.title, source=trial.source, locator=trial.locator, tier=trial.tier, note=trial.note
    )


def published_sentences(analysis: PublishedAnalysis) -> list[str]:
    """The first endpoint in words; the table has them all."""
    rows = analysis.table().to_dicts()
    first = [row for row in rows if row["endpoint"] == rows[0]["endpoint"]]
    said = [
        f"{r['arm']} {r['responders']}/{r['n']} ({r['percent']:.1f} %, {r['percent_low']:.1f} to {r['percent_high']:.1f})"
        for r in first
    ]
    for r in (row for row in first if row["difference_points"] is not None):
        limits = f"{r['difference_low']:.1f} to {r['difference_high']:.1f}"
        said.append(f"{r['arm']} minus {analysis.trial.reference} {r['difference_points']:.1f} points ({limits})")
    return [f"Published counts, {analysis.trial.title}: {first[0]['endpoint']}, {'; '.join(said)}."]


def published_numbers(analysis: PublishedAnalysis) -> list[NumbersOfEstimand]:
    """One group an endpoint: shares, differences, odds ratios from the counts, and the article's own."""
    trial = analysis.trial
    options = {"source": trial.source, "locator": trial.locator, "tier": trial.tier, "confidence": analysis.confidence}
    rows = analysis.table().to_dicts()
    return [
        NumbersOfEstimand(
            estimand=f"{trial.name}: {endpoint}", role="published", population="as published", options=options,
            numbers=tuple(number for row in rows if row["endpoint"] == endpoint for number in _numbers(row, trial.reference or "")),
        )
        for endpoint in dict.fromkeys(row["endpoint"] for row in rows)
    ]  # fmt: skip


def _numbers(row: dict[str, Any], reference: str) -> list[AnalysisNumber]:
    arm, n = row["arm"], row["n"]
    shares = [row[key] / 100.0 for key in ("percent", "percent_low", "percent_high")]
    out = [
        AnalysisNumber(measure="responders", method="count, as printed", group=arm, value=float(row["responders"]), n=n),
        AnalysisNumber(measure="share", method="clopper_pearson", group=arm, value=shares[0], low=shares[1], high=shares[2], n=n),
    ]
    if row["difference_points"] is not None:
        low, high = (None if row[key] is None else row[key] / 100.0 for key in ("difference_low", "difference_high"))
        out.append(AnalysisNumber(measure="risk difference", method="miettinen_nurminen", group=arm, against=reference,
                                  value=row["difference_points"] / 100.0, low=low, high=high))  # fmt: skip
        out.append(AnalysisNumber(measure="odds ratio", method="score", group=arm, against=reference, value=row["odds_ratio"],
                                  low=row["odds_ratio_low"], high=row["odds_ratio_high"],
                                  verdict="" if row["odds_ratio"] is not None else "does not exist"))  # fmt: skip
        out.append(AnalysisNumber(measure="no difference", method="fisher", group=arm, against=reference, p=row["fisher_p"]))
        out.append(
            AnalysisNumber(measure="p adjusted over arms", method="holm of fisher", group=arm, against=reference, p=row["p_holm"])
        )
    if row["printed_odds_ratio"] is not None:
        out.append(AnalysisNumber(measure="odds ratio", method="as the article prints it", group=arm, against=reference,
                                  value=row["printed_odds_ratio"], low=row["printed_low"], high=row["printed_high"],
                                  verdict="not reproduced"))  # fmt: skip
    return out
