"""The cells' answer in sentences: what each donor's cells did, then what limits it. n is donors; tubes and events never are.

Shares are told donor by donor, beside the vehicle of the same donor and day; beyond four donors as the median donor and the range.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

import polars as pl

from thrombokit.cells.treatments import culture_panels
from thrombokit.cells.tube_ploidy import TubePloidy
from thrombokit.drawing.numerals import three_digits
from thrombokit.evidence.published_ploidy import published_ploidy
from thrombokit.report.page_tables import count_words
from thrombokit.report.ploidy_charts import VERDICT_WORDS
from thrombokit.report.response_charts import of_leading_panel

MOST_DONORS_SINGLY = 4
MOST_LISTED = 6


def culture_sentence(populations: pl.DataFrame, quality: pl.DataFrame) -> str:
    """How much there is: donors (n), tubes, days, events."""
    donors = [donor for donor in populations["donor"].unique(maintain_order=True).to_list() if donor]
    days = populations["day_d"].drop_nulls().unique().sort().to_list()
    tubes = populations["tube"].n_unique()
    events = int(quality["events"].sum()) if "events" in quality.columns else 0
    who = _count(len(donors), "donor") if donors else "Donors are not named; without them there is no n"
    parts = [f"{who} (n = {len(donors)})" if donors else who, _count(tubes, "tube")]
    parts += [f"day {_listed([f'{day:g}' for day in days])} of culture"] if days else []
    parts += [f"{count_words(events)} events acquired"] if events else []
    return ", ".join(parts) + "."


def share_sentences(populations: pl.DataFrame, names: Sequence[str]) -> list[str]:
    """One sentence a population: its share with vehicle, at the highest dose and with the positive control, donor by donor.

    Parameters
    ----------
    populations : DataFrame
        One row a tube and population: `donor, day_d, role, agonist, concentration_nM, population, parent, percent`.
    names : sequence of str
        The populations to tell, in order; those that the table lacks are passed over.
    """
    sentences: list[str] = []
    for name in names:
        rows = of_leading_panel(populations, name).filter(pl.col("percent").is_finite())
        if rows.is_empty():
            continue
        parent = rows["parent"][0]
        of = f"% of {parent}" if parent else "% of all events"
        said = _panel_words(culture_panels(rows))
        sentences.append(f"{name} ({of}): {'; '.join(said)}.")
    return sentences


def threshold_sentence(thresholds: pl.DataFrame) -> str:
    """How many thresholds rest on which rule; empty without thresholds."""
    if thresholds.is_empty():
        return ""
    rules = Counter(str(rule).replace("_", " ") for rule in thresholds["rule"].to_list())
    told = ", ".join(f"{number} on {rule}" for rule, number in sorted(rules.items(), key=lambda item: (-item[1], item[0])))
    return f"Of {_count(thresholds.height, 'threshold')}, one a marker and control group, {told}."


def warning_sentences(warnings: pl.DataFrame) -> list[str]:
    """One sentence a kind of warning and subject: the tube (or control group) in which it is worst, and how many others have it too."""
    sentences: list[str] = []
    for alike in warnings.partition_by("warning", "subject", maintain_order=True) if not warnings.is_empty() else []:
        worst = alike.sort(pl.col("value").abs(), descending=True, maintain_order=True, nulls_last=True).row(0, named=True)
        others, noun = alike.height - 1, "further tube" if worst["tube"] else "further control group"
        place = worst["tube"] or ", ".join(part for part in (worst.get("donor"), worst.get("panel")) if part) or "All tubes"
        also = f" The same in {_count(others, noun)}." if others else ""
        sentences.append(f"{place}: {worst['sentence']}{also}")
    return sentences


def quality_sentences(quality: pl.DataFrame) -> list[str]:
    """Tubes with findings over time, and tubes of which less than half of the events were analysed."""
    if not {"time", "findings", "analysed"} <= set(quality.columns):
        return []
    flagged = quality.filter(pl.col("findings") != "")
    sentences: list[str] = []
    if not flagged.is_empty():
        tubes = flagged["tube"].to_list()
        shown = f"{', '.join(tubes[:MOST_LISTED])}{' and others' if len(tubes) > MOST_LISTED else ''}"
        sentences.append(
            f"{_count(len(tubes), 'tube')} changed while being measured ({shown}); the table of quality says when and how."
        )
    poor = quality.filter((pl.col("analysed") < 0.5 * pl.col("events")) & (pl.col("events") > 0))
    if not poor.is_empty():
        sentences.append(f"In {_count(poor.height, 'tube')} less than half of the events were left after gating.")
    return sentences


def yield_sentences(yields: pl.DataFrame) -> list[str]:
    """Cumulative yield on the last day of each culture, with its interval; what could not be counted with its reason."""
    last = yields.sort("day_d").group_by("donor", "culture", maintain_order=True).last().sort("donor", "culture")
    known = [row for row in last.iter_rows(named=True) if row["MKs_per_CD34"] is not None]
    told = [
        f"{row['culture']} {three_digits(row['MKs_per_CD34'])}{_within(row)} on day {row['day_d']:g}" for row in known[:MOST_LISTED]
    ]
    if len(known) > MOST_LISTED:
        told = [f"{_spread([row['MKs_per_CD34'] for row in known])} over {_count(len(known), 'culture')}"]
    sentences = [f"Megakaryocytes per CD34+ cell seeded, cumulative: {'; '.join(told)}."] if told else []
    lost = yields.filter(pl.col("MKs_per_CD34").is_null()).height
    if lost:
        sentences.append(f"For {_count(lost, 'sampling')} no yield could be computed; the table of yields says why.")
    return sentences


def ploidy_sentences(tubes: Sequence[TubePloidy]) -> list[str]:
    """Share at 8N or more and mean ploidy donor by donor, each source of cells apart, beside what is published for that source."""
    sentences: list[str] = []
    for source in dict.fromkeys(tube.cell_source for tube in tubes):
        known = [tube for tube in tubes if tube.cell_source == source and tube.ploidy.is_known]
        if known:
            sentences.append(_high_ploidy_sentence(known, source))
        sentences += [said] if (said := published_ploidy_sentence(source)) else []
    return sentences


def _high_ploidy_sentence(known: Sequence[TubePloidy], source: str) -> str:
    rows = pl.DataFrame(
        [
            {"donor": t.donor, "day_d": t.day_d, "role": t.role, "agonist": t.agonist, "concentration_nM": t.concentration_nM,
             "percent": 100.0 * t.ploidy.ge8N}
            for t in known
        ],
        schema_overrides={"day_d": pl.Float64, "concentration_nM": pl.Float64},
    )  # fmt: skip
    cells = f" from {source.replace('_', ' ')}" if source else ""
    donors = _count(rows["donor"].n_unique(), "donor")
    means = f"Mean ploidy {_spread([t.ploidy.mean_ploidy for t in known])} over {_count(len(known), 'tube')} of {donors}."
    return f"Megakaryocytes{cells} at 8N or more (%): {'; '.join(_panel_words(culture_panels(rows)))}. {means}"


def published_ploidy_sentence(cell_source: str) -> str:
    """What others report for megakaryocytes from this source of cells; empty where nobody is cited."""
    found = published_ploidy(cell_source)
    if not found:
        return ""
    shares = ", ".join(f"{one.percent:g} % at {one.classes}" for one in found)
    return f"Published for {cell_source.replace('_', ' ')}: {shares} ({found[0].source})."


def ploidy_caveats(tubes: Sequence[TubePloidy]) -> list[str]:
    """Tubes whose 2N peak was assumed, and tubes without ploidy, with the reason."""
    verdicts = Counter(tube.ploidy.verdict for tube in tubes)
    sentences: list[str] = []
    if verdicts["octave_assumed"]:
        number = verdicts.pop("octave_assumed")
        sentences.append(
            f"In {_count(number, 'tube')} nothing shows which peak is 2N, so the lowest was taken; if it is 4N, every ploidy is twice as high."
        )
    unknown = {verdict: number for verdict, number in verdicts.items() if verdict != "fit"}
    if unknown:
        told = ", ".join(f"{number} ({VERDICT_WORDS.get(verdict, verdict)})" for verdict, number in sorted(unknown.items()))
        sentences.append(f"{_count(sum(unknown.values()), 'tube')} without ploidy: {told}.")
    return sentences


def _panel_words(rows: pl.DataFrame) -> list[str]:
    """A few words a donor; from five donors on the median and the range of each treatment, agonist by agonist and day by day."""
    panels = rows.partition_by("panel", maintain_order=True)
    if rows["donor"].n_unique() <= MOST_DONORS_SINGLY:
        return [f"{panel['panel'][0]} {', '.join(f'{three_digits(value)} {at}' for at, value in _ends(panel))}" for panel in panels]
    said: list[str] = []
    for alike in rows.partition_by("tested", "day_d", maintain_order=True):
        ends = [end for panel in alike.partition_by("panel", maintain_order=True) for end in _ends(panel)]
        told = [f"{_spread([value for at, value in ends if at == where])} {where}" for where in dict.fromkeys(at for at, _ in ends)]
        day = f" on day {alike['day_d'][0]:g}" if rows["day_d"].n_unique() > 1 else ""
        said.append(f"{alike['tested'][0]}{day} {', '.join(told)}".strip())
    return said


def _ends(rows: pl.DataFrame) -> list[tuple[str, float]]:
    """Vehicle, highest dose and positive control of one panel, tubes of the same treatment averaged."""
    ends: list[tuple[str, float]] = []
    for role, words in (("vehicle", "in vehicle"), ("sample", "at"), ("positive_control", "with")):
        mine = rows.filter(pl.col("role") == role)
        if mine.is_empty():
            continue
        top = mine.filter(pl.col("concentration_nM") == pl.col("concentration_nM").max())
        top = mine if top.is_empty() else top
        where = words if role == "vehicle" else f"{words} {top['dose'][0]}"
        ends.append((where, statistics.fmean(top["percent"].to_list())))
    return ends


def _spread(values: Sequence[float]) -> str:
    """ "12.1 (median; 8.00 to 19.3)", one value alone."""
    if len(values) == 1:
        return three_digits(values[0])
    return f"{three_digits(statistics.median(values))} (median; {three_digits(min(values))} to {three_digits(max(values))})"


def _within(row: dict[str, object]) -> str:
    ends = [row["MKs_per_CD34_low"], row["MKs_per_CD34_high"]]
    if ends == [None, None]:
        return ""
    low, high = ("open" if end is None else three_digits(float(str(end))) for end in ends)
    return f" ({low} to {high})"


def _count(number: int, noun: str) -> str:
    return f"{count_words(number)} {noun}{'' if number == 1 else 's'}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
