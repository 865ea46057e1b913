"""thrombokit: from plate to platelet, for people who characterise thrombopoietin-receptor agonists.

The public names below are loaded when first used, so that `import thrombokit` and `thrombokit --help` cost next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thrombokit.agonists.load import load_agonist
    from thrombokit.dose_response.combine import fits_table
    from thrombokit.dose_response.compare import Margins, compare_curves
    from thrombokit.dose_response.comparison_runs import comparison_document
    from thrombokit.dose_response.fit import fit_curves, fit_points
    from thrombokit.dose_response.margin_history import margins_from_history
    from thrombokit.dose_response.outliers import flag_outliers
    from thrombokit.dose_response.points import points_from_table
    from thrombokit.dose_response.settings import FitSettings, usual_interval
    from thrombokit.dose_response.statistics import fit_statistics
    from thrombokit.errors import InputError, MissingExtraError, SimulationError, ThrombokitError
    from thrombokit.io.fcs import read_fcs
    from thrombokit.io.fcs_write import write_fcs
    from thrombokit.io.fit_tables import read_table, write_table
    from thrombokit.io.plate_readers.detect import read_plate
    from thrombokit.io.screens import fit_screen, is_screen
    from thrombokit.numerics.streams import stream
    from thrombokit.plate.analyse import analyse_plates
    from thrombokit.plate.normalise import wells_of
    from thrombokit.report.output import write_output, write_pages
    from thrombokit.report.page import write_report
    from thrombokit.report.sentences import answer_sentences
    from thrombokit.scale.engine import make_engine
    from thrombokit.study.archive import read_results, run_document, write_results
    from thrombokit.study.load import load_study
    from thrombokit.study.run import run_study
    from thrombokit.study.templates.write import write_template

__version__ = "0.1.0"

_PLACES = {
    "FitSettings": "dose_response.settings",
    "InputError": "errors",
    "Margins": "dose_response.compare",
    "MissingExtraError": "errors",
    "SimulationError": "errors",
    "ThrombokitError": "errors",
    "analyse_plates": "plate.analyse",
    "answer_sentences": "report.sentences",
    "compare_curves": "dose_response.compare",
    "comparison_document": "dose_response.comparison_runs",
    "fit_curves": "dose_response.fit",
    "fit_points": "dose_response.fit",
    "fit_screen": "io.screens",
    "fit_statistics": "dose_response.statistics",
    "fits_table": "dose_response.combine",
    "flag_outliers": "dose_response.outliers",
    "is_screen": "io.screens",
    "load_agonist": "agonists.load",
    "load_study": "study.load",
    "make_engine": "scale.engine",
    "margins_from_history": "dose_response.margin_history",
    "points_from_table": "dose_response.points",
    "read_fcs": "io.fcs",
    "read_plate": "io.plate_readers.detect",
    "read_results": "study.archive",
    "read_table": "io.fit_tables",
    "run_document": "study.archive",
    "run_study": "study.run",
    "stream": "numerics.streams",
    "usual_interval": "dose_response.settings",
    "wells_of": "plate.normalise",
    "write_fcs": "io.fcs_write",
    "write_output": "report.output",
    "write_pages": "report.output",
    "write_report": "report.page",
    "write_results": "study.archive",
    "write_table": "io.fit_tables",
    "write_template": "study.templates.write",
}

__all__ = [
    "FitSettings",
    "InputError",
    "Margins",
    "MissingExtraError",
    "SimulationError",
    "ThrombokitError",
    "__version__",
    "analyse_plates",
    "answer_sentences",
    "compare_curves",
    "comparison_document",
    "fit_curves",
    "fit_points",
    "fit_screen",
    "fit_statistics",
    "fits_table",
    "flag_outliers",
    "is_screen",
    "load_agonist",
    "load_study",
    "make_engine",
    "margins_from_history",
    "points_from_table",
    "read_fcs",
    "read_plate",
    "read_results",
    "read_table",
    "run_document",
    "run_study",
    "stream",
    "usual_interval",
    "wells_of",
    "write_fcs",
    "write_output",
    "write_pages",
    "write_report",
    "write_results",
    "write_table",
    "write_template",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
