"""What others put into a remote stays theirs; what is no object of ours is refused by name."""

from __future__ import annotations

import os
import socket
import threading
import time
import tracemalloc
from contextlib import suppress

import pytest

from gitmemo import remotes
from gitmemo.errors import RemoteCorrupt, RemoteFolderLinked, RemoteObjectRefused, RemoteUnreachable
from gitmemo.hashing.digest import digest
from gitmemo.remotes import RemoteConfig, WantedBlob, open_remote, pull, push
from gitmemo.remotes.index import LARGEST_INDEX, MOST_SLOTS, Slot, write_index, write_lines
from gitmemo.remotes.latest import read_latest
from gitmemo.remotes.layout import LATEST, MARKER, VALUES_IN_PACK, Inventory
from gitmemo.remotes.marks import read_mark
from gitmemo.remotes.plan import Catalogue, plan_push
from gitmemo.remotes.probing import probe


@pytest.fixture
def shared(tmp_path):
    """The folder of the `directory` remote."""
    return tmp_path / "shared"


def one(folder, pattern):
    (path,) = folder.rglob(pattern)
    return path


def old(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"precious")
    os.utime(path, (time.time() - 3 * 86400,) * 2)
    return path


# --- what is not ours ---------------------------------------------------------


def test_files_of_others_stay_whatever_they_are_called(directory, shared, ours, share):
    push(ours, directory, share(ours, b"value"))
    folder = one(shared, "*.pack").parent
    foreign = [
        old(place / name)
        for place in (shared, shared / "packs", shared / "catalogues", folder, shared / "gc" / "ab")
        for name in (".tmp-thesis.docx", ".tmp-old", ".tmp-12-thesis", ".tmp-1-" + "A" * 16)
    ]
    foreign += [old(shared / f".tmp-1-{'a' * 16}"), old(shared / "packs" / f".tmp-1-{'a' * 16}")]
    link = folder / f".tmp-2-{'b' * 16}"
    link.symlink_to(foreign[0])
    os.utime(link, (0, 0), follow_symlinks=False)
    ours_left = [old(folder / f".tmp-123-{'0f' * 8}"), old(folder / f".tmp-{'0f' * 8}")]
    assert {each.grade for each in probe(directory)} == {"ok"}
    assert all(path.exists() for path in (*foreign, link, *ours_left))
    one(shared, "*.pack").unlink()
    assert push(ours, directory, share(ours, b"value")).sent == 1
    assert all(path.exists() for path in (*foreign, link))
    assert not any(path.exists() for path in ours_left)


def test_nothing_is_written_through_a_link(directory, shared, ours, theirs, share, tmp_path):
    wanted = share(ours, b"value")
    push(ours, directory, wanted)
    folder = one(shared, "*.pack").parent
    kept = sorted(path.name for path in folder.iterdir())
    folder.rename(tmp_path / "victim")
    folder.symlink_to(tmp_path / "victim")
    left = old(tmp_path / "victim" / f".tmp-123-{'0f' * 8}")
    for _ in range(2):
        with pytest.raises(RemoteFolderLinked, match=f"packs/{folder.name} is a link") as caught:
            push(ours, directory, wanted)
        assert caught.value.exit_code == 5
    assert sorted(p.name for p in (tmp_path / "victim").iterdir()) == sorted([*kept, left.name])
    assert pull(theirs, directory, wanted).missing == tuple(wanted)


@pytest.mark.parametrize("folder", ["packs", "blobs", "catalogues", "gc"])
def test_a_linked_top_folder_is_told_at_once(directory, shared, ours, share, tmp_path, folder):
    (tmp_path / "elsewhere").mkdir()
    shared.mkdir()
    (shared / folder).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RemoteFolderLinked, match=f"{folder} is a link"):
        push(ours, directory, share(ours, b"value"))
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_directory_itself_may_be_a_link(directory, shared, ours, theirs, share, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    shared.symlink_to(tmp_path / "elsewhere")
    wanted = share(ours, b"value", b"large" * 1_000_000)
    assert push(ours, directory, wanted).sent == 2
    assert pull(theirs, directory, wanted).stored == 2


# --- what is no file ----------------------------------------------------------


def as_pipe(path):
    os.mkfifo(path)


def as_link(path):
    path.symlink_to("/dev/zero")


def as_folder(path):
    path.mkdir()


@pytest.mark.parametrize("instead", [as_pipe, as_link, as_folder])
def test_a_note_about_the_format_that_is_no_file(directory, shared, ours, theirs, share, instead):
    wanted = share(ours, b"value")
    push(ours, directory, wanted)
    (shared / MARKER).unlink()
    instead(shared / MARKER)
    with pytest.raises(RemoteObjectRefused, match=r"remote\.json is no regular file"):
        pull(theirs, directory, wanted)
    with pytest.raises(RemoteObjectRefused):
        push(ours, directory, share(ours, b"another"))
    assert "problem" in {each.grade for each in probe(directory)}


class Stale:
    """A transport whose listing was taken before something changed."""

    def __init__(self, inner):
        self.inner, self.shown = inner, inner.listing()

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def listing(self):
        return self.shown


@pytest.mark.parametrize("instead", [as_pipe, as_link])
@pytest.mark.parametrize("pattern", ["*.pack", "*.idx", "blobs/*/*"])
def test_an_object_that_is_no_file_costs_only_itself(
    directory, shared, ours, theirs, share, pattern, instead
):
    first, rest = share(ours, b"first"), share(ours, b"second", b"large" * 1_000_000)
    push(ours, directory, first)
    found = list(shared.rglob(pattern))
    push(ours, directory, rest)
    wanted = [*first, *rest]
    path = found[0] if found else next(iter(shared.glob(pattern)))
    transport = Stale(directory.transport)
    path.unlink()
    instead(path)
    with pytest.raises(RemoteCorrupt) as caught:
        pull(theirs, remotes.Remote(directory.config, transport), wanted)
    assert caught.value.objects == (str(path.relative_to(shared)),)
    assert len(theirs.missing(item.blob for item in wanted)) == 1


# --- what is too much, or too slow --------------------------------------------


def test_objects_that_are_too_large_are_not_read(remote, shared):
    remote.transport.write(MARKER, b"x" * 1000)
    remote.transport.write(LATEST, b"")
    assert remote.transport.read(MARKER, 1000) == b"x" * 1000
    remote.transport.listing()
    assert remote.transport.read(LATEST, 10) == b""
    with pytest.raises(RemoteObjectRefused, match=r"remote\.json is larger than .*999 bytes"):
        remote.transport.read(MARKER, 999)


@pytest.mark.parametrize("name", [MARKER, "*.idx", "*.pack"])
def test_a_file_of_terabytes_is_refused(directory, shared, ours, theirs, share, name):
    wanted = share(ours, b"value")
    push(ours, directory, wanted)
    path = one(shared, name)
    transport = Stale(directory.transport)  # of a pack it would read the right part only
    os.truncate(path, 1 << 40)
    with pytest.raises((RemoteCorrupt, RemoteObjectRefused)) as caught:
        pull(theirs, remotes.Remote(directory.config, transport), wanted)
    assert str(path.relative_to(shared)) in caught.value.problem()


class Server:
    """Answers each connection with what `says` yields, for as long as somebody listens."""

    def __init__(self, says):
        self._says = says
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.sent = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                with client, suppress(OSError):
                    client.recv(65536)
                    for piece in self._says():
                        client.sendall(piece)
                        self.sent += len(piece)

    def close(self):
        self._socket.close()


def slowly(data):
    for i in range(len(data)):
        yield data[i : i + 1]
        time.sleep(0.05)


def endless():
    yield b"HTTP/1.0 200 OK\r\n\r\n"
    while True:
        yield b"[" * 65536


def announced():
    yield b"HTTP/1.0 200 OK\r\nContent-Length: 999999999999\r\n\r\n"
    yield b"["


def slow_head():
    yield from slowly(b"HTTP/1.0 200 OK\r\n" + b"A: b\r\n" * 30 + b"\r\n")


def slow_body():
    yield b"HTTP/1.0 200 OK\r\n\r\n"
    yield from slowly(b" " * 200)


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (endless, RemoteObjectRefused),
        (announced, RemoteObjectRefused),
        (slow_head, RemoteUnreachable),
        (slow_body, RemoteUnreachable),
    ],
)
def test_a_web_server_without_end(ours, theirs, share, tmp_path, says, error):
    server = Server(says)
    shown = open_remote(RemoteConfig("web", server.url, {"timeout": "1", "retries": "0"}), tmp_path)
    with pytest.raises(
        error, match="is larger than" if says in (endless, announced) else "in 1 s|slow"
    ):
        pull(theirs, shown, share(ours, b"value"))
    server.close()
    assert server.sent < 40 << 20


@pytest.mark.parametrize("small", [b"{},", b'"",', b"[],", b"1,", b'{"":'])
def test_small_things_do_not_swell(small):
    for head in (b'{"format":1,"packs":', b'{"format":1,"packs":[', b"["):
        data = head + small * 1_000_000
        tracemalloc.start()
        with pytest.raises(ValueError, match=r"malformed|lists names"):
            read_latest(data)
        with pytest.raises(ValueError, match=r"malformed|lists names"):
            read_mark(digest(data), data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.stop()


# --- what a pack may hold -----------------------------------------------------


def store_pack(shared, data, *slots):
    """Write a pack and its index as somebody else might."""
    name = shared / "packs" / data[:1].hex() / (data[:1].hex() * 32)
    name.parent.mkdir(parents=True, exist_ok=True)
    name.with_suffix(".pack").write_bytes(data)
    name.with_suffix(".idx").write_bytes(write_index(slots))
    return name.with_suffix(".pack")


def test_a_payload_longer_than_its_value_is_refused(directory, shared, ours, theirs, share):
    push(ours, directory, share(ours, b"good"))
    wanted = share(ours, bytes(1000), b"good")
    slot = Slot(wanted[0].blob, 0, 8 << 30, "raw", "zlib", 1000)
    pack = store_pack(shared, b"x", slot)
    os.truncate(pack, 8 << 30)
    with pytest.raises(RemoteCorrupt) as caught:
        pull(theirs, directory, wanted)
    assert caught.value.objects == (str(pack.with_suffix(".idx").relative_to(shared)),)
    assert theirs.missing(item.blob for item in wanted) == {wanted[0].blob}


def test_long_values_and_many_in_one_pack_take_little_memory(
    directory, shared, ours, theirs, share
):
    values = [bytes([i]) * (3 << 20) for i in range(30)] + [b"long" * (12 << 20)]
    wanted = [WantedBlob(digest(value), "raw", len(value)) for value in values]
    push(ours, directory, share(ours, b"good"))
    starts = [sum(map(len, values[:i])) for i in range(len(values))]
    ghost = WantedBlob(digest(b"ghost"), "raw", 3 << 20)
    inside = Slot(ghost.blob, starts[-1] + 5, ghost.size, "raw")
    slots = [Slot(w.blob, at, w.size, "raw") for w, at in zip(wanted, starts, strict=True)]
    store_pack(shared, b"".join(values), inside, *slots)
    del values
    tracemalloc.start()
    with pytest.raises(RemoteCorrupt) as caught:
        pull(theirs, directory, [*wanted, ghost], jobs=1)
    assert (caught.value.stored, caught.value.lost) == (31, 1)
    assert tracemalloc.get_traced_memory()[1] < 48 << 20
    tracemalloc.stop()
    assert theirs.find(wanted[-1].blob).size == 48 << 20


def test_an_index_with_a_flood_of_lines_is_set_aside(directory, shared, ours, theirs, share):
    push(ours, directory, share(ours, b"good"))
    wanted = share(ours, b"other", b"good")
    pack = store_pack(shared, b"x" * 10)
    line = write_lines([Slot(digest(b"other"), 0, 5, "raw")])
    pack.with_suffix(".idx").write_bytes(line * ((1 << 18) + 1))
    tracemalloc.start()
    with pytest.raises(RemoteCorrupt) as caught:
        pull(theirs, directory, wanted)
    assert tracemalloc.get_traced_memory()[1] < 60 << 20
    tracemalloc.stop()
    assert caught.value.objects == (str(pack.with_suffix(".idx").relative_to(shared)),)
    assert theirs.missing(item.blob for item in wanted) == {wanted[0].blob}


def test_a_pack_gets_so_many_values_that_its_index_can_be_read(monkeypatch):
    monkeypatch.setattr("gitmemo.remotes.plan.VALUES_IN_PACK", 3)
    tiny = [WantedBlob(digest(b"%d" % i), "raw", 1) for i in range(7)]
    empty = Catalogue(Inventory(True, {}, {}), {})
    assert [len(pack) for pack in plan_push(tiny, empty).packs] == [3, 3, 1]
    longest = Slot(digest(b""), 10**18, 10**6, "r" * 64, "zlib", 16 << 20)
    assert len(write_index([longest])) * VALUES_IN_PACK < LARGEST_INDEX
    assert VALUES_IN_PACK < MOST_SLOTS
