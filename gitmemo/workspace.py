"""A repository with gitmemo in it: where it is, how it is set, what it knows.

Not a storage. Invariant: everything that commands and
`gitmemo.open()` need is found from one path, with one git process at most.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gitmemo.config import COMMITTED, Settings, read_settings, settings_in, signing_key_given
from gitmemo.errors import (
    BadSetting,
    NewerFormat,
    NotAFile,
    NotInitialised,
    RangeGiven,
    RemoteUnknown,
    UnknownRevision,
)
from gitmemo.git.checked_out import refuse_left_out, refuse_lost
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, locate
from gitmemo.plain_files import refuse_links

if TYPE_CHECKING:
    from gitmemo.errors import SegmentUnreadable
    from gitmemo.git.objects import ObjectReader
    from gitmemo.hashing.digest import Digest
    from gitmemo.model.components import Component
    from gitmemo.remotes import RemoteConfig
    from gitmemo.signing_keys import KeyRing
    from gitmemo.source.tree import SourceTree
    from gitmemo.tracing import Project
    from gitmemo.world.repository import RepositoryWorld
    from gitmemo.world.revisions import RevisionWorld


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
            RemoteInvalid: Its settings make no sense, or what is committed of it holds a secret.
            RemoteNotPlain: What is committed of it may be said by this clone alone.
            RemoteMoved: What this clone says of it was said for another address.
        """
        from gitmemo.remote_tables import refuse_moved
        from gitmemo.remotes import RemoteConfig

        settings = self.settings
        chosen = name or settings.default_remote
        if chosen is None or chosen not in settings.remotes:
            raise RemoteUnknown(chosen, tuple(settings.remotes))
        committed = settings.committed_remotes.get(chosen, {})
        own = settings.own_remotes.get(chosen, {})
        config = RemoteConfig.of(chosen, committed, own, self.root)
        refuse_moved(chosen, committed, own, settings.meant_for.get(chosen))
        return config

    def trusts(self, config: RemoteConfig) -> bool:
        """Whether the place where a remote lies is trusted in this clone, under whatever name."""
        return config.true_address in self.settings.trusted.values()

    def keys(self, name: str) -> KeyRing:
        """Return the keys for values on the remote `name`.

        Raises:
            KeyUnusable: One of them cannot be read.
        """
        from gitmemo.signing_keys import KeyTable, ring

        return ring(self.settings.keys.get(name, KeyTable()), signing_key_given())

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


def remote_cache(layout: Layout, config: RemoteConfig) -> Path:
    """Return the folder where it is noted what was seen on a remote."""
    return layout.private_dir / "remotes" / config.name


def find(path: str | os.PathLike[str] = ".") -> Workspace:
    """Return the workspace around `path`.

    Raises:
        NotInRepository: `path` is not in a git work tree.
        NotInitialised: `gitmemo init` was not run there.
        NotCheckedOut: The settings or the committed index are not in the work tree.
        NewerFormat: A newer gitmemo wrote `.gitmemo/`.
        LinkInside: `.gitmemo` or the settings in it are a symbolic link.
    """
    layout = locate(path)
    refuse_links(layout.root, COMMITTED)
    if not (layout.root / COMMITTED).is_file():
        refuse_lost(layout, COMMITTED)
        raise NotInitialised(str(layout.root), _is_set_up(layout))
    refuse_newer(layout)
    refuse_left_out(layout, ".gitmemo/index")
    return Workspace(layout, read_settings(layout.root, layout.common_dir))


def refuse_newer(layout: Layout) -> None:
    """Refuse a work tree with records that this gitmemo cannot read.

    Raises:
        NewerFormat: Names their folder.
    """
    folder = layout.root / ".gitmemo/index"
    try:
        found = sorted(os.listdir(folder))
    except OSError:  # nothing was committed yet
        return
    for name in found:
        if name.isdigit() and name != "1":
            raise NewerFormat(str(folder / name), name, 1)


def _is_set_up(layout: Layout) -> bool:
    """Whether gitmemo was set up in this clone, though what is looked at knows nothing of it."""
    from gitmemo.git.hookfiles import is_installed

    return layout.private_dir.is_dir() or is_installed(layout)


@dataclass(frozen=True)
class View:
    """A world to look at, and the code that judges its calls: the work tree's, or a revision's.

    Attributes:
        rev: What the revision was called; None for the work tree.
        world: Entered: it shows what is there now.
    """

    workspace: Workspace
    rev: str | None
    world: RepositoryWorld | RevisionWorld
    code: SourceTree

    @property
    def project(self) -> Project:
        """Which code is the project's own."""
        return self.workspace.project

    @property
    def base(self) -> RepositoryWorld:
        """The world of the repository, whose index this one reads."""
        return self.workspace.world

    @property
    def left_out(self) -> tuple[SegmentUnreadable, ...]:
        """What is wrong with the segments that were left out."""
        return self.base.files.left_out

    @property
    def later(self) -> frozenset[Digest]:
        """The history ids of the calls that are shown and were committed after the revision."""
        if self.rev is None:
            return frozenset()
        from gitmemo.world.revisions import RevisionWorld

        world = self.world
        return world.later.hids if isinstance(world, RevisionWorld) else frozenset()

    @property
    def later_numbers(self) -> set[int]:
        """The numbers of the same calls in the index."""
        if self.rev is None:
            return set()
        from gitmemo.world.revisions import RevisionWorld

        world = self.world
        return set(world.later.numbers) if isinstance(world, RevisionWorld) else set()


def look(
    path: str | os.PathLike[str] = ".",
    rev: str | None = None,
    *,
    later: bool = True,
    beside: View | None = None,
    lenient: bool = False,
) -> View:
    """Return what there is to see around `path`: in the work tree, or in the revision `rev`.

    A revision needs no work tree: the repository may be bare, and what is checked out may know
    nothing of gitmemo. `later` also shows calls of its code that were committed later. The same
    facts have the same numbers in what is looked at `beside` another view of the repository.
    A `lenient` look leaves damaged segments out: never to reuse a call, for what people said of
    the code may be in them.

    Raises:
        NotInRepository, NotInitialised, NewerFormat: As `find`, for the revision.
        UnknownRevision, RangeGiven: `rev` names no commit, or many.
        SegmentUnreadable: A segment is damaged, or spilled and not here, and the look is not lenient.
    """
    if rev is None:
        workspace = find(path)
        workspace.world.files.is_lenient = lenient
        workspace.world.enter()
        return View(workspace, None, workspace.world, workspace.code)
    from gitmemo.git.objects import open_reader
    from gitmemo.world.revisions import RevisionWorld

    layout = locate(path)
    reader = open_reader(layout)
    commit = commit_of(layout, reader, rev)
    workspace = Workspace(layout, _settings_at(layout, reader, commit, rev))
    workspace.__dict__["reader"] = reader  # as `cached_property` keeps it
    if beside is not None:
        workspace.__dict__["world"] = beside.base
    workspace.world.files.is_lenient = lenient
    world = RevisionWorld(workspace.world, reader, commit, rev, later=later)
    world.enter()
    return View(workspace, rev, world, world.code)


def commit_of(layout: Layout, reader: ObjectReader, rev: str) -> str:
    """Return the commit that `rev` names.

    Raises:
        UnknownRevision: It names none; with what git says of it.
        RangeGiven: It is a range of commits.
    """
    commit = reader.resolve(rev)
    if commit is not None:
        return commit
    if ".." in rev:
        raise RangeGiven(rev)
    raise UnknownRevision(rev, _git_says(layout, rev), bool(reader.shallow))


def _git_says(layout: Layout, rev: str) -> str:
    """Return why git finds no commit under a name."""
    git = Git(layout.root)
    checks = (
        ("rev-parse", "--verify", "--end-of-options", f"{rev}^{{commit}}"),
        ("rev-list", "--max-count=1", "--end-of-options", rev, "--"),
    )
    for check in checks if rev else ():
        said = git.process(*check).stderr.decode("utf-8", "replace").splitlines()
        first = said[0].partition(": ")[2] if said else ""
        if first and first != "Needed a single revision":
            return first
    kind = git.try_run("cat-file", "-t", rev) if rev else None
    return f"it is a {kind}" if kind else "the name is empty" if not rev else ""


def _settings_at(layout: Layout, reader: ObjectReader, commit: str, rev: str) -> Settings:
    """Return the settings of a revision; where values are shared is what the work tree says."""
    committed = reader.read(commit, COMMITTED)
    is_here = not layout.bare and (layout.root / COMMITTED).is_file()
    if committed is None and not is_here:
        raise NotInitialised(str(layout.root), _is_set_up(layout), rev)
    here = read_settings(layout.root, layout.common_dir) if is_here else None
    if committed is None:
        assert here is not None
        return here
    then = settings_in(committed, layout.common_dir)
    if here is None:
        return then
    return replace(
        then,
        remotes=here.remotes,
        committed_remotes=here.committed_remotes,
        own_remotes=here.own_remotes,
        default_remote=here.default_remote,
        lazy_pull=here.lazy_pull,
    )
