"""Events in the coding of early RxODE, translated to NONMEM's: 101 is a dose into compartment 1, 10101 an infusion switched on or off.

The code is (compartment part)(01): hundreds name the compartment, 10000 more says infusion. An infusion is two records, AMT = rate and
later AMT = -rate; here the first becomes a dose of rate x time with that RATE, the second a record of its own without effect. No such
number is a NONMEM EVID, so nothing can be mistaken; that it happened is told.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thrombokit.errors import Fault
from thrombokit.numerics.arrays import Array
from thrombokit.patients.event_columns import Columns
from thrombokit.patients.event_table import DOSE, OTHER

_FIRST, _INFUSION = 101, 10_000


def translate_rxode(columns: Columns, evid: Array, faults: list[Fault]) -> tuple[Columns, Array, tuple[str, ...]]:
    """Columns and EVID in NONMEM's coding, and what to tell; what cannot be translated is added to `faults`.

    Parameters
    ----------
    columns : Columns
        The table of n records.
    evid : array of shape (n,)
        As read.
    faults : list of Fault
        Grows with each infusion that is never switched off.
    """
    with np.errstate(invalid="ignore"):
        coded = (evid >= _FIRST) & (evid % 100 == 1) & (evid % 1 == 0) & (evid < 2 * _INFUSION)
    if not coded.any():
        return columns, evid, ()
    compartment = np.where(coded, (evid % _INFUSION) // 100, columns.whole("CMT", 0.0))
    amount, rate = columns.whole("AMT", 0.0), columns.whole("RATE", 0.0)
    infusion = coded & (evid > _INFUSION)
    new_evid = np.where(coded, float(DOSE), evid)
    rate = np.where(coded & ~infusion, 0.0, rate)
    _pair_infusions(columns, np.flatnonzero(infusion), compartment, amount, rate, new_evid, faults)
    numbers = {**columns.numbers, "EVID": new_evid, "CMT": compartment, "AMT": amount, "RATE": rate}
    headers = (*columns.headers, *(name for name in ("CMT", "AMT", "RATE") if name not in columns.numbers))
    codes = ", ".join(str(int(code)) for code in np.unique(evid[coded]))
    note = f"EVID {codes} (coding of early RxODE) read as doses (EVID 1) in {int((coded & (new_evid == DOSE)).sum())} records."
    return replace(columns, numbers=numbers, headers=headers), new_evid, (note,)


def _pair_infusions(
    columns: Columns, places: np.ndarray, compartment: Array, amount: Array, rate: Array, evid: Array, faults: list[Fault]
) -> None:
    """Give each start of an infusion its amount (rate x time to the stop) and turn the stop into a record without effect; in place."""
    ids, time = columns.numbers["ID"], columns.numbers["TIME"]
    open_starts: list[int] = []
    for k in (int(place) for place in places):
        if amount[k] >= 0:
            open_starts.append(k)
            continue
        evid[k], stopped, rate[k], amount[k] = float(OTHER), -amount[k], 0.0, 0.0
        start = next(
            (j for j in open_starts if ids[j] == ids[k] and compartment[j] == compartment[k] and amount[j] == stopped), None
        )
        if start is None:
            faults.append(Fault(place=columns.place(k, "AMT"), found=f"an infusion of rate {stopped:g} switched off", cure="Add its start.",
                                expected="the record that switched it on before"))  # fmt: skip
            continue
        open_starts.remove(start)
        rate[start], amount[start] = stopped, stopped * (time[k] - time[start])
    for j in open_starts:
        faults.append(Fault(place=columns.place(j, "AMT"), found=f"an infusion of rate {amount[j]:g} that never stops", cure="Add its end.",
                            expected="a later record of the same EVID with the negative rate"))  # fmt: skip
