"""The files of the trials stage stand in an order: none imports, not even for its types alone, what is built from it."""

from __future__ import annotations

import ast
import pickle
from graphlib import TopologicalSorter
from pathlib import Path

import thrombokit.trials
from thrombokit.trials import analysed_trial, survival, survival_estimates, trial_result

STAGE = Path(thrombokit.trials.__file__).parent


def imported(text: str) -> set[str]:
    """Modules of the stage that `text` imports, wherever in the file the import stands."""
    prefix = "thrombokit.trials."
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom) and node.module]
    return {str(node.module).removeprefix(prefix) for node in nodes if str(node.module).startswith(prefix)}


def test_no_two_files_import_one_another() -> None:
    files = {path.stem: imported(path.read_text(encoding="utf-8")) for path in STAGE.glob("*.py")}
    order = list(TopologicalSorter(files).static_order())  # a circle is an error that names its files
    assert order.index("survival_estimates") < order.index("survival_pictures") < order.index("survival")
    assert order.index("analysed_trial") < order.index("trial_words") < order.index("trial_result")


def test_an_import_for_types_alone_is_seen() -> None:
    assert imported("if TYPE_CHECKING:\n    from thrombokit.trials.cox import fit_cox\n") == {"cox"}


def test_classes_are_found_where_saved_results_name_them() -> None:
    for name in ("ArmSurvival", "SurvivalResult"):
        assert getattr(survival, name) is pickle.loads(f"cthrombokit.trials.survival\n{name}\n.".encode())
    assert issubclass(survival.SurvivalResult, survival_estimates.SurvivalEstimates)
    assert issubclass(trial_result.TrialResult, analysed_trial.AnalysedTrial)
