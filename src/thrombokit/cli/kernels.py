"""Say so when the compiled kernels are not there yet: the first fit on a machine takes some seconds."""

from __future__ import annotations

from importlib import import_module

from thrombokit.cli.output import log


def say_if_cold(*, quiet: bool) -> None:
    """One line on stderr before a slow first fit."""
    if not quiet and not import_module("thrombokit.numerics.jit").kernels_are_cached():
        log("first fit on this machine: compiling, about 10 seconds", quiet=quiet)
