"""The cytometer as its files describe it: maker's name, serial number, detectors, voltages, filters, lasers.

Files with the same description belong to one instrument setting. What a file does not say stays None; nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from thrombokit.cells.sample import Sample
from thrombokit.cells.tubes import Tube

CHANNEL_KEYWORDS: dict[str, str] = {
    "voltage_V": "V", "filter": "F", "detector": "T", "excitation_nm": "L", "excitation_mW": "O", "emitted_light_percent": "P",
    "calibration": "CALIBRATION", "dye": "DYE",
}  # fmt: skip
"""Name of a fact -> letter of its keyword $PnX."""
FACTS: dict[str, str] = {
    "cytometer": "$CYT", "serial_number": "$CYTSN", "institution": "$INST", "computer": "$SYS", "acquisition_software": "CREATOR",
}  # fmt: skip
"""Name of a fact about the whole instrument -> keyword."""


@dataclass(frozen=True, kw_only=True)
class DetectorFacts:
    """One channel: its names, amplifier, and what the file says of detector, filter and laser (texts as written, None: not said)."""

    channel: str
    label: str
    amplification: str
    range_max: float | None
    facts: tuple[tuple[str, str | None], ...]

    def to_dict(self) -> dict[str, str | float | None]:
        """Plain names and values."""
        return {
            "channel": self.channel,
            "label": self.label,
            "amplification": self.amplification,
            "range_max": self.range_max,
            **dict(self.facts),
        }


@dataclass(frozen=True, kw_only=True)
class InstrumentSetting:
    """A cytometer at one setting, and the tubes measured on it."""

    facts: tuple[tuple[str, str | None], ...]
    detectors: tuple[DetectorFacts, ...]
    tubes: tuple[str, ...]
    operators: tuple[str, ...]


def instrument_settings(tubes: Iterable[Tube]) -> tuple[InstrumentSetting, ...]:
    """One entry a setting, in order of first appearance.

    Tubes share an entry when instrument, channels, voltages, filters and amplifiers are the same; operators do not part them.
    """
    groups: dict[tuple[object, object], list[Tube]] = {}
    for tube in tubes:
        groups.setdefault((_facts(tube.sample), _detectors(tube.sample)), []).append(tube)
    return tuple(_setting(together) for together in groups.values())


def keyword(sample: Sample, name: str) -> str | None:
    """A keyword's text as written, without outer blanks; None where it is absent, empty or blanked out with x or dashes."""
    text = sample.keywords.get(name.upper(), "").strip()
    return text if text.strip("xX-_ ?") else None


def _setting(tubes: list[Tube]) -> InstrumentSetting:
    first = tubes[0].sample
    said = (keyword(tube.sample, "$OP") for tube in tubes)
    return InstrumentSetting(
        facts=_facts(first),
        detectors=_detectors(first),
        tubes=tuple(tube.name for tube in tubes),
        operators=tuple(sorted({operator for operator in said if operator})),
    )


def _facts(sample: Sample) -> tuple[tuple[str, str | None], ...]:
    return tuple((name, keyword(sample, key)) for name, key in FACTS.items())


def _detectors(sample: Sample) -> tuple[DetectorFacts, ...]:
    return tuple(
        DetectorFacts(
            channel=channel.name,
            label=channel.label,
            amplification=f"{channel.decades:g} decades, logarithmic"
            if not channel.is_linear
            else f"linear, gain {channel.gain:g}",
            range_max=channel.range_max,
            facts=tuple((fact, _detector_text(sample, f"$P{n}{letter}", fact)) for fact, letter in CHANNEL_KEYWORDS.items()),
        )
        for n, channel in enumerate(sample.channels, start=1)
    )


def _detector_text(sample: Sample, name: str, fact: str) -> str | None:
    """As written; a wavelength, power or share of 0 is a blank that some instruments fill in, no measurement."""
    text = keyword(sample, name)
    if text is None or fact not in ("excitation_nm", "excitation_mW", "emitted_light_percent"):
        return text
    try:
        return None if float(text) == 0.0 else text
    except ValueError:
        return text
