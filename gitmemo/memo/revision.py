"""The storage that shows a revision: everything can be read, nothing run or recorded.

Not the world that it shows (`world.revisions`). Invariant: no call is looked up,
run or recorded through it, whatever it is asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, Self

from gitmemo.errors import ReadOnlyRevision, UnknownComponent, ValueMissing
from gitmemo.files.names import rooted
from gitmemo.hashing.digest import Digest
from gitmemo.memo.forgetting import StoredCalls
from gitmemo.memo.storage import Mode, Storage
from gitmemo.memo.strictness import Strictness
from gitmemo.memo.trust import Trust, told
from gitmemo.model.components import Component
from gitmemo.model.spoken import named
from gitmemo.setting_values import OnChange
from gitmemo.tracing import CodeState
from gitmemo.workspace import View

if TYPE_CHECKING:
    from gitmemo.frames import ComputationFrame
    from gitmemo.memo.framing import StorageFrames, Subject
    from gitmemo.memo.op import Op


class RevisionStorage(Storage):
    """What `gm.open(rev=…)` returns."""

    _view: View
    _running: CodeState

    @classmethod
    def of(cls, view: View, trust: Trust, path: str | os.PathLike[str], *, later: bool) -> Self:
        """Return a storage that shows `view`, found around `path`."""
        storage = cls.__new__(cls)
        storage._set_up(view.world, view.project, trust, OnChange.PENDING, Strictness())
        storage._view = view
        storage._running = CodeState(view.project)
        storage._code = view.code
        storage.stored = _ShownCalls(storage.cf, storage._refuse)
        storage._opened_with = (os.fspath(path), view.world.place.commit, later)
        return storage

    @property
    def rev(self) -> str:
        """What the revision was called when it was opened."""
        return self._view.rev or "HEAD"

    @cached_property
    def frames(self) -> StorageFrames:
        """What makes computation frames of this revision."""
        from gitmemo.memo.framing import StorageFrames

        return StorageFrames(self, self._code, self._names, self._view.later)

    def cf(
        self, *subjects: Subject, rev: str | None = None, stale: bool = False
    ) -> ComputationFrame:
        """Return the calls of ops, or values, that are valid for the revision's code, or for that of `rev`.

        Those that were committed after the revision are marked in tables.
        """
        self._notice()
        return super().cf(*subjects, rev=rev, stale=stale)

    def load(
        self, cid: Digest, hid: Digest, what: str, within: Callable[[], object] | None = None
    ) -> object:
        """Return a fresh copy of a value; nothing is run to make it again.

        Raises:
            ValueMissing, UntrustedValue, BlobCorrupt: As the storage of a work tree.
        """
        with rooted(self.project.root if self.project else None):
            try:
                return self._values.load(cid, lambda: told(self.world, hid, what))
            except ValueMissing:
                if within is None:
                    raise
                return within()

    def _component(self, given: object) -> Component:
        if isinstance(given, str):
            return named(given, self.world.about())
        try:
            return self._place_of(given, self._running)
        except UnknownComponent:  # as for code that is not in this repository, but in a clone of it
            found = self._namesake(given)
            if found is None:
                raise
            return found

    def _namesake(self, given: object) -> Component | None:
        """Return the component of the revision that has the module and name of a thing."""
        thing = getattr(given, "__wrapped__", given)
        module, name = getattr(thing, "__module__", ""), getattr(thing, "__qualname__", "")
        unit = f"class {name}" if isinstance(thing, type) else name
        module_of = self._view.project.module_name_of
        known = (component for component in self.world.about() if component.unit == unit)
        return next((one for one in known if module_of(one.path) == module), None)

    # --- refused ---------------------------------------------------------

    def _refuse(self, what: str) -> NoReturn:
        raise ReadOnlyRevision(self.rev, what)

    def __enter__(self) -> NoReturn:
        self._refuse("`with storage:`")

    def __call__(self, *, mode: Mode = "run") -> NoReturn:
        """Refuse: nothing runs here."""
        self._refuse("`with storage(…):`")

    def call(self, op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> NoReturn:
        """Refuse: nothing runs here."""
        self._refuse("calling an op")

    def map(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: nothing runs here."""
        self._refuse("`map`")

    def starmap(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: nothing runs here."""
        self._refuse("`starmap`")

    def batch(self, **_: Any) -> NoReturn:
        """Refuse: nothing runs here."""
        self._refuse("`batch`")

    def allow_new_calls(self, allowed: bool = True, /) -> NoReturn:
        """Refuse: nothing runs here."""
        self._refuse("`allow_new_calls`")

    def recompute_missing(self) -> NoReturn:
        """Refuse: nothing runs here."""
        self._refuse("running calls again")

    def preload(self) -> NoReturn:
        """Refuse: no call is looked up here."""
        self._refuse("`preload`")

    def load_op(self, name: str) -> NoReturn:
        """Refuse: only the code of the work tree can be imported."""
        self._refuse("importing an op")

    def check(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: nothing runs here."""
        self._refuse("`check`")

    def check_change(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: nothing runs here."""
        self._refuse("`check_change`")

    def explain(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: a call is explained where it would be made."""
        self._refuse("`explain`")

    def explain_some(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: a call is explained where it would be made."""
        self._refuse("`explain_some`")

    def decide(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: what is said is recorded."""
        self._refuse("deciding")

    def undecided(self) -> NoReturn:
        """Refuse: the code of the work tree is not compared here."""
        self._refuse("deciding")

    def tag(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: what is tagged is recorded."""
        self._refuse("tagging")

    def untag(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: what is taken back is recorded."""
        self._refuse("removing a tag")

    def drop_version(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: what is dropped is recorded."""
        self._refuse("dropping a version")

    def _changing(self, asked: str) -> NoReturn:
        self._refuse(asked)

    def _address(self) -> tuple[Any, tuple[Any, ...]]:
        """Return what opens the same commit of the same repository."""
        from gitmemo.memo.opening import reopened_at

        assert self._opened_with is not None
        return reopened_at, self._opened_with


class _ShownCalls(StoredCalls):
    """What a revision holds of single ops: only to be seen."""

    def __init__(
        self, frame: Callable[[Op[..., Any]], ComputationFrame], refuse: Callable[[str], NoReturn]
    ) -> None:
        self._frame = frame
        self._refuse = refuse

    def is_cached(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse("looking a call up")

    def forget(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse("forgetting calls")

    def forget_calls(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse("forgetting calls")

    def restore(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse("bringing calls back")

    def recompute(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse("running a call")
