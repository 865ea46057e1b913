"""Debris: small particles, cut off from cells at the valley of the forward-scatter density.

The valley is the lowest place below the main hill of cells, on a logarithmic axis. The main hill is found with every event weighed by its
signal, so that debris does not outvote the cells by number. Platelet-like particles lie below the valley; they are counted from the events
before this gate (`particles`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.cells.gates import polygon
from thrombokit.cells.steps import FAR, FittedStep, log_dimension
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.valleys import smooth_density, valleys

_ID = "cells"


@dataclass(frozen=True, kw_only=True)
class DebrisSettings:
    """`deepest` is the density in the valley, over that of the lower hill, above which there is no valley worth cutting at."""

    enabled: bool = True
    deepest: float = 0.7


def fit_debris(
    forward: Array, settings: DebrisSettings, *, channel: str, side_channel: str, top: float, side_top: float
) -> FittedStep:
    """The gate that leaves debris out.

    Parameters
    ----------
    forward : array of shape (n_events,)
        Forward-scatter area of the pooled tubes, decoded.
    settings : DebrisSettings
    channel, side_channel : str
        Names of forward- and side-scatter area: the gate is drawn in their plane.
    top, side_top : float
        Upper ends of their scales.

    Returns
    -------
    FittedStep
        With the gate "cells", or None where there is no valley.
    """
    if not settings.enabled:
        return FittedStep(step=_ID, gate=None, rule="off", sentence="Debris gate switched off.")
    x, y = log_dimension(channel, top), log_dimension(side_channel, side_top)
    logs = np.log10(forward[forward > 0])
    cut = _valley(logs) if logs.size >= 500 else None
    if cut is None or cut[1] > settings.deepest:
        why = "too few events" if logs.size < 500 else "no valley below the cells"
        return FittedStep(step=_ID, gate=None, rule="none", sentence=f"No debris gate: {why} in forward scatter.")
    low = float(np.asarray(log_dimension(channel, top).scale.apply(np.array([10.0 ** cut[0]])))[0])  # pyright: ignore[reportOptionalMemberAccess]
    vertices = [(low, -FAR), (FAR, -FAR), (FAR, FAR), (low, FAR)]
    return FittedStep(
        step=_ID,
        gate=polygon(_ID, x, y, vertices),
        rule="density valley",
        sentence=f"Debris below {10.0 ** cut[0]:.0f} in {channel} (valley of the density, {100 * cut[1]:.0f} % of the lower hill).",
        figures={"forward_low": 10.0 ** cut[0], "depth": cut[1]},
    )


def _valley(logs: Array) -> tuple[float, float] | None:
    """Place and depth of the lowest valley below the main hill."""
    low, high = np.quantile(logs, (0.001, 0.999))
    centres, density = smooth_density(logs, float(low), float(high), narrower=1.0)
    main = float(centres[int((density * 10.0**centres * (centres < np.quantile(logs, 0.99))).argmax())])
    below = [v for v in valleys(logs, float(low), float(high), narrower=1.0) if v.at < main]
    if not below:
        return None
    heights = np.interp([v.at for v in below], centres, density)
    best = below[int(heights.argmin())]
    return best.at, best.depth
