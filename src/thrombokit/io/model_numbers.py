"""The tables of a model file that hold numbers: [theta], [random] and [residual]."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from thrombokit.domain.agonist import Tier
from thrombokit.domain.toml_faults import did_you_mean, found_words
from thrombokit.domain.toml_table import TableReader
from thrombokit.io.model_entries import read_name
from thrombokit.numerics.arrays import Array, frozen
from thrombokit.patients.model import Mixture, OmegaBlock, Residual, Theta

_SHARES_TOLERANCE = 1e-6
_PSD_TOLERANCE = 1e-10


def read_theta(top: TableReader) -> dict[str, Theta]:
    """[theta]: a number, or {value, unit, source, tier, note}."""
    table = top.table("theta")
    found: dict[str, Theta] = {}
    for key, value in table.values.items() if table else ():
        if table is None or read_name(table, key, key) is None:
            continue
        if isinstance(value, dict):
            theta = _sourced(table, key)
        elif _is_number(value):
            theta = Theta(value=float(value))
        else:
            cure = "Write a finite number without quotes, or {value = ..., unit = ..., source = ..., tier = ...}; expressions go to [record]."
            table.fault(key, expected="a number, or {value, unit, source, tier}", cure=cure)
            theta = None
        if theta is not None:
            found[key] = theta
    return found


def _sourced(table: TableReader, key: str) -> Theta | None:
    inner = table.table(key)
    if inner is None:
        return None
    value = inner.number("value", expected="a finite number", example="value = 1.0")
    theta = Theta(
        value=value if value is not None else math.nan,
        unit=inner.text("unit", expected="the unit, as a label"),
        source=inner.text("source", expected="where the number comes from"),
        tier=inner.choice("tier", Tier),
        note=inner.text("note", expected="a sentence"),
    )
    inner.close()
    return theta if value is not None else None


def read_random(top: TableReader) -> tuple[tuple[OmegaBlock, ...], tuple[Mixture, ...]]:
    """[random] omega (blocks of variances) and mixture (kinds of patients)."""
    table = top.table("random")
    if table is None:
        return (), ()
    blocks = [_block(inner) for inner in table.tables("omega")]
    mixtures = [_mixture(inner) for inner in table.tables("mixture")]
    table.close()
    return tuple(block for block in blocks if block is not None), tuple(mixture for mixture in mixtures if mixture is not None)


def _block(table: TableReader) -> OmegaBlock | None:
    names = table.texts("names", expected="a list of names of random effects")
    given = table.values.get("matrix")
    column = table.text("occasion", expected="a data column: each of its values is an occasion with a draw of its own")
    source, tier = table.text("source", expected="where the numbers come from"), table.choice("tier", Tier)
    checked = [read_name(table, name, "names") for name in names]
    if "names" not in table.values or not names:
        table.fault("names", found="no names", expected="a list of names", cure='Add names = ["ETA_CL"] or another list.')
    matrix = _matrix(table, given, len(names)) if names else None
    table.close(passed_over=("matrix",))
    if matrix is None or None in checked:
        return None
    return OmegaBlock(names=names, matrix=matrix, occasion_column=column, source=source, tier=tier)


def _matrix(table: TableReader, given: Any, n: int) -> Array | None:
    """Variances and covariances of n random effects, given as full rows or as the lower triangle."""
    cure = "Write a row for each name: all of it, or up to the diagonal; variances, not standard deviations."
    expected = f"{n} rows of variances and covariances"
    rows: list[Any] = given if isinstance(given, list) else []
    lengths = [len(row) if isinstance(row, list) and all(_is_number(item) for item in row) else -1 for row in rows]
    if lengths not in ([n] * n, list(range(1, n + 1))):
        table.fault(
            "matrix",
            found=found_words(given) if given is None else f"{len(rows)} rows of lengths {lengths}",
            expected=expected,
            cure=cure,
        )
        return None
    matrix = np.zeros((n, n))
    for number, row in enumerate(rows):
        matrix[number, : len(row)] = row
    if lengths != [n] * n:
        matrix = matrix + np.tril(matrix, -1).T
    if not np.array_equal(matrix, matrix.T):
        row, column = (int(place[0]) + 1 for place in np.nonzero(matrix != matrix.T))
        found = f"{matrix[row - 1, column - 1]:g} in row {row}, column {column}, and {matrix[column - 1, row - 1]:g} opposite"
        table.fault("matrix", found=found, expected="a symmetric matrix", cure="Correct one of the two.")
        return None
    eigenvalues = np.linalg.eigvalsh(matrix)
    if (np.diag(matrix) < 0.0).any() or eigenvalues[0] < -_PSD_TOLERANCE * max(abs(eigenvalues[-1]), 1e-300):
        found = f"a matrix that is no covariance matrix (smallest eigenvalue {eigenvalues[0]:.3g})"
        cure = (
            "A covariance may not exceed the root of the product of its two variances; check for correlations given in its place."
        )
        table.fault("matrix", found=found, expected="variances of 0 or more, positive semidefinite", cure=cure)
        return None
    return frozen(matrix)


def _mixture(table: TableReader) -> Mixture | None:
    name = read_name(table, table.text("name", expected="the name that expressions read", example='name = "CLASS"') or "", "name")
    given = table.values.get("shares")
    labels = table.texts("labels", expected="a name for each class")
    source, tier = table.text("source", expected="where the shares come from"), table.choice("tier", Tier)
    table.close(passed_over=("shares",))
    shares = [float(share) for share in given if _is_number(share)] if isinstance(given, list) else []
    if not isinstance(given, list) or len(shares) != len(given) or len(shares) < 2 or min(shares) < 0.0:
        cure = "Write a list such as [0.68, 0.32]."
        table.fault("shares", expected="a share of 0 or more for each of two or more classes", cure=cure)
        return None
    if abs(sum(shares) - 1.0) > _SHARES_TOLERANCE:
        table.fault(
            "shares", found=f"shares that sum to {sum(shares):.6g}", expected="shares that sum to 1", cure="Correct one of them."
        )
        return None
    if labels and len(labels) != len(shares):
        table.fault(
            "labels", found=f"{len(labels)} labels for {len(shares)} shares", expected="one for each", cure="Correct the lists."
        )
        return None
    words = labels or tuple(str(number) for number in range(1, len(shares) + 1))
    return Mixture(name=name, shares=tuple(shares), labels=words, source=source, tier=tier) if name is not None else None


def read_residual(top: TableReader, outputs: Collection[str]) -> dict[str, Residual]:
    """[residual]: output -> {additive_sd, proportional_sd} or {log_sd}."""
    section = top.table("residual")
    found: dict[str, Residual] = {}
    for key in section.values if section else ():
        table = section.table(key) if section else None
        output = next((name for name in outputs if name.casefold() == key.casefold()), None)
        if section is not None and output is None:
            cure = did_you_mean(key, outputs, otherwise="Add it to [output], or remove it here.")
            section.fault(key, found=f'"{key}"', expected=f"an output: {', '.join(outputs) or 'none is given'}", cure=cure)
        if table is None:
            continue
        sds = [_sd(table, name) for name in ("additive_sd", "proportional_sd", "log_sd")]
        table.close()
        if sds[2] > 0.0 and max(sds[:2]) > 0.0:
            cure = "Keep log_sd, or the other two."
            table.fault("log_sd", found="log_sd beside another error", expected="one kind of error", cure=cure)
        elif output is not None:
            found[output] = Residual(additive_sd=sds[0], proportional_sd=sds[1], log_sd=sds[2])
    return found


def _sd(table: TableReader, key: str) -> float:
    value = table.number(key, expected="a standard deviation of 0 or more")
    if value is not None and value < 0.0:
        table.fault(key, expected="a standard deviation of 0 or more", cure="Correct the number.")
    return max(value or 0.0, 0.0)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
