"""Operational model of agonism at two independent sites of TPO-R.

An agonist at concentration A drives the receptor with tau A / (KA + A): KA is where half of its site is taken, tau its efficacy (Black and
Leff's transducer ratio). Agonists of one site compete for it; the extracellular site (TPO, romiplostim) and the transmembrane site at His499
(small molecules) do not, and their drives add. A mixture at one site is the same as one agonist with the mixture's own KA and tau, which is what
the network is given.

References
----------
Black JW, Leff P (1983) Operational models of pharmacological agonism. Proc R Soc B 220:141-162, doi:10.1098/rspb.1983.0093.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thrombokit.domain.agonist import BindingSite
from thrombokit.errors import Fault, InputError, raise_all

SITE_PARAMETERS = {
    BindingSite.EXTRACELLULAR: ("[TPO]", "TPO_affinity", "TPO_efficacy"),
    BindingSite.TRANSMEMBRANE: ("[TM_agonist]", "TM_affinity", "TM_efficacy"),
}
"""What the network calls concentration, KA and tau of a site."""
PERCENT_OF_PLASMA = 100.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Binding:
    """How one agonist acts: its site, KA (nM, nominal concentration in the medium it was anchored in) and efficacy tau.

    `basis` says in a few words what the two rest on. `plasma_unbound_fraction` (of 1) is None where it is not known; `serum_percent` is the
    serum in which KA holds.
    """

    agonist: str
    site: BindingSite
    affinity_nM: float
    efficacy: float
    basis: str = ""
    plasma_unbound_fraction: float | None = None
    serum_percent: float | None = None

    def __post_init__(self) -> None:
        faults = [
            Fault(place=f"signalling, {self.agonist}, {name}", found=f"{value:g}", expected="a number above 0", cure="Correct it.")
            for name, value in (("affinity_nM", self.affinity_nM), ("efficacy", self.efficacy))
            if not 0.0 < value < float("inf")
        ]
        raise_all(faults)

    def affinity_in(self, serum_percent: float | None) -> float:
        """KA (nM, nominal) in a medium with another share of serum; unchanged where no serum is said.

        The unbound fraction is taken as 1 / (1 + b s) at s per cent of serum, b from the fraction unbound in plasma.

        Raises
        ------
        InputError
            If serum is said, and that of the anchoring assay or the fraction unbound in plasma is not known.
        """
        if serum_percent is None or serum_percent == self.serum_percent:
            return self.affinity_nM
        if self.plasma_unbound_fraction == 1.0:
            return self.affinity_nM
        if self.plasma_unbound_fraction is None or self.serum_percent is None:
            known = "not known" if self.serum_percent is None else f"{self.serum_percent:g} %"
            raise InputError(
                Fault(place=f"signalling, {self.agonist}", found=f"{serum_percent:g} % serum; serum of the anchoring assay {known}",
                      expected="that serum in per cent, and the fraction unbound in plasma, to go from one medium to the other",
                      cure="Give them (the assay's serum, plasma_unbound_fraction in [signalling] of the agonist file), or leave serum out.")
            )  # fmt: skip
        bound_per_percent = (1.0 / self.plasma_unbound_fraction - 1.0) / PERCENT_OF_PLASMA
        return self.affinity_nM * (1.0 + bound_per_percent * serum_percent) / (1.0 + bound_per_percent * self.serum_percent)


def site_settings(
    bindings: Sequence[Binding], doses_nM: Mapping[str, float], *, serum_percent: float | None = None
) -> dict[str, float]:
    """What the network is told about the agonists of one treatment.

    Parameters
    ----------
    bindings : sequence of Binding
        One for each agonist in `doses_nM`.
    doses_nM : dict of str to float
        Nominal concentration of each agonist.
    serum_percent : float, optional
        Serum in the medium; without it as in the assay each agonist was anchored in.

    Returns
    -------
    dict of str to float
        Concentration (in units of the mixture's KA where several agonists share a site), KA and tau of both sites.

    Raises
    ------
    InputError
        With every dose that is negative or of an agonist without a binding.
    """
    known = {binding.agonist: binding for binding in bindings}
    raise_all(_dose_faults(known, doses_nM))
    settings: dict[str, float] = {}
    for site, (concentration, affinity, efficacy) in SITE_PARAMETERS.items():
        present = [(known[name], dose) for name, dose in doses_nM.items() if known[name].site is site and dose > 0.0]
        settings[concentration] = 0.0
        if len(present) == 1:
            binding, dose = present[0]
            settings |= {concentration: dose, affinity: binding.affinity_in(serum_percent), efficacy: binding.efficacy}
        elif present:
            taken = [dose / binding.affinity_in(serum_percent) for binding, dose in present]
            mean = sum(x * binding.efficacy for x, (binding, _) in zip(taken, present, strict=True)) / sum(taken)
            settings |= {concentration: sum(taken), affinity: 1.0, efficacy: mean}
    return settings


def drive_of(settings: Mapping[str, float], *, his499: float = 1.0) -> float:
    """Total drive of `site_settings`: tau A / (KA + A) of both sites, the transmembrane one times `his499` (1 or 0)."""
    total = 0.0
    for site, (concentration, affinity, efficacy) in SITE_PARAMETERS.items():
        dose = settings.get(concentration, 0.0)
        if dose > 0.0:
            own = settings[efficacy] * dose / (settings[affinity] + dose)
            total += own * (his499 if site is BindingSite.TRANSMEMBRANE else 1.0)
    return total


def sites_taken(settings: Mapping[str, float], affinities_nM: Mapping[str, float]) -> dict[str, float]:
    """Share of each site that is taken, A / (KA + A), by the species of its agonist ("TPO", "TM_agonist").

    Parameters
    ----------
    settings : dict of str to float
        Of `site_settings`.
    affinities_nM : dict of str to float
        KA by parameter, for sites whose KA is not among the settings.
    """
    shares: dict[str, float] = {}
    for concentration, affinity, _ in SITE_PARAMETERS.values():
        dose = settings.get(concentration, 0.0)
        shares[concentration.strip("[]")] = dose / (settings.get(affinity, affinities_nM[affinity]) + dose) if dose > 0.0 else 0.0
    return shares


def _dose_faults(known: Mapping[str, Binding], doses_nM: Mapping[str, float]) -> list[Fault]:
    faults: list[Fault] = []
    for name, dose in doses_nM.items():
        place = f"signalling, dose of {name}"
        if name not in known:
            cure = "Anchor the agonist on a measured EC50, or give it a [signalling] table in its file."
            faults.append(
                Fault(place=place, found="an agonist without KA and efficacy", expected=", ".join(known) or "an agonist", cure=cure)
            )
        if not 0.0 <= dose < float("inf"):
            faults.append(
                Fault(place=place, found=f"{dose:g} nM", expected="a concentration of 0 or more", cure="Correct the dose.")
            )
    return faults
