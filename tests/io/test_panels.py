"""Panels from TOML, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from thrombokit.cells.tubes import Viability
from thrombokit.errors import SpecError
from thrombokit.io.panels import read_panels

GOOD = """
[[panels]]
name = "surface"
viability = "fixable"
time = ""
[panels.channels]
CD41 = "APC-A"
viability = "BV421-A"

[[panels]]
name = "ploidy"
fixed = true
ssc_area = "SS INT"
[panels.channels]
CD41 = "APC-A"
DNA = "PI"
"""


def write(tmp_path: Path, text: str) -> Path:
    (tmp_path / "panels.toml").write_text(text, encoding="utf-8")
    return tmp_path / "panels.toml"


def test_panels_are_read_with_their_defaults(tmp_path: Path) -> None:
    panels = read_panels(write(tmp_path, GOOD))
    assert list(panels) == ["surface", "ploidy"]
    surface, ploidy = panels.values()
    assert (surface.viability, surface.time, surface.fsc_height, surface.fixed) == (Viability.FIXABLE, "", "FSC-H", False)
    assert (ploidy.fixed, ploidy.ssc_area, ploidy.viability) == (True, "SS INT", Viability.NONE)
    assert surface.surface_markers == ploidy.surface_markers == ("CD41",)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "ploidy"', 'name = "Surface"', r"panels\[2\].name: found the text \"Surface\"; expected a name for each panel"),
        ('viability = "fixable"', 'viability = "fixible"', 'Did you mean "fixable"'),
        ('viability = "fixable"', "", "a live/dead channel is listed"),
        ('viability = "BV421-A"', "", "expected the dye's channel under viability"),
        ('CD41 = "APC-A"\nviability', 'CD41 = "APC-A"\ncd41 = "PE-A"\nviability', "expected each marker once"),
        ('DNA = "PI"', 'DNA = "apc-a"', "expected a channel for each marker"),
        ('DNA = "PI"', "DNA = 3", "expected the channel's name or label"),
        ("fixed = true", 'fixed = "yes"', "expected true or false"),
        ("fixed = true", "fixd = true", 'Did you mean "fixed"'),
        ('[panels.channels]\nCD41 = "APC-A"\nDNA = "PI"', "", "found no channels"),
    ],
)
def test_a_wrong_panel_says_what_and_where(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(SpecError, match=told) as raised:
        read_panels(write(tmp_path, GOOD.replace(old, new)))
    assert all("panels.toml:" in fault.place for fault in raised.value.faults)


def test_a_file_without_panels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"found no panel; expected tables \[\[panels\]\]"):
        read_panels(write(tmp_path, "# nothing\n"))


def test_a_misspelt_list_of_panels_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r'the unknown key "pannels".*Did you mean "panels"'):
        read_panels(write(tmp_path, '[[pannels]]\nname = "surface"\n'))
