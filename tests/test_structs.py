"""Dataclasses whose methods are compiled late are those of `dataclasses`, seen from outside."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
import threading
from dataclasses import KW_ONLY, FrozenInstanceError, InitVar, field, replace
from typing import Any, ClassVar

import pytest

from gitmemo import structs


class _Point:
    """A place."""

    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list[str], compare=False)
    hidden: str = field(default="h", repr=False)


class _Checked:
    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("negative")


class _Own:
    n: int

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 7

    def __repr__(self) -> str:
        return "own"


_FLAGS: list[dict[str, bool]] = [
    {},
    {"frozen": True},
    {"slots": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "order": True},
    {"frozen": True, "eq": False},
    {"frozen": True, "repr": False},
]


def _both(plain: type, flags: dict[str, bool]) -> tuple[Any, Any]:
    body = {name: value for name, value in vars(plain).items() if name not in _OF_EACH}
    late: Any = structs.dataclass
    return tuple(
        decorator(**flags)(type(plain.__name__, (), dict(body)))
        for decorator in (late, dataclasses.dataclass)
    )  # type: ignore[return-value]


_OF_EACH = ("__dict__", "__weakref__")


def _outcome(do: Any, *given: Any, **named: Any) -> object:
    try:
        return do(*given, **named)
    except (TypeError, AttributeError, ValueError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("flags", _FLAGS, ids=str)
@pytest.mark.parametrize("plain", [_Point, _Checked, _Own])
def test_every_method_does_what_that_of_dataclasses_does(
    plain: type, flags: dict[str, bool]
) -> None:
    late, known = _both(plain, flags)
    said = []
    for cls in (late, known):
        one, other = cls(1), cls(3)
        same = cls(1)
        said.append(
            [
                _without_address(repr(one)),
                [one == same, one != same, one == other, one == 1],
                _outcome(lambda a=one, b=other: a < b),
                _outcome(lambda a=one, b=same: hash(a) == hash(b)),
                [f.name for f in dataclasses.fields(cls)],
                dataclasses.asdict(one),
                _outcome(setattr, one, next(iter(cls.__annotations__)), 5),
                isinstance(_outcome(setattr, one, "unknown", 5), tuple),
                _outcome(delattr, other, next(iter(cls.__annotations__))),
                _outcome(cls),
                _outcome(cls, 1, 2, 3, 4, 5),
                _outcome(cls, -1) if plain is _Checked else None,
                str(inspect.signature(cls)),
                cls.__match_args__,
                str(cls.__dataclass_params__),
                sorted(set(vars(cls)) - {"__doc__"}),
                dataclasses.asdict(copy.deepcopy(cls(9))),
                dataclasses.asdict(replace(cls(9))),
            ]
        )
    assert said[0] == said[1]


def _without_address(text: str) -> str:
    return text.split(" at 0x")[0]


@structs.dataclass(frozen=True, slots=True)
class _Pickled:
    name: str
    sizes: tuple[int, ...] = ()


def test_frozen_objects_with_slots_are_pickled() -> None:
    assert pickle.loads(pickle.dumps(_Pickled("a", (1, 2)))) == _Pickled("a", (1, 2))
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        _Pickled("a").name = "b"  # type: ignore[misc]


def test_each_object_gets_a_default_of_its_own() -> None:
    late, _ = _both(_Point, {"slots": True})
    first, second = late(1), late(1)
    first.tags.append("t")
    assert (first.tags, second.tags) == (["t"], [])


def test_fields_of_a_base_come_first() -> None:
    @structs.dataclass(frozen=True)
    class Base:
        a: int

    @structs.dataclass(frozen=True)
    class More(Base):
        b: int = 2

    assert repr(More(1)).endswith("More(a=1, b=2)")
    assert More(1) == More(1, 2)


def test_a_subclass_that_is_no_dataclass_has_the_methods_and_may_have_more() -> None:
    @structs.dataclass(frozen=True)
    class Base:
        a: int

    class Sub(Base):
        def __init__(self) -> None:
            super().__init__(5)
            self.__dict__["more"] = 1

    assert Sub().a == 5
    with pytest.raises(FrozenInstanceError):
        Sub().a = 6  # type: ignore[misc]


def test_what_it_would_get_wrong_is_refused() -> None:
    class Shared:
        a: ClassVar[int] = 1

    class Given:
        a: InitVar[int]

    class Named:
        _: KW_ONLY
        a: int

    late: Any = structs.dataclass
    for plain in (Shared, Given, Named):
        with pytest.raises(TypeError, match="take `dataclasses`"):
            late()(plain)


def test_threads_that_meet_at_the_first_object_all_get_one() -> None:
    for _ in range(20):
        late, _ = _both(_Point, {"frozen": True, "slots": True})
        start, made = threading.Barrier(4), []

        def make(late: Any = late, start: Any = start, made: Any = made) -> None:
            start.wait()
            made.append((late(1), hash(late(1))))

        threads = [threading.Thread(target=make) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert len(set(made)) == 1 and len(made) == 4


def test_making_a_class_compiles_nothing() -> None:
    program = (
        "import builtins, dataclasses\nfrom gitmemo.structs import dataclass\n"
        "class Plain:\n 'Doc.'\n a: int\n b: str = ''\n"
        "ran, real = [], builtins.exec\n"
        "builtins.exec = lambda *given: (ran.append(given[0]), real(*given))\n"
        "cls = dataclass(frozen=True, slots=True)(Plain)\n"
        "seen = lambda: sum('__init__' in one for one in ran)\n"
        "print(seen())\ncls(1)\nprint(seen())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "1"]
