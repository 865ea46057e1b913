"""How often are curves declared parallel when they just are not, and how often when they are?

Pairs of curves from 10 to 100, hill 1.2, EC50s threefold apart about the middle dose, wells with CV 8 %, default settings.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from thrombokit.dose_response.compare import F_LEVEL, Margins, Parallelism, compare_pair
from thrombokit.dose_response.fit import fit_points
from thrombokit.dose_response.points import points_from_table
from thrombokit.dose_response.settings import FitSettings
from thrombokit.numerics.streams import stream

N, SEED, CV = 2_000, 77_003, 0.08
BOTTOM, SPAN, HILL, RATIO = 10.0, 90.0, 1.2, 3.0


def compare_simulated(
    name: str, *, n_doses: int = 10, replicates: int = 3, hill_ratio: float = 1.0, top_pct: float = 0.0, bottom_pct: float = 0.0
) -> list[Parallelism]:
    """N pairs on half-log doses; the test curve differs from the reference as said, plateaus in % of the reference's range."""
    dose = np.repeat(10_000.0 / np.sqrt(10.0) ** np.arange(n_doses)[::-1], replicates)
    middle = np.sqrt(dose[0] * dose[-1])
    bottom, top = BOTTOM + SPAN * bottom_pct / 100, BOTTOM + SPAN + SPAN * top_pct / 100
    reference = BOTTOM + SPAN / (1 + (middle * np.sqrt(RATIO) / dose) ** HILL)
    other = bottom + (top - bottom) / (1 + (middle / np.sqrt(RATIO) / dose) ** (HILL * hill_ratio))
    mean = np.tile(np.stack([reference, other]), (N, 1))
    response = mean * (1 + CV * stream(SEED, name).standard_normal(mean.shape))
    table = pl.DataFrame(
        {
            "curve": np.repeat([f"{kind}{i}" for i in range(N) for kind in ("reference", "test")], dose.size),
            "concentration_nM": np.tile(dose, 2 * N),
            "response": response.ravel(),
        }
    )
    points = points_from_table(table)
    fits = fit_points(points, FitSettings())
    return [compare_pair(points, fits, 2 * i, 2 * i + 1, Margins()).parallel for i in range(N)]


def inside(pairs: list[Parallelism], which: str, low: float, high: float) -> np.ndarray:
    """Whether the 90 % interval of one difference lies within its margins, shape (N,)."""
    found = [getattr(p, which) for p in pairs]
    return np.array([e.low is not None and e.high is not None and e.low > low and e.high < high for e in found])


def accepted(pairs: list[Parallelism], plateau_pct: float) -> np.ndarray:
    """Declared parallel at another plateau margin: F finds nothing and all three intervals lie inside; shape (N,)."""
    quiet = np.array([p.p is not None and p.p >= F_LEVEL for p in pairs])
    plateaus = [inside(pairs, f"{which}_difference_pct", -plateau_pct, plateau_pct) for which in ("top", "bottom")]
    return quiet & inside(pairs, "hill_ratio", 0.8, 1.25) & plateaus[0] & plateaus[1]


def share(pairs: list[Parallelism], verdict: str) -> float:
    return 100 * float(np.mean([p.verdict == verdict for p in pairs]))


@pytest.mark.long
@pytest.mark.parametrize("replicates", [3, 10])
@pytest.mark.parametrize(
    "label, difference",
    [
        ("hill ratio 0.8", {"hill_ratio": 0.8}),
        ("hill ratio 1.25", {"hill_ratio": 1.25}),
        ("top +10 %", {"top_pct": 10.0}),
        ("bottom +10 %", {"bottom_pct": 10.0}),
    ],
)
def test_on_the_margin(print_figure: Callable[[str], None], label: str, difference: dict[str, float], replicates: int) -> None:
    """Each of two one-sided tests errs in 5 % at most on its margin; two standard errors of 2,000 pairs are 1 point."""
    pairs = compare_simulated(f"{label} x {replicates}", replicates=replicates, **difference)
    print_figure(
        f"truth on the margin, {label}, 10 doses x {replicates}: {share(pairs, 'parallel'):.1f} % declared parallel, "
        f"{share(pairs, 'not_parallel'):.1f} % not parallel, {share(pairs, 'design_cannot_decide'):.1f} % undecided (n = {N})"
    )
    assert share(pairs, "parallel") <= 5.0


@pytest.mark.long
@pytest.mark.parametrize("n_doses, replicates", [(10, 3), (10, 6), (12, 4)])
def test_truly_parallel_pairs(print_figure: Callable[[str], None], n_doses: int, replicates: int) -> None:
    """Which margin limits acceptance; and a pair that is not accepted is called undecided, different only as often as F errs."""
    pairs = compare_simulated(f"parallel {n_doses} x {replicates}", n_doses=n_doses, replicates=replicates)
    by_margin = {margin: 100 * float(np.mean(accepted(pairs, margin))) for margin in (10.0, 15.0, 20.0)}
    hill = 100 * float(np.mean(inside(pairs, "hill_ratio", 0.8, 1.25)))
    top = 100 * float(np.mean(inside(pairs, "top_difference_pct", -10.0, 10.0)))
    bottom = 100 * float(np.mean(inside(pairs, "bottom_difference_pct", -10.0, 10.0)))
    print_figure(
        f"truly parallel, {n_doses} doses x {replicates}, CV 8 %: accepted "
        + ", ".join(f"{rate:.1f} % (plateau margin {margin:.0f} %)" for margin, rate in by_margin.items())
        + f"; inside alone: hill {hill:.1f} %, top {top:.1f} %, bottom {bottom:.1f} % (10 %); "
        f"undecided {share(pairs, 'design_cannot_decide'):.1f} %, not parallel {share(pairs, 'not_parallel'):.1f} % (n = {N})"
    )
    assert by_margin[10.0] == pytest.approx(share(pairs, "parallel"), abs=1e-9)
    assert share(pairs, "not_parallel") <= 8.0
    assert by_margin[10.0] >= 80.0 or share(pairs, "design_cannot_decide") >= 92.0 - by_margin[10.0]
