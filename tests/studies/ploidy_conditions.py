"""Conditions that PI tubes are judged in: how far a tube is from what a deconvolution assumes, and how clean it is.

Three levels of likeness ("matched", "typical", "hard"), each "clean" or "dirty", and five cultures. A tube is named by its condition,
its culture, its size and its seed, and drawn from ranges: no two tubes of a condition are alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from tests.studies.ploidy_tubes import DEBRIS, TAILS, Recipe, SyntheticTube, make_tube

from thrombokit.domain.ploidy import CLASSES
from thrombokit.numerics.arrays import Array, frozen
from thrombokit.numerics.streams import stream

CULTURES: dict[str, Array] = {
    "cord blood": frozen([0.800, 0.155, 0.028, 0.012, 0.004, 0.001]),
    "adult blood": frozen([0.35, 0.25, 0.18, 0.14, 0.06, 0.02]),
    "flat": frozen(np.full(len(CLASSES), 1.0 / len(CLASSES))),
    "shifted by TPO": frozen([0.15, 0.15, 0.22, 0.28, 0.15, 0.05]),
    "rich in 64N": frozen([0.10, 0.10, 0.15, 0.20, 0.25, 0.20]),
}
"""Class shares of a population, 2N to >= 64N. Cord blood: about 80 % 2N, 2.6 % 8N; adult blood: about 40 % >= 8N (abstract of Blood
2002;99(3):888-897); the other three are chosen to move the weight upwards."""

Span = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Ranges that the tubes of one kind are drawn from, evenly; see `Recipe` for the words."""

    level: str
    purity: str
    cv: Span
    noise: Span
    exponent: Span
    offset: Span
    peak_scatter: Span
    tails: tuple[str, ...]
    tail_weight: Span
    s_share: Span
    s_scatter: Span
    s_lean: Span
    debris: tuple[str, ...]
    debris_share: Span
    debris_reach: Span
    threshold: Span
    doublet_share: Span
    triplets: Span
    above_64N: Span
    culture_spread: float
    """Relative SD of a class's share from tube to tube."""

    @property
    def name(self) -> str:
        """ "typical, dirty" and the like."""
        return f"{self.level}, {self.purity}"


NONE: Span = (0.0, 0.0)

MATCHED = Condition(
    level="matched", purity="clean", cv=(0.025, 0.055), noise=(0.0, 0.01), exponent=(0.99, 1.0), offset=(0.0, 0.01), peak_scatter=NONE,
    tails=("gaussian",), tail_weight=NONE, s_share=(0.03, 0.08), s_scatter=NONE, s_lean=NONE, debris=("exponential",),
    debris_share=(0.0, 0.03), debris_reach=(0.2, 0.5), threshold=(0.1, 0.35), doublet_share=(0.0, 0.003), triplets=NONE, above_64N=NONE,
    culture_spread=0.1,
)  # fmt: skip
"""What the usual models of a DNA histogram assume."""

TYPICAL = Condition(
    level="typical", purity="clean", cv=(0.03, 0.055), noise=(0.0, 0.015), exponent=(0.96, 1.0), offset=(0.0, 0.02),
    peak_scatter=(0.0, 0.003), tails=TAILS, tail_weight=(0.2, 0.6), s_share=(0.03, 0.08), s_scatter=(0.1, 0.3), s_lean=(-0.5, 0.5),
    debris=DEBRIS, debris_share=(0.0, 0.04), debris_reach=(0.2, 0.5), threshold=(0.1, 0.35), doublet_share=(0.0, 0.004),
    triplets=(0.0, 0.05), above_64N=(0.0, 0.05), culture_spread=0.1,
)  # fmt: skip

HARD = Condition(
    level="hard", purity="clean", cv=(0.05, 0.07), noise=(0.01, 0.02), exponent=(0.94, 0.98), offset=(0.0, 0.04),
    peak_scatter=(0.003, 0.008), tails=TAILS[1:], tail_weight=(0.6, 1.0), s_share=(0.06, 0.12), s_scatter=(0.2, 0.4), s_lean=(-1.0, 1.0),
    debris=DEBRIS, debris_share=(0.02, 0.06), debris_reach=(0.3, 0.6), threshold=(0.1, 0.35), doublet_share=(0.0, 0.006),
    triplets=(0.0, 0.1), above_64N=(0.0, 0.1), culture_spread=0.2,
)  # fmt: skip


def soil(clean: Condition, *, s_share: Span, debris_share: Span, doublet_share: Span) -> Condition:
    """The dirty companion of a condition: doublets not cut, much debris, and more cells in S phase."""
    return replace(clean, purity="dirty", s_share=s_share, debris_share=debris_share, doublet_share=doublet_share)


CONDITIONS: dict[str, Condition] = {
    condition.name: condition
    for condition in (
        MATCHED,
        soil(MATCHED, s_share=(0.06, 0.12), debris_share=(0.10, 0.30), doublet_share=(0.02, 0.06)),
        TYPICAL,
        soil(TYPICAL, s_share=(0.06, 0.12), debris_share=(0.10, 0.25), doublet_share=(0.02, 0.05)),
        HARD,
        soil(HARD, s_share=(0.10, 0.20), debris_share=(0.15, 0.30), doublet_share=(0.03, 0.06)),
    )
}


def draw_population(condition: Condition, culture: str, rng: np.random.Generator) -> Array:
    """Class shares of a culture as they are in one tube, shape (6,)."""
    shares = CULTURES[culture] * rng.lognormal(0.0, condition.culture_spread, len(CLASSES))
    return shares / shares.sum()


def draw_recipe(condition: Condition, population: Array, n_cells: int, rng: np.random.Generator) -> Recipe:
    """One tube of a condition: every number drawn from its range, one detector in four with 1024 channels, g1 to fit 64N on it."""
    channels = 1024 if rng.random() < 0.25 else 262_144
    ranges = (
        "cv", "noise", "exponent", "offset", "peak_scatter", "tail_weight", "s_share", "s_scatter", "s_lean", "debris_share",
        "debris_reach", "threshold", "doublet_share", "triplets", "above_64N",
    )  # fmt: skip
    numbers = {name: float(rng.uniform(*getattr(condition, name))) for name in ranges}
    return Recipe(
        population=frozen(population),
        n_cells=n_cells,
        g1=float(rng.uniform(20.0, 26.0) if channels == 1024 else rng.uniform(2_000.0, 6_000.0)),
        tails=str(rng.choice(condition.tails)),
        debris=str(rng.choice(condition.debris)),
        channels=channels,
        **numbers,
    )


def simulate_tube(condition: str, culture: str, seed: int, *, n_cells: int = 20_000) -> SyntheticTube:
    """The tube of one seed: "typical, dirty", "adult blood", 17 names it fully.

    Random numbers of recipe and events come from streams of their own names.
    """
    names = ("ploidy tube", condition, culture, n_cells)
    rng = stream(seed, *names, "recipe")
    recipe = draw_recipe(CONDITIONS[condition], draw_population(CONDITIONS[condition], culture, rng), n_cells, rng)
    return make_tube(recipe, stream(seed, *names, "events"))
