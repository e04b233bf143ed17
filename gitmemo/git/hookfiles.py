"""gitmemo's hooks as files: where they go, and what was there before.

Not what the hooks do (`gitmemo.hooks`). Invariant: a hook that is not ours is
never lost: it is kept beside ours, runs first, and comes back on uninstalling.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gitmemo.errors import HookRefused
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout

HOOKS = ("pre-commit", "post-commit")
KEPT_SUFFIX = ".before-gitmemo"
_MARK = b"# gitmemo-hook "
_MARK_WITHIN_BYTES = 200
_EXECUTABLE = 0o755


class HookAction(StrEnum):
    """What happens to one hook file."""

    WRITE = "installed"
    UPDATE = "updated"
    CHAIN = "installed; the present one is kept and runs first"
    LEAVE = "unchanged"
    REMOVE = "removed"
    RESTORE = "the earlier one is back"


@dataclass(frozen=True, slots=True)
class HookStep:
    """What to do with one hook.

    Attributes:
        path: The hook file.
        action: What happens to it.
        content: What it will hold; empty if it is removed.
    """

    path: Path
    action: HookAction
    content: str = ""

    @property
    def kept(self) -> Path:
        """Where an earlier hook is kept."""
        return self.path.with_name(self.path.name + KEPT_SUFFIX)

    def __str__(self) -> str:
        return f"{self.path}: {self.action.value}"


@dataclass(frozen=True, slots=True)
class HookPlan:
    """What installing or uninstalling would do.

    Attributes:
        folder: Where git looks for hooks.
        steps: One for each hook that gitmemo has.
    """

    folder: Path
    steps: tuple[HookStep, ...]


def hooks_folder(layout: Layout) -> Path:
    """Return where git looks for hooks: `core.hooksPath`, or the shared `hooks` folder."""
    answer = Git(layout.root).run("rev-parse", "--git-path", "hooks")
    return Path(os.path.normpath(layout.root / answer))


def plan_install(layout: Layout, python: str | None = None) -> HookPlan:
    """Decide how to install the hooks.

    Args:
        layout: Which repository.
        python: The interpreter that the hooks start; by default this one.

    Raises:
        HookRefused: The place is shared with other repositories, belongs to
            another tool, or already holds two hooks for one event.
    """
    folder = hooks_folder(layout)
    python = python or sys.executable
    _refuse_foreign(layout, folder, python)
    steps = tuple(_install_step(folder / name, name, python) for name in HOOKS)
    return HookPlan(folder, steps)


def install(plan: HookPlan) -> None:
    """Do what `plan_install` decided. Safe to repeat."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    for step in plan.steps:
        if step.action is HookAction.CHAIN:
            step.path.rename(step.kept)
        if step.action is not HookAction.LEAVE:
            _write(step.path, step.content)


def plan_uninstall(layout: Layout) -> HookPlan:
    """Decide how to remove the hooks; those that are not ours stay."""
    folder = hooks_folder(layout)
    return HookPlan(folder, tuple(_uninstall_step(folder / name) for name in HOOKS))


def uninstall(plan: HookPlan) -> None:
    """Do what `plan_uninstall` decided. Safe to repeat."""
    for step in plan.steps:
        if step.action is HookAction.RESTORE:
            step.kept.replace(step.path)
        elif step.action is HookAction.REMOVE:
            step.path.unlink(missing_ok=True)


def is_installed(layout: Layout) -> bool:
    """Return whether every hook of ours is in place."""
    folder = hooks_folder(layout)
    return all(_is_ours(folder / name) for name in HOOKS)


def hook_text(name: str, python: str) -> str:
    """Return the hook `name` as it is installed."""
    return _template(name).replace("@PYTHON@", shlex.quote(python))


def _template(name: str) -> str:
    package = Path(__file__).parents[1]
    # In a wheel the templates are inside the package, in a checkout beside it.
    for folder in (package / "_hooks", package.parent / "hooks"):
        if (folder / name).is_file():
            return (folder / name).read_text("utf-8")
    raise FileNotFoundError(f"the {name} template is missing from the installation of gitmemo")


def _refuse_foreign(layout: Layout, folder: Path, python: str) -> None:
    lines = "\n".join(
        f"    in {name}:  {shlex.quote(python)} -P -m gitmemo hook run {name}" for name in HOOKS
    )
    real = folder.resolve()
    inside = any(real.is_relative_to(place.resolve()) for place in (layout.root, layout.common_dir))
    if not inside:
        reason = "core.hooksPath is outside this repository, so other repositories may use it too"
        raise HookRefused(str(folder), reason, lines)
    if folder.name == "_" and folder.parent.name == ".husky":
        raise HookRefused(str(folder), "husky writes this folder anew", lines)


def _install_step(path: Path, name: str, python: str) -> HookStep:
    content = hook_text(name, python)
    if not os.path.lexists(path):
        return HookStep(path, HookAction.WRITE, content)
    if _is_ours(path):
        same = path.read_bytes() == content.encode() and os.access(path, os.X_OK)
        return HookStep(path, HookAction.LEAVE if same else HookAction.UPDATE, content)
    step = HookStep(path, HookAction.CHAIN, content)
    if os.path.lexists(step.kept):
        line = f"    {shlex.quote(python)} -P -m gitmemo hook run {name}"
        reason = f"both {path.name} and {step.kept.name} are there, and neither may be lost"
        raise HookRefused(str(path.parent), reason, line)
    return step


def _uninstall_step(path: Path) -> HookStep:
    step = HookStep(path, HookAction.LEAVE)
    if os.path.lexists(path) and not _is_ours(path):
        return step
    if os.path.lexists(step.kept):
        return HookStep(path, HookAction.RESTORE)
    return HookStep(path, HookAction.REMOVE) if os.path.lexists(path) else step


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _MARK in file.read(_MARK_WITHIN_BYTES)
    except OSError:
        return False


def _write(path: Path, content: str) -> None:
    # In one step: a commit may be running.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
        temporary.chmod(_EXECUTABLE)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
