"""Tables of what matched: rows in an order of their own, and values as people want to see them.

Not the matching. Invariant: the order of rows and what is in them depends on the calls alone, not on
the order in which they came.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from gitmemo.codecs import from_inline
from gitmemo.errors import BadSetting
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.items import Held, Item, Parts, plain_keys
from gitmemo.model.plain import exact, told
from gitmemo.patterns.held import best_held, links_among, originals
from gitmemo.patterns.matching import matches, naive_matches
from gitmemo.patterns.pattern import CallAtom, MemberAtom, Pattern, Row
from gitmemo.patterns.stored import Stored
from gitmemo.ref import CollectionRef, Loader, Ref, at_hand, ref_to, value_or_ref
from gitmemo.ref.columns import as_column

if TYPE_CHECKING:
    import pandas as pd

Shown: TypeAlias = Literal["inline", "refs", "objs", "cids", "hids", "lazy", "uids", "full_uids"]
"""What stands in a table for a value; the last three are older names."""

Engine: TypeAlias = Literal["auto", "sql", "naive"]

_OLDER = {"lazy": "refs", "uids": "cids", "full_uids": "hids"}
_SHOWN = ("inline", "refs", "objs", "cids", "hids")
_ENGINES = ("auto", "sql", "naive")


class Matched:
    """The rows of a pattern among stored calls.

    Raises:
        BadSetting: There is no such engine.
    """

    def __init__(
        self,
        pattern: Pattern,
        stored: Stored,
        loader: Loader | None,
        *,
        engine: Engine = "auto",
        drop_duplicates: bool = True,
    ) -> None:
        if engine not in _ENGINES:
            raise BadSetting("engine", engine, _ENGINES)
        trimmed = pattern.trimmed()
        if not drop_duplicates:  # one row for each way, whether or not it can be seen
            trimmed = trimmed.asking((*pattern.asked, *trimmed.variables()))
        find = naive_matches if engine == "naive" else matches
        width = len(pattern.asked)
        self._stored = stored
        self._loader = loader
        self._asked = pattern.asked
        found = [row[:width] for row in self._without_repeats(find(trimmed, stored))]
        self._held = [best_held(stored, trimmed, v) if found else {} for v in pattern.asked]
        self._pattern = trimmed
        self.rows: list[Row] = self._in_order(found)

    def columns(self, values: Shown = "inline") -> list[list[Any]]:
        """Return the cells of each column, as `values` says; of `objs` refs, which are not loaded yet.

        Raises:
            BadSetting: `values` is none of the ways to show a value.
        """
        shown = _OLDER.get(values, values)
        if shown not in _SHOWN:
            raise BadSetting("values", values, (*_SHOWN, *_OLDER))
        return [self._cells(place, shown) for place in range(len(self._asked))]

    def _cells(self, place: int, shown: str) -> list[Any]:
        held, variable = self._held[place], self._asked[place]
        if shown == "hids":
            return [to_hex(row[place]) for row in self.rows]
        if shown == "cids":
            return [to_hex(held[row[place]].cid) for row in self.rows]
        make = self._ref_maker(variable)
        refs: dict[Digest, Ref[Any]] = {}
        cells: list[Any] = []
        for row in self.rows:
            hid = row[place]
            plain = _plain(held[hid]) if shown == "inline" else None
            if plain is None and hid not in refs:
                refs[hid] = make(held[hid])
            cells.append(refs[hid] if plain is None else plain[0])
        return cells

    def _ref_maker(self, variable: int) -> Callable[[Held], Ref[Any]]:
        """Return what makes refs to the values of a variable: an element knows its collection."""
        atoms = self._pattern.atoms
        calls = [atom for atom in atoms if isinstance(atom, CallAtom)]
        is_output = any(variable == made for atom in calls for _, made in atom.outputs)
        is_element = any(isinstance(a, MemberAtom) and a.element == variable for a in atoms)
        if is_output or not is_element:
            return lambda held: ref_to(held, self._loader)
        return _Elements(self._stored, self._loader).ref

    def _without_repeats(self, rows: list[Row]) -> list[Row]:
        """Leave out rows that repeat another one but for links: the same calls, of other histories."""
        links = links_among(self._stored)
        if links.isdisjoint(hid for row in rows for hid in row):
            return rows
        meant = originals(self._stored)
        kept: dict[Row, Row] = {}
        for row in sorted(rows):
            original = tuple(meant.get(hid, hid) for hid in row)
            if original not in kept or row == original:
                kept[original] = row
        return list(kept.values())

    def _in_order(self, rows: list[Row]) -> list[Row]:
        """Return the rows sorted by their values where these can be compared, else by history."""
        keys = [
            _sort_keys([held[row[place]] for row in rows], [row[place] for row in rows])
            for place, held in enumerate(self._held)
        ]
        places = sorted(range(len(rows)), key=lambda n: ([key[n] for key in keys], rows[n]))
        return [rows[place] for place in places]


def frame_of(names: Sequence[str], columns: list[list[Any]], values: Shown) -> pd.DataFrame:
    """Return cells as a pandas frame, loaded if `values` says so; the names differ."""
    import pandas as pd

    if values == "objs":
        # All that is not on this machine comes in one go.
        with at_hand(columns):
            read = partial(value_or_ref, stacklevel=5)
            columns = [list(map(read, column)) for column in columns]
    cells = dict(zip(names, map(as_column, columns), strict=True))
    return pd.DataFrame(cells, columns=list(names))


class _Elements:
    """Makes refs to what is in collections."""

    def __init__(self, stored: Stored, loader: Loader | None) -> None:
        self._loader = loader
        self._roots = {member.element.hid: member.root for member in reversed(stored.members)}
        self._made: dict[Digest, Ref[Any]] = {}

    def ref(self, held: Held) -> Ref[Any]:
        if held.hid not in self._made:
            todo: list[Ref[Any]] = [ref_to(self._roots[held.hid], self._loader)]
            while todo:
                ref = todo.pop()
                self._made.setdefault(ref._hid, ref)
                if isinstance(ref, CollectionRef) and ref._parts.items is not None:
                    todo += ref._items()
        return self._made[held.hid]


def _plain(held: Held) -> tuple[object] | None:
    """Return the value where the record says it all."""
    known = exact(held)
    if known is not None:
        return (known,)
    inline = told(held)
    if inline is not None:
        return (from_inline(inline.json),)
    if isinstance(held, Item) and held.parts is not None:  # perhaps a key
        found = plain_keys(Parts("dict", (), (held,)), from_inline)
        return None if found is None else (found[0],)
    return None


def _sort_keys(cells: Sequence[Held], hids: Sequence[Digest]) -> Sequence[Any]:
    known = [told(cell) for cell in cells]
    plain = [inline.json if inline else None for inline in known]
    kinds = set(map(type, plain))
    if kinds <= {int, float, bool}:
        return [(value != value, value if value == value else 0) for value in plain]
    return plain if kinds == {str} else hids
