"""What was seeded, fed and counted of each culture of the guide study: a ledger from which a yield can be computed.

Every culture starts with 20,000 CD34+ cells in 1 mL, is given another millilitre on day 5, has half of its suspension replaced on day 8
(the cells in it are lost) and is counted by hand on day 12. The count scatters as counts do; the megakaryocytes among 300 cells looked at
are a sample of the culture's true share.
"""

from __future__ import annotations

import math

from thrombokit.numerics.streams import stream
from thrombokit.study.templates.guide_cells import donor_cultures, guide_donors, stem
from thrombokit.study.templates.map_text import number_text
from thrombokit.study.templates.megakaryocyte_culture import Culture, culture_truth
from thrombokit.study.templates.well_plan import RHTPO

SEEDED_CELLS, SEEDED_mL = 20_000, 1.0
FINAL_mL, KEPT_FRACTION = 2.0, 0.5
CELLS_LOOKED_AT = 300
COUNT_CV = 0.08
"""Scatter of a count by hand: about 200 cells in the chamber, and the pipette; assumed."""
COLUMNS = (
    "culture", "donor", "day", "event", "cells", "volume_mL", "removed_mL", "added_mL", "cells_lost", "tube", "cells_per_mL",
    "MKs", "cells_looked_at",
)  # fmt: skip


def yields_text(seed: int) -> str:
    """The ledgers of all cultures as CSV, four lines each."""
    lines = [",".join(COLUMNS)]
    for donor in guide_donors(seed):
        for culture in donor_cultures(donor):
            lines += _ledger(seed, culture)
    return "\n".join(lines) + "\n"


def culture_name(culture: Culture) -> str:
    """donor A, hetrombopag 0.4 nM, without the comma: a name for a ledger."""
    if culture.concentration_nM:
        return f"{culture.donor.name} {culture.agonist} {culture.concentration_nM:g} nM"
    return f"{culture.donor.name} {culture.agonist}" + (" 100 ng/mL" if culture.agonist == RHTPO else "")


def _ledger(seed: int, culture: Culture) -> list[str]:
    truth = culture_truth(culture)
    name = culture_name(culture)
    rng = stream(seed, "guide", "cells", name, "count")
    cells_per_mL = SEEDED_CELLS * truth.cells_per_cd34 * KEPT_FRACTION / FINAL_mL
    counted = float(f"{cells_per_mL * math.exp(COUNT_CV * rng.standard_normal()):.3g}")
    megakaryocytes = int(rng.binomial(CELLS_LOOKED_AT, truth.positive_share["CD41"]))
    events: tuple[dict[str, str], ...] = (
        {"day": "0", "event": "seed", "cells": str(SEEDED_CELLS), "volume_mL": number_text(SEEDED_mL)},
        {"day": "5", "event": "feed", "removed_mL": "0", "added_mL": number_text(FINAL_mL - SEEDED_mL), "cells_lost": "no"},
        {"day": "8", "event": "feed", "removed_mL": "1", "added_mL": "1", "cells_lost": "yes"},
        {
            "day": number_text(culture.day_d), "event": "count", "tube": f"{stem(culture)}_surface",
            "cells_per_mL": number_text(counted), "MKs": str(megakaryocytes),
            "cells_looked_at": str(CELLS_LOOKED_AT),
        },
    )  # fmt: skip
    common = {"culture": name, "donor": culture.donor.name}
    return [",".join({**common, **event}.get(column, "") for column in COLUMNS) for event in events]
