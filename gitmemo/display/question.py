"""Questions at a commit and in a review: whether results of the old code stay valid.

Not those of a running program (`asking`), nor the policy (`commits`). Invariant: a question is
asked only through the controlling terminal, for a hook's own input is never one.
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from gitmemo.changes.cases import Answer, Case
from gitmemo.changes.contested import said_in
from gitmemo.display.terminal import Terminal
from gitmemo.display.text import diff_lines, printable
from gitmemo.errors import Aborted
from gitmemo.model.facts import Verdict
from gitmemo.quantities import count, duration
from gitmemo.short_ids import short

_ANSWERS: dict[str, Verdict | None] = {
    "b": Verdict.BREAKING,
    "breaking": Verdict.BREAKING,
    "n": Verdict.NON_BREAKING,
    "non-breaking": Verdict.NON_BREAKING,
    "l": None,
    "later": None,
}
_QUESTION = "Do results of the old code stay valid? "
_PROMPT = _QUESTION + "[n]on-breaking / [b]reaking / [l]ater / [a]bort: "
_REVIEW_PROMPT = _QUESTION + "[n]on-breaking / [b]reaking / [l]ater / [q]uit / [a]bort: "
_CONTRARY = "Results differ for equal inputs. Do they stay valid all the same?"
_WHY = "Why? (Enter: no reason) "


class Quit(Exception):
    """A person ended a review: what was answered before stays."""


class TerminalReviewer:
    """Shows each change of a commit or a review, and asks about it at a terminal."""

    def __init__(self, terminal: Terminal, *, color: bool, in_review: bool = False) -> None:
        """`in_review` is not at a commit: one may give reasons, and quit with what was decided."""
        self._terminal = terminal
        self._color = color
        self._in_review = in_review

    def answer(self, case: Case, number: int, total: int) -> Answer:
        """Return the answer.

        Raises:
            Aborted: The person answered abort, pressed Ctrl-C, or closed the terminal.
            Quit: The person answered quit, in a review.
        """
        for line in describe(case, number, total):
            self._say(line)
        verdict = self._verdict(case)
        with_needs = True
        if verdict is Verdict.NON_BREAKING and case.all_needs:
            with_needs = self._confirmed(_needs_question(case), default=True)
        why = self._read(_WHY) if self._in_review and verdict else ""
        return Answer(verdict, why, with_needs)

    def _verdict(self, case: Case) -> Verdict | None:
        while True:
            word = self._read(_REVIEW_PROMPT if self._in_review else _PROMPT).lower()
            if word in ("a", "abort"):
                raise Aborted("the review" if self._in_review else "the commit")
            if self._in_review and word in ("q", "quit"):
                raise Quit
            if word in _ANSWERS:
                verdict = _ANSWERS[word]
                contrary = case.evidence.is_contrary and verdict is Verdict.NON_BREAKING
                if not contrary or self._confirmed(_CONTRARY, default=False):
                    return verdict
                continue
            letters = "n, b, l, q or a" if self._in_review else "n, b, l or a"
            self._say(f"Please answer {letters}.")

    def _confirmed(self, question: str, *, default: bool) -> bool:
        """Ask a question that is answered with yes or no; Enter is the default."""
        while True:
            word = self._read(f"{question} {'[Y/n]' if default else '[y/N]'}: ").lower()
            if word in ("", "y", "yes", "n", "no"):
                return word in ("y", "yes") or (default and not word)
            self._say("Please answer y or n.")

    def _read(self, prompt: str) -> str:
        try:  # Ctrl-C counts from the moment that the question can be seen
            return self._terminal.ask(prompt).strip()
        except (EOFError, KeyboardInterrupt):
            raise Aborted("the review" if self._in_review else "the commit") from None

    def _say(self, line: str) -> None:
        self._terminal.say(line if self._color else click.unstyle(line))


def describe(case: Case, number: int, total: int) -> Iterator[str]:
    """Yield the lines that say what changed, what depends on it, and what is known of it."""
    change = case.change
    of = f" ({number} of {total})" if total > 1 else ""
    what = "is contested" if case.contest else "changed"
    yield click.style(f"{printable(str(change.component))} {what}{of}", bold=True)
    if case.contest:
        yield "  these contradict each other, so that only the very same code matches:"
        for said in said_in(case.contest):
            yield f"    {printable(said)}"
    for dependent in change.dependents:
        calls = count(dependent.calls, "stored call")
        yield f"  {calls} of {printable(dependent.op)} ({duration(dependent.seconds)})"
    if len(change.dependents) > 1:
        seconds = sum(dependent.seconds for dependent in change.dependents)
        yield f"  {duration(seconds)} of computing in all"
    if not change.old_text:
        yield "  what it was is not known on this machine"
    yield from diff_lines(change.diff())
    for line in case.evidence.lines():
        yield f"  evidence: {printable(line)}"
    yield from _between(case)


def _between(case: Case) -> Iterator[str]:
    """Yield what else was run of a component before it became what it is."""
    if case.between:
        contents = count(len(case.between), "other content")
        yield f"  you ran {contents} in between, and the answer is about that too:"
    for other in case.between:
        change = other.change
        calls = ", ".join(
            f"{count(one.calls, 'call')} of {printable(one.op)}" for one in change.dependents
        )
        yield f"  {short(change.old)}: {calls}; since then"
        yield from diff_lines(line for line in change.diff() if not line.startswith("@@"))
        for line in other.evidence.lines():
            yield f"  evidence: {printable(line)}"


def _needs_question(case: Case) -> str:
    names = ", ".join(printable(str(component)) for component in case.all_needs)
    return (
        f"The new code calls what older results do not know: {names}\n"
        "Shall older results depend on that too?"
    )
