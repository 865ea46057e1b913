"""Two arms' responders in several strata: the tables that stratified methods share.

Strata without a subject in one of the arms say nothing about a difference; they are kept out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import Array
from thrombokit.trials.two_by_two import TwoByTwo


@dataclass(frozen=True, kw_only=True)
class Strata:
    """One table a stratum, by name. `without_comparison` are strata in which one arm has nobody.

    Raises
    ------
    InputError
        If no stratum holds both arms, or a name stands twice.
    """

    names: tuple[str, ...]
    tables: tuple[TwoByTwo, ...]
    without_comparison: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.tables:
            raise InputError(Fault(place="strata", found="no stratum with subjects in both arms", expected="at least one",
                                   cure="Check the strata's names, or compare the arms without strata."))  # fmt: skip
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise InputError(Fault(place="strata", found=f"stratum {', '.join(twice)} more than once", expected="each once",
                                   cure="Add the rows of a stratum together."))  # fmt: skip

    def counts(self) -> Array:
        """Shape (K, 2, 2): stratum, arm, (responders, others)."""
        return np.array([[[t.a, t.n - t.a], [t.b, t.m - t.b]] for t in self.tables], dtype=np.float64)

    def pooled(self) -> TwoByTwo:
        """All strata added together."""
        return TwoByTwo(a=sum(t.a for t in self.tables), n=sum(t.n for t in self.tables),
                        b=sum(t.b for t in self.tables), m=sum(t.m for t in self.tables))  # fmt: skip

    def weights(self) -> Array:
        """Mantel and Haenszel's n m / (n + m) of each stratum, shape (K,), summing to 1."""
        raw = np.array([t.n * t.m / t.total for t in self.tables])
        return raw / raw.sum()
