"""`gitmemo status`: what is stored, pending, of older code, and not here. It changes nothing.

Not what comes of it (`commits`, `sync`). Invariant: text and JSON say the same of one moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from gitmemo.cli.looking import look_at, where
from gitmemo.cli.options import json_option, remote_option, revision_options
from gitmemo.config import is_unattended
from gitmemo.counts import Counts, count_pending, counts
from gitmemo.display.json_lines import json_line
from gitmemo.display.text import printable, table
from gitmemo.errors.base import ExitCode
from gitmemo.git.repository import Layout
from gitmemo.quantities import count, size
from gitmemo.query import NEWEST_COUNTS
from gitmemo.workspace import View, Workspace
from gitmemo.world.index import STATEMENT_KINDS

if TYPE_CHECKING:
    from gitmemo.changes.change import Change
    from gitmemo.commits.taking import Divided
    from gitmemo.model.contests import Contest
    from gitmemo.remotes import WantedBlob
    from gitmemo.sync.standing import Standing

_MARKS = (b"<" * 7 + b" ", b">" * 7 + b" ")


@click.command()
@remote_option
@click.option(
    "--check", is_flag=True, help="Exit with 3 if something is pending, undecided or contested."
)
@revision_options
@json_option
def status(asked: str | None, check: bool, rev: str | None, later: bool, as_json: bool) -> int:
    """Show what is stored, pending, made by older code, and missing on this machine.

    Of another revision: what is in it, as its own code judges it.
    """
    view = look_at(rev, later=later)
    if check:
        _refuse_unreadable(view.workspace.layout)
    found = _look(view, asked)
    if as_json:
        click.echo(json_line(found.fields()))
    else:
        for line in (*found.lines(), *_what_is_wanting(found, asked, check=check)):
            click.echo(line)
    to_do = found.to_do() if check else []
    if to_do:
        click.echo(f"gitmemo: not all is settled: {', '.join(to_do)}", err=True)
    return ExitCode.NOT_READY if to_do else ExitCode.DONE


@dataclass(frozen=True)
class _Status:
    """What there is in one world in one moment.

    Attributes:
        pending: Calls that are in no commit.
        waiting: Which of them the next commit takes; None of another revision.
        said: Statements about code and values that are in none.
        missing: Values that are not on this machine.
        unparsed: Files of code that calls touched and that are not Python, with what is wrong.
        standing: How it compares with a remote, if one was asked.
    """

    view: View
    counts: Counts
    pending: int
    waiting: Divided | None
    said: int
    missing: Sequence[WantedBlob]
    unparsed: Mapping[str, str]
    standing: Standing | None
    undecided: Sequence[Change]
    contested: Sequence[Contest]

    def to_do(self) -> list[str]:
        """Return in words what somebody has to commit or to decide."""
        found = (
            (self.pending, count(self.pending, "pending call")),
            (self.said, count(self.said, "pending statement")),
            (len(self.undecided), count(len(self.undecided), "undecided change")),
            (len(self.contested), count(len(self.contested), "contested decision")),
        )
        return [said for number, said in found if number]

    def fields(self) -> dict[str, object]:
        """Return it for programs."""
        place, standing = self.view.world.place, self.standing
        every, current = self.counts.every, self.counts.current
        return {
            "branch": place.branch,
            "commit": place.commit,
            "rev": self.view.rev,
            "calls": every.total(),
            "pending": self.pending,
            **(_waiting_fields(self.waiting) if self.waiting else {}),
            "committed_later": len(self.view.later),
            "pending_statements": self.said,
            "stale": self.counts.stale.total(),
            "unreachable": self.counts.unreachable.total(),
            "other_values": self.counts.others.total(),
            "undecided": [str(change.component) for change in self.undecided],
            "contested": [str(contest.component) for contest in self.contested],
            "missing_values": len(self.missing),
            "unparsed": dict(self.unparsed),
            "to_do": self.to_do(),
            **({"remote": {"name": standing.remote, **standing.as_dict()}} if standing else {}),
            "ops": {op: {"calls": every[op], "current": current[op]} for op in sorted(every)},
        }

    def lines(self) -> Iterator[str]:
        """Yield it for people."""
        view, found = self.view, self.counts
        later = f"{len(view.later)} committed later"
        more = later if view.rev else f"{self.pending} pending{_and(self.said)}"
        yield f"{where(view)}: {count(found.every.total(), 'call')}, {more}"
        groups = (found.current, found.stale, found.unreachable, found.others)
        rows = [(op, *(group[op] for group in groups)) for op in sorted(found.every)]
        columns = ("op", "current", "of older code", "on older results", "of other values")
        if rows:
            shown = len(columns) if found.others else len(columns) - 1
            yield from table(columns[:shown], [row[:shown] for row in rows])
        if found.others:
            yield printable(f"of other values: of {found.otherwise}; {NEWEST_COUNTS}")
        for path, why in self.unparsed.items():
            said = f"{path} cannot be parsed ({why}): calls that touched its code count as older"
            yield printable(f"{said} until it can")
        for line in _renamed(view.workspace, bool(found.stale and not view.rev)):
            yield printable(line)
        yield from _to_decide(self.undecided, self.contested)
        yield from self._what_joins()

    def _what_joins(self) -> Iterator[str]:
        """Yield what the next commit takes, and what waits for another."""
        waiting = self.waiting
        left = waiting.left + waiting.given_up if waiting else 0
        if self.pending > left or self.said:
            what = "what is pending joins" if self.said else "pending calls join"
            others = "the other " if left and not self.said else ""
            yield f"{others}{what} the next commit; `gitmemo commit` makes one for that alone"
        if waiting and waiting.left:
            files = " ".join(map(printable, waiting.lacking))
            yield f"{waiting.left} of them join the commit that has the code which made them: {files}"
        if waiting and waiting.given_up:
            yield (
                f"{waiting.given_up} of them belong to code that is not here: they wait for it, or "
                "`gitmemo drop --stale --pending` leaves them out"
            )


def _waiting_fields(waiting: Divided) -> dict[str, object]:
    return {"pending_uncommitted": waiting.left, "pending_thrown_away": waiting.given_up}


def _refuse_unreadable(layout: Layout) -> None:
    """Raise what git says, where it cannot read what is checked out: nobody knows what is settled."""
    from gitmemo.git.soundness import unreadable

    for _, failed in unreadable(layout):
        raise failed


def _look(view: View, asked: str | None) -> _Status:
    """Gather it; `asked` is the remote to ask, None for none."""
    from gitmemo.commits.undecided import open_changes
    from gitmemo.sync.wanted import missing_of

    world = view.world
    waiting, pending = world.pending(view.code), count_pending(view)
    return _Status(
        view,
        counts(view),
        pending=pending,
        waiting=_next_commit(view) if pending and not view.rev else None,
        said=len(world.index.of_kinds(waiting, STATEMENT_KINDS)),
        missing=missing_of(world, view.code),
        unparsed={path: _what_is_wrong(view, path) for path in sorted(view.code.unreadable)},
        standing=None if asked is None else _standing(view, asked),
        undecided=[] if view.rev else open_changes(view.workspace),
        contested=world.decisions().contests(),
    )


def _next_commit(view: View) -> Divided:
    from gitmemo.commits.taking import next_commit

    return next_commit(view.workspace)


def _what_is_wrong(view: View, path: str) -> str:
    """Return why a file is not Python: conflicts that nobody has settled, or what its parser says."""
    lines = (view.code.read(path) or b"").splitlines()
    marks = [next((n for n, line in enumerate(lines, 1) if line.startswith(m)), 0) for m in _MARKS]
    is_conflict = 0 < marks[0] < marks[1]
    return f"conflict at line {marks[0]}" if is_conflict else view.code.unreadable[path]


def _what_is_wanting(found: _Status, asked: str | None, *, check: bool) -> Iterator[str]:
    """Yield what is not here and not on the remote, with what mends it; say if hooks are missing.

    A clone that only checks makes no commits: it needs no hooks.
    """
    from gitmemo.git.hookfiles import is_installed
    from gitmemo.sync.advice import command

    rev = found.view.rev
    if not (rev or check or is_unattended()) and not is_installed(found.view.workspace.layout):
        click.echo("the git hooks are not installed in this clone: run `gitmemo init`", err=True)
    again = partial(command, revs=() if rev is None else (rev,))
    if found.missing:
        total = size(sum(item.size for item in found.missing))
        values = count(len(found.missing), "value")
        yield f"{values} ({total}) not on this machine{_help(found, again('pull'))}"
    for line in (
        found.standing.lines(partial(again, remote=asked or None)) if found.standing else ()
    ):
        yield printable(line)


def _help(found: _Status, pull: str) -> str:
    if found.view.workspace.settings.remotes:
        return f": {pull}"
    if found.view.rev:
        return ", and no remote is configured"
    return ": what calls made is computed again when it is needed"


def _standing(view: View, name: str) -> Standing:
    """Ask a remote, the default one if it has no name."""
    from gitmemo.sync.spilled import segments_seen
    from gitmemo.sync.standing import standing
    from gitmemo.sync.wanted import values_of

    workspace = view.workspace
    wanted = values_of(view.world, view.code) + segments_seen(view)
    return standing(workspace, workspace.remote(name or None), wanted)


def _and(said: int) -> str:
    return f", and {count(said, 'statement')} about code or values" if said else ""


def _renamed(workspace: Workspace, is_stale: bool) -> Iterator[str]:
    """Yield what will be recognised as renamed, or may have been, where calls seem to be older."""
    if not is_stale:
        return
    from gitmemo.commits.scenes import ahead_in, renames_since_head

    found, _ = renames_since_head(workspace)
    yield from map(printable, ahead_in(found).values())
    if found.suggestions:
        yield from found.sentences()[-len(found.suggestions) :]


def _to_decide(undecided: Sequence[Change], contested: Iterable[Contest]) -> Iterator[str]:
    if undecided:
        names = ", ".join(printable(str(change.component)) for change in undecided)
        yield f"undecided: {names} (gitmemo decide)"
    for contest in contested:
        from gitmemo.changes.contested import said_in

        name = printable(str(contest.component))
        yield f"contested: {name}; only the very same code matches (gitmemo decide)"
        yield from (f"  {printable(said)}" for said in said_in(contest))
