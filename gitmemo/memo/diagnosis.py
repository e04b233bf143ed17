"""What a storage can say about its own calls: why, whether again the same, what failed.

Not what the parts do (`explain`, `completing`, `checking`, `loading`): this
module is where a storage keeps them together. Invariant: nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitmemo.errors import NotAnOp, OpNotLoaded
from gitmemo.memo.caller import Caller
from gitmemo.memo.checking import Checker, CheckReport
from gitmemo.memo.completing import Completed, complete
from gitmemo.memo.explain import Explainer
from gitmemo.memo.explanation import Explanation
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.names import OpNames
from gitmemo.memo.rerun import Rerun
from gitmemo.memo.trust import Values
from gitmemo.memo.wording import short
from gitmemo.model.validity import Code
from gitmemo.query import resolve_op
from gitmemo.ref import Loader
from gitmemo.tracing import Project
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.op import BoundOp, Op


class Diagnosis:
    """The answers of one storage about its calls."""

    def __init__(
        self,
        world: World,
        project: Project | None,
        code: Code,
        names: OpNames,
        values: Values,
        lookup: Lookup,
        caller: Caller,
        rerun: Rerun,
        loader: Loader,
    ) -> None:
        self._world = world
        self._project = project
        self._code = code
        self._names = names
        self._lookup = lookup
        self._caller = caller
        self._loader = loader
        self._checker = Checker(world, values, lookup, rerun)
        self._explainer = Explainer(world, lookup, values, code)

    def load_op(self, name: str) -> Op[..., Any]:
        """Return an op of the project by name, importing its file."""
        from gitmemo.memo.loading import ProjectOps  # it needs ops, and they need storages

        if self._project is None or self._project.root is None:
            raise OpNotLoaded(name, "", "this storage has no project folder")
        return ProjectOps(self._project, self._world, self._names, self._world.ops()).load(name)

    def check(
        self,
        op: Op[..., Any] | str,
        sample: int | None,
        seed: int,
        *,
        recorded: bool,
    ) -> CheckReport:
        """Run stored calls again, or compare their records."""
        name = self._names.full_name(op)
        calls = self._world.calls(self._code)
        if recorded:
            return self._checker.recorded(name, calls)
        return self._checker.rerun(name, calls, sample, seed)

    def explain(
        self,
        op: Op[..., Any] | BoundOp[..., Any] | str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Explanation:
        """Say why a call would be reused or computed."""
        from gitmemo.memo.op import BoundOp, Op

        if isinstance(op, str):
            return self.explain(self._met(op), args, kwargs)
        if isinstance(op, BoundOp):
            return self.explain(op.__func__, (op.__self__, *args), kwargs)
        if not isinstance(op, Op):
            raise NotAnOp(short(op), "storage.explain")
        return self._explainer.explain(self._caller.prepare(op, args, kwargs))

    def _met(self, name: str) -> Op[..., Any]:
        """Return an op that this program has used; nothing is imported."""
        known = {*self._world.ops(), *self._names.met()}
        full = resolve_op(name, sorted(known))
        op = self._names.named(full)
        if op is None:
            raise OpNotLoaded(full, "", "this program has not used it yet; pass the op itself")
        return op

    def complete(self, op: Op[..., Any], given: Mapping[str, Any]) -> Completed:
        """Return the arguments of a call of which only some are given."""
        name, _ = self._names.name_of(op)
        return complete(op, name, given, self._world, self._lookup, self._loader)
