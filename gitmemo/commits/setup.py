"""Setting gitmemo up in a repository, and taking its hooks out again.

Not what the hooks do. Invariant: setting up twice changes nothing, and nothing
that was there before is lost.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gitmemo.config import COMMITTED
from gitmemo.errors import NotInRepository
from gitmemo.git.checked_out import refuse_lost
from gitmemo.git.cli import Git
from gitmemo.git.diffs import explain_diffs, leave_diffs
from gitmemo.git.hookfiles import HookAction, install, plan_install, plan_uninstall, uninstall
from gitmemo.git.repository import Layout, locate
from gitmemo.plain_files import refuse_links, replace_file

_CONFIG = """\
# Settings of gitmemo, committed for everyone: no secrets, no commands.
format = 1

# What happens at a commit when code changed that stored results depend on:
# ask (at a terminal, else pending), pending, breaking, non-breaking, error.
on_change = "ask"
# The same in a running program, when a block begins; pending if it is not said.
# on_change_running = "ask"
"""
# `-text`: line ends must never be converted, segments are named by their bytes.
_ATTRIBUTES = "index/** -text linguist-generated diff=gitmemo\n"


def set_up(path: str | os.PathLike[str]) -> Iterator[str]:
    """Make `.gitmemo/` and install the hooks; yield a line about each thing done.

    Raises:
        NotInRepository: `path` is not in a git work tree.
        HookRefused: The hooks folder is not the repository's own.
        LinkInside: `.gitmemo`, or a file that belongs in it, is a symbolic link.
        NotCheckedOut: The settings were committed or staged, and are not in the work tree.
    """
    layout = locate(path)
    if layout.bare:
        raise NotInRepository(str(layout.root))
    files = ((COMMITTED, _CONFIG), (".gitmemo/.gitattributes", _ATTRIBUTES))
    for name, _ in files:
        refuse_links(layout.root, name)
    refuse_lost(layout, COMMITTED)
    for name, content in files:
        yield _write(layout.root, name, content)
    git = Git(layout.root)
    index = [".gitmemo/index"] if (layout.root / ".gitmemo/index").is_dir() else []
    git.run("add", "--", *(name for name, _ in files), *index)
    if git.run("diff", "--cached", "--name-only", "--", ".gitmemo"):
        yield "staged .gitmemo: commit it together with your code"
    yield from _install_hooks(layout)


def _write(root: Path, name: str, content: str) -> str:
    target = root / name
    found = target.read_text("utf-8") if target.exists() else None
    if found is not None and (content is _CONFIG or content in found):
        return f"kept {name}"
    if found is not None:  # of an older gitmemo; lines of other people stay
        kept = [line for line in found.splitlines() if not line.startswith("index/**")]
        content = "".join(f"{line}\n" for line in kept) + content
    replace_file(root, name, content.encode("utf-8"))
    return f"wrote {name}" if found is None else f"updated {name}"


def install_hooks(path: str | os.PathLike[str] = ".") -> Iterator[str]:
    """Install the hooks, for instance after Python moved; yield a line about each."""
    yield from _install_hooks(locate(path))


def remove_hooks(path: str | os.PathLike[str] = ".") -> Iterator[str]:
    """Remove gitmemo's hooks; yield a line about each."""
    layout = locate(path)
    plan = plan_uninstall(layout)
    uninstall(plan)
    leave_diffs(layout)
    for step in plan.steps:
        if step.action is not HookAction.LEAVE:
            yield f"{step.action.value}: {step.path}"


def _install_hooks(layout: Layout) -> Iterator[str]:
    plan = plan_install(layout)
    install(plan)
    for step in plan.steps:
        yield f"hook {step.path.name}: {step.action.value}"
    explain_diffs(layout)
