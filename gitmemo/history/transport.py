"""Histories between repositories, with the user's own git, credentials and settings.

Not values (`gitmemo.remotes`) and not branches. One ref travels, by explicit
refspec; no refspec is ever configured, because `git fetch --prune` would delete
what is not pushed yet. On a remote it may have another name, `side_ref`; here
it has one name only. Invariant: what a remote holds is checked before it is
merged, and never moves our ref except by merging.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from gitmemo.errors import BadSetting, GitFailed, HistoryRejected, MissingObject, RefContended
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout
from gitmemo.history.anchor import MAX_ENTRY_BYTES, earlier_anchors
from gitmemo.history.known import known_at, save, scan
from gitmemo.history.merging import Merge, merge
from gitmemo.history.names import VERSIONS_REF, tracked_by, tracking_folder, tracking_ref
from gitmemo.history.rendering import MAX_MESSAGE_BYTES, MAX_TEXT_BYTES
from gitmemo.history.store import Store, back_off
from gitmemo.history.views import refresh
from gitmemo.model.components import Component

_TRIES = 60
_PUSH_TRIES = 8
# The largest object that gitmemo writes itself, with room for a tree of 10^4 entries.
_MAX_OBJECT_BYTES = max(MAX_TEXT_BYTES + 1, MAX_ENTRY_BYTES, 4 * MAX_MESSAGE_BYTES + 4096)
_CONTENDED = ("fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref",
              "stale info", "incorrect old value", "reference already exists")  # fmt: skip


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What `fetch` found.

    Attributes:
        found: Whether the remote has histories at all.
        anchor: Our anchor now.
        changed: Components whose history grew here.
        problems: What was skipped, and why, for people.
    """

    found: bool
    anchor: str | None
    changed: tuple[Component, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PushReport:
    """What `push` did.

    Attributes:
        anchor: Our anchor now, None if there was nothing to push.
        pushed: Whether the remote changed.
        fetched: Reports of the fetches that were needed because the remote had moved.
    """

    anchor: str | None
    pushed: bool
    fetched: tuple[FetchReport, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteRef:
    """Where histories are shared.

    Attributes:
        remote: Name or URL of a git remote.
        ref: The ref that holds the anchor there.
    """

    remote: str
    ref: str = VERSIONS_REF

    @property
    def tracking(self) -> str:
        """The ref here that says what was there."""
        return tracking_ref(self.remote, self.ref)


def fetch(layout: Layout, place: RemoteRef) -> FetchReport:
    """Fetch a remote's histories, merge them into ours and show them.

    What is under the names that `side_ref` had before comes too, so that
    nothing stays behind with those who have not heard of the change yet.

    Raises:
        GitFailed: Git could not reach the remote.
        HistoryRejected: What it holds there was not written by gitmemo.
        RefContended: Other processes kept moving our anchor.
    """
    earlier = _earlier_places(layout, place)
    report = _fetch_one(layout, place)
    for one in earlier:
        try:
            old = _fetch_one(layout, one)
        except HistoryRejected as error:  # no reason to do without the others
            Git(layout.root).run("update-ref", "-d", one.tracking)
            old = FetchReport(False, report.anchor, problems=(error.problem(),))
        report = _together(report, old)
    return report


def _together(one: FetchReport, other: FetchReport) -> FetchReport:
    changed = tuple(dict.fromkeys((*one.changed, *other.changed)))
    problems = (*one.problems, *other.problems)
    return FetchReport(one.found or other.found, other.anchor, changed, problems)


def _earlier_places(layout: Layout, place: RemoteRef) -> list[RemoteRef]:
    """Return under which other names the remote has held histories, as far as is known here."""
    folder = tracking_folder(place.remote)
    names = Git(layout.root).run("for-each-ref", "--format=%(refname)", folder).split()
    found = dict.fromkeys(tracked_by(name, place.remote) for name in names)
    if not _is_tracked(layout, place):
        found[VERSIONS_REF] = None  # a new clone, perhaps of a project that changed it
    found.pop(place.ref, None)
    return [RemoteRef(place.remote, ref) for ref in found]


def _fetch_one(layout: Layout, place: RemoteRef) -> FetchReport:
    theirs = _download(layout, place)
    if theirs is None:
        with Store(layout) as store:
            return FetchReport(found=False, anchor=store.ref(VERSIONS_REF))
    _refuse_oversized(layout, place, theirs)
    for attempt in range(_TRIES):
        with Store(layout) as store:
            outcome = _merge_once(store, place, theirs)
        if outcome is not None:
            merged, rejected = outcome
            problems = (*rejected, *merged.problems, *refresh(layout))
            return FetchReport(True, merged.anchor, merged.components, problems)
        back_off(attempt)
    raise RefContended(VERSIONS_REF, _TRIES)


def push(layout: Layout, place: RemoteRef) -> PushReport:
    """Push our histories; where the remote has others, merge them first and try again.

    Raises:
        BadSetting: A branch of this name holds something else here.
        GitFailed: Git could not reach the remote, or it refuses the ref.
        HistoryRejected, RefContended: See `fetch`.
    """
    _refuse_branch(layout, place)
    # Under a new name, what is under the old one is merged first.
    is_new = not _is_tracked(layout, place) and _earlier_places(layout, place)
    fetched = [fetch(layout, place)] if is_new else []
    for attempt in range(_PUSH_TRIES):
        with Store(layout) as store:
            anchor = store.ref(VERSIONS_REF)
        if anchor is None:
            return PushReport(None, pushed=False, fetched=tuple(fetched))
        moved = _upload(layout, place, anchor)
        if moved is not None:
            # What is there now is known, as after a fetch: the hook before a push asks.
            Git(layout.root).run("update-ref", place.tracking, anchor)
            return PushReport(anchor, moved, tuple(fetched))
        if attempt:
            back_off(attempt + 3)
        fetched.append(fetch(layout, place))
    raise RefContended(f"{place.ref} of {place.remote}", _PUSH_TRIES)


def _is_tracked(layout: Layout, place: RemoteRef) -> bool:
    return Git(layout.root).try_run("show-ref", "--verify", "--quiet", place.tracking) is not None


def _refuse_branch(layout: Layout, place: RemoteRef) -> None:
    """See that the histories do not go into a branch that people work on."""
    git = Git(layout.root)
    local = git.try_run("rev-parse", "--quiet", "--verify", place.ref)
    is_head = git.try_run("symbolic-ref", "--quiet", "HEAD") == place.ref
    if local is not None and place.ref != VERSIONS_REF:
        with Store(layout) as store, suppress(MissingObject):
            is_head = is_head or earlier_anchors(store.commit(local)) is None
    if is_head:
        raise BadSetting("side_ref", place.ref, ("a branch that holds nothing else",))


def _download(layout: Layout, place: RemoteRef) -> str | None:
    """Fetch the remote's anchor into its tracking ref; return it, None if there is none."""
    command = (
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-recurse-submodules",
        "--no-auto-maintenance",
        "--no-prune",
        "--no-filter",  # a partial clone would otherwise fetch each text by itself, later
        # Whatever refspecs are configured, only this one ref is touched.
        "--refmap=",
        "--",
        place.remote,
        # A leading plus is right here: the tracking ref is what the remote has, not work of ours.
        f"+{place.ref}:{place.tracking}",
    )
    git = Git(layout.root)
    for attempt in range(_PUSH_TRIES):
        try:
            git.run(*command)
        except GitFailed as error:
            if "couldn't find remote ref" in error.stderr:
                git.try_run("update-ref", "-d", place.tracking)
                return None
            if "lock" not in error.stderr or attempt == _PUSH_TRIES - 1:
                raise
            back_off(attempt + 2)
        else:
            break
    return git.run("rev-parse", "--verify", "--end-of-options", place.tracking)


def _refuse_oversized(layout: Layout, place: RemoteRef, theirs: str) -> None:
    """Look at the sizes of all new objects, in git, before any is read into memory."""
    git = Git(layout.root)
    known = git.try_run("rev-parse", "--quiet", "--verify", VERSIONS_REF)
    beyond = (f"^{known}",) if known else ()
    listing = git.bytes("rev-list", "--objects", "--no-object-names", theirs, *beyond)
    sizes = git.run("cat-file", "--batch-check=%(objectsize) %(objectname)", stdin=listing)
    for line in sizes.splitlines():
        size, _, oid = line.partition(" ")
        if size.isdigit() and int(size) > _MAX_OBJECT_BYTES:
            reason = f"object {oid} has {size} bytes, more than any of gitmemo's"
            raise HistoryRejected(place.remote, place.ref, reason)


def _merge_once(
    store: Store, place: RemoteRef, theirs: str
) -> tuple[Merge, tuple[str, ...]] | None:
    """Merge into our anchor as it is now; None if another process moved it meanwhile."""
    ours = store.ref(VERSIONS_REF)
    try:
        if earlier_anchors(store.commit(theirs)) is None:
            reason = f"commit {theirs} is not an anchor of gitmemo"
            raise HistoryRejected(place.remote, place.ref, reason)
        known = known_at(store, ours)
        scan(store, theirs, known)
        merged = merge(store, ours, theirs, known)
    except MissingObject as error:
        raise HistoryRejected(place.remote, place.ref, error.problem()) from error
    if merged.anchor == ours:
        return merged, known.problems
    store.add(merged.objects)
    if not store.swap(VERSIONS_REF, ours, merged.anchor):
        return None
    store.log_move(VERSIONS_REF, ours, merged.anchor, f"fetched from {place.tracking}")
    known.anchors.add(merged.anchor)
    known.anchor = merged.anchor
    save(store, known)
    return merged, known.problems


def _upload(layout: Layout, place: RemoteRef, anchor: str) -> bool | None:
    """Push once; return whether the remote changed, None if it has moved in the meantime."""
    done = Git(layout.root).process(
        "push",
        "--porcelain",
        "--no-verify",
        "--no-follow-tags",
        "--recurse-submodules=no",
        "--",
        place.remote,
        f"{anchor}:{place.ref}",
    )
    said = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
    if done.returncode == 0:
        return not said.startswith("=") and "\n=\t" not in said
    if any(reason in said for reason in _CONTENDED):
        return None
    raise GitFailed(f"git push {place.remote} {place.ref}", said)
