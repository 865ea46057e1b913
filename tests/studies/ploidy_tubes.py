"""Propidium-iodide tubes with a known truth: what a cytometer would record of a culture whose class shares we chose.

A tube is drawn event by event, the way it comes about: a cell has a class and perhaps a DNA synthesis under way, its dye signal follows
the stain's law, scatters (not always as a Gaussian), and meets the detector; beside the cells run debris and doublets. Nothing here is a
term of a model to be fitted, so a fitter meets shapes it does not know. The realised labels are kept: every true cell has one class, cells
in S phase that of the peak below them; debris and doublets have none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.domain.ploidy import CLASS_PLOIDY, CLASSES
from thrombokit.numerics.arrays import Array, IntArray, frozen

N_CLASSES = len(CLASSES)

TAILS = ("gaussian", "t", "skewed", "contaminated")
DEBRIS = ("exponential", "power law", "broken nuclei")


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """All that is true of one tube. `population` of shape (6,); shares are of cells, those of debris and doublets of recorded events."""

    population: Array
    n_cells: int
    g1: float
    cv: float
    noise: float = 0.0
    """SD of the electronic noise as a share of g1, the same at all signals."""
    exponent: float = 1.0
    offset: float = 0.0
    peak_scatter: float = 0.0
    """SD of what moves a whole peak off the law, relative."""
    tails: str = "gaussian"
    tail_weight: float = 0.0
    """0 to 1: how far the scatter is from a Gaussian."""
    s_share: float = 0.08
    s_scatter: float = 0.0
    """SD of the logarithm of the S share from class to class."""
    s_lean: float = 0.0
    """0 even; below 0 early, above 0 late S phase is the fuller (-1 and 1: a straight line that ends at none)."""
    debris: str = "exponential"
    debris_share: float = 0.0
    debris_reach: float = 0.35
    """Mean size of debris as a share of g1 (exponential); its steepness elsewhere."""
    doublet_share: float = 0.0
    triplets: float = 0.0
    """Share of the doublets that are three cells."""
    above_64N: float = 0.0
    """Share of the top class that is 128N."""
    threshold: float = 0.2
    """Signals below this share of g1 are not recorded."""
    channels: int = 262_144
    """Detector: 1024 records whole channels, 262144 real numbers; both stop at the last channel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticTube:
    """Events as recorded, in no order, and the truth. `signal` (n_events,); `labels` (n_events,): class index, -1 for no single cell."""

    recipe: Recipe
    signal: Array
    labels: IntArray

    @property
    def realised(self) -> Array:
        """Shares of the true single cells in each class, shape (6,)."""
        counts = np.bincount(self.labels[self.labels >= 0], minlength=N_CLASSES)
        return counts / counts.sum()

    @property
    def peak_positions(self) -> Array:
        """Where the law puts the six peaks, shape (6,)."""
        return stain_law(CLASS_PLOIDY / 2.0, self.recipe)

    @property
    def saturated(self) -> float:
        """Share of events in the detector's last channel."""
        return float(np.mean(self.signal >= self.recipe.channels - 1))


def mean_ploidy(shares: Array) -> float:
    """Mean of the classes' ploidy, the top class counted as 64N."""
    return float(shares @ CLASS_PLOIDY)


def stain_law(dna: Array, recipe: Recipe) -> Array:
    """Signal of `dna` (in units of 2N, any shape) before scatter: an offset, and a power of the DNA."""
    return recipe.g1 * (recipe.offset + (1.0 - recipe.offset) * dna**recipe.exponent)


def draw_scatter(recipe: Recipe, n: int, rng: np.random.Generator) -> Array:
    """Relative deviations of `n` cells from their peak, of mean about 0 and SD about 1 before the CV is applied."""
    normal = rng.standard_normal(n)
    weight = recipe.tail_weight
    if recipe.tails == "gaussian" or weight == 0.0:
        return normal
    if recipe.tails == "t":
        df = 4.5 + 10.0 * (1.0 - weight)
        return normal * np.sqrt((df - 2.0) / rng.chisquare(df, n))
    if recipe.tails == "skewed":
        shape = 400.0 / (1.0 + 49.0 * weight)
        return (rng.gamma(shape, size=n) - shape) / np.sqrt(shape)
    if recipe.tails == "contaminated":
        return np.where(rng.random(n) < 0.08 * weight, 3.0, 1.0) * normal
    raise ValueError(f"tails {recipe.tails!r}: one of {', '.join(TAILS)}")


def draw_s_progress(lean: float, n: int, rng: np.random.Generator) -> Array:
    """How far `n` cells are through S phase, 0 to 1, with density 1 + lean (2 x progress - 1), -1 <= lean <= 1."""
    progress = rng.random(n)
    mirrored = rng.random(n) > 0.5 * (1.0 + lean * (2.0 * progress - 1.0))
    return np.where(mirrored, 1.0 - progress, progress)


def draw_dna(recipe: Recipe, n: int, rng: np.random.Generator) -> tuple[Array, IntArray]:
    """DNA of `n` cells in units of 2N, S phase included, and their class index."""
    labels = rng.choice(N_CLASSES, size=n, p=recipe.population)
    octave = labels + ((labels == N_CLASSES - 1) & (rng.random(n) < recipe.above_64N))
    share = np.minimum(recipe.s_share * np.exp(recipe.s_scatter * rng.standard_normal(N_CLASSES)), 0.3)
    in_s = rng.random(n) < share[labels]
    progress = np.where(in_s, draw_s_progress(recipe.s_lean, n, rng), 0.0)
    moved = np.exp(recipe.peak_scatter * rng.standard_normal(N_CLASSES + 1))
    moved[0] = 1.0  # g1 is where the 2N peak stands
    return 2.0**octave * (1.0 + progress) * moved[octave], labels.astype(np.int64)


def draw_cells(recipe: Recipe, n: int, rng: np.random.Generator) -> tuple[Array, IntArray]:
    """Signals of `n` single cells before the detector, and their class index."""
    dna, labels = draw_dna(recipe, n, rng)
    signal = stain_law(dna, recipe) * np.maximum(1.0 + recipe.cv * draw_scatter(recipe, n, rng), 0.05)
    return signal, labels


def draw_debris(recipe: Recipe, n: int, rng: np.random.Generator) -> Array:
    """Signals of `n` pieces of debris above the threshold of recording."""
    low = recipe.threshold * recipe.g1
    if recipe.debris == "exponential":
        return low + rng.exponential(recipe.debris_reach * recipe.g1, n)
    if recipe.debris == "power law":
        steepness = 1.0 + 0.7 / recipe.debris_reach
        return low * (1.0 - rng.random(n)) ** (-1.0 / (steepness - 1.0))
    if recipe.debris == "broken nuclei":
        pieces = np.empty(0)
        while pieces.size < n:
            whole, _ = draw_cells(recipe, 4 * n, rng)
            slices = whole * rng.beta(1.0, 2.0, whole.size)  # the smaller of two cuts: small slices are the more frequent
            pieces = np.concatenate([pieces, slices[slices >= low]])
        return pieces[:n]
    raise ValueError(f"debris {recipe.debris!r}: one of {', '.join(DEBRIS)}")


def draw_doublets(recipe: Recipe, n: int, rng: np.random.Generator) -> Array:
    """Signals of `n` passages of two (or three) random cells at once: the sum of what each would have given."""
    first, second, third = (draw_cells(recipe, n, rng)[0] for _ in range(3))
    return first + second + np.where(rng.random(n) < recipe.triplets, third, 0.0)


def make_tube(recipe: Recipe, rng: np.random.Generator) -> SyntheticTube:
    """Draw all events of one tube and record them."""
    cells, labels = draw_cells(recipe, recipe.n_cells, rng)
    n_events = recipe.n_cells / (1.0 - recipe.debris_share - recipe.doublet_share)
    n_debris, n_doublets = (int(rng.poisson(n_events * share)) for share in (recipe.debris_share, recipe.doublet_share))
    others = np.concatenate([draw_debris(recipe, n_debris, rng), draw_doublets(recipe, n_doublets, rng)])
    signal = np.concatenate([cells, others])
    signal = signal + recipe.noise * recipe.g1 * rng.standard_normal(signal.size)
    signal = np.clip(np.floor(signal) if recipe.channels == 1024 else signal, 1.0, recipe.channels - 1.0)
    order = rng.permutation(signal.size)
    return SyntheticTube(
        recipe=recipe,
        signal=frozen(signal[order]),
        labels=frozen(np.concatenate([labels, np.full(others.size, -1)])[order], dtype=np.int64),
    )
