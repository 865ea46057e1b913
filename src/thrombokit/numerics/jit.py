"""Compile numeric kernels once and keep them: numba with a cache that always finds a place to write.

numba refuses to import a cached kernel when neither the package's folder nor the user's cache folder can be written. Here a private
folder below the temporary directory is tried next; where even that is closed, kernels compile afresh in each process.
Kernels are single-threaded: whatever runs on many cores does so through `scale.engine`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _private_folder() -> Path | None:
    """A cache folder below the temporary directory that belongs to this user alone, or None."""
    owner = os.getuid() if hasattr(os, "getuid") else 0
    try:
        root = Path(tempfile.gettempdir())
    except OSError:
        return None
    if root.resolve() == Path.cwd().resolve():  # what tempfile falls back on when all else is closed; no place to leave a cache
        return None
    folder = root / f"thrombokit-kernels-{owner}"
    if not _writable(folder):
        return None
    if hasattr(os, "getuid") and folder.stat().st_uid != owner:
        return None
    return folder


def _choose_cache() -> bool:
    """Point numba at a folder it can write; False when there is none."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return _writable(Path(os.environ["NUMBA_CACHE_DIR"]))
    if _writable(Path(__file__).parent / "__pycache__"):
        return True
    folder = _private_folder()
    if folder is not None:
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return folder is not None


CACHED = _choose_cache()

import numba  # noqa: E402  (numba reads NUMBA_CACHE_DIR when it is imported)


def kernel(function: F) -> F:
    """Compile `function` with numba (nopython, one thread, no fast-math), cached on disk where possible."""
    options: dict[str, Any] = {"cache": CACHED, "fastmath": False, "error_model": "numpy", "no_cfunc_wrapper": True}
    compiled: Any = numba.njit(**options)(function)
    return compiled


def typed_kernel(signature: Any) -> Callable[[F], F]:
    """Compile a function for one explicit numba signature, as `kernel` does otherwise.

    Such a kernel is compiled when its module is imported (or read from the cache), and can itself be handed to a kernel as a function:
    numba passes it by address, so the receiving kernel is compiled once and not once for each function it is given.
    """
    options: dict[str, Any] = {"cache": CACHED, "fastmath": False, "error_model": "numpy"}
    decorate: Any = numba.njit(signature, **options)
    return decorate


def borrowing_kernel(signature: Any) -> Callable[[F], F]:
    """A `typed_kernel` that only borrows the arrays it is given and makes none of its own.

    It keeps no count of who holds an array, which for small systems costs more than the arithmetic. numba refuses to compile one that would
    allocate. Its caller has to hold the arrays, as a Python caller always does.
    """
    options: dict[str, Any] = {"cache": CACHED, "fastmath": {"contract"}, "error_model": "numpy", "_nrt": False}
    decorate: Any = numba.njit(signature, **options)
    return decorate


def folded_kernel(signature: Any) -> Callable[[F], F]:
    """A `borrowing_kernel` whose compiled code is put into every kernel that calls it: handing many arrays to a call costs as much as short work."""
    options: dict[str, Any] = {
        "cache": CACHED,
        "fastmath": {"contract"},
        "error_model": "numpy",
        "_nrt": False,
        "forceinline": True,
    }
    decorate: Any = numba.njit(signature, **options)
    return decorate


def lean_kernel(function: F) -> F:
    """A `kernel` that, like a `folded_kernel`, keeps no count of who holds an array and is put into its callers; for what such kernels call."""
    options: dict[str, Any] = {
        "cache": CACHED,
        "fastmath": False,
        "error_model": "numpy",
        "no_cfunc_wrapper": True,
        "_nrt": False,
        "forceinline": True,
    }
    compiled: Any = numba.njit(**options)(function)
    return compiled


def inlined(function: F) -> F:
    """Have the code of `function` put into every kernel that calls it, for inner loops: handing arrays to a call costs some ns each."""
    decorated: Any = numba.njit(inline="always", fastmath=False, error_model="numpy")(function)
    return decorated


def kernels_are_cached() -> bool:
    """Whether compiled kernels from an earlier process are at hand; when not, the first fit takes some seconds to compile."""
    if not CACHED:
        return False
    named = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(named) if named else Path(__file__).parent / "__pycache__"
    return any(folder.rglob("logistic_fit.*.nbi"))
