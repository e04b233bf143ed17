"""Changing the two files of settings, the committed one and this clone's own.

Not reading them (`config`). Invariant: everything else in a file stays as it was written, with its
comments; a file is replaced whole or not at all; of changes that two programs make at once none
is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from gitmemo.config import LOCAL
from gitmemo.errors import BadSetting
from gitmemo.plain_files import alone_in, refuse_links, replace_file

_OURS_ALONE = 0o600  # this clone's own file may hold secrets


# `Any`: tomlkit's tables and its documents share no type that can be indexed.
Change: TypeAlias = Callable[[Any], None]


Written: TypeAlias = str | bool | float | list[str] | Mapping[str, str]
"""A value that is written into a file."""


def setting(keys: tuple[str, ...], value: Written | None) -> Change:
    """Return the change that sets one value (None: removes it)."""

    def change(document: Any) -> None:
        table = _table(document, keys[:-1])
        if value is None:
            table.pop(keys[-1], None)
        else:
            table[keys[-1]] = dict(value) if isinstance(value, Mapping) else value

    return change


def renaming(keys: tuple[str, ...], new: str) -> Change:
    """Return the change that gives a value another name, if it is there."""

    def change(document: Any) -> None:
        table = _table(document, keys[:-1])
        if keys[-1] in table:
            table[new] = table.pop(keys[-1])

    return change


def edit(root: Path, name: str, *changes: Change, then: Callable[[], object] | None = None) -> None:
    """Make changes in a TOML file in `root`, all of them at once; take them back if `then` fails.

    Raises:
        LinkInside: The file, or a folder on its way, is a symbolic link.
        BadSetting: The file is not TOML, or would not be UTF-8.
    """
    _edit(root, name, changes, 0o666, then)


def edit_own(common_dir: Path, *changes: Change) -> None:
    """Do the same in this clone's own file."""
    # No commit brings what is in a git folder: who links it elsewhere means it.
    path = (common_dir / LOCAL).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    _edit(path.parent, path.name, changes, _OURS_ALONE, None)


def _edit(
    root: Path,
    name: str,
    changes: Iterable[Change],
    mode: int,
    then: Callable[[], object] | None,
) -> None:
    refuse_links(root, name)
    path = root / name
    with alone_in(path.parent):
        before = path.read_bytes() if path.exists() else None
        after = _changed(path, changes)
        if after != (before or b""):
            replace_file(root, name, after, mode)
        try:
            if then is not None:
                then()
        except BaseException:
            if before is not None:
                replace_file(root, name, before, mode)
            raise


def _changed(path: Path, changes: Iterable[Change]) -> bytes:
    """Return what a file is after some changes."""
    import tomlkit
    from tomlkit.exceptions import ParseError

    try:
        document = tomlkit.parse(path.read_bytes().decode("utf-8") if path.exists() else "")
    except (ParseError, UnicodeDecodeError, RecursionError) as error:
        raise BadSetting(str(path), str(error), ("a valid TOML file",)) from None
    for change in changes:
        change(document)
    after = tomlkit.dumps(document)
    try:
        return after.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadSetting(str(path), after[error.start : error.end], ("text in UTF-8",)) from None


def _table(document: Any, keys: tuple[str, ...]) -> Any:
    import tomlkit

    table = document
    for key in keys:
        if key not in table:
            table[key] = tomlkit.table(is_super_table=True)
        table = table[key]
    return table
