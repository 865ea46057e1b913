"""NONMEM data sets from disk: what is read, what is passed over, and what each wrong cell is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from thrombokit.errors import FileFormatError, InputError
from thrombokit.io.nonmem import read_events
from thrombokit.patients.event_records import event_table
from thrombokit.patients.event_table import EventTable


def written(folder: Path, text: str) -> Path:
    path = folder / "events.csv"
    path.write_text(text, encoding="utf-8")
    return path


def told(folder: Path, text: str) -> str:
    """The message of a table that is refused."""
    with pytest.raises(FileFormatError) as caught:
        read_events(written(folder, text))
    return str(caught.value)


def test_headers_in_any_case_missing_cells_and_order(tmp_path: Path) -> None:
    table = read_events(written(tmp_path, "Id,tIME,Amt,evid,WT,cmt\n1,0,100,1,70,1\n1,1,.,0,,2\n2, 0 ,.,0,80,.\n"))
    assert table.columns == ("ID", "TIME", "AMT", "EVID", "WT", "CMT")
    assert table.amount.tolist() == [100.0, 0.0, 0.0]
    assert table.evid.tolist() == [1, 0, 0]
    assert table.compartment.tolist() == [1, 2, 0]
    assert table.individual.tolist() == [0, 0, 1]
    assert table.first_records.tolist() == [0, 2, 3]
    assert np.isnan(table.values[1, 4])
    assert table.place(1, "AMT") == "events.csv, row 3, column Amt"


@pytest.mark.parametrize("mark", [",", "\t", ";", "  "])
def test_separators(tmp_path: Path, mark: str) -> None:
    text = "\n".join(mark.join(row) for row in (("ID", "TIME", "AMT"), ("1", "0", "5"), ("1", "2", ".")))
    table = read_events(written(tmp_path, text))
    assert table.time.tolist() == [0.0, 2.0]
    assert table.evid.tolist() == [1, 0]


def test_lines_that_are_passed_over(tmp_path: Path) -> None:
    text = "# a note\nC,ID,TIME,DV\n.,1,0,1\nC,1,x,2\n# more\n,1,2,3\n\n.,1,3,4\n"
    table = read_events(written(tmp_path, text))
    assert table.time.tolist() == [0.0, 2.0, 3.0]
    assert table.row.tolist() == [3, 6, 8]
    lettered = written(tmp_path, "ID,TIME\nI1,0\n1,0\n@,5\nx,6\n")
    assert read_events(lettered, ignore="@").time.tolist() == [0.0]
    with pytest.raises(InputError, match="one character"):
        read_events(lettered, ignore="@@")


def test_without_evid_a_dose_is_a_record_with_an_amount(tmp_path: Path) -> None:
    table = read_events(written(tmp_path, "ID,TIME,AMT,RATE,SS,MDV\n1,0,5,0,0,1\n1,1,0,0,0,1\n1,2,0,0,0,0\n1,3,0,4,1,1\n"))
    assert table.evid.tolist() == [1, 2, 0, 1]


def test_an_id_that_comes_back_is_a_new_individual_and_that_is_said(tmp_path: Path) -> None:
    table = read_events(written(tmp_path, "ID,TIME\n7,0\n8,0\n7,0\n7,1\n"))
    assert table.individual.tolist() == [0, 1, 2, 2]
    assert table.keys == ("7", "8", "7#2")
    assert table.notes == ("row 4: ID 7 was met before and is taken as a new individual, as in NONMEM.",)


def test_time_may_fall_at_a_reset_only(tmp_path: Path) -> None:
    text = "ID,TIME,EVID,AMT\n1,5,0,0\n1,0,{evid},{amt}\n1,1,0,0\n"
    assert read_events(written(tmp_path, text.format(evid=4, amt=1))).time.tolist() == [5.0, 0.0, 1.0]
    assert "row 3, column TIME: found time 0 after 5" in told(tmp_path, text.format(evid=0, amt=0))


def test_early_rxode_codes_are_translated_and_told(tmp_path: Path) -> None:
    text = "ID,TIME,AMT,EVID,RATE\n1,0,320,101,0\n1,1,137,20201,0\n".replace("20201", "10201") + "1,4,-137,10201,0\n1,5,0,0,0\n"
    table = read_events(written(tmp_path, text))
    assert table.evid.tolist() == [1, 1, 2, 0]
    assert table.compartment.tolist()[:2] == [1, 2]
    assert table.amount.tolist() == [320.0, 411.0, 0.0, 0.0]
    assert table.rate.tolist() == [0.0, 137.0, 0.0, 0.0]
    assert table.notes == ("EVID 101, 10201 (coding of early RxODE) read as doses (EVID 1) in 2 records.",)
    assert "an infusion of rate 137 that never stops" in told(tmp_path, "ID,TIME,AMT,EVID\n1,0,137,10101\n")
    assert "switched off" in told(tmp_path, "ID,TIME,AMT,EVID\n1,0,-137,10101\n")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,0,-5,1,1,0,0,0,0", ("row 2, column AMT", "found AMT -5", "a dose of 0 or more", "Correct the sign")),
        ("1,0,5,1,1,0,3,0,0", ("row 2, column ADDL", "found ADDL 3 with II 0", "Fill in II")),
        ("1,0,5,1,1,12,-1,0,0", ("column ADDL", "found ADDL -1", "whole number")),
        ("1,0,5,1,1,12,1.5,0,0", ("column ADDL", "found ADDL 1.5", "whole number")),
        ("1,0,5,1,1,-12,0,0,0", ("column II", "found II -12")),
        ("1,0,5,7,1,0,0,0,0", ("column EVID", "found EVID 7", "EVID 0, 1, 2, 3 or 4")),
        ("1,0,5,0,1,0,0,0,0", ("column AMT", "AMT 5 with EVID 0", "Set EVID to 1")),
        ("1,0,5,1,-2,0,0,0,0", ("column CMT", "found CMT -2", "negative CMT turns a compartment off")),
        ("1,0,5,1,1.5,0,0,0,0", ("column CMT", "a whole number")),
        ("1,0,5,1,1,0,0,1,0", ("column SS", "found SS 1 with II 0", "AMT 0, II 0 and a RATE")),
        ("1,0,5,1,1,12,0,3,0", ("column SS", "found SS 3", "SS 0, 1 or 2")),
        ("1,0,5,1,1,0,0,0,-3", ("column RATE", "found RATE -3", "-1 (rate from the model)")),
        ("1,0,0,1,1,0,0,0,10", ("column RATE", "RATE 10 with AMT 0", "Fill in AMT")),
        ("1,0,0,1,1,0,0,1,-2", ("column RATE", "a duration has no meaning here")),
        ("1,0,.,1,1,0,0,0,0", ("column AMT", "a dose record without an amount")),
        ("1,.,5,1,1,0,0,0,0", ("column TIME", "no time")),
        (".,0,5,1,1,0,0,0,0", ("column ID", "no ID")),
        ("1,NaN,5,1,1,0,0,0,0", ("column TIME", '"NaN"', "a number")),
        ("1,0,NaN,1,1,0,0,0,0", ("column AMT", '"NaN"', "a number, or . where there is none")),
        ("1,08:30,5,1,1,0,0,0,0", ("column TIME", "Clock times are not read")),
        ("S01,0,5,1,1,0,0,0,0", ("column ID", '"S01"', "Number the individuals")),
        ('1,"0,5",5,1,1,0,0,0,0', ("column TIME", "decimal sign as a point")),
        ("1,0,5,1,1,0,0,0", ("row 2", "8 cells", "9, as the header has")),
    ],
)
def test_what_a_record_may_not_say(tmp_path: Path, row: str, words: tuple[str, ...]) -> None:
    message = told(tmp_path, f"ID,TIME,AMT,EVID,CMT,II,ADDL,SS,RATE\n{row}\n1,9,0,0,1,0,0,0,0\n")
    assert all(word in message for word in words), message
    assert len(message.splitlines()) == 1, message


def test_all_faults_in_one_pass_and_many_of_a_kind_counted(tmp_path: Path) -> None:
    message = told(tmp_path, "ID,TIME,AMT,EVID,MDV\n" + "1,0,-1,1,1\n" * 9 + "1,3,0,0,5\n1,2,0,0,0\n")
    assert message.count("found AMT -1") == 5
    assert "row 7 and after, column AMT: found 4 more like these" in message
    assert "row 11, column MDV: found MDV 5" in message
    assert "row 12, column TIME: found time 2 after 3" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ID,DATE,TIME\n1,1/2/3,0\n", ("a column of dates", "time since each individual's first record")),
        ("ID,TIM\n1,0\n", ("no column TIME", 'Did you mean "TIM"?')),
        ("ID,TIME,id\n1,0,1\n", ("column 3", "each column named once")),
        ("ID,TIME,\n1,0,1\n", ("column 3", "no name")),
        ("1,0,5\n1,1,6\n", ("a first line without ID and TIME", "names the columns")),
        ("ID,TIME\n", ("no records",)),
        ("#\n#\n", ("no header line",)),
    ],
)
def test_what_a_file_may_not_be(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    message = told(tmp_path, text)
    assert all(word in message for word in words), message


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no such file"):
        read_events(tmp_path / "absent.csv")
    with pytest.raises(FileFormatError, match="a folder"):
        read_events(tmp_path)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00ID")
    with pytest.raises(FileFormatError, match="no UTF-8 text"):
        read_events(tmp_path / "binary.csv")


def test_ss_99_is_told(tmp_path: Path) -> None:
    table = read_events(written(tmp_path, "ID,TIME,AMT,EVID,SS,II\n1,0,5,1,99,0\n1,1,0,0,99,0\n"))
    assert table.steady_state.tolist() == [0, 0]
    assert table.notes == ("SS 99 with II 0 read as SS 0 in 1 dose records.",)
    assert "found SS 99" in told(tmp_path, "ID,TIME,AMT,EVID,SS,II\n1,0,5,1,99,24\n")


def test_a_table_in_memory_is_checked_alike() -> None:
    frame = pl.DataFrame({"ID": [1, 1], "time": [0.0, 1.0], "AMT": [-1.0, 0.0], "EVID": [1, 0]})
    with pytest.raises(FileFormatError, match="doses, row 1, column AMT: found AMT -1"):
        event_table(frame, source="doses")
    table = event_table(frame.with_columns(AMT=pl.Series([1.0, None])))
    assert isinstance(table, EventTable)
    assert table.amount.tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match="read-only"):
        table.time[0] = 1.0


@pytest.mark.parametrize(
    ("file", "individuals"),
    [
        ("nlmixr2data/theo_md.csv", 12), ("nlmixr2data/theo_sd.csv", 12), ("nlmixr2data/pheno_sd.csv", 59),
        ("nlmixr2data/Oral_1CPT_first60.csv", 60), ("nlmixr2data/wbcSim.csv", 45), ("nlmixr2data/warfarin.csv", 32),
        ("ferx-core/warfarin_iov.csv", 10), ("ferx-core/two_cpt_oral_cov.csv", 30), ("ferx-core/transit_2cpt.csv", 20),
        ("nmtests/dosing_data.csv", 16),
    ],
)  # fmt: skip
def test_public_data_sets_are_read_as_they_are(reference_data: Path, file: str, individuals: int) -> None:
    table = read_events(reference_data / "pkpd" / file)
    assert table.n_individuals == individuals
