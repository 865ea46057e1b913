"""One exit code for each kind of end: 0 ok, 1 quality under --strict, 2 usage, 3 input, 4 computation, 5 missing extra, 130 stopped.

1, 2 and 3 stand with their commands in tests/contracts; here are the ends that take a fault of ours, or a signal.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
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


def interrupted(
    line: list[str], folder: Path, environment: dict[str, str], *, when_said: str = "", after_s: float = 0.0
) -> tuple[int, str]:
    """Exit code and stderr of a command that Ctrl-C reached, as a terminal sends it: to all its processes."""
    with (folder / "stderr").open("w+") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "thrombokit", *line], stdout=subprocess.DEVNULL, stderr=stderr, env=environment, process_group=0
        )
        deadline = time.monotonic() + 30
        while when_said not in (folder / "stderr").read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGINT)
        try:
            code = process.wait(timeout=20)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return code, (folder / "stderr").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT to another process exists on POSIX alone")
def test_a_process_stopped_while_it_compiles_ends_with_130(tmp_path: Path, tidy: Path) -> None:
    cold = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    line = ["plate", "fit", str(tidy), "--out", str(tmp_path / "fits.csv")]
    code, stderr = interrupted(line, tmp_path, cold, when_said="compiling")
    assert code == 130
    assert stderr.splitlines()[1:] == ["Stopped."]
    assert not (tmp_path / "fits.csv").exists()


def test_a_stop_inside_generated_code_ends_with_130_too(tmp_path: Path) -> None:
    """An interrupt inside an exec of text, as in numba: Python alone would end with SIGINT although it was caught."""
    program = (
        "from thrombokit.cli import main, output\n"
        "def app():\n"
        "    with output.exit_codes():\n"
        "        exec('raise KeyboardInterrupt')\n"
        "main.app = main.typer.Typer()\n"
        "main.app.command()(app)\n"
        "main.main()\n"
    )
    (tmp_path / "stopped.py").write_text(program)
    done = subprocess.run([sys.executable, "-m", "stopped"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (130, "Stopped.\n")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT to another process exists on POSIX alone")
@pytest.mark.parametrize(
    "after_s", [pytest.param(after, marks=[] if after == 2.5 else pytest.mark.long) for after in (1.5, 2.0, 2.5, 4.0)]
)
def test_two_workers_are_stopped_at_once_and_say_nothing(
    tmp_path: Path, simulate_curves: Callable[..., Any], after_s: float
) -> None:
    simulate_curves(8_000, seed=1, n_doses=8, replicates=2).table.write_parquet(tmp_path / "tidy.parquet")
    line = [
        "plate",
        "fit",
        str(tmp_path / "tidy.parquet"),
        "--workers",
        "2",
        "--interval",
        "bootstrap",
        "--out",
        str(tmp_path / "fits.csv"),
    ]
    start = time.monotonic()
    code, stderr = interrupted(line, tmp_path, dict(os.environ), after_s=after_s)  # while they start, or while they work
    assert code == 130
    assert [text for text in stderr.splitlines() if "compiling" not in text] == ["Stopped."]
    assert time.monotonic() - start < after_s + 10
    assert not (tmp_path / "fits.csv").exists()
