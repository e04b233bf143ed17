"""Patterns as code that makes them again, inside `with storage.query():`.

Not their names (`naming`), nor printing (`display`). Invariant: what is written gives the same table
when it is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitmemo.patterns.naming import Names
from gitmemo.patterns.pattern import CallAtom, MemberAtom, Pattern

HEADER = "Pattern-matching to the following computational graph (all constraints apply):"
_INPUT = "input to computation; can match anything"
_INDEX = "index into a collection; can match anything"


def written(
    pattern: Pattern,
    names: Names,
    functions: Mapping[str, str],
    tuples: frozenset[str] = frozenset(),
) -> str:
    """Return a pattern as code; `tuples` are ops that return tuples even of one value."""
    return "\n".join(_Writer(pattern, names, functions, tuples).lines())


def announced(code: str, table: str) -> str:
    """Return what is printed of a pattern: a header, its code, and the table that is asked for."""
    return "\n".join((HEADER, *(f"    {line}" for line in (*code.splitlines(), table)), ""))


def table_line(pattern: Pattern, names: Names) -> str:
    """Return the line that asks for the table."""
    asked = ", ".join(names.code[variable] for variable in pattern.asked)
    return f"result = storage.df({asked})"


class _Writer:
    """Writes the atoms of a pattern in order, each variable before it is used."""

    def __init__(
        self,
        pattern: Pattern,
        names: Names,
        functions: Mapping[str, str],
        tuples: frozenset[str],
    ) -> None:
        self._pattern = pattern
        self._names = names
        self._functions = functions
        self._tuples = tuples
        self._known: set[int] = set()
        self._uses = dict.fromkeys(pattern.variables(), 0)
        for atom in pattern.atoms:
            for variable in atom.variables:
                self._uses[variable] += 1

    def lines(self) -> Iterator[str]:
        for atom in self._pattern.atoms:
            if isinstance(atom, CallAtom):
                yield from self._call(atom)
            elif atom.kind is None:
                yield from self._taken_out(atom)
            elif atom.collection not in self._known:
                yield from self._collection(atom)
        for variable in self._pattern.asked:
            yield from self._inputs((variable,))

    def _call(self, atom: CallAtom) -> Iterator[str]:
        yield from self._inputs(variable for _, variable in atom.inputs)
        # A name that no argument can have is an argument of a call in a query all the same.
        given = [
            f"{name}={self._value(variable)}"
            if name.isidentifier()
            else f"**{{{name!r}: {self._value(variable)}}}"
            for name, variable in atom.inputs
        ]
        call = f"{self._functions[atom.op]}({', '.join(given)})"
        targets = [self._names.code[variable] for _, variable in atom.outputs]
        comma = "," if len(targets) == 1 and atom.op in self._tuples else ""
        yield f"{', '.join(targets)}{comma} = {call}" if targets else call
        for _, variable in atom.outputs:
            yield from self._defined(variable)

    def _taken_out(self, atom: MemberAtom) -> Iterator[str]:
        yield from self._inputs((atom.collection,))
        index = "Q()"
        if atom.index is not None and not self._is_idle(atom.index):
            yield from self._inputs((atom.index,), _INDEX)
            index = self._value(atom.index)
        yield f"{self._names.code[atom.element]} = {self._value(atom.collection)}[{index}]"
        yield from self._defined(atom.element)

    def _collection(self, first: MemberAtom) -> Iterator[str]:
        """Yield what makes a collection, with everything that is known to be in it."""
        members = [
            atom
            for atom in self._pattern.atoms
            if isinstance(atom, MemberAtom) and atom.collection == first.collection and atom.kind
        ]
        for atom in members:
            yield from self._inputs((atom.element,))
            if atom.index is not None and not self._is_idle(atom.index):
                yield from self._inputs((atom.index,), _INDEX)
        yield f"{self._names.code[first.collection]} = {self._holding(members)}"
        yield from self._defined(first.collection)

    def _holding(self, members: list[MemberAtom]) -> str:
        kind = members[0].kind
        values = [self._value(atom.element) for atom in members]
        keys = [self._index(atom.index) for atom in members]
        if kind == "dict":
            pairs = (f"{key}: {value}" for key, value in zip(keys, values, strict=True))
            return f"Q({{{', '.join(pairs)}, ...: ...}})"
        inner = f"{', '.join(values)}, ..."
        if any(atom.index is not None for atom in members):
            return f"ListQ([{', '.join(values)}], [{', '.join(keys)}])"
        around = {"tuple": f"({inner})", "set": f"{{{inner}}}"}
        return f"Q({around.get(str(kind), f'[{inner}]')})"

    def _index(self, index: int | None) -> str:
        return "Q()" if index is None or self._is_idle(index) else self._value(index)

    def _inputs(
        self, variables: Iterator[int] | tuple[int, ...], why: str = _INPUT
    ) -> Iterator[str]:
        for variable in variables:
            if variable in self._known or self._is_constant(variable):
                continue
            self._known.add(variable)
            name, among = self._names.code[variable], self._pattern.among.get(variable)
            called = self._label(variable)
            if among is None:
                yield f"{name} = Q(){called} # {why}"
            else:
                yield f"{name} = Q(){called}.pin({among.pins}) # {why.partition(';')[0]}"

    def _defined(self, variable: int) -> Iterator[str]:
        self._known.add(variable)
        among, called = self._pattern.among.get(variable), self._label(variable)
        pinned = "" if among is None else f".pin({among.pins})"
        if called or pinned:
            yield f"{self._names.code[variable]}{called}{pinned}"

    def _label(self, variable: int) -> str:
        column = self._names.columns[variable]
        is_told = variable in self._pattern.asked and column != self._names.code[variable]
        return f".named({column!r})" if is_told else ""

    def _is_idle(self, variable: int) -> bool:
        """Whether nothing else names a variable, and nobody asks for it."""
        named = variable in self._pattern.asked or variable in self._pattern.among
        return self._uses[variable] == 1 and not named

    def _is_constant(self, variable: int) -> bool:
        among = self._pattern.among.get(variable)
        return among is not None and among.shown is not None

    def _value(self, variable: int) -> str:
        among = self._pattern.among.get(variable)
        if among is not None and among.shown is not None:
            return among.shown
        return self._names.code[variable]
