"""Every error gitmemo raises on purpose, in one tree.

    GitmemoError                       exit 1
    ├── UsageError                     exit 2   the caller asked for something that makes no sense
    ├── NotInRepository, NotInitialised, NewerFormat …  (project)
    ├── Unhashable, Unencodable        an argument or a result cannot be stored
    └── …                              see each class

What this is not: a place for logic. Invariant: a subclass passes its own
arguments to `super().__init__` unchanged, so that it survives pickling to and
from worker processes, and every subclass has a remedy.
"""

from __future__ import annotations

from typing import ClassVar


class GitmemoError(Exception):
    """Base of every error that gitmemo raises on purpose.

    Attributes:
        kind: Stable code for programs, in `--json` output; never renamed.
        exit_code: What `gitmemo` exits with; see `docs/reference.md`.
    """

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def problem(self) -> str:
        """Say what went wrong, as one sentence without a full stop."""
        return ", ".join(map(str, self.args))

    def remedy(self) -> str:
        """Say what to do next, as one sentence without a full stop."""
        return ""

    def __str__(self) -> str:
        remedy = self.remedy()
        return f"{self.problem()}\n  fix: {remedy}" if remedy else self.problem()


# --- values ---------------------------------------------------------------


class Unhashable(GitmemoError, TypeError):
    """A value has no content id: nothing stable can be derived from it."""

    kind = "unhashable"

    def __init__(self, type_name: str, path: str, reason: str, where: str = "") -> None:
        """`path` leads from the value to the culprit (`.model.lock`); `where` names the argument."""
        super().__init__(type_name, path, reason, where)
        self.type_name, self.path, self.reason, self.where = type_name, path, reason, where

    def problem(self) -> str:
        inside = f" at {self.path}" if self.path else ""
        return (
            f"{self.where or 'a value'} cannot be hashed: {self.type_name}{inside} ({self.reason})"
        )

    def remedy(self) -> str:
        return (
            "pass something that describes it instead (a path, a name, a number), "
            "wrap it in gitmemo.Ignore(...) if it cannot change the result, "
            "or teach gitmemo the type with @gitmemo.hasher"
        )


class Unencodable(GitmemoError, TypeError):
    """A value has a content id but no codec can write it."""

    kind = "unencodable"

    def __init__(self, type_name: str, reason: str, where: str = "") -> None:
        super().__init__(type_name, reason, where)
        self.type_name, self.reason, self.where = type_name, reason, where

    def problem(self) -> str:
        return (
            f"{self.where or 'a value'} of type {self.type_name} cannot be stored ({self.reason})"
        )

    def remedy(self) -> str:
        return (
            "return plain data (arrays, tables, containers, picklable objects) and keep handles "
            "such as files, locks and generators inside the function"
        )


class UndecodableValue(GitmemoError, ValueError):
    """Stored bytes cannot be turned back into a value."""

    kind = "undecodable"
    exit_code = 4

    def __init__(self, codec: str, reason: str, where: str = "") -> None:
        super().__init__(codec, reason, where)
        self.codec, self.reason, self.where = codec, reason, where

    def problem(self) -> str:
        what = self.where or "a stored value"
        return f"{what} cannot be read back with codec {self.codec!r}: {self.reason}"

    def remedy(self) -> str:
        return (
            "install the package versions that wrote it, or run the program again where it was made"
        )


# --- code -----------------------------------------------------------------


class SourceError(GitmemoError, ValueError):
    """A source file is not valid Python for this interpreter."""

    kind = "source-error"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def problem(self) -> str:
        return f"{self.path} cannot be read as Python: {self.reason}"

    def remedy(self) -> str:
        return f"correct the syntax of {self.path}, or run with the Python version that it is written for"


class UntrackableOp(GitmemoError, ValueError):
    """A function has no stable identity or no readable code."""

    kind = "untrackable-op"

    def __init__(self, function: str, reason: str) -> None:
        super().__init__(function, reason)
        self.function, self.reason = function, reason

    def problem(self) -> str:
        return f"{self.function} cannot be an op: {self.reason}"

    def remedy(self) -> str:
        return "define it with `def` in a file or a notebook cell, or name it: @op(name=...)"


# --- records --------------------------------------------------------------


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
        return (
            "restore it from git (git checkout -- .gitmemo), or upgrade a gitmemo that is too old"
        )


class CorruptSegment(GitmemoError, ValueError):
    """A committed index file is damaged."""

    kind = "corrupt-segment"
    exit_code = 4

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def problem(self) -> str:
        return f"the index segment {self.path} is damaged: {self.reason}"

    def remedy(self) -> str:
        return f"restore it from git: git checkout HEAD -- {self.path}"


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


# --- blobs and remotes ------------------------------------------------------


class InvalidName(GitmemoError, ValueError):
    """A name that would become part of a path or a URL is not one gitmemo writes."""

    kind = "invalid-name"
    exit_code = 2

    def __init__(self, what: str, name: str) -> None:
        """`what` is the kind of thing that is named, such as `codec`."""
        super().__init__(what, name)
        self.what, self.name = what, name

    def problem(self) -> str:
        return f"{self.name!r} cannot name a {self.what}"

    def remedy(self) -> str:
        return "use up to 64 lower-case letters, digits and hyphens, a letter or digit first"


class BlobCorrupt(GitmemoError):
    """The bytes of a stored value are not the ones that were written."""

    kind = "blob-corrupt"
    exit_code = 4

    def __init__(self, blob: str, where: str, reason: str) -> None:
        """`blob` is the blob id in hex; `where` names the file."""
        super().__init__(blob, where, reason)
        self.blob, self.where, self.reason = blob, where, reason

    def problem(self) -> str:
        return f"the stored value {self.blob[:16]} is damaged in {self.where}: {self.reason}"

    def remedy(self) -> str:
        return "fetch it again with `gitmemo pull`, or run the script again, which recomputes it"


class RemoteInvalid(GitmemoError, ValueError):
    """The settings of a remote cannot be used."""

    kind = "remote-invalid"
    exit_code = 2

    def __init__(self, name: str, reason: str, advice: str) -> None:
        super().__init__(name, reason, advice)
        self.name, self.reason, self.advice = name, reason, advice

    def problem(self) -> str:
        return f"the remote {self.name!r} is not set up correctly: {self.reason}"

    def remedy(self) -> str:
        return self.advice


class RemoteDriverMissing(GitmemoError):
    """A remote needs a package that is not installed."""

    kind = "remote-driver-missing"
    exit_code = 5

    def __init__(self, name: str, url: str, requirement: str) -> None:
        """`requirement` is what to give to `pip install`."""
        super().__init__(name, url, requirement)
        self.name, self.url, self.requirement = name, url, requirement

    def problem(self) -> str:
        return f"the remote {self.name!r} ({self.url}) needs a package that is not installed"

    def remedy(self) -> str:
        return f"pip install '{self.requirement}'"


class RemoteUnreachable(GitmemoError):
    """A remote did not answer, or refused."""

    kind = "remote-unreachable"
    exit_code = 5

    def __init__(self, name: str, url: str, reason: str) -> None:
        super().__init__(name, url, reason)
        self.name, self.url, self.reason = name, url, reason

    def problem(self) -> str:
        return f"the remote {self.name!r} ({self.url}) cannot be used: {self.reason}"

    def remedy(self) -> str:
        return (
            "check the address, the network and your credentials, then repeat the command; "
            "what was transferred so far is kept"
        )


class RemoteMissing(GitmemoError):
    """A remote answers, but nobody has pushed to it."""

    kind = "remote-missing"
    exit_code = 5

    def __init__(self, name: str, url: str) -> None:
        super().__init__(name, url)
        self.name, self.url = name, url

    def problem(self) -> str:
        return f"the remote {self.name!r} ({self.url}) holds no gitmemo values"

    def remedy(self) -> str:
        return "check its address, or run `gitmemo push` where the values are"


class RemoteTooNew(GitmemoError):
    """A remote was written by a later gitmemo."""

    kind = "remote-too-new"
    exit_code = 5

    def __init__(self, name: str, url: str, format: str) -> None:
        super().__init__(name, url, format)
        self.name, self.url, self.format = name, url, format

    def problem(self) -> str:
        return f"the remote {self.name!r} ({self.url}) has format {self.format}, unknown here"

    def remedy(self) -> str:
        return "pip install --upgrade gitmemo"


class RemoteCorrupt(GitmemoError):
    """Objects of a remote do not hold what their names promise."""

    kind = "remote-corrupt"
    exit_code = 4

    def __init__(self, name: str, objects: tuple[str, ...], stored: int, lost: int) -> None:
        """`stored` values arrived all the same, `lost` did not."""
        super().__init__(name, objects, stored, lost)
        self.name, self.objects, self.stored, self.lost = name, objects, stored, lost

    def problem(self) -> str:
        shown = ", ".join(self.objects[:3]) + (", …" if len(self.objects) > 3 else "")
        return (
            f"{self.lost} values could not be pulled because the remote {self.name!r} is damaged "
            f"in {shown}; {self.stored} others arrived"
        )

    def remedy(self) -> str:
        return "delete these objects in the remote, then run `gitmemo push` where the values are"


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


# --- git ------------------------------------------------------------------


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

    def __init__(self, remote: str, reason: str) -> None:
        super().__init__(remote, reason)
        self.remote, self.reason = remote, reason

    def problem(self) -> str:
        return f"the function histories of {self.remote} were not merged: {self.reason}"

    def remedy(self) -> str:
        return (
            "look at them with `git ls-remote` and `git log`; if they are damaged, "
            f"`git push {self.remote} :refs/gitmemo/versions` removes them and `gitmemo push` writes yours"
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


# --- calls ----------------------------------------------------------------


class RefMisuse(GitmemoError, TypeError):
    """A ref was used as if it were its value."""

    kind = "ref-misuse"

    def __init__(self, ref: str, action: str, reason: str) -> None:
        super().__init__(ref, action, reason)
        self.ref, self.action, self.reason = ref, action, reason

    def problem(self) -> str:
        return f"cannot {self.action}: {self.ref} ({self.reason})"

    def remedy(self) -> str:
        return "get the value with storage.unwrap(ref), or pass the ref to an op, which receives the value"


class InputMutated(GitmemoError, RuntimeError):
    """An op changed one of its arguments in place; its result is not stored."""

    kind = "input-mutated"

    def __init__(self, op: str, argument: str) -> None:
        super().__init__(op, argument)
        self.op, self.argument = op, argument

    def problem(self) -> str:
        return f"{self.op} changed its argument {self.argument!r} in place, so its result was not stored"

    def remedy(self) -> str:
        return (
            "work on a copy inside the op and return that (what comes from a ref is a copy already)"
        )


class WrongOutputs(GitmemoError, ValueError):
    """An op returned another number of results than it declares."""

    kind = "wrong-outputs"

    def __init__(self, op: str, declared: str, returned: str) -> None:
        super().__init__(op, declared, returned)
        self.op, self.declared, self.returned = op, declared, returned

    def problem(self) -> str:
        return f"{self.op} declares {self.declared} but returned {self.returned}"

    def remedy(self) -> str:
        return (
            "return a tuple of that length, or correct output_names, nout or the return annotation"
        )


class ValueMissing(GitmemoError, KeyError):
    """A value is recorded, but its bytes are not on this machine."""

    kind = "value-missing"
    exit_code = 4

    def __init__(self, what: str, cid: str, secret: bool = False) -> None:
        super().__init__(what, cid, secret)
        self.what, self.cid, self.secret = what, cid, secret

    def problem(self) -> str:
        if self.secret:
            return f"the value of {self.what} was never stored ({self.cid[:12]})"
        return f"the bytes of {self.what} are not on this machine ({self.cid[:12]})"

    def remedy(self) -> str:
        return (
            "run `gitmemo pull` to fetch it from a remote, or run the program again to compute it"
        )


class UntrustedValue(GitmemoError, PermissionError):
    """A value from a remote can only be read by running code, and the remote is not trusted."""

    kind = "untrusted-value"
    exit_code = 6

    def __init__(self, what: str, codec: str, remote: str) -> None:
        super().__init__(what, codec, remote)
        self.what, self.codec, self.remote = what, codec, remote

    def problem(self) -> str:
        return (
            f"{self.what} came from the remote {self.remote!r} and is stored as {self.codec!r}; "
            "reading it could run code from there"
        )

    def remedy(self) -> str:
        return f"if you trust everyone who can write to it: gitmemo remote trust {self.remote}"


class UnknownRef(GitmemoError, KeyError):
    """No call known here made a ref with this history id."""

    kind = "unknown-ref"

    def __init__(self, hid: str) -> None:
        super().__init__(hid)
        self.hid = hid

    def problem(self) -> str:
        return f"no stored call made a value with history id {self.hid!r}"

    def remedy(self) -> str:
        return "check the id (64 hex digits), or fetch the calls first: `git pull`, then `gitmemo pull`"


# --- project --------------------------------------------------------------


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


class NotInitialised(GitmemoError):
    """The repository has no `.gitmemo/`."""

    kind = "not-initialised"
    exit_code = 3

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.root = root

    def problem(self) -> str:
        return f"gitmemo is not set up in {self.root}"

    def remedy(self) -> str:
        return "run `gitmemo init` there"


class UnknownOp(GitmemoError, LookupError):
    """No call of such an op is visible, or its short name means several."""

    kind = "unknown-op"
    exit_code = 2

    def __init__(self, name: str, candidates: tuple[str, ...], ambiguous: bool) -> None:
        super().__init__(name, candidates, ambiguous)
        self.name, self.candidates, self.ambiguous = name, candidates, ambiguous

    def problem(self) -> str:
        if self.ambiguous:
            return f"{self.name!r} could be any of {', '.join(self.candidates)}"
        return f"no call of an op named {self.name!r} is stored here"

    def remedy(self) -> str:
        if self.ambiguous:
            return "give the full name"
        if self.candidates:
            return f"did you mean {self.candidates[0]!r}?"
        return "run the program first (`gitmemo run SCRIPT`); `gitmemo status` lists the ops that have calls"


# --- commits --------------------------------------------------------------


class Aborted(GitmemoError):
    """A person stopped what was going on."""

    kind = "aborted"
    exit_code = 130

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def problem(self) -> str:
        return f"{self.what} was stopped; nothing was changed"

    def remedy(self) -> str:
        return "start it again when you have decided"


class UndecidedChanges(GitmemoError):
    """Code that stored calls depend on has changed, and the policy is to refuse that."""

    kind = "undecided-changes"
    exit_code = 3

    def __init__(self, components: tuple[str, ...]) -> None:
        super().__init__(components)
        self.components = components

    def problem(self) -> str:
        return f"stored results depend on code that has changed: {', '.join(self.components)}"

    def remedy(self) -> str:
        return (
            "say whether the results stay valid: repeat the command with "
            "GITMEMO_ON_CHANGE=breaking or GITMEMO_ON_CHANGE=non-breaking"
        )


class RemoteUnknown(GitmemoError, LookupError):
    """No remote of that name is configured, or none was named and there is no default."""

    kind = "remote-unknown"
    exit_code = 2

    def __init__(self, name: str | None, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def problem(self) -> str:
        if self.name is not None:
            return f"there is no remote named {self.name!r}"
        return "no remote is named" if self.known else "no remote is configured"

    def remedy(self) -> str:
        if self.known:
            return f"name one of: {', '.join(self.known)}"
        return "add one: gitmemo remote add NAME URL (a directory, s3://…, or any URL that fsspec knows)"


class UnknownRevision(GitmemoError, LookupError):
    """Git knows no such revision."""

    kind = "unknown-revision"
    exit_code = 2

    def __init__(self, rev: str) -> None:
        super().__init__(rev)
        self.rev = rev

    def problem(self) -> str:
        return f"{self.rev!r} is no revision of this repository"

    def remedy(self) -> str:
        return "give a branch, a tag, or a commit: `git log --oneline` lists them"


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
