"""What a study may choose of the signalling stage: doses, inhibitors, mutations and receptor variants, and the moment of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thrombokit.errors import Fault, raise_all
from thrombokit.signalling.cell_systems import perturbations
from thrombokit.signalling.experiments import inhibitor_panel, mutant_panel
from thrombokit.signalling.treatments import Treatment

INHIBITOR_nM = (10.0, 100.0, 1000.0)
SHOWN_TIMES_h = (1 / 30, 1 / 12, 1 / 6, 0.25, 0.5, 1.0, 3.0, 6.0, 24.0, 48.0, 72.0)


@dataclass(frozen=True, kw_only=True)
class StageChoices:
    """Choices with their defaults; None stands for all that the model has, an empty tuple of names for none.

    `doses_nM` are given to every agonist; without them each has nine over four decades around its own EC50. `times_h` are those of dose and
    time, beside the read-out. The picture shows the first
    agonist at `shown_dose_nM` (ten times its EC50 without it) and `shown_time_h`.
    """

    doses_nM: tuple[float, ...] = ()
    times_h: tuple[float, ...] = SHOWN_TIMES_h
    inhibitors: tuple[str, ...] | None = None
    inhibitor_doses_nM: tuple[float, ...] = INHIBITOR_nM
    mutations: tuple[str, ...] | None = None
    receptors: tuple[str, ...] | None = None
    shown_dose_nM: float | None = None
    shown_time_h: float = 1 / 6

    def __post_init__(self) -> None:
        given = {"dose": self.doses_nM, "inhibitor's dose": self.inhibitor_doses_nM, "shown dose": (self.shown_dose_nM or 1.0,)}
        raise_all(
            Fault(place=f"signalling, {name}", found=f"{dose:g} nM", expected="a concentration above 0", cure="Correct it.")
            for name, doses in given.items()
            for dose in doses
            if not 0.0 < dose < float("inf")
        )

    def inhibited(self, given_nM: dict[str, float]) -> tuple[Treatment, ...]:
        """The agonists alone, then with each chosen inhibitor at each dose; nothing where no inhibitor is chosen."""
        panel = inhibitor_panel(given_nM, self.inhibitor_doses_nM)
        if self.inhibitors is None:
            return panel
        chosen = [one for one in panel if any(name in self.inhibitors for name in one.inhibitors_nM)]
        return (panel[0], *chosen) if chosen else ()

    def mutated(self, given_nM: dict[str, float]) -> tuple[Treatment, ...]:
        """Wild type, then each chosen mutation and receptor variant, with the agonists and mutations without too; nothing where none is chosen."""
        mutations = _all_of(self.mutations, [one.name for one in perturbations().mutations])
        receptors = _all_of(self.receptors, perturbations().receptors)
        panel = mutant_panel(given_nM)
        chosen = [one for one in panel if one.mutation in mutations or (one.receptor != "human" and one.receptor in receptors)]
        wild = [one for one in panel if not one.mutation and one.receptor == "human"]
        return (*wild, *chosen) if chosen else ()


def _all_of(chosen: tuple[str, ...] | None, known: Sequence[str] | dict[str, float]) -> frozenset[str]:
    return frozenset(known if chosen is None else chosen)
