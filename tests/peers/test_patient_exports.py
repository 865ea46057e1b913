"""Exported models read back: NONMEM's blocks by a small interpreter, mrgsolve's through the C++ compiler, integrated by scipy.

Neither program is here; that they accept the files is not tested, and the files say so. What the equations mean is.
"""

from __future__ import annotations

import ctypes
import math
import re
import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.integrate import solve_ivp

import thrombokit as tk
from thrombokit.agonists.library import shipped_models
from thrombokit.io.export_mrgsolve import mrgsolve_code
from thrombokit.io.export_nonmem import nonmem_code
from thrombokit.io.patient_exports import export_records
from thrombokit.io.patient_models import load_model, parse_model
from thrombokit.patients.event_records import event_table
from thrombokit.patients.model import PatientModel

EVERYTHING = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "central", "effect"]
default_dose = "depot"
default_observation = "central"
[theta]
CL = 1.3
S1 = {value = 20, unit = "L", tier = "assumed", source = "made up"}
gamma = 1.7
SWITCH = 2.5
[record]
KE = "CL*exp(ETA_CL)/S1*if(AGE > 50, 0.8, if(AGE <= 20, 1.2, 1))"
AGE = "AGE + 0"
LAGGED = "0.4 + 0.1*(AGE > 30)"
CLASSED = "if(KIND == 2, 0.5, 1)"
DRIFT = "0.01*TIME"
[algebra]
CP = "max(central/S1, 1e-9)"
WAVE = "1 + 0.2*exp(-T/10) - -0.1*min(TAD, 5, 3)/5"
F1 = "CP^gamma/(2^gamma + CP^gamma)*CLASSED"
STEP = "(CP > 1)*0.1 + if(CP - 0.5, 0.05, 0)"
[flow]
"central->out" = "KE*WAVE"
[[piece]]
kind = "dual_absorption"
from = "depot"
to = "central"
first_rate = "0.3"
second_rate = "1.2 + DRIFT*0"
switch = "SWITCH"
[ode]
effect = "1 + F1 + STEP - 0.05*effect^(1/2)*2^-1^2"
[dose.depot]
lag = "LAGGED"
F = "0.9"
[dose.central]
rate = "12"
duration = "2"
[initial]
effect = "10*CLASSED"
[random]
omega = [{names = ["ETA_CL"], matrix = [[0.09]]}]
mixture = [{name = "KIND", shares = [0.6, 0.4], labels = ["one", "two"]}]
[residual]
CP = {additive_sd = 0.1, proportional_sd = 0.1}
[output]
CP = "CP"
EFFECT = "effect"
Y = "F1 + TAD*1e-3"
"""
"""Names that are taken in the other programs, and every construct of the grammar."""

Blocks = dict[str, list[str]]
_FORTRAN = {".LT.": "<", ".LE.": "<=", ".GT.": ">", ".GE.": ">=", ".EQ.": "==", ".NE.": "!=", ".AND.": " and ", ".OR.": " or "}


def blocks_of(text: str) -> Blocks:
    """Lines of each $BLOCK, those of one name together, without comments."""
    blocks: Blocks = {}
    lines: list[str] = []
    for line in re.sub(r" &\n\s*", "", text).splitlines():
        if line.startswith("$"):
            name, _, rest = line[1:].partition(" ")
            lines = blocks.setdefault(name, [])
            line = rest
        lines.append(line.split(";" if "$DES" in text else "//")[0])
    return {name: [line for line in lines if line.strip()] for name, lines in blocks.items()}


def python_of(lines: list[str]) -> Any:
    """Abbreviated code as compiled Python."""
    depth, out = 0, list[str]()
    for raw in lines:
        line = raw.strip()
        for word, sign in _FORTRAN.items():
            line = line.replace(word, sign)
        line = re.sub(r"\b(A|DADT|THETA|ETA|EPS|A_0)\(([0-9]+)\)", r"\1[\2]", line)
        condition = re.fullmatch(r"IF \((.*)\) THEN", line)
        single = re.fullmatch(r"IF \((.*?)\) (\w+ = .*)", line)
        if line in ("ELSE", "ENDIF"):
            depth -= 1
        if condition or line == "ELSE":
            out.append("  " * depth + (f"if {condition[1]}:" if condition else "else:"))
            depth += 1
        elif single:
            out.append("  " * depth + f"if {single[1]}: {single[2]}")
        elif line != "ENDIF":
            out.append("  " * depth + line)
    return compile("\n".join(out), "exported", "exec")


class Nonmem:
    """The blocks of a control stream, run one record at a time."""

    def __init__(self, text: str, n: int) -> None:
        blocks = blocks_of(text)
        self.n = n
        self.code = {name: python_of(blocks[name]) for name in ("PK", "DES", "ERROR")}
        thetas = [float(line.split()[0]) for line in blocks["THETA"]]
        self.names = {"EXP": math.exp, "LOG": math.log, "SQRT": math.sqrt, "__builtins__": {}}
        self.values: dict[str, Any] = {"THETA": [0.0, *thetas], "ETA": [0.0] * 30, "EPS": [0.0] * 3, "A_0": [0.0] * (n + 1), "MIXNUM": 1,
                                       "DADT": [0.0] * (n + 1)}  # fmt: skip
        self.columns = blocks["INPUT"][0].split()

    def record(self, row: dict[str, float], *, new: bool) -> None:
        self.values |= {**row, "NEWIND": 1 if new else 2, "A_0FLG": int(new)}
        exec(self.code["PK"], self.names, self.values)

    def start(self) -> np.ndarray:
        return np.array(self.values["A_0"][1:])

    def setting(self, kind: str, k: int) -> float | None:
        return self.values.get(f"{kind}{k + 1}")

    def switch(self) -> list[float]:
        v = self.values
        return [v[name] + v[end] for name in ("TABS", "TABSP") for end in ("SWITCHAT", "LAGOFSWITCH")] if "SWITCHAT" in v else []

    def derivative(self, t: float, x: np.ndarray) -> list[float]:
        self.values |= {"T": t, "A": [0.0, *x]}
        exec(self.code["DES"], self.names, self.values)
        return self.values["DADT"][1:]

    def outputs(self, names: list[str], x: np.ndarray) -> list[float]:
        self.values["A"] = [0.0, *x]
        exec(self.code["ERROR"], self.names, self.values)
        return [self.values[name] for name in names]


class Mrgsolve:
    """The blocks of a model file, compiled."""

    def __init__(self, text: str, folder: Path) -> None:
        blocks = blocks_of(text)
        self.names = " ".join(blocks["CMT"]).split()
        self.n = len(self.names)
        body = [line for name in ("MAIN", "ODE", "TABLE") for line in blocks[name]]
        declared = {match[1] for line in body if (match := re.match(r"(?:double|capture) (\w+) = ", line))}
        set_in_main = {match[1] for line in blocks["MAIN"] if (match := re.match(r"(\w+) = ", line))}
        params = [line.split("=") for line in blocks["PARAM"]]
        etas = {word for line in text.splitlines() if line.startswith("$OMEGA") for word in line.split()[3:]}
        errors = {word for line in text.splitlines() if line.startswith("$SIGMA") for word in line.split()[2:]}
        plain = {name: [re.sub(r"^(double|capture) ", "", line) for line in blocks[name]] for name in ("MAIN", "ODE", "TABLE")}
        amounts = "".join(f"double {name} = x[{k}]; " for k, name in enumerate(self.names))
        rates = "".join(f"double dxdt_{name} = 0; " for name in self.names)
        filled = "".join(f"dx[{k}] = dxdt_{name}; " for k, name in enumerate(self.names))
        source = "\n".join([
            '#include <math.h>\nextern "C" {', "struct { int cmt; } self; double TIME, EVID, NEWIND, SOLVERTIME;",
            *blocks["GLOBAL"], *(f"double {name.strip()} = {value};" for name, value in params),
            *(f"double {name} = 0;" for name in sorted(declared | set_in_main | etas | errors)),
            "int* cmt_() { return &self.cmt; }", "void main_() {", *plain["MAIN"], "}",
            f"void ode(double t, const double* x, double* dx) {{ SOLVERTIME = t; {amounts}{rates}", *plain["ODE"], filled + "}",
            f"void table(const double* x) {{ {amounts}", *plain["TABLE"], "}", "}",
        ])  # fmt: skip
        (folder / "model.cpp").write_text(source, encoding="utf-8")
        subprocess.run(
            ["g++", "-O1", "-shared", "-fPIC", "-o", folder / "model.so", folder / "model.cpp"], check=True, capture_output=True
        )
        self.library = ctypes.CDLL(str(folder / "model.so"))
        self.set_in_main = set_in_main
        self.has_switch = "SWITCHAT" in declared
        self.library.cmt_.restype = ctypes.POINTER(ctypes.c_int)
        pointer = ctypes.POINTER(ctypes.c_double)
        self.library.ode.argtypes, self.library.table.argtypes = (ctypes.c_double, pointer, pointer), (pointer,)

    def place(self, name: str) -> ctypes.c_double:
        return ctypes.c_double.in_dll(self.library, name)

    def record(self, row: dict[str, float], *, new: bool) -> None:
        for name, value in ({name: value for name, value in row.items() if name not in _OF_EVENTS} | {
            "TIME": row["TIME"], "EVID": row["EVID"], "NEWIND": 1 if new else 2}).items():  # fmt: skip
            self.place(name).value = value
        self.library.cmt_()[0] = int(row["CMT"])
        self.library.main_()

    def start(self) -> np.ndarray:
        return np.array([self.place(f"{name}_0").value if f"{name}_0" in self.set_in_main else 0.0 for name in self.names])

    def setting(self, kind: str, k: int) -> float | None:
        name = f"{kind}_{self.names[k]}"
        return self.place(name).value if name in self.set_in_main else None

    def switch(self) -> list[float]:
        if not self.has_switch:
            return []
        return [self.place(name).value + self.place(end).value for name in ("TABS", "TABSP") for end in ("SWITCHAT", "LAGOFSWITCH")]

    def derivative(self, t: float, x: np.ndarray) -> np.ndarray:
        dx = np.zeros(self.n)
        pointer = ctypes.POINTER(ctypes.c_double)
        x = np.ascontiguousarray(x)
        self.library.ode(t, x.ctypes.data_as(pointer), dx.ctypes.data_as(pointer))
        return dx

    def outputs(self, names: list[str], x: np.ndarray) -> list[float]:
        x = np.ascontiguousarray(x)
        self.library.table(x.ctypes.data_as(ctypes.POINTER(ctypes.c_double)))
        return [self.place(name).value for name in names]


_OF_EVENTS = ("ID", "TIME", "AMT", "RATE", "II", "SS", "EVID", "CMT", "DV", "MDV")


def travelled(program: Nonmem | Mrgsolve, span: tuple[float, float], x: np.ndarray, inflow: np.ndarray) -> np.ndarray:
    """The state at the end of a stretch; its ends belong to it, not to what comes before or after."""
    first, last = (end + side * 1e-12 * max(abs(end), 1.0) for end, side in zip(span, (1, -1), strict=True))

    def derivative(t: float, y: np.ndarray) -> np.ndarray:
        return np.asarray(program.derivative(min(max(t, first), last), y)) + inflow

    return solve_ivp(derivative, span, x, method="LSODA", rtol=1e-9, atol=1e-11).y[:, -1]


def run(program: Nonmem | Mrgsolve, rows: pl.DataFrame, outputs: list[str]) -> np.ndarray:
    """One individual: bolus doses and infusions, lags, covariates of the record that ends a stretch."""
    arrivals: list[tuple[float, int, float]] = []  # (time, compartment, change of amount, or of rate for compartments from 1000)
    found = np.full((rows.height, len(outputs)), np.nan)
    x, inflow, now = np.zeros(0), np.zeros(0), 0.0
    for k, row in enumerate(rows.drop("DV").iter_rows(named=True)):
        program.record(row, new=k == 0)
        if k == 0:
            x, now = program.start(), row["TIME"]
            inflow = np.zeros(x.size)
        while True:
            due = min((a for a in arrivals if a[0] <= row["TIME"]), default=None)
            end = row["TIME"] if due is None else due[0]
            breaks = sorted({now, end, *(t for t in program.switch() if now < t < end)})
            for a, b in pairwise(breaks):
                x = travelled(program, (a, b), x, inflow)
            now = end
            if due is None:
                break
            arrivals.remove(due)
            if due[1] >= 1000:
                inflow[due[1] - 1000] += due[2]
            else:
                x = x.copy()
                x[due[1]] += due[2]
        if row["EVID"] in (1, 4):
            c = int(row["CMT"]) - 1
            share, lag = program.setting("F", c), program.setting("ALAG", c) or 0.0
            amount, at = row["AMT"] * (1.0 if share is None else share), row["TIME"] + lag
            rate = {-1: program.setting("R", c), -2: None}.get(int(row["RATE"]), row["RATE"])
            if row["RATE"] == 0:
                arrivals.append((at, c, amount))
            else:
                duration = program.setting("D", c) if row["RATE"] == -2 else amount / rate
                arrivals += [(at, 1000 + c, amount / duration), (at + duration, 1000 + c, -amount / duration)]
            for arrived in [a for a in arrivals if a[0] <= row["TIME"]]:
                arrivals.remove(arrived)
                x = x.copy()
                if arrived[1] >= 1000:
                    inflow[arrived[1] - 1000] += arrived[2]
                else:
                    x[arrived[1]] += arrived[2]
        found[k] = program.outputs(outputs, x)
    return found


COVARIATES = {"WT": 62.0, "FEMALE": 1.0, "EASTASIAN": 1.0, "SCASIAN": 0.0, "CP": 7.0, "FED": 0.0, "TC": 1.0, "MEAL": 2.0}


def plan(model: PatientModel, **more: list[float]) -> pl.DataFrame:
    """Three doses a day, then counts, with the covariates of an awkward patient."""
    amount = 50.0 if "elt" in model.file or "lusu" in model.file else 5.0
    columns = {
        "ID": [1.0] * 9, "TIME": [0.0, 1.0, 5.0, 24.0, 26.0, 30.0, 48.0, 100.0, 240.0], "EVID": [1, 0, 0, 1, 0, 0, 1, 0, 0],
        "AMT": [amount, 0, 0, amount, 0, 0, amount, 0, 0], **{name: [COVARIATES.get(name, 0.0)] * 9 for name in model.needed_columns}, **more,
    }  # fmt: skip
    return pl.DataFrame(columns, strict=False)


def disagreement(model: PatientModel, events: pl.DataFrame, folder: Path, programs: tuple[str, ...]) -> float:
    """Largest difference from ours, as a share of the largest value of its output."""
    ours = tk.simulate_events(model, events).outputs[(events["EVID"] == 0).to_numpy()]
    rows = export_records(model, event_table(events))
    seen = (rows["EVID"] == 0).to_numpy()
    scale = np.abs(ours).max(axis=0)
    worst = 0.0
    for program in programs:
        if program == "nonmem":
            text = nonmem_code(model)
            names = blocks_of(text)["TABLE"][0].split()[3 : 3 + ours.shape[1]]
            read: Nonmem | Mrgsolve = Nonmem(text, len(blocks_of(text)["MODEL"]))
            titles = dict(zip(rows.columns, read.columns, strict=True))
            theirs = run(read, rows.rename(titles), names)
        else:
            text = mrgsolve_code(model)
            read = Mrgsolve(text, folder)
            captured = re.findall(r"^capture (\w+) = ", text, re.MULTILINE)[: ours.shape[1]]
            params = {
                line.split(" // data column ")[1].upper(): line.split(" = ")[0]
                for line in text.splitlines()
                if " // data column " in line
            }
            theirs = run(read, rows.rename(params), captured)
        worst = max(worst, float((np.abs(theirs[seen] - ours) / scale).max()))
    return worst


needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")


QUICK = ("eltrombopag-healthy", "hetrombopag-itp", "hetrombopag-itp-tmdd", "romiplostim-healthy")


@needs_compiler
@pytest.mark.parametrize("name", QUICK)
def test_shipped_models_mean_the_same_in_both_languages(name: str, tmp_path: Path) -> None:
    model = load_model(name)
    assert disagreement(model, plan(model), tmp_path, ("nonmem", "mrgsolve")) < 1e-6


@needs_compiler
@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in shipped_models() if name not in QUICK])
def test_every_other_shipped_model_too(name: str, tmp_path: Path, print_figure: Callable[[str], None]) -> None:
    model = load_model(name)
    worst = disagreement(model, plan(model), tmp_path, ("nonmem", "mrgsolve"))
    print_figure(f"export of {name}: read back, {worst:.1e} from ours")
    assert worst < 1e-6


@needs_compiler
def test_every_construct_of_the_grammar_and_names_that_are_taken(tmp_path: Path) -> None:
    model = parse_model(EVERYTHING, file="everything.toml")
    events = plan(model, AGE=[40.0] * 9, CMT=[1, 1, 1, 1, 1, 1, 2, 1, 1], RATE=[0, 0, 0, 0, 0, 0, -1, 0, 0])
    assert disagreement(model, events, tmp_path, ("nonmem", "mrgsolve")) < 1e-6


@needs_compiler
def test_additional_doses_and_changing_covariates_are_written_out(tmp_path: Path) -> None:
    text = (
        EVERYTHING.replace('lag = "LAGGED"\nF = "0.9"', "")
        .replace("[dose.depot]", "")
        .replace('[dose.central]\nrate = "12"\nduration = "2"', "")
    )
    model = parse_model(text, file="everything.toml")
    events = plan(
        model, AGE=[15.0, 15, 40, 40, 40, 60, 60, 60, 60], II=[6.0, 0, 0, 0, 0, 0, 10, 0, 0], ADDL=[2, 0, 0, 0, 0, 0, 3, 0, 0]
    )
    assert export_records(model, event_table(events)).height == 14
    assert disagreement(model, events, tmp_path, ("nonmem", "mrgsolve")) < 1e-6
