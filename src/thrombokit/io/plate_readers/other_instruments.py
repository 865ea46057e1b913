"""Exports that are known by sight and have no reader here, so that the refusal can name them."""

from __future__ import annotations

import re

from thrombokit.io.tables import Sheet

_SIGNS = (
    (re.compile(r"^(application: )?tecan i-control"), "Tecan i-control"),
    (re.compile(r"^##blocks="), "Molecular Devices SoftMax Pro"),
    (re.compile(r"^experiment file path:"), "Agilent BioTek Gen5"),
    (re.compile(r"^(ensight results from|exported with kaleido)"), "PerkinElmer Kaleido"),
    (re.compile(r"^test run no\.:"), "BMG Labtech MARS"),
    (re.compile(r"\.skax$"), "Thermo SkanIt"),
    (re.compile(r"^well positions$"), "Tecan Magellan"),
)
"""What a cell says, in small letters -> the software that writes it."""
_ROWS_SEARCHED = 40


def known_software(sheets: tuple[Sheet, ...]) -> tuple[str, str] | None:
    """The software that wrote the file and the place of the sign, or None.

    Parameters
    ----------
    sheets : tuple of Sheet
        The export; the first 40 rows of each are searched.
    """
    for sheet in sheets:
        for row in range(min(sheet.n_rows, _ROWS_SEARCHED)):
            for column in sheet.filled(row):
                text = sheet.text(row, column).lower()
                for sign, software in _SIGNS:
                    if sign.search(text):
                        return software, f'{sheet.place(row, column)} says "{sheet.text(row, column)[:40]}"'
    return None
