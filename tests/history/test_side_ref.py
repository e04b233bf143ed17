"""Histories under another name on the remote, for hosts that refuse names of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitmemo.config import merge
from gitmemo.errors import BadSetting, HistoryRejected
from gitmemo.git.cli import Git
from gitmemo.history.names import VERSIONS_REF, tracked_by, tracking_ref
from gitmemo.model.components import Component
from gitmemo.sync.unshared import has_unshared_histories
from tests.driver import Clone, make_project

BRANCH = "refs/heads/gitmemo"
F, G = Component("m.py", "f"), Component("m.py", "g")


@pytest.fixture
def hub(make_repo: Callable[..., Path]) -> Path:
    """A host that takes branches and nothing else."""
    hub = make_repo("hub.git", "--bare")
    hook = hub / "hooks/update"
    hook.write_text("#!/bin/sh\ncase $1 in refs/heads/*) ;; *) echo refused >&2; exit 1 ;; esac\n")
    hook.chmod(0o755)
    return hub


def refs(folder: Path, *patterns: str) -> str:
    return Git(folder).run("for-each-ref", "--format=%(refname) %(objectname)", *patterns)


def test_two_clones_share_histories_in_a_branch(
    clone: Callable[..., Any], make_writer: Any, hub: Path
) -> None:
    alice, bob = clone("alice"), clone("bob")
    for ours, component in ((alice, F), (bob, G)):
        writer = make_writer()
        one = writer.source(component, f"one {component}")
        ours.render([one, writer.source(F, f"two {component}", one)], writer.texts)
    assert alice.push("origin", BRANCH).pushed
    assert not has_unshared_histories(alice.layout, "origin", BRANCH)
    assert has_unshared_histories(alice.layout, "origin", VERSIONS_REF)
    assert bob.push("origin", BRANCH).fetched  # Alice was first
    assert alice.fetch("origin", BRANCH).changed == (F, G)
    assert alice.anchor == bob.anchor == Git(hub).run("rev-parse", BRANCH)
    assert refs(alice.layout.root, "refs/gitmemo/") == refs(bob.layout.root, "refs/gitmemo/")
    assert not alice.push("origin", BRANCH).pushed
    # Nothing of ours is a branch here, and a plain fetch changes nothing of ours.
    assert refs(alice.layout.root, "refs/heads/") == ""
    before = refs(alice.layout.root, "refs/gitmemo/", "refs/gitmemo-remote/")
    Git(alice.layout.root).run("fetch", "-q", "--prune", "origin")
    assert refs(alice.layout.root, "refs/gitmemo/", "refs/gitmemo-remote/") == before
    # A new clone has the objects at once, and the histories after a fetch.
    carol = clone("carol")
    assert carol.fetch("origin", BRANCH).anchor == alice.anchor
    assert Git(hub).run("fsck", "--strict", "--no-dangling") == ""


def test_another_name_takes_everything_along(
    clone: Callable[..., Any], make_writer: Any, hub: Path
) -> None:
    (hub / "hooks/update").unlink()
    alice, bob, writer = clone("alice"), clone("bob"), make_writer()
    alice.render([writer.source(F, "one")], writer.texts)
    alice.push("origin")
    # Bob has not heard of the change when he pushes to the old name.
    bob.render([writer.source(F, "of Bob")], writer.texts)
    bob.push("origin")
    report = alice.push("origin", BRANCH)
    assert report.pushed and len(alice.log(F)) == 2
    assert Git(hub).run("rev-parse", BRANCH) == alice.anchor
    bob.render([writer.source(G, "later, of Bob")], writer.texts)
    bob.push("origin")
    assert alice.fetch("origin", BRANCH).changed == (G,)
    # A new clone of the changed project reads both; once the old ref is deleted, one.
    carol = clone("carol")
    assert set(carol.fetch("origin", BRANCH).changed) == {F, G}
    dave = clone("dave")
    dave.render([writer.source(F, "of Dave")], writer.texts)
    assert dave.push("origin", BRANCH).pushed
    assert len(dave.log(G)) == 1
    Git(hub).run("update-ref", "-d", VERSIONS_REF)
    report = carol.fetch("origin", BRANCH)
    assert report.problems == () and len(carol.log(F)) == 3
    tracking = tracking_ref("origin", BRANCH)
    listed = refs(carol.layout.root, "refs/gitmemo-remote/")
    assert listed == f"{tracking} {Git(hub).run('rev-parse', BRANCH)}"
    # And back.
    assert carol.push("origin").pushed
    assert Git(hub).run("rev-parse", VERSIONS_REF) == carol.anchor


def test_a_branch_of_peoples_own_is_left_alone(
    clone: Callable[..., Any], writer: Any, hub: Path
) -> None:
    ours = clone("alice")
    git = Git(ours.layout.root)
    ours.render([writer.source(F, "one")], writer.texts)
    with pytest.raises(BadSetting, match="side_ref"):  # checked out, though without commits
        ours.push("origin", git.run("symbolic-ref", "HEAD"))
    identity = ("-c", "user.name=x", "-c", "user.email=x")
    git.run(*identity, "commit", "-q", "--allow-empty", "-m", "work")
    git.run("branch", "work")
    git.run("push", "-q", "origin", "work")
    before = refs(hub)
    with pytest.raises(BadSetting, match="holds nothing else"):
        ours.push("origin", "refs/heads/work")
    with pytest.raises(HistoryRejected) as caught:
        ours.fetch("origin", "refs/heads/work")
    assert "side_ref" in caught.value.remedy() and "git push" not in caught.value.remedy()
    git.run("branch", "-D", "work")
    with pytest.raises(HistoryRejected):
        ours.push("origin", "refs/heads/work")
    assert refs(hub) == before
    # With the setting mended, the wrong branch is named once and then forgotten.
    assert len(ours.fetch("origin", BRANCH).problems) == 1
    assert ours.fetch("origin", BRANCH).problems == ()
    assert ours.push("origin", BRANCH).pushed


@pytest.mark.parametrize(
    "name",
    [
        "gitmemo", "heads/x", "refs/heads", "refs/heads/", "refs/heads//x", "refs/heads/x/",
        "refs/heads/-x", "refs/heads/.x", "refs/heads/x.", "refs/heads/a..b", "refs/heads/x.lock",
        "refs/heads/x.LOCK/y", "refs/heads/HEAD", "refs/heads/a b", "refs/heads/ä", "refs/heads/a~1",
        "refs/heads/*", "refs/heads/a:b", "+refs/heads/x", "refs/heads/x\n", "refs/tags/x",
        "refs/remotes/origin/x", "refs/gitmemo/fn", "refs/gitmemo/fn/m/f", "refs/gitmemo-remote/x",
        "--upload-pack=x", "refs/heads/" + "x" * 300, "", 7, ["refs/heads/x"], True,
    ],
)  # fmt: skip
def test_names_that_cannot_be_used_are_refused(name: object) -> None:
    with pytest.raises(BadSetting) as caught:
        merge({"side_ref": name}, {}, {})
    assert caught.value.exit_code == 2
    assert "refs/heads/gitmemo" in caught.value.remedy()


def test_names_that_can_be_used_are_remembered_each_for_itself() -> None:
    names = ["refs/heads/gitmemo", "refs/heads/gitmemo/x", "refs/heads/bots/git_memo-1.0",
             "refs/gitmemo/versions", "refs/gitmemo/team", "refs/heads/versions"]  # fmt: skip
    found = [tracking_ref("origin", merge({"side_ref": name}, {}, {}).side_ref) for name in names]
    assert len(set(found)) == len(names)
    assert [tracked_by(ref, "origin") for ref in found] == names
    for ref in found:
        Git(".").run("check-ref-format", ref)
    assert merge({}, {}, {}).side_ref == VERSIONS_REF


def test_the_setting_is_used_by_every_command(hub: Path, tmp_path: Path) -> None:
    alice = make_project(tmp_path / "alice", tmp_path)
    settings = alice.root / ".gitmemo/config.toml"
    settings.write_text(f'{settings.read_text()}\nside_ref = "{BRANCH}"\n')
    alice.git("remote", "add", "origin", str(hub))
    alice.gitmemo("remote", "add", "share", str(tmp_path / "share"))
    alice.run("1")
    alice.commit("results")
    said = alice.process("git", "push", "-qu", "origin", "main").err
    assert "function histories not pushed yet" in said
    assert "function histories sent" in alice.gitmemo("push").out
    assert alice.git("ls-remote", "origin").split()[1::2] == ["HEAD", BRANCH, "refs/heads/main"]
    bob = Clone(tmp_path / "bob", tmp_path)
    alice.git("clone", "-q", str(hub), str(bob.root))
    assert "6 function histories fetched" in bob.gitmemo("pull").out
    assert bob.git("log", "--format=%s", "refs/gitmemo/fn/pipeline/train")
    # The branch that a plain clone brings is no code to look for results in.
    assert len(bob.rows("train", "--rev", "HEAD")) == 1
    assert bob.is_clean()
    settings.write_text(settings.read_text().replace(BRANCH, "refs/heads/a b"))
    done = alice.gitmemo("push", code=2)
    assert "side_ref" in done.err and "fix:" in done.err
