"""A chart that is kept as its Vega-Lite spec, data and all: what a saved result gives back without drawing it anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, eq=False)
class SavedChart:
    """The spec of a finished chart."""

    spec: dict[str, Any]

    def to_dict(self, *, validate: bool = False) -> dict[str, Any]:
        """The spec, as Altair's own charts give theirs; it was checked when it was drawn."""
        del validate
        return self.spec
