"""The model held against measured phosphorylation, and a few declared rates fitted to it.

What an instrument reads above its vehicle is scale x amount of the phosphorylated species, with a scale of its own for each assay, analyte
and run: it is solved for exactly at every set of rates (variable projection), so that only the shape over dose and time tells. The rates
to fit are named by the user and stay within their declared range. Agonists keep the affinity and efficacy they were given.

Runs (or donors) are n: a rate's interval is Student's over the runs' own estimates, on the logarithm; with fewer than three runs there is
none. A rate that the data hardly move, or that ends at the edge of its range, is said to be so.

References
----------
Golub GH, Pereyra V (1973) The differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate. SIAM J
Numer Anal 10:413-432, doi:10.1137/0710036.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import altair as alt
import numpy as np
import polars as pl
from scipy.optimize import least_squares

from thrombokit.drawing.measured_signals import measured_chart
from thrombokit.drawing.numerals import three_digits
from thrombokit.errors import Fault, raise_all
from thrombokit.numerics.arrays import Array
from thrombokit.numerics.student import t_interval
from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.measured import GROUP, OBSERVED, POINT, MeasuredSignals
from thrombokit.signalling.rates import Rate
from thrombokit.signalling.tpor_model import TporModel
from thrombokit.signalling.treatments import Treatment

MOST_RATES = 6
RUNS_FOR_AN_INTERVAL = 3
HARDLY_MOVED = 0.01
"""A rate is not told by the data if a change by a factor of two moves the simulated signal by less than this share of its range (RMS)."""
FOLLOWS = 0.5
"""R2 below which the model is said not to follow the data; a convention."""
_MINUTES = 60.0
_AT_EDGE = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class FittedRate:
    """One rate: what it was, what the data say (`estimate` over the runs), and how that ended.

    `estimate` is the old value where the data do not tell it;
    `low` and `high` are None without an interval. `verdict`: "fit", "at_bound", "not_told" or "few_runs".
    """

    id: str
    unit: str
    before: float
    estimate: float
    low: float | None
    high: float | None
    by_run: tuple[float, ...]
    verdict: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SignalFit:
    """Model beside measurement.

    `points` has one row a measured point and run: `assay, analyte, run, agonist, concentration_nM, time_min, response_pct, model_pct`; `quality`
    one row a scale: `assay, analyte, run, n, rms_pct, r_squared`. `caption` belongs under every figure.
    """

    points: pl.DataFrame
    quality: pl.DataFrame
    rates: tuple[FittedRate, ...]
    cell_system: str
    caption: str
    confidence: float = 0.95

    def table(self) -> pl.DataFrame:
        """One row a fitted rate."""
        columns = ("id", "unit", "before", "estimate", "low", "high", "verdict")
        rows = [{name: getattr(rate, name) for name in columns} | {"n_runs": len(rate.by_run)} for rate in self.rates]
        return pl.DataFrame(rows, infer_schema_length=None)

    def summary(self) -> str:
        """How near the model comes, and what the rates became."""
        near = self.quality.filter(pl.col("rms_pct").is_not_null())
        said = [f"{row['analyte']} by {row['assay']}: model and measurement differ by {row['rms_pct']:.2g} points of 100 (RMS, {row['n']} runs)."
                for row in near.group_by("analyte", "assay", maintain_order=True)
                .agg(pl.col("rms_pct").pow(2).mean().sqrt(), pl.len().alias("n")).to_dicts()]  # fmt: skip
        return " ".join([*said, *(rate_sentence(rate, self.confidence) for rate in self.rates), *self.caveats(), self.caption])

    def caveats(self) -> list[str]:
        """Analytes whose shape over dose and time the model does not follow; fitted rates then take up its misfit."""
        poor = self.quality.filter(pl.col("r_squared").is_null() | (pl.col("r_squared") < FOLLOWS))
        names = ", ".join(poor["analyte"].unique(maintain_order=True).to_list())
        if not names:
            return []
        rates = " Fitted rates take up that misfit: do not read them as measurements." if self.rates else ""
        return [f"The model does not follow {names} over dose and time (R2 below {FOLLOWS:g} in at least one run).{rates}"]

    def plot(self) -> alt.FacetChart:
        """Measured points of every run with the model's line, a panel an analyte and kind of series."""
        return measured_chart(
            self.points, caption=self.caption, description=f"Measured phosphorylation in {self.cell_system} beside the model."
        )


def rate_sentence(rate: FittedRate, confidence: float) -> str:
    """One fitted rate in words."""
    here = f"{rate.id} = {three_digits(rate.estimate)} {rate.unit} (was {three_digits(rate.before)})"
    if rate.verdict == "not_told":
        return f"{rate.id}: these data do not tell it; {three_digits(rate.before)} {rate.unit} is kept."
    if rate.verdict == "at_bound":
        return f"{here}: it ended at the edge of its declared range, so that it is a bound, not an estimate."
    if rate.low is None or rate.high is None:
        return f"{here}, from {len(rate.by_run)} run{'' if len(rate.by_run) == 1 else 's'}: too few for an interval."
    return f"{here}, {100 * confidence:g} % interval {three_digits(rate.low)} to {three_digits(rate.high)} over {len(rate.by_run)} runs."


def fit_signals(
    measured: MeasuredSignals, model: TporModel, bindings: Sequence[Binding], *, rates: Sequence[str] = (), confidence: float = 0.95
) -> SignalFit:
    """Hold the model against measurements; fit the named rates.

    Parameters
    ----------
    measured : MeasuredSignals
        Analytes of `OBSERVED`.
    model : TporModel
    bindings : sequence of Binding
        Of every agonist measured.
    rates : sequence of str
        At most six, of tpor_rates.toml, that have a range; none: scale and background alone.
    confidence : float

    Returns
    -------
    SignalFit

    Raises
    ------
    InputError
        With every unknown analyte, agonist and rate, and if no run has a scale.
    """
    known = {rate.id: rate for rate in model.rate_set}
    raise_all(_faults(measured, model, bindings, rates, known))
    chosen = [known[id] for id in rates]
    scaled = measured.points.filter(pl.col("response_pct").is_not_null())
    by_run = {
        run: _Run.of(scaled.filter(pl.col("run") == run), model, bindings) for run in scaled["run"].unique(maintain_order=True)
    }
    ends = {run: one.best(chosen) for run, one in by_run.items()} if chosen else {}
    fitted = tuple(
        _summed(rate, at, list(ends.values()), list(by_run.values()), chosen, confidence) for at, rate in enumerate(chosen)
    )
    changed = {rate.id: rate.estimate for rate in fitted if rate.verdict != "not_told"}
    points = pl.concat([one.compared(changed) for one in by_run.values()])
    note = " The scale of each assay, analyte and run is fitted"
    note += f"; so {'are' if len(changed) > 1 else 'is'} {', '.join(changed)}." if changed else ", no rate."
    return SignalFit(points=points, quality=_quality(points), rates=fitted, cell_system=model.cell_system.name, confidence=confidence,
                     caption=model.rate_set.caption() + note)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """Points of one run, and the treatments behind them."""

    points: pl.DataFrame
    model: TporModel
    bindings: Sequence[Binding]
    treatments: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, points: pl.DataFrame, model: TporModel, bindings: Sequence[Binding]) -> _Run:
        means = points.group_by(*GROUP, *POINT, maintain_order=True).agg(pl.col("response_pct").mean(), pl.len().alias("n"))
        named = means.select("agonist", "concentration_nM").unique(maintain_order=True).iter_rows()
        return cls(points=means, model=model, bindings=bindings, treatments=tuple(dict.fromkeys(named)))

    def amounts(self, changed: Mapping[str, float]) -> Array:
        """What the model has of each point's analyte (zmol), shape (n_points,)."""
        model = replace(self.model, replaced={**self.model.replaced, **changed})
        session = model.session()
        size = {one.id: one.size or 1.0 for one in model.network.compartments}
        found = np.empty(self.points.height)
        agonist, dose, time, analyte = (self.points[name].to_numpy() for name in (*POINT, "analyte"))
        for name, amount in self.treatments:
            here = (agonist == name) & (dose == amount)
            time_h = np.unique(np.append(time[here] / _MINUTES, 0.0))
            time_h = time_h if time_h.size > 1 else np.array([0.0, 1.0])
            given = {name: amount} if amount > 0.0 else dict[str, float]()
            levels = model.activity(Treatment(agonists_nM=given), self.bindings, time_h, session=session)
            for at in np.flatnonzero(here):
                moment = int(np.argmin(np.abs(time_h - time[at] / _MINUTES)))
                found[at] = sum(
                    float(levels[id][moment]) * size[model.network.species_by_id[id].compartment] for id in OBSERVED[analyte[at]]
                )
        return found

    def predicted(self, changed: Mapping[str, float]) -> Array:
        """Response of the model (%) with the scale of each assay and analyte solved for."""
        amounts, response = self.amounts(changed), self.points["response_pct"].to_numpy()
        keys = self.points.select(pl.struct("assay", "analyte").rank("dense")).to_series().to_numpy()
        predicted = np.empty_like(amounts)
        for key in np.unique(keys):
            here = keys == key
            predicted[here] = _scaled(amounts[here], response[here])
        return predicted

    def residuals(self, changed: Mapping[str, float]) -> Array:
        return self.predicted(changed) - self.points["response_pct"].to_numpy()

    def best(self, rates: Sequence[Rate]) -> Array:
        """Logarithms of the rates that fit best, within their ranges; shape (n_rates,)."""
        low, high = (np.log([getattr(rate, end) for rate in rates]) for end in ("low", "high"))
        start = np.clip(np.log([rate.value for rate in rates]), low + 1e-6, high - 1e-6)

        def misfit(log_rates: Array) -> Array:
            return self.residuals(_named(rates, log_rates))

        found = least_squares(misfit, start, bounds=(low, high), diff_step=1e-3, xtol=1e-6, ftol=1e-6, x_scale=1.0, max_nfev=40)
        return np.asarray(found.x, dtype=np.float64)

    def moved_by(self, rates: Sequence[Rate], log_rates: Array, at: int) -> float:
        """RMS change of the simulated response, in shares of its range, when one rate doubles."""
        base = self.predicted(_named(rates, log_rates))
        doubled = np.array(log_rates)
        doubled[at] += math.log(2.0)
        return float(np.sqrt(np.mean((self.predicted(_named(rates, doubled)) - base) ** 2))) / 100.0

    def compared(self, changed: Mapping[str, float]) -> pl.DataFrame:
        return self.points.with_columns(model_pct=pl.Series(self.predicted(changed)))


def _named(rates: Sequence[Rate], log_rates: Array) -> dict[str, float]:
    return {rate.id: math.exp(value) for rate, value in zip(rates, log_rates.tolist(), strict=True)}


def _scaled(amounts: Array, response: Array) -> Array:
    """Scale x amounts by least squares, the scale not below 0."""
    square = float(amounts @ amounts)
    return amounts * (max(float(amounts @ response) / square, 0.0) if square > 0.0 else 0.0)


def _summed(rate: Rate, at: int, ends: list[Array], runs: list[_Run], chosen: Sequence[Rate], confidence: float) -> FittedRate:
    """One rate over the runs, and how it ended."""
    logs = np.array([end[at] for end in ends])
    moved = max(run.moved_by(chosen, end, at) for run, end in zip(runs, ends, strict=True))
    interval = t_interval(logs, confidence=confidence)
    edges = np.log([rate.low, rate.high])
    at_edge = bool(np.any(np.abs(logs[:, None] - edges[None, :]) < _AT_EDGE))
    verdict = (
        "not_told"
        if moved < HARDLY_MOVED
        else "at_bound"
        if at_edge
        else "fit"
        if logs.size >= RUNS_FOR_AN_INTERVAL
        else "few_runs"
    )
    known = verdict == "fit"
    return FittedRate(
        id=rate.id, unit=rate.unit.replace("_", " "), before=rate.value,
        estimate=rate.value if verdict == "not_told" else math.exp(interval.mean),
        low=math.exp(interval.low) if known else None, high=math.exp(interval.high) if known else None,
        by_run=tuple(np.exp(logs).tolist()), verdict=verdict,
    )  # fmt: skip


def _quality(points: pl.DataFrame) -> pl.DataFrame:
    left = (pl.col("response_pct") - pl.col("model_pct")).pow(2)
    whole = (pl.col("response_pct") - pl.col("response_pct").mean()).pow(2)
    r_squared = pl.when(whole.sum() > 0.0).then(1.0 - left.sum() / whole.sum()).otherwise(None)
    return points.group_by(*GROUP, maintain_order=True).agg(
        pl.len().alias("n"), left.mean().sqrt().alias("rms_pct"), r_squared.alias("r_squared")
    )


def _faults(
    measured: MeasuredSignals, model: TporModel, bindings: Sequence[Binding], rates: Sequence[str], known: Mapping[str, Rate]
) -> list[Fault]:
    place = "signalling, measured data"
    faults = [
        Fault(place=place, found=f'the analyte "{name}"', expected=", ".join(OBSERVED), cure="Rename it, or leave its rows out of the fit.")
        for name in measured.points["analyte"].unique(maintain_order=True) if name not in OBSERVED
    ]  # fmt: skip
    bound = {binding.agonist for binding in bindings}
    given = measured.points.filter(pl.col("concentration_nM") > 0.0)["agonist"].unique(maintain_order=True)
    faults += [
        Fault(place=place, found=f'the agonist "{name}" without affinity and efficacy', expected=", ".join(sorted(bound)) or "an agonist",
              cure="Give the agonist a measured EC50 or a file.")
        for name in given if name not in bound
    ]  # fmt: skip
    for id in rates:
        if id not in known or id not in model.network.parameter_by_id or not known[id].varies:
            faults.append(Fault(place="signalling, rates to fit", found=f'"{id}"', expected="a rate of tpor_rates.toml with a range",
                                cure="Check its spelling, or leave it out."))  # fmt: skip
    if len(rates) > MOST_RATES or len(set(rates)) < len(rates):
        faults.append(Fault(place="signalling, rates to fit", found=f"{len(rates)} rates", expected=f"at most {MOST_RATES}, each once",
                            cure="Fit a few rates that the data can tell."))  # fmt: skip
    if measured.points["response_pct"].drop_nulls().is_empty():
        faults.append(Fault(place=place, found="no run with a scale", expected="a vehicle or a time 0 in at least one run",
                            cure="Add the rows of the vehicle (concentration 0)."))  # fmt: skip
    return faults
