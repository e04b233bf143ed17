"""What goes wrong with projects, settings and questions."""

from __future__ import annotations

import re
from typing import Final

from gitmemo.errors.base import GitmemoError

_HEX: Final = re.compile("[0-9a-f]{4,64}")
_MOST_NAMES: Final = 12


class NotInitialised(GitmemoError):
    """What is checked out has no `.gitmemo/`."""

    kind = "not-initialised"
    exit_code = 3

    def __init__(self, root: str, elsewhere: bool = False, rev: str = "") -> None:
        """`elsewhere`: it is set up in this clone, but not in what is checked out, or in `rev`."""
        super().__init__(root, elsewhere, rev)
        self.root, self.elsewhere, self.rev = root, elsewhere, rev

    def problem(self) -> str:
        if self.elsewhere:
            where = f"{self.rev!r}" if self.rev else f"what is checked out in {self.root}"
            return f"{where} has no .gitmemo/config.toml: gitmemo was set up later, or elsewhere"
        return f"gitmemo is not set up in {self.root}"

    def remedy(self) -> str:
        if self.elsewhere:
            return (
                "check out a commit that has it (`git log --all --oneline -- .gitmemo/config.toml` "
                "lists when it came), or begin here: `gitmemo init`; nothing is lost meanwhile"
            )
        return "run `gitmemo init` there"


class BadSetting(GitmemoError, ValueError):
    """A setting has a value that gitmemo does not know."""

    kind = "bad-setting"
    exit_code = 2

    def __init__(self, name: str, value: object, allowed: tuple[str, ...]) -> None:
        super().__init__(name, value, allowed)
        self.name, self.value, self.allowed = name, value, allowed

    def problem(self) -> str:
        return f"{self.name} = {self.value!r} is not a known choice"

    def remedy(self) -> str:
        return (
            f"set it to one of: {', '.join(map(str, self.allowed)) or '(nothing is defined yet)'}"
        )


class SettingsUnreadable(BadSetting):
    """A file of settings is not what gitmemo, or any TOML parser, can read."""

    kind = "settings-unreadable"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason, ())
        self.args = (path, reason)

    def problem(self) -> str:
        return f"the settings in {self.name} cannot be read: {self.value}"

    def remedy(self) -> str:
        return "mend that place in the file, or take it back from git: `git log -p` shows its past"


class InvalidStorage(GitmemoError, ValueError):
    """What was asked of `Storage(...)` cannot be had together, or at all."""

    kind = "invalid-storage"
    exit_code = 2

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason, advice)
        self.reason, self.advice = reason, advice

    def problem(self) -> str:
        return self.reason

    def remedy(self) -> str:
        return self.advice


class StorageClosed(GitmemoError, ValueError):
    """A storage was used after `close()`."""

    kind = "storage-closed"

    def problem(self) -> str:
        return "this storage is closed"

    def remedy(self) -> str:
        return "open it again: Storage(db_path=...), or gitmemo.open() in a repository"


class UnknownOp(GitmemoError, LookupError):
    """No call of such an op is visible, or its short name means several."""

    kind = "unknown-op"
    exit_code = 2

    def __init__(
        self,
        name: str,
        candidates: tuple[str, ...],
        ambiguous: bool,
        ahead: str = "",
        known: tuple[str, ...] = (),
    ) -> None:
        """`ahead` says which op is, was or will be known by this name, `known` which ops have calls."""
        super().__init__(name, candidates, ambiguous, ahead, known)
        self.name, self.candidates, self.ambiguous = name, candidates, ambiguous
        self.ahead, self.known = ahead, known

    def problem(self) -> str:
        if self.ambiguous:
            return f"{self.name!r} could be any of {', '.join(self.candidates)}"
        return f"no call of an op named {self.name!r} is stored here"

    def remedy(self) -> str:
        if self.ambiguous:
            return "give the full name"
        if self.ahead:
            return self.ahead
        if self.candidates:
            return f"did you mean {self.candidates[0]!r}?"
        if not self.known:
            return (
                "none was made yet inside `with storage:`, or by `gitmemo run`; or all were dropped"
            )
        more = ", …" if len(self.known) > _MOST_NAMES else ""
        return f"calls are stored of {', '.join(self.known[:_MOST_NAMES])}{more}"


class UnknownRevision(GitmemoError, LookupError):
    """Git knows no such revision, or it is no commit."""

    kind = "unknown-revision"
    exit_code = 2

    def __init__(self, rev: str, reason: str = "", shallow: bool = False) -> None:
        """`reason` is what git said; in a `shallow` clone history is cut off."""
        super().__init__(rev, reason, shallow)
        self.rev, self.reason, self.shallow = rev, reason, shallow

    def problem(self) -> str:
        said = f" (git: {self.reason})" if self.reason else ""
        return f"{self.rev!r} is no revision of this repository{said}"

    def remedy(self) -> str:
        more = "; this clone is shallow: `git fetch --unshallow` brings older ones"
        ours = "; `gitmemo show ID` knows the ids of gitmemo, `gitmemo diff --code` compares them"
        return (
            "give a branch, a tag, or a commit: `git log --oneline` lists them"
            + (more if self.shallow else "")
            + (ours if _HEX.fullmatch(self.rev) else "")
        )


class RangeGiven(GitmemoError):
    """A range of commits was given where one revision is wanted."""

    kind = "range-given"
    exit_code = 2

    def __init__(self, rev: str) -> None:
        super().__init__(rev)
        self.rev = rev

    def problem(self) -> str:
        return f"{self.rev!r} is a range of commits, and one revision is wanted"

    def remedy(self) -> str:
        first, _, second = self.rev.replace("...", "..").partition("..")
        return f"compare two with `gitmemo diff {first or 'HEAD'} {second or 'HEAD'}`"


class ReadOnlyRevision(GitmemoError):
    """A storage that shows a revision was asked for what only a work tree can do."""

    kind = "read-only-revision"
    exit_code = 2

    def __init__(self, rev: str, what: str) -> None:
        super().__init__(rev, what)
        self.rev, self.what = rev, what

    def problem(self) -> str:
        return f"{self.what} is not possible: this storage shows {self.rev!r} and is read-only"

    def remedy(self) -> str:
        return (
            "use gm.open() without rev=; to run the code of that revision, "
            f"`git worktree add ../somewhere {self.rev}` and work there"
        )


class Aborted(GitmemoError):
    """A person stopped what was going on."""

    kind = "aborted"
    exit_code = 130

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what, advice)
        self.what, self.advice = what, advice

    def problem(self) -> str:
        return f"{self.what} was stopped; nothing was changed"

    def remedy(self) -> str:
        return self.advice or (
            "begin again and answer the question; to go on without deciding, leave the change "
            'undecided: answer later at a commit, or set on_change="pending" in a program'
        )


class NotConfirmed(GitmemoError):
    """Something that takes away was asked for, without `--yes`, where nobody can be asked."""

    kind = "not-confirmed"
    exit_code = 2

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def problem(self) -> str:
        return f"{self.what} was not done: nobody can be asked here, and --yes was not said"

    def remedy(self) -> str:
        return "say --yes to do it, or --dry-run to see what would be done"


class DemoFailed(GitmemoError):
    """The demo's story was not true."""

    kind = "demo-failed"

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason, advice)
        self.reason, self.advice = reason, advice

    def problem(self) -> str:
        return self.reason

    def remedy(self) -> str:
        return self.advice


class UncommittedCode(GitmemoError):
    """Pending results were made by code that is not committed."""

    kind = "uncommitted-code"
    exit_code = 3

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(paths)
        self.paths = paths

    def problem(self) -> str:
        return f"pending results were made by code that is not committed: {', '.join(self.paths)}"

    def remedy(self) -> str:
        return (
            "commit the code with `git commit`: the results join that commit; "
            "if the code was thrown away: `gitmemo drop --stale --pending` leaves its results out"
        )


class NoSuchDependency(GitmemoError, LookupError):
    """Nobody added such a dependency."""

    kind = "no-such-dependency"
    exit_code = 2

    def __init__(self, component: str, on: str, known: tuple[str, ...]) -> None:
        super().__init__(component, on, known)
        self.component, self.on, self.known = component, on, known

    def problem(self) -> str:
        return f"nobody said that {self.component} depends on {self.on}"

    def remedy(self) -> str:
        if self.known:
            return f"added were: {', '.join(self.known)}"
        return "only what `gitmemo deps add` or a decision added can be removed"


class CannotRename(GitmemoError, ValueError):
    """It cannot be recorded, or taken back, that one thing is called another now."""

    kind = "cannot-rename"
    exit_code = 2

    def __init__(
        self, old: str, new: str, reason: str, fix: str, is_taken_back: bool = False
    ) -> None:
        super().__init__(old, new, reason, fix, is_taken_back)
        self.old, self.new, self.reason, self.fix = old, new, reason, fix
        self.is_taken_back = is_taken_back

    def problem(self) -> str:
        verb = "take back" if self.is_taken_back else "record"
        return f"cannot {verb} that {self.old} is {self.new} now: {self.reason}"

    def remedy(self) -> str:
        return self.fix


class NothingToForget(GitmemoError, LookupError):
    """No call of an op has the inputs that were given, or none counts for the code as it is."""

    kind = "nothing-to-forget"
    exit_code = 2

    def __init__(self, op: str, older: int) -> None:
        super().__init__(op, older)
        self.op, self.older = op, older

    def problem(self) -> str:
        if self.older:
            return f"all {self.older} such calls of {self.op} are of older code, or on its results"
        return f"no such call of {self.op} is stored"

    def remedy(self) -> str:
        if self.older:
            return "add --all to forget calls of older code too"
        return "`gitmemo calls OP` lists the calls of an op, with their inputs"


class NothingToDrop(GitmemoError, LookupError):
    """No stored call is meant, or the beginning of an id means several things."""

    kind = "nothing-to-drop"
    exit_code = 2

    def __init__(self, what: str, candidates: tuple[str, ...]) -> None:
        super().__init__(what, candidates)
        self.what, self.candidates = what, candidates

    def problem(self) -> str:
        if self.candidates:
            return f"{self.what} could be any of {', '.join(self.candidates)}"
        return f"no call that is stored here is meant by {self.what}"

    def remedy(self) -> str:
        if self.candidates:
            return "give more digits of the id"
        return "give at least four digits of an id; `gitmemo status` lists the ops that have calls"
