"""The ledger of the cultures held against the tubes of the sample sheet: a tube that both name must be the same tube."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from thrombokit.cells.culture_events import Culture, ManualCount, Sampling
from thrombokit.cells.tubes import Tube
from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault


def ledger_faults(cultures: Iterable[Culture], tubes: Iterable[Tube], *, excluded: Iterable[str] = ()) -> list[Fault]:
    """What the ledger says of tubes that the sample sheet says otherwise.

    Parameters
    ----------
    cultures : iterable of Culture
        As read from the ledger.
    tubes : iterable of Tube
        Those of the sample sheet.
    excluded : iterable of str
        Names of tubes the sheet leaves out: they may be named, and are not counted.

    Returns
    -------
    list of Fault
        A tube the sheet does not have, one of another donor or day, one that two events name.
    """
    known = {tube.name: tube for tube in tubes}
    left_out, first, faults = set(excluded), dict[str, str](), list[Fault]()
    for culture in cultures:
        for event in culture.events:
            if not isinstance(event, Sampling | ManualCount) or not event.tube or event.tube in left_out:
                continue
            faults.extend(_faults(culture, event, known))
            place = first.setdefault(event.tube, event.place)
            if place != event.place:
                cure = "Correct the tube of one of them."
                found = f'tube "{event.tube}" again (first in {place})'
                faults.append(Fault(place=event.place, found=found, expected="one event for each tube", cure=cure))
    return faults


def _faults(culture: Culture, event: Sampling | ManualCount, known: Mapping[str, Tube]) -> Iterator[Fault]:
    tube = known.get(event.tube)
    if tube is None:
        cure = did_you_mean(event.tube, known, otherwise="Correct the name, or add the tube to the sample sheet.")
        yield Fault(place=event.place, found=f'tube "{event.tube}"', expected="a tube of the sample sheet", cure=cure)
        return
    cure = "Correct the ledger or the sample sheet."
    if tube.donor and tube.donor != culture.donor:
        found = f'tube "{event.tube}" of donor {tube.donor} in culture "{culture.name}" of donor {culture.donor}'
        yield Fault(place=event.place, found=found, expected="one donor", cure=cure)
    if tube.day_d is not None and tube.day_d != event.day_d:
        found = f'tube "{event.tube}" of day {tube.day_d:g} in the sample sheet and {event.day_d:g} in the ledger'
        yield Fault(place=event.place, found=found, expected="one day", cure=cure)
