"""What `@op(...)` can say about a function, checked when the function is decorated.

Not what the options do (`arguments`, `execute`, `caller`). Invariant: every
name in them is an argument or an output of the function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypedDict

from gitmemo.errors import BadOption
from gitmemo.memo.outputs import Keep, Outputs, declared_outputs
from gitmemo.memo.signature import Binder
from gitmemo.model import externals
from gitmemo.model.components import Component
from gitmemo.model.names import number_of_output, unnamed_output

_KEEPS: tuple[Keep, ...] = ("always", "hash", "never")

Store: TypeAlias = "Keep | Mapping[str, Keep]"
Track: TypeAlias = "Literal['static'] | Collection[object]"
Names: TypeAlias = "str | Collection[str]"
Untracked: TypeAlias = "str | Collection[object]"


class OpOptions(TypedDict, total=False):
    """What type checkers accept in `@op(...)` and `@superop(...)`, but for `materialize`."""

    output_names: Sequence[str] | None
    nout: int | Literal["auto", "var"] | None
    name: str | None
    version: int
    ignore_args: Names
    store: Store
    mutates: Names
    match_defaults: bool
    track: Track
    untracked: Untracked
    packages: Names
    env: Names
    files: Names
    resources: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Options:
    """The checked options of one op.

    Attributes:
        name: A name that lasts; None for `module:qualname`.
        version: Another number is another table of results.
        outputs: How many there are, what they are called, and which are stored.
        ignored: Arguments that only the body receives.
        hashed: Arguments of which only the content id is kept.
        mutates: Arguments that the body may change: it receives copies.
        materialize: Whether the function is a generator whose items are collected in a list.
        match_defaults: Whether calls that were stored before an argument existed stand for calls
            with its default.
        track: Functions, classes and values that count as touched by every call.
        static: Whether what a call touches is read from the code instead of watched.
        sees_refs: Whether the body receives refs: a superop.
        untracked: Names and objects that no call of the op depends on; looked up when it is run.
        depends: What is no code and every call of the op depends on.
        resources: What a call needs besides a core, where many run at once; no part of its identity.
    """

    name: str | None
    version: int
    outputs: Outputs
    ignored: frozenset[str]
    hashed: frozenset[str]
    mutates: frozenset[str]
    materialize: bool
    match_defaults: bool
    track: tuple[object, ...]
    static: bool
    sees_refs: bool
    untracked: tuple[object, ...] = ()
    depends: frozenset[Component] = frozenset()
    resources: Mapping[str, float] = field(default_factory=dict)


def options_of(
    function: Callable[..., object],
    *,
    output_names: Sequence[str] | None = None,
    nout: int | Literal["auto", "var"] | None = None,
    name: str | None = None,
    version: int = 0,
    ignore_args: Names = (),
    store: Store = "always",
    mutates: Names = (),
    materialize: bool = False,
    match_defaults: bool = False,
    track: Track = (),
    untracked: Untracked = (),
    packages: Names = (),
    env: Names = (),
    files: Names = (),
    resources: Mapping[str, float] | None = None,
    sees_refs: bool = False,
) -> Options:
    """Return the options of `function`; raise `BadOption` or `WrongOutputs` where they are not possible."""
    label = _label(function)
    known = _Arguments(function, label)
    outputs = declared_outputs(function, nout, output_names)
    if materialize:
        outputs = Outputs(1, outputs.names)
    if type(version) is not int or version < 0:
        raise BadOption(label, "version", repr(version), "use a number from 0 on")
    ignored = known.check("ignore_args", ignore_args)
    stores, kept = _stores(store, known, outputs, label)
    never = {argument for argument, keep in stores.items() if keep == "never"}
    return Options(
        name=name,
        version=version,
        outputs=Outputs(outputs.count, outputs.names, outputs.is_tuple, kept),
        ignored=ignored | never,
        hashed=frozenset(argument for argument, keep in stores.items() if keep == "hash"),
        mutates=known.check("mutates", mutates),
        materialize=materialize,
        match_defaults=match_defaults,
        track=_tracked(track, label),
        static=_is_static(track, label),
        sees_refs=sees_refs,
        untracked=_untracked(untracked, label),
        depends=_depends(label, packages=packages, env=env, files=files),
        resources=_resources(resources, label),
    )


def check_names(function: Callable[..., object], given: Iterable[str]) -> None:
    """Raise `BadOption` for an option that there is not."""
    known = [*OpOptions.__annotations__, "materialize"]
    for name in given:
        if name in known or name == "sees_refs":  # which `superop` says
            continue
        import difflib  # only for an error

        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        raise BadOption(_label(function), name, "", f"{hint}the options are: {', '.join(known)}")


def _label(function: Callable[..., object]) -> str:
    return getattr(function, "__qualname__", repr(function))


class _Arguments:
    """The names that arguments of a function can have."""

    def __init__(self, function: Callable[..., object], label: str) -> None:
        binder = Binder(function)
        self._label = label
        self.names = frozenset(binder.signature.parameters)
        self._any = binder.takes_any

    def has(self, name: str) -> bool:
        """Whether there is, or can be, an argument of this name."""
        return name in self.names or (self._any and name.isidentifier())

    def check(self, option: str, names: Names) -> frozenset[str]:
        """Return `names` as a set; raise `BadOption` for one that no argument has."""
        chosen = (names,) if isinstance(names, str) else tuple(names)
        for name in chosen:
            if not self.has(name):
                fix = f"its arguments are: {', '.join(sorted(self.names)) or 'none'}"
                raise BadOption(self._label, option, repr(name), fix)
        return frozenset(chosen)


def _stores(
    store: Store, known: _Arguments, outputs: Outputs, label: str
) -> tuple[dict[str, Keep], dict[str, Keep]]:
    """Return what is kept of arguments and of outputs, by name; `""` stands for every output."""
    chosen: Mapping[str, Keep] = {"": store} if isinstance(store, str) else store
    arguments: dict[str, Keep] = {}
    results: dict[str, Keep] = {}
    for name, keep in chosen.items():
        if keep not in _KEEPS:
            raise BadOption(label, "store", repr(keep), f"use one of: {', '.join(_KEEPS)}")
        if not name or name in (outputs.names or ()) or number_of_output(name) is not None:
            results[name] = keep
        elif known.has(name):
            arguments[name] = keep
        else:
            names = ", ".join([*sorted(known.names), *(outputs.names or (unnamed_output(0),))])
            raise BadOption(label, "store", repr(name), f"its arguments and outputs are: {names}")
    return arguments, {name: keep for name, keep in results.items() if keep != "always"}


def _resources(resources: object, label: str) -> dict[str, float]:
    if resources is None:
        return {}
    if not isinstance(resources, Mapping):
        fix = 'use a dict of names and amounts: resources={"GPU": 1}'
        raise BadOption(label, "resources", repr(resources)[:80], fix)
    for name, amount in resources.items():
        is_amount = isinstance(amount, int | float) and not isinstance(amount, bool)
        if not isinstance(name, str) or not name or not is_amount or not 0 < amount < math.inf:
            fix = "use names and amounts over 0"
            raise BadOption(label, "resources", f"{name!r}: {amount!r}"[:80], fix)
    return dict(resources)


def _untracked(untracked: Untracked, label: str) -> tuple[object, ...]:
    if isinstance(untracked, str):
        return (untracked,)
    if not isinstance(untracked, Collection):
        fix = "use a list of names, functions and classes"
        raise BadOption(label, "untracked", repr(untracked)[:80], fix)
    return tuple(untracked)


def _depends(label: str, **named: Names) -> frozenset[Component]:
    """Return the components of what is named under each option."""
    found: set[Component] = set()
    for option, names in named.items():
        for name in (names,) if isinstance(names, str) else names:
            if not isinstance(name, str):
                raise BadOption(label, option, repr(name)[:80], "use a name, or a list of names")
            try:
                found.update(externals.named(**{option: (name,)}))
            except ValueError as error:
                raise BadOption(label, option, repr(name), str(error)) from None
    return frozenset(found)


def _tracked(track: Track, label: str) -> tuple[object, ...]:
    if isinstance(track, str):
        return ()
    if not isinstance(track, Collection):
        fix = 'use "static" or a list: track=[helper]'
        raise BadOption(label, "track", repr(track)[:80], fix)
    for item in track:
        if isinstance(item, str):
            fix = "list the function, class or value itself, without quotes"
            raise BadOption(label, "track", repr(item), fix)
    return tuple(track)


def _is_static(track: Track, label: str) -> bool:
    if isinstance(track, str) and track != "static":
        raise BadOption(label, "track", repr(track), 'use "static" or a list of functions')
    return isinstance(track, str)
