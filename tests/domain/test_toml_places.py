"""The line of a key is the line it stands in, whatever a TOML text looks like."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.domain.toml_places import UnreadableToml, find_places, parse_path, path_text

TRICKY = st.sampled_from(["", "# no comment", "[not.a.header]", "[[x]] = 1", "a = 1, }", "it's", "]", "éµ"])


class _Writer:
    """Writes TOML in many styles; every leaf holds a mark of its own, so that its line can be found by looking."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.numbers = itertools.count(100)

    def mark(self) -> str:
        return f"mark{next(self.numbers)}end"

    def key(self) -> str:
        name = f"k{next(self.numbers)}"
        return self.draw(
            st.sampled_from([name, f'"{name} #[="', f"'{name}.x'", f'"{name}\\u00b5"', f"{name} . sub", f"{name}.'s t'.u"])
        )

    def scalar(self) -> str:
        mark, extra = self.mark(), self.draw(TRICKY)
        plain = extra.replace("'", "")
        return self.draw(
            st.sampled_from(
                [
                    f'"{mark} {extra}"',
                    f"'{mark} {plain}'",
                    f'"{mark} \\" \\\\"',
                    f'"""{mark}\n{extra}\n"quoted" ""two""\\"""" # c',
                    f'"""{mark}{extra}\n""""' if not extra.endswith('"') else f'"{mark}"',
                    f"'''{mark}\n{plain}\n'one' ''two'''",
                ]
            )
        )

    def value(self, depth: int = 0, *, one_line: bool = False) -> str:
        kind = self.draw(st.sampled_from(["scalar", "scalar", "array", "inline"] if depth < 3 else ["scalar"]))
        if kind == "array":
            items = [self.value(depth + 1, one_line=one_line) for _ in range(self.draw(st.integers(0, 3)))]
            if one_line or self.draw(st.booleans()):
                return "[" + ", ".join(item.removesuffix(" # c") for item in items) + "]"
            return "[ # first ]\n\n" + "".join(f"  {item.removesuffix(' # c')}, # ] , [\n" for item in items) + "]"
        if kind == "inline":
            pairs = [f"{self.key()} = {self.value(depth + 1, one_line=True)}" for _ in range(self.draw(st.integers(0, 3)))]
            return "{ " + ", ".join(pair.removesuffix(" # c") for pair in pairs) + " }"
        text = self.scalar()
        return f'"{self.mark()}"' if one_line and "\n" in text else text

    def key_values(self) -> str:
        lines = [f"{self.key()} = {self.value()}\n" for _ in range(self.draw(st.integers(0, 3)))]
        return self.draw(st.sampled_from(["", "\n", "# note = 1\n", "  \t\n"])).join(lines)

    def document(self, *, in_order: bool) -> str:
        text = self.key_values()
        lists: list[str] = []
        for _ in range(self.draw(st.integers(0, 5))):
            kind = self.draw(st.sampled_from(["table", "deep", "list", "again", "below"]))
            if in_order and kind in ("table", "deep"):
                lists.clear()
            if kind in ("again", "below") and not lists:
                kind = "list"
            if kind == "table":
                header = f"[t{next(self.numbers)}]"
            elif kind == "deep":
                header = f"[ t{next(self.numbers)} . 'a b' . c ]"
            elif kind == "list":
                lists.append(f"l{next(self.numbers)}.items")
                header = f"[[{lists[-1]}]]"
            else:
                name = lists[-1] if in_order else self.draw(st.sampled_from(lists))
                header = f"[[{name}]]" if kind == "again" else f"[{name}.b{next(self.numbers)}]"
            text += f"{header} # comment\n{self.key_values()}\n"
        return text.replace("\n", self.draw(st.sampled_from(["\n", "\r\n"])))


@st.composite
def documents(draw: st.DrawFn, in_order: bool = False) -> str:
    return _Writer(draw).document(in_order=in_order)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if path:
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield from _paths(below, (*path, key))


@given(documents())
@settings(max_examples=150, deadline=None)
def test_every_key_has_the_line_its_value_begins_in(text: str) -> None:
    places, repeated = find_places(text, file="x.toml")
    lines = text.split("\n")
    values = dict(_paths(tomllib.loads(text)))
    assert repeated == ()
    assert set(places.lines) == set(values)
    for path, value in values.items():
        if isinstance(value, str):
            mark = value[: value.index("end") + 3]
            assert mark in lines[places.lines[path] - 1]
        elif isinstance(value, dict | list):
            key = next(part for part in reversed(path) if isinstance(part, str))
            assert key[:4] in lines[places.lines[path] - 1] or isinstance(path[-1], int)


@given(documents(in_order=True))
@settings(max_examples=60, deadline=None)
def test_keys_are_those_of_another_parser(text: str) -> None:
    """tomlkit; it refuses some lists of tables that other tables interrupt, so these are written in order."""
    places, _ = find_places(text, file="x.toml")
    assert set(places.lines) == {path for path, _ in _paths(tomlkit.parse(text).unwrap())}


@given(documents())
@settings(max_examples=60, deadline=None)
def test_lines_move_with_the_text(text: str) -> None:
    before, _ = find_places(text, file="x.toml")
    after, _ = find_places("# one\n\n" + text, file="x.toml")
    assert after.lines == {path: line + 2 for path, line in before.lines.items()}


KEY_PATHS = (
    st.lists(st.one_of(st.text(min_size=1), st.integers(0, 50)), min_size=1).map(tuple).filter(lambda p: isinstance(p[0], str))
)


@given(KEY_PATHS)
def test_path_text_is_read_back(path: tuple[str | int, ...]) -> None:
    assert parse_path(path_text(path)) == path


def test_items_count_from_one_in_words() -> None:
    places, _ = find_places('[plate]\n[[plate.files]]\n[[plate.files]]\nfile = "a"\n', file="study.toml")
    assert places.place_of("plate.files[2].file") == "study.toml:4, plate.files[2].file"
    assert places.place_of(("plate", "files", 0)) == "study.toml:2, plate.files[1]"
    assert places.place_of("plate.files[2].map") == "study.toml:3, plate.files[2].map"
    assert places.place_of(()) == "study.toml:1"


def test_a_table_has_the_line_of_its_own_header_even_after_its_children() -> None:
    places, _ = find_places("[plate.deep]\nx = 1\n[plate]\ny = 2\n", file="s")
    assert places.line_of(("plate",)) == 3
    assert places.line_of(("plate", "missing")) == 3


def test_repeats_are_told_with_both_lines_and_do_not_repeat_their_contents() -> None:
    _, repeated = find_places("a = {x = 1}\nb = 2\na = {x = 1}\n[t]\n[t]\nc = {d = 1, d = 2}\n", file="s")
    assert [(path_text(key.path), key.first_line, key.line, key.is_table) for key in repeated] == [
        ("a", 1, 3, False),
        ("t", 4, 5, True),
        ("t.c.d", 6, 6, False),
    ]


@pytest.mark.parametrize("text", ['a = "x\n', "a = [1, 2", "a 1", "[a\n", "a = {b = 1", "a = \n", '"\\q" = 1'])
def test_what_is_no_toml_is_refused(text: str) -> None:
    with pytest.raises(UnreadableToml):
        find_places("ok = 1\n" + text, file="s")


@pytest.mark.parametrize("text", ["a[", "a..b", "a b", "[x]"])
def test_what_is_no_key_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no key path"):
        parse_path(text)
