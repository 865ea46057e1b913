"""What a run of an event table hands on: outputs at each record, how they were computed, and every decision of a titration."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import numpy as np
import polars as pl

from thrombokit.drawing.individuals import individuals_chart
from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, IntArray, frozen
from thrombokit.patients.event_table import id_text
from thrombokit.patients.ledger import Ledger


@dataclass(frozen=True, kw_only=True, eq=False)
class EventsResult(FrozenArrays):
    """Outputs (n_records, n_outputs) at the records of `source`, in their order.

    `individual` (n_records,) counts individuals from 0; `observed` (n_records,) says which records are observations (EVID 0). `engine` is
    "exact" (matrix exponentials alone), "exact-pk" or "ode"; `stated_error` its relative error. With a seed the outputs carry random
    effects and measurement error.
    """

    source: str
    model_file: str
    id: Array
    time: Array
    individual: IntArray
    observed: BoolArray
    outputs: Array
    output_names: tuple[str, ...]
    time_unit: str
    engine: str
    solver: str
    stated_error: float
    seed: int | None = None
    ledger: Ledger | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("id", "time", "outputs"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "individual", frozen(self.individual, np.int64))
        object.__setattr__(self, "observed", frozen(self.observed, np.bool_))

    @property
    def n_individuals(self) -> int:
        """Individuals of the table."""
        return int(self.individual[-1]) + 1

    def table(self) -> pl.DataFrame:
        """One row a record, in the order of the file: ID, TIME, the outputs under their names."""
        ids: Array | IntArray = self.id.astype(np.int64) if (self.id % 1 == 0).all() else self.id
        columns = {name: self.outputs[:, k] for k, name in enumerate(self.output_names)}
        return pl.DataFrame({"ID": ids, "TIME": self.time, **columns})

    def to_dict(self) -> dict[str, object]:
        """The result as plain values, for `--json`."""
        rows = self.table()
        return {
            "schema": "thrombokit.events/1", "events": self.source, "model": self.model_file, "engine": self.engine, "solver": self.solver,
            "stated_error": self.stated_error, "seed": self.seed, "individuals": self.n_individuals, "time_unit": self.time_unit,
            "columns": {name: rows[name].to_list() for name in rows.columns},
            "ledger": None if self.ledger is None else self.ledger.table().to_dicts(), "notes": list(self.notes),
        }  # fmt: skip

    def summary(self) -> str:
        """What was run, by which engine with which error, the range of each output, and what was noticed on the way."""
        drawn = (
            "without random effects or measurement error"
            if self.seed is None
            else f"with random effects and errors of seed {self.seed}"
        )
        said = [f"{self.n_individuals} individuals, {self.time.size} records of {self.source} through {self.model_file}, {drawn}.",
                f"Engine {self.engine} ({self.solver}), relative error at most {self.stated_error:.0e}."]  # fmt: skip
        for k, name in enumerate(self.output_names):
            said.append(f"{name}: {self.outputs[:, k].min():.4g} to {self.outputs[:, k].max():.4g}.")
        if self.ledger is not None:
            said.append(f"{self.ledger.table().height} decisions on the dose.")
        return " ".join([*said, *self.notes])

    def plot(self, output: str | None = None) -> alt.TopLevelMixin:
        """One output over time, a line an individual; the first output unless named.

        Raises
        ------
        InputError
            If there is no such output.
        """
        folded = [name.casefold() for name in self.output_names]
        k = folded.index(output.casefold()) if output and output.casefold() in folded else 0 if output is None else -1
        labels = [id_text(float(number)) for number in self.id]
        return individuals_chart(
            time=self.time, values=self.outputs[:, k] if k >= 0 else np.empty(0), individual=self.individual, labels=labels,
            time_title=f"time ({self.time_unit})", value_title=self.output_names[k] if k >= 0 else str(output),
        )  # fmt: skip
