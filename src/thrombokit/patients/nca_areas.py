"""Areas under a concentration curve and under its first moment, by trapezoids.

Two ways: straight lines everywhere ("linear"), or straight lines up and exponentials down ("linear-up/log-down"), which is what a
first-order loss does. Where the exponential cannot be drawn (a zero, or two values that hardly differ) the straight line stands in.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array
from thrombokit.patients.nca_choices import AreaMethod

NEARLY_EQUAL = 3e-4
"""Two concentrations whose log ratio is below this are joined by a straight line: the areas differ by less than 1e-8 of themselves."""


def segment_areas(time: Array, concentration: Array, method: AreaMethod) -> tuple[Array, Array]:
    """Area and moment between neighbouring samples.

    Parameters
    ----------
    time : array of shape (n,), rising
        Time since the dose.
    concentration : array of shape (n,), 0 or more
        At these times.
    method : AreaMethod
        How they are joined.

    Returns
    -------
    area, moment : arrays of shape (n - 1,)
        Integral of C and of t C over each segment.

    References
    ----------
    Gabrielsson and Weiner 2016, Pharmacokinetic and Pharmacodynamic Data Analysis, 5th edition, chapter 2.8 (the trapezoidal rules).
    """
    t1, t2, c1, c2 = time[:-1], time[1:], concentration[:-1], concentration[1:]
    width = t2 - t1
    area = 0.5 * width * (c1 + c2)
    moment = 0.5 * width * (t1 * c1 + t2 * c2)
    if method is AreaMethod.LINEAR_UP_LOG_DOWN:
        for k in np.flatnonzero((c2 < c1) & (c2 > 0.0)):
            far = c1[k] > 2.0 * c2[k]
            ratio = np.log(c1[k]) - np.log(c2[k]) if far else np.log1p((c1[k] - c2[k]) / c2[k])
            if ratio > NEARLY_EQUAL:
                rate = ratio / width[k]
                area[k] = (c1[k] - c2[k]) / rate
                moment[k] = (t1[k] * c1[k] - t2[k] * c2[k]) / rate + area[k] / rate
    return area, moment


def concentration_at(moment: float, time: Array, concentration: Array, method: AreaMethod) -> float:
    """Concentration at a time within the samples, on the line that joins its neighbours; at a sample, the sample."""
    k = int(np.searchsorted(time, moment))
    if k < time.size and time[k] == moment:
        return float(concentration[k])
    c1, c2 = float(concentration[k - 1]), float(concentration[k])
    share = (moment - float(time[k - 1])) / float(time[k] - time[k - 1])
    if method is AreaMethod.LINEAR_UP_LOG_DOWN and 0.0 < c2 < c1:
        return c1 * (c2 / c1) ** share
    return c1 + share * (c2 - c1)


def area_between(start: float, end: float, time: Array, concentration: Array, method: AreaMethod) -> float:
    """Area from `start` to `end`, both within the samples; ends between two samples are interpolated."""
    inside = (time > start) & (time < end)
    ends = [concentration_at(at, time, concentration, method) for at in (start, end)]
    times = np.concatenate(([start], time[inside], [end]))
    values = np.concatenate((ends[:1], concentration[inside], ends[1:]))
    return float(segment_areas(times, values, method)[0].sum())
