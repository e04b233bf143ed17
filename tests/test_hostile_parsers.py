"""Whatever bytes stand where gitmemo reads: our own error or a value, soon, and nothing else."""

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hostile import bounded, changes, many
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.blobs import RepositoryBlobs
from gitmemo.blobs import shared as shared_store
from gitmemo.blobs.entry import PREAMBLE_SIZE, scan, seed_of
from gitmemo.blobs.store import StoredBlob
from gitmemo.config import LOCAL as LOCAL_FILE
from gitmemo.config import settings_in
from gitmemo.display.records import readable
from gitmemo.errors import (
    CorruptJournal,
    CorruptRecord,
    CorruptSegment,
    GitmemoError,
    KeyUnusable,
    RemoteCorrupt,
)
from gitmemo.git.formats import CommitInfo
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest, digest, to_hex
from gitmemo.history.anchor import earlier_anchors, parse_heads, place_of
from gitmemo.history.known import _parse as parse_known
from gitmemo.history.names import parse_key
from gitmemo.history.rendering import recover, text_in
from gitmemo.model.lines import from_canonical_line, to_line
from gitmemo.remotes import RemoteConfig, WantedBlob, open_remote, pull, push
from gitmemo.remotes.bundle import read_bundle, write_bundle
from gitmemo.remotes.index import ZLIB, Slot, read_index, write_index
from gitmemo.remotes.latest import read_latest, write_latest
from gitmemo.remotes.layout import marker, newer_format, read_listing
from gitmemo.remotes.payload import payload
from gitmemo.remotes.pushing import build_pack
from gitmemo.remotes.signing import read_signatures, write_signatures
from gitmemo.signing_keys import SigningKey, key_in
from gitmemo.world.journal import read_entries, write_again
from gitmemo.world.segments import damage, read_segment

GOLDEN = Path(__file__).parent / "golden/format1.bundle"
KEY = SigningKey(b"k" * 32)
VALUE = b"a value that is compressed " * 40


@functools.cache
def golden() -> dict[str, list[bytes]]:
    """Return segments, commits and entries of histories of a real repository."""
    with tempfile.TemporaryDirectory() as folder:

        def git(*arguments: str, text: bytes = b"") -> bytes:
            command = ["git", "-C", folder, *arguments]
            return subprocess.run(command, input=text, capture_output=True, check=True).stdout

        git("init", "-q", "--bare")
        git("fetch", "-q", str(GOLDEN), "refs/*:refs/*")
        found: dict[str, list[bytes]] = {"commit": [], "tree": [], "blob": []}
        listed = git("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
        for oid, kind in map(str.split, listed.decode().splitlines()):
            if kind in found:
                found[kind].append(git("cat-file", kind, oid))
    found["segment"] = [blob for blob in found["blob"] if blob.startswith(b'["')]
    found["line"] = [line for segment in found["segment"] for line in segment.splitlines()]
    found["message"] = [
        message
        for commit in found["commit"]
        if (message := commit.partition(b"\n\n")[2]).count(b"Gitmemo-")
    ]
    return found


def commit_of(message: bytes) -> CommitInfo:
    oid = "0" * 40
    return CommitInfo(oid, oid, (oid, oid), message.decode("utf-8", "replace"), 0, "nobody")


SLOT = Slot(digest(b"v"), 80, 1, "json")
ZIPPED = Slot(digest(VALUE), 80, len(zlib.compress(VALUE, 1)), "bytes", ZLIB, len(VALUE))
INDEX = write_index([SLOT, ZIPPED, Slot(digest(b"w"), 90, 10**9, "cloudpickle-3.11")])
BUNDLE = write_bundle({digest(b"p"): INDEX, digest(b"q"): INDEX})
PACK = build_pack(
    [
        StoredBlob(digest(data), codec, len(data), "self", data)
        for data, codec in ((b"v", "json"), (b"w" * 5, "bytes"))
    ]
)[0]
COMMITTED = b"""format = 1
on_change = "ask"
source_roots = ["src"]
side_ref = "refs/heads/gitmemo"
default_remote = "lab"
lazy_pull = "ask"
[remotes.lab]
url = "s3://bucket/path"
endpoint_url = "http://localhost:9"
[depends]
packages = ["numpy"]
[record]
user = true
"""
LOCAL = f"""[trust]
lab = "s3://bucket/path"
[keys.lab]
sign = "{KEY.id}"
signed = "required"
{KEY.id} = "/tmp/key"
[remotes.lab]
profile = "me"
""".encode()


def read_settings(committed: bytes, local: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / LOCAL_FILE
        own.parent.mkdir()
        own.write_bytes(local)
        settings = settings_in(committed, Path(folder))
    assert isinstance(settings.trusted, dict)
    for name in settings.remotes:
        RemoteConfig.of(
            name, settings.committed_remotes.get(name, {}), settings.own_remotes.get(name)
        )


def read_lines(data: bytes) -> None:
    fact = from_canonical_line(data.decode("utf-8", "replace"), content_id)
    assert to_line(fact) == data.decode("utf-8", "replace")


def read_whole_segment(data: bytes) -> None:
    path = f".gitmemo/index/1/2026-01/{to_hex(digest(data))}.jsonl"
    for problem in damage(path, read_segment(path, data)):
        assert str(problem)


def read_textconv(data: bytes) -> None:
    shown = list(readable(data))
    assert (
        len(shown) == len(data.decode("utf-8", "replace").removesuffix("\n").split("\n"))
        or not data
    )
    assert all(line.isprintable() for line in shown)


def read_journal(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "host-1.jsonl"
        path.write_bytes(data)
        read_entries(path)
        assert list(Path(folder).iterdir()) == [path]


@functools.cache
def journal() -> bytes:
    from gitmemo.world.journal import Place

    with tempfile.TemporaryDirectory() as folder:
        lines = [line.decode() for line in golden()["line"][:5]]
        write_again(Path(folder), [(Place("main", "0" * 40), line) for line in lines])
        (path,) = Path(folder).glob("*.jsonl")
        return path.read_bytes()


def read_pack(data: bytes) -> None:
    seed = seed_of(data)
    if seed is not None:
        found = scan(lambda at, size: data[at : at + size], PREAMBLE_SIZE, len(data), seed)
        assert all(offset + length <= len(data) for _, _, offset, length in found.entries)


def read_local_pack(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "self/packs/a-1-b.pack"
        place.parent.mkdir(parents=True)
        place.write_bytes(data)
        store = RepositoryBlobs(Path(folder))
        for blob in (digest(b"v"), digest(b"w" * 5), digest(b"x")):
            found = store.find(blob)
            assert found is None or digest(found.read()) == blob


def read_names(listing: dict[str, int | None]) -> None:
    from gitmemo.remotes.latest import names_of

    for name in names_of(read_listing(listing)):
        assert name in listing
        assert ".." not in name
        assert not name.startswith("/")


@dataclass(frozen=True)
class Parser:
    """What reads, what it should read, and what it may raise beside our own errors."""

    read: Callable[[bytes], object]
    samples: Callable[[], list[bytes]]
    raises: tuple[type[Exception], ...] = ()


def read_shared_store(data: bytes) -> None:
    """Read bytes as who shares a store, and as its marker."""
    ident = "a" * 32
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "repositories").mkdir()
        (folder / f"repositories/{ident}.json").write_bytes(data)
        (folder / shared_store.MARKER).write_bytes(data)
        (sharer,) = shared_store.sharers(folder)
        assert sharer.common_dir is None or sharer.common_dir.is_absolute()
        shared_store.check(folder)


PARSERS = {
    "fact": Parser(read_lines, lambda: golden()["line"], (CorruptRecord,)),
    "segment": Parser(read_whole_segment, lambda: golden()["segment"], (CorruptSegment,)),
    "textconv": Parser(read_textconv, lambda: golden()["segment"]),
    "journal": Parser(read_journal, lambda: [journal()], (CorruptJournal,)),
    "pack": Parser(read_pack, lambda: [PACK]),
    "local pack": Parser(read_local_pack, lambda: [PACK], (GitmemoError,)),
    "remote index": Parser(read_index, lambda: [INDEX], (ValueError,)),
    "catalogue": Parser(lambda d: read_bundle(digest(d), d), lambda: [BUNDLE], (ValueError,)),
    "latest": Parser(
        lambda d: read_names(read_latest(d)),
        lambda: [
            write_latest(
                {
                    f"packs/aa/{'aa' * 32}.pack": 5,
                    f"packs/aa/{'aa' * 32}.idx": None,
                    f"blobs/bb/{'bb' * 32}": 7,
                    f"signatures/cc/{'cc' * 32}.sig": 7,
                }
            )
        ],
        (ValueError,),
    ),
    "marker": Parser(newer_format, lambda: [marker()]),
    "signatures": Parser(
        lambda d: read_signatures(digest(d), d),
        lambda: [write_signatures(KEY, [(digest(b"v"), "json"), (digest(b"w"), "pickle")])],
        (ValueError,),
    ),
    "key": Parser(
        lambda d: key_in(d.decode("ascii", "replace"), "x"),
        lambda: [KEY.text().encode()],
        (KeyUnusable,),
    ),
    "compressed value": Parser(
        lambda d: payload(ZIPPED, d), lambda: [zlib.compress(VALUE, 1)], (ValueError,)
    ),
    "committed settings": Parser(
        lambda d: read_settings(d, LOCAL), lambda: [COMMITTED], (GitmemoError,)
    ),
    "own settings": Parser(lambda d: read_settings(COMMITTED, d), lambda: [LOCAL], (GitmemoError,)),
    "shared store": Parser(
        read_shared_store,
        lambda: [
            b'{"kind": "gitmemo-store", "format": 1}',
            b'{"common_dir": "/p/.git", "root": "/p"}',
        ],
        (GitmemoError,),
    ),
    "history message": Parser(
        lambda d: recover(commit_of(d), [digest(b"p"), digest(b"q")]),
        lambda: golden()["message"],
        (ValueError,),
    ),
    "anchor message": Parser(lambda d: earlier_anchors(commit_of(d)), lambda: golden()["message"]),
    "history entry": Parser(
        lambda d: parse_heads(d, place_of(parse_key("pipeline.py:load")), 40),
        lambda: [b"pipeline.py:load\n" + b"0" * 40 + b"\n", *golden()["blob"][:20]],
        (ValueError,),
    ),
    "history text": Parser(
        lambda d: text_in(d, Digest(digest(b"x"))), lambda: golden()["blob"][:20], (ValueError,)
    ),
    "known histories": Parser(
        lambda d: parse_known(d.decode("utf-8", "replace"), "form"),
        lambda: [b"form " + b"0" * 40 + b"\nf " + b"aa" * 32 + b" " + b"0" * 40 + b"\nend\n"],
        (ValueError, IndexError),
    ),
}


@pytest.mark.hostile
@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_reads_or_refuses(name: str) -> None:
    parser = PARSERS[name]
    samples = parser.samples()
    assert samples

    @many
    @given(changes(samples))
    def reads_or_refuses(data: bytes) -> None:
        with bounded(), suppress(*parser.raises):
            parser.read(data)

    reads_or_refuses()


DEEP = {
    "brackets": b"[" * 200_000,
    "objects": b'{"a":' * 200_000,
    "lists in a fact": b'["call",' * 100_000,
    "a long number": b"9" * 1_000_000,
    "a long line": b"x" * 5_000_000,
    "zeros": bytes(5_000_000),
    "lines": b"\n" * 100_000,
    "a table": b"a=" + b"[" * 50_000,
    "dotted": b"a." * 20_000 + b"a = 1",
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_and_long_inputs_are_no_danger(name: str) -> None:
    for parser in PARSERS.values():
        with bounded(), suppress(*parser.raises):
            parser.read(DEEP[name])


def test_a_stream_that_unpacks_to_gigabytes_is_cut_off() -> None:
    squeezer = zlib.compressobj(9)
    start = squeezer.flush(zlib.Z_FULL_FLUSH)
    bomb = start + (squeezer.compress(bytes(1 << 20)) + squeezer.flush(zlib.Z_FULL_FLUSH)) * 4_000
    for claimed in (5, 16 << 20):
        with bounded(), pytest.raises(ValueError, match="slot"):
            payload(Slot(digest(b"v"), 0, len(bomb), "json", ZLIB, claimed), bomb)
    line = json.dumps([write_index([SLOT])[2:45].decode(), 0, 9, "json", "zlib", 10**12])
    with pytest.raises(ValueError, match="long"):
        read_index(line.replace(" ", "").encode() + b"\n")


# --- names ------------------------------------------------------------------------

HEX = "ab" * 32
NAMES = [
    f"../packs/ab/{HEX}.pack",
    f"packs/../packs/ab/{HEX}.pack",
    f"/packs/ab/{HEX}.pack",
    f"packs/ab/{HEX.upper()}.pack",
    f"PACKS/ab/{HEX}.pack",
    f"packs/ab/{HEX}.PACK",
    f"packs/ab/{HEX}.pack\0",
    f"packs/ab/{HEX}.pack\n",
    f"packs/ac/{HEX}.pack",
    f"packs/ab/{HEX}.sig",
    f"packs//{HEX}.pack",
    f"packs/ab/{HEX[:-1]}é.pack",
    f"packs/ab/{HEX[:-2]}\u0661\u0661.pack",
    f"blobs/ab/{HEX}.pack",
    f"blobs/ab/{HEX}/../../../x",
    f"signatures/ab/{HEX}",
    f"catalogues/ab/{HEX}.cat/..",
    "gitmemo-remote.json/../../x",
    "C:\\packs\\ab",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_other_names_in_a_listing_are_nobody(name: str) -> None:
    found = read_listing({name: 5, f"packs/ab/{HEX}.idx": 5})
    assert not (found.packs or found.singles or found.catalogues or found.signatures)


@many
@given(st.dictionaries(st.text() | st.sampled_from(NAMES), st.none() | st.integers(), max_size=5))
def test_any_listing_gives_only_names_of_ours(listing: dict[str, int | None]) -> None:
    read_names(listing)


# --- whole remotes ----------------------------------------------------------------

VALUES = [b"value %d " % number * 40 for number in range(4)] + [b"large " * 900_000]


@functools.cache
def sound_remote() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        _pushed(Path(folder))
        shared = Path(folder) / "shared"
        files = (path for path in sorted(shared.rglob("*")) if path.is_file())
        return {path.relative_to(shared).as_posix(): path.read_bytes() for path in files}


def _pushed(folder: Path) -> None:
    store = RepositoryBlobs(folder / "ours")
    remote = open_remote(RemoteConfig("lab", "shared"), folder, _ring())
    wanted = []
    for value in VALUES:
        store.put_verified(digest(value), "bytes", (value,), "self")
        wanted.append(WantedBlob(digest(value), "bytes", len(value)))
    push(store, remote, wanted[:2])
    push(store, remote, wanted)


def _ring() -> object:
    from gitmemo.signing_keys import KeyRing

    return KeyRing({KEY.id: KEY}, KEY)


@st.composite
def hostile_remotes(draw: st.DrawFn) -> dict[str, bytes]:
    """Draw a remote with objects changed, swapped, cut, gone, and others added."""
    files = dict(sound_remote())
    names = sorted(files)
    for _ in range(draw(st.integers(1, 3))):
        one, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        match draw(st.sampled_from(["change", "swap", "cut", "delete", "rename", "add"])):
            case "change":
                data = bytearray(files.get(one, b"x"))
                at = draw(st.integers(0, max(len(data) - 1, 0)))
                data[at : at + 1] = draw(st.binary(max_size=3))
                files[one] = bytes(data)
            case "swap":
                files[one], files[other] = files.get(other, b""), files.get(one, b"")
            case "cut":
                files[one] = files.get(one, b"")[: draw(st.integers(0, 100))]
            case "delete":
                files.pop(one, None)
            case "rename":
                kind = draw(st.sampled_from(["packs", "blobs", "catalogues", "signatures"]))
                suffix = draw(st.sampled_from([".pack", ".idx", "", ".cat", ".sig"]))
                files[f"{kind}/ab/{HEX}{suffix}"] = files.get(one, b"")
            case "add":
                files[draw(st.sampled_from(["x", f"packs/ab/{HEX}.idx", "packs/x/y"]))] = draw(
                    st.binary(max_size=50)
                )
    return files


@many
@given(hostile_remotes())
def test_any_remote_gives_sound_values_or_an_error(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, data in files.items():
            place = folder / "shared" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        store = RepositoryBlobs(folder / "theirs")
        wanted = [WantedBlob(digest(value), "bytes", len(value)) for value in VALUES]
        remote = open_remote(RemoteConfig("lab", "shared"), folder, _ring())
        lost = 0
        with bounded():
            try:
                report = pull(store, remote, wanted, cache=folder / "cache")
                lost = len(report.missing)
            except RemoteCorrupt as error:
                lost = len(VALUES) - error.stored  # the others are damaged there, or absent
                assert error.objects
            except GitmemoError as error:
                lost = len(VALUES)
                assert str(error)
        here = [item for item in wanted if store.find(item.blob, "bytes") is not None]
        assert len(here) >= len(wanted) - lost
        assert {path.name for path in folder.iterdir()} <= {"shared", "theirs", "cache"}
        for item, value in zip(wanted, VALUES, strict=True):
            found = store.find(item.blob, "bytes")
            assert found is None or found.read() == value
