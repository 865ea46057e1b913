"""Long lists of faults made readable: the first few of each kind in full, the rest as a count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from thrombokit.errors import Fault

FULLY_TOLD = 5
"""Faults of one kind that are told one by one."""


def condensed(faults: Iterable[Fault], keep: int = FULLY_TOLD) -> tuple[Fault, ...]:
    """The faults in their order; of each kind (same expectation and cure) the first `keep`, then one that counts the others.

    Parameters
    ----------
    faults : iterable of Fault
        All that was found.
    keep : int
        How many of a kind are told in full, >= 1.

    Returns
    -------
    tuple of Fault
        At most `keep` + 1 of a kind.
    """
    kinds: defaultdict[tuple[str, str], list[Fault]] = defaultdict(list)
    for fault in faults:
        kinds[fault.expected, fault.cure].append(fault)
    told: list[Fault] = []
    for (expected, cure), group in kinds.items():
        told.extend(group[:keep])
        if len(group) > keep:
            rest = len(group) - keep
            told.append(
                Fault(place=f"{group[keep].place} and after", found=f"{rest} more like these", expected=expected, cure=cure)
            )
    return tuple(told)
