"""Small files replaced in one step: a reader never sees half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from thrombokit.errors import Fault, FileFormatError


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`, in the place of what may be there.

    Raises
    ------
    FileFormatError
        If the file cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        cure = "Choose a folder that exists and may be written to."
        found = error.strerror or str(error)
        raise FileFormatError(Fault(place=str(path), found=found, expected="a file to write", cure=cure)) from None


def read_bytes(path: Path, *, expected: str) -> bytes:
    """The bytes of a file that holds something.

    Raises
    ------
    FileFormatError
        If it is missing, a folder, empty, or may not be read; `expected` says what should be there.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise FileFormatError(
            Fault(place=path.name, found=found, expected=expected, cure="Check the name, the folder and the permissions.")
        ) from None
    if not data.strip():
        raise FileFormatError(Fault(place=path.name, found="an empty file", expected=expected, cure="Export it again."))
    return data
