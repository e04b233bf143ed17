"""Histories between repositories, with the user's own git, credentials and settings.

Not values (`gitmemo.remotes`) and not branches. One ref travels, by explicit
refspec; no refspec is ever configured, because `git fetch --prune` would delete
what is not pushed yet. Invariant: what a remote holds is checked before it is
merged, and never moves our ref except by merging.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitmemo.errors import GitFailed, HistoryRejected, MissingObject, RefContended
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout
from gitmemo.history.anchor import MAX_ENTRY_BYTES, earlier_anchors
from gitmemo.history.known import known_at, save, scan
from gitmemo.history.merging import Merge, merge
from gitmemo.history.names import VERSIONS_REF, tracking_ref
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


def fetch(layout: Layout, remote: str) -> FetchReport:
    """Fetch a remote's histories, merge them into ours and show them.

    Raises:
        GitFailed: Git could not reach the remote.
        HistoryRejected: What it holds there was not written by gitmemo.
        RefContended: Other processes kept moving our anchor.
    """
    theirs = _download(layout, remote)
    if theirs is None:
        with Store(layout) as store:
            return FetchReport(found=False, anchor=store.ref(VERSIONS_REF))
    _refuse_oversized(layout, remote, theirs)
    for attempt in range(_TRIES):
        with Store(layout) as store:
            outcome = _merge_once(store, remote, theirs)
        if outcome is not None:
            merged, rejected = outcome
            problems = (*rejected, *merged.problems, *refresh(layout))
            return FetchReport(True, merged.anchor, merged.components, problems)
        back_off(attempt)
    raise RefContended(VERSIONS_REF, _TRIES)


def push(layout: Layout, remote: str) -> PushReport:
    """Push our histories; where the remote has others, merge them first and try again.

    Raises:
        GitFailed: Git could not reach the remote, or it refuses the ref.
        HistoryRejected, RefContended: See `fetch`.
    """
    fetched: list[FetchReport] = []
    for attempt in range(_PUSH_TRIES):
        with Store(layout) as store:
            anchor = store.ref(VERSIONS_REF)
        if anchor is None:
            return PushReport(None, pushed=False, fetched=tuple(fetched))
        moved = _upload(layout, remote, anchor)
        if moved is not None:
            # What is there now is known, as after a fetch: the hook before a push asks.
            Git(layout.root).run("update-ref", tracking_ref(remote), anchor)
            return PushReport(anchor, moved, tuple(fetched))
        if attempt:
            back_off(attempt + 3)
        fetched.append(fetch(layout, remote))
    raise RefContended(f"{VERSIONS_REF} of {remote}", _PUSH_TRIES)


def _download(layout: Layout, remote: str) -> str | None:
    """Fetch the remote's anchor into its tracking ref; return it, None if there is none."""
    target = tracking_ref(remote)
    command = (
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-recurse-submodules",
        "--no-auto-maintenance",
        "--no-filter",  # a partial clone would otherwise fetch each text by itself, later
        # Whatever refspecs are configured, only this one ref is touched.
        "--refmap=",
        "--",
        remote,
        # A leading plus is right here: the tracking ref is what the remote has, not work of ours.
        f"+{VERSIONS_REF}:{target}",
    )
    git = Git(layout.root)
    for attempt in range(_PUSH_TRIES):
        try:
            git.run(*command)
        except GitFailed as error:
            if "couldn't find remote ref" in error.stderr:
                return None
            if "lock" not in error.stderr or attempt == _PUSH_TRIES - 1:
                raise
            back_off(attempt + 2)
        else:
            break
    return git.run("rev-parse", "--verify", "--end-of-options", target)


def _refuse_oversized(layout: Layout, remote: str, theirs: str) -> None:
    """Look at the sizes of all new objects, in git, before any is read into memory."""
    git = Git(layout.root)
    known = git.try_run("rev-parse", "--quiet", "--verify", VERSIONS_REF)
    beyond = (f"^{known}",) if known else ()
    listing = git.bytes("rev-list", "--objects", "--no-object-names", theirs, *beyond)
    sizes = git.run("cat-file", "--batch-check=%(objectsize) %(objectname)", stdin=listing)
    for line in sizes.splitlines():
        size, _, oid = line.partition(" ")
        if size.isdigit() and int(size) > _MAX_OBJECT_BYTES:
            raise HistoryRejected(
                remote, f"object {oid} has {size} bytes, more than any of gitmemo's"
            )


def _merge_once(store: Store, remote: str, theirs: str) -> tuple[Merge, tuple[str, ...]] | None:
    """Merge into our anchor as it is now; None if another process moved it meanwhile."""
    ours = store.ref(VERSIONS_REF)
    try:
        if earlier_anchors(store.commit(theirs)) is None:
            raise HistoryRejected(remote, f"commit {theirs} is not an anchor of gitmemo")
        known = known_at(store, ours)
        scan(store, theirs, known)
        merged = merge(store, ours, theirs, known)
    except MissingObject as error:
        raise HistoryRejected(remote, error.problem()) from error
    if merged.anchor == ours:
        return merged, known.problems
    store.add(merged.objects)
    if not store.swap(VERSIONS_REF, ours, merged.anchor):
        return None
    store.log_move(VERSIONS_REF, ours, merged.anchor, f"fetched from {tracking_ref(remote)}")
    known.anchors.add(merged.anchor)
    known.anchor = merged.anchor
    save(store, known)
    return merged, known.problems


def _upload(layout: Layout, remote: str, anchor: str) -> bool | None:
    """Push once; return whether the remote changed, None if it has moved in the meantime."""
    done = Git(layout.root).process(
        "push",
        "--porcelain",
        "--no-verify",
        "--no-follow-tags",
        "--recurse-submodules=no",
        "--",
        remote,
        f"{anchor}:{VERSIONS_REF}",
    )
    said = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
    if done.returncode == 0:
        return not said.startswith("=") and "\n=\t" not in said
    if any(reason in said for reason in _CONTENDED):
        return None
    raise GitFailed(f"git push {remote} {VERSIONS_REF}", said)
