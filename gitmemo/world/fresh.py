"""What a process recorded and the derived index does not hold yet.

Not durable: the journal has it. Invariant: what is found here is what the index
will find once it has read the journal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Call, Fact, Tombstone, Undo, Value, Version
from gitmemo.model.glances import Asked, call_from_line
from gitmemo.model.items import histories
from gitmemo.model.lines import record_id
from gitmemo.world.crowds import FEW, Crowd, Test
from gitmemo.world.table import mark_of
from gitmemo.world.view import CallSignature, signature_of


class Fresh:
    """Facts that this process recorded and the derived index does not hold yet.

    Calls are kept as lines: one block may record hundreds of thousands.

    Attributes:
        without_stored: Ops, with their version numbers, of which the index held no calls when it
            was last asked for their signatures, which is in every block: it is not asked again.
    """

    def __init__(self) -> None:
        self.without_stored: set[tuple[str, int]] = set()
        self.marks: set[int] = set()
        self.by_key: dict[Digest, list[str]] = {}
        self.by_output: dict[Digest, tuple[str, ...]] = {}
        self.values: dict[Digest, list[Value]] = defaultdict(list)
        self.versions: dict[Digest, Version] = {}
        self.signatures: dict[tuple[str, int], set[CallSignature]] = defaultdict(set)
        self.tombstones: dict[Digest, Tombstone | Undo] = {}
        self._crowds: dict[Digest, Crowd] = {}

    def calls(self) -> list[Call]:
        lines = (line for lines in self.by_key.values() for line in lines)
        return [call_from_line(line, None, content_id) for line in lines]

    def with_key(self, key: Digest, asked: Asked | None, is_living: Test) -> list[Call]:
        """Return the calls with a key; if it is known what is `asked`, those that decide."""
        lines = self.by_key.get(key)
        if lines is None:
            return []
        crowd = self._crowds.get(key)
        if asked is not None and crowd is not None:
            lines = [lines[place] for place in crowd.deciding(asked, is_living)]
        return [call_from_line(line, asked, content_id) for line in lines]

    def with_output(self, hid: Digest) -> list[Call]:
        return [call_from_line(line, None, content_id) for line in self.by_output.get(hid, ())]

    def learn(self, facts: Iterable[Fact], lines: Iterable[str]) -> None:
        """Add what another process recorded, but for what is here already."""
        new = [
            (fact, line)
            for fact, line in zip(facts, lines, strict=True)
            if not (isinstance(fact, Call) and line in self.by_key.get(fact.key, ()))
            and not (isinstance(fact, Value) and fact in self.values.get(fact.cid, ()))
        ]
        self.add([fact for fact, _ in new], [line for _, line in new])

    def add(self, facts: Iterable[Fact], lines: Iterable[str]) -> None:
        for fact, line in zip(facts, lines, strict=True):
            if type(fact) is Call:
                self.marks.add(mark_of(fact.key))
                self._add_call(fact, line)
                self.signatures[fact.op, fact.op_version].add(signature_of(fact))
                by_output = self.by_output
                for slot in fact.outputs:
                    for hid in histories(slot) if slot.parts else (slot.hid,):
                        before = by_output.get(hid)
                        by_output[hid] = (line,) if before is None else (*before, line)
            elif isinstance(fact, Value):
                self.values[fact.cid].append(fact)
            elif isinstance(fact, Version):
                self.versions[fact.id] = fact
            elif isinstance(fact, (Tombstone, Undo)):
                self.tombstones[record_id(line)] = fact

    def _add_call(self, call: Call, line: str) -> None:
        lines = self.by_key.get(call.key)
        if lines is None:  # as nearly always
            self.by_key[call.key] = [line]
            return
        lines.append(line)
        crowd = self._crowds.get(call.key)
        if crowd is not None:
            crowd.add(len(lines) - 1, line, call)
        elif len(lines) > FEW:
            crowd = Crowd()
            for place, one in enumerate(lines):
                crowd.add(place, one, call_from_line(one, None, content_id))
            self._crowds[call.key] = crowd
