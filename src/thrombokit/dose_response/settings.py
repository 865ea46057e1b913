"""How curves are fitted: model, weights, interval, confidence, and whether far points count in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from thrombokit.errors import Fault, raise_all

Model = Literal["4pl", "3pl", "5pl", "bell"]
Weights = Literal["model", "column", "none"]
Interval = Literal["profile", "wald", "bootstrap", "case_bootstrap", "sandwich"]
Robust = Literal["none", "huber", "tukey"]

PARAMETERS: dict[str, int] = {"3pl": 3, "4pl": 4, "5pl": 5, "bell": 6}
"""Unknowns of each model."""

LOGISTIC = ("4pl", "3pl")
"""Models that can be fitted robustly and bootstrapped."""

ROBUST_INTERVALS = ("sandwich", "bootstrap", "case_bootstrap")
"""Intervals that hold for a robust fit: profile and Wald intervals are those of least squares."""

BOOTSTRAPS = ("bootstrap", "case_bootstrap")


@dataclass(frozen=True, kw_only=True, slots=True)
class FitSettings:
    """Choices for one call of `fit_curves`; `seed` is used by the bootstraps alone."""

    model: Model = "4pl"
    weights: Weights = "model"
    interval: Interval = "profile"
    confidence: float = 0.95
    seed: int = 1
    robust: Robust = "none"

    def __post_init__(self) -> None:
        choices = (
            ("model", self.model, Model), ("weights", self.weights, Weights), ("interval", self.interval, Interval),
            ("robust", self.robust, Robust),
        )  # fmt: skip
        faults = [
            Fault(place=name, found=f'"{value}"', expected="one of " + ", ".join(get_args(kind)), cure="Choose one of them.")
            for name, value, kind in choices
            if value not in get_args(kind)
        ]
        if not 0.5 < self.confidence < 1:
            faults.append(
                Fault(
                    place="confidence",
                    found=f"{self.confidence}",
                    expected="above 0.5 and below 1",
                    cure="Use 0.95 for a 95 % interval.",
                )
            )
        raise_all(faults or _clashes(self))

    @property
    def n_parameters(self) -> int:
        """Unknowns of the model."""
        return PARAMETERS[self.model]


def usual_interval(robust: Robust) -> Interval:
    """The interval taken where none is asked for: profile, or sandwich with a robust fit."""
    return "profile" if robust == "none" else "sandwich"


def _clashes(settings: FitSettings) -> list[Fault]:
    """Choices that are fine each by itself and not together."""
    faults: list[Fault] = []
    if settings.robust != "none" and settings.model not in LOGISTIC:
        faults.append(
            Fault(
                place="robust",
                found=f'"{settings.robust}" with model "{settings.model}"',
                expected="model 4pl or 3pl",
                cure="Use --model 4pl, or --robust none.",
            )
        )
    if settings.robust != "none" and settings.interval not in ROBUST_INTERVALS:
        faults.append(
            Fault(
                place="interval",
                found=f'"{settings.interval}" with robust "{settings.robust}"',
                expected="one of " + ", ".join(ROBUST_INTERVALS) + " (a robust fit has no likelihood to profile)",
                cure="Use --interval sandwich, or --robust none.",
            )
        )
    if settings.robust == "none" and settings.interval == "sandwich":
        faults.append(
            Fault(
                place="interval",
                found='"sandwich" without a robust fit',
                expected="robust huber or tukey",
                cure="Add --robust huber, or use --interval profile.",
            )
        )
    if settings.interval in BOOTSTRAPS and settings.model not in LOGISTIC:
        faults.append(
            Fault(
                place="interval",
                found=f'"{settings.interval}" with model "{settings.model}"',
                expected="model 4pl or 3pl",
                cure="Use --interval profile.",
            )
        )
    return faults
