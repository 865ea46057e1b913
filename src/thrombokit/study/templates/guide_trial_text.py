"""The guide study's trial as files: synthetic counts and subjects, five estimands of them, and the section that has them analysed."""

from __future__ import annotations

from thrombokit.study.templates.guide_trial import synthetic_trial

FOLDER = "trial"

TRIALS_SECTION = """
[trials]
data = "trial/counts.csv"
subjects = "trial/subjects.csv"
estimands = "trial/estimands.toml"
published = ["hetrombopag-phase1", "hetrombopag-phase3"]
"""

README = """# A synthetic trial

Nobody was treated, and no count here was measured: thrombokit made them. Three arms of 40 (placebo, 2.5 mg, 5 mg), weekly counts over eight weeks
and two later visits, with rescue, drop-out, missed and unscheduled visits.

- `counts.csv`: subject, day from the first dose (day 0), count in 10^9/L, planned visit or not.
- `subjects.csv`: arm, sex, earlier splenectomy, days of rescue, drop-out and its reason, last dose.
- `estimands.toml`: what is asked of them. Response at week 8 stands there three times, under different rules for rescue and missing counts.

The effects were chosen for the exercise. They are not those of hetrombopag, whatever the arms are called.
"""

ESTIMANDS = """# Estimands of the synthetic trial. The same week 8 three times: what a rescue and a missing count mean is a choice.
schema = "thrombokit-estimand/1"
title = "A synthetic trial in ITP, two doses against placebo, eight weeks"
reference = "placebo"
subgroups = ["sex", "splenectomy"]

[visits]
weeks = [1, 2, 3, 4, 5, 6, 7, 8]
before_d = 3
after_d = 3

[[estimand]]
name = "response at week 8"
role = "primary"
endpoint = {kind = "response_at_week", week = 8, threshold_1e9_per_L = 50}
rescue = {rule = "failure_from_rescue"}
missing = "non_responder"
strata = ["splenectomy"]

[[estimand]]
name = "response at week 8 as measured, last count carried on"
role = "sensitivity"
endpoint = {kind = "response_at_week", week = 8, threshold_1e9_per_L = 50}
rescue = {rule = "as_measured"}
missing = "locf"

[[estimand]]
name = "response at week 8, every allocation of the missing"
role = "sensitivity"
endpoint = {kind = "response_at_week", week = 8, threshold_1e9_per_L = 50}
rescue = {rule = "failure_from_rescue"}
missing = "tipping_point"

[[estimand]]
name = "time to first response"
role = "supportive"
endpoint = {kind = "time_to_first_response", threshold_1e9_per_L = 50}
rescue = {rule = "failure_from_rescue"}
dropout = "competes"

[[estimand]]
name = "relapse after the stop"
role = "supportive"
endpoint = {kind = "time_to_relapse", after = "stop", threshold_1e9_per_L = 50}
rescue = {rule = "failure_from_rescue"}
dropout = "censors"
"""


def trial_texts(seed: int) -> dict[str, str]:
    """File name -> text: the trial of a seed; the same seed gives the same texts."""
    trial = synthetic_trial(seed)
    return {
        f"{FOLDER}/counts.csv": trial.counts.write_csv(), f"{FOLDER}/subjects.csv": trial.subjects.write_csv(),
        f"{FOLDER}/estimands.toml": ESTIMANDS, f"{FOLDER}/README.md": README,
    }  # fmt: skip
