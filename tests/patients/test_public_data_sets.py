"""Public NONMEM-style data sets run as they are through model files, held against closed forms or an independent integration.

The data are read in place; the parameters are those their authors give, or typical ones from the literature of each drug.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.integrate import solve_ivp

from thrombokit.io.nonmem import read_events
from thrombokit.io.patient_models import parse_model
from thrombokit.patients.simulate_events import simulate_events

ORAL = """
schema = "thrombokit-model/1"
units = {{time = "h", amount = "{amount}", concentration = "{concentration}"}}
compartments = ["depot", "central"]
[record]
CLI = "{clearance}"
VI = "{volume}"
KAI = "{absorption}"
[flow]
"depot->central" = "KAI"
"central->out" = "CLI/VI"
[output]
CP = "central/VI"
"""


@pytest.fixture
def folder(reference_data: Path) -> Path:
    """Where the data sets are."""
    return reference_data / "pkpd"


def oral_sum(time: float, doses: list[tuple[float, float]], ka: float, ke: float) -> float:
    """Central amount after doses (time, amount) into the depot."""
    since = [(time - at, amount) for at, amount in doses if at <= time]
    return sum(amount * ka / (ka - ke) * (np.exp(-ke * t) - np.exp(-ka * t)) for t, amount in since)


def oral_steady(since: float, amount: float, every: float, ka: float, ke: float) -> float:
    """Central amount `since` the last of endless doses into the depot."""
    slow, fast = np.exp(-ke * since) / (1 - np.exp(-ke * every)), np.exp(-ka * since) / (1 - np.exp(-ka * every))
    return amount * ka / (ka - ke) * (slow - fast)


def test_sixty_subjects_single_multiple_and_at_steady_state(folder: Path, print_figure: Callable[[str], None]) -> None:
    text = ORAL.format(amount="ug", concentration="ug/L", clearance="CL", volume="V", absorption="KA")
    table = read_events(folder / "nlmixr2data" / "Oral_1CPT_first60.csv")
    found = simulate_events(parse_model(text, file="oral.toml"), table)
    frame = pl.read_csv(folder / "nlmixr2data" / "Oral_1CPT_first60.csv")
    expected: list[float] = []
    for rows in frame.partition_by("ID", maintain_order=True):
        doses: list[tuple[float, float]] = []
        steady: tuple[float, float, float] | None = None
        for row in rows.iter_rows(named=True):
            ka, ke, time = row["KA"], row["CL"] / row["V"], row["TIME"]
            if row["EVID"] == 1 and row["SS"] == 1:
                steady, doses = (time, row["AMT"], row["II"]), []
            elif row["EVID"] == 1:
                doses.append((time, row["AMT"]))
            amount = oral_sum(time, doses, ka, ke)
            if steady is not None:
                amount += oral_steady(time - steady[0], steady[1], steady[2], ka, ke)
            expected.append(amount / row["V"])
    np.testing.assert_allclose(found.outputs[:, 0], expected, rtol=1e-9, atol=1e-9)
    observed = frame.filter((pl.col("EVID") == 0) & (pl.col("DV") > 0))
    ours = found.table().with_columns(DV=frame["DV"], EVID=frame["EVID"]).filter((pl.col("EVID") == 0) & (pl.col("DV") > 0))
    ratio = np.log(observed["DV"].to_numpy() / ours["CP"].to_numpy())
    print_figure(f"60 subjects with known parameters: SD of log(observed / predicted) {ratio.std():.3f}, mean {ratio.mean():+.4f}")
    assert abs(ratio.mean()) < 0.02
    assert ratio.std() < 0.3


@pytest.mark.parametrize("file", ["theo_sd.csv", "theo_md.csv"])
def test_theophylline_with_the_old_codes(folder: Path, file: str) -> None:
    ka, cl, v = np.exp(0.4639), np.exp(1.0122), np.exp(3.4597)
    text = ORAL.format(amount="mg", concentration="mg/L", clearance="exp(1.0122)", volume="exp(3.4597)", absorption="exp(0.4639)")
    found = simulate_events(parse_model(text, file="theo.toml"), read_events(folder / "nlmixr2data" / file))
    assert any("EVID 101" in note for note in found.notes)
    frame = pl.read_csv(folder / "nlmixr2data" / file)
    expected: list[float] = []
    for rows in frame.partition_by("ID", maintain_order=True):
        doses = [(row["TIME"], row["AMT"]) for row in rows.iter_rows(named=True) if row["EVID"] == 101]
        expected += [oral_sum(time, doses, ka, cl / v) / v for time in rows["TIME"]]
    np.testing.assert_allclose(found.outputs[:, 0], expected, rtol=1e-10, atol=1e-12)
    observed = found.observed & (frame["TIME"] > 1).to_numpy()
    ratio = np.log(np.maximum(frame["DV"].to_numpy()[observed], 0.1) / found.outputs[observed, 0])
    assert abs(np.median(ratio)) < 0.15, "typical values of the reference fit run through the middle of the data"


def test_phenobarbital_of_neonates(folder: Path) -> None:
    text = """
    schema = "thrombokit-model/1"
    units = {time = "h", amount = "mg", concentration = "mg/L"}
    compartments = ["central"]
    [record]
    CL = "0.0047*WT"
    V = "0.99*WT*if(APGR < 5, 1.14, 1)"
    [flow]
    "central->out" = "CL/V"
    [output]
    CP = "central/V"
    """
    found = simulate_events(parse_model(text, file="pheno.toml"), read_events(folder / "nlmixr2data" / "pheno_sd.csv"))
    frame = pl.read_csv(folder / "nlmixr2data" / "pheno_sd.csv")
    expected: list[float] = []
    for rows in frame.partition_by("ID", maintain_order=True):
        volume = 0.99 * rows["WT"][0] * (1.14 if rows["APGR"][0] < 5 else 1.0)
        decay = 0.0047 * rows["WT"][0] / volume
        doses = [(row["TIME"], row["AMT"]) for row in rows.iter_rows(named=True) if row["EVID"] == 1]
        expected += [sum(dose * np.exp(-decay * (time - at)) for at, dose in doses if at <= time) / volume for time in rows["TIME"]]
    np.testing.assert_allclose(found.outputs[:, 0], expected, rtol=1e-10)
    observed = found.observed
    ratio = np.log(frame["DV"].to_numpy()[observed] / found.outputs[observed, 0])
    assert abs(np.median(ratio)) < 0.2


@pytest.mark.parametrize("file", ["nlmixr2data/warfarin.csv", "ferx-core/warfarin.csv"])
def test_warfarin(folder: Path, file: str) -> None:
    text = ORAL.format(amount="mg", concentration="mg/L", clearance="0.13270", volume="7.7377", absorption="0.81080")
    found = simulate_events(parse_model(text, file="warfarin.toml"), read_events(folder / file))
    frame = pl.read_csv(folder / file, null_values=".").rename(str.upper)
    expected: list[float] = []
    for rows in frame.partition_by("ID", maintain_order=True):
        doses = [(row["TIME"], row["AMT"]) for row in rows.iter_rows(named=True) if row["EVID"] == 1]
        expected += [oral_sum(time, doses, 0.81080, 0.13270 / 7.7377) / 7.7377 for time in rows["TIME"]]
    np.testing.assert_allclose(found.outputs[:, 0], expected, rtol=1e-10, atol=1e-12)
    if file.startswith("ferx"):  # the estimates are those of this data set
        observed = found.observed
        ratio = np.log(frame["DV"].to_numpy()[observed] / found.outputs[observed, 0])
        assert abs(np.median(ratio)) < 0.1


WHITE_CELLS = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/dL"}
compartments = ["central", "deep", "made", "t1", "t2", "t3", "circulating"]
[theta]
CIRC0 = 7.21
MTT = 124
SLOPE = 28.9
GAMMA = 0.239
Q = 204
[record]
KTR = "4/MTT"
[flow]
"central->out" = "CLI/V1I"
"central->deep" = "Q/V1I"
"deep->central" = "Q/V2I"
[ode]
made = "KTR*made*((1 - SLOPE*central/V1I)*(CIRC0/circulating)^GAMMA - 1)"
t1 = "KTR*(made - t1)"
t2 = "KTR*(t1 - t2)"
t3 = "KTR*(t2 - t3)"
circulating = "KTR*(t3 - circulating)"
[initial]
made = "CIRC0"
t1 = "CIRC0"
t2 = "CIRC0"
t3 = "CIRC0"
circulating = "CIRC0"
[output]
WBC = "circulating"
"""


def test_white_cells_under_infusions_with_the_old_codes(folder: Path) -> None:
    table = read_events(folder / "nlmixr2data" / "wbcSim.csv")
    found = simulate_events(parse_model(WHITE_CELLS, file="wbc.toml"), table)
    assert any("EVID 10101" in note for note in found.notes)
    frame = pl.read_csv(folder / "nlmixr2data" / "wbcSim.csv")
    assert (found.outputs > 0.0).all()
    for number in (1, 3, 17):
        rows = frame.filter(pl.col("ID") == number)
        expected = _white_cells(rows)
        ours = found.outputs[(table.id == number), 0]
        np.testing.assert_allclose(ours, expected, rtol=1e-7)
        assert ours.min() < 0.9 * 7.21


def _white_cells(rows: pl.DataFrame) -> np.ndarray:
    """The same model by scipy, the infusions switched where the records say."""
    v1, v2, cl = (float(rows[name][0]) for name in ("V1I", "V2I", "CLI"))
    rate, time, x, found = 0.0, 0.0, np.array([0.0, 0.0, *[7.21] * 5]), []

    def slope(_: float, y: np.ndarray, rate: float) -> list[float]:
        k, c = 4 / 124, y[0] / v1
        made = k * y[2] * ((1 - 28.9 * c) * (7.21 / y[6]) ** 0.239 - 1)
        central = rate - (cl + 204) / v1 * y[0] + 204 / v2 * y[1]
        return [
            central,
            204 / v1 * y[0] - 204 / v2 * y[1],
            made,
            k * (y[2] - y[3]),
            k * (y[3] - y[4]),
            k * (y[4] - y[5]),
            k * (y[5] - y[6]),
        ]

    for row in rows.iter_rows(named=True):
        if row["TIME"] > time:
            x = solve_ivp(slope, (time, row["TIME"]), x, method="DOP853", rtol=1e-11, atol=1e-13, args=(rate,)).y[:, -1]
            time = row["TIME"]
        rate += row["AMT"] if row["EVID"] == 10101 else 0.0
        found.append(float(x[6]))
    return np.array(found)
