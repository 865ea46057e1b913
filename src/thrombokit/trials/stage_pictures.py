"""The pictures of a trial for its report: those of arms always, those of single subjects only where they are asked for."""

from __future__ import annotations

from collections.abc import Callable

from thrombokit.drawing.export import Chart, chart_spec
from thrombokit.trials.stage import TrialPicture
from thrombokit.trials.survival import SurvivalResult
from thrombokit.trials.time_analysis import TimeAnalysis
from thrombokit.trials.trial_result import TrialResult

MANY_CAUSES = "Cumulative incidence (Aalen-Johansen): whoever leaves by another cause is not censored."
ONE_CAUSE = "Kaplan-Meier; below, how many are at risk."
OF_SUBJECTS = "Single subjects are shown, as the study asked for."


def trial_pictures(result: TrialResult, *, include_subjects: bool) -> tuple[TrialPicture, ...]:
    """Every picture that the result has something for.

    Parameters
    ----------
    result : TrialResult
    include_subjects : bool
        Whether waterfall and swimmer are drawn, and single lines under the medians; otherwise no picture holds a subject's data.
    """
    drawn = [_picture("flow", "What became of the subjects", "A column an arm.", result.plot_flow)]
    if result.by_visit and result.leading is not None:
        drawn.append(
            _picture("response", "Response by visit", f"By the rules of: {result.leading.estimand.name}.", result.plot_response)
        )
        told = OF_SUBJECTS if include_subjects else "Arms only; no single subject is in this page."
        drawn.append(
            _picture("counts", "Platelet counts by visit", told, lambda: result.plot_spaghetti(include_subjects=include_subjects))
        )
    if result.subgroups:
        drawn.append(
            _picture("forest", "Subgroups", "Descriptive: nothing is adjusted for the number of looks.", result.plot_forest)
        )
    times = [one for one in result.analyses if isinstance(one, TimeAnalysis) and one.survival is not None]
    for number, one in enumerate(times, 1):
        if one.survival is not None:
            drawn.append(time_picture(f"time-{number}", _capital(one.estimand.name), one.survival))
    if include_subjects:
        drawn.append(
            _picture(
                "waterfall", "Largest change of each subject", OF_SUBJECTS, lambda: result.plot_waterfall(include_subjects=True)
            )
        )
        drawn.append(_picture("swimmer", "Course of each subject", OF_SUBJECTS, lambda: result.plot_swimmer(include_subjects=True)))
    return tuple(drawn)


def time_picture(key: str, heading: str, survival: SurvivalResult) -> TrialPicture:
    """Curves of times to an event: cumulative incidence where causes compete, else Kaplan-Meier."""
    if len(survival.data.causes) > 1:
        return _picture(key, heading, MANY_CAUSES, survival.plot_incidence)
    return _picture(key, heading, ONE_CAUSE, survival.plot)


def _picture(key: str, heading: str, caption: str, draw: Callable[[], Chart]) -> TrialPicture:
    return TrialPicture(key=f"trials-{key}", heading=heading, caption=caption, spec=chart_spec(draw()))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
