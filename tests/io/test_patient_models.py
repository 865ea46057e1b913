"""Model files: what is read, and what every fault says."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.domain.agonist import Tier
from thrombokit.errors import Fault, SpecError
from thrombokit.io.patient_models import load_model, parse_model, shipped_models
from thrombokit.patients.compiled_model import compile_model
from thrombokit.patients.expressions import Number, expression_text
from thrombokit.patients.model import CovariateRule, PatientModel

TEXT = """schema = "thrombokit-model/1"
units = {time = "h", amount = "mg", concentration = "ng/mL"}
compartments = ["depot", "central"]
default_dose = "depot"
default_observation = "central"
covariates = "locf"
[theta]
TVCL = {value = 1.1, unit = "L/h", source = "a paper", tier = "published"}
TVV = 20
[record]
CL = "tvcl*exp(ETA_CL)*if(CLASS > 1, 0.5, 1)"
V = "TVV*WT/70"
KA = 1.5
[algebra]
CP = "CENTRAL/(v/1000)"
[flow]
"depot -> central" = "KA"
"central->out" = "CL/V"
[dose.Central]
lag = "LAGT + 0*TIME"
f = 0.9
[initial]
central = "BASE"
[random]
omega = [{names = ["ETA_CL", "ETA_V"], matrix = [[0.2], [0.05, 0.1]]}, {names = ["ETA_OCC"], matrix = [[0.3]], occasion = "OCC"}]
mixture = [{name = "CLASS", shares = [0.3, 0.7], labels = ["weak", "full"]}]
[residual]
cp = {additive_sd = 0.5, proportional_sd = 0.1}
[output]
CP = "CP"
A = "central"
"""


def faults_of(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse_model(text, file="m.toml")
    return [str(fault) for fault in caught.value.faults]


@pytest.fixture
def model() -> PatientModel:
    """The file above."""
    return parse_model(TEXT, file="m.toml")


def test_everything_in_the_file_is_in_the_model(model: PatientModel) -> None:
    assert model.compartments == ("depot", "central")
    assert (model.default_dose, model.default_observation) == ("depot", "central")
    assert model.covariates is CovariateRule.LAST_CARRIED_FORWARD
    assert model.theta["TVCL"].tier is Tier.PUBLISHED
    assert model.theta_values() == {"TVCL": 1.1, "TVV": 20.0}
    assert expression_text(model.record["CL"].expression) == "tvcl*exp(ETA_CL)*if(CLASS > 1, 0.5, 1)"
    assert model.record["KA"].expression == Number(1.5)
    assert model.record["V"].place == "m.toml:12, record.V"
    assert list(model.flow) == [("depot", "central"), ("central", "out")]
    assert model.eta_names == ("ETA_CL", "ETA_V", "ETA_OCC")
    np.testing.assert_array_equal(model.omega[0].matrix, [[0.2, 0.05], [0.05, 0.1]])
    assert model.omega[1].occasion_column == "OCC"
    assert (model.mixtures[0].typical_class, model.mixtures[0].labels) == (2, ("weak", "full"))
    assert (model.residual["CP"].additive_sd, model.residual["CP"].proportional_sd) == (0.5, 0.1)
    assert model.needed_columns == ("WT", "LAGT", "BASE")
    assert model.time_records == ("[dose.central] lag",)


def test_names_mean_the_same_in_any_case_and_values_stand_where_they_should(model: PatientModel) -> None:
    compiled = compile_model(model, ["id", "time", "wt", "lagt", "base"])
    assert compiled.inputs == ("TVCL", "TVV", "ETA_CL", "ETA_V", "ETA_OCC", "CLASS", "wt", "lagt", "base")
    assert compiled.record_names[:3] == ("CL", "V", "KA")
    r, x, out = np.zeros(compiled.n_record), np.zeros(2), np.zeros(2)
    inputs = compiled.default_inputs({"Wt": 35.0, "LAGT": 0.25, "BASE": 4.0})
    assert inputs[compiled.input_index("class")] == 2.0
    assert compiled.non_finite("input", compiled.default_inputs({"WT": 3.0})) == ("lagt", "base")
    compiled.fill_record(inputs, 12.0, r)
    assert r[:3].tolist() == [0.55, 10.0, 1.5]
    assert [r[place] for place in compiled.dose_index[1, :2]] == [0.25, 0.9]
    assert compiled.dose_index[0].tolist() == [-1, -1, -1, -1]
    compiled.fill_initial(r, x)
    compiled.output(0.0, 0.0, x, r, out)
    assert out.tolist() == [400.0, 4.0]
    assert (compiled.compartment_index("CENTRAL"), compiled.output_index("a"), compiled.record_index("ka")) == (1, 1, 2)


def test_a_compiled_model_travels_to_another_process(model: PatientModel) -> None:
    compiled = compile_model(model, ["WT", "LAGT", "BASE"])
    again = pickle.loads(pickle.dumps(compiled))
    assert again.inputs == compiled.inputs
    assert again.model.hash == model.hash
    assert not again.model.omega[0].matrix.flags.writeable


def test_the_hash_follows_what_shapes_an_answer(model: PatientModel) -> None:
    other_words = parse_model(TEXT.replace('"a paper"', '"another"').replace("KA = 1.5", 'KA = "1.50"   # as read'), file="n.toml")
    assert other_words.hash == model.hash
    for was, now in (
        ("TVV = 20", "TVV = 21"),
        ("[[0.2]", "[[0.25]"),
        ("0.3, 0.7", "0.4, 0.6"),
        ('"CL/V"', '"CL/V*1"'),
        ("locf", "nocb"),
    ):
        assert parse_model(TEXT.replace(was, now), file="m.toml").hash != model.hash
    changed = model.with_theta({"tvv": 25.0})
    assert changed.theta["TVV"].value == 25.0
    assert changed.theta["TVCL"].tier is Tier.PUBLISHED
    assert changed.hash != model.hash
    assert changed.structure_hash == model.structure_hash


def test_other_values_of_theta_must_be_there_and_finite(model: PatientModel) -> None:
    with pytest.raises(SpecError) as caught:
        model.with_theta({"TVKA": 1.0, "TVCL": float("nan")})
    assert len(caught.value.faults) == 2
    assert "TVKA = 1.0; expected finite values of TVCL, TVV" in str(caught.value)


CHANGES = [
    ('"thrombokit-model/1"', '"thrombokit-model/2"', "m.toml:1, schema", "thrombokit-model/1", "later form"),
    ("units = {time", "units = {tme", "m.toml:2, units.tme", 'the unknown key "tme"', 'Did you mean "time"'),
    ("units =", "unit =", "m.toml:1, units", 'no key "units"', "units = {time"),
    ('["depot", "central"]', '["depot", "central", "cen tral"]', "m.toml:3, compartments", '"cen tral"', "Rename"),
    ('["depot", "central"]', '["depot", "central", "Depot"]', "m.toml:3, compartments", 'also a compartment ("depot")', "Rename one"),
    ('["depot", "central"]', '["depot", "central", "T"]', "m.toml:3, compartments", '"T"', "meaning of their own"),
    ('default_dose = "depot"', 'default_dose = "depto"', "m.toml:4, default_dose", '"depto"', 'Did you mean "depot"'),
    ('"locf"', '"last"', "m.toml:6, covariates", '"last"', '"nocb" or "locf"'),
    ("value = 1.1", "valu = 1.1", "m.toml:8, theta.TVCL", 'no key "value"', "value = 1.0"),
    ('tier = "published"', 'tier = "publshed"', "m.toml:8, theta.TVCL.tier", '"publshed"', 'Did you mean "published"'),
    ("TVV = 20", 'TVV = "20"', "m.toml:9, theta.TVV", 'the text "20"', "without quotes"),
    ("TVV = 20", "TVV = nan", "m.toml:9, theta.TVV", "the number nan", "finite number"),
    ("TVV = 20", "CL = 20", "m.toml:11, record.CL", "also a theta", "TVCL"),
    ('"tvcl*exp(ETA_CL)', '"tvcl*ln(ETA_CL)', "m.toml:11, record.CL", 'the function "ln" at character 6', "natural logarithm"),
    ('"TVV*WT/70"', '"TVV*__import__(1)"', "m.toml:12, record.V", 'the function "__import__"', "Only these functions"),
    ('"TVV*WT/70"', '"central*WT"', "m.toml:12, record.V", '"central", a compartment', "Move what reads it to [algebra]"),
    ('"TVV*WT/70"', '"T*WT"', "m.toml:12, record.V", '"T", time as it runs', "Write TIME"),
    ('"TVV*WT/70"', '"CP*WT"', "m.toml:12, record.V", '"CP", an [algebra] value', "Move what reads it"),
    ('"TVV*WT/70"', '"KA*CL"\nLOOP = "KA"', None, None, None),
    ("KA = 1.5", 'KA = "V/CL"\nX = "Y"\nY = "Z"\nZ = "X"', "m.toml:14, record.X", "a circle: X reads Y reads Z reads X", "Break the circle"),
    ("KA = 1.5", "KA = true", "m.toml:13, record.KA", "found true", "double quotes"),
    ("KA = 1.5", "exp = 1.5", "m.toml:13, record.exp", '"exp"', "meaning of their own"),
    ('"CENTRAL/(v/1000)"', '"CENTRAL/(v/1000"', "m.toml:15, algebra.CP", "the end of the text", "Complete"),
    ('"CENTRAL/(v/1000)"', '"CENTRAL*TIME"', "m.toml:15, algebra.CP", '"TIME"', "Write T here"),
    ('CP = "CENTRAL/(v/1000)"', 'ka = "1"', "m.toml:15, algebra.ka", 'also a record value ("KA")', "capital and small"),
    ('"depot -> central"', '"depot to central"', "m.toml:17, flow", 'the key "depot to central"', '"depot->central"'),
    ('"depot -> central"', '"depto->central"', "m.toml:17, flow", '"depto"', 'Did you mean "depot"'),
    ('"depot -> central"', '"depot->depot"', "m.toml:17, flow", "to itself", "Correct one of its ends"),
    ('"depot -> central"', '"out->central"', "m.toml:17, flow", '"out" as the start', "Write what enters from outside in [ode]"),
    ('"depot -> central"', '"central -> out"', "m.toml:18, flow", "a second time", "add the two"),
    ("[dose.Central]", "[dose.centrl]", "m.toml:20, dose.centrl", '"centrl"', 'Did you mean "central"'),
    ("f = 0.9", "bio = 0.9", "m.toml:21, dose.Central.bio", 'the unknown key "bio"', "lag"),
    ('"LAGT + 0*TIME"', '"CP"', "m.toml:20, dose.Central.lag", '"CP", an [algebra] value', "holds from one record"),
    ('central = "BASE"', 'centrl = "BASE"', "m.toml:23, initial.centrl", '"centrl"', 'Did you mean "central"'),
    ('central = "BASE"', 'central = "depot"', "m.toml:23, initial.central", '"depot", a compartment', "Move what reads it"),
    ("[[0.2], [0.05, 0.1]]", "[[0.2], [0.5, 0.1]]", "m.toml:25, random.omega[1].matrix", "smallest eigenvalue", "correlations"),
    ("[[0.2], [0.05, 0.1]]", "[[0.2, 0.1], [0.05, 0.1]]", "m.toml:25, random.omega[1].matrix", "0.1 in row 1, column 2", "Correct one"),
    ("[[0.2], [0.05, 0.1]]", "[[0.2]]", "m.toml:25, random.omega[1].matrix", "1 rows of lengths [1]", "variances"),
    ("[[0.3]]", "[[-0.3]]", "m.toml:25, random.omega[2].matrix", "no covariance matrix", "variances of 0 or more"),
    ('"ETA_OCC"', '"ETA_CL"', "m.toml:25, random.omega", "also a random effect", "Rename"),
    ("0.3, 0.7", "0.3, 0.6", "m.toml:26, random.mixture[1].shares", "sum to 0.9", "Correct one"),
    ("0.3, 0.7", "1.0", "m.toml:26, random.mixture[1].shares", "a list", "[0.68, 0.32]"),
    ('["weak", "full"]', '["weak"]', "m.toml:26, random.mixture[1].labels", "1 labels for 2 shares", "Correct the lists"),
    ("[random]", "[random]\nsigma = 1", "m.toml:25, random.sigma", 'the unknown key "sigma"', ""),
    ("cp = {", "CPX = {", "m.toml:28, residual.CPX", '"CPX"', 'Did you mean "CP"'),
    ("additive_sd = 0.5", "additive_sd = -0.5", "m.toml:28, residual.cp.additive_sd", "-0.5", "Correct the number"),
    ("additive_sd = 0.5", "log_sd = 0.5", "m.toml:28, residual.cp.log_sd", "beside another error", "Keep log_sd"),
    ('CP = "CP"', 'TIME = "CP"', "m.toml:30, output.TIME", 'an output "TIME"', "another name"),
    ('A = "central"', 'cp = "central"', "m.toml:30, output.CP", '"CP" beside "cp"', "Rename one"),
    ("[algebra]", "[algbra]", "m.toml:14, algbra", 'the unknown key "algbra"', 'Did you mean "algebra"'),
]  # fmt: skip


@pytest.mark.parametrize(("was", "now", "place", "found", "cure"), CHANGES, ids=[f"{now[:24]!r}" for _, now, *_ in CHANGES])
def test_each_fault_says_where_what_and_how_to_mend_it(
    was: str, now: str, place: str | None, found: str | None, cure: str | None
) -> None:
    assert was in TEXT
    changed = TEXT.replace(was, now, 1)
    if place is None:
        parse_model(changed, file="m.toml")
        return
    messages = faults_of(changed)
    assert any(message.startswith(place) and found in message and cure in message for message in messages), "\n".join(messages)


def test_all_faults_come_in_one_pass() -> None:
    changed = TEXT.replace("KA = 1.5", 'KA = "a b"').replace('"CL/V"', '"CL//V"').replace("locf", "last").replace("0.3, 0.7", "0.3")
    changed = changed.replace('"LAGT + 0*TIME"', '"central"')
    places = " ".join(message.split(": ")[0] for message in faults_of(changed))
    for part in ("record.KA", 'flow."central->out"', "covariates", "shares", "dose.Central.lag"):
        assert part in places
    assert len(faults_of(changed)) == 5


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no key \"schema\""),
        ('schema = "thrombokit-model/1"\n', "no key \"units\""),
        ('schema = "thrombokit-model/1"\n', "no compartments"),
        ('schema = "thrombokit-model/1"\n', "no [output]"),
        ('schema = "thrombokit-model/1"\n', "no [flow], [[piece]] or [ode]"),
        ("compartments = 3\n", "the number 3"),
        ("compartments = []\n", "no compartments"),
        ("flow = 3\n", "the number 3"),
        ("piece = 3\n", "the number 3"),
        ("[dose]\ncentral = 3\n", "the number 3"),
        ("[random]\nomega = [{names = []}]\n", "no names"),
        ("[random]\nomega = [{matrix = [[1]]}]\n", "no names"),
        ('[random]\nomega = [{names = ["E"], matrix = 2}]\n', "0 rows"),
        ("[random]\nmixture = [{shares = [0.5, 0.5]}]\n", 'no key "name"'),
        ("[theta]\nA = [1]\n", "a list"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_model_says_all_that_is_missing(text: str, found: str) -> None:
    messages = faults_of(text)
    assert any(found in message for message in messages), "\n".join(messages)
    assert all(message.count(";") >= 1 for message in messages)


PIECES = [
    ('kind = "transits"', '"transits"', 'Did you mean "transit"'),
    ('from = "depot"', 'no key "kind"', 'kind = "transit"'),
    ('kind = "transit"\nfrom = "depot"\nto = "central"\nn = 2', 'no key "rate"', 'rate = "KTR"'),
    ('kind = "transit"\nfrom = "depot"\nto = "central"\nn = 2\nrate = "KA"\nlag = 1', 'the unknown key "lag"', "kind, n, rate"),
    ('kind = "transit"\nfrom = "depto"\nto = "central"\nn = 2\nrate = "KA"', '"depto"', 'Did you mean "depot"'),
    ('kind = "transit"\nfrom = "depot"\nto = "central"\nn = 0\nrate = "KA"', "found 0", "Write a [flow]"),
    ('kind = "transit"\nfrom = "depot"\nto = "central"\nn = 201\nrate = "KA"', "found 201", "200 is the most"),
    ('kind = "transit"\nfrom = "depot"\nto = "central"\nn = "WT"\nrate = "central"', '"central", a compartment', "holds from one record"),
    ('kind = "lifespan_chain"\nname = "c"\nn = "WT"\nlifespan = 3', "found WT", "Correct n"),
    ('kind = "lifespan_chain"\nname = "c d"\nn = 2\nlifespan = 3', '"c d"', "Rename"),
    ('kind = "lifespan_chain"\nname = "c"\nn = 2\nlifespan = 3\ntotal = "CL"', '"CL"', "Rename one of the two"),
    ('kind = "lifespan_chain"\nname = "c"\nn = 2\nlifespan = 3\nto = "nowhere"', '"nowhere"', "Add it to compartments"),
    ('kind = "linear"\ncentral = "central"\nclearance = 1\nvolume = 1\nfrom = "depot"', "no absorption", "Add absorption"),
    ('kind = "linear"\ncentral = "central"\nclearance = 1\nvolume = 1\nperipherals = ["p"]\ndistribution = [1]', "0 values beside 1", "same length"),
    ('kind = "linear"\ncentral = "central"\nclearance = 1\nvolume = 1\nperipherals = "p"', 'the text "p"', "Write a list"),
    ('kind = "linear"\ncentral = "central"\nclearance = "1 +"\nvolume = 1', "the end of the text", "Complete"),
    ('kind = "dual_absorption"\nfrom = "depot"\nto = "central"\nfirst_rate = 1\nsecond_rate = 2\nswitch = 1\nswitch_from = "dose"',
     '"dose"', "Choose one of the two"),
    ('kind = "tmdd_qe"\ncentral = "central"\nvolume = 1\nkel = 1\nkint = 1\nkd = 1', "neither target nor target_total", "Give target"),
    ('kind = "tmdd_qe"\ncentral = "central"\nvolume = 1\nkel = 1\nkint = 1\nkd = 1\ntarget = "R"\ntarget_total = 1',
     "both target and target_total", "Give target"),
    ('kind = "tmdd_qe"\ncentral = "central"\nvolume = 1\nkel = 1\nkint = 1\nkd = 1\ntarget = "R"', "no ksyn", 'ksyn = "KSYN"'),
    ('kind = "tmdd_qe"\ncentral = "central"\nvolume = 1\nkel = 1\nkint = 1\nkd = 1\ntarget_total = 1\nkdeg = 1', "kdeg beside", "Remove kdeg"),
    ('kind = "tmdd_qe"\ncentral = "central"\nvolume = 1\nkel = 1\nkint = 1\nkd = 1\ntarget_total = 1\nperipheral = "p"',
     "no kcp and no kpc", "Add kcp"),
    ('kind = "tmdd_full"\ncentral = "central"\nvolume = 1\nkel = 1\nkint = 1\nkon = 1\nkoff = 1\ntarget = "R"\ncomplex = "RC"', "no ksyn", "KSYN"),
]  # fmt: skip


@pytest.mark.parametrize(("piece", "found", "cure"), PIECES, ids=[str(number) for number in range(len(PIECES))])
def test_each_fault_of_a_piece_says_what_and_how_to_mend_it(piece: str, found: str, cure: str) -> None:
    messages = faults_of(TEXT + f"[[piece]]\n{piece}\n")
    assert any(message.startswith("m.toml:") and "piece[1]" in message.split(": ")[0] for message in messages), "\n".join(messages)
    assert any(found in message and cure in message for message in messages), "\n".join(messages)


def test_two_switches_are_refused() -> None:
    one = '[[piece]]\nkind = "dual_absorption"\nfrom = "depot"\nto = "central"\nfirst_rate = 1\nsecond_rate = 2\nswitch = 1\n'
    assert "a second dual_absorption; expected one in a model" in "".join(faults_of(TEXT + one + one))


def test_a_record_entry_may_read_the_data_column_of_its_own_name() -> None:
    text = TEXT.replace('"TVV*WT/70"', '"v*1000"')
    model = parse_model(text, file="m.toml")
    assert model.needed_columns == ("v", "LAGT", "BASE")
    compiled = compile_model(model, ["V", "LAGT", "BASE"])
    r = np.zeros(compiled.n_record)
    compiled.fill_record(compiled.default_inputs({"V": 0.02, "LAGT": 0.0, "BASE": 0.0}), 0.0, r)
    assert r[compiled.record_index("V")] == 20.0
    with pytest.raises(SpecError, match=r'm.toml:12, record.V: found the unknown name "v"'):
        compile_model(model, ["LAGT", "BASE"])


def test_names_nobody_defines_are_columns_and_must_be_in_the_data(model: PatientModel) -> None:
    with pytest.raises(SpecError) as caught:
        compile_model(model, ["WGT", "LAGT"])
    assert [str(fault) for fault in caught.value.faults] == [
        'm.toml:12, record.V: found the unknown name "WT"; expected a name that the model defines, or a column of the data (WGT, LAGT). '
        'Did you mean "WGT"?',
        'm.toml:23, initial.central: found the unknown name "BASE"; expected a name that the model defines, or a column of the data '
        "(WGT, LAGT). Add the column to the data, or define the name in the model.",
    ]


def test_an_index_of_an_unknown_name_is_refused(model: PatientModel) -> None:
    compiled = compile_model(model, ["WT", "LAGT", "BASE"])
    with pytest.raises(SpecError, match=r'found "centrall"; expected one of depot, central\. Did you mean "central"'):
        compiled.compartment_index("centrall")
    with pytest.raises(SpecError, match=r'an input: found "WGT".*Did you mean "WT"'):
        compiled.default_inputs({"WGT": 70.0})


SNIPPETS = (
    "",
    "=",
    '"',
    "[",
    "]",
    "{",
    "}",
    "->",
    "central",
    "depot",
    "T",
    "nan",
    "-1",
    "true",
    "(",
    ")",
    "\n",
    "[[piece]]\n",
    "1979-05-27",
    "'",
    "^",
    "out",
)


@given(st.lists(st.tuples(st.integers(0, len(TEXT) - 1), st.integers(0, 12), st.sampled_from(SNIPPETS)), min_size=1, max_size=4))
def test_a_damaged_file_is_read_or_refused_in_words(changes: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for start, length, snippet in changes:
        text = text[:start] + snippet + text[start + length :]
    assert all(fault.found and fault.expected and fault.place.startswith("m.toml") for fault in _faults(text))


def _faults(text: str) -> tuple[Fault, ...]:
    try:
        parse_model(text, file="m.toml")
    except SpecError as error:
        return error.faults
    return ()


def test_models_are_loaded_by_path_and_by_name(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text(TEXT, encoding="utf-8")
    assert load_model(file).hash == load_model(str(file)).hash == parse_model(TEXT, file="m.toml").hash
    with pytest.raises(SpecError, match=r'found the name "no-such-model"; expected a shipped model'):
        load_model("no-such-model")
    with pytest.raises(SpecError, match="no such file"):
        load_model(str(tmp_path / "absent.toml"))
    for name in shipped_models():
        assert load_model(name).output
