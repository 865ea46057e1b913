"""A plan of a culture from a TOML file; `thrombokit.io.plan_example` holds one to start from."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

from thrombokit.agonists.load import find_shipped_agonist
from thrombokit.cells.culture_numbers import CellSource, PlanningNumber, numbers_for
from thrombokit.cells.plan import CulturePlan, Dose, PlannedAgonist, PlannedPanel, conditions_of
from thrombokit.cells.plan_tubes import culture_names
from thrombokit.domain.agonist import Tier
from thrombokit.domain.toml_table import TableReader
from thrombokit.domain.toml_text import read_toml
from thrombokit.errors import SpecError, UnitError, raise_all
from thrombokit.io.panels import panel_of
from thrombokit.quantities import concentration_nM

PLAN_SCHEMA = "thrombokit-plan/1"
MOST_DOSES, MOST_DONORS, LAST_DAY, MOST_TUBES = 24, 50, 60, 20_000
_ODD_KEYS = ("donors", "read_days", "untreated", "start")
"""Keys of [plan] read here, not by `TableReader`: lists, true or false, dates."""


def read_plan(path: str | Path) -> CulturePlan:
    """Read a plan.

    Raises
    ------
    SpecError
        With every fault of the file, each with line and key.
    """
    document = read_toml(Path(path))
    top = TableReader(document.values, places=document.places, faults=[*document.faults])
    schema = top.text("schema", expected=f'"{PLAN_SCHEMA}"', example=f'schema = "{PLAN_SCHEMA}"')
    if schema is not None and schema != PLAN_SCHEMA:
        top.fault("schema", expected=f'"{PLAN_SCHEMA}"', cure="Correct it; a plan of a later form needs a later thrombokit.")
    agonists = tuple(_agonist(reader) for reader in top.tables("agonists"))
    control = top.table("positive_control")
    positive = _positive_control(control) if control else None
    panels = tuple(_panel(reader) for reader in top.tables("panels"))
    table = top.table("plan")
    values: dict[str, Any] = _plan(table) if table else {}
    own = _own_numbers(top, values.get("cell_source") or CellSource.CORD_BLOOD)
    top.close()
    _lacking(top, table, agonists, panels)
    raise_all(top.faults, SpecError)
    plan = CulturePlan(**values, agonists=agonists, positive_control=positive, panels=panels, own_numbers=own)
    tubes = len(plan.donors) * len(plan.read_days_d) * len(panels) * len(conditions_of(plan)) * plan.replicate_wells
    if tubes > MOST_TUBES:
        top.fault(
            "plan", found=f"{tubes:,} stained tubes", expected=f"at most {MOST_TUBES:,}", cure="Plan fewer days, doses or wells."
        )
    else:
        _same_names(top, plan)
    raise_all(top.faults, SpecError)
    return plan


def _same_names(top: TableReader, plan: CulturePlan) -> None:
    """Wells that would be told apart only by signs that a file's name cannot hold ("A B" and "A-B")."""
    counts = Counter(name.casefold() for name, *_ in culture_names(plan))
    for name in sorted(name for name, number in counts.items() if number > 1)[:3]:
        top.fault("agonists", found=f'two wells with the file name "{name}"', expected="names that differ in letters or digits",
                  cure="Rename a donor or an agonist.")  # fmt: skip


def _lacking(
    top: TableReader, table: TableReader | None, agonists: tuple[PlannedAgonist, ...], panels: tuple[PlannedPanel, ...]
) -> None:
    """Sections that must be there, and names that stand twice."""
    if table is None and "plan" not in top.values:
        top.fault(
            "plan",
            found="no table [plan]",
            expected="what is planned",
            cure="Start from an example: thrombokit cells plan --example.",
        )
    for key, items, example in (("agonists", agonists, 'name = "hetrombopag"'), ("panels", panels, 'name = "surface"')):
        if not items and key not in top.values:
            top.fault(key, found=f"no [[{key}]]", expected=f"at least one table [[{key}]]", cure=f"Add one, with {example}.")
    for key, names in (("agonists", [a.name for a in agonists]), ("panels", [p.panel.name for p in panels])):
        folded = [name.casefold() for name in names]
        for name in sorted({name for name in names if name and folded.count(name.casefold()) > 1}):
            top.fault(key, found=f'"{name}" twice', expected="a name for each", cure="Rename one, or join the two.")


def _plan(table: TableReader) -> dict[str, Any]:
    expansion = _day(table, "expansion_d", default=3, lowest=0)
    differentiation = _day(table, "differentiation_d", default=12, lowest=1)
    title = table.text("title", expected="the plan's title", example='title = "Dose series in cord-blood cells"') or ""
    source = table.choice("cell_source", CellSource, example='cell_source = "cord_blood"') or CellSource.CORD_BLOOD
    volume = table.number("well_volume_mL", expected="a volume above 0 mL", above=0.0)
    words = {key: table.text(key, expected="a text") or "" for key in ("vehicle", "expansion_medium", "differentiation_medium")}
    numbers = {
        "feed_every_d": _day(table, "feed_every_d", default=3, lowest=1),
        "replicate_wells": _whole(table, "replicate_wells", default=2, lowest=1, highest=48),
        "MKs_per_tube": _whole(table, "MKs_per_tube", default=5000, lowest=100, highest=10_000_000),
    }
    values: dict[str, Any] = {
        "title": title, "cell_source": source, "expansion_d": expansion, "differentiation_d": differentiation,
        "donors": _donors(table), "read_days_d": _read_days(table, differentiation), "start": _start(table),
        "untreated": _untreated(table), "well_volume_mL": volume, **words, **numbers,
    }  # fmt: skip
    table.close(passed_over=_ODD_KEYS)
    return values


def _whole(table: TableReader, key: str, *, default: int, lowest: int, highest: int) -> int:
    expected = f"a whole number, {lowest} to {highest}"
    value = table.whole_number(key, expected=expected)
    if value is None:
        return default
    if not lowest <= value <= highest:
        table.fault(key, expected=expected, cure="Correct the number.")
    return value


def _day(table: TableReader, key: str, *, default: int, lowest: int) -> int:
    return _whole(table, key, default=default, lowest=lowest, highest=LAST_DAY)


def _donors(table: TableReader) -> tuple[str, ...]:
    said = table.values.get("donors")
    expected = 'the donors\' codes, such as ["D1", "D2", "D3"]'
    if not isinstance(said, list) or not said or not all(isinstance(name, str) and name.strip() for name in said):
        table.fault("donors", expected=expected, cure="Write a list of texts.")
        return ()
    names = tuple(str(name).strip() for name in said)
    if len({name.casefold() for name in names}) < len(names) or len(names) > MOST_DONORS:
        table.fault("donors", expected=f"each donor once, at most {MOST_DONORS}", cure="Remove the one that is there twice.")
    return names


def _read_days(table: TableReader, differentiation_d: int) -> tuple[int, ...]:
    said = table.values.get("read_days", [differentiation_d])
    expected = f"days of differentiation, 1 to {differentiation_d}, such as [{differentiation_d}]"
    plain = isinstance(said, list) and said and all(isinstance(day, int) and not isinstance(day, bool) for day in said)
    if not plain or len(set(said)) < len(said) or min(said) < 1 or max(said) > differentiation_d:
        table.fault("read_days", expected=expected, cure="Write a list of whole numbers, each once.")
        return (differentiation_d,)
    return tuple(sorted(int(day) for day in said))


def _start(table: TableReader) -> dt.date | None:
    said = table.values.get("start")
    if said is None or (isinstance(said, dt.date) and not isinstance(said, dt.datetime)):
        return said
    table.fault("start", expected="the date of day 0, such as 2026-05-04", cure="Write it without quotes and without a time.")
    return None


def _untreated(table: TableReader) -> bool:
    said = table.values.get("untreated", False)
    if not isinstance(said, bool):
        table.fault("untreated", expected="true or false", cure="Write it without quotes.")
    return said is True


def _agonist(reader: TableReader) -> PlannedAgonist:
    name = reader.text("name", expected="the agonist's name", example='name = "hetrombopag"') or ""
    mass = _molar_mass(reader, name)
    listed = reader.texts("doses", expected='a list such as ["1 nM", "10 nM"]')
    top = reader.text("top", expected='the highest dose, such as "1000 nM"')
    number = _whole(reader, "n_doses", default=6, lowest=1, highest=MOST_DOSES)
    dilution = reader.number("dilution", expected="how many times one dose is the next, above 1", above=1.0)
    reader.close()
    if (top is None) == (not listed) and not ("doses" in reader.values and top is None):
        reader.fault("top", found="both doses and top" if top else "neither doses nor top", expected="one of them",
                     cure='Write top = "1000 nM", n_doses and dilution, or a list doses.')  # fmt: skip
    if len(listed) > MOST_DOSES:
        reader.fault("doses", found=f"{len(listed)} doses", expected=f"at most {MOST_DOSES}", cure="Leave some out.")
    doses = [_dose(reader, "doses", text, mass) for text in listed] if listed else []
    if top is not None and not listed:
        highest = _dose(reader, "top", top, mass)
        doses = [_diluted(highest, (dilution or 10**0.5) ** step) for step in range(number)] if highest else []
    known = sorted((dose for dose in doses if dose is not None), key=lambda dose: -dose.concentration_nM)
    if len({dose.concentration_nM for dose in known}) < len(known):
        reader.fault("doses", expected="each dose once", cure="Remove the one that is there twice.")
    return PlannedAgonist(name=name, doses=tuple(known))


def _diluted(top: Dose, times: float) -> Dose:
    value = top.concentration_nM / times
    return top if times == 1.0 else Dose(label=f"{value:.3g} nM", concentration_nM=float(f"{value:.6g}"))


def _positive_control(reader: TableReader) -> PlannedAgonist:
    name = reader.text("name", expected="the positive control's name", example='name = "rhTPO"') or ""
    said = reader.text("dose", expected="its dose", example='dose = "100 ng/mL"')
    dose = _dose(reader, "dose", said, _molar_mass(reader, name)) if said else None
    reader.close()
    return PlannedAgonist(name=name, doses=(dose,) if dose else ())


def _molar_mass(reader: TableReader, name: str) -> float | None:
    """The plan's own, else that of the shipped agonist of that name."""
    own = reader.number("molar_mass_g_per_mol", expected="a molar mass above 0 g/mol", above=0.0)
    shipped = find_shipped_agonist(name) if name else None
    return own if own is not None else shipped.molar_mass_g_per_mol if shipped else None


def _dose(reader: TableReader, key: str, text: str, mass: float | None) -> Dose | None:
    place = reader.places.place_of((*reader.path, key))
    try:
        value = concentration_nM(text, None, place=place, molar_mass_g_per_mol=mass)
    except UnitError as error:
        reader.faults.extend(error.faults)
        return None
    if value <= 0:
        reader.fault(key, found=f'"{text}"', expected="a dose above 0", cure="The vehicle is planned by itself; leave the 0 out.")
        return None
    return Dose(label=text.strip(), concentration_nM=value)


def _panel(reader: TableReader) -> PlannedPanel:
    panel = panel_of(reader, passed_over=("dyes",))
    table = reader.table("dyes")
    dyes: dict[str, str] = {}
    for marker in table.values if table else ():
        assert table is not None
        dye = table.text(marker, expected="the dye's name")
        if marker not in panel.channels:
            table.fault(
                marker,
                found=f'the marker "{marker}"',
                expected="a marker of [panels.channels]",
                cure="Add it there, or correct it.",
            )
        dyes[marker] = dye or ""
    return PlannedPanel(panel=panel, dyes=dyes)


def _own_numbers(top: TableReader, source: CellSource) -> dict[str, PlanningNumber]:
    """[numbers.NAME] with value, low, high and source."""
    table = top.table("numbers")
    own: dict[str, PlanningNumber] = {}
    for name, shipped in numbers_for(source).items() if table else ():
        assert table is not None
        reader = table.table(name)
        if reader is None:
            continue
        ends = [
            reader.number(key, expected="a number above 0", example=f"{key} = 1.0", above=0.0) for key in ("value", "low", "high")
        ]
        said = reader.text("source", expected="where the number comes from", example='source = "our last six cultures"')
        tier = reader.choice("tier", Tier) or Tier.CALIBRATED
        reader.close()
        value, low, high = ends
        if value is None or low is None or high is None or said is None:
            continue
        if not low <= value <= high:
            reader.fault("value", expected="low <= value <= high", cure="Correct one of the three.")
        own[name] = PlanningNumber(
            name=name,
            value=value,
            low=low,
            high=high,
            unit=shipped.unit,
            source=said,
            tier=tier,
        )
    if table:
        table.close()
    return own
