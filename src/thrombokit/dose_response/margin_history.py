"""Equivalence margins from history: how far apart the reference lies from itself, preparation against preparation.

Two independent preparations of one compound differ by pipetting and cells alone. Margins that hold 95 % of such differences in future (a prediction
interval) call parallel what the laboratory cannot tell from the reference, and nothing narrower.

References: USP <1032>, Design and Development of Biological Assays (equivalence margins from the reference against itself); Hahn & Meeker
1991, Statistical Intervals, ch. 4 (prediction interval for one future value).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from thrombokit.dose_response.compare import Comparison, Margins
from thrombokit.errors import Fault, InputError

FEWEST = 5


def margins_from_history(comparisons: Sequence[Comparison], *, coverage: float = 0.95) -> Margins:
    """Margins from comparisons of the reference with itself.

    Parameters
    ----------
    comparisons : sequence of Comparison
        Each of one preparation of the reference with another (`compare_curves`), 5 or more.
    coverage : float
        Share of future differences the margins are to hold.

    Returns
    -------
    Margins
        Symmetric about no difference; the wider of top and bottom serves both plateaus.

    Raises
    ------
    InputError
        With fewer than 5 comparisons that have a hill ratio and both plateau differences.
    """
    rows = [
        (c.parallel.hill_ratio.estimate, c.parallel.top_difference_pct.estimate, c.parallel.bottom_difference_pct.estimate)
        for c in comparisons
    ]
    known = [(float(np.log(hill)), top, bottom) for hill, top, bottom in rows if hill and top is not None and bottom is not None]
    if len(known) < FEWEST:
        raise InputError(
            Fault(
                place="history",
                found=f"{len(known)} comparisons of the reference with itself",
                expected=f"{FEWEST} or more",
                cure="Add runs, or set the margins by hand.",
            )
        )
    values = np.array(known)
    n = len(known)
    reach = float(stdtrit(n, 0.5 + coverage / 2)) * np.sqrt(np.mean(values**2, axis=0))
    return Margins(hill_low=float(np.exp(-reach[0])), hill_high=float(np.exp(reach[0])), plateau_pct=float(max(reach[1], reach[2])))
