"""The TEXT of an FCS data set: keywords and values between delimiters.

The first byte is the delimiter; a delimiter within a value is written twice, and so no value may be empty. Some software writes empty
values all the same, which looks like a doubled delimiter: then the reading is chosen that finds more of the standard's own keywords.
"""

from __future__ import annotations

import re

from thrombokit.io.fcs_header import refused

PADDING = b" \x00\r\n\t"


def parse_text(raw: bytes, place: str) -> tuple[dict[str, str], list[str]]:
    """Keywords of a TEXT segment.

    Parameters
    ----------
    raw : bytes
        The segment, from its first delimiter on.
    place : str
        File and segment, for messages.

    Returns
    -------
    keywords : dict
        Names in capitals; names and values without surrounding spaces. Of a keyword given twice the first value stays.
    notes : list of str
        What was odd.

    Raises
    ------
    FileFormatError
        If there are no pairs of keyword and value.
    """
    notes: list[str] = []
    if len(raw) < 2 or raw[:1].isalnum() or raw[:1] == b"$" or raw[0] > 126:
        raise refused(place, f"the first byte {raw[:1]!r}", "a delimiter (an ASCII character that is neither letter nor digit)")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
        notes.append("TEXT is not UTF-8; read as Latin-1.")
    delimiter = text[0]
    body = _without_end(text[1:], delimiter)
    doubled = _pairs(_split_doubled(body, delimiter))
    chosen = doubled
    if delimiter * 2 in body:
        plain = _pairs(body.split(delimiter))
        if not any(key == "" for key, _ in plain) and _standard(plain) > _standard(doubled):
            chosen = plain
            notes.append("TEXT holds empty values, which the standard forbids; doubled delimiters were read as empty values.")
    keywords: dict[str, str] = {}
    for key, value in chosen:
        if key in keywords and keywords[key] != value:
            notes.append(f"Keyword {key} is given twice, with different values; the first one ({keywords[key]!r:.40}) was used.")
        elif key:
            keywords.setdefault(key, value)
    if len(_split_doubled(body, delimiter) if chosen is doubled else body.split(delimiter)) % 2:
        notes.append("TEXT ends with a keyword that has no value; it was left out.")
    if not keywords:
        raise refused(place, "no keywords", "pairs of keyword and value between delimiters")
    return keywords, notes


def _without_end(body: str, delimiter: str) -> str:
    """The body without padding and the closing delimiter (written once too often by some software)."""
    trimmed = body.rstrip(PADDING.decode()) if delimiter not in PADDING.decode() else body.rstrip("\x00")
    bare = trimmed.rstrip(delimiter)
    closing = len(trimmed) - len(bare)
    return bare + delimiter * 2 * ((closing - 1) // 2)


def _split_doubled(body: str, delimiter: str) -> list[str]:
    """Tokens when a doubled delimiter stands for itself; of a run of three the first two do."""
    tokens, current, at = [], [], 0
    for run in re.finditer(f"(?:{re.escape(delimiter)})+", body):
        length = run.end() - run.start()
        current.extend((body[at : run.start()], delimiter * (length // 2)))
        at = run.end()
        if length % 2:
            tokens.append("".join(current))
            current = []
    current.append(body[at:])
    tokens.append("".join(current))
    return tokens


def _pairs(tokens: list[str]) -> list[tuple[str, str]]:
    return [(key.strip().upper(), value.strip()) for key, value in zip(tokens[::2], tokens[1::2], strict=False)]


def _standard(pairs: list[tuple[str, str]]) -> int:
    return sum(re.fullmatch(r"\$[A-Z0-9_]+", key) is not None for key, _ in pairs)
