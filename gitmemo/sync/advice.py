"""The command that sends or fetches what was just looked at, for people to repeat.

Not the choice itself. Invariant: it chooses the same values as what it is said about.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def command(
    verb: str,
    revs: Sequence[str] = (),
    *,
    everything: bool = False,
    ops: Sequence[str] = (),
    remote: str | None = None,
) -> str:
    """Return the command; `remote` is None for the default one.

    >>> command("push", ["exp"], remote="cloud")
    'gitmemo push -r cloud --rev exp'
    """
    words = ["gitmemo", verb]
    words += [] if remote is None else ["-r", remote]
    words += ["--all"] if everything else []
    for rev in revs:
        words += ["--rev", rev]
    words += [f"op:{op}" for op in ops]
    return shlex.join(words)
