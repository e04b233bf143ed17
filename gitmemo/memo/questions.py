"""What a storage can say about its own calls: why, whether again the same, what failed.

Not what the parts do (`explain`, `completing`, `checking`, `loading`,
`provenance`), and not tables (`frame`). Invariant: nothing is recorded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gitmemo.errors import GitmemoError, NotAnOp, NotARef, OpNotLoaded
from gitmemo.hashing.digest import Digest
from gitmemo.memo.caller import Caller
from gitmemo.memo.completing import complete
from gitmemo.memo.failures import Failure, FailureNotes
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.names import OpNames
from gitmemo.memo.rerun import Rerun
from gitmemo.memo.trust import Values
from gitmemo.memo.wording import short
from gitmemo.model.components import Component
from gitmemo.model.validity import Code
from gitmemo.query import resolve_op
from gitmemo.ref import Ref
from gitmemo.tracing import Project
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.checking import Checker, CheckReport
    from gitmemo.memo.explanation import Explanation
    from gitmemo.memo.op import BoundOp, Op
    from gitmemo.memo.rechecking import ChangeReport


class Questions(ABC):
    """The questions that a storage answers; it puts together what they need."""

    world: World
    project: Project | None
    _code: Code
    _names: OpNames
    _lookup: Lookup
    _caller: Caller
    _failures: FailureNotes
    _rerun: Rerun
    _values: Values

    @abstractmethod
    def _notice(self) -> None:
        """Take notice of what git, editors and other processes did."""

    @abstractmethod
    def load(
        self, cid: Digest, hid: Digest, what: str, within: Callable[[], object] | None = None
    ) -> object:
        """Return a fresh copy of a value."""

    @abstractmethod
    def load_ref(self, hid: str, *, in_memory: bool = True) -> Ref[Any]:
        """Return the ref with this history id, or with the name `@NAME`."""

    def prov(self, ref: Ref[Any] | str) -> str:
        """Return the history of a value as Python code: one assignment per call, in order.

        Nothing is run or loaded. Inputs from outside are literals where they are small and plain,
        else `...` with a comment. `ref` may be the name of a value, `@NAME`, or a history id.
        """
        from gitmemo.memo.provenance import provenance

        if isinstance(ref, str):
            ref = self.load_ref(ref, in_memory=False)
        if not isinstance(ref, Ref):
            raise NotARef(short(ref), "storage.prov")
        return provenance(ref, self.world, self._names)

    def load_op(self, name: str) -> Op[..., Any]:
        """Return an op of the project by name, importing the file that defines it.

        Args:
            name: Its full or short name if it has calls, else `FILE:FUNCTION`.

        Raises:
            UnknownOp: It has no calls and no file is named, or its short name means several.
            OpNotLoaded: Its file cannot be imported, or does not define it.
        """
        from gitmemo.memo.loading import ProjectOps  # it needs ops, and they need storages

        self._notice()
        if self.project is None or self.project.root is None:
            raise OpNotLoaded(name, "", "this storage has no project folder")
        return ProjectOps(self.project, self.world, self._names, self.world.ops()).load(name)

    def check(
        self,
        op: Op[..., Any] | str,
        *,
        sample: int | None = 10,
        seed: int = 0,
        recorded: bool = False,
    ) -> CheckReport:
        """Run a sample of an op's stored calls again and say which do not return the same.

        Nothing is recorded. `sample=None` runs all calls that are valid for the code of now;
        `recorded=True` runs none, but compares the records where one call has several.

        Raises:
            UnknownOp: There is no such op in this program.

        Examples:
            >>> @gm.op
            ... def double(x):
            ...     return 2 * x
            >>> with storage:
            ...     six = double(3)
            >>> print(storage.check(double))
            example:double: 1 same (1 stored call)
        """
        self._notice()
        name = self._names.full_name(op)
        calls = self.world.calls(self._code)
        if recorded:
            return self._checker().recorded(name, calls)
        return self._checker().rerun(name, calls, sample, seed)

    def _checker(self) -> Checker:
        from gitmemo.memo.checking import Checker  # most programs check nothing

        return Checker(self.world, self._values, self._lookup, self._rerun)

    def check_change(
        self, component: str, *, sample: int | None = 10, seed: int = 0
    ) -> ChangeReport:
        """Run stored calls that touched another content of `path:name` under the code of now.

        It says whether they return the same; nothing is recorded. The files of ops that this
        program has not used are imported. `sample=None` runs all such calls.
        """
        from gitmemo.memo.rechecking import ChangeChecker

        self._notice()
        checker = ChangeChecker(self.world, self._code, self._lookup, self._checker())
        path, _, unit = component.rpartition(":")
        changed = Component(path, unit)
        for op in checker.ops(changed):
            if self._names.named(op) is None:
                with suppress(GitmemoError):  # the report says of its calls that they were not run
                    self.load_op(op)
        return checker.rerun(changed, sample, seed)

    def explain(
        self, op: Op[..., Any] | BoundOp[..., Any] | str, /, *args: Any, **kwargs: Any
    ) -> Explanation:
        """Say why a call would be reused or computed, and what differs from the nearest stored one.

        Nothing is run or recorded. Arguments are given as for the call itself.

        Raises:
            UnknownOp, OpNotLoaded: It is a name that this program has used no op of.
            Unhashable: An argument has no content id.
            TypeError: The arguments do not fit, as the op itself would raise it.

        Examples:
            >>> @gm.op
            ... def double(x):
            ...     return 2 * x
            >>> with storage:
            ...     six = double(3)
            >>> print(storage.explain(double, 4))
            example:double would be computed: it is not stored with these inputs
              x = 4
            nearest stored call: ran ...
              x: stored 3, given 4
            to reuse it: pass x as stored: 3
        """
        from gitmemo.memo.explain import Explainer
        from gitmemo.memo.op import BoundOp, Op

        if isinstance(op, BoundOp):
            return self.explain(op.__func__, op.__self__, *args, **kwargs)
        self._notice()
        found = self._met(op) if isinstance(op, str) else op
        if not isinstance(found, Op):
            raise NotAnOp(short(op), "storage.explain")
        explainer = Explainer(self.world, self._lookup, self._values, self._code)
        return explainer.explain(self._caller.prepare(found, args, kwargs))

    def _met(self, name: str) -> Op[..., Any]:
        """Return an op that this program has used; nothing is imported."""
        known = {*self.world.ops(), *self._names.met()}
        full = resolve_op(name, sorted(known))
        op = self._names.named(full)
        if op is None:
            raise OpNotLoaded(full, "", "this program has not used it yet; pass the op itself")
        return op

    def explain_some(
        self, op: Op[..., Any], given: Mapping[str, Any], /
    ) -> tuple[Explanation, tuple[str, ...]]:
        """Do the same where only some arguments are given, by name.

        Others are at their defaults; those without a default are what the nearest stored call had,
        and their names are returned too.

        Raises:
            WrongArguments: There is no such argument, or one is missing and no call is stored.
        """
        self._notice()
        name, _ = self._names.name_of(op)
        call = complete(op, name, given, self.world, self._lookup, self)
        explained = replace(self.explain(op, *call.args, **call.kwargs), taken=call.taken)
        return explained, tuple(one.name for one in call.taken)

    def failures(self) -> list[Failure]:
        """Return what was noted on this machine of calls that raised an exception, newest first."""
        return self._failures.all()
