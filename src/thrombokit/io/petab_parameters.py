"""The parameter table of a PEtab problem.

A likelihood needs nominal values alone, so bounds may be missing here; a fit asks for them (`signalling.calibrate`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from thrombokit.errors import Fault
from thrombokit.io.petab_tables import TableRow, choice_of, number_of
from thrombokit.signalling.petab_problem import PetabParameter, ScaleName

SCALES: tuple[ScaleName, ...] = ("lin", "log", "log10")


def read_parameters(rows: Sequence[TableRow], faults: list[Fault]) -> tuple[PetabParameter, ...]:
    """The parameters, in the order of the table; priors are passed over, they are no part of the likelihood.

    Parameters
    ----------
    rows : sequence of TableRow
    faults : list of Fault
        What is wrong is appended.
    """
    return tuple(_parameter(row, faults) for row in rows)


def _parameter(row: TableRow, faults: list[Fault]) -> PetabParameter:
    scale = choice_of(row, "parameterScale", SCALES, faults, default="lin")
    nominal = number_of(row, "nominalValue", faults, expected="a number on linear scale")
    if math.isinf(nominal):
        faults.append(row.fault("nominalValue", found=f"{nominal}", expected="a finite number", cure="Correct the number."))
    estimated = _is_estimated(row, faults)
    lower, upper = (
        number_of(row, column, faults, expected="a number on linear scale", default=math.nan)
        for column in ("lowerBound", "upperBound")
    )
    return PetabParameter(
        id=row.text("parameterId"), scale=next(s for s in SCALES if s == scale), nominal=nominal, estimated=estimated, lower=lower,
        upper=upper, name=row.text("parameterName"), place=f"{row.file}, row {row.number}",
    )  # fmt: skip


def _is_estimated(row: TableRow, faults: list[Fault]) -> bool:
    text = row.text("estimate")
    if text in ("0", "1", "0.0", "1.0"):
        return text[0] == "1"
    faults.append(row.fault("estimate", found=f'"{text}"', expected="0 or 1", cure="Write 1 to estimate the parameter, else 0."))
    return False
