"""Named random streams: the answer depends on the names, never on the order of calls, of patients or of cores.

`stream(seed, "patient", 17, "absorption")` hashes the seed and the names (SHA-256) to the 128-bit key of a Philox generator. Two
different name lists give independent streams; the same list gives the same numbers on any number of processes.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
    return np.random.Generator(np.random.Philox(key=stream_key(seed, *names)))


def stream_key(seed: int, *names: str | int) -> NDArray[np.uint64]:
    """The key of `stream(seed, *names)`, shape (2,): the first 128 bits of the SHA-256 of seed and names."""
    digest = hashlib.sha256()
    for name in (int(seed), *names):
        text = f"{type(name).__name__}:{name}".encode()
        digest.update(len(text).to_bytes(4, "big") + text)
    return np.frombuffer(digest.digest()[:16], dtype=np.uint64)


class StreamReel:
    """One generator wound to one named stream after the other, for a great many short ones: the numbers of `stream`, at a quarter of its cost.

    What was handed out before goes on with the numbers of the new stream: use up one stream before the next is asked for.
    """

    def __init__(self) -> None:
        self._key = np.zeros(2, dtype=np.uint64)
        self._source: Any = np.random.Philox(key=self._key)
        self._generator = np.random.Generator(self._source)
        self._beginning: dict[str, Any] = dict(self._source.state)
        self._beginning["state"] = {"counter": np.zeros(4, dtype=np.uint64), "key": self._key}

    def stream(self, seed: int, *names: str | int) -> np.random.Generator:
        """The generator of `stream(seed, *names)`, at its beginning."""
        self._key[:] = stream_key(seed, *names)
        self._source.state = self._beginning
        return self._generator
