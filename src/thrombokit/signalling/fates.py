"""Pathway activity becomes fate: proliferation, death, differentiation and endomitosis as separate outputs.

Cyclin D1 opens proliferation and very high JAK2 activity arrests it; AKT (fast) and BCL-XL (slow) hold death back; nuclear STAT5
drives differentiation; mTORC1 supports endomitosis. Two signs are declared and can be switched, because sources disagree or cells differ:
ERK on endomitosis, and STAT5 on endomitosis (adult cells against cord blood). The numbers stand in `fate_rates.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from thrombokit.domain.fates import FateRates
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.signalling.cell_systems import Sign
from thrombokit.signalling.rates import RateSet, read_rates

ACTIVITIES = ("JAK2_p", "STAT5_nuclear", "ERK_p", "AKT_p", "MTORC1_active", "BCLXL", "CCND1")
"""Species of tpor.ant that fates read, concentrations in nM."""
ERK_ON_ENDOMITOSIS = Sign.LOWERS
"""The declared default: low-dose MEK inhibition raised polyploid cells from 45 to 70 % (Guerriero 2006); other data disagree."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Activity(FrozenArrays):
    """Pathway activity over time: `time_h` (n_times,) and, by name of `ACTIVITIES`, concentrations in nM of the same shape.

    `sites_taken`: of each agonist site, by the species that stands for its agonist, the share that is taken, 0 to 1, shape (n_times,).
    """

    time_h: Array
    levels_nM: Mapping[str, Array]
    sites_taken: Mapping[str, Array] = field(default_factory=dict[str, Array])

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_h", frozen(self.time_h))
        for name in ("levels_nM", "sites_taken"):
            object.__setattr__(self, name, {id: frozen(values) for id, values in getattr(self, name).items()})

    def __getitem__(self, name: str) -> Array:
        return self.levels_nM[name]


def fate_rate_set() -> RateSet:
    """The numbers of this module with their sources and tiers."""
    return read_rates("fate_rates.toml")


def fates_of(
    activity: Activity, rates: Mapping[str, float], *, label: str, cell_system: str, stat5_on_endomitosis: Sign,
    erk_on_endomitosis: Sign = ERK_ON_ENDOMITOSIS,
) -> FateRates:  # fmt: skip
    """Rates of the four fates from pathway activity.

    Parameters
    ----------
    activity : Activity
        Concentrations in nM over time.
    rates : dict of str to float
        Those of `fate_rates.toml` by id, and `ccnd1_unstimulated`, `bclxl_unstimulated` of the network.
    label, cell_system : str
        What they are rates of.
    stat5_on_endomitosis, erk_on_endomitosis : Sign
        The two declared signs.

    Returns
    -------
    FateRates
        Per day, shape (n_times,) each.
    """
    endomitosis = (
        rates["endomitosis_max"]
        * _signed(activity["MTORC1_active"], rates, "endomitosis_mtor", Sign.SUPPORTS)
        * _signed(activity["ERK_p"], rates, "endomitosis_erk", erk_on_endomitosis)
        * _signed(activity["STAT5_nuclear"], rates, "endomitosis_stat5", stat5_on_endomitosis)
    )
    return FateRates(
        label=label, cell_system=cell_system, time_h=activity.time_h, proliferation_per_d=_proliferation(activity, rates),
        death_per_d=_death(activity, rates), differentiation_per_d=_differentiation(activity, rates), endomitosis_per_d=endomitosis,
        assumptions=(f"ERK {erk_on_endomitosis.value} endomitosis", f"STAT5 {stat5_on_endomitosis.value} endomitosis",
                     "mTORC1 supports endomitosis"),
    )  # fmt: skip


def _proliferation(activity: Activity, rates: Mapping[str, float]) -> Array:
    above = np.maximum(activity["CCND1"] - rates["ccnd1_unstimulated"], 0.0)
    opened = above**2 / (rates["proliferation_ccnd1_half"] ** 2 + above**2)
    arrest = 1.0 / (1.0 + (activity["JAK2_p"] / rates["arrest_jak2_half"]) ** 4)
    floor = rates["proliferation_unstimulated"]
    return (floor + (rates["proliferation_max"] - floor) * opened) * arrest


def _death(activity: Activity, rates: Mapping[str, float]) -> Array:
    above = np.maximum(activity["BCLXL"] - rates["bclxl_unstimulated"], 0.0)
    survival = activity["AKT_p"] / rates["survival_akt_half"] + above / rates["survival_bclxl_half"]
    return rates["death_min"] + (rates["death_max"] - rates["death_min"]) / (1.0 + survival)


def _differentiation(activity: Activity, rates: Mapping[str, float]) -> Array:
    stat5 = activity["STAT5_nuclear"]
    floor = rates["differentiation_unstimulated"]
    return floor + (rates["differentiation_max"] - floor) * stat5 / (rates["differentiation_stat5_half"] + stat5)


def _signed(level: Array, rates: Mapping[str, float], name: str, sign: Sign) -> Array:
    """The factor by which a pathway changes endomitosis, 1 at its reference activity whatever the sign."""
    half, reference = rates[f"{name}_half"], rates[f"{name}_reference"]
    if sign is Sign.NONE:
        return np.ones_like(level)
    if sign is Sign.LOWERS:
        return (half + reference) / (half + level)
    return level / (half + level) * (half + reference) / reference
