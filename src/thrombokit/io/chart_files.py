"""Any chart as a file: SVG, PNG or PDF, as the name says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from thrombokit.drawing.export import chart_to_pdf, chart_to_png, chart_to_svg
from thrombokit.errors import Fault, InputError
from thrombokit.io.whole_files import replace_file

ENDINGS = (".svg", ".png", ".pdf")


def write_chart(chart: Any, path: str | Path) -> Path:
    """Write what a result's `.plot()` gives.

    Parameters
    ----------
    chart : Altair chart
        Of any kind.
    path : path
        Ends in .svg, .png or .pdf.

    Raises
    ------
    InputError
        If the ending is another one, or the place cannot be written.
    """
    path = Path(path)
    ending = path.suffix.casefold()
    if ending not in ENDINGS:
        raise InputError(Fault(place="picture", found=f'"{path.name}"', expected="a name that ends in .svg, .png or .pdf",
                               cure="Change its ending."))  # fmt: skip
    made = chart_to_svg(chart).encode() if ending == ".svg" else chart_to_png(chart) if ending == ".png" else chart_to_pdf(chart)
    replace_file(path, made)
    return path
