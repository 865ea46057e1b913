"""How the guide study's plates are laid out.

On a *main* plate exactly one third of the wells of every dose and of every control stands in the outer ring. A ring that
reads low then lowers all means by the same share and moves no EC50; it only widens the scatter, and quality control can see
it. On the *panel* plate a compound has all of its doses of one row in the ring or none. Doses fall in 3-fold steps (about
half a log) around the expected EC50, far enough for both plateaus.
"""

from __future__ import annotations

from thrombokit.study.templates.well_plan import DoseSeries, WellPlan, plan_from_drawing

_MAIN = """
    V hhhhhhhhhh .
    . VPBVIVPVBI V
    P hhhhhhhhhh B
    . eeeeeeeeee .
    B hhhhhhhhhh I
    V eeeeeeeeee P
    I IBVPVIVBPV .
    . eeeeeeeeee V
"""

_PANEL = """
    VP eeeeeeee BV
    .V pppppppp VI
    BP bbbbbbbb B.
    VV tttttttt PV
    IB eeeeeeee V.
    .V pppppppp PB
    VI bbbbbbbb VI
    PB tttttttt VP
"""


def _series(agonist: str, top_nM: float, *, fold: float = 3.0, n_doses: int = 10) -> DoseSeries:
    role = "comparator" if agonist == "eltrombopag" else "sample"
    return DoseSeries(agonist=agonist, top_nM=top_nM, fold=fold, n_doses=n_doses, role=role)


def _four_fold(agonist: str) -> DoseSeries:
    return _series(agonist, 10_000.0, fold=4.0, n_doses=8)


DESIGNS: dict[tuple[str, str], WellPlan] = {
    ("32D-MPL", "main"): plan_from_drawing(_MAIN, {"h": _series("hetrombopag", 60.0), "e": _series("eltrombopag", 2000.0)}),
    ("32D-MPL", "panel"): plan_from_drawing(
        _PANEL,
        {
            "e": _series("eltrombopag", 600.0, n_doses=8),
            "p": _four_fold("partial-01"),
            "b": _four_fold("bell-01"),
            "t": _four_fold("toxic-01"),
        },
    ),
    # CD34+ cells do not live on IL-3 alone: those wells hold vehicle, which a narrow window needs more of
    ("CD34+ cord blood", "main"): plan_from_drawing(
        _MAIN.replace("I", "V"), {"h": _series("hetrombopag", 300.0), "e": _series("eltrombopag", 12_000.0)}
    ),
}
"""(cell system, plate of the run) -> plan."""
