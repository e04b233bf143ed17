"""What goes wrong with git."""

from __future__ import annotations

import shlex

from gitmemo.errors.base import GitmemoError


class GitMissing(GitmemoError):
    """The `git` program is not installed or not on PATH."""

    kind = "git-missing"

    def problem(self) -> str:
        return "the git program was not found"

    def remedy(self) -> str:
        return "install git and make sure that it is on PATH"


class GitFailed(GitmemoError):
    """A git command ended with an error."""

    kind = "git-failed"

    def __init__(self, command: str, stderr: str) -> None:
        """`command` is what can be pasted into a shell; `stderr` is what git said."""
        super().__init__(command, stderr)
        self.command, self.stderr = command, stderr

    def problem(self) -> str:
        said = self.stderr.strip() or "it gave no reason"
        return f"`{self.command}` failed: {said}"

    def remedy(self) -> str:
        return "run the command yourself to see more; what git says above usually names the cause"


class NotInRepository(GitmemoError):
    """There is no git repository around a folder."""

    kind = "not-in-repository"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def problem(self) -> str:
        return f"{self.path} is not inside a git work tree"

    def remedy(self) -> str:
        return "run `git init` there, or work without git: Storage(db_path=...)"


class NotCheckedOut(GitmemoError):
    """What the repository has of gitmemo is not among the files of the work tree."""

    kind = "not-checked-out"
    exit_code = 3

    def __init__(self, path: str, by_sparse_checkout: bool) -> None:
        super().__init__(path, by_sparse_checkout)
        self.path, self.by_sparse_checkout = path, by_sparse_checkout

    def problem(self) -> str:
        if self.by_sparse_checkout:
            return f"sparse checkout leaves {self.path} out of this work tree"
        return f"{self.path} is committed or staged, but gone from this work tree"

    def remedy(self) -> str:
        if self.by_sparse_checkout:
            folder = self.path if self.path.endswith("/index") else ".gitmemo"
            return f"bring it here: `git sparse-checkout add {folder}`"
        return (
            f"`git checkout HEAD -- {self.path}` brings it back (without `HEAD`: what is staged); "
            "to begin anew, commit its removal, then `gitmemo init`"
        )


class CommittedRepository(GitmemoError):
    """What git takes for a repository here is a folder that the repository around it has committed."""

    kind = "committed-repository"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def problem(self) -> str:
        return f"{self.path} is a git folder that came with the files of a repository around it"

    def remedy(self) -> str:
        return (
            "leave that folder: its settings could run programs of whoever committed it; "
            "`git config --global safe.bareRepository explicit` makes git refuse it too"
        )


class MissingObject(GitmemoError, LookupError):
    """The repository does not hold an object that something in it names."""

    kind = "missing-object"
    exit_code = 4

    def __init__(self, oid: str, reason: str = "") -> None:
        super().__init__(oid, reason)
        self.oid, self.reason = oid, reason

    def problem(self) -> str:
        return f"git object {self.oid} cannot be read" + (
            f" ({self.reason})" if self.reason else ""
        )

    def remedy(self) -> str:
        return "run `git fsck` to see what is missing, and fetch again from a complete clone"


class RefContended(GitmemoError):
    """Other processes moved a ref every time that this one tried to."""

    kind = "ref-contended"

    def __init__(self, ref: str, tries: int) -> None:
        super().__init__(ref, tries)
        self.ref, self.tries = ref, tries

    def problem(self) -> str:
        return f"{self.ref} could not be updated in {self.tries} tries"

    def remedy(self) -> str:
        return f"try again; if nothing else runs, remove the left-over lock file of {self.ref}"


class HistoryRejected(GitmemoError):
    """A remote's function histories are not what gitmemo writes, so nothing was merged."""

    kind = "history-rejected"
    exit_code = 4

    def __init__(self, remote: str, ref: str, reason: str) -> None:
        super().__init__(remote, ref, reason)
        self.remote, self.ref, self.reason = remote, ref, reason

    def problem(self) -> str:
        return f"{self.ref} of {self.remote} was not merged: {self.reason}"

    def remedy(self) -> str:
        if self.ref.startswith("refs/heads/"):
            return (
                "look at it with `git ls-remote` and `git log`; if it is a branch of yours, "
                "set `side_ref` in .gitmemo/config.toml to another name"
            )
        return (
            "look at it with `git ls-remote` and `git log`; if it is damaged, "
            f"`git push {self.remote} :{self.ref}` removes it and `gitmemo push` writes yours"
        )


class HookRefused(GitmemoError):
    """Hooks cannot be installed where git looks for them."""

    kind = "hook-refused"

    def __init__(self, folder: str, reason: str, lines: str) -> None:
        """`lines` is what a person can add by hand instead."""
        super().__init__(folder, reason, lines)
        self.folder, self.reason, self.lines = folder, reason, lines

    def problem(self) -> str:
        return f"hooks are not installed in {self.folder}: {self.reason}"

    def remedy(self) -> str:
        return f"add these lines to the hooks there:\n{self.lines}"


class CompactionRefused(GitmemoError):
    """Segments are not joined now: a merge could conflict, or a change that is not committed be lost."""

    kind = "compaction-refused"
    exit_code = 3

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason, advice)
        self.reason, self.advice = reason, advice

    def problem(self) -> str:
        return f"the index is not compacted: {self.reason}"

    def remedy(self) -> str:
        return self.advice


class SpillRefused(GitmemoError):
    """Segments are not moved to a remote, or back, as things are."""

    kind = "spill-refused"
    exit_code = 3

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason, advice)
        self.reason, self.advice = reason, advice

    def problem(self) -> str:
        return f"no segment was moved: {self.reason}"

    def remedy(self) -> str:
        return self.advice


class OperationInProgress(GitmemoError):
    """Git is in the middle of something that a commit would conclude or disturb."""

    kind = "operation-in-progress"
    exit_code = 3

    def __init__(self, operation: str) -> None:
        super().__init__(operation)
        self.operation = operation

    def problem(self) -> str:
        return f"a {self.operation} is in progress, and a commit of results would become part of it"

    def remedy(self) -> str:
        return f"conclude or abort the {self.operation} first; pending results join its commit"


class LinkInside(GitmemoError):
    """A symbolic link stands where gitmemo keeps files of the project."""

    kind = "link-inside"
    exit_code = 4

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def problem(self) -> str:
        return f"{self.path} is a symbolic link, and gitmemo follows none where it keeps its files"

    def remedy(self) -> str:
        return f"look where it leads, then remove it: `git rm {shlex.quote(self.path)}`, or `rm`"
