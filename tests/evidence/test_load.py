"""Shipped evidence: complete, sourced, and the same numbers as the records it was taken from."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from scipy.special import betaincinv

from thrombokit.domain.agonist import Tier
from thrombokit.domain.toml_text import parse_toml
from thrombokit.errors import InputError, SpecError
from thrombokit.evidence.load import QUESTIONS, EvidenceRecord, corrections, evidence_for, load_evidence, read_evidence

RECORDS = load_evidence()


def _source_records() -> dict[str, str]:
    """id -> the text of its block in the source records; skips where they are absent."""
    data = Path(os.environ.get("THROMBOKIT_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))
    file = data.parent / "evidence" / "evidence.yaml"
    if not file.is_file():
        pytest.skip("the source records are not here (THROMBOKIT_REFERENCE_DATA/../evidence/evidence.yaml)")
    blocks = re.split(r"(?m)^- id: ", file.read_text(encoding="utf-8"))[1:]
    return {block.split("\n", 1)[0].strip(): block for block in blocks}


def _key(block: str, key: str) -> str:
    matched = re.search(rf"(?m)^  {key}: (.*)$", block)
    assert matched is not None
    return matched[1].strip("'")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.id)
def test_numbers_are_those_of_the_source_records(record: EvidenceRecord) -> None:
    block = _source_records()[record.id]
    assert float(_key(block, "value")) == record.value
    assert _key(block, "unit") == record.unit
    assert _key(block, "confidence") == record.confidence
    assert _key(block, "locator").startswith(record.locator.replace("guide, Table", "guide Table"))
    assert _key(block, "n") == ("null" if record.n is None else str(record.n))
    if record.interval == "95 % CI, as published":
        assert _key(block, "uncertainty") == f"95% CI {record.low:g}-{record.high:g}"
    if record.count is not None:
        assert re.search(rf"\b{record.count}(/{record.n}| patients)", block)


@pytest.mark.parametrize("record", [record for record in RECORDS if record.count is not None], ids=lambda record: record.id)
def test_shares_follow_from_their_counts(record: EvidenceRecord) -> None:
    assert record.count is not None
    assert record.n is not None
    assert record.value == pytest.approx(100 * record.count / record.n, abs=0.05)
    low = 100 * betaincinv(record.count, record.n - record.count + 1, 0.025)
    high = 100 * betaincinv(record.count + 1, record.n - record.count, 0.975)
    assert (record.low, record.high) == (pytest.approx(low, abs=0.06), pytest.approx(high, abs=0.06))


def test_every_question_has_records_with_source_and_tier() -> None:
    assert [len(evidence_for(question)) for question in QUESTIONS] == [2, 2, 1, 2, 5]
    assert len({record.id for record in RECORDS}) == len(RECORDS) == 12
    for record in RECORDS:
        assert (record.tier is Tier.TRANSCRIBED) == (record.confidence == "secondary")
        assert record.low is None or record.high is None or record.low < record.value < record.high


def test_the_guides_four_potencies() -> None:
    table = {(record.agonist, record.system): record.value for record in (*evidence_for("Q1"), *evidence_for("Q2"))}
    assert table == {
        ("hetrombopag", "32D-MPL"): 0.4,
        ("eltrombopag", "32D-MPL"): 13.4,
        ("hetrombopag", "CD34+ cord blood"): 2.3,
        ("eltrombopag", "CD34+ cord blood"): 86.2,
    }


def test_corrections_cover_what_the_guide_got_wrong() -> None:
    by_id = {correction.id: correction for correction in corrections()}
    for id_, word in {
        "32d-lineage": "immature myeloid",
        "cd34-readout": "does not say what was read",
        "phase1-single-arm": "one arm",
        "time-to-response-responders": "29 patients who ever responded",
        "cd34-medium": "without serum",
        "cord-blood-ploidy": "lowers the DNA content",
    }.items():
        assert word in by_id.pop(id_).correction
    assert by_id == {}


def test_no_such_question() -> None:
    with pytest.raises(InputError, match=r'found the question "Q9"; expected "Q1", "Q2", "Q3", "Q4" or "Q5"'):
        evidence_for("Q9")


def test_a_broken_file_tells_all_its_faults() -> None:
    text = 'schema = "x"\n[[record]]\n'
    text += 'id = "a"\nquestion = "Q7"\nvalue = "1"\nlow = 1\ntier = "x"\nn = -1\n[[correction]]\nquestion = "Q1"\nwhy = 1\n'
    with pytest.raises(SpecError) as caught:
        read_evidence(parse_toml(text, file="records.toml"))
    told = str(caught.value)
    for words in (
        "records.toml:1, schema",
        'records.toml:2, record[1].source: found no key "source"',
        'records.toml:4, record[1].question: found the text "Q7"',
        "records.toml:5, record[1].value",
        "record[1].interval",
        'records.toml:7, record[1].tier: found the text "x"',
        "records.toml:8, record[1].n",
        'records.toml:9, correction[1].guide_says: found no key "guide_says"',
        'records.toml:11, correction[1].why: found the unknown key "why"',
    ):
        assert words in told
