"""The ledger and the sample sheet name the same tubes."""

from __future__ import annotations

import numpy as np

from thrombokit.cells.culture_events import Culture, Sampling, Seed
from thrombokit.cells.ledger_tubes import ledger_faults
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.tubes import Panel, Tube

SAMPLE = Sample(name="f", channels=(Channel(name="FSC-A"),), stored=np.zeros((1, 1), np.float32))
TUBES = [
    Tube(name=name, sample=SAMPLE, panel=Panel(name="p"), donor=donor, day_d=10.0) for name, donor in (("T1", "D1"), ("T2", "D2"))
]


def culture(*tubes: tuple[str, float]) -> Culture:
    seed = Seed(day_d=0, CD34_cells=1e4, volume_mL=1.0)
    taken = (
        Sampling(day_d=day, volume_mL=0.1, tube=tube, place=f"yields.csv, row {row}") for row, (tube, day) in enumerate(tubes, 3)
    )
    return Culture(name="A", donor="D1", events=(seed, *taken))


def test_the_same_tube_in_both_is_no_fault_and_neither_is_one_that_is_left_out_or_unnamed() -> None:
    assert ledger_faults([culture(("T1", 10), ("T9", 10), ("", 11))], TUBES, excluded=["T9"]) == []


def test_an_unknown_tube_another_donor_and_another_day_are_told_with_their_rows() -> None:
    faults = ledger_faults([culture(("T3x", 9), ("T1", 11), ("T2", 10))], TUBES)
    assert [fault.place for fault in faults] == ["yields.csv, row 3", "yields.csv, row 4", "yields.csv, row 5"]
    unknown, day, donor = faults
    assert unknown.expected == "a tube of the sample sheet"
    assert day.found == 'tube "T1" of day 10 in the sample sheet and 11 in the ledger'
    assert donor.found == 'tube "T2" of donor D2 in culture "A" of donor D1'


def test_a_tube_named_twice_would_count_twice() -> None:
    (fault,) = ledger_faults([culture(("T1", 10), ("T1", 10))], TUBES)
    assert str(fault).startswith('yields.csv, row 4: found tube "T1" again (first in yields.csv, row 3)')
