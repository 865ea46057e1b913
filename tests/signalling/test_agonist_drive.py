"""The operational model: sites add, agonists of one site compete, serum moves KA."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.domain.agonist import BindingSite
from thrombokit.errors import InputError
from thrombokit.signalling.agonist_drive import Binding, drive_of, site_settings

TPO = Binding(agonist="rhTPO", site=BindingSite.EXTRACELLULAR, affinity_nM=0.163, efficacy=5.0)
SMALL = Binding(
    agonist="small", site=BindingSite.TRANSMEMBRANE, affinity_nM=8.0, efficacy=3.0, plasma_unbound_fraction=0.01, serum_percent=10.0
)
PARTIAL = Binding(agonist="partial", site=BindingSite.TRANSMEMBRANE, affinity_nM=20.0, efficacy=0.5)
EVERYONE = [TPO, SMALL, PARTIAL]
DOSE = st.floats(1e-4, 1e4)


def _drive(doses: dict[str, float], his499: float = 1.0) -> float:
    return drive_of(site_settings(EVERYONE, doses), his499=his499)


@given(tpo=DOSE, small=DOSE)
def test_sites_add(tpo: float, small: float) -> None:
    together = _drive({"rhTPO": tpo, "small": small})
    assert together == pytest.approx(_drive({"rhTPO": tpo}) + _drive({"small": small}), rel=1e-12)
    assert _drive({"rhTPO": tpo, "small": small}, his499=0.0) == _drive({"rhTPO": tpo})


@given(small=DOSE, partial=DOSE)
def test_agonists_of_one_site_compete(small: float, partial: float) -> None:
    """Each takes its share of the site: tau x / (1 + sum x), x = dose / KA."""
    x, y = small / 8.0, partial / 20.0
    expected = (3.0 * x + 0.5 * y) / (1.0 + x + y)
    assert _drive({"small": small, "partial": partial}) == pytest.approx(expected, rel=1e-12)


@given(dose=DOSE, factor=st.floats(0.01, 100.0))
def test_dose_counts_in_units_of_affinity(dose: float, factor: float) -> None:
    other = Binding(agonist="small", site=BindingSite.TRANSMEMBRANE, affinity_nM=8.0 * factor, efficacy=3.0)
    assert drive_of(site_settings([other], {"small": dose * factor})) == pytest.approx(_drive({"small": dose}), rel=1e-12)


def test_a_partial_agonist_pulls_a_full_one_down() -> None:
    assert _drive({"small": 800.0, "partial": 2e5}) < _drive({"small": 800.0})


def test_more_serum_more_dose() -> None:
    assert SMALL.affinity_in(None) == SMALL.affinity_in(10.0) == 8.0
    without = SMALL.affinity_in(0.0)
    assert without == pytest.approx(8.0 / (1.0 + 0.99 * 10.0))
    assert SMALL.affinity_in(100.0) / without == pytest.approx(1.0 / 0.01)


def test_serum_that_cannot_be_reckoned_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"signalling, partial: found 5 % serum; serum of the anchoring assay not known; .*plasma_unbound_fraction"
    ):
        PARTIAL.affinity_in(5.0)


def test_all_wrong_doses_are_named() -> None:
    with pytest.raises(InputError) as caught:
        site_settings(EVERYONE, {"unknown": 1.0, "small": -2.0, "rhTPO": float("inf")})
    said = str(caught.value)
    assert "dose of unknown: found an agonist without KA and efficacy; expected rhTPO, small, partial" in said
    assert "dose of small: found -2 nM" in said
    assert "dose of rhTPO: found inf nM" in said


def test_affinity_and_efficacy_are_above_zero() -> None:
    with pytest.raises(InputError, match=r"x, affinity_nM: found 0.*\n.*x, efficacy: found -1"):
        Binding(agonist="x", site=BindingSite.TRANSMEMBRANE, affinity_nM=0.0, efficacy=-1.0)
