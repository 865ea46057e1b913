"""The source of a model's own trial step of Tsit5: every stage written out, every slope and state a variable.

`numerics.adaptive_ode` takes any system through a pointer to its derivative, six calls a step, with the stages in arrays; for the dozen states
of a platelet model that costs twice what the arithmetic does. Here the derivative stands in the step, and the drug's compartments, where
they are known exactly, are read only where a stage hears of them. It serves cohorts, whose patients share one model; where it does not
(an infusion runs, rates repeat), the general step does the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from thrombokit.numerics.linear_modes import HEAD
from thrombokit.numerics.runge_kutta import ERROR_WEIGHTS, NODES, STAGES

MOST_STATES = 16
"""Systems with more states that are integrated take the general step: there the calls weigh little, and writing them out takes long to compile."""
_OPTIONS = "cache=CACHE, error_model=\"numpy\", fastmath={'contract'}, _nrt=False"
_TRIAL_HEAD = "def trial(t, clock, phase, r, h, modes, block, x, stages, sixth, end, sizes, allowed, tolerances, largest):"


def trial_source(
    *, n: int, moving: Sequence[int], slopes: Sequence[str], values: Sequence[str], heard: Mapping[int, int], n_block: int
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
    heard : dict of int to int
        Compartments of the exactly known block that the slopes depend on, and their places within it.
    n_block : int
        Compartments of the block.
    """
    arguments = ", ".join(f"x{i}" for i in (*moving, *heard))
    slope_lines = [*values, f"return ({', '.join(slopes)},)"]
    lines = [f"x{i} = x[{i}]" for i in moving] + [f"k0_{i} = stages[{i}]" for i in moving]
    lines += _modes(n_block) if n_block else []
    for stage in range(1, 7):
        lines += _stage(stage, n, moving, heard, n_block)
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
    lines = ["ahead = t - modes[MODE_ANCHOR]"]
    lines += [f"m{j} = modes[{HEAD + j}]" for j in range(n_block)]
    return lines + [f"c{j} = modes[{HEAD + n_block + j}] * math.exp(m{j} * ahead)" for j in range(n_block)]


def _stage(stage: int, n: int, moving: Sequence[int], heard: Mapping[int, int], n_block: int) -> list[str]:
    """The state at a stage, and its slope."""
    weights = STAGES[stage - 1]
    lines = [f"y{i} = x{i} + h * ({' + '.join(f'{weight!r} * k{s}_{i}' for s, weight in enumerate(weights))})" for i in moving]
    share = NODES[stage - 1]
    if heard and stage < 5:
        lines += [f"e{j} = c{j} * math.exp(m{j} * ({share!r} * h))" for j in range(n_block)]
        for i, row in heard.items():
            start = HEAD + 2 * n_block + row * n_block
            lines.append(f"y{i} = " + " + ".join(f"modes[{start + j}] * e{j}" for j in range(n_block)))
    elif n_block and stage == 5:  # the last two stages stand at the end of the step
        lines += ["read_modes(modes, t + h, block, end)", *(f"y{i} = end[{i}]" for i in heard)]
    if stage == 5:
        lines += [f"sixth[{i}] = y{i}" for i in moving]
    if stage == 6:
        lines += [f"end[{i}] = y{i}" for i in moving]
    slopes = ", ".join(f"k{stage}_{i}" for i in moving)
    states = ", ".join(f"y{i}" for i in (*moving, *heard))
    lines.append(f"{slopes}, = slopes(t + {share!r} * h, clock + {share!r} * h, phase, r, {states})")
    return lines + [f"stages[{stage * n + i}] = k{stage}_{i}" for i in moving]


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
