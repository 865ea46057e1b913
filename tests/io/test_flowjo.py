"""Gates of FlowJo workspaces: real ones, one with everything in it beside FlowKit's own answer, and what is refused by name."""

from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path

import flowkit
import numpy as np
import pytest

from thrombokit.cells.gates import BooleanGate, PolygonGate
from thrombokit.cells.membership import apply_gates
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.scales import AsinhScale, BiexponentialScale, LinearScale, LogicleScale, LogScale
from thrombokit.errors import Fault, FileFormatError, InputError, MissingExtraError
from thrombokit.io.fcs import read_fcs
from thrombokit.io.fcs_write import write_fcs
from thrombokit.io.flowjo import flowjo_samples, read_flowjo

SPACES = " ".join(
    f'xmlns:{short}="http://www.isac-net.org/std/Gating-ML/v2.0/{long}"'
    for short, long in (("gating", "gating"), ("transforms", "transformations"), ("data-type", "datatypes"))
)
CHANNELS = ("FSC-A", "CD41/PE-A", "FITC-A", "APC-A", "UV-A", "Time")
SCALES = """
<transforms:linear transforms:minRange="0" transforms:maxRange="262144" gain="1">{FSC-A}</transforms:linear>
<transforms:biex transforms:length="256" transforms:maxRange="262144" transforms:neg="0" transforms:width="-10" transforms:pos="4.41854">{CD41_PE-A}</transforms:biex>
<transforms:logicle transforms:T="262144" transforms:W="0.5" transforms:M="4.5" transforms:A="0">{FITC-A}</transforms:logicle>
<transforms:fasinh transforms:length="256" transforms:maxRange="262144" transforms:T="262144" transforms:A="1" transforms:M="4" transforms:W="-10">{APC-A}</transforms:fasinh>
<transforms:log transforms:offset="10" transforms:decades="4.4">{UV-A}</transforms:log>
<transforms:linear transforms:minRange="0" transforms:maxRange="1000" gain="1">{Time}</transforms:linear>
"""  # noqa: E501
MATRIX = """<transforms:spilloverMatrix spectral="0" prefix="Comp-" name="mine" suffix=""><data-type:parameters>
<data-type:parameter data-type:name="CD41_PE-A"/><data-type:parameter data-type:name="FITC-A"/></data-type:parameters>
<transforms:spillover data-type:parameter="CD41_PE-A"><transforms:coefficient data-type:parameter="CD41_PE-A" transforms:value="1"/>
<transforms:coefficient data-type:parameter="FITC-A" transforms:value="0.03"/></transforms:spillover>
<transforms:spillover data-type:parameter="FITC-A"><transforms:coefficient data-type:parameter="CD41_PE-A" transforms:value="0.2"/>
<transforms:coefficient data-type:parameter="FITC-A" transforms:value="1"/></transforms:spillover></transforms:spilloverMatrix>"""


def _dimension(name: str, low: float | None = None, high: float | None = None) -> str:
    ends = "".join(f' gating:{key}="{value}"' for key, value in (("min", low), ("max", high)) if value is not None)
    return f'<gating:dimension{ends}><data-type:fcs-dimension data-type:name="{name}"/></gating:dimension>'


def _vertices(points: list[tuple[float, float]]) -> str:
    corner = '<gating:vertex><gating:coordinate data-type:value="{}"/><gating:coordinate data-type:value="{}"/></gating:vertex>'
    return "".join(corner.format(x, y) for x, y in points)


def _population(name: str, shape: str, inner: str = "") -> str:
    below = f"<Subpopulations>{inner}</Subpopulations>" if inner else ""
    return f'<Population name="{name}" owningGroup="All Samples"><Gate>{shape}</Gate>{below}</Population>'


def _rectangle(*dimensions: str, inside: int = 1) -> str:
    return f'<gating:RectangleGate eventsInside="{inside}">{"".join(dimensions)}</gating:RectangleGate>'


def _boolean(kind: str, name: str, *of: str) -> str:
    refs = "".join(f'<Dependent name="{path}"/>' for path in of)
    return f'<{kind} name="{name}" owningGroup="All Samples"><Dependents>{refs}</Dependents></{kind}>'


PE = _rectangle(_dimension("Comp-CD41_PE-A", 500.0))
POLYGON = (
    f'<gating:PolygonGate eventsInside="1">{_dimension("Comp-FITC-A")}{_dimension("APC-A")}'
    f"{_vertices([(-200, -100), (50_000, -100), (90_000, 40_000), (3000, 60_000)])}</gating:PolygonGate>"
)
ELLIPSE = (
    f'<gating:EllipsoidGate eventsInside="1" gating:distance="100">{_dimension("Comp-CD41_PE-A")}{_dimension("Comp-FITC-A")}'
    f"<gating:foci>{_vertices([(110, 120), (150, 150)])}</gating:foci>"
    f"<gating:edge>{_vertices([(90, 105), (170, 165), (114, 156), (146, 114)])}</gating:edge></gating:EllipsoidGate>"
)
CELLS = _rectangle(_dimension("FSC-A", 20_000.0, 200_000.0), _dimension("UV-A", 5.0, 30_000.0))
TREE = _population(
    "Cells", CELLS,
    _population("CD41+", PE, _population("poly", POLYGON)) + _population("other", POLYGON, _population("CD41+", PE))
    + _population("not dim", _rectangle(_dimension("Comp-FITC-A", None, 1000.0), inside=0)) + _population("round", ELLIPSE)
    + _boolean("AndNode", "both", "Cells/CD41+", "Cells/other") + _boolean("OrNode", "either", "Cells/CD41+/poly", "Cells/round")
    + _boolean("NotNode", "neither", "Cells/either"),
)  # fmt: skip


def _workspace(
    tree: str = TREE,
    *,
    matrix: str = MATRIX,
    scales: str = SCALES,
    names: tuple[str, ...] = ("tube.fcs",),
    trees: dict[str, str] | None = None,
    **keywords: str,
) -> str:
    words = {
        **{f"$P{i}N": name for i, name in enumerate(CHANNELS, start=1)},
        **{f"${key}": value for key, value in keywords.items()},
    }
    listed = "".join(f'<Keyword name="{key}" value="{value}"/>' for key, value in words.items())
    for name in CHANNELS:
        said = name.replace("/", "_")
        scales = scales.replace("{" + said + "}", f'<data-type:parameter data-type:name="{said}"/>')
    samples = "".join(
        f'<Sample><DataSet uri="file:/x/{name}" sampleID="{i}"/>{matrix}<Transformations>{scales}</Transformations><Keywords>{listed}</Keywords>'
        f'<SampleNode name="{name}" sampleID="{i}"><Subpopulations>{(trees or {}).get(name, tree)}</Subpopulations></SampleNode></Sample>'
        for i, name in enumerate(names, start=1)
    )
    refs = "".join(f'<SampleRef sampleID="{i}"/>' for i in range(1, len(names) + 1))
    groups = (
        f'<Groups><GroupNode name="All Samples"><Group><SampleRefs>{refs}</SampleRefs></Group></GroupNode>'
        '<GroupNode name="first"><Group><SampleRefs><SampleRef sampleID="1"/></SampleRefs></Group></GroupNode></Groups>'
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?><Workspace version="20.0" flowJoVersion="10.8.1" {SPACES}>'
    return f"{head}{groups}<SampleList>{samples}</SampleList></Workspace>"


def _written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "study.wsp"
    path.write_text(text, encoding="utf-8")
    return path


def _refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(FileFormatError) as caught:
        read_flowjo(_written(tmp_path, text))
    return str(caught.value)


@pytest.mark.parametrize(
    ("workspace", "file", "counts"),
    [
        ("test_data_diamond_asinh_rect.wsp", "test_data_diamond_01.fcs", {"upper_right": 50_559}),
        ("test_data_diamond_biex_rect.wsp", "test_data_diamond_01.fcs", {"upper_right": 50_605}),
        ("simple_poly_and_rect.wsp", "data_set_simple_line_100.fcs", {"poly1": 0, "rect1": 0}),
    ],
)
def test_counts_of_real_workspaces(reference_data: Path, workspace: str, file: str, counts: dict[str, int]) -> None:
    folder = reference_data / "fcs/flowkit_flowjo"
    members = apply_gates(read_fcs(folder / file), read_flowjo(folder / workspace, sample_name=file))
    assert {name: int(member.sum()) for name, member in members.items()} == counts
    assert flowjo_samples(folder / workspace) == (file,)


@pytest.fixture(scope="module")
def tube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(1)
    events = np.exp(rng.normal(8.0, 2.0, (20_000, 6))) - 300.0
    events[:, 0] = rng.uniform(0.0, 250_000.0, len(events))
    channels = tuple(Channel(name=name, range_max=262_144.0) for name in CHANNELS)
    path = tmp_path_factory.mktemp("fcs") / "tube.fcs"
    write_fcs(Sample(name="tube.fcs", channels=channels, stored=events.astype(np.float32)), path)
    return path


def test_a_workspace_with_everything_in_it_gates_as_flowkit_does(tmp_path: Path, tube: Path) -> None:
    path = _written(tmp_path, _workspace())
    tree = read_flowjo(path)
    found = apply_gates(read_fcs(tube), tree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = flowkit.Workspace(str(path), fcs_samples=str(tube))
        theirs.analyze_samples(sample_id="tube.fcs", use_mp=False)
    ids = {("root", "Cells", "CD41+"): "Cells/CD41+", ("root", "Cells", "other", "CD41+"): "Cells/other/CD41+"}
    gates = theirs.get_gate_ids("tube.fcs")
    assert len(gates) == 10
    for name, where in gates:
        expected = theirs.get_gate_membership("tube.fcs", name, where)
        ours = found[ids.get((*where, name), name)]
        assert 20 < expected.sum() < 19_980, name
        assert int((ours != expected).sum()) == 0, name


def test_gates_keep_names_parents_scales_and_matrix(tmp_path: Path) -> None:
    tree = read_flowjo(_written(tmp_path, _workspace()))
    assert set(tree.population_ids) == {
        "Cells", "Cells/CD41+", "poly", "other", "Cells/other/CD41+", "not dim", "not dim (inside)", "round", "both", "either", "neither",
    }  # fmt: skip
    assert tree.parent_of("poly") == "Cells/CD41+"
    assert tree.parent_of("Cells/other/CD41+") == "other"
    assert tree.parent_of("neither") == "Cells"
    matrix = tree.matrices["mine"]
    assert matrix.channels == ("CD41/PE-A", "FITC-A")
    assert matrix.matrix.tolist() == [[1.0, 0.03], [0.2, 1.0]]
    poly, round_gate, outside = tree.gate("poly"), tree.gate("round"), tree.gate("not dim")
    assert isinstance(poly, PolygonGate)
    assert (poly.x.channel, poly.x.compensation, poly.x.scale) == ("FITC-A", "mine", LogicleScale())
    assert (poly.y.compensation, poly.y.scale) == ("uncompensated", AsinhScale(t=262144.0, m=4.0, a=1.0))
    assert isinstance(round_gate, PolygonGate)
    assert len(round_gate.vertices) == 128
    assert round_gate.x.scale == BiexponentialScale(top=262144.0)
    assert isinstance(outside, BooleanGate)
    assert outside.operation == "not"
    cells = tree.gate("Cells")
    scales = [bounds.dimension.scale for bounds in cells.bounds]  # type: ignore[union-attr]
    assert scales[0] == LinearScale(t=262144.0)
    assert isinstance(scales[1], LogScale)
    assert scales[1].apply(np.array([10.0, 1.0]))[:2] == pytest.approx([0.0, 0.0])


def test_a_line_that_begins_below_zero_becomes_plain_values(tmp_path: Path) -> None:
    text = _workspace(
        _population("Cells", _rectangle(_dimension("FSC-A", 20_000.0, 200_000.0))),
        scales=SCALES.replace('minRange="0"', 'minRange="-500"', 1),
    )
    (gate,) = read_flowjo(_written(tmp_path, text)).gates
    (bounds,) = gate.bounds  # type: ignore[union-attr]
    assert bounds.dimension.scale is None
    assert (bounds.low, bounds.high) == pytest.approx((20_000.0, 200_000.0), rel=1e-12)


def test_samples_and_groups_are_chosen_by_name(tmp_path: Path) -> None:
    names = ("one.fcs", "two.fcs")
    path = _written(tmp_path, _workspace(names=names))
    assert flowjo_samples(path) == names
    assert read_flowjo(path).source == "study.wsp, sample one.fcs"
    assert read_flowjo(path, sample_name="two.fcs").source == "study.wsp, sample two.fcs"
    path = _written(tmp_path, _workspace(names=names, trees={"two.fcs": _population("Cells", PE)}))
    with pytest.raises(InputError, match=r"found 2 samples, 1 of which differ in gates.* Name the sample: one\.fcs, two\.fcs"):
        read_flowjo(path)
    assert read_flowjo(path, group="first").source == "study.wsp, sample one.fcs"
    assert read_flowjo(path, sample_name="two.fcs").population_ids == ("Cells",)
    with pytest.raises(InputError, match=r"found no sample 'three'; expected one of: one\.fcs, two\.fcs"):
        read_flowjo(path, sample_name="three")
    with pytest.raises(InputError, match=r"found no group 'last'; expected one of: All Samples, first"):
        read_flowjo(path, group="last")
    with pytest.raises(InputError, match=r"found no sample 'two\.fcs'; expected one of: one\.fcs"):
        read_flowjo(path, sample_name="two.fcs", group="first")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_workspace(_population("raw", _rectangle(_dimension("FITC-A", 1.0)))), "sample tube.fcs, gate /raw: found a gate on uncompensated 'FITC-A'"),
        (_workspace(_population("ratio", _rectangle(_dimension("Derived", 1.0)))), "gate /ratio: found the dimension 'Derived'; expected a channel"),
        (_workspace(_population("curly", "<gating:CurlyQuad/>")), "gate /curly: found the shape 'CurlyQuad'; expected one of RectangleGate"),
        (_workspace("<Cluster name='k'/>"), "gate /k: found a node 'Cluster'; expected one of Population"),
        (_workspace(_population("when", _rectangle(_dimension("Time", 1.0))), TIMESTEP="0.01"), "a gate on Time with $TIMESTEP = 0.01"),
        (_workspace(_population("when", _rectangle(_dimension("Time", 1.0))), P6G="0.01"), "a gate on Time with $P6G = 0.01"),
        (_workspace(names=("a.fcs", "a.fcs")), "study.wsp: found 2 samples named 'a.fcs'"),
        (_workspace(matrix=MATRIX + MATRIX), "found 2 spillover matrices; expected one"),
        (_workspace(matrix=MATRIX.replace('spectral="0"', 'spectral="1" weightOptAlgorithmType="OLS"')), "found a spectral matrix"),
        (_workspace(scales=SCALES.replace("transforms:fasinh", "transforms:miltenyi")), "channel APC-A: found the scale 'miltenyi'"),
        (_workspace(scales=SCALES.replace('length="256"', 'length="512"', 1)), "found a biexponential scale of length '512'"),
        (_workspace(scales=SCALES.replace('transforms:W="0.5"', 'transforms:W="3"')), "scale of FITC-A: found W = 3 in the logicle scale"),
        (_workspace(_population("nan", _rectangle(_dimension("FSC-A", float("nan"))))), "nan: found a bound or corner that is no number"),
        (_workspace(names=()), "study.wsp: found no samples; expected a FlowJo 10 workspace"),
        ("<a/>", "found no samples"),
        ("<a>", "study.wsp:1: found "),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a/>', "found a document type declaration"),
        (_workspace().replace(' sampleID="1"/></SampleRefs>', ' sampleID="9"/></SampleRefs>', 1), "what FlowKit cannot read (KeyError: '9')"),
        (_workspace(_boolean("AndNode", "both", "Cells", "gone")), "both: found a reference to 'Cells'; expected a population of the sample"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_over_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    message = _refusal(tmp_path, text)
    assert said in message


def test_all_faults_of_a_sample_come_at_once(tmp_path: Path) -> None:
    tree = _population(
        "raw", _rectangle(_dimension("FITC-A", 1.0), _dimension("X", 1.0)), _population("curly", "<gating:CurlyQuad/>")
    )
    assert _refusal(tmp_path, _workspace(tree)).count("study.wsp:") == 3


def test_without_flowkit_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _written(tmp_path, _workspace())
    monkeypatch.setitem(sys.modules, "flowkit", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'thrombokit\[flowjo\]'"):
        read_flowjo(path)
    assert flowjo_samples(path) == ("tube.fcs",)


def _gates_or_faults(path: Path) -> tuple[Fault, ...]:
    try:
        assert read_flowjo(path).gates is not None
    except InputError as error:
        return error.faults
    return ()


def test_workspaces_with_strange_values_are_read_or_refused_and_never_crash(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    whole = _workspace()
    values = [(m.start(1), m.end(1)) for m in re.finditer(r'="([^"]*)"', whole) if not m.group(1).startswith("http")]
    strange = ("", "nan", "inf", "-1", "1e999", "x", "Cells", "poly", "FITC-A", "0", "root", "\u00e9 &lt;")
    refused = 0
    for _ in range(250):
        start, end = values[int(rng.integers(len(values)))]
        faults = _gates_or_faults(_written(tmp_path, whole[:start] + strange[int(rng.integers(len(strange)))] + whole[end:]))
        refused += bool(faults)
        assert all(fault.cure and fault.place.startswith("study.wsp") for fault in faults)
    assert 50 < refused < 240


def test_workspaces_cut_short_are_refused(tmp_path: Path) -> None:
    whole = _workspace()
    for end in range(0, len(whole) - 1, 997):
        assert _gates_or_faults(_written(tmp_path, whole[:end]))
