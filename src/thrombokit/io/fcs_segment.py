"""Where DATA stands, and how many events it holds: HEADER and TEXT often disagree.

The pair of offsets is taken whose length is $TOT events, that lies within the file and does not overlap TEXT. An end that points one
byte too far is common and harmless. If no pair, or two different ones, would do, the file is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from thrombokit.io.fcs_header import Header, Segment, refused, whole_number

WORD_BITS = 16


@dataclass(frozen=True, kw_only=True)
class Events:
    """`count` events start at byte `first` of the data set, `bits` each; `in_words`: every value fills a 16-bit word."""

    first: int
    count: int
    bits: int
    in_words: bool = False

    @property
    def n_bytes(self) -> int:
        """Bytes, the last one perhaps in part."""
        return (self.count * self.bits + 7) // 8


def find_events(
    header: Header, keywords: dict[str, str], widths: tuple[int, ...], size: int, place: str
) -> tuple[Events, list[str]]:
    """The place of the events.

    Parameters
    ----------
    header : Header
    keywords : dict
    widths : tuple of int
        Bits of each channel.
    size : int
        Bytes from the start of the data set to the end of the file.
    place : str
        The file, for messages.

    Raises
    ------
    FileFormatError
        If $TOT and the places of DATA do not fit together.
    """
    total = whole_number(keywords.get("$TOT", ""))
    if total is None and (header.version != "FCS2.0" or "$TOT" in keywords):
        raise refused(f"{place}, $TOT", repr(keywords.get("$TOT")), "the number of events")
    segments = _candidates(header, keywords)
    if total == 0:
        full = [s for s in segments if s.length >= sum(widths) / 8 and s.last < size]
        if full:
            raise refused(f"{place}, $TOT", f"0 events, and {full[0].length} bytes of DATA", "events that fill DATA")
        return Events(first=0, count=0, bits=sum(widths)), []
    ways = [Events(first=0, count=total or 0, bits=sum(widths))]
    if any(width % 8 for width in widths) and max(widths) <= WORD_BITS:
        ways.append(Events(first=0, count=total or 0, bits=WORD_BITS * len(widths), in_words=True))
    if total is None:
        ways = [_counted(way, segments, place) for way in ways[:1]]
    fits = [
        (segment, way, spare) for segment in segments for way in ways if (spare := _spare(segment, way, header, size)) is not None
    ]
    if not fits:
        raise _misfit(segments, ways[0], size, place)
    best = min(spare for _, _, spare in fits)
    fits = [fit for fit in fits if fit[2] == best]
    starts = {(segment.first, way.in_words) for segment, way, _ in fits}
    if len(starts) > 1:
        said = " or ".join(f"{s.source} {s.first} to {s.last}" for s, _, _ in fits)
        raise refused(place, f"DATA at {said}, both of which hold {ways[0].count} events", "one place")
    segment, way, _ = fits[0]
    return Events(first=segment.first, count=way.count, bits=way.bits, in_words=way.in_words), _notes(segments, fits, best)


def _candidates(header: Header, keywords: dict[str, str]) -> list[Segment]:
    segments = [header.data] if header.data else []
    first, last = whole_number(keywords.get("$BEGINDATA", "")), whole_number(keywords.get("$ENDDATA", ""))
    if first and last and header.version != "FCS2.0":
        segments.append(Segment(first=first, last=last, source="TEXT"))
    return segments


def _counted(way: Events, segments: list[Segment], place: str) -> Events:
    """Without $TOT (FCS 2.0 allows it) the HEADER's segment says how many; it must end with an event, or one byte after."""
    for segment in segments:
        bits = segment.length * 8
        for spare in (0, 8):
            if way.bits % 8 == 0 and bits > spare and (bits - spare) % way.bits == 0:
                return Events(first=0, count=(bits - spare) // way.bits, bits=way.bits)
    raise refused(f"{place}, $TOT", "nothing, and a DATA segment that is no whole number of events", "the number of events")


def _spare(segment: Segment, way: Events, header: Header, size: int) -> int | None:
    """Bytes after the last event if the segment can hold these events (0, 1, or less than an event), else None."""
    end = segment.first + way.n_bytes
    spare = segment.length - way.n_bytes
    overlaps = segment.first <= header.text.last - 1 and end > header.text.first
    if segment.first < 58 or end > size or overlaps or spare < 0:
        return None
    return spare if spare <= 1 or (spare * 8 < way.bits and not way.in_words) else None


def _misfit(segments: list[Segment], way: Events, size: int, place: str) -> Exception:
    need = f"{way.count} events ($TOT) of {way.bits} bits, {way.n_bytes} bytes"
    if not segments:
        return refused(place, "no place of DATA in HEADER or TEXT", need)
    said = "; ".join(f"{s.source}: bytes {s.first} to {s.last} ({s.length} bytes)" for s in segments)
    return refused(place, f"DATA in {said}, in a data set of {size} bytes", f"{need}, after TEXT and within the file")


def _notes(segments: list[Segment], fits: list[tuple[Segment, Events, int]], spare: int) -> list[str]:
    chosen, way, _ = fits[0]
    notes: list[str] = []
    other = [s for s in segments if (s.first, s.last) != (chosen.first, chosen.last)]
    if other:
        where = f"bytes {chosen.first} to {chosen.last}"
        notes.append(
            f"HEADER and TEXT disagree on DATA: {other[0].source} says bytes {other[0].first} to {other[0].last}, {chosen.source} says "
            f"{where}; {chosen.source} was used, which fits {way.count} events."
        )
    if spare:
        notes.append(f"DATA is {spare} byte(s) longer than its {way.count} events; the rest was not used.")
    if way.in_words:
        notes.append("The widths ($PnB) are no whole bytes, but DATA holds 16-bit words; each value was read from its own word.")
    return notes
