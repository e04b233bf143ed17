"""What the program of a repository calls the results of its ops.

Not the columns of a table, which take these names where they are clear (`frames.naming`,
`patterns.naming`), nor the reading of one text (`source.spoken_names`). Invariant: the names follow
from the files of code alone, in a work tree or in a commit; nothing is imported or run.
"""

from __future__ import annotations

import ast
import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from gitmemo.errors import MissingObject, SourceError
from gitmemo.frames.naming import Spoken, nothing_spoken
from gitmemo.git.repository import Layout
from gitmemo.git.searching import code_files_with
from gitmemo.model.components import Component
from gitmemo.source.file import SourceFile
from gitmemo.source.references import References
from gitmemo.source.spoken_names import SpokenNames, Takes
from gitmemo.source.tree import SourceTree
from gitmemo.tracing.project import FOREIGN_FOLDERS, Project
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.revisions import RevisionWorld
from gitmemo.world.view import World

_MOST_FILES = 200
_MOST_BYTES = 1_000_000

_Stamp = tuple[int, int]


class _Place(NamedTuple):
    """Where a name is given; the first of equally frequent names wins."""

    is_elsewhere: bool
    path: str
    line: int


class WorkTreeFiles:
    """The files of a work tree, read again when they change."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, tuple[_Stamp, SourceFile | None]] = {}

    def file(self, path: str) -> SourceFile | None:
        """Return a parsed file, None if there is none, it is not Python or it is large."""
        try:
            seen = os.lstat(self._root / path)
        except (OSError, ValueError):
            return None
        if not S_ISREG(seen.st_mode) or seen.st_size > _MOST_BYTES:
            return None
        stamp = (seen.st_mtime_ns, seen.st_size)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            known = self._known[path] = stamp, self._parsed(path)
        return known[1]

    def _parsed(self, path: str) -> SourceFile | None:
        try:
            return SourceFile.parse((self._root / path).read_bytes(), path)
        except (OSError, SourceError, RecursionError):
            return None


class CommitFiles:
    """The files of a commit."""

    def __init__(self, code: SourceTree) -> None:
        self._code = code

    def file(self, path: str) -> SourceFile | None:
        """Return a parsed file, None if there is none, it is not Python or it is large."""
        try:
            data = self._code.read(path)
            return None if data is None or len(data) > _MOST_BYTES else self._code.file(path)
        except MissingObject:
            return None


def names_in_program(world: World, project: Project | None) -> Spoken:
    """Return what tells what the program of a world calls results: nothing if it is in no repository."""
    if project is not None and isinstance(world, RepositoryWorld):
        return ProgramNames(world.layout, project, None, None).of
    if project is not None and isinstance(world, RevisionWorld):
        return ProgramNames(world.base.layout, project, world.code, world.place.commit).of
    return nothing_spoken


class ProgramNames:
    """Finds what a program calls results, by looking for the calls of ops in its files."""

    def __init__(
        self, layout: Layout, project: Project, code: SourceTree | None, commit: str | None
    ) -> None:
        """`code` are the files of `commit`; None for the work tree, as it is when it is asked."""
        self._layout = layout
        self._project = project
        self._commit = commit
        self._files = WorkTreeFiles(layout.root) if code is None else CommitFiles(code)
        self._references = References(self._files, project.source_roots)
        self._read: dict[str, tuple[SourceFile | None, SpokenNames]] = {}

    def of(self, ops: Mapping[str, int]) -> Mapping[str, Sequence[str]]:
        """Return what results of ops are called, by position; empty where nothing is known.

        `ops` are their names with the numbers of their outputs.
        """
        functions = {op.rpartition(":")[2].rpartition(".")[2] for op in ops}
        paths = self._paths(functions)
        renamed = {
            function
            for path in paths
            for function, op in self._names_in(path).given.items()
            if op in ops
        }
        if not renamed <= functions:  # ops that are not called like their functions
            functions |= renamed
            paths = self._paths(functions)
        found: dict[str, dict[_Place, Takes]] = defaultdict(dict)
        for path in paths:
            for op, own, spoken in self._spoken(path, functions):
                if op in ops and spoken.is_whole == (ops[op] == 1) and len(spoken.names) == ops[op]:
                    found[op][_Place(path != own, path, spoken.line)] = spoken
        return {op: _chosen(places) for op, places in found.items()}

    def _paths(self, functions: Collection[str]) -> list[str]:
        found = code_files_with(self._layout, functions, self._commit, FOREIGN_FOLDERS)
        return found[:_MOST_FILES]

    def _names_in(self, path: str) -> SpokenNames:
        file = self._files.file(path)
        known = self._read.get(path)
        if known is None or known[0] is not file:
            tree = ast.Module([], []) if file is None else file.tree
            known = self._read[path] = file, SpokenNames(tree)
        return known[1]

    def _spoken(self, path: str, functions: Collection[str]) -> Iterator[tuple[str, str, Takes]]:
        """Yield the ops whose results a file names, the files where they are, and the names."""
        for spoken in self._names_in(path).of(functions):
            meant = {one for use in spoken.uses for one in self._references.used(path, use)}
            if len(meant) == 1:  # else it could be another function
                (component,) = meant
                yield self._op(component), component.path, spoken

    def _op(self, component: Component) -> str:
        given = self._names_in(component.path).given.get(component.unit)
        return given or f"{self._project.module_name_of(component.path)}:{component.unit}"


def _chosen(places: Mapping[_Place, Takes]) -> list[str]:
    """Return for each output the most frequent name, of several the first."""
    said = [places[place].names for place in sorted(places)]
    counted = (Counter(filter(None, names)) for names in zip(*said, strict=True))
    return [next((name for name, _ in names.most_common(1)), "") for names in counted]
