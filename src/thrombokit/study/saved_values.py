"""Frozen dataclasses <-> plain JSON values, driven by their type hints: what `plain` wrote, `typed` makes again, equal in every field.

Arrays become lists, tuples lists, dictionaries with keys that are no text lists of pairs; not-a-number and infinities become null, "inf" or
"-inf". Where a hint allows several dataclasses, the value says which under "type". Tables have files of their own: a DataFrame field
is left out here, found by `tables_in` under its path ("gating.populations"), and given back through `tables`.
"""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum, EnumType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import polars as pl

T = TypeVar("T")
TYPE = "type"


def plain(value: Any, hint: Any = Any) -> Any:
    """`value` as JSON can hold it; `hint` is its declared type."""
    if is_dataclass(value) and not isinstance(value, type):
        document = {name: plain(getattr(value, name), kind) for name, kind in _hints(type(value)).items() if not _is_table(kind)}
        return {TYPE: type(value).__name__, **document} if len(_dataclasses_in(hint)) > 1 else document
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, Mapping):
        return _plain_mapping(value, hint)
    if isinstance(value, tuple | list):
        return [plain(item, _item_hint(hint, i)) for i, item in enumerate(value)]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, int) and not isinstance(value, bool) and _is_float(hint):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def tables_in(value: Any, path: str = "") -> dict[str, pl.DataFrame]:
    """The DataFrame fields of a dataclass and of the dataclasses it holds as fields, by path."""
    found: dict[str, pl.DataFrame] = {}
    for name, hint in _hints(type(value)).items():
        field = getattr(value, name)
        if _is_table(hint):
            found[path + name] = field
        elif is_dataclass(field) and not isinstance(field, type):
            found |= tables_in(field, f"{path}{name}.")
    return found


def typed(kind: type[T], document: Any, *, tables: Mapping[str, pl.DataFrame] | None = None, path: str = "") -> T:
    """The dataclass `kind` from what `plain` made of one; its DataFrame fields from `tables`, by their path below `path`.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the document is of another shape.
    """
    values: dict[str, Any] = {}
    for name, hint in _hints(kind).items():
        if _is_table(hint):
            values[name] = (tables or {})[path + name]
        elif document[name] is not None and len(inner := _dataclasses_in(hint)) == 1 and isinstance(document[name], dict):
            values[name] = typed(inner[0], document[name], tables=tables, path=f"{path}{name}.")
        else:
            values[name] = _typed(hint, document[name])
    return kind(**values)


def _typed(hint: Any, document: Any) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _typed_union(hint, document)
    if isinstance(hint, type) and is_dataclass(hint):
        return typed(hint, document)
    if origin is tuple:
        return tuple(_typed(_item_hint(hint, i), item) for i, item in enumerate(document))
    if origin in (dict, Mapping) or hint is dict:
        key, item = get_args(hint) or (str, Any)
        pairs = document.items() if isinstance(document, dict) else document
        return {_typed(key, k): _typed(item, v) for k, v in pairs}
    if origin is np.ndarray:
        kind = get_args(get_args(hint)[1])[0] if len(get_args(hint)) > 1 else np.float64
        return np.array(_numbers(document), dtype=None if kind is Any else kind)
    if hint is float or (hint is Any and document in ("inf", "-inf")):
        return _number(document)
    if isinstance(hint, EnumType):
        return hint(document)
    return document


def _typed_union(hint: Any, document: Any) -> Any:
    choices = _dataclasses_in(hint)
    if isinstance(document, dict) and choices:
        chosen = choices[0] if len(choices) == 1 else next(c for c in choices if c.__name__ == document[TYPE])
        return typed(chosen, document)
    if document is None and type(None) in get_args(hint):
        return None
    others = [one for one in get_args(hint) if one is not type(None) and one not in choices]
    return _typed(others[0], document) if others else document


def _plain_mapping(value: Mapping[Any, Any], hint: Any) -> Any:
    item = get_args(hint)[1] if len(get_args(hint)) == 2 else Any
    if all(isinstance(key, str) for key in value):
        return {key: plain(one, item) for key, one in value.items()}
    return [[plain(key), plain(one, item)] for key, one in value.items()]


def _number(document: Any) -> float:
    return math.nan if document is None else float(document)


def _numbers(document: Any) -> Any:
    if isinstance(document, list):
        return [_numbers(item) for item in document]
    return _number(document) if document in (None, "inf", "-inf") else document


def _item_hint(hint: Any, index: int) -> Any:
    arguments = get_args(hint) if get_origin(hint) is tuple else ()
    if not arguments:
        return Any
    return arguments[0] if len(arguments) == 2 and arguments[1] is Ellipsis else arguments[min(index, len(arguments) - 1)]


def _dataclasses_in(hint: Any) -> list[Any]:
    kinds = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return [kind for kind in kinds if isinstance(kind, type) and is_dataclass(kind)]


def _is_float(hint: Any) -> bool:
    """Whether a value of that hint is read back as a float: 3 in such a field is written 3.0."""
    kinds = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return next((kind for kind in kinds if kind is not type(None)), None) is float


def _is_table(hint: Any) -> bool:
    return hint is pl.DataFrame


@functools.cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    found = get_type_hints(kind)
    return {field.name: found[field.name] for field in fields(kind) if field.init}
