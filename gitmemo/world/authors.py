"""Who brought calls into a repository: the authors of the commits that hold them.

Not who ran them, which no record says. Invariant: the answer for a committed call follows from the
history of one commit; whoever joined its segment with others later is not its author.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from gitmemo.errors import CorruptRecord, MissingObject, SegmentUnreadable, UnknownAuthor
from gitmemo.git.cli import Git
from gitmemo.model.facts import Call
from gitmemo.world.repository import RepositoryWorld
from gitmemo.world.revisions import RevisionWorld
from gitmemo.world.segments import INDEX_FOLDER, read_segment, segment_name
from gitmemo.world.sifting import histories, lines
from gitmemo.world.spilled import whole

_IDENTITY = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL")
_IDENT = re.compile(r"(.*<[^<>]*>) \d+ [+-]\d+")
_EVERYWHERE = ("--branches", "--remotes", "--tags")
_AUTHOR = "\x01"
_UNREADABLE = (SegmentUnreadable, CorruptRecord, MissingObject)


class _Added(NamedTuple):
    """A segment that a commit added, and the commit's author."""

    name: str
    path: str
    blob: str
    author: str


@dataclass(frozen=True, slots=True)
class Authors:
    """The authors of calls, each as `name <email>`.

    Attributes:
        own: Who commits in this clone; calls that are in no commit are theirs.
    """

    own: str
    _by_call: Mapping[bytes, str]

    def of(self, call: Call) -> str:
        """Return the author of the commit that first held a record of a call."""
        return self._by_call.get(call.hid, self.own)

    def test(self, text: str) -> Callable[[Call], bool]:
        """Return what tells the calls of those whose name or email has `text` in it, in any case.

        Raises:
            UnknownAuthor: Nobody's has.
        """
        meant = {name for name in self.names if text.casefold() in name.casefold()}
        if not meant:
            raise UnknownAuthor(text, tuple(self.names))
        return lambda call: self.of(call) in meant

    @property
    def names(self) -> list[str]:
        """All authors that there are, sorted."""
        return sorted({*self._by_call.values(), *filter(None, [self.own])})


def authors_of(world: RepositoryWorld | RevisionWorld) -> Authors:
    """Return who committed the calls of a world.

    Of a work tree the history of HEAD counts; of a revision its own and, for calls that were
    committed later, that of all branches. Segments that are gone count too, for who joins segments
    is not the author of what is in them; those that cannot be read say nothing.
    """
    base = world.base if isinstance(world, RevisionWorld) else world
    git = Git(base.layout.root, keep=_IDENTITY)
    added: dict[str, _Added] = {}
    for revs in _histories(world):
        for one in _added(git, revs):
            added.setdefault(one.name, one)
    return Authors(_own(git), _by_call(base, git, list(added.values())))


def _histories(world: RepositoryWorld | RevisionWorld) -> Iterator[tuple[str, ...]]:
    """Yield what to look at: first what is shown, then where calls of its code may be."""
    commit = world.place.commit
    if commit is not None:
        yield (commit,)
        if isinstance(world, RevisionWorld):
            yield (*_EVERYWHERE, "--not", commit)


def _added(git: Git, revs: tuple[str, ...]) -> Iterator[_Added]:
    """Yield the segments that commits added, parents before children."""
    # Merges are compared with all parents, and settings that change what git prints do not count.
    listed = git.run(
        *("-c", "log.follow=false", "log", "--root", "--full-history", "-c", "--topo-order"),
        *("--reverse", "--no-renames", "--no-show-signature", "--diff-filter=A", "--raw"),
        *("--no-abbrev", "-z", f"--format=tformat:{_AUTHOR}%aN <%aE>", *revs, "--", INDEX_FOLDER),
    )
    author, blob = "", ""
    for token in (text.lstrip("\n") for text in listed.split("\0")):
        if blob:
            name = segment_name(token)
            if name:
                yield _Added(name, token, blob, author)
            blob = ""
        elif token.startswith(_AUTHOR):
            author = token.removeprefix(_AUTHOR)
        elif token.startswith(":"):
            blob = token.split(" ")[-2]


def _by_call(base: RepositoryWorld, git: Git, added: list[_Added]) -> dict[bytes, str]:
    """Return the author of each call by its history id: of its first segment."""
    known = base.files.segment_ids(one.name for one in added)
    first: dict[int, int] = {}
    for place, one in enumerate(added):
        if one.name in known:
            for start, end in base.index.runs([known[one.name]]):
                for number in range(start, end + 1):
                    first.setdefault(number, place)
    gone = [(place, one) for place, one in enumerate(added) if one.name not in known]
    for number, place in _in_gone(base, git, gone):
        first[number] = min(place, first.get(number, place))
    places: dict[bytes, int] = {}
    for number, hid in histories(base.index):
        found = first.get(number)
        if found is not None and found < places.get(hid, len(added)):
            places[hid] = found
    return {hid: added[place].author for hid, place in places.items()}


def _in_gone(
    base: RepositoryWorld, git: Git, gone: list[tuple[int, _Added]]
) -> Iterator[tuple[int, int]]:
    """Yield the numbers of calls that stood in segments that no tree here has any more, and which.

    They are only looked at: a question does not make calls known that could be used again then.
    In a partial clone not even that, for reading could fetch them all.
    """
    if not gone or git.try_run("config", "--get-regexp", r"^remote\..*\.promisor$"):
        return
    from gitmemo.git.objects import open_reader  # most histories have no such segments

    places: dict[str, int] = {}
    reader = open_reader(base.layout, fetches=False)
    try:
        for place, one in gone:
            with suppress(*_UNREADABLE):
                data = whole(base.layout, one.path, reader.blob(one.blob))
                for line in read_segment(one.path, data):
                    places.setdefault(line, place)
    finally:
        reader.close()
    for number, line in lines(base.index) if places else ():
        if line in places:
            yield number, places[line]


def _own(git: Git) -> str:
    """Return how git calls whoever works in this clone; empty where it does not know."""
    found = _IDENT.fullmatch(git.try_run("var", "GIT_AUTHOR_IDENT") or "")
    if found is None:
        return ""
    return git.try_run("check-mailmap", found[1]) or found[1]
