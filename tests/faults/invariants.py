"""What must hold after any fault: docs/architecture.md, "What must always be true", of one world.

Not the faults. Invariant: whatever is found is a sentence; an empty list is a world in order.
"""

from __future__ import annotations

import builtins
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from faults.control import Fault
from faults.operations import OLD_S, Operation
from faults.outcomes import counted
from faults.world import Ended, World

from gitmemo import errors
from gitmemo.hashing.digest import digest, to_hex

_PUBLISHED = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 130})
_JUNK = re.compile(r"\.new$|^\.tmp-|^\.part-|\.tmp$|-journal$|^\.nfs")
_OF_DULWICH = "Exception ignored in: <function _GitFile.__del__"
"""What dulwich adds to an error that was told: it closes its file once more, on a disk that is full."""
_SAYS_MORE = re.compile(
    r"fix: |interrupted|nothing is pending|for the reason above|ask who has them"
    r"|^  \w+: problem: |left, \d+ dealt with",
    re.MULTILINE,
)
"""What an error says to do, or that a list above it does."""
_FUTURE = "EditedAfterImport"
"""It says so: to its clock, files are of the future, and calls that read them run again."""
_OPS = ("small", "middle", "large", "model", "document", "total")
COMPUTED = {(op, str(n)) for op in _OPS for n in range(3)}
"""What a world holds from the beginning."""


def after_each(world: World, operation: Operation, fault: Fault, ended: Ended) -> list[str]:
    """Return what is not as it should be right after a fault."""
    if ended.code is None:
        return ["it hangs"]
    _remove_locks(world)
    found = [*_of_the_end(operation, fault, ended)]
    if is_done(fault, ended) and not operation.again:  # before calls that are asked for are stored
        found += of_the_outcome(world, operation, ended)
    found += _study_is_there(world, operation, ended)
    return [*found, *_squares_are_there(world, ended)]


def is_done(fault: Fault, ended: Ended) -> bool:
    """Whether an operation says that it did all that it is for."""
    says_less = ended.said("raised") or _FUTURE in ended.err
    return ended.code == 0 and not fault.is_deadly and not says_less


def of_the_outcome(world: World, operation: Operation, ended: Ended) -> list[str]:
    """Return what did not come of an operation that is done."""
    try:
        operation.finish(world, ended)
    except (AssertionError, FileNotFoundError) as error:
        return [f"not completed: {error}"]
    return []


def in_the_end(
    world: World, operation: Operation, *, is_done: bool, status: str, twice: bool
) -> list[str]:
    """Return what is not as it should be when it was done again, without a fault.

    Args:
        is_done: Whether it says that it is done.
        status: What git says when all went well.
        twice: Whether all bytes are read once more then.
    """
    found = list(_sound(world, may_be_damaged=operation.damaged))
    if not is_done or operation.again:
        again = (operation.again or operation.act)(world)
        if again.code not in operation.codes and not is_done:
            found.append(f"done again it ends with {again.code}: {_last(again)}")
        found += of_the_outcome(world, operation, again)
    if twice:
        found += _sound(world, may_be_damaged=False)
    return [*found, *_git_is_content(world, status), *_tidy(world)]


def _of_the_end(operation: Operation, fault: Fault, ended: Ended) -> Iterator[str]:
    yield from (f"wrong result: {call}" for call in ended.said("wrong"))
    for name, *rest in ended.said("raised"):
        if name != "KeyboardInterrupt" and not _is_meant(name):
            yield f"a program gets {name}: {' '.join(rest)}"
    if fault.is_deadly or not ended.code:
        return
    if ended.code not in _PUBLISHED and ended.code > 0 and not operation.slow:
        yield f"exit code {ended.code}: {_last(ended)}"
    if operation.is_program and (found := re.findall(r"^[ |]*(\S*\w+)(?:: .*)?$", ended.err, re.M)):
        name = found[-1].rpartition(".")[2]
        if "Traceback" in ended.err and not any(_is_meant(one.rpartition(".")[2]) for one in found):
            yield f"a program ends with {name}: {_last(ended)}"
    elif "Traceback" in ended.err.split(_OF_DULWICH)[0]:
        yield f"a traceback: {_last(ended)}"
    elif (
        not operation.slow
        and fault.kind != "clock"
        and not _SAYS_MORE.search(ended.err + ended.out)
    ):
        yield f"no remedy: {ended.code} {_last(ended)}"


def _is_meant(name: str) -> bool:
    """Whether programs may expect such an exception from storing results."""
    kind = getattr(errors, name, None) or getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(
        kind, (errors.GitmemoError, OSError, KeyboardInterrupt)
    )


def _remove_locks(world: World) -> None:
    """Do what git asks for when it, or who used its index, was killed."""
    for path in (world.top / "p/.git").rglob("*.lock"):
        path.unlink()
    for path in (world.top / "origin.git").rglob("*.lock"):
        path.unlink()


def _sound(world: World, *, may_be_damaged: bool) -> Iterator[str]:
    verified = world.gitmemo("verify")
    if verified.code != 0 and not (may_be_damaged and verified.code == 4):
        yield f"verify says {verified.code}: {verified.out[-500:]} {_last(verified)}"


def _study_is_there(world: World, operation: Operation, ended: Ended) -> Iterator[str]:
    """Calls are found, with their values; nothing comes from a remote, which would hide a loss."""
    returned = ended.calls("returned")
    last = max([2, *(int(n) for op, n in returned if op in _OPS)])
    arguments = ("study.py", "check", "0", str(last + 1))
    checked = world.program(*arguments, fetches=False)
    while operation.damaged and checked.code == 4 and "is damaged" in checked.err:
        checked = world.program(*arguments, fetches=False)
    if checked.code != 0:
        yield f"the program does not run: {checked.code} {_last(checked)}"
    yield from (f"wrong result: {call}" for call in checked.said("wrong"))
    # A call inside of the arguments of another is made before it, and returned with it.
    known = COMPUTED | {call for call in returned if call[0] in _OPS}
    known |= {("middle", n) for op, n in returned if op == "total"}
    if not operation.lacks:
        lost = checked.calls("missing") & known
        yield from (f"a stored value was lost: {op} {n}" for op, n in lost)
    if _FUTURE in ended.err:
        return
    for op, n in checked.calls("ran") & known:
        if op not in operation.forgets and f"{op} {n}" not in operation.forgets:
            yield f"a stored call was lost: {op} {n}"


def _squares_are_there(world: World, ended: Ended) -> Iterator[str]:
    """Calls of the map are found."""
    numbers = sorted(n for op, n in ended.calls("returned") if op == "square")
    if not numbers or _FUTURE in ended.err:
        return
    checked = world.program("spread.py", "check", *numbers, fetches=False)
    yield from (f"wrong result: {call}" for call in checked.said("wrong"))
    if checked.code != 0 or counted(checked) != (len(numbers), 0):
        yield f"calls of the map were lost: {checked.code} {_last(checked)}"


def _git_is_content(world: World, status: str) -> Iterator[str]:
    found = world.git("status", "--porcelain")
    if found.out != status:
        yield f"git status says {found.out!r}, not {status!r}"
    checked = world.git("fsck", "--no-dangling", "--no-progress")
    if checked.code != 0:
        yield f"git fsck says {checked.code}: {_last(checked)}"


def _tidy(world: World) -> Iterator[str]:
    """Nothing half-written is under a final name on the remote; temporary files go with gc."""
    for name, data in world.shared():
        is_named = name.endswith(".pack") or re.match(r"blobs/../[0-9a-f]", name)
        if is_named and to_hex(digest(data)) != Path(name).stem:
            yield f"a false name on the remote: {name}"
    then = time.time() - OLD_S
    for path in _junk(world):
        os.utime(path, (then, then), follow_symlinks=False)
    if _junk(world):
        removed = world.gitmemo("gc", "--yes")
        world.program("study.py", "check", "0", "1")
        yield from (f"gc leaves {path} ({removed.code})" for path in _junk(world))


def _junk(world: World) -> list[Path]:
    folders = (world.private, world.top / "p/.gitmemo", world.top / "store-parent")
    return [
        path
        for folder in folders
        for path in folder.rglob("*")
        if _JUNK.search(path.name) and path.is_file()
    ]


def _last(ended: Ended) -> str:
    return (ended.err or ended.out)[-900:].strip()
