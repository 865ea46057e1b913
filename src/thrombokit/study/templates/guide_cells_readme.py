"""The README of the guide study's cells folder: what it imitates, what is wrong with it on purpose, what is assumed."""

from __future__ import annotations

from thrombokit.study.templates.cytometer_tube import STUCK_SHARE
from thrombokit.study.templates.guide_cells import BROKEN_TANDEM, CONTROL_DONOR, DOSES, FAULTS, PLOIDY_EVENTS, SURFACE_EVENTS
from thrombokit.study.templates.megakaryocyte_culture import COATED_SHARE, SHED_SHARE

_DOSES = ", ".join(f"{dose:g}" for dose in DOSES.doses_nM)
_WRONG = "\n".join(
    f"- {donor}, {agonist} {dose:g} nM: {' and '.join(type(fault).__name__ for fault in faults)}"
    for (donor, agonist, dose), faults in FAULTS.items()
)
_TANDEM = ", ".join(BROKEN_TANDEM)

CELLS_README = f"""# Flow cytometry of the guide study (synthetic)

**Synthetic.** Every event in this folder was simulated by thrombokit: no cell, no antibody and no cytometer took part. It
is here to try the software on data whose answer is known; it is no evidence about any medicine. Research use only.

## What it imitates

Cord-blood CD34+ cells of donors A, B and C, twelve days with vehicle, {DOSES.agonist} ({_DOSES} nM) or rhTPO
(100 ng/mL), and adult-blood CD34+ cells of donors G, H and I on the ploidy panel alone. n is donors.

- *Surface panel*: CD34, CD41, CD61, CD42b and a fixable viability dye, {SURFACE_EVENTS} events a tube. For each donor a tube
  without each marker (FMO) from the rhTPO culture; single stains and an unstained tube from {CONTROL_DONOR}. The single stain
  of the viability dye is half heat-killed.
- *Ploidy panel*: CD41, CD42b and propidium iodide on fixed cells, every dose of each donor, {PLOIDY_EVENTS} events a tube.
  CD41- cells in the tube mark 2N.

## What is wrong with it, on purpose

{_WRONG}
- {_TANDEM}: its PE-Cy7 had begun to break down, so that CD34 leaks into PE (CD42b) more than the files' matrix says.
- In every tube: dead cells, debris, platelet-like particles, {100 * STUCK_SHARE:g} % doublets, {100 * COATED_SHARE:g} % of CD34+CD41- cells
  with platelets on them that feign CD41 and CD42b, and {100 * SHED_SHARE:g} % of CD42b+ cells that have shed it. Autofluorescence and
  the background of propidium iodide rise with the size of the cell.

## What is published and what is assumed

About 80 % of cord-blood megakaryocytes at 2N and 2.6 % at 8N with thrombopoietin are published (Blood 2002;99:888-897), and so is
that thrombopoietin lowers their ploidy and raises that of adult-blood megakaryocytes, about 40 % of which reach 8N. That platelets
stick to CD34+ cells is published (Blood 1995;86:3771), how many is assumed.
The EC50s are those of the plates. Shares of the other stages, yields, brightness and noise are assumed.

## Files

- `sheet.csv`: the sample sheet; `panels.toml`: which channel shows which marker; `yields.csv`: seeding, feeds, counts.
- `*.fcs`: FCS 3.1, linear floats, with the matrix of fresh dyes.
- `truth.csv`, `truth_events.parquet`: what is really in each tube and what every event is. No analysis reads them.
"""
