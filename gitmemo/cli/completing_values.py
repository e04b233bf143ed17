"""Names that stand for something in a repository, for a shell to offer: ops, ids, tags, remotes, revisions.

Not the words of commands (`completing`). Invariant: the derived index is read as it is, without taking
notice of anything new, and nothing is written.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

_DIGITS = 12
_FEWEST_DIGITS = 2
_MOST_IDS = 500


def _folders(start: Path) -> tuple[Path, Path] | None:
    """Return the top of the work tree and the git folder that all work trees share, without git."""
    start = start.resolve()
    for root in (start, *start.parents):
        dot_git = root / ".git"
        if dot_git.is_dir():
            return root, dot_git
        if dot_git.is_file():
            private = root / dot_git.read_text("utf-8").partition(":")[2].strip()
            common = private / "commondir"
            if common.is_file():
                return root, private / common.read_text("utf-8").strip()
            return root, private
    return None


def _rows(start: Path, query: str) -> list[tuple[object, ...]]:
    found = _folders(start)
    if found is None:
        return []
    import sqlite3

    index = (found[1] / "gitmemo/index.db").resolve()
    connection = sqlite3.connect(f"{index.as_uri()}?mode=ro", uri=True, timeout=0.05)
    try:
        return list(connection.execute(query))
    finally:
        connection.close()


def ops(start: Path, _begun: str) -> Iterator[str]:
    """Yield the names of ops: short ones where only one op has it, and whole ones."""
    names = [str(op) for (op,) in _rows(start, "select distinct op from shape where kind = 'call'")]
    several = Counter(name.rpartition(":")[2] for name in names)
    yield from sorted(short for short, number in several.items() if number == 1)
    yield from sorted(name for name in names if ":" in name)


def tags(start: Path, _begun: str) -> Iterator[str]:
    """Yield the names that values were ever given."""
    from gitmemo.world.packing import Pattern

    rows = _rows(
        start,
        "select pattern, line from fact join shape on shape.id = fact.shape"
        " where kind = 'tag' and micros is null",
    )
    found: set[str] = set()
    for pattern, line in rows:
        if isinstance(pattern, str) and isinstance(line, bytes):
            found.add(str(json.loads(Pattern(pattern).unpack(line))[1]))
    yield from sorted(found)


def ids(start: Path, begun: str) -> Iterator[str]:
    """Yield tags as ids are given, and the ids of the newest calls."""
    if begun.startswith("@") or not begun:
        yield from (f"@{name}" for name in tags(start, ""))
    if len(begun) >= _FEWEST_DIGITS or not begun:
        query = f"select hid from fact where micros is not null order by id desc limit {_MOST_IDS}"
        for (hid,) in _rows(start, query):
            if isinstance(hid, bytes):
                yield hid.hex()[: max(_DIGITS, len(begun))]


def remotes(start: Path, _begun: str) -> Iterator[str]:
    """Yield the names of remotes, the committed ones and this clone's own."""
    found = _folders(start)
    if found is None:
        return
    import tomllib

    names: set[str] = set()
    for path in (found[0] / ".gitmemo/config.toml", found[1] / "gitmemo/config.toml"):
        if path.is_file():
            names.update(tomllib.loads(path.read_text("utf-8")).get("remotes", {}))
    yield from sorted(names)


def revisions(start: Path, _begun: str) -> Iterator[str]:
    """Yield branches, tags and remote branches of git."""
    from gitmemo.git.cli import Git

    yield "HEAD"
    kinds = ("refs/heads", "refs/tags", "refs/remotes")
    said = Git(start).try_run("for-each-ref", "--format=%(refname:short)", *kinds)
    yield from (said or "").splitlines()


def ops_and_tags(start: Path, begun: str) -> Iterator[str]:
    """Yield what tables are asked for: ops, and values by their names."""
    yield from ops(start, begun)
    yield from (f"@{name}" for name in tags(start, ""))


def keys(_start: Path, _begun: str) -> Iterator[str]:
    """Yield the names of settings."""
    from gitmemo.settings_keys import KEYS

    yield from (key.name for key in KEYS if "*" not in key.name)


def changed_keys(_start: Path, _begun: str) -> Iterator[str]:
    """Yield the names of settings that `gitmemo config` changes."""
    from gitmemo.settings_keys import KEYS

    yield from (key.name for key in KEYS if "*" not in key.name and not key.command)


def targets(start: Path, begun: str) -> Iterator[str]:
    """Yield what `push` and `pull` take: remotes and ops."""
    yield from remotes(start, begun)
    yield from ops(start, begun)


def selections(start: Path, begun: str) -> Iterator[str]:
    """Yield what `drop` takes: ops and calls with their kind before them."""
    yield from (f"op:{name}" for name in ops(start, begun))
    if begun.startswith("call:"):
        yield from (
            f"call:{one}" for one in ids(start, begun.removeprefix("call:")) if "@" not in one
        )


OFFERS: Mapping[str, Callable[[Path, str], Iterable[str]]] = {
    "op": ops,
    "id": ids,
    "tag": tags,
    "remote": remotes,
    "rev": revisions,
    "key": keys,
    "changed key": changed_keys,
    "op or tag": ops_and_tags,
    "target": targets,
    "selection": selections,
}
"""What is offered for each kind of word in the table."""
