"""One core or many: the same answer, errors that arrive, progress that adds up, an environment put back."""

from __future__ import annotations

import os

import numpy as np
import pytest

from thrombokit.errors import Fault, FileFormatError
from thrombokit.numerics.streams import stream
from thrombokit.scale.engine import ProcessEngine, SerialEngine, make_engine, ranges


def draw(seed: int, start: int, stop: int) -> np.ndarray:
    return np.array([stream(seed, "item", i).random() for i in range(start, stop)])


def refuse_the_seventh(shared: str, start: int, stop: int) -> int:
    if start <= 7 < stop:
        raise FileFormatError(Fault(place=f"{shared}, item 7", found="a fault", expected="none", cure="Mend it."))
    return stop - start


def thread_limits(_: None, start: int, stop: int) -> tuple[str | None, ...]:
    return tuple(os.environ.get(n) for n in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"))


def process_number(_: None, start: int, stop: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("n_items, chunk", [(0, 3), (1, 3), (3, 3), (10, 3), (10, 1), (5, 0)])
def test_ranges_cover_every_item_once(n_items: int, chunk: int) -> None:
    covered = [i for start, stop in ranges(n_items, chunk) for i in range(start, stop)]
    assert covered == list(range(n_items))
    assert all(0 < stop - start <= max(chunk, 1) for start, stop in ranges(n_items, chunk))


def test_a_pool_gives_the_serial_answer_and_counts_every_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
    told: dict[str, list[int]] = {"serial": [], "pool": []}
    serial = SerialEngine().map_ranges(draw, 5, 23, chunk=4, progress=told["serial"].append)
    pool = ProcessEngine(2).map_ranges(draw, 5, 23, chunk=4, progress=told["pool"].append)
    assert [part.tobytes() for part in pool] == [part.tobytes() for part in serial]
    assert sum(told["serial"]) == sum(told["pool"]) == 23
    assert sorted(told["pool"]) == sorted(told["serial"]) == [3, 4, 4, 4, 4, 4]
    assert os.environ["OMP_NUM_THREADS"] == "3", "the caller's environment is put back"
    assert "POLARS_MAX_THREADS" not in os.environ


def test_workers_are_other_processes_with_one_thread_each() -> None:
    assert ProcessEngine(2).map_ranges(thread_limits, None, 2, chunk=1) == [("1", "1", "1")] * 2
    assert os.getpid() not in ProcessEngine(2).map_ranges(process_number, None, 2, chunk=1)


@pytest.mark.parametrize("engine", [SerialEngine(), ProcessEngine(2)], ids=["serial", "pool"])
def test_an_error_in_a_task_reaches_the_caller_whole(engine: SerialEngine | ProcessEngine) -> None:
    with pytest.raises(FileFormatError) as caught:
        engine.map_ranges(refuse_the_seventh, "fits.csv", 12, chunk=3)
    assert str(caught.value) == "fits.csv, item 7: found a fault; expected none. Mend it."
    assert caught.value.faults[0].cure == "Mend it."


def test_a_single_range_starts_no_process() -> None:
    assert ProcessEngine(4).map_ranges(process_number, None, 3, chunk=3) == [os.getpid()]
    assert ProcessEngine(4).map_ranges(process_number, None, 0, chunk=3) == []


def test_make_engine() -> None:
    assert make_engine(1) == SerialEngine()
    assert make_engine(0).workers == 1
    assert make_engine(3) == ProcessEngine(3)
    assert make_engine(3).workers == 3
