"""Responders by arm and stratum from a table: one row a subject with its response, or one row a group with its counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thrombokit.errors import Fault, FileFormatError, raise_all
from thrombokit.io.chosen_columns import ChosenTable, read_chosen_columns
from thrombokit.io.fault_lists import condensed

YES, NO = ("1", "y", "yes", "true", "responder"), ("0", "n", "no", "false", "non-responder", "nonresponder")


def read_responders(
    path: str | Path, *, arm: str, response: str | None = None, responders: str | None = None, size: str | None = None,
    strata: Sequence[str] = (), responder_value: str | None = None, frequency: str | None = None,
) -> dict[str, dict[str, tuple[int, int]]]:  # fmt: skip
    """Counts by arm and stratum.

    Parameters
    ----------
    path : path
        CSV, TSV, XLSX or Parquet.
    arm : str
        Column of the arm.
    response : str, optional
        Column of each subject's response (1/0, yes/no, true/false); give this, or `responders` and `size`.
    responders, size : str, optional
        Columns of counts, one row a group.
    strata : sequence of str
        Columns whose values together name the stratum.
    responder_value : str, optional
        What a responder's response reads, where it is neither 1 nor yes; every other word is then no response.
    frequency : str, optional
        Column that says how many subjects a row with a response stands for.

    Returns
    -------
    dict
        Arm -> stratum -> (responders, size), in the file's order; the stratum is "" where no column was named.

    Raises
    ------
    InputError
        Columns that are not there, empty arms or strata, responses that are neither yes nor no, counts that are no counts.
    """
    grouped = response is None
    if grouped and (responders is None or size is None):
        raise FileFormatError(Fault(place=Path(path).name, found="neither a column of responses nor columns of counts", expected="one of both",
                                    cure="Name the response, or the responders and the size of each group."))  # fmt: skip
    counted = {"responders": responders or "", "size": size or ""} if grouped else {"response": response or ""}
    counted |= {"frequency": frequency} if frequency and not grouped else {}
    table = read_chosen_columns(path, {"arm": arm, **counted, **{f"stratum {name}": name for name in strata}})
    faults: list[Fault] = []
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for row, place in enumerate(table.places):
        name, stratum = table.texts["arm"][row], _stratum(table, strata, row, faults)
        if not name:
            faults.append(Fault(place=place, found="no arm", expected="the arm's name", cure="Fill it in, or delete the row."))
        pair = _counts(table, row, faults) if grouped else _answer(table, row, responder_value, faults)
        before = counts.setdefault(name, {}).get(stratum, (0, 0))
        counts[name][stratum] = (before[0] + pair[0], before[1] + pair[1])
    raise_all(condensed(faults), FileFormatError)
    return counts


def _stratum(table: ChosenTable, strata: Sequence[str], row: int, faults: list[Fault]) -> str:
    parts = [table.texts[f"stratum {name}"][row] for name in strata]
    for name, part in zip(strata, parts, strict=True):
        if not part:
            faults.append(Fault(place=f"{table.places[row]}, {name}", found="nothing", expected="the stratum", cure="Fill it in; a subject without "
                                "a stratum would be lost in silence."))  # fmt: skip
    return " / ".join(parts)


def _answer(table: ChosenTable, row: int, responder_value: str | None, faults: list[Fault]) -> tuple[int, int]:
    said = table.texts["response"][row]
    plain = said.casefold().removesuffix(".0")
    number = table.texts["frequency"][row] if "frequency" in table.texts else "1"
    if not number.isdecimal():
        faults.append(Fault(place=f"{table.places[row]}, {table.titles['frequency']}", found=f'"{number}"', expected="a whole number of subjects",
                            cure="Correct the number."))  # fmt: skip
        return 0, 0
    if said and responder_value is not None:
        return int(number) * int(said == responder_value), int(number)
    if plain in YES or plain in NO:
        return int(number) * int(plain in YES), int(number)
    cure = (
        "A missing response is a rule of the protocol (usually no response): write it in."
        if not said
        else "Say which word is a response."
    )
    faults.append(Fault(place=f"{table.places[row]}, {table.titles['response']}", found=f'"{said}"' if said else "nothing",
                        expected="1 or 0, yes or no", cure=cure))  # fmt: skip
    return 0, 0


def _counts(table: ChosenTable, row: int, faults: list[Fault]) -> tuple[int, int]:
    texts = table.texts["responders"][row], table.texts["size"][row]
    if not all(text.isdecimal() for text in texts):
        faults.append(
            Fault(
                place=table.places[row], found=f'"{texts[0]}" of "{texts[1]}"', expected="two whole numbers", cure="Count subjects."
            )
        )
        return 0, 0
    responders, size = int(texts[0]), int(texts[1])
    if responders > size:
        faults.append(Fault(place=table.places[row], found=f"{responders} responders of {size}", expected="no more responders than subjects",
                            cure="Correct the counts."))  # fmt: skip
    return responders, size
