"""The DATA of an FCS data set: bytes become an array of shape (n_events, n_channels).

Where all channels are of one type that numpy knows and no bits are masked, the array is a view of the file and nothing is copied.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thrombokit.cells.sample import Channel
from thrombokit.io.fcs_channels import Storage
from thrombokit.io.fcs_header import refused
from thrombokit.io.fcs_segment import WORD_BITS, Events

Bytes = NDArray[np.uint8]
ORDERS = {"1,2": "<", "1,2,3,4": "<", "1,2,3,4,5,6,7,8": "<", "2,1": ">", "4,3,2,1": ">", "8,7,6,5,4,3,2,1": ">"}
EVENTS_AT_ONCE = 1 << 16
"""A multiple of 8, so that packed events end on whole bytes."""


def byte_order(keywords: dict[str, str], place: str) -> str:
    """ "<" or ">" from $BYTEORD; any other order is refused."""
    said = keywords.get("$BYTEORD", "")
    order = ORDERS.get(said.replace(" ", ""))
    if order is None:
        raise refused(f"{place}, $BYTEORD", repr(said), "1,2,3,4 (least byte first) or 4,3,2,1 (greatest byte first)")
    return order


def decode_data(
    data: Bytes, events: Events, channels: tuple[Channel, ...], storages: tuple[Storage, ...], order: str, place: str
) -> tuple[NDArray[Any], list[str]]:
    """Stored values.

    Parameters
    ----------
    data : array of uint8, shape (events.n_bytes,)
        The segment, usually a view of the file.
    events : Events
    channels, storages : tuples, one entry a channel
    order : "<" or ">"
    place : str
        The file, for messages.

    Returns
    -------
    array of shape (n_events, n_channels)
        float32 or float64 of the file's byte order, or the smallest unsigned integer that holds the widest channel; float64 where floats
        and integers are mixed.
    notes : list of str

    Raises
    ------
    FileFormatError
        If a value cannot be held exactly, or words hold more than their channels.
    """
    kinds = {(storage.kind, storage.bits) for storage in storages}
    numpy_kind = {"I": "u", "F": "f", "D": "f"}
    if len(kinds) == 1 and (storages[0].kind != "I" or storages[0].bits in (8, 16, 32, 64)):
        dtype = np.dtype(f"{order}{numpy_kind[storages[0].kind]}{storages[0].bits // 8}")
        values = data.view(dtype).reshape(events.count, len(storages))
        return _masked(values, channels, storages)
    if {kind for kind, _ in kinds} == {"I"}:
        return _masked(_integers(data, events, storages, order, place), channels, storages)
    return _mixed(data, events, channels, storages, order, place)


def _masked(values: NDArray[Any], channels: tuple[Channel, ...], storages: tuple[Storage, ...]) -> tuple[NDArray[Any], list[str]]:
    if all(storage.mask is None for storage in storages):
        return values, []
    notes: list[str] = []
    out = np.array(values, dtype=values.dtype.newbyteorder("="))
    for column, (channel, storage) in enumerate(zip(channels, storages, strict=True)):
        if storage.mask is None:
            continue
        kept = out[:, column] & out.dtype.type(storage.mask)
        changed = int(np.count_nonzero(kept != out[:, column]))
        if changed:
            notes.append(
                f"{channel.name}: {changed} of {len(kept)} values reach beyond the range; only the bits of $PnR (mask {storage.mask}) "
                "were kept, as the standard says."
            )
            out[:, column] = kept
    return out, notes


def _integers(data: Bytes, events: Events, storages: tuple[Storage, ...], order: str, place: str) -> NDArray[Any]:
    widths = [storage.bits for storage in storages]
    smallest = next(size for size in (1, 2, 4, 8) if size * 8 >= max(widths))
    out = np.empty((events.count, len(widths)), dtype=f"=u{smallest}")
    if events.in_words:
        words = data.view(f"{order}u2").reshape(events.count, len(widths))
        for column, bits in enumerate(widths):
            if np.any(words[:, column] >> np.uint16(bits)) if bits < WORD_BITS else False:
                found = f"words with more than the {bits} bits of $P{column + 1}B"
                raise refused(f"{place}, DATA", found, "values of that width in 16-bit words")
        out[:] = words
    elif all(bits % 8 == 0 for bits in widths):
        rows = data.reshape(events.count, sum(widths) // 8)
        at = 0
        for column, bits in enumerate(widths):
            out[:, column] = _whole_bytes(rows[:, at : at + bits // 8], order, out.dtype)
            at += bits // 8
    else:
        for start in range(0, events.count, EVENTS_AT_ONCE):
            part = data[start * events.bits // 8 : -(-min(start + EVENTS_AT_ONCE, events.count) * events.bits // 8)]
            out[start : start + EVENTS_AT_ONCE] = _packed(part, min(EVENTS_AT_ONCE, events.count - start), widths, order, out.dtype)
    return out


def _whole_bytes(rows: Bytes, order: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Unsigned integers of shape (n,) from their bytes, shape (n, n_bytes)."""
    value = np.zeros(len(rows), dtype=dtype)
    for column in range(rows.shape[1]) if order == ">" else reversed(range(rows.shape[1])):
        value = (value << dtype.type(8)) | rows[:, column].astype(dtype) if rows.shape[1] > 1 else rows[:, column].astype(dtype)
    return value


def _packed(data: Bytes, n: int, widths: list[int], order: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Values that follow each other bit by bit: from the greatest bit with ">", from the least with "<"."""
    bits = np.unpackbits(data, bitorder="big" if order == ">" else "little")[: n * sum(widths)].reshape(n, sum(widths))
    out = np.zeros((n, len(widths)), dtype=dtype)
    at = 0
    for column, width in enumerate(widths):
        for place in range(width):
            shift = width - 1 - place if order == ">" else place
            out[:, column] |= bits[:, at + place].astype(dtype) << dtype.type(shift)
        at += width
    return out


def _mixed(
    data: Bytes, events: Events, channels: tuple[Channel, ...], storages: tuple[Storage, ...], order: str, place: str
) -> tuple[NDArray[Any], list[str]]:
    """Floats and integers side by side (FCS 3.2), all as float64."""
    if any(storage.bits % 8 for storage in storages):
        raise refused(f"{place}, $PnB", "floats beside integers of a width that is no whole number of bytes", "whole bytes")
    rows = data.reshape(events.count, events.bits // 8)
    out = np.empty((events.count, len(storages)))
    notes: list[str] = []
    at = 0
    for column, storage in enumerate(storages):
        part = rows[:, at : at + storage.bits // 8]
        at += storage.bits // 8
        if storage.kind == "I":
            wide = _whole_bytes(part, order, np.dtype(np.uint64))[:, np.newaxis]
            kept, more = _masked(wide, channels[column : column + 1], (storage,))
            notes.extend(more)
            if kept.size and int(kept.max()) > 2**53:
                cure = "Export the file again with one data type for all channels."
                raise refused(f"{place}, channel {channels[column].name}", f"the integer {int(kept.max())}", "at most 2^53", cure)
            out[:, column] = kept[:, 0]
        else:
            out[:, column] = np.ascontiguousarray(part).view(f"{order}f{storage.bits // 8}")[:, 0]
    return out, notes
