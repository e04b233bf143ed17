"""Names of a package that are loaded when they are first used, so that others pay for none of them.

Not what is loaded. Invariant: a name is the same object as in the module that it comes from.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def loader(package: str, **homes: tuple[str, ...]) -> Callable[[str], Any]:
    """Return the `__getattr__` of `package`: of each of its modules, the names to look for in it."""
    home_of = {name: module for module, names in homes.items() for name in names}

    def get(name: str) -> Any:
        home = home_of.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{home}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
