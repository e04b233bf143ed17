"""Results as they will be read back, and the warning about those that change on the way.

Not the choice of bytes (`gitmemo.codecs`). Invariant: each output of an op is
reported at most once in a process.
"""

from __future__ import annotations

from gitmemo.codecs import Settled, settle
from gitmemo.errors import Unencodable
from gitmemo.hashing.digest import Digest
from gitmemo.memo.telling import tell


class ValueMadeStable(UserWarning):
    """A result changes when it is stored and read back; what was read back counts as the result.

    Attributes:
        op, output, type_name: What returned it, under which name, and what it is.
    """

    def __init__(self, op: str, output: str, type_name: str) -> None:
        super().__init__(op, output, type_name)
        self.op, self.output, self.type_name = op, output, type_name

    def __str__(self) -> str:
        return (
            f"output {self.output!r} of {self.op}, a {self.type_name}, is not the same after it was "
            "stored and read back; gitmemo uses what it read back. To keep it exact, register "
            "gm.codec for its type, or say with @gm.hasher what counts"
        )


_reported: set[tuple[str, str]] = set()


def stable(op: str, output: str, value: object, cid: Digest) -> Settled:
    """Return `value` as it will be read back, with its bytes.

    Raises:
        Unencodable: It cannot be stored; op and output are named.
    """
    try:
        settled = settle(value, cid)
    except Unencodable as error:
        where = f"output {output!r} of {op}"
        raise Unencodable(error.type_name, error.reason, where) from None
    if settled.changed and (op, output) not in _reported:
        _reported.add((op, output))
        kind = type(value)
        tell(ValueMadeStable(op, output, f"{kind.__module__}.{kind.__qualname__}"))
    return settled
