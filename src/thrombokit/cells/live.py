"""Live cells: only where a dye can tell. A dye that survives fixation, or an unfixed dye on unfixed cells; never PI on fixed cells.

The dye's background rises with size, so the cut follows size: the ridge of the dull (living) cells over forward scatter, and the valley of
the density above it. Without a valley the cut lies some standard deviations above the ridge, and the rule says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.cells.gates import Dimension, polygon
from thrombokit.cells.scales import LogicleScale, LogScale
from thrombokit.cells.steps import FAR, FittedStep, log_dimension, logicle_dimension
from thrombokit.cells.tubes import VIABILITY, Panel, Viability
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.ridges import Ridge, follow_ridge
from thrombokit.numerics.valleys import valleys

_ID, _FEWEST = "live", 500


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """`deepest`: as for debris. `without_valley`: standard deviations above the living cells where there is no valley."""

    enabled: bool = True
    deepest: float = 0.6
    without_valley: float = 4.0


def why_no_live_gate(panel: Panel, settings: LiveSettings) -> str:
    """The reason why a panel gets no live gate, as a sentence; empty where it gets one."""
    if not settings.enabled:
        return "Live gate switched off."
    if panel.viability is Viability.NONE or VIABILITY not in panel.channels:
        return "No live gate: the panel has no viability dye; dead cells are among the cells."
    if panel.viability is Viability.UNFIXED_DYE and panel.fixed:
        return (
            "No live gate: on fixed cells a dye such as PI stains every cell; only a fixable dye, added before fixation, can tell."
        )
    return ""


def fit_live(
    forward: Array, dye: Array, settings: LiveSettings, *, panel: Panel, forward_top: float, dye_top: float, compensation: str,
    parent: str | None,
) -> FittedStep:  # fmt: skip
    """The gate that leaves dead cells out.

    Parameters
    ----------
    forward, dye : arrays of shape (n_events,)
        Forward-scatter area, decoded, and the viability dye, compensated; pooled events of the parent gate.
    settings : LiveSettings
    panel : Panel
    forward_top, dye_top : float
        Upper ends of the scales.
    compensation : str
        Of the dye's dimension.
    parent : str or None
        Gate in which it lies.

    Returns
    -------
    FittedStep
        With the gate "live", or None and the reason.
    """
    why = why_no_live_gate(panel, settings)
    good = forward > 0
    if why or good.sum() < _FEWEST:
        return FittedStep(step=_ID, gate=None, rule="none", sentence=why or "No live gate: too few events.")
    x, y = log_dimension(panel.fsc_area, forward_top), logicle_dimension(panel.channels[VIABILITY], dye_top, compensation)
    size = LogScale(t=forward_top, m=4.5).apply(forward[good])
    shine = LogicleScale(t=dye_top, w=0.5, m=4.5, a=0.0).apply(dye[good])
    ridge = follow_ridge(size, shine, strip=0.02, upper_side=False, least_sd=0.005)
    if ridge is None:
        return FittedStep(step=_ID, gate=None, rule="none", sentence="No live gate: too few events.")
    cut, rule = _cut(shine - ridge.at(size), ridge.sd, settings)
    return _step(x, y, ridge, cut, rule, parent)


def _cut(above: Array, sd: Array, settings: LiveSettings) -> tuple[float, str]:
    """Height of the cut above the ridge, and its rule."""
    spread = float(np.median(sd))
    hills = [
        v for v in valleys(above, -4.0 * spread, float(np.quantile(above, 0.9995)), narrower=1.0)
        if v.at > 1.5 * spread and v.depth < settings.deepest
    ]  # fmt: skip
    if hills:
        deepest = min(hills, key=lambda v: v.depth)
        return deepest.at, "density valley"
    return settings.without_valley * spread, f"{settings.without_valley:g} SD above the dull cells"


def _step(x: Dimension, y: Dimension, ridge: Ridge, cut: float, rule: str, parent: str | None) -> FittedStep:
    places = np.unique(np.concatenate([ridge.x[:: max(1, ridge.x.size // 16)], ridge.x[-1:]]))
    corners = np.concatenate([[-FAR], places, [FAR]])
    heights = ridge.at(np.clip(corners, ridge.x[0], ridge.x[-1])) + cut
    outline = np.concatenate([np.column_stack([corners, heights]), [[FAR, -FAR], [-FAR, -FAR]]])
    sentence = f"Live: viability dye below a line that follows size ({rule})."
    return FittedStep(
        step=_ID, gate=polygon(_ID, x, y, outline, parent=parent), rule=rule, sentence=sentence, figures={"above_ridge": cut}
    )
