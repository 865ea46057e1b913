"""[trials] and its files -> `TrialsInput`: counts, subjects, estimands and times read and held against each other; nothing is estimated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, InputError
from thrombokit.evidence.published_trials import PublishedTrial, published_trials
from thrombokit.io.adam_times import read_adtte
from thrombokit.io.clinical_tables import read_clinical_table
from thrombokit.io.estimands import load_estimands, shipped_estimands
from thrombokit.io.trial_tables import read_trial
from thrombokit.study.load_cells import Reading
from thrombokit.study.spec import StudySpec
from thrombokit.study.spec_trials import TrialsSection
from thrombokit.trials.estimand import STRATIFIED_TESTS, Difference, Estimand, EstimandPlan, OddsRatio
from thrombokit.trials.plan_check import plan_against
from thrombokit.trials.survival_data import SurvivalData
from thrombokit.trials.trial_data import TrialData
from thrombokit.trials.visit_windows import VisitPlan, plan_faults


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialsInput:
    """What the trials stage starts from: `data` with its `plan`, `times` of ADTTE, published trials; `notes` say what the section changed."""

    data: TrialData | None
    plan: EstimandPlan | None
    times: SurvivalData | None
    times_file: str
    published: tuple[PublishedTrial, ...]
    notes: tuple[str, ...] = ()


def load_trials(spec: StudySpec, reading: Reading) -> tuple[TrialsInput | None, list[Fault]]:
    """Read and check [trials].

    Parameters
    ----------
    spec : StudySpec
        With a section [trials].
    reading : Reading
        Gathers the faults of the files.

    Returns
    -------
    input, faults
        The input is None where a file could not be read or there is a fault.
    """
    section = spec.trials
    assert section is not None
    checks = _Checks(spec=spec, section=section, reading=reading)
    checks.what_is_asked()
    published = checks.published()
    plan = checks.plan()
    data = checks.data()
    times = checks.times()
    if data is not None and plan is not None:
        checks.names(data, plan)
    unread = (section.data is not None and (data is None or plan is None)) or (section.adtte is not None and times is None)
    if unread or checks.faults:
        return None, checks.faults
    return TrialsInput(
        data=data, plan=plan if data is not None else None, times=times, times_file=section.adtte or "", published=published,
        notes=tuple(checks.notes),
    ), []  # fmt: skip


@dataclass(kw_only=True)
class _Checks:
    spec: StudySpec
    section: TrialsSection
    reading: Reading
    faults: list[Fault] = field(default_factory=list[Fault])
    notes: list[str] = field(default_factory=list[str])

    def what_is_asked(self) -> None:
        """Something is there to analyse, and nothing stands alone that needs something else."""
        section = self.section
        if section.data is None and section.adtte is None and not section.published:
            self._fault("", found="neither data nor adtte nor published", expected="at least one of them",
                        cure='Add data = "trial/counts.csv" with estimands, or published = ["hetrombopag-phase3"].')  # fmt: skip
        if section.data is not None and section.estimands is None:
            self._fault("data", found="counts without estimands", expected="what is estimated from them",
                        cure='Add estimands = "hetrombopag-phase3", or a file of your own.')  # fmt: skip
        alone = [key for key in ("estimands", "rescue", "reference", "strata", "subgroups", "weeks", "before_d", "after_d", "param", "unit")
                 if getattr(section, key)]  # fmt: skip
        for key in alone if section.data is None else ():
            self._fault(
                key,
                found=f"{key} without data",
                expected="the counts it is for",
                cure=f'Add data = "trial/counts.csv", or remove {key}.',
            )
        if section.adtte_param is not None and section.adtte is None:
            self._fault(
                "adtte_param", found="adtte_param without adtte", expected="the data set it is of", cure="Name adtte, or remove it."
            )

    def published(self) -> tuple[PublishedTrial, ...]:
        """The shipped trials named."""
        known = {trial.name: trial for trial in published_trials()}
        for at, name in enumerate(self.section.published, 1):
            if name not in known:
                cure = did_you_mean(name, known, otherwise="Choose one of these.")
                self._fault(f"published[{at}]", found=f'"{name}"', expected=", ".join(f'"{one}"' for one in known), cure=cure)
            elif name in self.section.published[: at - 1]:
                self._fault(f"published[{at}]", found=f'"{name}" a second time', expected="each trial once", cure="Keep one.")
        return tuple(known[name] for name in dict.fromkeys(self.section.published) if name in known)

    def plan(self) -> EstimandPlan | None:
        """The plan of estimands, with what the section says in place of it."""
        said = self.section.estimands
        if said is None:
            return None
        if said.endswith(".toml"):
            path = self.reading.path_to(said)
            found = (
                self.reading.attempt(lambda: load_estimands(path)) if path.is_file() else None
            )  # else told with the study file's paths
            if found is not None:
                self.reading.note_input(path)
        elif said in shipped_estimands():
            found = load_estimands(said)
        else:
            cure = did_you_mean(said, shipped_estimands(), otherwise="Name a file that ends in .toml, or a shipped one.")
            self._fault("estimands", found=f'"{said}"', expected=f"a file, or one of: {', '.join(shipped_estimands())}", cure=cure)
            found = None
        return self._changed(found) if found is not None else None

    def _changed(self, plan: EstimandPlan) -> EstimandPlan:
        section, visits = self.section, self._visits(plan.visits)
        estimands = plan.estimands
        if section.strata:
            added = [one.name for one in estimands if not one.strata]
            estimands = tuple(one if one.strata else _within(one, section.strata) for one in estimands)
            if added:
                self.notes.append(
                    f"The study file adds the strata {', '.join(section.strata)} to {len(added)} of {len(estimands)} estimands."
                )
        return replace(
            plan, estimands=estimands, visits=visits, reference=section.reference or plan.reference,
            subgroups=plan.subgroups if section.subgroups is None else section.subgroups,
        )  # fmt: skip

    def _visits(self, plan: VisitPlan) -> VisitPlan:
        section = self.section
        weeks = section.weeks or plan.weeks
        before = plan.before_d if section.before_d is None else section.before_d
        after = plan.after_d if section.after_d is None else section.after_d
        if (weeks, before, after) == (plan.weeks, plan.before_d, plan.after_d):
            return plan
        wrong = plan_faults(weeks, before, after)
        key = "weeks" if section.weeks else "before_d" if section.before_d is not None else "after_d"
        for fault in wrong[:1]:  # the same windows clash every week
            self._fault(key, found=fault.found, expected=fault.expected, cure=fault.cure)
        self.notes.append("Planned visits or their windows are the study file's, not the estimand file's.")
        return plan if wrong else replace(plan, weeks=weeks, before_d=before, after_d=after)

    def data(self) -> TrialData | None:
        """Counts with subjects and rescues."""
        section = self.section
        if section.data is None:
            return None
        paths = [None if one is None else self.reading.path_to(one) for one in (section.data, section.subjects, section.rescue)]
        if not all(path is None or path.is_file() for path in paths):
            return None
        counts, subjects, rescue = paths
        assert counts is not None
        return self._read(
            lambda: read_trial(counts, subjects=subjects, rescue=rescue, param=section.param, unit=section.unit),
            [path for path in paths if path is not None],
        )  # fmt: skip

    def times(self) -> SurvivalData | None:
        """Times of ADTTE, its subjects held against ADSL where that is named."""
        section = self.section
        path = self.reading.path_to(section.adtte) if section.adtte is not None else None
        if path is None or not path.is_file():
            return None
        subjects = self.reading.path_to(section.subjects) if section.subjects is not None else None

        def read() -> SurvivalData:
            adsl = subjects if subjects is not None and subjects.is_file() and _is_adam(subjects) else None
            return read_adtte(path, adsl=adsl, param=section.adtte_param)

        found = self.reading.attempt(read)
        for one in (path, subjects) if found is not None else ():
            if one is not None and one.is_file():
                self.reading.note_input(one)
        return found

    def names(self, data: TrialData, plan: EstimandPlan) -> None:
        """Arms and factors of the section are those of the data."""
        section = self.section
        if section.reference is not None and section.reference not in data.arms:
            cure = did_you_mean(section.reference, data.arms, otherwise="Choose one of these.")
            self._fault(
                "reference", found=f'"{section.reference}"', expected=f"an arm of the data: {', '.join(data.arms)}", cure=cure
            )
        if plan.reference is None and len(data.arms) > 1:
            self._fault("reference", found="none, here or with the estimands", expected=f"one of the arms {', '.join(data.arms)}",
                        cure=f'Add reference = "{data.arms[0]}".')  # fmt: skip
        known = sorted({name for one in data.subjects for name in one.factors})
        for key, names in (("strata", section.strata), ("subgroups", section.subgroups or ())):
            for at, name in enumerate(names, 1):
                if name not in known:
                    cure = did_you_mean(name, known, otherwise="Name a column of the subjects' table.")
                    self._fault(
                        f"{key}[{at}]",
                        found=f'"{name}"',
                        expected=f"a factor of the subjects: {', '.join(known) or 'there is none'}",
                        cure=cure,
                    )
        if not self.faults:
            self.faults += plan_against(data, plan)

    def _read(self, read: Callable[[], TrialData], paths: list[Path]) -> TrialData | None:
        found = self.reading.attempt(read)
        for path in paths if found is not None else ():
            self.reading.note_input(path)
        return found

    def _fault(self, key: str, *, found: str, expected: str, cure: str) -> None:
        place = self.spec.place_of(f"trials.{key}" if key else "trials")
        self.faults.append(Fault(place=place, found=found, expected=expected, cure=cure))


def _within(one: Estimand, strata: tuple[str, ...]) -> Estimand:
    """The estimand within strata; a method that has no stratified form gives way to the one that has."""
    return replace(
        one, strata=strata, test=one.test if one.test in STRATIFIED_TESTS else None,
        difference=Difference.MIETTINEN_NURMINEN if one.difference is Difference.MEE else one.difference,
        odds_ratio=OddsRatio.EXACT if one.odds_ratio is OddsRatio.EXACT else OddsRatio.SCORE,
    )  # fmt: skip


def _is_adam(path: Path) -> bool:
    try:
        return "usubjid" in {title.casefold() for title in read_clinical_table(path).titles}
    except InputError:
        return True  # told when it is read
