"""With nothing writable but the output folder (home, cache, temporary and package folders closed) the commands still work.

The whole file system is made read-only in a private mount namespace of the child process, which needs Linux and the right to make one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Process = Callable[..., Any]
TIDY = "curve,concentration_nM,response\n" + "".join(
    f"a,{dose},{100 * dose / (dose + 20) + dose % 7}\n" for dose in (0, 1, 3, 10, 30, 100, 300)
)
SHUT = 'mount --bind "$1" "$1" && mount -o remount,ro,bind / && cd / && shift && exec "$@"'


@pytest.fixture
def shut(tmp_path: Path) -> tuple[str | Path, ...]:
    """What to put before a command so that it can write below `tmp_path`/out alone."""
    (tmp_path / "out").mkdir()
    for private in (["unshare", "-m"], ["unshare", "-m", "-r"]):
        before = (*private, "sh", "-c", SHUT, "sh", tmp_path / "out")
        probe = 'touch "$1/yes" && ! touch "$2/no" 2> /dev/null && rm "$1/yes"'
        line = [*map(str, before), "sh", "-c", probe, "sh", str(tmp_path / "out"), str(tmp_path)]
        if shutil.which("unshare") and subprocess.run(line, capture_output=True, check=False).returncode == 0:
            return before
    pytest.skip("no private mount namespace can be made here (unshare -m), so nothing can be closed")


@pytest.mark.long
def test_plate_fit_works_and_warns_of_nothing(process: Process, shut: tuple[str | Path, ...], tmp_path: Path) -> None:
    (tmp_path / "tidy.csv").write_text(TIDY)
    done = process("plate", "fit", tmp_path / "tidy.csv", "--out", tmp_path / "out/fits.csv", "--quiet", before=shut)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["fits.csv"]


@pytest.mark.long
def test_run_works_and_warns_of_nothing(process: Process, study: Path, shut: tuple[str | Path, ...], tmp_path: Path) -> None:
    done = process("run", study, "--out", tmp_path / "out/study", "--quiet", before=shut)
    assert (done.exit_code, done.stderr) == (0, "")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["study"]
    assert (tmp_path / "out/study/report.html").is_file()
    assert (tmp_path / "out/study/tables.xlsx").is_file()


def test_a_kernel_cache_that_cannot_be_made_is_done_without(process: Process, tmp_path: Path) -> None:
    (tmp_path / "tidy.csv").write_text(TIDY)
    (tmp_path / "a file").write_text("")
    closed = {"NUMBA_CACHE_DIR": str(tmp_path / "a file/kernels"), "NUMBA_DISABLE_JIT": "1"}
    done = process("plate", "fit", tmp_path / "tidy.csv", "--quiet", environment=closed)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].startswith("a,")


@pytest.mark.long
def test_cold_and_warm_starts(process: Process, tmp_path: Path, print_figure: Callable[[str], None]) -> None:
    (tmp_path / "tidy.csv").write_text(TIDY)
    seconds: list[float] = []
    said: list[str] = []
    for _ in range(4):
        start = time.perf_counter()
        done = process("plate", "fit", tmp_path / "tidy.csv", environment={"NUMBA_CACHE_DIR": str(tmp_path / "kernels")})
        seconds.append(time.perf_counter() - start)
        said.append(done.stderr)
        assert done.exit_code == 0
    assert "compiling" in said[0]
    assert not any("compiling" in text for text in said[1:])
    print_figure(
        f"plate fit on Python {sys.version_info[0]}.{sys.version_info[1]}: cold {seconds[0]:.1f} s, warm {min(seconds[1:]):.2f} s"
    )
