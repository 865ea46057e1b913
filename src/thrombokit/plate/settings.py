"""Choices of the plate stage."""

from __future__ import annotations

from dataclasses import dataclass, field

from thrombokit.dose_response.compare import Margins
from thrombokit.dose_response.settings import FitSettings
from thrombokit.plate.quality import QualityLimits


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateSettings:
    """Choices of the plate stage: how curves are fitted, what quality means, who the comparator is, what the assay was."""

    fit: FitSettings = field(default_factory=FitSettings)
    limits: QualityLimits = field(default_factory=QualityLimits)
    comparator: str | None = None
    readout: str = "luminescence"
    serum: str | None = None
    show_operator: bool = False
    margins: Margins = field(default_factory=Margins)
