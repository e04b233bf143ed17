"""What the variables of a pattern are called: in code, and as columns.

Not the code itself (`writing`). Invariant: names differ, are identifiers, and hide nothing that the
code needs; a name that somebody gave is kept as the column, whatever it looks like.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitmemo.model.names import number_of_output, plain_name
from gitmemo.patterns.pattern import CallAtom, MemberAtom, Pattern

UNUSED = "_"
"""What a result is called in code that nobody uses or asks for."""

_OURS = ("Q", "storage", UNUSED)
_TAKEN = frozenset([*keyword.kwlist, *dir(builtins), *_OURS])


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a pattern's variables.

    Attributes:
        code: Their names as identifiers.
        columns: Their names as columns.
    """

    code: Mapping[int, str]
    columns: Mapping[int, str]


def names_for(
    pattern: Pattern,
    given: Mapping[int, str],
    functions: Mapping[str, str],
    said: Mapping[str, Sequence[str]],
) -> Names:
    """Return names for all variables; `given` are kept, and nothing is called like a function.

    `said` is what the user's program calls the results of ops.
    """
    hidden = {name.partition(".")[0] for name in functions.values()}
    used = {*keyword.kwlist, *_OURS, *hidden}
    code: dict[int, str] = {}
    order = pattern.variables()
    for variable in (*pattern.asked, *order):
        if variable in given and variable not in code:
            code[variable] = _free(given[variable], used)
    used |= _TAKEN
    idle = set(idle_outputs(pattern))
    wanted = _plain_names(pattern, functions, said)
    for variable in order:
        if variable not in code:
            is_idle = variable in idle
            code[variable] = UNUSED if is_idle else _free(wanted[variable], used)
    columns = {variable: given.get(variable, name) for variable, name in code.items()}
    return Names(code, columns)


def idle_outputs(pattern: Pattern) -> list[int]:
    """Return the results that nothing uses and nobody asks for."""
    used = {*pattern.asked, *pattern.among}
    for atom in pattern.atoms:
        used.update(
            [variable for _, variable in atom.inputs]
            if isinstance(atom, CallAtom)
            else atom.variables
        )
    outputs = [atom.outputs for atom in pattern.atoms if isinstance(atom, CallAtom)]
    return [variable for pairs in outputs for _, variable in pairs if variable not in used]


def functions_for(ops: Iterable[str]) -> dict[str, str]:
    """Return what ops are called in code: their short names, with the module where two are equal."""
    shorts: dict[str, list[str]] = {}
    for op in sorted(set(ops)):
        shorts.setdefault(_dotted(op.rpartition(":")[2]), []).append(op)
    return {
        op: short if len(same) == 1 else _dotted(op.replace(":", "."))
        for short, same in shorts.items()
        for op in same
    }


def _dotted(name: str) -> str:
    """Return a name without what code cannot hold, such as `<locals>`."""
    kept = name.rpartition("<locals>.")[2]
    return re.sub(r"[^\w.]", "_", kept)


def unnamed_results(pattern: Pattern) -> dict[str, int]:
    """Return the ops that do not name their results, with the numbers of these."""
    found: dict[str, int] = {}
    calls = (atom for atom in pattern.atoms if isinstance(atom, CallAtom))
    for call in calls:
        for name, _ in call.outputs:
            number = number_of_output(name)
            if number is not None:
                found[call.op] = max(found.get(call.op, 0), int(number) + 1)
    return found


def _plain_names(
    pattern: Pattern, functions: Mapping[str, str], said: Mapping[str, Sequence[str]]
) -> dict[int, str]:
    """Return the best name of each variable, taken or not."""
    made: dict[int, str] = {}
    taken_as: dict[int, str] = {}
    called: dict[int, str] = {}
    called_so: dict[int, str] = {}
    for atom in pattern.atoms:
        if isinstance(atom, CallAtom):
            for name, variable in atom.outputs:
                named = number_of_output(name) is None
                (made if named else called).setdefault(variable, name)
                if not named:
                    called[variable] = _of_function(functions[atom.op], name)
                    spoken = _said(said.get(atom.op, ()), name)
                    if spoken:
                        called_so.setdefault(variable, spoken)
            for name, variable in atom.inputs:
                taken_as.setdefault(variable, plain_name(name))
    found = {**called, **taken_as, **called_so, **made}
    for atom in reversed(pattern.atoms):  # what is in a collection that is in another one
        if isinstance(atom, MemberAtom):
            found.setdefault(atom.collection, "items")
            found.setdefault(atom.element, f"{found[atom.collection]}_item")
            if atom.index is not None:
                found.setdefault(atom.index, "idx")
    return found


def _said(names: Sequence[str], output: str) -> str:
    number = int(number_of_output(output) or 0)
    return names[number] if number < len(names) else ""


def _of_function(function: str, output: str) -> str:
    short = function.rpartition(".")[2]
    number = number_of_output(output)
    return f"{short}_{int(number or 0) + 1}"


def _free(wanted: str, used: set[str]) -> str:
    """Return a name that nothing has yet, and note it as taken."""
    stem = re.sub(r"\W", "_", wanted)
    name = stem = stem if stem.isidentifier() else f"_{stem}"
    number, stem = 1, stem.removesuffix("_1")
    while name in used:
        number += 1
        name = f"{stem}_{number}"
    used.add(name)
    return name


def unique(columns: Sequence[str]) -> list[str]:
    """Return column names that differ: a number is added to those that do not."""
    used: set[str] = set()
    found: list[str] = []
    for column in columns:
        name, number = column, 1
        while name in used:
            number += 1
            name = f"{column}_{number}"
        used.add(name)
        found.append(name)
    return found
