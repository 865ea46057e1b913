"""Which spillover matrix holds for the tubes of a panel: a table, the sheet's single stains, or each file's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from thrombokit.cells.compensation import SpilloverFit, fit_spillover
from thrombokit.cells.spillover import Spillover
from thrombokit.cells.tubes import Tube, TubeKind
from thrombokit.errors import Fault, InputError

Compensation = Literal["auto", "controls", "file", "table", "none"]


@dataclass(frozen=True, kw_only=True, eq=False)
class PanelSpillover:
    """The matrix of one panel's tubes (None: each file's own) and where it comes from, in words. `fit` holds intervals where it was computed."""

    panel: str
    spillover: Spillover | None
    origin: str
    fit: SpilloverFit | None = None


def spillover_of_panel(
    panel: str, tubes: Sequence[Tube], *, compensation: Compensation, table: Spillover | None = None
) -> PanelSpillover:
    """The matrix for the tubes of one panel.

    Parameters
    ----------
    panel : str
    tubes : sequence of Tube
        Tubes of that panel, controls too.
    compensation : "auto", "controls", "file", "table" or "none"
        "auto" is the table, else the single stains (with an unstained tube), else each file's own.
    table : Spillover, optional
        From the study; used for panels that have all of its channels.

    Raises
    ------
    InputError
        If controls were asked for and there are none, or they cannot be used (see `fit_spillover`).
    """
    if compensation == "none":
        channels = tuple(dict.fromkeys(name for tube in tubes for name in tube.panel.channels.values()))
        return PanelSpillover(panel=panel, spillover=_identity(channels), origin="none: not compensated")
    if table is not None and compensation in ("auto", "table") and all(_has(tube, table) for tube in tubes):
        return PanelSpillover(panel=panel, spillover=table, origin=table.source)
    stains = {tube.panel.channels[tube.stain]: tube for tube in tubes if tube.kind is TubeKind.SINGLE_STAIN}
    unstained = next((tube for tube in tubes if tube.kind is TubeKind.UNSTAINED), None)
    if compensation in ("auto", "controls") and stains and unstained is not None:
        fit = fit_spillover({channel: tube.sample for channel, tube in stains.items()}, unstained.sample, statistic="grouped_slope")
        return PanelSpillover(panel=panel, spillover=fit.spillover, origin="single stains of the sample sheet", fit=fit)
    if compensation == "controls":
        missing = "no single stain" if not stains else "no unstained tube"
        raise InputError(
            Fault(
                place=f"panel {panel}", found=missing, expected="single stains and an unstained tube in the sample sheet",
                cure='Add them, or write compensation = "auto" in [cells].',
            )
        )  # fmt: skip
    own = any(tube.sample.spillover is not None for tube in tubes)
    return PanelSpillover(panel=panel, spillover=None, origin="each file's own matrix" if own else "none: no matrix was found")


def _has(tube: Tube, table: Spillover) -> bool:
    return set(table.channels) <= set(tube.sample.channel_names)


def _identity(channels: tuple[str, ...]) -> Spillover:
    return Spillover(channels=channels, matrix=np.eye(len(channels)), source="not compensated")
