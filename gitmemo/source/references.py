"""Which components of the project a component's text refers to, by name.

Not what a call touched (`tracing`): attributes of objects are not followed, but for methods
that a method calls on its own object. Invariant: nothing is imported or run; a name is looked
for where Python would look for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Protocol

from gitmemo.model.components import Component
from gitmemo.source.file import SourceFile
from gitmemo.source.names import NameUse
from gitmemo.source.units import ImportedName, Unit, UnitKind

_LONGEST_WAY = 20


class Files(Protocol):
    """Where parsed files come from: a tree of files, or a running program."""

    def file(self, path: str) -> SourceFile | None:
        """Return a file by its path from the repository's root, None if it is not Python."""
        ...


class References:
    """Follows names through the files of a project."""

    def __init__(self, files: Files, source_roots: Sequence[str] = ("src",)) -> None:
        """`source_roots` are the folders from which modules are imported, besides the root."""
        self._files = files
        self._roots = tuple(source_roots)

    def of(self, component: Component) -> set[Component]:
        """Return what the text of `component` refers to; nothing where it has no text."""
        file = self._files.file(component.path)
        unit = file.unit(component.unit) if file else None
        return self.of_unit(component, unit) if unit else set()

    def of_unit(self, component: Component, unit: Unit) -> set[Component]:
        """Return what a text that `component` has, or had, refers to."""
        found = {t for use in unit.names.uses for t in self.used(component.path, use)}
        found.update(self._own_methods(component, unit))
        return found - {component}

    def used(self, path: str, use: NameUse) -> Iterator[Component]:
        """Yield what a name means that code of a file uses."""
        if use.module:
            for module in self._modules(path, use.module):
                yield from self._named(module, use.chain, 0)
        else:
            yield from self._named(path, use.chain, 0)

    def _named(self, path: str, chain: Sequence[str], depth: int) -> Iterator[Component]:
        """Yield what a chain of names means in the globals of a file."""
        file = self._files.file(path)
        if file is None or not chain or depth > _LONGEST_WAY:
            return
        name = chain[0]
        if f"class {name}" in file.units:
            yield from self._class(path, file, name)
        for unit in (name, f"${name}"):
            if unit in file.units:
                yield Component(path, unit)
        for imported in file.imports.get(name, ()):
            yield from self._imported(path, imported, chain, depth + 1)
        if name not in file.bound:
            for star in file.stars:
                for module in self._modules(path, star):
                    yield from self._named(module, chain, depth + 1)

    def _class(self, path: str, file: SourceFile, name: str) -> Iterator[Component]:
        """Yield a class and its methods: which of them an object is asked for is not seen."""
        yield Component(path, f"class {name}")
        for unit in file.units.values():
            if unit.kind is UnitKind.FUNCTION and unit.name.startswith(f"{name}."):
                yield Component(path, unit.name)

    def _imported(
        self, path: str, imported: ImportedName, chain: Sequence[str], depth: int
    ) -> Iterator[Component]:
        if not imported.name:
            # `import a.b` binds `a`: the module is as much of the chain as names one.
            bound = imported.module.split(".")
            plain = bound[0] == imported.bound
            for length in range(len(chain) - 1, 0, -1):
                name = ".".join(chain[:length] if plain else (imported.module, *chain[1:length]))
                for module in self._modules(path, name):
                    yield from self._named(module, chain[length:], depth)
            return
        onward = (imported.name, *chain[1:])
        for module in self._modules(path, imported.module):
            yield from self._named(module, onward, depth)
        dot = "" if imported.module.endswith(".") else "."
        for module in self._modules(path, f"{imported.module}{dot}{imported.name}"):
            yield from self._named(module, chain[1:], depth)

    def _modules(self, path: str, module: str) -> Iterator[str]:
        """Yield the file of a module as code in `path` would import it, if it is one of ours."""
        folder = PurePosixPath(path).parent
        bare = module.lstrip(".")
        level = len(module) - len(bare)
        if level:
            parents = [folder, *folder.parents]
            roots = parents[level - 1 : level]
        else:
            # A script's own folder is an import root too; a package's folders do no harm.
            named = [PurePosixPath(root) for root in self._roots]
            roots = list(dict.fromkeys([folder, *named, *folder.parents]))
        tail = PurePosixPath(*bare.split(".")) if bare else PurePosixPath()
        for root in roots:
            for file in (f"{root / tail}.py", str(root / tail / "__init__.py")):
                if self._files.file(file) is not None:
                    yield file
                    return

    def _own_methods(self, component: Component, unit: Unit) -> Iterator[Component]:
        """Yield the methods of the same class that a method takes of its first argument."""
        owner = component.unit.rpartition(".")[0]
        file = self._files.file(component.path)
        if not owner or file is None or unit.kind is not UnitKind.FUNCTION:
            return
        for node in unit.nodes:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            arguments = [*node.args.posonlyargs, *node.args.args]
            own = {arguments[0].arg, owner} if arguments else {owner}
            for inner in ast.walk(node):
                if not isinstance(inner, ast.Attribute) or not isinstance(inner.value, ast.Name):
                    continue
                if inner.value.id in own and f"{owner}.{inner.attr}" in file.units:
                    yield Component(component.path, f"{owner}.{inner.attr}")
