"""A sample at a glance: for each channel its range, its middle, and how much of it lies at the ends of the scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from thrombokit.cells.off_scale import is_at_bottom, is_at_top
from thrombokit.cells.sample import Channel, Sample, Stage


@dataclass(frozen=True, kw_only=True)
class ChannelSummary:
    """One channel: smallest, median and largest finite value (None: there is none), and shares of events (of all, 0 to 1)."""

    channel: Channel
    smallest: float | None
    median: float | None
    largest: float | None
    share_at_top: float
    share_at_bottom: float
    n_not_finite: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON and for tables."""
        return {
            "name": self.channel.name, "label": self.channel.label, "range_max": self.channel.range_max, "decades": self.channel.decades,
            "gain": self.channel.gain, "min": self.smallest, "median": self.median, "max": self.largest,
            "share_at_top": self.share_at_top, "share_at_bottom": self.share_at_bottom, "not_finite": self.n_not_finite,
        }  # fmt: skip


def summarise_sample(sample: Sample, stage: Stage = "compensated") -> tuple[ChannelSummary, ...]:
    """What each channel holds, in the file's order.

    Parameters
    ----------
    sample : Sample
    stage : "stored", "decoded" or "compensated"
        Of which values smallest, median and largest are; ends of the scale are always looked for in the stored ones.

    Raises
    ------
    InputError
        If the file's spillover matrix cannot be used and `stage` is "compensated".
    """
    events = sample.events(stage)
    return tuple(_summary(sample, channel, column, events[:, column]) for column, channel in enumerate(sample.channels))


def sample_document(sample: Sample, stage: Stage = "compensated") -> dict[str, Any]:
    """All that `cells read --json` prints: file, channels with their summaries, spillover, keywords, notes."""
    return {
        "schema": "thrombokit.sample/1", "file": sample.name, "version": sample.version, "data_set": sample.data_set,
        "data_sets": sample.n_data_sets, "events": sample.n_events, "stage": stage,
        "channels": [summary.to_dict() for summary in summarise_sample(sample, stage)],
        "spillover": None if sample.spillover is None else {
            "channels": list(sample.spillover.channels), "matrix": sample.spillover.matrix.tolist(), "source": sample.spillover.source,
            "is_identity": sample.spillover.is_identity,
        },
        "spillover_faults": [fault.to_dict() for fault in sample.spillover_faults],
        "keywords": dict(sample.keywords), "notes": list(sample.notes),
    }  # fmt: skip


def events_table(sample: Sample, stage: Stage = "compensated") -> pl.DataFrame:
    """The events as a table, one column a channel; a name that stands twice gets its number: "FL1-A", "FL1-A (2)"."""
    events = sample.events(stage)
    columns: dict[str, np.ndarray] = {}
    for column, name in enumerate(sample.channel_names):
        number, title = 1, name or f"channel {column + 1}"
        while title in columns:
            number += 1
            title = f"{name} ({number})"
        columns[title] = np.ascontiguousarray(events[:, column])
    return pl.DataFrame(columns)


def _summary(sample: Sample, channel: Channel, column: int, values: np.ndarray) -> ChannelSummary:
    stored = sample.stored[:, column]
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    n = max(sample.n_events, 1)
    return ChannelSummary(
        channel=channel, smallest=_number(finite.min()) if finite.size else None, median=_number(np.median(finite)) if finite.size else None,
        largest=_number(finite.max()) if finite.size else None, share_at_top=float(is_at_top(stored, channel).sum()) / n,
        share_at_bottom=float(is_at_bottom(stored, channel).sum()) / n, n_not_finite=int(values.size - finite.size),
    )  # fmt: skip


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
