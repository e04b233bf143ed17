"""Changes of code that nobody decided about, as an object that a program or a person answers.

Not who is asked in a block (`asking`). Invariant: nothing is recorded before `keep` or `recompute`,
and what is recorded is about the contents that were shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, overload

from gitmemo.changes import askers
from gitmemo.changes.cases import Case
from gitmemo.changes.change import Change
from gitmemo.errors import NothingToDecide
from gitmemo.model.facts import Verdict
from gitmemo.model.spoken import meant, spoken
from gitmemo.quantities import count, duration
from gitmemo.short_ids import short

Decide = Callable[[Sequence[Case], Verdict, str], None]


class Undecided(Sequence["Undecided"]):
    """Changes to decide about, all at once or one by one: `undecided["helper"].keep()`.

    Attributes:
        changes: What changed: of a component each content that calls touched before.
    """

    def __init__(self, cases: Sequence[Case], decide: Decide) -> None:
        self.changes: tuple[Change, ...] = tuple(one.change for case in cases for one in case.every)
        self._cases = tuple(cases)
        self._decide = decide

    def keep(self, why: str = "") -> None:
        """Say that results made with the older code stay valid, at once.

        Raises:
            NothingToDecide: All is said by now, or the code has changed again.
        """
        self._decide(self._cases, Verdict.NON_BREAKING, why)

    def recompute(self, why: str = "") -> None:
        """Say that results made with the older code are not to be used, at once.

        Raises:
            NothingToDecide: All is said by now, or the code has changed again.
        """
        self._decide(self._cases, Verdict.BREAKING, why)

    @property
    def names(self) -> tuple[str, ...]:
        """The components that changed, as they are shown."""
        return tuple(spoken(case.change.component) for case in self._cases)

    @overload
    def __getitem__(self, index: int | str) -> Undecided: ...
    @overload
    def __getitem__(self, index: slice) -> Undecided: ...
    def __getitem__(self, index: int | str | slice) -> Undecided:
        if isinstance(index, str):
            component = meant(index, [change.component for change in self.changes])
            found = [case for case in self._cases if case.change.component == component]
            if not found:
                raise NothingToDecide(index, self.names)
            return Undecided(found, self._decide)
        chosen = self._cases[index]
        return Undecided([chosen] if isinstance(chosen, Case) else chosen, self._decide)

    def __len__(self) -> int:
        return len(self._cases)

    def __repr__(self) -> str:
        if not self._cases:
            return "Undecided(nothing)"
        return f"Undecided({', '.join(self.names)}; .keep() or .recompute())"

    def __str__(self) -> str:
        lines = [line for case in self._cases for line in _lines(case)]
        return "\n".join([*lines, _advice(len(self))])

    def _repr_html_(self) -> str:
        from gitmemo import markup

        parts: list[str] = []
        for case in self._cases:
            first, *more = _heads(case)
            parts += [markup.heading(first), *map(markup.line, more)]
            parts.append(markup.difference(case.change.diff()))
            for one in case.between:
                parts.append(markup.line(f"{_ran(one.change)}; since then"))
                parts.append(markup.difference(one.change.diff()))
        return markup.block(*parts, markup.line(_advice(len(self))))

    def _repr_mimebundle_(self, **_: Any) -> Mapping[str, Any]:
        """Return what a notebook shows: buttons where it can, else the text."""
        plain = {"text/plain": str(self), "text/html": self._repr_html_()}
        return {**plain, **askers.buttons(self)} if self._cases else plain


def _lines(case: Case) -> Iterator[str]:
    yield from _heads(case)
    for one in case.every:
        if one.change is not case.change:
            yield f"{_ran(one.change)}; since then"
        for line in one.change.diff():
            yield f"  {line}"


def _heads(case: Case) -> Iterator[str]:
    change = case.change
    yield f"{spoken(change.component)} changed"
    for dependent in change.dependents:
        calls = count(dependent.calls, "stored call")
        yield f"{calls} of {dependent.op} ({duration(dependent.seconds)})"
    if change.only_value:
        yield ("the text is the same: what changed is its value, or what its names stand for")
    if case.between:
        contents = count(len(case.between), "other content")
        yield f"{contents} of it ran too, and what you say is about that as well"
    if case.all_needs:
        names = ", ".join(str(component) for component in case.all_needs)
        yield f"if kept, older results depend on {names} too: only the new code uses it"


def _ran(change: Change) -> str:
    calls = ", ".join(f"{count(one.calls, 'stored call')} of {one.op}" for one in change.dependents)
    return f"{short(change.old)}: {calls}"


def _advice(changes: int) -> str:
    if not changes:
        return "nothing is undecided"
    return (
        "Do older results stay valid? `storage.undecided().keep()` uses them, "
        "`storage.undecided().recompute()` computes them again; then run the cell again."
    )
