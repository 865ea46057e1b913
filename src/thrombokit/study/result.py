"""StudyResult: what a finished study knows, and where it came from. Report and archive need nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from thrombokit.cells.cultures_result import CulturesResult
from thrombokit.domain.estimate import Estimate
from thrombokit.patients.stage import PatientsStage
from thrombokit.plate.result import PlateResult
from thrombokit.signalling.stage import SignallingStage
from thrombokit.trials.stage import TrialsStage


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedComparison:
    """A published EC50 (nM) beside the one recovered here.

    `recovered` is None where this study holds no such agonist in that cell system; `inside` says whether the published value lies
    in the recovered interval, and is None where there is no interval to lie in. `tier` is how much the published number can carry.
    """

    agonist: str
    cell_system: str
    published_ec50_nM: float
    source: str
    tier: str
    recovered: Estimate | None
    inside: bool | None


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What the numbers were made from, enough to make them again.

    `versions` maps a package to its version; `inputs` is (file name relative to the study, SHA-256 in hex) for every file read;
    `study_toml` is the study file's text. No clock, user or host, and nothing the numbers do not depend on.
    """

    thrombokit_version: str
    versions: dict[str, str]
    seed: int
    inputs: tuple[tuple[str, str], ...]
    study_toml: str


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyResult:
    """The whole study's answer.

    `plate`, `cells`, `signalling`, `patients` and `trials` are None where the stage did not run. `synthetic` is said wherever the
    result is shown. `missing` names exports that a manifest lists and the folder does not hold; `corrections` are corrections to the
    guide, a sentence each. `show_operator` allows the operators' declared codes to be printed.
    """

    title: str
    synthetic: bool
    note: str
    plate: PlateResult | None
    published: tuple[PublishedComparison, ...]
    missing: tuple[str, ...]
    corrections: tuple[str, ...]
    provenance: Provenance
    cells: CulturesResult | None = None
    signalling: SignallingStage | None = None
    patients: PatientsStage | None = None
    trials: TrialsStage | None = None
    show_operator: bool = False
