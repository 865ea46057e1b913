"""Regimens as a person writes them: "2.5 mg once daily fasted from day 0 until day 27", and their event table.

A regimen is a list of lines; each gives one dose again and again, or once. `until` is the time of the last dose that may be given. Where a
line says "fed" or "fasted", the table has a column FED (1 or 0) for models that ask for it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from thrombokit.errors import Fault, SpecError, UnitError, raise_all
from thrombokit.patients.event_records import event_table
from thrombokit.patients.event_table import EventTable
from thrombokit.patients.model import PatientModel
from thrombokit.quantities import DOSE_UNITS_mg, TIME_UNITS_h, dose_in, dose_unit, time_h, time_unit

FED_COLUMN, PER_KG = "FED", "/kg"
_NUMBER = r"\d+(?:\.\d+)?"
_SPAN = rf"(?:({_NUMBER})\s+(min|minutes?|h|hours?|d|days?|weeks?))"
_FREQUENCY = (
    "once daily|daily|twice daily|three times daily|every other day|once weekly|weekly|once|single dose"
    rf"|every\s+(?:{_SPAN}|day|week|hour)"
)
_LINE = re.compile(
    rf"(?P<dose>{_NUMBER}\s*[a-zµμ]+(?:/kg)?)"
    rf"(?:\s+(?P<frequency>{_FREQUENCY}))?"
    r"(?:,?\s+(?P<food>fasted|fed|with food))?"
    rf"(?:,?\s+over\s+(?P<infusion>{_NUMBER}\s+[a-z]+))?"
    rf"(?:,?\s+into\s+(?P<compartment>[A-Za-z_]\w*))?"
    rf"(?:,?\s+from\s+(?P<start>day\s+{_NUMBER}|week\s+{_NUMBER}|{_NUMBER}\s+[a-z]+))?"
    rf"(?:,?\s+(?:until|to)\s+(?P<until>day\s+{_NUMBER}|week\s+{_NUMBER}|{_NUMBER}\s+[a-z]+)|,?\s+for\s+(?P<length>{_NUMBER}\s+[a-z]+))?",
    re.IGNORECASE,
)  # fmt: skip
_EVERY_H = {
    "once daily": 24.0, "daily": 24.0, "twice daily": 12.0, "three times daily": 8.0, "every other day": 48.0, "once weekly": 168.0,
    "weekly": 168.0, "every day": 24.0, "every week": 168.0, "every hour": 1.0, "once": 0.0, "single dose": 0.0,
}  # fmt: skip
_EXAMPLE = '"2.5 mg once daily fasted from day 0 until day 27"'


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseLine:
    """One dose, given at `from_h` and, where `every_h` > 0, again each `every_h` until `until_h` (the last time one may be given).

    `amount` is in `unit` (g, mg, ug, ng, or one of them /kg); `infusion_h` 0 is at once; `fed` None says nothing of food; `compartment` None
    is the model's default.
    """

    amount: float
    unit: str
    every_h: float = 0.0
    from_h: float = 0.0
    until_h: float = math.inf
    fed: bool | None = None
    infusion_h: float = 0.0
    compartment: str | None = None

    def additional(self, end_h: float) -> int:
        """Doses after the first, up to `end_h`."""
        last = min(self.until_h, end_h)
        return max(math.floor((last - self.from_h) / self.every_h + 1e-9), 0) if self.every_h > 0.0 else 0


@dataclass(frozen=True, kw_only=True)
class Regimen:
    """Dose lines, when to read the outputs (`read_h`, rising), and values of data columns of the one patient who takes it."""

    lines: tuple[DoseLine, ...]
    read_h: tuple[float, ...]
    covariates: Mapping[str, float] = field(default_factory=dict[str, float])
    file: str = "regimen"


def parse_dose_line(text: str, *, place: str) -> DoseLine:
    """Read a line such as "2.5 mg once daily fasted from day 0 until day 27".

    Raises
    ------
    SpecError, UnitError
        If it is no such line, with an example of one.
    """
    matched = _LINE.fullmatch(text.strip().rstrip("."))
    if matched is None:
        raise SpecError(
            Fault(place=place, found=f'"{text}"', expected=f"a regimen such as {_EXAMPLE}",
                  cure="Say dose, how often (once daily, every 48 h, once), fed or fasted, from and until, in this order.")
        )  # fmt: skip
    said = matched.groupdict()
    amount, unit = dose_amount(str(said["dose"]), place=place)
    start = _moment(said["start"], place=place) if said["start"] else 0.0
    until = _moment(said["until"], place=place) if said["until"] else math.inf
    every = _every(said["frequency"], place=place)
    if said["length"]:
        until = start + time_h(said["length"], place=place) - every
    food = (said["food"] or "").casefold()
    return DoseLine(
        amount=amount, unit=unit, every_h=every, from_h=start, until_h=until, fed=None if not food else food != "fasted",
        infusion_h=time_h(said["infusion"], place=place) if said["infusion"] else 0.0, compartment=said["compartment"],
    )  # fmt: skip


def regimen_events(regimen: Regimen, model: PatientModel) -> EventTable:
    """The event table of one patient (ID 1) who takes a regimen: doses, and an observation at each time to read.

    Amounts and times are converted to the model's units. Where food changes, a record without effect ends the stretch before it.

    Raises
    ------
    UnitError
        If the model's unit of time or amount is none that is known here.
    SpecError
        If a line names a compartment the model lacks.
    """
    per_h, per_mg = _scales(model)
    raise_all(_compartment_faults(regimen, model), SpecError)
    rows = [_dose_row(line, regimen, model, per_h, per_mg) for line in regimen.lines if line.from_h <= regimen.read_h[-1]]
    rows += [{**_NO_DOSE, "TIME": time * per_h} for time in regimen.read_h]
    rows.sort(key=lambda row: (row["TIME"], -row["EVID"]))
    fed = any(line.fed is not None for line in regimen.lines)
    rows = _with_food_carried(rows) if fed else rows
    names = [name for name in _NO_DOSE if fed or name != FED_COLUMN]
    columns = {name: [row[name] for row in rows] for name in names}
    given = {name.upper(): [value] * len(rows) for name, value in regimen.covariates.items()}
    return event_table(pl.DataFrame({"ID": [1.0] * len(rows), **columns, **given}), source=regimen.file)


_NO_DOSE = {"TIME": 0.0, "AMT": 0.0, "EVID": 0.0, "CMT": 0.0, "II": 0.0, "ADDL": 0.0, "RATE": 0.0, FED_COLUMN: 0.0}


def _dose_row(line: DoseLine, regimen: Regimen, model: PatientModel, per_h: float, per_mg: float) -> dict[str, float]:
    amount = line.amount * float(DOSE_UNITS_mg[line.unit.removesuffix(PER_KG)]) * per_mg * _weight_factor(line, regimen, model)
    folded = [name.casefold() for name in model.compartments]
    compartment = 0 if line.compartment is None else folded.index(line.compartment.casefold()) + 1
    additional = line.additional(regimen.read_h[-1])
    return {
        "TIME": line.from_h * per_h, "AMT": amount, "EVID": 1.0, "CMT": float(compartment), "ADDL": float(additional),
        "II": line.every_h * per_h if additional else 0.0, "RATE": amount / (line.infusion_h * per_h) if line.infusion_h > 0.0 else 0.0,
        FED_COLUMN: float(bool(line.fed)),
    }  # fmt: skip


def _weight_factor(line: DoseLine, regimen: Regimen, model: PatientModel) -> float:
    """Weight (kg) where the dose is per kg and the model's amount is not, its inverse where it is the other way round, else 1."""
    dose_per_kg, model_per_kg = line.unit.endswith(PER_KG), _per_kg(model)
    if dose_per_kg == model_per_kg:
        return 1.0
    weight = next((value for name, value in regimen.covariates.items() if name.upper() == "WT"), 0.0)
    if not weight > 0.0:
        found = f"a dose in {line.unit} for amounts in {model.units.amount}, and no weight"
        raise UnitError(
            Fault(place=regimen.file, found=found, expected="WT in kg under [patient]", cure="Add a line such as: WT = 70")
        )
    return weight if dose_per_kg else 1.0 / weight


def _per_kg(model: PatientModel) -> bool:
    return model.units.amount.replace(" ", "").casefold().endswith(PER_KG)


def _with_food_carried(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    """FED of each record that gives no dose is that of the last dose before it."""
    carried: list[dict[str, float]] = []
    fed = next((row[FED_COLUMN] for row in rows if row["EVID"] == 1.0), 0.0)
    for row in rows:
        if row["EVID"] == 1.0 and row[FED_COLUMN] != fed:
            carried.append({**_NO_DOSE, "TIME": row["TIME"], "EVID": 2.0, FED_COLUMN: fed})
            fed = row[FED_COLUMN]
        carried.append({**row, FED_COLUMN: fed})
    return carried


def _compartment_faults(regimen: Regimen, model: PatientModel) -> list[Fault]:
    known = [name.casefold() for name in model.compartments]
    return [
        Fault(place=regimen.file, found=f'the compartment "{line.compartment}"', cure="Correct the name.",
              expected=f"one of {', '.join(model.compartments)} of {model.file}")
        for line in regimen.lines if line.compartment is not None and line.compartment.casefold() not in known
    ]  # fmt: skip


def _scales(model: PatientModel) -> tuple[float, float]:
    """Units of time of the model in an hour, and units of amount in a milligram."""
    mass = model.units.amount.replace(" ", "").casefold().removesuffix(PER_KG)
    time, amount = time_unit(model.units.time), dose_unit(mass)
    faults = [
        Fault(place=f"{model.file}, units.{word}", found=f'"{text}"', expected=expected, cure="Write the unit so, or use an event table.")
        for word, text, known, expected in (
            ("time", model.units.time, time, "min, h, d or week"), ("amount", model.units.amount, amount, "g, mg, ug or ng, or one of them /kg"),
        ) if known is None
    ]  # fmt: skip
    raise_all(faults, UnitError)
    return 1.0 / float(TIME_UNITS_h[str(time)]), 1.0 / float(DOSE_UNITS_mg[str(amount)])


def dose_amount(text: str, *, place: str) -> tuple[float, str]:
    """ "2.5 mg" as 2.5 and "mg", "1 mcg/kg" as 1.0 and "ug/kg".

    Raises
    ------
    UnitError
        If the number or the unit is missing or wrong.
    """
    said = re.sub(r"\s*/\s*kg\s*$", "", text, flags=re.IGNORECASE)
    unit = re.sub(rf"^\s*{_NUMBER}\s*", "", said).strip()
    known = dose_unit(unit)
    return dose_in(said, known or unit, place=place), f"{known}{PER_KG}" if said != text else str(known)


def _moment(text: str, *, place: str) -> float:
    """ "day 7" and "week 2" count from 0; "36 h" is a time."""
    counted = re.fullmatch(rf"(day|week)\s+({_NUMBER})", text.strip(), re.IGNORECASE)
    return time_h(f"{counted[2]} {counted[1]}" if counted else text, place=place)


def _every(text: str | None, *, place: str) -> float:
    if text is None:
        return 0.0
    plain = re.sub(r"\s+", " ", text.casefold())
    return _EVERY_H[plain] if plain in _EVERY_H else time_h(plain.removeprefix("every "), place=place)


def moment_h(value: object, *, place: str) -> float:
    """A time of a regimen file in hours: "day 7", "week 2", "36 h".

    Raises
    ------
    UnitError
        If it is none of these.
    """
    return _moment(value, place=place) if isinstance(value, str) else time_h(value, place=place)


def every_h(value: object, *, place: str) -> float:
    """How often, in hours: "once daily", "every 48 h", "48 h"; 0 for "once".

    Raises
    ------
    UnitError
        If it is none of these.
    """
    return _every(value, place=place) if isinstance(value, str) else time_h(value, place=place)
