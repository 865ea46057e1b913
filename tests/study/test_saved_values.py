"""Dataclasses through JSON and back."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from thrombokit.study.saved_values import plain, tables_in, typed


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Left:
    x: float


@dataclass(frozen=True, kw_only=True)
class Right:
    x: int
    more: tuple[Left, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Whole:
    name: str
    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    side: Left | Right | None
    maybe: float | None
    by_key: dict[tuple[str, float | None], Left]
    by_name: dict[str, NDArray[np.int64]]
    colour: Colour
    spans: tuple[tuple[float, float], ...]
    pair: tuple[str, int]
    table: pl.DataFrame = field(default_factory=pl.DataFrame)


WHOLE = Whole(
    name="a", values=np.array([[1.5, math.nan], [math.inf, -math.inf]]), counts=np.array([3, 4]), side=Right(x=2, more=(Left(x=math.nan),)),
    maybe=None, by_key={("d", None): Left(x=1.0), ("e", 2.0): Left(x=-math.inf)}, by_name={"k": np.array([1])}, colour=Colour.RED,
    spans=((0.0, 1.0), (2.0, 3.0)), pair=("p", 7), table=pl.DataFrame({"a": [1]}),
)  # fmt: skip


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(plain(value), allow_nan=False))


def test_every_field_comes_back() -> None:
    back = typed(Whole, through_json(WHOLE), tables={"table": WHOLE.table})
    assert np.array_equal(back.values, WHOLE.values, equal_nan=True)
    assert back.values.dtype == np.float64
    assert back.counts.dtype == np.int64
    assert back.counts.tolist() == [3, 4]
    assert isinstance(back.side, Right)
    assert math.isnan(back.side.more[0].x)
    assert back.maybe is None
    assert back.by_key == WHOLE.by_key
    assert back.by_name["k"].tolist() == [1]
    assert back.colour is Colour.RED
    assert (back.spans, back.pair, back.name) == (WHOLE.spans, WHOLE.pair, "a")
    assert back.table is WHOLE.table


@dataclass(frozen=True, kw_only=True, eq=False)
class Outer:
    inner: Whole | None
    name: str


def test_tables_are_found_by_their_path() -> None:
    from_disk = {"inner.table": pl.DataFrame({"a": [2]})}
    outer = Outer(inner=WHOLE, name="o")
    found = tables_in(outer)
    assert list(found) == ["inner.table"]
    assert found["inner.table"] is WHOLE.table
    back = typed(Outer, through_json(outer), tables=from_disk)
    assert back.inner is not None
    assert back.inner.table is from_disk["inner.table"]
    assert typed(Outer, through_json(Outer(inner=None, name="o"))).inner is None


def test_a_second_trip_changes_nothing() -> None:
    document = through_json(WHOLE)
    assert through_json(typed(Whole, document, tables={"table": WHOLE.table})) == document


def test_a_document_of_another_shape_is_refused() -> None:
    document = through_json(WHOLE)
    del document["name"]
    with pytest.raises(KeyError):
        typed(Whole, document, tables={"table": WHOLE.table})


def test_a_whole_number_in_a_field_of_floats_is_written_as_it_is_read_back() -> None:
    spans = ((0, 1), (2, 3))
    whole = json.dumps(plain(replace(WHOLE, maybe=3, spans=spans, side=Left(x=2))))
    back = typed(Whole, json.loads(whole), tables={"table": WHOLE.table})
    assert json.dumps(plain(back)) == whole
    assert isinstance(back.maybe, float)
