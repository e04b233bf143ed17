"""Where other machines may use the same git folder: what Linux says of it, and what follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from driver import Clone, make_project
from forked import forked

from gitmemo import mounts
from gitmemo.mounts import kind_in, shared_kind

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
31 30 0:41 / /home/ann/my\\040data rw - ext4 /dev/sdb1 rw
32 22 0:42 / /homes rw - lustre mgs@tcp:/fs rw
33 22 0:43 / /tmp rw - ext4 /dev/sdc1 rw
34 33 0:44 / /tmp rw - tmpfs tmpfs rw
nonsense
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/", "ext4"),
        ("/etc", "ext4"),
        ("/home", "nfs4"),
        ("/home/ann/my", "nfs4"),
        ("/home/ann/my data/p", "ext4"),
        ("/homes/bob", "lustre"),
        ("/tmp/x", "tmpfs"),
    ],
)
def test_the_nearest_mount_counts_and_of_two_the_later(place: str, kind: str) -> None:
    assert kind_in(MOUNTS, place) == kind


def test_where_nothing_is_said_there_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "_MOUNTS", tmp_path / "none")
    assert shared_kind(tmp_path) is None


@pytest.fixture
def begun(tmp_path: Path) -> Clone:
    return make_project(tmp_path / "p", tmp_path / "home")


@pytest.mark.parametrize(("kind", "log"), [("nfs4", 1), ("ext4", 2)])
def test_the_derived_index_has_no_log_beside_it_where_machines_share_it(
    begun: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, log: int
) -> None:
    """A write-ahead log is for processes that share memory (https://www.sqlite.org/wal.html)."""
    said = tmp_path / "mountinfo"
    said.write_text(f"22 1 8:1 / / rw - {kind} x rw\n")
    monkeypatch.setattr(mounts, "_MOUNTS", said)
    assert forked(begun, "run", "pipeline.py").code == 0
    index = (begun.root / ".git/gitmemo/index.db").read_bytes()
    assert index[18] == index[19] == log
    doctor = forked(begun, "doctor").out
    assert (f"the git folder is on {kind}: other machines see" in doctor) == (log == 1)
