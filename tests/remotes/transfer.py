"""Pushes or pulls in a process of its own, which tests may interrupt and kill.

Arguments: push or pull, the store, the folder of the remote or where it begins,
its URL, `jobs`, and options. The wanted values are lines on stdin.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gitmemo.blobs import RepositoryBlobs
from gitmemo.hashing.digest import Digest
from gitmemo.remotes import RemoteConfig, WantedBlob, open_remote, pull, push


def main(which: str, store: str, root: str, url: str, jobs: str, *options: str) -> int:
    wanted = [line.split() for line in sys.stdin]
    config = RemoteConfig("lab", url, dict(option.split("=", 1) for option in options))
    print("ready", flush=True)
    try:
        report = (push if which == "push" else pull)(
            RepositoryBlobs(Path(store)),
            open_remote(config, Path(root)),
            [WantedBlob(Digest(bytes.fromhex(b)), "raw", int(size)) for b, size in wanted],
            cache=Path(store) / "seen",
            jobs=int(jobs),
            progress=lambda size, number: print(size, number, flush=True),
        )
    except KeyboardInterrupt:
        return 130
    print(report)
    print("peak", peak_megabytes())
    return 0


def peak_megabytes() -> int:
    """Return the most memory this process had; `getrusage` counts what forked it."""
    status = Path("/proc/self/status")
    lines = status.read_text("ascii").splitlines() if status.exists() else []
    return sum(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
