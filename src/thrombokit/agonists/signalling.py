"""The [signalling] table of an agonist file: what the signalling model is told of the compound."""

from __future__ import annotations

from thrombokit.domain.agonist import AgonistSignalling, SourcedNumber, Tier
from thrombokit.domain.toml_table import TableReader

EXAMPLE_SOURCE = "doi:10.1046/j.1365-2141.1999.01571.x"


def read_signalling(table: TableReader) -> AgonistSignalling:
    """The table as a value; faults are noted by its reader.

    Parameters
    ----------
    table : TableReader
        [signalling]; keys `affinity_nM`, `efficacy` and `plasma_unbound_fraction`, each with `_source` and `_tier`, `anchor`, `note`.
    """
    signalling = AgonistSignalling(
        affinity_nM=_sourced(table, "affinity_nM", expected="the concentration that takes half of the site, in nmol/L, above 0"),
        efficacy=_sourced(table, "efficacy", expected="the transducer ratio, above 0"),
        plasma_unbound_fraction=_sourced(table, "plasma_unbound_fraction", expected="a fraction of 1, above 0", most=1.0),
        anchor=table.text("anchor", expected="the cell system of a [[potency]] in this file"),
        note=table.text("note", expected="a sentence"),
    )
    table.close()
    return signalling


def _sourced(table: TableReader, key: str, *, expected: str, most: float = float("inf")) -> SourcedNumber | None:
    value = table.number(key, expected=expected, above=0.0)
    base = key.removesuffix("_nM")
    present = value is not None
    source = table.text(f"{base}_source", expected="where the number comes from",
                        example=f'{base}_source = "{EXAMPLE_SOURCE}"' if present else None)  # fmt: skip
    tier = table.choice(f"{base}_tier", Tier, example=f'{base}_tier = "published"' if present else None)
    if value is not None and value > most:
        table.fault(key, expected=f"{expected}, and at most {most:g}", cure="Write per cent as a fraction: 0.01 for 1 %.")
    if value is None or source is None or tier is None:
        return None
    return SourcedNumber(value=value, source=source, tier=tier)
