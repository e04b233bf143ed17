"""Values that need trust, after their remote was renamed, moved or removed, and in running programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import Clone

Say = Callable[..., str]

LOOK = """
from pipeline import load, storage, train
from gitmemo.errors import UntrustedValue

with storage:
    model, _ = train(load(500), 1)
try:
    print(len(storage.unwrap(model).weights))
except UntrustedValue as error:
    print(error)
"""
ANSWERED = """
import subprocess, sys
import gitmemo as gm
from pipeline import load, storage, train
from gitmemo.errors import UntrustedValue

with storage:
    model, _ = train(load(500), 1)
shown = gm.open(rev="HEAD")
old = shown.cf("train").df(values="refs")["model"].tolist()[0]
for more in ([], ["--remove"], []):
    for place, ref in ((storage, model), (shown, old)):
        try:
            print(len(place.unwrap(ref).weights))
        except UntrustedValue:
            print("refused")
    subprocess.run([sys.executable, "-m", "gitmemo", "remote", "trust", "lab", *more], check=True,
                   capture_output=True)
print(len(storage.unwrap(model).weights))
"""


@pytest.fixture
def theirs(shared: Clone, clone_of: Callable[[Clone | Path, str], Clone], say: Say) -> Clone:
    """A clone that has pulled everything and trusts nobody."""
    say(shared, "push")
    found = clone_of(shared, "colleague")
    say(found, "pull")
    return found


def looked(clone: Clone) -> str:
    return clone.python("-c", LOOK).out


def test_a_place_is_trusted_under_every_name(shared: Clone, theirs: Clone, say: Say) -> None:
    say(shared, "remote", "rename", "lab", "share")
    shared.git("commit", "-q", "--no-verify", "-m", "Rename")
    theirs.git("pull", "-q")
    refused = looked(theirs)
    assert f"came from the remote 'lab' ({shared.root.parent / 'lab'})" in refused
    assert "gitmemo remote trust share" in refused
    say(theirs, "remote", "trust", "share")
    assert looked(theirs) == "500\n"

    say(shared, "remote", "rename", "share", "lab")
    shared.git("commit", "-q", "--no-verify", "-m", "Rename back")
    theirs.git("pull", "-q")
    assert looked(theirs) == "500\n", "what is trusted is the place"
    assert "trusted" in say(theirs, "remote", "list")
    say(theirs, "remote", "trust", "lab")
    say(theirs, "remote", "trust", "lab", "--remove")
    assert "gitmemo remote trust lab" in looked(theirs), "under no name"
    assert "was not trusted" in say(theirs, "remote", "trust", "lab", "--remove")


def test_a_trusted_remote_renews_what_came_from_elsewhere(theirs: Clone, say: Say) -> None:
    folder = theirs.root.parent
    shutil.copytree(folder / "lab", folder / "moved")
    say(theirs, "remote", "modify", "--local", "lab", "--url", "../moved")
    refused = looked(theirs)
    assert f"the remote 'lab' ({folder / 'lab'})" in refused, (
        "the place, for the name leads elsewhere now"
    )
    assert "gitmemo remote trust NAME" in refused
    say(theirs, "remote", "trust", "lab")
    assert "`gitmemo pull -r lab` fetches it again" in looked(theirs)
    assert json.loads(say(theirs, "pull", "-n", "--json"))["fetch"] == 2
    assert "fetched 2 values" in say(theirs, "pull", "-r", "lab")
    assert looked(theirs) == "500\n"
    assert "fetched 0 values" in say(theirs, "pull")

    say(theirs, "remote", "trust", "lab", "--remove")
    say(theirs, "remote", "modify", "--local", "lab", "--url", "../third")
    say(theirs, "remote", "trust", "lab")
    say(theirs, "push", "load")
    assert "fetched 0 values (0 B), 3 already here" in say(theirs, "pull"), "not missing"


def test_what_is_not_trusted_can_be_computed_again(theirs: Clone, say: Say) -> None:
    theirs.write("look.py", LOOK)
    assert "500" in theirs.gitmemo("run", "--recompute-missing", "look.py").out
    assert looked(theirs) == "500\n"


def test_a_running_program_notices_trust(theirs: Clone) -> None:
    done = theirs.python("-c", ANSWERED)
    assert done.out.split() == ["refused", "refused", "500", "500", "refused", "refused", "500"]


def test_a_pull_says_how_many_values_wait_for_trust(theirs: Clone, say: Say) -> None:
    say(theirs, "pull")
    done = theirs.gitmemo("pull")
    assert "2 values wait for your trust" in done.err and "gitmemo remote trust lab" in done.err
    assert json.loads(say(theirs, "pull", "--json"))["untrusted"] == 2
    say(theirs, "remote", "trust", "lab")
    assert "trust" not in theirs.gitmemo("pull").err


def test_a_pull_that_needs_nothing_warns_of_a_directory_that_is_gone(
    theirs: Clone, say: Say
) -> None:
    say(theirs, "pull")
    shutil.rmtree(theirs.root.parent / "lab")
    done = theirs.gitmemo("pull")
    assert "fetched 0 values" in done.out
    assert "warning: nothing was needed of lab, whose directory is not there" in done.err


def test_a_pull_of_what_is_nowhere_fails_though_the_remote_is_trusted(
    shared: Clone, clone_of: Callable[[Clone | Path, str], Clone], say: Say
) -> None:
    say(shared, "push")
    theirs = clone_of(shared, "colleague")
    lab = theirs.root.parent / "lab"
    for path in (*lab.rglob("*.pack"), *lab.rglob("*.idx"), *lab.rglob("*.cat")):
        path.unlink()
    say(theirs, "remote", "trust", "lab")
    done = theirs.gitmemo("pull", code=4)
    assert "0 already here" in done.text and "not on lab" in done.text
