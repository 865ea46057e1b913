"""What an export refuses, by name; and what an exported file says of itself."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import thrombokit as tk
from thrombokit.errors import InputError, SpecError
from thrombokit.io.export_mrgsolve import mrgsolve_code
from thrombokit.io.export_nonmem import nonmem_code
from thrombokit.io.patient_exports import export_records
from thrombokit.io.patient_models import parse_model
from thrombokit.patients.event_records import event_table

MODEL = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "central"]
[theta]
KA = {value = 1.5, unit = "1/h", tier = "assumed", source = "a guess"}
[flow]
"depot->central" = "KA"
"central->out" = "0.1"
[dose.depot]
F = "if(FED > 0, 0.5, 1)"
[output]
CP = "central/20"
"""


def test_transit_with_a_computed_number_and_effects_by_occasion() -> None:
    transit = (
        MODEL.replace('"depot->central" = "KA"\n', "")
        + '[[piece]]\nkind = "transit"\nfrom = "depot"\nto = "central"\nn = "KA*2"\nrate = "KA"\n'
    )
    occasion = '[random]\nomega = [{names = ["E"], matrix = [[0.1]], occasion = "OCC"}]\n[record]\nX = "exp(E)"\n'
    model = parse_model(transit + occasion, file="m.toml")
    for write in (mrgsolve_code, nonmem_code):
        with pytest.raises(SpecError) as told:
            write(model)
        message = str(told.value)
        assert "a transit piece whose n is computed" in message
        assert "Write n as a whole number" in message
        assert "E by OCC" in message


def test_what_nonmem_alone_cannot_hold() -> None:
    locf = parse_model(MODEL.replace("[theta]", 'covariates = "locf"\n[theta]', 1), file="m.toml")
    with pytest.raises(SpecError, match='found "locf"'):
        nonmem_code(locf)
    assert "locf" in mrgsolve_code(locf)
    with pytest.raises(SpecError, match='no "CPX"; expected one of CP'):
        nonmem_code(parse_model(MODEL, file="m.toml"), observed="CPX")


def test_additional_doses_while_a_covariate_changes() -> None:
    events = {
        "ID": [1.0] * 3,
        "TIME": [0.0, 30.0, 60.0],
        "AMT": [10.0, 0, 0],
        "II": [12.0, 0, 0],
        "ADDL": [3.0, 0, 0],
        "FED": [0.0, 1.0, 1.0],
    }
    model = parse_model(MODEL, file="m.toml")
    with pytest.raises(InputError, match=r"additional doses \(ADDL\) while FED changes"):
        export_records(model, event_table(pl.DataFrame(events)))
    rows = export_records(model, event_table(pl.DataFrame({**events, "FED": [1.0] * 3})))
    assert rows["TIME"].to_list() == [0.0, 12.0, 24.0, 30.0, 36.0, 60.0]
    assert rows["EVID"].to_list() == [1, 1, 1, 0, 1, 0]
    assert rows["FED"].to_list() == [1.0] * 6


def test_additional_doses_end_at_a_reset_and_ids_that_come_back_are_renumbered() -> None:
    frame = pl.DataFrame({
        "ID": [1.0, 1, 1, 2, 1], "TIME": [0.0, 20, 40, 0, 0], "EVID": [1, 3, 0, 0, 1], "AMT": [10.0, 0, 0, 0, 5], "II": [12.0, 0, 0, 0, 0],
        "ADDL": [9, 0, 0, 0, 0], "FED": [0.0] * 5,
    })  # fmt: skip
    rows = export_records(parse_model(MODEL, file="m.toml"), event_table(frame))
    assert rows["ID"].to_list() == [1, 1, 1, 1, 2, 3]
    assert rows["TIME"].to_list() == [0.0, 12.0, 20.0, 40.0, 0.0, 0.0]


def test_the_file_says_what_it_rests_on(tmp_path: Path) -> None:
    model = parse_model(MODEL, file="m.toml")
    for name in ("m.cpp", "m.ctl"):
        tk.export_patient_model(model, tmp_path / name)
        text = (tmp_path / name).read_text(encoding="utf-8")
        for part in ("NOT YET CONFIRMED", "tier assumed", "a guess", "time h, amount mg", "FED", "titration rule is not"):
            assert part in text, part
    assert not (tmp_path / "m.csv").exists()
    with pytest.raises(InputError, match=r'found the ending "\.R"; expected an ending \.cpp'):
        tk.export_patient_model(model, tmp_path / "m.R")
