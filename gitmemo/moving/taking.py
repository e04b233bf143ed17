"""Taking one result of an old store: believed, fitted to an op, recorded.

Not the reading of stores. Invariant: a result is recorded only if its code is proven to be the
op's of today, or the user vouches for it, which the record says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitmemo.errors import GitmemoError
from gitmemo.memo.bringing import Bringing
from gitmemo.memo.storage import Storage
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import JsonValue
from gitmemo.moving.code import same_function, text_of
from gitmemo.moving.fitting import Refused
from gitmemo.quantities import timestamp

if TYPE_CHECKING:
    from gitmemo.memo.op import Op

_MOST_NAMED = 3
SAME, TRUSTED = "same", "trusted"


class Taker:
    """Takes results into one storage.

    Args:
        tool: Where they come from.
        trusts_code: Whether the user says that the code is the same where that cannot be proven.
        records: Whether anything is recorded; else it is only said what would be.
    """

    def __init__(self, storage: Storage, tool: str, *, trusts_code: bool, records: bool) -> None:
        self.trusts_code = trusts_code
        self.bringing = Bringing(storage, records=records)
        self._tool = tool

    def code_of(self, op: Op[..., Any], old: str | None) -> str:
        """Say how the code of old results compares with the op's: the same, or trusted.

        Raises:
            Refused: It is not the same, that cannot be known, or more than the function counts.
        """
        reason = self._difference(op, old)
        if reason is None:
            return SAME
        if self.trusts_code:
            return TRUSTED
        raise Refused(f"{reason} (--trust-code brings them all the same)")

    def _difference(self, op: Op[..., Any], old: str | None) -> str | None:
        if old is None:
            return f"{self._tool} did not keep the code"
        if not same_function(old, text_of(op.__wrapped__)):
            return "the code is not that of the op now"
        return self.beyond(self.bringing.touched(op))

    def beyond(self, components: Mapping[Component, Content]) -> str | None:
        """Say that an op also depends on these, of which the old store knows nothing."""
        if not components:
            return None
        names = sorted(map(str, components))
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        named = ", ".join(names[:_MOST_NAMED]) + more
        return f"the op also depends on {named}, of which {self._tool} kept nothing"

    def take(
        self,
        op: Op[..., Any],
        call: tuple[tuple[Any, ...], dict[str, Any]],
        returned: object,
        run: Mapping[str, JsonValue],
        code: str,
    ) -> tuple[Any, ...]:
        """Record a call, or only find out whether it can be; return the refs to its results, if any.

        Raises:
            Refused: It cannot be one; says why.
        """
        came: dict[str, JsonValue] = {**run, "from": {"tool": self._tool, "code": code}}
        try:
            return self.bringing.bring(op, *call, returned, came)
        except GitmemoError as error:
            raise Refused(error.problem()) from error
        except TypeError as error:
            raise Refused(str(error)) from error

    def is_known(self, op: Op[..., Any], call: tuple[tuple[Any, ...], dict[str, Any]]) -> bool:
        """Whether a stored call stands for this one already.

        Raises:
            Refused: An argument has no content id, or the arguments do not fit.
        """
        try:
            return self.bringing.is_known(op, *call)
        except GitmemoError as error:
            raise Refused(error.problem()) from error
        except TypeError as error:
            raise Refused(str(error)) from error


def run_facts(ended_s: float | None, seconds: float | None) -> dict[str, JsonValue]:
    """Return what is known of a run."""
    facts: dict[str, JsonValue] = {}
    if seconds is not None:
        facts["seconds"] = round(seconds, 6)
        if ended_s is not None:
            facts["start"] = timestamp(max(0.0, ended_s - seconds))
    return facts
