"""Facts that a content of a component was seen, with its text.

Not what is said of it (`deciding`). Invariant: what is known here already is not recorded again.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitmemo.hashing.digest import Digest, digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Source, Text
from gitmemo.world.view import World


def source_facts(
    world: World, component: Component, source: Digest, text: str | None
) -> Iterator[Text | Source]:
    """Yield the facts that hold a content and its text; none where the text is not at hand."""
    if text is None or world.knows_source(component, source):
        return
    yield Text(text)
    yield Source(component, source, digest(text.encode("utf-8")), world.lineage(component))
