"""The synthetic culture: what CD34+ cells of one donor have become by a given day, with a given dose.

A culture is a mixture of cell types and of particles. The agonist works through one number, its response between 0 (vehicle) and 1
(rhTPO), which moves the share of CD41+ cells, the yield, the share that lives and the ploidy. Its sign on ploidy depends on the source:
thrombopoietin lowers the DNA content of cord-blood megakaryocytes and raises that of adult ones. Donors differ in sensitivity, in the
share of CD41+ cells, in ploidy and in yield.

What is published stands beside its number, with how it was read; every other number says "assumed".

References
----------
Mattia G et al. (2002) Blood 99:888-897: ploidy of cord-blood and peripheral-blood megakaryocytes (abstract read).
Dercksen MW et al. (1995) Blood 86:3771: platelets bind to CD34+ cells and feign platelet glycoproteins (abstract read).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thrombokit.numerics.arrays import Array, BoolArray, FrozenArrays, frozen
from thrombokit.numerics.streams import stream
from thrombokit.study.templates.assay import BETWEEN_RUN_SD_LOG10, DILUTION_SD_LN, AgonistTruth, rising_response
from thrombokit.study.templates.guide_truth import CD34_CORD_BLOOD
from thrombokit.study.templates.well_plan import RHTPO, VEHICLE

CELL_TYPES = (
    "CD34+CD41-", "CD34+CD41+CD42b-", "CD34+CD41+CD42b+", "CD34-CD41+CD42b-", "CD34-CD41+CD42b+", "CD34-CD41-",
    "platelet-like", "debris", "air",
)  # fmt: skip
"""What an event can be; truth labels are places in this list. "CD34-CD41-" are other blood cells, granulocytic and monocytic; "air" is
what a bubble leaves in the file."""
PROGENITOR, EARLY, EARLY_CD42B, IMMATURE, MATURE, OTHER, PLATELET, DEBRIS, AIR = range(len(CELL_TYPES))
MEGAKARYOCYTES = (EARLY, EARLY_CD42B, IMMATURE, MATURE)
MARKERS = ("CD34", "CD41", "CD61", "CD42b")
PLOIDY_CLASSES = (2, 4, 8, 16, 32, 64)

REFERENCE_DAY_D = 12.0
"""The day for which the shares and ploidies below hold (platelet release starts on day 12 in adult cultures, Mattia 2002)."""
_CD41_LOGIT_SD, _PLOIDY_TILT_SD, _YIELD_SD_LN = 0.25, 0.12, 0.20  # between donors; assumed
_PLOIDY_TILT_PER_D = 0.08  # each doubling of DNA is exp(0.08) times as frequent a day later; assumed
_TYPE_TILT = {EARLY: -0.5, EARLY_CD42B: -0.1, IMMATURE: 0.0, MATURE: 0.45}  # CD42b comes late, with ploidy; assumed


@dataclass(frozen=True, kw_only=True)
class CellSource:
    """Where the CD34+ cells came from.

    Ploidy tables are shares of megakaryocytes in 2N to 64N on day 12. `cd41_share` is the share of living nucleated cells that are CD41+,
    without and with rhTPO; `cells_per_cd34` the living cells per seeded CD34+ cell likewise. `diameter_2n_um` belongs to a 2N
    megakaryocyte.
    """

    name: str
    ploidy_vehicle: tuple[float, ...]
    ploidy_rhTPO: tuple[float, ...]
    cd41_share: tuple[float, float]
    cells_per_cd34: tuple[float, float]
    diameter_2n_um: float


CORD_BLOOD = CellSource(
    name="cord_blood",
    # about 80 % 2N and 2.6 % 8N with thrombopoietin (Mattia 2002, abstract); the other classes assumed
    ploidy_rhTPO=(0.800, 0.160, 0.026, 0.010, 0.003, 0.001),
    # higher without thrombopoietin (Blood 99, figure zh80220603630001, legend read): direction published, size assumed
    ploidy_vehicle=(0.660, 0.220, 0.080, 0.030, 0.008, 0.002),
    cd41_share=(0.10, 0.78),  # assumed
    # 48 +- 7.7 megakaryocytes per CD34+ cell are the best of a two-stage culture (Hatami 2014 Biotechnol Rep 4:50, abstract); here one stage
    cells_per_cd34=(8.0, 24.0),  # assumed
    diameter_2n_um=12.0,  # smaller than adult ones (Mattia 2002, abstract); size assumed
)
ADULT = CellSource(
    name="adult_blood",
    ploidy_rhTPO=(0.340, 0.260, 0.190, 0.130, 0.065, 0.015),  # 40 % at 8N or more (Mattia 2002, abstract); the split assumed
    ploidy_vehicle=(0.580, 0.270, 0.100, 0.040, 0.009, 0.001),  # lower without (same legend); size assumed
    cd41_share=(0.15, 0.90),  # unilineage adult cultures reach 97-99 % (Guerriero 2006 J Cell Sci, abstract); assumed
    cells_per_cd34=(3.0, 10.0),  # assumed
    diameter_2n_um=13.5,  # assumed
)


@dataclass(frozen=True, kw_only=True)
class Donor:
    """How one donor departs from the average; the defaults are the average donor.

    `ec50_shift_log10` is added to log10 EC50; `dilution_factor` is true over nominal dose of that donor's dose series;
    `cd41_logit_shift` moves the share of CD41+ cells, `ploidy_tilt` makes each doubling of DNA exp(tilt) times as frequent.
    """

    name: str
    source: CellSource = CORD_BLOOD
    ec50_shift_log10: float = 0.0
    dilution_factor: float = 1.0
    cd41_logit_shift: float = 0.0
    ploidy_tilt: float = 0.0
    yield_factor: float = 1.0

    def apparent_ec50_nM(self, agonist: str) -> float:
        """The EC50 on the response scale that a perfect reading would give against nominal doses."""
        return agonist_truth(agonist).ec50_nM * 10.0**self.ec50_shift_log10 / self.dilution_factor


def draw_donor(seed: int, name: str, *, source: CellSource = CORD_BLOOD, ec50_shift_log10: float | None = None) -> Donor:
    """A donor at random, from streams named after the donor.

    Parameters
    ----------
    seed : int
        >= 0.
    name : str
    source : CellSource
    ec50_shift_log10 : float, optional
        The donor's sensitivity where it is known from another assay; drawn without it (SD 0.12).
    """

    def normal(purpose: str, sd: float) -> float:
        return float(stream(seed, "culture", source.name, name, purpose).normal(0.0, sd))

    return Donor(
        name=name,
        source=source,
        ec50_shift_log10=normal("sensitivity", BETWEEN_RUN_SD_LOG10) if ec50_shift_log10 is None else ec50_shift_log10,
        dilution_factor=math.exp(normal("dilution", DILUTION_SD_LN)),
        cd41_logit_shift=normal("CD41", _CD41_LOGIT_SD),
        ploidy_tilt=normal("ploidy", _PLOIDY_TILT_SD),
        yield_factor=math.exp(normal("yield", _YIELD_SD_LN)),
    )


def agonist_truth(name: str) -> AgonistTruth:
    """What an agonist does to CD34+ cells; the EC50s are the guide's (hetrombopag 2.3 nM, eltrombopag 86.2 nM)."""
    return next(truth for truth in CD34_CORD_BLOOD.agonists if truth.name == name)


@dataclass(frozen=True, kw_only=True)
class Culture:
    """One well of a donor's cells: `agonist` is "vehicle", "rhTPO" (full response) or an agonist with `concentration_nM`, nominal."""

    donor: Donor
    agonist: str = VEHICLE
    concentration_nM: float = 0.0
    day_d: float = REFERENCE_DAY_D

    @property
    def response(self) -> float:
        """0 for vehicle, 1 for rhTPO."""
        if self.agonist in (VEHICLE, RHTPO):
            return 1.0 if self.agonist == RHTPO else 0.0
        truth, dose_nM = agonist_truth(self.agonist), np.array([self.concentration_nM])
        ec50_nM = self.donor.apparent_ec50_nM(self.agonist)
        return float(rising_response(dose_nM, ec50_nM=ec50_nM, hill_slope=truth.hill_slope, efficacy=truth.efficacy)[0])


@dataclass(frozen=True, kw_only=True, eq=False)
class CultureTruth(FrozenArrays):
    """The population a culture's tubes are drawn from.

    `shares` (n_types,) are shares of cells and particles among what the cytometer records, before cells stick together. `ploidy`
    (n_types, 6) are shares of 2N to 64N in each type (other cells: 2N and 4N; particles: 2N as a place holder), `mk_ploidy` (6,) those of all
    megakaryocytes. `positive_share` maps a marker to the share of living nucleated cells that truly carry it on their surface.
    """

    culture: Culture
    shares: Array
    dead_share: float
    ploidy: Array
    mk_ploidy: Array
    coated_share: float
    shed_share: float
    monocytic_share: float
    positive_share: dict[str, float]
    cells_per_cd34: float
    mk_per_cd34: float

    def __post_init__(self) -> None:
        for name in ("shares", "ploidy", "mk_ploidy"):
            object.__setattr__(self, name, frozen(getattr(self, name)))


COATED_SHARE = 0.06
"""Share of CD34+CD41- cells with platelets on them; that it happens is published (Dercksen 1995), its size assumed."""
SHED_SHARE = 0.08
"""Share of CD42b+ megakaryocytes that have shed it, as activated and ageing platelets do; assumed."""
MONOCYTIC_SHARE = 0.35
"""Share of the other cells that are monocytic and carry a little CD61 (Cytometry 2000 41:308-315, abstract); size assumed."""
OTHER_4N_SHARE = 0.08
"""Share of 4N (G2 and M) among cells that are no megakaryocytes; assumed."""


def culture_truth(culture: Culture) -> CultureTruth:
    """The population of a culture: shares, ploidy, yield."""
    donor, source, response = culture.donor, culture.donor.source, culture.response
    cd41 = _cd41_share(culture)
    within = _type_shares(culture, cd41)
    dead = 0.18 - 0.10 * response  # thrombopoietin keeps cells alive; assumed
    platelets = (0.01 + 0.06 * response) * _sigmoid((culture.day_d - 11.0) / 1.5)  # release starts on day 12 to 14; size assumed
    debris = 0.06 + 0.5 * dead  # assumed
    shares = np.zeros(len(CELL_TYPES))
    shares[: OTHER + 1] = within * (1.0 - platelets - debris)
    shares[PLATELET], shares[DEBRIS] = platelets, debris
    mk_ploidy = _mk_ploidy(culture)
    low, high = source.cells_per_cd34
    cells = donor.yield_factor * math.exp(math.log(low) + response * math.log(high / low))
    carried = within[EARLY_CD42B] + within[MATURE]
    positive = {
        "CD34": float(within[[PROGENITOR, EARLY, EARLY_CD42B]].sum()),
        "CD41": cd41,
        "CD61": float(cd41 + MONOCYTIC_SHARE * within[OTHER]),
        "CD42b": float(carried * (1.0 - SHED_SHARE)),
    }
    return CultureTruth(
        culture=culture, shares=shares, dead_share=dead, ploidy=_ploidy_of_types(within, mk_ploidy), mk_ploidy=mk_ploidy,
        coated_share=COATED_SHARE, shed_share=SHED_SHARE, monocytic_share=MONOCYTIC_SHARE, positive_share=positive,
        cells_per_cd34=cells, mk_per_cd34=cells * cd41,
    )  # fmt: skip


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def _cd41_share(culture: Culture) -> float:
    """Linear in the response, then moved on the logit by day (with rhTPO about 50 % are there on day 7) and donor."""
    low, high = culture.donor.source.cd41_share
    share = low + culture.response * (high - low)
    days = 0.25 * (min(culture.day_d, 14.0) - REFERENCE_DAY_D)  # assumed
    return _sigmoid(math.log(share / (1.0 - share)) + culture.donor.cd41_logit_shift + days)


def _type_shares(culture: Culture, cd41: float) -> Array:
    """Shares of the six kinds of nucleated cells, shape (6,), summing to 1; all splits assumed."""
    late = culture.day_d - REFERENCE_DAY_D
    cd34_of_cd41 = 0.14 * math.exp(-0.17 * late)
    cd34_of_rest = min(0.22 * math.exp(-0.12 * late), 0.95)
    cd42b_of_cd41 = _sigmoid(-0.4 + 0.4 * culture.response + 0.35 * late)
    cd34_of_cd41 = min(cd34_of_cd41, 0.95)
    early, rest = cd41 * cd34_of_cd41, cd41 * (1.0 - cd34_of_cd41)
    early_cd42b = 0.3 * cd42b_of_cd41
    return np.array(
        [
            (1.0 - cd41) * cd34_of_rest,
            early * (1.0 - early_cd42b),
            early * early_cd42b,
            rest * (1.0 - cd42b_of_cd41),
            rest * cd42b_of_cd41,
            (1.0 - cd41) * (1.0 - cd34_of_rest),
        ]
    )


def _mk_ploidy(culture: Culture) -> Array:
    """Shares of 2N to 64N among megakaryocytes: between the source's two tables on the logarithm, then tilted by donor and day."""
    source = culture.donor.source
    low, high = np.log(np.array(source.ploidy_vehicle)), np.log(np.array(source.ploidy_rhTPO))
    tilt = culture.donor.ploidy_tilt + _PLOIDY_TILT_PER_D * (culture.day_d - REFERENCE_DAY_D)
    weight = np.exp(low + culture.response * (high - low) + tilt * np.arange(len(PLOIDY_CLASSES)))
    return weight / weight.sum()


def _ploidy_of_types(within: Array, mk_ploidy: Array) -> Array:
    """Ploidy of each type such that mature cells are more polyploid and the whole still has `mk_ploidy`; shape (n_types, 6).

    Iterative proportional fitting of a tilted table to both margins.
    """
    steps = np.arange(len(PLOIDY_CLASSES))
    margin = np.array([within[kind] for kind in MEGAKARYOCYTES])
    margin = margin / margin.sum()
    joint = np.array([np.exp(_TYPE_TILT[kind] * steps) for kind in MEGAKARYOCYTES]) * mk_ploidy
    for _ in range(60):
        joint *= (margin / joint.sum(axis=1))[:, None]
        joint *= mk_ploidy / joint.sum(axis=0)
    ploidy = np.zeros((len(CELL_TYPES), steps.size))
    ploidy[:, 0] = 1.0
    ploidy[[PROGENITOR, OTHER], :2] = 1.0 - OTHER_4N_SHARE, OTHER_4N_SHARE
    ploidy[list(MEGAKARYOCYTES)] = joint / joint.sum(axis=1, keepdims=True)
    return ploidy


def is_megakaryocyte(cell_type: NDArray[np.int8]) -> BoolArray:
    """Whether labels (any shape) name megakaryocytes."""
    return (cell_type >= EARLY) & (cell_type <= MATURE)


def is_cell(cell_type: NDArray[np.int8]) -> BoolArray:
    """Whether labels (any shape) name nucleated cells, not particles."""
    return cell_type <= OTHER
