"""The picture of a network: one line for every edge and no other, no line through a label, activity as colour."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from thrombokit.drawing.network import BOX_HEIGHT, BOX_WIDTH, NetworkPicture
from thrombokit.drawing.network_svg import network_pdf, network_png, network_svg
from thrombokit.errors import InputError
from thrombokit.io.models import load_network
from thrombokit.io.network_pictures import draw_network, write_picture
from thrombokit.io.sbml import parse_sbml
from thrombokit.io.tpor import simulate_signalling, tpor_network
from thrombokit.signalling import diagram
from thrombokit.signalling.antimony_source import sbml_of_antimony
from thrombokit.signalling.diagram import broken, network_picture
from thrombokit.signalling.molecules import find_molecules
from thrombokit.signalling.network import Network
from thrombokit.signalling.picture_activity import SITE_WORDS, activity_picture, activity_values
from thrombokit.signalling.regulation import network_edges

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def tpor_picture() -> NetworkPicture:
    return network_picture(tpor_network())


def small(text: str) -> Network:
    return parse_sbml(sbml_of_antimony(f"model m\n{text}\nend\n", source="m.ant"), place="m.ant")


def drawn_edges(svg: str) -> list[tuple[str, str, str, int]]:
    """What the drawing itself joins, read back from its text."""
    groups = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}g") if "data-kind" in one.attrib]
    return [(g.attrib["data-source"], g.attrib["data-target"], g.attrib["data-kind"], int(g.attrib["data-sign"])) for g in groups]


def model_edges(network: Network) -> list[tuple[str, str, str, int]]:
    return [(edge.source, edge.target, edge.kind.value, edge.sign) for edge in network_edges(network)]


def test_edges_of_picture_and_model_are_equal_both_ways(tpor_picture: NetworkPicture) -> None:
    drawn, known = drawn_edges(network_svg(tpor_picture)), model_edges(tpor_network())
    assert set(drawn) - set(known) == set()
    assert set(known) - set(drawn) == set()
    assert len(drawn) == len(known) > 90


def test_every_species_and_reaction_is_drawn_once(tpor_picture: NetworkPicture) -> None:
    root = ElementTree.fromstring(network_svg(tpor_picture))
    boxes = [one.attrib["data-box"] for one in root.iter(f"{SVG}g") if "data-box" in one.attrib]
    dots = [one.attrib["data-dot"] for one in root.iter(f"{SVG}g") if "data-dot" in one.attrib]
    network = tpor_network()
    assert sorted(boxes) == sorted(network.species_by_id)
    assert sorted(dots) == sorted(network.reaction_by_id)
    regions = {one.attrib["data-region"] for one in root.iter(f"{SVG}rect") if "data-region" in one.attrib}
    assert regions == set(network.compartment_by_id)


def runs_through(picture: NetworkPicture) -> list[str]:
    """Stretches of lines strictly inside a box."""
    found: list[str] = []
    for line in picture.lines:
        for (x0, y0), (x1, y1) in pairwise(line.path):
            for box in picture.boxes:
                inside_x = min(x0, x1) < box.x + BOX_WIDTH / 2 and max(x0, x1) > box.x - BOX_WIDTH / 2
                inside_y = min(y0, y1) < box.y + BOX_HEIGHT / 2 and max(y0, y1) > box.y - BOX_HEIGHT / 2
                if inside_x and inside_y:
                    found.append(f"{line.source} -> {line.target} through {box.id}")
    return found


def test_no_line_runs_through_a_box_and_no_boxes_overlap(tpor_picture: NetworkPicture) -> None:
    assert runs_through(tpor_picture) == []
    centres = np.array([(box.x, box.y) for box in tpor_picture.boxes])
    apart = np.abs(centres[:, None] - centres[None])
    touching = (apart[..., 0] < BOX_WIDTH) & (apart[..., 1] < BOX_HEIGHT)
    assert not (touching & ~np.eye(len(centres), dtype=bool)).any()


def test_lines_end_where_they_should(tpor_picture: NetworkPicture) -> None:
    dots = {dot.id: (dot.x, dot.y) for dot in tpor_picture.dots}
    for line in tpor_picture.lines:
        if line.target in dots:
            x, y = dots[line.target]
            assert abs(line.path[-1][0] - x) <= 20
            assert line.path[-1][1] == y


def test_lanes_compartments_and_feedback_are_those_of_the_biology(tpor_picture: NetworkPicture) -> None:
    place = {box.id: (box.x, box.y) for box in tpor_picture.boxes}
    assert place["ERK_p"][0] < place["STAT5_p"][0] < place["AKT_p"][0]
    assert place["TPO"][1] < place["Mpl_active"][1] < place["JAK2_p"][1] < place["STAT5_p"][1] < place["STAT5_nuclear"][1]
    feedback = {(line.source, line.target) for line in tpor_picture.lines if line.is_feedback}
    assert feedback == {
        ("SOCS3", "JAK2_activation"), ("CIS", "STAT5_phosphorylation"), ("ERK_p", "SOS_recruitment"),
        ("DUSP6", "ERK_dephosphorylation_by_DUSP6"),
    }  # fmt: skip
    nucleus = next(region for region in tpor_picture.regions if region.id == "nucleus")
    assert nucleus.top < place["STAT5_nuclear"][1] < nucleus.top + nucleus.height


def test_signs_are_drawn_as_ends(tpor_picture: NetworkPicture) -> None:
    """Speeding up ends in a ring, slowing down in a bar: one each for every regulation."""
    root = ElementTree.fromstring(network_svg(tpor_picture))
    for group in root.iter(f"{SVG}g"):
        if group.attrib.get("data-kind") == "regulation":
            mark = group[1].tag.removeprefix(SVG)
            assert mark == {"1": "circle", "-1": "line", "0": "rect"}[group.attrib["data-sign"]]


def test_same_network_same_bytes(tpor_picture: NetworkPicture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagram, "_PICTURES", {})
    assert network_svg(network_picture(tpor_network())) == network_svg(tpor_picture)


def test_png_and_pdf_are_what_they_say(tpor_picture: NetworkPicture, tmp_path: Path) -> None:
    assert network_png(tpor_picture, scale=0.3).startswith(b"\x89PNG")
    assert network_pdf(tpor_picture).startswith(b"%PDF")
    assert write_picture(tpor_picture, tmp_path / "new" / "p.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    "file",
    [
        "models/biomodels/BIOMD0000000010.xml", "models/biomodels/BIOMD0000000271.xml",
        "models/petab_benchmark/Boehm_JProteomeRes2014/model_Boehm_JProteomeRes2014.xml",
    ],
)  # fmt: skip
def test_models_of_others_are_drawn_edge_for_edge(reference_data: Path, file: str) -> None:
    network = load_network(reference_data / file)
    picture = network_picture(network)
    assert sorted(drawn_edges(network_svg(picture))) == sorted(model_edges(network))
    assert runs_through(picture) == []


def test_a_complex_and_a_rate_rule_are_drawn() -> None:
    network = small("species A, B, AB; A = 1; B = 2; AB = 0; J: A + B -> AB; k*A*B; k = 1; x = 0; x' = A")
    picture = network_picture(network)
    assert {box.id for box in picture.boxes} == {"A", "B", "AB", "x"}
    assert sorted(drawn_edges(network_svg(picture))) == sorted(model_edges(network))


def test_names_of_a_model_cannot_break_the_page() -> None:
    network = small('species A in c; compartment c = 1; A is "<script>alert(1)</script>"; A = 1; J: A -> ; A')
    svg = network_svg(network_picture(network))
    assert "<script" not in svg
    assert ElementTree.fromstring(svg) is not None


def test_forms_share_their_molecule_and_levels_their_highest() -> None:
    network = small("compartment c = 2; species R, Ra, X in c; R = 3; Ra = 1; X = 2; J: R -> Ra; R; K: Ra -> R; Ra; L: -> X; Ra")
    values = activity_values(network, {"R": 1.0, "Ra": 3.0, "X": 2.0}, {"X": 8.0})
    assert values == pytest.approx({"R": 0.25, "Ra": 0.75, "X": 0.25})
    assert activity_values(network, {"R": 0.0, "Ra": 0.0, "X": 1.0}, {"X": 0.0}) == {}


def test_a_form_in_another_compartment_counts_by_amount() -> None:
    network = small("compartment c = 3; compartment n = 1; species S in c, Sn in n; S = 1; Sn = 0; J: S -> Sn; S")
    assert activity_values(network, {"S": 1.0, "Sn": 1.0}, {}) == pytest.approx({"S": 0.75, "Sn": 0.25})


def test_more_agonist_colours_the_receptor_more() -> None:
    result = simulate_signalling({"hetrombopag": [0.1, 10.0]}, hours=1.0)
    shown = [
        activity_picture(tpor_network(), one, time_h=1 / 6, compared=result.activities, treatment="t", caption=("c",))
        for one in result.activities
    ]
    colours = [{box.id: box.value for box in picture.boxes} for picture in shown]
    assert colours[0]["Mpl_active"] < colours[1]["Mpl_active"]  # pyright: ignore[reportOperatorIssue]
    assert colours[0]["PTEN"] is None
    assert (colours[0]["TPO"], shown[0].scale_words) == (0.0, SITE_WORDS)
    assert 0.0 < colours[0]["TM_agonist"] < colours[1]["TM_agonist"] < 1.0  # pyright: ignore[reportOperatorIssue]
    for values in colours:
        assert values["JAK2"] + values["JAK2_p"] == pytest.approx(1.0)  # pyright: ignore[reportOperatorIssue]
    assert shown[0].title == "t, 10 min"
    with pytest.raises(InputError, match=r"signalling picture, time: found 2 h; expected 0 to 1 h"):
        activity_picture(tpor_network(), result.activities[0], time_h=2.0, compared=(), treatment="t", caption=())


def test_the_caption_says_what_is_assumed_and_on_what_cells() -> None:
    picture = draw_network(agonist="hetrombopag", dose="10 nM", at="10 min")
    svg = network_svg(picture)
    assert "rates are assumed" in svg
    assert "calibrated on EPO-R or other cells" in svg
    assert picture.title == "TPO-R signalling: hetrombopag 10 nM, 32D-MPL, 10 min"
    assert "33 species, 50 reactions" in svg


def test_a_model_of_ones_own_is_coloured_by_its_own_run(tmp_path: Path) -> None:
    file = tmp_path / "m.ant"
    file.write_text(
        "model m\ncompartment c = 1; species A in c, B in c; A = 4; B = 0; J: A -> B; k*A; k = 0.5\nend\n", encoding="utf-8"
    )
    picture = draw_network(file, at="2", settings={"k": 1.0})
    values = {box.id: box.value for box in picture.boxes}
    assert values["B"] == pytest.approx(1.0 - np.exp(-2.0), rel=1e-4)
    assert picture.title == "m, time 2, k = 1"


def test_all_that_does_not_belong_together_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--agonist: found some of agonist, dose and time; expected all three, or none"):
        draw_network(agonist="hetrombopag")
    with pytest.raises(InputError, match=r'--at: found "soon"; expected a time such as "10 min", at most 14 d'):
        draw_network(agonist="hetrombopag", dose="1 nM", at="soon")
    file = tmp_path / "m.ant"
    file.write_text("model m\nA = 1; J: A -> ; A\nend\n", encoding="utf-8")
    with pytest.raises(InputError) as told:
        draw_network(file, agonist="hetrombopag", dose="1 nM", at="-1")
    assert [fault.place for fault in told.value.faults] == ["--agonist, --dose", "--at"]
    with pytest.raises(InputError, match=r'--out: found "p\.jpg"; expected a name that ends in \.svg, \.png or \.pdf'):
        write_picture(draw_network(file), tmp_path / "p.jpg")


def test_nothing_to_draw_is_told() -> None:
    with pytest.raises(InputError, match=r"m\.ant: found a model without species; expected 1 to 150 species"):
        network_picture(small("k = 1; x := k"))


def test_order_of_molecules() -> None:
    network = small("species A, B, Bp, C; A = 1; B = 1; Bp = 0; C = 0; J: B -> Bp; A*B; K: Bp -> B; C*Bp; L: -> C; Bp")
    molecules = find_molecules(network, network_edges(network))
    assert molecules.forms == (("A",), ("B", "Bp"), ("C",))
    assert molecules.layer == (0, 1, 2)
    assert molecules.feedback == {(2, 1)}


@pytest.mark.parametrize(
    ("label", "lines"),
    [
        ("thrombopoietin or romiplostim", ("thrombopoietin", "or romiplostim")),
        ("STAT5-P", ("STAT5-P",)),
        ("aVeryLongIdentifierIndeed", ("aVeryLongIdenti\u2026",)),
    ],
)
def test_labels_are_broken_where_they_are_long(label: str, lines: tuple[str, ...]) -> None:
    assert broken(label) == lines
