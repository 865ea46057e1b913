"""Ledgers of cultures from a sheet (CSV, TSV, XLSX) or a TOML file ([[events]]): one row per event, in the order they were done.

::

    culture,donor,day,event,cells,volume_mL,removed_mL,added_mL,cells_lost,tube,MKs,beads,beads_uL,bead_lot,beads_per_uL,bead_lot_cv_pct
    D1-A,D1,0,seed,20000,1,,,,,,,,,,
    D1-A,D1,3,feed,,,0.5,0.5,no,,,,,,,
    D1-A,D1,10,sample,,0.1,,,,T1,4211,1873,50,lot 7,1000,5

Events: seed (cells, volume_mL), feed (removed_mL, added_mL, cells_lost), split (kept_fraction), sample (volume_mL; counted by beads or by
acquired volume), count (cells_per_mL, MKs, cells_looked_at). A cell that its event has no use for is a fault.
"""

from __future__ import annotations

from pathlib import Path

from thrombokit.cells.culture_events import Culture, Event, culture_faults
from thrombokit.errors import InputError, raise_all
from thrombokit.io.fault_lists import condensed
from thrombokit.io.named_columns import read_rows
from thrombokit.io.yield_rows import COLUMNS, Reading, parse_event


def read_cultures(path: str | Path) -> tuple[Culture, ...]:
    """Read the ledgers of all cultures of a file.

    Returns
    -------
    tuple of Culture
        In the order in which they first stand there.

    Raises
    ------
    InputError
        With every fault: place (file, row, column), found, expected, cure.
    """
    rows, faults = read_rows(path, COLUMNS, toml_key="events")
    reading = Reading(faults)
    events: dict[str, list[Event]] = {}
    donors: dict[str, str] = {}
    broken: set[str] = set()
    for row in rows:
        culture, donor = row.text("culture"), row.text("donor")
        for name in ("culture", "donor"):
            if not row.text(name):
                faults.append(row.fault(name, found="nothing", expected=f"the {name}", cure="Fill it in, in every row."))
        if donors.setdefault(culture, donor) != donor:
            cure = "Correct the donor, or give the culture a name of its own."
            faults.append(
                row.fault("donor", found=f'"{donor}" for culture "{culture}"', expected=f'"{donors[culture]}"', cure=cure)
            )
        event = parse_event(row, reading)
        if event is None:
            broken.add(culture)
        else:
            events.setdefault(culture, []).append(event)
    cultures = tuple(Culture(name=name, donor=donors[name], events=tuple(done)) for name, done in events.items())
    for culture in cultures:
        if culture.name not in broken:  # what follows from a broken row would only confuse
            faults.extend(culture_faults(culture))
    raise_all(condensed(faults), InputError)
    return cultures
