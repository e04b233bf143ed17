"""What a storage lets people say of the code behind its calls: what a change means, what is dropped.

Not how a change is found or recorded (`asking`), nor what dropping needs (`dropping`).
Invariant: what is said is recorded as facts, and counts at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gitmemo.errors import InvalidStorage
from gitmemo.memo import context
from gitmemo.memo.asking import Changes
from gitmemo.memo.caller import Caller
from gitmemo.memo.settings import policy_of
from gitmemo.model.facts import Verdict
from gitmemo.model.validity import Code
from gitmemo.setting_values import OnChange
from gitmemo.tracing import Project
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.dropping import DropPlan
    from gitmemo.memo.undecided import Undecided


class Deciding(ABC):
    """What can be said to a storage about versions of code."""

    world: World
    project: Project | None
    _code: Code
    _changes: Changes | None
    _caller: Caller
    _waits = False
    _is_unsettled = False

    @abstractmethod
    def _notice(self) -> None:
        """Take notice of what git, editors and other processes did."""

    def wait_for_policy(self) -> None:
        """Let the program that runs in the next block say itself what happens when code has changed.

        Changes are looked for when its own first block begins, or its first call is made.
        """
        self._waits = True

    def _begin(self, *, is_outermost: bool) -> None:
        """Take notice of what happened before a block."""
        context.refuse_if_defining()
        if is_outermost:
            self._notice()
        if self._waits:
            self._waits, self._is_unsettled = False, True
        elif is_outermost or self._is_unsettled:
            self._settle()

    def _settle(self) -> None:
        """Decide about what has changed, as the policy says."""
        if self._changes is not None:
            self._changes.settle()
        self._is_unsettled = False

    @property
    def on_change(self) -> OnChange:
        """What happens at the entry of a block when code that stored calls depend on has changed."""
        return self._changes.policy if self._changes else OnChange.PENDING

    @on_change.setter
    def on_change(self, chosen: str) -> None:
        self._changing("on_change").policy = policy_of(chosen, self.project)

    def decide(self, what: Callable[..., Any] | str, *, breaking: bool, why: str = "") -> None:
        """Say whether results made with older code of `what` are still to be used, at once.

        Args:
            what: A function, op or class, or the name of a component as it is shown.
            breaking: False if results stay valid, True if they do not.
            why: For those who read it later.

        Raises:
            NothingToDecide: It has not changed, or all is said.
            InvalidStorage: This storage does not version code.

        Examples:
            >>> import importlib
            >>> from pathlib import Path
            >>> _ = Path("lib.py").write_text("def double(x): return 2 * x")
            >>> import lib
            >>> storage = gm.Storage(deps_path=".", on_change="pending")
            >>> double = gm.op(lib.double)
            >>> with storage:
            ...     six = double(3)
            >>> _ = Path("lib.py").write_text("def double(x): return x + x")
            >>> lib = importlib.reload(lib)
            >>> double = gm.op(lib.double)
            >>> storage.decide("lib.py:double", breaking=False, why="the same, said otherwise")
            >>> with storage:
            ...     double.is_cached(3)
            True
        """
        changes = self._changing("decide")
        self._notice()
        changes.decide(what, Verdict.BREAKING if breaking else Verdict.NON_BREAKING, why)

    def undecided(self) -> Undecided:
        """Return the changes of code that nobody decided about: `.keep()` or `.recompute()` does.

        A notebook shows them, with buttons where ipywidgets is installed.

        Raises:
            InvalidStorage: This storage does not version code.

        Examples:
            >>> import importlib
            >>> from pathlib import Path
            >>> _ = Path("lib.py").write_text("def double(x): return 2 * x")
            >>> import lib
            >>> storage = gm.Storage(deps_path=".", on_change="pending")
            >>> double = gm.op(lib.double)
            >>> with storage:
            ...     six = double(3)
            >>> _ = Path("lib.py").write_text("def double(x): return x + x")
            >>> lib = importlib.reload(lib)
            >>> double = gm.op(lib.double)
            >>> storage.undecided().names
            ('lib.py:double',)
            >>> storage.undecided().recompute("not the same for text")
            >>> with storage:
            ...     double.is_cached(3)
            False
        """
        changes = self._changing("undecided")
        self._notice()
        return changes.undecided()

    def _changing(self, asked: str) -> Changes:
        if self._changes is None:
            raise InvalidStorage(
                f"{asked} is for storages that version code, and this one does not",
                "give it deps_path=, or use gitmemo.open() in a repository",
            )
        return self._changes

    def drop_version(
        self, version: str, *, keep_dependents: bool = False, dry_run: bool = False, why: str = ""
    ) -> DropPlan:
        """Drop the calls of a version, and the calls that used their results; return what went.

        `version` is the beginning of its content id or of its semantic id. `keep_dependents`
        keeps those whose inputs are stored. Nothing is deleted: `undo` of what is returned is what
        `gitmemo drop --undo` takes, and calls that are made again live.

        Raises:
            NothingToDrop: No call has such a version, or the beginning means several.
        """
        from gitmemo.memo.dropping import of_version, plan_drop

        self._notice()
        chosen = of_version(self.world, self._code, version)
        plan = plan_drop(self.world, self._code, chosen, keep_dependents=keep_dependents)
        if dry_run:
            return plan
        done = plan.carried_out(self.world, why)
        self._caller.clear()
        return done
