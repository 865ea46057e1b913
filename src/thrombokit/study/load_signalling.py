"""[signalling] and its file -> `SignallingInput`: names held against the model, agonists found, measured signals read; nothing is simulated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from thrombokit.agonists.load import find_shipped_agonist, unknown_agonist_fault
from thrombokit.domain.agonist import Agonist
from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault
from thrombokit.io.signalling_tables import read_signals
from thrombokit.io.tpor import POSITIVE_CONTROL_nM
from thrombokit.plate.layout import Role
from thrombokit.plate.plate import Plate
from thrombokit.signalling.antimony_source import tpor_rates
from thrombokit.signalling.cell_systems import CellSystem, cell_systems, known_inhibitors, known_mutations, perturbations
from thrombokit.signalling.fates import fate_rate_set
from thrombokit.signalling.measured import MeasuredSignals
from thrombokit.study.anchoring import can_be_placed, has_affinity
from thrombokit.study.load_cells import Reading
from thrombokit.study.spec import StudySpec
from thrombokit.study.spec_signalling import SignallingSection

CULTURED = "CD34+"
"""How the names of cells begin that a culture of megakaryocytes can start from."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SignallingInput:
    """What the signalling stage starts from.

    `agonists` are shown, `others` are needed by the measured signals alone; `control` is the positive control, at `control_nM`, and
    `control_basis` says where that dose comes from. `cell_system`, `anchor`, `predict` and `cultures` are the section's cells, found.
    """

    agonists: tuple[Agonist, ...]
    others: tuple[Agonist, ...]
    control: Agonist
    control_nM: float
    control_basis: str
    anchor: CellSystem
    cell_system: CellSystem
    predict: tuple[CellSystem, ...]
    cultures: tuple[CellSystem, ...]
    measured: MeasuredSignals | None = None
    notes: tuple[str, ...] = ()


def load_signalling(
    spec: StudySpec,
    reading: Reading,
    *,
    agonists: Sequence[Agonist],
    plates: Sequence[Plate],
    molar_masses: Mapping[str, float],
    all_agonists: bool = True,
) -> tuple[SignallingInput | None, list[Fault]]:
    """Read and check [signalling].

    Parameters
    ----------
    spec : StudySpec
        With a section [signalling].
    reading : Reading
        Gathers the faults of the measured table.
    agonists, plates
        Of the study.
    molar_masses : dict of str to float
    all_agonists : bool
        False where the file of one could not be read: a name nobody has is then no second fault.

    Returns
    -------
    input, faults
        The input is None where there is a fault, here or in the measured table.
    """
    section = spec.signalling
    assert section is not None
    checks = _Checks(spec=spec, section=section, agonists=tuple(agonists), plates=tuple(plates), all_agonists=all_agonists)
    measured = None
    if section.measured is not None:
        path = reading.path_to(section.measured)
        measured = reading.attempt(lambda: read_signals(path, molar_masses=molar_masses))
        if measured is not None:
            reading.note_input(path)
    found = checks.input(measured)
    unread = section.measured is not None and measured is None
    return (None if unread or checks.faults else found), checks.faults


@dataclass(kw_only=True)
class _Checks:
    spec: StudySpec
    section: SignallingSection
    agonists: tuple[Agonist, ...]
    plates: tuple[Plate, ...]
    all_agonists: bool
    faults: list[Fault] = field(default_factory=list[Fault])

    def input(self, measured: MeasuredSignals | None) -> SignallingInput | None:
        """Everything checked; None where cells or agonists are not known."""
        section = self.section
        anchor = self._cells("anchor", section.anchor)
        simulated = self._cells("cell_system", section.cell_system) if section.cell_system else anchor
        predict, cultures = self._other_cells("predict", section.predict), self._other_cells("cultures", section.cultures)
        control = self._control()
        self._names()
        self._rates()
        if anchor is None or simulated is None or control is None:
            return None
        for at, system in predict.items():
            if system is anchor:
                self._fault(
                    f"predict[{at}]", found=f'"{system.name}", the cells of the anchor', expected="other cells", cure="Remove it."
                )
        for at, system in cultures.items():
            if not system.name.startswith(CULTURED):
                known = ", ".join(f'"{one.name}"' for one in cell_systems() if one.name.startswith(CULTURED))
                self._fault(f"cultures[{at}]", found=f'"{system.name}"', expected=known, cure="Name CD34+ cells, or remove it.")
        shown, notes = self._shown(control, anchor)
        others = self._measured_agonists(measured, shown, control, anchor) if measured is not None else ()
        dose, basis = self._control_dose(control, anchor)
        return SignallingInput(
            agonists=shown, others=others, control=control, control_nM=dose, control_basis=basis, anchor=anchor, cell_system=simulated,
            predict=tuple(predict.values()), cultures=tuple(cultures.values()), notes=notes,
            measured=_under_house_names(measured, (*shown, *others, control)) if measured is not None else None,
        )  # fmt: skip

    def _cells(self, key: str, name: str) -> CellSystem | None:
        """The cells of that name, with TPO-R."""
        found = next((system for system in cell_systems() if system.is_called(name)), None)
        with_receptor = [system.name for system in cell_systems() if _has_receptor(system)]
        expected = ", ".join(f'"{one}"' for one in with_receptor)
        if found is None:
            cure = did_you_mean(name, with_receptor, otherwise="Choose one of these.")
            self._fault(key, found=f'"{name}"', expected=expected, cure=cure)
        elif not _has_receptor(found):
            self._fault(key, found=f'"{name}", cells without TPO-R', expected=expected, cure="Choose cells that answer an agonist.")
            return None
        return found

    def _other_cells(self, key: str, names: Sequence[str]) -> dict[int, CellSystem]:
        """Place in the list (from 1) -> cells."""
        found = {at: self._cells(f"{key}[{at}]", name) for at, name in enumerate(names, 1)}
        return {at: system for at, system in found.items() if system is not None}

    def _control(self) -> Agonist | None:
        name = self.section.positive_control
        found = next((one for one in self.agonists if one.is_called(name)), None) or find_shipped_agonist(name)
        place = self.spec.place_of("signalling.positive_control")
        if found is None:
            self.faults += [unknown_agonist_fault(name, place=place)] if self.all_agonists else []
        elif not has_affinity(found) or found.binding_site is None:
            self.faults.append(
                Fault(place=place, found=f'"{found.name}", whose file gives no affinity and site', expected="an agonist whose affinity was measured",
                      cure="Choose rhTPO, or give affinity_nM under [signalling] and binding_site in its file.")
            )  # fmt: skip
        return found

    def _names(self) -> None:
        section, known = self.section, perturbations()
        for key, names, options in (
            ("inhibitors", section.inhibitors, known_inhibitors()),
            ("mutations", section.mutations, known_mutations()),
            ("receptors", section.receptors, [name for name in known.receptors if name != "human"]),
        ):
            for at, name in enumerate(names or (), 1):
                self._known(f"{key}[{at}]", name, options)

    def _rates(self) -> None:
        """Replaced rates are the model's, each once; fitted ones have a range and data."""
        section = self.section
        network, fates = list(tpor_rates()), list(fate_rate_set())
        met: set[str] = set()
        for at, change in enumerate(section.rates, 1):
            self._known(f"rates[{at}].id", change.id, [rate.id for rate in (*network, *fates)])
            if change.id in met:
                self._fault(f"rates[{at}].id", found=f'"{change.id}" a second time', expected="each rate once", cure="Keep one.")
            met.add(change.id)
        for at, id in enumerate(section.fit_rates, 1):
            self._known(f"fit_rates[{at}]", id, [rate.id for rate in network if rate.varies])
            if id in section.fit_rates[: at - 1]:
                self._fault(f"fit_rates[{at}]", found=f'"{id}" a second time', expected="each rate once", cure="Keep one.")
        if section.fit_rates and section.measured is None:
            self._fault("fit_rates", found="rates to fit without measured signals", expected="a table under measured",
                        cure='Add measured = "signalling/signals.csv", or remove fit_rates.')  # fmt: skip

    def _shown(self, control: Agonist, anchor: CellSystem) -> tuple[tuple[Agonist, ...], tuple[str, ...]]:
        """Agonists to show: those named, or all of the study that have a binding site; the control where there is no other."""
        named = self.section.agonists
        if named is None:
            candidates = [one for one in self.agonists if one.name != control.name]
            kept = tuple(one for one in candidates if one.binding_site is not None)
            left = [one.name for one in candidates if one.binding_site is None]
            notes = (f"Not simulated, as their files give no binding site: {', '.join(left)}.",) if left else ()
            return kept or (control,), notes
        found: list[Agonist] = []
        for at, name in enumerate(named, 1):
            agonist = next((one for one in (*self.agonists, control) if one.is_called(name)), None)
            key = f"agonists[{at}]"
            if agonist is None:
                names = [one.name for one in self.agonists]
                cure = did_you_mean(name, names, otherwise="List it under [[agonists]], by name or with a file of its own.")
                if self.all_agonists:
                    self._fault(
                        key,
                        found=f'"{name}"',
                        expected="an agonist of the study: " + (", ".join(names) or "none is listed"),
                        cure=cure,
                    )
            elif agonist in found:
                self._fault(key, found=f'"{name}" a second time', expected="each agonist once", cure="Keep one.")
            elif self._can_act(key, agonist, anchor):
                found.append(agonist)
        return tuple(found) or (control,), ()

    def _measured_agonists(
        self, measured: MeasuredSignals, shown: Sequence[Agonist], control: Agonist, anchor: CellSystem
    ) -> tuple[Agonist, ...]:
        """Agonists of the measured table that are not shown."""
        if measured.points["response_pct"].drop_nulls().is_empty():
            self._fault("measured", found="no run with a scale", expected="a vehicle or a time 0 in at least one run",
                        cure="Add the rows of the vehicle (concentration 0).")  # fmt: skip
        names = measured.points.filter(measured.points["agonist"] != "")["agonist"].unique(maintain_order=True).to_list()
        others: list[Agonist] = []
        for name in names:
            agonist = next((one for one in (*shown, control, *self.agonists) if one.is_called(name)), None) or find_shipped_agonist(
                name
            )
            if agonist is None:
                known = [one.name for one in self.agonists]
                cure = did_you_mean(
                    name, known, otherwise="List it under [[agonists]] with a file of its own, or leave its rows out."
                )
                if self.all_agonists:
                    self._fault("measured", found=f'the agonist "{name}"', expected="an agonist of the study", cure=cure)
            elif agonist not in (*shown, control) and self._can_act("measured", agonist, anchor):
                others.append(agonist)
        return tuple(others)

    def _can_act(self, key: str, agonist: Agonist, anchor: CellSystem) -> bool:
        """Whether it has a site and, in a file or on a plate, something to be anchored on."""
        if agonist.binding_site is None:
            self._fault(key, found=f'"{agonist.name}" without a binding site', expected="where on TPO-R it binds",
                        cure='Say binding_site = "extracellular" or "transmembrane" in its file.')  # fmt: skip
            return False
        if can_be_placed(agonist, anchor) or self._on_a_plate(agonist, anchor):
            return True
        self._fault(key, found=f'"{agonist.name}" with neither an affinity nor an EC50 in {anchor.name}', expected="one of the two",
                    cure="Measure it on a plate of the study, or give its file a [[potency]] or an affinity_nM under [signalling].")  # fmt: skip
        return False

    def _on_a_plate(self, agonist: Agonist, anchor: CellSystem) -> bool:
        return any(
            agonist.is_called(str(name))
            for plate in self.plates
            for name in np.unique(plate.layout.agonist[_in_cells(plate, anchor)])
        )

    def _control_dose(self, control: Agonist, anchor: CellSystem) -> tuple[float, str]:
        """The section's dose, else that of the plates' positive-control wells in the anchoring cells, else 100 ng/mL."""
        if self.section.positive_control_nM is not None:
            return self.section.positive_control_nM, "of the study file"
        met: set[float] = set()
        for plate in self.plates:
            layout = plate.layout
            wells = (layout.role == Role.POSITIVE_CONTROL) & _in_cells(plate, anchor) & np.isfinite(layout.concentration_nM)
            met |= {
                float(f"{dose:.6g}")
                for name, dose in zip(layout.agonist[wells], layout.concentration_nM[wells], strict=True)
                if control.is_called(str(name)) and dose > 0.0
            }
        if len(met) > 1:
            doses = ", ".join(f"{dose:.4g}" for dose in sorted(met))
            self._fault("positive_control_nM", found=f"{len(met)} doses of {control.name} in positive-control wells ({doses} nM)",
                        expected="one dose that 100 % stands for", cure=f"Write it, such as: positive_control_nM = {max(met):.4g}")  # fmt: skip
        return (met.pop(), "of the plates") if met else (POSITIVE_CONTROL_nM, "100 ng/mL at 70 kDa, as no plate names it")

    def _known(self, key: str, name: str, options: Iterable[str]) -> None:
        known = list(options)
        if name not in known:
            expected = ", ".join(f'"{one}"' for one in known) if len(known) <= 8 else "a rate of the model"
            cure = did_you_mean(name, known, otherwise="Choose one of these." if len(known) <= 8 else "Check its spelling.")
            self._fault(key, found=f'"{name}"', expected=expected, cure=cure)

    def _fault(self, key: str, *, found: str, expected: str, cure: str) -> None:
        self.faults.append(Fault(place=self.spec.place_of(f"signalling.{key}"), found=found, expected=expected, cure=cure))


def _under_house_names(measured: MeasuredSignals, agonists: Iterable[Agonist]) -> MeasuredSignals:
    """Measured agonists under the names that bindings have."""
    names = measured.points["agonist"].unique(maintain_order=True).to_list()
    house = {name: next((one.name for one in agonists if one.is_called(name)), name) for name in names}
    return replace(measured, points=measured.points.with_columns(measured.points["agonist"].replace(house)))


def _has_receptor(system: CellSystem) -> bool:
    return not any(rate.id == "mpl_unstimulated" and rate.value == 0.0 for rate in system.rates)


def _in_cells(plate: Plate, system: CellSystem) -> np.ndarray:
    """Wells of those cells, shape of the plate."""
    layout = plate.layout
    named = np.where(layout.cell_system == "", plate.cell_system, layout.cell_system)
    called = [name for name in np.unique(named.astype(str)) if system.is_called(name)]
    return np.isin(named.astype(str), called)
