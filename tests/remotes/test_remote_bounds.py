"""What others put into a remote stays theirs; what is no object of ours is refused by name."""

from __future__ import annotations

import os
import time

import pytest

from gitmemo import remotes
from gitmemo.errors import RemoteCorrupt, RemoteFolderLinked, RemoteObjectRefused
from gitmemo.remotes import pull, push
from gitmemo.remotes.layout import MARKER
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
