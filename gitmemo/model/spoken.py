"""Components by the names that people write: `path:name`, or the name alone.

Not which components there are: whoever asks gives those that can be meant. Invariant: a name
means one of them, or is refused; it is written with or without `$` and `class`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable

from gitmemo.errors import UnknownComponent
from gitmemo.model.components import Component, names_of, plain_name


def meant(name: str, known: Iterable[Component]) -> Component | None:
    """Return the component that `name` means, None if there is none; the more exact name wins.

    Raises:
        UnknownComponent: It could be any of several.

    >>> known = [Component("lib.py", "$RATE"), Component("lib.py", "C.scale")]
    >>> str(meant("RATE", known)), str(meant("lib.py:RATE", known)), str(meant("scale", known))
    ('lib.py:$RATE', 'lib.py:$RATE', 'lib.py:C.scale')
    """
    found = all_meant(name, known)
    if len(found) > 1:
        raise UnknownComponent(name, tuple(map(str, found)), True)
    return found[0] if found else None


def named(name: str, known: Iterable[Component], *, in_files: bool = False) -> Component:
    """Return the component that `name` means; `in_files` says that `known` are those of files.

    Raises:
        UnknownComponent: There is none, or it could be any of several.
    """
    components = list(known)
    found = meant(name, components)
    if found is None:
        raise UnknownComponent(name, close_to(name, components), False, in_files)
    return found


def all_meant(name: str, known: Iterable[Component]) -> list[Component]:
    """Return all that `name` means equally well, in order."""
    components = sorted(set(known))
    tests: tuple[Callable[[Component], bool], ...] = (
        lambda component: str(component) == name,
        lambda component: component.unit == name,
        lambda component: name in names_of(component),
        lambda component: component.unit.rpartition(".")[2] == name,
    )
    for test in tests:
        found = [component for component in components if test(component)]
        if found:
            return found
    return []


def close_to(name: str, known: Iterable[Component]) -> tuple[str, ...]:
    """Return what `name` may be a typing error of, as it can be typed.

    >>> close_to("RATES", [Component("lib.py", "$RATE")])
    ('lib.py:RATE',)
    """
    import difflib  # only for names that are wrong

    units = {plain_name(component): spoken(component) for component in sorted(known)}
    wanted = plain_name(Component("", name.rpartition(":")[2]))
    return tuple(units[unit] for unit in difflib.get_close_matches(wanted, units, n=3))


def spoken(component: Component) -> str:
    """Return the name that people write: shells read `$` otherwise.

    >>> spoken(Component("lib.py", "$RATE")), spoken(Component("lib.py", "class Model"))
    ('lib.py:RATE', 'lib.py:Model')
    """
    return f"{component.path}:{plain_name(component)}"


def typed(component: Component) -> str:
    """Return the name as it is typed in a shell."""
    return shlex.quote(spoken(component))
