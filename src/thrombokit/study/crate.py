"""RO-Crate: the output folder described so that an archive can find its way in it (https://w3id.org/ro/crate/1.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from thrombokit.study.result import StudyResult
from thrombokit.study.saved import json_text

_MEDIA_TYPES = {
    ".html": "text/html", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".json": "application/json",
    ".csv": "text/csv", ".parquet": "application/vnd.apache.parquet",
}  # fmt: skip
_ENTRY = "ro-crate-metadata.json"


def write_crate(result: StudyResult, out: Path, files: Sequence[Path], *, published: str) -> Path:
    """Describe `files`, which lie below `out`, in ro-crate-metadata.json; `published` is an ISO date."""
    parts = [
        {
            "@id": path.relative_to(out).as_posix(), "@type": "File", "name": path.name, "contentSize": str(path.stat().st_size),
            "encodingFormat": _MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    ]  # fmt: skip
    root = {
        "@id": "./", "@type": "Dataset", "name": result.title, "datePublished": published,
        "description": "Results of a thrombokit study. Research use only. Not for diagnosis or treatment."
        + (" Synthetic data." if result.synthetic else ""),
        "license": "Not stated by the study.", "hasPart": [{"@id": part["@id"]} for part in parts],
    }  # fmt: skip
    about = {"@id": _ENTRY, "@type": "CreativeWork", "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}, "about": {"@id": "./"}}
    path = out / _ENTRY
    graph = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [about, root, *parts]}
    path.write_text(json_text(graph), encoding="utf-8", newline="\n")
    return path
