"""Blocks in which ops are asked about: `with storage.query():`.

Not what is asked (`gitmemo.patterns`), nor the answer (`patterns`). Invariant: nothing runs, and
nothing is looked up or recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from gitmemo.memo import context
from gitmemo.memo.items import item_of
from gitmemo.memo.names import OpNames
from gitmemo.model.names import unnamed_output
from gitmemo.model.validity import Code, changed
from gitmemo.patterns.variables import Q, pose_call, variable
from gitmemo.ref import Ref, unwrap_all
from gitmemo.special import Ignore, bare
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


class Query(context.Posing):
    """A block: a call of an op in it says that such a call was made, and returns variables."""

    def __init__(self, world: World, names: OpNames, code: Code) -> None:
        self._world = world
        self._names = names
        self._code = code

    def __enter__(self) -> Self:
        context.push(self)
        return self

    def __exit__(self, *_: object) -> None:
        context.pop(self)

    def pose(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the variables of what a call gives; arguments that are left out are unconstrained.

        Raises:
            TypeError: The arguments do not fit, as the function itself would raise it.
            Unhashable: An argument is a value without a content id.
        """
        name = self._names.name_of(op)[0]
        inputs = {
            argument: variable(self._counted(op, argument, given))
            for argument, given in op.arguments.binder.bind_some(args, kwargs).items()
            if not op.arguments.is_ignored(argument, given) and type(bare(given)) is not Ignore
        }
        made = pose_call(name, op.version, inputs, self._outputs(op, name))
        return op.options.outputs.join(made)

    def _counted(self, op: Op[..., Any], name: str, given: Any) -> Any:
        """Return what counts of an argument: of one that is approximate, what it is rounded to."""
        value = bare(given)
        rule = op.arguments.shapes.approximation(name)
        has_history = isinstance(value, Q) or (isinstance(value, Ref) and not item_of(value).is_raw)
        return value if rule is None or has_history else rule.rounded(unwrap_all(value))

    def _outputs(self, op: Op[..., Any], name: str) -> tuple[str, ...]:
        """Return what the op's outputs are called: as it says, else as in its stored calls."""
        outputs = op.options.outputs
        if outputs.names is not None:
            return outputs.names
        count = outputs.count
        if count is None:
            decisions = self._world.decisions()
            counts: dict[bool, int] = {True: 0, False: 0}
            for known in self._world.signatures(name, op.version):
                version = self._world.version(known.version) if known.version else None
                is_old = version is not None and bool(changed(version, self._code, decisions))
                counts[is_old] = max(counts[is_old], len(known.outputs))
            count = counts[False] or counts[True] or 1
        return tuple(map(unnamed_output, range(count)))
