"""Signatures: how arguments become named inputs, and returned values named outputs.

Not the hashing of values. Invariant: two ways of writing the same call give the
same names and values, and two different calls never share a name.
"""

from __future__ import annotations

import enum
import inspect
import re
import types
import typing
from collections import deque
from collections.abc import (
    Callable,
    Collection,
    Container,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Any, Literal, TypeAlias

from gitmemo.errors import BadOption, WrongOutputs
from gitmemo.memo.annotations import Shapes
from gitmemo.ref import Ref
from gitmemo.special import bare

_Kind = inspect.Parameter
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_SECRET_WORDS = frozenset(
    [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "credential",
        "authorization",
        "bearer",
        "apikey",
        "accesskey",
        "privatekey",
        "secretkey",
        "authtoken",
        "accesstoken",
    ]
)
_SECRET_PAIRS = frozenset({("api", "key"), ("access", "key"), ("private", "key")})
_TEXT = (str, bytes, bytearray, memoryview)
_NO_PARTS = frozenset({int, float, complex, bool, type(None), type(...)})
_CODE = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType)
# A secret is near the surface; larger values are data, and are not searched to their end.
_PARTS = 100_000


ORDER = "**order"
"""The input that says in which order keywords came, where it is not the sorted one."""

Keep: TypeAlias = Literal["always", "hash", "never"]
"""What is kept of a value: its bytes, only its content id, or neither."""


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
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
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

    def is_numbered(self, name: str) -> bool:
        """Whether an input of this name is one of `*args`."""
        return self.variadic is not None and bool(re.fullmatch(rf"\*?{self.variadic}_\d+", name))

    def unbind(self, inputs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of a call that `bind` would turn into `inputs`.

        An argument that is not among them is at its default; raises `KeyError` if it has none.
        """
        args: list[Any] = []
        kwargs = {name: value for name, value in inputs.items() if not name.startswith("closure:")}
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


@dataclass(frozen=True, slots=True)
class Outputs:
    """How many values an op returns, and what they are called.

    Attributes:
        count: How many; None when the returned tuple decides.
        names: Their names; None for `output_0`, `output_1`, …
        is_tuple: Whether a tuple must be returned, and is handed out, however many there are.
        kept: What is kept of outputs that are not simply stored, by name; `""` means every one.
    """

    count: int | None
    names: tuple[str, ...] | None
    is_tuple: bool = False
    kept: Mapping[str, Keep] = field(default_factory=dict)

    def keep(self, name: str) -> Keep:
        """Return what is kept of an output."""
        return self.kept.get(name) or self.kept.get("", "always")

    def split(self, op: str, returned: object) -> list[tuple[str, Any]]:
        """Return `(name, value)` of each output; raise `WrongOutputs` if the number is wrong."""
        if self.count == 1:
            return [(self._name(0), returned)]
        if self.count is None and not self.is_tuple:
            values = returned if type(returned) is tuple else (returned,)
        elif self.count is None and not isinstance(returned, tuple):
            raise WrongOutputs(op, 'nout="var"', f"one {type(returned).__name__}")
        elif self.count is None:
            values = typing.cast("tuple[Any, ...]", returned)
        elif not isinstance(returned, tuple):
            raise WrongOutputs(op, f"{self.count} outputs", f"one {type(returned).__name__}")
        elif len(returned) != self.count:
            raise WrongOutputs(op, f"{self.count} outputs", f"{len(returned)}")
        else:
            values = returned
        return [(self._name(number), value) for number, value in enumerate(values)]

    def join(self, values: Sequence[Any]) -> Any:
        """Return what a caller receives for the outputs `values`."""
        is_one = len(values) == 1 and self.count in (None, 1) and not self.is_tuple
        return values[0] if is_one else tuple(values)

    def _name(self, number: int) -> str:
        return self.names[number] if self.names else f"output_{number}"


def declared_outputs(
    function: Callable[..., object],
    nout: int | Literal["auto", "var"] | None,
    names: Sequence[str] | None,
) -> Outputs:
    """Return the outputs of `function`: from `nout`, else `names`, else a `tuple[...]` annotation."""
    label = getattr(function, "__qualname__", repr(function))
    chosen = tuple(names) if names is not None else None
    if chosen is not None and len(set(chosen)) < len(chosen):
        raise WrongOutputs(label, "output_names", "the same name twice")
    if nout in ("auto", "var"):
        if chosen is not None:
            raise BadOption(label, "nout", repr(nout), "output_names say the number already")
        return Outputs(None, None, is_tuple=nout == "var")
    if nout is not None and (type(nout) is not int or nout < 0):
        raise BadOption(label, "nout", repr(nout), 'use a number, "auto" or "var"')
    if chosen is not None and nout is not None and len(chosen) != nout:
        raise WrongOutputs(label, f"nout={nout}", f"{len(chosen)} output_names")
    if nout is not None:
        return Outputs(nout, chosen)
    if chosen is not None:
        return Outputs(len(chosen), chosen)
    return Outputs(_annotated_count(function), None)


def _annotated_count(function: Callable[..., object]) -> int | None:
    shapes = Shapes(function)
    annotation = shapes.returned
    if shapes.result and "tuple" in shapes.result.kinds:
        return 1
    if typing.get_origin(annotation) is not tuple:
        return None
    items = typing.get_args(annotation)
    return None if Ellipsis in items or not items else len(items)


def is_secret(name: str, value: object) -> bool:
    """Whether an argument must never be stored: it holds text under the name of a secret.

    The name can be that of the argument, a key of a dict, or an attribute of an
    object, at any depth; everything below such a name is secret.
    """
    return type(value) not in _NO_PARTS and next(secret_texts(name, value), None) is not None


def secret_texts(name: str, value: object) -> Iterator[Any]:
    """Yield the texts (also bytes) in an argument that are secret."""
    if type(value) in _NO_PARTS:
        return
    todo = deque([(_names_secret(name), value)])
    seen: dict[tuple[bool, int], object] = {}  # keeps the objects, so that no id is used twice
    while todo and len(seen) < _PARTS:
        secret, part = todo.popleft()
        if isinstance(part, Ref):
            part = part.obj if part.in_memory else part._inline and part._inline.json
        if isinstance(part, _TEXT):
            if secret:
                yield part
        elif (secret, id(part)) not in seen:
            seen[secret, id(part)] = part
            if isinstance(part, list | set | frozenset | deque) or type(part) is tuple:
                todo.extend((secret, item) for item in _telling(part, secret))
            else:
                todo.extend(
                    (secret or _names_secret(label), item) for label, item in _labelled(part)
                )


def _telling(items: Collection[Any], secret: bool) -> Iterable[Any]:
    """Return the items that can be or hold a secret: none of thousands of numbers or texts."""
    dull = {
        kind
        for kind in set(map(type, items))
        if kind in _NO_PARTS or (not secret and issubclass(kind, _TEXT))
    }
    return (item for item in items if type(item) not in dull)


def _labelled(value: Any) -> Iterator[tuple[str, Any]]:
    """Return the parts of a dict or an object that have names."""
    if isinstance(value, dict | types.MappingProxyType):
        yield from ((_label(key), item) for key, item in value.items())
    elif isinstance(value, tuple):
        fields = getattr(value, "_fields", ())
        yield from zip_longest(map(str, fields), value, fillvalue="")
    if isinstance(value, _CODE):
        return
    with suppress(TypeError):  # it has no `__dict__`
        yield from [(str(key), item) for key, item in vars(value).items()]
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else tuple(slots):
            member = kind.__dict__.get(slot)
            if isinstance(member, types.MemberDescriptorType):
                with suppress(AttributeError):
                    yield slot, member.__get__(value)


def _label(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, bytes):
        return key.decode("latin-1")
    if isinstance(key, enum.Enum):
        return key.name
    return " ".join(map(_label, key)) if type(key) is tuple else ""


@lru_cache(maxsize=10_000)
def _names_secret(name: str) -> bool:
    """Whether something of this name is a secret, however its words are put together.

    >>> _names_secret("dbPassword"), _names_secret("X-API-Keys"), _names_secret("tokenizer")
    (True, True, False)
    """
    words = [word.lower() for word in _WORD.findall(name)]
    words = [word if word.endswith("ss") else word.removesuffix("s") for word in words]
    return not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words))
