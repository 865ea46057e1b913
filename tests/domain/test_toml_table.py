"""What the readers of TOML files share: the form of the file, and lists of plain numbers."""

from __future__ import annotations

import pytest

from thrombokit.domain.toml_table import TableReader, plain_numbers
from thrombokit.domain.toml_text import parse_toml
from thrombokit.errors import Fault

FORM = "thrombokit-thing/1"


def faults_of(text: str) -> list[str]:
    """Faults of a file that should be of `FORM`."""
    document = parse_toml(text, file="thing.toml")
    faults: list[Fault] = []
    TableReader(document.values, places=document.places, faults=faults).schema(FORM)
    return [str(fault) for fault in faults]


def test_a_file_says_its_form() -> None:
    assert faults_of(f'schema = "{FORM}"\n') == []
    (absent,) = faults_of('title = "no form"\n')
    assert 'no key "schema"' in absent
    assert f'schema = "{FORM}"' in absent
    (later,) = faults_of('\nschema = "thrombokit-thing/2"\n')
    assert later.startswith('thing.toml:2, schema: found the text "thrombokit-thing/2"; expected "thrombokit-thing/1"')
    assert later.endswith("a file of a later form needs a later thrombokit.")


@pytest.mark.parametrize("value", [None, 1.0, "12", [True, 2], ["1"], [[1.0]], {}])
def test_what_is_no_list_of_numbers(value: object) -> None:
    assert plain_numbers(value) is None


def test_whole_numbers_become_floats() -> None:
    assert repr(plain_numbers([1, 2.5])) == "(1.0, 2.5)"
    assert plain_numbers([]) == ()
