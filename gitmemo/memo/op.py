"""Ops: functions whose calls are remembered.

Not what remembering means (`storage`). Invariant: outside a storage block an op
is the function that it decorates.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar, overload

from gitmemo.errors import UntrackableOp
from gitmemo.memo import context
from gitmemo.memo.signature import Binder, Outputs, declared_outputs

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Op(Generic[P, R_co]):
    """A function whose calls, inside `with storage:`, are looked up before they are run.

    Attributes:
        __wrapped__: The plain function.
        explicit_name: What `name=` said, if anything.
        version: The op's own version number: another number is another table of results.
        outputs: How many values it returns and what they are called.
    """

    __wrapped__: Callable[P, R_co]

    def __init__(
        self,
        function: Callable[P, R_co],
        name: str | None,
        version: int,
        outputs: Outputs,
    ) -> None:
        _refuse(function)
        functools.update_wrapper(self, function)
        self.explicit_name = name
        self.version = version
        self.outputs = outputs
        self.binder = Binder(function)
        if name is None and "<lambda>" in self.qualname:
            raise UntrackableOp(self.qualname, "a lambda has no name that lasts")

    @property
    def qualname(self) -> str:
        """The function's qualified name."""
        return self.__wrapped__.__qualname__

    def hidden_inputs(self) -> dict[str, Any]:
        """Return the values that the function closes over: they are inputs too."""
        function = self.__wrapped__
        cells = getattr(function, "__closure__", None)
        if not cells:
            return {}
        names = function.__code__.co_freevars
        return {
            f"closure:{name}": cell.cell_contents
            for name, cell in zip(names, cells, strict=True)
            if not _is_empty(cell)
        }

    # Inside a block the result is a Ref; what a type checker is told is what
    # the function says, since most code of a program runs the same either way.
    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R_co:
        storage = context.active()
        if storage is None:
            return self.__wrapped__(*args, **kwargs)
        result: R_co = storage.call(self, args, kwargs)
        return result

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if instance is None:
            return self
        return functools.partial(self.__call__, instance)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"Op({self.explicit_name or f'{self.__module__}:{self.qualname}'})"


def _refuse(function: object) -> None:
    """Raise `UntrackableOp` for what cannot be an op."""
    name = getattr(function, "__qualname__", repr(function))
    if not isinstance(function, FunctionType):
        raise UntrackableOp(
            name, f"it is a {type(function).__name__}, not a function of Python code"
        )
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise UntrackableOp(name, "it is asynchronous; make an op of the part that computes")
    if inspect.isgeneratorfunction(function):
        raise UntrackableOp(name, "it is a generator; return list(...) of it instead")


def _is_empty(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  raises when empty
    except ValueError:
        return True
    return False


@overload
def op(function: Callable[P, R], /) -> Op[P, R]: ...
@overload
def op(
    *,
    output_names: Sequence[str] | None = None,
    nout: int | None = None,
    name: str | None = None,
    version: int = 0,
) -> Callable[[Callable[P, R]], Op[P, R]]: ...
def op(
    function: Any = None,
    /,
    *,
    output_names: Sequence[str] | None = None,
    nout: int | None = None,
    name: str | None = None,
    version: int = 0,
) -> Any:
    """Make a function an op: inside `with storage:` its finished calls are never run again.

    Args:
        function: The function, when used without parentheses.
        output_names: Names of the returned values, one each; a tuple of that length is returned.
        nout: Number of returned values, where neither names nor a `tuple[...]` annotation say it;
            `nout=1` stores a returned tuple as one value.
        name: A name that lasts, instead of `module:qualname`.
        version: Another number starts a fresh table of results under the same name.

    Raises:
        UntrackableOp: It is a lambda without a `name`, a generator, asynchronous, or no function.
        WrongOutputs: `nout` and `output_names` contradict each other.
    """

    def decorate(function: Callable[P, R]) -> Op[P, R]:
        return Op(function, name, version, declared_outputs(function, nout, output_names))

    return decorate if function is None else decorate(function)


T = TypeVar("T")


def track(target: T) -> T:
    """Return `target` unchanged: everything under the project root is tracked without being marked."""
    return target
