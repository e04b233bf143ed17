"""`gitmemo report` and `gitmemo serve`: what is stored, as a page for a browser. They change nothing."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from gitmemo.cli.looking import look_at, where
from gitmemo.cli.options import Whole, revision_options
from gitmemo.cli.questions import asked
from gitmemo.errors import PageNotWritten
from gitmemo.plain_files import replace_file
from gitmemo.quantities import count, size
from gitmemo.report import Document, Edition, Live, News, Server, Since, Source, Wanted, gather
from gitmemo.report.page import html_of
from gitmemo.workspace import View, find, look

MOST_ROWS = 10_000
_Command = TypeVar("_Command", bound=Callable[..., object])


def _question_options(command: _Command) -> _Command:
    """Let a command be about some calls: it gets `ops`, `condition`, `since` and `every`."""
    for decorate in (
        click.option("--all", "every", is_flag=True, help="Also calls of older code."),
        click.option(
            "--since",
            metavar="REV",
            help="Also show what changed since this branch, tag or commit.",
        ),
        click.option(
            "--where",
            "condition",
            metavar="CONDITION",
            help="Only rows that meet it, and what led to them: 'acc > 0.8 and n in (5, 10)'.",
        ),
        click.argument("ops", nargs=-1),
    ):
        command = decorate(command)
    return command


@click.command()
@_question_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("results.html"),
    metavar="FILE",
    help="Where to write it, - for standard output; results.html if omitted.",
)
@click.option(
    "--limit",
    type=Whole(min=1),
    default=MOST_ROWS,
    metavar="N",
    help="At most N rows of each op, those of the newest calls; 10000 if omitted.",
)
@click.option("--open", "is_opened", is_flag=True, help="Show it in the browser, too.")
@revision_options
def report(
    ops: tuple[str, ...],
    condition: str | None,
    since: str | None,
    every: bool,
    output: Path,
    limit: int,
    is_opened: bool,
    rev: str | None,
    later: bool,
) -> None:
    """Write the results of OPS, of all ops if none is named, as one HTML file for a browser.

    It has tables to sort and filter, the code behind each row, the graph, and plots; it needs no
    network and no server, and can be mailed. @NAME among OPS is the call that made the value with
    this tag.
    """
    is_piped = str(output) == "-"
    if is_piped and is_opened:
        raise click.UsageError("--open shows a file: name one")
    if not is_piped:
        _refuse_unwritable(output)
    question = PageQuestion(ops, condition, since, rev, later, every, limit)
    document = question.document(look_at(rev, later=later), _commit_to_compare)
    html = html_of(document.as_dict(), document.graph).encode()
    if is_piped:
        sys.stdout.buffer.write(html)
    else:
        _write(output, html)
    for note in document.notes:
        click.echo(note, err=True)
    calls = count(document.calls, "call")
    where_to = "to standard output" if is_piped else str(output)
    click.echo(f"wrote {where_to}: {calls}, {size(len(html))}", err=True)
    if is_opened:
        webbrowser.open(output.resolve().as_uri())


@click.command()
@_question_options
@click.option(
    "--port",
    type=Whole(0, 65535),
    default=0,
    metavar="N",
    help="The port; one that is free if omitted.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="The address to listen on; this machine alone if omitted.",
)
@click.option("--open", "is_opened", is_flag=True, help="Show it in the browser, too.")
@revision_options
def serve(
    ops: tuple[str, ...],
    condition: str | None,
    since: str | None,
    every: bool,
    port: int,
    host: str,
    is_opened: bool,
    rev: str | None,
    later: bool,
) -> int:
    """Show the page of `gitmemo report` from a small server on this machine, until Ctrl-C.

    All rows are there, and the page follows: new calls, commits and edits of code show up by
    themselves. Only who has the address, which holds a random token, can read it.
    """
    question = PageQuestion(ops, condition, since, rev, later, every, None)
    look_at(rev, later=later)  # what is left out is said once, here
    server = Server(Live(question.edition), host, port)
    if not server.is_local:
        click.echo(
            "who can reach this machine and has the address can read the results; what is sent is "
            "not encrypted",
            err=True,
        )
    click.echo(server.url)
    click.echo("Ctrl-C ends it", err=True)
    try:
        with ExitStack() as opened:
            if is_opened:
                folder = find().layout.private_dir
                writable = folder if os.access(folder, os.W_OK) else None
                webbrowser.open(opened.enter_context(server.opener(writable)))
            server.serve()
    except KeyboardInterrupt:
        return 0
    finally:
        server.release()
    return 0


@dataclass(frozen=True, slots=True)
class PageQuestion:
    """What a page is to show, as it was typed; without `limit` all rows."""

    ops: Sequence[str]
    condition: str | None
    since: str | None
    rev: str | None
    later: bool
    every: bool
    limit: int | None

    def document(self, view: View, commit: Callable[..., View]) -> Document:
        """Return the document of what `view` shows; `commit` looks at revisions."""
        found = asked(view, self.ops, every=self.every)
        frame = found.frame.expand_back()
        if self.condition and len(frame):
            frame = frame.query(self.condition)
        wanted = Wanted(
            frame,
            tuple(_in_order(found.meant.ops, self.ops)),
            self.condition or "",
            where(view),
            tuple(found.left_out()),
            self.limit or len(frame) + 1,
            self._since(view, commit) if self.since else None,
        )
        return gather(view, wanted)

    def _since(self, view: View, commit: Callable[..., View]) -> Since:
        new = commit(self.rev, later=False) if self.rev else view
        old = commit(self.since, later=False, beside=new)
        after = where(new) if self.rev else f"the work tree, {where(new)}"
        return Since(old, new, where(old), after)

    def edition(self) -> Edition:
        """Return the document of what there is now, and what tells that there is something new."""
        view = look(rev=self.rev, later=self.later, lenient=True)
        news = News(view, self.since)
        seen = news.mark()
        return Edition(Source(self.document(view, _lenient)), seen, news.mark)


def _in_order(meant: Iterable[str], given: Sequence[str]) -> list[str]:
    """Return full names of ops in the order in which they were given, in full or in short."""

    def place(op: str) -> int:
        names = (op, op.rpartition(":")[2])
        return min((given.index(name) for name in names if name in given), default=len(given))

    return sorted(meant, key=lambda op: (place(op), op))


def _commit_to_compare(rev: str, *, later: bool, beside: View | None = None) -> View:
    return look_at(rev, later=later, beside=beside)


def _lenient(rev: str, *, later: bool, beside: View | None = None) -> View:
    return look(rev=rev, later=later, beside=beside, lenient=True)


def _refuse_unwritable(output: Path) -> None:
    if output.is_dir():
        raise PageNotWritten(str(output), "it is a folder")
    if not output.parent.is_dir():
        raise PageNotWritten(str(output), f"there is no folder {output.parent}")


def _write(output: Path, html: bytes) -> None:
    """Write the page, whole or not at all; to a pipe or a device as it is."""
    try:
        if output.exists() and not output.is_file():
            output.write_bytes(html)
            return
        real = output.resolve()
        replace_file(real.parent, real.name, html)
    except OSError as error:
        raise PageNotWritten(str(output), error.strerror or str(error)) from error
