"""Reads one TOML table key by key, and collects every fault instead of stopping at the first.

Each call asks for one key and says what it should hold; `close` then names the keys nobody asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar

from thrombokit.domain.toml_faults import did_you_mean, found_words, missing_key_fault, one_of, unknown_key_fault
from thrombokit.domain.toml_places import KeyPath, TomlPlaces
from thrombokit.errors import Fault

Choice = TypeVar("Choice", bound=StrEnum)


class TableReader:
    """One table of a TOML file.

    Parameters
    ----------
    values : dict
        The table as `tomllib` gives it.
    places : TomlPlaces
        Where its keys stand.
    faults : list of Fault
        Grows with each fault; shared by the readers of one file.
    path : KeyPath
        Where the table itself stands; () for the whole file.
    """

    def __init__(self, values: dict[str, Any], *, places: TomlPlaces, faults: list[Fault], path: KeyPath = ()) -> None:
        self.values = values
        self.places = places
        self.faults = faults
        self.path = path
        self._asked: set[str] = set()

    def schema(self, form: str) -> None:
        """Note a fault where the file does not say that it is of this form."""
        said = self.text("schema", expected=f'"{form}"', example=f'schema = "{form}"')
        if said is not None and said != form:
            self.fault("schema", expected=f'"{form}"', cure="Correct it; a file of a later form needs a later thrombokit.")

    def text(self, key: str, *, expected: str, example: str | None = None) -> str | None:
        """The text of a key, or None where it is absent or wrong. With an `example` (the line to add) the key is required."""
        value = self._value(key, expected=expected, example=example)
        if value is None:
            return None
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.fault(
            key,
            expected=expected,
            cure="Put the text in quotes." if not isinstance(value, str) else "Fill it in, or remove the key.",
        )
        return None

    def texts(self, key: str, *, expected: str) -> tuple[str, ...]:
        """A list of texts; () where it is absent or wrong."""
        value = self._value(key, expected=expected, example=None)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value):
            return tuple(item.strip() for item in value)
        self.fault(key, expected=expected, cure='Write a list of texts, such as ["A", "B"].')
        return ()

    def number(self, key: str, *, expected: str, example: str | None = None, above: float | None = None) -> float | None:
        """A finite number (greater than `above`), or None where it is absent or wrong."""
        value = self._value(key, expected=expected, example=example)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.fault(key, expected=expected, cure="Write the number without quotes, with a decimal point.")
            return None
        if not math.isfinite(value) or (above is not None and value <= above):
            self.fault(key, expected=expected, cure="Correct the number, or remove the key if it is not known.")
            return None
        return float(value)

    def whole_number(self, key: str, *, expected: str) -> int | None:
        """A whole number of 0 or more, or None where it is absent or wrong."""
        value = self._value(key, expected=expected, example=None)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.fault(key, expected=expected, cure="Write a whole number, or remove the key if it is not known.")
        return None

    def flag(self, key: str, *, expected: str) -> bool | None:
        """true or false, or None where it is absent or wrong."""
        value = self._value(key, expected=expected, example=None)
        if value is None or isinstance(value, bool):
            return value
        self.fault(key, expected=expected, cure="Write true or false, without quotes.")
        return None

    def choice(self, key: str, kind: type[Choice], *, example: str | None = None) -> Choice | None:
        """One of the values of `kind`, or None where it is absent or wrong."""
        options = [member.value for member in kind]
        expected = one_of(options)
        value = self._value(key, expected=expected, example=example)
        if value is None:
            return None
        if value in options:
            return kind(value)
        word = value if isinstance(value, str) else ""
        self.fault(key, expected=expected, cure=did_you_mean(word, options, otherwise="Choose one of these."))
        return None

    def anything(self, key: str, *, expected: str, example: str | None = None) -> Any:
        """The value of a key as it stands, for keys that may hold more than one kind; None where it is absent."""
        return self._value(key, expected=expected, example=example)

    def table(self, key: str) -> TableReader | None:
        """A table below this one, [key]; None where it is absent or no table."""
        value = self._value(key, expected=f"a table [{key}]", example=None)
        if value is None:
            return None
        if isinstance(value, dict):
            return TableReader(value, places=self.places, faults=self.faults, path=(*self.path, key))
        self.fault(key, expected=f"a table [{key}]", cure=f"Write [{key}] on a line of its own, and its keys below.")
        return None

    def tables(self, key: str) -> tuple[TableReader, ...]:
        """A list of tables, [[key]]; () where it is absent or none."""
        value = self._value(key, expected=f"tables [[{key}]]", example=None)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            paths = ((*self.path, key, index) for index in range(len(value)))
            return tuple(
                TableReader(item, places=self.places, faults=self.faults, path=path)
                for item, path in zip(value, paths, strict=True)
            )
        self.fault(key, expected=f"tables [[{key}]]", cure=f"Write [[{key}]] with two brackets before each of them.")
        return ()

    def fault(self, key: str, *, expected: str, cure: str, found: str | None = None) -> None:
        """Note a fault of one key; `found` is its value in words where not given."""
        path = (*self.path, key)
        words = found if found is not None else found_words(self.values.get(key))
        self.faults.append(Fault(place=self.places.place_of(path), found=words, expected=expected, cure=cure))

    def close(self, *, passed_over: Iterable[str] = ()) -> None:
        """Note a fault for each key that was not asked for, but for those `passed_over`."""
        known = self._asked | set(passed_over)
        for key in self.values:
            if key not in known:
                self.faults.append(unknown_key_fault(self.places, (*self.path, key), known))

    def _value(self, key: str, *, expected: str, example: str | None) -> Any:
        self._asked.add(key)
        if key in self.values:
            return self.values[key]
        if example is not None:
            self.faults.append(missing_key_fault(self.places, (*self.path, key), expected=expected, example=example))
        return None


def plain_numbers(value: Any) -> tuple[float, ...] | None:
    """The numbers of a list that holds nothing else, or None: true and false are no numbers."""
    if not isinstance(value, list) or not all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
        return None
    return tuple(float(item) for item in value)
