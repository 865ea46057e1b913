"""The bench sheet: everything the bench needs on one self-contained page, the same for the same plan."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from thrombokit.io.plan_example import EXAMPLE
from thrombokit.io.plan_files import read_plan
from thrombokit.report.bench_sheet import bench_sheet_html, prepare_plan
from thrombokit.report.plan_output import plan_document, plan_files

VOID = {"meta", "br", "img", "link", "input"}


class Balance(HTMLParser):
    """Sees that every element that opens closes, and gathers the text and what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [f"{tag} {name}={value}" for name, value in attrs if name in ("src", "href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(tmp_path: Path, text: str) -> tuple[str, Balance]:
    (tmp_path / "PLAN.toml").write_text(text, encoding="utf-8")
    html = bench_sheet_html(prepare_plan(read_plan(tmp_path / "PLAN.toml")))
    found = Balance()
    found.feed(html)
    assert found.open == []
    return html, found


def test_the_page_says_what_the_bench_needs_and_fetches_nothing(tmp_path: Path) -> None:
    html, found = page(tmp_path, EXAMPLE)
    words = " ".join(" ".join(found.text).split())
    for said in ("Research use only", "730,000", "33 wells", "213 tubes", "Half-feed", "eltrombopag 10 uM (10,000 nM)", "rhTPO 100 ng/mL",
                 "Voltage card", "propidium iodide", "diploid reference", "assumed", "doi:10.1111/jcmm.13809", "48 ± 7.7", "DMSO 0.1 %"):  # fmt: skip
        assert said in words
    assert found.fetched == []
    assert "<script" not in html
    assert "default-src 'none'" in unescape(html)


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "PLAN.toml").write_text(EXAMPLE, encoding="utf-8")
    first, second = (plan_files(prepare_plan(read_plan(tmp_path / "PLAN.toml"))) for _ in range(2))
    assert first == second


def test_names_cannot_break_the_page(tmp_path: Path) -> None:
    html, _ = page(tmp_path, EXAMPLE.replace("Dose series in", "<script>alert(1)</script> &").replace('"hetrombopag"', '"<b>x"'))
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html


def test_dates_stand_in_the_timetable_where_the_start_is_known(tmp_path: Path) -> None:
    _, found = page(tmp_path, EXAMPLE.replace("# start = 2026-05-04", "start = 2026-05-04"))
    assert "Tue 2026-05-19" in found.text


@pytest.mark.parametrize("source", ["cord_blood", "adult_blood", "bone_marrow"])
def test_every_assumed_number_is_called_so(tmp_path: Path, source: str) -> None:
    (tmp_path / "PLAN.toml").write_text(EXAMPLE.replace('"cord_blood"', f'"{source}"'), encoding="utf-8")
    document = plan_document(prepare_plan(read_plan(tmp_path / "PLAN.toml")), files=[])
    tiers = {number["name"]: number["tier"] for number in document["numbers"]}
    assert tiers["expansion_fold"] == tiers["staining_recovery"] == "assumed"
    assert (tiers["MKs_per_CD34"] == "assumed") is (source != "cord_blood")
