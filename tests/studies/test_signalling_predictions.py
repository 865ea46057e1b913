"""What the built-in model predicts beyond what it was anchored on, hits and misses printed; and how fast it is."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from thrombokit.agonists.load import load_agonist
from thrombokit.io.tpor import POSITIVE_CONTROL_nM, tpor_model
from thrombokit.signalling.bindings import bind_agonists
from thrombokit.signalling.cell_systems import find_cell_system
from thrombokit.signalling.ensembles import EnsemblePlan, anchored_on, drawn_rates
from thrombokit.signalling.predictions import TOO_WIDE, Prediction, predict_other_cells, predict_time_shift
from thrombokit.signalling.sensitivity import Question
from thrombokit.signalling.treatments import Treatment

pytestmark = pytest.mark.long

PUBLISHED_nM = {"hetrombopag": 2.3, "eltrombopag": 86.2}
SOURCE = "Technical guide on hetrombopag, Table 1, citing Xie 2018, doi:10.1111/jcmm.13809; read-out and hours not stated"
SETS = 100
PARAMETER_SETS = 1000


@pytest.fixture(scope="module")
def plan() -> EnsemblePlan:
    model = tpor_model("CD34+ cord blood")
    agonists = [load_agonist(name) for name in ("rhTPO", *PUBLISHED_nM)]
    bindings, anchors = bind_agonists(agonists, model, control=agonists[0], control_nM=POSITIVE_CONTROL_nM)
    return EnsemblePlan(
        model=model, assay=find_cell_system("32D-MPL"), assay_hours=72.0, agonists=anchored_on(bindings, anchors), control="rhTPO",
        treatments=(), control_nM=POSITIVE_CONTROL_nM, hours=168.0, seed=1,
    )  # fmt: skip


def _said(one: Prediction) -> str:
    band = f"{one.low:.3g} to {one.high:.3g}" if one.low is not None and one.high is not None else "none"
    published = "none" if one.published is None else f"{one.published:.3g} (predicted / published {one.fold:.2f})"
    return f"signalling, {one.fact}: predicted {one.predicted:.3g} {one.unit}, band {band}; published {published}: {one.verdict}"


def test_cord_blood_ec50s_from_the_plate(plan: EnsemblePlan, print_figure: Callable[[str], None]) -> None:
    """The absolute EC50s have bands of an order of magnitude and more either way: being inside says little, and is printed as such."""
    found = predict_other_cells(plan, PUBLISHED_nM, source=SOURCE, n_sets=SETS)
    for one in found:
        print_figure(_said(one))
    print_figure(f"signalling, {found[-1].note}")
    first = found[0]
    assert first.low is not None
    assert first.high is not None
    assert first.verdict == TOO_WIDE, "a narrow band would be a claim that the assumed rates do not bear"
    assert found[-1].predicted == pytest.approx(33.5)


def test_shift_of_earlier_read_outs(plan: EnsemblePlan, print_figure: Callable[[str], None]) -> None:
    found = predict_time_shift(plan, [24.0, 48.0], n_sets=SETS)
    for one in found:
        print_figure(_said(one))
    assert found[0].predicted < found[1].predicted < 1.0


def test_a_thousand_sets_of_rates_with_fates(plan: EnsemblePlan, print_figure: Callable[[str], None]) -> None:
    model = tpor_model()
    bindings = tuple(one.binding for one in plan.agonists)
    question = Question(model=model, treatment=Treatment(agonists_nM={"hetrombopag": 0.4}), bindings=bindings, hours=72.0)
    sets = [drawn_rates(model, seed=1, number=number) for number in range(PARAMETER_SETS)]
    question.answers(sets[0])
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    told = [question.answers(rates) for rates in sets]
    wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    print_figure(
        f"signalling, {PARAMETER_SETS} sets of rates with fates and cell number over 72 h: {wall_s:.1f} s, {cpu_s:.1f} s of CPU"
    )
    assert len({str(one) for one in told}) == PARAMETER_SETS
