"""The cytometry files of a folder as a sample sheet sees them: which are there, which are the same, which nobody named."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from thrombokit.domain.toml_faults import nearest
from thrombokit.errors import Fault

ENDINGS = (".fcs", ".lmd")
MOST_FILES = 20_000
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class FileFolder:
    """A folder and the cytometry files in it, by their ending, from the folder with forward slashes."""

    folder: Path
    present: tuple[str, ...]

    def path_to(self, file: str) -> Path:
        """The whole path of a file of the folder."""
        return self.folder / file

    def fault(self, file: str, place: str) -> Fault | None:
        """What is wrong with a file's name, if anything: it must be a plain file inside the folder."""
        expected = "an FCS file in the folder of the data"
        if _leaves(file):
            cure = "Copy the file into the folder and name it from there, so that the experiment can be moved."
            return Fault(place=place, found=f'"{file}", a path outside the folder', expected=expected, cure=cure)
        if self.path_to(file).is_file():
            return None
        if "\\" in file:
            cure = f'Write the path with forward slashes: "{PureWindowsPath(file).as_posix()}".'
            return Fault(place=place, found=f'"{file}", which is not there', expected=expected, cure=cure)
        like = self._like(file)
        cure = f'Did you mean "{like}"?' if like else "Copy it there, correct the name, or give a reason in the column exclude."
        return Fault(place=place, found=f'"{file}", which is not there', expected=expected, cure=cure)

    def unlisted(self, named: Iterable[str]) -> tuple[str, ...]:
        """Cytometry files that are in the folder and not among those named."""
        known = {os.path.normpath(file) for file in named}
        return tuple(file for file in self.present if os.path.normpath(file) not in known)

    def _like(self, file: str) -> str | None:
        wanted = PurePosixPath(file).name.casefold()
        same = [
            other for other in self.present if PurePosixPath(other).name.casefold() in (wanted, f"{wanted}.fcs", f"{wanted}.lmd")
        ]
        return same[0] if same else nearest(file, self.present)


def open_folder(folder: str | Path) -> FileFolder:
    """A folder with all that looks like a cytometry file below it; hidden files and folders aside."""
    folder = Path(folder)
    present: list[str] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = ((Path(root) / name).relative_to(folder).as_posix() for name in sorted(names) if not name.startswith("."))
        present += [path for path in paths if path.casefold().endswith(ENDINGS)]
        if len(present) >= MOST_FILES:
            break
    return FileFolder(folder=folder, present=tuple(present[:MOST_FILES]))


def same_bytes(folder: FileFolder, places: Mapping[str, str]) -> list[Fault]:
    """A fault for each file that holds the same bytes as another under a different name: one tube would count twice.

    `places` maps each file to where it was named; files that are not there are passed over. Only files of equal size are compared, by
    their SHA-256.
    """
    sizes: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for file, place in places.items():
        path = folder.path_to(file)
        if path.is_file():
            sizes[path.stat().st_size].setdefault(os.path.normpath(file), place)
    faults: list[Fault] = []
    for alike in (files for files in sizes.values() if len(files) > 1):
        first: dict[str, str] = {}
        for file, place in alike.items():
            other = first.setdefault(_digest(folder.path_to(file)), file)
            if other != file:
                faults.append(
                    Fault(place=place, found=f'"{file}", which holds the same bytes as "{other}"', expected="one file for each tube",
                          cure="Find the tube's own file, or delete the row.")
                )  # fmt: skip
    return faults


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _leaves(file: str) -> bool:
    windows = PureWindowsPath(file)
    if file.startswith(("/", "\\", "~")) or windows.drive:
        return True
    depth = 0
    for part in windows.parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return False
