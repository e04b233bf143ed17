"""JSON for programs: one value, one line.

Not what is said to people (`text`). Invariant: what a value holds ends no line and steers no terminal,
and whoever reads the JSON gets it as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable


def json_line(value: object, default: Callable[[object], object] | None = None) -> str:
    """Return `value` as JSON, with what cannot be printed escaped; `default` is that of `json.dumps`.

    >>> json_line("é\\x9b2J\\u2028")
    '"é\\\\u009b2J\\\\u2028"'
    """
    text = json.dumps(value, ensure_ascii=False, default=default)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
