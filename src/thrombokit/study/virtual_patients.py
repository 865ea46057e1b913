"""The virtual patients of a study, as [patients] describes them: covariates, inclusion, fluctuation, rescue, drop-out, adherence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from thrombokit.errors import Fault, InputError
from thrombokit.patients.cohort import Adherence, Cohort, Counted, DropOut, Inclusion
from thrombokit.patients.cohort_diagnostics import CountRange
from thrombokit.patients.covariates import Covariate, LogNormal, Share, Values
from thrombokit.patients.fluctuation import Fluctuation
from thrombokit.patients.rescue import Rescue
from thrombokit.study.spec import StudySpec
from thrombokit.study.spec_patients import CovariateTable, PatientsSection

T = TypeVar("T")
USUAL, ALL = "usual", "all"


@dataclass(kw_only=True)
class PatientFaults:
    """Faults of [patients], each with the line of the study file."""

    spec: StudySpec
    faults: list[Fault] = field(default_factory=list[Fault])

    def attempt(self, key: str, make: Callable[[], T]) -> T | None:
        """What `make` gives, or None with its faults told."""
        try:
            return make()
        except InputError as error:
            self.faults += [replace(fault, place=f"{self.place(key)}: {fault.place}") for fault in error.faults]
            return None

    def add(self, key: str, *, found: str, expected: str, cure: str) -> None:
        """One fault at a key of the section; "" is the section itself."""
        self.faults.append(Fault(place=self.place(key), found=found, expected=expected, cure=cure))

    def place(self, key: str) -> str:
        """ "study.toml:12, patients.cohorts[1]"."""
        return self.spec.place_of(f"patients.{key}" if key else "patients")


def counts_of(section: PatientsSection, told: PatientFaults) -> CountRange | None:
    """The target and the limit; None with a fault."""
    low, high = section.target_1e9_per_L
    return told.attempt("target_1e9_per_L", lambda: CountRange(low=low, high=high, above=section.above_1e9_per_L))


def describe_patients(section: PatientsSection, told: PatientFaults) -> Cohort | None:
    """The cohort that every model of the study is run with; None with a fault."""
    covariates = {table.column: _covariate(f"covariates[{at}]", table, told) for at, table in enumerate(section.covariates, 1)}
    fluctuation, rescue, drop_out, adherence = section.fluctuation, section.rescue, section.drop_out, section.adherence
    inclusion = _inclusion(section, told)
    parts = (
        told.attempt("fluctuation", lambda: fluctuation and Fluctuation(**fluctuation.model_dump())),
        told.attempt("rescue", lambda: rescue and Rescue(**rescue.model_dump())),
        told.attempt("drop_out", lambda: drop_out and DropOut(**drop_out.model_dump())),
        told.attempt("adherence", lambda: adherence and Adherence(**adherence.model_dump())),
    )
    given = {name: value for name, value in covariates.items() if value is not None}
    return told.attempt("", lambda: Cohort(
        n=section.patients, population=section.population, covariates=given, inclusion=inclusion, fluctuation=parts[0], rescue=parts[1],
        drop_out=parts[2], adherence=parts[3],
    ))  # fmt: skip


def _inclusion(section: PatientsSection, told: PatientFaults) -> Inclusion | Literal["usual"] | None:
    """The criterion; None where everybody is taken in, "usual" where the section says neither condition nor count."""
    text = section.inclusion
    if text.casefold() == USUAL and "inclusion_by" not in section.model_fields_set:
        return "usual"
    usual = Cohort(population=section.population).criterion
    if text.casefold() == ALL or (text.casefold() == USUAL and usual is None):
        return None
    when = usual.when if text.casefold() == USUAL and usual is not None else text
    return told.attempt("inclusion", lambda: Inclusion(when=when, counted=Counted(section.inclusion_by)))


def _covariate(key: str, table: CovariateTable, told: PatientFaults) -> Covariate | None:
    """A fixed value, a share, a log-normal or a list: exactly one of them."""
    kinds = {"value": table.value, "share": table.share, "median": table.median, "values": table.values}
    given = [name for name, value in kinds.items() if value is not None]
    others = {"log_sd": table.log_sd, "low": table.low, "high": table.high, "shares": table.shares}
    owner = {"log_sd": "median", "low": "median", "high": "median", "shares": "values"}
    stray = [name for name, value in others.items() if value is not None and owner[name] not in given]
    if len(given) != 1 or stray:
        found = " and ".join([*given, *stray]) or "neither value, share, median nor values"
        told.add(f"{key}.column", found=found, expected="one of value, share, median with log_sd, or values",
                    cure='Such as: column = "WT", median = 70, log_sd = 0.2')  # fmt: skip
        return None
    if table.value is not None:
        return table.value
    if table.share is not None:
        return Share(share=table.share)
    if table.values is not None:
        return told.attempt(key, lambda: Values(of=table.values or (), shares=table.shares or ()))
    bounds = {name: value for name, value in (("low", table.low), ("high", table.high)) if value is not None}
    return told.attempt(key, lambda: LogNormal(median=table.median or 0.0, log_sd=table.log_sd or 0.0, **bounds))
