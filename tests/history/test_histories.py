"""Histories of functions, as plain git shows them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitmemo.errors import GitFailed, RefContended
from gitmemo.git.cli import Git
from gitmemo.git.repository import locate
from gitmemo.hashing.digest import digest
from gitmemo.history import Histories
from gitmemo.history.known import CACHE_NAME
from gitmemo.history.names import VERSIONS_REF
from gitmemo.history.rendering import fact_id
from gitmemo.history.store import LOG_NAME
from gitmemo.model.components import Component
from gitmemo.model.facts import Verdict

SCALE = Component("analysis/prep.py", "scale")
TRAIN = Component("analysis/train.py", "Model.fit")
MAKE = Component("m.py", "f")
VIEW = "refs/gitmemo/fn/analysis.prep/scale"


def three_versions(writer: Any) -> None:
    one = writer.source(SCALE, "def scale(x):\n    return x / 2")
    two = writer.source(SCALE, "def scale(x):\n    y = x / 2\n    return y", one)
    speed = writer.decision(one, two, Verdict.NON_BREAKING, "only a name")
    three = writer.source(SCALE, "def scale(x):\n    y = x / 3\n    return y", two, speed)
    writer.decision(two, three, Verdict.BREAKING, "a third, as in the paper")


def test_git_log_shows_a_function_like_a_small_repository(repo: Path, writer: Any) -> None:
    three_versions(writer)
    histories, git = Histories(locate(repo)), Git(repo)
    report = histories.render(writer.facts, writer.texts)
    assert len(report.rendered) == 5
    assert report.problems == ()
    assert histories.ref_of(SCALE) == VIEW
    log = git.run("log", "-p", "--reverse", "--topo-order", "--format=> %s", VIEW)
    assert [line for line in log.splitlines() if line.startswith(">")] == [
        "> analysis/prep.py: scale: first version",
        "> analysis/prep.py: scale: changed",
        "> non-breaking: analysis/prep.py: scale",
        "> analysis/prep.py: scale: changed",
        "> breaking: analysis/prep.py: scale",
    ]
    assert "No newline" not in log
    verdicts = git.run("log", "--format=%(trailers:key=Gitmemo-Decision,valueonly)%b", VIEW)
    assert verdicts.index("a third, as in the paper") < verdicts.index("only a name")
    assert git.run("fsck", "--strict", "--no-dangling") == ""
    assert git.run("status", "--porcelain") == ""


def test_three_changes_are_three_diffs_and_decisions_stand_between(repo: Path, writer: Any) -> None:
    versions = [writer.source(SCALE, "def scale(x):\n    return x / 1")]
    for n in (2, 3, 4):
        versions.append(
            writer.source(SCALE, f"def scale(x):\n    return x / {n}", writer.facts[-1])
        )
        writer.decision(versions[-2], versions[-1], Verdict.BREAKING, f"why {n}")
    Histories(locate(repo)).render(writer.facts, writer.texts)
    log = Git(repo).run("log", "-p", "--format=> %s %b", VIEW)
    kept = [line for line in log.splitlines() if line.startswith((">", "+  ", "-  "))]
    assert [line.split(" Gitmemo")[0] for line in kept] == [
        "> breaking: analysis/prep.py: scale why 4",
        "> analysis/prep.py: scale: changed",
        "-    return x / 3",
        "+    return x / 4",
        "> breaking: analysis/prep.py: scale why 3",
        "> analysis/prep.py: scale: changed",
        "-    return x / 2",
        "+    return x / 3",
        "> breaking: analysis/prep.py: scale why 2",
        "> analysis/prep.py: scale: changed",
        "-    return x / 1",
        "+    return x / 2",
        "> analysis/prep.py: scale: first version",
        "+    return x / 1",
    ]


def test_rendering_again_changes_nothing_and_needs_no_texts(repo: Path, writer: Any) -> None:
    three_versions(writer)
    histories = Histories(locate(repo))
    first = histories.render(writer.facts, writer.texts)
    for delete_cache in (False, True):
        if delete_cache:
            (locate(repo).private_dir / CACHE_NAME).unlink()
        again = histories.render(writer.facts, {})
        assert (again.anchor, again.known, again.rendered) == (first.anchor, 5, {})
    (locate(repo).private_dir / CACHE_NAME).write_text("gitmemo-versions 1 sha1 -\nf zz\nend\n")
    assert histories.render(writer.facts, {}).known == 5
    (locate(repo).private_dir / CACHE_NAME).unlink()
    assert histories.text_of(writer.facts[0].text) == writer.texts[writer.facts[0].text]
    assert histories.text_of(digest(b"unknown")) is None
    assert (locate(repo).private_dir / CACHE_NAME).is_file()
    assert histories.texts_of([*writer.texts, digest(b"unknown")]) == writer.texts


def test_a_deleted_ref_is_made_again_from_the_facts(repo: Path, writer: Any) -> None:
    three_versions(writer)
    histories, git = Histories(locate(repo)), Git(repo)
    first = histories.render(writer.facts, writer.texts)
    git.run("update-ref", "-d", VERSIONS_REF)
    git.run("update-ref", "-d", VIEW)
    git.run("gc", "-q", "--prune=now")
    assert histories.log(SCALE) == []
    assert histories.render(writer.facts, writer.texts).rendered == first.rendered
    assert git.run("rev-parse", VIEW)


def test_a_ref_that_was_set_back_is_not_believed_to_hold_more(repo: Path, writer: Any) -> None:
    histories = Histories(locate(repo))
    one = writer.source(MAKE, "1")
    first = histories.render(writer.facts, writer.texts).anchor
    assert first
    writer.source(MAKE, "2", one)
    later = histories.render(writer.facts, writer.texts)
    Git(repo).run("update-ref", VERSIONS_REF, first)
    again = histories.render(writer.facts, writer.texts)
    assert again.rendered == later.rendered
    assert again.anchor == later.anchor


def test_what_is_not_known_yet_waits_and_comes_later(repo: Path, writer: Any) -> None:
    histories = Histories(locate(repo))
    one = writer.source(MAKE, "1")
    two = writer.source(MAKE, "2", one)
    decision = writer.decision(one, two, Verdict.BREAKING)
    report = histories.render([decision, two], writer.texts)
    assert set(report.waiting_for_parents) == {fact_id(two), fact_id(decision)}
    assert (report.rendered, report.anchor) == ({}, None)
    report = histories.render(writer.facts, {one.text: "1"})
    assert report.waiting_for_text == (fact_id(two),)
    assert report.waiting_for_parents == (fact_id(decision),)
    assert list(report.rendered) == [fact_id(one)]
    report = histories.render([two, decision], {two.text: "2"})
    assert set(report.rendered) == {fact_id(two), fact_id(decision)}
    assert [entry.fact for entry in histories.log(MAKE)] == [decision, two, one]


def test_the_order_of_rendering_does_not_matter(
    make_repo: Callable[..., Path], make_writer: Any
) -> None:
    writer = make_writer()
    three_versions(writer)
    writer.source(TRAIN, "def fit(self): pass")
    writer.source(SCALE, "def scale(x): return x", writer.facts[0])
    batches = (
        [writer.facts],
        [[fact] for fact in writer.facts],
        [writer.facts[i:] for i in (6, 5, 4, 0)],
    )
    commits, trees = [], []
    for number, batch in enumerate(batches):
        folder = make_repo(f"clone {number}")
        histories = Histories(locate(folder))
        for facts in batch:
            histories.render(facts, writer.texts)
        commits.append({e.record: e.commit for c in (SCALE, TRAIN) for e in histories.log(c)})
        trees.append(Git(folder).run("rev-parse", f"{VERSIONS_REF}^{{tree}}", VIEW))
    assert commits[0] == commits[1] == commits[2]
    assert len(commits[0]) == 7
    assert trees[0] == trees[1] == trees[2]


def test_nothing_of_the_user_gets_into_a_commit(
    repo: Path, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = Git(repo)
    for key, value in {
        "user.name": "Someone Else", "commit.gpgSign": "true", "core.autocrlf": "true",
        "i18n.commitEncoding": "latin-1", "core.logAllRefUpdates": "always",
    }.items():  # fmt: skip
        git.run("config", key, value)
    for name in ("reference-transaction", "pre-commit", "post-commit"):
        hook = repo / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch '{repo}/hook-ran'\nexit 1\n")
        hook.chmod(0o755)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Someone")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z")
    writer.source(MAKE, "a = 'ä'\r\nb\n")
    report = Histories(locate(repo)).render(writer.facts, writer.texts)
    assert report.problems == ()
    assert not (repo / "hook-ran").exists()
    shown = git.run("log", "--format=%an %ae %cn %at %ct %G?", "refs/gitmemo/fn/m/f")
    assert shown == "gitmemo gitmemo@localhost gitmemo 946684801 946684801 N"
    assert git.bytes("show", "refs/gitmemo/fn/m/f:f.py") == "a = 'ä'\r\nb\n".encode()


def test_two_heads_are_joined_in_the_view_and_listed_in_the_anchor(repo: Path, writer: Any) -> None:
    one = writer.source(SCALE, "x = 1")
    left, right = writer.source(SCALE, "x = 2", one), writer.source(SCALE, "x = 3", one)
    histories, git = Histories(locate(repo)), Git(repo)
    histories.render(writer.facts, writer.texts)
    joined = git.run("rev-parse", VIEW)
    assert len(git.run("log", "-1", "--format=%P", VIEW).split()) == 2
    assert git.run("log", "--format=%s", VIEW).count("changed") == 2
    listing = git.run("grep", "-h", "", VERSIONS_REF)
    assert listing.splitlines()[0] == "analysis/prep.py:scale"
    assert len(listing.splitlines()) == 3
    assert git.run("rev-list", VERSIONS_REF).split().count(joined) == 0
    writer.source(SCALE, "x = 4", left, right)
    histories.render(writer.facts, writer.texts)
    assert git.run("log", "-1", "--format=%s", VIEW) == "analysis/prep.py: scale: changed"
    assert len(git.run("grep", "-h", "", VERSIONS_REF).splitlines()) == 2


def test_many_facts_are_written_as_one_pack(repo: Path, writer: Any) -> None:
    for number in range(120):
        one = writer.source(Component(f"pkg/m{number % 7}.py", f"f{number}"), f"one {number}")
        writer.source(one.component, f"two {number}", one)
    report = Histories(locate(repo)).render(writer.facts, writer.texts)
    assert len(report.rendered) == 240
    git = Git(repo)
    counts = dict(line.split(": ") for line in git.run("count-objects", "-v").splitlines())
    assert int(counts["count"]) < 50
    assert int(counts["in-pack"]) > 700
    assert len(git.run("for-each-ref", "refs/gitmemo/fn/").splitlines()) == 120
    assert git.run("fsck", "--strict", "--no-dangling") == ""
    git.run("gc", "-q", "--prune=now")
    assert Histories(locate(repo)).render(writer.facts, {}).known == 240


def test_deleted_views_come_back(repo: Path, writer: Any) -> None:
    three_versions(writer)
    histories, git = Histories(locate(repo)), Git(repo)
    histories.render(writer.facts, writer.texts)
    before = git.run("rev-parse", VIEW)
    git.run("update-ref", "-d", VIEW)
    assert histories.refresh_views() == ()
    assert git.run("rev-parse", VIEW) == before


def test_a_twin_outside_src_takes_over_the_plain_name(repo: Path, writer: Any) -> None:
    inner, outer = Component("src/m.py", "f"), Component("m.py", "f")
    histories, git = Histories(locate(repo)), Git(repo)
    writer.source(inner, "inner")
    histories.render(writer.facts, writer.texts)
    assert git.run("show", "refs/gitmemo/fn/m/f:f.py") == "inner"
    writer.source(outer, "outer")
    histories.render(writer.facts, writer.texts)
    assert histories.ref_of(inner) != histories.ref_of(outer) == "refs/gitmemo/fn/m/f"
    assert git.run("show", f"{histories.ref_of(outer)}:f.py") == "outer"
    assert git.run("show", f"{histories.ref_of(inner)}:f.py") == "inner"


def test_a_renamed_function_keeps_its_past(repo: Path, writer: Any) -> None:
    old = writer.source(Component("m.py", "old"), "def old():\n    return 1\n")
    writer.source(Component("m.py", "new"), "def new():\n    return 1\n", old)
    histories = Histories(locate(repo))
    histories.render(writer.facts, writer.texts)
    log = Git(repo).run("log", "-p", "-M30", "--format=> %s", "refs/gitmemo/fn/m/new")
    assert "rename from old.py" in log
    assert [e.fact.component.unit for e in histories.log(Component("m.py", "new"))] == [
        "new",
        "old",
    ]


def test_facts_that_cannot_be_named_are_reported(repo: Path, writer: Any) -> None:
    writer.source(Component("../m.py", "f"), "x")
    writer.source(Component("a\nb.py", "f"), "x")
    writer.source(MAKE, "x")
    report = Histories(locate(repo)).render(writer.facts, writer.texts)
    assert len(report.rendered) == 1
    assert len(report.problems) == 2


def test_every_move_of_the_anchor_can_be_undone_from_the_log(repo: Path, writer: Any) -> None:
    histories = Histories(locate(repo))
    first = histories.render([writer.source(MAKE, "1")], writer.texts).anchor
    second = histories.render([writer.source(MAKE, "2")], writer.texts).anchor
    lines = (locate(repo).private_dir / LOG_NAME).read_text().splitlines()
    assert [line.split(" ")[1:4] for line in lines] == [
        [VERSIONS_REF, "0" * 40, first],
        [VERSIONS_REF, first, second],
    ]


def test_a_move_is_undone_with_git_and_the_views_follow(repo: Path, writer: Any) -> None:
    histories, git = Histories(locate(repo)), Git(repo)
    kept = writer.source(MAKE, "1")
    before = histories.render([kept], writer.texts).anchor
    later = [writer.source(MAKE, "2", kept), writer.source(SCALE, "unwanted")]
    after = histories.render(later, writer.texts).anchor
    last = (locate(repo).private_dir / LOG_NAME).read_text().splitlines()[-1].split(" ")
    assert last[2:4] == [before, after]
    git.run("update-ref", *last[1:3])
    assert histories.render([kept], {}).known == 1  # what any command that records does
    assert [entry.fact for entry in histories.log(MAKE)] == [kept]
    assert git.run("for-each-ref", "--format=%(refname)", "refs/gitmemo/fn/") == (
        "refs/gitmemo/fn/m/f"
    )
    # What the index states comes back with the same ids.
    assert len(histories.render(later, writer.texts).rendered) == 2
    assert git.run("rev-parse", f"{VERSIONS_REF}^{{tree}}") == git.run(
        "rev-parse", f"{after}^{{tree}}"
    )


def test_the_log_of_moves_stays_small(
    repo: Path, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitmemo.history.store._MAX_LOG_BYTES", 400)
    histories, log = Histories(locate(repo)), locate(repo).private_dir / LOG_NAME
    anchors = [
        histories.render([writer.source(MAKE, str(number))], writer.texts).anchor
        for number in range(12)
    ]
    kept = [log.with_name(f"{LOG_NAME}.1"), log]
    assert sum(file.stat().st_size for file in kept) < 1400
    moves = [line.split(" ")[3] for file in kept for line in file.read_text().splitlines()]
    assert len(moves) > 3 and moves == anchors[-len(moves) :]


def test_many_views_are_packed(repo: Path, writer: Any) -> None:
    for number in range(250):
        writer.source(Component(f"m{number % 3}.py", f"f{number}"), f"{number}")
    histories, git = Histories(locate(repo)), Git(repo)
    histories.render(writer.facts[:150], writer.texts)
    loose = repo / ".git/refs/gitmemo/fn"
    assert len([path for path in loose.rglob("*") if path.is_file()]) == 150
    histories.render(writer.facts, writer.texts)
    assert not [path for path in loose.rglob("*") if path.is_file()]
    assert len(git.run("for-each-ref", "refs/gitmemo/fn/").splitlines()) == 250
    writer.source(Component("m0.py", "f0"), "new", writer.facts[0])
    assert len(histories.render(writer.facts, writer.texts).rendered) == 1
    assert git.run("log", "--format=%s", "refs/gitmemo/fn/m0/f0").count("\n") == 1


def test_a_left_over_lock_is_an_error_that_says_so(
    repo: Path, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitmemo.history.histories._TRIES", 3)
    lock = repo / ".git" / f"{VERSIONS_REF}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(RefContended, match="lock"):
        Histories(locate(repo)).render([writer.source(MAKE, "1")], writer.texts)


@pytest.mark.parametrize(
    "options", [("--object-format=sha256",), ("--ref-format=reftable",), ("--bare",)]
)
def test_other_kinds_of_repositories(
    make_repo: Callable[..., Path], writer: Any, options: tuple[str, ...]
) -> None:
    try:
        folder = make_repo("other kind", *options)
    except GitFailed:
        pytest.skip(f"this git does not know {options}")
    three_versions(writer)
    for number in range(60):
        writer.source(Component("many.py", f"f{number}"), f"{number}")
    histories, git = Histories(locate(folder)), Git(folder)
    assert len(histories.render(writer.facts[:5], writer.texts).rendered) == 5
    assert len(histories.render(writer.facts, writer.texts).rendered) == 60
    assert len(histories.log(SCALE)) == 5
    assert git.run("fsck", "--strict", "--no-dangling") == ""
    assert git.run("log", "--format=%s", VIEW).count("breaking") == 2


def test_a_linked_work_tree_sees_the_same_histories(
    repo: Path, writer: Any, tmp_path: Path
) -> None:
    Git(repo).run("commit", "-q", "--allow-empty", "-m", "x")
    Git(repo).run("worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    linked = Histories(locate(tmp_path / "tree"))
    linked.render([writer.source(MAKE, "1")], writer.texts)
    assert linked.anchor == Histories(locate(repo)).anchor
    assert len(Histories(locate(repo)).log(MAKE)) == 1


WORKER = """
import sys
from gitmemo.git.repository import locate
from gitmemo.hashing.digest import digest
from gitmemo.history import Histories
from gitmemo.model.components import Component
from gitmemo.model.facts import Source
histories = Histories(locate(sys.argv[1]))
for n in range(int(sys.argv[3])):
    text = digest(f"{sys.argv[2]} {n}".encode())
    fact = Source(Component("m.py", f"f{n % 3}"), text, text)
    report = histories.render([fact], {text: f"{sys.argv[2]} {n}"})
    assert len(report.rendered) == 1, report
"""


def test_processes_that_record_at_once_lose_nothing_while_refs_are_packed(repo: Path) -> None:
    rounds = 8
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(repo), str(w), str(rounds)])
        for w in range(4)
    ]
    while any(worker.poll() is None for worker in workers):
        Git(repo).process("pack-refs", "--all", "--prune")
        time.sleep(0.02)
    assert [worker.returncode for worker in workers] == [0] * 4
    histories, git = Histories(locate(repo)), Git(repo)
    recorded = [e for n in range(3) for e in histories.log(Component("m.py", f"f{n}"))]
    assert len(recorded) == 4 * rounds
    assert histories.refresh_views() == ()
    for n in range(3):
        assert len(git.run("log", "-1", "--format=%P", f"refs/gitmemo/fn/m/f{n}").split()) > 3
    assert git.run("fsck", "--strict", "--no-dangling") == ""
    log = (locate(repo).private_dir / LOG_NAME).read_text().splitlines()
    assert len(log) == 4 * rounds
