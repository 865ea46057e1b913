"""What a command costs before it does anything, and how it speaks: help without heavy imports, no colours on request, quiet."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
Process = Callable[..., Any]

HEAVY = ("numpy", "polars", "scipy", "numba", "altair", "pydantic", "openpyxl", "xlsxwriter", "jinja2", "vl_convert")
COMMANDS = ((), ("init",), ("check",), ("run",), ("report",), ("plate",), ("plate", "read"), ("plate", "fit"))
LOADED = """
import sys
from thrombokit.cli.main import main
sys.argv = ["thrombokit", *{arguments!r}, "--help"]
try:
    main()
except SystemExit:
    pass
print(sorted(set(name.split(".")[0] for name in sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [((), set()), (("plate", "fit"), {"pydantic"})],  # typer itself takes pydantic for numbers with limits, such as --workers
    ids=["thrombokit", "plate fit"],
)
def test_help_loads_nothing_heavy(arguments: tuple[str, ...], allowed: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(arguments=arguments)], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert "Usage" in done.stdout
    loaded = set(json.loads(done.stderr.replace("'", '"')))
    assert "thrombokit" in loaded
    assert loaded & set(HEAVY) <= allowed


def test_importing_the_package_loads_nothing_heavy_and_its_names_do() -> None:
    code = "import sys, thrombokit; before = 'numpy' in sys.modules; thrombokit.fit_curves; print(before, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_help_takes_a_moment(process: Process, print_figure: Callable[[str], None]) -> None:
    seconds: list[float] = []
    for _ in range(3):
        start = time.perf_counter()
        assert process("--help").exit_code == 0
        seconds.append(time.perf_counter() - start)
    print_figure(f"thrombokit --help: {statistics.median(seconds):.2f} s (median of {len(seconds)} processes)")


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda parts: " ".join(parts) or "thrombokit")
def test_every_command_has_help_that_names_its_options(command: Command, arguments: tuple[str, ...]) -> None:
    done = command(*arguments, "--help")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Usage" in done.stdout
    if arguments and arguments != ("plate",):
        for option in ("--json", "--quiet"):
            assert option in done.stdout


def test_the_version_and_the_research_notice(command: Command) -> None:
    assert command("--version").stdout.startswith("thrombokit ")
    assert "not for diagnosis or treatment" in " ".join(command("--help").stdout.split())


def test_no_colours_where_they_are_not_wanted(process: Process, tmp_path: Path) -> None:
    wanted = {"NO_COLOR": "1", "FORCE_COLOR": "", "TTY_COMPATIBLE": ""}
    for line, code in ((("--help",), 0), (("check", tmp_path), 3), (("chek",), 2)):
        done = process(*line, environment=wanted)
        assert done.exit_code == code
        assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "line", [("check", "{study}"), ("run", "{study}", "--out", "{out}"), ("plate", "read", "{study}/plate1.csv")]
)
def test_quiet_is_silent_on_stderr_when_all_is_well(command: Command, study: Path, tmp_path: Path, line: tuple[str, ...]) -> None:
    done = command(*(part.format(study=study, out=tmp_path / "out") for part in line), "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "line", [("check", "{study}"), ("run", "{study}", "--out", "{out}"), ("plate", "read", "{study}/plate1.csv")]
)
@pytest.mark.parametrize("sound", [True, False])
def test_json_is_the_whole_of_stdout(command: Command, study: Path, tmp_path: Path, line: tuple[str, ...], sound: bool) -> None:
    if not sound:
        (study / "plate1.csv").write_text("nothing of use\n")
    done = command(*(part.format(study=study, out=tmp_path / "out") for part in line), "--json")
    assert done.exit_code == (0 if sound else 3)
    document = json.loads(done.stdout)
    assert next(iter(document)) == "schema"
    assert document["schema"].startswith("thrombokit.")
    assert (document["schema"] == "thrombokit.error/1") == (not sound)
