"""What sources say of ploidy under inhibitors and by cell source, beside the model under each declared sign of ERK: agreement and misses.

Sources disagree on ERK. Low-dose MEK inhibition raised polyploid megakaryocytes from 45 to 70 % (both numbers were used to fit), and mean ploidy
from 5.7 to 10.9 N (not fitted); in other cultures 25 and 50 uM of the same inhibitor lowered the share of polylobated cells. No sign agrees with all:
each claim is therefore held against both, and both verdicts are printed.

References
----------
Guerriero R et al. (2006) Inhibition of TPO-induced MEK or mTOR activity induces opposite effects on the ploidy of human differentiating
megakaryocytes. J Cell Sci, issue 4, 744-752 (abstract). Raslova H et al. (2006) Blood 107:2303-2310 (abstract).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from thrombokit.signalling.agonist_drive import Binding
from thrombokit.signalling.cell_systems import Sign, find_cell_system
from thrombokit.signalling.cultures import CultureCourse
from thrombokit.signalling.experiments import simulate_treatments
from thrombokit.signalling.tpor_model import TporModel
from thrombokit.signalling.treatments import Treatment

HOURS = 288.0
"""Twelve days."""
MEK_nM, MTOR_nM, LITTLE_nM = 100.0, 3.0, 0.003
"""Ten half-maximal doses of the MEK inhibitor (as in the fit), three of rapamycin, and next to no thrombopoietin."""
NEAR = 0.10
"""A number counts as returned, or as staying, within this share of it; a convention."""
_GUERRIERO = "Guerriero R et al. 2006, J Cell Sci, issue 4, 744-752, abstract"
_RASLOVA = "Raslova H et al. 2006, Blood 107:2303-2310, abstract"
_NEONATAL = "Developmental differences in megakaryocytopoiesis, Blood 2011;117(15):4106, abstract (neonatal cells)"
_NEGATIVE = "MAP kinase pathway induced by TPO is a negative regulator of proplatelet formation, conference abstract (PD98059)"
_DECREASE = "Blood, figure h80910999009, legend (PD98059 25 or 50 uM, TPO with or without SDF-1 alpha, polylobated cells, n = 3)"
_SOURCES = "rTpo on PB vs CB MKs, Blood figure zh80220603630001, legend"


@dataclass(frozen=True, kw_only=True, slots=True)
class PloidyClaim:
    """One published statement: `quantity` "ge8N" (share) or "mean_ploidy" (N), before and after, numbers where the source gives them.

    `direction` is +1 (rises), -1 (falls) or 0 (stays). `fitted`: the numbers were used to fit, so that only their return is tested.
    """

    claim: str
    cells: str
    before: Treatment
    after: Treatment
    quantity: str
    direction: int
    published: tuple[float, float] | None
    source: str
    fitted: bool = False


def ploidy_claims(control: str, control_nM: float) -> tuple[PloidyClaim, ...]:
    """The claims, with thrombopoietin under the name and dose of the positive control."""
    given = {control: control_nM}
    full, little = Treatment(agonists_nM=given), Treatment(agonists_nM={control: LITTLE_nM})
    mek, mtor = (Treatment(agonists_nM=given, inhibitors_nM={name: dose}) for name, dose in
                 (("MEK inhibitor", MEK_nM), ("mTOR inhibitor", MTOR_nM)))  # fmt: skip
    adult, cord = "CD34+ adult blood", "CD34+ cord blood"
    return (
        PloidyClaim(claim="MEK inhibition, low dose: 8N and above", cells=adult, before=full, after=mek, quantity="ge8N", direction=1,
                    published=(0.45, 0.70), source=_GUERRIERO, fitted=True),
        PloidyClaim(claim="MEK inhibition: mean ploidy", cells=adult, before=full, after=mek, quantity="mean_ploidy", direction=1,
                    published=(5.7, 10.9), source=_NEGATIVE),
        PloidyClaim(claim="MEK inhibition, high dose: 8N and above", cells=adult, before=full, after=mek, quantity="ge8N", direction=-1,
                    published=None, source=_DECREASE),
        PloidyClaim(claim="mTOR inhibition: 8N and above", cells=adult, before=full, after=mtor, quantity="ge8N", direction=-1,
                    published=None, source=_GUERRIERO),
        PloidyClaim(claim="mTOR inhibition: mean ploidy", cells=adult, before=full, after=mtor, quantity="mean_ploidy", direction=-1,
                    published=None, source=_RASLOVA),
        PloidyClaim(claim="mTOR inhibition in neonatal cells: mean ploidy", cells=cord, before=full, after=mtor, quantity="mean_ploidy",
                    direction=0, published=None, source=_NEONATAL),
        PloidyClaim(claim="thrombopoietin in adult-blood cells: 8N and above", cells=adult, before=little, after=full, quantity="ge8N",
                    direction=1, published=None, source=_SOURCES),
        PloidyClaim(claim="thrombopoietin in cord-blood cells: 8N and above", cells=cord, before=little, after=full, quantity="ge8N",
                    direction=-1, published=None, source=_SOURCES),
    )  # fmt: skip


def check_ploidy_claims(model: TporModel, bindings: Sequence[Binding], *, control: str, control_nM: float) -> pl.DataFrame:
    """Every claim under both signs of ERK on endomitosis, after twelve days.

    Parameters
    ----------
    model : TporModel
        Its rates; cell system and sign are those of each claim and column.
    bindings : sequence of Binding
        With the positive control's.
    control, control_nM : str, float
        Thrombopoietin.

    Returns
    -------
    DataFrame
        One row a claim and sign: `claim, cell_system, erk_on_endomitosis, quantity, before, after, published_before, published_after,
        direction` ("rises", "falls" or "stays", as published), `verdict, source`. Verdict: "agrees" or "disagrees" (direction), with "numbers within
        10 %" or "numbers missed" where there are numbers, and "fitted" where they were used.
    """
    claims = ploidy_claims(control, control_nM)
    rows: list[dict[str, object]] = []
    for sign in (Sign.LOWERS, Sign.SUPPORTS):
        for cells in dict.fromkeys(claim.cells for claim in claims):
            asked = [claim for claim in claims if claim.cells == cells]
            wells = list({well.label: well for claim in asked for well in (claim.before, claim.after)}.values())
            here = replace(model, cell_system=find_cell_system(cells), erk_on_endomitosis=sign)
            result = simulate_treatments(here, wells, bindings, positive_control=Treatment(agonists_nM={control: control_nM}), hours=HOURS,
                                         culture=True)  # fmt: skip
            courses = dict(zip((well.label for well in wells), result.cultures, strict=True))
            rows += [_row(claim, sign, courses) for claim in asked]
    return pl.DataFrame(rows, infer_schema_length=None)


def _row(claim: PloidyClaim, sign: Sign, courses: dict[str, CultureCourse]) -> dict[str, object]:
    before, after = (float(getattr(courses[well.label], claim.quantity)[-1]) for well in (claim.before, claim.after))
    published = claim.published or (None, None)
    return {
        "claim": claim.claim, "cell_system": claim.cells, "erk_on_endomitosis": sign.value, "quantity": claim.quantity, "before": before,
        "after": after, "published_before": published[0], "published_after": published[1],
        "direction": {1: "rises", -1: "falls", 0: "stays"}[claim.direction], "verdict": _verdict(claim, before, after), "source": claim.source,
    }  # fmt: skip


def _verdict(claim: PloidyClaim, before: float, after: float) -> str:
    stays = abs(after - before) <= NEAR * before
    agrees = stays if claim.direction == 0 else (after - before) * claim.direction > 0.0
    said = ["agrees" if agrees else "disagrees"]
    if claim.published is not None:
        near = all(abs(found - told) <= NEAR * told for found, told in zip((before, after), claim.published, strict=True))
        said.append("numbers within 10 %" if near else "numbers missed")
    return "; ".join([*said, *(["fitted"] if claim.fitted else [])])
