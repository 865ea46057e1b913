"""What goes into a page's script elements: the chart library, the charts as JSON, and the policy that lets nothing else run.

Rows of chart data repeat their keys and their words on every row; packed column by column they take about a third of the room. The
page's own script unpacks them (`templates/charts.js`).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from typing import Any

import vl_convert

from thrombokit.drawing.export import VEGA_LITE_VERSION, chart_spec
from thrombokit.report.charts import Figure


@functools.cache
def chart_library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script (898 KB), from the installed vl-convert; nothing is fetched."""
    # the type stub forgets that the snippet has a default
    return str(vl_convert.javascript_bundle(vl_version=VEGA_LITE_VERSION))  # pyright: ignore[reportCallIssue]


def figures_json(figures: list[Figure]) -> str:
    """Key -> Vega-Lite spec with packed data sets, as JSON that may stand inside a script element."""
    return script_json({figure.key: packed_spec(chart_spec(figure.chart)) for figure in figures})


def script_json(value: object) -> str:
    """JSON in which no text can end the script element or open a comment: "<", ">" and "&" become escapes of the same meaning."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def packed_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """A spec whose named data sets are packed by column; the rest as it was."""
    return {**spec, "datasets": {name: packed_rows(rows) for name, rows in spec.get("datasets", {}).items()}}


def packed_rows(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows -> `{"rows": n, "columns": {name: {"of": values, "at": row numbers?, "words": texts?}}}`.

    `at` is there only where some rows lack the value; with `words`, `of` holds positions in it.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {"rows": len(rows), "columns": {name: _packed_column(rows, name) for name in names}}


def script_hash(script: str) -> str:
    """The source expression that lets exactly this inline script run: 'sha256-...'."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def content_security_policy(scripts: list[str]) -> str:
    """A policy that forbids every fetch, every eval and every script but `scripts`; styles and drawn images stay possible."""
    allowed = " ".join(script_hash(script) for script in scripts) or "'none'"
    styles_and_images = "style-src 'unsafe-inline'; img-src data: blob:"
    return f"default-src 'none'; script-src {allowed}; {styles_and_images}; base-uri 'none'; form-action 'none'"


def _packed_column(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    at = [index for index, row in enumerate(rows) if row.get(name) is not None]
    values = [rows[index][name] for index in at]
    column: dict[str, Any] = {"of": values}
    if values and all(isinstance(value, str) for value in values):
        words = list(dict.fromkeys(values))
        places = {word: place for place, word in enumerate(words)}
        column = {"of": [places[value] for value in values], "words": words}
    return column if len(at) == len(rows) else {**column, "at": at}
