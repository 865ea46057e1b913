"""The built-in model: valid SBML with consistent units, every species identified, every rate with its source and tier."""

from __future__ import annotations

import numpy as np
import pytest

from thrombokit.errors import FileFormatError, MissingExtraError
from thrombokit.io.sbml import check_sbml
from thrombokit.io.tpor import tpor_network
from thrombokit.signalling import antimony_source
from thrombokit.signalling.antimony_source import sbml_of_antimony, tpor_antimony, tpor_rates, tpor_sbml
from thrombokit.signalling.cell_systems import cell_systems, perturbations
from thrombokit.signalling.fates import fate_rate_set
from thrombokit.signalling.rates import RangeKind, Rate, RateTier


def _all_rates() -> list[Rate]:
    return [*tpor_rates(), *fate_rate_set(), *(rate for system in cell_systems() for rate in system.rates)]


def test_no_consistency_or_unit_warning() -> None:
    assert check_sbml(tpor_sbml()) == []


def test_every_species_has_a_uniprot_id_and_a_name() -> None:
    network = tpor_network()
    assert [one.id for one in network.species if not one.uniprot] == []
    assert len({one.label for one in network.species}) == len(network.species)
    assert network.species_by_id["Mpl"].uniprot == ("P40238",)
    assert network.species_by_id["STAT5"].uniprot == ("P42229", "P51692")


def test_between_18_and_30_states() -> None:
    """Species that reactions move: 30; sums that no reaction changes leave fewer free ones."""
    network = tpor_network()
    moved = sorted(network.moved_by_reactions)
    stoichiometry = np.zeros((len(moved), len(network.reactions)))
    volumes = {one.id: one.size for one in network.compartments}
    for column, reaction in enumerate(network.reactions):
        for participant, sign in reaction.participants:
            if participant.species in moved:
                stoichiometry[moved.index(participant.species), column] += sign * (participant.stoichiometry or 1.0)
    assert len(moved) == 30
    assert 18 <= np.linalg.matrix_rank(stoichiometry) == 21 < 30
    assert set(volumes) == {"medium", "membrane", "endosome", "cytoplasm", "nucleus"}


def test_every_parameter_of_the_network_is_a_rate_with_a_source_in_its_notes() -> None:
    network, rates = tpor_network(), {rate.id: rate for rate in tpor_rates()}
    described = [*network.parameters, *network.compartments]
    assert {one.id for one in described} == set(rates)
    for one in described:
        assert rates[one.id].source.split()[0] in one.notes.replace("'", '"'), one.id
        assert one.notes.startswith(rates[one.id].tier.value), one.id


def test_every_rate_says_what_it_rests_on() -> None:
    for rate in _all_rates():
        assert len(rate.source) > 10, rate.id
        if rate.tier is RateTier.FITTED:
            assert rate.on, f"{rate.id} is fitted, and does not say on what"
            assert rate.range in (RangeKind.TRANSFER, RangeKind.INTERVAL, RangeKind.FIXED), rate.id
        if rate.tier is RateTier.ASSUMED:
            assert rate.range in (RangeKind.PRIOR, RangeKind.FIXED), rate.id
    for mutation in perturbations().mutations:
        assert mutation.low < mutation.basal_drive < mutation.high


def test_epo_receptor_values_say_so() -> None:
    fitted = {rate.id: rate for rate in tpor_rates() if "msb.2011.50" in rate.source}
    assert {"stat5_import", "stat5_export", "cis_turnover", "stat5_total"} <= set(fitted)
    assert {rate.on for rate in fitted.values()} == {"EPO-R (CFU-E)"}
    assert "fitted on EPO-R (BaF3), EPO-R (CFU-E)" in tpor_rates().caption()


def test_share_of_assumed_rates_counts_what_varies() -> None:
    rates = tpor_rates()
    counted = [rate for rate in rates if rate.range is not RangeKind.FIXED]
    assumed = [rate for rate in counted if rate.tier is RateTier.ASSUMED]
    assert rates.assumed_share() == len(assumed) / len(counted)
    assert f"{len(assumed)} of {len(counted)} rates are assumed" in rates.caption()


def test_every_cell_systems_rate_has_a_place_to_go() -> None:
    known = {rate.id for rate in (*tpor_rates(), *fate_rate_set())}
    units = {rate.id: rate.unit for rate in (*tpor_rates(), *fate_rate_set())}
    for system in cell_systems():
        for rate in system.rates:
            assert rate.id in known
            assert rate.unit == units[rate.id], f"{system.name}: {rate.id}"


def test_same_bytes_every_time() -> None:
    assert sbml_of_antimony(tpor_antimony(), source="tpor.ant") == tpor_sbml()
    assert "Created by" not in tpor_sbml()


def test_text_that_is_not_antimony_is_refused_with_the_line() -> None:
    with pytest.raises(FileFormatError, match=r"mine\.ant: found text antimony cannot read .*line 2.*Correct the line it names"):
        sbml_of_antimony("model a\n  S1 -> -> S2; k\nend\n", source="mine.ant")


def test_without_antimony_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(antimony_source, "antimony", None)
    with pytest.raises(MissingExtraError, match=r"mine\.ant: .*pip install \"thrombokit\[signalling\]\""):
        sbml_of_antimony("model a\nend\n", source="mine.ant")


GENES = {
    "P40225": "THPO", "P40238": "MPL", "O60674": "JAK2", "P42229": "STAT5A", "P51692": "STAT5B", "Q9NSE2": "CISH", "O14543": "SOCS3",
    "Q07889": "SOS1", "P62993": "GRB2", "P29353": "SHC1", "P01111": "NRAS", "P01116": "KRAS", "P04049": "RAF1", "P15056": "BRAF",
    "Q02750": "MAP2K1", "P36507": "MAP2K2", "P28482": "MAPK1", "P27361": "MAPK3", "Q16828": "DUSP6", "O15530": "PDPK1", "P60484": "PTEN",
    "P31749": "AKT1", "P31751": "AKT2", "P42345": "MTOR", "Q8N122": "RPTOR", "Q07817": "BCL2L1", "P24385": "CCND1",
}  # fmt: skip
"""UniProt accessions of human proteins and their genes, each read in a public listing that names both."""


def test_accessions_are_those_of_the_proteins_meant() -> None:
    network = tpor_network()
    genes = {one.id: {GENES[accession] for accession in one.uniprot} for one in network.species}
    assert set().union(*genes.values()) == set(GENES.values())
    expected = {
        "TPO": {"THPO"}, "TM_agonist": {"MPL"}, "Mpl": {"MPL"}, "JAK2": {"JAK2"}, "STAT5": {"STAT5A", "STAT5B"}, "CIS": {"CISH"},
        "CIS_mRNA": {"CISH"}, "SOCS3": {"SOCS3"}, "SOS_active": {"SHC1", "GRB2", "SOS1"}, "RAS": {"NRAS", "KRAS"}, "RAF": {"RAF1", "BRAF"},
        "MEK": {"MAP2K1", "MAP2K2"}, "ERK": {"MAPK1", "MAPK3"}, "DUSP6": {"DUSP6"}, "PIP3": {"PDPK1"}, "PTEN": {"PTEN"},
        "AKT": {"AKT1", "AKT2"}, "MTORC1": {"MTOR", "RPTOR"}, "BCLXL": {"BCL2L1"}, "CCND1": {"CCND1"},
    }  # fmt: skip
    assert {id: genes[id] for id in expected} == expected
    links = {link.resource for one in network.species for link in one.annotations if "uniprot" not in link.resource}
    assert links == {"http://identifiers.org/CHEBI:16618", "http://identifiers.org/drugbank:DB06210"}, (
        "PIP3, and eltrombopag as a small molecule"
    )
