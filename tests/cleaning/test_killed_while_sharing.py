"""`gitmemo store share` and `store own`, killed at random moments: no value is lost."""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

import pytest
from driver import Clone, copy_of
from forked import forked
from stored import PUT

from gitmemo.blobs import moving
from gitmemo.blobs.holding import copies
from gitmemo.cleaning import joining
from gitmemo.hashing.digest import to_hex
from gitmemo.workspace import find

ROUNDS = int(os.environ.get("GITMEMO_TEST_KILLS", "12"))
_STEPS = 95


@pytest.fixture(scope="module")
def full(ran_template: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A repository with many values, small and large, that records name or not."""
    clone = copy_of(ran_template, tmp_path_factory.mktemp("full") / "p")
    folder = clone.root / ".git/gitmemo/blobs"
    numbers = [str(n) for n in (*range(3, 9), 30_000, 30_001, 30_002)]
    clone.process(sys.executable, "-c", PUT, str(folder), *numbers)
    return clone


def lying(*folders: Path) -> set[str]:
    return {to_hex(copy.blob) for folder in folders for copy in copies(folder)}


def killed(root: Path, folder: Path, *, after: int, shares: bool) -> bool:
    """Do it in a process that is killed in front of its `after`th change of a file; say if it was."""
    child = os.fork()
    if child == 0:
        try:
            _kill_at(after)
            workspace = find(root)
            _ = joining.share(workspace, folder) if shares else joining.own(workspace)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return os.WIFSIGNALED(status)


def _kill_at(after: int) -> None:
    """Count what changes files in this process, as Python sees it, and end at one of these moments."""
    seen = 0

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        is_change = event in ("os.rename", "os.remove", "os.link", "os.mkdir", "os.utime") or (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        )
        if is_change:
            seen += 1
            if seen > after:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(audit)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("shares", [True, False], ids=["share", "own"])
def test_killed_at_any_moment_nothing_is_lost(full: Clone, tmp_path: Path, shares: bool) -> None:
    clone = copy_of(full, tmp_path / "p")
    folder, own = tmp_path / "store", clone.root / ".git/gitmemo/blobs"
    everything = lying(own)
    named = _named(clone)
    assert named < everything
    chance = random.Random(os.environ.get("GITMEMO_TEST_SEED", "7"))
    if not shares:
        joining.share(find(clone.root), folder)
    for _ in range(ROUNDS):
        was_killed = killed(clone.root, folder, after=chance.randrange(_STEPS), shares=shares)
        now = _where(clone)
        assert named <= lying(now), now
        assert everything <= lying(own, folder)
        if not was_killed:  # once more, from the beginning
            workspace = find(clone.root)
            _ = joining.own(workspace) if shares else joining.share(workspace, folder)
    if shares:
        joining.share(find(clone.root), folder)
        assert lying(folder) == everything and not lying(own)
    else:
        joining.own(find(clone.root))
        assert named <= lying(own)
    assert clone.run() == (5, 0)
    assert forked(clone, "verify").code == 0


def _named(clone: Clone) -> set[str]:
    from gitmemo.world.named import named

    return {to_hex(blob) for blob in named(find(clone.root).world).known}


def _where(clone: Clone) -> Path:
    from gitmemo.blobs.home import blobs_folder
    from gitmemo.git.repository import locate

    return blobs_folder(locate(clone.root))


def test_what_is_removed_was_looked_at_there(full: Clone, tmp_path: Path) -> None:
    """What another process removed, or damaged, in the store meanwhile is not removed here."""
    clone = copy_of(full, tmp_path / "p")
    own, folder = clone.root / ".git/gitmemo/blobs", tmp_path / "store"
    everything = lying(own)
    moving.carry(own, folder, lambda _: True)
    for path in folder.glob("self/packs/*.pack"):
        path.unlink()
    gone = everything - lying(folder)
    (large, *_) = sorted(folder.glob("self/large/??/*"))
    large.chmod(0o600)
    large.unlink()
    large.write_bytes(b"something else")
    assert moving.remove_carried(own, folder) == len(gone) + 1
    assert lying(own) == gone | {large.name[:64]}
