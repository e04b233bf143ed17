"""Workers that do not see the driver's folder: how they prove it, and where both leave values.

Not what such a worker does (`apart`). Invariant: a folder counts as shared only where a file with a
random name is seen that the driver left in it for this work; the same path proves nothing.
"""

from __future__ import annotations

import os
import secrets
import time
import weakref
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitmemo.errors import RemoteUnknown, WorkersApart
from gitmemo.git.cli import Git
from gitmemo.hashing.digest import Digest
from gitmemo.memo.clone_trust import CloneTrust
from gitmemo.model.facts import Value
from gitmemo.workspace import Workspace, find, remote_cache
from gitmemo.world.repository import RepositoryWorld

if TYPE_CHECKING:
    from gitmemo.memo.storage import Storage
    from gitmemo.remotes import RemoteConfig

SIGNS = "workers"
"""The folder for signs: beside the journals, beside a file, in the directory of a remote."""
_LITTER_S = 90 * 24 * 3600
"""Seconds after which a sign is nobody's any more: what left it was killed."""


@dataclass(frozen=True, slots=True)
class Apart:
    """A call that was not made: the worker does not see the driver's folder, and knew nothing else.

    Attributes:
        lines: Where the values are that the call needs, as facts.
    """

    number: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reported:
    """A call that is stored where the driver does not see it: the lines of all that is known of it.

    Its own line is the last. The bytes of its values are on the remote.
    """

    number: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a worker without the driver's folder needs to know.

    Attributes:
        root: The driver's work tree, whose paths stand for those of the worker's clone.
        commit: What is checked out there.
        roots: The first commits of its history.
        remote: The name of its default remote.
        address: Where that leads; empty for a directory.
        sign: The name of a file that the driver left in it, if it is a directory.
    """

    root: str
    commit: str
    roots: frozenset[str]
    remote: str
    address: str
    sign: str


def leave_sign(storage: Storage, owner: object) -> str:
    """Leave a file where only those see it who see this storage; it is there as long as `owner`."""
    world = storage.world
    if isinstance(world, RepositoryWorld):
        folder = world.layout.private_dir / SIGNS
    else:
        _, (path, *_) = storage._address()
        folder = Path(f"{path}-{SIGNS}")
    return str(_left(folder, owner))


def is_seen(sign: str) -> bool:
    """Whether a sign is seen from here; where none was left, everybody shares the folder."""
    return not sign or os.path.lexists(sign)


def _left(folder: Path, owner: object) -> Path:
    sign = folder / f"worker-{secrets.token_hex(16)}"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("worker-*"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _LITTER_S:
                old.unlink()
    sign.touch()
    weakref.finalize(owner, _remove, sign, os.getpid())
    return sign


def _remove(sign: Path, pid: int) -> None:
    if pid != os.getpid():  # after fork it is still the parent's
        return
    with suppress(OSError):
        sign.unlink()  # not the folder: another program may be about to leave its own there


def first_commits(root: Path) -> frozenset[str]:
    """Return the commits without parents that what is checked out goes back to."""
    return frozenset((Git(root).try_run("rev-list", "--max-parents=0", "HEAD") or "").split())


def arranged(storage: Storage, owner: object) -> Meeting:
    """Return where workers get values, and leave theirs: on the default remote.

    Raises:
        WorkersApart: There is no remote on which both could leave values.
    """
    if not isinstance(storage.world, RepositoryWorld):
        reason = "this storage is one file, which they do not see"
        raise WorkersApart("", reason, "use the storage of a repository, gm.open()")
    root = storage.world.layout.root
    commit = Git(root).try_run("rev-parse", "-q", "--verify", "HEAD")
    if not commit:
        reason = "they use clones of this repository, and it has no commit"
        raise WorkersApart("", reason, "commit and push, and let workers have a clone")
    workspace = find(root)
    config = _default_remote(workspace)
    sign, address = "", ""
    if config.protocol is None:
        sign = _sign_on(config, owner)
    else:
        address = config.true_address
    return Meeting(str(root), commit, first_commits(root), config.name, address, sign)


def _default_remote(workspace: Workspace) -> RemoteConfig:
    try:
        return workspace.remote(None)
    except RemoteUnknown as error:
        reason = "the project has no default remote on which they could leave values"
        advice = "gitmemo remote add NAME URL, commit, and let the workers' clones have that commit"
        raise WorkersApart("", reason, advice) from error


def _sign_on(config: RemoteConfig, owner: object) -> str:
    folder = config.folder
    try:
        if not folder.parent.is_dir():  # a share that is not mounted
            raise FileNotFoundError(2, "no such directory", str(folder.parent))
        return _left(folder / SIGNS, owner).name
    except OSError as error:
        reason = f"nothing can be left in the directory {folder}: {error.strerror}"
        raise WorkersApart("", reason, "mount it, or make it writable") from error


def share(storage: Storage, values: Iterable[Value]) -> None:
    """Send values to the default remote that are here, and not there."""
    assert isinstance(storage.world, RepositoryWorld)
    found = list(values)
    absent = storage.world.blobs.missing({value.blob for value in found})
    here = [value for value in found if value.blob not in absent]
    if here:
        workspace = find(storage.world.layout.root)
        send(storage, workspace, workspace.remote(None), here)


def send(
    storage: Storage, workspace: Workspace, config: RemoteConfig, values: Iterable[Value]
) -> frozenset[Digest]:
    """Send to a remote what it lacks of values that are here; return what is there now."""
    from gitmemo import remotes

    wanted = {value.blob: remotes.WantedBlob.of(value) for value in values}
    if not wanted:
        return frozenset()
    report = remotes.push(
        storage.world.blobs,
        remotes.open_remote(config, workspace.root, workspace.keys(config.name)),
        wanted.values(),
        cache=remote_cache(workspace.layout, config),
        trusts=CloneTrust(workspace).covers,
    )
    stayed = {item.blob for item in report.absent} | {item.blob for item, _ in report.withheld}
    return frozenset(wanted.keys() - stayed)
