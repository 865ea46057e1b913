"""The parameters of a non-compartmental analysis, and what they are over subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import altair as alt
import numpy as np
import polars as pl
from scipy.special import stdtrit

from thrombokit.drawing.concentration_profiles import concentration_chart
from thrombokit.patients.nca_profile import NcaSettings, Profile


class Standing(StrEnum):
    """What a parameter is worth: a value, a value that rests on much extrapolation or on a poor line, or why there is none."""

    VALUE = "value"
    EXTRAPOLATED = "extrapolated"
    POOR_FIT = "poor_fit"
    NOT_DECLINING = "not_declining"
    TOO_FEW_POINTS = "too_few_points"
    NO_TERMINAL_PHASE = "no_terminal_phase"
    NOT_QUANTIFIED = "not_quantified"


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One parameter of one subject; `code` is CDISC's PPTESTCD. `low`, `high`: its interval, where it has one (None: open, or none)."""

    subject: str
    group: str
    code: str
    value: float | None
    unit: str
    standing: Standing
    low: float | None = None
    high: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def label(self) -> str:
        """The code, with the interval of a partial area: "AUCINT 0-12"."""
        return self.code if self.interval is None else f"{self.code} {self.interval[0]:g}-{self.interval[1]:g}"


NO_GEOMETRIC_MEAN = ("TMAX", "TLAG", "TLST", "LAMZNPT", "LAMZLL", "LAMZUL", "R2", "R2ADJ", "CORRXY", "AUCPEO", "AUCPEP", "FLUCP")
"""Times of samples, counts, shares and fits: median and range say what they are."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NcaResult:
    """Every parameter of every subject, in the order of the profiles."""

    parameters: tuple[Parameter, ...]
    profiles: tuple[Profile, ...]
    settings: NcaSettings
    notes: tuple[str, ...] = ()

    def value(self, subject: str, code: str, group: str = "") -> float | None:
        """One parameter; None where it has no value. `code` as in `Parameter.label`."""
        for parameter in self.parameters:
            if (parameter.subject, parameter.group, parameter.label) == (subject, group, code):
                return parameter.value
        return None

    def table(self) -> pl.DataFrame:
        """A row a parameter: USUBJID, GROUP, PPTESTCD, PPSTRESN, PPSTRESU, LOW, HIGH, START, END, STANDING."""
        rows = [
            {
                "USUBJID": p.subject, "GROUP": p.group, "PPTESTCD": p.code, "PPSTRESN": p.value, "PPSTRESU": p.unit, "LOW": p.low,
                "HIGH": p.high, "START": None if p.interval is None else p.interval[0],
                "END": None if p.interval is None else p.interval[1], "STANDING": p.standing.value,
            }
            for p in self.parameters
        ]  # fmt: skip
        titles: list[str] = ["PPSTRESN", "LOW", "HIGH", "START", "END"]
        numbers = dict.fromkeys(titles, pl.Float64)
        return pl.DataFrame(rows, schema_overrides=numbers)

    def wide(self) -> pl.DataFrame:
        """A row a subject, a column a parameter; null where it has no value."""
        subjects = list(dict.fromkeys((p.subject, p.group) for p in self.parameters))
        labels = list(dict.fromkeys(p.label for p in self.parameters))
        values = {(p.subject, p.group, p.label): p.value for p in self.parameters}
        columns = {label: [values.get((*subject, label)) for subject in subjects] for label in labels}
        known = {"USUBJID": [subject for subject, _ in subjects], "GROUP": [group for _, group in subjects]}
        return pl.DataFrame({**known, **columns}, schema_overrides=dict.fromkeys(labels, pl.Float64))

    def statistics(self) -> pl.DataFrame:
        """A row a group and parameter over the subjects whose parameter stands as a value; `n_withheld` counts the others.

        Geometric mean with a 95 % interval (Student's t on logs) and geometric CV, 100 sqrt(exp(s2) - 1); none for times, counts and fits.
        """
        rows: list[dict[str, object]] = []
        for group in dict.fromkeys(p.group for p in self.parameters):
            ours = [p for p in self.parameters if p.group == group]
            for label in dict.fromkeys(p.label for p in ours):
                these = [p for p in ours if p.label == label]
                good = [p.value for p in these if p.value is not None and p.standing is Standing.VALUE]
                rows.append({"GROUP": group, "PPTESTCD": label, "PPSTRESU": these[0].unit, **_statistics(good, these[0].code),
                             "n_withheld": len(these) - len(good)})  # fmt: skip
        numbers = (
            "mean",
            "sd",
            "cv_percent",
            "median",
            "min",
            "max",
            "geometric_mean",
            "geometric_low",
            "geometric_high",
            "geometric_cv_percent",
        )
        return pl.DataFrame(rows, schema_overrides=dict.fromkeys(numbers, pl.Float64))

    def summary(self) -> str:
        """Subjects, exposure, half-life, and what was withheld."""
        settings = self.settings
        how = f"{settings.route.value}, {settings.method.value}" + (
            "" if settings.tau is None else f", steady state every {settings.tau:g}"
        )
        said = [f"{len(self.profiles)} profiles ({how})."]
        table = self.statistics().filter(pl.col("PPTESTCD").is_in(["CMAX", "AUCLST", "AUCIFO", "AUCTAU", "LAMZHL"]))
        for row in table.iter_rows(named=True):
            group = f"{row['GROUP']}: " if row["GROUP"] else ""
            mean, cv = row["geometric_mean"], row["geometric_cv_percent"]
            value = "no value" if mean is None else f"{mean:.4g} {row['PPSTRESU']}" + ("" if cv is None else f" ({cv:.3g} %)")
            withheld = f", {row['n_withheld']} withheld" if row["n_withheld"] else ""
            said.append(f"{group}{row['PPTESTCD']}: geometric mean (CV) {value}, n = {row['n']}{withheld}.")
        for standing in Standing:
            subjects = list(dict.fromkeys(p.subject for p in self.parameters if p.standing is standing))
            if standing is not Standing.VALUE and subjects:
                said.append(f"{_MEANING[standing]}: subject{'s' if len(subjects) > 1 else ''} {', '.join(subjects)}.")
        return " ".join([*said, *self.notes])

    def to_dict(self) -> dict[str, object]:
        """The result as plain values, for `--json`."""
        return {
            "schema": "thrombokit.nca/1", "route": self.settings.route.value, "method": self.settings.method.value, "tau": self.settings.tau,
            "profiles": len(self.profiles), "parameters": self.table().to_dicts(), "statistics": self.statistics().to_dicts(),
            "notes": list(self.notes),
        }  # fmt: skip

    def plot(self) -> alt.TopLevelMixin:
        """Concentrations on a log axis, a panel a subject, with the line of the terminal phase where there is one."""
        rates = {(p.subject, p.group, p.code): p.value for p in self.parameters if p.code in ("LAMZ", "LAMZLL", "LAMZUL")}
        lines: list[tuple[float, float, float] | None] = []
        for profile in self.profiles:
            found = [rates.get((profile.subject, profile.group, code)) for code in ("LAMZ", "LAMZLL", "LAMZUL")]
            known = [value for value in found if value is not None]
            lines.append((known[0], known[1], known[2]) if len(known) == 3 else None)
        return concentration_chart(
            times=[profile.time for profile in self.profiles], concentrations=[profile.concentration for profile in self.profiles],
            labels=[f"{profile.subject} {profile.group}".strip() for profile in self.profiles], lines=lines,
            time_title=f"time ({self.settings.time_unit})", concentration_title=f"concentration ({self.settings.concentration_unit})",
        )  # fmt: skip


_MEANING = {
    Standing.EXTRAPOLATED: "More than the allowed share is extrapolated (not in the statistics)",
    Standing.POOR_FIT: "The terminal line fits poorly (areas to infinity not computed)",
    Standing.NOT_DECLINING: "No falling terminal phase",
    Standing.TOO_FEW_POINTS: "Fewer than three quantified samples after the peak",
    Standing.NO_TERMINAL_PHASE: "The interval goes beyond the last sample and there is no terminal phase",
    Standing.NOT_QUANTIFIED: "Nothing quantified",
}


def _statistics(values: Sequence[float], code: str) -> dict[str, float | int | None]:
    x = np.array(values, dtype=np.float64)
    n = x.size
    found: dict[str, float | int | None] = dict.fromkeys(
        (
            "mean",
            "sd",
            "cv_percent",
            "median",
            "min",
            "max",
            "geometric_mean",
            "geometric_low",
            "geometric_high",
            "geometric_cv_percent",
        )
    )
    found = {"n": n, **found}
    if not n:
        return found
    found |= {"mean": float(x.mean()), "median": float(np.median(x)), "min": float(x.min()), "max": float(x.max())}
    if n > 1:
        sd = float(x.std(ddof=1))
        found |= {"sd": sd, "cv_percent": 100.0 * sd / float(x.mean()) if x.mean() != 0.0 else None}
    if code not in NO_GEOMETRIC_MEAN and (x > 0.0).all():
        logs = np.log(x)
        found["geometric_mean"] = float(np.exp(logs.mean()))
        if n > 1:
            variance = float(logs.var(ddof=1))
            half = float(stdtrit(n - 1, 0.975)) * np.sqrt(variance / n)
            found |= {"geometric_low": float(np.exp(logs.mean() - half)), "geometric_high": float(np.exp(logs.mean() + half)),
                      "geometric_cv_percent": 100.0 * float(np.sqrt(np.expm1(variance)))}  # fmt: skip
    return found
