"""The HEADER of an FCS data set: version, and where TEXT and DATA stand.

58 bytes of ASCII: "FCS3.1", four spaces, then six numbers of eight characters, right-justified: first and last byte of TEXT, DATA and
ANALYSIS, counted from the start of the data set. DATA beyond byte 99,999,999 is written as 0 here and given in TEXT.
"""

from __future__ import annotations

from dataclasses import dataclass

from thrombokit.errors import Fault, FileFormatError

LENGTH = 58
VERSIONS = ("FCS2.0", "FCS3.0", "FCS3.1", "FCS3.2")
REEXPORT = "Export the file again from the cytometer's software as FCS 3.0 or 3.1; a copy may have been damaged or cut short."


@dataclass(frozen=True, kw_only=True)
class Segment:
    """First and last byte (inclusive), counted from the start of the data set; `source` is "HEADER" or "TEXT"."""

    first: int
    last: int
    source: str

    @property
    def length(self) -> int:
        """Bytes."""
        return self.last - self.first + 1


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the HEADER says; `data` is None where it gives no usable place."""

    version: str
    text: Segment
    data: Segment | None


def refused(place: str, found: str, expected: str, cure: str = REEXPORT) -> FileFormatError:
    """The error that refuses a file, for one reason."""
    return FileFormatError(Fault(place=place, found=found, expected=expected, cure=cure))


def whole_number(text: str) -> int | None:
    """A whole number >= 0 as FCS files write it (spaces, leading zeros, at most 20 digits), or None."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 20 else None


def parse_header(raw: bytes, size: int, place: str) -> Header:
    """Read a HEADER.

    Parameters
    ----------
    raw : bytes
        The first 58 bytes of the data set (fewer if the file ends before).
    size : int
        Bytes from the start of the data set to the end of the file.
    place : str
        The file, for messages.

    Raises
    ------
    FileFormatError
        If it is no FCS HEADER, of another version, or TEXT does not lie within the file.
    """
    if raw[:3] != b"FCS":
        cure = "Check that this is the .fcs or .lmd file itself, not a workspace, an archive or a picture."
        raise refused(place, f"the first bytes {raw[:6]!r}", 'an FCS file, which starts with "FCS"', cure)
    version = raw[:6].decode("latin-1")
    if version not in VERSIONS:
        raise refused(place, f"version {version!r}", ", ".join(VERSIONS))
    if len(raw) < LENGTH:
        raise refused(place, f"a file of {size} bytes", f"a HEADER of {LENGTH} bytes")
    numbers = [whole_number(raw[start : start + 8].decode("latin-1")) for start in range(10, 42, 8)]
    text_first, text_last, data_first, data_last = numbers
    if text_first is None or text_last is None or not (LENGTH <= text_first < text_last <= size):
        said = raw[10:26].decode("latin-1")
        raise refused(f"{place}, HEADER", f"TEXT at {said!r}", f"first and last byte between {LENGTH} and {size}")
    data = None
    if data_first and data_last:
        data = Segment(first=data_first, last=data_last, source="HEADER")
    return Header(version=version, text=Segment(first=text_first, last=min(text_last, size - 1), source="HEADER"), data=data)
