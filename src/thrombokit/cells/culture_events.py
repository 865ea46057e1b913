"""What was done to one culture, in order: seeded, fed, split, sampled, counted. The ledger from which a yield is computed.

Volumes are mL in the vessel and uL in the tube. `place` is where the event was written, for messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from thrombokit.domain.agonist import Tier
from thrombokit.errors import Fault


@dataclass(frozen=True, kw_only=True)
class Seed:
    """The start: `CD34_cells` CD34+ cells in `volume_mL`. `cv` of the count where it is known (a share)."""

    day_d: float
    CD34_cells: float
    volume_mL: float
    cv: float | None = None
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Medium taken off and added; `cells_lost` says whether the cells in it went too (not spun down or left settled)."""

    day_d: float
    removed_mL: float
    added_mL: float
    cells_lost: bool
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Split:
    """A part of the suspension is kept (all of it: 1), then medium may be added."""

    day_d: float
    kept_fraction: float
    added_mL: float = 0.0
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class BeadLot:
    """Counting beads: how many per uL, and how well that is known (coefficient of variation, a share)."""

    name: str
    beads_per_uL: float
    cv: float


@dataclass(frozen=True, kw_only=True)
class ByBeads:
    """Counting beads in the tube: `added_uL` of the lot, of which `acquired` were seen (None: to come from the gates)."""

    lot: BeadLot
    added_uL: float
    acquired: int | None = None


@dataclass(frozen=True, kw_only=True)
class ByVolume:
    """A cytometer that measures volume: `acquired_uL` of the tube's `tube_uL`."""

    tube_uL: float
    acquired_uL: float


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """`volume_mL` taken out and not put back; `stained_mL` of it went into the tube, where `MKs_acquired` were gated.

    `MKs_acquired` None: to come from the gates, by the tube's name. `measure` None: taken without being counted.
    """

    day_d: float
    volume_mL: float
    stained_mL: float | None = None
    tube: str = ""
    MKs_acquired: int | None = None
    measure: ByBeads | ByVolume | None = None
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class ManualCount:
    """Cells per mL by hand or counter, and the share of megakaryocytes among them (`MKs` of `cells` looked at)."""

    day_d: float
    cells_per_mL: float
    MKs: int
    cells: int
    cv: float | None = None
    tube: str = ""
    place: str = ""


Event = Seed | Feed | Split | Sampling | ManualCount


@dataclass(frozen=True, kw_only=True)
class Culture:
    """One culture of one donor, its events in order; the first is its seeding."""

    name: str
    donor: str
    events: tuple[Event, ...]


@dataclass(frozen=True, kw_only=True)
class CountingErrors:
    """Coefficients of variation (shares) of what was not measured in this study; editable, their tier rides with them.

    `pipetting_cv` holds for every volume on its own; `manual_count_cv` for counts of cells by hand, the seeding among them.
    """

    pipetting_cv: float = 0.02
    manual_count_cv: float = 0.10
    tier: Tier = Tier.ASSUMED


@dataclass(frozen=True, kw_only=True)
class TubeCounts:
    """Events that the gates found in one tube."""

    MKs: int
    beads: int | None = None


def with_counts(culture: Culture, counts: dict[str, TubeCounts]) -> Culture:
    """The culture with counts from the gates where its ledger left them open; a number written in the ledger stays."""
    return replace(culture, events=tuple(_counted(event, counts) for event in culture.events))


def _counted(event: Event, counts: dict[str, TubeCounts]) -> Event:
    if not isinstance(event, Sampling) or event.tube not in counts:
        return event
    found, measure = counts[event.tube], event.measure
    if isinstance(measure, ByBeads) and measure.acquired is None:
        measure = replace(measure, acquired=found.beads)
    MKs = found.MKs if event.MKs_acquired is None else event.MKs_acquired
    return replace(event, MKs_acquired=MKs, measure=measure)


@dataclass
class _Vessel:
    """Nominal state while a ledger is checked."""

    volume_mL: float = 0.0
    day_d: float = 0.0
    faults: list[Fault] = field(default_factory=list[Fault])

    def fault(self, event: Event, found: str, expected: str, cure: str) -> None:
        self.faults.append(Fault(place=event.place or f"day {event.day_d:g}", found=found, expected=expected, cure=cure))


def culture_faults(culture: Culture) -> list[Fault]:
    """What cannot be in a ledger: no seeding first, days that go back, more taken than is there."""
    vessel = _Vessel()
    first = culture.events[0] if culture.events else None
    if not isinstance(first, Seed):
        place = first.place if first else culture.name
        cure = "Write the seeding as the culture's first event."
        return [Fault(place=place, found=f'culture "{culture.name}" without a seeding first', expected="event = seed", cure=cure)]
    for number, event in enumerate(culture.events):
        if number and isinstance(event, Seed):
            vessel.fault(event, f'a second seeding of culture "{culture.name}"', "one seeding", "Give it a name of its own.")
        if event.day_d < vessel.day_d:
            vessel.fault(
                event, f"day {event.day_d:g} after day {vessel.day_d:g}", "events in their order", "Sort them, or correct the day."
            )
        vessel.day_d = event.day_d
        for taken in _taken(event):
            if taken > vessel.volume_mL * (1.0 + 1e-9):
                cure = "Correct the volume, or add the feed that is missing."
                vessel.fault(event, f"{taken:g} mL taken from {vessel.volume_mL:.6g} mL", "at most what is in the vessel", cure)
        vessel.volume_mL = _volume_after(event, vessel.volume_mL)
        if vessel.volume_mL <= 0 and number < len(culture.events) - 1:
            vessel.fault(event, "an empty vessel before the last event", "a volume above 0", "Correct the volumes.")
            break
    return vessel.faults


def _taken(event: Event) -> Iterator[float]:
    if isinstance(event, Sampling):
        yield event.volume_mL
    elif isinstance(event, Feed):
        yield event.removed_mL


def _volume_after(event: Event, volume_mL: float) -> float:
    match event:
        case Seed():
            return event.volume_mL
        case Feed():
            return volume_mL - event.removed_mL + event.added_mL
        case Split():
            return volume_mL * event.kept_fraction + event.added_mL
        case Sampling():
            return volume_mL - event.volume_mL
        case ManualCount():
            return volume_mL
