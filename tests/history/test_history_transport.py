"""Histories travel between clones by one ref, and nothing that arrives is trusted."""

from __future__ import annotations

import random
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitmemo.errors import GitFailed, HistoryRejected
from gitmemo.git.cli import Git
from gitmemo.git.formats import TreeEntry, encode_commit, encode_tree
from gitmemo.git.repository import locate
from gitmemo.history import Histories
from gitmemo.history.anchor import Heads, encode_heads, place_of
from gitmemo.history.names import VERSIONS_REF
from gitmemo.history.rendering import EPOCH, IDENTITY, MAX_TEXT_BYTES, fact_id
from gitmemo.model.components import Component
from gitmemo.model.facts import Verdict

F, G = Component("m.py", "f"), Component("pkg/m.py", "g")


@pytest.fixture
def hub(make_repo: Callable[..., Path]) -> Path:
    return make_repo("hüb .git", "--bare")


def refs(folder: Path, *patterns: str) -> str:
    return Git(folder).run("for-each-ref", "--format=%(refname) %(objectname)", *patterns)


def test_an_empty_remote_says_so_and_an_empty_clone_pushes_nothing(
    clone: Callable[..., Any],
) -> None:
    ours = clone("a")
    report = ours.fetch("origin")
    assert (report.found, report.anchor, report.changed) == (False, None, ())
    assert ours.push("origin") == type(ours.push("origin"))(None, pushed=False)


def test_what_one_pushes_the_other_fetches_and_sees(
    clone: Callable[..., Any], writer: Any, hub: Path
) -> None:
    alice, bob = clone("alice"), clone("bob")
    one = writer.source(F, "one")
    two = writer.source(F, "two", one)
    writer.decision(one, two, Verdict.NON_BREAKING, "why")
    alice.render(writer.facts, writer.texts)
    assert alice.push("origin").pushed
    assert not alice.push("origin").pushed
    report = bob.fetch("origin")
    assert (report.found, report.changed, report.problems) == (True, (F,), ())
    assert bob.anchor == alice.anchor
    assert [e.fact for e in bob.log(F)] == [e.fact for e in alice.log(F)]
    assert bob.text_of(one.text) == "one"
    assert refs(bob.layout.root, "refs/gitmemo/") == refs(alice.layout.root, "refs/gitmemo/")
    assert refs(hub, "refs/gitmemo/").split() == [VERSIONS_REF, alice.anchor]
    # The facts reach Bob by the index; his clone mints the very same commits.
    assert bob.render(writer.facts, {}).known == 3
    assert not bob.push("origin").pushed


def test_an_ordinary_fetch_neither_brings_nor_prunes_histories(
    clone: Callable[..., Any], writer: Any
) -> None:
    alice, bob = clone("alice"), clone("bob")
    alice.render([writer.source(F, "one")], writer.texts)
    alice.push("origin")
    git = Git(bob.layout.root)
    bob.render([writer.source(G, "unpushed")], writer.texts)
    before = refs(bob.layout.root)
    git.run("fetch", "-q", "--prune", "origin")
    assert refs(bob.layout.root) == before
    assert git.run("config", "--get-all", "remote.origin.fetch").count("gitmemo") == 0


def test_peoples_own_refspecs_and_pruning_lose_nothing(
    clone: Callable[..., Any], writer: Any, hub: Path
) -> None:
    ours = clone("a")
    git = Git(ours.layout.root)
    for key, value in (
        ("fetch.prune", "true"),
        ("fetch.pruneTags", "true"),
        ("remote.origin.prune", "true"),
        ("remote.origin.pruneTags", "true"),
        ("push.followTags", "true"),
        ("push.default", "matching"),
    ):
        git.run("config", key, value)
    for spec in ("+refs/notes/*:refs/notes/*", "+refs/tags/*:refs/tags/*"):
        git.run("config", "--add", "remote.origin.fetch", spec)
    identity = ("-c", "user.name=x", "-c", "user.email=x")
    git.run(*identity, "commit", "-q", "--allow-empty", "-m", "m")
    git.run("branch", "mine")
    ours.render([writer.source(F, "unpushed")], writer.texts)
    before = refs(ours.layout.root)
    git.run("fetch", "-q", "--all", "--prune")
    assert refs(ours.layout.root) == before
    git.run(*identity, "tag", "-m", "t", "mine-too")
    assert not ours.fetch("origin").found
    assert ours.push("origin").pushed
    ours.fetch("origin")
    assert {"refs/heads/mine", "refs/tags/mine-too"} <= set(refs(ours.layout.root).split())
    assert refs(hub) == f"{VERSIONS_REF} {ours.anchor}"
    git.run("fetch", "-q", "--all", "--prune")
    assert ours.anchor is not None and len(ours.log(F)) == 1


def test_three_clones_that_record_at_once_end_up_the_same(
    clone: Callable[..., Any], make_writer: Any, hub: Path
) -> None:
    clones = [clone(name) for name in ("a", "b b", "ç")]
    writers = [make_writer() for _ in clones]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        chance = random.Random(number)
        try:
            for step in range(5):
                component = chance.choice([F, G])
                fact = writers[number].source(component, f"{number} {step}")
                clones[number].render([fact], writers[number].texts)
                if chance.random() < 0.7:
                    clones[number].push("origin")
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for ours in clones:
        ours.push("origin")
    for ours in clones:
        assert ours.fetch("origin").problems == ()
    anchors = {ours.anchor for ours in clones} | {Git(hub).run("rev-parse", VERSIONS_REF)}
    assert len(anchors) == 1
    views = {refs(ours.layout.root, "refs/gitmemo/fn/") for ours in clones}
    assert len(views) == 1
    for ours in clones:
        assert len(ours.log(F)) + len(ours.log(G)) == 15
        assert Git(ours.layout.root).run("fsck", "--strict", "--no-dangling") == ""
    assert Git(hub).run("fsck", "--strict", "--no-dangling") == ""


def test_two_that_merge_the_same_pair_make_the_same_commit(
    clone: Callable[..., Any], make_writer: Any, hub: Path
) -> None:
    alice, bob, writer = clone("alice"), clone("bob"), make_writer()
    shared = writer.source(F, "shared")
    for ours, text in ((alice, "left"), (bob, "right")):
        ours.render([shared, writer.source(F, text, shared)], writer.texts)
        ours.render([writer.source(G, text)], writer.texts)
    assert alice.anchor != bob.anchor
    Git(bob.layout.root).run("remote", "add", "alice", str(alice.layout.root))
    Git(alice.layout.root).run("remote", "add", "bob", str(bob.layout.root))
    bob.push(str(hub))
    first = alice.anchor
    assert bob.fetch("alice").anchor != first
    Git(bob.layout.root).run("branch", "-q", "keep", bob.anchor)
    assert alice.fetch(str(hub)).anchor == bob.anchor
    assert refs(alice.layout.root, "refs/gitmemo/") == refs(bob.layout.root, "refs/gitmemo/")


def test_a_remote_may_be_a_path_with_odd_letters(
    clone: Callable[..., Any], writer: Any, hub: Path
) -> None:
    ours = clone("a")
    ours.render([writer.source(F, "one")], writer.texts)
    assert ours.push(str(hub)).pushed
    assert ours.fetch(str(hub)).found
    for name in ("--upload-pack=touch x", "no such remote", ""):
        with pytest.raises(GitFailed):
            ours.fetch(name)
        with pytest.raises(GitFailed):
            ours.push(name)
    assert not (ours.layout.root / "x").exists()


def test_a_pre_push_hook_is_not_run(clone: Callable[..., Any], writer: Any) -> None:
    ours = clone("a")
    hook = ours.layout.git_dir / "hooks/pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    ours.render([writer.source(F, "one")], writer.texts)
    assert ours.push("origin").pushed


def test_shallow_and_partial_clones_take_part(
    hub: Path, clone: Callable[..., Any], writer: Any, tmp_path: Path
) -> None:
    alice = clone("alice")
    one = writer.source(F, "one")
    alice.render([one], writer.texts)
    alice.push("origin")
    git = Git(alice.layout.root)
    git.run("-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "--allow-empty", "-m", "m")
    git.run("push", "-q", "origin", "main")
    Git(hub).run("config", "uploadpack.allowFilter", "true")
    Git(hub).run("config", "uploadpack.allowAnySHA1InWant", "true")
    for name, option in (("shallow", "--depth=1"), ("partial", "--filter=blob:none")):
        Git(tmp_path).run("clone", "-q", option, hub.as_uri(), name)
        other = Histories(locate(tmp_path / name))
        assert other.fetch("origin").problems == ()
        assert other.text_of(one.text) == "one"
        other.render([writer.source(F, name, one)], writer.texts)
        assert other.push("origin").pushed
    assert alice.fetch("origin").problems == ()
    assert len(alice.log(F)) == 3


# --- hostile remotes ------------------------------------------------------


class Forger:
    """Writes whatever it likes into the hub."""

    def __init__(self, hub: Path) -> None:
        self.hub = hub

    def put(self, kind: str, body: bytes) -> str:
        command = ["git", "hash-object", "-w", "-t", kind, "--literally", "--stdin"]
        done = subprocess.run(command, cwd=self.hub, input=body, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def tree(self, *entries: tuple[str, str, int]) -> str:
        return self.put("tree", encode_tree([TreeEntry(m, n.encode(), o) for n, o, m in entries]))

    def commit(self, tree: str, message: str, *parents: str, time: int = EPOCH + 99) -> str:
        return self.put("commit", encode_commit(tree, parents, IDENTITY, time, message))

    def anchor(self, tree: str, *parents: str, anchors: int = 1) -> str:
        oid = self.commit(tree, f"x\n\nGitmemo-Anchors: {anchors}\n", *parents)
        Git(self.hub).run("update-ref", VERSIONS_REF, oid)
        return oid

    def listing(self, entries: dict[tuple[str, str], bytes]) -> str:
        folders: dict[str, list[tuple[str, str, int]]] = {}
        for (folder, name), body in entries.items():
            folders.setdefault(folder, []).append((name, self.put("blob", body), 0o100644))
        return self.tree(*((f, self.tree(*files), 0o040000) for f, files in folders.items()))


@pytest.fixture
def forger(hub: Path) -> Forger:
    return Forger(hub)


@pytest.fixture
def victim(clone: Callable[..., Any], writer: Any) -> Any:
    """A clone with one history, pushed."""
    ours = clone("victim")
    ours.render([writer.source(F, "good")], writer.texts)
    ours.push("origin")
    return ours


def test_something_that_is_no_anchor_is_refused(victim: Any, forger: Forger, hub: Path) -> None:
    before = victim.anchor
    tree = forger.tree(("a.py", forger.put("blob", b"x"), 0o100644))
    for oid in (forger.commit(tree, "hello"), forger.put("blob", b"x")):
        Git(hub).run("update-ref", VERSIONS_REF, oid)
        with pytest.raises(HistoryRejected) as caught:
            victim.fetch("origin")
        assert "gitmemo push" in str(caught.value)
    assert victim.anchor == before


def test_hostile_tree_entries_are_skipped_and_reported(
    victim: Any, forger: Forger, tmp_path: Path
) -> None:
    good = victim.log(F)[0].commit
    base, here, elsewhere = victim.anchor, place_of(F), place_of(G)
    entry = encode_heads(Heads(F, (good,)))
    blob, inner = (
        forger.put("blob", entry),
        forger.tree((here[1], forger.put("blob", entry), 0o100644)),
    )
    for number, tree in enumerate((
        forger.tree(("..", inner, 0o040000), (".git", inner, 0o040000), ("a/b", blob, 0o100644)),
        forger.tree((here[0], blob, 0o100644)),
        forger.tree((here[0], forger.tree(("../../../escaped", blob, 0o100644)), 0o040000)),
        forger.tree((here[0], forger.tree((here[1], blob, 0o120000)), 0o040000)),
        forger.listing({elsewhere: entry}),
        forger.listing({elsewhere: b"../../escaped:g\n" + good.encode() + b"\n"}),
        forger.listing({elsewhere: b"\xff\xfe"}),
        forger.listing({elsewhere: b""}),
        forger.listing({elsewhere: b"pkg/m.py:g\n"}),
        forger.listing({elsewhere: b"pkg/m.py:g\n../../x\n"}),
        forger.listing({elsewhere: encode_heads(Heads(G, (good,)))}),
        forger.listing({elsewhere: encode_heads(Heads(G, ("1" * 40,)))}),
        forger.listing({elsewhere: encode_heads(Heads(G, (forger.commit(inner, "hello"),)))}),
        forger.listing({elsewhere: b"pkg/m.py:g\n" + b"1" * 40 + b"\n" + b"1" * 40 + b"\n"}),
        forger.listing({elsewhere: b"pkg/m.py:g\n" + b"1" * (1 << 19)}),
    )):  # fmt: skip
        forger.anchor(tree, base)
        report = victim.fetch("origin")
        assert report.changed == (), number
        if number >= 4:
            assert len(report.problems) == 1, number
            assert "skipped" in report.problems[0]
        assert [e.commit for e in victim.log(F)] == [good], number
        assert victim.log(G) == []
        listed = Git(victim.layout.root).run("ls-tree", "-r", "--name-only", VERSIONS_REF)
        assert listed == "/".join(here), number
        assert refs(victim.layout.root, "refs/gitmemo/fn/").split() == ["refs/gitmemo/fn/m/f", good]
    assert not list(tmp_path.rglob("*escaped*"))
    assert Git(victim.layout.root).process("fsck", "--strict").returncode in (0, 1)


def test_an_anchor_that_hides_our_heads_does_not(victim: Any, forger: Forger) -> None:
    good = victim.log(F)[0].commit
    forger.anchor(forger.tree(), victim.anchor)
    victim.fetch("origin")
    assert [e.commit for e in victim.log(F)] == [good]
    assert victim.push("origin").pushed


def test_a_commit_that_lies_about_its_fact_is_not_listed(
    victim: Any, forger: Forger, writer: Any
) -> None:
    true = victim.log(F)[0].commit
    git = Git(victim.layout.root)
    info_tree = git.run("rev-parse", f"{true}^{{tree}}")
    message = git.bytes("cat-file", "commit", true).partition(b"\n\n")[2].decode()
    fake_tree = forger.tree(("f.py", forger.put("blob", b"evil\n"), 0o100644))
    forged = [
        forger.commit(fake_tree, message, time=EPOCH + 1),
        forger.commit(info_tree, message, time=EPOCH + 2),
        forger.commit(info_tree, message + "\n" + message, time=EPOCH + 1),
        forger.commit(info_tree, message.replace("first version", "lies"), time=EPOCH + 1),
        forger.commit(forger.tree(), message, time=EPOCH + 1),
        forger.commit(info_tree, message, true, time=EPOCH + 2),
        forger.commit("1" * 40, message, time=EPOCH + 1),
    ]
    heads = Heads(F, tuple(sorted([true, *forged[:-1]])))
    forger.anchor(forger.listing({place_of(F): encode_heads(heads)}), victim.anchor, *forged[:-1])
    report = victim.fetch("origin")
    assert len([p for p in report.problems if "not a rendered fact" in p]) == 2 * (len(forged) - 1)
    assert [e.commit for e in victim.log(F)] == [true]
    assert victim.text_of(writer.facts[0].text) == "good"
    follow = writer.source(F, "next", writer.facts[0])
    assert victim.render([follow], writer.texts).rendered
    assert [e.commit for e in victim.log(F)][-1] == true


def test_an_incomplete_remote_changes_nothing(victim: Any, forger: Forger, hub: Path) -> None:
    before = refs(victim.layout.root, "refs/gitmemo/")
    forger.anchor("1" * 40, victim.anchor)
    with pytest.raises((GitFailed, HistoryRejected)):
        victim.fetch("origin")
    assert refs(victim.layout.root, "refs/gitmemo/") == before


def test_an_oversized_object_is_refused_before_it_is_read(victim: Any, forger: Forger) -> None:
    before = victim.anchor
    big = forger.put("blob", b"0" * (4 * MAX_TEXT_BYTES))
    forger.anchor(forger.tree(("x", big, 0o100644)), victim.anchor)
    with pytest.raises(HistoryRejected, match="bytes"):
        victim.fetch("origin")
    assert victim.anchor == before


def test_a_whole_project_below_an_anchor_is_reported_briefly(victim: Any, forger: Forger) -> None:
    oid, tree = "", forger.tree()
    for number in range(40):
        oid = forger.commit(tree, f"work {number}", *([oid] if oid else []))
    forger.anchor(tree, victim.anchor, oid)
    report = victim.fetch("origin")
    assert len(report.problems) == 21
    assert "20 more" in report.problems[-1]
    assert len(victim.log(F)) == 1


def test_a_remote_that_was_set_back_gets_everything_again(victim: Any, hub: Path) -> None:
    Git(hub).run("update-ref", "-d", VERSIONS_REF)
    assert not victim.fetch("origin").found
    assert victim.push("origin").pushed
    assert fact_id(victim.log(F)[0].fact) == victim.log(F)[0].record
