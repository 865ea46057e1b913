"""The MIFlowCyt record: what the files say, what the user states, and what nobody said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from thrombokit.cells.gates import (
    BooleanGate,
    Bounds,
    Dimension,
    Divider,
    EllipsoidGate,
    GateTree,
    Operand,
    Quadrant,
    QuadrantGate,
    polygon,
    rectangle,
)  # fmt: skip
from thrombokit.cells.miflowcyt import NOT_STATED, Reagent, Statements, miflowcyt_record, miflowcyt_table
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.scales import LogicleScale, Ratio
from thrombokit.cells.spillover import Spillover
from thrombokit.cells.tubes import Panel, Tube, TubeKind
from thrombokit.io.fcs import read_fcs

KEYWORDS = {
    "$CYT": "Cytometer X", "$CYTSN": "SN 17", "$OP": "A. Person", "$DATE": "01-JAN-2020", "$P1V": "350", "$P2V": "420", "$P2F": "530/30",
    "$P2L": "488", "$P2O": "0", "$P2T": "PMT", "$SYS": "xxxxxxx",
}  # fmt: skip


def _tube(name: str = "A01", **changes: Any) -> Tube:
    keywords = {**KEYWORDS, **changes.pop("keywords", {})}
    spill = Spillover(channels=("FSC-A", "FITC-A"), matrix=np.array([[1.0, 0.0], [0.1, 1.0]]), source=f"{name}.fcs, $SPILLOVER")
    sample = Sample(name=f"{name}.fcs", channels=(Channel(name="FSC-A", range_max=262144.0), Channel(name="FITC-A", label="CD41 FITC", gain=2.0)),
                    stored=np.zeros((3, 2)), keywords=keywords, spillover=spill, notes=("one note",))  # fmt: skip
    parts: dict[str, Any] = {"name": name, "sample": sample, "panel": Panel(name="surface", channels={"CD41": "FITC-A"}), "donor": "D1",
                             "day_d": 10.0, "agonist": "hetrombopag", "concentration_nM": 3.0, "cell_source": "cord_blood"}  # fmt: skip
    return Tube(**{**parts, **changes})


def _tree() -> GateTree:
    x, y = Dimension(channel="FSC-A"), Dimension(channel="FITC-A", scale=LogicleScale(), compensation="FCS")
    ratio = Dimension(channel=Ratio(numerator="FITC-A", denominator="FSC-A"))
    cuts = (Divider(id="d1", dimension=x, values=(5.0,)), Divider(id="d2", dimension=y, values=(0.4,)))
    quadrants = QuadrantGate(id="quad", dividers=cuts, quadrants=(Quadrant(id="upper", positions=(("d1", 9.0), ("d2", 0.9))),))
    return GateTree(
        gates=(
            rectangle("Cells", Bounds(dimension=x, low=1.0), parent=None),
            polygon("Single", x, y, [[0, 0], [1, 0], [1, 1]], parent="Cells"),
            EllipsoidGate(id="round", dimensions=(x, y), mean=np.zeros(2), covariance=np.eye(2), distance_square=4.0),
            quadrants,
            BooleanGate(id="both", operation="and", operands=(Operand(gate="Single"), Operand(gate="round", complement=True))),
            rectangle("r", Bounds(dimension=ratio, high=2.0)),
        )
    )


def test_the_record_tells_instrument_specimen_and_analysis_and_survives_json() -> None:
    thresholds = pl.DataFrame({"marker": ["CD41"], "threshold": [900.0], "rule": ["fmo"]})
    tubes = [_tube(), _tube("A02", kind=TubeKind.FMO, stain="CD41", concentration_nM=None, agonist="", role="vehicle")]
    record = miflowcyt_record(
        tubes, gates={"donor D1, day 10, panel surface": _tree()}, thresholds=thresholds, software="thrombokit 1"
    )
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["schema"] == "thrombokit.miflowcyt/1"
    assert record["experiment"]["variables"] == {
        "donors": ["D1"], "days_of_culture": [10.0], "agonists": ["hetrombopag"], "concentrations_nM": [3.0], "roles": ["sample", "vehicle"],
    }  # fmt: skip
    assert record["experiment"]["control_tubes"] == {"full": 1, "fmo": 1}
    assert record["specimens"][0]["treatments"] == ["hetrombopag 3 nM", "vehicle"]
    (instrument,) = record["instruments"]
    assert (instrument["cytometer"], instrument["serial_number"], instrument["tubes"]) == ("Cytometer X", "SN 17", ["A01", "A02"])
    fitc = instrument["detectors"][1]
    assert (fitc["voltage_V"], fitc["filter"], fitc["excitation_nm"], fitc["amplification"]) == (
        "420",
        "530/30",
        "488",
        "linear, gain 2",
    )
    assert record["analysis"]["thresholds"] == [{"marker": "CD41", "threshold": 900.0, "rule": "fmo"}]
    assert len(record["analysis"]["compensation"]) == 1, "the same matrix in two files is told once"
    assert record["analysis"]["files"][1]["stain"] == "CD41"


def test_the_operator_is_left_out_unless_asked_for() -> None:
    assert "A. Person" not in json.dumps(miflowcyt_record([_tube()]))
    assert miflowcyt_record([_tube()], include_operator=True)["instruments"][0]["operators"] == ["A. Person"]


def test_blanked_out_and_zero_facts_are_not_stated_rather_than_repeated() -> None:
    (instrument,) = miflowcyt_record([_tube(keywords={"$P2L": "0.000000", "$CYTSN": " "})])["instruments"]
    assert (instrument["computer"], instrument["serial_number"]) == (None, None)
    assert (instrument["detectors"][1]["excitation_nm"], instrument["detectors"][1]["excitation_mW"]) == (None, None)


def test_what_nobody_said_is_listed_with_its_number_in_the_check_list() -> None:
    missing = miflowcyt_record([_tube()])["not_stated"]
    assert {
        "1.1 purpose",
        "1.5 primary contact",
        "2.4 antibody clone",
        "3.1 instrument manufacturer",
        "4.1 analysis software",
    } <= set(missing)
    assert "3.3 optical filter: FSC-A" in missing, "the place is named where it is missing in places only"
    assert "3.3 detector voltage" not in missing
    assert "3.2 instrument model" not in missing


def test_what_the_user_states_is_no_longer_missing() -> None:
    said = Statements(purpose="potency", organisation="a laboratory", manufacturer="M", keywords=("TPO",),
                      reagents=(Reagent(marker="CD41", reporter="FITC", clone="HIP8", manufacturer="R"),))  # fmt: skip
    record = miflowcyt_record([_tube()], statements=said)
    assert record["reagents"] == [{
        "panel": "surface", "marker": "CD41", "channel": "FITC-A", "label_in_file": "CD41 FITC", "reporter": "FITC", "clone": "HIP8",
        "manufacturer": "R", "catalogue_number": None,
    }]  # fmt: skip
    assert not {"1.1 purpose", "1.2 keywords", "1.4 organisation", "2.4 antibody clone"} & set(record["not_stated"])
    assert "2.4 reagent catalogue number" in record["not_stated"]


def test_a_moved_voltage_makes_a_second_instrument_setting() -> None:
    record = miflowcyt_record([_tube(), _tube("A02", keywords={"$P2V": "500"}), _tube("A03", keywords={"$OP": "B. Person"})])
    assert [one["tubes"] for one in record["instruments"]] == [["A01", "A03"], ["A02"]]


def test_every_kind_of_gate_is_told() -> None:
    (group,) = miflowcyt_record([_tube()], gates={"D1": _tree()})["analysis"]["gates"]
    gates = {gate["id"]: gate for gate in group["gates"]}
    assert [gate["kind"] for gate in gates.values()] == ["rectangle", "polygon", "ellipsoid", "quadrants", "Boolean", "rectangle"]
    assert gates["Cells"]["boundary"] == [{"low": 1.0, "high": None}]
    assert gates["Single"]["parent"] == "Cells"
    assert gates["Single"]["dimensions"][1] == {
        "channel": "FITC-A", "scale": {"kind": "logicle", "t": 262144.0, "w": 0.5, "m": 4.5, "a": 0.0}, "compensation": "FCS",
    }  # fmt: skip
    assert gates["both"]["boundary"] == {"operation": "and", "operands": ["Single", "not round"]}
    assert gates["quad"]["boundary"]["cuts"] == {"d1": [5.0], "d2": [0.4]}
    assert gates["r"]["dimensions"][0]["channel"] == "FITC-A / FSC-A"


def test_the_table_reads_from_top_to_bottom_and_counts_matrices() -> None:
    table = miflowcyt_table(miflowcyt_record([_tube()], gates={"D1": _tree()}))
    assert table.columns == ["section", "item", "value"]
    assert table["value"].null_count() == 0
    facts = {(row["section"], row["item"]): row["value"] for row in table.iter_rows(named=True)}
    assert facts["1 Experiment", "purpose"] == NOT_STATED
    assert facts["3 Instrument", "1, cytometer"] == "Cytometer X"
    assert facts["4 Analysis", "compensation 1, matrix"] == "2 x 2 numbers"
    assert facts["Not stated", "1.1 purpose"] == NOT_STATED


@pytest.mark.parametrize("file", ["flowkit_gatingml/data1.fcs", "flowio_odd/data_stop_offset_discrepancy_example.fcs"])
def test_files_of_real_instruments_give_a_record(file: str, reference_data: Path) -> None:
    sample = read_fcs(reference_data / "fcs" / file)
    tube = Tube(name="t", sample=sample, panel=Panel(name="p", channels={"CD41": sample.channel_names[2]}))
    record = miflowcyt_record([tube])
    assert record["instruments"][0]["cytometer"] == sample.keywords["$CYT"].strip()
    assert len(record["instruments"][0]["detectors"]) == len(sample.channels)
    assert miflowcyt_table(record).height > 20
    facts = [
        value for one in record["instruments"][0]["detectors"] for name, value in one.items() if name not in ("channel", "label")
    ]
    assert not any("xxx" in str(value) for value in facts), "a blanked keyword is no fact"
