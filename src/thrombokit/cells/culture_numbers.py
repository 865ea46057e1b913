"""Numbers a culture is planned with: what was published of CD34+ cells and megakaryocytes in culture, and what is assumed for want of it.

Plans rest on them, results never do. Each can be replaced in a plan by the lab's own figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from thrombokit.domain.agonist import Tier
from thrombokit.domain.estimate import Estimate


class CellSource(StrEnum):
    """Where the CD34+ cells come from."""

    CORD_BLOOD = "cord_blood"
    ADULT_BLOOD = "adult_blood"
    BONE_MARROW = "bone_marrow"


@dataclass(frozen=True, kw_only=True)
class PlanningNumber:
    """A number with the range it may lie in (95 %), its source and how much it can carry."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    source: str
    tier: Tier


HATAMI = "Hatami J et al. 2014, Biotechnol Rep 4:50-55, abstract"

MKS_PER_CD34_CORD_BLOOD = PlanningNumber(
    # 48 +- 7.7 MKs per input CD34+ cell after a 17 +- 2.5-fold expansion: 48 / 17, the two errors taken as SDs and joined on the log scale
    name="MKs_per_CD34", value=2.8, low=1.8, high=4.3, unit="MKs per CD34+ cell that enters differentiation", tier=Tier.CALIBRATED,
    source=f"{HATAMI}: best of their cord-blood cultures (expanded on stroma), 48 ± 7.7 MKs per input CD34+ cell after a 17 ± 2.5-fold expansion",
)  # fmt: skip

MKS_PER_CD34_OTHER = PlanningNumber(
    name="MKs_per_CD34", value=2.8, low=0.7, high=11.0, unit="MKs per CD34+ cell that enters differentiation", tier=Tier.ASSUMED,
    source="no figure for this cell source is shipped: the cord-blood figure, with a fourfold range either way",
)  # fmt: skip

EXPANSION_FOLD = PlanningNumber(
    name="expansion_fold", value=2.0, low=1.0, high=4.0, unit="CD34+ cells after expansion per cell seeded", tier=Tier.ASSUMED,
    source="no figure for two or three days is shipped: one doubling, none to two",
)  # fmt: skip

STAINING_RECOVERY = PlanningNumber(
    name="staining_recovery", value=0.5, low=0.3, high=0.8, unit="MKs acquired per MK put into the tube", tier=Tier.ASSUMED,
    source="washing, fixing and the tube's dead volume; count a tube before and after to replace it",
)  # fmt: skip

SEEDING_DENSITY = PlanningNumber(
    name="seeding_density", value=20_000.0, low=20_000.0, high=20_000.0, unit="CD34+ cells per mL", tier=Tier.PUBLISHED,
    source="Xie C et al. 2018, J Cell Mol Med 22:5367-5377, doi:10.1111/jcmm.13809, read in an extract of its highlights",
)  # fmt: skip

BEST_PUBLISHED_YIELD = (
    "The best cord-blood culture of Hatami et al. 2014 gave 48 ± 7.7 MKs per input CD34+ cell, with a 17-fold expansion first."
)


def numbers_for(source: CellSource) -> dict[str, PlanningNumber]:
    """The planning numbers for a cell source, by name."""
    yields = MKS_PER_CD34_CORD_BLOOD if source is CellSource.CORD_BLOOD else MKS_PER_CD34_OTHER
    return {number.name: number for number in (yields, EXPANSION_FOLD, STAINING_RECOVERY, SEEDING_DENSITY)}


def product_of(*numbers: PlanningNumber) -> Estimate:
    """The product of independent planning numbers with its range: distances to the ends joined by squares on the log scale."""

    def distance(end: Callable[[PlanningNumber], float]) -> float:
        return math.sqrt(sum(math.log(end(number) / number.value) ** 2 for number in numbers))

    value = math.prod(number.value for number in numbers)
    down, up = distance(lambda number: number.low), distance(lambda number: number.high)
    return Estimate(estimate=value, low=value * math.exp(-down), high=value * math.exp(up))
