"""Compile the kernels that compile on their first use, once, into the cache: a small analysis of each kind that has such kernels.

The test workers would otherwise compile them side by side, each its own. `make test` runs this after the type check, while
`warm_kernels.py` still keeps the other core busy.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from thrombokit.cli.main import app
from thrombokit.study.templates.guide_cells_files import write_guide_cells

FITS = (
    ("--interval", "profile"),
    ("--interval", "wald"),
    ("--interval", "bootstrap"),
    *(("--weights", "none", "--robust", robust) for robust in ("huber", "tukey")),
    *(("--weights", "none", "--robust", "huber", "--interval", interval) for interval in ("bootstrap", "case_bootstrap")),
    *(("--model", model) for model in ("3pl", "5pl", "bell")),
)


def run(*arguments: str | Path) -> None:
    """`thrombokit ARGUMENTS` in this process; what it says is not shown."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        app([str(argument) for argument in arguments], standalone_mode=False)


def warm_fits(folder: Path) -> None:
    """Fit three curves in every way that has kernels of its own."""
    rng = np.random.default_rng(1)
    dose = np.repeat([0.0, *(0.3 * 3.0 ** np.arange(9))], 3)
    mean = 10.0 + 90.0 * dose**1.2 / (dose**1.2 + 20.0**1.2)
    curves = {name: mean + rng.standard_normal(dose.size) for name in "abc"}
    tables = [pl.DataFrame({"curve": name, "concentration_nM": dose, "response": y}) for name, y in curves.items()]
    pl.concat(tables).write_csv(folder / "tidy.csv")
    for options in FITS:
        run("plate", "fit", folder / "tidy.csv", *options, "--out", folder / "fits.csv")


def warm_cells(folder: Path) -> None:
    """Gate and analyse one donor's tubes of both panels of the guide: surface markers, and DNA content."""
    write_guide_cells(folder, 20181)
    sheet = pl.read_csv(folder / "cells" / "sheet.csv", infer_schema=False)
    for panel in ("surface", "ploidy"):
        tubes = folder / "cells" / f"{panel}.csv"
        sheet.filter((pl.col("donor") == "donor A") & (pl.col("panel") == panel)).write_csv(tubes)
        run("cells", "analyse", tubes, "--panels", folder / "cells" / "panels.toml", "--out", folder / panel, "--quiet")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        warm_fits(Path(name))
        warm_cells(Path(name))
