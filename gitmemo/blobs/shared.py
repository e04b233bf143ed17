"""A folder of values that several repositories of one user share: its marker, and who they are.

Not the values in it (`repository`), nor what the repositories need (`gitmemo.cleaning`). Invariant:
nobody but this user can look into the folder, and each repository that has its values there is
registered before the first of them may be found there alone.

It is a store like that of one repository, with `store.json` and `repositories/<id>.json` beside it.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitmemo.blobs.fingerprint import fingerprint
from gitmemo.errors import LinkInside, NewerFormat, StoreUnusable
from gitmemo.plain_files import replace_file

FORMAT = 1
MARKER = "store.json"
_KIND = "gitmemo-store"
_FOLDER = "repositories"
_LARGEST = 1 << 16
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Sharer:
    """A repository that is registered in a store.

    Attributes:
        ident: Its name there, which its own settings say too.
        common_dir: Its git folder, absolute and without links; None if the registration is damaged.
        root: The work tree from which it was registered.
        fingerprint: What tells its git folder from copies; None if the registration is damaged.
    """

    ident: str
    common_dir: Path | None
    root: Path | None = None
    fingerprint: str | None = None

    def is_now(self, common_dir: Path) -> bool:
        """Whether a git folder is the one that was registered, and no copy of it."""
        return self.fingerprint is not None and self.fingerprint == fingerprint(common_dir)


def is_store(folder: Path) -> bool:
    """Whether there is a shared store, as far as its marker says."""
    return (folder / MARKER).is_file()


def make(folder: Path) -> None:
    """Make `folder` a shared store, unless it is one.

    Raises:
        StoreUnusable: It is something else, belongs to somebody else, or others may look into it.
        NewerFormat: A newer gitmemo made it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=stat.S_IRWXU)
        refuse_strangers(folder)
        if not is_store(folder):
            others = [name for name in os.listdir(folder) if not _is_begun(folder, name)]
            if others and not is_store(folder):  # another process may have made it just now
                raise StoreUnusable(
                    str(folder),
                    "it holds other things",
                    f"name an empty folder (a store has a {MARKER} in it)",
                )
            replace_file(folder, ".gitignore", b"*\n")  # it may lie in somebody's work tree
            (folder / _FOLDER).mkdir(exist_ok=True, mode=stat.S_IRWXU)
            marker = json.dumps({"kind": _KIND, "format": FORMAT})
            replace_file(folder, MARKER, f"{marker}\n".encode())
    except (OSError, LinkInside) as error:
        raise _unwritable(folder, error) from None
    check(folder)


def _is_begun(folder: Path, name: str) -> bool:
    """Whether what is in a folder without a marker may be of somebody who makes it a store just now."""
    if name.startswith("."):
        return True
    listed = folder / name
    try:
        return name == _FOLDER and not listed.is_symlink() and not os.listdir(listed)
    except NotADirectoryError:
        return False


def check(folder: Path) -> None:
    """Refuse what is no store of this user.

    Raises:
        FileNotFoundError, NotADirectoryError: There is no marker.
        StoreUnusable, NewerFormat: As `make`; there is one, but it says something else.
    """
    with suppress(PermissionError):  # whose it is says the folder
        (folder / MARKER).lstat()
    refuse_strangers(folder)
    found = _json_in(folder / MARKER)
    if not isinstance(found, dict) or found.get("kind") != _KIND:
        raise StoreUnusable(
            str(folder),
            f"its {MARKER} is damaged",
            f'if the values are there still, write {{"kind": "{_KIND}", "format": {FORMAT}}} into it',
        )
    if found.get("format") != FORMAT:
        raise NewerFormat(str(folder / MARKER), found.get("format"), FORMAT)
    _refuse_unlisted(folder)


def refuse_strangers(folder: Path) -> None:
    """Refuse a folder into which anybody else may look or write.

    Raises:
        StoreUnusable: Says what to do.
    """
    found = folder.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise StoreUnusable(str(folder), "it is no folder", "name a folder")
    if found.st_uid != os.geteuid():
        raise StoreUnusable(
            str(folder),
            "it belongs to another user",
            "name a folder of your own: users share through a remote",
        )
    if found.st_mode & _OTHERS:
        raise StoreUnusable(
            str(folder),
            "other users may look into it, or put something there",
            f"chmod 700 {folder}",
        )


def _refuse_unlisted(folder: Path) -> None:
    """Refuse a store that has lost who shares it: a new list would hold this repository alone."""
    listed = folder / _FOLDER
    if listed.is_symlink() or not listed.is_dir():
        raise StoreUnusable(
            str(folder),
            f"{listed} is no folder, so nobody knows who shares it",
            f"bring it back; or `mkdir {listed}`, and run any gitmemo command in each repository that "
            "shares this store before `gitmemo gc` in any of them",
        )


def sharers(folder: Path) -> Iterator[Sharer]:
    """Yield the repositories that are registered.

    Raises:
        StoreUnusable: The list of them is gone.
    """
    _refuse_unlisted(folder)
    for name in sorted(os.listdir(folder / _FOLDER)):
        ident, dot, suffix = name.partition(".")
        if _ID.fullmatch(ident) and dot + suffix == ".json":
            sharer = registered(folder, ident)
            if sharer is not None:  # else it has left since the list was read
                yield sharer


def registered(folder: Path, ident: str) -> Sharer | None:
    """Return who is registered under a name; None if nobody is."""
    path = _place(folder, ident)
    found = _json_in(path)
    if found is None and not os.path.lexists(path):
        return None
    fields = found if isinstance(found, dict) else {}
    mark = fields.get("fingerprint")
    return Sharer(
        ident,
        _folder_in(fields.get("common_dir")),
        _folder_in(fields.get("root")),
        mark if isinstance(mark, str) else None,
    )


def register(folder: Path, sharer: Sharer) -> None:
    """Note who shares the store, in the place of what was noted under the same name.

    Raises:
        StoreUnusable: It cannot be written.
    """
    _refuse_unlisted(folder)
    fields = {
        "common_dir": str(sharer.common_dir),
        "root": str(sharer.root or sharer.common_dir),
        "fingerprint": sharer.fingerprint,
    }
    name = f"{_FOLDER}/{sharer.ident}.json"
    try:
        replace_file(folder, name, f"{json.dumps(fields)}\n".encode("ascii"))
    except (OSError, LinkInside) as error:
        raise _unwritable(folder, error) from None


def unregister(folder: Path, ident: str) -> None:
    """Share the store with this repository no longer."""
    _place(folder, ident).unlink(missing_ok=True)


def _place(folder: Path, ident: str) -> Path:
    return folder / _FOLDER / f"{ident}.json"


def _folder_in(value: object) -> Path | None:
    """Return an absolute path that stands in a file which may hold anything."""
    if not isinstance(value, str) or "\0" in value:
        return None
    path = Path(value)
    return path if path.is_absolute() else None


def _json_in(path: Path) -> object:
    """Return what a small file says; None if it cannot be read or is no JSON."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            found: object = json.loads(file.read(_LARGEST))
            return found
    except (OSError, ValueError, RecursionError):
        return None


def _unwritable(folder: Path, error: Exception) -> StoreUnusable:
    return StoreUnusable(str(folder), str(error), "name a folder that you can write to")
