"""What goes wrong with facts on disk."""

from __future__ import annotations

import shlex

from gitmemo.errors.base import GitmemoError


class CorruptRecord(GitmemoError, ValueError):
    """A line of a segment or a journal is not a fact."""

    kind = "corrupt-record"
    exit_code = 4

    def __init__(self, excerpt: str, reason: str, where: str = "") -> None:
        super().__init__(excerpt, reason, where)
        self.excerpt, self.reason, self.where = excerpt, reason, where

    def problem(self) -> str:
        return f"{self.where or 'a record'} is damaged ({self.reason}): {self.excerpt!r}"

    def remedy(self) -> str:
        if self.where in ("", "the index"):  # it came from the derived one
            return "gitmemo verify says what is damaged, and --repair mends it"
        return (
            "restore it from git (git checkout -- .gitmemo), or upgrade a gitmemo that is too old"
        )


class SegmentUnreadable(GitmemoError):
    """What a committed index file says cannot be read here."""

    kind = "segment-unreadable"
    exit_code = 4
    path: str

    def problem(self) -> str:
        return "an index segment cannot be read here"

    def remedy(self) -> str:
        return "look at all of them: gitmemo verify"


class SegmentSpilled(SegmentUnreadable, LookupError):
    """The bytes of a committed index file were moved to a remote, and are not on this machine."""

    kind = "segment-spilled"

    def __init__(self, path: str, size_bytes: int, why: str = "") -> None:
        """`why` says why they were not fetched where that could have been."""
        super().__init__(path, size_bytes, why)
        self.path, self.size_bytes, self.why = path, size_bytes, why

    def problem(self) -> str:
        return (
            f"the index segment {printed(self.path)} is spilled: its {self.size_bytes:,} bytes are "
            "on a remote, and not on this machine" + (f" ({self.why})" if self.why else "")
        )

    def remedy(self) -> str:
        return "gitmemo pull (with --rev REV, or --all, for what is not checked out)"


class CorruptSegment(SegmentUnreadable, ValueError):
    """A committed index file is damaged."""

    kind = "corrupt-segment"

    def __init__(
        self, path: str, reason: str, line: int | None = None, intact: str | None = None
    ) -> None:
        """`line` is the number of the line that is no fact, from 1 on; None for the whole file.

        `intact` is the revision that has it whole, empty if none here has; None if nobody looked.
        """
        super().__init__(path, reason, line, intact)
        self.path, self.reason, self.line, self.intact = path, reason, line, intact

    def problem(self) -> str:
        where = f"line {self.line} of " if self.line else ""
        return f"{where}the index segment {printed(self.path)} is damaged: {self.reason}"

    def remedy(self) -> str:
        if not self.path.isprintable():
            return "look at it with `git status` and `git log`, and remove what is not yours"
        path = shlex.quote(self.path)
        if self.intact is None:
            return (
                f"`git log -- {path}` lists the commits that may have it whole: "
                f"git checkout COMMIT -- {path}"
            )
        if not self.intact:
            return (
                "no commit here has it whole: fetch it from a clone that has, or leave it out, with "
                f"all its facts: git rm -f --ignore-unmatch -- {path}; rm -f {path}"
            )
        restore = f"git checkout {self.intact} -- {path}"
        if self.intact == "HEAD":
            return f"restore it from git: {restore}"
        return f"it was committed like this; take it from a commit that has it whole: {restore}"


class SegmentsAltered(GitmemoError):
    """Index files were staged that do not hold what their names say."""

    kind = "segments-altered"
    exit_code = 3

    def __init__(self, altered: tuple[tuple[str, str, str | None], ...]) -> None:
        """`altered` is path, reason, and the revision that has the right bytes, if one is at hand."""
        super().__init__(altered)
        self.altered = altered

    def problem(self) -> str:
        listed = (f"  {printed(path)}: {reason}" for path, reason, _ in self.altered)
        return "\n".join(("index segments were changed, and are staged like that:", *listed))

    def remedy(self) -> str:
        commands = (
            f"  git checkout {rev} -- {shlex.quote(path)}"
            if rev
            else f"  git rm -f -- {shlex.quote(path)}"
            for path, _, rev in self.altered
        )
        return "\n".join(
            ("take them as they were (`git rm` leaves one out, with all its facts):", *commands)
        )


def printed(path: str) -> str:
    """Return a path for a message: names in a repository may hold what steers a terminal."""
    return path if path.isprintable() else repr(path)


class CorruptJournal(GitmemoError, ValueError):
    """A line of a journal does not match its check."""

    kind = "corrupt-journal"
    exit_code = 4

    def __init__(self, path: str, line: int) -> None:
        super().__init__(path, line)
        self.path, self.line = path, line

    def problem(self) -> str:
        return f"line {self.line} of the journal {self.path} is damaged"

    def remedy(self) -> str:
        return "run `gitmemo verify --repair`: it sets the damaged lines aside and keeps all others"


class UnknownTombstone(GitmemoError, LookupError):
    """Nothing was forgotten under this id, or it was brought back before."""

    kind = "unknown-tombstone"
    exit_code = 2

    def __init__(self, record: str) -> None:
        super().__init__(record)
        self.record = record

    def problem(self) -> str:
        return f"nothing is forgotten under the id {self.record!r}"

    def remedy(self) -> str:
        return "`gitmemo forget` without an op lists what is forgotten, with ids"


class OlderFormat(GitmemoError):
    """A database was written by a gitmemo from before its format was settled."""

    kind = "older-format"
    exit_code = 4

    def __init__(self, path: str, found: object, known: object) -> None:
        super().__init__(path, found, known)
        self.path, self.found, self.known = path, found, known

    def problem(self) -> str:
        return f"{self.path} has format {self.found}; this gitmemo reads {self.known}"

    def remedy(self) -> str:
        return "read it with the gitmemo that wrote it, or begin a new file"


class NewerFormat(GitmemoError):
    """A file was written by a newer gitmemo."""

    kind = "newer-format"
    exit_code = 4

    def __init__(self, path: str, found: object, known: object) -> None:
        super().__init__(path, found, known)
        self.path, self.found, self.known = path, found, known

    def problem(self) -> str:
        return f"{self.path} has format {self.found}; this gitmemo knows {self.known}"

    def remedy(self) -> str:
        return "upgrade gitmemo: pip install --upgrade gitmemo"
