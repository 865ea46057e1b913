"""A gate lock: gates fitted on controls are fixed before the plate is seen, and whoever changes them later says why.

The lock keeps every gate in words with its digest. Gates that are the same to the last digit pass; others are told gate by gate, with
what was and what is. A change that is accepted is added to the log with its reason; entries are chained by their digests, so that none
is altered or dropped by a slip (it is no seal: who wants to can compute new digests). The order of gates does not matter, nor does any
clock: times stand beside the entries, not in digests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from thrombokit.cells.gate_words import words_of
from thrombokit.cells.gates import GateTree


@dataclass(frozen=True, kw_only=True)
class LockedGate:
    """One gate as it was: its id, its words and their digest."""

    id: str
    words: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Digest of the words."""
        return digest_of(self.words)


@dataclass(frozen=True, kw_only=True)
class GateChange:
    """What became of one gate; `was` and `now` hold the words that differ (all of them for a gate added or removed)."""

    id: str
    kind: Literal["added", "removed", "changed"]
    was: tuple[str, ...] = ()
    now: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "added":
            return f"gate {self.id} was added: {'; '.join(self.now)}"
        if self.kind == "removed":
            return f"gate {self.id} was removed: {'; '.join(self.was)}"
        pairs = zip_longest(self.was, self.now, fillvalue="nothing")
        return f"gate {self.id} was changed: " + "; ".join(f'"{before}" is now "{after}"' for before, after in pairs)


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One accepted change: why, what, the gates from then on, and the digest that chains it to what came before; `when` is not in it."""

    reason: str
    changes: tuple[str, ...]
    gatingml_sha256: str
    gates: tuple[LockedGate, ...]
    sha256: str
    when: str = ""


@dataclass(frozen=True, kw_only=True)
class GateLock:
    """Gates as they were locked, what they were fitted on (name and SHA-256 of each file), and the log of later changes."""

    gates: tuple[LockedGate, ...]
    gatingml_sha256: str
    fitted_on: tuple[tuple[str, str], ...]
    thrombokit_version: str
    log: tuple[LogEntry, ...] = ()

    @property
    def sha256(self) -> str:
        """Digest of all but the log."""
        gates = [(gate.id, gate.sha256) for gate in self.gates]
        return digest_of((gates, self.gatingml_sha256, self.fitted_on, self.thrombokit_version))

    @property
    def log_sha256(self) -> str:
        """Digest of the lock with its whole log: that of the last entry, which is chained to all before it."""
        return self.log[-1].sha256 if self.log else self.sha256

    @property
    def accepted(self) -> tuple[LockedGate, ...]:
        """The gates that count now: those of the last entry of the log, or those first locked."""
        return self.log[-1].gates if self.log else self.gates


def locked_gates(tree: GateTree) -> tuple[LockedGate, ...]:
    """Every gate of a tree as a lock keeps it."""
    return tuple(LockedGate(id=gate.id, words=words_of(gate, tree)) for gate in tree.gates)


def check_lock(lock: GateLock, tree: GateTree) -> tuple[GateChange, ...]:
    """How the gates of a tree differ from those a lock accepts; empty if they do not."""
    before, after = ({gate.id: gate.words for gate in gates} for gates in (lock.accepted, locked_gates(tree)))
    changes: list[GateChange] = []
    for id in dict.fromkeys((*before, *after)):
        was, now = before.get(id), after.get(id)
        if was is None:
            changes.append(GateChange(id=id, kind="added", now=now or ()))
        elif now is None:
            changes.append(GateChange(id=id, kind="removed", was=was))
        elif was != now:
            gone, new = (tuple(line for line in one if line not in other) for one, other in ((was, now), (now, was)))
            changes.append(GateChange(id=id, kind="changed", was=gone or was, now=new or now))
    return tuple(changes)


def chain_digest(lock: GateLock, entries: Iterable[LogEntry], entry: LogEntry) -> str:
    """The digest that `entry` must have after `entries` of a lock."""
    last = lock.sha256
    for earlier in entries:
        last = earlier.sha256
    gates = [(gate.id, gate.sha256) for gate in entry.gates]
    return digest_of((last, entry.reason, entry.changes, entry.gatingml_sha256, gates))


def digest_of(value: object) -> str:
    """SHA-256 of a value of plain texts and numbers, as JSON."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
