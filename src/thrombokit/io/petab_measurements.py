"""The measurement tables of a PEtab problem."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault
from thrombokit.io.petab_observables import placeholder_count
from thrombokit.io.petab_tables import TableRow, entries_of, number_of
from thrombokit.signalling.petab_problem import Entry, Measurement, Observable


def read_measurements(
    rows: Sequence[TableRow], observables: Iterable[Observable], conditions: Iterable[str], faults: list[Fault]
) -> tuple[Measurement, ...]:
    """The measurements, in the order of the tables.

    Parameters
    ----------
    rows : sequence of TableRow
        Columns nobody reads here (datasetId, replicateId ...) are passed over: they change no number.
    observables : iterable of Observable
    conditions : iterable of str
        Known condition ids.
    faults : list of Fault
        What is wrong is appended.
    """
    by_id = {one.id: one for one in observables}
    counts = {
        id: (placeholder_count([one.formula, one.noise], "observable", id), placeholder_count([one.noise], "noise", id))
        for id, one in by_id.items()
    }
    known = set(conditions)
    found: list[Measurement] = []
    for row in rows:
        id = row.text("observableId")
        value = number_of(row, "measurement", faults, expected="a finite number")
        time = number_of(row, "time", faults, expected="a time from 0 on, or inf for the steady state")
        one = Measurement(
            observable=id, preequilibration=row.text("preequilibrationConditionId"), condition=row.text("simulationConditionId"),
            value=value, time=time, observable_parameters=entries_of(row.text("observableParameters")),
            noise_parameters=entries_of(row.text("noiseParameters")), place=f"{row.file}, row {row.number}",
        )  # fmt: skip
        _check_names(row, one, by_id, known, faults)
        if id in by_id:
            _check_numbers(row, one, by_id[id], faults)
            for column, kind, entries, n in (
                ("observableParameters", "observableParameter", one.observable_parameters, counts[id][0]),
                ("noiseParameters", "noiseParameter", one.noise_parameters, counts[id][1]),
            ):
                _check_entries(row, column, f"{kind}1_{id}", entries, n, faults)
        found.append(one)
    return tuple(found)


def _check_names(
    row: TableRow, one: Measurement, observables: Mapping[str, Observable], conditions: set[str], faults: list[Fault]
) -> None:
    for column, id, known, needed in (
        ("observableId", one.observable, observables, True),
        ("simulationConditionId", one.condition, conditions, True),
        ("preequilibrationConditionId", one.preequilibration, conditions, False),
    ):
        if id in known or (not id and not needed):
            continue
        found = f'"{id}"' if id else "an empty cell"
        cure = did_you_mean(id, known, otherwise="Add it to its table, or correct the id.")
        table = "observable" if column == "observableId" else "condition"
        faults.append(row.fault(column, found=found, expected=f"an id of the {table} table", cure=cure))


def _check_numbers(row: TableRow, one: Measurement, observable: Observable, faults: list[Fault]) -> None:
    if math.isinf(one.value):
        faults.append(row.fault("measurement", found=f"{one.value}", expected="a finite number", cure="Correct or remove the row."))
    elif observable.transformation != "lin" and one.value <= 0:
        faults.append(row.fault("measurement", found=f"{one.value:g} on the scale {observable.transformation}",
                                expected="a positive number", cure="Remove the row, or use the transformation lin."))  # fmt: skip
    if one.time < 0:
        faults.append(row.fault("time", found=f"{one.time:g}", expected="a time from 0 on",
                                cure="Shift the times, or use a pre-equilibration condition."))  # fmt: skip


def _check_entries(row: TableRow, column: str, first: str, entries: tuple[Entry, ...], n: int, faults: list[Fault]) -> None:
    spare_number = column == "noiseParameters" and n == 0 and len(entries) == 1 and not isinstance(entries[0], str)
    if len(entries) != n and not spare_number:  # PEtab lets a number stand beside a noise formula that does not use it
        found = f"{len(entries)} entr{'y' if len(entries) == 1 else 'ies'}" if entries else "an empty cell"
        expected = f"{n}, separated by semicolons: the formula has {first} and so on" if n else f"none: the formula has no {first}"
        faults.append(row.fault(column, found=found, expected=expected, cure="Give one entry for each placeholder."))
    for entry in entries:
        if not isinstance(entry, str) and not math.isfinite(entry):
            faults.append(
                row.fault(column, found=f"{entry}", expected="finite numbers or parameter ids", cure="Correct the entry.")
            )
        elif entry == "":
            faults.append(row.fault(column, found="an empty entry", expected="finite numbers or parameter ids", cure="Fill it in."))
