"""What SBML says a model means, each on a model small enough to be solved by hand; truths are written as formulas of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from thrombokit import simulate_model
from thrombokit.io.sbml import parse_sbml
from thrombokit.signalling.antimony_source import sbml_of_antimony

TIMES = np.linspace(0.0, 10.0, 41)
Truth = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Case:
    """An Antimony model, and what its selections are at the times t."""

    name: str
    model: str
    truth: dict[str, Truth]
    settings: dict[str, float] = field(default_factory=dict[str, float])


def step(at: float, before: float, after: float, *, inclusive: bool = True) -> Truth:
    return lambda t: np.where(t >= at if inclusive else t > at, after, before)


CASES = (
    Case(
        name="a species' id is its amount, in brackets it is its concentration, its name in a rate is its concentration",
        model="compartment c=4; species A in c, B in c; A=2; B=0; J: A -> B; k*A*c; k=0.3",
        truth={"A": lambda t: 8 * np.exp(-0.3 * t), "[A]": lambda t: 2 * np.exp(-0.3 * t), "J": lambda t: 2.4 * np.exp(-0.3 * t)},
    ),
    Case(
        name="a species with only substance units stands for its amount in a rate, and can be asked for either way",
        model="compartment c=4; substanceOnly species A in c; A=8; J: A -> ; k*A; k=0.3",
        truth={"A": lambda t: 8 * np.exp(-0.3 * t), "[A]": lambda t: 2 * np.exp(-0.3 * t)},
    ),
    Case(
        name="a compartment that grows keeps amounts and thins concentrations",
        model="compartment c=2; c' = 0.5; species A in c, B in c; A=3; B=1; J: B -> ; 0.1*B*c",
        truth={"A": lambda t: 6 + 0 * t, "[A]": lambda t: 6 / (2 + 0.5 * t), "B": lambda t: 2 * np.exp(-0.1 * t), "c": lambda t: 2 + 0.5 * t},
    ),
    Case(
        name="a compartment given by a rule of the time, and a concentration to start with",
        model="compartment c; c := 2 + time; species A in c; A = 0.05; J: A -> ; 0.1*A*c",
        truth={"A": lambda t: 0.1 * np.exp(-0.1 * t), "[A]": lambda t: 0.1 * np.exp(-0.1 * t) / (2 + t)},
    ),
    Case(
        name="an event that resizes a compartment leaves amounts alone",
        model="compartment c=2; species A in c; A=3; at (time >= 5): c = 4",
        truth={"A": lambda t: 6 + 0 * t, "[A]": step(5.0, 3.0, 1.5)},
    ),
    Case(
        name="a boundary species is not used up",
        model="compartment c=1; species $A in c, B in c; A=2; B=0; J: A -> B; 0.5*A",
        truth={"A": lambda t: 2 + 0 * t, "B": lambda t: t},
    ),
    Case(
        name="a boundary species may have a rate rule of its concentration",
        model="compartment c=2; species $A in c; A=1; A' = 0.5",
        truth={"[A]": lambda t: 1 + 0.5 * t, "A": lambda t: 2 + t},
    ),
    Case(
        name="stoichiometries above one, and of both sides",
        model="compartment c=1; species A in c, B in c; A=10; B=0; J: 2 A -> 3 B; 0.2",
        truth={"A": lambda t: 10 - 0.4 * t, "B": lambda t: 0.6 * t},
    ),
    Case(
        name="a rate that falls with what it makes",
        model="compartment c=1; species A in c; A=0; J: -> A; 1 - A",
        truth={"A": lambda t: 1 - np.exp(-t)},
    ),
    Case(
        name="assignments at the start follow each other in any order, rules take part",
        model="a = b + 1; b = 2*d; d = 3; r := a + time; compartment c = b; species S in c; S = r",
        truth={"a": lambda t: 7 + 0 * t, "r": lambda t: 7 + t, "c": lambda t: 6 + 0 * t, "S": lambda t: 42 + 0 * t},
    ),
    Case(
        name="what is set takes the place of an assignment, and what follows from it follows",
        model="a = b + 1; b = 2*d; d = 3; e = a*10",
        settings={"b": 1.0, "d": 100.0},
        truth={"a": lambda t: 2 + 0 * t, "b": lambda t: 1 + 0 * t, "e": lambda t: 20 + 0 * t},
    ),
    Case(
        name="a species given as a concentration keeps it when its compartment is set to another size",
        model="compartment c=1; species A in c, B in c; A=3; amountB = 3; B = amountB",
        settings={"c": 2.0},
        truth={"A": lambda t: 6 + 0 * t, "[A]": lambda t: 3 + 0 * t},
    ),
    Case(
        name="a species set in brackets starts at a concentration, without at an amount",
        model="compartment c=4; species A in c, B in c; A=3; B=3",
        settings={"[A]": 5.0, "B": 5.0},
        truth={"A": lambda t: 20 + 0 * t, "[B]": lambda t: 1.25 + 0 * t},
    ),
    Case(
        name="functions that call functions, arguments of the same name",
        model="compartment c=1; species A in c; A=4; J: A -> ; outer(A, k); k = 0.5",
        truth={"A": lambda t: 4 * np.exp(-0.5 * t)},
    ),
    Case(
        name="rateOf a species and of a variable of a rate rule",
        model="compartment c=1; species A in c; A=4; J: A -> ; 0.5*A; x = 1; x' = 0.25; v := rateOf(A); w := rateOf(x)",
        truth={"v": lambda t: -2 * np.exp(-0.5 * t), "w": lambda t: 0.25 + 0 * t},
    ),
    Case(
        name="an event happens when its condition turns true, not while it is",
        model="n = 0; at (time >= 2): n = n + 1",
        truth={"n": step(2.0, 0.0, 1.0)},
    ),
    Case(name="a condition that holds just after a time", model="n = 0; at (time > 2): n = 1", truth={"n": step(2.0, 0.0, 1.0, inclusive=False)}),
    Case(
        name="an event that counts as false before the start happens at time 0",
        model="n = 0; q = 0; E: at (time >= 0), t0=false: n = 1; F: at (time >= 0): q = 1",
        truth={"n": lambda t: 1 + 0 * t, "q": lambda t: 0 * t},
    ),
    Case(
        name="a setting that makes a condition true at the start lets such an event happen",
        model="n = 0; k = 1; E: at (k > 3), t0=false: n = k",
        settings={"k": 6.0},
        truth={"n": lambda t: 6 + 0 * t},
    ),
    Case(
        name="a delayed event takes its values from the time of its trigger",
        model="x = 0; x' = 1; n = 0; at 3 after (time >= 2), fromTrigger=true: n = x",
        truth={"n": step(5.0, 0.0, 2.0)},
    ),
    Case(
        name="or from the time it happens, where it says so",
        model="x = 0; x' = 1; n = 0; at 3 after (time >= 2), fromTrigger=false: n = x",
        truth={"n": step(5.0, 0.0, 5.0)},
    ),
    Case(
        name="a delayed event that is not persistent is called off when its condition ends",
        model="n = 0; q = 0; w := piecewise(1, time >= 2 && time < 3, 0); "
        "E: at 2 after (w > 0.5), persistent=false: n = 1; F: at 2 after (w > 0.5), persistent=true: q = 1",
        truth={"n": lambda t: 0 * t, "q": step(4.0, 0.0, 1.0)},
    ),
    Case(
        name="of events at one time the higher priority comes first",
        model="n = 0; E: at (time >= 2), priority=1, fromTrigger=false: n = n*10 + 1; F: at (time >= 2), priority=5, fromTrigger=false: n = n*10 + 5",
        truth={"n": step(2.0, 0.0, 51.0)},
    ),
    Case(
        name="an event sets off another",
        model="n = 0; q = 0; E: at (time >= 2): n = 1; F: at (n > 0.5): q = time",
        truth={"q": step(2.0, 0.0, 2.0)},
    ),
    Case(
        name="an event resets a species again and again",
        model="compartment c=2; species A in c; A = 0; J: -> A; c; at (A >= 2.125): A = 0.125",
        truth={"[A]": lambda t: np.where(t < 2.125, t, 0.125 + np.mod(t - 2.125, 2.0))},
    ),
    Case(
        name="a dose over a short time is not stepped over",
        model="x = 0; x' = piecewise(1, (time >= t1) && (time < t1 + 1e-4), 0); t1 = 3",
        settings={"t1": 6.6},
        truth={"x": step(6.6001, 0.0, 1e-4)},
    ),
    Case(
        name="a short time in which a state lies in a band is not stepped over",
        model="z = 0; z' = 0.4; w = 0; at (z > 1.78 && z < 1.7801): w = 1",
        truth={"w": step(4.45, 0.0, 1.0, inclusive=False)},
    ),
    Case(
        name="a rate that switches with the state",
        model="x = 0; x' = 1; y = 0; y' = piecewise(1, x < 4, 3)",
        truth={"y": lambda t: np.where(t < 4, t, 4 + 3 * (t - 4))},
    ),
    Case(
        name="a stoichiometry that an assignment gives, with what it follows from set to another value",
        model="compartment c=1; species A in c, B in c; A=10; B=0; p=2; q = p*1.5; J: A -> n B; 0.2; n = q*2",
        settings={"p": 5.0},
        truth={"A": lambda t: 10 - 0.2 * t, "B": lambda t: 3 * t, "n": lambda t: 15 + 0 * t},
    ),
    Case(
        name="a stoichiometry that a rule gives",
        model="compartment c=1; species A in c, B in c; A=10; B=0; J: A -> n B; 0.2; n := 1 + time",
        truth={"B": lambda t: 0.2 * (t + t**2 / 2)},
    ),
    Case(
        name="a stoichiometry that an event changes",
        model="compartment c=1; species A in c, B in c; A=10; B=0; J: A -> n B; 0.2; n = 1; at (time >= 5): n = 3",
        truth={"B": lambda t: 0.2 * np.where(t < 5, t, 5 + 3 * (t - 5))},
    ),
    Case(
        name="powers, logarithms, roots, remainders, and factorials",
        model="a := 2^3^2; b := log10(1000); d := ln(exp(2)); e := sqrt(16) + root(3, 27); f := 7 - 2*floor(3.5); g := factorial(5); h := -2^2",
        truth={"a": lambda t: 512 + 0 * t, "b": lambda t: 3 + 0 * t, "d": lambda t: 2 + 0 * t, "e": lambda t: 7 + 0 * t,
               "f": lambda t: 1 + 0 * t, "g": lambda t: 120 + 0 * t, "h": lambda t: -4 + 0 * t},
    ),
)  # fmt: skip
FUNCTIONS = "function inner(x, k) x*k; end\nfunction outer(k, x) inner(k, x); end\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_model_means_what_sbml_says(case: Case) -> None:
    functions = FUNCTIONS if "outer(" in case.model else ""
    network = parse_sbml(sbml_of_antimony(f"{functions}model m\n{case.model}\nend\n", source="m.ant"))
    found = simulate_model(network, end=TIMES[-1], points=TIMES.size, selections=tuple(case.truth), settings=case.settings)
    assert found.outcome == "converged", found.message
    for at, (selection, truth) in enumerate(case.truth.items()):
        np.testing.assert_allclose(found.values[:, at], truth(TIMES), rtol=1e-7, atol=1e-7, err_msg=selection)
