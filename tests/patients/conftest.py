"""What the tests of patients share: small models and tables written as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from thrombokit.io.nonmem import read_events
from thrombokit.io.patient_models import parse_model
from thrombokit.patients.event_table import EventTable
from thrombokit.patients.model import PatientModel

ORAL = """
schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "mg/L"}
compartments = ["depot", "central"]
default_dose = "depot"
[record]
CL = "1.1"
V = "20"
KA = "1.5"
[algebra]
CP = "central/V"
[flow]
"depot->central" = "KA"
"central->out" = "CL/V"
[output]
CP = "CP"
DEPOT = "depot"
CENTRAL = "central"
"""
"""One compartment with first-order absorption."""


@pytest.fixture(scope="session")
def oral_text() -> str:
    """See ORAL."""
    return ORAL


@pytest.fixture(scope="session")
def oral() -> PatientModel:
    """The model of ORAL."""
    return parse_model(ORAL, file="oral.toml")


@pytest.fixture
def events_of(tmp_path: Path) -> Callable[..., EventTable]:
    """A table of events from text lines with a header."""

    def read(text: str, **options: str) -> EventTable:
        path = tmp_path / "events.csv"
        path.write_text(text.strip() + "\n", encoding="utf-8")
        return read_events(path, **options)

    return read
