"""Ops: functions whose calls are remembered.

Not what remembering means (`caller`). Invariant: outside a storage block an op
is the function that it decorates.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType, MethodType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    Self,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from gitmemo.errors import NoActiveStorage, UntrackableOp
from gitmemo.memo import context
from gitmemo.memo.arguments import Arguments
from gitmemo.memo.carrying import warn_if_missed
from gitmemo.memo.one_name import refuse_same_name
from gitmemo.memo.op_pickles import pickled
from gitmemo.memo.options import OpOptions, Options, check_names, options_of
from gitmemo.memo.storage import Storage
from gitmemo.ref import Ref
from gitmemo.special import Transient, bare

if TYPE_CHECKING:
    import pandas as pd

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)


class Op(Generic[P, R_co]):
    """A function whose calls, inside `with storage:`, are looked up before they are run.

    Attributes:
        __wrapped__: The plain function.
        options: What `@op(...)` said.
        arguments: What it does with its arguments.
        is_async: Whether its calls are awaited.

    Examples:
        >>> @gm.op
        ... def double(x):
        ...     return 2 * x
        >>> double(3)  # outside of a block: the plain function
        6
        >>> with storage:
        ...     six = double(3)
        ...     double.is_cached(3), double.is_cached(4)
        (True, False)
        >>> double.options.version, double.qualname
        (0, 'double')
    """

    __wrapped__: Callable[P, R_co]

    def __init__(self, function: Callable[P, R_co], options: Options) -> None:
        _refuse(function, options)
        functools.update_wrapper(self, function)
        self.options = options
        self.arguments = Arguments(function, options)
        self.is_async = _is_async(function)
        if options.name is None and "<lambda>" in self.qualname:
            raise UntrackableOp(self.qualname, "a lambda has no name that lasts")

    @property
    def qualname(self) -> str:
        """The function's qualified name."""
        return self.__wrapped__.__qualname__

    @property
    def version(self) -> int:
        """The op's own version number."""
        return self.options.version

    # Inside a block the result is a ref; what a type checker is told is what the function says:
    # a ref may be passed wherever its value may, which no annotation can express. `ref` says it.
    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R_co:
        storage = context.active()
        if isinstance(storage, Storage):
            result: R_co = (context.batching.get() or storage).call(self, args, kwargs)
            return result
        if isinstance(storage, context.Posing):
            return cast("R_co", storage.pose(self, args, kwargs))
        if storage is None:
            warn_if_missed(self.qualname)
        elif storage is context.DEFINING:
            raise context.OnlyDefining
        plain, named = self.arguments.outside(args, kwargs)
        return cast("R_co", _without_transients(self.__wrapped__(*plain, **named)))

    def ref(self, /, *args: P.args, **kwargs: P.kwargs) -> Ref[R_co]:
        """Call the op and return the ref to its result, typed as what it is inside a block.

        Raises:
            NoActiveStorage: No block encloses this.
        """
        storage = self.storage()
        result: Ref[R_co] = (context.batching.get() or storage).call(self, args, kwargs)
        return result

    def is_cached(self, /, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Whether this call would be reused. Nothing is run, recorded or counted."""
        return self.storage().stored.is_cached(self, args, kwargs)

    def recompute(self, /, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Run the call even if it is stored; the new result takes the place of the old one."""
        result: R_co = self.storage().stored.recompute(self, args, kwargs)
        return result

    def forget(self, /, *args: P.args, **kwargs: P.kwargs) -> int:
        """Forget what is stored of this call for the code as it is; return how many calls that were.

        Examples:
            >>> @gm.op
            ... def double(x):
            ...     return 2 * x
            >>> with storage:
            ...     six = double(3)
            ...     double.forget(3), double.is_cached(3)
            (1, False)
        """
        return self.storage().stored.forget(self, args, kwargs)

    def table(self) -> pd.DataFrame:
        """Return the op's calls that are valid for the code as it is, one row each.

        Examples:
            >>> @gm.op(output_names=["twice"])
            ... def double(x):
            ...     return 2 * x
            >>> with storage:
            ...     results = [double(x) for x in (1, 2)]
            ...     print(double.table())
               x  twice
            0  1      2
            1  2      4
        """
        return self.storage().stored.table(self)

    def storage(self) -> Storage:
        """Return the storage whose block encloses this point; raise `NoActiveStorage` if none does."""
        storage = context.active()
        if isinstance(storage, Storage):
            return storage
        raise NoActiveStorage(self.qualname)

    def handed_out(self, values: Sequence[Any]) -> Any:
        """Return what the body of another op receives for the outputs `values`."""
        if self.options.materialize and inspect.isgeneratorfunction(self.__wrapped__):
            return iter(values[0])
        return self.options.outputs.join(values)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(
        self: Op[Concatenate[S, Q], R], instance: S, owner: type | None = None
    ) -> BoundOp[Q, R]: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else BoundOp(cast("Op[..., Any]", self), instance)

    def __gitmemo_hash__(self) -> object:
        """Return what an op counts as where it is a value: its function, and which table it has."""
        return self.__wrapped__, self.options.name, self.version

    def __reduce__(self) -> tuple[Any, ...]:
        return pickled(self)

    def __repr__(self) -> str:
        return f"Op({self.options.name or f'{self.__module__}:{self.qualname}'})"


class BoundOp(Generic[P, R_co]):
    """An op that was looked up on an object, which is its first argument.

    Attributes:
        __self__: The object; it is an input like others, hashed by its content.
        __func__: The op.
    """

    def __init__(self, op: Op[..., R_co], instance: object) -> None:
        self.__self__ = instance
        self.__func__ = op
        functools.update_wrapper(self, op.__wrapped__)

    @property
    def __signature__(self) -> inspect.Signature:
        """What is left of the signature."""
        return inspect.signature(MethodType(self.__func__.__wrapped__, self.__self__))

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R_co:
        return self.__func__(self.__self__, *args, **kwargs)

    def ref(self, /, *args: P.args, **kwargs: P.kwargs) -> Ref[R_co]:
        """Do what `Op.ref` does."""
        return self.__func__.ref(self.__self__, *args, **kwargs)

    def is_cached(self, /, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Do what `Op.is_cached` does."""
        return self.__func__.is_cached(self.__self__, *args, **kwargs)

    def recompute(self, /, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Do what `Op.recompute` does."""
        return self.__func__.recompute(self.__self__, *args, **kwargs)

    def forget(self, /, *args: P.args, **kwargs: P.kwargs) -> int:
        """Do what `Op.forget` does."""
        return self.__func__.forget(self.__self__, *args, **kwargs)

    def __repr__(self) -> str:
        return f"{self.__func__!r} of {self.__self__!r}"


def _refuse(function: object, options: Options) -> None:
    """Raise `UntrackableOp` for what cannot be an op with these options."""
    name = getattr(function, "__qualname__", repr(function))
    generates = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    if generates and not options.materialize:
        fix = "use @op(materialize=True), which stores the list of its items, or return list(...)"
        raise UntrackableOp(name, "it is a generator, which can be read only once", fix)
    if options.materialize and not generates:
        reason = "materialize=True is for generators, and it is none"
        raise UntrackableOp(name, reason, "leave materialize out")


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _without_transients(returned: Any) -> Any:
    """Return what the function would have returned without wrappers."""
    if type(returned) is tuple and any(type(value) is Transient for value in returned):
        return tuple(map(bare, returned))
    return bare(returned) if type(returned) is Transient else returned


@overload
def op(function: Callable[P, R], /) -> Op[P, R]: ...
@overload
def op(**options: Unpack[OpOptions]) -> Callable[[Callable[P, R]], Op[P, R]]: ...
@overload
def op(
    *, materialize: Literal[True], **options: Unpack[OpOptions]
) -> Callable[[Callable[P, Iterator[R]]], Op[P, list[R]]]: ...
def op(function: Any = None, /, **options: Any) -> Any:
    """Make a function an op: inside `with storage:` its finished calls are never run again.

    Args:
        function: The function, when used without parentheses.
        output_names: Names of the returned values, one each; a tuple of that length is returned.
        nout: Number of returned values, where neither names nor a `tuple[...]` annotation say it;
            `nout=1` stores a returned tuple as one value; `"auto"`: a returned tuple decides;
            `"var"`: a tuple of any length must be returned.
        name: A name that lasts, instead of `module:qualname`.
        version: Another number starts a fresh table of results under the same name.
        ignore_args: Arguments that only the body receives: they are no part of what identifies a
            call. Numbers among them are noted beside the call.
        store: What is kept: `"always"` (bytes), `"hash"` (only the content id) or `"never"`. One
            word for all outputs, or a dict by name of argument or output. An output that is not
            stored is computed again when it is needed, and checked against its content id; an
            argument that is never stored is ignored.
        mutates: Arguments that the body changes in place: it receives copies of them.
        materialize: For generators: their items are collected in a list, which is the result.
        match_defaults: Calls that were stored before an argument existed stand for calls in which
            it is at its default.
        track: Functions, classes or values that count as touched by every call; `"static"` reads
            what a call could touch from the code instead of watching it run.
        untracked: What no call depends on although the code touches it: names as the op's code
            would write them (`"CACHE"`, `"lib.helper"`), `"path:unit"`, functions or classes.
            They are looked up when the op is first run.
        packages: Installed packages on whose versions every call depends, named as in
            `pip install`.
        env: Environment variables on whose values every call depends; no value is written down.
        files: Files on whose bytes every call depends, by their paths from the project root.
        resources: What a call needs besides a core, as `{"GPU": 1}`: so many run at once where
            `storage.map` makes many. Does not identify calls.

    Raises:
        UntrackableOp: It is a lambda without a `name`, a generator, or no function.
        WrongOutputs: `nout` and `output_names` contradict each other.
        BadOption: An option names what the function does not have.

    Examples:
        >>> @gm.op(output_names=["least", "most"])
        ... def extremes(numbers):
        ...     return min(numbers), max(numbers)
        >>> with storage:
        ...     least, most = extremes([3, 1, 2])
        ...     again, _ = extremes([3, 1, 2])  # not run: a ref to the same result
        >>> storage.unwrap(most), least.same_as(again)
        (3, True)
    """
    return _decorated(function, options)


@overload
def superop(function: Callable[P, R], /) -> Op[P, R]: ...
@overload
def superop(**options: Unpack[OpOptions]) -> Callable[[Callable[P, R]], Op[P, R]]: ...
@overload
def superop(
    *, materialize: Literal[True], **options: Unpack[OpOptions]
) -> Callable[[Callable[P, Iterator[R]]], Op[P, list[R]]]: ...
def superop(function: Any = None, /, **options: Any) -> Any:
    """Make a function an op whose body sees refs: it composes other ops, and is remembered as one call.

    The ops that it calls return refs to it, and what they depend on counts for it too. It takes
    the options of `op`.

    Examples:
        >>> @gm.op
        ... def double(x):
        ...     return 2 * x
        >>> @gm.superop
        ... def quadruple(x):
        ...     return double(double(x))
        >>> with storage:
        ...     storage.unwrap(quadruple(3))
        12
    """
    return _decorated(function, {**options, "sees_refs": True})


def _decorated(function: Any, options: dict[str, Any]) -> Any:
    if function is None:
        return lambda function: _made(function, options)
    return _made(function, options)


def _made(function: Any, options: dict[str, Any]) -> Any:
    # The decorators of methods may stand on either side.
    if isinstance(function, staticmethod | classmethod):
        return type(function)(_made(function.__func__, options))
    if isinstance(function, Op):
        raise UntrackableOp(function.qualname, "it is an op already", "decorate it once")
    if not isinstance(function, FunctionType):
        name = getattr(function, "__qualname__", repr(function))
        kind = type(function).__name__
        raise UntrackableOp(name, f"it is a {kind}, not a function of Python code")
    check_names(function, options)
    made: Op[..., Any] = Op(function, options_of(function, **options))
    refuse_same_name(made, Op)
    return made


T = TypeVar("T")


def track(target: T) -> T:
    """Return `target` unchanged: everything under the project root is tracked without being marked.

    Examples:
        >>> @gm.track
        ... def helper(x):
        ...     return x + 1
        >>> helper(1)
        2
    """
    return target
