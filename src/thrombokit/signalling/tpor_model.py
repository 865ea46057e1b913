"""The built-in model ready to be asked: one cell system, one set of rates, treatments in, pathway activity and fates out.

A treatment starts from cells at rest without agonist. Where a mutation drives the receptor, that rest is found by running the mutant without
agonist first, so that time 0 means the addition of agonist and inhibitors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from thrombokit.domain.fates import FateRates
from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.numerics.arrays import Array
from thrombokit.signalling.agonist_drive import SITE_PARAMETERS, Binding, site_settings, sites_taken
from thrombokit.signalling.cell_systems import CellSystem, Sign, basal_drive_of, perturbations
from thrombokit.signalling.cultures import cell_number
from thrombokit.signalling.fates import ERK_ON_ENDOMITOSIS, Activity, fate_rate_set, fates_of
from thrombokit.signalling.network import Network
from thrombokit.signalling.rates import Rate, RateSet, read_rates
from thrombokit.signalling.roadrunner_model import SimulationSession, Tolerances, load_session
from thrombokit.signalling.treatments import Treatment

MINUTES_PER_HOUR = 60.0
REST_MIN = 60.0 * 24.0 * 30.0
"""A mutant counts as at rest after 30 days without agonist: BCL-XL, the slowest, has a half-life of 19 h."""
TOLERANCES = Tolerances(relative=1e-8, absolute=1e-10)
_EARLY_H = (
    0.0,
    1 / 30,
    1 / 12,
    1 / 6,
    0.25,
    1 / 3,
    0.5,
    0.75,
    1.0,
    1.5,
    2.0,
    3.0,
    4.0,
    6.0,
    8.0,
    10.0,
    12.0,
    15.0,
    18.0,
    21.0,
    24.0,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class TporModel:
    """The network with one cell system and one set of rates.

    `replaced` are rates of the network or of the fates that differ from their files and from the cell system's own (`drawn` in an
    ensemble, changed by hand). `erk_on_endomitosis` is the declared sign.
    """

    network: Network = field(repr=False)
    cell_system: CellSystem
    replaced: Mapping[str, float] = field(default_factory=dict[str, float])
    erk_on_endomitosis: Sign = ERK_ON_ENDOMITOSIS

    def __post_init__(self) -> None:
        known = {*self.network.parameter_by_id, *self.network.compartment_by_id, *(rate.id for rate in fate_rate_set())}
        faults = [
            Fault(place=f"signalling, rate {id}", found="a rate the model does not have", expected="a rate of tpor_rates.toml or fate_rates.toml",
                  cure="Check its spelling.")
            for id in self.replaced if id not in known
        ]  # fmt: skip
        faults += [
            Fault(place=f"signalling, rate {id}", found=f"{value:g}", expected="a number of 0 or more", cure="Correct it.")
            for id, value in self.replaced.items()
            if not 0.0 <= value < math.inf
        ]
        raise_all(faults)

    @property
    def rate_set(self) -> RateSet:
        """All rates in use, those of the cell system in the place of the general ones."""
        own = {rate.id: rate for rate in self.cell_system.rates}
        general: list[Rate] = [*read_rates("tpor_rates.toml"), *fate_rate_set()]
        return RateSet(rates=tuple(own.get(rate.id, rate) for rate in general))

    def values(self) -> dict[str, float]:
        """Value of every rate in use, by id."""
        return {**self.rate_set.values(), **self.replaced}

    def session(self) -> SimulationSession:
        """The network loaded; shared within the process."""
        return load_session(self.network, tolerances=TOLERANCES)

    def activity(
        self, treatment: Treatment, bindings: Sequence[Binding], time_h: Array, *, serum_percent: float | None = None,
        session: SimulationSession | None = None,
    ) -> Activity:  # fmt: skip
        """Concentrations of what fates and pictures read, over time.

        Parameters
        ----------
        treatment : Treatment
        bindings : sequence of Binding
            One for each agonist.
        time_h : array of shape (n_times,)
            Rising from 0.
        serum_percent : float, optional
        session : SimulationSession, optional
            From `session()`; saves the look-up in a loop.

        Returns
        -------
        Activity
            Every species of the network, nM.
        """
        with_agonists = self._settings(treatment) | site_settings(bindings, treatment.agonists_nM, serum_percent=serum_percent)
        return self.activity_of(with_agonists, time_h, given_h=treatment.given_h, session=session)

    def activity_of(
        self, settings: Mapping[str, float], time_h: Array, *, given_h: Sequence[tuple[float, float]] = (),
        session: SimulationSession | None = None,
    ) -> Activity:  # fmt: skip
        """The same for settings of the network's own names ("[TPO]", "basal_drive", ...)."""
        session = session or self.session()
        settings = {**self._network_values(), **settings}
        names = [one.id for one in self.network.species if not one.boundary and not one.constant]
        selections = [f"[{name}]" for name in names]
        quiet = {concentration: 0.0 for concentration, _, _ in SITE_PARAMETERS.values()}
        state = _rest(session, settings, quiet)
        values = _run(session, time_h, selections, settings, quiet, given_h, state)
        given = np.array([_is_given(float(time), given_h) for time in time_h])
        taken = {id: share * given for id, share in sites_taken(settings, self._affinities_nM()).items()}
        return Activity(time_h=time_h, levels_nM={name: values[:, at] for at, name in enumerate(names)}, sites_taken=taken)

    def fates(self, activity: Activity, *, label: str) -> FateRates:
        """Rates of the four fates under that activity."""
        return fates_of(
            activity, self.values(), label=label, cell_system=self.cell_system.name, erk_on_endomitosis=self.erk_on_endomitosis,
            stat5_on_endomitosis=self.cell_system.stat5_on_endomitosis,
        )  # fmt: skip

    def cells(self, fates: FateRates) -> Array:
        """Living cells in a well over the times of `fates`, shape (n_times,)."""
        return cell_number(fates, seeded=self.cell_system.seeded, capacity=self.cell_system.capacity)

    def _network_values(self) -> dict[str, float]:
        """Rates of the network that differ from its own text."""
        own = {rate.id: rate.value for rate in self.cell_system.rates}
        parameters = self.network.parameter_by_id
        return {id: value for id, value in {**own, **self.replaced}.items() if id in parameters}

    def _affinities_nM(self) -> dict[str, float]:
        """KA of both sites as the model has them."""
        values = self.values()
        return {affinity: values[affinity] for _, affinity, _ in SITE_PARAMETERS.values()}

    def _settings(self, treatment: Treatment) -> dict[str, float]:
        known = perturbations()
        settings = {"human_His499": known.receptors[treatment.receptor], "basal_drive": basal_drive_of(treatment.mutation)}
        return settings | {known.inhibitors[name]: dose for name, dose in treatment.inhibitors_nM.items()}


def time_grid_h(hours: float) -> Array:
    """Times (h) from 0 to `hours`: minutes apart at first, at most 12 h apart later.

    Raises
    ------
    InputError
        If `hours` is not above 0, or more than 60 days.
    """
    if not 0.0 < hours <= 1440.0:
        raise InputError(
            Fault(place="signalling, hours", found=f"{hours:g}", expected="above 0, and at most 1440 (60 days)", cure="Correct it.")
        )
    later = np.arange(30.0, min(hours, 72.0) + 1e-9, 6.0)
    latest = np.arange(84.0, hours + 1e-9, 12.0)
    grid = np.concatenate([_EARLY_H, later, latest])
    return np.append(grid[grid < hours - 1e-9], hours)


def _rest(session: SimulationSession, settings: Mapping[str, float], quiet: Mapping[str, float]) -> Mapping[str, float] | None:
    """The state of a mutant without agonist or inhibitor; None where nothing drives the receptor, as the model's own start is that rest."""
    if settings.get("basal_drive", 0.0) <= 0.0:
        return None
    without = dict.fromkeys(perturbations().inhibitors.values(), 0.0)
    session.start({**settings, **quiet, **without})
    session.run([REST_MIN], ["time"])
    return session.state()


def _run(
    session: SimulationSession, time_h: Array, selections: Sequence[str], settings: Mapping[str, float], quiet: Mapping[str, float],
    given_h: Sequence[tuple[float, float]], state: Mapping[str, float] | None,
) -> Array:  # fmt: skip
    """Run to every time, with the agonists in the medium only during `given_h` (always, where that is empty).

    Nothing in the model knows the time, so that each stretch starts its clock anew from the state the last one left.
    """
    if not given_h:
        session.start(settings, state=state)
        return session.run(time_h * MINUTES_PER_HOUR, selections)
    parts: list[Array] = []
    for start, end, given in _stretches(given_h):
        session.start(settings if given else {**settings, **quiet}, state=state)
        here = time_h[(time_h >= start) & (time_h < end)]
        if here.size:
            parts.append(session.run((here - start) * MINUTES_PER_HOUR, selections))
        if end > time_h[-1]:
            break
        if session.time < (end - start) * MINUTES_PER_HOUR:
            session.run([(end - start) * MINUTES_PER_HOUR], ["time"])
        state = session.state()
    return np.concatenate(parts)


def _is_given(time_h: float, given_h: Sequence[tuple[float, float]]) -> bool:
    """Whether the agonists are in the medium at a time; always, where no stretch is said."""
    return not given_h or any(start <= time_h < end for start, end in given_h)


def _stretches(given_h: Sequence[tuple[float, float]]) -> list[tuple[float, float, bool]]:
    """(from, to, with agonists) from 0 to infinity without gaps."""
    stretches: list[tuple[float, float, bool]] = []
    now = 0.0
    for start, end in given_h:
        if start > now:
            stretches.append((now, start, False))
        stretches.append((start, end, True))
        now = end
    return [*stretches, (now, math.inf, False)]
