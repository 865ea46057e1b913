"""A sample: the events one tube or well gave on the cytometer, and the channels they were measured in.

Three stages of the same events have names. *stored* is what the file holds (integers masked by their range), *decoded* has amplifiers
taken out (logarithmic ones undone, linear values divided by the gain), *compensated* has the file's spillover removed from decoded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from thrombokit.cells.spillover import Spillover, remove_spillover
from thrombokit.errors import Fault, InputError
from thrombokit.numerics.arrays import FrozenArrays, frozen

Stage = Literal["stored", "decoded", "compensated"]
MOST_DECADES, LARGEST_FACTOR = 20.0, 1e12


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One parameter of the cytometer.

    `name` is the short name (FCS $PnN), `label` the marker or dye ($PnS, empty if none), `range_max` the upper end of the scale
    ($PnR, exclusive; None where the file says none), `decades` and `log_offset` the logarithmic amplifier ($PnE; 0 decades = linear),
    `gain` the linear amplifier ($PnG).
    """

    name: str
    label: str = ""
    range_max: float | None = None
    decades: float = 0.0
    log_offset: float = 1.0
    gain: float = 1.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.decades <= MOST_DECADES and 0.0 < self.log_offset <= LARGEST_FACTOR):
            raise ValueError(f"{self.name}: {self.decades} decades from {self.log_offset} is no amplifier")
        if not 1.0 / LARGEST_FACTOR <= self.gain <= LARGEST_FACTOR:
            raise ValueError(f"{self.name}: {self.gain} is no gain")
        if self.decades and not (self.range_max and self.range_max > 0):
            raise ValueError(f"{self.name}: a logarithmic amplifier needs the range of its scale")

    @property
    def is_linear(self) -> bool:
        """Whether the amplifier was linear."""
        return self.decades == 0.0

    @property
    def decodes_to_itself(self) -> bool:
        """Whether decoding leaves the stored values as they are."""
        return self.is_linear and self.gain == 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample(FrozenArrays):
    """The events of one data set.

    `stored` has shape (n_events, n_channels), any real dtype, and cannot be written to. `keywords` holds the file's keywords, names in
    capitals. `spillover` is the file's own matrix (None: there is none); `spillover_faults` says why it cannot be used. `notes` are
    sentences on what was odd and how it was read.
    """

    name: str
    channels: tuple[Channel, ...]
    stored: NDArray[Any]
    keywords: dict[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()
    spillover: Spillover | None = None
    spillover_faults: tuple[Fault, ...] = ()
    version: str = "FCS3.1"
    data_set: int = 1
    n_data_sets: int = 1

    def __post_init__(self) -> None:
        values = np.asarray(self.stored)
        if values.ndim != 2 or values.shape[1] != len(self.channels):
            raise ValueError(f"{self.name}: events of shape {values.shape} for {len(self.channels)} channels")
        if values.dtype.kind not in "uif":
            raise ValueError(f"{self.name}: events of type {values.dtype} are no numbers")
        if values.flags.writeable:
            object.__setattr__(self, "stored", frozen(values, values.dtype))

    @property
    def n_events(self) -> int:
        """How many events."""
        return int(self.stored.shape[0])

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Short names, in the order of the columns."""
        return tuple(channel.name for channel in self.channels)

    def events(self, stage: Stage = "compensated") -> NDArray[Any]:
        """The events at one stage, as an array that cannot be written to.

        Parameters
        ----------
        stage : "stored", "decoded" or "compensated"
            See the module's head. Without a matrix in the file compensated is decoded.

        Returns
        -------
        array of shape (n_events, n_channels)
            stored: the file's type; decoded and compensated: float64, or the file's own float type where nothing had to be changed.

        Raises
        ------
        InputError
            If the file's spillover matrix is singular or does not match its channels, or a value cannot be decoded.
        ValueError
            If there is no such stage.
        """
        if stage == "stored":
            return self.stored
        if stage == "decoded":
            return self._decoded()
        if stage != "compensated":
            raise ValueError(f"no stage {stage!r}: stored, decoded or compensated")
        if self.spillover_faults:
            raise InputError(self.spillover_faults)
        decoded = self._decoded()
        if self.spillover is None or self.spillover.is_identity:
            return decoded
        return _closed(remove_spillover(decoded, self.channel_names, self.spillover))

    def _decoded(self) -> NDArray[Any]:
        if self.stored.dtype.kind == "f" and all(channel.decodes_to_itself for channel in self.channels):
            return self.stored
        if self.stored.dtype.itemsize == 8 and self.stored.dtype.kind in "ui":
            self._refuse_too_long_integers()
        values = np.array(self.stored, dtype=np.float64, order="C")
        with np.errstate(over="ignore"):
            for column, channel in enumerate(self.channels):
                if not channel.is_linear:
                    full = channel.range_max or 1.0
                    values[:, column] = channel.log_offset * 10.0 ** (channel.decades * values[:, column] / full)
                elif channel.gain != 1.0:
                    values[:, column] /= channel.gain
        return _closed(values)

    def _refuse_too_long_integers(self) -> None:
        largest = self.stored.max(axis=0, initial=0)
        faults = [
            Fault(
                place=f"{self.name}, channel {channel.name}",
                found=f"the integer {int(top)}",
                expected="integers up to 2^53, which float64 holds exactly",
                cure='Use events("stored"), or export the file again as double ($DATATYPE D).',
            )
            for channel, top in zip(self.channels, largest, strict=True)
            if int(top) > 2**53
        ]
        if faults:
            raise InputError(faults)


def _closed(values: NDArray[Any]) -> NDArray[Any]:
    values.flags.writeable = False
    return values
