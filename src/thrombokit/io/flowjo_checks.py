"""What a FlowJo workspace must not hold if its gates are to be carried over exactly.

FlowKit, which turns the gates, passes over some things in silence: it takes a gate drawn on uncompensated values for one on compensated values, it
leaves out nodes it does not know, and of two samples of one name it keeps the last. Each of these is looked for in the workspace
itself, and refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from thrombokit.errors import Fault
from thrombokit.io.spillover_xml import attribute
from thrombokit.io.xml_tree import Element

SHAPES = ("RectangleGate", "PolygonGate", "EllipsoidGate")
SCALES = ("linear", "log", "logicle", "biex", "fasinh")
NODES = ("Population", "AndNode", "OrNode", "NotNode")
WITHOUT_EVENTS = ("Statistic", "Graph", "Gate", "Dependents", "Subpopulations", "Annotation", "CustomAnnotations")
REDRAW = "Redraw the gate in FlowJo with shapes that Gating-ML knows, or leave this population out."


@dataclass(frozen=True, kw_only=True)
class WorkspaceSample:
    """One sample of a workspace: its name, FlowJo's number of it, its element and its keywords."""

    name: str
    identity: str
    element: Element
    keywords: dict[str, str]

    @property
    def channel_names(self) -> dict[str, str]:
        """Channel name as FlowJo writes it (with "_" for "/") -> name in the file ($PnN)."""
        names = [
            value for key, value in self.keywords.items() if key.startswith("$P") and key.endswith("N") and key[2:-1].isdigit()
        ]
        return {name.replace("/", "_"): name for name in names}


def samples_of(root: Element) -> tuple[WorkspaceSample, ...]:
    """The samples of a workspace, in order."""
    lists = [child for child in root.children if child.name == "SampleList"]
    found: list[WorkspaceSample] = []
    for element in (child for group in lists for child in group.children if child.name == "Sample"):
        node = _child(element, "SampleNode")
        words = _child(element, "Keywords")
        keywords = {attribute(k, "name").upper(): attribute(k, "value") for k in (words.children if words else [])}
        name, identity = (attribute(node, key) if node else "" for key in ("name", "sampleID"))
        found.append(WorkspaceSample(name=name, identity=identity, element=element, keywords=keywords))
    return tuple(found)


def groups_of(root: Element, samples: tuple[WorkspaceSample, ...]) -> dict[str, tuple[str, ...]]:
    """Group name -> names of its samples, in the workspace's order."""
    names = {sample.identity: sample.name for sample in samples}
    found: dict[str, tuple[str, ...]] = {}
    for group in (child for part in root.children if part.name == "Groups" for child in part.children if child.name == "GroupNode"):
        inner = _child(group, "Group")
        refs = _child(inner, "SampleRefs") if inner else None
        ids = [attribute(ref, "sampleID") for ref in (refs.children if refs else [])]
        found[attribute(group, "name")] = tuple(name for identity, name in names.items() if identity in ids)
    return found


def workspace_faults(samples: tuple[WorkspaceSample, ...], place: str) -> Iterator[Fault]:
    """What keeps the whole workspace from being read: no samples, names that are not unique, scales of no known form."""
    names = [sample.name for sample in samples]
    if not samples:
        yield Fault(
            place=place,
            found="no samples",
            expected="a FlowJo 10 workspace (.wsp) with gated samples",
            cure="Save the workspace again.",
        )
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault(place=place, found=f"{names.count(name)} samples named {name!r}", expected="samples with names of their own",
                    cure="Rename one of them in FlowJo, or save a workspace for each.")  # fmt: skip
    for sample in samples:
        scales = _child(sample.element, "Transformations")
        for scale in scales.children if scales else []:
            channel = next((attribute(p, "name") for p in scale.children if p.name == "parameter"), "")
            where = f"{place}:{scale.line}, sample {sample.name}, channel {channel}"
            if scale.name not in SCALES:
                yield Fault(place=where, found=f"the scale {scale.name!r}", expected=f"one of {', '.join(SCALES)}",
                            cure="Choose one of these scales for the channel in FlowJo.")  # fmt: skip
            elif scale.name == "biex" and attribute(scale, "length") != "256":
                yield Fault(place=where, found=f"a biexponential scale of length {attribute(scale, 'length')!r}", expected="length 256",
                            cure="Set the channel's scale again in FlowJo.")  # fmt: skip


def sample_faults(sample: WorkspaceSample, place: str) -> Iterator[Fault]:
    """What keeps one sample's gates from being carried over exactly, gate by gate."""
    matrices = [child for child in sample.element.children if child.name == "spilloverMatrix"]
    if len(matrices) > 1:
        yield Fault(
            place=f"{place}, sample {sample.name}",
            found=f"{len(matrices)} spillover matrices",
            expected="one",
            cure="Apply one matrix in FlowJo.",
        )
    matrix = matrices[0] if matrices else None
    if matrix is not None and attribute(matrix, "spectral") == "1":
        yield Fault(place=f"{place}:{matrix.line}, sample {sample.name}", found="a spectral matrix", expected="a spillover matrix",
                    cure="Export unmixed events from FlowJo, and gate those.")  # fmt: skip
    node = _child(sample.element, "SampleNode")
    if node is not None:
        yield from _node_faults(node, "", sample, _prefix_of(matrix), f"{place}", matrix)


def _node_faults(
    node: Element, path: str, sample: WorkspaceSample, frame: tuple[str, str], place: str, matrix: Element | None
) -> Iterator[Fault]:
    for child in (inner for group in node.children if group.name == "Subpopulations" for inner in group.children):
        name = f"{path}/{attribute(child, 'name')}"
        where = f"{place}:{child.line}, sample {sample.name}, gate {name}"
        if child.name not in NODES:
            if child.name not in WITHOUT_EVENTS:
                yield Fault(place=where, found=f"a node {child.name!r}", expected=f"one of {', '.join(NODES)}", cure=REDRAW)
            continue
        for shape in (inner for gate in child.children if gate.name == "Gate" for inner in gate.children):
            if shape.name not in SHAPES:
                yield Fault(place=where, found=f"the shape {shape.name!r}", expected=f"one of {', '.join(SHAPES)}", cure=REDRAW)
            else:
                yield from _dimension_faults(shape, where, sample, frame, matrix)
        yield from _node_faults(child, name, sample, frame, place, matrix)


def _dimension_faults(
    shape: Element, where: str, sample: WorkspaceSample, frame: tuple[str, str], matrix: Element | None
) -> Iterator[Fault]:
    detectors = _detectors(matrix)
    for dimension in (child for child in shape.children if child.name == "dimension"):
        said = next((attribute(inner, "name") for inner in dimension.children if inner.name == "fcs-dimension"), "")
        plain = said.removeprefix(frame[0]).removesuffix(frame[1]) if matrix is not None else said
        known = sample.channel_names
        if plain not in known:
            yield Fault(
                place=where, found=f"the dimension {said!r}", expected=f"a channel of the file: {', '.join(known.values())}",
                cure="Derived parameters are not carried over: gate on measured channels.",
            )  # fmt: skip
        elif plain == said and said in detectors and any(frame):
            yield Fault(
                place=where, found=f"a gate on uncompensated {said!r} beside a matrix that compensates it",
                expected=f"{frame[0]}{said}{frame[1]}", cure="Draw the gate on the compensated channel, or remove the matrix from the sample.",
            )  # fmt: skip
        yield from _time_faults(plain, where, sample)


def _time_faults(channel: str, where: str, sample: WorkspaceSample) -> Iterator[Fault]:
    """FlowJo gates time in seconds; the file's own ticks are what we see."""
    if channel.lower() != "time":
        return
    index = next(
        (key[2:-1] for key, value in sample.keywords.items() if key.startswith("$P") and key.endswith("N") and value == channel), ""
    )
    factors = {key: sample.keywords.get(key, "").strip() for key in ("$TIMESTEP", f"$P{index}G")}
    for key, value in factors.items():
        try:
            is_one = not value or float(value) == 1.0
        except ValueError:
            is_one = False
        if not is_one:
            yield Fault(
                place=where, found=f"a gate on {channel} with {key} = {value}", expected=f"{key} = 1, so that FlowJo's unit is the file's",
                cure="Leave the time gate out; thrombokit's own time check replaces it.",
            )  # fmt: skip


def _prefix_of(matrix: Element | None) -> tuple[str, str]:
    return (attribute(matrix, "prefix"), attribute(matrix, "suffix")) if matrix is not None else ("", "")


def _detectors(matrix: Element | None) -> set[str]:
    groups = [child for child in matrix.children if child.name == "parameters"] if matrix is not None else []
    return {attribute(p, "name") for group in groups for p in group.children}


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element.children if child.name == name), None)
