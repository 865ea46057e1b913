"""How far from the truth are the class shares of a ploidy fit? Tubes of known labels in six conditions and five cultures, 50 of each.

Every tube has 20,000 cells and is judged against its own realised labels, so what is measured is the deconvolution alone, not the luck
of the sample. Beside it stands what people do by hand, at its best: cuts half-way between peaks whose places are known exactly.
Tubes of odd seeds come with a 2N reference that is 1 % off, those of even seeds with none. The seeds
serve here and nowhere else: what earlier runs on seeds 1 to 50 showed led to changes of the fit, so the study moved to fresh ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import polars as pl
import pytest
from tests.studies.ploidy_conditions import CONDITIONS, CULTURES, simulate_tube
from tests.studies.ploidy_tubes import Recipe, SyntheticTube, make_tube, mean_ploidy

from thrombokit.cells.ploidy import fit_ploidy
from thrombokit.domain.ploidy import CLASSES
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.streams import stream
from thrombokit.scale.engine import ProcessEngine

N_CELLS, FIRST_SEED, N_SEEDS, TUBES_A_TASK = 20_000, 700_001, 50, 25
KINDS = list(product(CONDITIONS, CULTURES))
MISSED = 100.0
"""Points charged to a tube that gets no shares."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Most that is allowed on average, in points (100 x share), for mean ploidy in percent; infinite where nothing was promised."""

    shares: float
    mean_ploidy: float = float("inf")
    ge8N: float = float("inf")


BARS = {
    "matched": Bar(shares=0.15, mean_ploidy=1.0, ge8N=0.3),
    "typical": Bar(shares=0.3, mean_ploidy=2.0, ge8N=0.6),
    "hard": Bar(shares=0.6),
}
WORSE_THAN_CUTS = 0.05
"""Points a fit may be worse than cuts on a clean sample, where the cuts have little to get wrong."""


def cut_half_way(tube: SyntheticTube, *, on_log_scale: bool) -> Array:
    """Shares of events between cuts half-way from peak to peak, shape (6,); below 2N the cut is as far off as the one above it."""
    peaks = tube.peak_positions
    between = np.sqrt(peaks[1:] * peaks[:-1]) if on_log_scale else (peaks[1:] + peaks[:-1]) / 2.0
    lowest = peaks[0] ** 2 / between[0] if on_log_scale else 2.0 * peaks[0] - between[0]
    counts = np.histogram(tube.signal, np.concatenate([[lowest], between, [np.inf]]))[0]
    return counts / counts.sum()


def share_error(shares: Array, tube: SyntheticTube) -> float:
    """Mean absolute class error against the realised labels, in points."""
    return float(100.0 * np.mean(np.abs(shares - tube.realised))) if np.all(np.isfinite(shares)) else MISSED


def judge_tube(condition: str, culture: str, seed: int) -> dict[str, object]:
    """One row: errors of the fit and of the cuts in points, signed errors of each class, of mean ploidy (%) and of >= 8N (points)."""
    tube = simulate_tube(condition, culture, seed, n_cells=N_CELLS)
    near = tube.recipe.g1 * (1.0 + 0.01 * float(stream(seed, "reference", condition, culture).standard_normal()))
    fit = fit_ploidy(tube.signal, reference_2n=near if seed % 2 else None)
    off = 100.0 * (fit.fractions - tube.realised) if fit.is_known else np.full(len(CLASSES), MISSED)
    relative = mean_ploidy(fit.fractions) / mean_ploidy(tube.realised) - 1.0 if fit.is_known else MISSED / 100.0
    return {
        "condition": condition,
        "culture": culture,
        "seed": seed,
        "verdict": fit.verdict,
        "octaves off": float(abs(np.log2(fit.g1_peak / tube.recipe.g1))),
        "fit": share_error(fit.fractions, tube),
        "cuts": share_error(cut_half_way(tube, on_log_scale=True), tube),
        "linear cuts": share_error(cut_half_way(tube, on_log_scale=False), tube),
        **dict(zip(CLASSES, off.tolist(), strict=True)),
        "mean ploidy": 100.0 * relative,
        ">= 8N": float(off[2:].sum()),
    }


def judge_tubes(first_seed: int, start: int, stop: int) -> list[dict[str, object]]:
    """Tubes start to stop - 1 of all: seeds run fastest."""
    return [judge_tube(*KINDS[i // N_SEEDS], first_seed + i % N_SEEDS) for i in range(start, stop)]


def judge_all(first_seed: int) -> pl.DataFrame:
    """All tubes of all conditions and cultures, one row each."""
    parts = ProcessEngine(2).map_ranges(judge_tubes, first_seed, N_SEEDS * len(KINDS), chunk=TUBES_A_TASK)
    return pl.DataFrame([row for part in parts for row in part])


@pytest.fixture(scope="module")
def judged() -> pl.DataFrame:
    """See `judge_all`."""
    return judge_all(FIRST_SEED)


def of_kind(judged: pl.DataFrame, condition: str, culture: str) -> pl.DataFrame:
    """The tubes of one condition and culture, all there."""
    found = judged.filter(condition=condition, culture=culture)
    assert found.height == N_SEEDS
    return found


def mean_of(column: pl.Series) -> float:
    """Mean absolute value."""
    return float(np.mean(np.abs(column.to_numpy())))


@pytest.mark.long
@pytest.mark.parametrize("condition, culture", KINDS)
def test_shares(judged: pl.DataFrame, print_figure: Callable[[str], None], condition: str, culture: str) -> None:
    """Mean absolute error of the six shares, of mean ploidy and of >= 8N."""
    tubes = of_kind(judged, condition, culture)
    bar = BARS[CONDITIONS[condition].level]
    shares, ploidy, ge8N = mean_of(tubes["fit"]), mean_of(tubes["mean ploidy"]), mean_of(tubes[">= 8N"])
    most = tubes.select(pl.col("fit", "mean ploidy", ">= 8N").abs().quantile(0.95, "linear")).row(0)
    print_figure(
        f"ploidy of {N_SEEDS} tubes, {condition}, {culture}: classes off by {shares:.3f} points (19 of 20 below {most[0]:.2f}), half-way cuts "
        f"{mean_of(tubes['cuts']):.2f} (linear scale {mean_of(tubes['linear cuts']):.2f}); mean ploidy {ploidy:.2f} % ({most[1]:.2f}), >= 8N "
        f"{ge8N:.2f} points ({most[2]:.2f})"
    )
    assert shares <= bar.shares
    assert ploidy <= bar.mean_ploidy
    assert ge8N <= bar.ge8N


@pytest.mark.long
@pytest.mark.parametrize("condition, culture", KINDS)
def test_against_half_way_cuts(judged: pl.DataFrame, condition: str, culture: str) -> None:
    """At most half the error of cuts on a dirty tube, and no worse than the better kind of cut on a clean one."""
    tubes = of_kind(judged, condition, culture)
    shares, cuts, linear = (mean_of(tubes[name]) for name in ("fit", "cuts", "linear cuts"))
    if CONDITIONS[condition].purity == "dirty":
        assert shares <= 0.5 * cuts
    else:
        assert shares <= min(cuts, linear) + WORSE_THAN_CUTS


@pytest.mark.long
def test_every_tube_is_fitted_and_says_what_placed_its_octave(judged: pl.DataFrame, print_figure: Callable[[str], None]) -> None:
    """With a reference the verdict is "fit" and 2N stands where it should; without one it is "octave_assumed", and the tube may be wrong."""
    half = len(KINDS) * N_SEEDS // 2
    said = judged.group_by(pl.col("seed") % 2 == 1, "verdict").len().sort("seed", "verdict").rows()
    assert said == [(False, "octave_assumed", half), (True, "fit", half)]
    wrong = judged.filter(pl.col("octaves off") > 0.5)
    assumed = wrong.filter(pl.col("seed") % 2 == 0).height
    print_figure(f"ploidy, octave wrong: {wrong.height - assumed} of {half} tubes with a 2N reference, {assumed} of {half} without")
    assert wrong.height == assumed


def test_cuts_are_right_without_s_phase_and_lose_what_lies_beyond_them_with_it() -> None:
    """The comparison is fair: with sharp peaks and nothing between, the cuts make no error; of an even S phase 59 % lie beyond them."""
    plain = Recipe(population=CULTURES["flat"], n_cells=N_CELLS, g1=3_000.0, cv=0.025, s_share=0.0)
    for on_log_scale in (True, False):
        sharp = make_tube(plain, stream(FIRST_SEED, "cuts"))
        assert share_error(cut_half_way(sharp, on_log_scale=on_log_scale), sharp) < 0.001
        growing = make_tube(replace(plain, s_share=0.2), stream(FIRST_SEED, "cuts"))
        lost = growing.realised[0] - cut_half_way(growing, on_log_scale=on_log_scale)[0]
        beyond = 2.0 - np.sqrt(2.0) if on_log_scale else 0.5
        assert lost == pytest.approx(0.2 * beyond * growing.realised[0], abs=0.003)


def test_a_tube_that_piles_up_in_the_last_channel_gets_a_verdict() -> None:
    """32N and 64N lie beyond the last of 1024 channels and cannot be told apart."""
    recipe = Recipe(population=CULTURES["adult blood"], n_cells=N_CELLS, g1=80.0, cv=0.04, channels=1024)
    tube = make_tube(recipe, stream(FIRST_SEED, "saturated"))
    assert tube.saturated > 0.05
    assert fit_ploidy(tube.signal, reference_2n=80.0).verdict == "saturated"


def test_a_tube_without_shares_is_charged_in_full() -> None:
    tube = make_tube(Recipe(population=CULTURES["flat"], n_cells=10, g1=3_000.0, cv=0.03), stream(FIRST_SEED, "few"))
    assert share_error(np.full(len(CLASSES), np.nan), tube) == MISSED
    assert share_error(tube.realised, tube) == 0.0
