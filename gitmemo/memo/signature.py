"""Signatures: how arguments become named inputs, and inputs arguments again.

Not the hashing of values, nor what is returned (`outputs`). Invariant: two ways
of writing the same call give the same names and values, and two different calls
never share a name.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Container, Mapping
from typing import Any

from gitmemo.model.names import is_closure
from gitmemo.special import bare

_Kind = inspect.Parameter
_STARRED = (_Kind.VAR_POSITIONAL, _Kind.VAR_KEYWORD)

ORDER = "**order"
"""The input that says in which order keywords came, where it is not the sorted one."""


class Binder:
    """Turns the arguments of calls of one function into named inputs.

    Attributes:
        is_plain: Whether the names are the same in every call.
        defaults: The default values, by name.
        variadic: The name of the parameter that takes `*args`, if there is one.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self._function: Any = function
        self._read()

    def _read(self) -> None:
        """Read the signature; again when somebody gave the function other defaults."""
        self._seen = self._patchable()
        self.signature = inspect.signature(self._function)
        parameters = list(self.signature.parameters.values())
        self._names = tuple(p.name for p in parameters)
        self.defaults = {p.name: p.default for p in parameters if p.default is not _Kind.empty}
        stars = [p.name for p in parameters if p.kind is _Kind.VAR_POSITIONAL]
        self.variadic = stars[0] if stars else None
        self._positional = sum(
            p.kind in (_Kind.POSITIONAL_ONLY, _Kind.POSITIONAL_OR_KEYWORD) for p in parameters
        )
        self.is_plain = all(p.kind is _Kind.POSITIONAL_OR_KEYWORD for p in parameters)

    def _patchable(self) -> tuple[object, Mapping[str, object] | None]:
        by_keyword = self._function.__kwdefaults__
        return self._function.__defaults__, None if by_keyword is None else dict(by_keyword)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the inputs by name, defaults included, in signature order.

        `*args` become `args_0`, `args_1`, …; `**kwargs` keep their keys, sorted; an order that
        is not the sorted one is an input of its own, for the body can see it. A name that is
        taken already gets a star in front.

        Raises:
            TypeError: The arguments do not fit, as the function itself would raise it.
        """
        defaults, by_keyword = self._seen
        function = self._function
        if function.__defaults__ is not defaults or (
            (function.__kwdefaults__ or by_keyword)
            and not _are_same(function.__kwdefaults__, by_keyword)
        ):
            self._read()
        names, given = self._names, len(args)
        if self.is_plain and given <= len(names):
            if given == len(names) and not kwargs:
                return dict(zip(names, args, strict=True))
            inputs = dict(zip(names, args, strict=False))
            left = len(kwargs)
            for name in names[given:]:
                if name in kwargs:
                    inputs[name] = kwargs[name]
                    left -= 1
                elif name in self.defaults:
                    inputs[name] = self.defaults[name]
            if not left and len(inputs) == len(names):
                return inputs
        return self._bind_fully(args, kwargs)

    def _bind_fully(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise self._told(error) from None
        bound.apply_defaults()
        return self._inputs(bound)

    def _told(self, error: TypeError) -> TypeError:
        """Return an error that says, as Python's own do, of which function."""
        return TypeError(f"{self._function.__qualname__}(): {error}")

    def bind_some(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the inputs that are given, by name; the others, and defaults, are left out.

        What only inputs are called, and no argument, may be a keyword: `args_0`, `**key`.

        Raises:
            TypeError: The arguments do not fit, as the function itself would raise it.
        """
        hidden = {
            name: kwargs[name]
            for name in kwargs
            if self.is_numbered(name) or not name.isidentifier()
        }
        plain = {name: value for name, value in kwargs.items() if name not in hidden}
        try:
            inputs = self._inputs(self.signature.bind_partial(*args, **plain))
        except TypeError as error:
            raise self._told(error) from None
        inputs.pop(ORDER, None)
        return inputs | hidden

    def _inputs(self, bound: inspect.BoundArguments) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        parameters = self.signature.parameters
        for name, value in bound.arguments.items():
            if parameters[name].kind is _Kind.VAR_POSITIONAL:
                for number, item in enumerate(value):
                    inputs[_free(f"{name}_{number}", "*", inputs, parameters)] = item
            elif parameters[name].kind is _Kind.VAR_KEYWORD:
                for key in sorted(value):
                    inputs[key if self._is_clear(key) else f"**{key}"] = value[key]
                if list(value) != sorted(value):
                    inputs[ORDER] = list(value)
            else:
                inputs[name] = value
        return inputs

    def _is_clear(self, key: str) -> bool:
        """Whether a keyword in `**kwargs` can stand for itself in every call of the function.

        `f(1)` and `f(args_0=1)` are two calls; hidden inputs have names like `closure:n`.
        """
        return (
            key.isidentifier()
            and key not in self.signature.parameters
            and not self.is_numbered(key)
        )

    @property
    def names(self) -> list[str]:
        """The names of all parameters, in order."""
        return list(self._names)

    @property
    def takes_any(self) -> bool:
        """Whether it takes any keyword."""
        return any(p.kind is _Kind.VAR_KEYWORD for p in self.signature.parameters.values())

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names that a caller can give one by one: those of all parameters without a star."""
        parameters = self.signature.parameters.values()
        return tuple(p.name for p in parameters if p.kind not in _STARRED)

    def left(self, count: int) -> tuple[str, ...]:
        """Return those of them that `count` arguments without a name do not fill."""
        return self.arguments[min(count, self._positional) :]

    @property
    def required(self) -> tuple[str, ...]:
        """Those of them that have no default."""
        return tuple(name for name in self.arguments if name not in self.defaults)

    def takes(self, name: str) -> bool:
        """Whether there is, or can be, an argument of this name."""
        return (
            name in self.arguments
            or self.is_numbered(name)
            or (self.takes_any and name.isidentifier())
        )

    def is_numbered(self, name: str) -> bool:
        """Whether an input of this name is one of `*args`."""
        return self.variadic is not None and bool(re.fullmatch(rf"\*?{self.variadic}_\d+", name))

    def unbind(self, inputs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of a call that `bind` would turn into `inputs`.

        An argument that is not among them is at its default; raises `KeyError` if it has none.
        """
        args: list[Any] = []
        kwargs = {name: value for name, value in inputs.items() if not is_closure(name)}
        order = kwargs.pop(ORDER, None)
        for name, parameter in self.signature.parameters.items():
            if parameter.kind in (_Kind.POSITIONAL_ONLY, _Kind.POSITIONAL_OR_KEYWORD):
                args.append(kwargs.pop(name) if name in kwargs else bare(self.defaults[name]))
            elif parameter.kind is _Kind.KEYWORD_ONLY and name not in kwargs:
                kwargs[name] = bare(self.defaults[name])
            elif parameter.kind is _Kind.VAR_POSITIONAL:
                starred = _starred(name, self.signature.parameters)
                while (item := starred(len(args) - self._positional)) in kwargs:
                    args.append(kwargs.pop(item))
        plain = {name.removeprefix("**"): value for name, value in kwargs.items()}
        return tuple(args), plain if order is None else {name: plain[name] for name in order}


def _are_same(values: Mapping[str, object] | None, others: Mapping[str, object] | None) -> bool:
    """Whether two mappings hold the same objects: comparing arrays would not tell."""
    if values is None or others is None or values.keys() != others.keys():
        return values is others
    return all(value is others[name] for name, value in values.items())


def _starred(name: str, parameters: Container[str]) -> Callable[[int], str]:
    return lambda number: _free(f"{name}_{number}", "*", (), parameters)


def _free(name: str, star: str, taken: Container[str], also: Container[str]) -> str:
    return f"{star}{name}" if name in taken or name in also else name
