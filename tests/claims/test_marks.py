"""Marks of what was recorded: written where somebody may have read them, and missed by nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from claims.programs import Nursery, Programs, done, programs

from gitmemo.world.claim_file import MARK_BYTES, SLOTS


def marks(file: Path) -> bytes:
    return file.read_bytes()[: SLOTS * MARK_BYTES].strip(b"\0")


def test_who_is_alone_writes_no_marks(nursery: Nursery, tmp_path: Path) -> None:
    database = tmp_path / "s.db"
    claims = Path(f"{database}-claims")
    with programs(nursery, tmp_path / "log", database) as ran:
        done(ran.start("[quick(n) for n in range(5)]"))
        assert marks(claims) == b""
        one = ran.start("slow(600)")
        ran.expect("slow600")
        done(ran.start("quick(601)"))
        assert marks(claims) != b""
        ran.allow("go600")
        done(one)


def test_what_was_recorded_before_there_was_anybody_to_tell_is_found(ran: Programs) -> None:
    if ran.is_repository:  # there may be a file of an earlier test, and both would be in it
        (ran.clone.root / ".git" / "gitmemo" / "claims").unlink(missing_ok=True)
    one = ran.start("until('go610'), quick(610), storage.counter")
    ran.expect("open")
    assert "computed=1" in done(ran.start("quick(610), storage.counter"))[0]
    ran.allow("go610")
    assert "reused=1, computed=0" in done(one)[0]


@pytest.mark.parametrize("begins", ["quick(620)", "0"])
def test_a_child_that_was_forked_off_finds_what_its_parent_recorded_since(
    ran: Programs, begins: str
) -> None:
    assert done(ran.start(f"{begins}, forked(621)"))[0].endswith("0)")
    assert ran.told().count("quick621") == 1


def test_two_storages_of_a_program_find_what_either_recorded(ran: Programs) -> None:
    database = "storage.world._path" if not ran.is_repository else "None"
    done(ran.start(f"quick(630), in_two_storages(631, {database})"))
    assert ran.told().count("quick631") == 1
