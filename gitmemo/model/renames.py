"""What a set of statements says about names: which ops, arguments and outputs were called otherwise.

Not whether a stored call is of the same function (`memo.former`), nor what a
component was called (`decisions`). Invariant: the answer depends on the set of
statements alone, not on their order, and names that could mean two things are
left as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Rename, RenameKind, Statement
from gitmemo.model.statements import in_force

_Edges = Mapping[str, Collection[str]]


class Renames:
    """The renames that count: those that no other statement supersedes.

    Attributes:
        current: Their record ids, with the facts.
    """

    def __init__(self, statements: Iterable[tuple[Digest, Statement]] = ()) -> None:
        """`statements` are pairs of record id and fact; only renames say something here."""
        self.current = in_force(statements, Rename)
        self._edges: dict[tuple[RenameKind, str], dict[str, set[str]]] = {}
        for fact in self.current.values():
            edges = self._edges.setdefault((fact.kind, fact.of), defaultdict(set))
            edges[fact.old].add(fact.new)

    def __bool__(self) -> bool:
        return bool(self.current)

    def concern(self, op: str) -> bool:
        """Whether anything of an op was renamed: the op, an argument, an output."""
        if not self.current:
            return False
        names = {op, *self.ops(op)}
        return len(names) > 1 or any(of in names for _, of in self._edges)

    def ops(self, name: str) -> tuple[str, ...]:
        """Return what else an op was called, or is called since, sorted."""
        edges = self._edges.get((RenameKind.OP, ""), {})
        both: dict[str, set[str]] = defaultdict(set)
        for old, news in edges.items():
            for new in news:
                both[old].add(new)
                both[new].add(old)
        return tuple(sorted(_reached(name, both) - {name}))

    def op_now(self, name: str) -> str:
        """Return the newest name of an op; `name` itself where there is none, or there are several."""
        return _newest(name, self._edges.get((RenameKind.OP, ""), {}))

    def former_ops(self) -> dict[str, str]:
        """Return the names that ops had, with the newest name of each."""
        names = self._edges.get((RenameKind.OP, ""), {})
        return {name: now for name in sorted(names) if (now := self.op_now(name)) != name}

    def arguments(self, op: str, stored: Sequence[str], now: Collection[str]) -> Mapping[str, str]:
        """Return what the arguments `stored` of a call are called in a signature with the names `now`.

        Empty where that cannot be told, because an old name means something else since.
        """
        return _matched(stored, now, self._inside(RenameKind.ARGUMENT, op))

    def outputs(self, op: str, stored: Sequence[str], now: Collection[str]) -> Mapping[str, str]:
        """Do the same for outputs."""
        return _matched(stored, now, self._inside(RenameKind.OUTPUT, op))

    def newest_arguments(self, op: str, stored: Sequence[str]) -> list[str]:
        """Return the newest names of a call's arguments; the old ones where two would become one."""
        return _all_newest(stored, self._inside(RenameKind.ARGUMENT, op))

    def newest_outputs(self, op: str, stored: Sequence[str]) -> list[str]:
        """Do the same for outputs."""
        return _all_newest(stored, self._inside(RenameKind.OUTPUT, op))

    def _inside(self, kind: RenameKind, op: str) -> _Edges:
        """Return the renames of a kind in an op, under all its names."""
        found: dict[str, set[str]] = defaultdict(set)
        for name in (op, *self.ops(op)):
            for old, news in self._edges.get((kind, name), {}).items():
                found[old] |= news
        return found


def _reached(name: str, edges: _Edges) -> set[str]:
    found, todo = {name}, [name]
    while todo:
        new = set(edges.get(todo.pop(), ())) - found
        found |= new
        todo += new
    return found


def _newest(name: str, edges: _Edges) -> str:
    ends = {end for end in _reached(name, edges) if not edges.get(end)}
    return ends.pop() if len(ends) == 1 else name


def _all_newest(stored: Sequence[str], edges: _Edges) -> list[str]:
    if not edges:
        return list(stored)
    newest = [_newest(name, edges) for name in stored]
    return newest if len(set(newest)) == len(newest) else list(stored)


def _matched(stored: Sequence[str], now: Collection[str], edges: _Edges) -> Mapping[str, str]:
    """Give each stored name one of `now` that it became, if there is just one way to do so."""
    if not any(edges.get(name) for name in stored):
        return {name: name for name in stored}
    ways = _ways(list(stored), frozenset(now), edges)
    first = next(ways, {})
    return first if next(ways, None) is None else {}


def _ways(names: list[str], free: frozenset[str], edges: _Edges) -> Iterator[dict[str, str]]:
    if not names:
        yield {}
        return
    first, *rest = names
    became = _reached(first, edges) & free if edges.get(first) else {first}
    for name in sorted(became):
        for others in _ways(rest, free - {name}, edges):
            if name not in others.values():
                yield {first: name, **others}
