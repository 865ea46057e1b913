"""Estimand files (thrombokit-estimand/1): TOML text becomes an `EstimandPlan`, or every fault in it is told with its line and key."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.domain.toml_table import TableReader, plain_numbers
from thrombokit.domain.toml_text import TomlDocument, parse_toml, read_toml
from thrombokit.errors import Fault, SpecError, raise_all
from thrombokit.io.estimand_tables import read_estimands
from thrombokit.trials.estimand import EstimandPlan
from thrombokit.trials.visit_windows import Tie, Unscheduled, VisitPlan, plan_faults

ESTIMAND_SCHEMA = "thrombokit-estimand/1"
_FOLDER = files("thrombokit.trials") / "estimands"


def shipped_estimands() -> tuple[str, ...]:
    """Names of the estimand files that come with thrombokit."""
    return tuple(sorted(one.name.removesuffix(".toml") for one in _FOLDER.iterdir() if one.name.endswith(".toml")))


def load_estimands(name_or_path: str | Path) -> EstimandPlan:
    """A plan of estimands, by the name of a shipped one or from a file.

    Parameters
    ----------
    name_or_path : str or path
        "hetrombopag-phase3", or a TOML file of the form thrombokit-estimand/1.

    Raises
    ------
    SpecError
        If there is no such plan or the file is wrong; every fault with line and key.
    """
    said = str(name_or_path)
    if said in shipped_estimands():
        return parse_estimands((_FOLDER / f"{said}.toml").read_text(encoding="utf-8"), file=f"{said}.toml")
    if not said.endswith(".toml") and not Path(said).exists():
        cure = did_you_mean(said, shipped_estimands(), otherwise=f"Name a TOML file, or one of: {', '.join(shipped_estimands())}.")
        raise SpecError(
            Fault(place="estimands", found=f'"{said}"', expected="an estimand file, or the name of a shipped one", cure=cure)
        )
    return _plan(read_toml(Path(name_or_path)))


def parse_estimands(text: str, *, file: str = "estimands.toml") -> EstimandPlan:
    """The same for a text already in hand; `file` stands in messages.

    Raises
    ------
    SpecError
        As `load_estimands`.
    """
    return _plan(parse_toml(text, file=file))


def _plan(document: TomlDocument) -> EstimandPlan:
    faults = list(document.faults)
    top = TableReader(document.values, places=document.places, faults=faults)
    top.schema(ESTIMAND_SCHEMA)
    title = top.text("title", expected="a line that names the plan")
    reference = top.text("reference", expected="the arm that the others are compared with")
    arms = top.texts("arms", expected="the other arms, in the order of a fixed sequence")
    subgroups = top.texts("subgroups", expected="factors of the forest plot")
    visits = _visits(top)
    if "estimand" not in top.values:
        faults.append(Fault(place=top.places.place_of(()), found="no estimand", expected="one [[estimand]] table or more",
                            cure="Add [[estimand]] with name and endpoint."))  # fmt: skip
    estimands = read_estimands(top.tables("estimand"), weeks=() if visits is None else visits.weeks)
    top.close()
    raise_all(faults, SpecError)
    assert visits is not None  # no fault, so it is there
    return EstimandPlan(estimands=estimands, visits=visits, reference=reference, arms=arms, subgroups=subgroups, title=title or "",
                        source=document.places.file)  # fmt: skip


def _visits(top: TableReader) -> VisitPlan | None:
    expected = "planned weeks after the first dose, rising, such as [1, 2, 3, 4]"
    top.anything("visits", expected="a table [visits]", example="[visits], and below it: weeks = [1, 2, 3, 4]")
    table = top.table("visits")
    if table is None:
        return None
    listed = table.anything("weeks", expected=expected, example="weeks = [1, 2, 3, 4]")
    before = table.number("before_d", expected="days before the planned day, 0 or more")
    after = table.number("after_d", expected="days after the planned day, 0 or more")
    unscheduled = table.choice("unscheduled", Unscheduled)
    tie = table.choice("tie", Tie)
    table.close()
    weeks = plain_numbers(listed)
    if listed is None:
        return None
    if weeks is None:
        table.fault("weeks", expected=expected, cure="Write numbers, without quotes.")
        return None
    widths = 3.0 if before is None else before, 3.0 if after is None else after
    wrong = plan_faults(weeks, *widths)
    for fault in wrong:
        key = "weeks" if "weeks" in fault.place or "share a day" in fault.found else "before_d"
        top.faults.append(
            Fault(place=top.places.place_of(("visits", key)), found=fault.found, expected=fault.expected, cure=fault.cure)
        )
    if wrong:
        return None
    return VisitPlan(
        weeks=weeks, before_d=widths[0], after_d=widths[1], unscheduled=unscheduled or Unscheduled.IF_MISSING, tie=tie or Tie.LATER
    )
