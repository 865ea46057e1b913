"""The study file as it may be shown to others: operators' codes only where allowed, and no absolute path."""

from __future__ import annotations

import re

HIDDEN = '"(not shown)"'

_TEXT = r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\''
_OPERATOR = re.compile(rf"(\boperator[\"']?[ \t]*=[ \t]*)({_TEXT}|[^,}}\]\s#]+)")
_QUOTED = re.compile(_TEXT)
_ABSOLUTE = re.compile(r"^(?:~[^/\\]*[/\\]|/|[A-Za-z]:(?:\\\\|[\\/])|\\\\|file://)")


def shareable_study_text(text: str, *, show_operator: bool) -> str:
    """`text` of a study.toml for the report.

    Values of `operator` are replaced unless `show_operator`; a quoted absolute path keeps its last part only ("…/plate1.csv"),
    because the folders above it name machines and people.
    """
    shown = text if show_operator else _OPERATOR.sub(lambda found: found.group(1) + HIDDEN, text)
    return _QUOTED.sub(_without_folders, shown)


def _without_folders(found: re.Match[str]) -> str:
    quoted = found.group(0)
    quote = quoted[:3] if quoted[:3] in ('"""', "'''") else quoted[0]
    inner = quoted[len(quote) : -len(quote)]
    if "\n" in inner or not _ABSOLUTE.match(inner):
        return quoted
    last = re.split(r"[/\\]+", inner.rstrip("/\\"))[-1]
    return f"{quote}…/{last}{quote}"
