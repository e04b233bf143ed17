"""What imports name, for modules that are loaded and for those that are not.

Not what is found in a loaded module (`bindings`). Invariant: only files and
`sys.modules` are read; nothing is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType

from gitmemo.source import ImportedName, SourceFile
from gitmemo.tracing.modules import Modules
from gitmemo.tracing.observations import Observations


class Imports:
    """Resolves module names as the project's code would."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._always: dict[str, tuple[int, frozenset[str]]] = {}

    def absolute(self, path: str, module: str) -> str:
        """Return the full name of a module as `path` would import it."""
        if not module.startswith("."):
            return module
        bare = module.lstrip(".")
        level = len(module) - len(bare)
        live = self._modules.module(path)
        package = getattr(live, "__package__", None)
        if package is None:
            package = self._modules.project.module_name_of(path)
            if not path.endswith("__init__.py"):
                package = package.rpartition(".")[0]
        parts = package.split(".")
        parts = parts[: len(parts) - level + 1]
        return ".".join([*parts, bare] if bare else parts)

    def path_of(self, path: str, module: str) -> str | None:
        """Return the path of an own module that code in `path` imports by this name."""
        name = self.absolute(path, module)
        live = sys.modules.get(name)
        if live is not None:
            return self._modules.path_of(live)
        return self._modules.project.path_of_module_name(name)

    def submodule(self, path: str, name: str) -> str | None:
        """Return the path of a package's submodule, imported or not."""
        if not path.endswith("__init__.py"):
            return None
        package = self._modules.project.module_name_of(path)
        return self._modules.project.path_of_module_name(f"{package}.{name}")

    def always_loaded(self, path: str) -> frozenset[str]:
        """Return the paths that are loaded wherever `path` is."""
        known = self._always.get(path)
        if known is None or known[0] != len(sys.modules):
            known = self._always[path] = len(sys.modules), self._always_loaded(path)
        return known[1]

    def _always_loaded(self, path: str) -> frozenset[str]:
        found = {path}
        todo = [path]
        for each in todo:  # it grows
            snapshot = self._modules.snapshot(each)
            for imported in snapshot.file.always_imported if snapshot else ():
                for name in _with_packages(self.absolute(each, imported.module), imported.name):
                    owner = self.path_of(each, name)
                    if owner is not None and owner not in found:
                        found.add(owner)
                        todo.append(owner)
        return frozenset(found)

    def describe(
        self, path: str, chain: tuple[str, ...], seen: Observations, depth: int = 0
    ) -> str:
        """Describe what a chain of names finds in a module that is not loaded, by its text."""
        if not chain:
            return f"module {path}"
        file = self._text(path, seen)
        name = chain[0]
        if file is None or depth > 20:
            return "absent"
        if f"${name}" in file.units:
            return "data"
        if f"class {name}" in file.units:
            return f"class {path}:{name}"
        if name in file.units:
            return f"func {path}:{name}"
        aliases = file.imports.get(name, ())
        for alias in aliases:
            found = self.path_of(path, alias.module)
            if found is None:
                if len(aliases) > 1 and not self._may_be_there(path, alias, seen):
                    continue
                return "foreign " + ".".join(filter(None, (alias.module, alias.name)))
            submodule = self.submodule(path, alias.name) if found == path else None
            if submodule is not None:  # `from . import name`, which is what binds it
                return self.describe(submodule, chain[1:], seen, depth + 1)
            onward = (alias.name, *chain[1:]) if alias.name else chain[1:]
            return self.describe(found, onward, seen, depth + 1)
        for star in file.stars:
            found = self.path_of(path, star)
            description = self.describe(found, chain, seen, depth + 1) if found else "absent"
            if description != "absent":
                return description
        foreign = [star for star in file.stars if self.path_of(path, star) is None]
        if foreign and name not in file.bound:
            return f"foreign {foreign[-1]}.{name}"
        submodule = self.submodule(path, name)
        if submodule is not None:
            return self.describe(submodule, chain[1:], seen, depth + 1)
        return "data" if "__getattr__" in file.units else "absent"

    def _text(self, path: str, seen: Observations) -> SourceFile | None:
        """Return the text that a loaded module was loaded from, of others what the file says now."""
        live = self._modules.module(path)
        if live is None:
            return self._modules.on_disk(path, seen)
        seen.look(vars(live), "__spec__")
        snapshot = self._modules.snapshot(path)
        return snapshot.file if snapshot else None

    def _may_be_there(self, path: str, alias: ImportedName, seen: Observations) -> bool:
        """Whether an import of what is not the project's can succeed, as far as is known so far."""
        name = self.absolute(path, alias.module)
        module = seen.look(sys.modules, name)
        if isinstance(module, ModuleType):
            return not alias.name or hasattr(module, alias.name)
        package = name.partition(".")[0]
        return package in sys.modules or find_spec(package) is not None


def _with_packages(module: str, name: str) -> Iterator[str]:
    """Name what importing loads: packages on the way, and `name` if it is a submodule."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        yield ".".join(parts[:count])
    if name and name != "*":
        yield f"{module}.{name}"
