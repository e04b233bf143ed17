"""Repacking on real services: what lives moves, pulls find it, and pushes do not send it again."""

from __future__ import annotations

import os

from gitmemo.remotes import Remote, pull, push
from gitmemo.remotes.collecting import plan_sweep, remains, retire


def test_what_lives_moves_on_every_service(remote: Remote, ours, theirs, share, tmp_path):
    cache = tmp_path / "cache"
    wanted = share(ours, b"a" * 900, os.urandom(1 << 20), b"b" * 50)
    push(ours, remote, wanted, cache=cache)
    live = [wanted[0], wanted[2]]
    needed = frozenset(item.blob for item in live)
    found = remains(remote, needed.__and__, cache=cache, jobs=4)
    assert [len(each.moving) for each in found.worn] == [2] and not found.dead
    mark, moved = retire(remote, found, 0.0, cache=cache, jobs=4)
    assert mark and len(moved.made) == len(moved.left) == 1
    assert push(ours, remote, live, cache=cache).sent == 0
    assert push(ours, remote, wanted, cache=cache).sent == 1  # what is marked is as good as gone
    assert pull(theirs, remote, wanted).stored == 3
    assert not remains(remote, needed.__and__, cache=cache, jobs=4).worn
    assert not plan_sweep(remote, needed.__and__, cache=cache, jobs=4).dead
