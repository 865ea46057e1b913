"""A tube: one sample with what the sample sheet says about it, and the panel that names its channels by marker.

`n` is donors: tubes, wells and days of one donor are repeated measurements of that donor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from thrombokit.cells.sample import Sample

VIABILITY, DNA = "viability", "DNA"
"""Names under which a panel lists its live/dead dye and its DNA dye; all other names are surface markers."""


class TubeKind(StrEnum):
    """How a tube was stained, or what it holds in place of the culture's cells: diploid cells that show where 2N lies, or beads alone."""

    FULL = "full"
    FMO = "fmo"
    SINGLE_STAIN = "single_stain"
    UNSTAINED = "unstained"
    DIPLOID_REFERENCE = "diploid_reference"
    BEADS = "beads"


class Viability(StrEnum):
    """What tells dead cells: a dye that survives fixation, one that does not (PI, 7-AAD, DAPI on unfixed cells), or nothing."""

    FIXABLE = "fixable"
    UNFIXED_DYE = "unfixed_dye"
    NONE = "none"


class CultureRole(StrEnum):
    """What a culture was given."""

    SAMPLE = "sample"
    VEHICLE = "vehicle"
    POSITIVE_CONTROL = "positive_control"
    UNTREATED = "untreated"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Which channel shows which marker.

    `channels` maps a marker (CD34, CD41, CD61, CD42b, viability, DNA) to a channel name; `fsc_area`, `fsc_height`, `ssc_area` and `time`
    name the scatter and time channels (empty: none). `viability` says what dye stands under "viability", `fixed` whether the cells
    were fixed (a fixed cell cannot be told dead with an unfixed dye). DNA is always linear. A panel as a person wrote it may name a
    channel by its label; `resolve_panel` turns it into the names of one file.
    """

    name: str
    channels: dict[str, str] = field(default_factory=dict[str, str])
    fsc_area: str = "FSC-A"
    fsc_height: str = "FSC-H"
    ssc_area: str = "SSC-A"
    time: str = "Time"
    viability: Viability = Viability.NONE
    fixed: bool = False

    @property
    def surface_markers(self) -> tuple[str, ...]:
        """The markers that a threshold is needed for: all but the live/dead and the DNA dye."""
        return tuple(marker for marker in self.channels if marker not in (VIABILITY, DNA))


@dataclass(frozen=True, kw_only=True, eq=False)
class Tube:
    """One acquired tube or well.

    `stain` is the marker left out (FMO) or the only one (single stain), else empty. `day_d` is the day of culture. `role` is the
    culture's (`CultureRole`), empty where it was not said of a control tube. `concentration_nM` None: not a dose (controls).
    `cell_source` says where the cells came from (cord_blood, adult_blood ...), `well` where the tube stood, `file` which file and
    `data_set` which part of it was read.
    """

    name: str
    sample: Sample
    panel: Panel
    kind: TubeKind = TubeKind.FULL
    stain: str = ""
    donor: str = ""
    plate: str = ""
    day_d: float | None = None
    role: str = "sample"
    agonist: str = ""
    concentration_nM: float | None = None
    cell_source: str = ""
    well: str = ""
    note: str = ""
    file: str = ""
    data_set: int = 1

    @property
    def control_group(self) -> tuple[str, str, float | None, str]:
        """Donor, plate, day and panel: what a threshold from controls holds for."""
        return (self.donor, self.plate, self.day_d, self.panel.name)


@dataclass(frozen=True, kw_only=True)
class ExcludedTube:
    """A row of the sample sheet that is left out, and why; its file is not read."""

    name: str
    file: str
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleSheet:
    """The tubes of an experiment, in the order of the sheet, each with its file.

    `notes` are sentences on what to know before the numbers are used; `unlisted` are cytometry files of the folder that no row names.
    """

    source: str
    tubes: tuple[Tube, ...]
    excluded: tuple[ExcludedTube, ...] = ()
    notes: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()

    @property
    def donors(self) -> tuple[str, ...]:
        """Donors of the fully stained tubes, each once: their number is n."""
        return tuple(dict.fromkeys(tube.donor for tube in self.tubes if tube.kind is TubeKind.FULL and tube.donor))

    def of_kind(self, kind: TubeKind) -> tuple[Tube, ...]:
        """The tubes of one kind."""
        return tuple(tube for tube in self.tubes if tube.kind is kind)


def group_words(group: tuple[str, str, float | None, str]) -> str:
    """A control group for a sentence: 'donor D1, day 10, panel surface'; what was not said is left out."""
    donor, plate, day_d, panel = group
    day = None if day_d is None else f"{day_d:g}"
    named = (("donor", donor), ("plate", plate), ("day", day), ("panel", panel))
    return ", ".join(f"{word} {value}" for word, value in named if value) or "the tubes"
