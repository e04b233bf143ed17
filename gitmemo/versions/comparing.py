"""The code behind an id as text, and how two of them differ.

Not what that means (`model.validity`). Invariant: pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitmemo.errors import DifferentKinds
from gitmemo.model.components import Component
from gitmemo.short_ids import short
from gitmemo.versions.contents import ModuleOf, ShownContent, code_lines
from gitmemo.versions.finding import FoundCode, FoundContent, FoundVersion
from gitmemo.versions.revisions import diff_of


def code_of(found: FoundCode, module_of: ModuleOf, *, with_ids: bool = False) -> str:
    """Return the code of a content, imports and all, or of a version."""
    if isinstance(found, FoundVersion):
        return "\n".join(code_lines(found.contents, module_of, with_ids=with_ids))
    head = f"### id={found.id}\n### {found.content.component}\n" if with_ids else ""
    return head + (found.content.text or "")


def difference(old: FoundCode, new: FoundCode, context_lines: int = 3) -> Iterator[str]:
    """Yield the lines of a unified diff, component by component.

    Raises:
        DifferentKinds: One is a content, and the other a version.
    """
    if isinstance(old, FoundContent) and isinstance(new, FoundContent):
        yield from _changed(old.content, new.content, context_lines)
        return
    if isinstance(old, FoundContent):
        raise DifferentKinds(new.id, old.id)
    if isinstance(new, FoundContent):
        raise DifferentKinds(old.id, new.id)
    before, after = _by_component(old), _by_component(new)
    for component in sorted(before | after):
        yield from _changed(before.get(component), after.get(component), context_lines)


def _by_component(found: FoundVersion) -> dict[Component, ShownContent]:
    return {content.component: content for content in found.contents}


def _changed(
    old: ShownContent | None, new: ShownContent | None, context_lines: int
) -> Iterator[str]:
    """Yield how one component differs; nothing where its content is the same."""
    if old and new and (old.component, old.id, old.value) == (new.component, new.id, new.value):
        return
    yield f"--- {old.component} {short(old.id)}" if old else "--- (not touched)"
    yield f"+++ {new.component} {short(new.id)}" if new else "+++ (not touched)"
    lines = diff_of(old.text if old else None, new.text if new else None, context_lines)
    yield from lines
    if old and new and old.value != new.value and old.id == new.id:
        what = "its value" if old.is_global else "what its names refer to"
        yield f"# {what}: {_said(old.value)} became {_said(new.value)}"


def _said(value: str | None) -> str:
    return short(value) if value else "unknown"
