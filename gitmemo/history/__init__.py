"""Function histories: each component's versions and decisions as real git commits.

Not the database of record: that is the committed index, and everything here is
a rendering of its facts that also keeps the source texts. Invariant: the same
facts give the same commits in every clone. The format is in docs/histories.md.
"""

from gitmemo.history.histories import Histories, HistoryEntry, RenderReport
from gitmemo.history.transport import FetchReport, PushReport

__all__ = ["FetchReport", "Histories", "HistoryEntry", "PushReport", "RenderReport"]
