"""Real FCS files of many instruments: events, channels and sums beside those of FlowIO 1.4.0 and FlowCal 1.3.1.

The sums below were computed once with those two packages (default options; FlowIO with `ignore_offset_error=True`); "both" means that
they agreed, a name that the other one refuses the file. What neither reads is compared with the bytes, taken by hand.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from thrombokit import read_fcs
from thrombokit.errors import InputError

PEERS = (
    ("cytoflow_instruments/Accuri - C6.fcs", 60661, 14, 138777333806, "FlowCal"),
    ("cytoflow_instruments/Cytek xP5.fcs", 23126, 8, 243463658, "FlowCal"),
    ("cytoflow_instruments/Partec - PAS.FCS", 33649, 8, 404911995, "both"),
    ("cytoflow_instruments/Stratedigm - S1400.fcs", 10000, 38, 21839447777, "both"),
    ("cytoflow_instruments/iCyt - Eclipse.lmd", 19330, 18, 67618348765, "both"),
    ("flowcore_compdata/data/060909.001", 10000, 7, 12462999, "both"),
    ("flowcore_compdata/data/060909.002", 8805, 7, 24567453, "both"),
    ("flowcore_compdata/data/060909.003", 7485, 7, 17479229, "both"),
    ("flowcore_compdata/data/060909.004", 10000, 7, 17620636, "both"),
    ("flowcore_compdata/data/060909.005", 10000, 7, 18387678, "both"),
    ("flowio_odd/3FITC_4PE_004.fcs", 94569, 4, 155239898, "both"),
    ("flowio_odd/G11.fcs", 5785, 12, 6465367565, "both"),
    ("flowio_odd/coulter.lmd", 18110, 8, 36208623, "both"),
    ("flowio_odd/variable_int_example.fcs", 2, 26, 26029545, "FlowIO"),
    ("flowkit_flowjo/data_set_simple_line_100.fcs", 100, 2, 22937600, "both"),
    ("flowkit_flowjo/test_comp_example.fcs", 10703, 18, 2667689909.963075, "both"),
    ("flowkit_flowjo/test_data_diamond_01.fcs", 200000, 2, 19999900000, "both"),
    ("flowkit_gatingml/data1.fcs", 13367, 8, 18291472, "FlowIO"),
    ("flowploidydata/188-15.LMD", 11369, 9, 19746833, "both"),
    ("flowploidydata/240-4-2+rad.LMD", 5507, 9, 8952076, "both"),
    ("flowploidydata/248+S.LMD", 16152, 9, 31572566, "both"),
    ("flowploidydata/337.LMD", 23066, 9, 52464767, "both"),
    ("flowploidydata/350.LMD", 16260, 9, 30706685, "both"),
    ("flowploidydata/597.LMD", 9596, 9, 14956927, "both"),
    ("flowploidydata/744.LMD", 7085, 9, 12236580, "both"),
    ("mupet_yeast/BY4742_1n.fcs", 26710, 34, 162985295.51172388, "both"),
    ("mupet_yeast/BY4743_2n.fcs", 26511, 34, 184002799.8676051, "both"),
    ("mupet_yeast/YPS128_4n.fcs", 24881, 34, 198542458.63711613, "both"),
    ("ploidypeaks_raw/A1_1.fcs", 10224, 5, 15258775, "both"),
    ("ploidypeaks_raw/A1_10.fcs", 10418, 5, 16753373, "both"),
    ("ploidypeaks_raw/A1_11.fcs", 10217, 5, 13614623, "both"),
    ("ploidypeaks_raw/A1_12.fcs", 5761, 5, 8183302, "both"),
    ("ploidypeaks_raw/A1_2.fcs", 10265, 5, 15355508, "both"),
    ("ploidypeaks_raw/A1_3.fcs", 10380, 5, 16323286, "both"),
    ("ploidypeaks_raw/A1_4.fcs", 10411, 5, 16618065, "both"),
    ("ploidypeaks_raw/A1_5.fcs", 10686, 5, 18242069, "both"),
    ("ploidypeaks_raw/A1_6.fcs", 10676, 5, 18345570, "both"),
    ("ploidypeaks_raw/A1_7.fcs", 10648, 5, 18537611, "both"),
    ("ploidypeaks_raw/A1_8.fcs", 10648, 5, 18120432, "both"),
    ("ploidypeaks_raw/A1_9.fcs", 10428, 5, 17031483, "both"),
)


@pytest.mark.parametrize("name, n_events, n_channels, total, peers", PEERS, ids=[row[0] for row in PEERS])
def test_sums_agree_with_peers(reference_data: Path, name: str, n_events: int, n_channels: int, total: float, peers: str) -> None:
    sample = read_fcs(reference_data / "fcs" / name)
    assert sample.stored.shape == (n_events, n_channels)
    assert float(np.sum(sample.stored, dtype=np.float64)) == pytest.approx(total, rel=1e-12), peers


@pytest.mark.parametrize(
    "name, first, dtype, mask",
    [
        *((f"cytoflow_genome_size/PU87@{tube}+B200.fcs", -30000, "<u2", 4095) for tube in (*range(2, 7), *range(8, 15), "7_sil")),
        ("cytoflow_instruments/Partec - CyFlow v2.9.fcs", -72989 * 8, "<u2", 32767),
        ("cytoflow_instruments/Beckman Coulter - Cytomics FC500.LMD", 8192, "<u2", 1023),
    ],
)
def test_files_that_peers_refuse_agree_with_their_bytes(reference_data: Path, name: str, first: int, dtype: str, mask: int) -> None:
    path = reference_data / "fcs" / name
    sample = read_fcs(path)
    raw = path.read_bytes()
    start = first if first > 0 else len(raw) + first
    values = np.frombuffer(raw, dtype=dtype, count=sample.stored.size, offset=start) & mask
    np.testing.assert_array_equal(sample.stored.ravel(), values)
    assert sample.n_events == int(sample.keywords["$TOT"])


def test_offsets_that_disagree_give_the_events_of_the_file_whose_offsets_agree(reference_data: Path) -> None:
    folder = reference_data / "fcs" / "flowio_odd"
    right = read_fcs(folder / "variable_int_example.fcs")
    for name in ("data_start_offset_discrepancy_example.fcs", "data_stop_offset_discrepancy_example.fcs"):
        odd = read_fcs(folder / name)
        np.testing.assert_array_equal(odd.stored, right.stored)
        assert any("HEADER and TEXT disagree on DATA" in note for note in odd.notes)
        with pytest.raises(InputError, match=r"SPILL: found 'x+' "):
            odd.events("compensated")


def test_every_file_is_read(reference_data: Path) -> None:
    files = [path for path in sorted((reference_data / "fcs").rglob("*")) if path.is_file() and path.read_bytes()[:3] == b"FCS"]
    assert len(files) >= 50
    for path in files:
        sample = read_fcs(path)
        assert np.isfinite(sample.events("decoded")).all(), path.name
        for number in range(2, sample.n_data_sets + 1):
            assert read_fcs(path, data_set=number).n_events >= 0
