"""From a database of mandala to calls of ops.

Not the reading of the database (`mandala_database`). Invariant: values are hashed anew by gitmemo;
a call whose input was brought as a result of another call gets that history, with its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from gitmemo.moving.fitting import Refused, fitted
from gitmemo.moving.mandala_code import MandalaCode
from gitmemo.moving.mandala_database import OldCall, OldDatabase, OldRef
from gitmemo.moving.ops import OpFinder
from gitmemo.moving.report import FunctionReport
from gitmemo.moving.taking import Taker
from gitmemo.ref import CollectionRef, Ref

if TYPE_CHECKING:
    from gitmemo.memo.op import Op


_DEEPEST = 50


class MandalaMove:
    """Brings the calls of one database."""

    def __init__(
        self, database: OldDatabase, finder: OpFinder, taker: Taker, code: MandalaCode
    ) -> None:
        self._database = database
        self._finder = finder
        self._taker = taker
        self._code = code
        self._refs: dict[str, Ref[Any]] = {}

    def bring(self, *, reads: bool) -> list[FunctionReport]:
        """Bring what is proven; return what came of each function.

        Without `reads` nothing is unpickled: only which ops take the results is said.
        """
        calls = self._database.calls
        reports = {name: FunctionReport(name) for name in sorted({call.op for call in calls})}
        ops = {name: self._op(name, report) for name, report in reports.items()}
        for call in self._in_order(calls) if reads else calls:
            report, op = reports[call.op], ops[call.op]
            if isinstance(op, Refused):
                report.refused[str(op)] += 1
            elif not reads:
                report.unread += 1
            else:
                try:
                    self._bring(op, call, report)
                except Refused as refused:
                    report.refused[str(refused)] += 1
        return list(reports.values())

    def _op(self, name: str, report: FunctionReport) -> Op[..., Any] | Refused:
        try:
            op = self._finder.of_mandala(name)
        except Refused as refused:
            return refused
        report.op = self._taker.bringing.name_of(op)
        return op

    def _bring(self, op: Op[..., Any], call: OldCall, report: FunctionReport) -> None:
        code = self._code.of(op, call)
        arguments = self._arguments(op, call)
        outputs = self._database.outputs(call)
        names = op.options.outputs.names
        given = [name for name, _ in outputs if name is not None]
        if given and tuple(given) != names:
            raise Refused(f"its outputs were named {', '.join(given)}; those of the op are not")
        is_known = self._taker.is_known(op, arguments)
        values = [self._value(ref) for _, ref in outputs]
        returned = values[0] if op.options.outputs.count == 1 == len(values) else tuple(values)
        refs = self._taker.take(op, arguments, returned, {}, code)
        for (_, old), new in zip(outputs, refs, strict=False):
            self._note(old, new)
        report.known += is_known
        report.brought += not is_known

    def _arguments(self, op: Op[..., Any], call: OldCall) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of a call; those that are results of calls as refs."""
        binder = op.arguments.binder
        values = {name: self._value(ref, self._refs) for name, ref in call.inputs.items()}
        starred = [name for name in values if binder.is_numbered(name)]
        if starred and binder.takes_any:
            reason = f"whether {starred[0]!r} came in *{binder.variadic} or as a keyword"
            raise Refused(f"{reason} is not recorded")
        starred.sort(key=lambda name: int(name.rpartition("_")[2]))
        keywords = {
            name: value
            for name, value in values.items()
            if name not in starred and name not in binder.signature.parameters
        }
        named = {n: v for n, v in values.items() if n not in starred and n not in keywords}
        return fitted(op, named, [values[name] for name in starred], keywords)

    def _value(self, ref: OldRef, known: dict[str, Ref[Any]] | None = None, depth: int = 0) -> Any:
        """Return a value; where its history is `known`, or that of an item in it, the ref."""
        if known and ref.hid in known:
            return known[ref.hid]
        if depth > _DEEPEST:
            raise Refused("a collection is nested too deeply, or holds itself")
        items = self._database.items(ref)
        if isinstance(items, list):
            return [self._value(item, known, depth + 1) for item in items]
        if isinstance(items, dict):
            return {key: self._value(item, known, depth + 1) for key, item in items.items()}
        return self._database.atom(ref)

    def _note(self, old: OldRef, new: Ref[Any]) -> None:
        """Remember which ref a value has now, and which the items have that are in it."""
        self._refs[old.hid] = new
        items = self._database.items(old)
        if items is None or not isinstance(new, CollectionRef):
            return
        held: Any = new
        pairs = items.items() if isinstance(items, dict) else enumerate(items)
        for key, item in pairs:
            self._note(item, held[key])

    def _in_order(self, calls: list[OldCall]) -> Iterator[OldCall]:
        """Yield calls after those that made their inputs."""
        by_hid = {call.hid: call for call in calls}
        made: dict[str, str] = {}
        for call in calls:
            for ref in call.outputs.values():
                for inner in self._inside(ref):
                    made.setdefault(inner.hid, call.hid)
        needs = {
            call.hid: {
                made[inner.hid]
                for ref in call.inputs.values()
                for inner in self._inside(ref)
                if made.get(inner.hid, call.hid) != call.hid
            }
            for call in calls
        }
        try:
            order = list(TopologicalSorter(needs).static_order())
        except CycleError:
            order = list(by_hid)  # damaged: no history is found, the values are
        return (by_hid[hid] for hid in order)

    def _inside(self, ref: OldRef, depth: int = 0) -> Iterator[OldRef]:
        yield ref
        try:
            items = self._database.items(ref) if depth < _DEEPEST else None
        except Refused:
            return
        for item in items.values() if isinstance(items, dict) else items or ():
            yield from self._inside(item, depth + 1)
