"""Simulated screens on disk: n curves of 10 doses x 3, from 10 to 100, even noise; written piece by piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

DOSE_nM = np.repeat(1.0 * np.sqrt(10.0) ** np.arange(10), 3)
_CURVES_A_PIECE = 100_000


def responses(n: int, *, seed: int) -> np.ndarray:
    """Responses of n curves at `DOSE_nM`, shape (n, 30); SD 5, EC50 within half a decade of the middle dose."""
    rng = np.random.default_rng(seed)
    ec50 = np.sqrt(DOSE_nM[0] * DOSE_nM[-1]) * 10.0 ** rng.uniform(-0.5, 0.5, (n, 1))
    mean = 10.0 + 90.0 / (1.0 + (ec50 / DOSE_nM) ** rng.uniform(0.9, 1.8, (n, 1)))
    return mean + 5.0 * rng.standard_normal(mean.shape)


def write_screen(path: Path, n: int, *, seed: int = 1) -> Path:
    """A tidy Parquet table of n curves; memory stays that of 100,000."""
    pieces: list[Path] = []
    for k, first in enumerate(range(0, n, _CURVES_A_PIECE)):
        count = min(_CURVES_A_PIECE, n - first)
        pieces.append(path.with_name(f"{path.stem}-{k}.parquet"))
        pl.DataFrame(
            {
                "curve": np.repeat([f"c{first + i:08d}" for i in range(count)], DOSE_nM.size),
                "concentration_nM": np.tile(DOSE_nM, count),
                "response": responses(count, seed=seed + k).ravel(),
            }
        ).write_parquet(pieces[-1])
    pl.scan_parquet(pieces).sink_parquet(path)
    for piece in pieces:
        piece.unlink()
    return path
