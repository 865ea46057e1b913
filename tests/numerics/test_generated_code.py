"""Generated kernels: compiled once, found again by later processes, written by two at a time, and at work where nothing can be kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from thrombokit.numerics.generated_code import load_generated

SOURCE = """
import numba


@numba.njit(numba.float64(numba.float64), cache=CACHE, error_model="numpy")
def {name}(x):
    return x / 3.0 + {number}
"""
CHILD = """
import sys
from thrombokit.numerics.generated_code import load_generated
module = load_generated(sys.stdin.read())
print(module.added(3.0), sum(module.added.stats.cache_hits.values()), sum(module.added.stats.cache_misses.values()), module.CACHE)
"""


def start(cache: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    child.stdin.write(SOURCE.format(name="added", number=2.0))
    child.stdin.close()
    child.stdin = None
    return child


def said(child: subprocess.Popen[str]) -> str:
    out, complaint = child.communicate(timeout=120)
    assert complaint == ""
    return out.strip()


def test_the_same_source_is_the_same_module() -> None:
    one, two = (load_generated(SOURCE.format(name="added", number=number)) for number in (1.0, 2.0))
    assert load_generated(SOURCE.format(name="added", number=1.0)) is one
    assert (one.added(3.0), two.added(3.0)) == (2.0, 3.0)


def test_two_processes_write_at_once_and_a_third_finds_what_they_left(tmp_path: Path) -> None:
    both = [start(tmp_path / "kernels") for _ in range(2)]
    assert all(answer.startswith("3.0 ") and answer.endswith(" True") for answer in map(said, both))
    assert said(start(tmp_path / "kernels")) == "3.0 1 0 True"
    left = [path.name for path in (tmp_path / "kernels" / "generated").iterdir() if path.is_file()]
    assert len(left) == 1
    assert left[0].endswith(".py")


def test_a_source_that_was_changed_by_others_is_not_trusted(tmp_path: Path) -> None:
    assert said(start(tmp_path)) == "3.0 0 1 True"
    (file,) = (tmp_path / "generated").glob("*.py")
    file.write_text(file.read_text().replace("+ 2.0", "+ 7.0"))
    assert said(start(tmp_path)).startswith("3.0 ")
    assert "+ 2.0" in file.read_text()


def test_where_nothing_can_be_written_it_compiles_for_this_process(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    assert said(start(tmp_path / "a file" / "kernels")) == "3.0 0 1 False"


def test_a_source_that_fails_leaves_nothing_behind() -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            load_generated("1 / 0\n")
