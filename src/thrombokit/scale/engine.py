"""The one place that starts processes: run a task over ranges of items, on one core or many, with the same answer.

A task is a module-level function `task(shared, start, stop) -> T`. It receives one shared value (pickled once a worker) and a range of
item numbers; its answer may depend on nothing else, so results are the same for any number of workers. Ranges are cut by `chunk`,
never by the number of workers. Workers are *spawned* (fork hangs or aborts with polars' and numba's threads) and keep polars, BLAS
and numba on one thread each.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

S = TypeVar("S")
T = TypeVar("T")
Task = Callable[[S, int, int], T]
Progress = Callable[[int], None]

_ONE_THREAD = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_shared_in_worker: Any = None


class Engine(Protocol):
    """Something that can run a task over `n_items` items."""

    @property
    def workers(self) -> int:
        """How many processes work at once."""
        ...

    def map_ranges(self, task: Task[S, T], shared: S, n_items: int, *, chunk: int, progress: Progress | None = None) -> list[T]:
        """Results of `task(shared, start, stop)` over consecutive ranges of at most `chunk` items, in order.

        `progress` is called with the number of items finished since the last call.
        """
        ...


def ranges(n_items: int, chunk: int) -> Iterator[tuple[int, int]]:
    """Consecutive (start, stop) pairs that cover 0..n_items."""
    for start in range(0, n_items, max(chunk, 1)):
        yield start, min(start + max(chunk, 1), n_items)


@dataclass(frozen=True)
class SerialEngine:
    """Everything in this process."""

    @property
    def workers(self) -> int:
        """Always 1."""
        return 1

    def map_ranges(self, task: Task[S, T], shared: S, n_items: int, *, chunk: int, progress: Progress | None = None) -> list[T]:
        """See `Engine.map_ranges`."""
        results: list[T] = []
        for start, stop in ranges(n_items, chunk):
            results.append(task(shared, start, stop))
            if progress is not None:
                progress(stop - start)
        return results


def _receive(shared: Any) -> None:
    global _shared_in_worker
    _shared_in_worker = shared


def _run(task: Task[Any, T], start: int, stop: int) -> T:
    return task(_shared_in_worker, start, stop)


@dataclass(frozen=True)
class ProcessEngine:
    """A pool of spawned processes, made for one call and gone after it."""

    n_workers: int

    @property
    def workers(self) -> int:
        """How many processes work at once."""
        return self.n_workers

    def map_ranges(self, task: Task[S, T], shared: S, n_items: int, *, chunk: int, progress: Progress | None = None) -> list[T]:
        """See `Engine.map_ranges`. A single range is run here: a pool would only cost its start. Ends at once when interrupted."""
        cuts = list(ranges(n_items, chunk))
        if len(cuts) <= 1:
            return SerialEngine().map_ranges(task, shared, n_items, chunk=chunk, progress=progress)
        others = set(multiprocessing.active_children())
        with _one_thread_each():
            pool = ProcessPoolExecutor(
                min(self.n_workers, len(cuts)), multiprocessing.get_context("spawn"), initializer=_receive, initargs=(shared,)
            )
            try:
                futures: list[Future[T]] = []
                with _children_deaf_to_interrupts():
                    for start, stop in cuts:
                        future = pool.submit(_run, task, start, stop)
                        if progress is not None:
                            future.add_done_callback(lambda _, n=stop - start: progress(n))
                        futures.append(future)
                return [future.result() for future in futures]
            except BaseException:
                for worker in set(multiprocessing.active_children()) - others:
                    worker.terminate()  # nobody waits for its answer any more
                raise
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _children_deaf_to_interrupts() -> Generator[None]:
    """Ctrl-C goes to all processes of a terminal: those started here do not hear it, this one hears it on leaving and ends them.

    Inside, an interrupt is only noted: one between the start of a process and its entry in the list would leave it behind.
    """
    heard: list[int] = []
    in_main_thread = threading.current_thread() is threading.main_thread()  # nobody else may say what signals do, or hears them
    handler = signal.signal(signal.SIGINT, lambda number, _: heard.append(number)) if in_main_thread else None
    can_hold_back = hasattr(signal, "pthread_sigmask")  # not on Windows
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if can_hold_back else None  # processes inherit the mask
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if in_main_thread:
            signal.signal(signal.SIGINT, handler)
    if heard:
        raise KeyboardInterrupt


class _one_thread_each:
    """Set the thread counts that spawned workers inherit, and put this process's environment back after."""

    def __enter__(self) -> None:
        self.before = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))

    def __exit__(self, *_: object) -> None:
        for name, value in self.before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def make_engine(workers: int) -> Engine:
    """`SerialEngine` for 1 worker, `ProcessEngine` for more."""
    return SerialEngine() if workers <= 1 else ProcessEngine(workers)
