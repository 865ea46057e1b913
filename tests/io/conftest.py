"""Writers of small files, and the folder of real exports by others (read in place, never copied)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

Rows = list[list[object]]


@pytest.fixture
def reference(reference_data: Path) -> Path:
    """Folder of real plate exports by others."""
    return reference_data / "plates"


@pytest.fixture
def write_text(tmp_path: Path) -> Callable[..., Path]:
    """Write text or bytes to a file in a fresh folder."""

    def write(name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


@pytest.fixture
def write_book(tmp_path: Path) -> Callable[..., Path]:
    """Write a workbook from {sheet title: rows}; None leaves a cell empty."""

    def write(name: str, sheets: dict[str, Rows]) -> Path:
        path = tmp_path / name
        save_book(path, sheets)
        return path

    return write


def save_book(path: Path, sheets: dict[str, Rows]) -> None:
    with xlsxwriter.Workbook(path) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if cell is not None:
                        sheet.write(r, c, cell)
