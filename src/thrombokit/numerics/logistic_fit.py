"""Weighted 4PL and 3PL fits of many curves, by variable projection; compiled.

For a fixed (m, ln h) the two plateaus are a straight-line regression of the response on q, where q is the logistic g or 1 - g,
whichever keeps its digits. What is left is a problem in two bounded unknowns, solved by a grid start and Levenberg-Marquardt with
Kaufman's Jacobian; its normal matrix is the Schur complement of the full problem, so its inverse is the covariance of (m, ln h). Replicates are
collapsed to dose means beforehand (`collapse.py`), which changes no estimate.

References: Golub & Pereyra 2003, doi:10.1088/0266-5611/19/2/201; Kaufman 1975, doi:10.1007/BF01932995.
"""

from __future__ import annotations

import numpy as np

from thrombokit.numerics.arrays import Array, IntArray
from thrombokit.numerics.jit import kernel
from thrombokit.numerics.small_matrix import copy_into, invert_scaled

LN_HILL_LOW, LN_HILL_HIGH = float(np.log(0.1)), float(np.log(10.0))
"""Bounds of ln(hill slope): 0.1 to 10. A hill of 10 is a step between two doses a factor of 3 apart."""

REACH = 7.0
"""How far beyond the lowest and highest dose ln EC50 is looked for: a factor of 1,097."""

CONVERGED, AT_BOUND, MAX_STEPS, NOT_FINITE = 0, 1, 2, 3
_START_LN_HILLS = np.log(np.array([0.5, 1.0, 2.0, 5.0]))
_TOLERANCE = 1e-11
CLEAN = 0.02
"""Share of a curve's spread that a fit may leave over and still count as clean: one minimum, no further starts."""
_MAX_STEPS = 200


@kernel
def evaluate(x: Array, y: Array, w: Array, m: float, ln_h: float, out: Array) -> float:
    """RSS about the best plateaus at (m, ln_h); `out` (8,) gets a0, a1, J'r (2), J'J (3: mm, mh, hh), Sqq.

    x : (n,) ln concentration, -inf for dose 0; y : (n,) response; w : (n,) weights, > 0.
    """
    n = x.size
    h = np.exp(ln_h)
    finite_low, finite_high = np.inf, -np.inf
    for k in range(n):
        if x[k] > finite_high:
            finite_high = x[k]
        if x[k] < finite_low and x[k] > -np.inf:
            finite_low = x[k]
    upper = m > 0.5 * (finite_low + finite_high)
    sign = 1.0 if upper else -1.0
    total = q_mean = y_mean = d_mean = e_mean = 0.0
    values = np.empty((3, n))
    for k in range(n):
        if x[k] == -np.inf:
            q = 0.0 if upper else 1.0
            d = 0.0
            e = 0.0
        else:
            z = h * (x[k] - m)
            if z > 700.0:
                z = 700.0
            elif z < -700.0:
                z = -700.0
            small = np.exp(-abs(z))
            near, far = 1.0 / (1.0 + small), small / (1.0 + small)
            g = near if z >= 0.0 else far
            slope = near * far * sign
            q = g if upper else (far if z >= 0.0 else near)
            d = -h * slope
            e = z * slope
        values[0, k], values[1, k], values[2, k] = q, d, e
        total += w[k]
        q_mean += w[k] * q
        d_mean += w[k] * d
        e_mean += w[k] * e
        y_mean += w[k] * y[k]
    q_mean /= total
    d_mean /= total
    e_mean /= total
    y_mean /= total
    qq = qy = qd = qe = dd = de = ee = 0.0
    for k in range(n):
        q, d, e = values[0, k] - q_mean, values[1, k] - d_mean, values[2, k] - e_mean
        qq += w[k] * q * q
        qy += w[k] * q * (y[k] - y_mean)
        qd += w[k] * q * d
        qe += w[k] * q * e
        dd += w[k] * d * d
        de += w[k] * d * e
        ee += w[k] * e * e
    span = qy / qq if qq > 1e-280 else 0.0
    rss = dr = er = 0.0
    for k in range(n):
        residual = y[k] - y_mean - span * (values[0, k] - q_mean)
        rss += w[k] * residual * residual
        dr += w[k] * residual * values[1, k]
        er += w[k] * residual * values[2, k]
    if upper:
        out[0] = y_mean - span * q_mean
        out[1] = y_mean + span * (1.0 - q_mean)
    else:
        out[0] = y_mean + span * (1.0 - q_mean)
        out[1] = y_mean - span * q_mean
    inverse = 1.0 / qq if qq > 1e-280 else 0.0
    out[2] = span * dr
    out[3] = span * er
    out[4] = span * span * (dd - qd * qd * inverse)
    out[5] = span * span * (de - qd * qe * inverse)
    out[6] = span * span * (ee - qe * qe * inverse)
    out[7] = qq
    return rss


@kernel
def _step(out: Array, damping: float, free_m: bool, free_h: bool) -> tuple[float, float]:
    """Damped step in (m, ln_h) from the normal equations in `out`; fixed unknowns stay."""
    a, b, c = out[4] * (1.0 + damping) + 1e-300, out[5], out[6] * (1.0 + damping) + 1e-300
    if free_m and free_h:
        det = a * c - b * b
        if det > 1e-14 * a * c:
            return (c * out[2] - b * out[3]) / det, (a * out[3] - b * out[2]) / det
        return out[2] / a, out[3] / c
    return (out[2] / a if free_m else 0.0), (out[3] / c if free_h else 0.0)


@kernel
def _expected_gain(out: Array, dm: float, dh: float) -> float:
    """How far the linear model in `out` says the RSS will fall over a step (dm, dh); above 0."""
    return max(2.0 * (dm * out[2] + dh * out[3]) - (dm * dm * out[4] + 2.0 * dm * dh * out[5] + dh * dh * out[6]), 1e-300)


@kernel
def _descend(
    x: Array, y: Array, w: Array, start: Array, move_m: bool, move_h: bool, m_low: float, m_high: float, out: Array
) -> tuple[float, int]:
    """Levenberg-Marquardt from `start` (m, ln_h), changed in place; `out` as in `evaluate`. Returns (rss, code)."""
    trial = np.empty(8)
    m, ln_h = start[0], start[1]
    rss = evaluate(x, y, w, m, ln_h, out)
    damping = 1e-3
    code = MAX_STEPS
    for _ in range(_MAX_STEPS):
        free_m = move_m and not ((m <= m_low and out[2] < 0.0) or (m >= m_high and out[2] > 0.0))
        free_h = move_h and not ((ln_h <= LN_HILL_LOW and out[3] < 0.0) or (ln_h >= LN_HILL_HIGH and out[3] > 0.0))
        if not (free_m or free_h):
            code = CONVERGED
            break
        dm, dh = _step(out, damping, free_m, free_h)
        new_m = min(max(m + min(max(dm, -3.0), 3.0), m_low), m_high)
        new_h = min(max(ln_h + min(max(dh, -1.5), 1.5), LN_HILL_LOW), LN_HILL_HIGH)
        new_rss = evaluate(x, y, w, new_m, new_h, trial)
        if new_rss <= rss:
            small = abs(new_m - m) + abs(new_h - ln_h) < 1e-9 or (rss - new_rss) <= _TOLERANCE * 1e-3 * new_rss
            gain = (rss - new_rss) / _expected_gain(out, new_m - m, new_h - ln_h)
            m, ln_h, rss = new_m, new_h, new_rss
            copy_into(out, trial)
            if gain > 0.75:
                damping = max(damping * 0.1, 1e-14)
            elif gain < 0.25:  # the step went past the minimum; undamped it would hop to and fro across it
                damping = max(damping * 4.0, 0.25)
            if small:
                code = CONVERGED
                break
        else:
            damping *= 8.0
            if damping > 1e14 or abs(new_m - m) + abs(new_h - ln_h) < 1e-12:
                code = CONVERGED
                break
    start[0], start[1] = m, ln_h
    if not np.isfinite(rss):
        return rss, NOT_FINITE
    bound = (move_m and (m <= m_low or m >= m_high)) or (move_h and (ln_h <= LN_HILL_LOW or ln_h >= LN_HILL_HIGH))
    return rss, AT_BOUND if code == CONVERGED and bound else code


@kernel
def dose_range(x: Array) -> tuple[float, float, float]:
    """Lowest and highest finite x, and the largest gap between neighbouring finite doses (x sorted ascending)."""
    low = high = np.nan
    gap = 0.0
    for k in range(x.size):
        if x[k] == -np.inf:
            continue
        if np.isnan(low):
            low = x[k]
        else:
            gap = max(gap, x[k] - high)
        high = x[k]
    return low, high, gap


@kernel
def _spread(y: Array, w: Array) -> float:
    """Weighted sum of squares of y about its mean."""
    total = mean = spread = 0.0
    for k in range(y.size):
        total += w[k]
        mean += w[k] * y[k]
    mean /= total
    for k in range(y.size):
        spread += w[k] * (y[k] - mean) * (y[k] - mean)
    return spread


@kernel
def _half_way(x: Array, y: Array, low: float) -> float:
    """x where the means first cross half-way between the first and the last of them; the middle dose when they never do."""
    n = x.size
    half = 0.5 * (y[0] + y[n - 1])
    rising = y[n - 1] > y[0]
    for k in range(1, n):
        if (y[k] > half) == rising:
            if x[k - 1] == -np.inf:
                return low
            share = (half - y[k - 1]) / (y[k] - y[k - 1]) if y[k] != y[k - 1] else 0.5
            return x[k - 1] + min(max(share, 0.0), 1.0) * (x[k] - x[k - 1])
    return x[n // 2]


@kernel
def _best_of_grid(
    x: Array, y: Array, w: Array, ln_h: float, low: float, high: float, gap: float, out: Array
) -> tuple[float, float]:
    """Smallest RSS over a grid of ln EC50 at one hill slope: (rss, ln EC50)."""
    best, at = np.inf, low
    n_grid = 2 * x.size
    for i in range(n_grid):
        m = low - gap + (high - low + 2.0 * gap) * (i + 0.5) / n_grid
        rss = evaluate(x, y, w, m, ln_h, out)
        if rss < best:
            best, at = rss, m
    return best, at


@kernel
def _try_steps(
    x: Array, y: Array, w: Array, best_rss: float, best_code: int, m_low: float, m_high: float, best: Array, out: Array
) -> tuple[float, int]:
    """A steep curve between any two neighbouring doses is a valley of its own: go down each that starts within a fifth of the best.

    `best` (2,) is changed in place when one is deeper; returns (rss, code). Without this 1 noisy curve in 200 was left in a
    valley up to 6 % above the deepest.
    """
    point = np.empty(2)
    for k in range(x.size - 1):
        if x[k] == -np.inf:
            continue
        point[0], point[1] = 0.5 * (x[k] + x[k + 1]), _START_LN_HILLS[-1]
        if evaluate(x, y, w, point[0], point[1], out) < 1.2 * best_rss:
            rss, code = _descend(x, y, w, point, True, True, m_low, m_high, out)
            if rss < best_rss * (1.0 - 1e-10):
                best_rss, best_code = rss, code
                best[0], best[1] = point[0], point[1]
    return best_rss, best_code


@kernel
def fit_one(x: Array, y: Array, w: Array, free_hill: bool, theta: Array) -> tuple[float, int]:
    """Best 4PL (or 3PL: `free_hill` False, h = 1) of one curve; `theta` (4,) gets a0, a1, m, h. Returns (rss, code).

    A clean curve (2 % of its spread left over) has one minimum and is found from its half-way dose; others are tried from the best
    of a grid at every starting slope, and from beyond both ends of the doses.
    """
    low, high, gap = dose_range(x)
    m_low, m_high = low - REACH, high + REACH
    out, point, best = np.empty(8), np.empty(2), np.empty(2)
    point[0], point[1] = _half_way(x, y, low), 0.0
    best_rss, best_code = _descend(x, y, w, point, True, free_hill, m_low, m_high, out)
    best[0], best[1] = point[0], point[1]
    if not (best_rss < CLEAN * _spread(y, w) and best_code == CONVERGED):
        n_slopes = _START_LN_HILLS.size if free_hill else 1
        for turn in range(n_slopes + 2):
            if turn < n_slopes:
                point[1] = _START_LN_HILLS[turn] if free_hill else 0.0
                _, point[0] = _best_of_grid(x, y, w, point[1], low, high, gap, out)
            else:  # open ends: the inflection far below or above the doses
                point[0], point[1] = (low - 1.5 if turn == n_slopes else high + 1.5), 0.0
            rss, code = _descend(x, y, w, point, True, free_hill, m_low, m_high, out)
            if rss < best_rss * (1.0 - 1e-10) or not np.isfinite(best_rss):
                best_rss, best_code = rss, code
                best[0], best[1] = point[0], point[1]
        if free_hill:
            best_rss, best_code = _try_steps(x, y, w, best_rss, best_code, m_low, m_high, best, out)
    best_rss = evaluate(x, y, w, best[0], best[1], out)
    theta[0], theta[1], theta[2], theta[3] = out[0], out[1], best[0], np.exp(best[1])
    return best_rss, best_code


@kernel
def refit_one(x: Array, y: Array, w: Array, free_hill: bool, theta: Array) -> tuple[float, int]:
    """As `fit_one`, from the fit that `theta` (4,) holds and nowhere else: for weights that have changed a little."""
    low, high, _ = dose_range(x)
    point, out = np.empty(2), np.empty(8)
    point[0], point[1] = min(max(theta[2], low - REACH), high + REACH), np.log(theta[3])
    rss, code = _descend(x, y, w, point, True, free_hill, low - REACH, high + REACH, out)
    theta[0], theta[1], theta[2], theta[3] = out[0], out[1], point[0], np.exp(point[1])
    return rss, code


@kernel
def profile_rss(x: Array, y: Array, w: Array, m: float, free_hill: bool, point: Array, out: Array) -> float:
    """Smallest RSS with ln EC50 held at `m`; `point` (2,) brings the neighbour's ln h in and takes the new one out."""
    low, high, _ = dose_range(x)
    point[0] = m
    if not free_hill:
        return evaluate(x, y, w, m, point[1], out)
    best, _ = _descend(x, y, w, point, False, True, low - REACH, high + REACH, out)
    best_ln_h = point[1]
    for ln_h in (-1.6, -0.4, 0.8, 2.0):
        if abs(ln_h - best_ln_h) < 0.6:
            continue
        if evaluate(x, y, w, m, ln_h, out) < best:
            point[1] = ln_h
            rss, _ = _descend(x, y, w, point, False, True, low - REACH, high + REACH, out)
            if rss < best:
                best, best_ln_h = rss, point[1]
    point[1] = best_ln_h
    return best


@kernel
def profile_end(
    x: Array, y: Array, w: Array, theta: Array, rss: float, limit: float, guess: float, side: float, free_hill: bool
) -> float:
    """Where the profile RSS of ln EC50 crosses `limit`, on one `side` (-1 or +1); +-inf where it never does within REACH.

    The signed root sqrt(profile - rss) is nearly a straight line in m, so bracketing is done on it by regula falsi (Illinois).
    """
    low, high, _ = dose_range(x)
    edge = low - REACH if side < 0 else high + REACH
    target = np.sqrt(max(limit - rss, 0.0))
    point, out = np.empty(2), np.empty(8)
    inside, inside_value = theta[2], -target
    inner_ln_h = np.log(theta[3])
    step = min(max(guess, 1e-6), 2.0)
    outside, outside_value = inside, 0.0
    while True:
        outside = inside + side * step
        last = (outside - edge) * side >= 0.0
        if last:
            outside = edge
        point[1] = inner_ln_h
        outside_value = np.sqrt(max(profile_rss(x, y, w, outside, free_hill, point, out) - rss, 0.0)) - target
        if outside_value > 0.0:
            break
        if last:
            return side * np.inf
        inside, inside_value, inner_ln_h = outside, outside_value, point[1]
        step *= 1.7
    previous = 0
    for _ in range(60):
        if abs(outside - inside) < 1e-10:
            break
        middle = (inside * outside_value - outside * inside_value) / (outside_value - inside_value)
        point[1] = inner_ln_h
        value = np.sqrt(max(profile_rss(x, y, w, middle, free_hill, point, out) - rss, 0.0)) - target
        if value > 0.0:
            outside, outside_value = middle, value
            if previous == 1:
                inside_value *= 0.5
            previous = 1
        else:
            inside, inside_value, inner_ln_h = middle, value, point[1]
            if previous == -1:
                outside_value *= 0.5
            previous = -1
        if abs(value) < 1e-7 * target:
            return middle
    return 0.5 * (inside + outside)


@kernel
def covariance(x: Array, w: Array, theta: Array, free_hill: bool, matrix: Array) -> bool:
    """Inverse of J'WJ in (a0, a1, m, ln h), written to `matrix` (4, 4); rows of a fixed hill are 0. False when singular."""
    a0, a1, m, h = theta[0], theta[1], theta[2], theta[3]
    size = 4 if free_hill else 3
    normal = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            normal[i, j] = 0.0
    row = np.empty(4)
    for k in range(x.size):
        if x[k] == -np.inf:
            g, slope, z = 0.0, 0.0, 0.0
        else:
            z = min(max(h * (x[k] - m), -700.0), 700.0)
            g = 1.0 / (1.0 + np.exp(-z))
            small = np.exp(-abs(z))
            slope = small / (1.0 + small) ** 2
        row[0], row[1], row[2], row[3] = 1.0 - g, g, -h * slope * (a1 - a0), z * slope * (a1 - a0)
        for i in range(size):
            for j in range(size):
                normal[i, j] += w[k] * row[i] * row[j]
    for i in range(4):
        for j in range(4):
            matrix[i, j] = 0.0
    return invert_scaled(normal, size, matrix)


@kernel
def fit_many(
    x: Array, y: Array, w: Array, starts: IntArray, free_hill: bool, usable: Array, theta: Array, rss: Array, codes: IntArray
) -> None:
    """Fit every curve i of the ragged arrays (points starts[i] to starts[i + 1]) with usable[i] > 0; fills theta (n, 4), rss, codes."""
    for i in range(starts.size - 1):
        if usable[i] > 0.0:
            a, b = starts[i], starts[i + 1]
            rss[i], codes[i] = fit_one(x[a:b], y[a:b], w[a:b], free_hill, theta[i])


@kernel
def intervals_many(
    x: Array, y: Array, w: Array, starts: IntArray, free_hill: bool, usable: Array, theta: Array, rss: Array,
    scale: Array, critical_t: Array, profile: bool, covariances: Array, low: Array, high: Array, limit_rss: Array,
) -> None:  # fmt: skip
    """Covariance and 1 - alpha interval of ln EC50 for every usable curve.

    rss : (n,) of the collapsed means; scale : (n,) residual variance; critical_t : (n,) Student quantile; limit_rss : (n,) the
    collapsed RSS at which the profile ends. Fills covariances (n, 4, 4), low (n,), high (n,) of ln EC50; +-inf where open.
    """
    for i in range(starts.size - 1):
        if usable[i] <= 0.0:
            continue
        a, b = starts[i], starts[i + 1]
        regular = covariance(x[a:b], w[a:b], theta[i], free_hill, covariances[i])
        se = np.sqrt(covariances[i, 2, 2] * scale[i]) if regular else np.inf
        half = critical_t[i] * se
        if not profile:
            low[i], high[i] = theta[i, 2] - half, theta[i, 2] + half
            continue
        guess = half if np.isfinite(half) and half > 0.0 else 0.3
        low[i] = profile_end(x[a:b], y[a:b], w[a:b], theta[i], rss[i], limit_rss[i], guess, -1.0, free_hill)
        high[i] = profile_end(x[a:b], y[a:b], w[a:b], theta[i], rss[i], limit_rss[i], guess, 1.0, free_hill)
