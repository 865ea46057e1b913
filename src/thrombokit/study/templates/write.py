"""Write a template study into an empty folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from thrombokit.errors import Fault, InputError, raise_all
from thrombokit.study.templates.export_text import export_text
from thrombokit.study.templates.guide import guide_plates
from thrombokit.study.templates.guide_cells_files import write_guide_cells
from thrombokit.study.templates.guide_readme import README
from thrombokit.study.templates.guide_signalling import SIGNALS_FILE, signalling_text, signalling_truth_text
from thrombokit.study.templates.guide_text import study_text, truth_text
from thrombokit.study.templates.guide_trial_text import trial_texts
from thrombokit.study.templates.guide_truth import DEFAULT_SEED
from thrombokit.study.templates.map_text import map_text
from thrombokit.study.templates.plate import example_plate, starting_study_text
from thrombokit.study.templates.synthetic_plate import SyntheticPlate

Template: TypeAlias = Literal["guide", "plate"]


def write_template(folder: Path, template: Template, *, seed: int | None = None) -> tuple[Path, ...]:
    """Write a study that runs at once; all of its data are synthetic.

    Parameters
    ----------
    folder : Path
        Made if it does not exist; must not hold anything.
    template : "guide" or "plate"
        The guide study (17 plates, two cell systems, 90 tubes), or a starting study with one small plate.
    seed : int, optional
        >= 0, written into study.toml; 20181 without it. The same seed gives the same bytes.

    Returns
    -------
    tuple of Path
        The files written, study.toml first.

    Raises
    ------
    InputError
        If the folder holds something, is a file or cannot be written to, the seed is negative, or the template is not known.
    """
    chosen = DEFAULT_SEED if seed is None else seed
    raise_all((*_option_faults(template, chosen), *_folder_faults(folder)))
    contents = _guide_files(chosen) if template == "guide" else _plate_files(chosen)
    try:
        for name, text in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as failure:
        raise InputError(
            Fault(place=str(folder), found=f"{failure.strerror}", expected="a folder that can be written to",
                  cure="Choose another folder, or ask for the right to write there.")
        ) from failure  # fmt: skip
    written = tuple(folder / name for name in contents)
    return (*written, *write_guide_cells(folder, chosen)) if template == "guide" else written


def _option_faults(template: str, seed: int) -> list[Fault]:
    faults: list[Fault] = []
    if template not in ("guide", "plate"):
        faults.append(
            Fault(place="--template", found=f'"{template}"', expected='"guide" or "plate"', cure="Name one of the two.")
        )  # fmt: skip
    if seed < 0:
        faults.append(Fault(place="--seed", found=f"{seed}", expected="a whole number of 0 or more", cure="Leave out the sign."))
    return faults


def _folder_faults(folder: Path) -> list[Fault]:
    expected = "a new or an empty folder"
    cure = "Name a folder that does not exist yet; nothing was overwritten."
    try:
        if folder.is_dir():
            present = sorted(entry.name for entry in folder.iterdir())
            found = f"{len(present)} entries, such as {present[0]}" if len(present) > 1 else "".join(present)
        else:
            found = "a file" if folder.exists() else ""
    except OSError as failure:
        found = f"{failure.strerror}"
    return [Fault(place=str(folder), found=found, expected=expected, cure=cure)] if found else []


def _plate_texts(plate: SyntheticPlate) -> dict[str, str]:
    return {
        f"exports/{plate.name}.csv": export_text(plate),
        f"maps/{plate.map_name}.csv": map_text(plate.plan, plate.cell_system),
    }


def _guide_files(seed: int) -> dict[str, str]:
    """File name -> text; plates laid out alike write the same map."""
    plates = guide_plates(seed)
    truth = f"{truth_text(seed)}\n{signalling_truth_text()}"
    files = {"study.toml": study_text(seed, plates), "truth.toml": truth, "README.md": README, SIGNALS_FILE: signalling_text(seed)}
    files |= trial_texts(seed)
    for plate in plates:
        files |= _plate_texts(plate)
    return files


def _plate_files(seed: int) -> dict[str, str]:
    plate = example_plate(seed)
    return {"study.toml": starting_study_text(seed, plate)} | _plate_texts(plate)
