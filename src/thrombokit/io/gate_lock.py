"""Gate locks on disk, and the SHA-256 of gates as Gating-ML."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from thrombokit import __version__
from thrombokit.cells.gate_lock import GateLock, LockedGate, LogEntry, chain_digest, check_lock, locked_gates
from thrombokit.cells.gates import GateTree
from thrombokit.errors import Fault, FileFormatError, InputError
from thrombokit.io.gatingml_write import gatingml_bytes
from thrombokit.io.whole_files import replace_file

SCHEMA = "thrombokit.gate_lock/1"
WHAT = "a gate lock, as written by thrombokit"
_CURE = "Restore the lock from a copy, or lock the gates again and say why."


def lock_gates(tree: GateTree, *, fitted_on: Iterable[str | Path] = ()) -> GateLock:
    """Lock gates: what is applied later is compared with them.

    Parameters
    ----------
    tree : GateTree
    fitted_on : paths
        The files of the controls that the gates were fitted on; their names and digests are kept.

    Raises
    ------
    InputError
        If the gates cannot be said in Gating-ML 2.0, or a file cannot be read; all faults at once.
    """
    faults: list[Fault] = []
    files: list[tuple[str, str]] = []
    for path in map(Path, fitted_on):
        try:
            with path.open("rb") as file:
                files.append((path.name, hashlib.file_digest(file, "sha256").hexdigest()))
        except OSError as error:
            faults.append(Fault(place=str(path), found=error.strerror or str(error), expected="a file the gates were fitted on",
                                cure="Check the path."))  # fmt: skip
    if faults:
        raise FileFormatError(faults)
    return GateLock(
        gates=locked_gates(tree), gatingml_sha256=gatingml_sha256(tree), fitted_on=tuple(files), thrombokit_version=__version__
    )


def gatingml_sha256(tree: GateTree) -> str:
    """SHA-256 of the gates as we write them in Gating-ML."""
    return hashlib.sha256(gatingml_bytes(tree)).hexdigest()


def refuse_gate_changes(lock: GateLock, tree: GateTree, *, place: str) -> None:
    """Raise an InputError that names each gate that is not as it was locked."""
    faults = [
        Fault(place=f"{place}, gate {change.id}", found=str(change), expected="the gate as it was locked",
              cure="Use the locked gates, or accept the change with a reason: --log-change REASON.")
        for change in check_lock(lock, tree)
    ]  # fmt: skip
    if faults:
        raise InputError(faults)


def log_gate_change(lock: GateLock, tree: GateTree, *, reason: str, when: str = "") -> GateLock:
    """The lock with one more entry in its log: from now on the gates of `tree` are accepted.

    Parameters
    ----------
    lock : GateLock
    tree : GateTree
    reason : str
        Why; not empty.
    when : str
        Date and time, as it shall be shown; it is in no digest.

    Returns
    -------
    GateLock
        The same lock if nothing changed.

    Raises
    ------
    InputError
        If there is no reason.
    """
    if not reason.strip():
        raise InputError(
            Fault(
                place="log of the gate lock",
                found="no reason",
                expected="a reason for the change",
                cure="Say why the gates changed.",
            )
        )
    changes = check_lock(lock, tree)
    if not changes:
        return lock
    entry = LogEntry(
        reason=reason.strip(), changes=tuple(str(change) for change in changes), gatingml_sha256=gatingml_sha256(tree),
        gates=locked_gates(tree), sha256="", when=when,
    )  # fmt: skip
    entry = dataclasses.replace(entry, sha256=chain_digest(lock, lock.log, entry))
    return dataclasses.replace(lock, log=(*lock.log, entry))


def lock_document(lock: GateLock) -> dict[str, Any]:
    """The lock as plain values for JSON."""
    return {
        "schema": SCHEMA, "log_sha256": lock.log_sha256,
        "locked": {
            "sha256": lock.sha256, "gatingml_sha256": lock.gatingml_sha256, "thrombokit_version": lock.thrombokit_version,
            "fitted_on": [{"file": name, "sha256": digest} for name, digest in lock.fitted_on], "gates": _gate_list(lock.gates),
        },
        "log": [
            {"when": e.when, "reason": e.reason, "changes": list(e.changes), "gatingml_sha256": e.gatingml_sha256, "sha256": e.sha256,
             "gates": _gate_list(e.gates)}
            for e in lock.log
        ],
    }  # fmt: skip


def write_gate_lock(lock: GateLock, path: str | Path, *, replace: bool = False) -> None:
    """Write a lock as JSON, in one step.

    Raises
    ------
    FileFormatError
        If it cannot be written, or a file is there and `replace` is false: a lock's log is not thrown away unasked.
    """
    path = Path(path)
    if path.exists() and not replace:
        cure = "Choose another name, or replace it on purpose (--replace)."
        raise _refused(path.name, "a file of that name", "none: the log of a lock is not thrown away unasked", cure)
    text = json.dumps(lock_document(lock), indent=1, ensure_ascii=False, allow_nan=False)
    replace_file(path, (text + "\n").encode("utf-8"))


def read_gate_lock(path: str | Path) -> GateLock:
    """Read a lock.

    Raises
    ------
    FileFormatError
        If it cannot be read, is of another form, or was altered: a digest is not that of what it stands for.
    """
    path = Path(path)
    try:
        document = json.loads(path.read_bytes())
        lock = _lock_from(document)
        digests = _digests(lock, document)
    except OSError as error:
        raise _refused(path.name, error.strerror or str(error), WHAT, "Check the path.") from None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        said = f"a file of another form ({type(error).__name__}: {str(error)[:80]})"
        raise _refused(path.name, said, f"{WHAT} ({SCHEMA})", "Choose the lock's file, or lock the gates again.") from None
    faults = [
        Fault(
            place=f"{path.name}, {where}",
            found=f"the digest {said[:12]}...",
            expected=f"{true[:12]}..., that of its content",
            cure=_CURE,
        )
        for where, said, true in digests
        if said != true
    ]
    if faults:
        raise FileFormatError(faults)
    return lock


def _gate_list(gates: tuple[LockedGate, ...]) -> list[dict[str, Any]]:
    return [{"id": gate.id, "sha256": gate.sha256, "words": list(gate.words)} for gate in gates]


def _lock_from(document: Any) -> GateLock:
    if document["schema"] != SCHEMA:
        raise ValueError(f"schema {document['schema']!r}")
    locked = document["locked"]
    log = tuple(
        LogEntry(
            reason=str(e["reason"]), changes=tuple(str(c) for c in e["changes"]), gatingml_sha256=str(e["gatingml_sha256"]),
            gates=_gates_from(e["gates"]), sha256=str(e["sha256"]), when=str(e["when"]),
        )
        for e in document["log"]
    )  # fmt: skip
    return GateLock(
        gates=_gates_from(locked["gates"]), gatingml_sha256=str(locked["gatingml_sha256"]), log=log,
        fitted_on=tuple((str(f["file"]), str(f["sha256"])) for f in locked["fitted_on"]),
        thrombokit_version=str(locked["thrombokit_version"]),
    )  # fmt: skip


def _gates_from(listed: Any) -> tuple[LockedGate, ...]:
    return tuple(LockedGate(id=str(gate["id"]), words=tuple(str(line) for line in gate["words"])) for gate in listed)


def _digests(lock: GateLock, document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Place, digest that stands in the file, digest that should."""
    found = [("locked", str(document["locked"]["sha256"]), lock.sha256), ("log", str(document["log_sha256"]), lock.log_sha256)]
    parts = [("locked", lock.gates, document["locked"])]
    for number, entry in enumerate(lock.log):
        found.append((f"log entry {number + 1}", entry.sha256, chain_digest(lock, lock.log[:number], entry)))
        parts.append((f"log entry {number + 1}", entry.gates, document["log"][number]))
    for where, gates, said in parts:
        found += [
            (f"{where}, gate {gate.id}", str(one.get("sha256")), gate.sha256)
            for gate, one in zip(gates, said["gates"], strict=True)
        ]
    return found


def _refused(place: str, found: str, expected: str, cure: str) -> FileFormatError:
    return FileFormatError(Fault(place=place, found=found, expected=expected, cure=cure))
