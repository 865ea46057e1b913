"""Where the boxes of a network picture stand: compartments from the outside in, pathways side by side, molecules below what acts on them.

Every compartment is a stretch of rows, every pathway a stretch of columns; forms of one molecule stand beside one another. A vesicle takes a
free place in the first row of the cytoplasm. What answers to the nucleus stands near it: the last link of the chain in the row above it,
its effects further up, so that feedback runs upwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from thrombokit.drawing.network import BOX_HEIGHT, BOX_WIDTH, GRID, Lane, Region
from thrombokit.signalling.molecules import Molecules
from thrombokit.signalling.network import Compartment, Network
from thrombokit.signalling.pathways import Depth, Pathway, depth_of, pathway_of

COLUMN_PITCH, ROW_PITCH = 160, 110
MARGIN, GUTTER, HEADING = 30, 50, 55
BAND_PAD = 20


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Centre (x, y) of each box by id, and what stands behind: compartments and headings of lanes."""

    centres: Mapping[str, tuple[float, float]]
    regions: tuple[Region, ...]
    lanes: tuple[Lane, ...]
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class _Cell:
    """Forms of one molecule in one compartment, which stand in one row."""

    molecule: int
    ids: tuple[str, ...]
    band: str
    lane: str
    level: int


def place_boxes(network: Network, molecules: Molecules) -> Placement:
    """A place for every species.

    Parameters
    ----------
    network : Network
    molecules : Molecules
        Of the same network.
    """
    lane_of = _lanes(network, molecules)
    levels = _levels(network, molecules)
    cells = list(_cells(network, molecules, lane_of, levels))
    bands = _bands(network, cells)
    rows = _rows(cells, bands)
    cells = _vesicles_aside(cells, bands, rows, _lane_order(lane_of))
    lanes = [lane for lane in _lane_order(lane_of) if any(cell.lane == lane for cell in cells)]
    columns = _columns(cells, rows, lanes, molecules)
    widths = {lane: max((_slots(row, lane, cells, rows) for row in sorted(set(rows.values()))), default=1) for lane in lanes}
    return _measured(network, cells, rows, columns, lanes, widths)


def _lane_order(lane_of: Iterable[str]) -> list[str]:
    return [pathway.value for pathway in Pathway] if any(lane_of) else [""]


def _lanes(network: Network, molecules: Molecules) -> list[str]:
    """The pathway of each molecule; the middle lane for those of none, where the network has lanes at all."""
    known = [
        next((found for id in forms if id in network.species_by_id and (found := pathway_of(network.species_by_id[id]))), None)
        for forms in molecules.forms
    ]
    if len({pathway for pathway in known if pathway}) < 2:
        return [""] * len(known)
    return [(pathway or Pathway.JAK_STAT).value for pathway in known]


def _compartment(network: Network, id: str) -> str:
    if id in network.species_by_id:
        return network.species_by_id[id].compartment
    return network.compartments[0].id if network.compartments else ""


def _levels(network: Network, molecules: Molecules) -> list[int]:
    """Layer of each molecule, changed for those that end a chain or answer to the nucleus."""
    levels = list(molecules.layer)
    inner = {number for number in range(len(levels)) if _reaches_nucleus(network, molecules.forms[number])}
    bottom = max(levels, default=0)
    if not inner:
        return levels
    ends = {
        number for number in range(len(levels)) if number not in inner and not molecules.after(number) and molecules.before(number)
    }
    ends -= {a for a, _ in molecules.feedback}
    distance = dict.fromkeys(inner, 0)
    for number in sorted(range(len(levels)), key=molecules.layer.__getitem__):
        before = molecules.before(number)
        if number not in inner and before and all(one in distance for one in before):
            distance[number] = 1 + min(distance[one] for one in before)
    for number, steps in distance.items():
        if number not in inner and number not in ends:
            levels[number] = max(bottom - steps + (0 if ends else 1), molecules.layer[number])
    for number in ends:
        levels[number] = bottom
    return levels


def _reaches_nucleus(network: Network, forms: tuple[str, ...]) -> bool:
    found = [network.compartment_by_id.get(_compartment(network, id)) for id in forms]
    depths = {depth_of(one) for one in found if one is not None}
    return Depth.NUCLEUS in depths and len(depths) > 1


def _cells(network: Network, molecules: Molecules, lane_of: list[str], levels: list[int]) -> Iterable[_Cell]:
    for number, forms in enumerate(molecules.forms):
        by_compartment: dict[str, list[str]] = {}
        for id in forms:
            by_compartment.setdefault(_compartment(network, id), []).append(id)
        for compartment, ids in by_compartment.items():
            yield _Cell(molecule=number, ids=tuple(ids), band=compartment, lane=lane_of[number], level=levels[number])


def _bands(network: Network, cells: list[_Cell]) -> list[str]:
    """Compartments with a box, from the outside in; vesicles are not bands of their own where there is a cytoplasm."""
    present = {cell.band for cell in cells}
    order = {one.id: at for at, one in enumerate(network.compartments)}
    known = [one for one in network.compartments if one.id in present]
    vesicles = {one.id for one in known if _is_vesicle(one, known)}
    return [one.id for one in sorted(known, key=lambda one: (depth_of(one), order[one.id])) if one.id not in vesicles]


def _is_vesicle(one: Compartment, known: list[Compartment]) -> bool:
    return depth_of(one) is Depth.VESICLE and any(depth_of(other) is Depth.CYTOPLASM for other in known)


def _rows(cells: list[_Cell], bands: list[str]) -> dict[int, int]:
    """Row of each cell by its number in `cells`, counted over the whole picture."""
    rows: dict[int, int] = {}
    first = 0
    for band in bands:
        levels = sorted({cell.level for cell in cells if cell.band == band})
        for at, cell in enumerate(cells):
            if cell.band == band:
                rows[at] = first + levels.index(cell.level)
        first += len(levels)
    for at, cell in enumerate(cells):
        if at not in rows:  # in a vesicle: beside the first row below what it belongs to
            outer = [rows[other] for other, one in enumerate(cells) if one.molecule == cell.molecule and other in rows]
            rows[at] = min(outer, default=-1) + 1
    return rows


def _vesicles_aside(cells: list[_Cell], bands: list[str], rows: Mapping[int, int], lanes: list[str]) -> list[_Cell]:
    """Vesicles moved to the lane with the most room in their row, the last of several."""
    moved = list(cells)
    for at, cell in enumerate(cells):
        if cell.band not in bands:
            lane = min(reversed(lanes), key=lambda one: _slots(rows[at], one, moved, rows) - (one == cell.lane) * len(cell.ids))
            moved[at] = replace(cell, lane=lane)
    return moved


def _slots(row: int, lane: str, cells: list[_Cell], rows: Mapping[int, int]) -> int:
    return sum(len(cell.ids) for at, cell in enumerate(cells) if rows[at] == row and cell.lane == lane)


def _columns(cells: list[_Cell], rows: Mapping[int, int], lanes: list[str], molecules: Molecules) -> dict[str, float]:
    """Column of each box within its lane, from 0; fractions where a row is shorter than its lane and has no neighbour above."""
    columns: dict[str, float] = {}
    for lane in lanes:
        width = max(_slots(row, lane, cells, rows) for row in set(rows.values()))
        for row in sorted(set(rows.values())):
            members = [at for at in rows if rows[at] == row and cells[at].lane == lane]
            members.sort(key=lambda at: (_middle(cells[at], columns, molecules, width), at))
            used, total = 0.0, sum(len(cells[at].ids) for at in members)
            for at in members:
                size = len(cells[at].ids)
                wanted = _middle(cells[at], columns, molecules, width) - (size - 1) / 2
                start = min(max(used, round(wanted)), width - total)
                if len(members) == 1 and not _placed_before(cells[at], columns, molecules):
                    start = (width - size) / 2
                for step, id in enumerate(cells[at].ids):
                    columns[id] = start + step
                used, total = start + size, total - size
    return columns


def _placed_before(cell: _Cell, columns: Mapping[str, float], molecules: Molecules) -> list[float]:
    own = [columns[id] for id in molecules.forms[cell.molecule] if id in columns]
    return own or [
        columns[molecules.forms[one][-1]] for one in molecules.before(cell.molecule) if molecules.forms[one][-1] in columns
    ]


def _middle(cell: _Cell, columns: Mapping[str, float], molecules: Molecules, width: int) -> float:
    above = _placed_before(cell, columns, molecules)
    return sum(above) / len(above) if above else (width - 1) / 2


def _measured(
    network: Network, cells: list[_Cell], rows: Mapping[int, int], columns: Mapping[str, float], lanes: list[str],
    widths: Mapping[str, int],
) -> Placement:  # fmt: skip
    left: dict[str, float] = {}
    x = float(MARGIN + BAND_PAD)
    for lane in lanes:
        left[lane] = x
        x += widths[lane] * COLUMN_PITCH + GUTTER
    width = x - GUTTER + BAND_PAD + MARGIN
    top = MARGIN + HEADING
    centres: dict[str, tuple[float, float]] = {}
    for at, cell in enumerate(cells):
        for id in cell.ids:
            centre = left[cell.lane] + (columns[id] + 0.5) * COLUMN_PITCH
            centres[id] = (_snapped(centre), top + (rows[at] + 0.5) * ROW_PITCH)
    height = top + (max(rows.values(), default=0) + 1) * ROW_PITCH + MARGIN
    regions = tuple(_regions(network, cells, rows, centres, width=width, top=top))
    headings = tuple(
        Lane(label=lane, x=left[lane] + widths[lane] * COLUMN_PITCH / 2, width=widths[lane] * COLUMN_PITCH)
        for lane in lanes
        if lane
    )
    return Placement(centres=centres, regions=regions, lanes=headings, width=width, height=height)


def _regions(
    network: Network,
    cells: list[_Cell],
    rows: Mapping[int, int],
    centres: Mapping[str, tuple[float, float]],
    *,
    width: float,
    top: float,
) -> Iterable[Region]:
    bands = _bands(network, cells)
    for id in (*bands, *dict.fromkeys(cell.band for cell in cells if cell.band not in bands)):
        label = network.compartment_by_id[id].label if id in network.compartment_by_id else id
        taken = [rows[at] for at, cell in enumerate(cells) if cell.band == id]
        if id in bands:
            start, stop = top + min(taken) * ROW_PITCH, top + (max(taken) + 1) * ROW_PITCH
            yield Region(id=id, label=label, left=MARGIN, top=start, width=width - 2 * MARGIN, height=stop - start)
        else:
            places = [centres[one] for cell in cells if cell.band == id for one in cell.ids]
            pad_x, pad_y = BOX_WIDTH / 2 + 2 * GRID, BOX_HEIGHT / 2 + 2.5 * GRID
            start_x, start_y = min(x for x, _ in places) - pad_x, min(y for _, y in places) - pad_y
            yield Region(id=id, label=label, left=start_x, top=start_y, width=max(x for x, _ in places) + pad_x - start_x,
                         height=max(y for _, y in places) + pad_y - start_y)  # fmt: skip


def _snapped(value: float) -> float:
    return float(round(value / GRID) * GRID)
