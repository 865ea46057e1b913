"""The cells section of the report: complete, escaped, in sentences that a reader can check, small, repeatable."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from thrombokit.cells.ploidy_response import analyse_ploidy_response
from thrombokit.cells.populations import analyse_population_response
from thrombokit.cells.treatments import culture_panels, treatment_words
from thrombokit.cells.tube_ploidy import TubePloidy
from thrombokit.domain.ploidy import CLASSES, unknown_ploidy
from thrombokit.drawing.export import chart_spec, chart_to_svg
from thrombokit.report.cells import CellsSection, answer_sentences, caveat_sentences, cells_parts
from thrombokit.report.cells_sentences import (
    culture_sentence,
    ploidy_sentences,
    quality_sentences,
    share_sentences,
    warning_sentences,
    yield_sentences,
)
from thrombokit.report.embedding import figures_json
from thrombokit.report.page import _page_template  # pyright: ignore[reportPrivateUsage]  # the page's own environment and filters
from thrombokit.report.ploidy_charts import class_signals, ploidy_panel, telling_tubes
from thrombokit.report.response_charts import plate_figure, stage_colours

Populations = Callable[[], pl.DataFrame]
Ploidies = Callable[[], tuple[TubePloidy, ...]]
DONORS = ("D1", "D2", "D3")
STAGES = ("CD34+CD41-", "CD34+CD41+CD42b-", "CD34+CD41+CD42b+", "CD34-CD41+CD42b+", "other")
HOSTILE = '</script><img src=x onerror=alert(1)> & "quoted"'
_NO_POPULATIONS = {"tube": pl.String, "donor": pl.String, "day_d": pl.Float64, "population": pl.String, "percent": pl.Float64}
_HOSTILE_WARNING = {"tube": HOSTILE, "warning": HOSTILE, "subject": HOSTILE, "value": 1.0, "limit": 0.5, "sentence": HOSTILE}


@pytest.fixture(scope="module")
def parts(section: CellsSection) -> dict[str, Any]:
    return cells_parts(section)


def _html(parts: dict[str, Any]) -> str:
    return _page_template().environment.get_template("cells.html.j2").render(cells=parts["cells"])


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page))).replace("\u00a0", " ").replace("\u202f", " ")


def test_every_figure_has_its_place_and_its_data(parts: dict[str, Any]) -> None:
    placed = re.findall(r'data-chart="([^"]+)"', _html(parts))
    keys = [figure.key for figure in parts["figures"]]
    assert sorted(placed) == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert {
        "cells-strategy-1", "cells-overlays", "cells-stages-1", "cells-plates", "cells-ridges", "cells-response-1", "cells-yield",
        "ploidy-histograms", "ploidy-classes",
    } <= set(keys)  # fmt: skip


def test_the_section_stays_small(parts: dict[str, Any]) -> None:
    sizes = {figure.key: len(figures_json([figure])) for figure in parts["figures"]}
    assert sum(sizes.values()) + len(_html(parts).encode()) < 1_500_000
    assert all(size < 40_000 for key, size in sizes.items() if key.startswith("cells-strategy"))


def test_parts_stand_in_the_order_of_the_experiment(parts: dict[str, Any]) -> None:
    headings = re.findall(r"<h3>([^<]+)</h3>", _html(parts))
    assert headings == [
        "Gating strategy", "Thresholds", "Stages and populations", "Dose-response of populations", "Yield", "Ploidy",
        "Warnings and quality of the tubes", "MIFlowCyt",
    ]  # fmt: skip


def test_the_answer_comes_first_and_donor_by_donor(parts: dict[str, Any]) -> None:
    text = _text(_html(parts))
    assert text.index("3 donors (n = 3), 33 tubes, day 12 of culture, 330 000 events acquired.") < text.index("Gating strategy")
    told = [sentence for sentence in parts["cells"]["sentences"] if sentence.startswith("CD41+ (% of live)")]
    assert len(told) == 1
    assert re.search(r"D1 [\d.]+ in vehicle, [\d.]+ at 100 nM, [\d.]+ with rhTPO 1 nM; D2 ", told[0])
    assert any(
        re.search(r"EC50 [\d.]+ nM \(95 % interval .*t over 3 donors\)", sentence) for sentence in parts["cells"]["sentences"]
    )


def test_the_share_in_a_sentence_is_the_mean_of_the_vehicle_tubes(section: CellsSection) -> None:
    rows = section.populations.filter((pl.col("donor") == "D2") & (pl.col("role") == "vehicle"))
    (sentence,) = share_sentences(section.populations, ("CD41+", "CD99+"))
    said = re.search(r"D2 ([\d.]+) in vehicle", sentence)
    assert said is not None
    assert float(said[1]) == pytest.approx(np.mean(rows["percent"].to_list()), rel=0.005)


def test_five_donors_are_told_as_median_and_range(make_populations: Populations) -> None:
    table = pl.concat(
        [make_populations().filter(pl.col("donor") == "D1").with_columns(donor=pl.lit(f"donor {n}")) for n in range(5)]
    )
    (sentence,) = share_sentences(table, ("CD41+",))
    assert re.search(r"CD41\+ \(% of live\): hetrombopag [\d.]+ \(median; [\d.]+ to [\d.]+\) in vehicle, ", sentence)


def test_a_population_that_two_panels_tell_is_told_by_the_fuller_one(make_populations: Populations) -> None:
    surface = make_populations()
    further = surface.with_columns(population=pl.lit("CD34+"))
    twice = [
        surface.with_columns(panel=pl.lit("ploidy"), percent=pl.lit(1.0), tube=pl.format("{} {}", "tube", pl.lit(n)))
        for n in range(2)
    ]
    (sentence,) = share_sentences(pl.concat([*twice, surface, further]), ("CD41+",))
    assert sentence == share_sentences(surface, ("CD41+",))[0]


def test_the_rule_stands_beside_every_threshold(parts: dict[str, Any]) -> None:
    table = parts["cells"]["thresholds"]
    place = [column.title for column in table.columns].index("Rule")
    assert {row[place] for row in table.rows} == {"FMO", "density valley"}
    assert "Of 6 thresholds, one a marker and control group, 3 on FMO, 3 on density valley." in parts["cells"]["caveats"]


def test_the_published_ploidy_of_the_source_is_told_with_its_citation(make_ploidies: Ploidies) -> None:
    sentences = ploidy_sentences(make_ploidies())
    assert re.search(
        r"Megakaryocytes from cord blood at 8N or more \(%\): D1 6\.00 in vehicle, 3\.60 with rhTPO 1 nM; D2 ", sentences[0]
    )
    assert sentences[1] == (
        "Published for cord blood: 80 % at 2N, 2.6 % at 8N (Mattia G et al. 2002, Blood 99:888-897, doi:10.1182/blood.V99.3.888, abstract)."
    )
    other = [dataclasses.replace(tube, cell_source="iPSC") for tube in make_ploidies()]
    assert len(ploidy_sentences(other)) == 1, "no number is borrowed from another source"


def test_cells_of_two_sources_are_never_told_as_one(make_ploidies: Ploidies) -> None:
    cord, adult = (
        make_ploidies(),
        [dataclasses.replace(tube, donor=f"adult {tube.donor}", cell_source="adult blood") for tube in make_ploidies()],
    )
    first, cited, second, cited_too = ploidy_sentences([*cord, *adult])
    assert "adult" not in first
    assert second.startswith("Megakaryocytes from adult blood at 8N or more (%): adult D1 ")
    assert "cord blood" in cited
    assert "40 % at 8N and above" in cited_too


def test_assumed_octaves_and_tubes_without_ploidy_are_caveats(
    make_ploidies: Ploidies, make_section: Callable[[], CellsSection]
) -> None:
    first, second, *rest = make_ploidies()
    assumed = dataclasses.replace(first, ploidy=dataclasses.replace(first.ploidy, verdict="octave_assumed"))
    lost = dataclasses.replace(second, ploidy=unknown_ploidy("too_few_cells", "12 cells.", n_events=12))
    caveats = caveat_sentences(dataclasses.replace(make_section(), ploidy=(assumed, lost, *rest)))
    assert (
        "In 1 tube nothing shows which peak is 2N, so the lowest was taken; if it is 4N, every ploidy is twice as high." in caveats
    )
    assert "1 tube without ploidy: 1 (too few cells)." in caveats


def test_warnings_of_a_kind_are_told_once_by_the_worst_tube() -> None:
    rows = [
        {"tube": f"t{n}", "warning": "compensation", "subject": "CD61", "value": -0.5 - n, "limit": 0.5, "sentence": f"{n} SD off."}
        for n in range(3)
    ]
    assert warning_sentences(pl.DataFrame(rows)) == ["t2: 2 SD off. The same in 2 further tubes."]
    assert warning_sentences(pl.DataFrame()) == []


def test_kinds_of_warning_beyond_six_are_counted(section: CellsSection) -> None:
    many = [
        {"tube": "t", "warning": f"kind {n}", "subject": "x", "value": 1.0, "limit": 0.5, "sentence": f"Sign {n}."}
        for n in range(9)
    ]
    caveats = caveat_sentences(dataclasses.replace(section, warnings=pl.DataFrame(many)))
    assert "t: Sign 5." in caveats
    assert "t: Sign 6." not in caveats
    assert "3 further kinds of warning stand in the table of warnings." in caveats


def test_tubes_that_drifted_or_lost_most_events_are_told(section: CellsSection) -> None:
    first = section.quality["tube"][0]
    hit = pl.col("tube") == first
    quality = section.quality.with_columns(
        findings=pl.when(hit).then(pl.lit("CD41 rises by 5 % at 20.0 s.")).otherwise("findings"),
        analysed=pl.when(hit).then(100).otherwise("analysed"),
    )
    assert quality_sentences(quality) == [
        f"1 tube changed while being measured ({first}); the table of quality says when and how.",
        "In 1 tube less than half of the events were left after gating.",
    ]


def test_yields_are_told_on_the_last_day_and_what_is_missing_is_counted(section: CellsSection) -> None:
    first, second = yield_sentences(section.yields)
    assert "D1 rhTPO 10.8 (8.64 to 13.5) on day 12" in first
    assert second == "For 1 sampling no yield could be computed; the table of yields says why."


def test_donors_without_a_name_are_no_n(make_populations: Populations) -> None:
    table = make_populations().with_columns(donor=pl.lit(""))
    assert culture_sentence(table, pl.DataFrame()).startswith("Donors are not named; without them there is no n, ")


def test_stages_are_exhaustive_and_coloured_in_order(parts: dict[str, Any]) -> None:
    figure = next(f for f in parts["figures"] if f.key == "cells-stages-1")
    domain = chart_spec(figure.chart)["spec"]["encoding"]["color"]["scale"]["domain"]
    assert domain == list(STAGES)
    colours = stage_colours(("CD34+CD41-", "CD34-CD41+", "CD34-CD41-"))
    assert colours["CD34-CD41-"] not in (colours["CD34+CD41-"], colours["CD34-CD41+"])


def test_a_panel_holds_the_controls_of_its_donor_and_day_in_order(make_populations: Populations) -> None:
    panels = culture_panels(make_populations())
    assert panels["panel"].unique(maintain_order=True).to_list() == list(DONORS)
    doses = panels.filter(pl.col("panel") == "D1")["dose"].unique(maintain_order=True).to_list()
    assert doses == ["vehicle", "0.03 nM", "0.1 nM", "0.3 nM", "1 nM", "3 nM", "10 nM", "30 nM", "100 nM", "rhTPO 1 nM"]


def test_two_agonists_and_two_days_get_panels_of_their_own_with_the_same_vehicle(make_populations: Populations) -> None:
    table = make_populations().filter(pl.col("donor") == "D1")
    second = table.with_columns(agonist=pl.when(pl.col("role") == "sample").then(pl.lit("eltrombopag")).otherwise("agonist"))
    both = pl.concat([table, second.filter(pl.col("role") == "sample"), table.with_columns(day_d=pl.lit(14.0))])
    panels = culture_panels(both)
    assert set(panels["panel"]) == {"D1, hetrombopag, day 12", "D1, eltrombopag, day 12", "D1, hetrombopag, day 14"}
    vehicle = panels.filter(pl.col("role") == "vehicle").group_by("panel").len()["len"].to_list()
    assert vehicle == [2, 2, 2]


@pytest.mark.parametrize(
    ("said", "words"),
    [(("vehicle", "DMSO", 0.0), "vehicle"),
     (("sample", "hetrombopag", 0.3), "hetrombopag 0.3 nM"), (("positive_control", "", None), "positive control"),
     (("positive_control", "rhTPO", 1.0), "rhTPO 1 nM"), (("untreated", "", None), "untreated")],
)  # fmt: skip
def test_treatments_in_words(said: tuple[str, str, float | None], words: str) -> None:
    assert treatment_words(*said) == words


def test_without_doses_there_are_panels_but_no_response(make_populations: Populations) -> None:
    table = make_populations().filter(pl.col("role") != "sample")
    assert culture_panels(table)["panel"].unique(maintain_order=True).to_list() == list(DONORS)


def test_a_plate_needs_wells_by_name_or_by_sheet(make_populations: Populations) -> None:
    table = make_populations()
    figure = plate_figure(table, population="CD41+", wells={})
    assert figure is not None
    assert ">plate D1<" in chart_to_svg(figure.chart)
    nameless = table.with_columns(tube=pl.format("tube number {}", pl.int_range(pl.len())))
    assert plate_figure(nameless, population="CD41+", wells={}) is None
    wells = {f"tube number {n}": f"{'ABCDEFGH'[n % 8]}{n // 8 + 1}" for n in range(33)}
    assert plate_figure(nameless, population="CD41+", wells=wells) is not None


def test_class_positions_follow_the_exponent_and_offset(make_ploidies: Ploidies) -> None:
    bent = dataclasses.replace(make_ploidies()[0].ploidy, exponent=0.97, offset=0.05)
    signals = class_signals(bent)
    assert signals["2N"] == pytest.approx(1_000.0)
    assert signals["8N"] == pytest.approx(1_000.0 * (0.05 + 0.95 * 2.0 ** (2 * 0.97)))
    assert class_signals(unknown_ploidy("no_2n_peak", "", n_events=3)) == {}


def test_a_histogram_open_at_both_ends_is_drawn_from_a_quarter_of_2n(make_ploidies: Ploidies) -> None:
    panel = ploidy_panel(make_ploidies()[0], heading="x")
    assert panel is not None
    assert 250.0 <= panel.edges[0] < 260.0
    assert np.isfinite(panel.edges).all()
    assert "other series" not in panel.components, "a part that expects nothing is not drawn"
    none = TubePloidy(tube="t", donor="D1", ploidy=unknown_ploidy("too_few_cells", "", n_events=0))
    assert ploidy_panel(none, heading="x") is None


def test_every_donor_is_among_the_telling_tubes(make_ploidies: Ploidies) -> None:
    many = [dataclasses.replace(tube, donor=f"donor {n}", tube=f"{n}-{tube.tube}") for n in range(3) for tube in make_ploidies()]
    chosen = telling_tubes(many)
    assert len(chosen) == 6
    assert {tube.donor for tube in chosen} == {"donor 0", "donor 1", "donor 2"}
    assert {tube.role for tube in chosen} == {"vehicle", "positive_control"}


def test_two_donors_have_no_interval_over_donors(make_populations: Populations) -> None:
    two = make_populations().filter(pl.col("donor") != "D3")
    section = CellsSection(populations=two, quality=pl.DataFrame(), responses=analyse_population_response(two))
    table = cells_parts(section)["cells"]["potencies"]
    row = dict(zip([column.title for column in table.columns], table.rows[0], strict=True))
    assert row["95 % interval (nM)"] == "–"
    assert row["Donors (n)"] == "2"
    assert row["Method"] == "donors told one by one"


def test_a_section_of_populations_alone_leaves_the_rest_out(section: CellsSection) -> None:
    parts = cells_parts(CellsSection(populations=section.populations, quality=section.quality))
    headings = re.findall(r"<h3>([^<]+)</h3>", _html(parts))
    assert headings == ["Stages and populations", "Warnings and quality of the tubes"]
    assert parts["figures"] == []
    assert len(answer_sentences(CellsSection(populations=section.populations, quality=section.quality))) == 1


def test_text_from_files_is_escaped(section: CellsSection) -> None:
    table = section.populations.with_columns(donor=pl.lit(HOSTILE), tube=pl.format(f"{HOSTILE} {{}}", pl.int_range(pl.len())))
    hostile = dataclasses.replace(
        section, populations=table, warnings=pl.DataFrame([_HOSTILE_WARNING]), responses=None, told=("CD41+",)
    )
    parts = cells_parts(hostile)
    page = _html(parts)
    assert "<img" not in page
    assert "</script" not in page
    assert "onerror=alert(1)&gt;" in page
    assert "</script" not in figures_json(parts["figures"])


def test_the_same_section_gives_the_same_bytes(parts: dict[str, Any], make_section: Callable[[], CellsSection]) -> None:
    again = cells_parts(make_section())
    assert _html(again) == _html(parts)
    assert figures_json(again["figures"]) == figures_json(parts["figures"])


def test_what_nobody_stated_is_listed_and_no_operator_is_named(parts: dict[str, Any]) -> None:
    text = _text(_html(parts))
    assert "1.1 purpose" in text
    assert "Cytometer X" in text
    assert "operator" not in text.lower()


def test_ploidy_over_dose_is_told_over_donors_with_its_direction_and_p() -> None:
    wells = [
        {"donor": donor, "agonist": "" if dose == 0 else "rhTPO", "role": "vehicle" if dose == 0 else "sample", "concentration_nM": dose,
         **dict(zip(CLASSES, counts, strict=True))}
        for n, donor in enumerate(DONORS)
        for dose, counts in (
            (0.0, (600 + n, 250, 100, 30, 15, 5)), (0.1, (640, 230, 90, 25, 11, 4)), (1.0, (700, 200 - n, 70, 20, 8, 2)),
            (10.0, (760, 170, 50 + n, 14, 5, 1)), (100.0, (780 - n, 160, 45, 11, 3, 1)),
        )
    ]  # fmt: skip
    response = analyse_ploidy_response(pl.DataFrame(wells))
    section = CellsSection(populations=pl.DataFrame(schema=_NO_POPULATIONS), quality=pl.DataFrame(), ploidy_response=response)
    parts = cells_parts(section)
    assert any("doublings from vehicle to the highest dose" in sentence for sentence in parts["cells"]["sentences"])
    row = dict(zip([column.title for column in parts["cells"]["shifts"].columns], parts["cells"]["shifts"].rows[0], strict=True))
    assert (row["Agonist"], row["Verdict"], row["Donors (n)"]) == ("rhTPO", "lower ploidy", "3")
    assert float(row["p (two-sided)"]) < 0.05
    assert "Ploidy over dose, over donors" in _html(parts)
