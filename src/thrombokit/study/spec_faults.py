"""What pydantic found wrong with a study file, said in the words of a study file."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterable, Iterator
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from thrombokit.domain.toml_faults import did_you_mean, found_words, missing_key_fault, unknown_key_fault
from thrombokit.domain.toml_places import KeyPath, path_text
from thrombokit.domain.toml_text import TomlDocument
from thrombokit.errors import Fault

_PLACE = re.compile(r":(\d+)(?:, column (\d+))?")


def faults_of(error: ValidationError, document: TomlDocument, *, root: type[BaseModel]) -> list[Fault]:
    """One `Fault` for each error of a validation of `document` against the model `root`."""
    told = error.errors(include_url=False, include_context=False)
    # a list whose items are wrong counts as empty besides
    return [_fault(details, document, root=root) for details in told if details["type"] != "too_short" or not details["input"]]


def in_file_order(faults: Iterable[Fault]) -> list[Fault]:
    """Faults by line; those without one first."""

    def line_of(fault: Fault) -> int:
        matched = _PLACE.search(fault.place)
        return int(matched[1]) if matched else 0

    return sorted(faults, key=line_of)


def _fault(details: ErrorDetails, document: TomlDocument, *, root: type[BaseModel]) -> Fault:
    path: KeyPath = details["loc"]
    places = document.places
    if details["type"] == "extra_forbidden":
        return _unknown_key(path, document, root=root)
    field = _field_at(root, path)
    expected = field.description or "another value" if field else "another value"
    if details["type"] == "missing":
        return missing_key_fault(places, path, expected=expected, example=_line_to_write(path, field))
    value = details["input"]
    if isinstance(path[-1], int) and _holds_tables(field):
        expected = f"a table [[{path_text(path[:-1])}]]"
    found = f"a list of {len(value)}" if details["type"] in ("too_short", "too_long") else found_words(value)
    return Fault(place=places.place_of(path), found=found, expected=expected, cure=_cure(path, value, field))


def _unknown_key(path: KeyPath, document: TomlDocument, *, root: type[BaseModel]) -> Fault:
    key = str(path[-1])
    known = _keys_of(_model_at(root, path[:-1]))
    homes = [table for table, model in _tables_of(root) if key in _keys_of(model)]
    hint = f"It is a key of {' and of '.join(homes)}; write it there." if homes else None
    return unknown_key_fault(document.places, path, known, hint=hint)


def _cure(path: KeyPath, value: object, field: FieldInfo | None) -> str:
    key = path_text(path)
    if isinstance(path[-1], int) and _holds_tables(field):
        return f"Write [[{path_text(path[:-1])}]] on a line of its own, and its keys below."
    annotation = field.annotation if field else None
    if _model_in(annotation) is not None:
        brackets = f"[[{key}]] with two brackets" if get_origin(annotation) is tuple else f"[{key}]"
        return f"Write {brackets} on a line of its own, and its keys below."
    if path == ("schema",):
        return "Write schema = 1, or use the version of thrombokit that the file was written for."
    if get_origin(annotation) is Literal:
        return did_you_mean(str(value), map(str, get_args(annotation)), otherwise=f"Write it so: {_line_to_write(path, field)}")
    if _is_list(annotation) and not isinstance(value, list) and not isinstance(path[-1], int):
        return f"Write it as a list, such as: {_line_to_write(path, field)}"
    wants_text = str in _kinds(annotation)
    if _is_list(annotation):
        return f"Correct it, such as: {_line_to_write(path, field)}"
    if wants_text and not isinstance(value, str):
        return f"Write a text in quotes, such as: {_line_to_write(path, field)}"
    if not wants_text and isinstance(value, str):
        return f"Write it without quotes, such as: {_line_to_write(path, field)}"
    return f"Correct it, such as: {_line_to_write(path, field)}"


def _line_to_write(path: KeyPath, field: FieldInfo | None) -> str:
    key = next(part for part in reversed(path) if isinstance(part, str))
    if field is None or _model_in(field.annotation) is not None:
        return f"[{path_text(path)}]"
    examples = field.examples or [""]
    return f"{key} = {json.dumps(examples[0], ensure_ascii=False)}"


def _holds_tables(field: FieldInfo | None) -> bool:
    """Whether the items of a list are tables, or nobody knows."""
    return field is None or _model_in(field.annotation) is not None


def _is_list(annotation: Any) -> bool:
    """Whether an annotation is a tuple of plain values, or such a tuple or None."""
    inner = get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation
    if get_origin(inner) in (Union, types.UnionType):
        return any(_is_list(one) for one in get_args(inner))
    return get_origin(inner) is tuple


def _kinds(annotation: Any) -> set[Any]:
    """The plain types inside an annotation: `Label | None` -> {str, NoneType}."""
    arguments = get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return set[Any]().union(*(_kinds(argument) for argument in arguments))
    return {arguments[0] if hasattr(annotation, "__metadata__") else annotation}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside `Model`, `Model | None` or `tuple[Model, ...]`; None where there is none."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _keys_of(model: type[BaseModel] | None) -> tuple[str, ...]:
    return tuple(_fields_of(model)) if model else ()


def _field_at(root: type[BaseModel], path: KeyPath) -> FieldInfo | None:
    keys = [part for part in path if isinstance(part, str)]
    model = _model_at(root, tuple(keys[:-1]))
    return _fields_of(model).get(keys[-1]) if model and keys else None


def _model_at(root: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    model: type[BaseModel] | None = root
    for key in (part for part in path if isinstance(part, str)):
        field = _fields_of(model).get(key) if model else None
        model = _model_in(field.annotation) if field else None
    return model


def _tables_of(root: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """("[plate]", PlateSection), ("[[plate.files]]", PlateFile), ..."""
    for key, field in _fields_of(root).items():
        model = _model_in(field.annotation)
        if model is not None:
            name = f"{path}.{key}" if path else key
            yield (f"[[{name}]]" if get_origin(field.annotation) is tuple else f"[{name}]"), model
            yield from _tables_of(model, name)
