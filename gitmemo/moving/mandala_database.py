"""What is in a database of mandala 0.2, read with SQLite and without mandala.

Not what becomes of it (`from_mandala`). A call has a row for each input and output: content id and
history id of a ref. `shapes` holds refs by history id, `atoms` values by content id, `ops` names of
outputs, `sources` the versions of code. Invariant: the database is opened for reading only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from gitmemo.errors import NotAnOldStore
from gitmemo.moving.fitting import Refused
from gitmemo.moving.mandala_pickles import attribute, kind_of, read_own, read_value, table

_TOOL = "mandala"
_QUERY = (
    "select call_history_id, name, direction, ref_content_id, ref_history_id, op, content_version "
    "from calls order by op, call_history_id, name"
)
_STRUCTURAL = frozenset(
    {
        "__make_list__",
        "__make_dict__",
        "__make_set__",
        "__make_tuple__",
        "__list_getitem__",
        "__dict_getitem__",
    }
)
_OUTPUT = "output_"

Dependency: TypeAlias = tuple[str, str]
"""A module and a name in it, as mandala writes them."""


@dataclass(frozen=True, slots=True)
class OldRef:
    """A value with a history."""

    cid: str
    hid: str


@dataclass(slots=True)
class OldCall:
    """A call.

    Attributes:
        version: The id of the contents that it depended on; None where code was not versioned.
    """

    hid: str
    op: str
    version: str | None
    inputs: dict[str, OldRef] = field(default_factory=dict)
    outputs: dict[str, OldRef] = field(default_factory=dict)


_Items: TypeAlias = list[OldRef] | dict[str, OldRef] | None


class OldDatabase:
    """A database of mandala; `overflow` is the folder of its large values, if it had one."""

    def __init__(self, path: Path, overflow: Path | None = None) -> None:
        """Open it.

        Raises:
            NotAnOldStore: There is no such file, or it is none of mandala 0.2.
        """
        self._path, self._overflow = path, overflow
        self._items: dict[str, _Items] = {}
        if not path.is_file():
            raise NotAnOldStore(str(path), _TOOL, "there is no such file")
        try:
            # Where no program has it open, no files are made beside it either.
            mode = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
            address = f"file:{quote(str(path.resolve()))}?{mode}"
            self._connection = sqlite3.connect(address, uri=True)
            self.calls = self._read_calls()
            for name in ("atoms", "shapes", "ops", "sources"):
                self._connection.execute(f"select key, value from {name} limit 1")
        except sqlite3.Error as error:
            raise NotAnOldStore(str(path), _TOOL, str(error)) from None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _read_calls(self) -> list[OldCall]:
        found: dict[str, OldCall] = {}
        for row in self._connection.execute(_QUERY):
            hid, name, direction, cid, ref_hid, op, version = row
            if op in _STRUCTURAL or not all(isinstance(text, str) for text in row[:6]):
                continue
            call = found.setdefault(hid, OldCall(hid, op, version))
            (call.inputs if direction == "in" else call.outputs)[name] = OldRef(cid, ref_hid)
        return list(found.values())

    def outputs(self, call: OldCall) -> list[tuple[str | None, OldRef]]:
        """Return the outputs of a call in order; the names of those that were given one.

        Raises:
            Refused: Their order is not known.
        """
        names = self._names.get(call.op)
        if names is not None and call.outputs.keys() <= set(names):
            return [(name, call.outputs[name]) for name in names if name in call.outputs]
        numbered = {name.removeprefix(_OUTPUT): ref for name, ref in call.outputs.items()}
        if numbered.keys() != {str(n) for n in range(len(numbered))}:
            raise Refused("the order of its outputs is not recorded")
        return [(None, numbered[str(n)]) for n in range(len(numbered))]

    def items(self, ref: OldRef) -> _Items:
        """Return what is in a list or dict; None for any other value.

        Raises:
            Refused: It is a collection of another kind, or cannot be read.
        """
        if ref.hid not in self._items:
            self._items[ref.hid] = self._read_items(ref.hid)
        return self._items[ref.hid]

    def _read_items(self, hid: str) -> _Items:
        data = self._blob("shapes", hid)
        if data is None:
            return None
        try:
            shape = read_own(data)
        except ValueError as error:
            raise Refused(f"a ref cannot be read: {error}") from None
        kind, held = kind_of(shape), attribute(shape, "obj")
        if kind == "AtomRef":
            return None
        if kind == "ListRef" and isinstance(held, list):
            return [_ref(item) for item in held]
        if kind == "DictRef" and isinstance(held, dict):
            return {key: _ref(item) for key, item in held.items()}
        raise Refused(f"a {kind or 'value'} is no atom, list or dict")

    def atom(self, ref: OldRef) -> Any:
        """Return a value; reading it can run code.

        Raises:
            Refused: It is not there, or cannot be read.
        """
        data = self._blob("atoms", ref.cid) or self._overflown(ref.cid)
        if data is None:
            raise Refused("the bytes of a value are not there (--overflow names its folder)")
        try:
            return read_value(data)
        except ValueError as error:
            raise Refused(f"a value cannot be read: {error}") from None

    def dependencies(self, call: OldCall) -> Mapping[Dependency, str] | None:
        """Return the content hashes of what a call depended on; None where they are not known."""
        if call.version is None:
            return None
        for versions in table(attribute(self._versioner, "versions")).values():
            commits = attribute(table(versions).get(call.version), "direct_deps_commits")
            if commits:
                return table(commits)
        return None

    def code(self, dependency: Dependency, content_hash: str) -> str | None:
        """Return a text of a function that a call depended on; None where it is not known."""
        dag = table(attribute(self._versioner, "component_dags")).get(dependency)
        commit = table(attribute(dag, "commits")).get(content_hash)
        text = attribute(commit, "_content")
        if text is None and (changes := attribute(commit, "diffs")):
            text = changes[0][0]  # the text of this commit, then that of its parent
        return text if isinstance(text, str) else None

    @cached_property
    def _versioner(self) -> object:
        data = self._blob("sources", "versioner")
        try:
            return None if data is None else read_own(data)
        except ValueError:
            return None  # then no code is known, and no result is taken for proven

    @cached_property
    def _names(self) -> dict[str, list[str] | None]:
        """The names of outputs, for ops that gave them some."""
        found: dict[str, list[str] | None] = {}
        for op in {call.op for call in self.calls}:
            data = self._blob("ops", op)
            try:
                names = attribute(read_own(data), "output_names") if data else None
            except ValueError:
                names = None
            found[op] = names if isinstance(names, list) else None
        return found

    def _blob(self, name: str, key: str) -> bytes | None:
        query = f"select value from {name} where key = ?"
        row = self._connection.execute(query, (key,)).fetchone()
        return row[0] if row and isinstance(row[0], bytes) else None

    def _overflown(self, cid: str) -> bytes | None:
        if self._overflow is None or not cid.isalnum():
            return None
        file = self._overflow / f"{cid}.joblib"
        return file.read_bytes() if file.is_file() and not file.is_symlink() else None


def _ref(item: object) -> OldRef:
    cid, hid = attribute(item, "cid"), attribute(item, "hid")
    if not isinstance(cid, str) or not isinstance(hid, str):
        raise Refused("an item of a collection is no ref")
    return OldRef(cid, hid)
