"""What a well is given: agonists, inhibitors, a mutation, a receptor variant, and when."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from thrombokit.errors import Fault, raise_all
from thrombokit.signalling.cell_systems import perturbation_faults


@dataclass(frozen=True, kw_only=True, slots=True)
class Treatment:
    """One well.

    `agonists_nM` and `inhibitors_nM` map names to nominal concentrations; inhibitors ("ruxolitinib", "MEK inhibitor", "PI3K inhibitor", "mTOR
    inhibitor") are there from time 0 on. `given_h` are stretches (from, to) in hours with the agonists; () is from 0 to the end. `mutation` is "" or
    "JAK2 V617F", "MPL W515", "CALR mutant", "LNK loss"; `receptor` "human", "H499L", "mouse", "rat", "macaque", "mouse L490H".
    """

    agonists_nM: Mapping[str, float] = field(default_factory=dict[str, float])
    inhibitors_nM: Mapping[str, float] = field(default_factory=dict[str, float])
    mutation: str = ""
    receptor: str = "human"
    given_h: tuple[tuple[float, float], ...] = ()
    label: str = ""

    def __post_init__(self) -> None:
        faults = perturbation_faults(mutation=self.mutation, receptor=self.receptor, inhibitors=self.inhibitors_nM)
        for name, dose in self.inhibitors_nM.items():
            if not 0.0 <= dose < math.inf:
                place = f"signalling, dose of {name}"
                faults.append(
                    Fault(place=place, found=f"{dose:g} nM", expected="a concentration of 0 or more", cure="Correct the dose.")
                )
        ends = [end for stretch in self.given_h for end in stretch]
        if any(a >= b for a, b in pairwise(ends)) or (ends and ends[0] < 0.0) or not all(map(math.isfinite, ends)):
            faults.append(Fault(place="signalling, given_h", found=str(self.given_h), expected="stretches (from, to) that follow one another",
                                cure="Sort them, and let none touch the next."))  # fmt: skip
        raise_all(faults)
        if not self.label:
            object.__setattr__(self, "label", self.words())

    def words(self) -> str:
        """What the treatment is, in words: its label where none was given."""
        parts = [f"{name} {dose:.4g} nM" for name, dose in (*self.agonists_nM.items(), *self.inhibitors_nM.items()) if dose > 0.0]
        parts = [part for part in (self.mutation, "" if self.receptor == "human" else f"{self.receptor} receptor", *parts) if part]
        parts.extend(f"from {start:g} to {end:g} h" for start, end in self.given_h)
        return ", ".join(parts) or "vehicle"


def dose_series(agonist: str, doses_nM: Sequence[float], **others: object) -> tuple[Treatment, ...]:
    """One treatment a dose of one agonist; `others` are fields of `Treatment` that all of them share."""
    return tuple(Treatment(agonists_nM={agonist: float(dose)}, **others) for dose in doses_nM)  # pyright: ignore[reportArgumentType]
