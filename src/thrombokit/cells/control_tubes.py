"""What the control tubes of an experiment can and cannot carry: missing FMOs, and detectors that were moved between tubes.

A threshold read from a control holds for a fully stained tube only if both were measured at the same detector settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from thrombokit.cells.tubes import Tube, TubeKind, group_words

Group = tuple[str, str, float | None, str]
SETTINGS = ("voltage", "gain", "range", "decades")
"""In files: $PnV, $PnG, $PnR, $PnE."""


@dataclass(frozen=True, kw_only=True)
class DetectorChange:
    """One setting of one channel that differs from that of most tubes of its group; the values are as the file writes them."""

    tube: str
    kind: TubeKind
    channel: str
    setting: str
    value: str
    usual: str
    group: Group

    def __str__(self) -> str:
        return (
            f"{self.tube} ({self.kind}): {self.setting} of {self.channel} is {self.value}, against {self.usual} in most tubes of "
            f"{group_words(self.group)}; thresholds do not carry over between them."
        )


def groups_of(tubes: Iterable[Tube]) -> dict[Group, tuple[Tube, ...]]:
    """The tubes of each control group, in their order."""
    groups: dict[Group, list[Tube]] = {}
    for tube in tubes:
        groups.setdefault(tube.control_group, []).append(tube)
    return {group: tuple(members) for group, members in groups.items()}


def missing_fmo(tubes: Iterable[Tube]) -> tuple[str, ...]:
    """A sentence for each control group with fully stained tubes that lacks the FMO of a marker."""
    sentences: list[str] = []
    for group, members in groups_of(tubes).items():
        if not any(tube.kind is TubeKind.FULL for tube in members):
            continue
        have = {tube.stain for tube in members if tube.kind is TubeKind.FMO}
        lacking = [marker for marker in members[0].panel.surface_markers if marker not in have]
        if lacking:
            unstained = any(tube.kind is TubeKind.UNSTAINED for tube in members)
            fallback = "a density valley or the unstained tube" if unstained else "a density valley"
            sentences.append(f"No FMO for {', '.join(lacking)} in {group_words(group)}: the threshold rests on {fallback}.")
    return tuple(sentences)


def moved_detectors(tubes: Sequence[Tube]) -> tuple[DetectorChange, ...]:
    """Settings of the panel's channels that differ between tubes that are compared with each other.

    Compared are the tubes of a control group together with the control tubes of the same panel for which no donor, plate or day was
    said (they serve every group). Tubes whose file does not give a setting are passed over.
    """
    changes: dict[tuple[str, str, str], DetectorChange] = {}
    for group in groups_of(tubes):
        compared = [tube for tube in tubes if _serves(tube, group)]
        for change in _changes(group, compared):
            changes.setdefault((change.tube, change.channel, change.setting), change)
    return tuple(changes.values())


def _serves(tube: Tube, group: Group) -> bool:
    said = tube.control_group
    if said == group:
        return True
    return tube.kind is not TubeKind.FULL and said[3] == group[3] and all(
        own in ("", None) or own == other for own, other in zip(said[:3], group[:3], strict=True)
    )  # fmt: skip


def _changes(group: Group, tubes: Sequence[Tube]) -> Iterator[DetectorChange]:
    told = {tube.name: _settings(tube) for tube in tubes}
    keys = dict.fromkeys(key for settings in told.values() for key in settings)
    for key in keys:
        values = Counter(settings[key] for settings in told.values() if key in settings)
        if len(values) < 2:
            continue
        usual = values.most_common(1)[0][0]
        for tube in tubes:
            value = told[tube.name].get(key, usual)
            if value != usual:
                marker, setting = key
                channel = _channels(tube)[marker]
                words = f"{channel} ({marker})" if marker != channel else channel
                yield DetectorChange(
                    tube=tube.name, kind=tube.kind, channel=words, setting=setting, value=value, usual=usual, group=group
                )


def _channels(tube: Tube) -> dict[str, str]:
    """Marker, or scatter channel under its own name -> channel name of the tube's file."""
    panel = tube.panel
    return {**panel.channels, **{name: name for name in (panel.fsc_area, panel.fsc_height, panel.ssc_area) if name}}


def _settings(tube: Tube) -> dict[tuple[str, str], str]:
    """(marker, setting) -> its value as text; numbers without needless digits."""
    settings: dict[tuple[str, str], str] = {}
    names = tube.sample.channel_names
    for marker, name in _channels(tube).items():
        if name not in names:
            continue
        number = names.index(name)
        channel = tube.sample.channels[number]
        voltage = _plain(tube.sample.keywords.get(f"$P{number + 1}V", ""))
        if voltage:
            settings[marker, "voltage"] = voltage
        settings[marker, "gain"] = f"{channel.gain:g}"
        settings[marker, "decades"] = f"{channel.decades:g}"
        if channel.range_max is not None:
            settings[marker, "range"] = f"{channel.range_max:g}"
    return settings


def _plain(text: str) -> str:
    """ "240.000000" -> "240"; "NA" and other words that say nothing -> ""."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return ""
