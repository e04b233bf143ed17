"""What is known of the values that variables stand for, by history.

Not refs or Python values (`tables`). Invariant: of several slots of one history the one that says
most is taken: a result before the argument that it became.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call
from gitmemo.model.items import Held, histories
from gitmemo.patterns.pattern import Atom, CallAtom, MemberAtom, Pattern
from gitmemo.patterns.stored import Stored


def held_by(stored: Stored, pattern: Pattern, variable: int) -> dict[Digest, Held]:
    """Return every value that a variable may stand for."""
    found: dict[Digest, Held] = {}
    for pairs in sources_of(stored, pattern.atoms, variable):
        for hid, held in pairs:
            found.setdefault(hid, held)
    return found


def best_held(stored: Stored, pattern: Pattern, variable: int) -> dict[Digest, Held]:
    """Return the values of the one place that says most of a variable: it has all that match."""
    first = next(sources_of(stored, pattern.atoms, variable))
    return dict(first)


def sources_of(
    stored: Stored, atoms: Iterable[Atom], variable: int
) -> Iterator[Iterable[tuple[Digest, Held]]]:
    """Yield the values of each place in which a variable stands, the best places first."""
    atoms = list(atoms)
    for is_output in (True, False):
        for atom in atoms:
            if isinstance(atom, CallAtom):
                for name, other in atom.outputs if is_output else atom.inputs:
                    if other == variable:
                        yield _of_column(stored, atom, is_output=is_output, name=name)
        if is_output:
            yield from _of_members(stored, atoms, variable)


def _of_column(
    stored: Stored, atom: CallAtom, *, is_output: bool, name: str
) -> Iterator[tuple[Digest, Held]]:
    slots = stored.column(atom.op, atom.op_version, is_output=is_output, name=name)
    hids = stored.histories(atom.op, atom.op_version, is_output=is_output, name=name)
    for hid, slot in zip(hids, slots, strict=True):
        if hid is not None and slot is not None:
            yield hid, slot


def _of_members(
    stored: Stored, atoms: Iterable[Atom], variable: int
) -> Iterator[Iterable[tuple[Digest, Held]]]:
    for atom in atoms:
        if not isinstance(atom, MemberAtom):
            continue
        if variable == atom.element:
            yield [(member.element.hid, member.element) for member in stored.members]
        if variable == atom.index:
            keys = (member.index for member in stored.members)
            yield [(key.hid, key) for key in keys if key is not None]
        if variable == atom.collection:
            yield stored.collections.items()


def links_among(stored: Stored) -> set[Digest]:
    """Return the histories of what links returned."""
    return {hid for call in stored.calls if call.is_link for hid in _made(call)}


def originals(stored: Stored) -> dict[Digest, Digest]:
    """Return for what links returned the histories of what they repeat.

    That is what the same call on the same contents returned when it ran, or the first link to it.
    """
    linked = {(call.op, call.op_version) for call in stored.calls if call.is_link}
    firsts: dict[Digest, Call] = {}
    for op in sorted(linked):
        for call in sorted(stored.by_op[op], key=lambda call: (call.is_link, call.hid)):
            firsts.setdefault(call.cid, call)
    found: dict[Digest, Digest] = {}
    for op in linked:
        for call in stored.by_op[op]:
            if call.is_link:
                pairs = zip(_made(call), _made(firsts[call.cid]), strict=False)
                found.update({hid: first for hid, first in pairs if hid != first})
    return found


def _made(call: Call) -> Iterator[Digest]:
    for slot in call.outputs:
        yield from histories(slot)
