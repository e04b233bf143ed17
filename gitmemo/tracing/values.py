"""Value ids of globals, with everything that depends on this checkout taken out.

Not the encoding of values (`gitmemo.hashing`), only what is put in the place
of functions, paths and refs before it. Invariant: a value without any of these
has the id that `content_id` gives it, so that a literal read from a text and
the same literal in a running program agree.
"""

from __future__ import annotations

import contextvars
import copyreg
import functools
import os
import pathlib
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from operator import itemgetter
from typing import Any

from gitmemo.errors import Unhashable
from gitmemo.hashing import content_id, registry
from gitmemo.hashing.digest import Digest, digest
from gitmemo.tracing.foreign import maker_name

_DEEPEST = 60
_MOST_CUT = 5_000  # objects below that level; a state that grows as it is read has no end
_OWN_PACKAGE = "gitmemo"
_ARRAY_PACKAGES = frozenset({"numpy", "pandas", "pyarrow", "polars", "torch", "scipy"})
_NUMBERS = frozenset({int, float, bool, complex, bytes, type(None)})
_HEAP_TYPE = 1 << 9  # a class made by a class statement, not in C

DescribeCode = Callable[[types.FunctionType | type], str | None]
"""Names a function or class of the project; None for any other."""


def is_ours(value: object) -> bool:
    """Whether `value` is an object of gitmemo's own, such as a storage or an op."""
    return type(value).__module__.partition(".")[0] == _OWN_PACKAGE


UNSETTLED = digest(b"a ref to a result that is not there yet")
"""The value id of what holds such a ref. It says nothing, and is never waited for."""


class Unsettled(Exception):
    """A value holds a ref to a result that is not there yet."""


def ref_id(value: object) -> bytes | None:
    """Return the content id that a ref carries, None for anything else.

    It is empty while the result is not there.
    """
    found = getattr(type(value), "__gitmemo_cid__", None) and getattr(
        value, "__gitmemo_cid__", None
    )
    return found if isinstance(found, bytes) else None


def _settled_id(value: object) -> bytes | None:
    cid = ref_id(value)
    if cid == b"":
        raise Unsettled
    return cid


def opaque_id(value: object, source: Digest) -> Digest:
    """Return what stands for a value that cannot be hashed: its type, and how it is written."""
    kind = type(value)
    return digest(f"opaque {kind.__module__}.{kind.__qualname__}".encode() + source)


class ValueIds:
    """Finds value ids under one project root."""

    def __init__(self, root: pathlib.Path | None, describe: DescribeCode) -> None:
        self._root = None if root is None else str(root)
        self._inside = None if root is None else str(root).rstrip(os.sep) + os.sep
        self._describe = describe

    def of(self, value: object) -> Digest:
        """Return the value id; raise `Unhashable` if there is none, `Unsettled` if there is none yet."""
        cid = _settled_id(value)
        if cid is not None:
            return Digest(cid)
        try:
            return content_id(_Standing(self).put(value, 0))
        except (Unhashable, Unsettled):
            raise
        except Exception as error:  # noqa: BLE001 - any object's own __reduce__ may run here
            raise Unhashable(type(value).__qualname__, "", str(error)) from None

    def or_type(self, value: object, source: Digest) -> Digest:
        """Return the value id, or for what cannot be hashed an id of its type and source."""
        try:
            return self.of(value)
        except Unsettled:
            return UNSETTLED
        except Unhashable:
            return opaque_id(value, source)

    def relative(self, text: str) -> str | None:
        """Return a path under the root relative to it, None for any other text."""
        if self._inside is None or self._root is None or not text.startswith(self._root):
            return None
        if text == self._root:
            return "."
        if not text.startswith(self._inside):
            return None
        return text[len(self._inside) :].replace(os.sep, "/")


class _Standing:
    """Replaces what must not be hashed as it is, and nothing else."""

    def __init__(self, ids: ValueIds) -> None:
        self._ids = ids
        self._open: set[int] = set()
        # The object too, so that its id stays taken: one that is shared is taken apart once.
        self._done: dict[int, tuple[object, object]] = {}
        self._cut = 0

    def put(self, value: Any, depth: int) -> object:
        """Return `value` itself, or a plain value that stands for it."""
        kind = type(value)
        if kind is str:
            relative = self._ids.relative(value)
            return value if relative is None else ("project text", relative)
        if value is None or kind in (bool, int, float, complex, bytes):
            return value
        key = id(value)
        done = self._done.get(key)
        if done is not None:
            return done[1]
        if depth > _DEEPEST or key in self._open or self._cut > _MOST_CUT:
            self._cut += depth > _DEEPEST
            return value
        self._open.add(key)
        try:
            standing = self._put(value, kind, depth + 1)
        finally:
            self._open.discard(key)
        self._done[key] = value, standing
        return standing

    def _put(self, value: Any, kind: type, depth: int) -> object:
        if kind is dict:
            return self._mapping(value, depth)
        if kind in (list, tuple, set, frozenset) and self._is_flat(value):
            return value
        if kind in (list, tuple):
            items = [self.put(item, depth) for item in value]
            return value if _same(items, value) else kind(items)
        if kind in (set, frozenset):
            items = [self.put(item, depth) for item in value]
            return value if _same(items, value) else ("set of", kind.__name__, _sorted(items))
        if isinstance(value, pathlib.PurePath):
            relative = self._ids.relative(str(value))
            return value if relative is None else ("project path", relative)
        table = registrations(value)
        if table is not None:
            parts = [(self.put(k, depth), self.put(v, depth)) for k, v in table.items()]
            return ("dispatch", _sorted(parts))
        if isinstance(value, types.FunctionType | type):
            return self._code(value, depth)
        return self._object(value, kind, depth)

    def _is_flat(self, items: Collection[Any]) -> bool:
        """Whether there is nothing but numbers and texts that are no paths of ours; for long lists."""
        kinds = set(map(type, items))
        if kinds <= _NUMBERS:
            return True
        if not kinds <= _NUMBERS | {str}:
            return False
        relative = self._ids.relative
        return not any(type(item) is str and relative(item) is not None for item in items)

    def _mapping(self, value: dict[Any, Any], depth: int) -> object:
        if self._is_flat(value) and self._is_flat(value.values()):
            return value
        keys = [self.put(key, depth) for key in value]
        items = [self.put(item, depth) for item in value.values()]
        if _same(keys, value) and _same(items, value.values()):
            return value
        return ("mapping", list(zip(keys, items, strict=True)))

    def _code(self, value: types.FunctionType | type, depth: int) -> object:
        name = self._ids._describe(value)
        if name is None and isinstance(value, types.FunctionType):
            name = maker_name(value)
        if name is None:
            return value
        if isinstance(value, type):
            return ("class", name, *self._members(value, depth))
        cells = [self.put(cell_contents(cell), depth) for cell in value.__closure__ or ()]
        attributes = {k: v for k, v in vars(value).items() if k != "__wrapped__"}
        extras = [cells, value.__defaults__, value.__kwdefaults__, attributes]
        return ("function", name, [self.put(extra, depth) for extra in extras])

    def _reduced(self, value: Any, kind: type, depth: int) -> object:
        """Look into an object as pickle would; it stays as it is unless there is something to replace."""
        if kind.__module__.partition(".")[0] in _ARRAY_PACKAGES or has_hasher(kind):
            return value
        try:
            reduced: Any = copyreg.dispatch_table.get(kind, _default_reduce)(value)
        except Exception:  # noqa: BLE001 - any object's own __reduce__; content_id will say what is wrong
            return value
        if not isinstance(reduced, tuple) or len(reduced) > 6:
            return value
        parts = [list(p) if n in (3, 4) and p is not None else p for n, p in enumerate(reduced)]
        replaced = [self.put(part, depth) for part in parts[1:]]
        if _same(replaced, parts[1:]):
            return value
        return ("object", self.put(kind, depth), replaced)

    def _members(self, value: type, depth: int) -> list[object]:
        """What tells one class made by a function from the next."""
        if not is_made_by_function(value):
            return []
        held = [(k, v) for k, v in vars(value).items() if not k.startswith("__")]
        kinds = (types.FunctionType, int, float, str, bytes, tuple, list, dict, types.NoneType)
        return [
            (k, self.put(v, depth))
            for k, v in sorted(held, key=itemgetter(0))
            if isinstance(v, kinds)
        ]

    def _object(self, value: Any, kind: type, depth: int) -> object:
        cid = _settled_id(value)
        if cid is not None:
            return ("ref", cid)
        if is_ours(value):
            inner = getattr(value, "__wrapped__", None)
            return ("gitmemo",) if inner is None else self.put(inner, depth)
        if isinstance(value, property):  # by its functions' sources: bytecode is of one Python
            functions = (value.fget, value.fset, value.fdel)
            return ("property", *(self.put(one, depth) for one in functions))
        if isinstance(value, functools.cached_property):
            return ("cached property", self.put(value.func, depth))
        if isinstance(value, types.MethodType):
            return ("method", self.put(value.__func__, depth), self.put(value.__self__, depth))
        if isinstance(value, functools.partial):
            parts = (value.func, value.args, value.keywords)
            return ("partial", *(self.put(part, depth) for part in parts))
        if isinstance(value, contextvars.ContextVar):
            return ("context variable", value.name, self.put(value.get(None), depth))
        if isinstance(value, types.ModuleType):
            return ("module", value.__name__)
        inner = wrapped(value)
        if isinstance(inner, types.FunctionType):
            if self._ids._describe(kind) is None:
                # functools' caches above all: what they have cached is no input.
                return ("wraps", self.put(inner, depth))
            state = {k: v for k, v in vars(value).items() if k != "__wrapped__"}
            return ("wraps", self.put(inner, depth), self.put(state, depth))
        return self._instance(value, kind, depth)

    def _instance(self, value: Any, kind: type, depth: int) -> object:
        """Take apart an instance of a class of the project: its module's name may vary."""
        name = self._ids._describe(kind)
        if name is None or not _is_plain(kind):
            return self._reduced(value, kind, depth)
        state = dict(vars(value)) if kind.__dictoffset__ else {}
        for slot in _slots(kind):
            state[slot] = _slot(value, slot)
        for key in [
            k for k in state if isinstance(getattr(kind, k, None), functools.cached_property)
        ]:
            del state[key]
        return ("instance", name, [(k, self.put(state[k], depth)) for k in sorted(state)])


def registrations(value: object) -> Mapping[Any, Any] | None:
    """Return what is registered with a dispatching function or method, by class; else None."""
    if isinstance(value, functools.singledispatchmethod):
        value = value.dispatcher
    if not isinstance(value, types.FunctionType):
        return None
    found = vars(value).get("registry")
    # Of `functools.singledispatch`; a plain dict is what the project itself calls so.
    return found if isinstance(found, types.MappingProxyType) else None


def attributes(value: object) -> object:
    """Return the `__dict__` of `value`, None if it has none or does not let us look."""
    try:
        return getattr(value, "__dict__", None)
    except Exception:  # noqa: BLE001 - proxies raise what they like when there is nothing behind them
        return None


def wrapped(value: object) -> object:
    """Return what `value` says it wraps, None if nothing."""
    try:
        return getattr(value, "__wrapped__", None)
    except Exception:  # noqa: BLE001 - proxies raise what they like when there is nothing behind them
        return None


def _default_reduce(value: Any) -> object:
    return value.__reduce_ex__(4)


def is_made_by_function(kind: object) -> bool:
    """Whether a class statement inside a function made this class."""
    return isinstance(kind, type) and "<locals>" in kind.__qualname__


def cell_contents(cell: types.CellType) -> object:
    """Return what a closure holds, a fixed word for a cell not filled yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return "<empty cell>"


def _same(new: Any, old: Any) -> bool:
    return all(a is b for a, b in zip(new, old, strict=True))


def _sorted(items: Iterable[object]) -> list[Digest]:
    return sorted(content_id(item) for item in items)


def _slots(kind: type) -> list[str]:
    names: list[str] = []
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        names.extend([slots] if isinstance(slots, str) else slots)
    return [name for name in names if name not in ("__dict__", "__weakref__")]


def _slot(value: object, name: str) -> object:
    try:
        return object.__getattribute__(value, name)  # never what a `__getattr__` makes up
    except AttributeError:
        return "<unset>"


def _is_plain(kind: type) -> bool:
    """Whether instances are their attributes and nothing more, as far as hashing is concerned."""
    special = ("__reduce_ex__", "__reduce__", "__getstate__", "__gitmemo_hash__")
    return (
        not any(name in vars(base) for base in kind.__mro__[:-1] for name in special)
        and all(base.__flags__ & _HEAP_TYPE for base in kind.__mro__[:-1])
        and not has_hasher(kind)
    )


def has_hasher(kind: type) -> bool:
    """Whether someone has said how objects of this type are hashed."""
    return registry.handler_for(kind) is not registry.handler_for(_Anything)


class _Anything:
    """A type without any rule of its own."""
