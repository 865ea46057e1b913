"""The shipped records: complete, each once, and citable."""

from __future__ import annotations

import re

import pytest

from thrombokit.errors import InputError
from thrombokit.evidence.library import find_record, load_library, search_library
from thrombokit.evidence.load import load_evidence


def test_every_record_is_complete_and_stands_once() -> None:
    records = load_library()
    assert len({record.id for record in records}) == len(records)
    assert len(records) > 500
    for record in records:
        assert record.quantity
        assert record.locator or record.confidence != "computed"
        assert record.source or record.confidence == "computed"
        assert record.tier in ("published", "transcribed", "computed")
        assert record.id in record.bibtex().replace("_", ".") or "_" in record.id
        assert record.citation().endswith(".")


def test_the_guides_questions_win() -> None:
    first = load_evidence()[0]
    assert find_record(first.id).value == first.value
    assert {record.id for record in load_evidence()} <= {record.id for record in load_library()}


def test_a_doi_ends_where_it_ends() -> None:
    record = find_record("het.pk.cl")
    assert record.doi == "10.1111/bcp.15130"
    assert record.year == "2022"
    assert "doi = {10.1111/bcp.15130}" in record.bibtex()
    assert all(re.fullmatch(r"10\.\d{4,9}/\S+[A-Za-z0-9]", r.doi) for r in load_library() if r.doi)


def test_search_needs_every_word() -> None:
    both = search_library(["hetrombopag", "EC50"])
    assert both
    assert all("ec50" in f"{r.id} {r.quantity} {r.value_text()} {r.system} {r.source} {r.note}".casefold() for r in both)
    assert len(search_library([])) == len(load_library())


def test_an_unknown_id_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"Did you mean \"het.pk.cl\"\?"):
        find_record("het.pk.cll")
