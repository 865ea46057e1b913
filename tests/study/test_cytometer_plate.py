"""The plate for judging gates: its make-up, and what pulse shapes can tell at best, so that a bar set on it can be met and means something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.cells.tubes import TubeKind
from thrombokit.numerics.streams import stream
from thrombokit.study.templates.cytometer import SURFACE
from thrombokit.study.templates.cytometer_plate import study_plans, study_plate
from thrombokit.study.templates.cytometer_tube import run_tube, simulate_tube
from thrombokit.study.templates.megakaryocyte_culture import ADULT, MARKERS, Culture, Donor
from thrombokit.study.templates.synthetic_tube import SyntheticTube


def test_make_up_of_the_plate() -> None:
    plans = study_plans(1)
    assert len(plans) == len({plan.name for plan in plans}) == 240
    kinds = Counter(type(plan.faults[0]).__name__ if plan.faults else "sound" for plan in plans if plan.kind is TubeKind.FULL)
    assert kinds == {"sound": 96, "GainStep": 48, "Clog": 48}
    assert not any(plan.faults for plan in plans if plan.kind is TubeKind.FMO)
    adult = [plan for plan in plans if plan.culture.donor.source is ADULT]
    assert len(adult) == 80
    for panel in ("surface", "ploidy"):
        stained = [plan for plan in plans if plan.cytometer.panel == panel and plan.kind is TubeKind.FULL]
        met = {(plan.culture.agonist, plan.culture.concentration_nM, *map(type, plan.faults)) for plan in stained}
        assert len(met) == 3 * (10 if panel == "surface" else 6), "every well meets every fault"


def test_every_full_tube_has_its_fmo_controls() -> None:
    made = [run_tube(plan, 1).to_tube() for plan in study_plans(1, n_tubes=20, n_events=50)]
    fmo = {(tube.control_group, tube.stain) for tube in made if tube.kind is TubeKind.FMO}
    groups = {tube.control_group for tube in made if tube.kind is TubeKind.FULL and tube.panel.name == "surface"}
    assert fmo == {(group, marker) for group in groups for marker in MARKERS}


def test_tubes_come_one_by_one_and_do_not_depend_on_how_many() -> None:
    few = list(study_plate(2, n_tubes=20, n_events=200))
    assert len(few) == 20
    more = study_plate(2, n_tubes=40, n_events=200)
    assert all((one.sample.stored == next(more).sample.stored).all() for one in few)


def band_from_truth(tube: SyntheticTube, stem: str) -> np.ndarray:
    """Which events an all-knowing band keeps: width below the 99th percentile of true singlets of the same area."""
    names, events, truth = tube.sample.channel_names, tube.sample.events("stored"), tube.truth
    area, width = (np.log(np.maximum(events[:, names.index(f"{stem}-{end}")], 1.0)) for end in ("A", "W"))
    single = truth.singlet & truth.is_cell & (truth.live if tube.cytometer.panel == "surface" else True)
    places, tops = [], []
    for place in np.arange(8.0, 12.6, 0.04):
        near = single & (np.abs(area - place) < 0.06)
        if near.sum() > 60:
            places.append(place)
            tops.append(np.quantile(width[near], 0.99))
    line = np.polyfit(places, tops, 4 if len(places) > 8 else 1)
    inside = np.clip(area, places[0], places[-1])
    return width <= np.polyval(line, inside) + 0.4 * np.maximum(area - places[-1], 0.0)


@pytest.mark.long
def test_what_pulse_shapes_can_tell_at_best(print_figure: Callable[[str], None]) -> None:
    kept = big_total = removed = doublets = 0
    for tube in study_plate(5, n_tubes=60):
        truth = tube.truth
        ok = band_from_truth(tube, "FSC")
        if tube.cytometer.panel == "ploidy":
            ok &= band_from_truth(tube, "PI")
        big = truth.is_megakaryocyte & truth.live & (truth.ploidy >= 16)
        kept, big_total = kept + (ok & big).sum(), big_total + big.sum()
        removed, doublets = removed + (~ok & truth.is_doublet).sum(), doublets + truth.is_doublet.sum()
    print_figure(
        f"a band drawn from the truth keeps {100 * kept / big_total:.1f} % of {big_total} singlets of 16N and more and removes "
        f"{100 * removed / doublets:.1f} % of {doublets} doublets (60 synthetic tubes)"
    )
    assert kept / big_total > 0.975
    assert 0.88 < removed / doublets < 0.96, "neither hopeless nor too easy"


def false_positives(tube: SyntheticTube, control: SyntheticTube, marker: str) -> tuple[float, float]:
    """Share of true negatives above an FMO's 99.5th percentile taken by size, in all and in the largest tenth; live singlets by truth."""
    place = tube.sample.channel_names.index(tube.to_tube().panel.channels[marker])
    size, light = (control.sample.events("compensated")[:, column] for column in (0, place))
    single = control.truth.live & control.truth.singlet
    edges = np.quantile(size[single], np.linspace(0.0, 1.0, 21)[1:-1])
    tops = [np.quantile(light[single & (np.searchsorted(edges, size) == part)], 0.995) for part in range(20)]
    truth, events = tube.truth, tube.sample.events("compensated")
    negative = truth.live & truth.singlet & ~truth.is_positive(marker) & ~truth.coated
    above = events[:, place] > np.array(tops)[np.searchsorted(edges, events[:, 0])]
    large = negative & (events[:, 0] > np.quantile(events[negative, 0], 0.9))
    return float(above[negative].mean()), float(above[large].mean())


@pytest.mark.long
def test_what_an_fmo_by_size_can_tell_at_best(print_figure: Callable[[str], None]) -> None:
    culture = Culture(donor=Donor(name="average"), agonist="rhTPO")
    full = simulate_tube(culture, SURFACE, n_events=200_000, rng=stream(6, "full"))
    for marker in MARKERS:
        rng = stream(6, "without", marker)
        control = simulate_tube(culture, SURFACE, n_events=200_000, kind=TubeKind.FMO, stain=marker, rng=rng)
        everywhere, among_large = false_positives(full, control, marker)
        print_figure(
            f"{marker}: {100 * everywhere:.2f} % of true negatives lie above the FMO's 99.5th percentile of their size, "
            f"{100 * among_large:.2f} % of the largest tenth (one synthetic culture)"
        )
        assert 0.002 < everywhere < 0.011
        assert among_large < 0.015
