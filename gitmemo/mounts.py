"""On what kind of file system a folder lies, as far as Linux says.

Not what may be done there. Invariant: asking changes nothing, and where the system does not say there
is no answer.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_OF_MANY_MACHINES = frozenset(
    {
        *("afs", "beegfs", "ceph", "cifs", "gfs2", "glusterfs", "gpfs", "lustre", "nfs", "nfs4"),
        *("ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "wekafs"),
        *("fuse.ceph-fuse", "fuse.glusterfs", "fuse.juicefs", "fuse.sshfs"),
    }
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def shared_kind(folder: Path) -> str | None:
    """Return the kind of the file system of `folder` if several machines may use it at once.

    None also where the system does not say.
    """
    try:
        text = _MOUNTS.read_text("utf-8", "surrogateescape")
        place = os.path.realpath(folder)
    except OSError:
        return None
    kind = kind_in(text, place)
    return kind if kind in _OF_MANY_MACHINES else None


def kind_in(mountinfo: str, place: str) -> str:
    """Return the kind of the file system that `place` lies on, by the lines of `mountinfo`.

    >>> kind_in("1 0 0:1 / / rw - ext4 /dev/a rw\\n2 1 0:2 / /home rw - nfs4 s:/h rw", "/home/ann")
    'nfs4'
    """
    longest, kind = "", ""
    for line in mountinfo.splitlines():
        head, _, tail = line.partition(" - ")
        fields = head.split(" ")
        if len(fields) < 5 or not tail:
            continue
        point = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4])
        is_above = place == point or place.startswith(point.rstrip("/") + "/")
        if is_above and len(point) >= len(longest):  # what is mounted later lies above
            longest, kind = point, tail.split(" ")[0]
    return kind
