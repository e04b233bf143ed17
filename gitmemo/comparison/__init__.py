"""How two worlds differ: which calls (`worlds`), paired by what was asked for (`pairing`), as rows (`rows`).

Not how code differs (`versions.comparing`), nor how far two values are apart (`memo.measuring`).
"""

from gitmemo.comparison.rows import ComparedCell, ComparedRow, compared_rows
from gitmemo.comparison.worlds import (
    CallChange,
    StatementChange,
    VersionChange,
    WorldDifference,
    compare,
)

__all__ = [
    "CallChange",
    "ComparedCell",
    "ComparedRow",
    "StatementChange",
    "VersionChange",
    "WorldDifference",
    "compare",
    "compared_rows",
]
