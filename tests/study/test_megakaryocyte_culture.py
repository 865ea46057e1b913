"""The synthetic culture: its shares are shares, its published numbers are the published ones, its cells follow it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.numerics.streams import stream
from thrombokit.study.templates.megakaryocyte_cells import DIAMETER_EXPONENT, draw_cells
from thrombokit.study.templates.megakaryocyte_culture import (
    ADULT,
    CELL_TYPES,
    CORD_BLOOD,
    MARKERS,
    MEGAKARYOCYTES,
    OTHER,
    PLATELET,
    PLOIDY_CLASSES,
    CellSource,
    Culture,
    Donor,
    culture_truth,
    draw_donor,
    is_cell,
    is_megakaryocyte,
)

SOURCES = st.sampled_from([CORD_BLOOD, ADULT])
DONORS = st.builds(
    Donor,
    name=st.just("any"),
    source=SOURCES,
    ec50_shift_log10=st.floats(-0.5, 0.5),
    dilution_factor=st.floats(0.7, 1.4),
    cd41_logit_shift=st.floats(-0.8, 0.8),
    ploidy_tilt=st.floats(-0.4, 0.4),
    yield_factor=st.floats(0.5, 2.0),
)
CULTURES = st.builds(
    Culture,
    donor=DONORS,
    agonist=st.sampled_from(["hetrombopag", "eltrombopag"]),
    concentration_nM=st.floats(0.0, 1e5),
    day_d=st.floats(4.0, 16.0),
)


def average(source: CellSource, agonist: str) -> Culture:
    return Culture(donor=Donor(name="average", source=source), agonist=agonist)


@given(CULTURES)
def test_shares_are_shares_and_ploidy_of_types_adds_up(culture: Culture) -> None:
    truth = culture_truth(culture)
    assert truth.shares.shape == (len(CELL_TYPES),)
    assert (truth.shares >= 0).all()
    assert truth.shares.sum() == pytest.approx(1.0)
    assert all(0.0 <= share <= 1.0 for share in truth.positive_share.values())
    assert truth.ploidy.sum(axis=1) == pytest.approx(np.ones(len(CELL_TYPES)))
    weight = truth.shares[list(MEGAKARYOCYTES)]
    assert weight @ truth.ploidy[list(MEGAKARYOCYTES)] / weight.sum() == pytest.approx(truth.mk_ploidy, abs=1e-6)
    assert weight.sum() / truth.shares[: OTHER + 1].sum() == pytest.approx(truth.positive_share["CD41"])
    assert truth.mk_per_cd34 == pytest.approx(truth.cells_per_cd34 * truth.positive_share["CD41"])
    assert not truth.shares.flags.writeable


@given(CULTURES, st.floats(1.1, 10.0))
def test_more_agonist_gives_more_megakaryocytes_and_moves_ploidy_by_source(culture: Culture, factor: float) -> None:
    donor = culture.donor
    more = Culture(
        donor=donor, agonist=culture.agonist, concentration_nM=culture.concentration_nM * factor + 0.01, day_d=culture.day_d
    )
    low, high = culture_truth(culture), culture_truth(more)
    assert high.positive_share["CD41"] >= low.positive_share["CD41"]
    assert high.mk_per_cd34 >= low.mk_per_cd34
    moved = (high.mk_ploidy[2:].sum() - low.mk_ploidy[2:].sum()) * (1 if donor.source is ADULT else -1)
    assert moved >= -1e-12


def test_published_ploidies_are_those_of_the_average_donor_with_rhTPO() -> None:
    cord, adult = culture_truth(average(CORD_BLOOD, "rhTPO")).mk_ploidy, culture_truth(average(ADULT, "rhTPO")).mk_ploidy
    assert cord[0] == pytest.approx(0.80), "about 80 % 2N (Blood 2002;99:888)"
    assert cord[2] == pytest.approx(0.026), "2.6 % 8N (the same)"
    assert adult[2:].sum() == pytest.approx(0.40), "40 % at 8N or more (the same)"
    assert culture_truth(average(CORD_BLOOD, "vehicle")).mk_ploidy[2:].sum() > cord[2:].sum()
    assert culture_truth(average(ADULT, "vehicle")).mk_ploidy[2:].sum() < adult[2:].sum()


def test_response_is_half_its_plateau_at_the_donors_own_ec50() -> None:
    donor = Donor(name="d", ec50_shift_log10=0.2, dilution_factor=0.9)
    ec50_nM = donor.apparent_ec50_nM("hetrombopag")
    assert ec50_nM == pytest.approx(2.3 * 10**0.2 / 0.9)
    assert Culture(donor=donor, agonist="hetrombopag", concentration_nM=ec50_nM).response == pytest.approx(0.98 / 2)
    assert Culture(donor=donor).response == 0.0
    assert Culture(donor=donor, agonist="rhTPO").response == 1.0


def test_donors_scatter_as_stated_and_depend_on_their_name_alone() -> None:
    donors = [draw_donor(3, f"donor {i}") for i in range(400)]
    shifts = np.array([donor.ec50_shift_log10 for donor in donors])
    assert abs(shifts.mean()) < 4 * 0.12 / np.sqrt(400)
    assert abs(shifts.std(ddof=1) - 0.12) < 4 * 0.12 / np.sqrt(800)
    assert draw_donor(3, "donor 7") == donors[7]
    assert draw_donor(3, "donor 7", ec50_shift_log10=0.5).ec50_shift_log10 == 0.5


@pytest.mark.parametrize(("source", "agonist"), [(CORD_BLOOD, "rhTPO"), (CORD_BLOOD, "vehicle"), (ADULT, "rhTPO")])
def test_cells_follow_their_population(source: CellSource, agonist: str) -> None:
    truth = culture_truth(average(source, agonist))
    cells = draw_cells(truth, 60_000, stream(1, source.name, agonist))
    n = cells.cell_type.size

    def within(drawn: np.ndarray, share: float, total: int) -> bool:
        return abs(drawn.sum() / total - share) < 4.5 * np.sqrt(share * (1 - share) / total) + 1e-9

    for kind, share in enumerate(truth.shares):
        assert within(cells.cell_type == kind, float(share), n), CELL_TYPES[kind]
    mk, nucleated = is_megakaryocyte(cells.cell_type), is_cell(cells.cell_type)
    for ploidy, share in zip(PLOIDY_CLASSES, truth.mk_ploidy, strict=True):
        assert within(cells.ploidy[mk] == ploidy, float(share), int(mk.sum())), f"{ploidy}N"
    for column, marker in enumerate(MARKERS):
        assert within(cells.positive[nucleated, column], truth.positive_share[marker], int(nucleated.sum())), marker
    assert within(cells.dead[nucleated], truth.dead_share, int(nucleated.sum()))
    assert not cells.dead[~nucleated].any()


def test_size_follows_dna_as_in_marrow() -> None:
    cells = draw_cells(culture_truth(average(ADULT, "rhTPO")), 60_000, stream(2, "size"))
    whole = is_megakaryocyte(cells.cell_type) & ~cells.dead & (cells.cell_type != MEGAKARYOCYTES[0])
    slope = np.polyfit(np.log(cells.dna_N[whole]), np.log(cells.diameter_um[whole]), 1)[0]
    assert slope == pytest.approx(DIAMETER_EXPONENT, abs=0.01)
    assert np.log(56 / 21) / np.log(32) == pytest.approx(DIAMETER_EXPONENT, abs=0.001)
    assert np.median(cells.diameter_um[cells.cell_type == PLATELET]) < 4.0


def test_s_phase_lies_between_its_class_and_the_next() -> None:
    cells = draw_cells(culture_truth(average(ADULT, "rhTPO")), 40_000, stream(2, "s phase"))
    living = is_cell(cells.cell_type) & ~cells.dead
    ratio = cells.dna_N[living] / cells.ploidy[living]
    s_phase = cells.s_phase[living]
    assert (ratio[~s_phase] == 1.0).all()
    assert ((ratio[s_phase] > 1.0) & (ratio[s_phase] < 2.0)).all()
    assert 0.05 < s_phase.mean() < 0.15
    assert np.median(ratio[s_phase]) < 1.5, "more are early in S than late"
