"""Ploidy over a plate: wells stained and read together share their 2N position, exponent, CV and peak shape, nearly.

Each well is fitted on its own first. From these fits comes what the wells have in common: for each shape parameter its mean over wells and
how much wells differ in truth (what is left of their scatter after their own errors). With that as the prior every well is fitted again
(empirical Bayes): a well with many cells keeps its own shape, one with few borrows the plate's. How far each well's own shape lies from
the plate's is reported, and far ones are named.

References
----------
DerSimonian R, Laird N (1986) Control Clin Trials 7:177-188, doi:10.1016/0197-2456(86)90046-2 (variance between, by moments).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from thrombokit.cells import ploidy_model as model
from thrombokit.cells.ploidy import PreparedTube, fit_ploidy, fit_tube, prepare_tube
from thrombokit.cells.ploidy_prior import EXPONENT_BAND, ShapePrior, usual_prior
from thrombokit.cells.ploidy_result import ploidy_of
from thrombokit.cells.ploidy_shares import parameter_covariance
from thrombokit.cells.ploidy_signal import check_reference, read_signal
from thrombokit.domain.ploidy import Octave, Ploidy
from thrombokit.errors import InputError, raise_all
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen
from thrombokit.scale.engine import Engine, SerialEngine

SHARED: dict[str, int] = {
    "ln_g1_peak": model.LOG_G1, "exponent": model.EXPONENT, "offset": model.OFFSET, "ln_cv": model.LOG_CV, "noise": model.NOISE,
    "cv_slope": model.CV_SLOPE, "tail": model.TAIL, "ln_tail_scale": model.LOG_TAIL_SCALE, "tail_shift": model.TAIL_SHIFT,
    "s_late": model.S_LATE, "s_middle": model.S_MIDDLE,
}  # fmt: skip
"""Shape parameters that wells share, and their places in the model."""
REPORTED = ("ln_g1_peak", "exponent", "ln_cv")
LEAST_SPREAD = 0.1
"""Wells are never believed to be more alike than this share of the usual prior's SD (of the 2N position: 0.5 %)."""
LEAST_G1_SPREAD = 0.005
FAR_Z, OUTLIER_SDS = 4.0, 5.0
LEAST_WELLS = 3
SAME_G1_OCTAVES = 0.25
WELLS_A_TASK = 4


@dataclass(frozen=True, kw_only=True)
class SharedShape:
    """One parameter over the plate: its mean, and the SD by which wells truly differ."""

    parameter: str
    mean: float
    between_well_sd: float


@dataclass(frozen=True, kw_only=True, eq=False)
class PlatePloidy(FrozenArrays):
    """All wells of a plate.

    `wells` in the order given; `shared` empty where fewer than three wells could be fitted; `deviations` (n_wells, 3) of each well's own
    ln 2N position, exponent and ln CV from the plate's, in SDs of what chance and ordinary differences allow (NaN: not fitted);
    `notes` name the wells that lie far off.
    """

    names: tuple[str, ...]
    wells: tuple[Ploidy, ...]
    shared: tuple[SharedShape, ...]
    deviations: Array
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "deviations", frozen(self.deviations))

    def table(self) -> pl.DataFrame:
        """One row per well and class: `well`, `class`, `fraction`, `low`, `high`, `verdict`."""
        rows = [
            well.table().with_columns(pl.lit(name).alias("well"), pl.lit(well.verdict).alias("verdict"))
            for name, well in zip(self.names, self.wells, strict=True)
        ]
        return pl.concat(rows).select("well", "class", "fraction", "low", "high", "verdict")

    def to_dict(self) -> dict[str, Any]:
        """As JSON: `shared`, and for each well its name, deviations and Ploidy."""
        wells = [
            {
                "well": name,
                "deviations": {key: _number(value) for key, value in zip(REPORTED, row, strict=True)},
                **well.to_dict(),
            }
            for name, row, well in zip(self.names, self.deviations, self.wells, strict=True)
        ]
        shared = [{"parameter": s.parameter, "mean": s.mean, "between_well_sd": s.between_well_sd} for s in self.shared]
        return {"schema": "thrombokit.plate_ploidy/1", "shared": shared, "notes": list(self.notes), "wells": wells}


@dataclass(frozen=True, kw_only=True, eq=False)
class _Plate(FrozenArrays):
    """What a worker needs: all signals, where 2N is (None: to be found), what it was placed by, and the plate's prior (None: not yet)."""

    wells: tuple[Array, ...]
    reference_2n: float | None
    octave: Octave
    prior: ShapePrior | None


@dataclass(frozen=True, kw_only=True, eq=False)
class _OwnShape:
    """One well's own fit: `value` and `error` of each shared parameter, shape (n_shared,), and its 2N position."""

    value: Array
    error: Array
    g1: float


def fit_ploidy_plate(
    wells: Sequence[Array],
    *,
    reference_2n: float | None = None,
    names: Sequence[str] | None = None,
    engine: Engine | None = None,
) -> PlatePloidy:
    """Ploidy of every well of a plate, peak positions and shapes shared.

    Parameters
    ----------
    wells : sequence of arrays of shape (n_cells,)
        DNA signal of each well, same scale.
    reference_2n : float, optional
        2N peak of the plate's diploid reference. Without it the lowest 2N position that several wells agree on places the octave
        ("plate"); where fewer than three agree it is assumed.
    names : sequence of str, optional
        What wells are called; "1", "2", ... otherwise.
    engine : Engine, optional
        Where to run; this process otherwise. The answer does not depend on it.

    Returns
    -------
    PlatePloidy

    Raises
    ------
    InputError
        If a signal is not one-dimensional or not finite, or the reference is not a positive number; all wells in one pass.
    """
    called = tuple(names) if names is not None else tuple(str(i + 1) for i in range(len(wells)))
    if len(called) != len(wells):
        raise ValueError(f"{len(called)} names for {len(wells)} wells")
    check_reference(reference_2n)
    _check_wells(wells, called)
    run = engine or SerialEngine()
    plate = _Plate(
        wells=tuple(np.asarray(w, dtype=np.float64) for w in wells), reference_2n=reference_2n, octave="reference", prior=None
    )
    own = [shape for part in run.map_ranges(_own_shapes, plate, len(wells), chunk=WELLS_A_TASK) for shape in part]
    g1, octave = _plate_octave(own, reference_2n)
    fitted = [shape for shape in own if shape is not None and (g1 is None or _octaves_off(shape.g1, g1) < SAME_G1_OCTAVES)]
    shared = _shared_shape(fitted) if len(fitted) >= LEAST_WELLS else ()
    prior = _plate_prior(shared) if shared else None
    plate = replace(plate, reference_2n=g1, octave=octave, prior=prior)
    results = tuple(w for part in run.map_ranges(_final_fits, plate, len(wells), chunk=WELLS_A_TASK) for w in part)
    deviations = _deviations(own, shared)
    return PlatePloidy(
        names=called, wells=results, shared=shared, deviations=deviations, notes=tuple(_notes(called, deviations, shared))
    )  # fmt: skip


def _check_wells(wells: Sequence[Array], names: tuple[str, ...]) -> None:
    faults = []
    for name, well in zip(names, wells, strict=True):
        try:
            read_signal(well, name=f"well {name}")
        except InputError as error:
            faults.extend(error.faults)
    raise_all(faults)


def _own_shapes(plate: _Plate, start: int, stop: int) -> list[_OwnShape | None]:
    out: list[_OwnShape | None] = []
    for well in plate.wells[start:stop]:
        tube = prepare_tube(well, plate.reference_2n)
        out.append(None if isinstance(tube, Ploidy) or tube.comb.stretched is not None else _own_shape(tube, plate.reference_2n))
    return out


def _own_shape(tube: PreparedTube, reference_2n: float | None) -> _OwnShape:
    fit = fit_tube(tube, usual_prior(None if reference_2n is None else tube.comb.g1))
    known = parameter_covariance(fit)
    places = np.array(list(SHARED.values()))
    error = np.full(places.size, math.inf)
    for i, place in enumerate(places):
        at = np.flatnonzero(known.places == place)
        if at.size:
            error[i] = math.sqrt(max(float(known.covariance[at[0], at[0]]), 1e-16))
    return _OwnShape(value=fit.theta[places], error=error, g1=fit.rung(0)[0])


def _final_fits(plate: _Plate, start: int, stop: int) -> list[Ploidy]:
    out: list[Ploidy] = []
    for well in plate.wells[start:stop]:
        if plate.prior is None:
            octave: Octave = plate.octave if plate.reference_2n is not None else "reference"
            out.append(fit_ploidy(well, reference_2n=plate.reference_2n, octave=octave))
            continue
        tube = prepare_tube(well, plate.reference_2n)
        if isinstance(tube, Ploidy):
            out.append(tube)
            continue
        fit = fit_tube(tube, plate.prior)
        octave = plate.octave if plate.reference_2n is not None else "assumed"
        out.append(ploidy_of(fit, tube.signal, tube.comb, octave=octave, reference_2n=plate.reference_2n, assignment="lower"))
    return out


def _octaves_off(g1: float, other: float) -> float:
    return abs(math.log2(g1 / other))


def _plate_octave(own: Sequence[_OwnShape | None], reference_2n: float | None) -> tuple[float | None, Octave]:
    """The plate's 2N position: the reference's, or the lowest that at least three wells (and a tenth of them) agree on."""
    if reference_2n is not None:
        return reference_2n, "reference"
    positions = np.sort([shape.g1 for shape in own if shape is not None])
    need = max(LEAST_WELLS, math.ceil(0.1 * positions.size))
    for position in positions:
        near = positions[np.abs(np.log2(positions / position)) < SAME_G1_OCTAVES]
        if near.size >= need:
            return float(np.median(near)), "plate"
    return None, "assumed"


def _shared_shape(fitted: list[_OwnShape]) -> tuple[SharedShape, ...]:
    usual = usual_prior()
    out: list[SharedShape] = []
    for i, (name, place) in enumerate(SHARED.items()):
        value = np.array([shape.value[i] for shape in fitted])
        error = np.array([shape.error[i] for shape in fitted])
        known = np.isfinite(error)
        least = LEAST_G1_SPREAD if place == model.LOG_G1 else LEAST_SPREAD * float(usual.spread[place])
        if np.count_nonzero(known) < LEAST_WELLS:
            if place == model.LOG_G1:
                return ()
            out.append(SharedShape(parameter=name, mean=float(usual.centre[place]), between_well_sd=float(usual.spread[place])))
            continue
        mean, sd = _mean_and_spread(value[known], error[known])
        out.append(SharedShape(parameter=name, mean=mean, between_well_sd=max(sd, least)))
    return tuple(out)


def _mean_and_spread(value: Array, error: Array) -> tuple[float, float]:
    """Weighted mean and SD between wells; wells far outside the rest are left out of both."""
    middle = float(np.median(value))
    scale = 1.4826 * float(np.median(np.abs(value - middle)))
    kept = np.abs(value - middle) <= OUTLIER_SDS * np.hypot(scale, error)
    value, error = value[kept], error[kept]
    weight = 1.0 / error**2
    mean = float(np.sum(weight * value) / np.sum(weight))
    q = float(np.sum(weight * (value - mean) ** 2))
    spare = float(np.sum(weight) - np.sum(weight**2) / np.sum(weight))
    between = max((q - (value.size - 1)) / spare, 0.0) if spare > 0.0 else 0.0
    weight = 1.0 / (error**2 + between)
    return float(np.sum(weight * value) / np.sum(weight)), math.sqrt(between)


def _plate_prior(shared: tuple[SharedShape, ...]) -> ShapePrior:
    prior = usual_prior()
    for shape in shared:
        prior = prior.with_parameter(SHARED[shape.parameter], shape.mean, shape.between_well_sd)
    return prior


def _deviations(own: Sequence[_OwnShape | None], shared: tuple[SharedShape, ...]) -> Array:
    out = np.full((len(own), len(REPORTED)), math.nan)
    by_name = {shape.parameter: shape for shape in shared}
    places = {name: i for i, name in enumerate(SHARED)}
    for row, shape in enumerate(own):
        if shape is None or not shared:
            continue
        for column, name in enumerate(REPORTED):
            error = float(shape.error[places[name]])
            if math.isfinite(error):
                away = float(shape.value[places[name]]) - by_name[name].mean
                out[row, column] = away / math.hypot(error, by_name[name].between_well_sd)
    return out


def _notes(names: tuple[str, ...], deviations: Array, shared: tuple[SharedShape, ...]) -> list[str]:
    out: list[str] = []
    said = {"ln_g1_peak": "2N position", "exponent": "exponent", "ln_cv": "CV"}
    for name, row in zip(names, deviations, strict=True):
        far = [f"{said[key]} by {value:+.1f} SD" for key, value in zip(REPORTED, row, strict=True) if abs(value) > FAR_Z]
        if far:
            out.append(f"Well {name} departs from the plate in its {', '.join(far)}.")
    for shape in shared:
        if shape.parameter == "exponent" and not EXPONENT_BAND[0] <= shape.mean <= EXPONENT_BAND[1]:
            out.append(f"The plate's exponent is {shape.mean:.3f}, outside {EXPONENT_BAND[0]} to {EXPONENT_BAND[1]}.")
    return out


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
