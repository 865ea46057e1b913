"""The synthetic cytometer obeys the physics it states: light adds, spillover is linear, pulses widen, faults are where they are said to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.tubes import DNA, TubeKind
from thrombokit.numerics.streams import stream
from thrombokit.study.templates.cytometer import PLOIDY, RANGE, SURFACE, Cytometer
from thrombokit.study.templates.cytometer_faults import Bubble, Clog, Drift, GainStep, TandemBreakdown, TubeFault
from thrombokit.study.templates.cytometer_pulses import pair_distances_um, pair_heights, pulse_sd_um, reference_sd_um
from thrombokit.study.templates.cytometer_tube import TubePlan, run_tube, simulate_tube
from thrombokit.study.templates.megakaryocyte_culture import ADULT, AIR, CORD_BLOOD, MARKERS, CellSource, Culture, Donor
from thrombokit.study.templates.synthetic_tube import SyntheticTube


def tube(
    cytometer: Cytometer = SURFACE, *, source: CellSource = CORD_BLOOD, agonist: str = "rhTPO", n: int = 30_000,
    kind: TubeKind = TubeKind.FULL, stain: str = "", faults: tuple[TubeFault, ...] = (),
) -> SyntheticTube:  # fmt: skip
    culture = Culture(donor=Donor(name="average", source=source), agonist=agonist)
    rng = stream(4, "tests", cytometer.panel, source.name, kind.value, stain)
    return simulate_tube(culture, cytometer, n_events=n, rng=rng, kind=kind, stain=stain, faults=faults)


def column(made: SyntheticTube, name: str, stage: str = "stored") -> np.ndarray:
    return np.asarray(made.sample.events(stage)[:, made.sample.channel_names.index(name)], dtype=float)  # type: ignore[arg-type]


def detector(made: SyntheticTube, marker: str) -> str:
    return made.to_tube().panel.channels[marker]


AREAS = st.floats(0.01, 100.0)
SPREADS = st.floats(1.0, 10.0)


@given(AREAS, SPREADS, AREAS, SPREADS, st.floats(0.0, 60.0))
def test_a_pairs_height_lies_between_the_higher_pulse_and_the_sum(a1: float, s1: float, a2: float, s2: float, gap: float) -> None:
    args = [np.array([value]) for value in (a1, s1, a2, s2)]
    height = pair_heights(*args, np.array([gap]))[0]
    assert max(a1 / s1, a2 / s2) * (1 - 1e-12) <= height <= (a1 / s1 + a2 / s2) * (1 + 1e-12)
    assert height >= pair_heights(*args, np.array([gap + 20.0]))[0] * 0.99
    assert pair_heights(*args, np.zeros(1))[0] == pytest.approx(a1 / s1 + a2 / s2)


def test_equal_touching_pairs_mostly_cross_in_line_and_unequal_ones_less_so() -> None:
    n = 40_000
    equal = pair_distances_um(np.full(n, 12.0), np.full(n, 12.0), np.zeros(n, bool), beam_um=9.0, rng=stream(1, "equal")) / 12.0
    uneven = pair_distances_um(np.full(n, 20.0), np.full(n, 8.0), np.zeros(n, bool), beam_um=9.0, rng=stream(1, "uneven")) / 14.0
    assert 0.02 < (equal < 0.46).mean() < 0.06, "about 3 % at more than 60 degrees, more with their overlap"
    assert (uneven < 0.46).mean() > 2 * (equal < 0.46).mean()
    assert equal.max() <= 1.0


def test_width_is_the_spot_and_the_cell_together() -> None:
    sd = pulse_sd_um(np.array([0.0, 10.0, 40.0]), np.ones(3), beam_um=9.0)
    assert sd[0] == pytest.approx(9.0 / 4.0)
    assert sd[1] == pytest.approx(reference_sd_um(9.0))
    assert sd[2] == pytest.approx(np.hypot(9.0 / 4.0, 40.0 / np.sqrt(20.0)))


def test_large_polyploid_singlets_are_wider_by_themselves_and_doublets_wider_still() -> None:
    made = tube(PLOIDY, source=ADULT, n=60_000)
    truth, width, area = made.truth, column(made, "FSC-W"), column(made, "FSC-A")
    single = truth.is_megakaryocyte & truth.live & (area < RANGE - 2)
    assert np.median(width[single & (truth.ploidy == 64)]) > 1.6 * np.median(width[single & (truth.ploidy == 2)])
    twins = truth.is_doublet & (truth.ploidy == 2) & (truth.second_ploidy == 2) & truth.live
    alike = single & (area > np.quantile(area[twins], 0.4)) & (area < np.quantile(area[twins], 0.6))
    assert np.median(width[twins]) > 1.25 * np.median(width[alike])


def test_dna_of_two_4N_cells_looks_like_8N_by_area_not_by_width() -> None:
    made = tube(PLOIDY, source=ADULT, n=80_000)
    truth, area, width = made.truth, column(made, "PI-A"), column(made, "PI-W")
    quiet = ~truth.s_phase & truth.live
    eight = truth.is_megakaryocyte & quiet & (truth.ploidy == 8)
    pair = truth.is_doublet & quiet & (truth.ploidy == 4) & (truth.second_ploidy == 4)
    assert pair.sum() > 50
    assert np.median(area[pair]) == pytest.approx(np.median(area[eight]), rel=0.03)
    assert np.median(width[pair]) > 1.4 * np.median(width[eight])


def test_dna_peaks_are_a_comb_and_the_2N_peak_is_as_narrow_as_fixed_cells_are() -> None:
    made = tube(PLOIDY, source=ADULT, n=80_000)
    truth, area = made.truth, column(made, "PI-A", "compensated")
    quiet = truth.is_megakaryocyte & truth.live & ~truth.s_phase
    peaks = np.array([np.median(area[quiet & (truth.ploidy == n)]) for n in (2, 4, 8, 16, 32)])
    assert np.diff(np.log2(peaks)) == pytest.approx(np.full(4, PLOIDY.gamma), abs=0.03)
    surface = (ADULT.diameter_2n_um / 10.0) ** 2
    assert peaks[0] == pytest.approx(made.staining[DNA] * PLOIDY.g1 * (1 + surface * PLOIDY.background) + 20 * surface, rel=0.01)
    two = area[quiet & (truth.ploidy == 2)]
    assert 0.03 < 0.7413 * np.subtract(*np.percentile(two, [75, 25])) / np.median(two) < 0.07
    reference = truth.is_cell & truth.singlet & truth.live & ~truth.s_phase & ~truth.is_positive("CD41") & (truth.ploidy == 2)
    assert np.median(area[reference]) == pytest.approx(peaks[0], rel=0.03), "CD41- cells of the tube mark 2N"


def test_pi_background_and_autofluorescence_rise_with_size() -> None:
    unstained = tube(kind=TubeKind.UNSTAINED, n=60_000)
    truth, light = unstained.truth, column(unstained, "FITC-A")
    single = truth.is_cell & truth.singlet & truth.live
    small, large = single & (truth.diameter_um < 10.0), single & (truth.diameter_um > 20.0)
    expected = np.median(truth.diameter_um[large] ** 2) / np.median(truth.diameter_um[small] ** 2)
    assert np.median(light[large]) / np.median(light[small]) == pytest.approx(expected, rel=0.2)
    plain = tube(replace(PLOIDY, background=0.0), source=ADULT, n=60_000)
    with_background = tube(replace(PLOIDY, background=0.02), source=ADULT, n=60_000)
    extra = column(with_background, "PI-A") - column(plain, "PI-A")
    mk = with_background.truth.is_megakaryocyte
    small, large = (mk & (with_background.truth.ploidy == n) for n in (2, 16))
    assert np.median(extra[large]) > 2.0 * np.median(extra[small]) > 0.0


def test_brightness_differs_between_tubes_as_stated() -> None:
    culture = Culture(donor=Donor(name="d"), agonist="rhTPO")
    made = [simulate_tube(culture, SURFACE, n_events=20, rng=stream(i, "brightness")) for i in range(200)]
    logs = np.log([list(one.staining.values()) for one in made])
    assert abs(logs.std() - SURFACE.staining_cv) < 4 * SURFACE.staining_cv / np.sqrt(2 * logs.size)
    without = tube(kind=TubeKind.FMO, stain="CD61", n=20)
    assert [marker for marker, factor in without.staining.items() if factor == 0.0] == ["CD61"]


def test_single_stain_shows_the_spillover_and_compensation_takes_it_out() -> None:
    made = tube(kind=TubeKind.SINGLE_STAIN, stain="CD41")
    single = made.truth.is_cell & made.truth.singlet
    own = column(made, "FITC-A")
    bright = single & (own < RANGE - 2)
    raw = np.polyfit(own[bright], column(made, "PE-A")[bright], 1)[0]
    left = np.polyfit(own[bright], column(made, "PE-A", "compensated")[bright], 1)[0]
    assert raw == pytest.approx(0.16, abs=0.01)
    assert abs(left) < 0.006


def test_a_broken_tandem_spills_more_than_the_file_says() -> None:
    made = tube(kind=TubeKind.SINGLE_STAIN, stain="CD34", faults=(TandemBreakdown(share=0.05),))
    positive = made.truth.is_positive("CD34") & made.truth.singlet
    seen = column(made, "PE-Cy7-A", "compensated")[positive], column(made, "PE-A", "compensated")[positive]
    assert np.polyfit(*seen, 1)[0] == pytest.approx(0.05, abs=0.006)


@pytest.mark.parametrize("marker", MARKERS)
def test_an_fmo_tube_lacks_its_marker_and_keeps_the_others(marker: str) -> None:
    full, without = tube(), tube(kind=TubeKind.FMO, stain=marker)
    live_full, live = (made.truth.live & made.truth.singlet for made in (full, without))
    for other in MARKERS:
        place = detector(full, other)
        bright = np.median(column(full, place, "compensated")[live_full & full.truth.is_positive(other)])
        seen = np.median(column(without, place, "compensated")[live & without.truth.is_positive(other)])
        if other == marker:
            assert seen < 0.25 * bright
        else:
            assert seen == pytest.approx(bright, rel=0.12)


def test_platelet_coated_progenitors_feign_cd41_and_shed_cells_hide_cd42b() -> None:
    made = tube(n=80_000)
    truth = made.truth
    coated, plain = (truth.live & truth.singlet & (truth.cell_type == 0) & flag for flag in (truth.coated, ~truth.coated))
    light = column(made, "FITC-A", "compensated")
    assert not truth.is_positive("CD41")[coated].any()
    assert np.median(light[coated]) > 4 * np.median(light[plain])
    shed = truth.live & truth.singlet & truth.shed
    kept = truth.live & truth.singlet & (truth.cell_type == 4) & ~truth.shed
    assert np.median(column(made, "PE-A", "compensated")[shed]) < 0.2 * np.median(column(made, "PE-A", "compensated")[kept])


def test_dead_cells_take_up_the_fixable_dye_and_scatter_less() -> None:
    made = tube()
    truth, dye, forward = made.truth, column(made, "BV510-A", "compensated"), column(made, "FSC-A")
    single = truth.is_cell & truth.singlet
    assert np.quantile(dye[single & ~truth.live], 0.05) > np.quantile(dye[single & truth.live], 0.95)
    assert np.median(forward[single & ~truth.live]) < 0.7 * np.median(forward[single & truth.live])


def test_the_range_ends_where_the_converter_does_and_compensation_goes_below_zero() -> None:
    made = tube(source=ADULT, n=40_000)
    stored = made.sample.events("stored")
    assert stored.max() == RANGE - 1
    assert (made.sample.events("compensated") < 0).any()
    assert made.sample.stored.dtype == np.float32
    assert not made.sample.stored.flags.writeable
    assert not made.truth.positive.flags.writeable


def test_labels_agree_with_each_other() -> None:
    truth = tube(n=40_000, faults=(Bubble(),)).truth
    assert ((truth.second_type >= 0) == truth.is_doublet).all()
    assert ((truth.second_ploidy > 0) == truth.is_doublet).all()
    assert ((truth.ploidy > 0) == truth.is_cell).all()
    assert not truth.live[~truth.is_cell].any()
    cells = truth.is_cell.sum()
    assert truth.is_doublet.sum() / cells == pytest.approx(0.05 + 0.005, abs=0.006)
    assert (truth.dna_N[truth.is_doublet & truth.live] >= (truth.ploidy + truth.second_ploidy)[truth.is_doublet & truth.live]).all()


def median_ratio(made: SyntheticTube, name: str, before: np.ndarray, after: np.ndarray) -> float:
    single = made.truth.is_cell & made.truth.singlet
    values = column(made, name)
    return float(np.median(values[single & after]) / np.median(values[single & before]))


def test_a_gain_step_hits_its_laser_from_its_moment_on() -> None:
    made = tube(n=80_000, faults=(GainStep(factor=1.20, start=0.4),))
    after = made.truth.in_fault
    time_s = column(made, "Time") * 0.01
    assert after.mean() == pytest.approx(0.6, abs=0.02)
    assert time_s[after].min() >= time_s[~after].max() - 0.02
    assert median_ratio(made, "FSC-A", ~after, after) == pytest.approx(1.20, abs=0.03)
    assert median_ratio(made, "BV510-A", ~after, after) == pytest.approx(1.0, abs=0.03)


def test_a_drift_rises_evenly() -> None:
    made = tube(n=80_000, faults=(Drift(factor=1.2),))
    third = np.floor(3 * np.arange(80_000) / 80_000)
    assert median_ratio(made, "FSC-A", third == 0, third == 2) == pytest.approx((1 + 0.2 * 5 / 6) / (1 + 0.2 / 6), abs=0.03)
    assert not made.truth.in_fault.any()


@pytest.mark.parametrize("gap", [False, True])
def test_a_clog_lets_few_cells_through_slow_and_dim_then_a_burst(gap: bool) -> None:
    made = tube(n=40_000, faults=(Clog(seconds=2.0, start=0.5, gap=gap),))
    time_s = column(made, "Time") * 0.01
    held, burst = (time_s > 20.05) & (time_s < 21.95), (time_s > 22.05) & (time_s < 22.45)
    usual = (~made.truth.in_fault).sum() / (40.0 - 2.5)
    assert held.sum() / 1.9 < (0.01 if gap else 0.15) * usual
    assert burst.sum() / 0.4 > 1.7 * usual
    assert made.truth.in_fault[held | burst].all()
    if not gap:
        assert median_ratio(made, "FSC-W", ~made.truth.in_fault, held) > 1.1


def test_a_bubble_leaves_air() -> None:
    made = tube(n=40_000, faults=(Bubble(start=0.5),))
    air = made.truth.cell_type == AIR
    assert 300 < air.sum() < 1500
    assert made.truth.in_fault[air].all()
    assert np.median(column(made, "FITC-A")[air]) < 0.2 * np.median(column(made, "FITC-A")[made.truth.is_megakaryocyte])


def test_a_sound_tube_has_an_even_flow_and_steady_signals() -> None:
    made = tube(n=80_000)
    time_s = column(made, "Time") * 0.01
    counts = np.histogram(time_s, np.linspace(0, 80, 81))[0]
    assert np.abs(counts / counts.mean() - 1).max() < 0.16
    assert (np.diff(time_s) >= 0).all()
    early = np.arange(80_000) < 40_000
    assert median_ratio(made, "FSC-A", early, ~early) == pytest.approx(1.0, abs=0.015)


def test_the_same_plan_gives_the_same_tube_whatever_else_is_run() -> None:
    culture = Culture(donor=Donor(name="d"), agonist="rhTPO")
    plans = [TubePlan(name=name, culture=culture, cytometer=SURFACE, n_events=500) for name in ("a", "b")]
    first = [run_tube(plan, 9) for plan in plans]
    again = [run_tube(plan, 9) for plan in reversed(plans)]
    assert (first[0].sample.stored == again[1].sample.stored).all()
    assert (first[1].truth.cell_type == again[0].truth.cell_type).all()
    assert (first[0].sample.stored != first[1].sample.stored).any()
    assert (run_tube(plans[0], 10).sample.stored != first[0].sample.stored).any()


def test_plans_that_cannot_be_run_are_refused() -> None:
    with pytest.raises(ValueError, match=r"tube: fmo tube of 'CD45'; the surface panel stains viability, CD41, CD42b, CD34, CD61"):
        tube(kind=TubeKind.FMO, stain="CD45")
    with pytest.raises(ValueError, match="tube: 0 events; at least one is needed"):
        tube(n=0)
    with pytest.raises(ValueError, match="tube: no beads tube can be made; known are full, fmo, single_stain, unstained"):
        tube(kind=TubeKind.BEADS)
