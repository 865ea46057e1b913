"""Signs that numbers mean something else than they say: platelets on progenitors, CD42b shed, saturated detectors, compensation adrift.

Each sign is a figure with a limit and a sentence; the limits are assumed, from what a reader would want to look at, and can be changed.

References
----------
Qiao et al. 1996, Cytometry 23:250-259: 10 to 45 % of fresh marrow and blood cells coated with platelets, fewer after days in culture.
Wang et al. 2015, Blood 125:3627: platelet-like particles of cultures mostly lack CD42b.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thrombokit.numerics.arrays import Array, BoolArray

COATED, SHED, SATURATED, COMPENSATION, ONE_CHAIN = "platelet_coated", "CD42b_shed", "saturated", "compensation", "CD41_without_CD61"
REMOVED = "much_removed"
_FEWEST, _MOST_SHARED = 50, 0.45
_ONE_RECEPTOR = {"CD41", "CD61"}


@dataclass(frozen=True, kw_only=True)
class WarningSettings:
    """Limits above which a sign is told (shares as fractions); all assumed.

    `coated`: of CD34+CD41- cells and those that look coated, the share of the latter. `shed`: of CD61+ cells in the top quarter of the CD41
    that mature cells show, the share without CD42b. `saturated`: events at the top of a detector. `spill_left`: of one
    marker's signal in another's channel (half of it where too much is subtracted). `one_chain`: of CD41+ cells, those without CD61.
    `much_removed`: of the events that come to a step, those that it removes.
    """

    coated: float = 0.03
    shed: float = 0.40
    saturated: float = 0.005
    spill_left: float = 0.02
    one_chain: float = 0.10
    much_removed: float = 0.60


@dataclass(frozen=True, kw_only=True, slots=True)
class WarningSign:
    """One sign: `kind`, what it concerns (a marker or channel), its figure and the limit, and a sentence."""

    kind: str
    subject: str
    value: float
    limit: float
    sentence: str


def much_removed(steps: dict[str, tuple[int, int]], settings: WarningSettings) -> list[WarningSign]:
    """Steps that take most of what comes to them; `steps` has (events that came, events removed) by what is removed."""
    found: list[WarningSign] = []
    for what, (came, removed) in steps.items():
        share = removed / came if came else 0.0
        if came >= _FEWEST and share > settings.much_removed:
            sentence = f"{100 * share:.0f} % of {came} events are removed as {what}: look at the gate before the numbers."
            found.append(WarningSign(kind=REMOVED, subject=what, value=share, limit=settings.much_removed, sentence=sentence))
    return found


def coated_progenitors(
    positive: dict[str, BoolArray], shine: dict[str, Array], size: Array, settings: WarningSettings
) -> WarningSign | None:
    """CD34+ cells with the dim CD41 and CD42b of a few platelets, of the size of progenitors that carry neither.

    Parameters
    ----------
    positive : dict of marker to bool array of shape (n_events,)
        Of the analysed cells.
    shine : dict of marker to array of shape (n_events,)
        Compensated signal, linear.
    size : array of shape (n_events,)
        Forward scatter.
    settings : WarningSettings

    Notes
    -----
    A cell looks coated when it carries CD34, CD41 and CD42b, its CD41 is below a quarter of the median of CD34-CD41+CD42b+ cells, and it is
    no larger than 95 % of CD34+CD41- cells. Late progenitors have the CD41 of megakaryocytes and are larger.
    """
    if not {"CD34", "CD41", "CD42b"} <= positive.keys():
        return None
    plain, mature = positive["CD34"] & ~positive["CD41"], ~positive["CD34"] & positive["CD41"] & positive["CD42b"]
    if min(plain.sum(), mature.sum()) < _FEWEST:
        return None
    both = positive["CD34"] & positive["CD41"] & positive["CD42b"]
    dim = shine["CD41"] < 0.25 * float(np.median(shine["CD41"][mature]))
    coated = both & dim & (size <= float(np.quantile(size[plain], 0.95)))
    share = float(coated.sum() / (coated.sum() + plain.sum()))
    if share <= settings.coated:
        return None
    of_stage = 100.0 * float(coated.sum() / max(int(both.sum()), 1))
    sentence = (
        f"{int(coated.sum())} CD34+ cells look coated with platelets (dim CD41 and CD42b together, size of CD34+CD41- cells): "
    )
    sentence += f"{100 * share:.1f} % of such progenitors, and {of_stage:.0f} % of what is counted as CD34+CD41+CD42b+."
    return WarningSign(kind=COATED, subject="CD34+CD41+CD42b+", value=share, limit=settings.coated, sentence=sentence)


def shed_cd42b(positive: dict[str, BoolArray], shine: dict[str, Array], settings: WarningSettings) -> WarningSign | None:
    """Cells bright in CD41, as mature cells are, that lack CD42b; arguments as in `coated_progenitors`."""
    if not {"CD41", "CD42b"} <= positive.keys():
        return None
    line = positive["CD41"] & positive.get("CD61", positive["CD41"])
    mature = line & positive["CD42b"]
    if mature.sum() < _FEWEST:
        return None
    bright = line & (shine["CD41"] >= float(np.quantile(shine["CD41"][mature], 0.75)))
    lacking = bright & ~positive["CD42b"]
    share = float(lacking.sum() / max(int(bright.sum()), 1))
    if share <= settings.shed:
        return None
    sentence = f"{100 * share:.1f} % of the cells brightest in CD41 lack CD42b ({int(lacking.sum())} cells): CD42b may be shed; "
    sentence += "count them with the mature, or add an ADAM17 inhibitor to the culture."
    return WarningSign(kind=SHED, subject="CD41+CD42b-", value=share, limit=settings.shed, sentence=sentence)


def one_chain_only(positive: dict[str, BoolArray], settings: WarningSettings) -> WarningSign | None:
    """CD41+ cells without CD61, the other chain of the same receptor; arguments as in `coated_progenitors`."""
    if not {"CD41", "CD61"} <= positive.keys() or positive["CD41"].sum() < _FEWEST:
        return None
    lacking = positive["CD41"] & ~positive["CD61"]
    share = float(lacking.sum() / positive["CD41"].sum())
    if share <= settings.one_chain:
        return None
    sentence = f"{100 * share:.1f} % of CD41+ cells lack CD61, although both are chains of one receptor: "
    sentence += "CD61 is stained weakly, or CD41 unspecifically."
    return WarningSign(kind=ONE_CHAIN, subject="CD41+CD61-", value=share, limit=settings.one_chain, sentence=sentence)


def saturated(at_top: dict[str, int], n_events: int, settings: WarningSettings) -> list[WarningSign]:
    """Detectors with too many events at the top of their scale; `at_top` counts them by channel."""
    found: list[WarningSign] = []
    for channel, count in at_top.items():
        share = count / max(n_events, 1)
        if share > settings.saturated:
            sentence = f"{channel}: {100 * share:.2f} % of events at the top of the scale; their true signal is unknown, lower the voltage."
            found.append(WarningSign(kind=SATURATED, subject=channel, value=share, limit=settings.saturated, sentence=sentence))
    return found


def spill_left(
    positive: dict[str, BoolArray], shine: dict[str, Array], size: Array, settings: WarningSettings
) -> list[WarningSign]:
    """What is left of one marker's light in the channel of another after compensation, among cells that lack the other.

    Parameters
    ----------
    positive, shine, size
        As in `coated_progenitors`.
    settings : WarningSettings

    Notes
    -----
    The signal of the marker they lack is regressed on the signals of all other markers and on size. A slope below zero is too much taken away; a
    slope above zero too little, as when a tandem dye breaks down, or dim expression that rises with the other marker. Slopes within five
    standard errors of zero are not told, nor are pairs that most carriers carry together (CD41 and CD61): those that lack one are odd cells.
    """
    found: list[WarningSign] = []
    for marker, carried in positive.items():
        others = [other for other in shine if other != marker]
        rows = ~carried & np.logical_or.reduce(
            [positive[o] for o in others if o in positive] or [np.zeros(size.size, dtype=np.bool_)]
        )
        if rows.sum() < 4 * _FEWEST:
            continue
        columns = np.column_stack([np.ones(int(rows.sum())), size[rows], *(shine[o][rows] for o in others)])
        slopes, errors = _slopes(columns, shine[marker][rows])
        for place, other in enumerate(others):
            if not _can_tell(positive, other, marker, rows):
                continue
            slope, error = float(slopes[place + 2]), float(errors[place + 2])
            limit = settings.spill_left if slope > 0 else 0.5 * settings.spill_left
            if abs(slope) <= limit or abs(slope) < 5.0 * error:
                continue
            which = (
                "too much is subtracted"
                if slope < 0
                else "too little is subtracted, as when a tandem dye breaks down, or dim expression"
            )
            sentence = f"{marker}: {100 * slope:+.1f} % of the {other} signal is left in its channel among cells without {marker}: {which}."
            found.append(
                WarningSign(kind=COMPENSATION, subject=f"{other} in {marker}", value=slope, limit=limit, sentence=sentence)
            )
    return found


def _can_tell(positive: dict[str, BoolArray], other: str, marker: str, rows: BoolArray) -> bool:
    """Whether enough of the cells carry the other marker, and few of its carriers carry both."""
    if other not in positive or {other, marker} == _ONE_RECEPTOR:
        return False
    carriers = positive[other]
    enough = max(2.0 * _FEWEST, 0.05 * float(rows.sum()))
    return bool((carriers & rows).sum() >= enough and (carriers & positive[marker]).sum() <= _MOST_SHARED * carriers.sum())


def _slopes(columns: Array, values: Array) -> tuple[Array, Array]:
    """Least squares and its standard errors, shape (n_columns,); constant columns get 0 and infinity."""
    scale = np.abs(columns).max(axis=0)
    scale[scale == 0] = 1.0
    unit = columns / scale
    gram = unit.T @ unit
    inverse = np.linalg.pinv(gram, hermitian=True)
    slopes = inverse @ (unit.T @ values)
    residual = values - unit @ slopes
    variance = float(residual @ residual) / max(values.size - columns.shape[1], 1)
    return slopes / scale, np.sqrt(np.maximum(variance * np.diag(inverse), 0.0)) / scale
