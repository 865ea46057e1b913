"""Samples become FCS 3.1 files, as stored: amplifiers, gains and the spillover keyword ride along and are not applied.

DATA beyond byte 99,999,999 is announced in TEXT alone, with zeros in HEADER, as the standard says.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thrombokit.cells.sample import Sample
from thrombokit.errors import Fault, FileFormatError, InputError
from thrombokit.io.fcs_header import LENGTH
from thrombokit.io.fcs_spillover import NAMED

LAST_IN_HEADER = 99_999_999
PLACE_DIGITS = 20
OWN = re.compile(r"\$(BEGIN|END)(DATA|STEXT|ANALYSIS)|\$(TOT|PAR|BYTEORD|DATATYPE|MODE|NEXTDATA)|\$P\d+(B|R|N|S|E|G|DATATYPE)")
"""Keywords written from the sample itself, never copied."""
DELIMITERS = "/|\\!~^\x0c\x1e\x1d\x1c#%&*;`"


def write_fcs(sample: Sample, path: str | Path) -> None:
    """Write a sample's stored events as FCS 3.1, least byte first.

    Parameters
    ----------
    sample : Sample
        Floats are written as F or D, unsigned integers with 8 to 64 bits; keywords are copied but for those that describe the file.
    path : path
        Replaced if it exists, in one step: a reader never sees half a file.

    Raises
    ------
    InputError
        If the sample cannot be said in FCS: signed integers, a logarithmic amplifier on floats, values beyond the range.
    FileFormatError
        If the file cannot be written.
    """
    path = Path(path)
    values = np.asarray(sample.stored)
    faults = _faults(sample, values)
    if faults:
        raise InputError(faults)
    keywords = _keywords(sample, values)
    text = _text(keywords, sample.name)
    first = LENGTH + len(text)
    last = first + values.nbytes - 1 if values.nbytes else 0
    text = _text({**keywords, **_places(first if last else 0, last)}, sample.name)
    in_header = (first, last) if 0 < last <= LAST_IN_HEADER else (0, 0)
    numbers = (LENGTH, LENGTH + len(text) - 1, *in_header, 0, 0)
    header = b"FCS3.1    " + b"".join(f"{number:>8d}".encode() for number in numbers)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(header + text)
                for start in range(0, len(values), 1 << 16):
                    part = values[start : start + (1 << 16)]
                    file.write(part.astype(values.dtype.newbyteorder("<"), order="C").tobytes())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        cure = "Choose a folder that exists and may be written to."
        found = error.strerror or str(error)
        raise FileFormatError(Fault(place=str(path), found=found, expected="a file to write", cure=cure)) from None


def _faults(sample: Sample, values: NDArray[Any]) -> list[Fault]:
    faults: list[Fault] = []

    def fault(where: str, found: str, expected: str, cure: str) -> None:
        faults.append(Fault(place=f"{sample.name}{where}", found=found, expected=expected, cure=cure))

    if not sample.channels:
        fault("", "no channels", "at least one", "Write a sample that holds channels.")
    if values.dtype.kind == "i" or (values.dtype.kind == "f" and values.dtype.itemsize not in (4, 8)):
        fault("", f"events of type {values.dtype}", "float32, float64 or unsigned integers", "Convert the events to float64.")
    for column, channel in enumerate(sample.channels):
        where = f", channel {channel.name}"
        if values.dtype.kind == "f" and not channel.is_linear:
            fault(where, "a logarithmic amplifier on floats", "linear floats, or integers", 'Write the "decoded" events instead.')
        if values.dtype.kind == "u" and len(values):
            full, top = _range(channel.range_max, values.dtype), int(values[:, column].max())
            if top > (1 << (full - 1).bit_length()) - 1:
                fault(where, f"the value {top}", f"values below the range {full}", "Correct the channel's range_max.")
        if not channel.name.strip() or channel.name != channel.name.strip():
            fault(where, f"the name {channel.name!r}", "a name without spaces around it", "Rename the channel.")
    for name in sample.spillover.channels if sample.spillover else ():
        if "," in name:
            fault(", $SPILLOVER", f"the channel name {name!r}", "names without a comma, which parts them", "Rename the channel.")
    return faults


def _range(said: float | None, dtype: np.dtype[Any]) -> int:
    """The end of an integer scale, 2 to 2^bits."""
    whole = 1 << (8 * dtype.itemsize)
    return whole if said is None else min(max(int(np.ceil(said)), 2), whole)


def _keywords(sample: Sample, values: NDArray[Any]) -> dict[str, str]:
    kind = "I" if values.dtype.kind == "u" else {4: "F", 8: "D"}[values.dtype.itemsize]
    said = {
        **_places(0, 0), "$BEGINSTEXT": "0", "$ENDSTEXT": "0", "$BEGINANALYSIS": "0", "$ENDANALYSIS": "0", "$MODE": "L",
        "$NEXTDATA": "0", "$BYTEORD": "1,2,3,4", "$DATATYPE": kind, "$PAR": str(len(sample.channels)), "$TOT": str(len(values)),
    }  # fmt: skip
    for number, channel in enumerate(sample.channels, start=1):
        full = channel.range_max
        said[f"$P{number}N"] = channel.name
        said[f"$P{number}B"] = str(8 * values.dtype.itemsize)
        if kind == "I":
            said[f"$P{number}R"] = str(_range(full, values.dtype))
        else:
            said[f"$P{number}R"] = "262144" if full is None else str(int(full)) if full == int(full) else repr(full)
        said[f"$P{number}E"] = "0,0" if channel.is_linear else f"{channel.decades!r},{channel.log_offset!r}"
        if channel.gain != 1.0:
            said[f"$P{number}G"] = repr(channel.gain)
        if channel.label:
            said[f"$P{number}S"] = channel.label
    own_matrix = sample.spillover is not None
    said.update({k: v for k, v in sample.keywords.items() if not OWN.fullmatch(k) and not (own_matrix and k in NAMED)})
    if sample.spillover is not None:
        numbers = ",".join(repr(float(value)) for value in sample.spillover.matrix.ravel())
        said["$SPILLOVER"] = f"{len(sample.spillover.channels)},{','.join(sample.spillover.channels)},{numbers}"
    return said


def _places(first: int, last: int) -> dict[str, str]:
    return {"$BEGINDATA": f"{first:0{PLACE_DIGITS}d}", "$ENDDATA": f"{last:0{PLACE_DIGITS}d}"}


def _text(keywords: dict[str, str], name: str) -> bytes:
    """TEXT with a delimiter that occurs nowhere else; an empty value is written as one space, as none may be empty."""
    whole = "".join(keywords) + "".join(keywords.values())
    delimiter = next((mark for mark in DELIMITERS if mark not in whole), None)
    if delimiter is None:
        cure = "Remove one of these characters from the keywords."
        found = "keywords that hold every character that could part them"
        raise InputError(Fault(place=name, found=found, expected=f"one of {DELIMITERS!r} unused", cure=cure))
    return (delimiter + "".join(f"{key}{delimiter}{value or ' '}{delimiter}" for key, value in keywords.items())).encode("utf-8")
