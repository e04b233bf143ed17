"""What is known about whether a change matters: runs under both contents, checks, the code itself.

Not the decision, which is somebody's word. Pure functions over facts and notes. Invariant:
evidence never decides by itself; results that differ for equal inputs only ask to look twice.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gitmemo.changes.change import Change
from gitmemo.changes.following import Names
from gitmemo.changes.uses import Uses
from gitmemo.hashing.digest import Digest, to_text
from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Call, Version
from gitmemo.model.ids import unkept_cid
from gitmemo.model.validity import Code
from gitmemo.quantities import count
from gitmemo.source import renamed_only, same_bytecode
from gitmemo.world.view import World


@dataclass(frozen=True, slots=True)
class Runs:
    """Calls that ran with the same inputs under the old content and under the new one.

    Attributes:
        equal: How many returned the same.
        differ: How many did not, though no other code differed.
        unclear: How many did not where other code differed too.
        first: One of those that differ, in a few words.
    """

    equal: int = 0
    differ: int = 0
    unclear: int = 0
    first: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What `gitmemo check code:…` found on this machine: stored calls, run under new code."""

    equal: int
    differ: int
    first: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one change.

    Attributes:
        likeness: What the texts have in common, if that is remarkable.
        apart: How calls of the old content did beside those of another one that counts, or would, as
            the new one too.
    """

    runs: Runs = Runs()
    checked: Checked | None = None
    likeness: str = ""
    apart: Runs = Runs()

    @property
    def is_contrary(self) -> bool:
        """Whether it speaks against a non-breaking verdict."""
        checked = self.checked is not None and self.checked.differ > 0
        return checked or self.runs.differ > 0 or self.apart.differ > 0

    def lines(self) -> Iterator[str]:
        """Yield it in words, a line each."""
        runs, checked = self.runs, self.checked
        if self.likeness:
            yield self.likeness
        if runs.equal or runs.differ:
            said = [f"{runs.equal} returned the same"] if runs.equal else []
            said += [f"{runs.differ} returned something else ({runs.first})"] if runs.differ else []
            total = count(runs.equal + runs.differ, "call")
            yield f"{total} ran under both: {', '.join(said)}"
        if runs.unclear:
            yield (
                f"{count(runs.unclear, 'call')} returned something else, "
                "but other code differed too"
            )
        if self.apart.differ:
            calls = count(self.apart.differ, "call")
            yield (
                f"{calls} returned something else under another older content ({self.apart.first}): "
                "not both can be as the new one"
            )
        if checked is not None:
            total = count(checked.equal + checked.differ, "call")
            differ = (
                f", {checked.differ} something else ({checked.first})" if checked.differ else ""
            )
            yield f"{total} checked here: {checked.equal} returned the same{differ}"

    def as_dict(self) -> dict[str, object]:
        """Return the fields, for JSON."""
        runs, checked = self.runs, self.checked
        return {
            "runs": {
                "equal": runs.equal,
                "differ": runs.differ,
                "unclear": runs.unclear,
                "first": runs.first or None,
            },
            "checked": checked and {"equal": checked.equal, "differ": checked.differ},
            "apart": self.apart.differ,
            "likeness": self.likeness or None,
            "contrary": self.is_contrary,
        }


def evidence_for(
    world: World, code: Code, changes: Sequence[Change], uses: Uses, notes: Iterable[str] = ()
) -> list[Evidence]:
    """Return what is known of each change; `notes` are what checks left on this machine.

    Calls are read only if some ran under two contents that one answer would join.
    """
    checked = checks_in(notes)
    ran = [change for change in changes if _ran(uses, change)]
    decisions = world.decisions()
    joined = _joined(changes, decisions)
    is_shared = len(joined) < len(changes)
    calls = world.calls(code) if ran or is_shared or any(joined.values()) else []
    names = Names(code, decisions)

    def version_of(name: Digest) -> Version | None:
        version = world.version(name)
        return names.followed(version) if version else None

    def compared(change: Change) -> Runs:
        return compare_runs(change, calls, version_of, decisions)

    found: list[Evidence] = []
    for change in changes:
        others = joined[change.component]
        beside = (compared(replace(change, old=other, new=change.old)) for other in others)
        apart = next((runs for runs in beside if runs.differ), Runs())
        if not apart.differ:  # it would be joined with them, and so with what comes
            others.append(change.old)
        runs = compared(change) if change in ran else Runs()
        noted = checked.get(_noted_as(change.component, change.old, change.new))
        found.append(Evidence(runs, noted, likeness(change), apart))
    return found


def _joined(changes: Sequence[Change], decisions: Decisions) -> dict[Component, list[Digest]]:
    """Return the contents that count as the new one of each component now, but for itself."""
    return {
        change.component: [
            content
            for content in decisions.alike(change.component, change.new)
            if content not in (change.old, change.new)
        ]
        for change in changes
    }


def likeness(change: Change) -> str:
    """Say what the two texts of a change have in common; nothing where one is not known."""
    if change.only_value or not change.old_text or not change.new_text:
        return ""
    if same_bytecode(change.old_text, change.new_text):
        return "Python compiles both texts to the same"
    if renamed_only(change.old_text, change.new_text):
        return "only names of parameters and local variables differ"
    return ""


def compare_runs(
    change: Change,
    calls: Iterable[Call],
    version_of: Callable[[Digest], Version | None],
    decisions: Decisions,
) -> Runs:
    """Compare calls of the same op and inputs that touched the old and the new content."""
    pairs: dict[Digest, Mapping[Component, Content]] = {}
    sides: dict[Digest, tuple[list[Call], list[Call]]] = defaultdict(lambda: ([], []))
    for call in calls:
        if call.version is None:
            continue
        if call.version not in pairs:
            version = version_of(call.version)
            pairs[call.version] = version.pairs if version else {}
        content = pairs[call.version].get(change.component)
        for side, wanted in enumerate((change.old, change.new)):
            if content is not None and wanted in (content.source, content.value):
                sides[call.key][side].append(call)
                break
    equal, unclear = 0, 0
    differing: list[Call] = []
    for key in sorted(sides):
        olds, news = sides[key]
        if not olds or not news:
            continue
        if {_kept(call) for call in olds} & {_kept(call) for call in news}:
            equal += 1
        elif any(
            _only_there(change.component, pairs[a.version], pairs[b.version], decisions)
            for a in olds
            for b in news
            if a.version is not None and b.version is not None
        ):
            differing.append(olds[0])
        else:
            unclear += 1
    return Runs(equal, len(differing), unclear, in_words(differing[0]) if differing else "")


def in_words(call: Call) -> str:
    """Return a call as code, without what is not small.

    >>> from gitmemo.model.facts import Call
    >>> in_words(Call("m:f", 0, None, (), ()))
    'm:f()'
    """
    given = (
        f"{slot.name}={_shortened(repr(slot.inline.json)) if slot.inline else '…'}"
        for slot in call.inputs
    )
    return f"{call.op}({', '.join(given)})"


def note_of(component: Component, old: Digest, new: Digest, checked: Checked) -> str:
    """Return the line that keeps the result of a check on this machine."""
    name = _noted_as(component, old, new)
    return json.dumps([*name, checked.equal, checked.differ, checked.first], ensure_ascii=False)


def checks_in(lines: Iterable[str]) -> dict[tuple[str, str, str], Checked]:
    """Read the notes of checks; of several about one change the last counts."""
    found: dict[tuple[str, str, str], Checked] = {}
    for line in lines:
        try:
            component, old, new, equal, differ, first = json.loads(line)
        except ValueError:
            continue  # damaged: a note is no fact
        found[component, old, new] = Checked(equal, differ, first)
    return found


def _noted_as(component: Component, old: Digest, new: Digest) -> tuple[str, str, str]:
    return str(component), to_text(old), to_text(new)


def _ran(uses: Uses, change: Change) -> bool:
    contents = uses.contents.get(change.component, ())
    return any(change.new in (content.source, content.value) for content in contents)


def _kept(call: Call) -> tuple[Digest, ...]:
    """Return the contents of the outputs; one of which nothing is kept says nothing."""
    return tuple(
        slot.cid
        for slot in call.outputs
        if slot.cid != unkept_cid(call.op, call.op_version, call.version, call.inputs, slot.name)
    )


def _only_there(
    component: Component,
    old: Mapping[Component, Content],
    new: Mapping[Component, Content],
    decisions: Decisions,
) -> bool:
    """Whether all other components that both sides touched are the same, or decided to be."""
    return all(
        decisions.equivalent(other, old[other].source, new[other].source)
        and (
            not other.unit.startswith("$")
            or old[other].value == new[other].value
            or None in (old[other].value, new[other].value)
        )
        for other in old.keys() & new.keys()
        if other != component
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
