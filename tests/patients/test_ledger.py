"""The ledger: its seven columns, its near ties, its sentences."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from thrombokit.io.titrations import parse_titration
from thrombokit.patients.ledger import Ledger, join_ledgers, ledger_from_rows
from thrombokit.patients.titration import Titration
from thrombokit.patients.titration_state import Reason

TEXT = """schema = "thrombokit-titration/1"
signal = "PLATELET"
observed_with = "latent"
dose = {compartment = "depot", every_h = 24}
levels = [2.5, 5.0]
start = 2.5
then_every_h = 168
rules = [
  {when = "> 250", do = "hold", resume_when = "<= 100", resume_at = "same level"},
  {when = "< 50", do = "up"},
]
"""


def rule() -> Titration:
    return parse_titration(TEXT)


def some() -> Ledger:
    rows = [
        [1, 168, 49.9999, 2.5, 5.0, 1, Reason.UP, 0.0001, 50.0],
        [1, 336, 120.0, 5.0, 5.0, -1, Reason.NO_RULE, 70.0, 50.0],
        [2, 168, 251.0, 2.5, 0.0, 0, Reason.HELD, 1.0, 250.0],
    ]
    return ledger_from_rows(np.array(rows, dtype=float), rule())


def test_the_table_has_the_seven_columns() -> None:
    table = some().table()
    assert table.columns == ["ID", "TIME", "VISIT_VALUE", "AMT_BEFORE", "AMT_AFTER", "RULE", "REASON"]
    assert table["ID"].dtype == pl.Int64
    assert table["RULE"].to_list() == [2, None, 1]
    assert table["REASON"].to_list() == ["moved up (< 50)", "kept: no rule matches", "held (> 250, resume <= 100)"]
    assert table["AMT_AFTER"].to_list() == [5.0, 5.0, 0.0]


def test_near_ties_are_within_the_stated_error_of_a_threshold() -> None:
    assert some().near_ties(2e-5).time_h.tolist() == [168.0]
    assert len(some().near_ties(1e-7)) == 0


def test_parts_of_a_ledger() -> None:
    ledger = some()
    assert ledger.of_patient(1.0).count.tolist() == [49.9999, 120.0]
    assert ledger.changes().patient.tolist() == [1.0, 2.0]
    assert join_ledgers([ledger.of_patient(1.0), ledger.of_patient(2.0)]).table().equals(ledger.table())
    assert ledger.summary() == "3 decisions in 2 patients: 1 kept: no rule matches, 1 moved up, 1 held."
    with pytest.raises(ValueError, match="no ledger to join"):
        join_ledgers([])
    empty = ledger_from_rows(np.empty((0, 9)), rule())
    assert empty.summary() == "No decision was taken."
    assert empty.table().columns == ledger.table().columns
    with pytest.raises(ValueError, match="read-only"):
        ledger.count[0] = 1.0
