"""MMRM of 250 subjects x 4 visits, CPU seconds of one core, beside statsmodels' mixed model (compound symmetry) in the same run.

    python -m benchmarks.trials

Exit code 1 means that the bar is missed: 1 s for the unstructured covariance.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
from statsmodels.regression.mixed_linear_model import MixedLM

from thrombokit.numerics.streams import stream
from thrombokit.trials.mmrm import fit_mmrm
from thrombokit.trials.repeated_measures import Covariate, RepeatedMeasures

BAR_s = 1.0
SUBJECTS, VISITS, REPEATS = 250, 4, 5


def trial() -> RepeatedMeasures:
    """Two arms, a covariate, one response in ten missing."""
    rng = stream(1, "benchmark")
    who, when = np.repeat(np.arange(SUBJECTS), VISITS), np.tile(np.arange(VISITS), SUBJECTS)
    base = rng.normal(20.0, 5.0, SUBJECTS)
    response = rng.normal(0.0, 10.0, SUBJECTS)[who] + rng.normal(0.0, 8.0, who.size) + 5.0 * when * (who % 2) + base[who]
    response[rng.uniform(size=who.size) < 0.1] = np.nan
    return RepeatedMeasures(
        file="benchmark", subject=np.array([f"S{i}" for i in who], dtype=object), visit=np.array([str(v) for v in when], dtype=object),
        arm=np.array(["placebo", "active"], dtype=object)[who % 2], response=response, places=tuple(map(str, range(who.size))),
        covariates=(Covariate(name="base", values=base[who]),),
    )  # fmt: skip


def ours(data: RepeatedMeasures, covariance: str) -> float:
    """CPU seconds of one fit, the least of some."""
    found: list[float] = []
    for _ in range(REPEATS):
        start = time.process_time()
        fit_mmrm(data, reference="placebo", covariance=covariance)
        found.append(time.process_time() - start)
    return min(found)


def theirs(data: RepeatedMeasures) -> float:
    """CPU seconds of statsmodels' random intercepts, the least of some; no degrees of freedom, no least-squares means."""
    seen = np.isfinite(data.response)
    cells = (data.arm == "active") * VISITS + data.visit.astype(int)
    base = data.covariates[0].values
    assert base is not None
    design = np.column_stack([np.eye(2 * VISITS)[cells], base])[seen]
    found: list[float] = []
    for _ in range(REPEATS):
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            MixedLM(data.response[seen], design, groups=data.subject[seen]).fit(reml=True)
        found.append(time.process_time() - start)
    return min(found)


def main() -> int:
    """Print the times and their ratio."""
    data = trial()
    unstructured, even, peer = ours(data, "us"), ours(data, "cs"), theirs(data)
    print(
        f"MMRM, {SUBJECTS} subjects x {VISITS} visits: unstructured {1000 * unstructured:.0f} ms, compound symmetry {1000 * even:.0f} ms CPU"
    )
    print(f"statsmodels MixedLM (compound symmetry, fit alone): {1000 * peer:.0f} ms CPU, {peer / even:.1f} times ours")
    return int(unstructured > BAR_s)


if __name__ == "__main__":
    sys.exit(main())
