"""What no interval of one curve can know: errors that its wells share. The loss is printed; runs are what makes it good.

A dilution error moves all replicates of a dose together, an edge effect lowers outer wells together, and controls read wrongly move the
whole curve. The residuals of one curve show none or little of it, so its interval stays narrow and misses more often.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from thrombokit.dose_response.fit import fit_curves
from thrombokit.numerics.streams import stream

N, SEED = 20_000, 61_807
GROWING = (1.0, 0.08)
DILUTION_CV, EDGE_LOSS, CONTROL_CV, CONTROL_WELLS = 0.10, 0.08, 0.08, 8


def stock_off(curves, name: str) -> np.ndarray:
    """The stock is off by 10 %: every dose of the curve is."""
    return redosed(curves, np.broadcast_to(rng_of(name).standard_normal((N, 1)), curves.mean.shape))


def steps_off(curves, name: str) -> np.ndarray:
    """Each dilution step is off by 10 %, and the error is handed on: the lowest dose carries all of them."""
    doses, which = np.unique(curves.dose, return_inverse=True)
    steps = rng_of(name).standard_normal((N, doses.size))
    return redosed(curves, np.cumsum(steps[:, ::-1], axis=1)[:, ::-1][:, which])


def edge_row(curves, _: str) -> np.ndarray:
    """Replicates in rows A to C: those of row A lose 8 % at every dose."""
    replicate = np.arange(curves.dose.size) % (curves.dose.size // np.unique(curves.dose).size)
    return curves.mean * np.where(replicate == 0, 1 - EDGE_LOSS, 1.0)


def edge_column(curves, _: str) -> np.ndarray:
    """Doses along the columns, the highest in the outermost: all its replicates lose 8 %."""
    return curves.mean * np.where(curves.dose == curves.dose.max(), 1 - EDGE_LOSS, 1.0)


def rng_of(name: str) -> np.random.Generator:
    return stream(SEED, name, "error")


def redosed(curves, z: np.ndarray) -> np.ndarray:
    """Mean response when the doses given are exp(10 % z) times those written down."""
    given = curves.dose * np.exp(DILUTION_CV * z)
    return 10.0 + 90.0 / (1.0 + (curves.ec50_nM[:, None] / given) ** curves.hill[:, None])


def holds_pct(curves, response: np.ndarray) -> float:
    fits, truth = fit_curves(curves.table(response)), np.log(curves.ec50_nM)
    return float(100 * np.mean((fits.ln_low <= truth) & (truth <= fits.ln_high)))


@pytest.mark.long
@pytest.mark.parametrize(
    "label, error, expected",
    [
        ("stock off by 10 %", stock_off, (79.0, 86.0)),
        ("each dilution step off by 10 %", steps_off, (52.0, 60.0)),
        ("edge row 8 % low", edge_row, (95.0, 99.0)),
        ("edge column (top dose) 8 % low", edge_column, (70.0, 94.0)),
    ],
)
def test_shared_errors_of_a_curve(
    truth: Callable,
    with_noise: Callable,
    print_figure: Callable[[str], None],
    label: str,
    error: Callable,
    expected: tuple[float, float],
) -> None:
    """The same wells with and without the error; what remains of 95 % is what docs/explanation/intervals.md says it is."""
    curves = truth(N, label)
    clean = holds_pct(curves, with_noise(curves.mean, label, GROWING))
    spoilt = holds_pct(curves, with_noise(error(curves, label), label, GROWING))
    print_figure(f"{label}: one curve's interval holds {spoilt:.2f} % instead of {clean:.2f} % (n = {N})")
    assert 93.5 <= clean <= 96.5
    assert expected[0] <= spoilt <= expected[1]


@pytest.mark.long
def test_control_error_leaves_the_relative_ec50(truth: Callable, with_noise: Callable, print_figure: Callable[[str], None]) -> None:
    """Percent of controls: 8 wells of each, CV 8 %, shared by the curve. It rescales the curve, and the half-way dose stays."""
    curves = truth(N, "controls")
    signal = with_noise(curves.mean, "controls", GROWING)
    rng = rng_of("controls")
    vehicle, positive = (level * (1 + CONTROL_CV / np.sqrt(CONTROL_WELLS) * rng.standard_normal((N, 1))) for level in (10.0, 100.0))
    clean, spoilt = holds_pct(curves, signal), holds_pct(curves, 100 * (signal - vehicle) / (positive - vehicle))
    print_figure(f"control error, CV 8 % on 8 wells: relative EC50 held by {spoilt:.2f} % instead of {clean:.2f} % (n = {N})")
    assert 93.5 <= clean <= 96.5
    assert 93.0 <= spoilt <= 97.0
