"""What control tubes can carry: FMOs that are lacking, detectors that were moved."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.cells.control_tubes import groups_of, missing_fmo, moved_detectors
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.tubes import DNA, VIABILITY, Panel, Tube, TubeKind

PANEL = Panel(name="p", channels={"CD41": "APC-A", VIABILITY: "BV421-A", DNA: "PI-A"}, fsc_height="")
NAMES = ("FSC-A", "SSC-A", "APC-A", "BV421-A", "PI-A")


def tube(
    name: str,
    *,
    kind: TubeKind = TubeKind.FULL,
    donor: str = "D1",
    voltage: str = "500",
    stain: str = "",
    range_max: float = 1024.0,
) -> Tube:
    channels = tuple(Channel(name=n, range_max=range_max if n == "APC-A" else 1024.0) for n in NAMES)
    sample = Sample(
        name=f"{name}.fcs", channels=channels, stored=np.zeros((1, 5), np.float32), keywords={"$P3V": voltage, "$P1V": "NA"}
    )
    return Tube(name=name, sample=sample, panel=PANEL, kind=kind, donor=donor, day_d=10.0 if donor else None, stain=stain)


def test_only_surface_markers_need_an_fmo_and_each_group_its_own() -> None:
    tubes = [
        tube("a"),
        tube("f", kind=TubeKind.FMO, stain="CD41"),
        tube("b", donor="D2"),
        tube("u", kind=TubeKind.UNSTAINED, donor="D2"),
    ]
    (sentence,) = missing_fmo(tubes)
    assert (
        sentence == "No FMO for CD41 in donor D2, day 10, panel p: the threshold rests on a density valley or the unstained tube."
    )


def test_groups_without_stained_tubes_need_no_control() -> None:
    assert missing_fmo([tube("u", kind=TubeKind.UNSTAINED)]) == ()


def test_a_moved_voltage_is_told_once_with_figures_and_a_word_for_none_is_passed_over() -> None:
    (change,) = moved_detectors([tube("a"), tube("b"), tube("c", voltage="520.000")])
    assert (change.tube, change.channel, change.setting, change.value, change.usual) == (
        "c",
        "APC-A (CD41)",
        "voltage",
        "520",
        "500",
    )
    assert moved_detectors([tube("a"), tube("b", voltage="500.0"), tube("c", voltage="")]) == ()


def test_a_range_that_differs_is_told() -> None:
    (change,) = moved_detectors([tube("a"), tube("b"), tube("c", range_max=262144.0)])
    assert (change.setting, change.value) == ("range", "262144")


def test_donors_are_not_compared_with_each_other_but_shared_controls_are_with_each() -> None:
    apart = [tube("a"), tube("b", donor="D2", voltage="520")]
    assert moved_detectors(apart) == ()
    shared = [*apart, tube("s", kind=TubeKind.SINGLE_STAIN, donor="", voltage="520", stain="CD41")]
    assert {(change.tube, change.group[0]) for change in moved_detectors(shared)} == {("s", "D1")}


@given(st.lists(st.sampled_from(["D1", "D2", "D3"]), min_size=1, max_size=9))
def test_groups_part_the_tubes(donors: list[str]) -> None:
    tubes = [tube(f"t{number}", donor=donor) for number, donor in enumerate(donors)]
    groups = groups_of(tubes)
    assert sorted(t.name for members in groups.values() for t in members) == sorted(t.name for t in tubes)
    assert all(t.control_group == group for group, members in groups.items() for t in members)
