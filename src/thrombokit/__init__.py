"""thrombokit: from plate to platelet, for people who characterise thrombopoietin-receptor agonists.

The public names below are loaded when first used, so that `import thrombokit` and `thrombokit --help` cost next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thrombokit.agonists.load import load_agonist
    from thrombokit.agonists.parameter_sets import load_parameter_set, shipped_parameter_sets
    from thrombokit.cells.analyse import analyse_samples
    from thrombokit.cells.compensation import compute_spillover, fit_spillover
    from thrombokit.cells.cultures import analyse_cultures
    from thrombokit.cells.gate_lock import check_lock
    from thrombokit.cells.membership import apply_gates
    from thrombokit.cells.ploidy import class_medians, class_probabilities, fit_ploidy
    from thrombokit.cells.ploidy_plate import fit_ploidy_plate
    from thrombokit.cells.ploidy_response import analyse_ploidy_response
    from thrombokit.cells.populations import analyse_population_response
    from thrombokit.cells.sample_summary import events_table, sample_document, summarise_sample
    from thrombokit.cells.tubes import SampleSheet
    from thrombokit.cells.yields import follow_culture, yields_table
    from thrombokit.domain.parameter_set import ParameterSet
    from thrombokit.dose_response.combine import fits_table
    from thrombokit.dose_response.compare import Margins, compare_curves
    from thrombokit.dose_response.comparison_runs import comparison_document
    from thrombokit.dose_response.fit import fit_curves, fit_points
    from thrombokit.dose_response.margin_history import margins_from_history
    from thrombokit.dose_response.outliers import flag_outliers
    from thrombokit.dose_response.points import points_from_table
    from thrombokit.dose_response.settings import FitSettings, usual_interval
    from thrombokit.dose_response.statistics import fit_statistics
    from thrombokit.errors import InputError, MissingExtraError, SimulationError, ThrombokitError
    from thrombokit.evidence.library import find_record, load_library, search_library
    from thrombokit.evidence.published_trials import find_published_trial, published_trials
    from thrombokit.evidence.scenarios import calibration_rows, find_scenario, load_scenarios
    from thrombokit.io.adam_times import read_adtte
    from thrombokit.io.chart_files import write_chart
    from thrombokit.io.cohort_files import simulate_cohort, simulate_draws
    from thrombokit.io.cohort_folders import write_cohort, write_draws
    from thrombokit.io.estimands import load_estimands, parse_estimands
    from thrombokit.io.event_files import simulate_events
    from thrombokit.io.fcs import read_fcs
    from thrombokit.io.fcs_write import write_fcs
    from thrombokit.io.fit_tables import read_table, write_table
    from thrombokit.io.flowjo import flowjo_samples, read_flowjo
    from thrombokit.io.gate_lock import (
        gatingml_sha256,
        lock_document,
        lock_gates,
        log_gate_change,
        read_gate_lock,
        refuse_gate_changes,
        write_gate_lock,
    )
    from thrombokit.io.gated_files import gate_files, gated_document, gated_file, membership_table, population_table, write_json
    from thrombokit.io.gatingml_read import read_gatingml
    from thrombokit.io.gatingml_write import write_gatingml
    from thrombokit.io.model_exports import export_model
    from thrombokit.io.models import load_network
    from thrombokit.io.network_pictures import draw_network, save_network, write_picture
    from thrombokit.io.nonmem import read_events
    from thrombokit.io.panels import read_panels
    from thrombokit.io.patient_exports import export_patient_model
    from thrombokit.io.patient_models import load_model
    from thrombokit.io.petab import petab_gradient, petab_llh, read_petab
    from thrombokit.io.petab_fits import make_fit_folder, write_petab_fit
    from thrombokit.io.pk_tables import read_profiles
    from thrombokit.io.plan_files import read_plan
    from thrombokit.io.plate_readers.detect import read_plate
    from thrombokit.io.ploidy_files import PloidySettings, ploidy_of_file
    from thrombokit.io.regimen_grids import compare_draws, compare_regimens
    from thrombokit.io.regimens import load_regimen
    from thrombokit.io.responder_tables import read_responders
    from thrombokit.io.sample_sheets import read_sample_sheet
    from thrombokit.io.sbml import check_sbml
    from thrombokit.io.screens import fit_screen, is_screen
    from thrombokit.io.signalling_tables import read_signals
    from thrombokit.io.spillover_tables import read_spillover_table, write_spillover_table
    from thrombokit.io.survival_tables import read_survival, write_survival_picture
    from thrombokit.io.titrations import load_titration
    from thrombokit.io.tpor import simulate_signalling, tpor_model
    from thrombokit.io.tpor_scans import ScanKind, ScanRequest, doses_of, scan_signalling
    from thrombokit.io.trial_folder import write_trial
    from thrombokit.io.trial_tables import read_trial
    from thrombokit.io.visit_tables import read_repeated_measures
    from thrombokit.io.vpc_files import simulate_vpc
    from thrombokit.io.yield_sheets import read_cultures
    from thrombokit.numerics.streams import stream
    from thrombokit.patients.calibration.frozen_draw import apply_draw, fluctuation_of, remission_of, rescue_of
    from thrombokit.patients.cohort import Adherence, Cohort, DropOut, Inclusion
    from thrombokit.patients.cohort_diagnostics import CountRange, diagnose_cohort
    from thrombokit.patients.cohort_result import CohortResult
    from thrombokit.patients.compare_regimens import compare_cohorts
    from thrombokit.patients.draws_result import DrawsResult
    from thrombokit.patients.events_result import EventsResult
    from thrombokit.patients.fixed_dose import FixedDose
    from thrombokit.patients.fluctuation import Fluctuation
    from thrombokit.patients.model import PatientModel
    from thrombokit.patients.nca import analyse_nca
    from thrombokit.patients.nca_profile import NcaSettings, Profile
    from thrombokit.patients.regimen import regimen_events
    from thrombokit.patients.remission import Remission
    from thrombokit.patients.rescue import Rescue
    from thrombokit.patients.stage import PatientsStage
    from thrombokit.plate.analyse import analyse_plates
    from thrombokit.plate.normalise import wells_of
    from thrombokit.report.bench_sheet import prepare_plan
    from thrombokit.report.cells import cells_sentences
    from thrombokit.report.output import write_output, write_pages
    from thrombokit.report.page import write_report
    from thrombokit.report.plan_output import plan_document, write_plan, write_plan_example
    from thrombokit.report.sentences import answer_sentences
    from thrombokit.scale.engine import make_engine
    from thrombokit.signalling.calibrate import fit_petab
    from thrombokit.signalling.experiments import inhibitor_panel, mutant_panel
    from thrombokit.signalling.measured_fit import fit_signals
    from thrombokit.signalling.model_scans import Varied, local_scan, make_run, morris_scan, scan_values
    from thrombokit.signalling.profiles import profile_petab
    from thrombokit.signalling.simulate import simulate_model
    from thrombokit.signalling.treatments import Treatment, dose_series
    from thrombokit.study.archive import read_results, run_document, write_results
    from thrombokit.study.archive_cells import cells_document, write_cells_folder
    from thrombokit.study.load import load_study
    from thrombokit.study.run import run_study
    from thrombokit.study.run_cells import analyse_sheet, cultures_settings
    from thrombokit.study.saved import to_json
    from thrombokit.study.templates.write import write_template
    from thrombokit.trials.analyse import analyse_trial
    from thrombokit.trials.cox import fit_cox
    from thrombokit.trials.estimand import Endpoint, Estimand, EstimandPlan
    from thrombokit.trials.mmrm import fit_mmrm
    from thrombokit.trials.proportions import compare_proportions
    from thrombokit.trials.published import analyse_published
    from thrombokit.trials.several_arms import compare_arms
    from thrombokit.trials.stage import TrialsStage
    from thrombokit.trials.stratified import compare_strata
    from thrombokit.trials.survival import analyse_survival
    from thrombokit.trials.survival_data import survival_data
    from thrombokit.trials.trial_data import Subject, TrialData, trial_data
    from thrombokit.trials.trial_result import TrialResult
    from thrombokit.trials.visit_windows import VisitPlan

__version__ = "0.1.0"

_PLACES = {
    "Adherence": "patients.cohort",
    "Cohort": "patients.cohort",
    "CohortResult": "patients.cohort_result",
    "CountRange": "patients.cohort_diagnostics",
    "DrawsResult": "patients.draws_result",
    "DropOut": "patients.cohort",
    "Endpoint": "trials.estimand",
    "Estimand": "trials.estimand",
    "EstimandPlan": "trials.estimand",
    "EventsResult": "patients.events_result",
    "FitSettings": "dose_response.settings",
    "FixedDose": "patients.fixed_dose",
    "Fluctuation": "patients.fluctuation",
    "Inclusion": "patients.cohort",
    "InputError": "errors",
    "Margins": "dose_response.compare",
    "MissingExtraError": "errors",
    "NcaSettings": "patients.nca_profile",
    "ParameterSet": "domain.parameter_set",
    "PatientModel": "patients.model",
    "PatientsStage": "patients.stage",
    "PloidySettings": "io.ploidy_files",
    "Profile": "patients.nca_profile",
    "Remission": "patients.remission",
    "Rescue": "patients.rescue",
    "SampleSheet": "cells.tubes",
    "ScanKind": "io.tpor_scans",
    "ScanRequest": "io.tpor_scans",
    "SimulationError": "errors",
    "Subject": "trials.trial_data",
    "ThrombokitError": "errors",
    "Treatment": "signalling.treatments",
    "TrialData": "trials.trial_data",
    "TrialResult": "trials.trial_result",
    "TrialsStage": "trials.stage",
    "Varied": "signalling.model_scans",
    "VisitPlan": "trials.visit_windows",
    "analyse_cultures": "cells.cultures",
    "analyse_nca": "patients.nca",
    "analyse_plates": "plate.analyse",
    "analyse_ploidy_response": "cells.ploidy_response",
    "analyse_population_response": "cells.populations",
    "analyse_published": "trials.published",
    "analyse_samples": "cells.analyse",
    "analyse_sheet": "study.run_cells",
    "analyse_survival": "trials.survival",
    "analyse_trial": "trials.analyse",
    "answer_sentences": "report.sentences",
    "apply_draw": "patients.calibration.frozen_draw",
    "apply_gates": "cells.membership",
    "calibration_rows": "evidence.scenarios",
    "cells_document": "study.archive_cells",
    "cells_sentences": "report.cells",
    "check_lock": "cells.gate_lock",
    "check_sbml": "io.sbml",
    "class_medians": "cells.ploidy",
    "class_probabilities": "cells.ploidy",
    "compare_arms": "trials.several_arms",
    "compare_cohorts": "patients.compare_regimens",
    "compare_curves": "dose_response.compare",
    "compare_draws": "io.regimen_grids",
    "compare_proportions": "trials.proportions",
    "compare_regimens": "io.regimen_grids",
    "compare_strata": "trials.stratified",
    "comparison_document": "dose_response.comparison_runs",
    "compute_spillover": "cells.compensation",
    "cultures_settings": "study.run_cells",
    "diagnose_cohort": "patients.cohort_diagnostics",
    "dose_series": "signalling.treatments",
    "doses_of": "io.tpor_scans",
    "draw_network": "io.network_pictures",
    "events_table": "cells.sample_summary",
    "export_model": "io.model_exports",
    "export_patient_model": "io.patient_exports",
    "find_published_trial": "evidence.published_trials",
    "find_record": "evidence.library",
    "find_scenario": "evidence.scenarios",
    "fit_cox": "trials.cox",
    "fit_curves": "dose_response.fit",
    "fit_mmrm": "trials.mmrm",
    "fit_petab": "signalling.calibrate",
    "fit_ploidy": "cells.ploidy",
    "fit_ploidy_plate": "cells.ploidy_plate",
    "fit_points": "dose_response.fit",
    "fit_screen": "io.screens",
    "fit_signals": "signalling.measured_fit",
    "fit_spillover": "cells.compensation",
    "fit_statistics": "dose_response.statistics",
    "fits_table": "dose_response.combine",
    "flag_outliers": "dose_response.outliers",
    "flowjo_samples": "io.flowjo",
    "fluctuation_of": "patients.calibration.frozen_draw",
    "follow_culture": "cells.yields",
    "gate_files": "io.gated_files",
    "gated_document": "io.gated_files",
    "gated_file": "io.gated_files",
    "gatingml_sha256": "io.gate_lock",
    "inhibitor_panel": "signalling.experiments",
    "is_screen": "io.screens",
    "load_agonist": "agonists.load",
    "load_estimands": "io.estimands",
    "load_library": "evidence.library",
    "load_model": "io.patient_models",
    "load_network": "io.models",
    "load_parameter_set": "agonists.parameter_sets",
    "load_regimen": "io.regimens",
    "load_scenarios": "evidence.scenarios",
    "load_study": "study.load",
    "load_titration": "io.titrations",
    "local_scan": "signalling.model_scans",
    "lock_document": "io.gate_lock",
    "lock_gates": "io.gate_lock",
    "log_gate_change": "io.gate_lock",
    "make_engine": "scale.engine",
    "make_fit_folder": "io.petab_fits",
    "make_run": "signalling.model_scans",
    "margins_from_history": "dose_response.margin_history",
    "membership_table": "io.gated_files",
    "morris_scan": "signalling.model_scans",
    "mutant_panel": "signalling.experiments",
    "parse_estimands": "io.estimands",
    "petab_gradient": "io.petab",
    "petab_llh": "io.petab",
    "plan_document": "report.plan_output",
    "ploidy_of_file": "io.ploidy_files",
    "points_from_table": "dose_response.points",
    "population_table": "io.gated_files",
    "prepare_plan": "report.bench_sheet",
    "profile_petab": "signalling.profiles",
    "published_trials": "evidence.published_trials",
    "read_adtte": "io.adam_times",
    "read_cultures": "io.yield_sheets",
    "read_events": "io.nonmem",
    "read_fcs": "io.fcs",
    "read_flowjo": "io.flowjo",
    "read_gate_lock": "io.gate_lock",
    "read_gatingml": "io.gatingml_read",
    "read_panels": "io.panels",
    "read_petab": "io.petab",
    "read_plan": "io.plan_files",
    "read_plate": "io.plate_readers.detect",
    "read_profiles": "io.pk_tables",
    "read_repeated_measures": "io.visit_tables",
    "read_responders": "io.responder_tables",
    "read_results": "study.archive",
    "read_sample_sheet": "io.sample_sheets",
    "read_signals": "io.signalling_tables",
    "read_spillover_table": "io.spillover_tables",
    "read_survival": "io.survival_tables",
    "read_table": "io.fit_tables",
    "read_trial": "io.trial_tables",
    "refuse_gate_changes": "io.gate_lock",
    "regimen_events": "patients.regimen",
    "remission_of": "patients.calibration.frozen_draw",
    "rescue_of": "patients.calibration.frozen_draw",
    "run_document": "study.archive",
    "run_study": "study.run",
    "sample_document": "cells.sample_summary",
    "save_network": "io.network_pictures",
    "scan_signalling": "io.tpor_scans",
    "scan_values": "signalling.model_scans",
    "search_library": "evidence.library",
    "shipped_parameter_sets": "agonists.parameter_sets",
    "simulate_cohort": "io.cohort_files",
    "simulate_draws": "io.cohort_files",
    "simulate_events": "io.event_files",
    "simulate_model": "signalling.simulate",
    "simulate_signalling": "io.tpor",
    "simulate_vpc": "io.vpc_files",
    "stream": "numerics.streams",
    "summarise_sample": "cells.sample_summary",
    "survival_data": "trials.survival_data",
    "to_json": "study.saved",
    "tpor_model": "io.tpor",
    "trial_data": "trials.trial_data",
    "usual_interval": "dose_response.settings",
    "wells_of": "plate.normalise",
    "write_cells_folder": "study.archive_cells",
    "write_chart": "io.chart_files",
    "write_cohort": "io.cohort_folders",
    "write_draws": "io.cohort_folders",
    "write_fcs": "io.fcs_write",
    "write_gate_lock": "io.gate_lock",
    "write_gatingml": "io.gatingml_write",
    "write_json": "io.gated_files",
    "write_output": "report.output",
    "write_pages": "report.output",
    "write_petab_fit": "io.petab_fits",
    "write_picture": "io.network_pictures",
    "write_plan": "report.plan_output",
    "write_plan_example": "report.plan_output",
    "write_report": "report.page",
    "write_results": "study.archive",
    "write_spillover_table": "io.spillover_tables",
    "write_survival_picture": "io.survival_tables",
    "write_table": "io.fit_tables",
    "write_template": "study.templates.write",
    "write_trial": "io.trial_folder",
    "yields_table": "cells.yields",
}

__all__ = [
    "Adherence",
    "Cohort",
    "CohortResult",
    "CountRange",
    "DrawsResult",
    "DropOut",
    "Endpoint",
    "Estimand",
    "EstimandPlan",
    "EventsResult",
    "FitSettings",
    "FixedDose",
    "Fluctuation",
    "Inclusion",
    "InputError",
    "Margins",
    "MissingExtraError",
    "NcaSettings",
    "ParameterSet",
    "PatientModel",
    "PatientsStage",
    "PloidySettings",
    "Profile",
    "Remission",
    "Rescue",
    "SampleSheet",
    "ScanKind",
    "ScanRequest",
    "SimulationError",
    "Subject",
    "ThrombokitError",
    "Treatment",
    "TrialData",
    "TrialResult",
    "TrialsStage",
    "Varied",
    "VisitPlan",
    "__version__",
    "analyse_cultures",
    "analyse_nca",
    "analyse_plates",
    "analyse_ploidy_response",
    "analyse_population_response",
    "analyse_published",
    "analyse_samples",
    "analyse_sheet",
    "analyse_survival",
    "analyse_trial",
    "answer_sentences",
    "apply_draw",
    "apply_gates",
    "calibration_rows",
    "cells_document",
    "cells_sentences",
    "check_lock",
    "check_sbml",
    "class_medians",
    "class_probabilities",
    "compare_arms",
    "compare_cohorts",
    "compare_curves",
    "compare_draws",
    "compare_proportions",
    "compare_regimens",
    "compare_strata",
    "comparison_document",
    "compute_spillover",
    "cultures_settings",
    "diagnose_cohort",
    "dose_series",
    "doses_of",
    "draw_network",
    "events_table",
    "export_model",
    "export_patient_model",
    "find_published_trial",
    "find_record",
    "find_scenario",
    "fit_cox",
    "fit_curves",
    "fit_mmrm",
    "fit_petab",
    "fit_ploidy",
    "fit_ploidy_plate",
    "fit_points",
    "fit_screen",
    "fit_signals",
    "fit_spillover",
    "fit_statistics",
    "fits_table",
    "flag_outliers",
    "flowjo_samples",
    "fluctuation_of",
    "follow_culture",
    "gate_files",
    "gated_document",
    "gated_file",
    "gatingml_sha256",
    "inhibitor_panel",
    "is_screen",
    "load_agonist",
    "load_estimands",
    "load_library",
    "load_model",
    "load_network",
    "load_parameter_set",
    "load_regimen",
    "load_scenarios",
    "load_study",
    "load_titration",
    "local_scan",
    "lock_document",
    "lock_gates",
    "log_gate_change",
    "make_engine",
    "make_fit_folder",
    "make_run",
    "margins_from_history",
    "membership_table",
    "morris_scan",
    "mutant_panel",
    "parse_estimands",
    "petab_gradient",
    "petab_llh",
    "plan_document",
    "ploidy_of_file",
    "points_from_table",
    "population_table",
    "prepare_plan",
    "profile_petab",
    "published_trials",
    "read_adtte",
    "read_cultures",
    "read_events",
    "read_fcs",
    "read_flowjo",
    "read_gate_lock",
    "read_gatingml",
    "read_panels",
    "read_petab",
    "read_plan",
    "read_plate",
    "read_profiles",
    "read_repeated_measures",
    "read_responders",
    "read_results",
    "read_sample_sheet",
    "read_signals",
    "read_spillover_table",
    "read_survival",
    "read_table",
    "read_trial",
    "refuse_gate_changes",
    "regimen_events",
    "remission_of",
    "rescue_of",
    "run_document",
    "run_study",
    "sample_document",
    "save_network",
    "scan_signalling",
    "scan_values",
    "search_library",
    "shipped_parameter_sets",
    "simulate_cohort",
    "simulate_draws",
    "simulate_events",
    "simulate_model",
    "simulate_signalling",
    "simulate_vpc",
    "stream",
    "summarise_sample",
    "survival_data",
    "to_json",
    "tpor_model",
    "trial_data",
    "usual_interval",
    "wells_of",
    "write_cells_folder",
    "write_chart",
    "write_cohort",
    "write_draws",
    "write_fcs",
    "write_gate_lock",
    "write_gatingml",
    "write_json",
    "write_output",
    "write_pages",
    "write_petab_fit",
    "write_picture",
    "write_plan",
    "write_plan_example",
    "write_report",
    "write_results",
    "write_spillover_table",
    "write_survival_picture",
    "write_table",
    "write_template",
    "write_trial",
    "yields_table",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
