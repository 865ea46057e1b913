"""Fits per CPU second of one process: Parquet in, fits, Parquet out. Run as a process of its own, so that polars keeps one thread.

python -m benchmarks.one_core TABLE.parquet OUT.parquet wald|profile
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import polars as pl

from thrombokit.dose_response.fit import fit_curves
from thrombokit.io.fit_tables import read_table, write_table


def fit_once(table: Path, out: Path, interval: str) -> float:
    """CPU seconds from file to file."""
    before = time.process_time()
    write_table(fit_curves(read_table(table), weights="none", interval=interval).table(), out)  # type: ignore[arg-type]
    return time.process_time() - before


def main() -> None:
    """Warm up on the first 100 curves, then print CPU seconds and the number of curves."""
    table, out, interval = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    small = out.with_name("warm.parquet")
    pl.scan_parquet(table).head(3_000).collect().write_parquet(small)
    fit_once(small, out, interval)
    seconds = fit_once(table, out, interval)
    print(seconds, pl.scan_parquet(out).select(pl.len()).collect().item())


if __name__ == "__main__":
    main()
