"""What the keywords say of each channel: its name, amplifier and range, and how its values are stored.

FCS 3.2 may store channels in different types ($PnDATATYPE); before, one $DATATYPE holds for all.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from thrombokit.cells.sample import LARGEST_FACTOR, MOST_DECADES, Channel
from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.fcs_header import REEXPORT, refused, whole_number

FLOAT_BITS = {"F": 32, "D": 64}
LONGEST_INTEGER = 64


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How one channel's values are stored: `kind` "I", "F" or "D"; `bits` wide; integers keep the bits of `mask` (None: all)."""

    kind: str
    bits: int
    mask: int | None = None


def read_channels(keywords: dict[str, str], version: str, place: str) -> tuple[tuple[Channel, ...], tuple[Storage, ...], list[str]]:
    """Channels and their storage.

    Parameters
    ----------
    keywords : dict
        Names in capitals.
    version : str
        "FCS2.0" to "FCS3.2".
    place : str
        The file, for messages.

    Returns
    -------
    channels : tuple of Channel
    storages : tuple of Storage
        In the order of the channels.
    notes : list of str

    Raises
    ------
    FileFormatError
        With all keywords that are missing or unusable.
    """
    count = whole_number(keywords.get("$PAR", ""))
    if not count or count > len(keywords):
        raise refused(f"{place}, $PAR", repr(keywords.get("$PAR")), "the number of channels, each with its own keywords")
    faults: list[Fault] = []
    notes: list[str] = []
    kind = keywords.get("$DATATYPE", "").upper()
    if kind not in ("I", "F", "D"):
        cure = "ASCII data ($DATATYPE A) is not read: export as F. " + REEXPORT if kind == "A" else REEXPORT
        faults.append(Fault(place=f"{place}, $DATATYPE", found=repr(keywords.get("$DATATYPE")), expected="I, F or D", cure=cure))
    channels: list[Channel] = []
    storages: list[Storage] = []
    for number in range(1, count + 1):
        one = _OneChannel(keywords, number, place, kind, version)
        storages.append(one.storage())
        channels.append(one.channel(storages[-1].kind))
        faults.extend(one.faults)
        notes.extend(one.notes)
    if faults:
        raise FileFormatError(faults)
    twice = sorted(name for name, n in Counter(channel.name for channel in channels).items() if n > 1)
    if twice:
        notes.append(f"Several channels bear the same name: {', '.join(twice)}.")
    return tuple(channels), tuple(storages), notes


class _OneChannel:
    """The keywords of channel `number`, gathering faults and notes while they are read."""

    def __init__(self, keywords: dict[str, str], number: int, place: str, kind: str, version: str) -> None:
        self.keywords, self.number, self.place, self.version = keywords, number, place, version
        self.kind = kind
        self.faults: list[Fault] = []
        self.notes: list[str] = []
        self.name = self.said("N") or f"P{number}"
        if not self.said("N"):
            self.notes.append(f"Channel {number} has no name ($P{number}N); it is called P{number}.")

    def said(self, letter: str) -> str:
        return self.keywords.get(f"$P{self.number}{letter}", "")

    def fault(self, letter: str, expected: str) -> None:
        key = f"$P{self.number}{letter}"
        found = repr(self.keywords[key]) if key in self.keywords else "nothing"
        self.faults.append(Fault(place=f"{self.place}, {key}", found=found, expected=expected, cure=REEXPORT))

    def storage(self) -> Storage:
        kind = self.kind
        own = self.said("DATATYPE").upper()
        if own and self.version == "FCS3.2":
            kind = own
            if kind not in ("I", "F", "D"):
                self.fault("DATATYPE", "I, F or D")
        elif own and own != self.kind:
            self.notes.append(f"$P{self.number}DATATYPE is no keyword of {self.version} and was not used.")
        bits = whole_number(self.said("B"))
        if kind in FLOAT_BITS:
            if bits != FLOAT_BITS[kind]:
                self.fault("B", f"{FLOAT_BITS[kind]} bits for type {kind}")
            return Storage(kind=kind, bits=FLOAT_BITS[kind])
        if bits is None or not 1 <= bits <= LONGEST_INTEGER:
            self.fault("B", f"1 to {LONGEST_INTEGER} bits")
            return Storage(kind="I", bits=8)
        return Storage(kind="I", bits=bits, mask=self.mask(bits))

    def mask(self, bits: int) -> int | None:
        """Bits below the power of two that holds the range; what stands above them is not part of the value (FCS 3.1, $PnR)."""
        full = _range_of(self.said("R"))
        if full is None or full < 2 or full != int(full):
            self.fault("R", "a whole number >= 2, the end of the integer scale")
            return None
        mask = (1 << (int(full) - 1).bit_length()) - 1
        return None if mask >= (1 << bits) - 1 else mask

    def channel(self, kind: str) -> Channel:
        full = _range_of(self.said("R"))
        decades, offset = self.amplifier(kind, None if full is None else float(full))
        gain = self.gain(decades)
        return Channel(
            name=self.name, label=self.said("S"), range_max=None if full is None else float(full), decades=decades,
            log_offset=offset, gain=gain,
        )  # fmt: skip

    def amplifier(self, kind: str, full: float | None) -> tuple[float, float]:
        text = self.said("E") or "0,0"
        first, _, second = text.partition(",")
        decades, offset = _number(first), _number(second)
        if decades is None or offset is None:
            self.fault("E", 'two numbers "decades,offset", as in 4,1 or 0,0')
            return 0.0, 1.0
        if decades == 0:
            return 0.0, 1.0
        if kind != "I":
            self.notes.append(f"{self.name}: $P{self.number}E is {text}, but values of type {kind} are linear; it was not used.")
            return 0.0, 1.0
        if offset == 0:
            self.notes.append(f"{self.name}: $P{self.number}E is {text}; the offset 0 was read as 1, as the standard advises.")
            offset = 1.0
        if not (0 < decades <= MOST_DECADES and 0 < offset <= LARGEST_FACTOR and full and full > 0):
            self.fault("E", f"up to {MOST_DECADES:g} decades, an offset > 0, and a range ($P{self.number}R) > 0")
            return 0.0, 1.0
        return decades, offset

    def gain(self, decades: float) -> float:
        text = self.said("G")
        gain = _number(text) if text else 1.0
        if gain is None or not 1.0 / LARGEST_FACTOR <= gain <= LARGEST_FACTOR:
            self.fault("G", "a gain > 0")
            return 1.0
        if decades and gain != 1.0:
            self.notes.append(f"{self.name}: $P{self.number}G is {text}, but the amplifier is logarithmic; the gain was not used.")
            return 1.0
        return gain


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _range_of(text: str) -> int | float | None:
    """$PnR: exact when it is a whole number (2^64 does not fit a float's digits)."""
    whole = whole_number(text)
    return whole if whole is not None else _number(text)
