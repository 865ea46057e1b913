"""How the missing would have to respond for the conclusion to change: every allocation of responders among them, in both arms.

With i of the arm's missing subjects and j of the reference's taken as responders, the two arms are one two-by-two table; the grid holds its
difference
and its p for every (i, j). Nothing is sampled. Corner (0, 0) is non-responder imputation, (0, all) the worst case for the arm, (all, 0) its best.
Strata are not held here: the grid compares the arms as a whole.

Reference: Liublinska V, Rubin DB (2014) Stat Med 33:4170-4185 (displays of tipping points of a binary outcome in two arms).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, frozen
from thrombokit.trials.estimand import ShareTest
from thrombokit.trials.risk_difference import miettinen_nurminen
from thrombokit.trials.two_by_two import TwoByTwo
from thrombokit.trials.two_by_two_tests import chi_square, fisher


@dataclass(frozen=True, kw_only=True, eq=False)
class TippingGrid(FrozenArrays):
    """`difference` and `p`, both (i + 1, j + 1): i missing subjects of the arm responded, j of the reference.

    `observed` counts only subjects whose outcome is known; `alpha` is the level, two-sided; `verdict`: "holds" (the arm is better in every
    allocation),
    "tips" (in some), "never".
    """

    arm: str
    reference: str
    responders: tuple[int, int]
    sizes: tuple[int, int]
    missing: tuple[int, int]
    test: ShareTest
    alpha: float
    difference: Array
    p: Array

    @property
    def better(self) -> BoolArray:
        """Where the arm is better than the reference at the level, same shape."""
        return (self.p < self.alpha) & (self.difference > 0.0)

    @property
    def verdict(self) -> str:
        """In one word."""
        return "holds" if self.better.all() else "tips" if self.better.any() else "never"

    def fewest_needed(self) -> tuple[int | None, ...]:
        """For each j, the fewest responders among the arm's missing that keep the arm better; None where not even all do."""
        return tuple(int(np.argmax(column)) if column.any() else None for column in self.better.T)

    def corners(self) -> dict[str, tuple[int, int]]:
        """The four corners by name."""
        i, j = self.missing
        return {"no missing responds": (0, 0), "worst case": (0, j), "best case": (i, 0), "all missing respond": (i, j)}

    def table_at(self, i: int, j: int) -> TwoByTwo:
        """The two-by-two table of one allocation."""
        (a, b), (n, m) = self.responders, self.sizes
        return TwoByTwo(a=a + i, n=n + self.missing[0], b=b + j, m=m + self.missing[1])

    def to_dict(self) -> dict[str, Any]:
        """Verdict, corners with Miettinen-Nurminen intervals, the boundary, and both grids."""
        corners: list[dict[str, Any]] = []
        for name, (i, j) in self.corners().items():
            interval = miettinen_nurminen(self.table_at(i, j), confidence=1.0 - self.alpha)
            corners.append({"name": name, "arm_responders_added": i, "reference_responders_added": j, "difference": float(self.difference[i, j]),
                            "low": interval.low, "high": interval.high, "p": float(self.p[i, j])})  # fmt: skip
        return {
            "arm": self.arm, "reference": self.reference, "known": {"responders": list(self.responders), "sizes": list(self.sizes)},
            "missing": list(self.missing), "test": self.test.value, "alpha": self.alpha, "verdict": self.verdict,
            "share_of_allocations_better": float(self.better.mean()), "corners": corners,
            "fewest_arm_responders_needed": list(self.fewest_needed()), "difference": self.difference.tolist(), "p": self.p.tolist(),
        }  # fmt: skip


def tipping_grid(
    *,
    arm: str,
    reference: str,
    responders: tuple[int, int],
    sizes: tuple[int, int],
    missing: tuple[int, int],
    test: ShareTest,
    alpha: float,
) -> TippingGrid:
    """Every allocation.

    Parameters
    ----------
    arm, reference : str
    responders, sizes : pairs of int
        Of the arm and of the reference, among subjects whose outcome is known.
    missing : pair of int
        Subjects of either arm whose outcome is not known.
    test : ShareTest
        Fisher's or the chi-square test; any other is replaced by Fisher's, and the grid says so in its `test`.
    alpha : float
        Two-sided level.
    """
    used = test if test in (ShareTest.FISHER, ShareTest.CHI_SQUARE) else ShareTest.FISHER
    shape = (missing[0] + 1, missing[1] + 1)
    difference, p = np.empty(shape), np.empty(shape)
    n, m = sizes[0] + missing[0], sizes[1] + missing[1]
    for i in range(shape[0]):
        for j in range(shape[1]):
            table = TwoByTwo(a=responders[0] + i, n=n, b=responders[1] + j, m=m)
            difference[i, j] = table.p1 - table.p2
            found = fisher(table) if used is ShareTest.FISHER else chi_square(table)[1]
            p[i, j] = 1.0 if found is None else found
    return TippingGrid(arm=arm, reference=reference, responders=responders, sizes=sizes, missing=missing, test=used, alpha=alpha,
                       difference=frozen(difference), p=frozen(p))  # fmt: skip
