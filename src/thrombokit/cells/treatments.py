"""What a culture was given, as labels in the order in which a picture shows them: vehicle, rising doses, positive control."""

from __future__ import annotations

import polars as pl

from thrombokit.drawing.numerals import three_digits

ORDER = {"untreated": 0, "vehicle": 1, "sample": 2, "positive_control": 3}


def treatment_words(role: str, agonist: str, concentration_nM: float | None) -> str:
    """ "vehicle", "hetrombopag 3 nM", "rhTPO 1 nM", "untreated"."""
    if role in ("vehicle", "untreated"):
        return role
    dose = "" if concentration_nM is None else f"{_short(concentration_nM)} nM"
    return f"{agonist or role.replace('_', ' ')} {dose}".strip()


def culture_panels(tubes: pl.DataFrame) -> pl.DataFrame:
    """Each row once for every panel it belongs to, with `panel`, `dose` and the order of both.

    Parameters
    ----------
    tubes : DataFrame
        One row a tube (or a tube and a population): `donor, day_d, role, agonist, concentration_nM`.

    Returns
    -------
    DataFrame
        The rows with `panel` ("donor D1, hetrombopag, day 10") and `dose` ("vehicle", "3 nM", "rhTPO 1 nM"), sorted by both. A panel is a
        donor, day and agonist; vehicle, untreated and positive-control tubes of the same donor and day stand in each of its panels.
    """
    frame = tubes.with_columns(pl.col("role").cast(pl.String).fill_null("sample"), pl.col("agonist").fill_null(""))
    dosed = frame.filter((pl.col("role") == "sample") & (pl.col("agonist") != ""))
    panels = dosed.select("donor", "day_d", tested="agonist").unique(maintain_order=True)
    if panels.is_empty():
        panels = frame.select("donor", "day_d", tested=pl.lit("")).unique(maintain_order=True)
    joined = frame.join(panels, on=["donor", "day_d"], how="inner", nulls_equal=True, maintain_order="right_left")
    mine = joined.filter((pl.col("role") != "sample") | (pl.col("agonist") == pl.col("tested")) | (pl.col("tested") == ""))
    several = {name: panels[name].n_unique() > 1 for name in ("tested", "day_d")}
    doses = [_dose(*row) for row in mine.select("role", "agonist", "concentration_nM").iter_rows()]
    labels = [_panel(*row, several=several) for row in mine.select("donor", "tested", "day_d").iter_rows()]
    rank = pl.col("role").replace_strict(ORDER, default=2, return_dtype=pl.Int64)
    place = pl.int_range(pl.len()).min().over("panel")
    return (
        mine.with_columns(panel=pl.Series(labels, dtype=pl.String), dose=pl.Series(doses, dtype=pl.String), rank=rank)
        .with_columns(place=place)
        .sort("place", "rank", "concentration_nM", maintain_order=True, nulls_last=False)
        .drop("rank", "place")
    )


def _dose(role: str, agonist: str, concentration_nM: float | None) -> str:
    """Within a panel of one agonist: the dose alone; what is not of that agonist by name."""
    if role == "sample" and concentration_nM is not None:
        return f"{_short(concentration_nM)} nM"
    return treatment_words(role, agonist, concentration_nM)


def _panel(donor: str, tested: str, day_d: float | None, *, several: dict[str, bool]) -> str:
    parts = [donor or "one donor"]
    parts += [tested] if tested and several["tested"] else []
    parts += [f"day {day_d:g}"] if day_d is not None and several["day_d"] else []
    return ", ".join(parts)


def _short(value: float) -> str:
    """Three digits without the zeros that only a table needs: 0.300 -> 0.3."""
    text = three_digits(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
