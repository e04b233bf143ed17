"""What `status` counts in the index is what the calls say when each of them is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from driver import Clone

from gitmemo.counts import Counts, counts, counts_of_calls
from gitmemo.workspace import look

Same = Callable[..., Counts]


@pytest.fixture
def same(committed: Clone) -> Same:
    """Return a function that counts in both ways, in the work tree and in the last commit."""

    def same(*, is_indexed: bool = True) -> Counts:
        for rev in (None, "HEAD"):
            view = look(committed.root, rev=rev)
            assert counts(view) == counts_of_calls(view), rev
        view = look(committed.root)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gitmemo.counts.counts_of_calls", lambda view: None)
            assert (counts(view) is not None) == is_indexed, "whether it was read"
        return counts(view)

    return same


def test_older_code_and_what_used_its_results(committed: Clone, same: Same) -> None:
    before = same()
    assert before == Counts(before.every, Counter(), Counter())
    committed.change("return value * 2", "return value * 3")
    assert same().stale == {"pipeline:train": 2}
    assert same().unreachable == {"pipeline:evaluate": 2}
    committed.run()
    assert same().current == before.current, "pending ones count"
    committed.git("add", "-A")
    committed.process("git", "commit", "-q", "-m", "More", GITMEMO_ON_CHANGE="breaking")
    assert same().stale == {"pipeline:train": 2}
    committed.change("return value * 3", "return value + value")
    committed.run()
    assert same().every.total() == 11


def test_repeats_and_links_count_once(committed: Clone, same: Same) -> None:
    before = same()
    committed.change("return list(range(size))", "return [*range(size)]", "pipeline.py")
    committed.run()  # `load` is computed, and what uses its result is a link
    assert same().stale == {"pipeline:load": 1}
    assert same().current == before.current
    committed.git("add", "-A")
    committed.process("git", "commit", "-q", "-m", "Same", GITMEMO_ON_CHANGE="non-breaking")
    assert same().stale == Counter() and same().current["pipeline:load"] == 2
    committed.gitmemo("forget", "evaluate", "rate=1", "--yes")
    assert same().every["pipeline:evaluate"] < before.every["pipeline:evaluate"]


def test_renamed_ops_are_read(committed: Clone, same: Same) -> None:
    before = same()
    text = (committed.root / "pipeline.py").read_text(encoding="utf-8")
    committed.write("pipeline.py", text.replace("evaluate", "score"))
    committed.git("add", "-A")
    committed.process("git", "commit", "-q", "-m", "Rename")
    assert same(is_indexed=False).current["pipeline:score"] == before.current["pipeline:evaluate"]


def test_other_values_of_a_variable_are_read(committed: Clone, same: Same) -> None:
    """Only the newest call says which value is that of now."""
    settings = "import json\nCFG = json.load(open('cfg.json'))\n"
    committed.write("pipeline.py", settings + (committed.root / "pipeline.py").read_text())
    committed.change("return len(model.weights) + rate", "return CFG['k'] + rate", "pipeline.py")
    for k in (1, 2):
        committed.write("cfg.json", f'{{"k": {k}}}')
        committed.run()
    assert same(is_indexed=False).others == {"pipeline:evaluate": 2}


def test_a_version_of_which_a_revision_has_links_alone_has_calls(committed: Clone) -> None:
    changes = [("return list(range(size))", "return [*range(size)]"), ("* rate for", "* -rate for")]
    for old, new in changes:
        committed.change(old, new, "pipeline.py")
        committed.run()
        committed.git("add", "-A")
        committed.process("git", "commit", "-q", "-m", new, GITMEMO_ON_CHANGE="breaking")
    said = committed.gitmemo("diff", "HEAD~1", "HEAD").out
    assert "pipeline:train" in said and " 0 calls" not in said, said
