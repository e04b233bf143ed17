"""Calls as a notebook shows them in a plan: a table, folded away.

Not plans (`frames.deletion`, `memo.dropping`). Invariant: nothing is read for it, and values are
text in it, never markup.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitmemo import markup
from gitmemo.model.facts import Call, Slot
from gitmemo.model.plain import told
from gitmemo.quantities import count, duration
from gitmemo.ref.atoms import shortened
from gitmemo.short_ids import short

_MOST = 50


def folded_calls(title: str, calls: Sequence[Call]) -> str:
    """Return calls as HTML that is shown when its title is clicked; nothing where there are none."""
    if not calls:
        return ""
    rows = [
        (
            call.op.rpartition(":")[2],
            ", ".join(f"{slot.name}={_text_of(slot)}" for slot in call.inputs),
            ", ".join(f"{slot.name}={_text_of(slot)}" for slot in call.outputs),
            call.start,
            duration(call.seconds),
            short(call.hid),
        )
        for call in calls[:_MOST]
    ]
    table = markup.table(("op", "arguments", "results", "began", "took", "history id"), rows)
    more = len(calls) - _MOST
    rest = markup.line(f"and {count(more, 'more call', 'more calls')}") if more > 0 else ""
    return markup.folded(f"{title}: {count(len(calls), 'call')}", table + rest)


def _text_of(slot: Slot) -> str:
    plain = told(slot)
    return shortened(plain.json) if plain else f"stored {short(slot.cid)}"
