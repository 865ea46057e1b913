"""Published trials as scenarios to simulate: arms, visits, doses and rules, each entry with how well it is known.

What an article does not say is a set of possibilities (`set = [...]`), never a guess. Arms are marked: "calibrate" may be used in fitting,
"predict" is excluded from fitting and `calibration_rows` refuses to hand it out. The files are in `scenarios/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from thrombokit.domain.agonist import Tier
from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.domain.toml_table import TableReader
from thrombokit.domain.toml_text import TomlDocument, parse_toml
from thrombokit.errors import Fault, InputError, SpecError, raise_all

SCENARIO_SCHEMA = "thrombokit-scenario/1"
DESIGN = ("baseline", "visits_d", "window_d", "titration", "rescue", "stopping", "denominator", "missing", "after_rescue")
"""What every scenario has to say about its trial, known or not."""


class Use(StrEnum):
    """What an arm may be used for."""

    CALIBRATE = "calibrate"
    PREDICT = "predict"


class OutcomeKind(StrEnum):
    """What an outcome counts; counts are in 1e9/L. Responders are [k, n]."""

    RESPONDERS = "responders"
    RESPONDERS_ABOVE = "responders_above"
    RESPONDERS_ONCE = "responders_once"
    RESPONDERS_ONCE_TO_400 = "responders_once_50_to_400"
    RESPONDERS_AT_VISITS = "responders_at_three_quarters_of_visits"
    MEDIAN = "median_1e9_per_L"
    MEDIAN_WEEKS = "median_weeks_to_response"
    LARGEST_RISE = "largest_rise_percent"
    MEAN_RISE = "mean_rise_percent"
    AUC = "auc_ug_h_per_mL"
    EFFECTIVE_SHARE = "effective_share"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioEntry:
    """One thing about a trial: the `choices` that are possible (a single one where it is known), how well it is known, from where."""

    choices: tuple[Any, ...]
    tier: Tier
    source: str

    @property
    def is_known(self) -> bool:
        """Whether there is only one possibility."""
        return len(self.choices) == 1

    @property
    def value(self) -> Any:
        """The one possibility.

        Raises
        ------
        InputError
            If several are possible: whoever reads it has to deal with each of them.
        """
        if not self.is_known:
            raise InputError(
                Fault(place="scenarios", found=f"{len(self.choices)} possibilities ({self.source})", expected="a known entry",
                      cure="Go through `choices`.")
            )  # fmt: skip
        return self.choices[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What was counted on a day in one arm; `row` is its row of the validation table."""

    row: str
    kind: OutcomeKind
    day: float
    result: ScenarioEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioArm:
    """One arm: its use, its agonist ("placebo" for none), daily dose (mg), days of dosing, patients, outcomes."""

    name: str
    use: Use
    agonist: str
    dose_mg: ScenarioEntry
    days: ScenarioEntry
    n: ScenarioEntry
    outcomes: tuple[Outcome, ...]

    def outcome(self, kind: OutcomeKind) -> Outcome:
        """Its first outcome of a kind."""
        return next(outcome for outcome in self.outcomes if outcome.kind is kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A trial; `design` has every key of DESIGN."""

    name: str
    title: str
    source: str
    population: str
    design: dict[str, ScenarioEntry]
    arms: tuple[ScenarioArm, ...]

    def arm(self, name: str) -> ScenarioArm:
        """The arm of a name."""
        return next(arm for arm in self.arms if arm.name == name)


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationRow:
    """One arm with its trial, handed out for fitting; `outcomes` are those of the row asked for."""

    row: str
    scenario: Scenario
    arm: ScenarioArm
    outcomes: tuple[Outcome, ...]


def load_scenarios() -> tuple[Scenario, ...]:
    """All shipped scenarios, by name."""
    return _shipped()


def find_scenario(name: str) -> Scenario:
    """The scenario of a name.

    Raises
    ------
    InputError
        If there is none; names what was probably meant.
    """
    by_name = {scenario.name: scenario for scenario in load_scenarios()}
    if name not in by_name:
        cure = did_you_mean(name, by_name, otherwise=f"There are {', '.join(by_name)}.")
        raise InputError(Fault(place="scenarios", found=f'"{name}"', expected="the name of a scenario", cure=cure))
    return by_name[name]


def calibration_rows(*names: str) -> tuple[CalibrationRow, ...]:
    """Arms to fit to, by row ("V3": all arms of the row) or row and arm ("V6/placebo").

    Raises
    ------
    InputError
        For every name that stands for no arm, and for every arm that is marked predict: those are excluded from fitting.
    """
    faults: list[Fault] = []
    rows: list[CalibrationRow] = []
    known = [row for scenario in load_scenarios() for row in _rows(scenario)]
    for name in names:
        found = [row for row in known if name in (row.row, f"{row.row}/{row.arm.name}")]
        if not found:
            options = sorted({row.row for row in known} | {f"{row.row}/{row.arm.name}" for row in known})
            cure = did_you_mean(name, options, otherwise=f"There are {', '.join(options)}.")
            faults.append(Fault(place="calibration rows", found=f'"{name}"', expected="a row, or row/arm", cure=cure))
        faults += [_predicted(row) for row in found if row.arm.use is Use.PREDICT]
        rows += found
    raise_all(faults, InputError)
    return tuple(rows)


def _predicted(row: CalibrationRow) -> Fault:
    place = f"calibration rows, {row.row}/{row.arm.name} ({row.scenario.name})"
    return Fault(place=place, found="an arm marked predict", expected="arms marked calibrate",
                 cure="Leave it out: it is excluded from fitting, and is compared with predictions once the parameters are frozen.")  # fmt: skip


def _rows(scenario: Scenario) -> Iterator[CalibrationRow]:
    for arm in scenario.arms:
        for row in dict.fromkeys(outcome.row for outcome in arm.outcomes):
            yield CalibrationRow(row=row, scenario=scenario, arm=arm, outcomes=tuple(o for o in arm.outcomes if o.row == row))


@cache
def _shipped() -> tuple[Scenario, ...]:
    return tuple(read_scenario(parse_toml(text, file=name)) for name, text in scenario_texts().items())


def scenario_texts() -> dict[str, str]:
    """The shipped files as text, by file name in alphabetical order."""
    folder = files("thrombokit.evidence") / "scenarios"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".toml"))
    return {name: (folder / name).read_text(encoding="utf-8") for name in names}


def read_scenario(document: TomlDocument) -> Scenario:
    """The scenario of one file.

    Raises
    ------
    SpecError
        With every fault of the file, each with line and key.
    """
    faults = list(document.faults)
    top = TableReader(document.values, places=document.places, faults=faults)
    schema = top.text("schema", expected=f'"{SCENARIO_SCHEMA}"', example=f'schema = "{SCENARIO_SCHEMA}"')
    if schema is not None and schema != SCENARIO_SCHEMA:
        top.fault("schema", expected=f'"{SCENARIO_SCHEMA}"', cure="Correct it.")
    words = {
        key: top.text(key, expected="a text", example=f'{key} = "..."') or "" for key in ("name", "title", "source", "population")
    }
    table = top.table("design") or TableReader({}, places=document.places, faults=faults, path=("design",))
    design = {key: _entry(table, key) for key in DESIGN}
    table.close()
    arms = [_arm(table) for table in top.tables("arm")]
    top.close()
    raise_all(faults, SpecError)
    return Scenario(**words, design={key: entry for key, entry in design.items() if entry}, arms=tuple(arm for arm in arms if arm))


def _entry(table: TableReader, key: str) -> ScenarioEntry | None:
    """`key = {value = ..., tier = ..., source = ...}`, or `set` in place of `value`."""
    expected = "{value = ..., or set = [...], tier = ..., source = ...}"
    told = table.anything(key, expected=expected, example=f'{key} = {{value = "...", tier = "assumed", source = "..."}}')
    if told is None:
        return None
    if not isinstance(told, dict):
        table.fault(key, expected=expected, cure="Write it with its tier and its source.")
        return None
    reader = TableReader(told, places=table.places, faults=table.faults, path=(*table.path, key))
    tier = reader.choice("tier", Tier, example='tier = "assumed"')
    source = reader.text("source", expected="where it comes from", example='source = "..."')
    value, several = reader.anything("value", expected="what is known"), reader.anything("set", expected="a list of possibilities")
    reader.close()
    if (value is None) == (several is None) or (several is not None and not (isinstance(several, list) and several)):
        table.fault(key, expected=expected, cure="Give value where it is known, else set, a list of what is possible.")
        return None
    if tier is None or source is None:
        return None
    return ScenarioEntry(
        choices=(_plain(value),) if several is None else tuple(_plain(item) for item in several), tier=tier, source=source
    )


def _plain(value: Any) -> Any:
    return tuple(_plain(item) for item in value) if isinstance(value, list) else value


def _arm(table: TableReader) -> ScenarioArm | None:
    name = table.text("name", expected="the name of the arm", example='name = "placebo"')
    agonist = table.text("agonist", expected="an agonist, or placebo", example='agonist = "placebo"')
    use = table.choice("use", Use, example='use = "predict"')
    dose, days, n = (_entry(table, key) for key in ("dose_mg", "days", "n"))
    outcomes = [_outcome(item) for item in table.tables("outcome")]
    table.close()
    if name is None or agonist is None or use is None or dose is None or days is None or n is None:
        return None
    return ScenarioArm(name=name, use=use, agonist=agonist, dose_mg=dose, days=days, n=n, outcomes=tuple(o for o in outcomes if o))


def _outcome(table: TableReader) -> Outcome | None:
    row = table.text("row", expected="a row of the validation table", example='row = "V5"')
    kind = table.choice("kind", OutcomeKind, example='kind = "responders"')
    day = table.number("day", expected="the day it was counted on", example="day = 43")
    result = _entry(table, "value")
    table.close()
    if row is None or kind is None or day is None or result is None:
        return None
    return Outcome(row=row, kind=kind, day=day, result=result)
