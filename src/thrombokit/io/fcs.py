"""FCS files become samples: versions 2.0, 3.0, 3.1 and 3.2.

HEADER says where TEXT stands, TEXT what the channels are and where DATA stands, DATA holds the events; each has a module of its own. What
is odd but readable is told in the sample's notes; what cannot be read right is refused. Declared sizes are never trusted beyond the file's.

References
----------
Spidlen J et al. (2010) Data File Standard for Flow Cytometry, version FCS 3.1. Cytometry A 77:97-100, doi:10.1002/cyto.a.20825.
Spidlen J et al. (2021) FCS 3.2. Cytometry A 99:100-102, doi:10.1002/cyto.a.24225.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thrombokit.cells.sample import Sample
from thrombokit.errors import FileFormatError
from thrombokit.io.fcs_channels import read_channels
from thrombokit.io.fcs_data import Bytes, byte_order, decode_data
from thrombokit.io.fcs_header import LENGTH, Header, parse_header, refused, whole_number
from thrombokit.io.fcs_segment import find_events
from thrombokit.io.fcs_spillover import read_spillover
from thrombokit.io.fcs_text import parse_text

MOST_DATA_SETS = 1000


@dataclass(frozen=True, kw_only=True)
class _DataSet:
    """One data set's HEADER and keywords; `raw` reaches from its first byte to the end of the file."""

    raw: Bytes
    header: Header
    keywords: dict[str, str]
    notes: list[str]


def read_fcs(path: str | Path, *, data_set: int = 1) -> Sample:
    """Read one data set of an FCS file.

    Parameters
    ----------
    path : path
        The file (.fcs, .lmd or any other ending).
    data_set : int
        Which one, counted from 1; list-mode files of some instruments hold two or more.

    Returns
    -------
    Sample
        Its float events are a view of the file where that is possible: keep the file in place while you use them.

    Raises
    ------
    FileFormatError
        If the file cannot be read right, with file, keyword, what was found, what was expected and the cure.
    """
    path = Path(path)
    place = path.name
    raw = _bytes_of(path)
    found, number, after = _walk(raw, place, data_set)
    channels, storages, notes = read_channels(found.keywords, found.header.version, place)
    mode = found.keywords.get("$MODE", "L").upper()
    if mode != "L":
        raise refused(
            f"{place}, $MODE", repr(mode), "L, a list of events", "Histograms are not read: export the events themselves."
        )
    order = byte_order(found.keywords, place)
    widths = tuple(storage.bits for storage in storages)
    events, more = find_events(found.header, found.keywords, widths, len(found.raw), place)
    data = found.raw[events.first : events.first + events.n_bytes]
    stored, masked = decode_data(data, events, channels, storages, order, place)
    names = tuple(channel.name for channel in channels)
    spillover, faults, about_spillover = read_spillover(found.keywords, names, place)
    notes = [*found.notes, *notes, *more, *masked, *_not_finite(stored), *about_spillover, *after]
    if number > 1:
        notes.append(f"The file holds {number} data sets; this is number {data_set}.")
    return Sample(
        name=place, channels=channels, stored=stored, keywords=found.keywords, notes=tuple(notes), spillover=spillover,
        spillover_faults=faults, version=found.header.version, data_set=data_set, n_data_sets=number,
    )  # fmt: skip


def _bytes_of(path: Path) -> Bytes:
    cure = "Check the path, and that you may read the file."
    try:
        size = path.stat().st_size
        if size < LENGTH or not path.is_file():
            raise refused(path.name, f"{size} bytes", f"an FCS file, of at least {LENGTH} bytes")
        mapped = np.memmap(path, dtype=np.uint8, mode="r")
    except OSError as error:
        raise refused(path.name, error.strerror or str(error), "an FCS file", cure) from None
    return mapped.view(np.ndarray)


def _walk(raw: Bytes, place: str, wanted: int) -> tuple[_DataSet, int, list[str]]:
    """The wanted data set, how many there are, and what was odd after it."""
    start, number, notes = 0, 1, list[str]()
    found = _open_data_set(raw, place)
    current = found
    while number < MOST_DATA_SETS:
        said = current.keywords.get("$NEXTDATA", "0") or "0"
        step = whole_number(said)
        if step == 0:
            break
        try:
            if step is None or step <= current.header.text.last or start + step >= len(raw):
                raise refused(f"{place}, $NEXTDATA", repr(said), f"0, or the place of the next data set below {len(raw) - start}")
            current = _open_data_set(raw[start + step :], f"{place}, data set {number + 1}")
        except FileFormatError as error:
            if wanted > number:
                raise
            notes.append(f"What follows data set {number} could not be read: {error.faults[0].found} at {error.faults[0].place}.")
            break
        start, number = start + step, number + 1
        if number == wanted:
            found = current
    if not 1 <= wanted <= number:
        cure = f"Ask for a data set from 1 to {number}."
        raise refused(place, f"{number} data set(s), and number {wanted} was asked for", f"1 to {number}", cure)
    return found, number, notes


def _open_data_set(raw: Bytes, place: str) -> _DataSet:
    header = parse_header(raw[:LENGTH].tobytes(), len(raw), place)
    text = raw[header.text.first : header.text.last + 1].tobytes()
    notes: list[str] = []
    if text[:1] not in text[-1:] + text.rstrip(b" \x00\r\n\t")[-1:]:
        following = raw[header.text.last + 1 : header.text.last + 2].tobytes()
        if following == text[:1]:
            text += following
        else:
            notes.append("TEXT does not end with its delimiter; its last value may be cut short.")
    keywords, more = parse_text(text, f"{place}, TEXT")
    notes.extend(more)
    first, last = whole_number(keywords.get("$BEGINSTEXT", "")), whole_number(keywords.get("$ENDSTEXT", ""))
    if header.version != "FCS2.0" and first and last and last > first and first != header.text.first:
        if first < LENGTH or last >= len(raw) + 1:
            found = f"supplemental TEXT at bytes {first} to {last}"
            raise refused(f"{place}, $BEGINSTEXT", found, f"a place within the {len(raw)} bytes of the data set")
        extra, more = parse_text(raw[first : last + 1].tobytes(), f"{place}, supplemental TEXT")
        notes.extend(more)
        clash = [key for key, value in extra.items() if keywords.get(key, value) != value]
        if clash:
            notes.append(f"TEXT and supplemental TEXT differ in {', '.join(clash[:5])}; TEXT was used.")
        keywords = {**extra, **keywords}
    return _DataSet(raw=raw, header=header, keywords=keywords, notes=notes)


def _not_finite(stored: np.ndarray) -> list[str]:
    if stored.dtype.kind != "f" or not stored.size:
        return []
    bad = int(np.count_nonzero(~np.isfinite(stored)))
    return [f"{bad} values are not finite numbers."] if bad else []
