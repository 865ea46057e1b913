"""Time-to-event tables: what the event column means, what is left out, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from thrombokit import InputError, analyse_survival, read_survival, write_survival_picture
from thrombokit.trials.survival_data import SurvivalData

COLUMNS = {"time": "week", "event": "outcome", "arm": "group"}


def written(folder: Path, text: str, name: str = "trial.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, rows: str, **options: Any) -> SurvivalData:
    return read_survival(written(folder, f"id,week,outcome,group,site\n{rows}"), **{**COLUMNS, **options})


@pytest.mark.parametrize(
    ("values", "events", "rule"),
    [
        ("010", [0, 1, 0], "1 of 0/1"), ("121", [0, 1, 0], "2 of 1/2"), ("111", [1, 1, 1], "1 of 0/1"), ("000", [0, 0, 0], "1 of 0/1"),
        ("222", [1, 1, 1], "2 of 1/2"), (("TRUE", "false", "True"), [1, 0, 1], "1 of 0/1"), (("1.0", "0.0", "1"), [1, 0, 1], "1 of 0/1"),
    ],
)  # fmt: skip
def test_event_coding(tmp_path: Path, values: str, events: list[int], rule: str) -> None:
    data = read(tmp_path, "".join(f"{k},{k},{value},a,x\n" for k, value in enumerate(values)))
    assert data.event.astype(int).tolist() == events
    assert data.coding.rule == rule


def test_a_value_that_is_said_and_what_competes(tmp_path: Path) -> None:
    data = read(
        tmp_path, "1,2,response,b,x\n2,3,rescue,a,x\n3,4,none,a,x\n4,1,drop-out,b,x\n", event_value="response",
        competing=("rescue", "drop-out"),
    )  # fmt: skip
    assert data.cause.tolist() == [1, 2, 0, 3]
    assert data.causes == ("response", "rescue", "drop-out")
    assert data.arms == ("a", "b")
    assert data.coding.to_dict() == {
        "rule": "as said",
        "event": "response",
        "competing": ["rescue", "drop-out"],
        "censored": ["none"],
    }
    plain = read(tmp_path, "1,2,0,b,x\n2,3,1,a,x\n", event_value="0")
    assert plain.event.tolist() == [True, False]


def test_rows_left_out_are_listed(tmp_path: Path) -> None:
    rows = "1,,1,a,x\n2,-0.5,1,a,x\n3,4,NA,a,x\n4,5,1,,x\n5,5,1,a,\n6,7,0,b,y\n7,.,,,\n8,2,1,b,x\n"
    data = read(tmp_path, rows, strata=("site",))
    assert [(row.row, row.reason, row.tests_only) for row in data.dropped] == [
        (2, "missing time", False), (3, "negative time", False), (4, "missing event", False), (5, "missing arm", False),
        (6, "missing stratum site", True), (8, "missing time", False),
    ]  # fmt: skip
    assert data.time.tolist() == [5.0, 7.0, 2.0]
    assert data.stratum.tolist() == [-1, 1, 0]
    assert data.strata == ("site=x", "site=y")
    said = analyse_survival(data).summary()
    assert "5 rows left out (missing time 2, negative time 1, missing event 1, missing arm 1)." in said
    assert "1 row left out of the stratified tests (missing stratum site 1)." in said


def test_names_stay_as_written_and_numbers_sort_as_numbers(tmp_path: Path) -> None:
    data = read(tmp_path, "1,1,1,10,x\n2,2,1,02,x\n3,3,0,1,x\n")
    assert data.arms == ("1", "02", "10")
    assert data.arm.tolist() == [2, 1, 0]
    several = read(tmp_path, "1,1,1,a,x\n2,2,1,b,y\n3,3,0,a,y\n", strata=("site", "id"))
    assert several.strata == ("site=x, id=1", "site=y, id=2", "site=y, id=3")


def test_near_ties_are_merged(tmp_path: Path) -> None:
    data = read(tmp_path, "1,0.3,1,a,x\n2,0.30000000000000004,1,b,x\n3,2,0,a,x\n")
    assert data.n_merged_times == 1
    assert np.unique(data.time).tolist() == [0.3, 2.0]


def test_parquet_semicolons_and_a_byte_order_mark_give_the_same(tmp_path: Path) -> None:
    table = pl.DataFrame({"week": [1.5, 2.0, None, 4.0], "outcome": [1, 0, 1, 1], "group": [2, 1, 2, 1]})
    table.write_parquet(tmp_path / "a.parquet")
    table.write_csv(tmp_path / "a.csv")
    table.write_csv(tmp_path / "a.tsv", separator="\t")
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    (tmp_path / "b.csv").write_text("\ufeff" + text.replace(",", ";"), encoding="utf-8")
    documents = [
        analyse_survival(read_survival(tmp_path / name, **COLUMNS)).to_dict() for name in ("a.csv", "a.tsv", "b.csv", "a.parquet")
    ]
    assert documents[0] == documents[1] == documents[2]
    assert documents[0]["dropped"] == [{"row": 4, "reason": "missing time", "left_out_of": "everything"}]
    assert documents[3]["dropped"][0]["row"] == 3
    assert documents[3]["arms"] == documents[0]["arms"]


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        ("1,ten,1,a,x\n2,1;5,1,a,x\n3,inf,1,a,x\n", {}, ['row 2, column week: found "ten"', "row 3", "row 4", 'found "inf"']),
        ("1,1,0,a,x\n2,2,1,a,x\n3,3,2,a,x\n", {}, ['found "0", "1", "2"', "--event-value"]),
        ("1,1,dead,a,x\n", {}, ['found "dead"', "expected 0 and 1 (1 is the event), or 1 and 2 (2 is)"]),
        ("1,1,response,a,x\n", {"event_value": "respnse", "competing": ("rescue",)},
         ['the event value "respnse" in no row', 'Did you mean "response"?', 'the competing value "rescue" in no row']),
        ("1,1,response,a,x\n", {"event_value": "response", "competing": ("response",)}, ['"response" twice']),
        ("1,1,,a,x\n", {}, ["column outcome: found no value"]),
        ("1,,1,a,x\n2,-1,0,a,x\n", {}, ["2 rows, none with a time and an event"]),
        ("1,1,1,a,\n", {"strata": ("site",)}, ["columns site: found no row with a stratum"]),
        ("1,1,1,a,x\n", {"time": "weeks", "strata": ("centre",)},
         ['no column "weeks" (time)', 'Did you mean "week"?', 'no column "centre" (stratum)']),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, rows: str, options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, rows, **options)
    assert [word for word in ("trial.csv", *words) if word not in str(caught.value)] == []


def test_a_column_that_counts_the_censored(tmp_path: Path) -> None:
    path = written(tmp_path, "AVAL,CNSR\n1,0\n2,1\n3,0\n")
    with pytest.raises(
        InputError, match=r'the column "CNSR", whose name says that 1 is censored.*--event-value 0 if 0 is the event'
    ):
        read_survival(path, time="AVAL", event="CNSR")
    assert read_survival(path, time="AVAL", event="CNSR", event_value="0").event.tolist() == [True, False, True]


def test_files_that_are_none(tmp_path: Path) -> None:
    for name, text, words in (("absent.csv", None, "no such file"), ("empty.csv", "", "cannot be read as a table"),
                              ("twice.csv", "week,outcome,week\n1,1,2\n", 'two columns "week"')):  # fmt: skip
        if text is not None:
            written(tmp_path, text, name)
        with pytest.raises(InputError, match=words):
            read_survival(tmp_path / name, time="week", event="outcome")
    (tmp_path / "latin.csv").write_bytes("week,outcome,größe\n1,1,2\n".encode("latin-1"))
    with pytest.raises(InputError, match="UTF-8"):
        read_survival(tmp_path / "latin.csv", time="week", event="outcome")


def test_pictures(tmp_path: Path) -> None:
    result = analyse_survival(read(tmp_path, "1,1,1,a,x\n2,2,1,b,x\n3,3,0,a,x\n4,4,0,b,x\n"))
    for ending, start in ((".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF")):
        assert write_survival_picture(result, tmp_path / f"curves{ending}").read_bytes().startswith(start)
    with pytest.raises(InputError, match=r'"curves.gif"; expected a name that ends in .svg, .png or .pdf'):
        write_survival_picture(result, tmp_path / "curves.gif")
