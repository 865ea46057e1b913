"""The source of a model's `driven_panels`: the drive at the nodes of panels, summed with their weights, for the quadrature engine.

The loop over the nodes of a panel holds everything: amounts of the drug at the node, the model's own expressions, one running sum for every
row of weights. It writes to no array, so that the sums stay in registers and nodes are taken four or eight at a time; that is five times
faster than a function which fills an array with the drive and another that sums it. Places are unsigned, because of a signed index numba
must ask whether it counts from the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from thrombokit.numerics.graded_quadrature import N_COEFFICIENTS, PANEL_NODES

N_EXTRA = N_COEFFICIENTS + 1
"""Rows of weights besides those of the response: what gives the highest Legendre coefficients, and the size that they are relative to."""
PANEL_DECORATOR = (
    "@numba.njit(signatures.DRIVEN_PANELS, cache=CACHE, error_model=\"numpy\", fastmath={'contract', 'reassoc'}, _nrt=False)\n"
)
_HEAD = "def driven_panels(store, r, amounts, inflows, rows, input_rows, weights, panel_size, n_panels, totals, errors, sizes):\n"


def panel_source(*, n_block: int, n_response: int, reads: Sequence[int], values: Sequence[str], drives: Sequence[str]) -> str:
    """The source of `driven_panels` (see `signatures.py`).

    Parameters
    ----------
    n_block, n_response : int
        Compartments of the drug and of the response.
    reads : sequence of int
        Rows of the block that the drive depends on; row i stands in the code as the variable x{i}.
    values : sequence of str
        Assignments that the drives need, in order.
    drives : sequence of str
        Expressions, one for each driven row of the response.
    """
    if not drives:
        return PANEL_DECORATOR + _HEAD + "    pass"
    n_rows, n_drives = n_response + N_EXTRA, len(drives)
    lines = [f"a{i} = store[amounts + U({i})]" for i in range(n_block)] + [
        f"u{i} = store[inflows + U({i})]" for i in range(n_block)
    ]
    lines += [f"t{i} = 0.0" for i in range(n_response)] + [f"z{k} = 0.0" for k in range(n_drives)]
    lines += ["for panel in range(n_panels):"]
    lines += [f"    {line}" for line in _places(n_block, n_rows, len(reads), n_drives)]
    lines += [f"    s{k}_{i} = 0.0" for k in range(n_drives) for i in range(n_rows)]
    lines += [f"    for j in range(U({PANEL_NODES})):"]
    lines += [f"        {line}" for line in _node(n_block, n_rows, reads, values, drives)]
    lines += [f"    {line}" for line in _after_panel(n_response, n_drives)]
    lines += [f"store[totals + U({i})] = t{i}" for i in range(n_response)] + [
        f"store[sizes + U({k})] = z{k}" for k in range(n_drives)
    ]
    return PANEL_DECORATOR + _HEAD + "\n".join(f"    {line}" for line in lines)


def _places(n_block: int, n_rows: int, n_reads: int, n_drives: int) -> list[str]:
    """Where each row of 16 nodes begins."""
    block = [(k * n_block + i, (k * n_block + i) * PANEL_NODES) for k in range(n_reads) for i in range(n_block)]
    lines = [f"p{number} = rows + U({place})" for number, place in block]
    lines += [f"q{number} = input_rows + U({place})" for number, place in block]
    return lines + [f"w{number} = weights + U({number * PANEL_NODES})" for number in range(n_drives * n_rows)]


def _node(n_block: int, n_rows: int, reads: Sequence[int], values: Sequence[str], drives: Sequence[str]) -> list[str]:
    """What is done at one node."""
    lines: list[str] = []
    for k, row in enumerate(reads):
        terms = [f"a{i} * store[p{k * n_block + i} + j] + u{i} * store[q{k * n_block + i} + j]" for i in range(n_block)]
        lines.append(f"x{row} = {' + '.join(terms)}")
    lines += [*values, *(f"g{k} = {drive}" for k, drive in enumerate(drives))]
    return lines + [f"s{k}_{i} += store[w{k * n_rows + i} + j] * g{k}" for k in range(len(drives)) for i in range(n_rows)]


def _after_panel(n_response: int, n_drives: int) -> list[str]:
    lines: list[str] = []
    for k in range(n_drives):
        lines += [f"t{i} += s{k}_{i}" for i in range(n_response)]
        lines.append(f"store[errors + U({k})] = max(abs(s{k}_{n_response}), abs(s{k}_{n_response + 1}))")
        lines.append(f"z{k} += abs(s{k}_{n_response + 2})")
    lines += [f"{place} += panel_size" for place in ("rows", "input_rows", "weights")]
    return [*lines, f"errors += U({n_drives})"]
