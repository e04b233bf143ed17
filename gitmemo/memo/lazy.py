"""Fetching values, and spilled segments, from the remote when they are needed.

Not which bytes may be decoded (`trust`), nor the transfer (`remotes`). Invariant: nothing is asked
of a remote while what is needed is here; one that cannot be reached is not tried again for each value.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gitmemo.changes import askers
from gitmemo.errors import RemoteDriverMissing, RemoteTooNew, RemoteUnreachable, SegmentSpilled
from gitmemo.hashing.digest import Digest
from gitmemo.quantities import count, size
from gitmemo.setting_values import LazyPull
from gitmemo.workspace import Workspace, remote_cache
from gitmemo.world.files import stubs_in
from gitmemo.world.stubs import CODEC
from gitmemo.world.view import World, values_behind

if TYPE_CHECKING:
    from gitmemo.remotes import Catalogue, PullReport, Remote, WantedBlob

_AGAIN_AFTER_S = 30.0
_UNUSABLE = (RemoteUnreachable, RemoteDriverMissing, RemoteTooNew)


class Fetching:
    """Fetches values of a world from its default remote.

    Attributes:
        policy: Whether it does; `ask` becomes `on` or `off` with the first answer.
    """

    def __init__(self, workspace: Workspace, world: World) -> None:
        self.policy = workspace.settings.lazy_pull
        self._declined = False
        self._workspace = workspace
        self._world = world
        self._remote: Remote | None = None
        self._catalogue: Catalogue | None = None
        self._failure: tuple[float, Exception] | None = None
        self._lock = threading.Lock()

    @property
    def remote_name(self) -> str | None:
        """The remote that is asked; None if there is no default one."""
        return self._workspace.settings.default_remote

    @property
    def asked(self) -> str | None:
        """The remote that was asked for what is not here; None if it may not be."""
        return None if self.policy is not LazyPull.ON else self.remote_name

    @property
    def why_not(self) -> str:
        """Why no remote was asked; empty if one was."""
        if self.remote_name is None:
            names = ", ".join(self._workspace.settings.remotes)
            return f"no remote was asked, for none is the default: {names}"
        if self._declined:
            return "the answer was not to fetch"
        if self.policy is LazyPull.ASK:
            return 'lazy_pull is "ask", and nobody could answer'
        return 'lazy_pull is "off"' if self.policy is LazyPull.OFF else ""

    def bring(self, cids: Iterable[Digest]) -> bool:
        """Fetch what is not here of values and of their parts, all in one go; whether any came.

        Raises:
            RemoteUnreachable, RemoteDriverMissing, RemoteTooNew: The remote cannot be used; for a
                while that is said again without trying it.
            RemoteCorrupt: It holds other bytes than it should.
            RemoteInvalid: Its settings make no sense.
        """
        return self._bring(lambda: self._missing(cids), "value")

    def _bring(self, missing: Callable[[], list[WantedBlob]], noun: str) -> bool:
        if self.policy is LazyPull.OFF or self.remote_name is None:
            return False
        with self._lock:
            wanted = missing()
            if not wanted:
                # Another thread may just have fetched them; trying once more tells.
                return True
            if self.policy is LazyPull.ASK and not self._may_fetch(wanted, noun):
                return False
            try:
                return self._pull(wanted)
            except _UNUSABLE as error:
                self._failure = (time.monotonic(), error)
                raise

    def with_segments(self, enter: Callable[[], None]) -> None:
        """Enter the world; spilled segments that are not here are fetched first, if that may be.

        Raises:
            SegmentSpilled: They are not here still.
            RemoteUnreachable, RemoteDriverMissing, RemoteTooNew, RemoteCorrupt, RemoteInvalid: As
                `bring` does.
        """
        try:
            enter()
            return
        except SegmentSpilled as error:
            spilled = error
        if not self._bring(self._spilled, "spilled segment"):
            why = self.why_not or f"{self.remote_name} does not hold them"
            raise SegmentSpilled(spilled.path, spilled.size_bytes, why) from None
        enter()

    def _spilled(self) -> list[WantedBlob]:
        """Return the spilled segments of the work tree that are not here."""
        from gitmemo.remotes import WantedBlob

        stubs = {stub.blob: stub for stub in stubs_in(self._workspace.root)}
        absent = self._world.blobs.missing(stubs)
        return [WantedBlob(blob, CODEC, stubs[blob].size) for blob in sorted(absent)]

    def _missing(self, cids: Iterable[Digest]) -> list[WantedBlob]:
        from gitmemo.remotes import WantedBlob

        values = values_behind(self._world, cids)
        absent = self._world.blobs.missing({value.blob for value in values})
        return [WantedBlob.of(value) for value in values if value.blob in absent]

    def _may_fetch(self, wanted: list[WantedBlob], noun: str) -> bool:
        """Ask whether to fetch, this once for the process; where nobody answers, no."""
        total = size(sum(item.size for item in wanted))
        answer = askers.may_fetch(
            f"{count(len(wanted), noun)} ({total}) needed now "
            f"{'is' if len(wanted) == 1 else 'are'} on the remote {self.remote_name!r} only, perhaps."
        )
        if answer is not None:
            self.policy = LazyPull.ON if answer else LazyPull.OFF
            self._declined = not answer
        return bool(answer)

    def _pull(self, wanted: list[WantedBlob]) -> bool:
        self._refuse_again()
        remote, is_fresh = self._opened(), self._catalogue is None
        report = self._pulled(remote, wanted)
        if report is not None and report.missing and not is_fresh:
            self._catalogue = None  # somebody may have pushed since it was read
            again = self._pulled(remote, list(report.missing))
            return _has_come(report) or _has_come(again)
        return _has_come(report)

    def _pulled(self, remote: Remote, wanted: list[WantedBlob]) -> PullReport | None:
        """Fetch what there is of `wanted`; None if nobody has pushed there."""
        from gitmemo import remotes
        from gitmemo.blobs.home import notes_folder
        from gitmemo.remotes.origins import note_origin

        cache = remote_cache(self._workspace.layout, remote.config)
        if self._catalogue is None:
            remote.check_format()
            self._catalogue = remotes.read_catalogue(remote, cache, remotes.JOBS)
        if not self._catalogue.marked:
            self._catalogue = None
            return None
        note_origin(notes_folder(self._workspace.layout), remote.config)
        return remotes.pull(self._world.blobs, remote, wanted, cache=cache, known=self._catalogue)

    def _opened(self) -> Remote:
        if self._remote is None:
            from gitmemo.remotes import open_remote

            config = self._workspace.remote(None)
            keys = self._workspace.keys(config.name)
            self._remote = open_remote(config, self._workspace.root, keys)
        return self._remote

    def _refuse_again(self) -> None:
        """Raise again what went wrong a moment ago: one time-out is enough for many values."""
        if self._failure is None:
            return
        at, error = self._failure
        if time.monotonic() - at < _AGAIN_AFTER_S:
            raise type(error)(*error.args) from error
        self._failure = None


def _has_come(report: PullReport | None) -> bool:
    """Whether anything is here now; another process may have fetched it at the same moment."""
    return report is not None and (report.stored > 0 or report.already_here > 0)
