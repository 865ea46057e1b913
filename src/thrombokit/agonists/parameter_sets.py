"""The frozen parameter sets that thrombokit ships, by name; each is checked against its hash when it is read."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from thrombokit.domain.parameter_set import ParameterSet, read_parameter_set
from thrombokit.domain.toml_faults import did_you_mean
from thrombokit.errors import Fault, InputError


def shipped_parameter_sets() -> tuple[str, ...]:
    """Names of the shipped sets, in alphabetical order."""
    folder = files("thrombokit.agonists") / "calibrated"
    return tuple(sorted(item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json")))


@cache
def load_parameter_set(name: str) -> ParameterSet:
    """A shipped set.

    Raises
    ------
    InputError
        If there is none of that name; names what was probably meant. FileFormatError, if its content is not what was frozen.
    """
    known = shipped_parameter_sets()
    if name not in known:
        cure = did_you_mean(name, known, otherwise=f"There are {', '.join(known) or 'none'}.")
        raise InputError(Fault(place="parameter sets", found=f'"{name}"', expected="the name of a frozen set", cure=cure))
    file = f"{name}.json"
    return read_parameter_set((files("thrombokit.agonists") / "calibrated" / file).read_text(encoding="utf-8"), file=file)
