"""Storages: where the calls of a program are looked up, run and remembered.

Not where facts are kept (`world`), how a call is run (`execute`), what it
leaves behind (`recorder`) or how code is watched (`tracing`): this module puts
them together. Invariant: a call is handed out only if its version is valid for
the code as it is at that moment, and a call that was run is durable before its
refs are handed out.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gitmemo.codecs import decode
from gitmemo.errors import NotReproducible, UnknownRef, ValueMissing
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.memo import context
from gitmemo.memo.calls import (
    CallEvent,
    CallView,
    Counter,
    GlobalChanged,
    Hit,
    Observer,
    Reason,
    hit_of,
)
from gitmemo.memo.execute import (
    CallOutcome,
    CallRequest,
    NoTracking,
    Tracking,
    execute,
    identify,
    running,
)
from gitmemo.memo.inputs import guarded_inputs, short_cut, slots_of
from gitmemo.memo.names import MAIN, OpNames
from gitmemo.memo.recorder import Recorder
from gitmemo.memo.trust import Trust, Values
from gitmemo.memo.verdicts import Verdicts
from gitmemo.model import ids
from gitmemo.model.components import Component
from gitmemo.model.facts import Call, Slot
from gitmemo.model.validity import Code, NoCode
from gitmemo.ref import IMMUTABLE, AtomRef, Ref, ref_to, unwrap_all
from gitmemo.tracing import CodeState, Project, Tracker
from gitmemo.world.standalone import StandaloneWorld
from gitmemo.world.view import Candidate, World

if TYPE_CHECKING:
    from gitmemo.frame import ComputationFrame
    from gitmemo.memo.op import Op


class Storage:
    """Remembers the calls of ops that are made inside `with storage:`.

    Args:
        db_path: One SQLite file to keep everything in; in memory if omitted. The storage of a
            git repository is made by `gitmemo.open()`.
        deps_path: Track what calls depend on: `"__main__"` for the running script or session, or
            a folder of code. Not tracked if omitted.

    `with storage:` and `with storage.run():` are the same. Blocks nest, also with
    other storages; each thread and task has its own.
    """

    def __init__(
        self,
        db_path: str | os.PathLike[str] | None = None,
        deps_path: str | os.PathLike[str] | None = None,
    ) -> None:
        world = StandaloneWorld(None if db_path is None else Path(db_path))
        self._set_up(world, _project_of(deps_path), Trust())

    @classmethod
    def over(cls, world: World, project: Project, trust: Trust, *, can_pull: bool) -> Self:
        """Return a storage over `world` that versions the code of `project`.

        `can_pull` says that values which are not on this machine may be on a remote; if not,
        the calls that made them are run again when the values are needed.
        """
        storage = cls.__new__(cls)
        storage._set_up(world, project, trust)
        storage.can_pull = can_pull
        return storage

    def _set_up(self, world: World, project: Project | None, trust: Trust) -> None:
        self.world = world
        self.project = project
        self.counter = Counter()
        self.can_pull = False
        self.is_closed = False
        self._values = Values(world, trust)
        self._observer: Observer | None = None
        self._lock = threading.RLock()
        self._hits: dict[tuple[object, ...], Hit] = {}
        self._ops = OpNames(project)
        self._reported: set[Component] = set()
        self._code: Code = NoCode()
        self._tracking: Tracking = NoTracking()
        self._verdicts: Verdicts | None = None
        state = None
        if project is not None:
            self._code = state = CodeState(project)
            self._tracking = Tracker(project, state)
            self._verdicts = Verdicts(world, state)
        self._recorder = Recorder(world, self._values, state)

    # --- blocks ----------------------------------------------------------

    def __enter__(self) -> Self:
        if context.depth(self) == 0:
            with self._lock:
                if self.world.enter():
                    self._hits.clear()
                self._recorder.enter()
                if self._verdicts:
                    self._verdicts.clear()
        context.push(self)
        return self

    def __exit__(self, *_: object) -> None:
        context.pop(self)

    def run(self) -> Self:
        """Return the storage itself: `with storage.run():` is `with storage:`."""
        return self

    @contextmanager
    def observed(self, observer: Observer) -> Iterator[None]:
        """Tell `observer` of each call in the body of the `with` statement."""
        before, self._observer = self._observer, observer
        try:
            yield
        finally:
            self._observer = before

    def close(self) -> None:
        """Release files; the storage cannot be used afterwards."""
        self.is_closed = True
        self.world.close()

    # --- calls -----------------------------------------------------------

    def call(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the outputs of a call as refs: looked up if it was made before, else run.

        Inside the body of another op the outputs are plain values.

        Raises:
            Unhashable, Unencodable: An argument or a result cannot be stored; it is named.
            InputMutated: The op changed a raw argument in place.
            Exception: Whatever the op raises, unchanged; such a call is not stored.
        """
        inputs = op.binder.bind(args, kwargs) | op.hidden_inputs()
        key = short_cut(op, inputs)
        hit = self._hits.get(key) if key else None
        if hit is not None and self._is_valid(hit.call):
            return self._hand_out(op, hit)
        slots = slots_of(self._ops.name_of(op)[0], inputs)
        call = self._find(op, slots)
        if call is None:
            return self._compute(op, args, kwargs, inputs, slots)
        hit = hit_of(call)
        if key:
            self._hits[key] = hit
        return self._hand_out(op, hit)

    def _find(self, op: Op[..., Any], slots: list[Slot]) -> Call | None:
        """Return a stored call that is valid now, made part of this world with these histories."""
        name, prefix = self._ops.name_of(op)
        key = ids.call_key(prefix, [(slot.name, slot.cid) for slot in slots])
        candidates = self.world.candidates(key)
        valid = [candidate for candidate in candidates if self._is_valid(candidate.call)]
        for candidate in valid:
            call = candidate.call
            hid = ids.call_hid(name, op.version, call.version, [(s.name, s.hid) for s in slots])
            if hid == call.hid:  # the very call, rather than one that is like it
                return self._here(candidate)
        if valid:
            return self._recorder.link(self._here(valid[0]), slots)
        if self._observer:
            self._observer(self._miss(name, [candidate.call for candidate in candidates]))
        return None

    def _here(self, candidate: Candidate) -> Call:
        """Return the call, made part of this world."""
        if not candidate.here:
            self.world.adopt(candidate.call)
        return candidate.call

    def _is_valid(self, call: Call) -> bool:
        # A storage that does not version cannot say what other code would have
        # returned, and one that does cannot trust a call without a version.
        if self._verdicts is None or call.version is None:
            return self._verdicts is None and call.version is None
        return self._verdicts.valid(call.version)

    def _miss(self, op: str, stale: list[Call]) -> CallEvent:
        if self._verdicts is None or not stale:
            return CallEvent(op, Reason.NEW_INPUTS)
        changes = [self._verdicts.changed(call.version) for call in stale if call.version]
        fewest = min(changes, key=len, default=())
        return CallEvent(op, Reason.CODE_CHANGED, fewest)

    def _hand_out(self, op: Op[..., Any], hit: Hit) -> Any:
        self.counter.reused += 1
        self.counter.saved_s += hit.elapsed_s
        if self._observer:
            self._observer(CallEvent(hit.call.op, Reason.HIT, (), hit.elapsed_s))
        refs = [ref_to(slot, self) for slot in hit.call.outputs]
        frame = running.get()
        if frame is None:
            return op.outputs.join(refs)
        frame.inner.append(hit.hid)
        version = self.world.version(hit.call.version) if hit.call.version else None
        if version:
            frame.capture.add(version.pairs)
        return op.outputs.join([ref.unwrap() for ref in refs])

    def _compute(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        inputs: Mapping[str, Any],
        slots: list[Slot],
    ) -> Any:
        name, _ = self._ops.name_of(op)
        facts = self._recorder.inputs(name, inputs, slots)
        outcome = self._execute(op, args, kwargs, guarded_inputs(inputs, slots))
        call = self._recorder.call(name, op.version, slots, outcome, facts)
        self._report(name, outcome.mutated)
        self.counter.computed += 1
        values = [output.value for output in outcome.outputs]
        frame = running.get()
        if frame is not None:
            frame.inner.append(call.hid)
            frame.capture.add(outcome.components)
            return op.outputs.join(values)
        return op.outputs.join(
            [
                AtomRef(slot.cid, slot.hid, self, slot.inline, value)
                if type(value) in IMMUTABLE
                else ref_to(slot, self)
                for slot, value in zip(call.outputs, values, strict=True)
            ]
        )

    def _report(self, op: str, mutated: tuple[Component, ...]) -> None:
        for component in mutated:
            if component not in self._reported:
                self._reported.add(component)
                warnings.warn(GlobalChanged(op, component), stacklevel=5)

    # --- values ----------------------------------------------------------

    def load(self, cid: Digest, hid: Digest, what: str) -> object:
        """Return a fresh copy of a value; `what` names it in errors.

        Where no remote could have its bytes, the call that made it is run again.

        Raises:
            ValueMissing: Its bytes are not on this machine.
            UntrustedValue: Reading it could run code from a remote that is not trusted.
            BlobCorrupt: The bytes are not what was stored.
        """

        def describe() -> str:  # asks the world, so only for an error
            return self._described(hid, what)

        found = self._values.find(cid, describe)
        if found is None and not self.can_pull and self._run_again(hid):
            found = self._values.find(cid, describe)
        if found is None:
            raise ValueMissing(describe(), to_hex(cid), not self.world.values(cid))
        return decode(found.codec, found.source)

    def _described(self, hid: Digest, what: str) -> str:
        call = self.world.creator(hid)
        for slot in call.outputs if call else ():
            if call and slot.hid == hid:
                return f"{what}, output {slot.name!r} of {call.op}"
        return what

    def _execute(
        self,
        op: Op[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        guarded: Mapping[str, tuple[Any, Digest]],
    ) -> CallOutcome:
        request = CallRequest(
            op=self._ops.name_of(op)[0],
            function=op.__wrapped__,
            args=unwrap_all(args),
            kwargs=unwrap_all(kwargs),
            outputs=op.outputs,
            guarded=guarded,
        )
        outcome = execute(request, self._tracking)
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def _run_again(self, hid: Digest) -> bool:
        """Run the call that made a value again, to have its bytes; return whether it could be run.

        Raises:
            NotReproducible: It returned something else.
        """
        call = self.world.creator(hid)
        op = self._ops.named(call.op) if call else None
        if call is None or op is None or op.version != call.op_version or not self._is_valid(call):
            return False
        closure = {name: identify(value, name)[0] for name, value in op.hidden_inputs().items()}
        if any(closure.get(s.name, s.cid) != s.cid for s in call.inputs) or not closure.keys() <= {
            slot.name for slot in call.inputs
        }:
            return False  # another function was made by the same `def` since
        if self._observer:
            self._observer(CallEvent(call.op, Reason.BYTES_MISSING))
        args, kwargs = op.binder.unbind({s.name: ref_to(s, self).unwrap() for s in call.inputs})
        outcome = self._execute(op, args, kwargs, {})
        if [output.cid for output in outcome.outputs] != [slot.cid for slot in call.outputs]:
            raise NotReproducible(call.op)
        self.world.record(self._recorder.outputs(outcome))
        self.counter.computed += 1
        return True

    def unwrap(self, obj: Any) -> Any:
        """Return `obj` with every ref in it, also inside containers, replaced by a copy of its value."""
        return unwrap_all(obj)

    def attach(self, obj: Any, *, inplace: bool = False) -> Any:
        """Load the values of refs into them; return the refs, new ones unless `inplace`."""
        if isinstance(obj, Ref):
            target = obj if inplace else type(obj)(obj._cid, obj._hid, obj._loader, obj._inline)
            target._obj = obj.unwrap()
            return target
        if isinstance(obj, list | tuple):
            return type(obj)(self.attach(item, inplace=inplace) for item in obj)
        if isinstance(obj, dict):
            return type(obj)((k, self.attach(v, inplace=inplace)) for k, v in obj.items())
        return obj

    def load_ref(self, hid: str, *, in_memory: bool = True) -> AtomRef[Any]:
        """Return the ref with history id `hid` (64 hex digits); `in_memory=False` leaves its value stored.

        Raises:
            UnknownRef: No call that is known here made it.
        """
        try:
            wanted = Digest(bytes.fromhex(hid))
        except ValueError:
            raise UnknownRef(hid) from None
        call = self.world.creator(wanted)
        for slot in call.outputs if call else ():
            if slot.hid == wanted:
                ref = ref_to(slot, self)
                if in_memory:
                    self.attach(ref, inplace=True)
                return ref
        raise UnknownRef(hid)

    def get_ref_creator(self, ref: Ref[Any]) -> CallView | None:
        """Return the call that made `ref`, or None for a value from outside."""
        call = self.world.creator(ref._hid)
        return None if call is None else CallView(call, self)

    # --- questions -------------------------------------------------------

    def cf(self, *ops: Op[..., Any] | str) -> ComputationFrame:
        """Return the calls of `ops` that are part of this world and valid for the code as it is."""
        from gitmemo.query import resolve_op, select, valid_calls

        calls = self.world.calls(self._code)
        known = sorted({call.op for call in calls})
        names = [
            resolve_op(op, known) if isinstance(op, str) else self._ops.name_of(op)[0] for op in ops
        ]
        current = valid_calls(self.world, calls, self._code).calls
        return select(current, names or known, self)

    def __repr__(self) -> str:
        return f"Storage({type(self.world).__name__}, {self.counter!r})"


def _project_of(deps_path: str | os.PathLike[str] | None) -> Project | None:
    if deps_path is None:
        return None
    if deps_path == MAIN:
        return Project(None, main_only=True)
    return Project(Path(deps_path).resolve())
