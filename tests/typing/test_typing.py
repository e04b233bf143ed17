"""Type checkers see what a decorated function takes and gives, and refuse what it does not take."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent / "typed_ops.py"
ROOT = Path(__file__).parents[2]


def test_mypy_understands_ops(tmp_path: Path) -> None:
    """Strict mode also fails for an ignored error that is none, so the refusals are checked too."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, PROGRAM],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_pyright_understands_ops(tmp_path: Path) -> None:
    (tmp_path / PROGRAM.name).write_text(PROGRAM.read_text())
    settings = tmp_path / "pyrightconfig.json"
    # Without `type: ignore`, every refusal must be an error, and there must be no other.
    settings.write_text(
        json.dumps(
            {
                "include": ["."],
                "extraPaths": [str(ROOT)],
                "enableTypeIgnoreComments": False,
                "pythonVersion": "3.11",
            }
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--project", settings],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    lines = PROGRAM.read_text().splitlines()
    expected = [number for number, line in enumerate(lines) if "# type: ignore" in line]
    errors = [d for d in found if d["severity"] == "error"]
    assert sorted({d["range"]["start"]["line"] for d in errors}) == expected, done.stdout
