"""Contract of `thrombokit cells ploidy FILE.fcs --channel NAME [--gates G.xml --gate ID] [--reference-gate ID | --reference-file F] --json`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import thrombokit as tk
from thrombokit.cells.gates import Bounds, Dimension, GateTree, rectangle
from thrombokit.cells.sample import Channel, Sample

SHARES = np.array([0.3, 0.25, 0.2, 0.15, 0.07, 0.03])


def dna_of(rng: np.random.Generator, k: np.ndarray) -> np.ndarray:
    return 5_000.0 * 2.0**k * (1 + 0.05 * rng.standard_normal(k.size))


def write_tube(path: Path, *, n: int = 6_000, seed: int = 1) -> Path:
    """CD41+ polyploid cells beside CD41- diploid ones."""
    rng = np.random.default_rng(seed)
    dna = np.concatenate([dna_of(rng, rng.choice(6, n, p=SHARES)), dna_of(rng, rng.choice(2, 2_000, p=[0.85, 0.15]))])
    cd41 = np.concatenate([rng.normal(5_000, 300, n), rng.normal(100, 30, 2_000)])
    events = np.column_stack([cd41, dna]).astype(np.float32)
    channels = (Channel(name="FL1-A", label="CD41", range_max=262144.0), Channel(name="FL3-A", label="PI", range_max=1e6))
    tk.write_fcs(Sample(name=path.name, channels=channels, stored=events), path)
    return path


@pytest.fixture
def tube(tmp_path: Path) -> Path:
    return write_tube(tmp_path / "tube.fcs")


@pytest.fixture
def gates(tmp_path: Path) -> Path:
    cd41 = Dimension(channel="FL1-A")
    tree = GateTree(
        gates=(rectangle("MK", Bounds(dimension=cd41, low=1_000.0)), rectangle("CD41neg", Bounds(dimension=cd41, high=1_000.0)))
    )
    tk.write_gatingml(tree, tmp_path / "gates.xml")
    return tmp_path / "gates.xml"


def document(command: Callable, *arguments: str | Path) -> dict:
    said = command("cells", "ploidy", *arguments, "--json", "--quiet")
    assert said.exit_code == 0, said.stderr
    return json.loads(said.stdout)


def test_the_document(command: Callable, tube: Path, gates: Path) -> None:
    found = document(command, tube, "--channel", "FL3-A", "--gates", gates, "--gate", "MK", "--reference-gate", "CD41neg")
    assert next(iter(found)) == "schema"
    assert found["schema"] == "thrombokit.ploidy/1"
    assert list(found["fractions"]) == ["2N", "4N", "8N", "16N", "32N", "64N"]
    for name, truth in zip(found["fractions"], SHARES, strict=True):
        share = found["fractions"][name]
        assert share["low"] <= share["estimate"] <= share["high"]
        assert share["estimate"] == pytest.approx(truth, abs=0.03)
    assert found["verdict"] == "fit"
    assert found["s_assignment"] == "lower"
    assert found["mean_ploidy"] == pytest.approx(SHARES @ 2.0 ** np.arange(1, 7), rel=0.06)
    assert found["ge8N"] == pytest.approx(0.45, abs=0.03)
    assert found["g1_peak"] == pytest.approx(5_000, rel=0.01)
    assert found["g1_cv"] == pytest.approx(0.05, rel=0.15)
    assert found["exponent"] == pytest.approx(1.0, abs=0.02)
    assert {"s_phase", "debris", "doublets"} <= set(found)
    assert set(found["peaks"][0]) == {"position", "cv", "share", "series"}


def test_the_document_is_the_values(command: Callable, tube: Path) -> None:
    sample = tk.read_fcs(tube)
    assert (
        document(command, tube, "--channel", "FL3-A") == tk.fit_ploidy(sample.events("compensated")[:, 1].astype(float)).to_dict()
    )


def test_without_a_reference_the_octave_is_assumed(command: Callable, tube: Path, gates: Path) -> None:
    found = document(command, tube, "--channel", "PI", "--gates", gates, "--gate", "MK")
    assert (found["verdict"], found["octave"]) == ("octave_assumed", "assumed")


def test_a_reference_in_another_file(command: Callable, tmp_path: Path, tube: Path, gates: Path) -> None:
    other = write_tube(tmp_path / "other.fcs", seed=2)
    found = document(
        command,
        tube,
        "--channel",
        "FL3-A",
        "--gates",
        gates,
        "--gate",
        "MK",
        "--reference-gate",
        "CD41neg",
        "--reference-file",
        other,
    )
    assert found["verdict"] == "fit"


def test_other_methods(command: Callable, tube: Path) -> None:
    assert document(command, tube, "--channel", "FL3-A", "--method", "windows")["method"] == "windows"
    assert document(command, tube, "--channel", "FL3-A", "--method", "dean_jett_fox")["exponent"] == 1.0
    assert document(command, tube, "--channel", "FL3-A", "--s-assignment", "upper")["s_assignment"] == "upper"


def test_plain_words_and_a_histogram(command: Callable, tmp_path: Path, tube: Path) -> None:
    said = command("cells", "ploidy", tube, "--channel", "FL3-A", "--histogram", tmp_path / "histogram.csv")
    assert said.exit_code == 0
    assert said.stdout.startswith("verdict: octave_assumed.")
    assert "mean ploidy" in said.stdout
    assert ">= 64N" in said.stdout
    assert pl.read_csv(tmp_path / "histogram.csv").columns[:4] == ["signal_low", "signal_high", "events", "2N"]


def test_no_shares_is_null_beside_the_verdict(command: Callable, tmp_path: Path) -> None:
    found = document(command, write_tube(tmp_path / "log.fcs", n=20), "--channel", "FL1-A")
    assert found["mean_ploidy"] is None or found["verdict"] in ("octave_assumed", "saturated")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--channel", "FL9-A"], ['no channel "FL9-A"', "FL1-A, FL3-A"]),
        (["--channel", "FL3-A", "--gates", "GATES", "--gate", "mk"], ['no gate "mk"', "MK, CD41neg"]),
        (["--channel", "FL3-A", "--gate", "MK"], ["no gates", "Add --gates"]),
        (["--channel", "FL3-A", "--gates", "GATES"], ["no --gate", "Add --gate ID"]),
        (["--channel", "FL3-A", "--reference-gate", "X"], ["no gates"]),
        (["--channel", "FL3-A", "--gates", "GATES", "--gate", "MK", "--reference-gate", "nobody"], ['no gate "nobody"']),
    ],
)
def test_what_cannot_be_done_is_said(command: Callable, tube: Path, gates: Path, arguments: list[str], words: list[str]) -> None:
    said = command("cells", "ploidy", tube, *(str(gates) if a == "GATES" else a for a in arguments))
    assert said.exit_code == 3
    for word in words:
        assert word in said.stderr


def test_a_reference_without_2n_is_refused(command: Callable, tmp_path: Path, tube: Path) -> None:
    few = write_tube(tmp_path / "few.fcs", n=1)
    sample = tk.read_fcs(few)
    tk.write_fcs(Sample(name="few.fcs", channels=sample.channels, stored=np.array(sample.stored)[:50]), tmp_path / "fewer.fcs")
    said = command("cells", "ploidy", tube, "--channel", "FL3-A", "--reference-file", tmp_path / "fewer.fcs")
    assert said.exit_code == 3
    assert "fewer.fcs" in said.stderr
    assert "50 events" in said.stderr
