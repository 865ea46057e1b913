"""Which of the peaks are 2N, 4N, 8N ...: the comb is found among them, without a start from the user.

A comb is a run of peaks each twice the one before, within what the exponent allows. The run that holds most events wins, and its lowest
peak is taken as 2N: an assumption (4N/8N/16N looks the same), which a reference replaces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from thrombokit.cells.ploidy_prior import EXPONENT_BAND
from thrombokit.numerics.peaks import HistogramPeaks

SLACK_OCTAVES = 0.05
WIDEST_OCTAVES = 0.42
EDGE_LEFT, EDGE_RIGHT = 0.05, 0.6
WIDEST_OVER_NEXT = 2.2
FAINT_Z, CLEAR_Z, SURE_Z = 3.0, 5.0, 8.0
"""A faint peak counts only where the comb expects one; a clear one wherever it lies; on a sure one a comb with a gap may stand."""
FAINT_SADDLE, FAINT_OCTAVES, FAINT_WIDTHS = 0.15, 0.06, (0.4, 2.0)
LEAST_SHARE_OF_RUN = 0.01
FREE_SADDLE = 0.1
SWELLING_SADDLE, SWELLING_SHARE = 0.4, 0.2
NEARLY_BEST = 0.9
DEFAULT_CV, WIDEST_CV = 0.05, 0.2
REFERENCE_OCTAVES = 0.2
LEAST_SHARE_ON_REFERENCE = 0.25
STRETCHED_RATIOS = (1.66, 2.30)
LEAST_STRETCHED_SHARE = 0.05
SUMS = (3.0, 5.0, 6.0, 9.0, 10.0, 12.0)
"""Places of doublets between the rungs, over 2N."""
LEAST_EXTRA_SHARE, WIDEST_EXTRA_OCTAVES = 0.02, 0.15


@dataclass(frozen=True, kw_only=True)
class Comb:
    """Where 2N seems to be (`g1`, `cv`), which peaks stand on the comb, and `stretched`: an exponent that the peaks ask for though it
    lies outside the band (None: none does)."""

    g1: float
    cv: float
    members: tuple[int, ...]
    stretched: float | None = None


def _on_rung(octaves: float, k: int, slack: float = SLACK_OCTAVES) -> bool:
    return k * EXPONENT_BAND[0] - slack <= octaves <= k * EXPONENT_BAND[1] + slack


def _run(peaks: HistogramPeaks, base: int) -> tuple[int, ...]:
    """Peaks of the comb from `base` up. It may miss one rung in a row where its base is sure, and the rung above a base that stands free:
    heaps of debris have nothing above them at twice their place, and cells nearly always do."""
    position = peaks.position
    sure = peaks.prominence_z[base] >= SURE_Z
    free = max(peaks.left_saddle[base], peaks.right_saddle[base]) < FREE_SADDLE
    members, missed = [base], 0
    for k in range(1, 8):
        octaves = np.log2(position / position[base])
        here = [j for j in range(base + 1, position.size) if _on_rung(float(octaves[j]), k)]
        if here:
            members.append(min(here, key=lambda j: abs(octaves[j] - k)))
            missed = 0
        else:
            missed += 1
            if missed > (1 if sure and (k > 1 or free) else 0):
                break
    return tuple(members)


def _may_be_base(peaks: HistogramPeaks, i: int) -> bool:
    edge = peaks.left_saddle[i] < EDGE_LEFT and peaks.right_saddle[i] > EDGE_RIGHT
    return bool(peaks.sd_log2[i] < WIDEST_OCTAVES and not edge)


def _is_heap(peaks: HistogramPeaks, run: tuple[int, ...]) -> bool:
    """Whether a run's base is debris rather than 2N: much wider than the rung above, or a faint swelling much smaller than it."""
    if len(run) == 1:
        return False
    base, above = run[0], run[1]
    wide = peaks.prominence_z[above] >= SURE_Z and peaks.sd_log2[base] > WIDEST_OVER_NEXT * peaks.sd_log2[above]
    swelling = peaks.prominence_z[base] < SURE_Z and max(peaks.left_saddle[base], peaks.right_saddle[base]) > SWELLING_SADDLE
    return bool(wide or (swelling and peaks.events[base] < SWELLING_SHARE * peaks.events[above]))


def find_comb(peaks: HistogramPeaks) -> Comb | None:
    """The comb that holds most events; None where no peak can be its base."""
    clear = peaks.prominence_z >= CLEAR_Z
    bases = [i for i in range(peaks.position.size) if clear[i] and _may_be_base(peaks, i)]
    runs = {i: _run(peaks, i) for i in bases}
    bases = [i for i in bases if not _is_heap(peaks, runs[i])]
    scores = {i: float(sum(peaks.events[j] for j in run if _may_be_base(peaks, j))) for i, run in runs.items() if i in bases}
    kept = [i for i in bases if peaks.prominence_z[i] >= SURE_Z or peaks.events[i] >= LEAST_SHARE_OF_RUN * scores[i]]
    if not kept:
        return None
    best = max(scores[i] for i in kept)
    base = min(i for i in kept if scores[i] >= NEARLY_BEST * best)
    if len(runs[base]) == 1:
        base = _stretched_below(peaks, kept, base)
    lower = _faint_below(peaks, base)
    return _described(peaks, base, runs[base]) if lower is None else _described(peaks, lower, (lower, *runs[base]))


def _stretched_below(peaks: HistogramPeaks, kept: list[int], base: int) -> int:
    """A lone peak is rather the 4N of a stretched comb where a sizeable peak lies at somewhat more or less than half of it."""
    for i in kept:
        ratio = float(peaks.position[base] / peaks.position[i])
        sizeable = peaks.events[i] >= LEAST_STRETCHED_SHARE * peaks.events.sum()
        if STRETCHED_RATIOS[0] < ratio < STRETCHED_RATIOS[1] and sizeable and peaks.sd_log2[i] < WIDEST_OCTAVES:
            return i
    return base


def _faint_below(peaks: HistogramPeaks, base: int) -> int | None:
    """A faint peak where 2N would be, were `base` 4N."""
    for i in range(base):
        octaves = float(np.log2(peaks.position[base] / peaks.position[i]))
        width = float(peaks.sd_log2[i] / peaks.sd_log2[base])
        stands = max(peaks.left_saddle[i], peaks.right_saddle[i]) < FAINT_SADDLE
        if abs(octaves - 1.0) < FAINT_OCTAVES and FAINT_WIDTHS[0] < width < FAINT_WIDTHS[1] and stands:
            return i
    return None


def _described(peaks: HistogramPeaks, base: int, members: tuple[int, ...]) -> Comb:
    cv = float(np.clip(peaks.sd_log2[base] * math.log(2.0), 0.01, WIDEST_CV))
    ratio = peaks.position / peaks.position[base]
    others = [
        j
        for j in range(peaks.position.size)
        if STRETCHED_RATIOS[0] < ratio[j] < STRETCHED_RATIOS[1] and peaks.events[j] >= LEAST_STRETCHED_SHARE * peaks.events.sum()
    ]
    alone = len(members) == 1 and len(others) == 1
    stretched = float(np.log2(ratio[others[0]])) if alone else None
    return Comb(g1=float(peaks.position[base]), cv=cv, members=(*members, *(others if alone else ())), stretched=stretched)


def comb_by_reference(peaks: HistogramPeaks, reference_2n: float) -> Comb:
    """The comb that a reference's 2N places, refined by the peak that lies nearest to one of its rungs."""
    octaves = np.log2(peaks.position / reference_2n) if peaks.position.size else np.zeros(0)
    rung = np.clip(np.rint(octaves), 0, 6)
    away = octaves - rung
    members = tuple(int(j) for j in np.flatnonzero((np.abs(away) < REFERENCE_OCTAVES) & (octaves > -REFERENCE_OCTAVES)))
    here, all_above = float(peaks.events[list(members)].sum()), float(peaks.events[octaves > -1.0].sum())
    if not members or here < LEAST_SHARE_ON_REFERENCE * all_above:
        return Comb(g1=reference_2n, cv=DEFAULT_CV, members=())
    lead = max(members, key=lambda j: float(peaks.events[j]) / (1.0 + 3.0 * float(rung[j])))
    g1 = reference_2n * 2.0 ** float(away[lead])
    cv = float(np.clip(peaks.sd_log2[lead] * math.log(2.0), 0.01, WIDEST_CV))
    return Comb(g1=g1, cv=cv, members=tuple(j for j in members if abs(away[j] - away[lead]) < 0.1 + 0.05 * rung[j]))


def off_the_comb(peaks: HistogramPeaks, comb: Comb) -> list[tuple[float, float, float]]:
    """(position, CV, events) of narrow, sizeable peaks that are neither rungs nor doublets."""
    total = float(peaks.events.sum())
    out: list[tuple[float, float, float]] = []
    for i in range(peaks.position.size):
        octaves = float(np.log2(peaks.position[i] / comb.g1))
        near_rung = any(_on_rung(octaves, k, 0.1) for k in range(7))
        near_sum = any(abs(octaves - math.log2(times)) < 0.07 for times in SUMS)
        sizeable = peaks.events[i] >= LEAST_EXTRA_SHARE * total and peaks.sd_log2[i] <= WIDEST_EXTRA_OCTAVES
        edge = not _may_be_base(peaks, i)
        clear = peaks.prominence_z[i] >= CLEAR_Z
        if i not in comb.members and clear and sizeable and not (near_rung or near_sum or edge):
            cv = float(np.clip(peaks.sd_log2[i] * math.log(2.0), 0.012, 0.12))
            out.append((float(peaks.position[i]), cv, float(peaks.events[i])))
    return out
