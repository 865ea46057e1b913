"""A plate as the CSV that an EnVision reader exports: a header, the bare grid, a footer.

The grid carries no row or column labels and has exactly the plate's lines and columns, so that a well is known by its place alone.
Every line of the grid ends in a comma, as the instrument's do. The file calls itself synthetic in three places.
"""

from __future__ import annotations

from thrombokit.study.templates.synthetic_plate import SyntheticPlate

_MEASUREMENT_COLUMNS = ("Plate", "Repeat", "Barcode", "Group", "Label", "Measinfo", "Kinetics", "Measurement date")


def export_text(plate: SyntheticPlate) -> str:
    """The whole file, lines ended by a newline character."""
    n_rows, n_columns = plate.signal.shape
    n_wells = n_rows * n_columns
    year, month, day = (int(part) for part in plate.date.split("-"))
    date = f"{month}/{day}/{year}"
    values = ("1", "1", plate.name, "1", f"SYNTHETIC LUM {n_wells}(1)", "De=none (synthetic)", "0", f"{date} 10:00:00 AM")
    lines = ["Plate information", ",".join(_MEASUREMENT_COLUMNS) + ",", ",".join(values) + ",", ""]
    lines += ["".join(f"{int(value)}," for value in row) for row in plate.signal]
    lines += ["", "", "Basic assay information"]
    footer = {
        "Assay ID": "1",
        "Assay Started": f"{date} 9:55:00 AM",
        "Assay Finished": "N/A",
        "Assay Exported": f"{date} 10:05:00 AM",
        "Protocol ID": "1",
        "Protocol Name": f"SYNTHETIC luminescent viability {n_wells} wells {plate.hours:g} h",
        "Serial#": "SYNTHETIC",
    }
    lines += [f"{key}: ,,,,{value}" for key, value in footer.items()]
    lines += ["", "Synthetic data written by thrombokit; no instrument took part", ""]
    return "\n".join(lines)
