"""Questions in a running program: whether a change requires recomputation, and whether to fetch.

Not the questions at a commit (`question`), nor when somebody is asked (`memo.asking`).
Invariant: a question is asked only where somebody can see it and answer: through
an `input` that a test has put in the place of Python's, or at the terminal that this process is in
the foreground of. Notebooks are not asked (`notebook`).
"""

from __future__ import annotations

import builtins
import multiprocessing.process
import signal
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import PurePath

import click

from gitmemo import config
from gitmemo.changes.cases import Answer, Case, Reviewer
from gitmemo.changes.change import Affected
from gitmemo.colors import color_wanted
from gitmemo.display.terminal import Terminal, terminal
from gitmemo.display.text import diff_lines, printable
from gitmemo.errors import Aborted
from gitmemo.model.components import Component, in_words, is_external, plain_name
from gitmemo.model.facts import Verdict
from gitmemo.short_ids import short
from gitmemo.tracing.kernels import running_kernel

_ANSWERS = {
    "y": Verdict.BREAKING,
    "yes": Verdict.BREAKING,
    "n": Verdict.NON_BREAKING,
    "no": Verdict.NON_BREAKING,
}
_QUESTION = (
    "Does this change require recomputation of dependent calls?",
    "WARNING: if the change created new dependencies and you choose 'no', you should add them by "
    "hand or risk missing changes in them.",
)
_PROMPT = "Answer: [y]es/[n]o/[a]bort "
_FETCH_PROMPT = "Fetch values as they are needed, until this program ends? [y]es/[n]o "
_MOST_TRIES = 10
_WIDTH = 100

Read = Callable[[str], str]
Say = Callable[[str], None]


class InputAsker:
    """Shows changes with `print` and asks through a function like `input`."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def answer(self, case: Case, number: int, total: int) -> Answer:
        """Return the answer: later, if it turns out that nobody can answer here.

        Raises:
            Aborted: The answer was abort, there was none, or none that makes sense.
        """
        try:
            return _asked(case, self._read, _print)
        except NotImplementedError:  # a notebook that is run without anybody in front of it
            return Answer(None)

    def agrees(self, question: str) -> bool:
        """Return whether the answer to a plain question is yes."""
        return _agrees(question, self._read, _print)


class ForegroundAsker:
    """Shows changes and asks at the controlling terminal, wherever the program's output goes."""

    def answer(self, case: Case, number: int, total: int) -> Answer:
        """Return the answer: later, if the terminal has gone.

        Raises:
            Aborted: The answer was abort, the terminal was closed, or no answer made sense.
        """
        with terminal() as tty:
            return Answer(None) if tty is None else _asked(case, tty.ask, _speaker(tty))

    def agrees(self, question: str) -> bool | None:
        """Return whether the answer to a plain question is yes; None if the terminal has gone."""
        with terminal() as tty:
            return None if tty is None else _agrees(question, tty.ask, tty.say)


def find_asker() -> Reviewer | None:
    """Return who can be asked now: a replaced `input`, a terminal; None if nobody.

    In a kernel nobody: its `input` would stop the notebook until somebody answers.
    """
    if running_kernel() is not None:
        return None
    read = builtins.input
    if not isinstance(read, types.BuiltinFunctionType):
        return InputAsker(read)
    return ForegroundAsker() if _is_at_terminal() else None


def may_fetch(question: str) -> bool | None:
    """Ask whether values are fetched as they are needed; None where nobody can answer."""
    asker = find_asker()
    try:
        if isinstance(asker, InputAsker | ForegroundAsker):
            return asker.agrees(question)
    except (EOFError, NotImplementedError):
        pass
    return None


def describe(case: Case) -> Iterator[str]:
    """Yield the lines that say what changed, which versions depend on it, and the difference."""
    change = case.change
    name, module = _place(change.component)
    yield click.style(f"CHANGE DETECTED in {name} from {module}", bold=True)
    yield "Dependent components:"
    for affected in change.affected:
        yield f"  {_version(affected)}"
    if change.only_value:
        yield (
            "The text is the same. What has changed is its value, which of its definitions "
            "counts, or what its names stand for."
        )
    difference = change.diff()
    pieces = [line for line in difference if line.startswith("@@")]
    if len(pieces) == 1:  # where it is in the function says little
        difference.remove(pieces[0])
    if difference:
        yield from _box("Diff", list(diff_lines(difference)))
    if case.needs:
        names = ", ".join(printable(str(component)) for component in case.needs)
        yield f"If you choose 'no', results of before depend on {names} too: only the new code uses it."


def _asked(case: Case, read: Read, say: Say) -> Answer:
    for line in (*describe(case), *_QUESTION):
        say(line)
    return Answer(_verdict(read, say))


def _agrees(question: str, read: Read, say: Say) -> bool:
    say(printable(question))
    for _ in range(_MOST_TRIES):
        said = read(_FETCH_PROMPT)
        word = said.strip().lower() if isinstance(said, str) else ""
        if word in _ANSWERS:
            return _ANSWERS[word] is Verdict.BREAKING
        say("Please answer y or n.")
    return False


def _speaker(tty: Terminal) -> Say:
    if color_wanted() is False:
        return lambda line: tty.say(click.unstyle(line))
    return tty.say


def _print(line: str) -> None:
    print(click.unstyle(line))  # noqa: T201  where the program prints, the question stands


def _verdict(read: Read, say: Say) -> Verdict:
    for _ in range(_MOST_TRIES):
        try:
            said = read(_PROMPT)
        except EOFError as error:
            raise Aborted("the block") from error
        # What stands in for `input` may return anything, or nothing.
        word = said.strip().lower() if isinstance(said, str) else ""
        if word in ("a", "abort"):
            break
        if word in _ANSWERS:
            return _ANSWERS[word]
        say("Please answer y, n or a.")
    raise Aborted("the block")


def _is_at_terminal() -> bool:
    """Whether a person sits at a terminal that this process may read from.

    A worker would compete with others, and what was told to survive the terminal (`nohup`) is
    not to wait for it.
    """
    if sys.stdin is None or config.is_unattended() or not hasattr(signal, "SIGHUP"):
        return False
    if multiprocessing.process.parent_process() is not None:
        return False
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return False
    try:
        if not sys.stdin.isatty():
            return False
        with terminal() as tty:
            return tty is not None
    except (OSError, ValueError):  # closed, or not what Python takes for a file
        return False


def _place(component: Component) -> tuple[str, str]:
    if is_external(component):
        return printable(in_words(component)), "outside of the code"
    name = printable(plain_name(component))
    path = PurePath(component.path)
    if path.suffix == ".ipynb":
        return name, f"notebook {printable(component.path)}"
    return name, f"module {printable('.'.join(path.with_suffix('').parts))}"


def _version(affected: Affected) -> str:
    module, _, name = affected.op.rpartition(":")
    where = f' from module "{printable(module)}"' if module else ""
    content, semantic = (short(digest) for digest in (affected.content, affected.semantic))
    return f'Version of "{printable(name)}"{where} (content: {content}, semantic: {semantic})'


def _box(title: str, lines: list[str]) -> Iterator[str]:
    """Draw a frame around coloured lines; longer ones stick out rather than being cut."""
    widths = [len(click.unstyle(line)) for line in lines]
    width = min(max(*widths, len(title) + 4), _WIDTH)
    yield f"╭{f' {title} '.center(width, '─')}╮"
    for line, length in zip(lines, widths, strict=True):
        yield f"│{line}{' ' * (width - length)}│"
    yield f"╰{'─' * width}╯"
