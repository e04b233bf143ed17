"""A repository with gitmemo in it: where it is, how it is set, what it knows.

Not a storage. Invariant: everything that commands and
`gitmemo.open()` need is found from one path with one git process.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gitmemo.config import COMMITTED, Settings, read_settings
from gitmemo.errors import BadSetting, NewerFormat, NotAFile, NotInitialised, RemoteUnknown
from gitmemo.git.repository import Layout, locate

if TYPE_CHECKING:
    from gitmemo.git.objects import ObjectReader
    from gitmemo.hashing.digest import Digest
    from gitmemo.model.components import Component
    from gitmemo.remotes import RemoteConfig
    from gitmemo.source.tree import SourceTree
    from gitmemo.tracing import Project
    from gitmemo.world.repository import RepositoryWorld


@dataclass(frozen=True)
class Workspace:
    """One work tree that gitmemo was initialised in."""

    layout: Layout
    settings: Settings

    @property
    def root(self) -> Path:
        """Top of the work tree: the project root."""
        return self.layout.root

    @cached_property
    def world(self) -> RepositoryWorld:
        """The facts of this work tree."""
        from gitmemo.world.repository import RepositoryWorld

        return RepositoryWorld(self.layout)

    @cached_property
    def project(self) -> Project:
        """Which code is the project's own.

        Raises:
            BadSetting: `depends` names what cannot be a package, a variable or a file.
        """
        from gitmemo.tracing import Project

        return Project(
            self.root,
            source_roots=self.settings.source_roots,
            depends=_depends(self.settings.depends),
        )

    @cached_property
    def code(self) -> SourceTree:
        """The code as the files of the work tree say it."""
        from gitmemo.source.tree import SourceTree

        return SourceTree(self._read, self._identify)

    @cached_property
    def reader(self) -> ObjectReader:
        """The repository's objects."""
        from gitmemo.git.objects import open_reader

        return open_reader(self.layout)

    def remote(self, name: str | None) -> RemoteConfig:
        """Return the remote `name`, or the default one.

        Raises:
            RemoteUnknown: There is no such remote, or no default.
        """
        from gitmemo.remotes import RemoteConfig

        chosen = name or self.settings.default_remote
        table = self.settings.remotes.get(chosen) if chosen else None
        if chosen is None or table is None:
            raise RemoteUnknown(chosen, tuple(self.settings.remotes))
        options = {key: value for key, value in table.items() if key != "url"}
        return RemoteConfig(chosen, table["url"], options)

    def _identify(self, path: str) -> Digest | None:
        from gitmemo.files.seen import content_of

        try:
            return content_of(str(self.root / path)).cid
        except (NotAFile, OSError):
            return None

    def _read(self, path: str) -> bytes | None:
        try:
            return (self.root / path).read_bytes()
        except OSError:
            return None


def _depends(names: Mapping[str, tuple[str, ...]]) -> tuple[Component, ...]:
    from gitmemo.model.externals import named

    found: list[Component] = []
    for key, listed in names.items():
        for name in listed:
            try:
                found += named(**{key: (name,)})
            except ValueError as error:
                raise BadSetting(f"depends.{key}", name, (str(error),)) from None
    return tuple(found)


def find(path: str | os.PathLike[str] = ".") -> Workspace:
    """Return the workspace around `path`.

    Raises:
        NotInRepository: `path` is not in a git work tree.
        NotInitialised: `gitmemo init` was not run there.
        NewerFormat: A newer gitmemo wrote `.gitmemo/`.
    """
    layout = locate(path)
    if not (layout.root / COMMITTED).is_file():
        raise NotInitialised(str(layout.root))
    for newer in sorted((layout.root / ".gitmemo/index").glob("*")):
        if newer.name.isdigit() and newer.name != "1":
            raise NewerFormat(str(newer), newer.name, 1)
    return Workspace(layout, read_settings(layout.root, layout.common_dir))
