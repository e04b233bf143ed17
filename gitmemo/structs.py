"""The decorator `dataclass`, with methods that are compiled when one of them is first used.

Not another kind of class: fields, methods, signature and pickles are those of `dataclasses`, and
type checkers see that one. Invariant: after its first use a class is as `dataclasses` makes it.

`dataclasses` compiles six methods for each frozen class, which takes 0.4 ms, and a command uses few
of those that it imports. Classes that are rare here are made at once: those with fields of a base,
or with fields that are not given, or only by name. `ClassVar`, `InitVar` and `KW_ONLY` are refused.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(
        cls: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        eq: bool = True,
        order: bool = False,
        repr: bool = True,
    ) -> Any:
        """Make a class a dataclass, as `dataclasses.dataclass` does."""
        said = {"frozen": frozen, "eq": eq, "order": order, "repr": repr}

        def made(cls: type) -> type:
            if _is_special(cls):
                return dataclasses.dataclass(slots=slots, **said)(cls)
            return _made(cls, slots, said)

        return made if cls is None else made(cls)


class _Factory:
    """The default of an argument that has a new value for each object."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()


def _is_special(cls: type) -> bool:
    """Whether a class has fields of a base, or such as are not given, or only by name."""
    fields = [one for one in vars(cls).values() if isinstance(one, dataclasses.Field)]
    return any(dataclasses.is_dataclass(base) for base in cls.__bases__) or any(
        not field.init or field.kw_only is True for field in fields
    )


def _made(cls: type, slots: bool, said: dict[str, bool]) -> Any:
    own = set(vars(cls))
    if vars(cls).get("__hash__") is None:  # Python says so where there is an `__eq__`
        own.discard("__hash__")
    doc, cls.__doc__ = cls.__doc__, cls.__doc__ or "Made."  # else it looks for a signature: 10 ms
    made: Any = dataclasses.dataclass(init=False, eq=False, repr=False, slots=slots)(cls)
    made.__doc__ = doc
    fields = dataclasses.fields(made)
    if len(fields) < len(made.__dataclass_fields__) or any(field.kw_only for field in fields):
        raise TypeError(f"{cls.__name__}: take `dataclasses` for ClassVar, InitVar and KW_ONLY")
    for flag, value in {**said, "init": True}.items():
        setattr(made.__dataclass_params__, flag, value)
    names = ["__init__"]
    names += ["__repr__"] if said["repr"] else []
    names += ["__eq__"] if said["eq"] else []
    names += ["__lt__", "__le__", "__gt__", "__ge__"] if said["order"] else []
    if said["eq"] and said["frozen"]:
        names.append("__hash__")
    elif said["eq"] and "__hash__" not in own:
        made.__hash__ = None
    late = [name for name in names if name not in own]
    for name in late:
        setattr(made, name, _Late(made, name, late))
    if said["frozen"]:
        _freeze(made, has_slots=slots, own=own)
    return made


class _Late:
    """Stands for a method until somebody looks it up; then it is compiled."""

    __slots__ = ("_cls", "_late", "_name")

    def __init__(self, cls: type, name: str, late: list[str]) -> None:
        self._cls = cls
        self._name = name
        self._late = late

    def __get__(self, instance: object, owner: type) -> Any:
        # Two threads may do so at once: they put in the same.
        if self._name == "__init__":
            _compile_init(self._cls)
        else:
            _compile_rest(self._cls, self._late)
        return vars(self._cls)[self._name].__get__(instance, owner)


def _compile_init(cls: Any) -> None:
    """Put in the method that nearly every class needs; alone it is compiled in a sixth of the time."""
    given: dict[str, Any] = {"_set": object.__setattr__}
    arguments, lines = ["self"], []
    for name, field in cls.__dataclass_fields__.items():
        value = name
        if field.default is not dataclasses.MISSING:
            given[f"_of_{name}"] = field.default
            arguments.append(f"{name}=_of_{name}")
        elif field.default_factory is not dataclasses.MISSING:
            given[f"_of_{name}"] = field.default_factory
            given["_factory"] = _FACTORY
            arguments.append(f"{name}=_factory")
            value = f"_of_{name}() if {name} is _factory else {name}"
        else:
            arguments.append(name)
        is_frozen = cls.__dataclass_params__.frozen
        lines.append(f"_set(self, {name!r}, {value})" if is_frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    body = "\n ".join(lines) or "pass"
    exec(f"def __init__({', '.join(arguments)}):\n {body}", given)
    init = given["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__module__ = cls.__module__
    types = {name: field.type for name, field in cls.__dataclass_fields__.items()}
    init.__annotations__ = {**types, "return": None}
    cls.__init__ = init


def _compile_rest(cls: Any, late: list[str]) -> None:
    """Put in the other methods, as `dataclasses` makes them for a class with these fields."""
    fields = cls.__dataclass_fields__
    body: dict[str, Any] = {"__annotations__": {name: field.type for name, field in fields.items()}}
    body |= fields
    body |= {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": "Like it."}
    params = cls.__dataclass_params__
    like: type = dataclasses.dataclass(
        init=False,
        eq=params.eq,
        order=params.order,
        repr=params.repr,
        unsafe_hash=params.eq and params.frozen,
    )(type(cls.__name__, (), body))
    for name in late:
        if name != "__init__":
            setattr(cls, name, vars(like)[name])


def _freeze(cls: Any, *, has_slots: bool, own: set[str]) -> None:
    """Refuse to assign to fields, and let objects with slots be pickled all the same."""
    names = frozenset(cls.__dataclass_fields__)

    def set_(self: object, name: str, value: object) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def delete(self: object, name: str) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    cls.__setattr__ = set_
    cls.__delattr__ = delete
    if has_slots:
        for name, method in (("__getstate__", _state), ("__setstate__", _restore)):
            if name not in own:
                setattr(cls, name, method)


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
