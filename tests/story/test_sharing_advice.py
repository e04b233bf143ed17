"""What the commands that share advise: it names what was asked about, and helps where it is followed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from driver import Clone

from gitmemo.remotes.failures import named

Say = Callable[..., str]

LOOK = (
    "from pipeline import load, storage\nwith storage:\n    print(len(storage.unwrap(load(500))))\n"
)


def test_two_remotes_and_no_default(
    shared: Clone, clone_of: Callable[[Clone | Path, str], Clone], say: Say
) -> None:
    say(shared, "push")
    assert "gitmemo remote default lab" in say(shared, "remote", "add", "cloud", "../cloud")
    shared.git("commit", "-q", "--no-verify", "-m", "Another")
    theirs = clone_of(shared, "colleague")
    refused = theirs.python("-c", LOOK, code=1).err
    assert "no remote was asked, for none is the default: lab, cloud" in refused
    assert "gitmemo remote default NAME" in refused
    for command in (("pull",), ("world", "--remote"), ("status", "-r")):
        assert "gitmemo remote default lab" in say(theirs, *command, code=2)
    assert "gitmemo remote default lab" in say(theirs, "world")
    say(theirs, "remote", "default", "lab")
    assert theirs.python("-c", LOOK).out == "500\n"
    assert "(gitmemo pull -r lab)" in say(theirs, "status", "-r", "lab")


def test_another_revision_is_named(
    shared: Clone, clone_of: Callable[[Clone | Path, str], Clone], say: Say, tmp_path: Path
) -> None:
    shared.process("git", "clone", "-q", "--bare", ".", str(tmp_path / "hub.git"))
    shared.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    say(shared, "push")
    shared.git("switch", "-q", "-c", "exp")
    shared.run("3")
    shared.git("add", "-A")
    shared.gitmemo("commit", "-m", "Try")
    shared.git("switch", "-q", "main")
    assert "1 value (1.9 kB) not pushed yet: gitmemo push --rev exp" in re.sub(
        r"\d\.\d kB", "1.9 kB", shared.process("git", "push", "-q", "origin", "exp").err
    )
    assert "(gitmemo push --rev exp)" in say(shared, "status", "-r", "--rev", "exp")
    assert "sent 1 value" in say(shared, "push", "--rev", "exp")
    assert "gitmemo push\n" not in shared.process("git", "push", "-q", "origin", "main").err

    theirs = clone_of(tmp_path / "hub.git", "colleague")
    assert "not on this machine: gitmemo pull --rev origin/exp" in say(
        theirs, "status", "--rev", "origin/exp"
    )
    assert "(gitmemo pull --rev origin/exp)" in say(
        theirs, "world", "--remote", "--rev", "origin/exp"
    )
    assert "(gitmemo pull --rev origin/exp)" in say(theirs, "fetch", "--rev", "origin/exp")
    assert "(gitmemo pull -r lab --all)" in say(theirs, "fetch", "lab", "--all")
    assert "(gitmemo pull op:load)" in say(theirs, "fetch", "op:load")


def test_what_cannot_be_meant_is_told(shared: Clone, say: Say) -> None:
    assert "-r lab" in say(shared, "pull", "load", "lab", code=2)
    say(shared, "remote", "modify", "lab", "-o", "timeout=5")
    assert "timeout = 5" in say(shared, "remote", "show", "lab")
    for error, advice in (
        (TypeError("AioSession.__init__() got an unexpected keyword argument 'no'"), "--unset no"),
        (NoCredentialsError("Unable to locate credentials"), "AWS_ACCESS_KEY_ID"),
        (TypeError("something else"), "network"),
    ):
        assert advice in str(named("lab", "s3://bucket", error))


class NoCredentialsError(Exception):
    """As botocore's."""


def test_what_a_world_lacks_is_said_without_contradiction(
    shared: Clone, clone_of: Callable[[Clone | Path, str], Clone], say: Say
) -> None:
    say(shared, "push")
    theirs = clone_of(shared, "colleague")
    said = say(theirs, "world")
    assert "here:" not in said, "facts are in it, values are not here"
    assert "gitmemo pull" not in said, "nothing is known to be there yet"
    assert "perhaps on lab, not seen yet: 3 (--remote asks)" in said
    said = say(theirs, "world", "--remote")
    assert "on lab: 3 (gitmemo pull)" in said
    assert "not seen" not in said
