"""The Python examples of these documents run, from top to bottom, as one program each."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
DOCUMENTS = [
    name
    for name in ("values.md", "ops.md", "parallel.md", "queries.md", "patterns.md", "moving.md")
    if (DOCS / name).is_file()
]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(not DOCUMENTS, reason="the documents are not beside the tests")


def program(text: str) -> str:
    """Return the examples as one program, each on the line where the document has it."""
    lines = [""] * (text.count("\n") + 1)
    for block in _BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1))
        code = block[1].splitlines()
        lines[first : first + len(code)] = code
    return "\n".join(lines)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_examples_run(document: str, tmp_path: Path) -> None:
    text = (DOCS / document).read_text("utf-8")
    assert _BLOCK.search(text), "no examples were found"
    script = tmp_path / f"{Path(document).stem}_examples.py"
    script.write_text(program(text), "utf-8")
    done = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
