"""Is a direction of the ploidy shift claimed in 5 % of studies without one, and does its interval hold a shift that is there?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from thrombokit.cells.ploidy_response import analyse_ploidy_response
from thrombokit.domain.ploidy import CLASSES
from thrombokit.numerics.ordered_logit import class_shares
from thrombokit.numerics.streams import stream

SEED, N_STUDIES, RHO = 71_903, 120, 0.01
CUTS = np.array([1.0, 2.0, 3.0, 4.5, 6.5])
EC50_nM, BETWEEN_SD = 30.0, 0.2


def simulate(n_donors: int, shift: float) -> pl.DataFrame:
    """Studies told apart by `panel`; donors' shifts vary by 0.2, wells of 200 to 20,000 cells by a Dirichlet-multinomial."""
    rng = stream(SEED, n_donors, f"{shift}")
    dose = np.repeat(np.concatenate([[0.0], 3_000.0 / np.sqrt(10.0) ** np.arange(9)[::-1]]), 2)
    parts: list[pl.DataFrame] = []
    for study in range(N_STUDIES):
        for donor in range(n_donors):
            own = shift + BETWEEN_SD * rng.standard_normal()
            ec50 = EC50_nM * 10.0 ** (0.2 * rng.standard_normal())
            top = dose[-1] / (dose[-1] + ec50)
            shares = class_shares(CUTS + 0.3 * rng.standard_normal(), own / top * dose / (dose + ec50))
            cells = np.exp(rng.uniform(np.log(200.0), np.log(20_000.0), dose.size)).astype(np.int64)
            drawn = [rng.multinomial(n, rng.dirichlet(s * (1 - RHO) / RHO + 1e-9)) for n, s in zip(cells, shares, strict=True)]
            parts.append(
                pl.DataFrame(np.array(drawn), schema=list(CLASSES)).with_columns(
                    concentration_nM=pl.Series(dose), donor=pl.lit(f"D{donor}"), agonist=pl.lit("a"), panel=pl.lit(f"{study}")
                )
            )
    return pl.concat(parts)


@pytest.mark.long
@pytest.mark.parametrize("shift", [0.0, 0.5])
@pytest.mark.parametrize("n_donors", [3, 5])
def test_the_interval_over_donors_holds_the_shift(print_figure: Callable[[str], None], n_donors: int, shift: float) -> None:
    """One standard error of 120 studies is 2 points."""
    combined = analyse_ploidy_response(simulate(n_donors, shift)).combined
    low, high = combined["odds_ratio_low"].to_numpy(), combined["odds_ratio_high"].to_numpy()
    held = 100.0 * float(np.mean((low <= np.exp(shift)) & (np.exp(shift) <= high)))
    up, down = (100.0 * float((combined["verdict"] == f"{word}_ploidy").mean() or 0.0) for word in ("higher", "lower"))
    print_figure(
        f"ploidy, {n_donors} donors, true shift {shift:g} log odds: interval over donors holds it in {held:.1f} % of {N_STUDIES}; called higher "
        f"in {up:.1f} %, lower in {down:.1f} %"
    )
    assert 90.0 <= held <= 99.0
    if shift == 0.0:
        assert up + down <= 5.0 + 2 * 2.0
    else:
        assert down <= 1.0
