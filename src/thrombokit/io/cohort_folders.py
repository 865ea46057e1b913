"""A cohort as a folder of tables: weeks of every patient, patients, decisions, shares by week, and a summary as JSON; and one under many draws."""

from __future__ import annotations

import json
from pathlib import Path

from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.chart_files import write_chart
from thrombokit.io.fit_tables import write_table
from thrombokit.io.whole_files import replace_file
from thrombokit.patients.cohort_diagnostics import CountRange, diagnose_cohort
from thrombokit.patients.cohort_result import CohortResult
from thrombokit.patients.draws_result import DrawsResult

FILES = ("weeks.parquet", "patients.csv", "ledger.csv", "shares.csv", "cohort.json", "cohort.svg")
"""What a folder holds; `ledger.csv` only where a rule dosed."""
DRAWS_FILES = ("by_week.csv", "replicates.csv", "draws.json", "draws.svg")
"""What the folder of many draws holds."""


def write_cohort(result: CohortResult, folder: str | Path, *, counts_in: CountRange | None = None) -> Path:
    """Write a cohort.

    Parameters
    ----------
    result : CohortResult
    folder : path
        Made where it is not there; files of these names in it are replaced.
    counts_in : CountRange, optional
        Target and limit of `shares.csv`.

    Raises
    ------
    FileFormatError
        If the place is a file, or cannot be written.
    """
    folder = _made(folder)
    diagnostics = diagnose_cohort(result, counts_in=counts_in)
    write_table(result.table(), folder / "weeks.parquet")
    write_table(result.patients, folder / "patients.csv")
    write_table(diagnostics.table(), folder / "shares.csv")
    if result.titrated:
        write_table(result.ledger.table(), folder / "ledger.csv")
    said = {**result.to_dict(), "diagnostics": diagnostics.to_dict()}
    replace_file(folder / "cohort.json", (json.dumps(said, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
    write_chart(diagnostics.plot(), folder / "cohort.svg")
    return folder


def write_draws(result: DrawsResult, folder: str | Path) -> Path:
    """Write a cohort under many draws: measures by week, a row a replicate, all of it as JSON, the picture.

    Parameters
    ----------
    result : DrawsResult
    folder : path
        Made where it is not there; files of these names in it are replaced.

    Raises
    ------
    FileFormatError
        If the place is a file, or cannot be written.
    """
    folder = _made(folder)
    write_table(result.table(), folder / "by_week.csv")
    write_table(result.replicates(), folder / "replicates.csv")
    replace_file(
        folder / "draws.json", (json.dumps(result.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    )
    write_chart(result.plot(), folder / "draws.svg")
    return folder


def _made(folder: str | Path) -> Path:
    """The folder, made where it is not there."""
    made = Path(folder)
    try:
        made.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileFormatError(Fault(place=str(made), found=f"no folder can be made there ({error.strerror})", expected="a folder to write to",
                                    cure="Choose another place.")) from None  # fmt: skip
    return made
