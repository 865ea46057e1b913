"""Frozen parameter draws of a patient model: what a calibration hands on, with the hash that shows nobody has touched it since.

Column names say where a value goes: "theta.NAME" and "omega.NAME" (a variance) of the model, "share.NAME" (the first class of a mixture),
"observation.*", "rescue.*" and "remission.*" of what is observed. One row is one joint draw; rows weigh the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thrombokit.errors import Fault, FileFormatError
from thrombokit.numerics.arrays import Array, FrozenArrays, frozen

PARAMETER_SET_SCHEMA = "thrombokit-parameter-set/1"
SIGNIFICANT_DIGITS = 6
_WORDS = ("name", "agonist", "population", "structure", "reading", "kind", "model", "version")


@dataclass(frozen=True, kw_only=True, eq=False)
class ParameterSet(FrozenArrays):
    """Joint draws, shape (n_draws, n_columns).

    `kind` is "posterior" or "prior-only"; `reading` is "none" where there is only one; `model` names a shipped model file ("" for the drug-free
    set); `inputs` are the hashes of what was fitted to and with; `account` says how the fit ended (effective sample sizes and verdict).
    """

    name: str
    agonist: str
    population: str
    structure: str
    reading: str
    kind: str
    model: str
    version: str
    seed: int
    columns: tuple[str, ...]
    draws: Array
    inputs: Mapping[str, str]
    account: Mapping[str, float | str]

    @property
    def n(self) -> int:
        """How many draws."""
        return self.draws.shape[0]

    def column(self, name: str) -> Array:
        """The draws of one column, shape (n_draws,)."""
        return np.ascontiguousarray(self.draws[:, self.columns.index(name)])

    def draw(self, index: int) -> dict[str, float]:
        """One joint draw by column."""
        return dict(zip(self.columns, self.draws[index].tolist(), strict=True))

    @property
    def sha256(self) -> str:
        """Hash of the whole content."""
        return _hash(_content(self))


def parameter_set_text(parameters: ParameterSet) -> str:
    """The file of a set: JSON with one draw a line, the hash of its content last."""
    content = _content(parameters)
    rows = ",\n".join("  " + json.dumps(row) for row in content.pop("draws"))
    head = json.dumps(content, indent=1)[:-2]
    return f'{head},\n "draws": [\n{rows}\n ],\n "sha256": "{parameters.sha256}"\n}}\n'


def read_parameter_set(text: str, *, file: str) -> ParameterSet:
    """The set of a file's text.

    Raises
    ------
    FileFormatError
        If the text is no parameter set, a row does not fit its columns, or the content does not have the hash that it carries.
    """
    try:
        told: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise FileFormatError(
            Fault(place=f"{file}:{error.lineno}", found=error.msg, expected="JSON", cure="Take the file as it was shipped.")
        ) from error
    schema = told.get("schema") if isinstance(told, dict) else None
    if schema != PARAMETER_SET_SCHEMA:
        raise FileFormatError(Fault(place=f"{file}, schema", found=f"{schema!r}", expected=f'"{PARAMETER_SET_SCHEMA}"',
                                    cure="Name a file of frozen parameters."))  # fmt: skip
    missing = [key for key in (*_WORDS, "seed", "columns", "draws", "inputs", "account", "sha256") if key not in told]
    if missing:
        raise FileFormatError(
            Fault(place=f"{file}, {key}", found="nothing", expected="a value", cure="Take the file as it was shipped.")
            for key in missing
        )
    width = len(told["columns"])
    wrong = [i for i, row in enumerate(told["draws"]) if len(row) != width]
    if wrong or not told["draws"]:
        raise FileFormatError(Fault(place=f"{file}, draws, row {wrong[0] + 1 if wrong else 1}", found=f"not {width} values",
                                    expected=f"{width} values, one a column", cure="Take the file as it was shipped."))  # fmt: skip
    found = ParameterSet(
        **{key: str(told[key]) for key in _WORDS}, seed=int(told["seed"]), columns=tuple(told["columns"]), draws=frozen(told["draws"]),
        inputs=dict(told["inputs"]), account=dict(told["account"]),
    )  # fmt: skip
    if found.sha256 != told["sha256"]:
        raise FileFormatError(Fault(place=f"{file}, sha256", found=f"content with the hash {found.sha256[:12]}...",
                                    expected=f"{str(told['sha256'])[:12]}..., as the file says",
                                    cure="The frozen numbers were changed: take the file as it was shipped, or calibrate anew."))  # fmt: skip
    return found


def rounded(values: Array) -> Array:
    """Values as they are recorded: to six significant digits."""
    return np.array([[float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in row] for row in values])


def _content(parameters: ParameterSet) -> dict[str, Any]:
    words = {key: getattr(parameters, key) for key in _WORDS}
    return {
        "schema": PARAMETER_SET_SCHEMA, **words, "seed": parameters.seed, "inputs": dict(parameters.inputs),
        "account": dict(parameters.account), "columns": list(parameters.columns), "draws": parameters.draws.tolist(),
    }  # fmt: skip


def _hash(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
