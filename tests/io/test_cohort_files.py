"""Cohorts by name: agonists, models, rules, doses in words; and what is told where they do not go together."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import thrombokit as tk
from thrombokit.agonists.library import model_path
from thrombokit.errors import SpecError

CHILD = """
import hashlib
import thrombokit as tk
print(hashlib.sha256(tk.simulate_cohort("romiplostim", cohort=5, seed=3, weeks=6).measured.tobytes()).hexdigest())
"""


def test_an_agonist_by_name_has_its_model_and_its_rule() -> None:
    """The contract: counts (patients x weeks + 1), doses, ledger, engine."""
    result = tk.simulate_cohort("hetrombopag", cohort=6, seed=1, weeks=4)
    assert result.counts.shape == (6, 5)
    assert result.doses_mg.shape == (6, 5)
    assert (result.doses_mg[:, 0] == 2.5).all()
    assert len(result.ledger) == 24
    assert result.engine == "quadrature"
    assert result.criterion == "< 30"
    assert result.counts[:, 0].max() < 30.0
    again = tk.simulate_cohort(tk.load_agonist("hetrombopag"), "hetrombopag-150-250", 6, seed=1, weeks=4)
    assert again.counts.tobytes() == result.counts.tobytes()


def test_models_and_files_of_ones_own(tmp_path: Path) -> None:
    """A shipped alternative by its name, a model file, a model already read; a shipped alternative keeps its agonist's rule."""
    by_name = tk.simulate_cohort("eltrombopag-itp-emax", cohort=2, seed=1, weeks=2)
    assert by_name.regimen.startswith("Eltrombopag, adult ITP, US label")
    path = tmp_path / "own.toml"
    path.write_bytes(model_path("eltrombopag-itp-emax").read_bytes())
    own = tk.simulate_cohort(path, "eltrombopag-us", 2, seed=1, weeks=2)
    read = tk.simulate_cohort(tk.load_model(str(path)), "eltrombopag-us", 2, seed=1, weeks=2)
    assert own.counts.tobytes() == by_name.counts.tobytes() == read.counts.tobytes()


def test_doses_in_words_are_converted() -> None:
    """Grams become milligrams, "until" includes its day, "once" is once; placebo takes nothing."""
    words = tk.simulate_cohort("eltrombopag", "0.05 g once daily until day 9", 3, seed=1, weeks=2)
    assert words.taken_mg.tolist() == [[350.0, 150.0]] * 3
    assert tk.simulate_cohort("eltrombopag", "75 mg once from day 8", 1, seed=1, weeks=3).taken_mg.tolist() == [[0.0, 75.0, 0.0]]
    nothing = tk.simulate_cohort("eltrombopag", "placebo", 3, seed=1, weeks=2)
    assert (nothing.taken_mg == 0.0).all()
    fixed = tk.simulate_cohort("eltrombopag", tk.FixedDose(amount=50.0, until_h=240.0), 3, seed=1, weeks=2)
    assert fixed.counts.tobytes() == words.counts.tobytes()


def test_healthy_people_are_a_cohort_too() -> None:
    """The model of record of the population, without a criterion."""
    healthy = tk.Cohort(n=20, population="healthy")
    result = tk.simulate_cohort("eltrombopag", "75 mg once daily until day 4", healthy, seed=1, weeks=3)
    assert result.model_file == "eltrombopag-healthy.toml"
    assert result.criterion is None
    assert np.median(result.counts[:, 2]) > np.median(result.counts[:, 0])


@pytest.mark.parametrize(
    ("agonist", "regimen", "said"),
    [
        ("avatrombopag", "default", "avatrombopag, population itp: found no model"),
        ("lusutrombopag", "default", "there is one for cld, healthy"),
        ("eltrombopag", "1 ug/kg once weekly", "found a dose in ug/kg for amounts in mg (eltrombopag-itp.toml)"),
        ("eltrombopag", "50 mg once daily fed", 'Cohort(covariates={"FED": 1.0})'),
        ("eltrombopag", "fifty once daily", "expected a regimen such as"),
        ("eltrombopag", "eltrombopag-uk", "eltrombopag-us"),
        ("eltrombopak", "default", "eltrombopag"),
        ("eltrombopag-healthy", "default", 'found "default" for eltrombopag-healthy.toml, which has no rule of its own'),
    ],
)
def test_what_does_not_go_together_is_told(agonist: str, regimen: str, said: str) -> None:
    """What was found, what was expected, the cure."""
    with pytest.raises(SpecError) as caught:
        tk.simulate_cohort(agonist, regimen, 2, seed=1, weeks=1)
    assert said in str(caught.value)


@pytest.mark.long
def test_another_process_gives_the_same_bytes() -> None:
    """Same seed, same bytes, whatever was compiled before."""
    child = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True).stdout.strip()
    here = tk.simulate_cohort("romiplostim", cohort=5, seed=3, weeks=6).measured
    assert child == hashlib.sha256(here.tobytes()).hexdigest()
