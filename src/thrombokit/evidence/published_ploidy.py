"""Published ploidy of cultured human megakaryocytes by the source of their CD34+ cells, to be read beside a result, never fitted to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedPloidy:
    """One published share of megakaryocytes: `classes` ("2N", "8N", "8N and above"), `percent`, and how the number was read."""

    cell_source: str
    classes: str
    percent: float
    source: str
    confidence: str


_MATTIA = "Mattia G et al. 2002, Blood 99:888-897, doi:10.1182/blood.V99.3.888, abstract"
PUBLISHED_PLOIDY: tuple[PublishedPloidy, ...] = (
    PublishedPloidy(cell_source="cord_blood", classes="2N", percent=80.0, source=_MATTIA, confidence="read-in-abstract"),
    PublishedPloidy(cell_source="cord_blood", classes="8N", percent=2.6, source=_MATTIA, confidence="read-in-abstract"),
    PublishedPloidy(cell_source="adult_blood", classes="8N and above", percent=40.0, source=_MATTIA, confidence="read-in-abstract"),
)
"""Megakaryocytes from CD34+ cells in serum-free culture with thrombopoietin."""


def published_ploidy(cell_source: str) -> tuple[PublishedPloidy, ...]:
    """The published shares for one source of cells as a person writes it ("cord blood", "adult_blood", "mobilised peripheral blood").

    None for a source that nobody is cited for.
    """
    said = cell_source.lower()
    kind = "cord_blood" if "cord" in said else "adult_blood" if "adult" in said or "peripheral" in said else ""
    return tuple(one for one in PUBLISHED_PLOIDY if one.cell_source == kind)
