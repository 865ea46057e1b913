"""Files of rates: what is wrong is told with its line, and draws keep to their ranges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thrombokit.errors import SpecError
from thrombokit.signalling.antimony_source import tpor_rates
from thrombokit.signalling.rates import RangeKind, parse_rates

GOOD = """\
schema = "thrombokit-rates/1"

[[rate]]
id = "k"
value = 2.0
unit = "per_min"
tier = "assumed"
source = "assumed here"
low = 1.0
high = 4.0
range = "prior"
"""


def _faults(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse_rates(text, file="mine.toml")
    return str(caught.value)


def test_a_good_file() -> None:
    rate = parse_rates(GOOD, file="mine.toml")["k"]
    assert (rate.value, rate.low, rate.high) == (2.0, 1.0, 4.0)
    assert rate.words() == "assumed, prior 1 to 4; source: assumed here."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'tier = "assumed"',
            'tier = "guessed"',
            r'mine.toml:7, rate[1].tier: found the text "guessed"; expected "measured", "fitted" or "assumed"',
        ),
        ("high = 4.0", "high = 1.5", "mine.toml:9, rate[1].low: found 1.0 to 1.5 around 2; expected 0 < low <= value <= high"),
        ('source = "assumed here"\n', "", 'no key "source"'),
        ("low = 1.0\n", "", "expected 0 < low <= value <= high"),
        ("value = 2.0", 'value = "2"', "Write the number without quotes"),
        ("rates/1", "rates/9", 'expected "thrombokit-rates/1"'),
    ],
)
def test_what_is_wrong_is_said(old: str, new: str, said: str) -> None:
    assert said in _faults(GOOD.replace(old, new))


def test_all_faults_in_one_pass() -> None:
    faults = _faults(GOOD.replace('"assumed"', '"guessed"').replace("value = 2.0", "value = true"))
    assert "tier" in faults
    assert "value" in faults


def test_a_rate_given_twice() -> None:
    assert 'found the rate "k" twice' in _faults(GOOD + GOOD.split("\n", 2)[2])


@given(normal=st.floats(-4.0, 4.0))
def test_draws_stay_in_ranges_and_are_the_value_where_fixed(normal: float) -> None:
    for rate in tpor_rates():
        drawn = rate.drawn(normal)
        if rate.range is RangeKind.FIXED:
            assert drawn == rate.value
        elif rate.range is not RangeKind.INTERVAL:
            assert rate.low * (1 - 1e-12) <= drawn <= rate.high * (1 + 1e-12)


def test_an_interval_is_a_central_95_percent() -> None:
    rate = next(rate for rate in tpor_rates() if rate.range is RangeKind.INTERVAL)
    assert rate.drawn(1.959964) == pytest.approx(rate.high, rel=1e-12)
    assert rate.drawn(-1.959964) == pytest.approx(rate.low, rel=1e-12)
    assert rate.drawn(0.0) == pytest.approx(np.sqrt(rate.low * rate.high), rel=1e-12)
