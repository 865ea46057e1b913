"""p values of several comparisons adjusted so that the chance of any false claim stays at the level of one.

Reference: Holm S (1979) Scand J Stat 6:65-70. Fixed sequence: Maurer W, Hothorn LA, Lehmacher W (1995); Westfall PH, Krishen A (2001),
doi:10.1016/S0378-3758(01)00077-5.
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p values, in the order given; each 0 to 1."""
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(order):
        running = max(running, min((len(p_values) - rank) * p_values[k], 1.0))
        adjusted[k] = running
    return tuple(adjusted)


def fixed_sequence(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p values when comparisons are tested in the order given, each only if all before it succeeded."""
    adjusted, running = list[float](), 0.0
    for p in p_values:
        running = max(running, p)
        adjusted.append(running)
    return tuple(adjusted)
