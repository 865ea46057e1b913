"""TPO of the body's own, cleared by platelets and megakaryocytes: at rest untreated, and moved by what is taken away or given.

What happens to a patient is written into copies of the shipped file: a stretch with few new megakaryocytes, or a bag of platelets.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from thrombokit.agonists.library import model_path
from thrombokit.io.patient_models import parse_model
from thrombokit.patients.event_records import event_table
from thrombokit.patients.simulate_events import simulate_events

NAME = "rhtpo-healthy-megakaryocytes"
DAYS = np.arange(0.0, 40.01, 0.25)
LOSS = 'production = "BORN*if(T >= 48, if(T < 168, 0.1, 1), 1)"'
"""From day 2 to 7 nine of ten new megakaryocytes are lost, as under chemotherapy."""


def untouched(share: float) -> str:
    """The shipped file with another share of the receptors on megakaryocytes."""
    text = model_path(NAME).read_text(encoding="utf-8")
    assert text.count("MEGAKARYOCYTE_SHARE = {value = 0.3,") == 1
    return text.replace("MEGAKARYOCYTE_SHARE = {value = 0.3,", f"MEGAKARYOCYTE_SHARE = {{value = {share},")


def untreated(text: str, *doses: tuple[float, int, float]) -> dict[str, np.ndarray]:
    """TPO (pmol/L) and platelets (1e9/L) at DAYS of a patient who takes no drug; a dose is (day, compartment, amount)."""
    reads = {"ID": 1, "TIME": 24.0 * DAYS, "EVID": 0, "WT": 60.0, "CMT": 1, "AMT": 0.0}
    given = [{"ID": 1, "TIME": 24.0 * day, "EVID": 1, "WT": 60.0, "CMT": place, "AMT": amount} for day, place, amount in doses]
    frame = pl.concat([pl.DataFrame(reads), *(pl.DataFrame(one) for one in given)], how="vertical_relaxed").sort(
        "TIME", maintain_order=True
    )
    table = event_table(frame)
    found = simulate_events(parse_model(text, file="tpo.toml"), table)
    return {name: found.outputs[found.observed, found.output_names.index(name)] for name in ("TPO", "PLATELET")}


def with_loss(text: str) -> str:
    assert text.count('production = "BORN"') == 1
    return text.replace('production = "BORN"', LOSS)


def with_a_bag(text: str) -> str:
    """A fifth compartment whose platelets join the youngest within the hour."""
    declared, flow = '"tpo_nonspecific", "tpo_bound"]', '"depot->out" = "KA"'
    assert (text.count(declared), text.count(flow)) == (1, 1)
    text = text.replace(declared, '"tpo_nonspecific", "tpo_bound", "bag"]')
    return text.replace(flow, f'{flow}\n"bag->platelet_1" = "2"')


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_untreated_nothing_moves_whatever_the_share(share: float) -> None:
    course = untreated(untouched(share))
    np.testing.assert_allclose(course["TPO"], 1.4, rtol=1e-6)
    np.testing.assert_allclose(course["PLATELET"], 200.0, rtol=1e-6)


def test_a_platelet_transfusion_lowers_tpo_until_the_platelets_are_gone() -> None:
    shared, alone = (untreated(with_a_bag(untouched(share)), (2.0, 5, 100.0)) for share in (0.3, 0.0))
    before, after = DAYS < 2.0, (DAYS > 2.5) & (DAYS < 5.0)
    for course in (shared, alone):
        np.testing.assert_allclose(course["TPO"][before], 1.4, rtol=1e-6)
        assert course["PLATELET"][after].min() > 270.0
        assert course["TPO"][after].max() < 1.2
        assert course["TPO"][-1] == pytest.approx(1.4, rel=0.05)
    assert alone["TPO"].min() < shared["TPO"].min(), "the more of the clearance platelets do, the more a transfusion lowers TPO"


def test_loss_of_megakaryocytes_raises_tpo_before_platelets_fall() -> None:
    shared, alone = (untreated(with_loss(untouched(share))) for share in (0.3, 0.0))
    for course in (shared, alone):
        assert course["PLATELET"].min() < 140.0
        assert course["TPO"].max() > 1.8
    day_3_5 = int(np.flatnonzero(DAYS == 3.5)[0])
    assert shared["PLATELET"][day_3_5] > 0.999 * 200.0
    assert shared["TPO"][day_3_5] > 1.05 * 1.4
    assert alone["TPO"][day_3_5] < 1.005 * 1.4, "platelets alone say nothing before they fall"
