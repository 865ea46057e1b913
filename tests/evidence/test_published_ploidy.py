"""Published ploidy by source of cells: what is cited, and that nothing is borrowed from another source."""

from __future__ import annotations

import pytest

from thrombokit.evidence.published_ploidy import PUBLISHED_PLOIDY, published_ploidy


@pytest.mark.parametrize("said", ["cord_blood", "cord blood", "Umbilical cord blood CD34+"])
def test_cord_blood_is_found_as_people_write_it(said: str) -> None:
    assert [(one.classes, one.percent) for one in published_ploidy(said)] == [("2N", 80.0), ("8N", 2.6)]


@pytest.mark.parametrize("said", ["adult_blood", "mobilised peripheral blood"])
def test_adult_blood_is_found_as_people_write_it(said: str) -> None:
    assert [(one.classes, one.percent) for one in published_ploidy(said)] == [("8N and above", 40.0)]


@pytest.mark.parametrize("said", ["", "iPSC", "bone marrow"])
def test_other_sources_have_no_published_number(said: str) -> None:
    assert published_ploidy(said) == ()


def test_every_number_carries_its_citation() -> None:
    assert all("doi:" in one.source and one.confidence and 0 < one.percent < 100 for one in PUBLISHED_PLOIDY)
