"""Named random streams: the answer depends on the names, never on the order of calls, of patients or of cores.

`stream(seed, "patient", 17, "absorption")` hashes the seed and the names (SHA-256) to the 128-bit key of a Philox generator. Two
different name lists give independent streams; the same list gives the same numbers on any number of processes.
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A random generator for one named purpose.

    Parameters
    ----------
    seed : int
        The study's seed, >= 0.
    *names : str or int
        Stage, item, purpose, from the outside in. 1 and "1" are different names.

    References
    ----------
    Salmon et al. 2011, doi:10.1145/2063384.2063405 (Philox counter-based generators).
    """
    digest = hashlib.sha256()
    for name in (int(seed), *names):
        text = f"{type(name).__name__}:{name}".encode()
        digest.update(len(text).to_bytes(4, "big") + text)
    key = np.frombuffer(digest.digest()[:16], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))
