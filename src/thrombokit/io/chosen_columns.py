"""Columns of a table that the user names, as text, from any form that `read_clinical_table` reads, with the place of every row.

Columns that nobody named are left alone: such a table usually holds more than one analysis needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.clinical_tables import read_clinical_table


@dataclass(frozen=True, kw_only=True)
class ChosenTable:
    """Rows of a file: `texts` by role (stripped, "" where empty), `titles` (role -> column), `places` a row each ("trial.csv, row 7")."""

    file: str
    texts: Mapping[str, tuple[str, ...]]
    titles: Mapping[str, str]
    places: tuple[str, ...]


def read_chosen_columns(path: str | Path, columns: Mapping[str, str]) -> ChosenTable:
    """The columns that `columns` names.

    Parameters
    ----------
    path : path
        SAS transport, Dataset-JSON, CSV, TSV, XLSX (the first worksheet that holds anything) or Parquet.
    columns : dict of str to str
        Role -> title of its column, as in the file (case counts only where two titles differ by it alone).

    Raises
    ------
    InputError
        A column that is not there or stands twice, a table without rows; every fault in one pass.
    """
    table = read_clinical_table(path)
    faults: list[Fault] = []
    index = {role: _column(table.file, role, title, list(table.titles), faults) for role, title in columns.items()}
    raise_all(faults, FileFormatError)
    texts = {role: tuple(row[k] for row in table.rows) for role, k in index.items()}
    return ChosenTable(
        file=table.file, texts=texts, titles={role: table.titles[k] for role, k in index.items()}, places=table.places
    )


def _column(file: str, role: str, title: str, titles: list[str], faults: list[Fault]) -> int:
    exact = [k for k, found in enumerate(titles) if found == title]
    near = exact or [k for k, found in enumerate(titles) if found.casefold() == title.strip().casefold()]
    if len(near) == 1:
        return near[0]
    known = ", ".join(filter(None, titles)) or "no titles"
    if near:
        faults.append(
            Fault(place=file, found=f'{len(near)} columns "{title}" ({role})', expected="one", cure="Rename or delete the others.")
        )
    else:
        cure = did_you_mean(title, [t for t in titles if t], otherwise=f"The columns are: {known}.")
        faults.append(Fault(place=file, found=f'no column "{title}"', expected=f"the column of the {role}", cure=cure))
    return 0
