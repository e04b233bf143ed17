"""The store of a repository against crashes, full disks, damage and other processes."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from gitmemo.blobs import SELF, RepositoryBlobs, large, origin, remote_origin
from gitmemo.blobs import files as checked_files
from gitmemo.errors import BlobCorrupt
from gitmemo.hashing.digest import digest, from_text

SMALL, LARGE = b"small value" * 20, b"large value" * 10_000

# Puts values for ever and names each on standard output once `put` has returned.
PUTTER = """
    import sys
    from dataclasses import dataclass
    from pathlib import Path
    from gitmemo.blobs import RepositoryBlobs
    from gitmemo.hashing.digest import digest_chunks, to_text

    @dataclass(frozen=True)
    class Encoded:
        codec: str
        chunks: tuple
        size = property(lambda self: sum(map(len, self.chunks)))
        blob_id = lambda self: digest_chunks(self.chunks)

    store = RepositoryBlobs(Path(sys.argv[1]))
    start, count = int(sys.argv[2]), int(sys.argv[3])
    for i in range(start, start + count):
        data = b"%d." % i * (30_000 if i % 10 == 0 else 1 + i % 500)
        sys.stdout.write(to_text(store.put(Encoded("raw", (data,)))) + "\\n")
        sys.stdout.flush()
"""


def putter(folder: Path, start: int, count: int, before: str = "") -> subprocess.Popen[str]:
    """Start a process that puts `count` values."""
    code = textwrap.dedent(before) + textwrap.dedent(PUTTER)
    package = Path(origin.__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(start), str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(package)},
    )


def only(folder: Path, pattern: str) -> Path:
    """Return the one file that matches."""
    (path,) = folder.glob(pattern)
    return path


LOCKS = {"in-use", "sweep", "collecting"}


def files(folder: Path) -> list[Path]:
    """What is in a store, but the files that are only there to be locked."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name not in LOCKS]


def change(path: Path, edit) -> None:
    """Replace what `path` holds, keeping its inode, as a bad disk would."""
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    path.write_bytes(edit(data) or data)


def flip(at: int):
    def edit(data: bytearray) -> None:
        data[at] ^= 1

    return edit


# --- places -----------------------------------------------------------------


def test_small_values_share_a_pack_and_large_ones_have_read_only_files(folder, encode):
    store = RepositoryBlobs(folder)
    for i in range(100):
        store.put(encode(SMALL, b"%d" % i))
    blob = store.put(encode(LARGE, codec="npy"))
    store.put_verified(digest(b"pulled"), "raw", [b"pulled"], remote_origin("lab"))
    assert len(list((folder / "self/packs").iterdir())) == 1
    assert len(list((folder / "remote/lab/packs").iterdir())) == 1
    path = folder / "self/large" / blob.hex()[:2] / f"{blob.hex()}.npy"
    assert store.find(blob).source == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_origin_and_codec_survive_the_loss_of_every_derived_file(folder, encode):
    store = RepositoryBlobs(folder)
    own = [store.put(encode(SMALL, codec="json")), store.put(encode(LARGE, codec="json"))]
    for data in (b"p" + SMALL, b"p" + LARGE):
        store.put_verified(digest(data), "pickle", [data], remote_origin("lab"))
    (folder / "verified.jsonl").unlink()
    again = RepositoryBlobs(folder)
    for blob in own:
        assert (again.find(blob).origin, again.find(blob).codec) == (SELF, "json")
    for data in (b"p" + SMALL, b"p" + LARGE):
        found = again.find(digest(data))
        assert (found.origin, found.codec) == ("remote:lab", "pickle")


def test_a_full_pack_is_followed_by_another(folder, encode, monkeypatch):
    monkeypatch.setattr("gitmemo.blobs.writer.PACK_LIMIT", 2000)
    store = RepositoryBlobs(folder)
    blobs = [store.put(encode(SMALL, b"%d" % i)) for i in range(50)]
    assert len(list((folder / "self/packs").glob("*.pack"))) > 3
    assert RepositoryBlobs(folder).missing(blobs) == set()


def test_a_closed_store_stays_usable(folder, encode):
    store = RepositoryBlobs(folder)
    first = store.put(encode(b"1"))
    store.close()
    second = store.put(encode(b"2"))
    assert RepositoryBlobs(folder).missing([first, second]) == set()


def test_putting_again_writes_nothing(folder, encode):
    for _ in range(3):
        store = RepositoryBlobs(folder)
        store.put(encode(SMALL))
        store.put(encode(LARGE))
    assert len(files(folder / "self")) == 2
    size = only(folder, "self/packs/*.pack").stat().st_size
    assert size < len(SMALL) + 100


def test_links_and_foreign_files_are_not_followed(folder, encode, tmp_path):
    store = RepositoryBlobs(folder)
    blob = store.put(encode(SMALL))
    pack = only(folder, "self/packs/*.pack")
    elsewhere = tmp_path / "elsewhere"
    pack.rename(elsewhere)
    pack.symlink_to(elsewhere)
    (folder / "self/packs/notes.txt").write_text("?")
    (folder / "self/packs/empty.pack").touch()
    (folder / "self/packs/other.pack").write_bytes(b"something else entirely, and long enough")
    (folder / "remote").mkdir()
    (folder / "remote/Bad Name").mkdir()
    (folder / "remote/linked").symlink_to(folder / "self")
    fresh = RepositoryBlobs(folder)
    assert fresh.find(blob) is None
    assert fresh.missing([blob]) == {blob}


# --- several processes --------------------------------------------------------


def test_a_store_sees_what_another_one_writes(folder, encode):
    ours, theirs = RepositoryBlobs(folder), RepositoryBlobs(folder)
    for i in range(20):
        data = SMALL + b"%d" % i if i % 2 else LARGE + b"%d" % i
        blob = digest(data)
        assert ours.find(blob) is None
        assert theirs.put(encode(data)) == blob
        assert ours.find(blob).read() == data
    pulled = b"from a remote that was not known at the start" * 3000
    theirs.put_verified(digest(pulled), "raw", [pulled], remote_origin("late"))
    assert ours.find(digest(pulled)).origin == "remote:late"


def test_what_another_process_computes_wins_over_what_was_pulled(folder, encode):
    ours, theirs = RepositoryBlobs(folder), RepositoryBlobs(folder)
    ours.put_verified(digest(SMALL), "raw", [SMALL], remote_origin("lab"))
    assert ours.find(digest(SMALL)).origin == "remote:lab"
    theirs.put(encode(SMALL))
    assert ours.find(digest(SMALL)).origin == SELF


def test_two_processes_put_at_once(folder):
    running = [putter(folder, start, 300) for start in (0, 150)]
    named = set()
    for process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        named.update(map(from_text, out.split()))
    store = RepositoryBlobs(folder)
    assert len(named) == 450
    assert all(digest(store.find(blob).read()) == blob for blob in named)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_writes_a_pack_of_its_own(folder, encode):
    store = RepositoryBlobs(folder)
    first = store.put(encode(b"before"))
    inside, proceed = threading.Event(), threading.Event()

    def hold():  # another thread is in the middle of a put while this one forks
        with store._own._packs._lock:
            inside.set()
            proceed.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(30)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        store.put(encode(b"child"))
        os._exit(0)
    proceed.set()
    thread.join()
    _, status = os.waitpid(child, 0)
    assert status == 0
    last = store.put(encode(b"after"))
    assert len(list((folder / "self/packs").glob("*.pack"))) == 2
    assert RepositoryBlobs(folder).missing([first, last, digest(b"child")]) == set()


# --- crashes and full disks ---------------------------------------------------


@pytest.mark.parametrize("after", [1, 60, 333])
def test_kill_9_loses_nothing_that_was_put(folder, after):
    process = putter(folder, 0, 10**9)
    named = [from_text(process.stdout.readline().strip()) for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate()
    named += [from_text(line) for line in out.split("\n") if len(line) == 43]
    store = RepositoryBlobs(folder)
    assert store.missing(named) == set()
    assert all(digest(store.find(blob).read()) == blob for blob in named)


def test_a_pack_cut_anywhere_gives_what_is_whole_and_nothing_else(folder, encode):
    store = RepositoryBlobs(folder)
    values = [b"%d" % i * 10 for i in range(5)]
    ends = []
    for data in values:
        store.put(encode(data))
        ends.append(only(folder, "self/packs/*.pack").stat().st_size)
    pack = only(folder, "self/packs/*.pack")
    whole = pack.read_bytes()
    for cut in range(len(whole) + 1):
        pack.write_bytes(whole[:cut])
        fresh = RepositoryBlobs(folder)
        here = [data for data in values if fresh.find(digest(data))]
        assert here == [data for data, end in zip(values, ends, strict=True) if end <= cut]


@pytest.mark.parametrize("limit", [20, 100, 5000])
def test_a_disk_that_fills_up_raises_its_own_error_and_leaves_whole_entries(folder, limit):
    before = f"""
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    """
    process = putter(folder, 1, 1000, before)
    out, err = process.communicate(timeout=60)
    assert "OSError: [Errno 27]" in err or "File too large" in err
    named = list(map(from_text, out.split()))
    store = RepositoryBlobs(folder)
    assert store.missing(named) == set()
    assert not list(folder.rglob(".tmp-*"))
    for pack in folder.rglob("*.pack"):
        assert pack.stat().st_size <= limit


def test_after_a_failed_write_the_next_one_works(folder, encode, monkeypatch):
    store = RepositoryBlobs(folder)
    first = store.put(encode(b"first"))
    pack = only(folder, "self/packs/*.pack")
    size = pack.stat().st_size
    write, calls = os.write, []

    def short_then_full(fd, data):
        calls.append(1)
        if len(calls) == 1:
            return write(fd, bytes(data)[:7])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("gitmemo.blobs.writer.os.write", short_then_full)
        with pytest.raises(OSError, match="No space left"):
            store.put(encode(b"second"))
    assert pack.stat().st_size == size
    second = store.put(encode(b"second"))
    assert pack.stat().st_size > size
    assert RepositoryBlobs(folder).missing([first, second]) == set()


def test_nothing_is_written_behind_the_remains_of_an_interrupted_write(folder, encode, monkeypatch):
    store = RepositoryBlobs(folder)
    first = store.put(encode(b"first"))
    write = os.write

    def interrupted(fd, data):
        write(fd, bytes(data)[:30])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("gitmemo.blobs.writer.os.write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.put(encode(b"second"))
    third = store.put(encode(b"third"))
    fresh = RepositoryBlobs(folder)
    assert fresh.missing([first, third]) == set()
    assert fresh.find(digest(b"second")) is None


def test_a_failed_large_write_leaves_no_file(folder, encode, monkeypatch):
    store = RepositoryBlobs(folder)

    def full(fd, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(large.os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            store.put(encode(LARGE))
    assert files(folder) == []
    assert store.find(digest(LARGE)) is None


# --- damage -------------------------------------------------------------------


def test_a_damaged_payload_is_named_and_its_neighbours_are_handed_out(folder, encode):
    store = RepositoryBlobs(folder)
    values = [b"value %d " % i * 10 for i in range(3)]
    blobs = [store.put(encode(data)) for data in values]
    pack = only(folder, "self/packs/*.pack")
    change(pack, flip(pack.read_bytes().index(values[1]) + 5))
    for reader in (store, RepositoryBlobs(folder)):
        assert reader.find(blobs[0]).read() == values[0]
        assert reader.find(blobs[2]).read() == values[2]
    with pytest.raises(BlobCorrupt) as caught:
        # The damage was noted by neither reader yet.
        RepositoryBlobs(folder).find(blobs[1])
    assert pack.name in str(caught.value)
    assert "gitmemo pull" in str(caught.value)


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("repair", ["run", "pull", "run in another process", "pull in another"])
def test_damage_is_noticed_once_and_repaired_by_a_run_or_a_pull(folder, encode, data, repair):
    blob = RepositoryBlobs(folder).put(encode(data))
    path = only(folder, "self/packs/*.pack") if data == SMALL else only(folder, "self/large/*/*")
    change(path, flip(-3))
    store = RepositoryBlobs(folder)
    assert store.missing([blob]) == set()
    with pytest.raises(BlobCorrupt):
        store.find(blob)
    if "another" in repair:
        store = RepositoryBlobs(folder)
    assert store.missing([blob]) == {blob}
    if "run" in repair:
        store.put(encode(data))
    else:
        store.put_verified(blob, "raw", [data], remote_origin("lab"))
    for reader in (store, RepositoryBlobs(folder)):
        assert reader.find(blob).read() == data


def test_putting_again_repairs_damage_that_nobody_noticed(folder, encode):
    RepositoryBlobs(folder).put(encode(SMALL))
    change(only(folder, "self/packs/*.pack"), flip(-3))
    assert RepositoryBlobs(folder).put(encode(SMALL)) == digest(SMALL)
    assert RepositoryBlobs(folder).find(digest(SMALL)).read() == SMALL


def test_a_sound_copy_is_found_behind_a_damaged_one(folder, encode):
    store = RepositoryBlobs(folder)
    blob = store.put(encode(SMALL))
    store.put_verified(blob, "raw", [SMALL], remote_origin("lab"))
    change(only(folder, "self/packs/*.pack"), flip(-3))
    assert store.find(blob).origin == "remote:lab"


def test_a_damaged_header_costs_one_value(folder, encode):
    store = RepositoryBlobs(folder)
    values = [b"value %d " % i * 10 for i in range(4)]
    blobs = [store.put(encode(data)) for data in values]
    pack = only(folder, "self/packs/*.pack")
    change(pack, flip(pack.read_bytes().index(values[1]) - 20))
    fresh = RepositoryBlobs(folder)
    assert fresh.missing(blobs) == {blobs[1]}
    assert fresh.find(blobs[3]).read() == values[3]


def test_a_value_that_holds_a_pack_cannot_pass_for_entries(folder, encode):
    inner = RepositoryBlobs(folder / "inner")
    hidden = inner.put(encode(b"cos\nsystem\n", codec="pickle"))
    bait = only(folder, "inner/self/packs/*.pack").read_bytes()
    store = RepositoryBlobs(folder / "outer")
    store.put(encode(bait, codec="raw"))
    last = store.put(encode(b"last"))
    pack = only(folder, "outer/self/packs/*.pack")
    change(pack, flip(20))  # in the header of the entry that holds the bait
    fresh = RepositoryBlobs(folder / "outer")
    assert fresh.find(hidden) is None
    assert fresh.find(last).read() == b"last"


def test_large_values_are_hashed_once_for_each_state_of_the_file(folder, encode, monkeypatch):
    hashed = []
    real = checked_files.file_digest
    monkeypatch.setattr(
        checked_files, "file_digest", lambda path: hashed.append(path) or real(path)
    )
    blob = RepositoryBlobs(folder).put(encode(LARGE))
    RepositoryBlobs(folder).find(blob)
    assert hashed == []  # this machine wrote it
    (folder / "verified.jsonl").unlink()
    for _ in range(3):
        assert RepositoryBlobs(folder).find(blob).read() == LARGE
    assert len(hashed) == 1
    path = only(folder, "self/large/*/*")
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 10**9))
    for _ in range(3):
        assert RepositoryBlobs(folder).find(blob).read() == LARGE
    assert len(hashed) == 2


def test_torn_and_foreign_lines_in_the_marks_are_ignored(folder, encode):
    blob = RepositoryBlobs(folder).put(encode(LARGE))
    with (folder / "verified.jsonl").open("a") as marks:
        marks.write('\n["x", 1\nnull\n[]\n\xff\n[1,2,3,4,5]\n{"a":1}')
    assert RepositoryBlobs(folder).find(blob).read() == LARGE


def test_many_stale_marks_are_compacted(folder, encode):
    blob = RepositoryBlobs(folder).put(encode(LARGE))
    line = (folder / "verified.jsonl").read_text()
    (folder / "verified.jsonl").write_text(line * 2000)
    assert RepositoryBlobs(folder).find(blob).read() == LARGE
    assert len((folder / "verified.jsonl").read_text().split("\n")) < 5


def test_a_folder_deleted_under_a_running_process_is_made_again(folder, encode):
    store = RepositoryBlobs(folder)
    lost = store.put(encode(SMALL))
    shutil.rmtree(folder)
    kept = store.put(encode(b"later"))
    assert RepositoryBlobs(folder).missing([lost, kept]) == {lost}
    assert store.put(encode(SMALL)) == lost
    assert RepositoryBlobs(folder).find(lost).read() == SMALL


def test_a_deleted_pack_means_missing_not_damaged(folder, encode):
    store = RepositoryBlobs(folder)
    blob = store.put(encode(SMALL))
    only(folder, "self/packs/*.pack").unlink()
    assert store.find(blob) is None


def test_bits_flipped_anywhere_never_give_wrong_bytes(folder, encode):
    store = RepositoryBlobs(folder)
    values = [b"value %d " % i for i in range(3)]
    blobs = [store.put(encode(data)) for data in values]
    pack = only(folder, "self/packs/*.pack")
    whole = pack.read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x41
        pack.write_bytes(damaged)
        fresh = RepositoryBlobs(folder)
        for blob, data in zip(blobs, values, strict=True):
            try:
                found = fresh.find(blob)
            except BlobCorrupt:
                continue
            assert found is None or (found.read() == data and found.codec == "raw")
        for note in pack.parent.glob("*.damage"):
            note.unlink()
