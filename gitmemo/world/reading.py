"""Many facts read at once: what lists of versions and of contents are made of.

Not look-ups on the way of a call (`index`). Invariant: one query for each kind
of fact, however many are asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Call, Decision, Source, Text, Version
from gitmemo.model.glances import start_of
from gitmemo.model.lines import from_line, record_id
from gitmemo.world.index import Index
from gitmemo.world.table import as_json, made_by, mark_of, of_component

Histories = dict[Component, dict[Digest, Source | Decision]]
"""Components to the sources of and decisions about them, by record id, in the order they were seen."""
_MARK_BYTES = 8


class Reading:
    """Reads facts of a world in bulk."""

    index: Index

    def versions(self, ids: Iterable[Digest] | None = None) -> dict[Digest, Version]:
        """Return versions by their ids; all that are known if `ids` is None."""
        if ids is None:
            lines = [line for _, line in self.index.lines_of("version")]
        else:
            lines = self._lines_marked(ids)
        return {
            version.id: version
            for version in (from_line(line, content_id) for line in lines if _is(line, "version"))
            if isinstance(version, Version)
        }

    def about(self, components: Iterable[Component] | None = None) -> Histories:
        """Return what is known of several components, of all if None."""
        if components is None:
            lines = [line for _, line in self.index.lines_of("source", "decision")]
        else:
            lines = self._lines_marked(map(of_component, components))
        found: Histories = defaultdict(dict)
        for line in lines:
            fact = from_line(line, content_id)
            if isinstance(fact, Source | Decision):
                found[fact.component][record_id(line)] = fact
        return dict(found)

    def texts(self, wanted: Iterable[Digest]) -> dict[Digest, str]:
        """Return those of the source texts with these digests that are known here."""
        chosen = set(wanted)
        lines = self._lines_marked(chosen)
        facts = (from_line(line, content_id) for line in lines if _is(line, "text"))
        texts = {digest(f.text.encode("utf-8")): f.text for f in facts if isinstance(f, Text)}
        return {text: texts[text] for text in chosen & texts.keys()}

    def calls_by_prefix(self, digits: str) -> tuple[list[Call], list[Call]]:
        """Return the calls whose history ids begin like this, and those that made a value whose does."""
        rows = self.index.rows(
            "select shape, line from fact where micros is not null and hex(hid) like ?",
            (f"{digits}%",),
        )
        calls = [self.index.call_of(*row) for row in rows]
        first = int(digits[:2], 16)  # a mark's lowest byte is the first of the id
        marks = self.index.rows("select distinct hid from output where hid & 255 = ?", (first,))
        near = [
            mark
            for (mark,) in marks
            if mark.to_bytes(_MARK_BYTES, "little", signed=True)
            .hex()
            .startswith(digits[: 2 * _MARK_BYTES])
        ]
        rows = self.index.rows(
            "select shape, line from output join fact on fact.id = output.fact"
            " where output.hid in (select value from json_each(?))",
            (as_json(near),),
        )
        makers = [self.index.call_of(*row) for row in rows]
        return calls, [c for c in makers if any(h.hex().startswith(digits) for h in made_by(c))]

    def _lines_marked(self, keys: Iterable[bytes]) -> list[str]:
        rows = self.index.rows(
            "select shape, line from fact where micros is null"
            " and mark in (select value from json_each(?)) order by id",
            (as_json(map(mark_of, keys)),),
        )
        return [self.index.shapes.line(*row) for row in rows]


def periods(
    index: Index, op: str, numbers: Iterable[int] | None, without: Iterable[int] = ()
) -> dict[Digest, tuple[str, str]]:
    """Return when the first and the last call of an op with each version began, among these facts."""
    rows = index.rows(
        "select shape.version, shape, line from fact join shape on shape.id = fact.shape"
        " where micros is not null and op = :op and version != x''"
        " and (:among is null or fact.id in (select value from json_each(:among)))"
        " and fact.id not in (select value from json_each(:without))",
        {
            "op": op,
            "among": None if numbers is None else as_json(numbers),
            "without": as_json(without),
        },
    )
    found: dict[Digest, tuple[str, str]] = {}
    for version, shape, line in rows:
        start = start_of(index.shapes.line(shape, line))
        if start:
            first, last = found.get(version, (start, start))
            found[version] = min(first, start), max(last, start)
    return found


def _is(line: str, kind: str) -> bool:
    return line.startswith(f'["{kind}",')
