"""What `gitmemo doctor` says of a repository: its settings, its remotes, its records, what is stale.

Not of the machine (`doctor_machine`). Invariant: a remote is only read, and waited for so long as was said.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from gitmemo.cli.settings import as_text, rows
from gitmemo.config import environment_variable
from gitmemo.errors import CorruptJournal, GitmemoError
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout
from gitmemo.mounts import shared_kind
from gitmemo.quantities import count, duration, size
from gitmemo.remotes.probing import Grade, Probe, reach
from gitmemo.workspace import Workspace, remote_cache

_LITTLE_BYTES = 1_000_000_000
_SKEW_S = 5.0
_OTHERS = ("GITMEMO_SKIP", "GITMEMO_PROJECT", "GITMEMO_PAGER", "CI", "NO_COLOR", "FORCE_COLOR")


def configured(layout: Layout) -> Iterator[Probe]:
    """Say which settings hold that are not the default, and who says them."""
    yield Probe("repository", Grade.GOOD, str(layout.root))
    for row in rows(layout):
        said = f"{as_text(row.shown)} ({row.origin})"
        if not row.is_known:
            advice = "is it misspelt? `gitmemo config list` says what it may be meant for"
            yield Probe(row.name, Grade.BAD, f"nothing reads this setting: {said}", advice)
        elif row.origin != "default":
            yield Probe(row.name, Grade.GOOD, said)
    for name in _OTHERS:
        if (value := environment_variable(name)) is not None:
            yield Probe(name, Grade.GOOD, f"{value!r} (environment)")
    if environment_variable("GITMEMO_SIGNING_KEY"):
        yield Probe("GITMEMO_SIGNING_KEY", Grade.GOOD, "(hidden) (environment)")


# --- remotes --------------------------------------------------------------------


def reachable(workspace: Workspace, timeout_s: float) -> Iterator[Probe]:
    """Ask each remote what it holds."""
    names = list(workspace.settings.remotes)
    if not names:
        advice = "`gitmemo remote add NAME URL` shares values with others"
        yield Probe("remotes", Grade.NOTE, "there are none", advice)
    for name in names:
        yield _asked(workspace, name, timeout_s)


def _asked(workspace: Workspace, name: str, timeout_s: float) -> Probe:
    found: list[Probe] = []

    def ask() -> None:
        try:
            from gitmemo.remotes import open_remote

            config = workspace.remote(name)
            cache = remote_cache(workspace.layout, config)
            found.append(reach(open_remote(config, workspace.root), cache))
        except GitmemoError as error:
            found.append(Probe(name, Grade.BAD, error.problem(), error.remedy()))
        except Exception as error:  # noqa: BLE001  drivers raise anything
            said = f"{type(error).__name__}: {error}"
            found.append(Probe(name, Grade.BAD, said, f"gitmemo remote check {name}"))

    began = time.monotonic()
    thread = threading.Thread(target=ask, daemon=True)  # nobody waits for it at the end
    thread.start()
    thread.join(timeout_s)
    if not found:
        advice = "check the address and the network; --timeout waits longer"
        return Probe(name, Grade.BAD, f"no answer within {duration(timeout_s)}", advice)
    (one,) = found
    said = f"{one.said} ({duration(time.monotonic() - began)})"
    return Probe(name, one.grade, said if one.grade is Grade.GOOD else one.said, one.remedy)


# --- what lies here -------------------------------------------------------------


def healthy(workspace: Workspace) -> Iterator[Probe]:
    """Look at what git reads, hooks, records, the place of the values, locks and the clock."""
    yield from _git(workspace.layout)
    yield _hooks(workspace.layout)
    yield from _records(workspace)
    yield from _store(workspace)
    yield _locks(workspace.layout)
    yield from _shared_place(workspace.layout)
    yield from _clock(workspace)


def _git(layout: Layout) -> Iterator[Probe]:
    from gitmemo.git.soundness import Part, unreadable

    remedies = {
        Part.INDEX: "move `index` out of the git folder; then `git reset` makes it from the last commit",
        Part.COMMIT: "`git fsck` says what is gone; `git fetch` from a clone that has it, or clone again",
    }
    is_sound = True
    for part, failed in unreadable(layout):
        is_sound = False
        yield Probe(f"git's {part}", Grade.BAD, failed.problem(), remedies[part])
    if is_sound:
        yield Probe("git's files", Grade.GOOD, "git reads its index and the last commit")


def _hooks(layout: Layout) -> Probe:
    from gitmemo.git.hookfiles import SOUND, inspect

    wrong = [one for one in inspect(layout) if one.state not in SOUND]
    if not wrong:
        return Probe("hooks", Grade.GOOD, "installed, and they can run")
    said = ", ".join(f"{one.name} ({one.state.value})" for one in wrong)
    return Probe("hooks", Grade.BAD, said, "gitmemo hook install; gitmemo hook status says more")


def _records(workspace: Workspace) -> Iterator[Probe]:
    world = workspace.world
    world.files.is_lenient = True
    try:
        world.enter()
    except CorruptJournal as error:
        yield Probe("journals", Grade.BAD, error.problem(), error.remedy())
        return
    for left_out in world.files.left_out:
        yield Probe("index", Grade.BAD, left_out.problem(), left_out.remedy())
    if not world.files.left_out:
        yield Probe("index", Grade.GOOD, f"can be read: {world.describe().amount}")
    yield Probe("journals", Grade.GOOD, "can be read")


def _store(workspace: Workspace) -> Iterator[Probe]:
    from gitmemo.blobs.home import blobs_folder

    folder = blobs_folder(workspace.layout)
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    said = f"{folder}, {size(free)} free"
    if free < _LITTLE_BYTES:
        yield Probe("store", Grade.BAD, said, "free space there; `gitmemo gc` says what may go")
    else:
        yield Probe("store", Grade.GOOD, said)


def _locks(layout: Layout) -> Probe:
    """Try both kinds of locks that are relied on, on the file system of the git folder."""
    try:
        import fcntl

        folder = layout.private_dir if layout.private_dir.is_dir() else layout.common_dir
        with tempfile.TemporaryFile(dir=folder) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError) as error:
        advice = "use a file system with locks; two programs at once may compute the same here"
        return Probe("locks", Grade.BAD, f"none where the git folder is: {error}", advice)
    return Probe("locks", Grade.GOOD, "the file system of the git folder has them")


def _shared_place(layout: Layout) -> Iterator[Probe]:
    """Say where other machines may use the same git folder: they see each other's files late."""
    if kind := shared_kind(layout.common_dir):
        said = f"the git folder is on {kind}: other machines see what is written here late"
        advice = (
            "calls may be computed twice; wait a minute after another machine before `gitmemo gc`"
        )
        yield Probe("file system", Grade.NOTE, said, advice)


def _clock(workspace: Workspace) -> Iterator[Probe]:
    layout = workspace.layout
    folder = layout.private_dir if layout.private_dir.is_dir() else layout.common_dir
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        ahead_s = Path(file.name).stat().st_mtime - time.time()
    said = Git(layout.root).try_run("log", "-1", "--format=%ct")
    future_s = int(said) - time.time() if said else 0.0
    if abs(ahead_s) > _SKEW_S:
        wrong = f"the file system's clock and this machine's differ by {duration(abs(ahead_s))}"
    elif future_s > _SKEW_S:
        wrong = f"the last commit is {duration(future_s)} in the future"
    else:
        yield Probe("clock", Grade.GOOD, "agrees with the file system and the last commit")
        return
    yield Probe(
        "clock", Grade.BAD, wrong, "set the clock; values may seem younger or older than they are"
    )


# --- what waits -----------------------------------------------------------------


def stale(workspace: Workspace) -> Iterator[Probe]:
    """Say what waits for a commit, a decision or a pull."""
    from gitmemo.commits.undecided import open_changes
    from gitmemo.sync.unshared import pending_calls
    from gitmemo.sync.wanted import missing_of

    if undecided := open_changes(workspace):
        said = f"{count(len(undecided), 'change')} of code that nobody decided about"
        yield Probe("changes", Grade.NOTE, said, "gitmemo decide")
    if contests := workspace.world.decisions().contests():
        said = f"{count(len(contests), 'decision')} contradict each other"
        yield Probe("decisions", Grade.BAD, said, "gitmemo decide")
    if calls := pending_calls(workspace):
        yield from _in_no_commit(workspace, calls)
    if missing := missing_of(workspace.world, workspace.code):
        total = size(sum(one.size for one in missing))
        said = f"{count(len(missing), 'value')} ({total}) not on this machine"
        advice = "gitmemo pull" if workspace.settings.remotes else "computed again when needed"
        yield Probe("values", Grade.NOTE, said, advice)
    if not (undecided or contests or calls or missing):
        yield Probe("stale", Grade.GOOD, "nothing waits for a commit, a decision or a pull")


def _in_no_commit(workspace: Workspace, calls: int) -> Iterator[Probe]:
    """Say which commit takes the pending calls."""
    from gitmemo.commits.taking import next_commit

    waiting = next_commit(workspace)
    if (fitting := calls - waiting.left - waiting.given_up) > 0:
        yield Probe("calls", Grade.NOTE, f"{count(fitting, 'call')} in no commit", "gitmemo commit")
    if waiting.left:
        said = f"{count(waiting.left, 'call')} of code that is in no commit"
        yield Probe("calls", Grade.NOTE, said, f"git add {shlex.join(waiting.lacking)}; git commit")
    if waiting.given_up:
        said = f"{count(waiting.given_up, 'call')} of code that is not here"
        yield Probe("calls", Grade.NOTE, said, "gitmemo drop --stale --pending")
