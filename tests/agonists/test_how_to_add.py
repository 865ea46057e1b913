"""The how-to on adding an agonist: its files load and its example runs as printed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from thrombokit.agonists.library import model_path, rule_path

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "add-an-agonist.md"


def test_how_to_runs_as_printed(tmp_path: Path) -> None:
    text = HOW_TO.read_text(encoding="utf-8")
    (agonist,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "mine.toml").write_text(agonist, encoding="utf-8")
    shutil.copy(model_path("eltrombopag-itp"), tmp_path / "mine-itp.toml")
    shutil.copy(rule_path("eltrombopag-us"), tmp_path / "mine-rule.toml")
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "50 into depot every 24 h" in done.stdout
