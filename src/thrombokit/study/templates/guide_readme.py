"""The README that goes with the guide study: what it imitates, what is wrong with it on purpose, how it was made."""

from __future__ import annotations

from thrombokit.study.templates.assay import BETWEEN_RUN_SD_LOG10, DILUTION_SD_LN, NOISE_CV
from thrombokit.study.templates.guide_text import TITLE

README = f"""# {TITLE}

**Synthetic.** Every reading in this folder was simulated by thrombokit. No cell, no compound and no instrument took
part. It is here to try the software on data whose answer is known; it is not evidence about any medicine. Research
use only.

## What it imitates

A proliferation assay of TPO-receptor-expressing cells: 96-well plates, 72 h with the compound, RPMI-1640 with 10 %
FBS, luminescent read-out of living cells. Two kinds of cells:

- **32D-MPL**: runs 1 to 6, n = runs. The cells die without IL-3 or a TPO-receptor agonist, so vehicle wells read
  little more than medium, and rhTPO reads 30 to 60 times vehicle.
- **CD34+ cord blood**: donors A to F, n = donors. Vehicle wells read high, and rhTPO only 1.5 to 3 times as much.

Every run has a main plate: hetrombopag and eltrombopag (the comparator), ten doses in triplicate, vehicle, rhTPO
(100 ng/mL), medium without cells, and IL-3 rescue wells on 32D-MPL. Runs 1 to 5 have a second plate, the panel:
eltrombopag again, a partial agonist (partial-01), one whose response falls again at high dose (bell-01) and one
that kills at its top dose (toxic-01), eight doses in duplicate. Both plates of a run are the same n.

## What is wrong with it, on purpose

- 32D-MPL, run 6: the dispenser failed. rhTPO went into every second vehicle well and not into the rhTPO wells.
- CD34+ cord blood, donor F: the plate is sound, its map is written one row too low.

A good analysis says so, leaves both out of the combined EC50, and still shows them.

## How the readings were made

For each run: one shift of log10 EC50 for all compounds (standard deviation {BETWEEN_RUN_SD_LOG10}); one dilution
error for each compound, the same for all of its doses on all plates of the run (standard deviation {DILUTION_SD_LN}
of the natural logarithm, about 10 %). For each plate: the outer ring reads 6 to 8 % low. For each well: normal
scatter of {100 * NOISE_CV:g} % of its mean, and a little instrument noise. On the main plates a third of the wells
of every dose and control stands in the ring.

The EC50s of hetrombopag and eltrombopag are the guide's (32D-MPL 0.4 and 13.4 nM; CD34+ 2.3 and 86.2 nM): that is
the mean over all runs there could be, and the runs here scatter around it. `truth.toml` holds the true values of
each run.

## Files

- `study.toml`: the study; run it with `thrombokit run` and this folder.
  Its patients have no file: they are virtual, drawn from the shipped model of hetrombopag in ITP.
- `exports/`: one reader export a plate.
- `maps/`: which well holds what; plates laid out alike share a map.
- `cells/`: the flow cytometry of cultures from donors A to C, and of three donors of adult blood; it has a README of its own.
- `signalling/signals.csv`: phosphorylation of STAT5, ERK and AKT in 32D-MPL by phospho-flow, three runs, every value synthetic: simple curves
  that no model of the pathway made, so that a model that does not follow them has to say so.
- `trial/`: a synthetic trial of two doses against placebo, 40 subjects an arm: weekly counts with rescue, drop-out and missed
  visits; it has a README of its own.
- `truth.toml`: the true values. No analysis reads it.
"""
