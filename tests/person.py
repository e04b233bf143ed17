"""Somebody in a work tree: records calls and commits them as the hooks do, without their processes.

Not a test, and not a person's programs (`driver` runs those). A call is a number here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gitmemo.codecs import encode
from gitmemo.commits.hook import after_commit, before_commit
from gitmemo.git.cli import Git
from gitmemo.hashing import content_id
from gitmemo.hashing.digest import Digest
from gitmemo.model import ids
from gitmemo.model.facts import Call, Inline, Slot, Value
from gitmemo.workspace import Workspace, find

CONFIG = "format = 1\n"


def call(number: int) -> Call:
    """Return a call that no code makes valid, so that only its place counts."""
    cid = content_id(number)
    made = Call("m:f", 0, None, (Slot("x", cid, ids.raw_hid(cid), Inline(number)),), ())
    output = Slot("output_0", cid, ids.output_hid(made.hid, "output_0"), Inline(number))
    return Call(made.op, 0, None, made.inputs, (output,), (), {"start": f"2026-01-01T{number:06}"})


class Person:
    """Somebody in a work tree; every step is a process of its own, as far as gitmemo can tell."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git = Git(root).run

    def world(self) -> Workspace:
        workspace = find(self.root)
        workspace.world.enter()
        return workspace

    def run(self, *numbers: int) -> None:
        workspace = self.world()
        workspace.world.record([call(number) for number in numbers])
        workspace.world.close()

    def run_large(self, number: int) -> Digest:
        """Make a call whose result is no part of its record; return the blob of the result."""
        workspace = self.world()
        encoded = encode(list(range(number, number + 2000)))
        one = call(number)
        blob = workspace.world.blobs.put(encoded)
        output = Slot("output_0", content_id(blob.hex()), one.outputs[0].hid)
        value = Value(output.cid, encoded.codec, encoded.size, blob)
        workspace.world.record([value, replace(one, outputs=(output,))])
        workspace.world.close()
        return blob

    def commit(self, message: str = "Commit", *options: str) -> None:
        workspace = self.world()
        before_commit(workspace, lambda: None)
        workspace.world.close()
        self.git("commit", "-q", "--allow-empty", "-m", message, *options)
        workspace = self.world()
        after_commit(workspace)
        workspace.world.close()
        assert self.git("status", "--porcelain") == ""

    def pending(self) -> set[int]:
        workspace = self.world()
        found = workspace.world.index.calls(sorted(workspace.world.pending(workspace.code)))
        workspace.world.close()
        return numbers(found)

    def here(self) -> set[int]:
        workspace = self.world()
        found = workspace.world.calls(workspace.code)
        workspace.world.close()
        return numbers(found)

    def knows(self, number: int) -> bool:
        workspace = self.world()
        found = workspace.world.candidates(call(number).key)
        workspace.world.close()
        return bool(found)

    def expire(self) -> None:
        """Let git forget all that no ref reaches."""
        self.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all")

    def forget_derived(self) -> None:
        for path in (self.root / ".git/gitmemo").glob("index.db*"):
            path.unlink()


def numbers(calls: list[Call]) -> set[int]:
    return {slot.inline.json for one in calls for slot in one.inputs if slot.inline}  # type: ignore[misc]
