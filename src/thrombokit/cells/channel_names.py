"""Which channel of a file a person means: by its name ($PnN), by its label ($PnS), or by a word in either.

Cytometers and labs call one detector FL4-A, APC-A or "CD41 APC". The first rule that finds something decides: the exact name, the exact
label, the same without regard to case, then the words of what was said standing together in a name or label. Area, height and width of
one detector often share a label; then the area is meant. Two candidates are a fault that names both, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.tubes import Panel
from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault

_WORD = re.compile(r"[^\W_]+")
_PULSE = re.compile(r"[-_ .]?(A|H|W|Area|Height|Width)$", re.IGNORECASE)
SCATTER = ("fsc_area", "fsc_height", "ssc_area")
SHOWN = 12
"""Channels that a message names before it stops."""


@dataclass(frozen=True, kw_only=True)
class ResolvedPanel:
    """A panel in the channel names of one file; `notes` say what the file lacks that can be done without."""

    panel: Panel
    notes: tuple[str, ...] = ()


def find_channels(said: str, channels: Sequence[Channel]) -> tuple[Channel, ...]:
    """The channels that `said` may mean: one if it is clear, none if there is no such channel, several if it is ambiguous."""
    folded, words = said.strip().casefold(), _words(said)
    if not folded:
        return ()
    rules = (
        [c for c in channels if c.name == said],
        [c for c in channels if c.label == said],
        [c for c in channels if c.name.casefold() == folded],
        [c for c in channels if c.label.casefold() == folded],
        [c for c in channels if words and (_holds(c.name, words) or _holds(c.label, words))],
    )
    return _one_pulse(next((found for found in rules if found), []))


def resolve_panel(panel: Panel, sample: Sample, *, place: str) -> ResolvedPanel | tuple[Fault, ...]:
    """The panel in the names of one file.

    Parameters
    ----------
    panel : Panel
        As a person wrote it.
    sample : Sample
        The file.
    place : str
        The row or tube, for messages.

    Returns
    -------
    ResolvedPanel, or a tuple of Fault
        Faults: a channel the file does not have, one that is ambiguous, two markers on one channel. A time channel that the file lacks
        is no fault: it is empty in the panel, and noted.
    """
    faults: list[Fault] = []
    channels = {
        marker: _resolved(said, f"{place}, panel {panel.name}, {marker}", sample, faults) for marker, said in panel.channels.items()
    }
    scatter = {
        field: _resolved(said, f"{place}, panel {panel.name}, {field}", sample, faults, absent=f'{field} = ""') if said else ""
        for field in SCATTER
        for said in (getattr(panel, field),)
    }
    faults.extend(_shared({**channels, **scatter}, f"{place}, panel {panel.name}"))
    if faults:
        return tuple(faults)
    time, notes = panel.time, ()
    if time:
        found = find_channels(time, sample.channels)
        time = found[0].name if len(found) == 1 else ""
        notes = () if time else (f'{sample.name} has no one channel "{panel.time}"; its time quality cannot be judged.',)
    return ResolvedPanel(panel=replace(panel, channels=channels, time=time, **scatter), notes=notes)


def _resolved(said: str, place: str, sample: Sample, faults: list[Fault], *, absent: str = "") -> str:
    """The channel's name, or "" and a fault; `absent` is what to write in the panel if there is no such channel."""
    found = find_channels(said, sample.channels)
    if len(found) == 1:
        return found[0].name
    if found:
        fault = Fault(
            place=place, found=f'"{said}", which may be {_listed(found)} of {sample.name}', expected="one channel",
            cure="Write the channel's name in the panel." if len({c.name for c in found}) > 1
            else "Rename one of the two channels of that name, and export the file again.",
        )  # fmt: skip
    else:
        otherwise = "Correct the panel; a channel may be given by its name or its label."
        options = [text for channel in sample.channels for text in (channel.name, channel.label) if text]
        cure = did_you_mean(said, options, otherwise=otherwise)
        fault = Fault(
            place=place, found=f'no channel "{said}" in {sample.name}', expected=f"one of {_listed(sample.channels)}",
            cure=cure + (f" Write {absent} in the panel if there is none." if absent else ""),
        )  # fmt: skip
    faults.append(fault)
    return ""


def _shared(channels: dict[str, str], place: str) -> Iterable[Fault]:
    """Two markers that came out as one channel."""
    users: dict[str, list[str]] = {}
    for marker, channel in channels.items():
        if channel:
            users.setdefault(channel, []).append(marker)
    for channel, markers in users.items():
        if len(markers) > 1:
            yield Fault(place=place, found=f"{' and '.join(markers)} on the one channel {channel}", expected="a channel for each",
                        cure="Correct the channel of one of them.")  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.casefold() for word in _WORD.findall(text))


def _holds(text: str, words: tuple[str, ...]) -> bool:
    """Whether the words stand together in the text, in their order."""
    have = _words(text)
    return any(have[start : start + len(words)] == words for start in range(len(have) - len(words) + 1))


def _one_pulse(found: Sequence[Channel]) -> tuple[Channel, ...]:
    """The area alone, where all candidates are area, height and width of one detector."""
    stems = {_PULSE.sub("", channel.name).casefold() for channel in found}
    areas = [channel for channel in found if (pulse := _PULSE.search(channel.name)) and pulse[1][0] in "Aa"]
    return tuple(areas) if len(found) > 1 and len(stems) == 1 and len(areas) == 1 else tuple(found)


def _listed(channels: Sequence[Channel]) -> str:
    words = [f"{c.name} ({c.label})" if c.label and c.label != c.name else c.name for c in channels]
    return ", ".join(words[:SHOWN]) + (f" and {len(words) - SHOWN} more" if len(words) > SHOWN else "")
