"""Non-compartmental analysis: exact on curves whose answer is known, laws, and verdicts where a value would be a fiction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.errors import InputError
from thrombokit.patients.nca import analyse_nca
from thrombokit.patients.nca_areas import area_between, segment_areas
from thrombokit.patients.nca_choices import AreaMethod, Between, Route
from thrombokit.patients.nca_profile import NcaSettings, Profile
from thrombokit.patients.nca_result import NcaResult, Standing

TIMES = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0])


def bolus(rate: float = 0.1, c0: float = 10.0, dose: float = 100.0) -> Profile:
    return Profile(subject="1", time=TIMES, concentration=c0 * np.exp(-rate * TIMES), dose=dose)


def standing(result: NcaResult, code: str) -> Standing:
    return next(p.standing for p in result.parameters if p.label == code)


def test_an_exponential_is_analysed_exactly() -> None:
    rate, c0, dose = 0.1, 10.0, 100.0
    found = analyse_nca([bolus(rate, c0, dose)], NcaSettings(route=Route.BOLUS, partial=((3.0, 30.0),)))
    expected = {
        "LAMZ": rate, "LAMZHL": np.log(2) / rate, "AUCIFO": c0 / rate, "AUCIFP": c0 / rate, "CLO": dose * rate / c0, "VZO": dose / c0,
        "VSSO": dose / c0, "MRTIVIFO": 1 / rate, "CMAX": c0, "TMAX": 0.0, "AUCINT 3-30": c0 / rate * (np.exp(-0.3) - np.exp(-3.0)),
        "AUCPEO": 100 * np.exp(-2.4),
    }  # fmt: skip
    for code, value in expected.items():
        assert found.value("1", code) == pytest.approx(value, rel=1e-9), code


@given(st.floats(0.5, 3.0), st.floats(0.01, 100.0), st.floats(0.01, 100.0))
def test_units_of_time_and_concentration_scale_through(rate: float, time_scale: float, concentration_scale: float) -> None:
    c = np.exp(-0.1 * TIMES) - np.exp(-rate * TIMES)
    one = analyse_nca([Profile(subject="1", time=TIMES, concentration=c, dose=5.0)])
    other = analyse_nca([Profile(subject="1", time=TIMES * time_scale, concentration=c * concentration_scale, dose=5.0)])
    powers = {
        "AUCLST": (1, 1),
        "AUMCLST": (2, 1),
        "LAMZ": (-1, 0),
        "LAMZHL": (1, 0),
        "CLFO": (-1, -1),
        "VZFO": (0, -1),
        "CMAX": (0, 1),
    }
    for code, (of_time, of_concentration) in powers.items():
        first, second = one.value("1", code), other.value("1", code)
        assert first is not None
        assert second == pytest.approx(first * time_scale**of_time * concentration_scale**of_concentration, rel=1e-6), code


@given(st.lists(st.floats(0.0, 50.0), min_size=3, max_size=8), st.floats(0.0, 1.0), st.sampled_from(list(AreaMethod)))
def test_partial_areas_add_up(values: list[float], share: float, method: AreaMethod) -> None:
    time, c = np.arange(len(values), dtype=np.float64), np.array(values)
    cut, end = share * time[-1], float(time[-1])
    whole = float(segment_areas(time, c, method)[0].sum())
    parts = area_between(0.0, cut, time, c, method) + (area_between(cut, end, time, c, method) if cut < end else 0.0)
    assert parts == pytest.approx(whole, rel=1e-6, abs=1e-9)


def test_the_interval_of_the_rate_holds_the_truth_as_often_as_it_says() -> None:
    rng, held, n = np.random.default_rng(1), 0, 2000
    times = np.array([0.0, 1.0, 8.0, 12.0, 24.0])
    for _ in range(n):
        c = np.array([0.0, 20.0, *(10 * np.exp(-0.1 * times[2:] + 0.05 * rng.standard_normal(3)))])
        row = next(p for p in analyse_nca([Profile(subject="1", time=times, concentration=c)]).parameters if p.code == "LAMZ")
        held += row.low is not None and row.high is not None and row.low <= 0.1 <= row.high
    assert 0.935 < held / n < 0.965


@pytest.mark.parametrize(
    ("concentration", "expected"),
    [
        ([0, 2, 9, 4, 8, 3, 5, 2], Standing.POOR_FIT),
        ([0, 1, 2, 3, 4, 5, 6, 7], Standing.TOO_FEW_POINTS),
        ([0, 9, 1, 2, 3, 4, 5, 6], Standing.NOT_DECLINING),
    ],
)
def test_without_a_terminal_phase_nothing_rests_on_it(concentration: list[float], expected: Standing) -> None:
    found = analyse_nca([Profile(subject="1", time=TIMES, concentration=np.array(concentration, dtype=float), dose=10.0)])
    for code in ("AUCIFO", "AUCIFP", "CLFO", "VZFO", "AUCPEO", "MRTEVIFO"):
        assert found.value("1", code) is None
        assert standing(found, code) is expected
    assert found.value("1", "AUCLST") is not None


def test_much_extrapolation_is_said_and_kept_out_of_the_statistics() -> None:
    short = Profile(subject="2", time=TIMES[:6], concentration=10 * np.exp(-0.05 * TIMES[:6]), dose=100.0)
    found = analyse_nca([bolus(), short], NcaSettings(route=Route.BOLUS))
    assert standing(found, "AUCIFO") is Standing.VALUE
    assert found.value("2", "AUCIFO") == pytest.approx(200.0)
    row = found.statistics().filter(PPTESTCD="AUCIFO").row(0, named=True)
    assert (row["n"], row["n_withheld"], row["mean"]) == (1, 1, pytest.approx(100.0))
    assert "extrapolated" in found.summary()
    assert "subject 2" in found.summary()


def test_samples_below_the_limit() -> None:
    time = np.array([0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0])
    c = np.array([0.0, 5.0, 4.0, 0.0, 2.0, 1.0, 0.0])
    below = c == 0.0
    out = analyse_nca([Profile(subject="1", time=time, concentration=c, below=below)], NcaSettings(method=AreaMethod.LINEAR))
    zero = analyse_nca(
        [Profile(subject="1", time=time, concentration=c, below=below)], NcaSettings(method=AreaMethod.LINEAR, between=Between.ZERO)
    )
    assert out.value("1", "TLST") == 8.0
    assert out.value("1", "AUCLST") == pytest.approx(2.5 + 4.5 + 12.0 + 3.0)
    assert zero.value("1", "AUCLST") == pytest.approx(2.5 + 4.5 + 4.0 + 2.0 + 3.0)
    assert out.value("1", "AUCALL") == pytest.approx(22.0 + 2.0)
    assert "left out" in out.notes[0]
    assert "taken as 0" in zero.notes[0]


def test_steady_state() -> None:
    rate, tau = 0.1, 12.0
    time = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 12.0])
    found = analyse_nca(
        [Profile(subject="1", time=time, concentration=10 * np.exp(-rate * time), dose=50.0)],
        NcaSettings(route=Route.BOLUS, tau=tau),
    )
    area = 100 * (1 - np.exp(-rate * tau))
    expected = {"AUCTAU": area, "CAVG": area / tau, "CTROUGH": 10 * np.exp(-1.2), "CMIN": 10 * np.exp(-1.2), "CLTAU": 50 / area,
                "FLUCP": 100 * (10 - 10 * np.exp(-1.2)) / (area / tau)}  # fmt: skip
    for code, value in expected.items():
        assert found.value("1", code) == pytest.approx(value, rel=1e-9), code
    assert found.value("1", "AUCIFO") is None


def test_nothing_quantified_is_a_standing() -> None:
    found = analyse_nca([Profile(subject="7", time=TIMES, concentration=np.zeros(8))])
    assert standing(found, "CMAX") is Standing.NOT_QUANTIFIED
    assert "nothing quantified" in found.summary()


def test_the_geometric_mean_of_known_numbers() -> None:
    values = np.array([1.0, 2.0, 4.0])
    profiles = [Profile(subject=str(k), time=TIMES, concentration=v * np.exp(-0.1 * TIMES)) for k, v in enumerate(values)]
    row = analyse_nca(profiles, NcaSettings(route=Route.BOLUS)).statistics().filter(PPTESTCD="CMAX").row(0, named=True)
    assert row["geometric_mean"] == pytest.approx(2.0)
    assert row["geometric_cv_percent"] == pytest.approx(100 * np.sqrt(np.exp(np.log(2) ** 2) - 1))
    assert (row["n"], row["median"]) == (3, 2.0)


def test_what_is_wrong_with_a_profile_or_the_settings_is_said_in_one_pass() -> None:
    with pytest.raises(InputError, match="a concentration of -1") as told:
        Profile(subject="3", time=np.array([0.0, 2.0, 1.0]), concentration=np.array([1.0, -1.0, 2.0]), dose=-5.0)
    assert len(told.value.faults) == 3
    assert "subject 3" in str(told.value)
    with pytest.raises(InputError, match="an infusion of 0") as told:
        NcaSettings(route=Route.INFUSION, tau=-1.0, partial=((5.0, 2.0),), confidence=95.0)
    assert len(told.value.faults) == 4
    with pytest.raises(InputError, match="no profile"):
        analyse_nca([])
