"""Put the medians of the frozen sets into the shipped model files and their documentation, or check that they stand there.

`python tools/model_medians.py` writes; with `--check` it writes nothing, and ends with 1 where a file is stale. `tools/calibrate.py` writes them
after every freeze.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from thrombokit.agonists.parameter_sets import load_parameter_set, shipped_parameter_sets
from thrombokit.domain.parameter_set import ParameterSet
from thrombokit.patients.calibration.model_medians import Kind, ModelMedian, model_medians

ROOT = Path(__file__).resolve().parents[1]
MODELS, DOCUMENT = "src/thrombokit/agonists/models", "docs/explanation/patient-models.md"


def main() -> int:
    """Write or check; the files that change are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where a file is stale")
    asked = parser.parse_args()
    shipped = [load_parameter_set(name) for name in shipped_parameter_sets()]
    stale = write_medians(medians_of(shipped), write=not asked.check)
    for path in stale:
        print(f"{path}: {'stale' if asked.check else 'written'}")
    return 1 if asked.check and stale else 0


def medians_of(sets: Iterable[ParameterSet]) -> dict[str, tuple[ModelMedian, ...]]:
    """Model -> its medians, of every posterior set that names a model, by name."""
    of: dict[str, list[ParameterSet]] = {}
    for one in sorted(sets, key=lambda one: one.name):
        if one.kind == "posterior" and one.model:
            of.setdefault(one.model, []).append(one)
    return {model: model_medians(found) for model, found in of.items()}


def write_medians(medians: Mapping[str, tuple[ModelMedian, ...]], *, write: bool = True) -> list[str]:
    """Files that differ from what they should hold, relative to the repository; written unless told not to."""
    document = (ROOT / DOCUMENT).read_text(encoding="utf-8")
    texts = {DOCUMENT: document}
    for model, values in medians.items():
        file = f"{MODELS}/{model}.toml"
        texts[file] = with_medians((ROOT / file).read_text(encoding="utf-8"), values, file=file)
        texts[DOCUMENT] = documented(texts[DOCUMENT], model, values)
    stale = [file for file, text in texts.items() if (ROOT / file).read_text(encoding="utf-8") != text]
    for file in stale if write else ():
        (ROOT / file).write_text(texts[file], encoding="utf-8")
    return stale


def with_medians(text: str, values: tuple[ModelMedian, ...], *, file: str) -> str:
    """A model file with its calibrated lines renewed; every other line stays."""
    for one in values:
        if one.kind is Kind.THETA:
            pattern = rf'^{one.name} = \{{value = [^,]+, unit = ("[^"]*"), .*\}}$'
            line = rf'{one.name} = {{value = {one.value:g}, unit = \1, tier = "calibrated", source = "{one.source}"}}'
        elif one.kind is Kind.OMEGA:
            pattern = rf'^  \{{names = \["{one.name}"\], matrix = .*\}},$'
            line = f'  {{names = ["{one.name}"], matrix = [[{one.value:g}]], tier = "calibrated", source = "{one.source}"}},'
        else:
            pattern = rf'^  \{{name = "{one.name}", shares = \[[^\]]*\], labels = (\[[^\]]*\]), .*\}},$'
            shares = f"{one.value:g}, {round(1.0 - one.value, 6):g}"
            line = rf'  {{name = "{one.name}", shares = [{shares}], labels = \1, tier = "calibrated", source = "{one.source}"}},'
        text, found = re.subn(pattern, line, text, flags=re.MULTILINE)
        if found != 1:
            raise SystemExit(f"{file}: {found} lines for {one.kind} {one.name}, expected one; write it on a line of its own.")
    return text


def documented(text: str, model: str, values: tuple[ModelMedian, ...]) -> str:
    """The table of one model with its calibrated rows renewed."""
    begin = text.index(f"### {model}\n")
    end = text.find("\n### ", begin + 1)
    section = text[begin:] if end < 0 else text[begin:end]
    new = section
    for one in values:
        if one.kind is Kind.THETA:
            row = rf"| `{one.name}` | {one.value:g} | \1 | calibrated | {one.source} |"
            new, found = re.subn(rf"^\| `{one.name}` \| [^|]+ \| ([^|]+) \| .*\|$", row, new, flags=re.MULTILINE)
            if found != 1:
                raise SystemExit(f"{DOCUMENT}: {found} rows for {one.name} of {model}, expected one.")
    return text.replace(section, new)


if __name__ == "__main__":
    sys.exit(main())
