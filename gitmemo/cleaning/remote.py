"""Cleaning a remote: what this clone knows to be live there, and who else uses it.

Not the marking and deleting (`remotes.collecting`). Invariant: nothing is marked or deleted before git
remotes were asked for what is new, and never where other repositories push, unless told so; the refs
that are fetched for that are gone afterwards.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitmemo.errors import GitFailed, PusherUnknown, RemoteShared
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout
from gitmemo.hashing.digest import Digest, digest
from gitmemo.history.names import FETCHED_REFS, fetched_folder
from gitmemo.remotes import Remote, RemoteConfig, open_remote
from gitmemo.remotes.collecting import (
    Remains,
    Sweep,
    plan_sweep,
    pushers,
    remains,
    retire,
    sweep,
    unregister,
)
from gitmemo.remotes.parallel import JOBS
from gitmemo.remotes.repacking import Moved
from gitmemo.sync.git_remotes import git_remote
from gitmemo.workspace import Workspace, remote_cache

_USUAL_PORTS = ("", "22", "80", "443", "9418")
_RUN = re.compile(rf"{FETCHED_REFS}/([0-9]{{1,12}})-[0-9a-f]+/.+")
_ABANDONED_S = 2 * 86_400
"""So long after a run began it has ended, or was killed."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Whether git's remotes were asked.

    Attributes:
        failed: What went wrong, None if nothing did.
    """

    remotes: int
    failed: str | None


class RemoteCleaning:
    """The values of one remote, as this clone sees them."""

    def __init__(self, workspace: Workspace, config: RemoteConfig) -> None:
        self._workspace = workspace
        self._remote: Remote = open_remote(config, workspace.root, thorough=True)
        self._cache: Path = remote_cache(workspace.layout, config)

    @contextmanager
    def fetched(self) -> Iterator[Fetched]:
        """Ask git's remotes for records that this clone does not know, and know them in the body.

        Their branches and tags are kept under names of our own meanwhile: no branch, tag or remote
        branch of the user changes or goes, and none of them can stand in the way, as a stale
        `origin/a` does of `origin/a/b`. Afterwards they go, because `git push --mirror` would
        publish them. Each run has names of its own: another one must not lose what it relies on.
        """
        git = Git(self._workspace.layout.root)
        now_s = int(time.time())
        run = f"{now_s}-{secrets.token_hex(4)}"
        _forget_fetched(git, lambda begun_s, _: begun_s < now_s - _ABANDONED_S)
        try:
            yield _all_fetched(git, run)
        finally:
            _forget_fetched(git, lambda _, ref: ref.startswith(f"{FETCHED_REFS}/{run}/"))

    def remains(self) -> Remains:
        """Return what nothing live lies in."""
        return remains(self._remote, self._live, cache=self._cache, jobs=JOBS)

    def retire(self, found: Remains, *, ignore_others: bool) -> tuple[str | None, Moved]:
        """Mark what is dead, once what is live beside it was moved.

        Return the name of the mark, None if all of it is marked, and what was moved.

        Raises:
            RemoteShared: Other repositories push there.
        """
        self._refuse_others(found, ignore_others=ignore_others)
        return retire(self._remote, found, time.time(), cache=self._cache, jobs=JOBS)

    def plan_sweep(self) -> Sweep:
        """Return what was marked long enough ago and is dead still."""
        return plan_sweep(self._remote, self._live, cache=self._cache, jobs=JOBS)

    def sweep(self, found: Sweep, *, ignore_others: bool) -> None:
        """Delete it.

        Raises:
            RemoteShared: Other repositories push there.
        """
        self._refuse_others(self.remains(), ignore_others=ignore_others)
        sweep(self._remote, found)

    def forget(self, repositories: Collection[str], *, only_check: bool) -> None:
        """Take away the notes that these repositories push there.

        Raises:
            PusherUnknown: One of them never said so.
        """
        there = pushers(self._remote)
        for repository in repositories:
            if repository not in there.values():
                known = tuple(sorted(set(there.values())))
                raise PusherUnknown(self._remote.name, repository, known)
        if not only_check:
            unregister(self._remote, [n for n, who in there.items() if who in repositories])

    def others(self, found: Remains) -> tuple[str, ...]:
        """Return the other repositories that push there."""
        us = identity(self._workspace.layout)
        return tuple(user for user in found.users if user != us)

    def _refuse_others(self, found: Remains, *, ignore_others: bool) -> None:
        others = self.others(found)
        if others and not ignore_others:
            raise RemoteShared(self._remote.name, others)

    def _live(self, blobs: frozenset[Digest]) -> frozenset[Digest]:
        from gitmemo.world.named import named  # every push imports this module

        return named(self._workspace.world).live(blobs)


def _all_fetched(git: Git, run: str) -> Fetched:
    if git.try_run("rev-parse", "--is-shallow-repository") == "true":
        return Fetched(0, "this clone is shallow, so it does not know all records")
    names = (git.try_run("remote") or "").split()
    try:
        for name in names:
            _fetch_all(git, run, name)
    except GitFailed as error:
        return Fetched(len(names), error.problem())
    return Fetched(len(names), None)


def _fetch_all(git: Git, run: str, remote: str) -> None:
    """Fetch all branches and tags, also where the clone follows a single branch."""
    ours = fetched_folder(run, remote)
    refspecs = [f"+refs/{kind}/*:{ours}{kind}/*" for kind in ("heads", "tags")]
    # Git would also update the user's remote branches and tags, and as configured prune them.
    only_ours = ("--refmap=", "--no-tags", "--no-prune-tags", "--no-write-fetch-head")
    git.run("fetch", "-q", "--no-prune", *only_ours, "--", remote, *refspecs)


def _forget_fetched(git: Git, is_over: Callable[[int, str], bool]) -> None:
    """Remove the refs of runs that are over, told by when a run began, and those of older versions."""
    for ref in git.run("for-each-ref", "--format=%(refname)", f"{FETCHED_REFS}/").split():
        match = _RUN.fullmatch(ref)
        if match is None or is_over(int(match[1]), ref):
            git.run("update-ref", "-d", ref)


def identity(layout: Layout) -> str:
    """Return what a repository is called on the remotes that it pushes to: where git pushes it.

    The same for all clones of one that spell the address in one of the usual ways; without passwords.
    """
    name = git_remote(layout)
    url = Git(layout.root).try_run("config", "--get", f"remote.{name}.url") if name else None
    if url:
        return plain_address(url, layout.root, socket.gethostname())
    place = digest(str(layout.common_dir).encode()).hex()[:12]
    return f"{layout.root.name} (no git remote, {place})"


def plain_address(url: str, root: Path, machine: str) -> str:
    """Return host and path of a git address; of a path on this machine, which machine.

    Two spellings may count as two, never two repositories as one. That the user `git` of a
    hosting service, and https there, mean one place is the exception.

    >>> here = Path("/home/ann/project"), "lynx"
    >>> plain_address("https://me:secret@example.org/lab/p.git", *here)
    'example.org/lab/p'
    >>> plain_address("git@example.org:lab/p", *here)
    'example.org/lab/p'
    >>> plain_address("ann@example.org:p.git", *here)
    'ann@example.org/p'
    >>> plain_address("ssh://git@example.org:2222/lab/p/", *here)
    'example.org:2222/lab/p'
    >>> plain_address("ssh://ann@example.org/p", *here)
    'ann@example.org//p'
    >>> plain_address("../p.git", *here)
    '/home/ann/p on lynx'
    """
    text = url.strip()
    scheme, has_scheme, rest = text.partition("://")
    if not has_scheme:
        before, colon, path = text.partition(":")
        scheme, rest = "scp" if colon and "/" not in before else "file", f"{before}/{path}"
    if scheme == "file":
        place = root / Path(text.removeprefix("file://")).expanduser()
        return f"{_bare(os.path.normpath(place))} on {machine}"
    server, _, path = rest.partition("/")
    login, _, host_and_port = server.rpartition("@")
    user = "" if scheme.startswith("http") else login.partition(":")[0]
    host, _, port = host_and_port.partition(":")
    if user in ("", "git"):
        path = path.lstrip("/")
    elif scheme != "scp":  # there a path without a slash counts from the home of the user
        path = f"/{path}"
    where = f"{user}@{host}" if user not in ("", "git") else host
    return f"{where}{'' if port in _USUAL_PORTS else f':{port}'}/{_bare(path)}"


def _bare(path: str) -> str:
    return path.rstrip("/").removesuffix(".git").rstrip("/")
