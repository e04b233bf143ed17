"""The shell text of gitmemo's hooks: what is written, and what an installed one says of itself.

Not where hooks are put (`hookfiles`). Invariant: a text is a function of the
hook's name and the interpreter, and what it was made of can be read back.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

VERSION = 2
"""Grows when the text changes, so that `gitmemo hook status` can tell older hooks."""

SUMMARIES = {
    "pre-commit": "Asks about changed functions, and puts finished calls into the commit.",
    "pre-merge-commit": "Asks about functions that a merge changes; takes no calls along.",
    "post-commit": "Completes a commit that carries results: the work tree, the journal.",
    "post-checkout": "Says how many values of the results checked out are not on this machine.",
    "post-merge": "Says how many values of the results merged are not on this machine.",
    "post-rewrite": "Completes an amended or rebased commit that carries results.",
    "pre-push": "Says which calls and values nobody else can see yet; sends nothing, stops nothing.",
}
HOOKS = tuple(SUMMARIES)
_MARK = "# gitmemo-hook "
_READ_BYTES = 65536
_FRAMEWORK = "https://pre-commit.com"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a hook file says of itself.

    Attributes:
        version: With which `VERSION` it was made.
        hook: Its name.
        python: The interpreter that it starts.
    """

    version: int
    hook: str
    python: str


def hook_text(name: str, python: str) -> str:
    """Return the hook `name` as it is installed."""
    text = _template()
    for word, value in (
        ("@VERSION@", str(VERSION)),
        ("@HOOK@", name),
        ("@SUMMARY@", SUMMARIES[name]),
        ("@PYTHON@", shlex.quote(python)),
    ):
        text = text.replace(word, value)
    return text


def read_mark(path: Path) -> Mark | None:
    """Return what the hook file at `path` says of itself, None if it is not one of ours."""
    lines = _text(path).splitlines()
    marked = next((line for line in lines[:5] if line.startswith(_MARK)), "")
    version, _, hook = marked.removeprefix(_MARK).partition(": ")
    if not version.isdigit():
        return None
    said = next((line for line in lines if line.startswith("PYTHON=")), "")
    words = _split(said.removeprefix("PYTHON="))
    return Mark(int(version), hook, words[0] if words else "")


def is_framework(path: Path) -> bool:
    """Whether the file is a hook of the pre-commit framework, which runs what it calls legacy first."""
    return _FRAMEWORK in _text(path)[:1000]


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_READ_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # somebody edited it
        return []


def _template() -> str:
    package = Path(__file__).parents[1]
    # In a wheel the template is inside the package, in a checkout beside it.
    for folder in (package / "_hooks", package.parent / "hooks"):
        if (folder / "hook.sh").is_file():
            return (folder / "hook.sh").read_text("utf-8")
    raise FileNotFoundError("hook.sh is missing from the installation of gitmemo")
