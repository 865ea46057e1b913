"""The report page: complete, self-contained, escaped, private, repeatable."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import vl_convert

from thrombokit.drawing.export import VEGA_LITE_VERSION, chart_spec
from thrombokit.drawing.numerals import three_digits
from thrombokit.plate.result import PlateResult
from thrombokit.report.charts import forest_figure
from thrombokit.report.embedding import content_security_policy, packed_rows, script_hash, script_json
from thrombokit.report.page import report_html, write_report
from thrombokit.study.result import StudyResult

HOSTILE = '</script><script>alert("x")</script><img src=x onerror=alert(1)> & \u2028 "quoted" \'single\''


class _Reader(HTMLParser):
    """Collects what a browser would see: text outside scripts, scripts, and every attribute that could fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag in ("script", "style"):
            self.inside = tag
            if tag == "script":
                self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = "" if tag in ("script", "style") else self.inside

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts[-1] += data
        elif not self.inside:
            self.text.append(data)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def _plain(reader: _Reader) -> str:
    return re.sub(r"\s+", " ", " ".join(reader.text).replace("\u00a0", " "))


def _unpacked(packed: dict[str, Any]) -> list[dict[str, Any]]:
    """What templates/charts.js does in the browser."""
    rows: list[dict[str, Any]] = [{} for _ in range(packed["rows"])]
    for name, column in packed["columns"].items():
        for index, value in enumerate(column["of"]):
            rows[column["at"][index] if "at" in column else index][name] = column["words"][value] if "words" in column else value
    return rows


def _specs(reader: _Reader) -> dict[str, dict[str, Any]]:
    specs: dict[str, dict[str, Any]] = json.loads(reader.scripts[0])
    for spec in specs.values():
        spec["datasets"] = {name: _unpacked(packed) for name, packed in spec["datasets"].items()}
    return specs


def _first_plates(plate: PlateResult, number: int = 2) -> PlateResult:
    keep = pl.col("plate").is_in([quality.plate for quality in plate.quality[:number]])
    wells, fits, curves = (frame.filter(keep) for frame in (plate.wells, plate.fits, plate.curves))
    return dataclasses.replace(plate, wells=wells, fits=fits, curves=curves, quality=plate.quality[:number])


@pytest.fixture(scope="module")
def page(study: StudyResult) -> str:
    return report_html(study)


@pytest.fixture(scope="module")
def reader(page: str) -> _Reader:
    return _read(page)


@pytest.mark.long
def test_twelve_plates_stay_far_below_three_megabytes(study: StudyResult, page: str, tmp_path: Path) -> None:
    written = write_report(study, tmp_path / "new folder" / "report.html")
    assert written.read_bytes() == page.encode()
    assert len(page.encode()) < 1_600_000


def test_the_same_result_gives_the_same_bytes(changed: Callable[..., StudyResult], page: str) -> None:
    assert report_html(changed()) == page


def test_every_potency_and_ratio_is_in_the_text(reader: _Reader, plate: PlateResult) -> None:
    text = _plain(reader)
    for potency in plate.potencies:
        assert potency.agonist in text
        for value in (potency.ec50_nM.estimate, potency.ec50_nM.low, potency.ec50_nM.high, *potency.run_ec50_nM):
            assert value is None or re.search(rf"(?<![\d.]){re.escape(three_digits(value))}(?![\d.]\d)", text), (
                potency.agonist,
                value,
            )
    for ratio in plate.ratios:
        assert f"{three_digits(ratio.ratio.low)} to {three_digits(ratio.ratio.high)}" in text


def test_the_sections_stand_in_the_promised_order(page: str) -> None:
    ids = re.findall(r'<h2 id="([a-z]+)"', page)
    assert ids == ["answer", "potencies", "published", "curves", "quality", "corrections", "missing", "provenance"]


def test_it_says_synthetic_and_research_use_at_both_ends(page: str, reader: _Reader, changed: Callable[..., StudyResult]) -> None:
    assert page.count("Research use only. Not for diagnosis or treatment.") == 2
    assert "Synthetic data. Every signal in this study was made by a generator" in _plain(reader)
    assert "Synthetic data throughout." in _plain(reader)
    assert "ynthetic data" not in _plain(_read(report_html(changed(synthetic=False, plate=None))))


def test_verdicts_messages_quality_and_provenance_are_told(reader: _Reader, study: StudyResult) -> None:
    text = _plain(reader)
    assert "All 84 fits: 36 fit, 12 beyond range, 12 flat, 12 not sigmoid, 12 plateau open" in text
    assert "The response falls again at high doses." in text
    assert 'try map_origin = "B2"' in text
    assert "IL-3 rescue (No IL-3 rescue wells on this plate), 12 plates" in text
    assert "The published value lies outside the 95 % interval 50.0 to 74.0 nM." in text
    assert all(name in text and digest in text for name, digest in study.provenance.inputs)
    assert "thrombokit 0.1.0, seed 11, numpy 2.4.6, polars 2.1.0, python 3.11." in text


def test_quality_lights_carry_a_sign_and_a_word(reader: _Reader) -> None:
    text = _plain(reader)
    assert all(light in text for light in ("✓ pass", "▲ warn", "✕ fail"))


def test_nothing_is_fetched_and_only_our_scripts_may_run(page: str, reader: _Reader) -> None:
    fetching = {"src", "href", "data", "srcset", "action", "poster", "background"}
    assert [attribute for attribute in reader.attributes if attribute[1] in fetching] == []
    assert not {"link", "img", "iframe", "object", "embed", "form", "base"} & set(reader.tags)
    assert "url(" not in page[page.index("<style>") : page.index("</style>")]
    (policy,) = [value for tag, name, value in reader.attributes if tag == "meta" and name == "content" and "default-src" in value]
    assert policy == content_security_policy(reader.scripts[1:])
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert script_hash("alert(1)") not in policy


def test_charts_are_embedded_once_without_eval(page: str, reader: _Reader) -> None:
    assert page.count("window.vegaEmbed=") == 1
    assert "ast: true" in reader.scripts[2]
    keys = [value for _, name, value in reader.attributes if name == "data-chart"]
    assert keys == ["forest", *(f"curves-{number}" for number in range(1, 13)), "plates", "controls"]
    assert set(_specs(reader)) == set(keys)


def test_every_embedded_chart_renders_and_is_described(reader: _Reader) -> None:
    specs = _specs(reader)
    assert all(spec["description"] for spec in specs.values())
    for key in ("forest", "curves-1", "curves-6", "plates", "controls"):
        svg = vl_convert.vegalite_to_svg(specs[key], vl_version=VEGA_LITE_VERSION, allowed_base_urls=[])
        assert svg.startswith("<svg"), key


def test_the_forest_holds_no_curve_without_an_ec50(plate: PlateResult) -> None:
    bell = pl.when(pl.col("verdict") == "not_sigmoid").then(6.6).otherwise("ec50_nM")
    figure = forest_figure(dataclasses.replace(plate, fits=plate.fits.with_columns(ec50_nM=bell)), ())
    assert figure is not None
    (rows,) = chart_spec(figure.chart)["datasets"].values()
    assert "bell-1" not in {row["agonist"] for row in rows}
    assert {"hetrombopag", "toxic-1"} <= {row["agonist"] for row in rows}


def test_the_table_of_fits_names_no_ec50_for_a_curve_that_has_none(changed: Callable[..., StudyResult], plate: PlateResult) -> None:
    one = _first_plates(plate, 1)
    bell = pl.when(pl.col("verdict") == "not_sigmoid").then(6.789).otherwise("ec50_nM")
    page = report_html(changed(plate=dataclasses.replace(one, fits=one.fits.with_columns(ec50_nM=bell))))
    assert "6.79" not in _plain(_read(page))


def test_tables_have_captions_and_the_page_a_language(page: str, reader: _Reader) -> None:
    assert reader.tags.count("table") == reader.tags.count("caption") == page.count('<div class="scroll')
    assert ("html", "lang", "en-GB") in reader.attributes
    assert any(name == "name" and value == "viewport" for _, name, value in reader.attributes)


def _hostile(changed: Callable[..., StudyResult], plate: PlateResult) -> StudyResult:
    def worse(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(
            pl.col("agonist").replace({"hetrombopag": HOSTILE}),
            pl.col("plate").replace({"plate-01": HOSTILE}),
            pl.col("run") + HOSTILE,
        )

    potencies = tuple(dataclasses.replace(p, agonist=p.agonist.replace("hetrombopag", HOSTILE)) for p in plate.potencies)
    quality = tuple(dataclasses.replace(q, plate=q.plate.replace("plate-01", HOSTILE), suggestion=HOSTILE) for q in plate.quality)
    fits = worse(plate.fits).with_columns(message=pl.lit(HOSTILE))
    bad = dataclasses.replace(
        plate,
        wells=worse(plate.wells),
        fits=fits,
        curves=worse(plate.curves),
        potencies=potencies,
        quality=quality,
        comparator=HOSTILE,
    )
    made = dataclasses.replace(_hostile_provenance(changed), study_toml=f"title = '''{HOSTILE}'''")
    return changed(plate=bad, title=HOSTILE, note=HOSTILE, missing=(HOSTILE,), corrections=(HOSTILE,), provenance=made)


def _hostile_provenance(changed: Callable[..., StudyResult]) -> Any:
    return dataclasses.replace(changed().provenance, inputs=((HOSTILE, "0"),), versions={HOSTILE: HOSTILE})


def test_hostile_text_is_shown_and_never_run(changed: Callable[..., StudyResult], plate: PlateResult) -> None:
    page = report_html(_hostile(changed, _first_plates(plate)))
    reader = _read(page)
    assert len(reader.scripts) == 3
    assert "img" not in reader.tags
    assert not any(name.startswith("on") for _, name, _ in reader.attributes)
    assert html.escape(HOSTILE, quote=False)[:20] in page
    assert re.sub(r"\s+", " ", HOSTILE) in _plain(reader)
    specs = _specs(reader)
    assert HOSTILE in json.dumps(specs["curves-1"], ensure_ascii=False).replace('\\"', '"')
    svg = vl_convert.vegalite_to_svg(specs["curves-1"], vl_version=VEGA_LITE_VERSION, allowed_base_urls=[])
    assert "<script" not in svg


def test_json_in_a_script_cannot_end_it() -> None:
    text = script_json({"name": "</script><!-- & \u2028"})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"name": "</script><!-- & \u2028"}


def test_no_absolute_path_and_no_operator_unless_allowed(changed: Callable[..., StudyResult]) -> None:
    text = (
        'map = "/home/someone/maps/map.csv"\nfile = \'C:\\Users\\someone\\p1.csv\'\nother = "~/data/p2.csv"\nnear = "plates/p3.csv"\n'
        "[[plate.files]]\noperator = \"OP-7\"\nfiles = [{ operator = 'OP-8', day0 = true }]\n"
    )
    made = dataclasses.replace(changed().provenance, study_toml=text)
    shown = _plain(_read(report_html(changed(provenance=made, plate=None))))
    assert "someone" not in shown
    assert 'map = "…/map.csv" file = \'…/p1.csv\' other = "…/p2.csv" near = "plates/p3.csv"' in shown
    assert "OP-7" not in shown
    assert "OP-8" not in shown
    assert 'operator = "(not shown)", day0 = true' in shown
    allowed = _plain(_read(report_html(changed(provenance=made, plate=None, show_operator=True))))
    assert 'operator = "OP-7"' in allowed
    assert "operator = 'OP-8'" in allowed


def test_a_page_without_plates_has_no_script(changed: Callable[..., StudyResult]) -> None:
    reader = _read(report_html(changed(plate=None, published=())))
    assert "No plates were analysed in this study." in _plain(reader)
    assert reader.scripts == []
    assert any("script-src 'none'" in value for _, _, value in reader.attributes)


def test_plates_without_fits_still_give_a_page(changed: Callable[..., StudyResult], plate: PlateResult) -> None:
    bare = dataclasses.replace(plate, fits=plate.fits.clear(), curves=plate.curves.clear(), potencies=(), ratios=(), quality=())
    text = _plain(_read(report_html(changed(plate=bare))))
    assert "No plate holds a dose-response curve." in text
    assert "No EC50 was formed." in text
    assert "No plate quality is recorded." in text


def test_many_compounds_in_one_assay_are_counted(changed: Callable[..., StudyResult], plate: PlateResult) -> None:
    good = plate.potencies[0]
    many = tuple(
        dataclasses.replace(good, agonist=f"c{number}", ec50_nM=dataclasses.replace(good.ec50_nM, estimate=1.0 + number))
        for number in range(30)
    )
    page = report_html(changed(plate=dataclasses.replace(_first_plates(plate, 1), potencies=many, ratios=())))
    assert "30 of 30 agonists have an EC50, from 1.00 nM (c0) to 30.0 nM (c29)" in page.replace("\u00a0", " ")


def test_many_assays_fold_the_rest_of_the_answer(changed: Callable[..., StudyResult], plate: PlateResult) -> None:
    good = plate.potencies[0]
    many = tuple(
        dataclasses.replace(good, agonist=f"c{number}", assay=dataclasses.replace(good.assay, cell_system=f"line {number}"))
        for number in range(30)
    )
    page = report_html(changed(plate=dataclasses.replace(_first_plates(plate, 1), potencies=many, ratios=())))
    assert "<summary>14 more</summary>" in page
    assert all(f"c{number}’s EC50 is" in page for number in range(30))


def test_packed_rows_unpack_to_the_same_rows() -> None:
    rows = [{"a": 1, "b": "x"}, {"a": 2.5}, {"b": "y", "c": True}, {"a": 3, "b": "x"}]
    assert _unpacked(json.loads(json.dumps(packed_rows(rows)))) == rows
