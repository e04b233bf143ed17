"""Large segments to a remote, and back: which ones, and staging what stands for them.

Not the transfer (`remotes`), nor reading what was spilled (`world/spilled.py`). Invariant: a file
changes between the two states that a segment has, whole and its one stub, and never away, so
branches that move segments merge without conflict; hence only what `compaction` leaves alone
is moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from gitmemo.codecs import Encoded
from gitmemo.commits.settled import in_the_way
from gitmemo.errors import SpillRefused
from gitmemo.git.cli import Git
from gitmemo.git.repository import Layout, head
from gitmemo.plain_files import replace_file
from gitmemo.quantities import size
from gitmemo.setting_values import SMALLEST_SPILL
from gitmemo.world.files import segment_bytes
from gitmemo.world.segments import damage, read_segment
from gitmemo.world.spilled import committed_segments, whole
from gitmemo.world.stubs import CODEC, Stub, stub_bytes


def plan_spilling(layout: Layout, above: int | None, paths: Sequence[str]) -> tuple[Stub, ...]:
    """Decide which whole segments move: `paths`; without any, all of `above` bytes or more.

    Raises:
        SpillRefused: This is not the moment, there is no limit, or one is too small to be moved.
        CorruptSegment: One is damaged.
    """
    found = _committed(layout)
    if not paths and above is None:
        raise SpillRefused(
            "no limit is set from which on a segment moves",
            'name segments, or set `spill_above = "50 MB"` under `[index]` in .gitmemo/config.toml',
        )
    _refuse_unknown(found, paths)
    sizes = {
        path: (layout.root / path).lstat().st_size
        for path, stub in found.items()
        if stub is None and (not paths or path in paths)
    }
    for path, size_bytes in sizes.items():
        if paths and size_bytes < SMALLEST_SPILL:
            raise SpillRefused(
                f"{path} has only {size(size_bytes)}",
                f"leave it in git: below {size(SMALLEST_SPILL)} segments may be joined instead",
            )
    chosen = {path: n for path, n in sizes.items() if paths or n >= (above or 0)}
    for path in chosen:
        _sound_bytes(layout.root, path)
    return tuple(Stub(path, n) for path, n in sorted(chosen.items()))


def plan_restoring(layout: Layout, paths: Sequence[str]) -> tuple[Stub, ...]:
    """Decide which spilled segments come back: `paths`; without any, all of them.

    Raises:
        SpillRefused: This is not the moment.
    """
    found = _committed(layout)
    _refuse_unknown(found, paths)
    spilled = [stub for stub in found.values() if stub is not None]
    return tuple(stub for stub in spilled if not paths or stub.path in paths)


def encoded(root: Path, stub: Stub) -> Encoded:
    """Return the bytes of a segment that is whole, as the store takes them."""
    return Encoded(CODEC, (_sound_bytes(root, stub.path),))


def stage_stubs(layout: Layout, stubs: Iterable[Stub]) -> None:
    """Put stubs in the place of segments, in the work tree and in the index.

    Only when a remote has their bytes.
    """
    for stub in stubs:
        _stage(layout, stub.path, stub_bytes(stub.size))


def stage_whole(layout: Layout, stubs: Iterable[Stub]) -> None:
    """Put segments in the place of their stubs, in the work tree and in the index.

    Raises:
        SegmentSpilled: The bytes of one are not on this machine.
        CorruptSegment: They are not what the name says.
    """
    for stub in stubs:
        data = whole(layout, stub.path, stub_bytes(stub.size))
        read_segment(stub.path, data)
        _stage(layout, stub.path, data)


def _stage(layout: Layout, path: str, data: bytes) -> None:
    git = Git(layout.root)
    git.update_index([(path, git.hash_object(data))])
    replace_file(layout.root, path, data)
    git.try_run("update-index", "-q", "--refresh")


def _committed(layout: Layout) -> dict[str, Stub | None]:
    git = Git(layout.root)
    if head(layout).commit is None:
        raise SpillRefused("nothing is committed", "commit first")
    if found := in_the_way(git, layout):
        raise SpillRefused(*found)
    return dict(committed_segments(git, "HEAD"))


def _refuse_unknown(found: dict[str, Stub | None], paths: Iterable[str]) -> None:
    for path in paths:
        if path not in found:
            raise SpillRefused(f"{path} is in no commit that is checked out", "commit it first")


def _sound_bytes(root: Path, path: str) -> bytes:
    data = segment_bytes(root, path)
    for error in damage(path, read_segment(path, data)):
        raise error
    return data
