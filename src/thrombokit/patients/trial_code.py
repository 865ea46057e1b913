"""The source of a model's own trial step of Tsit5: every stage written out, every slope and state a variable.

`numerics.adaptive_ode` takes any system through a pointer to its derivative, six calls a step, with the stages in arrays; for the dozen states
of a platelet model that costs twice what the arithmetic does. Here the derivative stands in the step, and the drug's compartments, where
they are known exactly, are read only where a stage hears of them. It serves cohorts, whose patients share one model; where it does not
(an infusion runs, rates repeat), the general step does the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from thrombokit.numerics.linear_modes import HEAD
from thrombokit.numerics.runge_kutta import ERROR_WEIGHTS, NODES, STAGES

MOST_STATES = 16
"""Systems with more states that are integrated take the general step: there the calls weigh little, and writing them out takes long to compile."""
_OPTIONS = "cache=CACHE, error_model=\"numpy\", fastmath={'contract'}, _nrt=False"
_TRIAL_HEAD = "def trial(t, clock, phase, r, h, modes, block, x, stages, sixth, end, sizes, allowed, tolerances, largest):"


def trial_source(
    *, n: int, moving: Sequence[int], slopes: Sequence[str], values: Sequence[str], block: Sequence[int], heard: Sequence[int]
) -> str:
    """The source of `trial` (see `numerics.driven_derivative.TRIAL`).

    Parameters
    ----------
    n : int
        Compartments.
    moving : sequence of int
        Compartments that are integrated; compartment i stands in the code as the variable x{i}.
    slopes : sequence of str
        Expressions of their slopes.
    values : sequence of str
        Assignments that these need, in order.
    block : sequence of int
        Compartments that are known exactly; may be empty.
    heard : sequence of int
        Those of them that the slopes depend on.
    """
    arguments = ", ".join(f"x{i}" for i in (*moving, *heard))
    slope_lines = [*values, f"return ({', '.join(slopes)},)"]
    lines = [f"x{i} = x[{i}]" for i in moving] + [f"k0_{i} = stages[{i}]" for i in moving]
    lines += _modes(len(block)) if block else []
    for stage in range(1, 7):
        lines += _stage(stage, n, moving, heard, block)
    lines += _error(moving)
    return "\n".join([
        f"@numba.njit({_OPTIONS}, forceinline=True, no_cfunc_wrapper=True)",
        f"def slopes(t, tad, phase, r, {arguments}):",
        *(f"    {line}" for line in slope_lines),
        "", "",
        f"@numba.njit(signatures.TRIAL, {_OPTIONS})",
        _TRIAL_HEAD,
        *(f"    {line}" for line in lines),
    ])  # fmt: skip


def _modes(n_block: int) -> list[str]:
    """Rates and amplitudes of the drug's exponentials, as seen from the start of the step."""
    lines = [f"m{j} = modes[{HEAD + j}]" for j in range(n_block)]
    now = HEAD + 3 * n_block + 2 * n_block * n_block
    lines += ["if modes[MODE_READ] == t:", *(f"    c{j} = modes[{now + j}]" for j in range(n_block)), "else:"]
    lines.append("    ahead = t - modes[MODE_ANCHOR]")
    return lines + [f"    c{j} = modes[{HEAD + n_block + j}] * math.exp(m{j} * ahead)" for j in range(n_block)]


def _stage(stage: int, n: int, moving: Sequence[int], heard: Sequence[int], block: Sequence[int]) -> list[str]:
    """The state at a stage, and its slope."""
    weights = STAGES[stage - 1]
    lines = [f"y{i} = x{i} + h * ({' + '.join(f'{weight!r} * k{s}_{i}' for s, weight in enumerate(weights))})" for i in moving]
    share, n_block = NODES[stage - 1], len(block)
    if heard and stage < 5:
        lines += [f"e{j} = c{j} * math.exp(m{j} * ({share!r} * h))" for j in range(n_block)]
        lines += [f"y{i} = {_sum_of_modes(block.index(i), n_block)}" for i in heard]
    elif block and stage == 5:  # the last two stages stand at the end of the step
        lines += _block_at_end(block) + [f"y{i} = end[{i}]" for i in heard]
    if stage == 5:
        lines += [f"sixth[{i}] = y{i}" for i in moving]
    if stage == 6:
        lines += [f"end[{i}] = y{i}" for i in moving]
    slopes = ", ".join(f"k{stage}_{i}" for i in moving)
    states = ", ".join(f"y{i}" for i in (*moving, *heard))
    lines.append(f"{slopes}, = slopes(t + {share!r} * h, clock + {share!r} * h, phase, r, {states})")
    return lines + [f"stages[{stage * n + i}] = k{stage}_{i}" for i in moving]


def _block_at_end(block: Sequence[int]) -> list[str]:
    """All of the drug's compartments at the end of the step, from where the walk stands, so that nothing adds up."""
    n = len(block)
    now, lines = HEAD + 3 * n + 2 * n * n, ["ahead = t + h - modes[MODE_ANCHOR]", "modes[MODE_READ] = t + h"]
    lines += [f"e{j} = modes[{HEAD + n + j}] * math.exp(m{j} * ahead)" for j in range(n)]
    lines += [f"modes[{now + j}] = e{j}" for j in range(n)]
    return lines + [f"end[{i}] = {_sum_of_modes(row, n)}" for row, i in enumerate(block)]


def _sum_of_modes(row: int, n: int) -> str:
    start = HEAD + 2 * n + row * n
    return " + ".join(f"modes[{start + j}] * e{j}" for j in range(n))


def _error(moving: Sequence[int]) -> list[str]:
    """The error over what is allowed, as `adaptive_ode` has it; infinite where a state is not finite."""
    lines = [f"if not math.isfinite({' + '.join(f'y{i}' for i in moving)}):", "    return math.inf"]
    lines += ["floor, total = tolerances[2] * largest + 1e-300, 0.0"]
    for i in moving:
        weighted = " + ".join(f"{weight!r} * k{s}_{i}" for s, weight in enumerate(ERROR_WEIGHTS))
        lines += [
            f"bound = tolerances[0] * max(max(abs(x{i}), abs(y{i})), tolerances[1] * sizes[{i}]) + floor",
            f"allowed[{i}] = bound",
            f"error = ({weighted}) / bound",
            "total += error * error",
        ]
    return [*lines, "return h * math.sqrt(total)"]
