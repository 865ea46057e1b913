"""Run a command and measure all its processes together (Linux): wall time, CPU time and the largest sum of resident memory."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What a command took: seconds of wall and CPU time, bytes of memory (resident, summed over its processes, shared pages twice)."""

    wall_s: float
    cpu_s: float
    largest_rss_bytes: int


def measure(command: list[str], *, environment: dict[str, str] | None = None) -> Measured:
    """Run `command` to its end; an exit code other than 0 is an error."""
    before, start = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, env=environment)
    largest = 0
    while process.poll() is None:
        largest = max(largest, _resident_bytes(process.pid))
        time.sleep(_LOOK_EVERY_S)
    wall, after = time.perf_counter() - start, getrusage(RUSAGE_CHILDREN)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Measured(wall_s=wall, cpu_s=cpu, largest_rss_bytes=largest)


def _resident_bytes(root: int) -> int:
    """Resident memory of a process and its descendants."""
    parent: dict[int, int] = {}
    resident: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            lines = (folder / "status").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:  # ended meanwhile
            continue
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        parent[int(folder.name)] = int(fields["PPid"])
        resident[int(folder.name)] = 1024 * int(fields.get("VmRSS", "0 kB").split()[0])
    family, grown = {root}, True
    while grown:
        more = {pid for pid, above in parent.items() if above in family} - family
        grown = bool(more)
        family |= more
    return sum(resident.get(pid, 0) for pid in family)
