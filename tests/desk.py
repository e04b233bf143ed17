"""Notebooks that are executed by real kernels: as a whole, or cell by cell by somebody at a front end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driver import Clone, Done

NOTEBOOK = "analysis/first.ipynb"

WHOLE = """
import sys
import nbformat
from nbclient import NotebookClient
path, folder, out = sys.argv[1:]
notebook = nbformat.read(path, 4)
where = {"metadata": {"path": folder}}
NotebookClient(
    notebook, timeout=120, kernel_name="python3", allow_errors=True, resources=where
).execute()
nbformat.write(notebook, out)
"""
# Each cell is sent as a front end sends it, which answers what `input` asks: by failing.
SITTING = """
import json, sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3", cwd=sys.argv[2])
def asked(message):
    raise SystemExit("the kernel asked: " + message["content"]["prompt"])
shown = []
for cell in json.loads(sys.argv[1]):
    outputs = []
    def told(message):
        kept = ("stream", "display_data", "execute_result", "error")
        if message["header"]["msg_type"] in kept:
            kind = {"output_type": message["header"]["msg_type"]}
            outputs.append({**kind, **message["content"]})
    client.execute_interactive(cell, allow_stdin=True, stdin_hook=asked, output_hook=told, timeout=60)
    shown.append(outputs)
client.stop_channels()
manager.shutdown_kernel(now=True)
print(json.dumps(shown))
"""


@dataclass(frozen=True)
class Shown:
    """What stands below a cell."""

    outputs: Sequence[Mapping[str, Any]]

    @property
    def text(self) -> str:
        """Everything as text, without colours."""
        parts: list[str] = []
        speaking: str | None = None
        for one in self.outputs:
            if "text" in one and one["name"] == speaking:  # a kernel sends what it has so far
                parts[-1] += _joined(one["text"])
                continue
            speaking = one.get("name")
            text = one.get("text") or one.get("data", {}).get("text/plain", "")
            parts.append(_joined(text))
            if one["output_type"] == "error":
                parts += [f"{one['ename']}: {one['evalue']}", *one["traceback"]]
        return "\n".join(part for part in parts if part).strip()

    @property
    def kinds(self) -> set[str]:
        """The MIME types of what was displayed."""
        return {kind for one in self.outputs for kind in one.get("data", {})}


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


@dataclass
class Desk:
    """A clone with a notebook in it, and who executes that."""

    clone: Clone

    def write(
        self, *cells: str, path: str = NOTEBOOK, tags: Mapping[int, str] | None = None
    ) -> None:
        """Write a notebook."""
        code = [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "source": cell,
                "outputs": [],
                "metadata": {"tags": [tags[number]]} if tags and number in tags else {},
                "execution_count": None,
            }
            for number, cell in enumerate(cells)
        ]
        kernel = {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        }
        notebook = {"cells": code, "nbformat": 4, "nbformat_minor": 5, "metadata": kernel}
        self.clone.write(path, json.dumps(notebook, indent=1))

    def whole(self, path: str = NOTEBOOK, **variables: str) -> list[Shown]:
        """Restart, and run all cells, as nbclient and nbconvert do."""
        out = self.clone.home / "out.ipynb"
        folder = (self.clone.root / path).parent
        self.python(WHOLE, path, str(folder), str(out), **variables)
        return shown_in(out)

    def sitting(self, *cells: str, session: str = NOTEBOOK) -> list[Shown]:
        """Run cells one by one in one kernel, as Jupyter does: it says which notebook it is."""
        said = {"JPY_SESSION_NAME": str(self.clone.root / session)} if session else {}
        done = self.python(SITTING, json.dumps(cells), str(self.clone.root), **said)
        return [Shown(outputs) for outputs in json.loads(done.out)]

    def python(self, program: str, *arguments: str, **variables: str) -> Done:
        """Run a program that starts kernels."""
        places = {"IPYTHONDIR": str(self.clone.home), "JUPYTER_PLATFORM_DIRS": "1"}
        return self.clone.python("-c", program, *arguments, **places, **variables)


def shown_in(path: Path) -> list[Shown]:
    """Return what stands below the code cells of a notebook."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [Shown(cell["outputs"]) for cell in cells if cell["cell_type"] == "code"]
