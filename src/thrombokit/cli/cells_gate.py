"""`thrombokit cells gate`: which events of an FCS file lie in which gate, and how many."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

import thrombokit as tk
from thrombokit.cli.output import Json, Quiet, Workers, exit_codes, log, print_json, say
from thrombokit.cli.progress import progress_bar
from thrombokit.errors import Fault, InputError


def gate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.fcs...", help="One FCS file, or several with --counts.")],
    gates: Annotated[
        Path, typer.Option(metavar="GATES.xml", help="Gating-ML 2.0 file, or a FlowJo workspace (.wsp; extra flowjo).")
    ],
    out: Annotated[Path | None, typer.Option(help="Write 0 or 1 for each event and gate as CSV, TSV or Parquet; one file.")] = None,
    counts: Annotated[Path | None, typer.Option(help="Write the counts as JSON, CSV, TSV or Parquet.")] = None,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.9999, help="Confidence of the intervals of the shares.")] = 0.95,
    lock: Annotated[Path | None, typer.Option(help="Gate lock: gates that differ from it are refused.")] = None,
    log_change: Annotated[str | None, typer.Option(metavar="REASON", help="Accept gates that differ, and log why.")] = None,
    workers: Workers = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Apply gates: membership of every event, counts, and % of parent with its interval (counting within one tube)."""
    with exit_codes(as_json=json):
        _refuse_contradictions(files, out, lock, log_change)
        tree = _gates(gates, files)
        for note in tree.notes:
            log(f"note: {note}", quiet=quiet)
        changed = _locked(lock, tree, log_change, gates.name)
        if out is not None:
            sample = tk.read_fcs(files[0])
            members = tk.apply_gates(sample, tree)
            found = (tk.gated_file(sample, members, tree, confidence=confidence),)
        else:
            members = {}
            with progress_bar("files", quiet=quiet) as progress:
                found = tk.gate_files(files, tree, confidence=confidence, engine=tk.make_engine(workers), progress=progress)
        if changed is not None and lock is not None:
            tk.write_gate_lock(changed, lock, replace=True)
            log(f"{len(changed.log[-1].changes)} change(s) logged in {lock.name}", quiet=quiet)
        if out is not None:
            tk.write_table(tk.membership_table(members), out)
        document = {
            **tk.gated_document(found, tree, confidence=confidence),
            "gatingml_sha256": None if _is_workspace(gates) else tk.gatingml_sha256(tree), "lock": lock.name if lock else None,
        }  # fmt: skip
        _tell(found, tree, document, counts, out, as_json=json, quiet=quiet)


def _is_workspace(gates: Path) -> bool:
    return gates.suffix.lower() == ".wsp"


def _gates(gates: Path, files: list[Path]) -> Any:
    """Gating-ML, or the gates that a FlowJo workspace has for the file (for all of its samples, with several files)."""
    if not _is_workspace(gates):
        return tk.read_gatingml(gates)
    named = files[0].name if len(files) == 1 and files[0].name in tk.flowjo_samples(gates) else None
    return tk.read_flowjo(gates, sample_name=named)


def _refuse_contradictions(files: list[Path], out: Path | None, lock: Path | None, log_change: str | None) -> None:
    if out is not None and len(files) > 1:
        raise InputError(
            Fault(place="--out", found=f"{len(files)} FCS files", expected="one, as a row stands for an event of it",
                  cure="Gate them one by one, or ask for --counts.")
        )  # fmt: skip
    if log_change is not None and lock is None:
        raise InputError(
            Fault(place="--log-change", found="no --lock", expected="the lock whose log is meant", cure="Add --lock LOCK.json.")
        )


def _locked(lock: Path | None, tree: Any, reason: str | None, name: str) -> Any:
    """The lock with one more entry in its log, to be written when all went well; None where nothing changed."""
    if lock is None:
        return None
    held = tk.read_gate_lock(lock)
    if reason is None:
        tk.refuse_gate_changes(held, tree, place=name)
        return None
    changed = tk.log_gate_change(held, tree, reason=reason, when=datetime.now(UTC).isoformat(timespec="seconds"))
    return changed if changed != held else None


def _tell(
    found: Any, tree: Any, document: dict[str, Any], counts: Path | None, out: Path | None, *, as_json: bool, quiet: bool
) -> None:
    if counts is not None and counts.suffix.lower() == ".json":
        tk.write_json(document, counts)
    elif counts is not None:
        tk.write_table(tk.population_table(found, confidence=document["confidence"]), counts)
    for one in found:
        for note in one.notes:
            log(f"note: {one.file}: {note}", quiet=quiet)
    if as_json:
        print_json(document)
    elif counts is None and out is None:
        for one in found:
            say(f"{one.file}: {one.n_events} events")
            for count in one.counts:
                say("  " + count.sentence())
    else:
        log(f"{len(found)} file(s), {len(tree.population_ids)} populations", quiet=quiet)
