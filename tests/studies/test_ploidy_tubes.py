"""The synthetic PI tubes themselves: a generator that judges a fit must do what its words say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.studies.ploidy_conditions import CONDITIONS, CULTURES, draw_population, draw_recipe, simulate_tube
from tests.studies.ploidy_tubes import (
    DEBRIS,
    TAILS,
    Recipe,
    draw_debris,
    draw_doublets,
    draw_s_progress,
    draw_scatter,
    make_tube,
    mean_ploidy,
    stain_law,
)

from thrombokit.domain.ploidy import CLASS_PLOIDY, CLASSES
from thrombokit.numerics.streams import stream

SEED = 9_301
PLAIN = Recipe(population=CULTURES["flat"], n_cells=30_000, g1=3_000.0, cv=0.03, s_share=0.0)
"""Six Gaussian peaks at exact doublings and nothing else."""


def test_cultures_are_shares_and_say_what_is_published() -> None:
    for shares in CULTURES.values():
        assert shares.sum() == pytest.approx(1.0, abs=1e-12)
        assert np.all(shares > 0.0)
    assert CULTURES["cord blood"][0] == pytest.approx(0.80, abs=0.02)
    assert CULTURES["adult blood"][2:].sum() == pytest.approx(0.40, abs=0.02)
    assert mean_ploidy(CULTURES["flat"]) == pytest.approx(21.0)


def test_the_same_name_gives_the_same_bytes() -> None:
    tube, again, other = (simulate_tube("typical, dirty", "flat", seed, n_cells=500) for seed in (SEED, SEED, SEED + 1))
    assert tube.signal.tobytes() == again.signal.tobytes()
    assert tube.labels.tobytes() == again.labels.tobytes()
    assert tube.signal[:50].tolist() != other.signal[:50].tolist()


def test_plain_peaks_stand_at_doublings_with_their_cv() -> None:
    tube = make_tube(PLAIN, stream(SEED, "plain"))
    assert tube.signal.size == PLAIN.n_cells
    for k, name in enumerate(CLASSES):
        cells = tube.signal[tube.labels == k]
        assert cells.mean() == pytest.approx(3_000.0 * 2**k, rel=0.003), name
        assert cells.std() / cells.mean() == pytest.approx(0.03, rel=0.06), name


def test_electronic_noise_is_the_same_at_all_signals() -> None:
    quiet, noisy = (make_tube(replace(PLAIN, cv=1e-4, noise=noise), stream(SEED, "noise")) for noise in (0.0, 0.02))
    for k in (0, 5):
        assert quiet.signal[quiet.labels == k].std() < 15.0
        assert noisy.signal[noisy.labels == k].std() == pytest.approx(0.02 * 3_000.0, rel=0.06)


@given(exponent=st.floats(0.94, 1.0), offset=st.floats(0.0, 0.04))
def test_stain_law_keeps_2n_and_falls_short_of_doubling(exponent: float, offset: float) -> None:
    peaks = stain_law(CLASS_PLOIDY / 2.0, replace(PLAIN, exponent=exponent, offset=offset))
    assert peaks[0] == pytest.approx(3_000.0)
    steps = peaks[1:] / peaks[:-1]
    assert np.all(steps <= 2.0**exponent + 1e-12)
    assert np.all(np.diff(steps) >= -1e-12), "the offset matters less and less"


def test_tails_are_what_they_are_called() -> None:
    moments = {}
    for tails in TAILS:
        z = draw_scatter(replace(PLAIN, tails=tails, tail_weight=1.0), 200_000, stream(SEED, "tails"))
        z = (z - z.mean()) / z.std()
        moments[tails] = (np.mean(z**3), np.mean(z**4))
    assert moments["gaussian"] == pytest.approx((0.0, 3.0), abs=0.06)
    assert moments["t"][1] > 4.0
    assert moments["contaminated"][1] > 4.0
    assert moments["skewed"][0] == pytest.approx(2.0 / np.sqrt(8.0), abs=0.05), "a gamma of shape 8"
    assert draw_scatter(replace(PLAIN, tails="skewed", tail_weight=0.5), 200_000, stream(SEED, "s")).std() == pytest.approx(
        1.0, abs=0.02
    )
    assert draw_scatter(replace(PLAIN, tails="t", tail_weight=0.5), 200_000, stream(SEED, "t")).std() == pytest.approx(
        1.0, abs=0.03
    )


@given(lean=st.floats(-1.0, 1.0))
def test_s_phase_leans_as_told(lean: float) -> None:
    progress = draw_s_progress(lean, 20_000, stream(SEED, "lean"))
    assert progress.min() >= 0.0
    assert progress.max() <= 1.0
    assert progress.mean() == pytest.approx(0.5 + lean / 6.0, abs=5 * 0.29 / np.sqrt(20_000))


def test_s_cells_count_with_the_class_below_and_lie_above_it() -> None:
    tube = make_tube(replace(PLAIN, cv=0.001, s_share=0.15), stream(SEED, "s phase"))
    assert tube.realised == pytest.approx(CULTURES["flat"], abs=5 * np.sqrt(0.14 / 30_000))
    for k in range(5):
        cells = tube.signal[tube.labels == k] / tube.peak_positions[k]
        between = (cells > 1.01) & (cells < 1.99)
        assert np.mean(cells < 0.99) == 0.0
        assert between.mean() == pytest.approx(0.15 * 0.98, abs=0.03)


def test_debris_starts_at_the_threshold_and_has_its_shape() -> None:
    recipe = replace(PLAIN, threshold=0.2, debris_reach=0.35)
    pieces = {kind: draw_debris(replace(recipe, debris=kind), 50_000, stream(SEED, kind)) / recipe.g1 for kind in DEBRIS}
    assert all(signal.size == 50_000 and signal.min() >= 0.2 for signal in pieces.values())
    assert pieces["exponential"].mean() == pytest.approx(0.2 + 0.35, rel=0.02)
    survival = [np.mean(pieces["power law"] > x) for x in (0.4, 0.8, 1.6)]
    assert survival == pytest.approx([2.0**-2, 4.0**-2, 8.0**-2], rel=0.15), "density x^-3 falls as x^-2 beyond x"
    assert 0.3 < np.mean(pieces["broken nuclei"] > 2.0) < 0.6, "slices of 64N cells are large"
    assert pieces["broken nuclei"].max() < 40.0
    for kind in DEBRIS:
        assert draw_debris(replace(recipe, debris=kind), 0, stream(SEED, kind)).size == 0


def test_doublets_are_sums_of_two_or_three_cells() -> None:
    recipe = replace(PLAIN, population=np.array([1.0, 0, 0, 0, 0, 0]))
    pairs = draw_doublets(recipe, 4_000, stream(SEED, "pairs"))
    assert pairs.mean() == pytest.approx(2 * 3_000.0, rel=0.003)
    assert pairs.std() / pairs.mean() == pytest.approx(0.03 / np.sqrt(2.0), rel=0.1)
    mixed = draw_doublets(replace(recipe, triplets=0.25), 4_000, stream(SEED, "triplets"))
    assert np.mean(mixed > 2.5 * 3_000.0) == pytest.approx(0.25, abs=0.035)


def test_debris_and_doublets_have_no_class_and_their_shares_are_of_events() -> None:
    tube = make_tube(replace(PLAIN, debris_share=0.2, doublet_share=0.05), stream(SEED, "dirt"))
    assert np.sum(tube.labels >= 0) == PLAIN.n_cells
    assert np.mean(tube.labels < 0) == pytest.approx(0.25, abs=0.012)
    assert tube.realised.sum() == pytest.approx(1.0)


def test_detectors_stop_at_their_last_channel() -> None:
    coarse = make_tube(replace(PLAIN, g1=40.0, channels=1024), stream(SEED, "coarse"))
    assert np.all(coarse.signal == np.floor(coarse.signal))
    assert coarse.signal.max() == 1023.0
    assert coarse.saturated == pytest.approx(1.0 / 6.0, abs=0.015), "64N lies at 1280"
    fine = make_tube(replace(PLAIN, above_64N=0.5), stream(SEED, "fine"))
    assert fine.saturated == 0.0
    assert np.any(fine.signal > 3_000.0 * 50), "128N cells count with 64N"
    assert fine.labels.max() == 5


@given(seed=st.integers(0, 10**9), condition=st.sampled_from(sorted(CONDITIONS)), culture=st.sampled_from(sorted(CULTURES)))
def test_a_recipe_stays_within_its_condition(seed: int, condition: str, culture: str) -> None:
    kind, rng = CONDITIONS[condition], stream(seed, "recipe")
    population = draw_population(kind, culture, rng)
    recipe = draw_recipe(kind, population, 1_000, rng)
    assert recipe.population.sum() == pytest.approx(1.0)
    for name in ("cv", "exponent", "offset", "s_share", "debris_share", "doublet_share", "tail_weight"):
        low, high = getattr(kind, name)
        assert low <= getattr(recipe, name) <= high, name
    assert recipe.tails in kind.tails
    assert recipe.debris in kind.debris
    assert recipe.g1 * 32 < recipe.channels, "64N is on the scale"


def test_conditions_are_six_of_growing_hardness() -> None:
    assert list(CONDITIONS) == [f"{level}, {purity}" for level in ("matched", "typical", "hard") for purity in ("clean", "dirty")]
    assert {kind.tails for kind in CONDITIONS.values() if kind.level == "matched"} == {("gaussian",)}
    assert all(0.94 <= kind.exponent[0] <= kind.exponent[1] <= 1.0 for kind in CONDITIONS.values())


def test_a_misspelt_shape_is_named() -> None:
    with pytest.raises(ValueError, match="tails 'gausian': one of gaussian, t, skewed, contaminated"):
        draw_scatter(replace(PLAIN, tails="gausian", tail_weight=0.5), 5, stream(SEED))
    with pytest.raises(ValueError, match="debris 'dust': one of exponential, power law, broken nuclei"):
        draw_debris(replace(PLAIN, debris="dust"), 5, stream(SEED))
