"""Two pictures of a calibration: what the data said about each parameter, and how the published numbers sit in the fit."""

from __future__ import annotations

import altair as alt
import polars as pl

from thrombokit.drawing.theme import BLUE, GREY, VERMILLION, styled
from thrombokit.numerics.importance_resampling import UNINFORMED_RATIO
from thrombokit.patients.calibration.run import CalibrationResult
from thrombokit.patients.calibration.tables import FAILED_BELOW

INFORMED_FIGURE, CHECKS_FIGURE = "calibration-informed", "calibration-checks"


def calibration_figures(result: CalibrationResult) -> dict[str, alt.LayerChart]:
    """The charts by the name of their file."""
    return {INFORMED_FIGURE: informed_chart(result), CHECKS_FIGURE: checks_chart(result)}


def informed_chart(result: CalibrationResult) -> alt.LayerChart:
    """Posterior over prior SD of every model parameter; one mark a chain, beyond the line nothing was learned."""
    rows = [
        {"parameter": f"{_drug(row.chain)}: {row.parameter}", "chain": row.chain, "ratio": row.ratio, "verdict": row.verdict}
        for row in result.informed
        if not row.parameter.startswith("trial.")
    ]
    marks = (
        alt.Chart(pl.DataFrame(rows))
        .mark_point(filled=True, size=55, opacity=0.8)
        .encode(
            x=alt.X("ratio:Q", title="posterior SD / prior SD", scale=alt.Scale(domainMin=0.0)),
            y=alt.Y("parameter:N", title=None, sort=None, axis=alt.Axis(labelLimit=260)),
            color=alt.Color(
                "verdict:N", title=None, scale=alt.Scale(domain=["informed", "not informed by the data"], range=[BLUE, GREY])
            ),
        )
    )
    line = alt.Chart(pl.DataFrame({"at": [UNINFORMED_RATIO]})).mark_rule(strokeDash=[4, 3], color=VERMILLION).encode(x="at:Q")
    return styled(alt.LayerChart(layer=[marks, line]).properties(width=420, height=alt.Step(19)))


def checks_chart(result: CalibrationResult) -> alt.LayerChart:
    """Posterior-predictive p of every published number; left of the line the fit fails it."""
    rows = [{"arm": row.arm, "chain": row.chain, "p": max(row.p, 1e-3), "verdict": row.verdict} for row in result.checks]
    marks = (
        alt.Chart(pl.DataFrame(rows))
        .mark_point(filled=True, size=55, opacity=0.8)
        .encode(
            x=alt.X(
                "p:Q",
                title="posterior-predictive p (two-sided; 0.001 or less at the left edge)",
                scale=alt.Scale(type="log", domain=[1e-3, 1.0]),
                axis=alt.Axis(values=[0.001, 0.01, 0.05, 0.1, 0.5, 1.0]),
            ),
            y=alt.Y("arm:N", title=None, sort=None, axis=alt.Axis(labelLimit=260)),
            color=alt.Color("verdict:N", title=None, scale=alt.Scale(domain=["passed", "failed"], range=[BLUE, VERMILLION])),
        )
    )
    line = alt.Chart(pl.DataFrame({"at": [FAILED_BELOW]})).mark_rule(strokeDash=[4, 3], color=VERMILLION).encode(x="at:Q")
    return styled(alt.LayerChart(layer=[marks, line]).properties(width=420, height=alt.Step(19)))


def _drug(chain: str) -> str:
    return chain.split("-")[0] if chain != "drug-free" else "without drug"
