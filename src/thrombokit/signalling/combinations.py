"""Two agonists together: what the model says (their drives add), beside Bliss independence and the plain sum.

At two independent sites drives add before the receptor saturates, so the sum of responses must fail near saturation: test additivity on doses
that give about 20 % each. Bliss takes the responses as independent shares of the window, and has no answer where one alone is more than the window.

References
----------
Bliss CI (1939) The toxicity of poisons applied jointly. Ann Appl Biol 26:585-615, doi:10.1111/j.1744-7348.1939.tb06990.x.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.anchor import DriveCurve, responses_pct

SHARE = (-0.05, 1.05)
"""What passes for a share, 0 to 1, of the window."""


def combination_table(
    curve: DriveCurve, first: Binding, second: Binding, first_nM: Sequence[float], second_nM: Sequence[float]
) -> pl.DataFrame:
    """Response to every pair of doses.

    Parameters
    ----------
    curve : DriveCurve
        Of the cells and hours.
    first, second : Binding
    first_nM, second_nM : sequence of float

    Returns
    -------
    DataFrame
        One row a pair: `first_nM`, `second_nM`, `first_pct`, `second_pct` (each alone), `drive_additive_pct` (the model), `bliss_pct` and
        `sum_pct`, all in % of the positive control; `bliss_pct` is null where a response alone is no share of the window (`SHARE`).
    """
    pairs = [(float(a), float(b)) for a in first_nM for b in second_nM]
    bindings = [first, second]
    alone_first = responses_pct(curve, bindings, [{first.agonist: a} for a, _ in pairs])
    alone_second = responses_pct(curve, bindings, [{second.agonist: b} for _, b in pairs])
    together = responses_pct(curve, bindings, [{first.agonist: a, second.agonist: b} for a, b in pairs])
    a, b = alone_first / 100.0, alone_second / 100.0
    is_share = np.all([(SHARE[0] <= one) & (one <= SHARE[1]) for one in (a, b)], axis=0)
    return pl.DataFrame({
        "first": [first.agonist] * len(pairs), "second": [second.agonist] * len(pairs), "first_nM": [x for x, _ in pairs],
        "second_nM": [y for _, y in pairs], "first_pct": alone_first, "second_pct": alone_second, "drive_additive_pct": together,
        "bliss_pct": pl.Series(np.where(is_share, 100.0 * (a + b - a * b), np.nan)).fill_nan(None), "sum_pct": alone_first + alone_second,
    })  # fmt: skip
