"""Gates of a FlowJo 10 workspace (.wsp), through FlowKit (the extra `flowjo`), as our own gates.

A workspace keeps one tree of gates for each sample, in plain values, together with the scales and the matrix of that sample. Scales become ours:
biexponential, logicle, inverse hyperbolic sine, logarithm and line; ellipses become polygons of 128 corners, as in FlowJo itself. A
population whose name stands once keeps it; where a name stands in several branches, the path is the name ("Cells/Singlets").

What cannot be carried over exactly is refused by name, never left out; see `flowjo_checks`.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from thrombokit.cells.gates import (
    FILE_MATRIX,
    UNCOMPENSATED,
    BooleanGate,
    Bounds,
    Dimension,
    Gate,
    GateTree,
    Operand,
    PolygonGate,
    RectangleGate,
)
from thrombokit.cells.scales import AsinhScale, BiexponentialScale, LinearScale, LogicleScale, LogScale, Scale
from thrombokit.cells.spillover import Spillover
from thrombokit.errors import Fault, FileFormatError, InputError, MissingExtraError
from thrombokit.io.flowjo_checks import WorkspaceSample, groups_of, sample_faults, samples_of, workspace_faults
from thrombokit.io.spillover_xml import attribute, spillover_from_element
from thrombokit.io.xml_tree import parse_xml, read_xml_file
from thrombokit.numerics.flowjo_biexponential import N_CHANNELS

WHAT = "a FlowJo 10 workspace (.wsp)"
ROOT = "root"
SHOWN = 12
Path_ = tuple[str, ...]


def read_flowjo(path: str | Path, *, sample_name: str | None = None, group: str | None = None) -> GateTree:
    """The gates of one sample, or of a group whose samples all have the same, of a FlowJo workspace.

    Parameters
    ----------
    path : path
        The .wsp file. FCS files are not needed.
    sample_name : str, optional
        The sample as FlowJo names it; may be left out where there is one sample, or all have the same gates.
    group : str, optional
        A group of samples; by default all samples.

    Returns
    -------
    GateTree
        With the sample's matrix, if it has one.

    Raises
    ------
    MissingExtraError
        If FlowKit is not installed.
    FileFormatError
        If this is no workspace, or holds what cannot be carried over exactly: all of it, by name.
    InputError
        If there is no such sample or group, or the samples' gates differ and none was named.
    """
    path = Path(path)
    root = parse_xml(read_xml_file(path, what=WHAT), path.name)
    samples = samples_of(root)
    faults = list(workspace_faults(samples, path.name))
    if faults:
        raise FileFormatError(faults)
    chosen = _chosen(samples, groups_of(root, samples), sample_name, group, path.name)
    faults = [fault for sample in chosen for fault in sample_faults(sample, path.name)]
    if faults:
        raise FileFormatError(faults)
    workspace = _open_workspace(path, samples)
    trees = [_Converter(workspace=workspace, sample=sample, source=path.name).tree() for sample in chosen]
    different = [sample.name for sample, tree in zip(chosen, trees, strict=True) if _content(tree) != _content(trees[0])]
    if different:
        raise InputError(
            Fault(
                place=path.name, found=f"{len(chosen)} samples, {len(different)} of which differ in gates, scales or matrix from {chosen[0].name}",
                expected="one sample, or samples with the same gates",
                cure=f"Name the sample: {_shown([sample.name for sample in chosen])}.",
            )
        )  # fmt: skip
    return trees[0]


def flowjo_samples(path: str | Path) -> tuple[str, ...]:
    """Names of the samples of a workspace, in order; FlowKit is not needed. Raises FileFormatError if this is no workspace."""
    path = Path(path)
    samples = samples_of(parse_xml(read_xml_file(path, what=WHAT), path.name))
    faults = list(workspace_faults(samples, path.name))
    if faults:
        raise FileFormatError(faults)
    return tuple(sample.name for sample in samples)


def _open_workspace(path: Path, samples: Sequence[WorkspaceSample]) -> Any:
    try:
        flowkit: Any = importlib.import_module("flowkit")
    except ImportError as error:
        message = f"FlowJo workspaces are read through FlowKit, which is not installed ({error}): pip install 'thrombokit[flowjo]'."
        raise MissingExtraError(message) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return flowkit.Workspace(str(path), load_missing_file_data=True)
    except Exception as error:  # FlowKit raises whatever its parser meets; all of it is about the file
        known = [fault for sample in samples for fault in sample_faults(sample, path.name)]
        found = f"what FlowKit cannot read ({type(error).__name__}: {error})"
        cure = "Save the workspace again with FlowJo 10."
        raise FileFormatError(known or Fault(place=path.name, found=found, expected=WHAT, cure=cure)) from None


def _chosen(
    samples: Sequence[WorkspaceSample], groups: dict[str, tuple[str, ...]], sample_name: str | None, group: str | None, place: str
) -> tuple[WorkspaceSample, ...]:
    if group is not None and group not in groups:
        expected = f"one of: {_shown(list(groups))}"
        raise InputError(Fault(place=place, found=f"no group {group!r}", expected=expected, cure="Correct the name."))
    inside = [sample for sample in samples if group is None or sample.name in groups[group]]
    chosen = tuple(sample for sample in inside if sample_name in (None, sample.name))
    if not chosen:
        found = f"no sample {sample_name!r}" if sample_name else "no samples"
        expected = f"one of: {_shown([sample.name for sample in inside])}"
        raise InputError(Fault(place=place, found=found, expected=expected, cure="Correct the name."))
    return chosen


def _content(value: Any) -> Any:
    """What a value says, without where it came from, in a form that can be compared."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _content(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_content(inner) for inner in value]
    if is_dataclass(value):
        return [type(value).__name__, *(_content(getattr(value, f.name)) for f in fields(value) if f.name != "source")]
    return value


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


@dataclass(frozen=True, kw_only=True)
class _Converter:
    """One sample's gates, from FlowKit's values to ours."""

    workspace: Any
    sample: WorkspaceSample
    source: str

    def tree(self) -> GateTree:
        """All gates of the sample."""
        found = [(str(name), tuple(path)) for name, path in self.workspace.get_gate_ids(self.sample.name)]
        names = [name for name, _ in found]
        ids = {(*path, name): name if names.count(name) == 1 else "/".join((*path[1:], name)) for name, path in found}
        matrices = self._matrices()
        gates: list[Gate] = []
        for name, path in found:
            gate = self.workspace.get_gate(self.sample.name, name, path)
            parent = ids[path] if path != (ROOT,) else None
            gates.extend(self._gates(gate, ids[(*path, name)], parent, ids, matrices))
        return GateTree(gates=tuple(gates), matrices=dict(matrices.values()), source=f"{self.source}, sample {self.sample.name}")

    def _matrices(self) -> dict[str, tuple[str, Spillover]]:
        """FlowJo's name of the matrix -> our name of it, and the matrix, with channels named as in the file."""
        known, found = self.sample.channel_names, dict[str, tuple[str, Spillover]]()
        for element in (child for child in self.sample.element.children if child.name == "spilloverMatrix"):
            said = attribute(element, "name")
            matrix = spillover_from_element(element, f"{self.source}, sample {self.sample.name}")
            channels = tuple(known.get(channel, channel) for channel in matrix.channels)
            name = f"FlowJo {said}" if said in (FILE_MATRIX, UNCOMPENSATED) else said
            found[said] = (name, Spillover(channels=channels, matrix=matrix.matrix, source=matrix.source))
        return found

    def _gates(
        self, gate: Any, id: str, parent: str | None, ids: dict[Path_, str], matrices: dict[str, tuple[str, Spillover]]
    ) -> list[Gate]:
        kind = str(gate.gate_type)
        if kind == "BooleanGate":
            return [self._boolean(gate, id, parent, ids)]
        outside = bool(gate.use_complement)
        inner = f"{id} (inside)" if outside else id
        dimensions = [self._dimension(dimension, matrices) for dimension in gate.dimensions]
        self._refuse_places(gate, id)
        if kind == "RectangleGate":
            bounds = tuple(
                Bounds(dimension=axis.dimension, low=axis.place(dimension.min), high=axis.place(dimension.max))
                for axis, dimension in zip(dimensions, gate.dimensions, strict=True)
            )
            shape: Gate = RectangleGate(id=inner, bounds=bounds, parent=parent)
        elif kind == "PolygonGate" and len(dimensions) == 2:
            x, y = dimensions
            vertices = [[x.place(float(first)), y.place(float(second))] for first, second in gate.vertices]
            shape = PolygonGate(
                id=inner, x=x.dimension, y=y.dimension, vertices=np.array(vertices, dtype=np.float64), parent=parent
            )
        else:
            found = f"a {kind} of {len(dimensions)} dimensions"
            raise FileFormatError(self._fault(id, found, "a rectangle, a polygon in two dimensions or a Boolean gate"))
        if not outside:
            return [shape]
        return [shape, BooleanGate(id=id, operation="not", operands=(Operand(gate=inner),), parent=parent)]

    def _refuse_places(self, gate: Any, id: str) -> None:
        """Bounds that are no numbers, and corners that are not finite."""
        bounds = [place for dimension in gate.dimensions for place in (dimension.min, dimension.max) if place is not None]
        corners = [float(place) for corner in getattr(gate, "vertices", ()) for place in corner]
        if any(math.isnan(float(place)) for place in bounds) or not all(math.isfinite(place) for place in corners):
            raise FileFormatError(self._fault(id, "a bound or corner that is no number on its scale", "finite numbers"))

    def _boolean(self, gate: Any, id: str, parent: str | None, ids: dict[Path_, str]) -> BooleanGate:
        operation: Literal["and", "or", "not"] = gate.type
        operands: list[Operand] = []
        for reference in gate.gate_refs:
            key = (*tuple(reference["path"]), str(reference["ref"]))
            if key not in ids:
                raise FileFormatError(self._fault(id, f"a reference to {'/'.join(key[1:])!r}", "a population of the sample"))
            operands.append(Operand(gate=ids[key], complement=bool(reference["complement"])))
        return BooleanGate(id=id, operation=operation, operands=tuple(operands), parent=parent)

    def _dimension(self, said: Any, matrices: dict[str, tuple[str, Spillover]]) -> _Axis:
        channel = self.sample.channel_names[str(said.id)]
        compensation = matrices[str(said.compensation_ref)][0] if said.compensation_ref is not None else UNCOMPENSATED
        if said.transformation_ref is None:
            return _Axis(dimension=Dimension(channel=channel, compensation=compensation))
        transform = self.workspace.get_transform(self.sample.name, said.transformation_ref)
        try:
            scale, factor, shift = _scale(transform)
        except InputError as error:
            faults = [
                self._fault(f"scale of {channel}", f"{fault.found} in the {fault.place}", fault.expected) for fault in error.faults
            ]
            raise FileFormatError(faults) from None
        return _Axis(dimension=Dimension(channel=channel, scale=scale, compensation=compensation), factor=factor, shift=shift)

    def _fault(self, gate: str, found: str, expected: str) -> Fault:
        place = f"{self.source}, sample {self.sample.name}, {gate}"
        return Fault(place=place, found=found, expected=expected, cure="Change it in FlowJo, or leave this population out.")


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """A dimension, and how FlowKit's places on it become ours: place x factor + shift."""

    dimension: Dimension
    factor: float = 1.0
    shift: float = 0.0

    def place(self, said: float | None) -> float | None:
        """Where a bound lies for us; None where there is none."""
        return None if said is None else float(said) * self.factor + self.shift


def _scale(transform: Any) -> tuple[Scale | None, float, float]:
    """Our scale, and the factor and shift that take FlowKit's places to ours.

    A line whose lower end is below zero is no Gating-ML scale; it becomes plain values.
    """
    match type(transform).__name__:
        case "LinearTransform":
            top, low = float(transform.param_t), float(transform.param_a)
            if 0.0 <= low <= top and top > 0.0:
                return LinearScale(t=top, a=low), 1.0, 0.0
            return None, top + low, -low
        case "WSPLogTransform":
            offset, decades = float(transform.offset), float(transform.decades)
            return LogScale(t=offset * math.pow(10.0, decades), m=decades, bound_min=0.0), 1.0, 0.0
        case "WSPBiexTransform":
            scale = BiexponentialScale(
                width_basis=float(transform.width), negative=float(transform.negative), positive=float(transform.positive),
                top=float(transform.max_value),
            )  # fmt: skip
            return scale, 1.0 / N_CHANNELS, 0.0
        case "LogicleTransform":
            letters = (transform.param_t, transform.param_w, transform.param_m, transform.param_a)
            t, w, m, a = (float(letter) for letter in letters)
            return LogicleScale(t=t, w=w, m=m, a=a), 1.0, 0.0
        case "AsinhTransform":
            return AsinhScale(t=float(transform.param_t), m=float(transform.param_m), a=float(transform.param_a)), 1.0, 0.0
        case kind:
            fault = Fault(
                place="scale", found=f"the transformation {kind}", expected="a scale of FlowJo", cure="Choose another in FlowJo."
            )
            raise InputError(fault)
