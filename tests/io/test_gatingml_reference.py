"""The compliance set of Gating-ML 2.0: every file, every gate, every event."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from thrombokit import apply_gates, read_fcs, read_gatingml, write_gatingml
from thrombokit.cells.sample import Sample
from thrombokit.errors import FileFormatError

OTHER_NAME = {"ParRectangle1": "ParQuadRect"}
"""Gates whose truth stands under another name."""


@pytest.fixture(scope="module")
def folder(reference_data: Path) -> Path:
    return reference_data / "fcs" / "flowkit_gatingml"


@pytest.fixture(scope="module")
def sample(folder: Path) -> Sample:
    return read_fcs(folder / "data1.fcs")


def truths(folder: Path) -> dict[str, np.ndarray]:
    return {
        path.stem.removeprefix("Results_"): np.loadtxt(path, dtype=int).astype(bool) for path in (folder / "truth").glob("*.txt")
    }


def test_all_51_truth_files_without_one_event_that_differs(folder: Path, sample: Sample, tmp_path: Path) -> None:
    """Read as they are, and once more after we have written them ourselves."""
    truth = truths(folder)
    assert len(truth) == 51
    seen: set[str] = set()
    differing: dict[str, int] = {}
    for path in sorted((folder / "gml").glob("*.xml")):
        if path.name == "gml_range_gate_attr_testing.xml":
            continue
        own = tmp_path / path.name
        write_gatingml(read_gatingml(path), own)
        for tree in (read_gatingml(path), read_gatingml(own)):
            for name, member in apply_gates(sample, tree).items():
                if OTHER_NAME.get(name, name) in truth:
                    seen.add(OTHER_NAME.get(name, name))
                    differing[name] = differing.get(name, 0) + int((member != truth[OTHER_NAME.get(name, name)]).sum())
    assert seen == set(truth)
    assert sum(differing.values()) == 0, {name: n for name, n in differing.items() if n}


def test_its_one_file_of_another_form_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(FileFormatError, match="element <sample> in gating:Gating-ML, which is not understood"):
        read_gatingml(folder / "gml" / "gml_range_gate_attr_testing.xml")


def test_its_ellipsoid_that_is_none_is_noted(folder: Path) -> None:
    (note,) = read_gatingml(folder / "gml" / "gml_ellipsoid3d_gate.xml").notes
    assert note.startswith("gate Ellipsoid3D: its covariance matrix is not symmetric")
