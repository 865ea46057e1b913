"""Compile the kernels that compile on import, once, into the cache: the test workers then find them there instead of each compiling its own.

`make test` runs this beside the type check, which keeps only one core busy.
"""

from __future__ import annotations

import importlib
import pkgutil

import thrombokit.numerics
import thrombokit.patients

for package in (thrombokit.numerics, thrombokit.patients):
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
