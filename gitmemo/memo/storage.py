"""Storages: where the calls of a program are looked up, run and remembered.

Not where facts are kept (`world`), how a call is found (`lookup`) or made
(`caller`), or what can be done with refs (`refs`): this module puts them
together. Invariant: blocks nest, and leaving one restores what was before it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from gitmemo.config import chosen_capacity, chosen_claiming
from gitmemo.errors import BadSetting, GitmemoError, StorageInMemory
from gitmemo.frozen import Frozen
from gitmemo.memo import context
from gitmemo.memo.allowing import AllowingNewCalls
from gitmemo.memo.asking import Changes
from gitmemo.memo.cache import Cache, CacheInfo
from gitmemo.memo.caller import Caller
from gitmemo.memo.calls import Counter, Observer, Watch
from gitmemo.memo.deciding import Deciding
from gitmemo.memo.elsewhere import tell_of_absent
from gitmemo.memo.execute import NoTracking, Tracking
from gitmemo.memo.failures import FailureNotes
from gitmemo.memo.forgetting import StoredCalls
from gitmemo.memo.looking import Looking
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.maps import Maps
from gitmemo.memo.names import OpNames
from gitmemo.memo.on_demand import OnDemand
from gitmemo.memo.patterns import Patterns
from gitmemo.memo.questions import Questions
from gitmemo.memo.recorder import Recorder
from gitmemo.memo.refs import Refs
from gitmemo.memo.rerun import Rerun
from gitmemo.memo.settings import absolute, overflow_of, policy_of, project_of, strictness_of
from gitmemo.memo.strictness import Care, Strictness
from gitmemo.memo.tables import Tables
from gitmemo.memo.trust import Trust, Values
from gitmemo.memo.verdicts import Verdicts
from gitmemo.model.validity import Code, NoCode
from gitmemo.setting_values import Claiming, OnChange
from gitmemo.tracing import CodeState, Project, Tracker
from gitmemo.world.standalone import StandaloneWorld
from gitmemo.world.view import World

if TYPE_CHECKING:
    from gitmemo.memo.lazy import Fetching
    from gitmemo.memo.op import Op


Mode: TypeAlias = Literal["run", "noop"]


class Storage(Refs, Questions, Patterns, Looking, Deciding, Tables, Maps):
    """Remembers the calls of ops that are made inside `with storage:`.

    Args:
        db_path: One SQLite file to keep everything in; in memory if omitted. The storage of a
            git repository is made by `gitmemo.open()`.
        deps_path: Track what calls depend on: `"__main__"` for the running script or session, or
            a folder of code. Not tracked if omitted.
        overflow_dir: A folder for values over the threshold, a read-only file each; arrays there
            are mapped, not read. A file remembers it. `spillover_dir` is another name for it.
        overflow_threshold_MB: The threshold in millions of bytes; 50 if it was never given.
        on_change: What happens at the entry of a block when code that stored calls depend on has
            changed: "ask" (the default), "pending", "breaking", "non-breaking" or "error".
        strict_tracing: Refuse calls that depend on what cannot be tracked reliably.
        skip_unhashable_globals: What happens when a call reads a global that cannot be hashed:
            it is skipped, or False makes it an error.
        skip_globals_silently: True skips such globals without a warning.
        skip_missing_deps: What happens at the entry of a block when code that stored calls depend
            on is gone: nothing, or False makes it an error.
        skip_missing_silently: False warns of such code.
        track_globals: False leaves globals out of what calls depend on.
        tracer_impl: None, or the name of one of mandala's tracers; makes no difference.

    `with storage:` and `with storage.run():` are the same. Blocks nest, also with
    other storages; each thread and task has its own.

    Examples:
        >>> storage = gm.Storage(db_path="results.db")
        >>> @gm.op
        ... def double(x):
        ...     return 2 * x
        >>> with storage:
        ...     storage.unwrap(double(21))
        42
        >>> storage.counter.computed
        1
    """

    _capacity: Mapping[str, float] = MappingProxyType({})

    def __init__(
        self,
        db_path: str | os.PathLike[str] | None = None,
        deps_path: str | os.PathLike[str] | None = None,
        *,
        spillover_dir: str | os.PathLike[str] | None = None,
        overflow_dir: str | os.PathLike[str] | None = None,
        overflow_threshold_MB: float | None = None,
        on_change: str | None = None,
        strict_tracing: bool | None = None,
        skip_unhashable_globals: bool | None = None,
        skip_globals_silently: bool | None = None,
        skip_missing_deps: bool | None = None,
        skip_missing_silently: bool | None = None,
        track_globals: bool | None = None,
        tracer_impl: str | type | None = None,
    ) -> None:
        overflow = overflow_of(spillover_dir, overflow_dir, overflow_threshold_MB)
        project = project_of(deps_path)
        policy = policy_of(on_change, project)
        care: dict[str, bool | None] = {
            "strict_tracing": strict_tracing,
            "skip_unhashable_globals": skip_unhashable_globals,
            "skip_globals_silently": skip_globals_silently,
            "skip_missing_deps": skip_missing_deps,
            "skip_missing_silently": skip_missing_silently,
            "track_globals": track_globals,
        }
        given = {name: value for name, value in care.items() if value is not None}
        strictness = strictness_of(given, tracer_impl, project)
        world = StandaloneWorld(None if db_path is None else Path(db_path), overflow)
        world.claims.is_on = chosen_claiming() is Claiming.ON
        self._opened_with: tuple[object, ...] | None = None
        self._set_up(world, project, Trust(), policy, strictness)
        self._capacity = chosen_capacity()
        if db_path is not None:  # a file remembers its overflow
            address = (absolute(db_path), absolute(deps_path))
            self._opened_with = (*address, tuple(sorted(given.items())))

    @classmethod
    def over(
        cls,
        world: World,
        project: Project,
        trust: Trust,
        *,
        can_pull: bool,
        on_change: OnChange = OnChange.PENDING,
        records_user: bool = False,
        becomes: Self | None = None,
    ) -> Self:
        """Return a storage over `world` that versions the code of `project`; `becomes` if it is given.

        `can_pull` says that values which are not on this machine may be on a remote; if not,
        the calls that made them are run again when the values are needed. `records_user` says
        that decisions tell who made them.
        """
        storage = becomes or cls.__new__(cls)
        storage._set_up(world, project, trust, on_change, Strictness())
        storage._on_demand.can_pull = can_pull
        storage._changing("over").records_user = records_user
        storage._names.needs_notebooks = True
        storage._opened_with = (project.root,)
        return storage

    def _set_up(
        self,
        world: World,
        project: Project | None,
        trust: Trust,
        on_change: OnChange,
        strictness: Strictness,
    ) -> None:
        self.world = world
        self.project = project
        self.is_closed = False
        self._lock = threading.RLock()
        self._code: Code = NoCode()
        tracking: Tracking = NoTracking()
        verdicts: Verdicts | None = None
        state: CodeState | None = None
        if project is not None:
            self._code = state = CodeState(project)
            tracking = Tracker(project, state)
            verdicts = Verdicts(world, state)
        self._care = care = Care(strictness, state)
        self._changes: Changes | None = None
        if state is not None:
            self._changes = Changes(world, state, on_change, care, self._notice)
        self._watch = watch = Watch()
        self._names = names = OpNames(project)
        self._values = values = Values(world, trust)
        self._recorder = recorder = Recorder(world, values, state, verdicts)
        self._lookup = lookup = Lookup(world, names, verdicts, recorder, watch, self._code)
        self._failures = failures = FailureNotes(world, recorder)
        self._caller = caller = Caller(
            world, names, lookup, recorder, tracking, watch, failures, care, self, state
        )
        self._rerun = rerun = Rerun(names, lookup, caller)
        self._on_demand = OnDemand(world, values, rerun, recorder, watch, self)
        self._cache = Cache(world, lookup, caller, verdicts)
        self.stored = StoredCalls(world, lookup, caller, self.cf)

    @property
    def counter(self) -> Counter:
        """How many calls were reused and computed."""
        return self._watch.counter

    def fetch_from(self, fetching: Fetching) -> None:
        """From now on, fetch values that are not here when they are needed."""
        self._values.fetching = fetching

    @property
    def fetching(self) -> Fetching | None:
        """What fetches values that are not here; None where no remote is configured."""
        return self._values.fetching

    # --- blocks ----------------------------------------------------------

    def __enter__(self) -> Self:
        is_outermost = context.depth(self) == 0
        self._begin(is_outermost=is_outermost)
        if is_outermost:
            self._care.stale()
            tell_of_absent(self.world, has_remote=self._on_demand.can_pull)
        context.push(self)
        return self

    def _notice(self) -> None:
        """Take notice of what git, editors and other processes did."""
        if self.fetching is None:
            self._look()
        else:
            self.fetching.with_segments(self._look)

    def _look(self) -> None:
        with self._lock:
            with self.world.claims.noticing():
                if self.world.enter():
                    self._caller.clear()
            self._recorder.enter()
            self._lookup.enter()

    def __exit__(self, *_: object) -> None:
        context.pop(self)

    def run(self) -> Self:
        """Return the storage itself: `with storage.run():` is `with storage:`."""
        return self

    def __call__(self, *, mode: Mode = "run") -> AbstractContextManager[Any]:
        """Return a block: `with storage(mode="noop"):` runs ops as plain functions.

        Raises:
            BadSetting: There is no such mode.
        """
        if mode == "run":
            return self
        if mode == "noop":
            return context.noop()
        raise BadSetting("mode", mode, ("run", "noop"))

    def allow_new_calls(self, allowed: bool = True, /) -> AllowingNewCalls:
        """Say whether calls that are not stored may be computed; `NewCallRefused` is raised if not.

        As a statement it holds until it is said again; `with storage.allow_new_calls(False):` holds
        for the block.

        Examples:
            >>> @gm.op
            ... def double(x):
            ...     return 2 * x
            >>> with storage:
            ...     six = double(3)
            >>> with storage, storage.allow_new_calls(False):
            ...     six = double(3)  # stored; `double(4)` would be refused
        """
        before, self._caller.allows_new_calls = self._caller.allows_new_calls, allowed
        return AllowingNewCalls(self._caller, before=before)

    def _freeze(self, frozen: Frozen) -> None:
        """Refuse new calls, and note those that there are all the same."""
        self._watch.frozen = frozen
        self.allow_new_calls(False)

    def _thaw(self) -> None:
        """Allow them in a worker: its driver refuses those that must not be, and notes the others."""
        if self._watch.frozen is not None:
            self._watch.frozen = None
            self.allow_new_calls(True)

    @contextmanager
    def observed(self, observer: Observer) -> Iterator[None]:
        """Tell `observer` of each call in the body of the `with` statement.

        Examples:
            >>> @gm.op
            ... def double(x):
            ...     return 2 * x
            >>> with storage, storage.observed(lambda event: print(event.reason)):
            ...     six = double(3)
            ...     again = double(3)
            new inputs
            hit
        """
        before, self._watch.observer = self._watch.observer, observer
        try:
            yield
        finally:
            self._watch.observer = before

    def recompute_missing(self) -> None:
        """From now on, run calls again whose results are not here, even if a remote may have them."""
        self._on_demand.can_pull = False
        self._values.fetching = None

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
        if self._is_unsettled:
            self._settle()
        if op.is_async:
            return self._caller.call_async(op, args, kwargs)
        return self._caller.call(op, args, kwargs)

    # --- care ------------------------------------------------------------

    def preload(self) -> CacheInfo:
        """Read the calls of this world into memory, so that they are found without a database."""
        with self._lock:
            return self._cache.preload(self._code)

    def clear_cache(self) -> None:
        """Drop everything in memory that can be read again."""
        self._cache.clear()

    def cache_info(self) -> CacheInfo:
        """Return what is in memory."""
        return self._cache.info()

    def vacuum(self) -> int:
        """Give unused space in the database file back; return how many bytes that were."""
        return self.world.vacuum()

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process by address: there the same place is opened, once per process."""
        return self._address()

    def _address(self) -> tuple[Any, tuple[Any, ...]]:
        """Return what opens the same place in another process, and with which arguments.

        Raises:
            StorageInMemory: It has no address.
        """
        from gitmemo.memo.opening import reopened

        if self._opened_with is None:
            raise StorageInMemory
        return reopened, self._opened_with

    def __repr__(self) -> str:
        if self.is_closed:
            return "Storage(closed)"
        try:
            found = self.world.describe()
        except GitmemoError as error:  # whoever uses it is told more
            return f"Storage({error.kind})"
        versioned = "versioned" if self.project is not None else "not versioned"
        return f"Storage({found.where}: {found.amount}, {versioned})"
