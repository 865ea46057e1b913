"""How often each interval of two arms holds the truth, by exact enumeration of every table: no simulation, no sampling error.

    python -m benchmarks.proportion_coverage --out docs/explanation

writes `figures/proportion-coverage.svg` and prints the table of docs/explanation/proportions.md. About two minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import altair as alt
import numpy as np
import polars as pl
import vl_convert as vlc
from scipy import special

from thrombokit.drawing.theme import CONFIG, HAIRLINE, OKABE_ITO
from thrombokit.numerics.arrays import Array
from thrombokit.trials.proportions import compare_proportions

ARMS = ((30, 15), (20, 10))
METHODS = {
    "risk_difference": ("miettinen_nurminen", "mee", "newcombe"),
    "risk_ratio": ("score", "koopman", "log"),
    "odds_ratio": ("score", "exact_conditional", "wald"),
}
SHARES = np.linspace(0.025, 0.975, 39)


def limits(n: int, m: int) -> dict[tuple[str, str], Array]:
    """Limits of every method over every table, shape (n + 1, m + 1, 2)."""
    found = {(measure, method): np.empty((n + 1, m + 1, 2)) for measure, methods in METHODS.items() for method in methods}
    for a in range(n + 1):
        for b in range(m + 1):
            compared = compare_proportions(a, n, b, m)
            for (measure, method), array in found.items():
                interval = getattr(compared, measure).intervals[method]
                array[a, b] = interval.low, interval.high
    return found


def law(n: int, p: float) -> Array:
    """Binomial probabilities of 0 to n."""
    counts = np.arange(n + 1)
    logs = special.gammaln(n + 1) - special.gammaln(counts + 1) - special.gammaln(n - counts + 1)
    return np.exp(logs + special.xlogy(counts, p) + special.xlog1py(n - counts, -p))


def truth(measure: str, p1: float, p2: float) -> float:
    """The measure's true value."""
    if measure == "risk_difference":
        return p1 - p2
    return p1 / p2 if measure == "risk_ratio" else p1 * (1 - p2) / (p2 * (1 - p1))


def coverage(n: int, m: int) -> pl.DataFrame:
    """One row per measure, method and pair of true shares."""
    rows: list[dict[str, object]] = []
    for (measure, method), array in limits(n, m).items():
        for p1 in SHARES:
            for p2 in SHARES:
                value = truth(measure, float(p1), float(p2))
                slack = 1e-12 * max(1.0, abs(value))
                held = (array[..., 0] <= value + slack) & (array[..., 1] >= value - slack)
                rows.append({"arms": f"{n} and {m}", "measure": measure, "method": method, "p1": float(p1), "p2": float(p2),
                             "coverage": float(law(n, float(p1)) @ held @ law(m, float(p2)))})  # fmt: skip
    return pl.DataFrame(rows)


def summary(table: pl.DataFrame) -> pl.DataFrame:
    """Mean, least, and the share of pairs below 93 %, by method."""
    share_below = (pl.col("coverage") < 0.93).mean().alias("below 93 %")
    by_method = table.group_by("measure", "method", "arms", maintain_order=True)
    return by_method.agg(pl.col("coverage").mean().alias("mean"), pl.col("coverage").min().alias("least"), share_below)


def panel(table: pl.DataFrame, measure: str, arms: str) -> alt.LayerChart | alt.FacetChart:
    """Coverage of one measure's methods over the second arm's true share, the first arm 20 points above it."""
    along = table.filter(
        (pl.col("measure") == measure) & (pl.col("arms") == arms) & (((pl.col("p1") - pl.col("p2")) - 0.2).abs() < 1e-9)
    )
    words = along.with_columns(pl.col("method").str.replace_all("_", " "), percent=(100 * pl.col("coverage")).round(3))
    shown = alt.Scale(domain=[88, 100], zero=False)
    names = [method.replace("_", " ") for method in METHODS[measure]]
    lines = alt.Chart(alt.Data(values=words.select("p2", "method", "percent").to_dicts())).mark_line(clip=True).encode(
        x=alt.X("p2:Q", title="True share of the second arm", scale=alt.Scale(domain=[0, 0.8])),
        y=alt.Y("percent:Q", title="Intervals that hold the truth, %", scale=shown),
        color=alt.Color("method:N", title=measure.replace("_", " "), scale=alt.Scale(domain=names, range=list(OKABE_ITO[:3]))),
    )  # fmt: skip
    nominal = (
        alt.Chart(alt.Data(values=[{"y": 95}])).mark_rule(strokeDash=[4, 3], color=HAIRLINE).encode(y=alt.Y("y:Q", scale=shown))
    )
    return alt.layer(nominal, lines).properties(width=210, height=150, title=f"{measure.replace('_', ' ')}, arms of {arms}")


def picture(table: pl.DataFrame) -> alt.VConcatChart:
    """One panel a measure and pair of arms."""
    rows = [
        alt.hconcat(*(panel(table, measure, f"{n} and {m}") for measure in METHODS)).resolve_scale(color="independent")
        for n, m in ARMS
    ]
    return alt.vconcat(*rows).configure(**CONFIG)


def main() -> None:
    """Compute, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/explanation"))
    out = parser.parse_args().out
    table = pl.concat([coverage(n, m) for n, m in ARMS])
    folder = out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "proportion-coverage.svg").write_text(vlc.vegalite_to_svg(picture(table).to_json()), encoding="utf-8")
    print("| measure | method | arms | mean | least | pairs below 93 % |\n|---|---|---|---|---|---|")
    for row in summary(table).iter_rows(named=True):
        shares = " | ".join(f"{100 * row[key]:.1f} %" for key in ("mean", "least", "below 93 %"))
        print(f"| {row['measure'].replace('_', ' ')} | {row['method'].replace('_', ' ')} | {row['arms']} | {shares} |")


if __name__ == "__main__":
    main()
