"""Time-to-event tables from CSV, TSV or Parquet, one row a subject; curves and pictures back to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from thrombokit.domain.toml_faults import nearest
from thrombokit.drawing.export import chart_to_pdf, chart_to_png, chart_to_svg
from thrombokit.errors import Fault, FileFormatError, InputError, raise_all
from thrombokit.io.clinical_tables import read_clinical_table
from thrombokit.io.fit_tables import read_table
from thrombokit.io.survival_columns import TextColumns, survival_of_columns
from thrombokit.io.whole_files import replace_file
from thrombokit.trials.survival_data import SurvivalData

if TYPE_CHECKING:
    from thrombokit.trials.survival import SurvivalResult

CLINICAL = (".xpt", ".json", ".ndjson")
ENDINGS = (".svg", ".png", ".pdf")


def read_survival(
    path: str | Path, *, time: str, event: str, arm: str | None = None, strata: tuple[str, ...] = (), event_value: str | None = None,
    competing: tuple[str, ...] = (),
) -> SurvivalData:  # fmt: skip
    """Subjects of a table, one row each.

    Parameters
    ----------
    path : path
        CSV (comma, semicolon or tab), TSV or Parquet with a header; SAS transport or Dataset-JSON.
    time, event : str
        Titles of the columns: the time under observation, and what ended it.
    arm : str, optional
        Title of the column of arms; without it all subjects are one.
    strata : tuple of str
        Titles of stratification factors; a stratum is a combination of their values.
    event_value : str, optional
        Value of the event; without it 1 of 0/1, or 2 of 1/2.
    competing : tuple of str
        Values of what competes with the event, such as rescue.

    Returns
    -------
    SurvivalData
        Rows without a time, event, arm or stratum, and those with a negative time, are listed in `dropped` with their number: that of a
        spreadsheet, header 1, in text files; from 1 in the others.

    Raises
    ------
    FileFormatError
        If the file cannot be read, or with all that is wrong in it.
    """
    path = Path(path)
    table, first_row = _rows(path)
    titles = {"time": time, "event": event, **({"arm": arm} if arm is not None else {})}
    wanted = [*titles.items(), *(("stratum", title) for title in strata)]
    raise_all([fault for what, title in wanted for fault in _title_faults(path, table, what, title)], FileFormatError)
    columns = TextColumns(
        place=path.name, first_row=first_row, time=table[time], event=table[event],
        arm=None if arm is None else table[arm], strata={title: table[title] for title in strata},
    )  # fmt: skip
    return survival_of_columns(columns, event_value=event_value, competing=competing)


def write_survival_picture(result: SurvivalResult, path: str | Path) -> Path:
    """The curves, or the cumulative incidences where causes compete, as the file's ending says: .svg, .png or .pdf.

    Raises
    ------
    InputError
        If the ending is another one, or the place cannot be written.
    """
    path = Path(path)
    raise_all(survival_picture_faults(path), InputError)
    chart = result.plot_incidence() if result.incidences else result.plot()
    ending = path.suffix.casefold()
    made = chart_to_svg(chart).encode() if ending == ".svg" else chart_to_png(chart) if ending == ".png" else chart_to_pdf(chart)
    replace_file(path, made)
    return path


def survival_picture_faults(path: Path) -> list[Fault]:
    """Why a picture cannot be written under that name."""
    if path.suffix.casefold() in ENDINGS:
        return []
    return [Fault(place="--picture", found=f'"{path.name}"', expected="a name that ends in .svg, .png or .pdf",
                  cure="Change its ending.")]  # fmt: skip


def _rows(path: Path) -> tuple[pl.DataFrame, int]:
    """The table, and the number of its first row."""
    if path.suffix.casefold() == ".parquet":
        return read_table(path), 1
    if path.suffix.casefold() in CLINICAL:
        return read_clinical_table(path).frame(), 1
    return _read_text(path), 2


def _read_text(path: Path) -> pl.DataFrame:
    """Every cell as the text it is, so that arm "01" keeps its name."""
    if not path.is_file():
        read_table(path)  # says so
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline()
        return pl.read_csv(path, separator=_separator(header), infer_schema=False, encoding="utf8", raise_if_empty=True)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise FileFormatError(
            Fault(place=path.name, found=f"a file that cannot be read as a table ({said})",
                  expected="CSV or TSV in UTF-8 with a header, or Parquet", cure="Save it again in one of these forms.")
        ) from None  # fmt: skip


def _separator(header: str) -> str:
    """The sign that the header holds most often; a comma where it holds none."""
    return max((",", ";", "\t"), key=header.count)


def _title_faults(path: Path, table: pl.DataFrame, what: str, title: str) -> list[Fault]:
    if title not in table.columns:
        near = nearest(title, table.columns)
        cure = f'Did you mean "{near}"?' if near else "Name a column of the file."
        return [
            Fault(place=path.name, found=f'no column "{title}" ({what})', expected=f"one of {', '.join(table.columns)}", cure=cure)
        ]
    if f"{title}_duplicated_0" in table.columns:
        return [
            Fault(place=path.name, found=f'two columns "{title}" ({what})', expected="one", cure="Rename or delete one of them.")
        ]
    return []
