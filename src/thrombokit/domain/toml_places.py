"""Where each key of a TOML text stands: key path -> line, so that a fault found later can point at the line it came from.

Neither `tomllib` nor `tomlkit` keeps line numbers. This scanner walks the text once, understands headers, dotted keys, inline
tables, arrays (of tables too), multi-line strings and comments, and notes the line of every key; it reads no values. It also
notes keys and tables that are given twice, which a parser reports one at a time.

Inside the program the items of an array count from 0, as in Python; in words for people (`path_text`, "plate.files[2].map")
they count from 1, as a person counts the [[plate.files]] headers.
"""

from __future__ import annotations

import json
import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys (text) and zero-based array indexes (int), from the outside in."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\r\n]+")
_SPACES = re.compile(r"[ \t]*")
_SPACES_LINES_COMMENTS = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")
_STRINGS = (
    re.compile(r'"""(?:[^"\\]|\\[\s\S]|"(?!"")|""(?!"))*"{3,5}'),
    re.compile(r"'''[\s\S]*?'{3,5}(?!')"),
    re.compile(r'"(?:[^"\\\n]|\\[^\n])*"'),
    re.compile(r"'[^'\n]*'"),
)
_PATH_PART = re.compile(r'\.?("(?:[^"\\]|\\.)*"|[A-Za-z0-9_-]+)|\[(\d+)\]')


class UnreadableToml(Exception):
    """The text is no TOML; what is wrong with it is for a parser to say. `line` is where the broken statement begins."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"the statement that begins in line {line}")


def path_text(path: KeyPath) -> str:
    """("plate", "files", 1, "map") -> "plate.files[2].map"; array items count from 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            word = part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{word}" if text else word
    return text


def parse_path(text: str) -> KeyPath:
    """The inverse of `path_text`: "plate.files[2].map" -> ("plate", "files", 1, "map").

    Raises
    ------
    ValueError
        If the text is no key path.
    """
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        matched = _PATH_PART.match(text, at)
        if not matched:
            raise ValueError(f'"{text}" is no key path such as plate.files[2].map')
        key, index = matched.groups()
        if index is not None:
            parts.append(int(index) - 1)
        else:
            parts.append(json.loads(key) if key.startswith('"') else key)
        at = matched.end()
    return tuple(parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class TomlPlaces:
    """Key path -> line (counted from 1) of one file. `file` is the name that stands before the line in a place."""

    file: str
    lines: Mapping[KeyPath, int]

    def line_of(self, path: KeyPath) -> int:
        """The line of a key, of an array item, or, where the key is not written, of the nearest table around it (the file: 1)."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def place_of(self, path: KeyPath | str) -> str:
        """Words for a fault: "study.toml:12, plate.files[2].map". `path` may be given as such text."""
        keys = parse_path(path) if isinstance(path, str) else path
        words = path_text(keys)
        line = f"{self.file}:{self.line_of(keys)}"
        return f"{line}, {words}" if words else line


@dataclass(frozen=True, kw_only=True, slots=True)
class RepeatedKey:
    """A key or table given a second time.

    `line` and `first_line` count from 1; `span` holds the offsets of the repeated statement, or None where it cannot be left
    out without changing what the rest means (a table header, or a key inside an inline table).
    """

    path: KeyPath
    is_table: bool
    line: int
    first_line: int
    span: tuple[int, int] | None


def find_places(text: str, *, file: str) -> tuple[TomlPlaces, tuple[RepeatedKey, ...]]:
    """The line of every key of a TOML text, and the keys given twice.

    Raises
    ------
    UnreadableToml
        If the text has no TOML structure; a parser says what is wrong.
    """
    scanner = _Scanner(text)
    scanner.scan()
    return TomlPlaces(file=file, lines=scanner.lines), tuple(scanner.repeated)


class _Scanner:
    """One walk over the text; `lines` grows as keys are met."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.table: KeyPath = ()
        self.lines: dict[KeyPath, int] = {}
        self.repeated: list[RepeatedKey] = []
        self._newlines = [index for index, character in enumerate(text) if character == "\n"]
        self._array_length: dict[KeyPath, int] = {}
        self._header_line: dict[KeyPath, int] = {}
        self._value_line: dict[KeyPath, int] = {}
        self._statement_line = 1

    def scan(self) -> None:
        self._take(_SPACES_LINES_COMMENTS)
        while self.at < len(self.text):
            self._statement_line = self._line()
            if self.text.startswith("[", self.at):
                self._header()
            else:
                self._key_value(self.table, statement=True)
            if not self._take(_REST_OF_LINE) and self.at < len(self.text):
                self._unreadable()
            self._take(_SPACES_LINES_COMMENTS)

    def _header(self) -> None:
        line = self._line()
        is_array = self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        keys = self._key()
        self._expect("]]" if is_array else "]")
        parent: KeyPath = ()
        for key in keys[:-1]:
            parent = self._enter((*parent, key))
            self.lines.setdefault(parent, line)
        path = (*parent, keys[-1])
        if is_array:
            index = self._array_length.get(path, 0)
            self._array_length[path] = index + 1
            self.lines.setdefault(path, line)
            path = (*path, index)
        elif path in self._header_line:
            self.repeated.append(RepeatedKey(path=path, is_table=True, line=line, first_line=self._header_line[path], span=None))
        self._header_line.setdefault(path, line)
        self.lines[path] = self._header_line[path]
        self.table = path

    def _enter(self, path: KeyPath) -> KeyPath:
        """The table a header means by `path`: the newest item where it is an array of tables."""
        return (*path, self._array_length[path] - 1) if path in self._array_length else path

    def _key_value(self, table: KeyPath, *, statement: bool = False) -> None:
        start, line = self.at, self._line()
        path = table
        for key in self._key():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._expect("=")
        self._take(_SPACES)
        if path not in self._value_line:
            self._value_line[path] = line
            self._value(path)
            return
        before = dict(self.lines), dict(self._value_line), list(self.repeated)
        self._value(path)
        self.lines, self._value_line, self.repeated = before
        span = (start, self.at) if statement else None
        again = RepeatedKey(path=path, is_table=False, line=line, first_line=self._value_line[path], span=span)
        self.repeated.append(again)

    def _key(self) -> tuple[str, ...]:
        keys: list[str] = []
        while True:
            self._take(_SPACES)
            if word := self._take(_BARE_KEY):
                keys.append(word)
            elif self.text.startswith(('"', "'"), self.at) and (quoted := self._take(_STRINGS[2]) or self._take(_STRINGS[3])):
                keys.append(self._unquoted(quoted))
            else:
                self._unreadable()
            self._take(_SPACES)
            if not self.text.startswith(".", self.at):
                return tuple(keys)
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        if self.text.startswith(('"', "'"), self.at):
            if not any(self._take(pattern) for pattern in _STRINGS):
                self._unreadable()
        elif self.text.startswith("[", self.at):
            self._array(path)
        elif self.text.startswith("{", self.at):
            self._inline_table(path)
        elif not self._take(_SCALAR):
            self._unreadable()

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while True:
            self._take(_SPACES_LINES_COMMENTS)
            if self.text.startswith("]", self.at):
                self.at += 1
                return
            self.lines[(*path, index)] = self._line()
            self._value((*path, index))
            index += 1
            self._take(_SPACES_LINES_COMMENTS)
            if self.text.startswith(",", self.at):
                self.at += 1
            elif not self.text.startswith("]", self.at):
                self._unreadable()

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while True:
            self._take(_SPACES_LINES_COMMENTS)
            if self.text.startswith("}", self.at):
                self.at += 1
                return
            self._key_value(path)
            self._take(_SPACES_LINES_COMMENTS)
            if self.text.startswith(",", self.at):
                self.at += 1
            elif not self.text.startswith("}", self.at):
                self._unreadable()

    def _take(self, pattern: re.Pattern[str]) -> str:
        matched = pattern.match(self.text, self.at)
        if not matched:
            return ""
        self.at = matched.end()
        return matched.group()

    def _expect(self, sign: str) -> None:
        if not self.text.startswith(sign, self.at):
            self._unreadable()
        self.at += len(sign)

    def _line(self) -> int:
        return bisect_left(self._newlines, self.at) + 1

    def _unreadable(self) -> NoReturn:
        raise UnreadableToml(self._statement_line)

    def _unquoted(self, quoted: str) -> str:
        """The key that a quoted key spells."""
        try:
            return str(tomllib.loads(f"key = {quoted}")["key"])
        except tomllib.TOMLDecodeError:
            self._unreadable()
