"""Scales beside printed numbers and beside a table that FlowJo wrote.

Logicle and hyperlog: the ten values at T = 1000, W = 1, M = 4, A = 0 that flowutils (BSD-3) prints in its own tests. FlowJo: its
biexponential table for width basis -7.943282, one negative decade (flowkit_flowjo of the reference data), rounded there to six digits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from thrombokit.cells.scales import BiexponentialScale, HyperlogScale, LogicleScale

VALUES = np.array([-10.0, -5.0, -1.0, 0.0, 0.3, 1.0, 3.0, 10.0, 100.0, 1000.0])
LOGICLE = (0.067574, 0.147986, 0.228752, 0.25, 0.256384, 0.271248, 0.312897, 0.432426, 0.739548, 1.0)
HYPERLOG = (0.08355406, 0.15586819, 0.2294768, 0.25, 0.25623887, 0.2705232, 0.30909185, 0.41644594, 0.73187469, 1.0)


def test_logicle_gives_the_printed_values() -> None:
    np.testing.assert_allclose(LogicleScale(t=1000.0, w=1.0, m=4.0).apply(VALUES), LOGICLE, rtol=0.0, atol=5e-7)


def test_hyperlog_gives_the_printed_values() -> None:
    np.testing.assert_allclose(HyperlogScale(t=1000.0, w=1.0, m=4.0).apply(VALUES), HYPERLOG, rtol=0.0, atol=5e-9)


def test_biexponential_axis_is_flowjo_s_table(reference_data: Path) -> None:
    (file,) = (reference_data / "fcs/flowkit_flowjo").glob("tr_biex_*.csv")
    table = pl.read_csv(file)
    scale = BiexponentialScale(width_basis=-7.943282, negative=1.0, positive=4.41854, top=262144.000029)
    channels, values = table.to_numpy().T
    found = scale.inverse(channels / 4096.0)
    np.testing.assert_allclose(found, values, rtol=5.1e-6, atol=5e-4)
    np.testing.assert_allclose(scale.apply(values) * 4096.0, channels, rtol=0.0, atol=0.01)
