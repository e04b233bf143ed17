"""Facts to render: a writer that keeps them with their texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitmemo.git.cli import Git
from gitmemo.git.repository import locate
from gitmemo.hashing.digest import Digest, digest
from gitmemo.history import Histories
from gitmemo.history.rendering import fact_id
from gitmemo.model.components import Component
from gitmemo.model.facts import Decision, Source, Verdict


@dataclass
class Writer:
    """Makes facts and remembers them."""

    facts: list[Source | Decision] = field(default_factory=list)
    texts: dict[Digest, str] = field(default_factory=dict)

    def source(self, component: Component, text: str, *after: Source | Decision) -> Source:
        """Return a content of a component that follows other facts."""
        key = digest(text.encode())
        self.texts[key] = text
        fact = Source(
            component, digest(b"tree of " + text.encode()), key, tuple(map(fact_id, after))
        )
        self.facts.append(fact)
        return fact

    def decision(
        self, old: Source, new: Source, verdict: Verdict, why: str = "", **more: object
    ) -> Decision:
        """Return a decision about two contents, after the newer one."""
        fields = {"parents": (fact_id(new),), **more}
        fact = Decision(new.component, old.source, new.source, verdict, why, **fields)  # type: ignore[arg-type]
        self.facts.append(fact)
        return fact


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def make_writer() -> type[Writer]:
    return Writer


@pytest.fixture
def clone(hub: Path, tmp_path: Path) -> Callable[[str], Histories]:
    """Return a function that clones the test's `hub`, and opens the histories of the clone."""

    def make(name: str) -> Histories:
        Git(tmp_path).run("clone", "-q", str(hub), name)
        return Histories(locate(tmp_path / name))

    return make
