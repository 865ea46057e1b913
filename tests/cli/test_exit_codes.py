"""One exit code for each kind of end: 0 ok, 1 quality under --strict, 2 usage, 3 input, 4 computation, 5 missing extra, 130 stopped.

1, 2 and 3 stand with their commands in tests/contracts; here are the ends that take a fault of ours, or a signal.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from thrombokit.cli.output import exit_codes
from thrombokit.errors import Fault, FileFormatError, MissingExtraError, SimulationError
from thrombokit.numerics import logistic_fit

Command = Callable[..., Any]
TIDY = "curve,concentration_nM,response\n" + "".join(f"a,{dose},{10 + dose}\n" for dose in (0, 1, 3, 10, 30, 100, 300))


@pytest.fixture
def tidy(tmp_path: Path) -> Path:
    path = tmp_path / "tidy.csv"
    path.write_text(TIDY)
    return path


def break_the_kernel(*_: object) -> None:
    raise ZeroDivisionError("a kernel that divides by nothing")


def test_a_fault_of_ours_ends_with_4_and_asks_for_a_report(command: Command, tidy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic_fit, "fit_many", break_the_kernel)
    monkeypatch.delenv("THROMBOKIT_TRACEBACK", raising=False)
    done = command("plate", "fit", tidy, "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout) == {
        "schema": "thrombokit.error/1",
        "exit_code": 4,
        "message": "ZeroDivisionError: a kernel that divides by nothing",
        "faults": [],
    }
    assert "fault of ours" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_kernel_stops_a_study_with_4_and_no_report(
    command: Command, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logistic_fit, "intervals_many", break_the_kernel)
    monkeypatch.delenv("THROMBOKIT_TRACEBACK", raising=False)
    done = command("run", study, "--out", tmp_path / "out", "--quiet")
    assert done.exit_code == 4
    assert "divides by nothing" in done.stderr
    assert not (tmp_path / "out" / "report.html").exists()


def test_a_traceback_is_there_for_those_who_ask(command: Command, tidy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic_fit, "fit_many", break_the_kernel)
    monkeypatch.setenv("THROMBOKIT_TRACEBACK", "1")
    assert command("plate", "fit", tidy).exit_code == 1  # the exception itself, as Python ends with it


ENDS = {
    "input": (FileFormatError(Fault(place="a.csv", found="x", expected="y", cure="z.")), 3),
    "computation": (SimulationError("the solver stood still"), 4),
    "extra": (MissingExtraError("pip install 'thrombokit[web]'"), 5),
    "stopped": (KeyboardInterrupt(), 130),
    "bug": (RuntimeError("ours"), 4),
}


@pytest.mark.parametrize(("error", "code"), ENDS.values(), ids=ENDS)
def test_each_error_has_its_code_and_a_sentence(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, exit_codes():
        raise error
    assert ended.value.exit_code == code
    said = capsys.readouterr()
    assert said.out == ""
    assert (str(error) or "Stopped.").split(":")[0] in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT to another process exists on POSIX alone")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stopped_process_ends_with_130_and_one_word(tmp_path: Path, simulate_curves: Callable[..., Any], workers: str) -> None:
    simulate_curves(5_000, seed=1, n_doses=8, replicates=2).table.write_parquet(tmp_path / "tidy.parquet")
    cold = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")}  # compiling takes seconds: there is time to stop it
    line = [sys.executable, "-m", "thrombokit", "plate", "fit", str(tmp_path / "tidy.parquet"), "--workers", workers]
    with subprocess.Popen(
        [*line, "--out", str(tmp_path / "fits.csv")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=cold,
        process_group=0,
    ) as process:
        assert process.stderr is not None
        assert "compiling" in process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes of the command
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (130, "", "Stopped.\n")
    assert not (tmp_path / "fits.csv").exists()
