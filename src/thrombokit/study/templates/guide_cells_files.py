"""The guide study's `cells` folder: FCS files, the sample sheet, panels and ledgers, and the truth that no analysis reads.

`sheet.csv` says what each file is, `panels.toml` which channel shows what, `yields.csv` what was seeded, fed and counted; `truth.csv` has a
line for each tube with the shares of its population and those really drawn; `truth_events.parquet` has a line for each event, in the order
of tubes and events.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import polars as pl

from thrombokit.cells.tubes import DNA
from thrombokit.errors import Fault, InputError
from thrombokit.io.fcs_write import write_fcs
from thrombokit.study.templates.cytometer import PLOIDY, SURFACE
from thrombokit.study.templates.guide_cells import guide_tubes
from thrombokit.study.templates.guide_cells_readme import CELLS_README
from thrombokit.study.templates.guide_cells_yields import yields_text
from thrombokit.study.templates.map_text import number_text
from thrombokit.study.templates.megakaryocyte_culture import CELL_TYPES, MARKERS, PLOIDY_CLASSES, agonist_truth
from thrombokit.study.templates.synthetic_tube import SyntheticTube
from thrombokit.study.templates.well_plan import RHTPO, RHTPO_ng_per_mL

SHEET_COLUMNS = (
    "file", "tube", "donor", "day", "plate", "panel", "kind", "stain", "role", "agonist", "concentration", "unit",
    "source",
)  # fmt: skip
FOLDER, EVENTS = "cells", "truth_events.parquet"


def write_guide_cells(folder: Path, seed: int) -> tuple[Path, ...]:
    """Write the flow cytometry of the guide study below a study folder; all of it synthetic.

    Parameters
    ----------
    folder : Path
        The study folder, which holds study.toml; `cells` is made in it.
    seed : int
        >= 0; the same seed gives the same bytes.

    Returns
    -------
    tuple of Path
        The sample sheet, panels and yields, the FCS files in the sheet's order, then the two truth files and a README.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    tubes = guide_tubes(seed)
    cells = folder / FOLDER
    texts = {
        "sheet.csv": sheet_text(tubes), "panels.toml": panels_text(), "yields.csv": yields_text(seed), "truth.csv": truth_text(tubes),
        "README.md": CELLS_README,
    }  # fmt: skip
    try:
        cells.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (cells / name).write_text(text, encoding="utf-8", newline="\n")
        for tube in tubes:
            write_fcs(tube.sample, cells / f"{tube.name}.fcs")
        event_table(tubes).write_parquet(cells / EVENTS, compression="zstd", statistics=False)
    except OSError as failure:
        raise InputError(
            Fault(place=str(cells), found=f"{failure.strerror}", expected="a folder that can be written to",
                  cure="Choose another folder, or ask for the right to write there.")
        ) from failure  # fmt: skip
    names = ("sheet.csv", "panels.toml", "yields.csv", *(f"{tube.name}.fcs" for tube in tubes), "truth.csv", EVENTS, "README.md")
    return tuple(cells / name for name in names)


def panels_text() -> str:
    """Both panels as TOML: which channel shows which marker."""
    tables: list[str] = ["# Which channel shows which marker. Synthetic data.\n"]
    for panel in (SURFACE.panel_noun(), PLOIDY.panel_noun()):
        lines = [f'{marker} = "{channel}"' for marker, channel in panel.channels.items()]
        head = f'[[panels]]\nname = "{panel.name}"\nviability = "{panel.viability}"\nfixed = {str(panel.fixed).lower()}\n'
        tables.append(head + "[panels.channels]\n" + "\n".join(lines) + "\n")
    return "\n".join(tables)


def sheet_text(tubes: tuple[SyntheticTube, ...]) -> str:
    """The sample sheet as CSV; doses in nM, rhTPO in ng/mL."""
    rows: list[tuple[str, ...]] = []
    for tube in tubes:
        culture = tube.culture
        dose = (
            (number_text(RHTPO_ng_per_mL), "ng/mL") if culture.agonist == RHTPO else (number_text(culture.concentration_nM), "nM")
        )
        rows.append(
            (
                f"{tube.name}.fcs", tube.name, culture.donor.name, number_text(culture.day_d), tube.plate, tube.cytometer.panel,
                tube.kind.value, tube.stain, tube.role, culture.agonist, *dose, culture.donor.source.name,
            )
        )  # fmt: skip
    return _csv(SHEET_COLUMNS, rows)


def truth_text(tubes: tuple[SyntheticTube, ...]) -> str:
    """One line a tube: its faults, what its culture holds (population) and what was drawn from it (counts), as CSV."""
    rows = [_truth_row(tube) for tube in tubes]
    return _csv(tuple(rows[0]), [tuple(row.values()) for row in rows])


def _truth_row(tube: SyntheticTube) -> dict[str, str]:
    truth, culture, population = tube.truth, tube.culture, tube.truth.culture
    chosen = truth.live & truth.singlet
    drawn = {f"n_live_single_{marker}+": str(int((chosen & truth.is_positive(marker)).sum())) for marker in MARKERS}
    dosed = culture.agonist not in ("vehicle", RHTPO)
    return {
        "tube": tube.name,
        "faults": " ".join(type(fault).__name__ for fault in truth.faults),
        "agonist_ec50_nM": f"{culture.donor.apparent_ec50_nM(culture.agonist):.6g}" if dosed else "",
        "agonist_hill_slope": f"{agonist_truth(culture.agonist).hill_slope:.6g}" if dosed else "",
        "response": f"{culture.response:.6g}",
        "cells_per_cd34": f"{population.cells_per_cd34:.6g}",
        "megakaryocytes_per_cd34": f"{population.mk_per_cd34:.6g}",
        "dead_share": f"{population.dead_share:.6g}",
        **{f"{marker}+_share": f"{population.positive_share[marker]:.6g}" for marker in MARKERS},
        **{f"megakaryocytes_{n}N_share": f"{share:.6g}" for n, share in zip(PLOIDY_CLASSES, population.mk_ploidy, strict=True)},
        "g1": f"{tube.cytometer.g1 * tube.staining[DNA]:.6g}" if tube.staining.get(DNA) else "",
        "n_events": str(tube.sample.n_events),
        "n_cells": str(int(truth.is_cell.sum())),
        "n_doublets": str(int(truth.is_doublet.sum())),
        "n_live_single": str(int(chosen.sum())),
        **drawn,
        "n_coated": str(int(truth.coated.sum())),
        "n_shed": str(int(truth.shed.sum())),
        "n_in_fault": str(int(truth.in_fault.sum())),
    }


def event_table(tubes: tuple[SyntheticTube, ...]) -> pl.DataFrame:
    """One row an event: tube, event (from 0), type, ploidy, second cell, live, singlet, coated, shed, in_fault and true markers."""

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(tube.truth, name) for tube in tubes])

    counts = [tube.sample.n_events for tube in tubes]
    types = pl.Enum(["", *CELL_TYPES])
    flags = {name: column(name) for name in ("s_phase", "live", "singlet", "coated", "shed", "in_fault")}
    positive = column("positive")
    return pl.DataFrame(
        {
            "tube": pl.Series(np.repeat(np.arange(len(tubes)), counts)).replace_strict(
                list(range(len(tubes))), [tube.name for tube in tubes], return_dtype=pl.String
            ),
            "event": np.concatenate([np.arange(count, dtype=np.int32) for count in counts]),
            "cell_type": _names(column("cell_type"), types),
            "ploidy": column("ploidy"),
            "second_type": _names(column("second_type"), types),
            "second_ploidy": column("second_ploidy"),
            **flags,
            **{marker: positive[:, place] for place, marker in enumerate(MARKERS)},
        }
    )


def _names(places: np.ndarray, types: pl.Enum) -> pl.Series:
    """Places in `CELL_TYPES`, -1 for none, as names."""
    return pl.Series((places + 1).astype(np.uint8)).replace_strict(
        list(range(len(CELL_TYPES) + 1)), ["", *CELL_TYPES], return_dtype=types
    )  # fmt: skip


def _csv(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([columns, *rows])
    return out.getvalue()
