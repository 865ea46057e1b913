"""Which channel a person means: exact name, exact label, then words; never a guess."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.channel_names import ResolvedPanel, find_channels, resolve_panel
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.tubes import Panel
from thrombokit.io.fcs import read_fcs


def sample_of(*channels: tuple[str, str]) -> Sample:
    named = tuple(Channel(name=name, label=label) for name, label in channels)
    return Sample(name="tube.fcs", channels=named, stored=np.zeros((1, len(named)), np.float32))


SCATTER = (("FSC-A", ""), ("FSC-H", ""), ("SSC-A", ""), ("Time", ""))
STAINED = sample_of(*SCATTER, ("FL1-A", "CD61 FITC"), ("FL1-H", "CD61 FITC"), ("FL4-A", "CD41 APC"), ("APC-Cy7-A", "CD34"))


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("FL4-A", "FL4-A"),  # exact name
        ("CD41 APC", "FL4-A"),  # exact label
        ("fl4-a", "FL4-A"),  # case
        ("cd34", "APC-Cy7-A"),
        ("CD41", "FL4-A"),  # one word of a label
        ("CD61", "FL1-A"),  # area and height share the label: the area
        ("CD61 FITC", "FL1-A"),
        ("FL1-H", "FL1-H"),  # a height that is asked for by name is given
        ("Cy7", "APC-Cy7-A"),
    ],
)
def test_the_first_rule_that_finds_something_decides(said: str, name: str) -> None:
    (found,) = find_channels(said, STAINED.channels)
    assert found.name == name


@pytest.mark.parametrize("said", ["CD4", "FL", "CD42b", "", "  ", "APC-Cy"])
def test_parts_of_words_find_nothing(said: str) -> None:
    assert find_channels(said, STAINED.channels) == ()


def test_a_word_in_two_detectors_is_ambiguous() -> None:
    assert {channel.name for channel in find_channels("APC", STAINED.channels)} == {"FL4-A", "APC-Cy7-A"}


def test_the_exact_name_of_one_channel_wins_over_the_label_of_another() -> None:
    channels = sample_of(("CD41", "FL1"), ("FL1", "CD41")).channels
    assert [channel.name for channel in find_channels("FL1", channels)] == ["FL1"]


@given(st.sampled_from(list(STAINED.channels)))
def test_every_channel_is_found_by_its_own_name_and_nothing_else_is(channel: Channel) -> None:
    assert find_channels(channel.name, STAINED.channels) == (channel,)


def test_a_panel_comes_out_in_the_names_of_the_file() -> None:
    panel = Panel(name="surface", channels={"CD41": "CD41 APC", "CD61": "CD61"})
    found = resolve_panel(panel, STAINED, place="samples.csv, row 2")
    assert isinstance(found, ResolvedPanel)
    assert found.panel.channels == {"CD41": "FL4-A", "CD61": "FL1-A"}
    assert (found.panel.fsc_area, found.panel.time, found.notes) == ("FSC-A", "Time", ())


def test_a_missing_time_channel_is_noted_and_empty_a_missing_height_a_fault() -> None:
    sample = sample_of(("FSC-A", ""), ("SSC-A", ""), ("FL4-A", "CD41"))
    found = resolve_panel(Panel(name="p", channels={"CD41": "CD41"}, fsc_height=""), sample, place="row 2")
    assert isinstance(found, ResolvedPanel)
    assert found.panel.time == ""
    assert "time quality cannot be judged" in found.notes[0]
    faults = resolve_panel(Panel(name="p", channels={"CD41": "CD41"}), sample, place="row 2")
    assert isinstance(faults, tuple)
    assert [fault.place for fault in faults] == ["row 2, panel p, fsc_height"]
    assert 'no channel "FSC-H" in tube.fcs' in str(faults[0])
    assert faults[0].cure.endswith('Write fsc_height = "" in the panel if there is none.')


def test_all_faults_of_a_panel_come_at_once_with_candidates_and_a_guess() -> None:
    panel = Panel(name="p", channels={"CD41": "APC", "CD61": "FL11-A", "CD42b": "CD34", "CD34": "APC-Cy7-A"})
    faults = resolve_panel(panel, STAINED, place="samples.csv, row 7")
    assert isinstance(faults, tuple)
    ambiguous, missing, shared = faults
    assert '"APC", which may be FL4-A (CD41 APC), APC-Cy7-A (CD34) of tube.fcs' in ambiguous.found
    assert 'no channel "FL11-A"' in missing.found
    assert missing.cure == 'Did you mean "FL1-A"?'
    assert shared.found == "CD42b and CD34 on the one channel APC-Cy7-A"


def test_two_channels_of_one_name_are_not_chosen_between() -> None:
    faults = resolve_panel(Panel(name="p", channels={"DNA": "FL3"}), sample_of(*SCATTER, ("FL3", ""), ("FL3", "")), place="row 2")
    assert isinstance(faults, tuple)
    assert "Rename one of the two channels" in faults[0].cure


@pytest.mark.parametrize(
    ("file", "said", "name"),
    [
        ("flowkit_gatingml/data1.fcs", "CD3", "FL3-H"),
        ("flowkit_gatingml/data1.fcs", "CD4 FITC", "FL1-H"),
        ("flowkit_flowjo/test_comp_example.fcs", "pStat3", "Ax488-A"),
        ("cytoflow_genome_size/PU87@10+B200.fcs", "PI", "FL1"),
        ("flowploidydata/188-15.LMD", "FL3 INT LIN", "FL3 INT LIN"),
        ("flowio_odd/G11.fcs", "mCherry", "YL2-A"),
    ],
)
def test_channels_of_real_files_are_found(reference_data: Path, file: str, said: str, name: str) -> None:
    sample = read_fcs(reference_data / "fcs" / file)
    assert [channel.name for channel in find_channels(said, sample.channels)] == [name]


def test_one_antibody_on_two_detectors_of_a_real_file_is_ambiguous(reference_data: Path) -> None:
    sample = read_fcs(reference_data / "fcs/flowkit_gatingml/data1.fcs")
    assert [channel.name for channel in find_channels("CD8", sample.channels)] == ["FL2-H", "FL4-H"]
