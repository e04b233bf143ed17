"""A worker that does not see the driver's folder: its own clone, and what it sends back of a call.

Not how it is found out, nor what the driver does then (`meeting`). Invariant: the bytes of a call are
on the remote before its record is sent back, and all that the record names is sent with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from gitmemo.config import own_clone
from gitmemo.errors import (
    GitmemoError,
    NotCheckedOut,
    NotInitialised,
    NotInRepository,
    WorkersApart,
)
from gitmemo.git.cli import Git
from gitmemo.hashing.digest import Digest, digest
from gitmemo.memo.opening import moved
from gitmemo.memo.parallel.handshake import code_of, place_of_here
from gitmemo.memo.parallel.mains import Main
from gitmemo.memo.parallel.meeting import SIGNS, Meeting, first_commits, send
from gitmemo.model.facts import Call, Fact, Source, Text, Version, referenced_cids
from gitmemo.model.lines import to_line
from gitmemo.workspace import Workspace, find
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.view import values_behind

if TYPE_CHECKING:
    from gitmemo.memo.storage import Storage
    from gitmemo.remotes import RemoteConfig


class OwnClone:
    """The clone in which a worker works for a driver whose folder it does not see.

    Attributes:
        root: Its work tree.
    """

    def __init__(self, meeting: Meeting) -> None:
        """Find it: by `GITMEMO_PROJECT`, or around the current folder.

        Raises:
            WorkersApart: There is none, it is one of another project, or its remote is another place.
        """
        self._meeting = meeting
        self._workspace = workspace = _found()
        self.root = workspace.root.resolve()
        commits = Git(self.root).try_run("cat-file", "-e", f"{meeting.commit}^{{commit}}")
        if commits is None and meeting.roots.isdisjoint(first_commits(self.root)):
            reason = f"its own repository {self.root} has another history"
            raise _apart(reason, "let GITMEMO_PROJECT name a clone of the program's repository")
        self._remote = _met(workspace, meeting)
        self._sent: set[Digest] = set()
        self._versions: dict[Digest, tuple[str, ...]] = {}

    def main(self, main: Main) -> Main:
        """Return the driver's main script as a file of this clone, if it is one of the project."""
        return main if main.file is None else replace(main, file=self.path(main.file))

    def path(self, path: str) -> str:
        """Return what a path of the driver is called in this clone."""
        there = Path(self._meeting.root)
        for known in (Path(path), Path(path).absolute()):
            if known.is_relative_to(there):
                return str(self.root / known.relative_to(there))
        return path

    def lines(self, storage: Storage, call: Call, made: Iterable[Call]) -> Iterator[str]:
        """Send the values of a call, and of those inside of it, to the remote; yield all their facts.

        `made` are the calls that were recorded just now.
        """
        world = storage.world
        assert isinstance(world, RepositoryWorld)
        calls = [*_within(world, call, made), call]
        values = values_behind(world, referenced_cids(calls))
        unsent = [value for value in values if value.blob not in self._sent]
        self._sent |= send(storage, self._workspace, self._remote, unsent)
        for version in dict.fromkeys(one.version for one in calls if one.version):
            yield from self._version(storage, version)
        yield from map(to_line, values)
        yield from map(to_line, calls)

    def _version(self, storage: Storage, ident: Digest) -> tuple[str, ...]:
        """Return the lines of a version and of its sources.

        They go with every call: what came back before it may have been lost.
        """
        if ident not in self._versions:
            version = storage.world.version(ident)
            facts = [] if version is None else [*_sources(storage, version), version]
            self._versions[ident] = tuple(map(to_line, facts))
        return self._versions[ident]


_INSIDE = "gitmemo-project:"
"""How the file of code begins that is on its way to a worker with a clone of its own."""


def code_as_sent(code: CodeType, root: str) -> tuple[Any, ...] | None:
    """Return how to pickle code of a file below `root`: there it is of the worker's own file."""
    path = Path(code.co_filename)
    if not path.is_relative_to(root):
        return None
    inside = code.replace(co_filename=f"{_INSIDE}{path.relative_to(root)}")
    return _code_here, (inside, root)


def _code_here(code: CodeType, root: str) -> CodeType:
    there = moved.get()
    base = Path(root) if there is None else there[1]
    return code.replace(co_filename=str(base / code.co_filename.removeprefix(_INSIDE)))


def _sources(storage: Storage, version: Version) -> Iterator[Fact]:
    for component, content in version.pairs.items():
        text = storage.world.text(component, content.source)
        if text is None:  # the journal in which it is was not read yet
            code = code_of(storage)
            text = code.text(component, content) if code is not None else ""
        yield Text(text)
        yield Source(component, content.source, digest(text.encode("utf-8")))


def _within(world: RepositoryWorld, call: Call, made: Iterable[Call]) -> list[Call]:
    """Return the calls inside of a call, at any depth."""
    known = {one.hid: one for one in made}
    found: dict[Digest, Call] = {}
    todo = [call]
    while todo:
        wanted = {hid for one in todo for hid in one.inner if hid not in found and hid != call.hid}
        absent = wanted - known.keys()
        if absent:  # they were stored before: nobody noted them
            known |= {one.hid: one for one in world.calls_with_hids(absent)}
        todo = [known[hid] for hid in sorted(wanted) if hid in known]
        found |= {one.hid: one for one in todo}
    return list(found.values())


def _found() -> Workspace:
    path = own_clone()
    try:
        return find(path)
    except (NotInRepository, NotInitialised, NotCheckedOut) as error:
        where = str(Path(path).absolute())
        reason = f"and in {where} is no clone of the project: {error.problem()}"
        advice = "start workers in a clone, or let GITMEMO_PROJECT name one in their environment"
        raise _apart(reason, advice) from error


def _met(workspace: Workspace, meeting: Meeting) -> RemoteConfig:
    """Return the remote of this clone that leads where the driver's does."""
    try:
        config = workspace.remote(meeting.remote)
    except GitmemoError as error:
        reason = f"its clone cannot use the remote {meeting.remote!r}: {error.problem()}"
        raise _apart(reason, error.remedy()) from error
    if config.protocol is not None:
        if config.true_address == meeting.address:
            return config
        reason = f"the remote {meeting.remote!r} of its clone leads elsewhere"
        raise _apart(reason, "let the clone have the commit that the program has")
    if not meeting.sign or not (config.folder / SIGNS / meeting.sign).is_file():
        reason = f"the remote {meeting.remote!r} is a directory, and {config.folder} is not the same there"
        said = "gitmemo remote modify --local NAME --url PATH"
        advice = f"mount one directory in both ({said}), or use a bucket"
        raise _apart(reason, advice)
    return config


def _apart(reason: str, advice: str) -> WorkersApart:
    return WorkersApart(place_of_here()[0], reason, advice)
