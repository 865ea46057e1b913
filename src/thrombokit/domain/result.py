"""What every result offers: a table, a few sentences, a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import altair as alt
    import polars as pl


class Result(Protocol):
    """Frozen and complete: estimate, interval, how it ended, the data used."""

    def table(self) -> pl.DataFrame:
        """One row per estimate; units in the column names."""
        ...

    def summary(self) -> str:
        """A few plain sentences."""
        ...

    def plot(self) -> alt.TopLevelMixin | Any:
        """An Altair chart, the same one notebook, report and page show."""
        ...
