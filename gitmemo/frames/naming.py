"""Names of variables and functions: what people call the roles of a frame.

Not the roles themselves (`roles`). Invariant: roles have one name only where they are arguments
that agree in every row, or where somebody said so; the names follow from the calls, and from what
the user's program calls results.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from gitmemo.frames.roles import Function, Roles, Variable
from gitmemo.frames.rows import Row
from gitmemo.model.facts import Slot
from gitmemo.model.names import number_of_output

Spoken = Callable[[Mapping[str, int]], Mapping[str, Sequence[str]]]
"""What the user's program calls the results of ops, by position; empty where nothing is known.

It is asked for ops with the numbers of their outputs.
"""


def nothing_spoken(_: Mapping[str, int]) -> Mapping[str, Sequence[str]]:
    """Know nothing of the program."""
    return {}


def asked_once(spoken: Spoken) -> Spoken:
    """Return what answers the same later, too, so that a frame's names stay while it is looked at."""
    known: dict[frozenset[tuple[str, int]], Mapping[str, Sequence[str]]] = {}

    def asked(ops: Mapping[str, int]) -> Mapping[str, Sequence[str]]:
        key = frozenset(ops.items())
        if key not in known:
            known[key] = spoken(ops)
        return known[key]

    return asked


def function_names(functions: Iterable[Function]) -> dict[Function, str]:
    """Return what functions are called: the last part of the op's name, if that tells them apart."""
    known = list(functions)
    ops = {function.op for function in known}
    shorts = Counter(short(op) for op in ops)
    return {
        function: (short(function.op) if shorts[short(function.op)] == 1 else function.op)
        + (f"[{function.part}]" if function.part else "")
        for function in known
    }


def variable_names(
    roles: Roles,
    given: Mapping[Variable, str],
    rows: Callable[[], Sequence[Row]],
    spoken: Spoken,
) -> dict[Variable, str]:
    """Return the name of each variable: `given` by people, else the best that is clear.

    Of several that want one name, those have it that are arguments and agree in every row; the
    others try what is next best, and the full name of their op in the end. `rows` is asked only
    where several arguments want one name.
    """
    functions = function_names({variable.function for variable in roles.variables})
    unnamed = _unnamed(one for one in roles.variables if one not in given)
    said = _clear(spoken(unnamed)) if unnamed else {}
    left = {
        one: [
            *_candidates(one, roles, said.get(one.function.op, ())),
            *_full_names(one, functions[one.function]),
        ]
        for one in roles.variables
        if one not in given
    }
    taken = set(given.values())
    while True:
        wanting: dict[str, list[Variable]] = defaultdict(list)
        for variable, names in left.items():
            wanting[names[0]].append(variable)
        refused = [
            one
            for name, several in wanting.items()
            if name in taken or not _agree(several, roles, rows)
            for one in _yielding(several, left, name in taken)
        ]
        if not refused:
            break
        for one in refused:
            left[one] = left[one][1:] or [f"{left[one][0]}'"]
    named = {one: names[0] for one, names in left.items()}
    return {one: given.get(one, named.get(one, "")) for one in roles.variables}


def _yielding(
    several: Sequence[Variable], left: Mapping[Variable, Sequence[str]], is_taken: bool
) -> list[Variable]:
    """Return which of several that want one name must take another: first those that have a choice.

    A result keeps the name that its op gave it if it is the only one that was declared so.
    """
    declared = [one for one in several if one.produced and one.name == left[one][0]]
    if len(declared) == 1 and all(one.produced for one in several) and not is_taken:
        return [one for one in several if one not in declared]
    most = max(len(left[one]) for one in several)
    if is_taken or most == min(len(left[one]) for one in several):
        return list(several)
    return [one for one in several if len(left[one]) == most]


def _full_names(variable: Variable, function: str) -> list[str]:
    """Return names with the function, of which the last is that of no other variable's list."""
    sign = "->" if variable.produced else "."  # an output may be called like an argument
    op = (
        f"{variable.function.op}[{variable.function.part}]"
        if variable.function.part
        else variable.function.op
    )
    return [
        f"{function}.{variable.name}",
        f"{function}{sign}{variable.name}",
        f"{op}{sign}{variable.name}",
    ]


def _unnamed(variables: Iterable[Variable]) -> dict[str, int]:
    """Return the ops with results among `variables` that they did not name, and how many these are."""
    found: dict[str, int] = {}
    for one in variables:
        number = number_of_output(one.name) if one.produced else None
        if number is not None:
            found[one.function.op] = max(found.get(one.function.op, 0), int(number) + 1)
    return found


def _clear(said: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return what results are called, without what several are called."""
    counted = Counter(name for names in said.values() for name in names)
    return {op: [n if counted[n] == 1 else "" for n in names] for op, names in said.items()}


def _candidates(variable: Variable, roles: Roles, said: Sequence[str]) -> list[str]:
    """Return what a variable could be called, the best first; `said` are names that programs use."""
    number = number_of_output(variable.name) if variable.produced else None
    if number is None:
        part = variable.function.part
        if part and f"_{part}".isidentifier():  # of a function that was split
            return [variable.name, f"{variable.name}_{part}"]
        called = f"{short(variable.function.op)}_{variable.name}"
        return [variable.name, called] if variable.produced else [variable.name]
    position = int(number)
    found = [said[position]] if position < len(said) and said[position] else []
    if variable not in roles.ports:
        takes = roles.takes.get(variable, {}).values()
        found += sorted({name for names in takes for name in names})[:1]
    found.append(name_of_result(variable.function.op, variable.name, ()))
    return list(dict.fromkeys(found))


def _agree(variables: Sequence[Variable], roles: Roles, rows: Callable[[], Sequence[Row]]) -> bool:
    """Whether variables of one name are arguments that always have the same value in a row.

    Those that a doubled variable feeds are no arguments from outside: the values are another's, too.
    """
    if len(variables) == 1:
        return True
    fed = {port for ports in roles.ports.values() for port in ports}
    if any(variable.produced for variable in variables) or not fed.isdisjoint(variables):
        return False
    return all(
        len({content(slot) for variable in variables for slot in row.get(variable, ())}) <= 1
        for row in rows()
    )


def content(slot: Slot) -> object:
    """Return what is the same for equal values, whatever their histories."""
    return repr(slot.inline.json) if slot.inline is not None else slot.cid


def name_of_result(op: str, output: str, said: Sequence[str]) -> str:
    """Return what a result of an op is called on its own; `said` are names that programs use.

    >>> name_of_result("lab:fit", "output_0", ["m"]), name_of_result("lab:fit", "output_1", [])
    ('m', 'fit_1')
    """
    number = number_of_output(output)
    if number is None:
        return output
    position = int(number)
    if position < len(said) and said[position]:
        return said[position]
    return short(op) if number == "0" else f"{short(op)}_{number}"


def short(op: str) -> str:
    """Return the last part of an op's name.

    >>> short("analysis.train:Model.fit")
    'fit'
    """
    return op.rpartition(":")[2].rpartition(".")[2]
