"""Agonist files: what ships is right, what is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from thrombokit.agonists.formula import molar_mass_of
from thrombokit.agonists.load import load_agonist, shipped_agonists
from thrombokit.domain.agonist import BindingSite, Tier
from thrombokit.errors import SpecError
from thrombokit.quantities import concentration_nM

GOOD = """\
schema = "thrombokit-agonist/1"
name = "mine"
class = "small molecule"
binding_site = "transmembrane"
molar_mass_g_per_mol = 500

[salt]
name = "sodium"

[[potency]]
cell_system = "32D-MPL"
readout = "luminescence"
hours = 72
serum = "10 % FBS"
ec50_nM = 5
source = "laboratory notebook"
tier = "assumed"

[pk]
route = "oral"
"""


def _load(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_agonist(file)
    return [str(fault) for fault in caught.value.faults]


def test_shipped() -> None:
    assert shipped_agonists() == ("avatrombopag", "eltrombopag", "hetrombopag", "lusutrombopag", "rhTPO", "romiplostim")


@pytest.mark.parametrize(
    ("agonist", "mpl_nM", "cord_blood_nM"),
    [("hetrombopag", 0.4, 2.3), ("eltrombopag", 13.4, 86.2)],
)
def test_published_potencies(agonist: str, mpl_nM: float, cord_blood_nM: float) -> None:
    loaded = load_agonist(agonist)
    mpl, cord_blood = loaded.potency_in("32D-MPL"), loaded.potency_in("CD34+ cord blood")
    assert mpl is not None
    assert cord_blood is not None
    assert (mpl.ec50_nM, cord_blood.ec50_nM) == (mpl_nM, cord_blood_nM)
    assert {mpl.tier, cord_blood.tier} == {Tier.TRANSCRIBED}
    assert cord_blood.readout == "not stated"
    assert "10.1111/jcmm.13809" in mpl.source
    assert loaded.binding_site is BindingSite.TRANSMEMBRANE
    assert loaded.salt == "olamine"


@pytest.mark.parametrize("name", ["TPO", "rhtpo", " Thrombopoietin "])
def test_names_and_aliases_without_regard_to_case(name: str) -> None:
    assert load_agonist(name).name == "rhTPO"
    assert load_agonist("shr-8735") == load_agonist("Hetrombopag")


def test_rhtpo_mass_is_said_to_be_assumed() -> None:
    rhtpo = load_agonist("rhTPO")
    assert rhtpo.binding_site is BindingSite.EXTRACELLULAR
    assert rhtpo.molar_mass_tier is Tier.ASSUMED
    assert "glycosylated" in (rhtpo.molar_mass_source or "")
    dose_nM = concentration_nM(100, "ng/mL", place="here", molar_mass_g_per_mol=rhtpo.molar_mass_g_per_mol)
    assert dose_nM == pytest.approx(1.43, abs=0.005)


def test_masses_of_the_parents() -> None:
    """C25H22N4O5 and C25H22N4O4; the eltrombopag label prints 442.5 (free acid) and 564.65 (bis-olamine)."""
    assert load_agonist("hetrombopag").molar_mass_g_per_mol == pytest.approx(molar_mass_of("C25H22N4O5"), abs=0.005)
    assert load_agonist("eltrombopag").molar_mass_g_per_mol == pytest.approx(442.47, abs=0.05)
    assert molar_mass_of("C25H22N4O4.2C2H7NO") == pytest.approx(564.65, abs=0.05)
    assert load_agonist("lusutrombopag").molar_mass_g_per_mol == pytest.approx(molar_mass_of("C29H32Cl2N2O5S"), abs=0.01)
    assert load_agonist("avatrombopag").molar_mass_g_per_mol == pytest.approx(molar_mass_of("C29H34Cl2N6O3S2"), abs=0.01)


def test_where_the_later_compounds_bind() -> None:
    """Romiplostim stands on TPO's own site, the small molecules on the transmembrane one."""
    assert load_agonist("AMG 531").binding_site is BindingSite.EXTRACELLULAR
    assert {load_agonist(name).binding_site for name in ("S-888711", "E5501")} == {BindingSite.TRANSMEMBRANE}


def test_lusutrombopag_potency_is_the_printed_mass_concentration() -> None:
    """183 ng/mL of total plasma (Shimizu 2021, Table 1)."""
    lusutrombopag = load_agonist("lusutrombopag")
    potency = lusutrombopag.potency_in("CD34+")
    assert potency is not None
    expected = concentration_nM(183, "ng/mL", place="here", molar_mass_g_per_mol=lusutrombopag.molar_mass_g_per_mol)
    assert potency.ec50_nM == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize(
    ("formula", "mass"),
    [("H2O", 18.015), ("NaCl", 58.44), ("CuO", None), ("c2h6", None), ("C2H5(OH)", None), ("", None), ("C2 · 2H2O", 60.052)],
)
def test_formula(formula: str, mass: float | None) -> None:
    if mass is None:
        with pytest.raises(ValueError, match=r"no formula|none of the elements"):
            molar_mass_of(formula)
    else:
        assert molar_mass_of(formula) == pytest.approx(mass, abs=1e-3)


def test_own_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD, encoding="utf-8")
    agonist = load_agonist(str(file))
    assert (agonist.name, agonist.salt, agonist.molar_mass_g_per_mol) == ("mine", "sodium", 500.0)
    assert agonist.potencies[0].hours == 72.0


def test_mass_under_salt_is_used_where_the_compound_has_none(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'schema = "thrombokit-agonist/1"\nname = "m"\nclass = "c"\n[salt]\nname = "s"\nformula = "C2H6O"\n', encoding="utf-8"
    )
    assert load_agonist(file).molar_mass_g_per_mol == pytest.approx(46.069, abs=1e-3)


def test_all_faults_in_one_pass_each_with_its_line(tmp_path: Path) -> None:
    text = GOOD.replace("agonist/1", "agonist/9").replace("transmembrane", "intracellular").replace("= 500", '= "500"')
    text = text.replace("hours = 72", "hours = -1").replace("ec50_nM = 5", "ec50 = 5").replace('tier = "assumed"', 'tier = "guess"')
    messages = _load(tmp_path, text)
    assert messages[0].startswith('mine.toml:1, schema: found the text "thrombokit-agonist/9"; expected "thrombokit-agonist/1"')
    told = "\n".join(messages)
    assert 'mine.toml:5, molar_mass_g_per_mol: found the text "500"' in told
    assert "Write the number without quotes" in told
    assert 'mine.toml:4, binding_site: found the text "intracellular"; expected "extracellular" or "transmembrane"' in told
    assert "mine.toml:13, potency[1].hours: found the number -1" in told
    assert 'mine.toml:10, potency[1].ec50_nM: found no key "ec50_nM"' in told
    assert "Add a line such as: ec50_nM = 13.4" in told
    assert 'mine.toml:15, potency[1].ec50: found the unknown key "ec50"' in told
    assert 'Did you mean "ec50_nM"?' in told
    assert 'mine.toml:17, potency[1].tier: found the text "guess"' in told
    assert len(messages) == 7


def test_empty_file_names_all_that_is_required(tmp_path: Path) -> None:
    messages = _load(tmp_path, "")
    assert [message.split(":")[1] for message in messages] == ["1, schema", "1, name", "1, class"]


def test_wrong_shapes(tmp_path: Path) -> None:
    told = "\n".join(_load(tmp_path, 'salt = "olamine"\naliases = "x"\n[potency]\ncell_system = 1\n'))
    assert 'mine.toml:1, salt: found the text "olamine"; expected a table [salt]' in told
    assert "mine.toml:2, aliases" in told
    assert "mine.toml:3, potency: found a table; expected tables [[potency]]. Write [[potency]] with two brackets" in told


def test_mass_that_disagrees_with_the_formula_is_refused(tmp_path: Path) -> None:
    """The monoisotopic mass, which databases print, is no molar mass."""
    text = GOOD.replace("molar_mass_g_per_mol = 500", 'molar_mass_g_per_mol = 458.16\nformula = "C25H22N4O5"')
    (message,) = _load(tmp_path, text)
    assert message.startswith(
        "mine.toml:5, molar_mass_g_per_mol: found the number 458.16; expected 458.47 g/mol, the mass of C25H22N4O5"
    )
    (message,) = _load(tmp_path, GOOD.replace("= 500", '= 500\nformula = "Xy2"'))
    assert message.startswith('mine.toml:6, formula: found "Xy" is none of the elements')


def test_unknown_name_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r'found the name "hetrombopak".*Did you mean "hetrombopag"\?'):
        load_agonist("hetrombopak")
    with pytest.raises(SpecError, match="Write an agonist file"):
        load_agonist("xyz")
    with pytest.raises(SpecError, match=r"none\.toml: found no such file"):
        load_agonist(str(tmp_path / "none.toml"))


SIGNALLING = """\

[signalling]
affinity_nM = 8.0
affinity_source = "laboratory notebook"
affinity_tier = "assumed"
plasma_unbound_fraction = 0.01
plasma_unbound_fraction_source = "label"
plasma_unbound_fraction_tier = "published"
anchor = "32D-MPL"
"""


def test_signalling_table(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD + SIGNALLING, encoding="utf-8")
    signalling = load_agonist(file).signalling
    assert signalling is not None
    assert signalling.affinity_nM is not None
    assert signalling.plasma_unbound_fraction is not None
    assert (signalling.affinity_nM.value, signalling.affinity_nM.tier) == (8.0, Tier.ASSUMED)
    assert signalling.plasma_unbound_fraction.value == 0.01
    assert (signalling.efficacy, signalling.anchor) == (None, "32D-MPL")


def test_faults_of_the_signalling_table(tmp_path: Path) -> None:
    wrong = (
        SIGNALLING.replace('affinity_source = "laboratory notebook"\n', "")
        .replace("= 0.01", "= 1.5")
        .replace('"32D-MPL"', '"HeLa"')
    )
    faults = "\n".join(_load(tmp_path, GOOD + wrong + "kd = 3\n"))
    assert 'signalling.affinity_source: found no key "affinity_source"; expected where the number comes from' in faults
    assert "signalling.plasma_unbound_fraction: found the number 1.5; expected a fraction of 1, above 0, and at most 1" in faults
    assert 'found anchor = "HeLa"; expected the cell system of a [[potency]] in this file' in faults
    assert 'found the unknown key "kd"' in faults


def test_shipped_agonists_can_be_placed_in_the_signalling_model() -> None:
    for name in shipped_agonists():
        agonist = load_agonist(name)
        assert agonist.signalling is not None
        anchored = agonist.signalling.anchor is not None and agonist.potency_in(agonist.signalling.anchor) is not None
        assert anchored != (agonist.signalling.affinity_nM is not None)
