"""Reading every stored byte of a clone, and putting right what can be put right.

Not the reading itself (`blobs.inspecting`, `commits.check`). Invariant: what is damaged is set aside,
never deleted; what takes its place was verified.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from gitmemo.blobs import BlobStore
from gitmemo.blobs.home import blobs_folder, notes_folder, repository_blobs
from gitmemo.blobs.inspecting import Inspection, inspect, note_torn, set_aside
from gitmemo.cleaning.recomputing import Maker, makers_of_blobs
from gitmemo.commits.check import check_records
from gitmemo.errors import GitmemoError, SegmentUnreadable
from gitmemo.git.repository import Layout
from gitmemo.hashing.digest import Digest, to_hex
from gitmemo.model.facts import Call
from gitmemo.quantities import count, size
from gitmemo.remotes import WantedBlob, open_remote, pull
from gitmemo.remotes.origins import note_origin
from gitmemo.short_ids import short
from gitmemo.sync.spilled import as_wanted
from gitmemo.workspace import Workspace, remote_cache
from gitmemo.world.files import stubs_in
from gitmemo.world.named import Named, held, named
from gitmemo.world.repeating import repeats_its_files
from gitmemo.world.segments import read_segment
from gitmemo.world.spilled import whole
from gitmemo.world.stubs import Stub, stub_bytes


class Outcome(StrEnum):
    """What becomes of a damaged thing."""

    DAMAGED = "damaged"
    REPAIRED = "repaired"
    TO_COMPUTE = "to-compute"
    LOST = "lost"


_STAYS = frozenset({Outcome.DAMAGED, Outcome.LOST})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is damaged.

    Attributes:
        what: `record`, `index` or `value`.
        ident: The blob id of a value, in hex.
        said: What is wrong with it, and what becomes of it.
        calls: The calls that a damaged value concerns, in words.
    """

    what: str
    outcome: Outcome
    said: str
    ident: str = ""
    calls: str = ""

    @property
    def stays(self) -> bool:
        """Whether it is damaged still."""
        return self.outcome in _STAYS

    def __str__(self) -> str:
        return f"{self.said}\n  {self.calls}" if self.calls else self.said

    def as_dict(self) -> dict[str, object]:
        """Return it as plain data."""
        return asdict(self)


def verify(workspace: Workspace, *, repair: bool) -> Iterator[Problem]:
    """Yield what is damaged, of records and of values."""
    readable = True
    if repair:
        yield from _segments_fetched(workspace)
    for said, is_repaired in list(check_records(workspace, repair=repair)):
        readable = readable and is_repaired
        yield Problem("record", Outcome.REPAIRED if is_repaired else Outcome.DAMAGED, said)
    if readable:
        yield from _index_checked(workspace, repair=repair)
    found = inspect(blobs_folder(workspace.layout))
    names = _names(workspace) if readable else None
    if names is None:
        for copy in found.damaged:
            said = f"a value ({copy.codec}, {size(copy.size)}) is damaged in {copy.path}"
            yield Problem("value", Outcome.DAMAGED, said, to_hex(copy.blob))
        return
    if repair:
        for copy in found.damaged:
            set_aside(copy)
        for pack in set(found.torn) - found.noted:
            note_torn(pack)
    needed = (names.live(found.lost) - names.segments) | _torn_away(workspace, names, found)
    calls = _concerned(names, needed)
    fetched = _fetched(workspace, names, needed) if repair and needed else frozenset[Digest]()
    makers = makers_of_blobs(names, found.sound | fetched)
    yield from _harmless(found, needed, names.segments, repair=repair)
    values = {value.blob: value for value in names.values}
    for blob in sorted(needed):
        is_made_again = blob in makers and not workspace.settings.remotes
        if is_made_again and found.is_settled(blob):
            continue  # as good as evicted
        value = values[blob]
        what = f"the value {short(to_hex(blob))} ({value.codec}, {size(value.size)}) is damaged"
        ident, concerned = to_hex(blob), calls.get(blob, "")
        if blob in fetched:
            yield Problem("value", Outcome.REPAIRED, f"{what}: fetched again", ident, concerned)
        elif not repair:
            said = f"{what} or missing\n  fix: `gitmemo verify --repair`, or run the program again"
            yield Problem("value", Outcome.DAMAGED, said, ident, concerned)
        elif is_made_again:
            said = f"{what}: set aside; {makers[blob].op} computes it again when it is needed"
            yield Problem("value", Outcome.TO_COMPUTE, said, ident, concerned)
        else:
            said = (
                f"{what}: set aside; {_nowhere(makers.get(blob))}\n"
                "  fix: `gitmemo push` where it is, or `gitmemo forget` these calls and run the program"
            )
            yield Problem("value", Outcome.LOST, said, ident, concerned)


def _index_checked(workspace: Workspace, *, repair: bool) -> Iterator[Problem]:
    """Yield whether the derived index says something else than segments and journals do."""
    world = workspace.world
    if repeats_its_files(world):
        return
    said = f"the index {world.layout.private_dir / 'index.db'} does not say what the records say"
    if repair:
        world.remake_index()
        yield Problem("index", Outcome.REPAIRED, f"{said}: made again")
    else:
        advice = "`gitmemo verify --repair`, or delete it: it is made again from the records"
        yield Problem("index", Outcome.DAMAGED, f"{said}\n  fix: {advice}")


def _segments_fetched(workspace: Workspace) -> Iterator[Problem]:
    """Fetch the spilled segments of the work tree that are missing or damaged; yield what came."""
    absent = [stub for stub in stubs_in(workspace.root) if not _is_whole(workspace.layout, stub)]
    if not absent:
        return
    _pull(workspace, workspace.world.blobs, list(map(as_wanted, absent)))
    for stub in absent:
        if _is_whole(workspace.layout, stub):
            said = f"the spilled segment {stub.path} ({size(stub.size)}): fetched again"
            yield Problem("record", Outcome.REPAIRED, said, to_hex(stub.blob))


def _is_whole(layout: Layout, stub: Stub) -> bool:
    try:
        read_segment(stub.path, whole(layout, stub.path, stub_bytes(stub.size)))
    except SegmentUnreadable:
        return False
    return True


def _nowhere(maker: Maker | None) -> str:
    if maker is None:
        return "no remote here holds it, and no call can make it again"
    return f"the remotes do not hold it ({maker.op} made it)"


def _names(workspace: Workspace) -> Named | None:
    try:
        return named(workspace.world)
    except GitmemoError:
        return None  # what is wrong with it was said, or is in no tree that is checked out


def _harmless(
    found: Inspection,
    needed: Collection[Digest],
    segments: Collection[Digest],
    *,
    repair: bool,
) -> Iterator[Problem]:
    """Yield the damaged copies of values that nobody needs, or that are here once more."""
    for copy in found.damaged:
        if copy.blob not in needed:
            why = "another copy is sound" if copy.blob in found.sound else "no record names it here"
            if copy.blob in segments and copy.blob not in found.sound:
                why = "a spilled segment, read before"
            outcome = Outcome.REPAIRED if repair else Outcome.DAMAGED
            done = ": set aside" if repair else ""
            said = f"a copy of the value {short(to_hex(copy.blob))} is damaged in {copy.path} ({why}){done}"
            yield Problem("value", outcome, said, to_hex(copy.blob))


def _torn_away(workspace: Workspace, names: Named, found: Inspection) -> frozenset[Digest]:
    """Return the values of this world that are missing though bytes of something are there."""
    if not found.torn:
        return frozenset()
    world = workspace.world
    wanted = world.index.blobs_among(world.visible(workspace.code))
    return names.live(wanted - found.sound)


def _concerned(names: Named, blobs: Collection[Digest]) -> Mapping[Digest, str]:
    """Say which calls made or used these blobs."""
    if not blobs:
        return {}
    by_cid = {value.cid: value.blob for value in names.values if value.blob in blobs}
    made: dict[Digest, Counter[str]] = defaultdict(Counter)
    for call in names.calls_in_force:
        for blob, role in _roles(call, by_cid):
            made[blob][f"{role} {call.op} (call {short(to_hex(call.hid))})"] += 1
    return {blob: _in_words(found) for blob, found in made.items()}


def _roles(call: Call, by_cid: Mapping[Digest, Digest]) -> Iterator[tuple[Digest, str]]:
    for role, slots in (("made by", call.outputs), ("used by", call.inputs)):
        for slot in slots:
            for one in held(slot):
                if one.cid in by_cid:
                    yield by_cid[one.cid], role


def _in_words(found: Counter[str]) -> str:
    shown = sorted(found)[:3]
    more = len(found) - len(shown)
    return ", ".join(shown) + (f", and {count(more, 'other call')}" if more else "")


def _fetched(workspace: Workspace, names: Named, blobs: Collection[Digest]) -> frozenset[Digest]:
    """Fetch what remotes hold of these values; return what is here now, verified."""
    store = repository_blobs(workspace.layout)  # another may have seen what was set aside
    wanted = [WantedBlob(v.blob, v.codec, v.size) for v in names.values if v.blob in blobs]
    _pull(workspace, store, wanted)
    return frozenset(blobs) & inspect(blobs_folder(workspace.layout)).sound


def _pull(workspace: Workspace, store: BlobStore, wanted: Collection[WantedBlob]) -> None:
    """Fetch what any remote holds of `wanted`."""
    for name in workspace.settings.remotes:
        try:
            config = workspace.remote(name)
            remote = open_remote(config, workspace.root)
            note_origin(notes_folder(workspace.layout), config)
            pull(store, remote, wanted, cache=remote_cache(workspace.layout, config))
        except GitmemoError:
            continue  # it may not be asked, does not answer, or is damaged: what it gave is here
