"""Who uses a store, and since when: locks on files that a process holds until it ends.

Not protection of single writes (renames do that). Invariant: as long as a process lives that has
read or written a store, the time of `in-use` is not later than when that process began to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gitmemo.errors import CollectingAlready

_IN_USE = "in-use"
_SWEEP = "sweep"
_COLLECTING = "collecting"
_SETTLING = "settling"
_OURS_ALONE = 0o600
"""Who may open a file may lock it, and let everybody wait: even who can only read it."""
_COARSEST_S = 2.0
"""Times of files may be so coarse: what was written first by a process may seem as old as `in-use`."""
_HELD: dict[str, int] = {}
"""Open files of this process by folder: the system lets go of their locks when it ends."""


def use(directory: Path) -> bool:
    """Say that this process uses a store from now on; wait while another one removes values.

    Returns whether there is a store; if not there is nothing to rely on yet.
    """
    key = os.fspath(directory)
    if key in _HELD:
        return True
    try:
        import fcntl

        file = os.open(directory / _IN_USE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OURS_ALONE)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (ImportError, OSError):
        # Windows, or a store that only is to be read: nobody removes anything there.
        return True
    try:
        if _taken(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
            os.utime(file)  # nobody was here: what is younger than this is ours
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError:
        os.close(file)
        return True
    except BaseException:  # Ctrl-C: the lock would be waited for when this process tries again
        os.close(file)
        raise
    if _HELD.setdefault(key, file) != file:  # another thread was faster
        os.close(file)
    return True


@contextmanager
def using(directory: Path) -> Iterator[None]:
    """Use a store in the body only, for a process that relies on nothing in it afterwards."""
    key = os.fspath(directory)
    was_held = key in _HELD
    use(directory)
    try:
        yield
    finally:
        if not was_held and key in _HELD:
            os.close(_HELD.pop(key))


@contextmanager
def alone(directory: Path) -> Iterator[float | None]:
    """Yield None if no process uses a store and none begins to meanwhile, else since when some do.

    Raises:
        CollectingAlready: There are no locks here.
    """
    key = os.fspath(directory)
    with _tried(directory, _IN_USE) as (file, is_free):
        # In the body this process may look into the store too: it must not wait for itself.
        is_first = is_free and _HELD.setdefault(key, file) == file
        try:
            yield None if is_free else os.fstat(file).st_mtime - _COARSEST_S
        finally:
            if is_first:
                del _HELD[key]


def in_use_since(directory: Path) -> float | None:
    """Return since when processes use a store; None if none does in this moment."""
    with alone(directory) as since_s:
        return since_s


@contextmanager
def collecting(directory: Path) -> Iterator[None]:
    """Let no other process remove values meanwhile.

    Raises:
        CollectingAlready: Another one does, or there are no locks here.
    """
    with _tried(directory, _COLLECTING) as (_, is_free):
        if not is_free:
            raise CollectingAlready(os.fspath(directory), "another process removes values there")
        yield


@contextmanager
def _tried(directory: Path, name: str) -> Iterator[tuple[int, bool]]:
    """Yield a file, and whether nobody else has it locked; if so it is ours in the body."""
    try:
        import fcntl
    except ImportError:
        raise CollectingAlready(os.fspath(directory), "this system has no file locks") from None
    directory.mkdir(parents=True, exist_ok=True)
    file = os.open(directory / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OURS_ALONE)
    try:
        try:
            is_free = _taken(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            reason = f"its file system has no locks ({error.strerror})"
            raise CollectingAlready(os.fspath(directory), reason) from error
        yield file, is_free
    finally:
        os.close(file)


@contextmanager
def relying(directory: Path) -> Iterator[None]:
    """Let nothing be removed while the body finds a value and makes it young."""
    with _locked(directory, exclusive=False):
        yield


@contextmanager
def removing(directory: Path) -> Iterator[None]:
    """Let nobody rely on a value while the body looks at its age and removes it."""
    with _locked(directory, exclusive=True):
        yield


@contextmanager
def _locked(directory: Path, *, exclusive: bool) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # nothing is removed where there are no locks
        yield
        return
    file = os.open(directory / _SWEEP, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OURS_ALONE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield
    finally:
        os.close(file)


@contextmanager
def settling(folder: Path) -> Iterator[None]:
    """Let one process at a time decide in the body; where there are no locks, each does so alone."""
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / _SETTLING, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OURS_ALONE)
    try:
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def is_free(file: int) -> bool:
    """Whether no process writes to an open pack; if so none counts as writing until it is closed."""
    import fcntl

    return _taken(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def mark_in_use(file: int) -> None:
    """Say that this process appends to an open pack, until it closes it or ends."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_SH)
    except (ImportError, OSError):
        return  # where there are no locks nothing is removed


def _taken(file: int, how: int) -> bool:
    import fcntl

    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    return True
