"""What two or more rooms of the tests share: the folder of real data, synthetic curves, and figures printed at the end.

Real data by others is read in place, never copied; tests that need it say so through `reference_data`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import settings
from typer.testing import CliRunner

from thrombokit.cli.main import app

REPOSITORY = Path(__file__).resolve().parents[1]
VARIABLE = "THROMBOKIT_REFERENCE_DATA"
FIGURE = "figure"
ABSENT = "reference data not at"

settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")
"""The same examples in every run: what guards the project must not fail by luck. For a search, pass --hypothesis-profile=default."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--real-data-required", action="store_true", help=f"fail, instead of skip, tests whose real data ({VARIABLE}) is absent"
    )


@pytest.fixture(scope="session")
def reference_data(request: pytest.FixtureRequest) -> Path:
    """Folder of real data (holds `plates/`); where it is absent the test is skipped, or fails with --real-data-required."""
    said = os.environ.get(VARIABLE, "../shared/data")
    folder = REPOSITORY / said
    if (folder / "plates").is_dir():
        return folder
    reason = f"{ABSENT} {said} (relative to the checkout); set {VARIABLE} to the folder that holds plates/"
    if request.config.getoption("--real-data-required"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedCurves:
    """A tidy table of curves, and the EC50 (nM) behind each, shape (n,)."""

    table: pl.DataFrame
    ec50_nM: np.ndarray


def complete_curves(
    n: int, *, seed: int, sd: float = 4.0, cv: float = 0.0, n_doses: int = 9, replicates: int = 3, top_nM: float = 10_000.0
) -> SimulatedCurves:
    """`n` curves with both plateaus inside half-log doses: bottom 10, top 100, hill 0.9 to 1.8; noise sqrt(sd^2 + (cv mean)^2)."""
    rng = np.random.default_rng(seed)
    dose = np.repeat(top_nM / np.sqrt(10.0) ** np.arange(n_doses)[::-1], replicates)
    middle = np.sqrt(dose[0] * dose[-1])
    ec50 = middle * 10.0 ** rng.uniform(-0.5, 0.5, (n, 1))
    hill = rng.uniform(0.9, 1.8, (n, 1))
    mean = 10.0 + 90.0 / (1.0 + (ec50 / dose) ** hill)
    response = mean + np.sqrt(sd**2 + (cv * mean) ** 2) * rng.standard_normal(mean.shape)
    table = pl.DataFrame(
        {
            "curve": np.repeat([f"c{i:05d}" for i in range(n)], dose.size),
            "concentration_nM": np.tile(dose, n),
            "response": response.ravel(),
        }
    )
    return SimulatedCurves(table=table, ec50_nM=ec50[:, 0])


@pytest.fixture(scope="session")
def simulate_curves() -> Callable[..., SimulatedCurves]:
    """See `complete_curves`."""
    return complete_curves


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended and what it said."""

    exit_code: int
    stdout: str
    stderr: str


def invoke_command(*arguments: str | Path) -> Ended:
    """`thrombokit ARGUMENTS` within this process."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="thrombokit")
    return Ended(exit_code=result.exit_code, stdout=result.stdout, stderr=result.stderr)


@pytest.fixture(scope="session")
def command() -> Callable[..., Ended]:
    """See `invoke_command`."""
    return invoke_command


@pytest.fixture(scope="session")
def process() -> Callable[..., Ended]:
    """`thrombokit ARGUMENTS` as a process of its own; `environment` is added to ours, `before` comes in front of the command."""

    def start(
        *arguments: str | Path,
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
        before: tuple[str | Path, ...] = (),
    ) -> Ended:
        line = [str(part) for part in (*before, sys.executable, "-m", "thrombokit", *arguments)]
        done = subprocess.run(
            line, env={**os.environ, **(environment or {})}, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=300,
            check=False,
        )  # fmt: skip
        return Ended(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    return start


@dataclass(frozen=True, kw_only=True)
class FinishedStudy:
    """A study folder, and the output of `thrombokit run` on it."""

    study: Path
    out: Path
    said: Ended


@pytest.fixture(scope="session")
def guide_run(tmp_path_factory: pytest.TempPathFactory) -> FinishedStudy:
    """The guide study from `init` to its report, once for all tests: read it, do not change it."""
    folder = tmp_path_factory.mktemp("guide")
    study, out = folder / "study", folder / "out"
    assert invoke_command("init", study, "--template", "guide", "--quiet").exit_code == 0
    said = invoke_command("run", study, "--out", out)
    assert said.exit_code == 0, said.stderr
    return FinishedStudy(study=study, out=out, said=said)


@pytest.fixture
def print_figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Have a sentence printed at the end of the run, also by a worker of a parallel one: coverage rates and the like."""
    return lambda sentence: record_property(FIGURE, sentence)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    absent = [r for r in terminalreporter.getreports("skipped") if isinstance(r.longrepr, tuple) and ABSENT in r.longrepr[2]]
    if absent:
        terminalreporter.write_line(f"{len(absent)} tests skipped for lack of real data ({VARIABLE} says where it is)", yellow=True)
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, sentence in report.user_properties if report.when == "call" else ():
            if name == FIGURE:
                terminalreporter.write_line(str(sentence))
