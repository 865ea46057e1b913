"""How curves are fitted: model, weights, interval, confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from thrombokit.errors import Fault, InputError

Model = Literal["4pl", "3pl", "5pl", "bell"]
Weights = Literal["model", "column", "none"]
Interval = Literal["profile", "wald", "bootstrap"]

PARAMETERS: dict[str, int] = {"3pl": 3, "4pl": 4, "5pl": 5, "bell": 6}
"""Unknowns of each model."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FitSettings:
    """Choices for one call of `fit_curves`; `seed` is used by the bootstrap alone."""

    model: Model = "4pl"
    weights: Weights = "model"
    interval: Interval = "profile"
    confidence: float = 0.95
    seed: int = 1

    def __post_init__(self) -> None:
        choices = (("model", self.model, Model), ("weights", self.weights, Weights), ("interval", self.interval, Interval))
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
        if faults:
            raise InputError(faults)

    @property
    def n_parameters(self) -> int:
        """Unknowns of the model."""
        return PARAMETERS[self.model]
