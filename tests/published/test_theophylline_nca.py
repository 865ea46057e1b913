"""Theophylline by non-compartmental analysis, beside Phoenix WinNonlin 6.3 as printed in a public validation report.

Han S, Validation of Noncompartmental Analysis Performed by NonCompart R package (2018), whose tables print Phoenix's numbers for the 12
subjects with a dose of 320 mg; the same numbers stand in the R book that documents NonCompart. They are printed with six decimals, some
of them cut rather than rounded, so a unit of the last one is the tolerance.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import thrombokit as tk
from thrombokit.patients.nca_choices import AreaMethod
from thrombokit.patients.nca_result import NcaResult

LINEAR = {  # AUClast, AUCINF_obs, Lambda_z, half-life, Cl_F_obs, Vz_F_obs, extrapolated %
    1: (148.923050, 216.611933, 0.048457, 14.304378, 1.477296, 30.486748, 31.248917),
    2: (91.526800, 100.173459, 0.104086, 6.659342, 3.194459, 30.690442, 8.631687),
    3: (99.286500, 109.535971, 0.102444, 6.766087, 2.921415, 28.517100, 9.357173),
    4: (106.796300, 118.378881, 0.099287, 6.981247, 2.703185, 27.225964, 9.784331),
    5: (121.294400, 139.419778, 0.086619, 8.002264, 2.295227, 26.497995, 13.000579),
    6: (73.775550, 84.254418, 0.087796, 7.894998, 3.798020, 43.259735, 12.437174),
    7: (90.753400, 103.771802, 0.088336, 7.846668, 3.083689, 34.908441, 12.545221),
    8: (88.559950, 103.906687, 0.081451, 8.510038, 3.079686, 37.810508, 14.769730),
    9: (86.326150, 99.908718, 0.082459, 8.405999, 3.202924, 38.842793, 13.594978),
    10: (138.368100, 170.652061, 0.074960, 9.246916, 1.875160, 25.015540, 18.918002),
    11: (80.093600, 89.102745, 0.095459, 7.261237, 3.591360, 37.622185, 10.110962),
    12: (119.977500, 130.588832, 0.110259, 6.286508, 2.450439, 22.224294, 8.125757),
}
LOG_DOWN = {  # AUClast, AUCINF_obs
    1: (147.234748, 214.923632), 2: (88.731275, 97.377935), 3: (95.878198, 106.127668), 4: (102.633623, 114.216205),
    5: (118.179354, 136.304732), 6: (71.697015, 82.175883), 7: (87.969227, 100.987629), 8: (86.806563, 102.153300),
    9: (83.937436, 97.520004), 10: (135.576070, 167.860031), 11: (77.893472, 86.902617), 12: (115.220208, 125.831540),
}  # fmt: skip
LAST_DIGIT = 1.01e-6


def analysed(reference_data: Path, method: AreaMethod) -> NcaResult:
    profiles = tk.read_profiles(reference_data / "pkpd" / "nlmixr2data" / "theo_sd.csv", dose=320.0)
    return tk.analyse_nca(profiles, tk.NcaSettings(method=method, partial=((0.0, 12.0), (0.0, 24.0))))


def test_twelve_subjects_by_straight_lines(reference_data: Path) -> None:
    found = analysed(reference_data, AreaMethod.LINEAR)
    for subject, values in LINEAR.items():
        for code, value in zip(("AUCLST", "AUCIFO", "LAMZ", "LAMZHL", "CLFO", "VZFO", "AUCPEO"), values, strict=True):
            assert found.value(str(subject), code) == pytest.approx(value, abs=LAST_DIGIT), (subject, code)


def test_twelve_subjects_linear_up_log_down(reference_data: Path) -> None:
    found = analysed(reference_data, AreaMethod.LINEAR_UP_LOG_DOWN)
    for subject, values in LOG_DOWN.items():
        for code, value in zip(("AUCLST", "AUCIFO"), values, strict=True):
            assert found.value(str(subject), code) == pytest.approx(value, abs=LAST_DIGIT), (subject, code)


def test_moments_points_and_partial_areas_of_subject_1(reference_data: Path) -> None:
    found = analysed(reference_data, AreaMethod.LINEAR)
    printed = {"AUMCLST": 1459.0711035, "AUMCIFO": 4505.5348194, "MRTEVIFO": 20.8000305, "MRTEVLST": 9.7974834, "AUCIFP": 216.6149558,
               "AUCPEP": 31.2498763, "LAMZNPT": 3, "LAMZLL": 9.05, "LAMZUL": 24.37, "CORRXY": -0.9999999, "R2ADJ": 0.9999995,
               "AUCINT 0-12": 91.735522, "AUCINT 0-24": 147.6945866, "CMAX": 10.5, "TMAX": 1.12}  # fmt: skip
    for code, value in printed.items():
        assert found.value("1", code) == pytest.approx(value, abs=0.51e-7), code
    assert found.value("6", "LAMZNPT") == 7
    assert found.value("8", "LAMZNPT") == 6
