"""Cleaning a remote: what this clone knows to be live there, and who else uses it.

Not the marking and deleting (`remotes.collecting`). Invariant: nothing is marked or deleted before git
remotes were asked for what is new, and never where other repositories push, unless told so.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from gitmemo.errors import GitFailed, RemoteShared
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout
from gitmemo.hashing.digest import Digest, digest
from gitmemo.remotes import Remote, RemoteConfig, open_remote
from gitmemo.remotes.collecting import Remains, Sweep, mark, plan_sweep, remains, sweep
from gitmemo.remotes.parallel import JOBS
from gitmemo.sync import git_remote
from gitmemo.workspace import Workspace, remote_cache
from gitmemo.world.named import named

_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/]*@)?([^/:]*)(?::\d+(?=/))?[:/]*(.*?)/*(?:\.git)?/*"
)


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
        self._remote: Remote = open_remote(config, workspace.root)
        self._cache: Path = remote_cache(workspace.layout, config)

    def fetch(self) -> Fetched:
        """Ask git's remotes for records that this clone does not know; nothing is pruned."""
        git = Git(self._workspace.layout.root)
        if git.try_run("rev-parse", "--is-shallow-repository") == "true":
            return Fetched(0, "this clone is shallow, so it does not know all records")
        names = (git.try_run("remote") or "").split()
        try:
            for name in names:
                # All branches, also where the clone follows a single one.
                branches = f"+refs/heads/*:refs/remotes/{name}/*"
                git.run("fetch", "-q", "--no-prune", "--tags", "--", name, branches)
        except GitFailed as error:
            return Fetched(len(names), error.problem())
        return Fetched(len(names), None)

    def remains(self) -> Remains:
        """Return what nothing live lies in."""
        return remains(self._remote, self._live, cache=self._cache, jobs=JOBS)

    def mark(self, found: Remains, *, ignore_others: bool) -> str | None:
        """Mark what is dead; return the name of the mark, None if all of it is marked.

        Raises:
            RemoteShared: Other repositories push there.
        """
        self._refuse_others(found, ignore_others=ignore_others)
        return mark(self._remote, found.unmarked, time.time()) if found.unmarked else None

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

    def others(self, found: Remains) -> tuple[str, ...]:
        """Return the other repositories that push there."""
        us = identity(self._workspace.layout)
        return tuple(user for user in found.users if user != us)

    def _refuse_others(self, found: Remains, *, ignore_others: bool) -> None:
        others = self.others(found)
        if others and not ignore_others:
            raise RemoteShared(self._remote.name, others)

    def _live(self, blobs: frozenset[Digest]) -> frozenset[Digest]:
        return named(self._workspace.world).live(blobs)


def identity(layout: Layout) -> str:
    """Return what a repository is called on the remotes that it pushes to: where git pushes it.

    The same for all clones of one, however they spell the address; without credentials.
    """
    name = git_remote(layout)
    url = Git(layout.root).try_run("config", "--get", f"remote.{name}.url") if name else None
    if url:
        return plain_address(url)
    place = digest(str(layout.common_dir).encode()).hex()[:12]
    return f"{layout.root.name} (no git remote, {place})"


def plain_address(url: str) -> str:
    """Return host and path of a git address.

    >>> plain_address("https://me:secret@example.org/lab/p.git"), plain_address("git@example.org:lab/p")
    ('example.org/lab/p', 'example.org/lab/p')
    >>> plain_address("ssh://git@example.org:22/lab/p/"), plain_address("/srv/git/p.git")
    ('example.org/lab/p', '/srv/git/p')
    """
    match = _ADDRESS.fullmatch(url.strip())
    if match is None:
        return url
    host, path = match.groups()
    return f"{host}/{path}"
