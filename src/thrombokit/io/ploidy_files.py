"""Ploidy of an FCS file: the DNA channel of a gated population, its 2N placed by a diploid reference in the same tube or in another file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thrombokit.cells.channel_names import find_channels
from thrombokit.cells.gates import GateTree
from thrombokit.cells.membership import apply_gates
from thrombokit.cells.ploidy import fit_ploidy
from thrombokit.cells.sample import Sample
from thrombokit.domain.ploidy import Assignment, Method, Ploidy
from thrombokit.errors import Fault, InputError
from thrombokit.io.fcs import read_fcs
from thrombokit.io.gatingml_read import read_gatingml
from thrombokit.numerics.arrays import Array

SHOWN = 12
"""Names that a message lists before it stops."""


@dataclass(frozen=True, kw_only=True)
class PloidySettings:
    """How a file's ploidy is read.

    `channel` the DNA channel's name or label; `gates` a Gating-ML file with the population `gate` to be fitted; the reference is
    the population `reference_gate` of the same file, or of `reference_file`, or all of `reference_file`. `uncompensated` takes the
    decoded values where the file has a spillover matrix.
    """

    channel: str
    gates: Path | None = None
    gate: str | None = None
    reference_gate: str | None = None
    reference_file: Path | None = None
    method: Method = "maximum_likelihood"
    s_assignment: Assignment = "lower"
    uncompensated: bool = False


def ploidy_of_file(path: str | Path, settings: PloidySettings) -> Ploidy:
    """Ploidy of one FCS file.

    Parameters
    ----------
    path : path
        The file.
    settings : PloidySettings
        Channel, gate, reference and method.

    Returns
    -------
    Ploidy
        With verdict "octave_assumed" where no reference is named.

    Raises
    ------
    InputError
        If the file, a gate or the channel cannot be used, or the reference has no 2N peak; with what was found and the cure.
    """
    _refuse_contradictions(settings)
    path = Path(path)
    tree = read_gatingml(settings.gates) if settings.gates is not None else None
    sample = read_fcs(path)
    members = apply_gates(sample, tree) if tree is not None else {}
    everything = dna_signal_of(sample, settings.channel, uncompensated=settings.uncompensated)
    signal = everything[_population(members, settings.gate, "--gate")] if settings.gate else everything
    reference = _reference_signal(everything, members, tree, settings)
    reference_2n = None if reference is None else reference_position(reference, _reference_name(path, settings))
    return fit_ploidy(signal, reference_2n=reference_2n, method=settings.method, s_assignment=settings.s_assignment)


def dna_signal_of(sample: Sample, channel: str, *, uncompensated: bool = False) -> Array:
    """The linear signal of one channel, shape (n_events,).

    Raises
    ------
    InputError
        If no channel, or more than one, goes by that name; or the file's spillover matrix cannot be used.
    """
    found = find_channels(channel, sample.channels)
    if len(found) != 1:
        names = ", ".join(c.name for c in (found or sample.channels)[:SHOWN])
        what = f'no channel "{channel}"' if not found else f'{len(found)} channels that "{channel}" may mean'
        raise InputError(
            Fault(place=f"{sample.name}, --channel", found=what, expected=f"one of {names}", cure="Name the DNA channel ($PnN).")
        )
    column = sample.channel_names.index(found[0].name)
    values = sample.events("decoded" if uncompensated else "compensated")
    return np.ascontiguousarray(values[:, column], dtype=np.float64)


def reference_position(reference: Array, name: str) -> float:
    """2N position of diploid reference cells: the lowest peak of their comb.

    Raises
    ------
    InputError
        If they show none; the message says why.
    """
    found = fit_ploidy(reference)
    if not np.isfinite(found.g1_peak):
        raise InputError(
            Fault(place=name, found=f"a reference without a 2N peak ({found.message})", expected="diploid cells, 200 or more",
                  cure="Widen the reference gate, name another reference, or fit without one (the octave is then an assumption).")
        )  # fmt: skip
    return found.g1_peak


def _refuse_contradictions(settings: PloidySettings) -> None:
    faults = [
        Fault(
            place=option,
            found=f'"{value}" and no gates',
            expected="the Gating-ML file that holds this gate",
            cure="Add --gates G.xml.",
        )
        for option, value in (("--gate", settings.gate), ("--reference-gate", settings.reference_gate))
        if value is not None and settings.gates is None
    ]
    if settings.gates is not None and settings.gate is None and settings.reference_gate is None:
        faults.append(Fault(place="--gates", found="no --gate", expected="the id of the population to fit", cure="Add --gate ID."))
    if faults:
        raise InputError(faults)


def _population(members: dict[str, np.ndarray], gate: str, option: str) -> np.ndarray:
    if gate not in members:
        names = ", ".join(list(members)[:SHOWN])
        raise InputError(
            Fault(place=option, found=f'no gate "{gate}"', expected=f"one of {names}", cure="Correct the id (capitals count).")
        )
    return members[gate]


def _reference_signal(
    everything: Array, members: dict[str, np.ndarray], tree: GateTree | None, settings: PloidySettings
) -> Array | None:
    if settings.reference_file is None:
        if settings.reference_gate is None:
            return None
        return everything[_population(members, settings.reference_gate, "--reference-gate")]
    sample = read_fcs(settings.reference_file)
    signal = dna_signal_of(sample, settings.channel, uncompensated=settings.uncompensated)
    if settings.reference_gate is None or tree is None:
        return signal
    return signal[_population(apply_gates(sample, tree), settings.reference_gate, "--reference-gate")]


def _reference_name(path: Path, settings: PloidySettings) -> str:
    file = settings.reference_file.name if settings.reference_file is not None else path.name
    return f"{file}, gate {settings.reference_gate}" if settings.reference_gate else file
