"""Scans of the built-in model by name: agonists found, placed in the model and asked, kind by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from thrombokit.agonists.load import load_agonist
from thrombokit.domain.agonist import Agonist
from thrombokit.errors import Fault, raise_all
from thrombokit.io.tpor import POSITIVE_CONTROL, POSITIVE_CONTROL_nM, tpor_model
from thrombokit.quantities import concentration_nM
from thrombokit.scale.engine import Engine
from thrombokit.signalling.bench_scans import (
    CULTURE,
    Bench,
    READ_OUTS_h,
    scan_bands,
    scan_combination,
    scan_doses,
    scan_hours,
    scan_inhibitors,
    scan_mutants,
    scan_ploidy,
    scan_predictions,
    scan_pulses,
    scan_sensitivity,
)
from thrombokit.signalling.bindings import USUAL_HOURS, bind_agonists
from thrombokit.signalling.cell_systems import find_cell_system
from thrombokit.signalling.scan_result import Scan
from thrombokit.signalling.tpor_model import TporModel
from thrombokit.signalling.treatments import Treatment

ANCHORED_IN = "32D-MPL"
INHIBITOR_nM = (10.0, 100.0, 1000.0)
PULSE_h = ((0.0, 6.0),)
SETS, TRAJECTORIES = 50, 10
MOST_SETS = 10_000


class ScanKind(StrEnum):
    """What a scan of the built-in model can be."""

    DOSES = "doses"
    INHIBITORS = "inhibitors"
    MUTANTS = "mutants"
    PULSES = "pulses"
    HOURS = "hours"
    COMBINATION = "combination"
    LOCAL = "local"
    MORRIS = "morris"
    BANDS = "bands"
    PLOIDY = "ploidy"
    PREDICTIONS = "predictions"


_ONE_WELL = (ScanKind.INHIBITORS, ScanKind.MUTANTS, ScanKind.PULSES, ScanKind.LOCAL, ScanKind.MORRIS)
_WELLS = (ScanKind.DOSES, ScanKind.BANDS)
_NO_DOSE = (ScanKind.HOURS, ScanKind.PLOIDY, ScanKind.PREDICTIONS)
_WITH_SETS = (ScanKind.HOURS, ScanKind.COMBINATION, ScanKind.BANDS, ScanKind.PREDICTIONS)


@dataclass(frozen=True, kw_only=True)
class ScanRequest:
    """What is asked; empty and None stand for what is usual.

    `agonists`: names or agonist files, the first is the one most kinds scan. `doses_nM`: of each agonist by the name used in `agonists`; without
    them four decades around the EC50 in these cells, or (panels, pulses, sensitivities) ten times it. `hours`: read-outs. `given_h`: stretches
    with the agonist. `n_sets`: sets of rates for bands; 0 for none.
    """

    kind: ScanKind
    agonists: tuple[str, ...] = ("hetrombopag",)
    doses_nM: Mapping[str, tuple[float, ...]] = field(default_factory=dict[str, tuple[float, ...]])
    cell_system: str | None = None
    hours: tuple[float, ...] = ()
    inhibitor_nM: tuple[float, ...] = INHIBITOR_nM
    given_h: tuple[tuple[float, float], ...] = PULSE_h
    mutation: str = ""
    receptor: str = "human"
    n_sets: int | None = None
    trajectories: int = TRAJECTORIES
    seed: int = 1


def scan_signalling(request: ScanRequest, *, engine: Engine | None = None) -> Scan:
    """Scan the built-in model.

    Parameters
    ----------
    request : ScanRequest
    engine : Engine, optional
        For bands and Morris' screening; any engine gives the same numbers.

    Returns
    -------
    Scan

    Raises
    ------
    InputError
        With everything that is unknown, impossible, or does not go with the kind.
    SimulationError
        If the cells do not answer the positive control, where an EC50 is asked for.
    MissingExtraError
        If the extra [signalling] is not installed.
    """
    raise_all(_faults(request))
    known = [load_agonist(name) for name in request.agonists]
    raise_all(_named_twice(known))
    bench = _bench(request, known)
    doses = {
        agonist.name: request.doses_nM[said]
        for said, agonist in zip(request.agonists, known, strict=True)
        if said in request.doses_nM
    }
    hours = request.hours or (READ_OUTS_h if request.kind is ScanKind.HOURS else (bench.model.cell_system.hours,))
    asked = _Asked(request=request, bench=bench, doses_nM=doses, hours=hours, engine=engine, agonists=tuple(known))
    return _KINDS[request.kind](asked)


def doses_of(text: str, agonist: str, *, place: str = "--dose") -> tuple[float, ...]:
    """Doses in nM of "0.1, 1, 10 nM" or "1 nM, 100 ng/mL"; the last unit holds for those before it that have none.

    Raises
    ------
    InputError
        With every dose that is none.
    """
    mass = load_agonist(agonist).molar_mass_g_per_mol
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise_all([Fault(place=place, found=f'"{text}"', expected='doses, such as "0.1, 1, 10 nM"', cure="Write at least one.")])
    unit = parts[-1].lstrip("0123456789.eE+- ") or None
    return tuple(concentration_nM(part, unit, place=place, molar_mass_g_per_mol=mass) for part in parts)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    request: ScanRequest
    bench: Bench
    doses_nM: Mapping[str, tuple[float, ...]]
    hours: tuple[float, ...]
    engine: Engine | None
    agonists: tuple[Agonist, ...]

    @property
    def end_h(self) -> float:
        return self.hours[-1]

    @property
    def n_sets(self) -> int:
        usual = SETS if self.request.kind in (ScanKind.BANDS, ScanKind.PREDICTIONS) else 0
        return usual if self.request.n_sets is None else self.request.n_sets

    def one_dose_nM(self) -> float:
        """Of the first agonist."""
        first = self.bench.shown[0]
        return self.doses_nM[first][0] if first in self.doses_nM else self.bench.high_nM(first, self.end_h)

    def wells(self) -> list[Treatment]:
        """Every agonist at every dose."""
        return [
            Treatment(agonists_nM={name: dose}, mutation=self.request.mutation, receptor=self.request.receptor)
            for name in self.bench.shown for dose in (self.doses_nM.get(name) or self.bench.series_nM(name, self.end_h))
        ]  # fmt: skip

    def pair_nM(self) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """Doses of the two agonists of a combination, None for the usual ones."""
        names = (*self.bench.shown, self.bench.control)[:2]
        return None if not self.doses_nM else (self.doses_nM[names[0]], self.doses_nM[names[1]])


def _bench(request: ScanRequest, known: Sequence[Agonist]) -> Bench:
    model = _model(request)
    control = load_agonist(POSITIVE_CONTROL)
    everyone = list({agonist.name: agonist for agonist in (control, *known)}.values())
    bindings, anchors = bind_agonists(everyone, model, control=control, control_nM=POSITIVE_CONTROL_nM)
    hours = next(
        (found.hours for agonist in everyone if (found := agonist.potency_in(ANCHORED_IN)) is not None and found.hours), USUAL_HOURS
    )
    return Bench(model=model, bindings=bindings, anchors=anchors, control=control.name, control_nM=POSITIVE_CONTROL_nM,
                 shown=tuple(agonist.name for agonist in known), assay=find_cell_system(ANCHORED_IN), assay_hours=hours)  # fmt: skip


def _model(request: ScanRequest) -> TporModel:
    usual = (
        "CD34+ cord blood"
        if request.kind is ScanKind.PREDICTIONS
        else "CD34+ adult blood"
        if request.kind is ScanKind.PLOIDY
        else ANCHORED_IN
    )
    return tpor_model(request.cell_system or usual)


def _predictions(asked: _Asked) -> Scan:
    """Published EC50s of the agonists in these cells, from their files."""
    cells = asked.bench.model.cell_system.name
    published = {agonist.name: found for agonist in asked.agonists if (found := agonist.potency_in(cells)) is not None}
    if not published:
        names = ", ".join(agonist.name for agonist in asked.agonists)
        raise_all([Fault(place="--cell-system", found=f"{cells}, in which the files of {names} have no EC50", expected="cells with a published EC50",
                         cure="Choose CD34+ cord blood, or add a [[potency]] to the agonist file.")])  # fmt: skip
    source = "; ".join(dict.fromkeys(found.source for found in published.values()))
    ec50s = {name: found.ec50_nM for name, found in published.items()}
    return scan_predictions(asked.bench, ec50s, source, n_sets=asked.n_sets, seed=asked.request.seed, engine=asked.engine)


def _sensitivity(asked: _Asked) -> Scan:
    request = asked.request
    return scan_sensitivity(asked.bench, request.kind.value, asked.one_dose_nM(), asked.end_h, trajectories=request.trajectories, seed=request.seed,
                            engine=asked.engine)  # fmt: skip


_KINDS: Mapping[ScanKind, Callable[[_Asked], Scan]] = {
    ScanKind.DOSES: lambda asked: scan_doses(asked.bench, asked.wells(), asked.hours),
    ScanKind.INHIBITORS: lambda asked: scan_inhibitors(asked.bench, asked.one_dose_nM(), asked.request.inhibitor_nM, asked.end_h),
    ScanKind.MUTANTS: lambda asked: scan_mutants(asked.bench, asked.one_dose_nM(), asked.end_h),
    ScanKind.PULSES: lambda asked: scan_pulses(asked.bench, asked.one_dose_nM(), asked.request.given_h, asked.end_h),
    ScanKind.HOURS: lambda asked: scan_hours(
        asked.bench, asked.hours, n_sets=asked.n_sets, seed=asked.request.seed, engine=asked.engine
    ),
    ScanKind.COMBINATION: lambda asked: scan_combination(
        asked.bench, asked.pair_nM(), asked.end_h, n_sets=asked.n_sets, seed=asked.request.seed, engine=asked.engine
    ),
    ScanKind.LOCAL: _sensitivity,
    ScanKind.MORRIS: _sensitivity,
    ScanKind.BANDS: lambda asked: scan_bands(
        asked.bench, asked.wells(), asked.end_h, n_sets=asked.n_sets, seed=asked.request.seed, engine=asked.engine
    ),
    ScanKind.PLOIDY: lambda asked: scan_ploidy(asked.bench),
    ScanKind.PREDICTIONS: _predictions,
}


def _faults(request: ScanRequest) -> list[Fault]:
    faults: list[Fault] = []
    faults.extend(_unused(request))
    if not request.agonists:
        faults.append(Fault(place="--agonist", found="none", expected="at least one", cure="Name one, such as hetrombopag."))
    if any(later <= earlier for earlier, later in zip(request.hours, request.hours[1:], strict=False)):
        faults.append(
            Fault(
                place="--hours", found=", ".join(f"{one:g}" for one in request.hours), expected="hours that rise", cure="Sort them."
            )
        )
    usual_sets = request.n_sets if request.n_sets is not None else SETS
    least = 1 if request.kind in (ScanKind.BANDS, ScanKind.PREDICTIONS) else 0
    if not least <= usual_sets <= MOST_SETS:
        faults.append(
            Fault(
                place="--sets", found=f"{usual_sets}", expected=f"{least} to {MOST_SETS} sets of rates", cure="50 to 200 are usual."
            )
        )
    if request.kind is ScanKind.MORRIS and request.trajectories < 2:
        faults.append(
            Fault(place="--trajectories", found=f"{request.trajectories}", expected="2 or more", cure="10 to 50 are usual.")
        )
    if request.kind is ScanKind.HOURS and len(request.hours) == 1:
        faults.append(
            Fault(
                place="--hours",
                found=f"{request.hours[0]:g}",
                expected="two read-outs or more",
                cure="Name them, such as 24,48,72.",
            )
        )
    if request.kind is ScanKind.COMBINATION and request.doses_nM and len(request.doses_nM) != 2:
        faults.append(Fault(place="--dose", found=f"doses of {', '.join(request.doses_nM)}", expected="doses of both agonists, or of none",
                            cure="Give --dose once for each --agonist."))  # fmt: skip
    if request.kind is ScanKind.PLOIDY and request.cell_system is not None:
        expected = f"none beside ploidy: {CULTURE} cells of both sources are in it"
        faults.append(Fault(place="--cell-system", found=request.cell_system, expected=expected, cure="Leave it out."))
    return faults


def _unused(request: ScanRequest) -> list[Fault]:
    """What was said and would change nothing with this kind."""
    kind = request.kind
    said = [
        ("--agonist", kind in _ONE_WELL and len(request.agonists) > 1, f"{len(request.agonists)} agonists", "one"),
        ("--agonist", kind is ScanKind.COMBINATION and len(request.agonists) > 2, f"{len(request.agonists)} agonists", "two"),
        ("--dose", kind in _ONE_WELL and any(len(doses) > 1 for doses in request.doses_nM.values()), "several doses", "one"),
        ("--dose", kind in _NO_DOSE and bool(request.doses_nM), "a dose", "none"),
        ("--mutation, --receptor", kind not in _WELLS and (request.mutation, request.receptor) != ("", "human"), "a variant", "none"),
        ("--sets", kind not in _WITH_SETS and request.n_sets is not None, f"{request.n_sets} sets of rates", "none"),
        ("--hours", kind in (ScanKind.PLOIDY, ScanKind.PREDICTIONS) and bool(request.hours), "hours", "none: they are the sources'"),
        ("--hours", kind in (*_ONE_WELL, ScanKind.COMBINATION, ScanKind.BANDS) and len(request.hours) > 1, "several read-outs", "one"),
    ]  # fmt: skip
    return [
        Fault(place=place, found=f"{found} beside {kind.value}", expected=expected, cure="Leave out what this kind does not use.")
        for place, wrong, found, expected in said if wrong
    ]  # fmt: skip


def _named_twice(known: Sequence[Agonist]) -> list[Fault]:
    names = [agonist.name for agonist in known]
    return [
        Fault(place="--agonist", found=f"{name} twice", expected="each agonist once", cure="Leave one out.")
        for name in dict.fromkeys(names) if names.count(name) > 1
    ]  # fmt: skip
