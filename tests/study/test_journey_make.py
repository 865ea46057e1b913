"""`make demo` from a fresh clone in a folder with a space in its name: sets itself up and prints where the report is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.long
@pytest.mark.skipif(not (shutil.which("make") and shutil.which("git")), reason="needs make and git")
def test_make_demo_in_a_fresh_clone_prints_the_report_relative_to_it(tmp_path: Path) -> None:
    clone = tmp_path / "a folder with a space"
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
    # what the test run and a make around it leave in the environment, a new user does not have
    ours = ("PYTHON", "VIRTUAL_ENV", "PYTEST", "MAKE", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        ["make", "demo"], cwd=clone, capture_output=True, text=True, encoding="utf-8", timeout=1200, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "report: build/demo/out/report.html"
    assert (clone / "build/demo/out/report.html").stat().st_size > 500_000
    assert "hetrombopag" in done.stdout
    assert "Traceback" not in done.stderr
