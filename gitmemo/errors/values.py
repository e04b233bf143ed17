"""What goes wrong with values: hashing, writing, reading, trusting them."""

from __future__ import annotations

from gitmemo.errors.base import GitmemoError, KeepsResult
from gitmemo.short_ids import short


class Unhashable(KeepsResult, GitmemoError, TypeError):
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
        if self.where.startswith("output"):
            return (
                "return plain data (for a generator, list(...)), and keep handles such as files "
                "and locks inside the op; what was computed is in the exception's `value`"
            )
        return (
            "pass something that describes it instead (a path, a name, a number), or teach "
            "gitmemo the type: @gitmemo.hasher(Type) on a function that returns plain data for it"
        )


class RefInside(Unhashable):
    """A ref is where it cannot be replaced by its value: in an object, not in a plain container."""

    kind = "ref-inside"

    def remedy(self) -> str:
        return (
            "pass or return the ref itself, alone or in lists, tuples, dicts and sets; or take its "
            "value first, which an object may hold: storage.unwrap(ref)"
        )


class FigureRefused(Unhashable):
    """A figure of matplotlib is an argument or a result: it cannot be told apart from others."""

    kind = "figure-refused"

    def remedy(self) -> str:
        if self.where.startswith("output"):
            return (
                "save it in the op, and return the file: figure.savefig(path); "
                "return gm.File(path); the figure is in the exception's `value`"
            )
        return "draw it inside the op, from the data that is passed; or pass a file: gm.File(path)"


class Unencodable(KeepsResult, GitmemoError, TypeError):
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
        if self.where.startswith("argument"):
            return (
                "pass plain data (arrays, tables, containers, picklable objects), or what describes "
                "it (a path, a name, a number)"
            )
        kept = "; what was computed is in the exception's `value`"
        return (
            "return plain data (arrays, tables, containers, picklable objects) and keep handles "
            "such as files, locks and generators inside the function"
            f"{kept if self.where.startswith('output') else ''}"
        )


class UndecodableValue(GitmemoError, ValueError):
    """Stored bytes cannot be turned back into a value."""

    kind = "undecodable"
    exit_code = 4

    def __init__(self, codec: str, reason: str, where: str = "", fix: str = "") -> None:
        super().__init__(codec, reason, where, fix)
        self.codec, self.reason, self.where, self.fix = codec, reason, where, fix

    def problem(self) -> str:
        what = self.where or "a stored value"
        return f"{what} cannot be read back with codec {self.codec!r}: {self.reason}"

    def remedy(self) -> str:
        return self.fix or (
            "install the package versions that wrote it, or run the program again where it was made"
        )


class ValueMissing(GitmemoError, KeyError):
    """A value is recorded, but its bytes are not on this machine."""

    kind = "value-missing"
    exit_code = 4

    def __init__(
        self,
        what: str,
        cid: str,
        secret: bool = False,
        has_remote: bool = False,
        where: str | None = None,
        why: str = "",
        has_default: bool = True,
    ) -> None:
        """`secret`: it was never stored anywhere; `has_remote`: there is one that may have it.

        `where` is the remote that was asked for it, and does not; `why` says why none was asked.
        """
        super().__init__(what, cid, secret, has_remote, where, why, has_default)
        self.what, self.cid, self.secret = what, cid, secret
        self.has_remote, self.where = has_remote, where
        self.why, self.has_default = why, has_default

    def problem(self) -> str:
        if self.secret:
            return f"the value of {self.what} was never stored ({short(self.cid)})"
        nor = f", nor on the remote {self.where!r}" if self.where else ""
        why = f"; {self.why}" if self.why else ""
        return f"the bytes of {self.what} are not on this machine{nor} ({short(self.cid)}){why}"

    def remedy(self) -> str:
        if self.secret:
            return (
                "pass it to the op again, or compute it again: op.recompute(...); secrets are never "
                'stored, nor is what @op(store="hash") or "never" leaves out'
            )
        if self.where:
            return (
                "ask who has it to run `gitmemo push`, or compute it again: op.recompute(...), or "
                "`gitmemo run --recompute-missing SCRIPT`"
            )
        if self.has_remote:
            default = "" if self.has_default else "gitmemo remote default NAME; then "
            return (
                f"{default}`gitmemo pull` fetches it; if nobody has pushed it, `gitmemo run "
                "--recompute-missing SCRIPT` computes it again, and so does op.recompute(...)"
            )
        return (
            "compute it again: op.recompute(...), or in a repository `gitmemo run "
            "--recompute-missing SCRIPT`; if it is kept on a remote, `gitmemo remote add` says "
            "where, and `gitmemo pull` fetches it"
        )


class OverflowMissing(GitmemoError, FileNotFoundError):
    """A large value was kept in a file of the overflow folder, and the file is not there."""

    kind = "overflow-missing"
    exit_code = 4

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def problem(self) -> str:
        return f"a large value was stored in {self.path}, which is not there"

    def remedy(self) -> str:
        return (
            "put the overflow folder back, or say where it is now: "
            "Storage(db_path=..., overflow_dir=...); a call whose result is lost can be computed "
            "again: op.recompute(...)"
        )


class UntrustedValue(GitmemoError, PermissionError):
    """A value from a remote can only be read by running code, and the remote is not trusted."""

    kind = "untrusted-value"
    exit_code = 6

    def __init__(
        self,
        what: str,
        codec: str,
        remote: str,
        key: str = "",
        address: str | None = None,
        now: str | None = None,
        trusted: tuple[str, ...] = (),
    ) -> None:
        """`remote` is what it was called when the value came, and `address` where it was then.

        `key` has signed it, where that is what is not trusted any more. `now` is the remote of
        today that leads there; `trusted` are those that are trusted and may have the value as well.
        """
        super().__init__(what, codec, remote, key, address, now, trusted)
        self.what, self.codec, self.remote, self.key = what, codec, remote, key
        self.address, self.now, self.trusted = address, now, trusted

    def problem(self) -> str:
        place = f" ({self.address})" if self.address else ""
        source = f"came from the remote {self.remote!r}{place} and"
        if self.key:
            source = f"was signed with the key {self.key}, which is not trusted here, and"
        return f"{self.what} {source} is stored as {self.codec!r}; reading it could run code from there"

    def remedy(self) -> str:
        if self.key:
            key = "if you trust everyone who has that key: gitmemo remote key REMOTE --file FILE"
            return f"{key}; or {self._others()}"
        if self.now is not None:
            return f"if you trust everyone who can write to it: gitmemo remote trust {self.now}"
        return f"no remote leads there now: {self._others()}"

    def _others(self) -> str:
        pull = (
            f"`gitmemo pull -r {self.trusted[0]}` fetches it again from where you trust"
            if self.trusted
            else "trust a remote that has it (gitmemo remote trust NAME) and fetch it from there "
            "again (gitmemo pull -r NAME)"
        )
        return f"{pull}, or `gitmemo run --recompute-missing SCRIPT` computes it again"


class NotReproducible(GitmemoError, RuntimeError):
    """A call that was run again, because its result is not on this machine, returned another one."""

    kind = "not-reproducible"

    def __init__(self, op: str, was_stored: bool = False) -> None:
        """`was_stored` says that the bytes were stored somewhere, and may be on a remote."""
        super().__init__(op, was_stored)
        self.op, self.was_stored = op, was_stored

    def problem(self) -> str:
        return (
            f"{self.op} was run again, for its result is missing here, and returned another result"
        )

    def remedy(self) -> str:
        again = (
            "make the op depend on nothing but its arguments (pass seeds, files and times in) and "
            "give it another @op(version=...)"
        )
        if not self.was_stored:
            return f"{again}, or let its result be stored: without store= in @op(...)"
        return f"{again}; if a remote of this repository has the result, `gitmemo pull` fetches it"


class ApproxUnsupported(GitmemoError, TypeError):
    """An argument that is compared by its decimals holds something without decimals."""

    kind = "approx-unsupported"

    def __init__(self, type_name: str, path: str, reason: str) -> None:
        """`path` leads from the argument to the culprit."""
        super().__init__(type_name, path, reason)
        self.type_name, self.path, self.reason = type_name, path, reason

    def problem(self) -> str:
        inside = f" at {self.path}" if self.path else ""
        return f"Approx cannot round a {self.type_name}{inside}: {self.reason}"

    def remedy(self) -> str:
        return (
            "use Approx for numbers, small arrays of numbers, and containers of these; pass "
            "anything else as an argument of its own"
        )


class ApproxTooLarge(GitmemoError, ValueError):
    """An argument that is compared by its decimals holds more numbers than rounding can serve."""

    kind = "approx-too-large"

    def __init__(self, numbers: int, limit: int) -> None:
        super().__init__(numbers, limit)
        self.numbers, self.limit = numbers, limit

    def problem(self) -> str:
        return (
            f"Approx is for at most {self.limit} numbers, and here are {self.numbers} or more: "
            "some would lie at an edge, and nearly equal values would count as different"
        )

    def remedy(self) -> str:
        return (
            "make the array with an op and pass the ref that the op returns, so that it counts "
            "by where it came from; or pass a few numbers that say which array it is"
        )
