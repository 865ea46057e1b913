"""Words and names that stand for a control in a map, and what each role must carry."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from thrombokit.plate.layout import Role

_WORDS = {
    "vehicle": Role.VEHICLE,
    "dmso": Role.VEHICLE,
    "untreated": Role.UNTREATED,
    "blank": Role.BLANK,
    "empty": Role.EMPTY,
}

DOSED = frozenset({Role.SAMPLE, Role.COMPARATOR, Role.COUNTER_SCREEN})
"""Roles that make curves: they need an agonist and a concentration."""
UNDOSED = frozenset({Role.VEHICLE, Role.BLANK, Role.UNTREATED, Role.EMPTY})
"""Roles that cannot have a concentration above 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlNames:
    """What the user calls the controls in the map; case does not count."""

    vehicle: str | None = None
    positive_control: str | None = None
    comparator: str | None = None

    def role_of(self, agonist: str) -> Role | None:
        """The control that a name in the agonist's place declares, or None for an agonist."""
        name = agonist.strip().lower()
        for given, role in (
            (self.vehicle, Role.VEHICLE),
            (self.positive_control, Role.POSITIVE_CONTROL),
            (self.comparator, Role.COMPARATOR),
        ):
            if given is not None and name == given.strip().lower():
                return role
        return _WORDS.get(name)

    def agonist_of(self, role: Role) -> str:
        """The agonist that a role implies where the map names none; "" where it implies none."""
        if role is Role.POSITIVE_CONTROL:
            return self.positive_control or ""
        return (self.comparator or "") if role is Role.COMPARATOR else ""


def parse_role(text: str) -> Role | str:
    """A role from its name ("Positive control" and "positive_control" alike), or the cure for what is none."""
    name = re.sub(r"[\s-]+", "_", text.strip().lower())
    try:
        return Role(name)
    except ValueError:
        near = difflib.get_close_matches(name, [role.value for role in Role], n=1)
        return f'Did you mean "{near[0]}"?' if near else "Correct the role."
