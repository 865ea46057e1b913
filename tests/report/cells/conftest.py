"""A small cells section with every part filled, from made-up tables: three donors, one agonist, eight doses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from thrombokit.cells.miflowcyt import miflowcyt_record
from thrombokit.cells.populations import analyse_population_response
from thrombokit.cells.sample import Channel, Sample
from thrombokit.cells.tube_ploidy import TubePloidy
from thrombokit.cells.tubes import Panel, Tube
from thrombokit.domain.ploidy import CLASSES, Ploidy, PloidyHistogram
from thrombokit.drawing.densities import DensityPanel, Outline
from thrombokit.drawing.histograms import OverlayPanel
from thrombokit.drawing.panels import decade_ticks, linear_ticks
from thrombokit.drawing.ridges import Ridge, RidgePanel
from thrombokit.drawing.traces import TimePanel
from thrombokit.numerics.streams import stream
from thrombokit.report.cells import CellsSection
from thrombokit.report.cells_charts import StrategyPicture

DONORS = ("D1", "D2", "D3")
DOSES_NM = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
STAGES = ("CD34+CD41-", "CD34+CD41+CD42b-", "CD34+CD41+CD42b+", "CD34-CD41+CD42b+", "other")
TOP = 262144.0


def asinh(values: object) -> np.ndarray:
    """A display scale for made-up signals: 1 at the top."""
    return np.arcsinh(np.asarray(values, dtype=np.float64) / 150.0) / np.arcsinh(TOP / 150.0)


EDGES = np.linspace(float(asinh(-1_000.0)), 1.0, 129)
TICKS = decade_ticks(-1_000.0, TOP, asinh)


def conditions() -> list[tuple[str, str, float | None]]:
    """Role, agonist and dose (nM) of the tubes of one donor."""
    doses = [("sample", "hetrombopag", dose) for dose in DOSES_NM]
    return [("vehicle", "", 0.0), ("vehicle", "", 0.0), *doses, ("positive_control", "rhTPO", 1.0)]


def populations() -> pl.DataFrame:
    """CD41+ among live cells of every tube, EC50 near 2 nM."""
    rng = stream(11, "populations")
    rows: list[dict[str, object]] = []
    for donor, ec50 in zip(DONORS, (1.5, 2.0, 3.1), strict=True):
        for n, (role, agonist, dose) in enumerate(conditions()):
            share = 0.65 if role == "positive_control" else 0.1 + 0.5 / (1 + ec50 / dose) if dose else 0.1
            count = int(rng.binomial(5_000, rng.beta(150 * share, 150 * (1 - share))))
            rows.append({
                "tube": f"{donor} {'ABCDEFGH'[n % 8]}{n // 8 + 1:02d}", "donor": donor, "plate": f"plate {donor}", "day_d": 12.0, "panel": "surface",
                "role": role, "agonist": agonist, "concentration_nM": dose, "population": "CD41+", "parent": "live", "count": count,
                "parent_count": 5_000, "percent": count / 50, "percent_low": count / 50 - 1.2, "percent_high": count / 50 + 1.2,
            })  # fmt: skip
    return pl.DataFrame(rows)


def stages(table: pl.DataFrame) -> pl.DataFrame:
    """Five stages of every tube, the CD41+ share parted over three of them."""
    weights = {"CD34+CD41-": 0.0, "CD34+CD41+CD42b-": 0.3, "CD34+CD41+CD42b+": 0.2, "CD34-CD41+CD42b+": 0.5, "other": 0.0}
    frames = [
        table.with_columns(
            stage=pl.lit(stage),
            percent=pl.col("percent") * weight + (100 - pl.col("percent")) * {"CD34+CD41-": 0.7, "other": 0.3}.get(stage, 0.0),
        )
        for stage, weight in weights.items()
    ]
    return pl.concat(frames).drop("population")


def ploidy(share_8n: float) -> Ploidy:
    """A ploidy as a fit gives it, with its histogram."""
    fractions = np.array([0.97 - share_8n, 0.02, share_8n, 0.006, 0.003, 0.001])
    edges = np.concatenate([[-np.inf], np.geomspace(200.0, 120_000.0, 400), [np.inf]])
    middles = np.sqrt(edges[1:-2] * edges[2:-1])
    peaks = [1_000.0 * 2.0**k for k in range(6)]
    curves = np.array(
        [4_000 * f * np.exp(-0.5 * (np.log(middles / at) / 0.05) ** 2) * 0.13 for f, at in zip(fractions, peaks, strict=True)]
    )
    curves = np.pad(curves, ((0, 0), (1, 1)))
    counts = stream(12, "histogram").poisson(curves.sum(axis=0) + 0.3)
    curves = np.vstack([curves, np.full(counts.size, 0.3), np.zeros(counts.size)])
    histogram = PloidyHistogram(edges=edges, counts=counts, names=(*CLASSES, "debris", "other series"), curves=curves)
    above = float(fractions[2:].sum())
    return Ploidy(
        fractions=fractions, low=fractions * 0.9, high=fractions * 1.1, verdict="fit", message="", octave="reference", g1_peak=1_000.0,
        exponent=1.0, offset=0.0, ge8N=above, ge8N_low=0.9 * above, ge8N_high=1.1 * above, mean_ploidy=2.4, mean_ploidy_low=2.3,
        mean_ploidy_high=2.5, n_events=4_000, n_cells=3_900.0, histogram=histogram,
    )  # fmt: skip


def ploidies() -> tuple[TubePloidy, ...]:
    """Vehicle and rhTPO of every donor, from cord blood."""
    return tuple(
        TubePloidy(tube=f"{donor}-{role}", donor=donor, ploidy=ploidy(share), day_d=12.0, role=role, agonist=agonist,
                   concentration_nM=dose, cell_source="cord_blood")
        for donor in DONORS
        for role, agonist, dose, share in (("vehicle", "", 0.0, 0.05), ("positive_control", "rhTPO", 1.0, 0.026))
    )  # fmt: skip


def picture(donor: str) -> StrategyPicture:
    """Time, singlets and CD41/CD61 of a made-up vehicle tube."""
    rng = stream(13, "picture", donor)
    fsc = rng.lognormal(11.2, 0.35, 8_000)
    height = fsc * rng.normal(0.9, 0.03, fsc.size)
    cd41 = np.concatenate([rng.lognormal(9.5, 0.8, 2_000), rng.normal(80.0, 150.0, 6_000)])
    cd61 = cd41 * rng.lognormal(0.0, 0.3, cd41.size)
    linear = np.linspace(0.0, TOP, 129)
    singlets = DensityPanel(
        heading="Single cells\nof cells", x_title="FSC-A", y_title="FSC-H", x_edges=linear, y_edges=linear,
        counts=np.histogram2d(fsc, height, bins=(linear, linear))[0].astype(np.int64),
        outlines=(Outline(vertices=np.array([[2e4, 1.5e4], [TOP, 2.1e5], [TOP, TOP], [2.4e5, TOP], [2e4, 2.2e4]]), label="94.2 %"),),
        x_ticks=linear_ticks(0.0, TOP), y_ticks=linear_ticks(0.0, TOP),
    )  # fmt: skip
    at = float(asinh(900.0))
    markers = DensityPanel(
        heading="CD41 and CD61\nof live cells", x_title="CD41 (PE)", y_title="CD61 (APC)", x_edges=EDGES, y_edges=EDGES,
        counts=np.histogram2d(asinh(cd41), asinh(cd61), bins=(EDGES, EDGES))[0].astype(np.int64),
        outlines=(Outline(vertices=np.array([[at, at], [np.inf, at], [np.inf, np.inf], [at, np.inf]]), label="25.0 %"),),
        x_ticks=TICKS, y_ticks=TICKS,
    )  # fmt: skip
    time = TimePanel(heading="Time\n98.0 % kept", time=np.arange(0.5, 60.0), rate=rng.normal(500.0, 20.0, 60),
                     signals={"FSC-A": rng.normal(100.0, 1.0, 60)}, removed=((30.0, 32.0),))  # fmt: skip
    return StrategyPicture(tube=f"{donor} A01", treatment=f"{donor}, vehicle", steps=(time, singlets, markers))


def overlay(donor: str) -> OverlayPanel:
    """CD41 in stained and FMO tubes."""
    rng = stream(14, "overlay", donor)
    stained = np.concatenate([rng.lognormal(9.0, 0.8, 2_000), rng.normal(60.0, 150.0, 4_000)])
    counts = {
        "stained": np.histogram(asinh(stained), EDGES)[0],
        "FMO": np.histogram(asinh(rng.normal(40.0, 150.0, 5_000)), EDGES)[0],
    }
    return OverlayPanel(heading=f"{donor}, CD41", x_title="CD41 (PE)", edges=EDGES, counts=counts, ticks=TICKS,
                        threshold=float(asinh(450.0)), low=float(asinh(420.0)), high=float(asinh(500.0)), label="33.1 %")  # fmt: skip


def ridges(donor: str) -> RidgePanel:
    """CD41 over dose."""
    rng = stream(15, "ridges", donor)
    doses = ("vehicle", *(f"{dose:g} nM" for dose in DOSES_NM), "rhTPO 1 nM")
    found: list[Ridge] = []
    for n, dose in enumerate(doses):
        signal = np.concatenate([rng.lognormal(9.0, 0.8, 200 + 200 * n), rng.normal(60.0, 150.0, 2_000)])
        found.append(Ridge(label=dose, counts=np.histogram(asinh(signal), EDGES)[0]))
    return RidgePanel(
        heading=f"{donor}, CD41", x_title="CD41 (PE)", edges=EDGES, ridges=tuple(found), ticks=TICKS, threshold=float(asinh(450.0))
    )


def yields() -> pl.DataFrame:
    """Cumulative yield of two cultures a donor; one sampling could not be counted."""
    rows = [
        {"culture": f"{donor} {what}", "donor": donor, "day_d": day, "MKs_per_CD34": scale * day, "MKs_per_CD34_low": 0.8 * scale * day,
         "MKs_per_CD34_high": 1.25 * scale * day, "MKs_counted": 1_500, "method": "beads", "largest_error": "bead lot", "verdict": "counted",
         "message": ""}
        for donor in DONORS
        for what, scale in (("vehicle", 0.1), ("rhTPO", 0.9))
        for day in (4.0, 7.0, 12.0)
    ]  # fmt: skip
    lost = (pl.col("culture") == "D3 vehicle") & (pl.col("day_d") == 7.0)
    return pl.DataFrame(rows).with_columns(MKs_per_CD34=pl.when(~lost).then("MKs_per_CD34"))


def record() -> dict[str, object]:
    """The MIFlowCyt record of one tube."""
    sample = Sample(name="D1 A01.fcs", channels=(Channel(name="FSC-A"), Channel(name="PE-A", label="CD41 PE")), stored=np.zeros((4, 2)),
                    keywords={"$CYT": "Cytometer X"})  # fmt: skip
    return miflowcyt_record(
        [Tube(name="D1 A01", sample=sample, panel=Panel(name="surface", channels={"CD41": "PE-A"}), donor="D1")]
    )


def full_section() -> CellsSection:
    """Every part filled."""
    table = populations()
    thresholds = pl.DataFrame([
        {"donor": donor, "plate": f"plate {donor}", "day_d": 12.0, "panel": "surface", "marker": marker, "threshold": 451.3, "low": 420.0,
         "high": 503.0, "rule": rule, "large": 610.0, "n_control": 5_000, "note": ""}
        for donor in DONORS
        for marker, rule in (("CD41", "FMO"), ("CD42b", "density valley"))
    ])  # fmt: skip
    quality = table.select("tube", "donor").unique(maintain_order=True).with_columns(
        events=pl.lit(10_000), removed_time=pl.lit(200), analysed=pl.lit(8_000), time=pl.lit("clean"), findings=pl.lit("")
    )  # fmt: skip
    coated = "3.2 % of CD34+ cells carry CD41 and CD42b together, as cells do that platelets stick to."
    warnings = pl.DataFrame([
        {"tube": f"D1 {well}", "warning": "platelet_coated", "subject": "CD34+CD41+CD42b+", "value": value, "limit": 0.1, "sentence": coated}
        for well, value in (("A01", 0.2), ("B01", 0.3))
    ])  # fmt: skip
    return CellsSection(
        populations=table, quality=quality, thresholds=thresholds, stages=stages(table), warnings=warnings, told=("CD41+",), stage_order=STAGES,
        pictures=tuple(picture(donor) for donor in DONORS), overlays=tuple(overlay(donor) for donor in DONORS),
        ridges=tuple(ridges(donor) for donor in DONORS),
        responses=analyse_population_response(table), yields=yields(), ploidy=ploidies(), miflowcyt=record(),
    )  # fmt: skip


@pytest.fixture(scope="session")
def make_populations() -> Callable[[], pl.DataFrame]:
    """See `populations`."""
    return populations


@pytest.fixture(scope="session")
def make_ploidies() -> Callable[[], tuple[TubePloidy, ...]]:
    """See `ploidies`."""
    return ploidies


@pytest.fixture(scope="session")
def make_section() -> Callable[[], CellsSection]:
    """See `full_section`."""
    return full_section


@pytest.fixture(scope="session")
def section() -> CellsSection:
    """See `full_section`; read it, do not change it."""
    return full_section()
