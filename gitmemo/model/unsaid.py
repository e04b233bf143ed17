"""Variables whose value no text says: which of several values counts where nothing runs.

`CFG = json.load(open("cfg.json"))` has the value that it had when a call ran. Code that runs knows the
value of now (`validity` judges it); files do not. Invariant: where the code knows the value, or all
calls had the same, nothing is left out; else the value of the newest of the calls counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component, is_variable
from gitmemo.model.contests import Place
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Version
from gitmemo.model.validity import Code

Unsaid: TypeAlias = "Mapping[Component, Mapping[Digest, Place]]"
"""For each variable the value that versions had, by their ids; equivalent ones are the same here."""


def unsaid(versions: Iterable[Version], code: Code, decisions: Decisions) -> Unsaid:
    """Return the variables of valid versions of which `code` cannot tell which value is that of now."""
    held: dict[Component, dict[Digest, Place]] = defaultdict(dict)
    for version in versions:
        for component, content in version.pairs.items():
            if content.value is not None and is_variable(component):
                held[component][version.id] = (component, content.value)
    now: dict[Component, dict[Digest, Place]] = defaultdict(dict)
    for component, values in held.items():
        where = component
        if decisions.any_moves and code.knows(component) and code.current(component) is None:
            places = decisions.places(component)
            where = next((one for one in places if code.current(one) is not None), component)
        now[where] |= values
    return {
        component: told
        for component, values in now.items()
        if len(set(values.values())) > 1
        and _is_unsaid(component, code)
        and len(set((told := _alike(values, decisions)).values())) > 1
    }


def _is_unsaid(component: Component, code: Code) -> bool:
    content = code.current(component) if code.knows(component) else None
    return content is not None and content.value is None


def _alike(values: Mapping[Digest, Place], decisions: Decisions) -> dict[Digest, Place]:
    """Return the values, one for all that are equivalent to it."""
    firsts: list[Place] = []
    known: dict[Place, Place] = {}
    for one in sorted(set(values.values())):
        same = (f for f in firsts if f[1] == one[1] or decisions.same(f, one))
        known[one] = next(same, one)
        if known[one] == one:
            firsts.append(one)
    return {version: known[value] for version, value in values.items()}


def of_other_values(
    variables: Unsaid, calls: Collection[Call], later: Collection[Digest] = ()
) -> dict[Digest, Component]:
    """Return the calls that had another value than the newest, by history id, with the variable.

    `later` are calls that only count where no other call tells the value.
    """
    found: dict[Digest, Component] = {}
    for component, values in variables.items():
        users = [call for call in calls if call.version in values]
        newest = max(
            users, key=lambda call: (call.hid not in later, call.start, call.hid), default=None
        )
        if newest is None or newest.version is None:
            continue
        counts = values[newest.version]
        for call in users:
            if call.version is not None and values[call.version] != counts:
                found.setdefault(call.hid, component)
    return found
