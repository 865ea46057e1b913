"""The coverage table of docs/explanation/proportions.md against the enumeration behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.proportion_coverage import coverage, summary

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "proportions.md"


@pytest.mark.long
def test_the_page_prints_what_the_enumeration_gives(print_figure: Callable[[str], None]) -> None:
    found = summary(coverage(20, 10))
    page = PAGE.read_text(encoding="utf-8")
    for row in found.iter_rows(named=True):
        shares = " | ".join(f"{100 * row[key]:.1f} %" for key in ("mean", "least", "below 93 %"))
        line = f"| {row['measure'].replace('_', ' ')} | {row['method'].replace('_', ' ')} | {row['arms']} | {shares} |"
        assert line in page, line
        print_figure(line)
    score = found.filter(method="miettinen_nurminen").row(0, named=True)
    assert 0.945 <= score["mean"] <= 0.965
    assert score["least"] >= 0.92
