"""Titration files (thrombokit-titration/1): a TOML file becomes a `Titration`, or every fault in it is told with its line and key."""

from __future__ import annotations

from pathlib import Path

from thrombokit.agonists.library import rule_path, shipped_rules
from thrombokit.domain.toml_table import TableReader, plain_numbers
from thrombokit.domain.toml_text import TomlDocument, parse_toml, read_toml
from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.io.titration_ladders import read_ladder
from thrombokit.io.titration_rules import read_rules
from thrombokit.patients.titration import Signal, Titration

TITRATION_SCHEMA = "thrombokit-titration/1"
"""The form of a titration file; a file of another form is refused, not guessed at."""


def load_titration(name_or_path: str | Path) -> Titration:
    """A titration rule, by the name of a shipped one or from a file.

    Parameters
    ----------
    name_or_path : str or path
        "hetrombopag-150-250", or a TOML file of the form thrombokit-titration/1.

    Returns
    -------
    Titration
        Times in hours, doses in the amount unit of the model it will be used with.

    Raises
    ------
    SpecError
        If there is no such rule or the file is wrong; every fault with line and key.
    """
    if isinstance(name_or_path, str) and name_or_path in shipped_rules():
        return _titration(read_toml(rule_path(name_or_path)))
    if isinstance(name_or_path, str) and not name_or_path.endswith(".toml") and not set(name_or_path) & {"/", "\\"}:
        return _titration(read_toml(rule_path(name_or_path)))  # says which rules there are
    return _titration(read_toml(Path(name_or_path)))


def parse_titration(text: str, *, file: str = "rule.toml") -> Titration:
    """The same for a text already in hand; `file` stands in messages.

    Raises
    ------
    SpecError
        As `load_titration`.
    """
    return _titration(parse_toml(text, file=file))


def _titration(document: TomlDocument) -> Titration:
    faults = list(document.faults)
    top = TableReader(document.values, places=document.places, faults=faults)
    top.schema(TITRATION_SCHEMA)
    title = top.text("title", expected="a line that names the rule")
    signal = top.text("signal", expected="an output of the model", example='signal = "PLATELET"')
    observed_with = top.choice("observed_with", Signal, example='observed_with = "latent"')
    compartment, every_h, first_h, rate = _dose(top)
    ladder, start = read_ladder(top)
    visits_h, then_every_h = _visits(top)
    change_h = _hours(top, "change_at_most_every_h", "hours between two changes, above 0")
    first_change_h = _hours(top, "first_change_h", "hours before which nothing is changed, above 0")
    confirm_table = top.table("confirm")
    confirm_visits = 0
    if confirm_table is not None:
        confirm_visits = confirm_table.whole_number("visits", expected="at how many further visits a rule must match") or 0
        confirm_table.close()
    rules = read_rules(top, ladder=ladder, confirm_visits=confirm_visits)
    tier = _tier(top)
    top.close()
    raise_all(faults, SpecError)
    assert signal is not None and observed_with is not None and compartment is not None  # noqa: PT018  (no fault, so they are there)
    assert ladder is not None and start is not None and every_h is not None  # noqa: PT018
    return Titration(
        file=document.places.file, title=title or Path(document.places.file).stem, signal=signal, observed_with=observed_with,
        dose_compartment=compartment, every_h=every_h, first_h=first_h, rate=rate, ladder=ladder, start=start, visits_h=visits_h,
        then_every_h=then_every_h, rules=rules, change_at_most_every_h=change_h or 0.0, first_change_h=first_change_h or 0.0, tier=tier,
    )  # fmt: skip


def _hours(table: TableReader, key: str, expected: str) -> float | None:
    return table.number(key, expected=expected, above=0.0)


def _dose(top: TableReader) -> tuple[str | None, float | None, float, float]:
    """Compartment, hours between doses, hour of the first, rate (0: bolus)."""
    example = 'dose = {compartment = "depot", every_h = 24, first_h = 0, rate = 0}'
    top.anything("dose", expected="where and how often the dose is given", example=example)
    table = top.table("dose")
    if table is None:
        return None, None, 0.0, 0.0
    compartment = table.text("compartment", expected="a compartment of the model", example='compartment = "depot"')
    every_h = table.number("every_h", expected="hours between doses, above 0", example="every_h = 24", above=0.0)
    first_h = table.number("first_h", expected="hour of the first dose, 0 or later")
    rate = table.number("rate", expected="0 (at once), an infusion rate, or -1 or -2 (the model's [dose] rate or duration)")
    if first_h is not None and first_h < 0.0:
        table.fault(
            "first_h", expected="hour of the first dose, 0 or later", cure="Count the hours from the start of the simulation."
        )
    if rate is not None and rate < 0.0 and rate not in (-1.0, -2.0):
        table.fault("rate", expected="0, a rate above 0, -1 or -2", cure="Correct the rate.")
    table.close()
    return compartment, every_h, first_h or 0.0, rate or 0.0


def _visits(top: TableReader) -> tuple[tuple[float, ...], float | None]:
    """The listed visits, and the hours between those after them."""
    expected = "hours of visits, rising, such as [168, 336]"
    listed = top.anything("visits_h", expected=expected)
    then_every_h = _hours(top, "then_every_h", "hours between the visits after the listed ones, above 0")
    visits: tuple[float, ...] = ()
    if listed is not None:
        numbers = plain_numbers(listed)
        if numbers is None or not all(b > a for a, b in zip((-1e-9, *numbers), numbers, strict=False)):
            top.fault("visits_h", expected=expected, cure="List each visit once, in hours from the start, in rising order.")
        else:
            visits = numbers
    if not visits and then_every_h is None and "visits_h" not in top.values:
        cure = "Add a line such as: visits_h = [168, 336], or then_every_h = 168."
        place = top.places.place_of(top.path)
        top.faults.append(Fault(place=place, found="no visit", expected="visits_h, then_every_h, or both", cure=cure))
    return visits, then_every_h


def _tier(top: TableReader) -> dict[str, tuple[str, ...]]:
    """Where each line comes from: key -> sentences (one, or one a rule)."""
    table = top.table("tier")
    if table is None:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    expected = "a sentence (read or assumed, and the source), or a list of them"
    for key in table.values:
        value = table.anything(key, expected=expected)
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) and item.strip() for item in items):
            table.fault(key, expected=expected, cure='Write a text such as "assumed: as for eltrombopag".')
        sentences = tuple(str(item).strip() for item in items)
        found[key] = sentences
    table.close()
    return found
