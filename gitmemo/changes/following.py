"""What calls touched, under the names of now: components that were renamed or moved are followed.

Not the statements that say so (`model.decisions`), nor whether a call is valid
(`model.validity`). Invariant: a version only gains pairs, and one of a component
that is still there under its name gains none for it.
"""

from __future__ import annotations

from collections import defaultdict

from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component, Content, is_variable
from gitmemo.model.contests import Place
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Version
from gitmemo.model.validity import Code, holds_at


class Names:
    """What components that calls touched are called in one state of the code.

    Attributes:
        former: Contents of what has another name now, under it, to those that calls touched.
    """

    def __init__(self, code: Code, decisions: Decisions) -> None:
        self._code = code
        self._decisions = decisions
        self._moved = frozenset(decisions.moved())
        self._known: dict[tuple[Component, Content], tuple[Component, Content] | None] = {}
        self.former: dict[Place, dict[Place, None]] = defaultdict(dict)

    def followed(self, version: Version) -> Version:
        """Return `version` with what its components that are gone are called now."""
        pairs: dict[Component, Content] = {}
        for component, content in version.pairs.items():
            found = self._present(component, content) if component in self._moved else None
            if found is not None:
                pairs.setdefault(*found)
                self.former[found[0], found[1].source][component, content.source] = None
        return Version({**pairs, **version.pairs}) if pairs else version

    def _present(self, component: Component, content: Content) -> tuple[Component, Content] | None:
        key = component, content
        if key not in self._known:
            self._known[key] = present(component, content, self._code, self._decisions)
        return self._known[key]


def present(
    component: Component, content: Content, code: Code, decisions: Decisions
) -> tuple[Component, Content] | None:
    """Return what a content of a component that is gone is called now; None where nobody said.

    Nor where somebody said that it is not what is there now, or what that was decided to equal.
    """
    if not code.knows(component) or code.current(component) is not None:
        return None
    there = [
        (place, now)
        for place in decisions.places(component)
        if code.knows(place) and (now := code.current(place)) is not None
    ]
    for place, now in there:
        if holds_at(component, content, place, code, decisions):
            return place, now
    value = content.value if is_variable(component) else None
    for place, _ in there:
        image = _image(component, content.source, place, decisions)
        if image is not None:
            return place, Content(image, value)
    for place, now in there:
        is_said = decisions.connected((component, content.source), (place, now.source))
        if not is_said and content.source != now.source:
            # Nobody said how it compares with what moved: a decision about it says that it moved too.
            return place, Content(content.source, value)
    return None


def _image(
    component: Component, source: Digest, place: Component, decisions: Decisions
) -> Digest | None:
    """Return the content of `place` that is this one of `component`, None where none was said to be."""
    same = [end for end in decisions.alike_elsewhere(component, source) if end[0] == place]
    moved = [end for end in same if decisions.only_moved((component, source), end)]
    return next((content for _, content in (*moved, *same)), None)
