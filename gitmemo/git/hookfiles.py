"""gitmemo's hooks as files: where they go, and what was there before.

Not what the hooks do (`gitmemo.commits.hook`), nor their text (`hooktexts`).
Invariant: a hook that is not ours is never lost: it is kept beside ours, runs
first, and comes back on uninstalling, byte for byte.
"""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gitmemo.errors import HookRefused, NotInRepository
from gitmemo.git.cli import Git
from gitmemo.git.hooktexts import HOOKS, VERSION, hook_text, is_framework, read_mark
from gitmemo.git.repository import Layout

KEPT_SUFFIX = ".before-gitmemo"
LEGACY_SUFFIX = ".legacy"
"""How the pre-commit framework names a hook that it found, and runs before its own."""
_NEEDED = ("pre-commit", "post-commit")  # without these, calls do not get into commits
_EXECUTABLE = 0o755


class HookAction(StrEnum):
    """What happens to one hook file."""

    WRITE = "installed"
    UPDATE = "updated"
    CHAIN = "installed; the present one is kept and runs first"
    LEAVE = "unchanged"
    REMOVE = "removed"
    RESTORE = "the earlier one is back"


class HookState(StrEnum):
    """How one hook is."""

    CURRENT = "installed"
    OLDER = "from an older gitmemo"
    NEWER = "from a newer gitmemo"
    GONE = "its Python is gone"
    BY_HAND = "called from a hook that is not ours"
    MISSING = "not installed"


SOUND = frozenset((HookState.CURRENT, HookState.NEWER, HookState.BY_HAND))
"""States in which a hook does what it is for."""


@dataclass(frozen=True, slots=True)
class HookStep:
    """What to do with one hook.

    Attributes:
        name: Which hook.
        path: The file that is ours, or will be.
        action: What happens to it.
        content: What it will hold; empty if it is removed.
        drops_kept: Whether the one that is kept is a copy that nobody needs any more.
    """

    name: str
    path: Path
    action: HookAction
    content: str = ""
    drops_kept: bool = False

    @property
    def kept(self) -> Path:
        """Where an earlier hook is kept."""
        return _kept(self.path.parent, self.name)

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


@dataclass(frozen=True, slots=True)
class HookFound:
    """One hook as it is.

    Attributes:
        name: Which hook.
        path: The file that is ours, or where it would be.
        state: How it is.
        python: The interpreter that it starts; empty if it is not ours.
        earlier: The hook that was there before and runs first, if there is one.
    """

    name: str
    path: Path
    state: HookState
    python: str = ""
    earlier: Path | None = None


def hooks_folder(layout: Layout) -> Path:
    """Return where git looks for hooks: `core.hooksPath`, or the shared `hooks` folder."""
    if layout.hooks_dir is not None:
        return layout.hooks_dir
    answer = Git(layout.root).run("rev-parse", "--git-path", "hooks")
    return Path(os.path.normpath(layout.root / answer))


def plan_install(layout: Layout, python: str | None = None) -> HookPlan:
    """Decide how to install the hooks.

    Args:
        layout: Which repository.
        python: The interpreter that the hooks start; by default this one.

    Raises:
        NotInRepository: There is no work tree, so nobody commits here.
        HookRefused: The place is shared with other repositories, belongs to
            another tool, or already holds two hooks for one event.
    """
    if layout.bare:
        raise NotInRepository(str(layout.root))
    folder = hooks_folder(layout)
    python = python or sys.executable
    _refuse_foreign(layout, folder, python)
    return HookPlan(folder, tuple(_install_step(folder, name, python) for name in HOOKS))


def install(plan: HookPlan) -> None:
    """Do what `plan_install` decided. Safe to repeat."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    for step in plan.steps:
        if step.action is HookAction.CHAIN:
            step.path.replace(step.kept)
        if step.action is not HookAction.LEAVE:
            _write(step.path, step.content)


def plan_uninstall(layout: Layout) -> HookPlan:
    """Decide how to remove the hooks; those that are not ours stay."""
    folder = hooks_folder(layout)
    found = [step for name in HOOKS for step in _uninstall_steps(folder, name)]
    return HookPlan(folder, tuple(found))


def uninstall(plan: HookPlan) -> None:
    """Do what `plan_uninstall` decided. Safe to repeat."""
    for step in plan.steps:
        if step.action is HookAction.RESTORE:
            step.kept.replace(step.path)
        elif step.action is HookAction.REMOVE:
            step.path.unlink(missing_ok=True)
        if step.drops_kept:
            step.kept.unlink(missing_ok=True)


def is_installed(layout: Layout) -> bool:
    """Return whether the hooks that take calls into commits are in place, however they got there."""
    folder = hooks_folder(layout)
    return all(_inspect(folder, name).state is not HookState.MISSING for name in _NEEDED)


def inspect(layout: Layout) -> list[HookFound]:
    """Return how each hook is."""
    folder = hooks_folder(layout)
    return [_inspect(folder, name) for name in HOOKS]


def _inspect(folder: Path, name: str) -> HookFound:
    path = _place(folder, name)
    mark = read_mark(path)
    if mark is None:
        state = HookState.BY_HAND if _calls_us(path, name) else HookState.MISSING
        return HookFound(name, path, state)
    kept = _kept(folder, name)
    return HookFound(
        name, path, _state(mark.version, mark.python), mark.python, kept if kept.exists() else None
    )


def _state(version: int, python: str) -> HookState:
    if not os.access(python, os.X_OK):
        return HookState.GONE
    if version == VERSION:
        return HookState.CURRENT
    return HookState.OLDER if version < VERSION else HookState.NEWER


def _refuse_foreign(layout: Layout, folder: Path, python: str) -> None:
    lines = "\n".join(f"    in {name}:  {_line(name, python)}" for name in HOOKS)
    real = folder.resolve()
    inside = any(real.is_relative_to(place.resolve()) for place in (layout.root, layout.common_dir))
    if not inside:
        reason = "core.hooksPath is outside this repository, so other repositories may use it too"
        raise HookRefused(str(folder), reason, lines)
    if folder.name == "_" and folder.parent.name == ".husky":
        above = "husky writes this folder anew; its own hooks are in the folder above"
        raise HookRefused(str(folder), above, lines)


def _line(name: str, python: str) -> str:
    # Other repositories use the folder too, and the Python may go: neither must stop a commit.
    program = shlex.quote(python)
    there = f'[ "${{GITMEMO_SKIP-}}" = 1 ] || [ ! -f .gitmemo/config.toml ] || [ ! -x {program} ]'
    run = f'{program} -P -m gitmemo hook run {name} "$@"'
    may_stop = name in ("pre-commit", "pre-merge-commit")
    return f"{there} || {run} || " + ("case $? in 3 | 130) exit 1 ;; esac" if may_stop else ":")


def _install_step(folder: Path, name: str, python: str) -> HookStep:
    path, content = _place(folder, name), hook_text(name, python)
    if not os.path.lexists(path):
        return HookStep(name, path, HookAction.WRITE, content)
    if read_mark(path):
        same = path.read_bytes() == content.encode() and os.access(path, os.X_OK)
        return HookStep(name, path, HookAction.LEAVE if same else HookAction.UPDATE, content)
    if _calls_us(path, name):
        return HookStep(name, path, HookAction.LEAVE, content)
    step = HookStep(name, path, HookAction.CHAIN, content)
    # The framework makes its hook anew at each installation: the older copy is worth nothing.
    if os.path.lexists(step.kept) and not (is_framework(step.kept) and is_framework(path)):
        reason = f"both {path.name} and {step.kept.name} are there, and neither may be lost"
        raise HookRefused(str(folder), reason, f"    {_line(name, python)}")
    return step


def _uninstall_steps(folder: Path, name: str) -> list[HookStep]:
    path, legacy, kept = folder / name, _legacy(folder, name), _kept(folder, name)
    steps: list[HookStep] = []
    is_kept = os.path.lexists(kept)
    if read_mark(path):
        action = HookAction.RESTORE if is_kept else HookAction.REMOVE
        steps.append(HookStep(name, path, action))
        is_kept = False
    if read_mark(legacy):
        # What we kept was the framework's own hook; as its legacy it would run inside itself.
        is_copy = is_kept and is_framework(kept) and is_framework(path)
        action = HookAction.RESTORE if is_kept and not is_copy else HookAction.REMOVE
        steps.append(HookStep(name, legacy, action, drops_kept=is_copy))
    return steps or [HookStep(name, path, HookAction.LEAVE)]


def _place(folder: Path, name: str) -> Path:
    """Return where our hook is or should be: the framework moves it aside, and runs it from there."""
    path, legacy = folder / name, _legacy(folder, name)
    return legacy if is_framework(path) and read_mark(legacy) else path


def _kept(folder: Path, name: str) -> Path:
    return folder / f"{name}{KEPT_SUFFIX}"


def _legacy(folder: Path, name: str) -> Path:
    return folder / f"{name}{LEGACY_SUFFIX}"


def _calls_us(path: Path, name: str) -> bool:
    try:
        return f"gitmemo hook run {name}".encode() in path.read_bytes()
    except OSError:
        return False


def _write(path: Path, content: str) -> None:
    import tempfile  # looking whether hooks are installed writes none

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
