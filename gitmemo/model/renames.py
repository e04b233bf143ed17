"""What a set of statements says about names: which ops, arguments and outputs were called otherwise.

Not whether a stored call is of the same function (`memo.former`), nor what a
component was called (`decisions`). Invariant: the answer depends on the set of
statements alone, not on their order, and names that could mean two things are
left as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

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
        both = _both_ways(self._edges.get((RenameKind.OP, ""), {}))
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
    free = set(now)
    if not edges or (free.issuperset(stored) and not any(edges.get(name) for name in stored)):
        return {name: name for name in stored}
    both = _both_ways(edges)
    return _only_way({name: _became(name, free, edges, both) for name in stored})


def _became(name: str, now: Collection[str], edges: _Edges, both: _Edges) -> list[str]:
    """Return what a name may be among `now`: what it became, else, in code of before, what it was."""
    later = _reached(name, edges).intersection(now)
    if not later and name in both:
        later = _reached(name, both).intersection(now)
    # One that nobody renamed is itself, also where it is gone.
    return sorted(later) if later or edges.get(name) else [name]


def _both_ways(edges: _Edges) -> dict[str, set[str]]:
    both: dict[str, set[str]] = defaultdict(set)
    for old, news in edges.items():
        for new in news:
            both[old].add(new)
            both[new].add(old)
    return both


def _only_way(became: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Give each name another of those that it may have become; empty unless there is just one way.

    Takes polynomial time, however many renames say: what was merged may have been made up.
    """
    found: dict[str, str] = {}  # which name each new one is given to
    for name in became:
        if not _give(name, became, found):
            return {}
    given = {name: new for new, name in found.items()}
    if _has_another_way(became, found, given):
        return {}
    return {name: given[name] for name in became}


def _give(name: str, became: Mapping[str, Sequence[str]], found: dict[str, str]) -> bool:
    """Give `name` a new one, others being given another if need be; say whether that was possible."""
    came: dict[str, str] = {}  # for each new name that was reached, the name that wants it
    todo = [name]
    while todo:
        wanting = todo.pop()
        for new in became[wanting]:
            if new in came:
                continue
            came[new] = wanting
            if new in found:
                todo.append(found[new])
                continue
            _hand_on(new, came, found, name)
            return True
    return False


def _hand_on(new: str, came: Mapping[str, str], found: dict[str, str], first: str) -> None:
    """Give each name on the way to the free one `new` the one that it wants, back to `first`."""
    given = {name: one for one, name in found.items()}
    while True:
        wanting = came[new]
        found[new] = wanting
        if wanting == first:
            return
        new = given[wanting]


def _has_another_way(
    became: Mapping[str, Sequence[str]], found: Mapping[str, str], given: Mapping[str, str]
) -> bool:
    """Whether names can be given otherwise: one takes a free name, or some take those of a circle."""
    if any(new not in found for news in became.values() for new in news):
        return True
    waits = {
        name: {found[new] for new in news if new != given[name]} for name, news in became.items()
    }
    while ready := [name for name, others in waits.items() if not others & waits.keys()]:
        for name in ready:
            del waits[name]
    return bool(waits)
