"""Facts whose commits are gone: committed once, and pending again.

Not the choice of what a commit takes (`gitmemo.commits`). Invariant: a fact that a journal
held which counts in this work tree (its own, or of one that is gone) is pending, or in a
segment that a ref, a reflog or an index of this repository reaches; what is not is
written into a journal again. Nothing is fetched for that.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from gitmemo.errors import MissingObject, SegmentUnreadable
from gitmemo.git.cli import OFFLINE, Git
from gitmemo.git.repository import Layout
from gitmemo.hashing import content_id
from gitmemo.model.facts import Call, Fact, Source, Text, referenced_cids
from gitmemo.model.lines import from_line, to_line
from gitmemo.plain_files import replace_own
from gitmemo.world.files import EXPORTED, FactFiles
from gitmemo.world.index import STATEMENT_KINDS, Index
from gitmemo.world.journal import Place, write_again
from gitmemo.world.reflogs import git_folders, marks, only_grew
from gitmemo.world.segments import INDEX_FOLDER, segment_name
from gitmemo.world.spans import Span

# Versions and values go where the calls go that name them.
EXPORTED_KINDS = ("call", "source", *STATEMENT_KINDS, "tombstone", "undo")
_Home = tuple[str, str]
"""The folder of a journal, and the owner of a place."""


class Lost:
    """Looks for lost facts of one work tree, when git may have let go of commits."""

    def __init__(self, layout: Layout, files: FactFiles, index: Index) -> None:
        self._layout = layout
        self._files = files
        self._index = index
        self._checked = (
            layout.private_dir / "journal" / EXPORTED / f"{layout.worktree_name}.checked"
        )
        self._known: dict[str, str] | None = None
        self._failed: dict[str, str] | None = None

    def bring_back(self, place: Place, dead: Callable[[], set[int]]) -> bool:
        """Make lost facts pending again, but those in `dead()`; return whether there were any.

        Only when git may have dropped something since the last time: in between this costs a
        look at the reflog of HEAD in each work tree. A look that failed is not made again until
        there is something new to see.

        Raises:
            GitFailed, GitMissing, OSError: Git cannot say what it reaches, or nothing can be noted.
        """
        now = marks(self._layout, place.commit)
        now["journals"] = " ".join(self._files.counted_folders())
        known = self._known if self._known is not None else self._noted()
        if now in (known, self._failed):
            return False
        self._failed = now
        is_due = known.get("journals") != now["journals"] or not only_grew(
            self._layout, {name: then for name, then in known.items() if name != "journals"}, now
        )
        found = is_due and self._bring_back(dead())
        self._known = now
        self._note(now)  # also what was added: from now on it can be missed
        self._failed = None
        return found

    def _noted(self) -> dict[str, str]:
        try:
            found = json.loads(self._checked.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _note(self, now: Mapping[str, str]) -> None:
        self._checked.parent.mkdir(parents=True, exist_ok=True)
        replace_own(self._checked, json.dumps(now).encode())

    def unreachable(self, dead: set[int]) -> dict[Span, set[int]]:
        """Return the facts that are exported and in no segment that git reaches, by their spans."""
        spans = list(self._exported_spans())
        if not spans:
            return {}
        numbers = {n for span in spans for n in range(span.first, span.last + 1)}
        numbers -= self._index.members(self._tracked()) | dead
        numbers = self._index.of_kinds(numbers, EXPORTED_KINDS)
        if numbers:
            numbers -= self._index.members(self._reachable())
        if not numbers:
            return {}
        home = self._homes()
        open_ones = self._pending_by_home(home)
        found = {
            span: {n for n in range(span.first, span.last + 1) if n in numbers}
            - open_ones.get(home(span), set())
            for span in spans
        }
        return {span: lost for span, lost in found.items() if lost}

    def _bring_back(self, dead: set[int]) -> bool:
        found = self.unreachable(dead)
        if not found:
            return False
        home = self._homes()
        by_home: dict[_Home, list[tuple[Place, str]]] = defaultdict(list)
        for span, lost in found.items():
            place = Place(span.branch or None, span.commit or None)
            by_home[home(span)] += [(place, line) for line in self._with_needs(lost)]
        top = self._layout.private_dir / "journal"
        written = [
            write_again(top / folder, dict.fromkeys(entries))
            for (folder, _), entries in sorted(by_home.items())
        ]
        return any(written)

    def _with_needs(self, numbers: Iterable[int]) -> Iterator[str]:
        """Yield the lines of facts, each after what it cannot be read without."""
        for line in self._index.lines(numbers):
            yield from map(to_line, self._needs(from_line(line, content_id)))
            yield line

    def _needs(self, fact: Fact) -> Iterator[Fact]:
        if isinstance(fact, Call):
            version = self._index.version(fact.version) if fact.version else None
            yield from [version] if version else []
            todo, seen = sorted(referenced_cids([fact])), set()
            while todo:
                cid = todo.pop()
                if cid not in seen:
                    seen.add(cid)
                    values = self._index.values(cid)
                    yield from values
                    todo += (part for value in values for part in value.parts)
        elif isinstance(fact, Source):
            text = self._index.text(fact.text)
            yield from [] if text is None else [Text(text)]

    # --- what there is ---------------------------------------------------

    def _exported_spans(self) -> Iterator[Span]:
        sizes = {file: size for _, file, size in self._files.exported()}
        for span in self._index.spans(sizes):
            if span.position < sizes[span.file]:
                yield span

    def _pending_by_home(self, home: Callable[[Span], _Home]) -> dict[_Home, set[int]]:
        """Return what is pending already, by the places where it is."""
        found: dict[_Home, set[int]] = defaultdict(set)
        for span in self._index.spans(self._files.mine):
            if span.position >= self._files.mine[span.file]:
                found[home(span)].update(range(span.first, span.last + 1))
        return found

    def _homes(self) -> Callable[[Span], _Home]:
        """Return what tells where a span is; the files are asked once for all of them."""
        folders = self._files.folders()

        def home(span: Span) -> _Home:
            return folders[span.file], Place(span.branch or None, span.commit or None).owner

        return home

    # --- what git reaches ------------------------------------------------

    def _tracked(self) -> frozenset[int]:
        """Return the file ids of the segments checked out here that git's index has too.

        Others are there only until somebody cleans up, and nothing tells of that.
        """
        staged = dict(staged_segments(Git(self._layout.root), self._layout.git_dir / "index"))
        names = filter(None, map(segment_name, staged))
        return self._files.active.intersection(self._files.segment_ids(names).values())

    def _reachable(self) -> set[int]:
        """Return the file ids of the segments that git reaches; those not known yet are read."""
        git = Git(self._layout.root)
        oids = dict(added_segments(git, "--all", "--reflog"))
        for folder in git_folders(self._layout).values():
            oids |= dict(staged_segments(git, folder / "index"))
        return _loaded(self._layout, self._files, oids)


def segments_of_refs(layout: Layout, files: FactFiles) -> set[int]:
    """Return the file ids of the segments of commits that a ref or a HEAD reaches."""
    return _loaded(layout, files, dict(added_segments(Git(layout.root), "--all")))


def _loaded(layout: Layout, files: FactFiles, oids: Mapping[str, str]) -> set[int]:
    names = {name: path for path in oids if (name := segment_name(path))}
    known = files.segment_ids(names)
    new = {path: oids[path] for name, path in names.items() if name not in known}
    found = set(known.values())
    if not new:
        return found
    from gitmemo.git.objects import open_reader  # rarely needed, and long to import

    reader = open_reader(layout, fetches=False)
    for path, oid in new.items():
        # What a partial clone lacks was not committed here: no fact of ours is in it alone.
        with suppress(SegmentUnreadable, MissingObject):
            found |= files.load([(path, reader.blob(oid))])
    reader.close()
    return found


def added_segments(git: Git, *roots: str) -> Iterator[tuple[str, str]]:
    """Yield `(path, blob id)` of every segment that a commit added which `roots` reach."""
    walk = ("log", *roots, "--full-history", "-m", "--format=", "--diff-filter=A")
    shape = ("--raw", "-z", "--no-abbrev", "--no-renames", "--no-show-signature")
    asked = ("-c", "log.showRoot=true", *walk, *shape, "--", INDEX_FOLDER)
    fields = git.run(*asked, variables=OFFLINE).split("\0")
    for meta, path in pairwise(fields):
        if meta.lstrip("\n").startswith(":"):
            yield path, meta.split(" ")[3]


def staged_segments(git: Git, index: Path) -> Iterator[tuple[str, str]]:
    if index.is_file():
        listing = git.bytes(
            "ls-files",
            "-s",
            "-z",
            "--",
            INDEX_FOLDER,
            variables={"GIT_INDEX_FILE": os.fspath(index), **OFFLINE},
        )
        for line in filter(None, os.fsdecode(listing).split("\0")):
            meta, _, path = line.partition("\t")
            yield path, meta.split(" ")[1]
