"""Panels from a TOML file: tables [[panels]], each with its markers and their channels.

::

    [[panels]]
    name = "surface"
    viability = "fixable"            # fixable, unfixed_dye or none
    fixed = false
    [panels.channels]                # marker = the channel's name or label
    CD41 = "APC-A"
    CD42b = "PE-A"
    viability = "BV421-A"
"""

from __future__ import annotations

from pathlib import Path

from thrombokit.cells.tubes import VIABILITY, Panel, Viability
from thrombokit.domain.toml_table import TableReader
from thrombokit.domain.toml_text import read_toml
from thrombokit.errors import SpecError, raise_all

SCATTER = ("fsc_area", "fsc_height", "ssc_area", "time")
EXAMPLE = 'CD41 = "APC-A"'


def read_panels(path: str | Path) -> dict[str, Panel]:
    """The panels of a TOML file, by name.

    Raises
    ------
    SpecError
        With every fault of the file, each with line and key.
    """
    document = read_toml(Path(path))
    faults = list(document.faults)
    top = TableReader(document.values, places=document.places, faults=faults)
    panels = panels_of(top)
    if not panels and not faults:
        top.fault(
            "panels", found="no panel", expected="tables [[panels]]", cure="Write [[panels]] with a name and [panels.channels]."
        )
    top.close()
    raise_all(faults, SpecError)
    return panels


def panels_of(table: TableReader, *, passed_over: tuple[str, ...] = ()) -> dict[str, Panel]:
    """The panels that stand as [[panels]] below a table; what is wrong with them goes to the table's faults.

    `passed_over` are keys of a panel that others read.
    """
    panels: dict[str, Panel] = {}
    for reader in table.tables("panels"):
        panel = panel_of(reader, passed_over=passed_over)
        if panel.name.casefold() in {name.casefold() for name in panels}:
            reader.fault("name", expected="a name for each panel", cure="Rename one of the two.")
        panels[panel.name] = panel
    return panels


def panel_of(reader: TableReader, *, passed_over: tuple[str, ...] = ()) -> Panel:
    """One panel from its table; what is wrong with it goes to the table's faults."""
    name = reader.text("name", expected="the panel's name", example='name = "surface"') or ""
    viability = reader.choice("viability", Viability) or Viability.NONE
    scatter = {key: _scatter(reader, key) for key in SCATTER}
    fixed = _fixed(reader)
    channels = _channels(reader)
    if viability is not Viability.NONE and VIABILITY not in channels:
        reader.fault("viability", expected=f"the dye's channel under {VIABILITY} in [panels.channels]", cure="Add it there.")
    if viability is Viability.NONE and VIABILITY in channels:
        reader.fault(
            "viability", expected='"fixable" or "unfixed_dye": a live/dead channel is listed', cure="Say which kind of dye it is."
        )
    said_to_be_absent = [key for key in SCATTER if reader.values.get(key) == ""]
    reader.close(passed_over=("fixed", *said_to_be_absent, *passed_over))
    return Panel(name=name, channels=channels, viability=viability, fixed=fixed, **scatter)


def _channels(reader: TableReader) -> dict[str, str]:
    table = reader.table("channels")
    if table is None:
        if "channels" not in reader.values:
            reader.fault(
                "channels", found="no channels", expected="a table [panels.channels]", cure=f"Add lines such as: {EXAMPLE}"
            )
        return {}
    spelt: dict[str, str] = {}
    channels: dict[str, str] = {}
    for marker in table.values:
        channel = table.text(marker, expected="the channel's name or label")
        if marker.casefold() in spelt:
            cure = "Keep one of the two."
            table.fault(marker, found=f'"{marker}" beside "{spelt[marker.casefold()]}"', expected="each marker once", cure=cure)
        spelt.setdefault(marker.casefold(), marker)
        channels[marker] = channel or ""
    said = [channel.casefold() for channel in channels.values() if channel]
    for marker, channel in channels.items():
        if channel and said.count(channel.casefold()) > 1 and said.index(channel.casefold()) != list(channels).index(marker):
            table.fault(marker, expected="a channel for each marker", cure="Correct the channel: another marker has it.")
    return channels


def _scatter(reader: TableReader, key: str) -> str:
    """The channel of a scatter signal or of time; an empty text says that there is none."""
    if reader.values.get(key) == "":
        return ""
    return reader.text(key, expected="a channel's name, or an empty text for none") or getattr(Panel(name=""), key)


def _fixed(reader: TableReader) -> bool:
    said = reader.values.get("fixed", False)
    if not isinstance(said, bool):
        reader.fault("fixed", expected="true or false", cure="Write it without quotes.")
    return said is True
