"""One model, three solvers: libroadrunner, scipy on our own rate equations, and COPASI's LSODA."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import basico  # pyright: ignore[reportMissingImports]
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from thrombokit import load_network, simulate_model
from thrombokit.io.sbml import parse_sbml
from thrombokit.signalling.network import Network
from thrombokit.signalling.rate_equations import RateEquations
from thrombokit.signalling.start_values import StartPlan

AGREEMENT = 1e-6
"""Largest difference between two solvers, relative to the largest amount of a species over the run."""
BIOMODELS = {
    "BIOMD0000000009": 150.0,  # Huang and Ferrell 1996
    "BIOMD0000000010": 6000.0,  # Kholodenko 2000: four periods
    "BIOMD0000000271": 300.0,  # Becker 2010: pM and minutes
}
"""End of the simulation in the model's own unit of time."""
POINTS = 41


def by_scipy(network: Network, times: np.ndarray) -> dict[str, np.ndarray]:
    """Amounts of species by LSODA on the rate equations, shape (n_times,) each."""
    start = StartPlan(network).evaluate({})
    equations = RateEquations(network)
    begin = equations.start_state(start)
    scale = np.abs(begin)[begin != 0.0].min(initial=1.0)
    solved = solve_ivp(
        equations.right_hand_side(start), (0.0, times[-1]), begin, method="LSODA", t_eval=times, rtol=1e-11, atol=1e-14 * scale
    )
    assert solved.success
    rows = [equations.values(time, state, start) for time, state in zip(times, solved.y.T, strict=True)]
    return {species.id: np.array([row["amount", species.id] for row in rows]) for species in network.species}


def by_copasi(network: Network, times: np.ndarray) -> dict[str, np.ndarray]:
    """Concentrations of species by COPASI on the SBML text, shape (n_times,) each; by SBML id."""
    model = basico.load_model_from_string(network.sbml)
    try:
        table = basico.run_time_course(
            start_time=0.0, duration=float(times[-1]), intervals=times.size - 1, r_tol=1e-11, a_tol=1e-16, max_steps=1_000_000,
            use_sbml_id=True, use_concentrations=True, model=model,
        )  # fmt: skip
    finally:
        basico.remove_datamodel(model)
    return {name: table[name].to_numpy() for name in table.columns}


def largest_difference(first: np.ndarray, second: np.ndarray) -> float:
    size = np.abs(second).max()
    return float(np.abs(first - second).max() / size) if size > 0.0 else float(np.abs(first).max())


def stimulated_tpor() -> Network:
    """The built-in model with 1 nM thrombopoietin in its text, so that all three solvers start alike."""
    network = load_network()
    text = re.sub(
        r'(<species [^>]*id="TPO"[^>]*?)initial(?:Concentration|Amount)="[^"]*"', r'\1initialConcentration="1"', network.sbml
    )
    assert text != network.sbml
    return parse_sbml(text, place="tpor with TPO")


@pytest.mark.parametrize("name", [*BIOMODELS, "tpor"])
def test_three_solvers_give_the_same_trajectories(name: str, reference_data: Path, print_figure: Callable[[str], None]) -> None:
    network = stimulated_tpor() if name == "tpor" else load_network(reference_data / "models" / "biomodels" / f"{name}.xml")
    times = np.linspace(0.0, BIOMODELS.get(name, 240.0), POINTS)
    amounts = tuple(network.species_by_id)
    ours = simulate_model(network, end=times[-1], points=POINTS, selections=(*amounts, *(f"[{id}]" for id in amounts)))
    assert ours.outcome == "converged"
    scipy, copasi = by_scipy(network, times), by_copasi(network, times)
    to_scipy = {id: largest_difference(ours.values[:, at], scipy[id]) for at, id in enumerate(amounts)}
    assert not any(network.can_change(id) for id in set(amounts) - set(copasi))  # COPASI leaves out what stays as it is
    to_copasi = {
        id: largest_difference(ours.values[:, len(amounts) + at], copasi[id]) for at, id in enumerate(amounts) if id in copasi
    }
    print_figure(f"{name}: largest difference to scipy {max(to_scipy.values()):.1e}, to COPASI {max(to_copasi.values()):.1e}")
    assert {id: apart for id, apart in to_scipy.items() if apart > AGREEMENT} == {}
    assert {id: apart for id, apart in to_copasi.items() if apart > AGREEMENT} == {}
