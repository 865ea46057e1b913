"""A TOML file that is wrong in form says where, what and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from thrombokit.domain.toml_text import parse_toml, read_toml
from thrombokit.errors import SpecError


def _only_fault(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse_toml(text, file="s.toml")
    assert len(caught.value.faults) == 1
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a = 1\nb = B2\n", "s.toml:2, column 5", "Put text in double quotes"),
        ("a = 1\r\nb = \r\n", "s.toml:2, column 5", "invalid value"),
        ("a = [1,\n2\n\n", "s.toml:1:", "Close the list with ]"),
        ("x = 1\na = 'x\nb = 1\n", "s.toml:2:", "Close the text with its quote"),
        ('p = "C:\\x"\n', "s.toml:1, column", "Write \\\\ for a backslash"),
        ("a = 1 b = 2\n", "s.toml:1, column 7", "Begin a new line"),
        ("[[a]]\n[a]\n", "s.toml:2", "double brackets"),
        ("a b = 1\n", "s.toml:1", "Write key = value"),
        ("[a]\nx = 1\n[a]\n", "s.toml:3, a", "it stands in line 1"),
    ],
)
def test_form(text: str, place: str, words: str) -> None:
    message = _only_fault(text)
    assert message.startswith(place)
    assert words in message


def test_repeated_keys_are_faults_and_the_rest_is_read() -> None:
    document = parse_toml('a = 1\na = """2\n3"""\nb = 3\n', file="s.toml")
    assert document.values == {"a": 1, "b": 3}
    assert [str(fault) for fault in document.faults] == [
        's.toml:2, a: found the key "a" a second time; expected it once (it stands in line 1). Keep one of the two.'
    ]
    assert document.places.line_of(("b",)) == 4


def test_repeats_and_a_broken_line_are_told_together() -> None:
    with pytest.raises(SpecError) as caught:
        parse_toml("a = 1\na = 2\nb = x\n", file="s.toml")
    assert [fault.place for fault in caught.value.faults] == ["s.toml:2, a", "s.toml:3, column 5"]


def test_very_deep_nesting_is_no_crash() -> None:
    assert "nested" in _only_fault("a = " + "[" * 5000 + "]" * 5000)


def test_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_bytes(b"\xef\xbb\xbfa = 1\r\n")
    assert read_toml(tmp_path / "s.toml").values == {"a": 1}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a = 1".encode("utf-16"), "s.toml: found text in UTF-16"),
        (b"a = 1\nb = '\xe9'\n", "s.toml:2: found the byte 0xe9"),
    ],
)
def test_other_encodings_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "s.toml").write_bytes(content)
    with pytest.raises(SpecError, match=words) as caught:
        read_toml(tmp_path / "s.toml")
    assert "Save it as UTF-8" in str(caught.value)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"s\.toml: found no such file"):
        read_toml(tmp_path / "s.toml")
    with pytest.raises(SpecError, match="found a folder"):
        read_toml(tmp_path)
