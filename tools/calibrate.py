"""`make calibrate`: fit the ITP models to the published trials, freeze the draws, and write the page that tells how it went.

Writes src/thrombokit/agonists/calibrated/*.json, docs/explanation/calibration.md with its figures, and the medians of the sets into the shipped
model files and their documentation (model_medians.py). Takes 12 minutes of one core.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import pickle
import sys
import time
from pathlib import Path

from model_medians import medians_of, write_medians

import thrombokit
from thrombokit.domain.parameter_set import parameter_set_text
from thrombokit.drawing.export import chart_to_svg
from thrombokit.io.patient_models import load_model
from thrombokit.patients.calibration.figures import calibration_figures
from thrombokit.patients.calibration.page import calibration_page
from thrombokit.patients.calibration.run import CALIBRATED_MODELS, CalibrationResult, Effort, run_calibration

LOG = "freezes.csv"
RESULT = "build/calibration.pickle"
ROOT = Path(__file__).resolve().parents[1]
SEED = 20261122
SETS, PAGE, FIGURES = "src/thrombokit/agonists/calibrated", "docs/explanation/calibration.md", "docs/explanation/figures"


def main() -> int:
    """Run, write, and say what fell short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--reason", default="", help="why the sets are frozen anew; printed on the page")
    parser.add_argument("--draws", type=int, default=Effort.n_draws, help="prior draws of each step")
    parser.add_argument("--patients", type=int, default=Effort.n_patients, help="virtual candidates an arm")
    parser.add_argument("--trial", action="store_true", help="a small run that writes nothing")
    parser.add_argument("--page", action="store_true", help=f"only write the page and the sets of the last run here ({RESULT})")
    asked = parser.parse_args()
    if asked.page:
        write(pickle.loads((ROOT / RESULT).read_bytes()), asked.reason)
        return 0
    began = time.perf_counter()
    small = Effort(n_draws=600, n_patients=300, n_retained=60, n_doubled=200, n_sensitivity=200)
    effort = small if asked.trial else Effort(n_draws=asked.draws, n_patients=asked.patients)
    models = {name: load_model(name) for name in CALIBRATED_MODELS}
    result = run_calibration(models, seed=asked.seed, version=thrombokit.__version__, effort=effort,
                             progress=lambda words: print(f"{time.perf_counter() - began:6.0f} s  {words}", flush=True))  # fmt: skip
    if not asked.trial:
        (ROOT / RESULT).parent.mkdir(exist_ok=True)
        (ROOT / RESULT).write_bytes(pickle.dumps(result))
        write(result, asked.reason)
    for account in result.accounts:
        print(f"{account.chain}: least effective number of draws {account.least:.0f}, {account.verdict}")
    return 0


def write(result: CalibrationResult, reason: str) -> None:
    """The sets, the log of freezes, the page and its figures, each in its place in the repository."""
    folder = ROOT / SETS
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    for parameters in result.sets:
        (folder / f"{parameters.name}.json").write_text(parameter_set_text(parameters), encoding="utf-8")
    for name, chart in calibration_figures(result).items():
        (ROOT / FIGURES / f"{name}.svg").write_text(chart_to_svg(chart), encoding="utf-8")
    page = calibration_page(result, freezes=log_freeze(folder / LOG, result, reason))
    (ROOT / PAGE).write_text(page, encoding="utf-8")
    for file in write_medians(medians_of(result.sets)):
        print(f"{file}: medians renewed; read its note again, which tells of them in words")


def log_freeze(log: Path, result: CalibrationResult, reason: str) -> tuple[tuple[str, ...], ...]:
    """Every freeze so far: version, seed, hash over the sets, reason. The same sets once more are no new freeze; other sets need a reason."""
    freezes = [tuple(row) for row in csv.reader(log.read_text(encoding="utf-8").splitlines())] if log.exists() else []
    digest = hashlib.sha256("\n".join(f"{s.name} {s.sha256}" for s in result.sets).encode()).hexdigest()
    if not freezes or freezes[-1][2] != digest:
        if freezes and not reason:
            raise SystemExit(
                "The frozen sets would change: say why with --reason (`tools/calibrate.py --page --reason ...` keeps this run)."
            )
        freezes.append((result.version, str(result.seed), digest, reason or "first freeze"))
        with log.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(freezes)
    return tuple(freezes)


if __name__ == "__main__":
    sys.exit(main())
