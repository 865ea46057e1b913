"""The whole journey on one page: Study -> StudyResult."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from thrombokit.domain.agonist import Agonist
from thrombokit.domain.potency import Potency
from thrombokit.dose_response.compare import Margins
from thrombokit.dose_response.settings import FitSettings
from thrombokit.evidence.load import corrections
from thrombokit.patients.stage import PatientsStage
from thrombokit.plate.analyse import analyse_plates
from thrombokit.plate.result import PlateResult
from thrombokit.plate.settings import PlateSettings
from thrombokit.scale.engine import Engine, Progress, SerialEngine
from thrombokit.signalling.stage import SignallingStage
from thrombokit.study.load import Study
from thrombokit.study.result import Provenance, PublishedComparison, StudyResult
from thrombokit.study.run_cells import run_cells
from thrombokit.study.run_signalling import require_solvers, run_signalling
from thrombokit.study.run_trials import run_trials
from thrombokit.trials.stage import TrialsStage

NUMBER_MAKERS = (
    "numpy",
    "scipy",
    "polars",
    "numba",
    "altair",
    "vl-convert-python",
    "openpyxl",
    "xlsxwriter",
    "pydantic",
    "tomlkit",
)
"""Packages whose version can move a number or a byte of the results."""
SOLVERS = ("antimony", "libroadrunner", "python-libsbml")
"""Those of them that signalling alone needs."""


PATIENTS_ON_USE = "thrombokit.study.run_patients"
"""Imported when a study has patients: its kernels compile on import, and a study of plates need not wait for them."""


def run_study(study: Study, *, engine: Engine | None = None, progress: Progress | None = None) -> StudyResult:
    """Run every stage the study has a section for.

    Parameters
    ----------
    study : Study
        From `load_study`; no file is opened here.
    engine : Engine, optional
        Serial, or a pool of processes: the numbers are the same.
    progress : callable, optional
        Told how many curves were finished since its last call.

    Returns
    -------
    StudyResult
        Complete: estimates, intervals, verdicts, quality, provenance.

    Raises
    ------
    SimulationError
        If a computation could not finish; a curve that cannot be fitted is a verdict, not an error.
    MissingExtraError
        If the study has a section whose extra is not installed; nothing is computed then.
    """
    require_solvers(study.spec)
    _check_patients(study)
    engine = engine or SerialEngine()
    plate = analyse_plates(study.plates, plate_settings(study), engine=engine, progress=progress) if study.spec.plate else None
    cells = run_cells(study.cells, study.spec.cells, engine=engine) if study.cells and study.spec.cells else None
    signalling = _run_signalling(study, plate, engine)
    patients = _run_patients(study, engine)
    trials = _run_trials(study)
    published = beside_published(study.agonists, plate) if plate else ()
    return StudyResult(
        title=study.spec.report.title or study.title,
        synthetic=study.spec.study.synthetic,
        note=study.spec.study.note or "",
        plate=plate,
        cells=cells,
        signalling=signalling,
        patients=patients,
        trials=trials,
        published=published,
        missing=study.missing,
        corrections=plate_corrections() if published else (),
        provenance=provenance_of(study),
        show_operator=study.spec.report.show_operator,
    )


def _run_signalling(study: Study, plate: PlateResult | None, engine: Engine) -> SignallingStage | None:
    """The signalling stage, anchored on the plates' potencies; None without its section."""
    if study.signalling is None or study.spec.signalling is None:
        return None
    return run_signalling(study.signalling, study.spec.signalling, plate, seed=study.seed, engine=engine)


def _check_patients(study: Study) -> None:
    """Refuse patients whose model, regimen and covariates do not go together, before anything is computed."""
    if study.patients is not None:
        import_module(PATIENTS_ON_USE).check_patients(study.patients, study.spec, seed=study.seed)


def _run_patients(study: Study, engine: Engine) -> PatientsStage | None:
    """The patients stage; None without its section."""
    if study.patients is None:
        return None
    stage: PatientsStage = import_module(PATIENTS_ON_USE).run_patients(
        study.patients, study.spec.patients, seed=study.seed, engine=engine
    )
    return stage


def _run_trials(study: Study) -> TrialsStage | None:
    """The trials stage; None without its section."""
    if study.trials is None or study.spec.trials is None:
        return None
    return run_trials(study.trials, study.spec.trials, inputs=dict(study.inputs), version=_version("thrombokit"))


def plate_corrections() -> tuple[str, ...]:
    """Corrections to the guide that touch the plate assays (its Q1 and Q2, and its protocols), a few sentences each."""
    return tuple(f'The guide: "{c.guide_says}" {c.correction}' for c in corrections() if c.question in ("Q1", "Q2", None))


def plate_settings(study: Study) -> PlateSettings:
    """The plate stage's choices from the study file; the comparator under the maps' spelling."""
    section = study.spec.plate
    assert section is not None
    names = {str(n) for plate in study.plates for n in plate.layout.agonist.ravel() if n}
    comparator = next(
        (n for n in sorted(names) if section.comparator and n.lower() == section.comparator.lower()), section.comparator
    )
    return PlateSettings(
        fit=FitSettings(weights=section.weights, interval=section.interval, confidence=section.confidence, seed=study.seed),
        comparator=comparator, show_operator=study.spec.report.show_operator, readout=section.readout, serum=section.serum,
        margins=Margins(hill_low=section.hill_margin[0], hill_high=section.hill_margin[1], plateau_pct=section.plateau_margin_pct),
    )  # fmt: skip


def beside_published(agonists: tuple[Agonist, ...], plate: PlateResult) -> tuple[PublishedComparison, ...]:
    """Every published EC50 of the study's agonists in a cell system of the study, beside the recovered one."""
    systems = {p.assay.cell_system for p in plate.potencies}
    out: list[PublishedComparison] = []
    for agonist in agonists:
        for published in agonist.potencies:
            if published.cell_system in systems:
                found = _potency(plate.potencies, agonist.name, published.cell_system)
                out.append(
                    PublishedComparison(
                        agonist=agonist.name,
                        cell_system=published.cell_system,
                        published_ec50_nM=published.ec50_nM,
                        source=published.source,
                        tier=str(published.tier),
                        recovered=found.ec50_nM if found else None,
                        inside=_inside(published.ec50_nM, found),
                    )
                )
    return tuple(out)


def _potency(potencies: tuple[Potency, ...], agonist: str, cell_system: str) -> Potency | None:
    return next((p for p in potencies if p.agonist == agonist and p.assay.cell_system == cell_system), None)


def _inside(value: float, potency: Potency | None) -> bool | None:
    if potency is None or potency.ec50_nM.low is None or potency.ec50_nM.high is None:
        return None
    return potency.ec50_nM.low <= value <= potency.ec50_nM.high


def provenance_of(study: Study) -> Provenance:
    """Versions, seed, inputs and the study file's text."""
    makers = (*NUMBER_MAKERS, *(SOLVERS if study.spec.signalling is not None else ()))
    versions = {name: _version(name) for name in makers}
    text = study.spec.path.read_text(encoding="utf-8")
    return Provenance(
        thrombokit_version=_version("thrombokit"), versions=versions, seed=study.seed, inputs=study.inputs, study_toml=text
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
