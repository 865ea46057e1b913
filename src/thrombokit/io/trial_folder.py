"""A trial's results as a folder: the analysis-results data set in three forms, the result as JSON, the summary, and pictures.

Pictures of single subjects are written only where asked for; nothing else in the folder holds a subject's data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from thrombokit.drawing.export import Chart, chart_to_svg
from thrombokit.errors import Fault, FileFormatError, InputError
from thrombokit.io.fit_tables import write_table
from thrombokit.io.whole_files import replace_file
from thrombokit.trials.time_analysis import TimeAnalysis
from thrombokit.trials.trial_result import TrialResult


def write_trial(result: TrialResult, folder: str | Path, *, include_subjects: bool = False) -> tuple[Path, ...]:
    """Everything of a result.

    Parameters
    ----------
    result : TrialResult
    folder : path
        Made where it is not there; files of the same names are replaced.
    include_subjects : bool
        Also draw the waterfall, the swimmer plot and every subject's counts.

    Returns
    -------
    tuple of Path
        The files, in the order written: results/trials.json, analysis_results (CSV, Parquet, JSON), summary.txt, SVG pictures.

    Raises
    ------
    FileFormatError
        If the folder cannot be made or written to.
    """
    out = Path(folder)
    try:
        (out / "results").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileFormatError(
            Fault(place=str(out), found=error.strerror or str(error), expected="a folder to write to", cure="Name another.")
        ) from None
    numbers = result.results()
    written = [
        _text(out / "results" / "trials.json", _json(result.to_dict())),
        write_table(numbers.frame(), out / "analysis_results.csv"),
        write_table(numbers.frame(), out / "analysis_results.parquet"),
        _text(out / "analysis_results.json", _json(numbers.to_dict())),
        _text(out / "summary.txt", result.summary() + "\n"),
    ]
    written += [
        _text(out / f"{name}.svg", chart_to_svg(chart))
        for name, chart in trial_charts(result, include_subjects=include_subjects).items()
    ]
    return tuple(written)


def trial_charts(result: TrialResult, *, include_subjects: bool = False) -> dict[str, Chart]:
    """The pictures of a result by name; one that the data cannot fill is not among them."""
    makers = {"subject_flow": result.plot_flow, "response_by_visit": result.plot_response, "forest": result.plot_forest}
    charts: dict[str, Chart] = {}
    for name, make in makers.items():
        _add(charts, name, make)
    _add(charts, "counts", lambda: result.plot_spaghetti(include_subjects=include_subjects))
    if include_subjects:
        _add(charts, "waterfall", lambda: result.plot_waterfall(include_subjects=True))
        _add(charts, "swimmer", lambda: result.plot_swimmer(include_subjects=True))
    for number, one in enumerate((a for a in result.analyses if isinstance(a, TimeAnalysis) and a.survival is not None), 1):
        if one.survival is not None:
            charts[f"time_{number}"] = one.survival.plot_incidence() if one.survival.incidences else one.survival.plot()
    return charts


def _add(charts: dict[str, Chart], name: str, make: Callable[[], Chart]) -> None:
    """The chart where there is anything to draw."""
    try:
        charts[name] = make()
    except InputError:
        return


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _text(path: Path, text: str) -> Path:
    replace_file(path, text.encode("utf-8"))
    return path
