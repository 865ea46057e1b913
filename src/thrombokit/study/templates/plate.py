"""The starting study: one small synthetic plate that runs at once, and a study.toml in which every key is explained."""

from __future__ import annotations

from thrombokit.numerics.streams import stream
from thrombokit.study.templates.assay import AgonistTruth, RunTruth, mean_signal, scattered
from thrombokit.study.templates.synthetic_plate import SyntheticPlate
from thrombokit.study.templates.well_plan import DoseSeries, plan_from_drawing

_DRAWING = """
    V mmmmmmmm V . .
    B VPVPVPBV B . .
    P mmmmmmmm P . .
    V eeeeeeee V . .
    B mmmmmmmm B . .
    P eeeeeeee V . .
    V PVBPVBVP V . .
    P eeeeeeee B . .
"""
_SERIES = {
    "m": DoseSeries(agonist="my-agonist", top_nM=300.0, fold=4.0, n_doses=8),
    "e": DoseSeries(agonist="eltrombopag", top_nM=2000.0, fold=4.0, n_doses=8, role="comparator"),
}
_AGONISTS = (
    AgonistTruth(name="my-agonist", ec50_nM=2.5, hill_slope=1.2, efficacy=0.9),
    AgonistTruth(name="eltrombopag", ec50_nM=13.4, hill_slope=1.15, efficacy=0.95),
)
_RUN = RunTruth(
    cell_system="32D-MPL",
    run="run 1",
    ec50_shift_log10=0.0,
    dilution_factor={truth.name: 1.0 for truth in _AGONISTS},
    vehicle_RLU=15_000.0,
    rhTPO_RLU=600_000.0,
)


def example_plate(seed: int) -> SyntheticPlate:
    """One synthetic 96-well plate: a made-up agonist (EC50 2.5 nM) and eltrombopag (13.4 nM), eight doses in triplicate."""
    plan = plan_from_drawing(_DRAWING, _SERIES)
    mean = mean_signal(plan, _AGONISTS, _RUN, edge_loss=0.0)
    return SyntheticPlate(
        name="synthetic_example",
        cell_system=_RUN.cell_system,
        run=_RUN.run,
        date="2024-03-04",
        operator="op1",
        hours=72.0,
        signal=scattered(mean, stream(seed, "plate template", _RUN.cell_system, _RUN.run, "example", "scatter")),
        mean=mean,
        plan=plan,
        map_name="synthetic_example",
    )


def starting_study_text(seed: int, plate: SyntheticPlate) -> str:
    """study.toml that runs as it is; comments say what each key is for."""
    return f'''# A starting study. It runs as it is, on one synthetic plate: put your own exports and maps in its place.
schema = 1                        # form of this file

[study]
title = "My first plate (synthetic example)"
seed = {seed}                      # random numbers of the analysis; the same seed gives the same result
synthetic = true                  # take this line out when the data are your own
note = "Synthetic: simulated readings, to be replaced."

[[agonists]]                      # compounds thrombokit knows by name, or by a file: file = "my-agonist.toml"
name = "eltrombopag"              # what a map names and this list does not (here my-agonist) is taken as a plain name

[[agonists]]
name = "rhTPO"

[plate]
vehicle = "vehicle"               # name of the vehicle control in the maps
positive_control = "rhTPO"        # what counts as 100 %
comparator = "eltrombopag"        # EC50 ratios are formed against it
serum = "10 % FBS"                # an EC50 belongs to its assay: cells, hours, serum
# map = "maps/every_plate.csv"    # one map for all files that name none
# map_origin = "A1"               # cell of the map that is well A01, for maps drawn as a plate
# map_unit = "nM"                 # unit of the doses, where the map has no unit column

[[plate.files]]                   # one block for each export
file = "exports/{plate.name}.csv"
map = "maps/{plate.map_name}.csv"  # well, role, agonist, concentration, unit, cell_system
run = "{plate.run}"                     # independent repetition, or donor: this is what n counts
date = "{plate.date}"
cell_system = "{plate.cell_system}"
hours = {plate.hours:g}                        # with the compound
operator = "{plate.operator}"                  # a code, not a name; printed only if you ask for it

# [[plate.exclude]]               # wells to leave out, each with its reason
# file = "exports/{plate.name}.csv"
# well = "B07"
# reason = "air bubble"
'''
