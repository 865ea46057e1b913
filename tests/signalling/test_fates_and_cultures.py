"""Fates are separate, their signs are switches, and cells are counted right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from thrombokit.domain.fates import FATES, FateRates
from thrombokit.domain.ploidy import CLASSES
from thrombokit.signalling.antimony_source import tpor_rates
from thrombokit.signalling.cell_systems import Sign
from thrombokit.signalling.cultures import cell_number, culture_course
from thrombokit.signalling.fates import ACTIVITIES, Activity, fate_rate_set, fates_of

RATES = {**tpor_rates().values(), **fate_rate_set().values()}
REST = {"BCLXL": RATES["bclxl_unstimulated"], "CCND1": RATES["ccnd1_unstimulated"]}
TIME_H = np.linspace(0.0, 72.0, 25)


def _fates(erk: Sign = Sign.LOWERS, stat5: Sign = Sign.SUPPORTS, **levels_nM: float) -> FateRates:
    levels = {name: np.full(TIME_H.size, {**REST, **levels_nM}.get(name, 0.0)) for name in ACTIVITIES}
    activity = Activity(time_h=TIME_H, levels_nM=levels)
    return fates_of(activity, RATES, label="x", cell_system="32D-MPL", stat5_on_endomitosis=stat5, erk_on_endomitosis=erk)


def _constant(time_h: np.ndarray = TIME_H, **per_d: float) -> FateRates:
    rates = {name: np.full(time_h.size, per_d.get(name, 0.0)) for name in FATES}
    return FateRates(label="x", cell_system="x", time_h=time_h, **rates)


def test_without_signal_clonogenic_cells_halve_every_six_hours() -> None:
    fates = _fates()
    assert fates.proliferation_per_d.max() == 0.0
    cells = cell_number(fates, seeded=1e4, capacity=6e5)
    assert cells[0] == pytest.approx(1e4, rel=1e-12)
    assert cells[2] == pytest.approx(5e3, rel=2e-3)  # 2.77 per day is ln 2 / 6 h to three digits


@pytest.mark.parametrize("pathway", ["mtor", "erk", "stat5"])
def test_signs_of_endomitosis(pathway: str) -> None:
    species = {"mtor": "MTORC1_active", "erk": "ERK_p", "stat5": "STAT5_nuclear"}[pathway]
    reference = {"MTORC1_active": 25.0, "ERK_p": 54.0, "STAT5_nuclear": 25.0}

    def endomitosis(factor: float, **signs: Sign) -> float:
        return float(_fates(**signs, **{**reference, species: factor * reference[species]}).endomitosis_per_d[0])  # pyright: ignore

    assert endomitosis(1.0) == pytest.approx(RATES["endomitosis_max"], rel=1e-12)
    if pathway == "mtor":
        assert endomitosis(0.3) < endomitosis(1.0)
        return
    for sign in Sign:
        fewer, more = (endomitosis(factor, **{pathway: sign}) for factor in (0.3, 1.0))
        assert more == pytest.approx(RATES["endomitosis_max"], rel=1e-12), "1 at the reference whatever the sign"
        assert (fewer > more, fewer == more, fewer < more)[(Sign.LOWERS, Sign.NONE, Sign.SUPPORTS).index(sign)]


def test_growth_arrests_at_high_drive_and_not_below() -> None:
    low, usual, high = (_fates(CCND1=60.0, JAK2_p=jak2).proliferation_per_d[0] for jak2 in (1.0, 8.0, 50.0))
    assert usual > 0.98 * low
    assert high < 0.1 * low


def test_akt_and_bclxl_each_hold_death_back() -> None:
    without = _fates().death_per_d[0]
    assert _fates(AKT_p=5.0).death_per_d[0] == pytest.approx(0.5 * (without + RATES["death_min"]))
    assert _fates(BCLXL=22.0).death_per_d[0] == pytest.approx(0.5 * (without + RATES["death_min"]))


@settings(max_examples=25)
@given(
    grow=st.lists(st.floats(0.0, 3.0), min_size=25, max_size=25), die=st.lists(st.floats(0.0, 3.0), min_size=25, max_size=25),
    capacity=st.floats(1e4, 1e7),
)  # fmt: skip
def test_cell_number_solves_its_equation(grow: list[float], die: list[float], capacity: float) -> None:
    """The closed form against a solver, whatever the rates do between 3 h points; rates of neighbouring points differ by up to 3 per day."""
    fates = FateRates(label="x", cell_system="x", time_h=TIME_H, proliferation_per_d=np.array(grow), death_per_d=np.array(die),
                      differentiation_per_d=np.zeros(25), endomitosis_per_d=np.zeros(25))  # fmt: skip

    def change(time_h: float, cells: np.ndarray) -> np.ndarray:
        p, d = np.interp(time_h, TIME_H, grow), np.interp(time_h, TIME_H, die)
        return (p * (1.0 - cells / capacity) - d) * cells / 24.0

    exact = solve_ivp(change, (0.0, 72.0), [1e4], t_eval=TIME_H, rtol=1e-8, atol=1e-6, max_step=0.5).y[0]
    assert cell_number(fates, seeded=1e4, capacity=capacity) == pytest.approx(exact, rel=2e-3)


def test_a_full_well_holds_no_more() -> None:
    cells = cell_number(_constant(np.linspace(0.0, 480.0, 161), proliferation_per_d=1.4), seeded=1e4, capacity=5e5)
    assert cells[-1] == pytest.approx(5e5, rel=1e-3)
    assert (np.diff(cells) > 0.0).all()


def test_a_culture_of_constant_rates_is_a_matrix_exponential() -> None:
    grow, die, differentiate, double = 0.7, 0.1, 0.5, 0.6
    course = culture_course(
        _constant(proliferation_per_d=grow, death_per_d=die, differentiation_per_d=differentiate, endomitosis_per_d=double), RATES
    )
    matrix = np.zeros((7, 7))
    matrix[0, 0], matrix[1, 0] = grow - die - differentiate, differentiate
    matrix[1, 1] += RATES["megakaryocyte_division"] * grow / RATES["proliferation_max"]
    for at in range(1, 7):
        step = double * RATES["endomitosis_by_class"] ** (at - 1) if at < 6 else 0.0
        matrix[at, at] -= die + step
        if at < 6:
            matrix[at + 1, at] = step
    state = expm(matrix * 3.0)[:, 0]
    assert course.cells[-1] == pytest.approx(state.sum(), rel=1e-8)
    assert course.ploidy[-1] == pytest.approx(state[1:] / state[1:].sum(), rel=1e-7)
    assert course.cd41_share[-1] == pytest.approx(state[1:].sum() / state.sum(), rel=1e-8)


@given(
    grow=st.floats(0.0, 2.0), die=st.floats(0.0, 3.0), differentiate=st.floats(0.0, 2.0), double=st.floats(0.0, 3.0)
)  # fmt: skip
def test_shares_of_ploidy_sum_to_one(grow: float, die: float, differentiate: float, double: float) -> None:
    course = culture_course(
        _constant(proliferation_per_d=grow, death_per_d=die, differentiation_per_d=differentiate, endomitosis_per_d=double), RATES
    )
    assert course.ploidy.sum(axis=1) == pytest.approx(np.ones(TIME_H.size), rel=1e-9)
    assert (course.ploidy >= 0.0).all()
    assert ((course.cd41_share >= 0.0) & (course.cd41_share <= 1.0)).all()
    assert course.ploidy.shape == (TIME_H.size, len(CLASSES))


def test_rates_of_unequal_length_are_no_fates() -> None:
    with pytest.raises(ValueError, match="other shapes than the 25 times"):
        FateRates(label="x", cell_system="x", time_h=TIME_H, proliferation_per_d=np.zeros(3), death_per_d=TIME_H,
                  differentiation_per_d=TIME_H, endomitosis_per_d=TIME_H)  # fmt: skip


def test_fate_table_has_units_in_its_columns() -> None:
    table = _constant(proliferation_per_d=1.0).table()
    assert table.columns == ["treatment", "cell_system", "time_h", *FATES]
    assert _constant(proliferation_per_d=1.0).mean()["proliferation_per_d"] == pytest.approx(1.0)
