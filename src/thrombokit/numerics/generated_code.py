"""Compile kernels whose source we generate, and find them again in the next process.

The source becomes a module file in the folder where compiled kernels are kept, named by the hash of its text, so that numba's own cache
works for it. The file is written beside and renamed, once: two processes may do so at the same moment. Its text is compared before use.
Where no folder can be written, the same source is compiled for this process alone.

The source must hold nothing that a user wrote: whoever generates it builds it from checked values.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from thrombokit.numerics import jit

_PREFIX = "thrombokit_generated_"
_PREAMBLE = "CACHE = {cache}\n"


class _SourceLoader(importlib.abc.InspectLoader):
    """Loads a module from a text in hand."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file

    def get_source(self, fullname: str) -> str:
        return self.text

    def get_code(self, fullname: str) -> Any:
        return self.source_to_code(self.text, self.file)


def load_generated(source: str) -> ModuleType:
    """The module of a generated source.

    Parameters
    ----------
    source : str
        Python source; it may use the name `CACHE` (bool: whether numba can keep what is compiled), and nothing of a user's text.

    Returns
    -------
    module
        The same object for the same source within a process.
    """
    name = _PREFIX + hashlib.sha256(source.encode()).hexdigest()[:32]
    if name in sys.modules:
        return sys.modules[name]
    text = _PREAMBLE.format(cache=True) + source
    file = _written(text, name)
    if file is None:
        text = _PREAMBLE.format(cache=False) + source
    loader = _SourceLoader(text, str(file) if file else f"<{name}>")
    spec = importlib.util.spec_from_loader(name, loader, origin=loader.file)
    if spec is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _folder() -> Path | None:
    """Where generated sources are kept, or None where nothing is."""
    if not jit.CACHED:
        return None
    named = os.environ.get("NUMBA_CACHE_DIR")
    folder = (Path(named) if named else Path(jit.__file__).parent / "__pycache__") / "generated"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return folder


def _written(text: str, name: str) -> Path | None:
    """The file with exactly this text, written if need be; None where that cannot be."""
    folder = _folder()
    if folder is None:
        return None
    file = folder / f"{name}.py"
    try:
        if file.exists() and file.read_text(encoding="utf-8") == text:
            return file
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as part:
            part.write(text)
        if file.exists() and file.read_text(encoding="utf-8") == text:
            os.unlink(temporary)  # another process was first: its file keeps the time stamp that the cache knows
        else:
            os.replace(temporary, file)
    except OSError:
        return None
    return file
