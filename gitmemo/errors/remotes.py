"""What goes wrong with what people say of remotes: names, settings, keys."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError


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


class RemoteNotPlain(RemoteInvalid):
    """What is committed of a remote says more than where values lie, which only a clone may say."""

    kind = "remote-not-plain"

    def remedy(self) -> str:
        return (
            "take it out of the committed settings; if you know where it leads, and trust that, let "
            f"this clone alone say it: {self.advice} (for a new remote: gitmemo remote add --local)"
        )


class RemoteInside(RemoteInvalid):
    """A directory that commits can fill cannot be trusted."""

    kind = "remote-inside"

    def remedy(self) -> str:
        return f"share such values through a place outside of every work tree: {self.advice}"


class RemoteMoved(GitmemoError):
    """What this clone says of a remote was meant for another address than the committed one."""

    kind = "remote-moved"
    exit_code = 2

    def __init__(self, name: str, options: tuple[str, ...], then: str | None, now: str) -> None:
        """`options` are what this clone says; `then` is None where no address was noted."""
        super().__init__(name, options, then, now)
        self.name, self.options, self.then, self.now = name, options, then, now

    def problem(self) -> str:
        then = "no address that is noted" if self.then is None else self.then
        return (
            f"the remote {self.name!r} is not asked: what this clone says of it "
            f"({', '.join(self.options)}) was said for {then}, and what is committed leads to "
            f"{self.now} now"
        )

    def remedy(self) -> str:
        return (
            f"if it may go there: gitmemo remote modify --local {self.name} --confirm; to stay "
            f"where it was: gitmemo remote modify --local {self.name} --url URL"
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
            default = f"gitmemo remote default {self.known[0]}"
            always = f"; for always: {default}" if self.name is None else ""
            return f"name one of: {', '.join(self.known)}{always}"
        return (
            "add one: gitmemo remote add NAME URL (a directory, s3://…, gs://…, az://…, sftp://…)"
        )


class TargetUnknown(GitmemoError, LookupError):
    """What was to be pushed or pulled is neither a remote nor an op."""

    kind = "target-unknown"
    exit_code = 2

    def __init__(self, name: str, remotes: tuple[str, ...], op: str | None) -> None:
        """`remotes` are those that there are, `op` is one with a name like it."""
        super().__init__(name, remotes, op)
        self.name, self.remotes, self.op = name, remotes, op

    def problem(self) -> str:
        if self.name in self.remotes:
            return f"{self.name!r} is a remote, and stands where ops are named"
        return f"{self.name!r} is neither a remote nor an op with calls there"

    def remedy(self) -> str:
        if self.name in self.remotes:
            return f"a remote comes first, before ops, or as: -r {self.name}"
        remotes = (
            f"the remotes are: {', '.join(self.remotes)}"
            if self.remotes
            else ("there is no remote yet: gitmemo remote add NAME URL")
        )
        op = f"did you mean the op {self.op!r}? " if self.op else ""
        return f"{op}{remotes}; `gitmemo status` lists the ops"


class TargetAmbiguous(GitmemoError):
    """What was to be pushed or pulled is both a remote and an op."""

    kind = "target-ambiguous"
    exit_code = 2

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def problem(self) -> str:
        return f"{self.name!r} is a remote, and an op too"

    def remedy(self) -> str:
        return f"write `-r {self.name}` for the remote, `op:{self.name}` for the op"


class KeyUnusable(GitmemoError):
    """A key for signatures cannot be read."""

    kind = "key-unusable"
    exit_code = 2

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where, reason)
        self.where, self.reason = where, reason

    def problem(self) -> str:
        return f"the key for signatures in {self.where} cannot be used: {self.reason}"

    def remedy(self) -> str:
        return (
            "put the key file back, or take it out: gitmemo remote key REMOTE --remove; "
            "gitmemo remote key REMOTE --generate makes a new one"
        )
