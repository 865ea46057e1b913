"""A fit of a PEtab problem as files: one JSON document and a table for each kind of row."""

from __future__ import annotations

from pathlib import Path

from thrombokit.errors import Fault, FileFormatError
from thrombokit.io.fit_tables import write_table
from thrombokit.io.gated_files import write_json
from thrombokit.signalling.fit_result import FitResult
from thrombokit.signalling.profiles import ProfileResult


def make_fit_folder(folder: Path) -> None:
    """Make the folder a fit is written to, where there is none yet: best done before a long fit.

    Raises
    ------
    FileFormatError
        If there cannot be such a folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found, cure = error.strerror or str(error), "Choose a folder that may be written to."
        raise FileFormatError(Fault(place=str(folder), found=found, expected="a folder to write", cure=cure)) from None


def write_petab_fit(result: FitResult | ProfileResult, folder: str | Path) -> None:
    """Write `fit.json`, `parameters.csv` and `searches.csv`, of profiles also `profiles.csv`.

    Parameters
    ----------
    result : FitResult or ProfileResult
    folder : path
        Made where it is missing; files of these names are replaced.

    Raises
    ------
    FileFormatError
        If the folder cannot be written.
    """
    folder = Path(folder)
    make_fit_folder(folder)
    fit = result.fit if isinstance(result, ProfileResult) else result
    write_json(result.to_dict(), folder / "fit.json")
    write_table(fit.table(), folder / "parameters.csv")
    write_table(fit.searches_table(), folder / "searches.csv")
    if isinstance(result, ProfileResult):
        write_table(result.profiles_table(), folder / "profiles.csv")
