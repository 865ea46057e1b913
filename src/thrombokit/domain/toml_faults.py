"""The words of a fault in a TOML file: what a value is, which key was probably meant."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from difflib import get_close_matches

from thrombokit.domain.toml_places import KeyPath, TomlPlaces, path_text
from thrombokit.errors import Fault

_LONGEST_TEXT_SHOWN = 60


def found_words(value: object) -> str:
    """A TOML value as a person would name it: 'the text "abc"', "the number 3", "a table"."""
    if isinstance(value, str):
        shown = value if len(value) <= _LONGEST_TEXT_SHOWN else value[: _LONGEST_TEXT_SHOWN - 3] + "..."
        return f"the text {json.dumps(shown, ensure_ascii=False)}" if value else "an empty text"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dt.date | dt.time):
        return f"the date or time {value.isoformat()}"
    return "nothing" if value is None else repr(value)


def nearest(word: str, options: Iterable[str]) -> str | None:
    """The option that `word` probably means, spelling and case aside; None when none is near."""
    by_folded = {option.casefold(): option for option in options}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def did_you_mean(word: str, options: Iterable[str], *, otherwise: str) -> str:
    """'Did you mean "vehicle"?', or the sentence `otherwise` when nothing is near."""
    close = nearest(word, options)
    return f'Did you mean "{close}"?' if close is not None else otherwise


def one_of(options: Iterable[str]) -> str:
    """'"model" or "none"'."""
    quoted = [f'"{option}"' for option in options]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def unknown_key_fault(places: TomlPlaces, path: KeyPath, known: Iterable[str], *, hint: str | None = None) -> Fault:
    """A key nobody reads: never passed over, because a misspelt setting would then be missed in silence.

    `hint` is the cure where no known key is spelt alike, such as the section the key belongs to.
    """
    key, names = str(path[-1]), sorted(known)
    table, item_of = path_text(path[:-1]), path[:-2] if len(path) > 1 and isinstance(path[-2], int) else None
    where = f"[[{path_text(item_of)}]]" if item_of is not None else f"[{table}]" if table else "the file"
    cure = did_you_mean(key, names, otherwise=hint or "Remove the key, or correct its name.")
    return Fault(
        place=places.place_of(path), found=f'the unknown key "{key}"', expected=f"a key of {where}: {', '.join(names)}", cure=cure
    )


def missing_key_fault(places: TomlPlaces, path: KeyPath, *, expected: str, example: str) -> Fault:
    """A required key that is not there; the place is that of its table. `example` is the line to add."""
    return Fault(
        place=places.place_of(path), found=f'no key "{path[-1]}"', expected=expected, cure=f"Add a line such as: {example}"
    )
