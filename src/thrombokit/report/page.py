"""StudyResult -> one HTML page that needs nothing else: no network, no server, no second file.

Every number comes from the saved result. Text from the user's files is escaped by the template, and a content security policy in
the page allows only its two own scripts, by their hash. The same result gives the same bytes.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from thrombokit.domain.potency import Potency
from thrombokit.drawing.curves import WITHOUT_EC50
from thrombokit.drawing.numerals import three_digits
from thrombokit.plate.result import PlateResult
from thrombokit.plate.tables import ratio_table
from thrombokit.report.cells import cells_parts, section_of
from thrombokit.report.charts import Figure, controls_figure, curve_figures, forest_figure, heatmap_figure
from thrombokit.report.embedding import chart_library, content_security_policy, figures_json
from thrombokit.report.growth import growth_curve_rows, growth_potency_rows, growth_sentence
from thrombokit.report.patients import patients_parts
from thrombokit.report.sentences import RUNS_FOR_AN_INTERVAL, caveat_sentences, potency_sentences, published_sentence, run_values
from thrombokit.report.signalling import signalling_parts
from thrombokit.report.study_text import shareable_study_text
from thrombokit.report.tables import check_words, potency_table, run_words
from thrombokit.report.trials import trials_parts
from thrombokit.study.result import StudyResult

SENTENCES_SHOWN = 16
"""Sentences of the answer in sight at once; a screen of many compounds folds the rest."""
_UNIT = re.compile(r"(?<=\d) (?=(?:nM|%|h|runs?)\b|%)")


def write_report(result: StudyResult, path: Path) -> Path:
    """Write the report of a study as one self-contained HTML file.

    Parameters
    ----------
    result : StudyResult
        The saved result of a study.
    path : Path
        Where to write, for example `OUT/report.html`; folders are made, an older report is replaced.

    Returns
    -------
    Path
        `path`, as given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(report_html(result).encode("utf-8"))
    return path


def report_html(result: StudyResult) -> str:
    """The report as text; see `write_report`."""
    plate = result.plate
    parts: dict[str, Any] = {
        "result": result,
        "plate": plate,
        "sentences": potency_sentences(result),
        "caveats": caveat_sentences(result),
        "sentences_shown": SENTENCES_SHOWN,
        "style": Markup(_packaged("page.css")),
        "versions": sorted(result.provenance.versions.items()),
        "study_text": shareable_study_text(result.provenance.study_toml, show_operator=result.show_operator),
        "cells": None,
        "signalling": None,
        "patients": None,
        "trials": None,
        **(_plate_parts(plate, result) if plate is not None else {}),
    }
    figures: list[Figure] = parts.pop("figures", [])
    if result.cells is not None:
        cells = cells_parts(section_of(result.cells))
        parts["cells"] = cells["cells"]
        figures = [*figures, *cells["figures"]]
    if result.signalling is not None:
        signalling = signalling_parts(result.signalling)
        parts["signalling"] = signalling["signalling"]
        figures = [*figures, *signalling["figures"]]
    if result.trials is not None:
        trials = trials_parts(result.trials)
        parts["trials"] = trials["trials"]
        figures = [*figures, *trials["figures"]]
    if result.patients is not None:
        patients = patients_parts(result.patients)
        parts["patients"] = patients["patients"]
        figures = [*figures, *patients["figures"]]
    scripts = [chart_library(), _packaged("charts.js")] if figures else []
    parts["policy"] = content_security_policy(scripts)
    if figures:
        # the library and our own script are trusted text; the specs are escaped by script_json
        parts |= {"figures_json": Markup(figures_json(figures)), "library": Markup(scripts[0]), "charts_script": Markup(scripts[1])}
    else:
        parts["figures_json"] = None
    return _page_template().render(parts)


def _plate_parts(plate: PlateResult, result: StudyResult) -> dict[str, Any]:
    curves = curve_figures(plate)
    growth = growth_potency_rows(plate)
    forest, heatmap, controls = forest_figure(plate, result.published), heatmap_figure(plate), controls_figure(plate)
    return {
        "percent": f"{100 * plate.confidence:g} %",
        "potencies": _with_runs(potency_table(plate).to_dicts(), [_runs(p) for p in plate.potencies]),
        "ratios": _with_runs(ratio_table(plate).to_dicts(), [list(map(three_digits, r.run_ratios)) for r in plate.ratios]),
        "published": [
            (published_sentence(one, confidence=plate.confidence), f"Source: {one.source} ({one.tier}).")
            for one in result.published
        ],
        "curves": curves,
        "forest": forest,
        "heatmap": heatmap,
        "controls": controls,
        "figures": [figure for figure in (forest, *curves, heatmap, controls) if figure is not None],
        "fits": plate.fits.to_dicts(),
        "without_ec50": WITHOUT_EC50,
        "verdicts": _verdict_counts(plate),
        "unavailable": _unavailable(plate),
        "growth": growth,
        "growth_curves": growth_curve_rows(plate),
        "growth_sentence": growth_sentence(growth),
    }


def _verdict_counts(plate: PlateResult) -> str:
    """ "36 fit, 12 flat", the most frequent first."""
    counts = Counter(plate.fits["verdict"].to_list() if plate.fits.height else [])
    return ", ".join(
        f"{count} {_words(verdict)}" for verdict, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _unavailable(plate: PlateResult) -> list[str]:
    """Each reason for a missing figure once, with the number of plates it holds for."""
    counts: dict[str, int] = {}
    for check in (check for quality in plate.quality for check in quality.checks if check.status == "not_available"):
        said = f"{check_words(check)} ({check.reason.rstrip('.')})" if check.reason else check_words(check)
        counts[said] = counts.get(said, 0) + 1
    return [f"{said}, {count} plate{'' if count == 1 else 's'}" for said, count in counts.items()]


def _runs(potency: Potency) -> list[str]:
    """Each run's EC50; with its own interval where too few runs leave no combined one."""
    return run_values(potency) if potency.n_runs < RUNS_FOR_AN_INTERVAL else [three_digits(value) for value in potency.run_ec50_nM]


def _with_runs(rows: list[dict[str, Any]], values: list[list[str]]) -> list[dict[str, Any]]:
    return [{**row, "by_run": ", ".join(runs) or "–"} for row, runs in zip(rows, values, strict=True)]


def _words(verdict: str) -> str:
    return verdict.replace("_", " ")


def _tight(sentence: str) -> str:
    """No line break between a number and its unit."""
    return _UNIT.sub("\u00a0", sentence)


def _packaged(name: str) -> str:
    return resources.files("thrombokit.report").joinpath("templates", name).read_text(encoding="utf-8")


@functools.cache
def _page_template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("thrombokit.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters.update(three=three_digits, words=_words, check=check_words, run=run_words, tight=_tight)
    return environment.get_template("page.html.j2")
