"""A plan of a culture to start from, as a person would write it."""

from __future__ import annotations

EXAMPLE = """schema = "thrombokit-plan/1"

[plan]
title = "Dose series in cord-blood cells"
cell_source = "cord_blood"            # cord_blood, adult_blood or bone_marrow
donors = ["D1", "D2", "D3"]           # donors are n
# start = 2026-05-04                  # the date of day 0, for dates in the timetable
expansion_d = 3                       # days of expansion
differentiation_d = 12                # days with the agonist
read_days = [12]                      # days of differentiation on which wells are sampled
feed_every_d = 3
replicate_wells = 2
MKs_per_tube = 5000                   # wanted in the gates of every tube
vehicle = "DMSO 0.1 %"
# expansion_medium = "..."            # without TPO or any other agonist
# differentiation_medium = "..."
# well_volume_mL = 1.0                # without it the smallest vessel that gives enough cells is chosen

[positive_control]
name = "rhTPO"
dose = "100 ng/mL"

[[agonists]]
name = "hetrombopag"
top = "1000 nM"
n_doses = 6
dilution = 4.0

[[agonists]]
name = "eltrombopag"
doses = ["10 uM", "3 uM", "1 uM", "300 nM", "100 nM", "30 nM"]

[[panels]]
name = "surface"
viability = "fixable"
[panels.channels]                     # marker = the channel's name or label on your cytometer
CD34 = "BV421-A"
CD41 = "APC-A"
CD61 = "FITC-A"
CD42b = "PE-A"
viability = "APC-Cy7-A"
[panels.dyes]
CD34 = "BV421"
CD41 = "APC"
CD61 = "FITC"
CD42b = "PE"
viability = "fixable near-IR"

[[panels]]
name = "ploidy"
fixed = true
[panels.channels]
CD41 = "APC-A"
DNA = "PE-Texas-Red-A"
[panels.dyes]
CD41 = "APC"
DNA = "propidium iodide with RNase"

# Numbers of your own in place of the shipped ones:
# [numbers.MKs_per_CD34]
# value = 4.0
# low = 2.5
# high = 6.4
# source = "our last six cultures"
"""
"""A plan to start from."""
