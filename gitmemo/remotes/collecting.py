"""Deleting from a remote what no live value lies in: mark, wait, sweep, with no lock.

Not what is live (`gitmemo.cleaning.remote` asks the records). Invariant: an object is deleted only
if a mark named it 14 to 28 days ago by the remote's own clock, it is older than that mark, and
nothing in it is live now, or all of that lies elsewhere (`repacking`); while a mark is there, nobody
gives a new object the name of a marked one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gitmemo.errors import RemoteInvalid
from gitmemo.hashing.digest import Digest, digest
from gitmemo.remotes.catalogue import read_catalogue, refuse_gone
from gitmemo.remotes.latest import LARGEST_LATEST, write_latest
from gitmemo.remotes.layout import (
    LATEST,
    index_name,
    pack_name,
    read_listing,
    signature_name,
    single_name,
)
from gitmemo.remotes.marks import (
    LARGEST_MARK,
    LARGEST_USER,
    MOST_MARKED,
    Mark,
    mark_name,
    marks_in,
    read_mark,
    read_user,
    user_name,
    users_in,
    write_mark,
    write_user,
)
from gitmemo.remotes.plan import Catalogue
from gitmemo.remotes.remote import Remote
from gitmemo.remotes.repacking import Moved, Worn, move, proven, superseded, worn_packs
from gitmemo.remotes.signature_lists import SignatureList, superfluous
from gitmemo.remotes.signing import LARGEST_LIST, all_signatures_on

DAY_S = 86_400.0
WAIT_S = 14 * DAY_S
"""So long after a mark nothing is deleted: who took it for present has brought its records."""
USABLE_S = 28 * DAY_S
"""A mark that is older deletes nothing; a sweep must not take a day."""
KEPT_S = USABLE_S + DAY_S
"""A mark that is older is removed."""

Live = Callable[[frozenset[Digest]], frozenset[Digest]]
"""Says which of these values are needed, as the records are known in this moment."""


@dataclass(frozen=True, slots=True)
class Remains:
    """What on a remote nothing live lies in.

    Attributes:
        dead: Packs and single values without a live value, or marked and with nothing that is
            not elsewhere.
        size_bytes: Their sizes together, as far as the service tells.
        marked: What marks name that are there.
        packs, singles: How many there are in all.
        users: The repositories that push there.
        worn: Packs that are mostly dead: what is live in them is to move.
        catalogue: What is there.
    """

    dead: Mark
    size_bytes: int
    marked: Mark
    packs: int
    singles: int
    users: tuple[str, ...]
    worn: tuple[Worn, ...]
    catalogue: Catalogue = field(repr=False)

    @property
    def unmarked(self) -> Mark:
        """What is dead and not marked."""
        return Mark(self.dead.packs - self.marked.packs, self.dead.singles - self.marked.singles)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep deletes, or has deleted.

    Attributes:
        dead: What was marked long enough ago and is dead still.
        size_bytes: Its size.
        alive: How many of the marked objects are live again, or were written anew.
        waiting: When each mark that is too young may be swept, in seconds from now.
        void: Marks that are too old for anything.
        lists: Lists of signatures that others have held for 14 days.
        expired: How many marks are too old to delete anything.
    """

    dead: Mark
    size_bytes: int
    alive: int
    waiting: tuple[float, ...]
    void: tuple[Digest, ...] = field(default=())
    lists: tuple[Digest, ...] = field(default=())
    expired: int = 0


def remains(remote: Remote, live: Live, *, cache: Path | None, jobs: int) -> Remains:
    """Return what nothing live lies in."""
    remote.check_format()
    listing = remote.transport.listing()
    catalogue = read_catalogue(remote, cache, jobs)
    needed = _needed(catalogue, live)
    dead = _dead(catalogue, listing, needed)
    dead |= Mark(superseded(catalogue, needed, catalogue.leaving.packs))
    return Remains(
        dead,
        _size(dead, listing),
        catalogue.leaving,
        len(catalogue.pack_sizes),
        len(catalogue.singles),
        tuple(sorted(set(_users(remote, listing).values()))),
        worn_packs(catalogue, needed),
        catalogue,
    )


def retire(
    remote: Remote, found: Remains, now_s: float, *, cache: Path | None, jobs: int
) -> tuple[str | None, Moved]:
    """Move what is live in packs that are mostly dead, then mark these packs and all that is dead.

    Return the name of the mark, None if all of it is marked, and what was moved.
    """
    moved = move(remote, found.catalogue, found.worn, cache=cache, jobs=jobs)
    # A pack that an earlier attempt left without an index was dead, and is what we have just made.
    dead = Mark((found.unmarked.packs - moved.made) | moved.left, found.unmarked.singles)
    return (mark(remote, dead, now_s) if dead else None), moved


def mark(remote: Remote, dead: Mark, now_s: float) -> str:
    """Write the mark; return its name."""
    if len(dead.packs) + len(dead.singles) > MOST_MARKED:
        packs = frozenset(sorted(dead.packs)[:MOST_MARKED])
        dead = Mark(packs, frozenset(sorted(dead.singles)[: MOST_MARKED - len(packs)]))
    data = write_mark(dead, now_s)
    name = mark_name(digest(data))
    remote.transport.write(name, data)
    return name


def plan_sweep(remote: Remote, live: Live, *, cache: Path | None, jobs: int) -> Sweep:
    """Return what may be deleted now.

    Raises:
        RemoteInvalid: The service does not say when objects were written.
    """
    remote.check_format()
    listing = remote.transport.listing()
    refuse_gone(remote, cache, read_listing(listing))  # before anything is written there
    now_s = _now(remote)
    ripe: dict[Digest, float] = {}
    singles: dict[Digest, float] = {}
    waiting: list[float] = []
    void: list[Digest] = []
    expired = 0
    for name in marks_in(listing):
        age_s = now_s - _written_at(remote, mark_name(name))
        if age_s >= KEPT_S:
            void.append(name)
        if age_s < WAIT_S:
            waiting.append(WAIT_S - age_s)
        elif age_s < USABLE_S:
            with suppress(ValueError, FileNotFoundError):
                found = read_mark(name, remote.transport.read(mark_name(name), LARGEST_MARK))
                ripe |= dict.fromkeys(found.packs, now_s - age_s)
                singles |= dict.fromkeys(found.singles, now_s - age_s)
        else:
            expired += 1
    catalogue = read_catalogue(remote, cache, jobs)
    needed = _needed(catalogue, live)
    dead = _dead(catalogue, listing, needed)
    empty = superseded(catalogue, needed, ripe)
    gone = dead.packs | proven(remote, catalogue, needed, empty, jobs)
    chosen = Mark(
        _older(remote, {p: ripe[p] for p in ripe.keys() & gone}, pack_name),
        _older(remote, {b: singles[b] for b in singles.keys() & dead.singles}, single_name),
    )
    there = [p for p in ripe if pack_name(p) in listing]
    there += [b for b in singles if single_name(b) in listing]
    alive = len(there) - len(chosen.packs) - len(chosen.singles)
    waits = tuple(sorted(waiting))
    lists = _old_lists(remote, catalogue, now_s, jobs)
    return Sweep(chosen, _size(chosen, listing), alive, waits, tuple(void), lists, expired)


def _old_lists(remote: Remote, catalogue: Catalogue, now_s: float, jobs: int) -> tuple[Digest, ...]:
    """Return the lists of signatures that nobody needs any more.

    Who has seen the remote before a larger list was there reads the others: 14 days are enough.
    """
    sizes = [size or 0 for size in catalogue.inventory.signatures.values()]
    if sum(sizes) > LARGEST_LIST:  # all are in memory at once
        return ()
    found = all_signatures_on(remote, catalogue, None, jobs).lists  # what lies there, not here
    old: dict[Digest, SignatureList] = {}
    for name, one in found.items() if superfluous(found) else ():
        with suppress(FileNotFoundError):
            if now_s - _written_at(remote, signature_name(name)) >= WAIT_S:
                old[name] = one
    return tuple(sorted(superfluous(old)))


def sweep(remote: Remote, found: Sweep) -> None:
    """Delete what `plan_sweep` has found just now: of each pack the index first.

    Before all that, the list for readers that cannot list is written without it: who reads the
    new one misses nothing, and who has read the old one finds objects gone, as all readers may.
    """
    _leave_list(remote, found)
    for pack in sorted(found.dead.packs):
        remote.transport.delete(index_name(pack))
        remote.transport.delete(pack_name(pack))
    for blob in sorted(found.dead.singles):
        remote.transport.delete(single_name(blob))
    for name in found.lists:
        remote.transport.delete(signature_name(name))
    for name in found.void:
        remote.transport.delete(mark_name(name))


def _leave_list(remote: Remote, found: Sweep) -> None:
    gone = {single_name(blob) for blob in found.dead.singles}
    gone |= {signature_name(name) for name in found.lists}
    for pack in found.dead.packs:
        gone |= {pack_name(pack), index_name(pack)}
    if not gone:
        return
    listing = remote.transport.listing()
    latest = write_latest({name: size for name, size in listing.items() if name not in gone})
    if len(latest) <= LARGEST_LATEST:
        remote.transport.write(LATEST, latest)


def register(remote: Remote, repository: str) -> None:
    """Say on the remote that `repository` pushes there.

    Each time, as the remote may have been emptied, or be another one than it was.
    """
    data = write_user(repository)
    remote.transport.write(user_name(digest(data)), data)


def pushers(remote: Remote) -> Mapping[Digest, str]:
    """Return the notes that repositories push there, by name."""
    return _users(remote, remote.transport.listing())


def unregister(remote: Remote, notes: Iterable[Digest]) -> None:
    """Remove such notes; who pushes again writes its own again."""
    for note in notes:
        remote.transport.delete(user_name(note))


def _needed(catalogue: Catalogue, live: Live) -> frozenset[Digest]:
    return live(frozenset((*catalogue.slots, *catalogue.singles)))


def _dead(
    catalogue: Catalogue, listing: Mapping[str, int | None], needed: frozenset[Digest]
) -> Mark:
    """Return the packs and singles in which nothing is live; one whose index is unreadable is not."""
    dead, alive = set[Digest](), set[Digest]()
    for blob, places in catalogue.slots.items():
        (alive if blob in needed else dead).update(pack for pack, _ in places)
    orphans = {
        pack for pack in _packs(listing) if index_name(pack) not in listing
    }  # of pushes that were cut off
    singles = frozenset(blob for blob in catalogue.singles if blob not in needed)
    return Mark(frozenset((dead - alive) | orphans), singles)


def _packs(listing: Iterable[str]) -> Iterable[Digest]:
    for name in listing:
        hex_id = name.rpartition("/")[2].removesuffix(".pack")
        with suppress(ValueError):
            pack = Digest(bytes.fromhex(hex_id))
            if name == pack_name(pack):
                yield pack


def _users(remote: Remote, listing: Iterable[str]) -> dict[Digest, str]:
    found: dict[Digest, str] = {}
    for name in users_in(listing):
        with suppress(ValueError, FileNotFoundError):
            found[name] = read_user(name, remote.transport.read(user_name(name), LARGEST_USER))
    return found


def _older(
    remote: Remote, marked_at: Mapping[Digest, float], name_of: Callable[[Digest], str]
) -> frozenset[Digest]:
    """Return the objects that were written before they were marked."""
    found: set[Digest] = set()
    for one, then in marked_at.items():
        with suppress(FileNotFoundError):
            if _written_at(remote, name_of(one)) <= then:
                found.add(one)
    return frozenset(found)


def _size(mark: Mark, listing: Mapping[str, int | None]) -> int:
    names = [pack_name(pack) for pack in mark.packs] + [single_name(b) for b in mark.singles]
    return sum(listing.get(name) or 0 for name in names)


def _now(remote: Remote) -> float:
    """Return what the remote's own clock says."""
    name = f"probe-{secrets.token_hex(16)}"
    remote.transport.write(name, b"What time is it?\n")
    try:
        return _written_at(remote, name)
    finally:
        remote.transport.delete(name)


def _written_at(remote: Remote, name: str) -> float:
    found = remote.transport.written_at(name)
    if found is None:
        reason = "the service does not say when objects were written, so nobody can wait"
        raise RemoteInvalid(remote.name, reason, "delete there by hand, or start a new remote")
    return found
