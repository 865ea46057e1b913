"""The gating strategy for megakaryocyte cultures, as data: settings of each step, and what becomes of it in one control group.

time -> debris -> singlets -> live -> markers -> stages. Each step can be switched off; each gate can be replaced by one drawn by hand
(`hand_drawn`, by the gate's id: "cells", "singlets", "live", "CD41+" ...). Fitted to a control group (donor, plate, day and panel) it is a
tree of ordinary gates, which can be saved as Gating-ML, locked, and applied to any tube.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from thrombokit.cells.debris import DebrisSettings
from thrombokit.cells.drift import TimeQuality, TimeSettings
from thrombokit.cells.gates import BooleanGate, Bounds, Dimension, Gate, GateTree, Operand, RectangleGate, rectangle
from thrombokit.cells.live import LiveSettings
from thrombokit.cells.particles import UNCALIBRATED, ParticleSize
from thrombokit.cells.singlets import SingletSettings
from thrombokit.cells.stages import Stage
from thrombokit.cells.steps import FittedStep
from thrombokit.cells.thresholds import Threshold, ThresholdSettings
from thrombokit.cells.warning_signs import WarningSettings

Group = tuple[str, str, float | None, str]
"""Donor, plate, day (d) and panel."""
TIME_ID = "time"


@dataclass(frozen=True, kw_only=True)
class MegakaryocyteStrategy:
    """Settings of every step.

    `stages` empty: the preset for the panel's markers (`stages.preset_stages`). `particle_size` None: platelet-like particles are not counted.
    `confidence` is that of counting intervals. `events_a_group` is how many events of a group's fully stained tubes, evenly over them, the
    gates are fitted on (and no fewer than 2,000 of each tube).
    """

    time: TimeSettings = field(default_factory=TimeSettings)
    debris: DebrisSettings = field(default_factory=DebrisSettings)
    singlets: SingletSettings = field(default_factory=SingletSettings)
    live: LiveSettings = field(default_factory=LiveSettings)
    thresholds: ThresholdSettings = field(default_factory=ThresholdSettings)
    stages: tuple[Stage, ...] = ()
    particle_size: ParticleSize | None = None
    warning_signs: WarningSettings = field(default_factory=WarningSettings)
    hand_drawn: tuple[Gate, ...] = ()
    confidence: float = 0.95
    events_a_group: int = 100_000

    def drawn(self, id: str) -> Gate | None:
        """The hand-drawn gate of that id, if there is one."""
        return next((gate for gate in self.hand_drawn if gate.id == id), None)


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedStrategy:
    """The strategy of one control group.

    `tree` holds no gate on time, which is each tube's own (`tube_tree`). `analysed` is the id of the last gate before the markers (None: all
    events). `locked` says that the tree was given, not fitted. `size_at` is forward scatter where thresholds are told: the median of the
    analysed cells and the beginning of their top decile, linear.
    """

    group: Group
    tree: GateTree
    steps: tuple[FittedStep, ...]
    thresholds: dict[str, Threshold]
    stages: tuple[Stage, ...]
    analysed: str | None
    particles: str = UNCALIBRATED
    locked: bool = False
    size_at: tuple[float, float] = (float("nan"), float("nan"))


def tube_tree(tree: GateTree, quality: TimeQuality, time_channel: str) -> GateTree:
    """A group's tree with one tube's windows of time on top.

    Parameters
    ----------
    tree : GateTree
        Without gates on time.
    quality : TimeQuality
        Of the tube; where nothing is removed the tree comes back as it is.
    time_channel : str

    Returns
    -------
    GateTree
        Each window a rectangle "time 1", "time 2" ..., together "time", above every gate that had no parent; one window is "time" itself.
    """
    if not quality.kept:
        return tree
    dimension = Dimension(channel=time_channel)
    windows: list[Gate] = [
        rectangle(f"{TIME_ID} {i}", Bounds(dimension=dimension, low=low, high=high))
        for i, (low, high) in enumerate(quality.kept, 1)
    ]
    if len(windows) == 1:
        only = windows[0]
        assert isinstance(only, RectangleGate)
        windows = [replace(only, id=TIME_ID)]
    else:
        windows.append(BooleanGate(id=TIME_ID, operation="or", operands=tuple(Operand(gate=w.id) for w in windows)))
    below = tuple(replace(gate, parent=TIME_ID) if gate.parent is None else gate for gate in tree.gates)
    return GateTree(gates=(*windows, *below), matrices=tree.matrices, source=tree.source)
