"""Which versions mean the same: one id for all whose contents people said are equivalent.

Not whether a stored call is valid for the code as it is (`validity`), which is
computed from the contents. Invariant: the id is a function of the version and
of the set of statements, and a version of other contents has the same one only
if statements, or equal values of a variable, join each of them.
"""

from __future__ import annotations

from gitmemo.hashing.digest import Digest
from gitmemo.model import ids
from gitmemo.model.components import Component, Content
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Version


def semantic_id(version: Version, decisions: Decisions) -> Digest:
    """Return what all versions have in common whose contents are equivalent to these."""
    found = {
        _meaning(component, content, decisions) for component, content in version.pairs.items()
    }
    return ids.derive("semantic version", *(part for one in sorted(found) for part in one))


def _meaning(
    component: Component, content: Content, decisions: Decisions
) -> tuple[bytes, bytes, bytes, bytes]:
    """Return what stands for a content: place, source, value; empty for what does not count.

    As in `validity.holds`: where people spoke of a text, what its names point to does not count,
    and however a variable is written, its value decides.
    """
    source: bytes = content.source
    value: bytes = b""
    if decisions.is_joined(component, content.source):
        component, source = decisions.representative(component, content.source)
    elif content.value is not None:
        value = decisions.representative(component, content.value)[1]
        if component.unit.startswith("$"):
            source = b""
    return component.path.encode(), component.unit.encode(), source, value
