"""Whether stored calls return the same again: a sample is run, or their records are compared.

Not whether stored bytes are whole (`gitmemo verify`). Invariant: nothing is
recorded, and calls inside the checked ones are run too, not looked up.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gitmemo.errors import GitmemoError
from gitmemo.hashing.digest import Digest
from gitmemo.memo import context, wording
from gitmemo.memo.differences import difference
from gitmemo.memo.execute import CallOutcome
from gitmemo.memo.lookup import Lookup
from gitmemo.memo.rerun import Rerun
from gitmemo.memo.trust import Values
from gitmemo.model.facts import Call, Slot
from gitmemo.quantities import count
from gitmemo.world.view import World, first_of_each


class Finding(StrEnum):
    """What came of checking one call."""

    SAME = "same"
    DIFFERS = "differs"
    RAISED = "raised"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class CheckedCall:
    """One stored call that was checked.

    Attributes:
        inputs: Each argument in a few words.
        outputs: The outputs that differ, each with its first difference.
        reason: What it raised, or why it could not be run.
    """

    op: str
    finding: Finding
    inputs: Mapping[str, str]
    outputs: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.inputs.items())
        lines = [f"{self.finding}: {self.op}({given})"]
        lines += [f"  output {name!r} {what}" for name, what in self.outputs.items()]
        return "\n".join([*lines, f"  {self.reason}"] if self.reason else lines)

    def as_dict(self) -> dict[str, object]:
        """Return the fields, for JSON."""
        return {
            "op": self.op,
            "finding": self.finding.value,
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "reason": self.reason or None,
        }


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What came of checking an op.

    Attributes:
        calls: The calls that were checked; of the records only those that contradict each other.
        stored: How many different calls of the op are stored and valid for the code of now.
    """

    op: str
    calls: tuple[CheckedCall, ...]
    stored: int

    @property
    def is_deterministic(self) -> bool:
        """Whether no call that was checked returned something else, or raised."""
        return not any(c.finding in (Finding.DIFFERS, Finding.RAISED) for c in self.calls)

    @property
    def was_run(self) -> bool:
        """Whether any call could be checked."""
        return any(call.finding is not Finding.NOT_RUN for call in self.calls)

    def summary(self) -> str:
        """Say it in one line."""
        found = Counter(call.finding for call in self.calls)
        said = ", ".join(f"{found[kind]} {kind}" for kind in Finding if found[kind])
        return f"{self.op}: {said or 'nothing to check'} ({count(self.stored, 'stored call')})"

    def __str__(self) -> str:
        shown = [str(call) for call in self.calls if call.finding is not Finding.SAME]
        return "\n".join([*shown, self.summary()])


class Checker:
    """Checks the calls of one storage."""

    def __init__(self, world: World, values: Values, lookup: Lookup, rerun: Rerun) -> None:
        self._world = world
        self._values = values
        self._lookup = lookup
        self._rerun = rerun

    def rerun(self, op: str, calls: Iterable[Call], sample: int | None, seed: int) -> CheckReport:
        """Run a sample of the calls again, all if `sample` is None, and compare what they return."""
        known = self._valid(op, calls)
        chosen = list(known)
        if sample is not None and sample < len(known):
            # Sorted by content before: the same calls are chosen on every machine.
            chosen = random.Random(seed).sample(known, sample)
        return CheckReport(op, tuple(self._again(call) for call in chosen), len(known))

    def recorded(self, op: str, calls: Iterable[Call]) -> CheckReport:
        """Compare the records of each call with one another; nothing is run."""
        groups: dict[Digest, dict[tuple[Digest, ...], Call]] = {}
        for call in calls:
            if call.op == op and self._lookup.is_valid(call):
                results = groups.setdefault(call.cid, {})
                results.setdefault(tuple(slot.cid for slot in call.outputs), call)
        contradicting = (groups[cid] for cid in sorted(groups) if len(groups[cid]) > 1)
        found = tuple(self._contradiction(results) for results in contradicting)
        return CheckReport(op, found, len(groups))

    def _valid(self, op: str, calls: Iterable[Call]) -> list[Call]:
        """Return one call for each content of inputs, in an order that depends on contents alone."""
        mine = [call for call in calls if call.op == op and self._lookup.is_valid(call)]
        by_content = {call.cid: call for call in first_of_each(mine).values()}
        return [by_content[cid] for cid in sorted(by_content)]

    def again(self, call: Call, but: str = "") -> CheckedCall:
        """Run a call, also one that is not valid for the code of now; `but` is said if it differs."""
        checked = self._again(call, any_code=True)
        if not but or checked.finding in (Finding.SAME, Finding.NOT_RUN):
            return checked
        return replace(checked, reason=f"{checked.reason}; {but}" if checked.reason else but)

    def _again(self, call: Call, *, any_code: bool = False) -> CheckedCall:
        inputs = self._inputs(call)
        reason = self._rerun.obstacle(call, any_code=any_code)
        if reason is not None:
            return CheckedCall(call.op, Finding.NOT_RUN, inputs, reason=reason)
        try:
            given = {slot.name: self._values.of_slot(slot) for slot in call.inputs}
        except (GitmemoError, OSError) as error:
            return CheckedCall(call.op, Finding.NOT_RUN, inputs, reason=_said(error))
        try:
            with context.noop():
                outcome = self._rerun.run(call, lambda slot: given[slot.name])
        except Exception as error:  # noqa: BLE001  whatever the op raises is what was looked for
            reason = f"{type(error).__name__}: {_said(error)}"
            return CheckedCall(call.op, Finding.RAISED, inputs, reason=reason)
        return self._compared(call, outcome, inputs)

    def _compared(self, call: Call, outcome: CallOutcome, inputs: Mapping[str, str]) -> CheckedCall:
        returned = {output.name: output for output in outcome.outputs}
        if list(returned) != [slot.name for slot in call.outputs]:
            reason = f"it returned {', '.join(returned)} instead of {_names(call.outputs)}"
            return CheckedCall(call.op, Finding.DIFFERS, inputs, reason=reason)
        differing = {
            slot.name: self._described(slot, returned[slot.name].value)
            for slot in call.outputs
            if returned[slot.name].cid not in (None, slot.cid)
        }
        finding = Finding.DIFFERS if differing else Finding.SAME
        return CheckedCall(call.op, finding, inputs, differing)

    def _contradiction(self, results: Mapping[tuple[Digest, ...], Call]) -> CheckedCall:
        """Describe how the first two of several results of one call differ."""
        first, second, *_ = (results[cids] for cids in sorted(results))
        differing = {}
        for one, other in zip(first.outputs, second.outputs, strict=False):
            if one.cid != other.cid:
                try:
                    differing[one.name] = self._described(one, self._values.of_slot(other))
                except (GitmemoError, OSError):
                    differing[one.name] = "differs; a result is not on this machine"
        reason = f"{count(len(results), 'different result')} recorded for this call"
        return CheckedCall(first.op, Finding.DIFFERS, self._inputs(first), differing, reason)

    def _described(self, slot: Slot, now: object) -> str:
        try:
            found = difference(self._values.of_slot(slot), now)
        except (GitmemoError, OSError):
            return "differs; the stored value is not on this machine"
        return str(found) if found else "differs, in a way that cannot be shown"

    def _inputs(self, call: Call) -> dict[str, str]:
        return {slot.name: wording.of_stored(self._world, slot) for slot in call.inputs}


def _names(slots: Sequence[Slot]) -> str:
    return ", ".join(slot.name for slot in slots)


def _said(error: BaseException) -> str:
    """Return what an error says in its first line."""
    if isinstance(error, GitmemoError):
        return error.problem()
    return next(iter(str(error).splitlines()), "")
