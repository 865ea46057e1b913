"""Is the map shifted against the plate? Try moving it by a row or two and see whether the controls come to rest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from thrombokit.plate.layout import Layout, Role
from thrombokit.plate.plate import Plate
from thrombokit.plate.wells import parse_well, row_name

LARGEST_SHIFT = 2
CONTROLS = (Role.VEHICLE, Role.POSITIVE_CONTROL, Role.BLANK, Role.IL3_RESCUE)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShiftSuggestion:
    """Moving the map by (rows, columns), negative = up or left, takes the spread of the controls from `cv_now` to `cv_shifted` (fractions)."""

    rows: int
    columns: int
    cv_now: float
    cv_shifted: float
    unread_now: int
    origin: str

    def sentence(self) -> str:
        """What a bench scientist should try."""
        moves: list[str] = []
        for amount, back, forth, noun in ((self.rows, "up", "down", "row"), (self.columns, "left", "right", "column")):
            if amount:
                moves.append(f"{abs(amount)} {noun}{'s' if abs(amount) > 1 else ''} {back if amount < 0 else forth}")
        falls = f"falls from {100 * self.cv_now:.0f} % to {100 * self.cv_shifted:.1f} %"
        said = f"the map looks shifted: moved {' and '.join(moves)} the controls' spread {falls}"
        if self.unread_now:
            said += f" and all {self.unread_now} wells of the map without a reading find one"
        return said + (f'; try map_origin = "{self.origin}"' if self.origin else "; correct the wells of the map")


def shift_layout(layout: Layout, rows: int, columns: int) -> Layout:
    """The layout moved by (rows, columns); wells that come in hold what the map leaves unlisted, wells that fall off are lost."""

    def moved(grid: np.ndarray, fill: object) -> np.ndarray:
        out = np.full_like(grid, fill)
        n_rows, n_columns = grid.shape
        to_rows = slice(max(rows, 0), n_rows + min(rows, 0))
        to_columns = slice(max(columns, 0), n_columns + min(columns, 0))
        from_rows = slice(max(-rows, 0), n_rows + min(-rows, 0))
        from_columns = slice(max(-columns, 0), n_columns + min(-columns, 0))
        out[to_rows, to_columns] = grid[from_rows, from_columns]
        return out

    return replace(
        layout, role=moved(layout.role, layout.unlisted), agonist=moved(layout.agonist, ""),
        concentration_nM=moved(layout.concentration_nM, np.nan), cell_system=moved(layout.cell_system, ""),
    )  # fmt: skip


def control_spread(plate: Plate, layout: Layout) -> float:
    """Pooled CV (a fraction) of the control wells of `layout` on the plate's signal; NaN with fewer than 4 such wells."""
    signal = plate.reading.signal
    squares = freedom = 0.0
    for role in CONTROLS:
        for dose in _doses(layout, role):
            values = signal[dose & np.isfinite(signal)]
            if values.size > 1 and values.mean() > 0:
                squares += float(np.sum((values / values.mean() - 1.0) ** 2))
                freedom += values.size - 1
    return float(np.sqrt(squares / freedom)) if freedom >= 3 else float("nan")


def _doses(layout: Layout, role: Role) -> list[np.ndarray]:
    """Wells of one control, one mask a dose and cell system."""
    wells = layout.role == role
    if not wells.any():
        return []
    dose = np.nan_to_num(layout.concentration_nM, nan=-1.0)
    return [
        wells & (dose == d) & (layout.cell_system == s)
        for d in np.unique(dose[wells])
        for s in np.unique(layout.cell_system[wells].astype(str))
    ]


def unread_wells(plate: Plate, layout: Layout) -> int:
    """Wells that the map gives an agonist and the export no reading."""
    return int(np.sum((layout.agonist != "") & ~np.isfinite(plate.reading.signal)))


def suggest_shift(plate: Plate) -> ShiftSuggestion | None:
    """The shift (up to two rows and columns) that brings the controls to rest, if one clearly does.

    Clearly: spread at most half of today's and below 20 %, no more unread wells than today, and no agonist well pushed off the plate.
    """
    now, unread = control_spread(plate, plate.layout), unread_wells(plate, plate.layout)
    n_agonist = int(np.sum(plate.layout.agonist != ""))
    found: list[tuple[float, int, int]] = []
    reach = range(-LARGEST_SHIFT, LARGEST_SHIFT + 1)
    for rows, columns in sorted(
        ((r, c) for r in reach for c in reach if (r, c) != (0, 0)), key=lambda s: (abs(s[0]) + abs(s[1]), s)
    ):
        layout = shift_layout(plate.layout, rows, columns)
        spread = control_spread(plate, layout)
        kept = int(np.sum(layout.agonist != "")) == n_agonist
        if kept and np.isfinite(spread) and unread_wells(plate, layout) <= unread:
            found.append((spread, rows, columns))
    calm = min((spread for spread, _, _ in found), default=float("inf"))
    if not np.isfinite(now) or calm > 0.5 * now or calm > 0.2:
        return None
    best = next(f for f in found if f[0] <= max(1.5 * calm, 0.05))  # the smallest move that is about as good as the best
    return ShiftSuggestion(
        rows=best[1],
        columns=best[2],
        cv_now=now,
        cv_shifted=best[0],
        unread_now=unread,
        origin=_new_origin(plate.layout, best[1], best[2]),
    )


def _new_origin(layout: Layout, rows: int, columns: int) -> str:
    """The map_origin that would do it, or "" where the map has no origin (long maps) or it would leave the sheet."""
    at = parse_well(_transposed(layout.origin)) if layout.origin else None
    if at is None or at[0] - rows < 0 or at[1] - columns < 0:
        return ""
    return f"{row_name(at[1] - columns)}{at[0] - rows + 1}"


def _transposed(cell: str) -> str:
    """Spreadsheet cell "B2" (column letter, row number) as a well name whose row is the sheet's row."""
    letters = cell.rstrip("0123456789")
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return f"{row_name(int(cell[len(letters) :]) - 1)}{column}"
