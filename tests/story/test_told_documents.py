"""What documents tell people to do works, and shows what they say it shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from telling import People, told

DOCS = Path(__file__).resolve().parents[2] / "docs"
DOCUMENTS = [name for name in ("tutorial.md",) if (DOCS / name).is_file()]

pytestmark = pytest.mark.skipif(not DOCUMENTS, reason="the documents are not beside the tests")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_document_shows_what_happens(document: str, tmp_path: Path) -> None:
    people = People(tmp_path)
    steps = list(told((DOCS / document).read_text("utf-8")))
    assert len(steps) > 3
    for step in steps:
        people.do(step)
