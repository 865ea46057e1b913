"""A TOML file as plain values, together with the line of every key and all that is wrong with its form.

What can be read is read: a key given twice is a fault, and the rest of the file is still there for its reader to check, so that
one pass shows everything.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thrombokit.domain.toml_places import RepeatedKey, TomlPlaces, UnreadableToml, find_places, path_text
from thrombokit.errors import Fault, SpecError

_POSITION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_CURES = (
    ("Invalid value", "Put text in double quotes; write numbers with a decimal point, true and false in small letters."),
    ("Expected newline", "Begin a new line after each value, and put text and dates in quotes."),
    ("Unclosed array", "Close the list with ]."),
    ("Unclosed inline table", "Close the inline table with }."),
    ("declare", "Declare each [table] once; a table that is repeated as a list has double brackets, [[...]], every time."),
    ("Cannot overwrite", "Give each key once."),
    ("Illegal character '\\n'", "Close the text with a double quote on the same line, or use three quotes for several lines."),
    ("Unterminated string", "Close the text with its quote."),
    ('Expected "\'"', "Close the text with its quote."),
    ("Unescaped '\\'", "Write \\\\ for a backslash, or use single quotes around the text."),
    ("Expected '=' after a key", "Write key = value; a note of your own starts with #."),
    ("Invalid statement", "Begin each line with a key, a [table] header or a # note."),
    ("Invalid initial character for a key part", "Keep an inline table on one line, without a comma at its end."),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TomlDocument:
    """Values of a TOML file as `tomllib` gives them, the line of each key, and the faults of its form (keys given twice)."""

    values: dict[str, Any]
    places: TomlPlaces
    faults: tuple[Fault, ...] = field(default=())


def read_toml(path: Path, *, file: str | None = None) -> TomlDocument:
    """A TOML file, in UTF-8 (a byte order mark is passed over).

    Parameters
    ----------
    path : Path
        The file.
    file : str, optional
        The name that stands in places; the file's own name without it.

    Raises
    ------
    SpecError
        If there is no such file, it is not UTF-8, or it is not TOML; with line and column.
    """
    name = file or path.name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise SpecError(Fault(place=name, found="no such file", expected="a TOML file", cure="Check the name.")) from None
    except IsADirectoryError:
        raise SpecError(Fault(place=name, found="a folder", expected="a TOML file", cure="Name the file in it.")) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        cure = "Check that it can be opened."
        raise SpecError(
            Fault(place=name, found=f"a file that cannot be read ({reason})", expected="a TOML file", cure=cure)
        ) from None
    return parse_toml(_decoded(content, file=name), file=name)


def parse_toml(text: str, *, file: str) -> TomlDocument:
    """The same for a text already in hand.

    Raises
    ------
    SpecError
        If the text is not TOML: line, column, the line itself and what is wrong, beside the keys given twice.
    """
    broken_line: int | None = None
    try:
        places, repeated = find_places(text, file=file)
    except UnreadableToml as error:
        places, repeated, broken_line = TomlPlaces(file=file, lines={}), (), error.line
    except RecursionError:
        places, repeated = TomlPlaces(file=file, lines={}), ()
    faults = [_repeated_fault(places, key) for key in repeated]
    try:
        values = tomllib.loads(_without(text, repeated))
    except tomllib.TOMLDecodeError as error:
        told_already = any(key.span is None for key in repeated)
        raise SpecError(
            faults if told_already else [*faults, _syntax_fault(text, str(error), file=file, broken_line=broken_line)]
        ) from None
    except RecursionError:
        deep = Fault(place=file, found="lists or tables nested hundreds deep", expected="a plain TOML file", cure="Flatten it.")
        raise SpecError(deep) from None
    return TomlDocument(values=values, places=places, faults=tuple(faults))


def _decoded(content: bytes, *, file: str) -> str:
    cure = "Save it as UTF-8 text."
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SpecError(Fault(place=file, found="text in UTF-16", expected="text in UTF-8", cure=cure))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{content[error.start]:02x}, which is no UTF-8"
        raise SpecError(Fault(place=f"{file}:{line}", found=found, expected="text in UTF-8", cure=cure)) from None


def _without(text: str, repeated: tuple[RepeatedKey, ...]) -> str:
    """The text with repeated statements blanked, every line where it was."""
    for start, end in (key.span for key in repeated if key.span is not None):
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
    return text


def _repeated_fault(places: TomlPlaces, key: RepeatedKey) -> Fault:
    words = path_text(key.path)
    return Fault(
        place=f"{places.file}:{key.line}, {words}",
        found=f'the {"table" if key.is_table else "key"} "{words}" a second time',
        expected=f"it once (it stands in line {key.first_line})",
        cure="Keep one of the two.",
    )


def _syntax_fault(text: str, message: str, *, file: str, broken_line: int | None) -> Fault:
    """A parser's message as a fault. Where the parser only noticed at the end of the file, `broken_line` is where the statement
    began.
    """
    lines = text.split("\n")
    matched = _POSITION.search(message)
    what = message[: matched.start()] if matched else message
    what = re.sub(r"\(('[^)]*')\)", lambda keys: ".".join(re.findall(r"'([^']*)'", keys[1])), what)
    what = what[:1].lower() + what[1:]
    if matched and matched[1]:
        line, where = int(matched[1]), f"{file}:{matched[1]}, column {matched[2]}"
    else:
        line = broken_line or len(text.rstrip().split("\n"))
        where = f"{file}:{line}"
    shown = lines[min(line, len(lines)) - 1].strip()
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    cure = next((cure for start, cure in _CURES if start in message), "Correct the line; the TOML format is described at toml.io.")
    return Fault(place=where, found=f"`{shown}` ({what})" if shown else what, expected="TOML: key = value", cure=cure)
