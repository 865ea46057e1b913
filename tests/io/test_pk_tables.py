"""Concentration tables: what is read, and what is said of a table that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from thrombokit.errors import InputError
from thrombokit.io.pk_tables import read_profiles


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "pk.csv"
        path.write_text(text.strip() + "\n", encoding="utf-8")
        return path

    return write


def test_a_nonmem_table_with_dose_records(written: Callable[[str], Path]) -> None:
    profiles = read_profiles(
        written(
            "id,time,dv,amt,evid\n1,2,.,100,1\n1,2,0,.,0\n1,3,5.5,.,0\n1,4,BLQ,.,0\n1,5,9,.,2\n2,0,.,50,101\n2,1,<0.5,.,0\n2,2,1,.,0"
        )
    )
    assert [(p.subject, p.dose) for p in profiles] == [("1", 100.0), ("2", 50.0)]
    assert profiles[0].time.tolist() == [0.0, 1.0, 2.0]
    assert np.asarray(profiles[0].below).tolist() == [False, False, True]
    assert np.asarray(profiles[1].below).tolist() == [True, False]


def test_a_plain_table_with_its_own_titles_groups_and_a_limit(written: Callable[[str], Path]) -> None:
    path = written("Subject,Hours,Conc,Dose,Arm\nA,0,0.01,10,T\nA,1,3,10,T\nA,0,0.2,20,R\nA,1,,20,R")
    found = read_profiles(path, subject="subject", time="Hours", concentration="Conc", amount="Dose", group="Arm", limit=0.1)
    assert [(p.subject, p.group, p.dose) for p in found] == [("A", "T", 10.0), ("A", "R", 20.0)]
    assert np.asarray(found[0].below).tolist() == [True, False]
    assert "1 samples without a value" in found[1].notes[0]


def test_steady_state_takes_the_interval_after_the_last_dose(written: Callable[[str], Path]) -> None:
    path = written("ID,TIME,DV,AMT,EVID\n1,0,.,10,1\n1,1,3,.,0\n1,24,.,12,1\n1,24.5,4,.,0\n1,30,2,.,0")
    (profile,) = read_profiles(path, steady_state=True)
    assert (profile.time.tolist(), profile.dose) == ([0.5, 6.0], 12.0)
    with pytest.raises(InputError, match="2 doses; expected one dose, or steady state"):
        read_profiles(path)


def test_every_fault_with_row_column_and_cure_in_one_pass(written: Callable[[str], Path]) -> None:
    with pytest.raises(InputError) as told:
        read_profiles(written("ID,TIME,DV\n1,0,abc\n1,x,1\n1,2,-3\n,3,1"))
    message = str(told.value)
    for part in (
        "row 2, column DV",
        '"abc"',
        "row 3, column TIME",
        "row 4, column DV",
        "-3",
        "row 5: found no subject or no time",
        "BLQ",
    ):
        assert part in message, part


def test_times_twice_no_samples_and_missing_columns(written: Callable[[str], Path]) -> None:
    with pytest.raises(InputError, match="subject 1: found time 1 twice or out of order"):
        read_profiles(written("ID,TIME,DV\n1,0,1\n1,1,2\n1,1,3"))
    with pytest.raises(InputError, match="no sample after the dose"):
        read_profiles(written("ID,TIME,DV,AMT\n1,0,.,10\n2,0,.,10\n2,1,1,."))
    with pytest.raises(InputError, match='no column "CONC"'):
        read_profiles(written("ID,TIME,DV\n1,0,1"), concentration="CONC")


def test_the_dose_on_every_row_and_a_dose_record_beside_a_dose_that_is_given(written: Callable[[str], Path]) -> None:
    (every,) = read_profiles(written("ID,TIME,DV,AMT\n1,0,1,10\n1,1,.,10\n1,2,3,10"))
    assert (every.time.tolist(), every.dose) == ([0.0, 2.0], 10.0)
    (given,) = read_profiles(written("ID,TIME,DV,AMT\n1,6,.,10\n1,7,1,.\n1,8,3,."), dose=320.0)
    assert (given.time.tolist(), given.dose) == ([1.0, 2.0], 320.0)


def test_additional_doses_and_steady_state_records_are_not_taken_for_one_dose(written: Callable[[str], Path]) -> None:
    with pytest.raises(InputError, match="row 2, column ADDL: found additional doses"):
        read_profiles(written("ID,TIME,DV,AMT,ADDL,II\n1,0,.,10,3,24\n1,1,5,.,.,."))
    path = written("ID,TIME,DV,AMT,SS,II\n1,0,.,10,1,24\n1,1,5,.,.,.")
    with pytest.raises(InputError, match="a dose at steady state"):
        read_profiles(path)
    assert read_profiles(path, steady_state=True)[0].dose == 10.0
