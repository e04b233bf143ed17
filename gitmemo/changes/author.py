"""Who decides, and when: recorded with decisions where the project's settings say so.

Not who made a call. Invariant: by default nothing is recorded of a person.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from gitmemo.git.cli import Git
from gitmemo.model.facts import JsonValue
from gitmemo.quantities import timestamp

_IDENTITY = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL")
_IDENT = re.compile(r"(.*<[^<>]*>) \d+ [+-]\d+")


def author(root: Path, *, recorded: bool) -> dict[str, JsonValue]:
    """Return git's name and email of this person, and the time; nothing if that is not `recorded`."""
    if not recorded:
        return {}
    at = timestamp(time.time())
    found = _IDENT.fullmatch(Git(root, keep=_IDENTITY).try_run("var", "GIT_AUTHOR_IDENT") or "")
    return {"user": found[1], "at": at} if found else {"at": at}
