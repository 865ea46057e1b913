"""The automatic strategy on a synthetic plate whose truth is known: what it keeps, what it removes, and what its thresholds let through.

The plate (240 tubes of twelve donors, cord blood and adult) comes from the synthetic cytometer; no figure of the strategy was chosen on the
seed that is reported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from thrombokit.cells.analyse import analyse_samples
from thrombokit.cells.membership import apply_gates
from thrombokit.cells.strategy import FittedStrategy
from thrombokit.cells.tubes import TubeKind
from thrombokit.study.templates.cytometer_faults import Clog, GainStep
from thrombokit.study.templates.cytometer_plate import TUBES_PER_DONOR, study_plans
from thrombokit.study.templates.cytometer_tube import run_tube
from thrombokit.study.templates.megakaryocyte_culture import CELL_TYPES
from thrombokit.study.templates.synthetic_tube import SyntheticTube

SEED, N_TUBES, N_EVENTS = 7, 240, 15_000
DEBRIS = CELL_TYPES.index("debris")
Says = Callable[[str], None]


@dataclass
class Tally:
    """Events that were so, of those that could have been, by name."""

    counts: dict[str, list[int]] = field(default_factory=dict)

    def add(self, name: str, hit: np.ndarray, of: np.ndarray) -> None:
        pair = self.counts.setdefault(name, [0, 0])
        pair[0] += int((hit & of).sum())
        pair[1] += int(of.sum())

    def share(self, name: str) -> float:
        hit, of = self.counts[name]
        return hit / of


def donors() -> Iterator[list[SyntheticTube]]:
    """The plate, one donor at a time."""
    plans = study_plans(SEED, n_tubes=N_TUBES, n_events=N_EVENTS)
    for start in range(0, len(plans), TUBES_PER_DONOR):
        yield [run_tube(plan, SEED) for plan in plans[start : start + TUBES_PER_DONOR]]


def count_scatter(tally: Tally, tube: SyntheticTube, members: dict[str, np.ndarray], analysed: str) -> None:
    truth, panel = tube.truth, tube.cytometer.panel
    single, pair = truth.is_cell & truth.singlet, truth.is_cell & ~truth.singlet
    tally.add(f"{panel}: living singlets of 16N and more kept", members[analysed], single & truth.live & (truth.ploidy >= 16))
    tally.add(f"{panel}: doublets left", members["singlets"], pair)
    tally.add(f"{panel}: debris left", members[analysed], truth.cell_type == DEBRIS)
    if panel == "surface":
        tally.add("surface: dead cells left", members[analysed], single & ~truth.live)
        tally.add("surface: living singlets kept", members[analysed], single & truth.live)


def count_false_positives(tally: Tally, tube: SyntheticTube, members: dict[str, np.ndarray], analysed: str) -> None:
    """Among truly negative living singlets outside faults; progenitors coated with platelets do carry the dye and are no test of a threshold."""
    truth = tube.truth
    size = tube.sample.stored[:, tube.sample.channel_names.index("FSC-A")]
    good = members[analysed] & truth.is_cell & truth.singlet & truth.live & ~truth.coated & ~truth.in_fault
    for marker in ("CD34", "CD41", "CD61", "CD42b"):
        negative = good & ~truth.is_positive(marker)
        large = negative & (size > np.quantile(size[negative], 0.9))
        for name in ("any marker", marker):
            tally.add(f"false positives, {name}", members[f"{marker}+"], negative)
            tally.add(f"false positives, {name}, largest tenth", members[f"{marker}+"], large)


def count_pairs_called_8n(tally: Tally, tube: SyntheticTube, members: dict[str, np.ndarray], analysed: str) -> None:
    """Called 8N: the DNA signal lies nearer to that of true 8N singlets than to that of 4N or 16N ones."""
    truth = tube.truth
    dna = tube.sample.stored[:, tube.sample.channel_names.index("PI-A")].astype(np.float64)
    single = truth.is_cell & truth.singlet
    if (single & (truth.ploidy == 16)).sum() < 20:
        return
    peaks = [float(np.median(dna[single & (truth.ploidy == p) & ~truth.s_phase])) for p in (4, 8, 16)]
    called = members[analysed] & (dna > np.sqrt(peaks[0] * peaks[1])) & (dna < np.sqrt(peaks[1] * peaks[2]))
    tally.add("pairs of 4N among called 8N", ~truth.singlet & (truth.ploidy == 4) & (truth.second_ploidy == 4), called)


@pytest.fixture(scope="module")
def plate() -> tuple[Tally, dict[str, list[bool]]]:
    """Everything counted over the whole plate, and which tubes were flagged in time, by fault."""
    tally, flagged = Tally(), dict[str, list[bool]]()
    for tubes in donors():
        result = analyse_samples([tube.to_tube() for tube in tubes])
        verdicts = dict(result.quality.select("tube", "time").iter_rows())
        for tube in tubes:
            kind = type(tube.truth.faults[0]).__name__ if tube.truth.faults else "sound"
            flagged.setdefault(kind, []).append(verdicts[tube.name] != "clean")
            if tube.kind is not TubeKind.FULL:
                continue
            fitted: FittedStrategy = result.fitted[tube.to_tube().control_group]
            members = apply_gates(tube.sample, fitted.tree)
            assert fitted.analysed is not None
            count_scatter(tally, tube, members, fitted.analysed)
            if tube.cytometer.panel == "surface":
                count_false_positives(tally, tube, members, fitted.analysed)
            else:
                count_pairs_called_8n(tally, tube, members, fitted.analysed)
    return tally, flagged


@pytest.mark.long
def test_large_polyploid_cells_stay_and_doublets_debris_and_dead_cells_go(
    plate: tuple[Tally, dict[str, list[bool]]], print_figure: Says
) -> None:
    tally, _ = plate
    for name in tally.counts:
        if "kept" in name or "left" in name or "pairs" in name:
            print_figure(f"gating, {name}: {100 * tally.share(name):.2f} % of {tally.counts[name][1]}")
    for panel in ("surface", "ploidy"):
        assert tally.share(f"{panel}: living singlets of 16N and more kept") >= 0.98
        assert tally.share(f"{panel}: doublets left") <= 0.10
        assert tally.share(f"{panel}: debris left") <= 0.10
    assert tally.share("surface: dead cells left") <= 0.10
    assert tally.share("pairs of 4N among called 8N") <= 0.05


@pytest.mark.long
def test_thresholds_let_through_what_they_say_also_among_large_cells(
    plate: tuple[Tally, dict[str, list[bool]]], print_figure: Says
) -> None:
    tally, _ = plate
    for name in tally.counts:
        if name.startswith("false positives"):
            print_figure(f"gating, {name}: {100 * tally.share(name):.2f} % of {tally.counts[name][1]}")
    assert 0.003 <= tally.share("false positives, any marker") <= 0.008
    assert 0.003 <= tally.share("false positives, any marker, largest tenth") <= 0.008


@pytest.mark.long
def test_steps_of_the_gain_and_clogs_are_found_and_sound_tubes_left_alone(
    plate: tuple[Tally, dict[str, list[bool]]], print_figure: Says
) -> None:
    _, flagged = plate
    for kind, flags in flagged.items():
        print_figure(f"time quality, {kind}: {sum(flags)} of {len(flags)} tubes flagged")
    assert np.mean(flagged[GainStep.__name__]) >= 0.95
    assert np.mean(flagged[Clog.__name__]) >= 0.95
    assert np.mean(flagged["sound"]) <= 0.02
