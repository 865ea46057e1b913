"""What one row of a culture's ledger says was done, checked by itself; `yield_sheets` puts the rows of a culture together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from thrombokit.cells.culture_events import BeadLot, ByBeads, ByVolume, Event, Feed, ManualCount, Sampling, Seed, Split
from thrombokit.domain.toml_faults import did_you_mean, one_of
from thrombokit.errors import Fault
from thrombokit.io.named_columns import Columns, Row


class EventKind(StrEnum):
    """What was done."""

    SEED = "seed"
    FEED = "feed"
    SPLIT = "split"
    SAMPLE = "sample"
    COUNT = "count"


COLUMNS = Columns(
    names={
        "culture": ("culture name", "flask", "vessel", "well"),
        "donor": ("donor id",),
        "day": ("day_d", "day of culture"),
        "event": ("what", "action", "step"),
        "cells": ("CD34 cells", "cells seeded"),
        "volume_mL": ("volume",),
        "removed_mL": ("removed",),
        "added_mL": ("added",),
        "cells_lost": ("cells discarded", "with cells"),
        "kept_fraction": ("kept",),
        "tube": ("tube name",),
        "stained_mL": ("stained",),
        "MKs": ("MKs acquired", "MK events"),
        "beads": ("beads acquired", "bead events"),
        "beads_uL": ("bead volume",),
        "bead_lot": ("lot",),
        "beads_per_uL": ("bead concentration",),
        "bead_lot_cv_pct": ("bead cv",),
        "tube_uL": ("tube volume",),
        "acquired_uL": ("acquired volume",),
        "cells_per_mL": ("cell concentration", "density"),
        "cells_looked_at": ("cells counted",),
        "cv_pct": ("cv", "count cv"),
        "notes": ("note", "comment", "comments"),
    },
    required=("culture", "donor", "day", "event"),
)  # fmt: skip

_ALWAYS = ("culture", "donor", "day", "event", "notes")
_BY_BEADS = ("beads", "beads_uL", "bead_lot", "beads_per_uL", "bead_lot_cv_pct")
_BY_VOLUME = ("tube_uL", "acquired_uL")
NEEDED = {
    EventKind.SEED: ("cells", "volume_mL"),
    EventKind.FEED: ("removed_mL", "added_mL"),
    EventKind.SPLIT: ("kept_fraction",),
    EventKind.SAMPLE: ("volume_mL",),
    EventKind.COUNT: ("cells_per_mL", "MKs", "cells_looked_at"),
}
ALLOWED = {
    EventKind.SEED: ("cv_pct",),
    EventKind.FEED: ("cells_lost",),
    EventKind.SPLIT: ("added_mL",),
    EventKind.SAMPLE: ("tube", "stained_mL", "MKs", *_BY_BEADS, *_BY_VOLUME),
    EventKind.COUNT: ("tube", "cv_pct"),
}
_WHOLE = ("MKs", "beads", "cells_looked_at")
_MAY_BE_ZERO = ("removed_mL", "added_mL", "MKs", "beads", "bead_lot_cv_pct", "cv_pct")
_HIGHEST = {"kept_fraction": 1.0, "bead_lot_cv_pct": 100.0, "cv_pct": 100.0}


@dataclass
class Reading:
    """What is gathered over the rows: faults, and the lots of beads met."""

    faults: list[Fault]
    lots: dict[str, tuple[BeadLot, str]] = field(default_factory=dict[str, tuple[BeadLot, str]])


def parse_event(row: Row, reading: Reading) -> Event | None:
    """The event of a row, or None; what is wrong with the row goes to `reading.faults`."""
    before = len(reading.faults)
    said = row.text("event").casefold()
    if said not in list(EventKind):
        options = [kind.value for kind in EventKind]
        cure = did_you_mean(said, options, otherwise="Choose one of these.")
        reading.faults.append(row.fault("event", found=f'"{row.text("event")}"', expected=one_of(options), cure=cure))
        return None
    kind = EventKind(said)
    numbers = _numbers(row, kind, reading.faults)
    day = row.number("day", reading.faults, expected="the day of culture, a number of 0 or more")
    if day is None and not row.text("day"):
        reading.faults.append(row.fault("day", found="nothing", expected="the day of culture", cure="Fill it in."))
    _check_cells(row, kind, numbers, reading.faults)
    lost = _cells_lost(row, numbers, reading.faults) if kind is EventKind.FEED else False
    measure = _measure(row, numbers, reading) if kind is EventKind.SAMPLE else None
    if len(reading.faults) > before or day is None:
        return None
    return _BUILDERS[kind](_Cells(row=row, day_d=day, numbers=numbers, cells_lost=lost, measure=measure))


def _numbers(row: Row, kind: EventKind, faults: list[Fault]) -> dict[str, float]:
    """The numbers that the event has a use for; those needed and absent are faults, as are those it has no use for."""
    numbers: dict[str, float] = {}
    known = (*NEEDED[kind], *ALLOWED[kind])
    for name in known:
        if name in ("tube", "bead_lot", "cells_lost"):
            continue
        zero = name in _MAY_BE_ZERO
        limits = f"0 to {_HIGHEST[name]:g}" if name in _HIGHEST else "0 or more" if zero else "above 0"
        value = row.number(name, faults, expected=f"a number, {limits}", high=_HIGHEST.get(name, float("inf")), above=not zero)
        if value is not None:
            numbers[name] = value
            if name in _WHOLE and value != int(value):
                faults.append(row.fault(name, found=f"{value:g}", expected="a whole number", cure="Correct the number."))
        elif name in NEEDED[kind] and not row.text(name):
            faults.append(row.fault(name, found="nothing", expected=f"{name} of every {kind}", cure="Fill it in."))
    for name in row.cells:
        if row.text(name) and name not in (*known, *_ALWAYS):
            expected = f"for {kind}: {', '.join(known)}"
            faults.append(
                row.fault(
                    name, found=f"{row.text(name)} in a {kind}", expected=expected, cure="Clear the cell, or correct the event."
                )
            )
    return numbers


def _check_cells(row: Row, kind: EventKind, numbers: dict[str, float], faults: list[Fault]) -> None:
    """Numbers of one row that contradict each other."""
    if kind is EventKind.COUNT and numbers.get("MKs", 0) > numbers.get("cells_looked_at", float("inf")):
        cure = "Correct one of the two."
        faults.append(row.fault("MKs", found=f"{numbers['MKs']:g}", expected="at most cells_looked_at", cure=cure))
    for part, whole in (("stained_mL", "volume_mL"), ("acquired_uL", "tube_uL")):
        if part in numbers and numbers[part] > numbers.get(whole, float("inf")):
            faults.append(row.fault(part, found=f"{numbers[part]:g}", expected=f"at most {whole}", cure="Correct one of the two."))


def _cells_lost(row: Row, numbers: dict[str, float], faults: list[Fault]) -> bool:
    said = row.text("cells_lost").casefold()
    if said in ("yes", "true"):
        return True
    if said in ("no", "false") or (not said and not numbers.get("removed_mL")):
        return False
    cure = 'Write "yes" if the medium was taken off with its cells, "no" if they were spun down or left settled.'
    faults.append(row.fault("cells_lost", found=f'"{said}"' if said else "nothing", expected="yes or no", cure=cure))
    return False


def _measure(row: Row, numbers: dict[str, float], reading: Reading) -> ByBeads | ByVolume | None:
    """How the sample was counted; None: it was not."""
    beads = [name for name in _BY_BEADS if row.text(name)]
    volumes = [name for name in _BY_VOLUME if row.text(name)]
    faults = reading.faults
    if beads and volumes:
        cure = "Clear the columns of the one that was not used."
        faults.append(row.fault(volumes[0], found="beads and an acquired volume", expected="one way of counting", cure=cure))
    elif beads:
        missing = [name for name in ("beads_uL", "bead_lot", "beads_per_uL", "bead_lot_cv_pct") if not row.text(name)]
        for name in missing:
            faults.append(
                row.fault(name, found="nothing", expected="the beads' volume, lot, count per uL and its CV", cure="Fill it in.")
            )
        if not missing and all(name in numbers for name in ("beads_uL", "beads_per_uL", "bead_lot_cv_pct")):
            acquired = numbers.get("beads")
            return ByBeads(
                lot=_lot(row, numbers, reading),
                added_uL=numbers["beads_uL"],
                acquired=None if acquired is None else int(acquired),
            )
    elif len(volumes) == 1:
        name = next(n for n in _BY_VOLUME if n not in volumes)
        faults.append(row.fault(name, found="nothing", expected="both tube_uL and acquired_uL", cure="Fill it in."))
    elif volumes and all(name in numbers for name in volumes):
        return ByVolume(tube_uL=numbers["tube_uL"], acquired_uL=numbers["acquired_uL"])
    elif "MKs" in numbers:
        cure = "Fill in the beads, or tube_uL and acquired_uL; or clear MKs."
        faults.append(
            row.fault("MKs", found="MKs of an unknown part of the tube", expected="what part of the tube was acquired", cure=cure)
        )
    return None


def _lot(row: Row, numbers: dict[str, float], reading: Reading) -> BeadLot:
    """The row's lot; a lot is the same in every row."""
    lot = BeadLot(name=row.text("bead_lot"), beads_per_uL=numbers["beads_per_uL"], cv=numbers["bead_lot_cv_pct"] / 100.0)
    first, place = reading.lots.setdefault(lot.name, (lot, row.place))
    if first != lot:
        found = f"lot {lot.name} with {lot.beads_per_uL:g} beads per uL, CV {100 * lot.cv:g} %"
        expected = f"{first.beads_per_uL:g}, {100 * first.cv:g} %, as in {place}"
        reading.faults.append(row.fault("bead_lot", found=found, expected=expected, cure="Correct one of them, or the lot's name."))
    return lot


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """The checked cells of a row."""

    row: Row
    day_d: float
    numbers: dict[str, float]
    cells_lost: bool
    measure: ByBeads | ByVolume | None

    def share(self, name: str) -> float | None:
        return self.numbers[name] / 100.0 if name in self.numbers else None


def _seed(cells: _Cells) -> Event:
    n = cells.numbers
    return Seed(day_d=cells.day_d, CD34_cells=n["cells"], volume_mL=n["volume_mL"], cv=cells.share("cv_pct"), place=cells.row.place)


def _feed(cells: _Cells) -> Event:
    n = cells.numbers
    return Feed(
        day_d=cells.day_d,
        removed_mL=n["removed_mL"],
        added_mL=n["added_mL"],
        cells_lost=cells.cells_lost,
        place=cells.row.place,
    )


def _split(cells: _Cells) -> Event:
    n = cells.numbers
    return Split(day_d=cells.day_d, kept_fraction=n["kept_fraction"], added_mL=n.get("added_mL", 0.0), place=cells.row.place)


def _sample(cells: _Cells) -> Event:
    n = cells.numbers
    MKs = int(n["MKs"]) if "MKs" in n else None
    return Sampling(
        day_d=cells.day_d, volume_mL=n["volume_mL"], stained_mL=n.get("stained_mL"), tube=cells.row.text("tube"), MKs_acquired=MKs,
        measure=cells.measure, place=cells.row.place,
    )  # fmt: skip


def _count(cells: _Cells) -> Event:
    n = cells.numbers
    return ManualCount(
        day_d=cells.day_d, cells_per_mL=n["cells_per_mL"], MKs=int(n["MKs"]), cells=int(n["cells_looked_at"]),
        cv=cells.share("cv_pct"), tube=cells.row.text("tube"), place=cells.row.place,
    )  # fmt: skip


_BUILDERS: dict[EventKind, Callable[[_Cells], Event]] = {
    EventKind.SEED: _seed,
    EventKind.FEED: _feed,
    EventKind.SPLIT: _split,
    EventKind.SAMPLE: _sample,
    EventKind.COUNT: _count,
}
