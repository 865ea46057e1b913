"""Laws: a grid written in any form reads back the same; a spoilt file gives an InputError and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from thrombokit.errors import Fault, InputError
from thrombokit.io.plate_maps.manifest import read_manifest
from thrombokit.io.plate_maps.read import read_map
from thrombokit.io.plate_readers.detect import read_readings
from thrombokit.plate.wells import row_name, well_name

SHAPES = [(8, 12), (16, 24)]
SIGNAL = st.one_of(st.integers(0, 10_000_000).map(float), st.floats(-1e9, 1e9, allow_nan=False, width=64))


@st.composite
def plates(draw) -> np.ndarray:
    """A plate's signals, about a third of the wells without a value, its corners filled."""
    shape = draw(st.sampled_from(SHAPES))
    values = draw(st.lists(SIGNAL, min_size=6, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    grid = rng.choice(values, size=shape)
    grid[rng.random(shape) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    grid[0, 0], grid[-1, -1] = values[0], values[1]
    return grid


def cell(value: float) -> str:
    return "" if np.isnan(value) else repr(float(value))


def bare_text(grid: np.ndarray, delimiter: str) -> str:
    return "".join(delimiter.join(cell(v) for v in row) + "\n" for row in grid)


def labelled_text(grid: np.ndarray, delimiter: str) -> str:
    header = delimiter.join(["", *(f"{c + 1:02d}" for c in range(grid.shape[1]))])
    return header + "\n" + "".join(delimiter.join([row_name(r), *(cell(v) for v in row)]) + "\n" for r, row in enumerate(grid))


def tidy_text(grid: np.ndarray, delimiter: str) -> str:
    wells = [(r, c) for r in range(grid.shape[0]) for c in range(grid.shape[1])]
    return f"Well{delimiter}Signal\n" + "".join(f"{well_name(*well)}{delimiter}{cell(grid[well])}\n" for well in reversed(wells))


def envision_text(grid: np.ndarray, delimiter: str) -> str:
    head = f"Plate information\nPlate{delimiter}Repeat{delimiter}Barcode\n1{delimiter}1{delimiter}P\n\n"
    foot = f"\n\nBasic assay information\nProtocol Name: {delimiter}CTG\n"
    return head + "".join(delimiter.join(cell(v) for v in row) + delimiter + "\n" for row in grid) + foot


WRITERS = {"bare": bare_text, "labelled": labelled_text, "tidy": tidy_text, "envision": envision_text}
READER_OF = {"bare": "grid", "labelled": "grid", "tidy": "tidy", "envision": "envision"}


def save_as_workbook(path: Path, text: str, delimiter: str) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("plate")
        for r, line in enumerate(text.split("\n")):
            for c, value in enumerate(line.split(delimiter)):
                if value:
                    number = value.replace(".", "", 1).replace("-", "").replace("e", "").replace("+", "").isdigit()
                    sheet.write(r, c, float(value) if number else value)


@given(
    grid=plates(),
    form=st.sampled_from(sorted(WRITERS)),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=60, deadline=None)
def test_a_grid_reads_back_from_text(grid, form, delimiter, encoding):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "P.csv"
        path.write_bytes(WRITERS[form](grid, delimiter).encode(encoding))
        (reading,) = read_readings(path)
    assert reading.reader == READER_OF[form]
    assert np.array_equal(reading.signal, grid, equal_nan=True)


@given(grid=plates(), form=st.sampled_from(sorted(WRITERS)))
@settings(max_examples=12, deadline=None)
def test_a_grid_reads_back_from_a_workbook(grid, form):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "P.xlsx"
        save_as_workbook(path, WRITERS[form](grid, ","), ",")
        (reading,) = read_readings(path)
    assert reading.reader == READER_OF[form]
    assert np.allclose(reading.signal, grid, rtol=1e-15, atol=0, equal_nan=True)  # xlsx keeps 16 digits


AGONISTS = ["", "hetrombopag", "eltrombopag", "vehicle"]


@given(seed=st.integers(0, 2**32 - 1), row=st.integers(0, 5), column=st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_long_labelled_and_bare_maps_agree(seed, row, column):
    rng = np.random.default_rng(seed)
    names = rng.choice(AGONISTS, size=(8, 12))
    doses = np.where(np.isin(names, ["", "vehicle"]), "", rng.choice(["0.5", "30", "1e3"], size=(8, 12)))
    blocks = "".join(
        f"{title},"
        + ",".join(str(c + 1) for c in range(12))
        + "\n"
        + "".join(row_name(r) + "," + ",".join(grid[r]) + "\n" for r in range(8))
        + "\n"
        for title, grid in (("Agonist", names), ("Concentration", doses))
    )
    listed = "well,agonist,concentration\n" + "".join(
        f"{well_name(r, c)},{names[r, c] or 'vehicle'},{doses[r, c]}\n" for r in range(8) for c in range(12)
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "blocks.csv").write_text(blocks)
        (Path(folder) / "long.csv").write_text(listed)
        with xlsxwriter.Workbook(Path(folder) / "bare.xlsx") as book:
            for title, grid in (("gnumber", names), ("concentration", doses)):
                sheet = book.add_worksheet(title)
                for (r, c), value in np.ndenumerate(grid):
                    if value:
                        sheet.write(r + row, c + column, value)
        origin = f"{chr(ord('A') + column)}{row + 1}"
        read = [
            read_map(Path(folder) / name, shape=(8, 12), unit="nM", origin=origin)
            for name in ("blocks.csv", "long.csv", "bare.xlsx")
        ]
    for layout in read[1:]:
        for name in ("role", "agonist", "concentration_nM"):
            first, other = getattr(read[0], name), getattr(layout, name)
            assert np.array_equal(first, other, equal_nan=name == "concentration_nM")


@given(form=st.sampled_from(sorted(WRITERS)), edges=st.booleans(), data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_lost_separator_or_line_never_moves_other_wells(form, edges, data):
    grid = np.arange(1000.0, 1096.0).reshape(8, 12)
    if edges:
        grid[0], grid[:, 0], grid[7, 3:] = np.nan, np.nan, np.nan
    text = WRITERS[form](grid, ",")
    lines = text.split("\n")
    at, line = data.draw(st.integers(0, len(text) - 1)), data.draw(st.integers(0, len(lines) - 1))
    change = data.draw(st.sampled_from(["lose", "separator", "break", "lose line", "repeat line", "empty line"]))
    spoilt = {
        "lose": text[:at] + text[at + 1 :],
        "separator": text[:at] + "," + text[at:],
        "break": text[:at] + "\n" + text[at:],
        "lose line": "\n".join(lines[:line] + lines[line + 1 :]),
        "repeat line": "\n".join(lines[: line + 1] + lines[line:]),
        "empty line": "\n".join([*lines[:line], "", *lines[line + 1 :]]),
    }[change]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "P.csv"
        path.write_text(spoilt)
        try:
            (reading,) = read_readings(path)
        except InputError:
            return
    assert reading.shape == grid.shape
    changed = (reading.signal != grid) & ~(np.isnan(reading.signal) & np.isnan(grid))
    assert changed.sum() <= 2  # one number cut short, or two that met; never a row that slid


SOUND = [writer(np.arange(96.0).reshape(8, 12), ",").encode() for writer in WRITERS.values()]


def faults_of(read: Callable[[Path], object], path: Path) -> tuple[Fault, ...]:
    """What the reading complains of; any exception but an InputError goes through and fails the test."""
    try:
        read(path)
    except InputError as error:
        return error.faults
    return ()


def read_any(path: Path) -> None:
    for read in (read_readings, lambda p: read_map(p, shape=(8, 12), unit="nM"), read_manifest):
        faults = faults_of(read, path)
        assert all(fault.place and fault.found and fault.expected and fault.cure for fault in faults)


@given(data=st.data(), base=st.sampled_from(SOUND))
@settings(max_examples=150, deadline=None)
def test_spoilt_text_gives_an_input_error_or_a_reading(data, base):
    spoilt = bytearray(base)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(spoilt) - 1))
        action = data.draw(st.sampled_from(["change", "cut", "insert"]))
        if action == "change":
            spoilt[at] = data.draw(st.integers(0, 255))
        elif action == "cut":
            del spoilt[at : at + data.draw(st.integers(1, 40))]
        else:
            spoilt[at:at] = data.draw(st.sampled_from([b",", b"\n", b'"', b";", b"\t", b"nan", b"inf", b"1e999", b"A1", b"\xff"]))
        if not spoilt:
            break
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.csv"
        path.write_bytes(bytes(spoilt))
        read_any(path)


@given(blob=st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_rubbish_gives_an_input_error_or_a_reading(blob):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.csv"
        path.write_bytes(blob)
        read_any(path)


def sound_workbook() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.xlsx"
        save_as_workbook(path, bare_text(np.arange(96.0).reshape(8, 12), ","), ",")
        return path.read_bytes()


BOOK = sound_workbook()


@given(at=st.integers(0, len(BOOK) - 1), length=st.integers(1, 200), keep=st.booleans(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_spoilt_workbook_gives_an_input_error_or_a_reading(at, length, keep, seed):
    noise = np.random.default_rng(seed).bytes(length) if keep else b""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.xlsx"
        path.write_bytes(BOOK[:at] + noise + BOOK[at + length :])
        read_any(path)
