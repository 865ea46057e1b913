"""A finished run on disk: saved results first, then page, workbook and crate made from what was saved."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from thrombokit.errors import Fault, InputError
from thrombokit.report.page import write_report
from thrombokit.report.workbook import write_workbook
from thrombokit.study.archive import read_results, write_results
from thrombokit.study.crate import write_crate
from thrombokit.study.result import StudyResult


def write_output(result: StudyResult, out: str | Path, *, published: str) -> list[str]:
    """Save `result` below `out` and make the pages from the saved copy.

    Returns
    -------
    list of str
        Files written, relative to `out`, sorted. `published` (ISO date) goes into the RO-Crate alone.

    Raises
    ------
    InputError
        If `out` cannot be written.
    """
    out = Path(out)
    with _place_can_be_written():
        write_results(result, out)
    return write_pages(read_results(out), out, published=published)


def write_pages(result: StudyResult, out: str | Path, *, published: str) -> list[str]:
    """report.html, tables.xlsx and ro-crate-metadata.json from a saved result; our files below `out`, sorted.

    Raises
    ------
    InputError
        If `out` cannot be written.
    """
    out = Path(out)
    with _place_can_be_written():
        write_report(result, out / "report.html")
        write_workbook(result, out / "tables.xlsx")
        ours = sorted([out / "report.html", out / "tables.xlsx", *(p for p in (out / "results").rglob("*") if p.is_file())])
        crate = write_crate(result, out, ours, published=published)
    return sorted(p.relative_to(out).as_posix() for p in (*ours, crate))


@contextmanager
def _place_can_be_written() -> Generator[None]:
    try:
        yield
    except OSError as error:
        fault = Fault(
            place="--out",
            found=f"a place that cannot be written ({error.strerror})",
            expected="a folder with room and permission",
            cure="Choose another folder.",
        )
        raise InputError(fault) from None
