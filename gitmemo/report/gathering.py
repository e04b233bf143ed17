"""From a look at a repository to a document: which tables there are, the code behind them, the graph.

Not the tables themselves (`tables`) nor what changed (`changes`). Invariant: nothing is recorded or
run, no value is loaded, and what is left out is said in the document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gitmemo.collector import uncollected
from gitmemo.drawing import Graph, folded, to_svg
from gitmemo.frames import ComputationFrame
from gitmemo.frames.picture import graph_of
from gitmemo.hashing.digest import Digest
from gitmemo.model.facts import Version
from gitmemo.quantities import count
from gitmemo.report.cells import Cells
from gitmemo.report.changes import Since, changes_since
from gitmemo.report.document import Code, Document, TableOfOp
from gitmemo.report.kept import Shelf
from gitmemo.report.tables import Made, table_of
from gitmemo.short_ids import short
from gitmemo.versions.contents import Texts
from gitmemo.workspace import View
from gitmemo.world.repository import RepositoryWorld


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page is to be about.

    Attributes:
        frame: The calls, with all that led to them.
        ops: The ops that were asked for, in full; empty for all.
        condition: What the rows meet, as it was typed; empty for nothing.
        where: What is looked at, in words.
        notes: What is left out already, in sentences.
        most: How many rows a table has at most.
        since: What to compare with.
    """

    frame: ComputationFrame
    ops: Sequence[str]
    condition: str
    where: str
    notes: Sequence[str]
    most: int
    since: Since | None = None


@dataclass(slots=True)
class Versions:
    """The versions that a page has met, numbered in the order in which it met them."""

    _numbers: dict[tuple[str, Digest], int] = field(default_factory=dict)

    def number(self, op: str, version: Digest) -> int:
        """Return the place of a version of an op in the list."""
        return self._numbers.setdefault((op, version), len(self._numbers))

    def code(self, view: View, other: View | None = None) -> Code:
        """Return all of them with their contents and texts; `other` is asked for what `view` lacks."""
        wanted = {version for _, version in self._numbers}
        known = dict(view.world.versions(wanted))
        if other is not None:
            known |= other.world.versions(wanted - known.keys())
        texts = Texts(view.world, (pair for one in known.values() for pair in one.pairs.items()))
        code, places = Code(), dict[tuple[object, ...], int]()
        for op, ident in self._numbers:
            contents = _contents(known.get(ident), texts, code, places)
            code.versions.append({"op": op, "id": short(ident), "contents": contents})
        return code


def _contents(
    version: Version | None, texts: Texts, code: Code, places: dict[tuple[object, ...], int]
) -> list[int]:
    found = []
    for content in texts.of(version) if version else ():
        key = (content.component, content.id, content.value)
        if key not in places:
            places[key] = len(code.contents)
            code.contents.append(
                {
                    "component": str(content.component),
                    "id": short(content.id),
                    "value": short(content.value) if content.value else None,
                    "text": content.text,
                }
            )
        found.append(places[key])
    return found


@uncollected()
def gather(view: View, wanted: Wanted) -> Document:
    """Return what a page shows of the calls that are `wanted`, as they are in `view`."""
    frame, versions, since = wanted.frame, Versions(), wanted.since
    pending = view.world.pending_hids(view.code)
    cells = Cells(view.world, frame.calls)
    made = Made(frame, cells, versions.number, pending, wanted.most, Shelf())
    tables = tuple(table_of(made, name) for name in frame.functions)
    changes = changes_since(since, wanted.ops, versions.number) if since else None
    svg, nodes = _drawn(graph_of(frame, pending), frame)
    commit = view.world.place.commit
    return Document(
        title=view.workspace.layout.root.name,
        where=wanted.where,
        commit=commit,
        dirty=_is_dirty(view),
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        calls=len(frame),
        notes=tuple(_notes(view, wanted, tables)),
        open="gm.open()" if view.rev is None else f"gm.open(rev={commit!r})",
        tables=tables,
        first=_first(tables, wanted),
        code=versions.code(view, since.old if since else None),
        graph=svg,
        nodes=nodes,
        changes=changes,
    )


def _is_dirty(view: View) -> bool | None:
    if view.rev is not None or not isinstance(view.world, RepositoryWorld):
        return None
    return bool(view.world.run_facts().get("dirty"))


def _notes(view: View, wanted: Wanted, tables: Sequence[TableOfOp]) -> list[str]:
    damaged = {error.path: error.problem() for error in view.left_out}
    notes = [f"left out, with all that it says: {problem}" for problem in damaged.values()]
    notes += wanted.notes
    if wanted.condition:
        notes.insert(0, f"only what meets {wanted.condition}, and what led to it")
    for table in tables:
        if table.total > len(table):
            shown = f"the newest {len(table):,} of {table.total:,}"
            notes.append(f"{table.name}: {shown} rows are here (--limit)")
    return notes


def _first(tables: Sequence[TableOfOp], wanted: Wanted) -> int:
    """Return the table to begin with: of the first op that was asked for, else of the last result."""
    numbers = {table.op: number for number, table in enumerate(tables)}
    for op in wanted.ops:
        if op in numbers:
            return numbers[op]
    used = {maker.op for makers in wanted.frame.universe.feeding.values() for maker in makers}
    last = [number for op, number in numbers.items() if op not in used]
    return max(last or numbers.values(), default=0, key=lambda n: (len(tables[n].columns), n))


def _drawn(graph: Graph, frame: ComputationFrame) -> tuple[str, tuple[dict[str, str], ...]]:
    """Return the graph as SVG, each node a link to what it stands for."""
    known = {f"f:{name}": {"op": one.op} for name, one in frame.functions.items()}
    known |= {f"v:{name}": {"column": name} for name in frame.variables}
    nodes: list[dict[str, str]] = []
    drawn = []
    picture = folded(graph)
    for node in picture.nodes:
        if node.key in known:
            node = replace(node, link=f"#node-{len(nodes)}")
            nodes.append(known[node.key])
        drawn.append(node)
    title = f"{count(len(frame), 'call')}: functions and the values between them"
    return to_svg(replace(picture, nodes=tuple(drawn), title=title)), tuple(nodes)
