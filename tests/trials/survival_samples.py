"""Random subjects for the tests of time to event."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from thrombokit.trials.survival_data import SurvivalData, survival_data


def data_of(
    subjects: list[tuple[int, int, int, int]], *, n_arms: int, n_strata: int = 1, causes: tuple[str, ...] = ("event",)
) -> SurvivalData:
    """Rows (time, cause, arm, stratum) as data."""
    columns = np.array(subjects, np.int64).reshape(-1, 4)
    return survival_data(
        time=columns[:, 0].astype(np.float64), cause=columns[:, 1], arm=columns[:, 2], arms=[f"arm {k}" for k in range(n_arms)],
        stratum=columns[:, 3], strata=[f"s{k}" for k in range(n_strata)] if n_strata > 1 else ("all",), causes=causes,
    )  # fmt: skip


def subjects(
    n_causes: int = 1, n_arms: int = 2, n_strata: int = 1, most: int = 30
) -> st.SearchStrategy[list[tuple[int, int, int, int]]]:
    """Lists of rows (time, cause, arm, stratum) with every arm present."""
    row = st.tuples(st.integers(0, 15), st.integers(0, n_causes), st.integers(0, n_arms - 1), st.integers(0, n_strata - 1))
    return st.lists(row, min_size=4, max_size=most).map(lambda rows: [*rows, *((5, k % 2, k, 0) for k in range(n_arms))])
