"""The whole way through, with real git: run, commit, change, travel back, share, merge."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import GITMEMO, PIPELINE, Clone, environment, identify, make_clone

CloneOf = Callable[[Clone | Path, str], Clone]


def bare_origin(clone: Clone, tmp_path: Path) -> Path:
    origin = tmp_path / "origin.git"
    clone.git("init", "-q", "--bare", "-b", "main", str(origin))
    clone.git("remote", "add", "origin", str(origin))
    return origin


def test_results_are_committed_with_the_code_and_come_back_with_it(begun: Clone) -> None:
    assert begun.run() == (0, 5)
    assert begun.is_clean(), "running a script must not make the work tree dirty"
    assert begun.run() == (5, 0)
    first = begun.python("pipeline.py").out
    assert begun.status()["pending"] == 5

    begun.write("notes.txt", "first\n")
    assert "5 calls in this commit" in begun.commit("First")
    assert begun.is_clean()
    assert begun.calls_in() == 5
    assert begun.status()["pending"] == 0

    begun.change("value * 2", "value * 3")
    assert begun.run() == (1, 4)
    assert "helper.py:scale changed (breaking)" in begun.commit(
        "Second", GITMEMO_ON_CHANGE="breaking"
    )
    assert begun.is_clean()
    assert begun.calls_in() == 9

    begun.git("checkout", "-q", "HEAD~1")
    assert begun.run() == (5, 0)
    assert begun.python("pipeline.py").out == first
    assert begun.is_clean()
    begun.git("checkout", "-q", "main")
    assert begun.run() == (5, 0)
    assert begun.python("pipeline.py").out != first
    assert begun.is_clean()


def test_a_non_breaking_change_keeps_the_results(committed: Clone) -> None:
    committed.change("return value * 2", "doubled = value * 2\n    return doubled")
    committed.commit("Rename", GITMEMO_ON_CHANGE="non-breaking")
    assert committed.run() == (5, 0)
    committed.git("checkout", "-q", "HEAD~1")
    assert committed.run() == (5, 0)


def test_an_edit_that_changes_no_code_costs_nothing(committed: Clone) -> None:
    committed.change("def scale(value):", "def scale(value):\n    # twice\n    ")
    assert committed.run() == (5, 0)
    assert "changed" not in committed.commit("Comment")
    assert committed.run() == (5, 0)


def test_python_and_gitmemo_run_share_their_results(begun: Clone) -> None:
    begun.python("pipeline.py")
    assert begun.run() == (5, 0)
    begun.python("-m", "pipeline")
    assert begun.status()["calls"] == 5


def test_two_clones_share_through_a_folder(
    committed: Clone, clone_of: CloneOf, tmp_path: Path
) -> None:
    origin = bare_origin(committed, tmp_path)
    said = committed.gitmemo("remote", "add", "lab", "../lab").out
    assert "lab" in said
    assert committed.git("diff", "--cached", "--name-only") == ".gitmemo/config.toml"
    committed.git("commit", "-q", "-m", "Share")
    committed.git("push", "-q", "-u", "origin", "main")
    pushed = committed.gitmemo("push")
    assert "lab: sent 3 values" in pushed.out
    assert "nothing to send" in committed.gitmemo("push").out

    theirs = clone_of(origin, "colleague")
    assert theirs.is_clean(), "init in a clone of an initialised project changes nothing"
    missing = theirs.status()
    assert missing["calls"] == 5
    assert missing["missing_values"] == 3
    # Scalars are in the committed index: they need no remote.
    assert sorted(row["loss"] for row in theirs.rows("train")) == [249500, 499000]

    pulled = theirs.gitmemo("pull")
    assert "lab: fetched 3 values" in pulled.out
    assert theirs.git("for-each-ref", "refs/gitmemo/versions")
    assert theirs.status()["missing_values"] == 0
    # Results are there, so nothing is computed and nothing unpickled.
    assert theirs.run() == (5, 0)
    assert theirs.is_clean()

    # A new call needs a model; before trust, nothing of it may be unpickled.
    theirs.write("use.py", USE)
    refused = theirs.gitmemo("run", "use.py", code=6)
    assert "remote trust lab" in refused.err
    assert "Traceback" not in refused.err
    theirs.gitmemo("remote", "trust", "lab")
    assert theirs.gitmemo("run", "use.py").out == "1000\n"
    assert "trust" not in (theirs.root / ".gitmemo/config.toml").read_text()
    theirs.gitmemo("remote", "trust", "lab", "--remove")
    theirs.gitmemo("run", "use.py", code=6)


USE = """\
import gitmemo as gm
from pipeline import load, train

storage = gm.open()
with storage:
    model, _ = train(load(500), 2)
    print(len(storage.unwrap(model).weights) * 2)
"""


def test_push_and_pull_say_what_they_did_in_words(
    committed: Clone, clone_of: CloneOf, tmp_path: Path
) -> None:
    origin = bare_origin(committed, tmp_path)
    committed.gitmemo("remote", "add", "lab", "../lab")
    committed.commit("Share")
    committed.git("push", "-q", "-u", "origin", "main")
    theirs = clone_of(origin, "colleague")
    for said in (committed.gitmemo("push").text, theirs.gitmemo("pull").text):
        assert "origin" in said
        assert "Report(" not in said
        assert "Component(" not in said


def test_trust_ends_when_the_remote_moves(committed: Clone) -> None:
    committed.gitmemo("remote", "add", "lab", "../lab")
    committed.gitmemo("remote", "trust", "lab")
    assert '"trusted": true' in committed.gitmemo("remote", "list", "--json").out
    committed.change("../lab", "../elsewhere", ".gitmemo/config.toml")
    assert '"trusted": false' in committed.gitmemo("remote", "list", "--json").out


def test_branches_that_each_add_results_merge_without_conflict(
    committed: Clone, clone_of: CloneOf, tmp_path: Path
) -> None:
    import pygit2

    origin = bare_origin(committed, tmp_path)
    committed.git("push", "-q", "-u", "origin", "main")
    theirs = clone_of(origin, "colleague")

    committed.git("checkout", "-q", "-b", "ours")
    assert committed.run("3") == (1, 2)
    committed.gitmemo("commit", "-m", "Ours")
    committed.git("push", "-q", "origin", "ours")
    theirs.git("checkout", "-q", "-b", "theirs")
    theirs.change("500", "400", "pipeline.py")  # their clone has the records, not the bytes
    assert theirs.run("4") == (0, 3)
    theirs.git("checkout", "-q", "pipeline.py")
    theirs.gitmemo("commit", "-m", "Theirs")
    theirs.git("push", "-q", "origin", "theirs")

    committed.git("fetch", "-q")
    repository = pygit2.Repository(str(committed.root))
    ours, other = (
        repository.references[name].peel(pygit2.Commit)
        for name in ("refs/heads/ours", "refs/remotes/origin/theirs")
    )
    merged = repository.merge_commits(ours, other)
    assert not list(merged.conflicts or ())

    committed.git("merge", "-q", "--no-edit", "origin/theirs")
    assert str(merged.write_tree(repository)) == committed.git("rev-parse", "HEAD^{tree}")
    assert committed.is_clean()
    rates = {row["rate"] for row in committed.rows("train")}
    assert rates == {1, 2, 3, 4}
    assert committed.run("1", "2", "3") == (7, 0)
    assert committed.gitmemo("verify").code == 0


def test_two_results_for_one_call_are_told_apart_the_same_way_everywhere(
    begun: Clone, clone_of: CloneOf
) -> None:
    begun.write(
        "odd.py",
        "import os\nimport gitmemo as gm\nstorage = gm.open()\n\n\n@gm.op\ndef odd(n):\n"
        "    return os.environ['ODD']\n\n\nwith storage:\n    print(storage.unwrap(odd(1)))\n",
    )
    begun.commit("Odd")
    clones = [clone_of(begun, name) for name in "abcd"]
    for number, clone in enumerate(clones):
        clone.gitmemo("run", "odd.py", ODD=str(number))
        clone.gitmemo("commit")
    first = clones[0]
    for other in clones[1:]:
        first.git("pull", "-q", "--no-rebase", "--no-edit", str(other.root), "main")
    chosen = first.gitmemo("run", "odd.py", ODD="never").out.strip()
    assert [row["odd"] for row in first.rows("odd")] == [chosen], "tables show what is reused"


def test_a_clone_without_a_remote_lists_scalar_results(committed: Clone, clone_of: CloneOf) -> None:
    theirs = clone_of(committed, "colleague")
    theirs.git("remote", "remove", "origin")
    rows = theirs.rows("evaluate")
    assert sorted((row["rate"], row["evaluate"]) for row in rows) == [(1, 501), (2, 502)]
    assert "502" in theirs.gitmemo("df", "evaluate").out
    assert theirs.gitmemo("push", code=None).code != 0, "there are values and nowhere to send them"


def test_values_that_are_nowhere_are_computed_again(committed: Clone, clone_of: CloneOf) -> None:
    theirs = clone_of(committed, "colleague")
    reused, computed = theirs.run("4")
    assert (reused, computed) == (1, 3), "`load` is recorded, but `train` needs its bytes"
    assert theirs.run("4") == (3, 0)


def test_a_function_changed_three_times_has_a_history_that_git_reads(committed: Clone) -> None:
    for number, (old, new, verdict) in enumerate(
        (
            ("value * 2", "value * 3", "breaking"),
            ("value * 3", "3 * value", "non-breaking"),
            ("3 * value", "3 * value + 1", "breaking"),
        )
    ):
        committed.change(old, new)
        if verdict == "breaking":
            committed.run("1")
        committed.commit(f"Change {number}", GITMEMO_ON_CHANGE=verdict)
    log = committed.git("log", "-p", "--format=commit %s%n%b", "refs/gitmemo/fn/helper/scale")
    for old, new in (
        ("value * 2", "value * 3"),
        ("value * 3", "3 * value"),
        ("3 * value", "3 * value + 1"),
    ):
        assert f"-    return {old}\n+    return {new}\n" in log
    said = committed.git("log", "--reverse", "--format=%s", "refs/gitmemo/fn/helper/scale")
    decisions = [line for line in said.splitlines() if "breaking" in line]
    assert [line.split(":")[0] for line in decisions] == ["breaking", "non-breaking", "breaking"]
    assert committed.git("fsck", "--strict", "--no-dangling") == ""
    shown = committed.gitmemo("log", "train", "-p").out
    assert shown.count("+    return") >= 3
    assert "non-breaking" in shown


def test_a_detached_head_works(committed: Clone) -> None:
    committed.git("checkout", "-q", "--detach")
    assert committed.run("5") == (1, 2)
    assert committed.is_clean()
    assert committed.status()["pending"] == 2
    assert committed.run("5") == (3, 0)
    committed.gitmemo("commit", "-m", "Detached")
    assert committed.calls_in() == 7
    assert committed.is_clean()


def test_an_unborn_head_works(tmp_path: Path, template_home: Path) -> None:
    clone = make_clone(tmp_path / "nëw one", template_home)
    clone.write("helper.py", "class Model:\n    pass\n\n\ndef scale(value):\n    return value\n")
    clone.write("pipeline.py", PIPELINE.replace("Model(weights)", "sum(weights)").replace(
        "len(model.weights)", "model"
    ))  # fmt: skip
    clone.write(".gitignore", "__pycache__/\n")
    clone.gitmemo("init")
    before = clone.git("status", "--porcelain")
    assert clone.run() == (0, 5)
    assert clone.git("status", "--porcelain") == before
    assert clone.run() == (5, 0)
    assert len(clone.rows("evaluate")) == 2
    assert "5 calls in this commit" in clone.commit("Begin")
    assert clone.calls_in() == 5
    assert clone.is_clean()


def test_a_run_in_a_subfolder_belongs_to_the_same_project(committed: Clone) -> None:
    folder = committed.root / "säb folder"
    folder.mkdir()
    done = committed.gitmemo("run", "../pipeline.py", cwd=folder)
    assert done.counted == (5, 0)


def test_calls_of_another_branch_are_found_and_adopted(committed: Clone) -> None:
    committed.git("checkout", "-q", "-b", "side")
    committed.run("7")
    committed.gitmemo("commit", "-m", "Side")
    committed.git("checkout", "-q", "main")
    assert committed.run("7") == (3, 0)
    committed.gitmemo("commit", "-m", "Main has them too")
    rates = {row["rate"] for row in committed.rows("train", "--rev", "main")}
    assert rates == {1, 2, 7}


def test_deleting_what_is_derived_loses_nothing(committed: Clone) -> None:
    committed.run("8")
    private = committed.root / ".git/gitmemo"
    for name in (
        "index.db",
        "index.db-wal",
        "index.db-shm",
        "versions.cache",
        "blobs/verified.jsonl",
    ):
        (private / name).unlink(missing_ok=True)
    assert committed.run("1", "2", "8") == (7, 0)
    assert committed.status()["pending"] == 2


def test_a_stash_a_reset_and_a_clean_lose_no_call(committed: Clone) -> None:
    committed.run("9")
    committed.change("value * 2", "value * 5")
    committed.git("stash", "-q")
    assert committed.run("9") == (3, 0)
    committed.git("stash", "drop", "-q")
    committed.git("clean", "-q", "-fdx")
    committed.git("reset", "-q", "--hard", "HEAD~1")
    assert committed.run("1", "2", "9") == (7, 0)


def test_a_rebase_keeps_results(committed: Clone) -> None:
    committed.git("checkout", "-q", "-b", "side", "HEAD~1")
    committed.run("3")
    committed.gitmemo("commit", "-m", "Side")
    committed.git("rebase", "-q", "main")
    assert committed.is_clean()
    assert committed.run("1", "2", "3") == (7, 0)
    assert committed.status()["pending"] == 0


@pytest.mark.parametrize("how", ["amend", "reset"])
def test_calls_of_a_commit_that_was_taken_back_are_still_known(committed: Clone, how: str) -> None:
    committed.run("3")
    committed.gitmemo("commit", "-m", "Third")
    if how == "amend":
        committed.git("commit", "-q", "--amend", "-m", "Third, again")
        assert committed.calls_in() == 7
    else:
        committed.git("reset", "-q", "--hard", "HEAD~1")
    assert committed.run("3") == (3, 0)
    committed.gitmemo("commit", "-m", "Once more", code=1 if how == "amend" else 0)
    assert committed.calls_in() == 7


def test_the_demo_is_true_without_a_home_or_a_terminal(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [*GITMEMO, "demo", str(tmp_path / "the démo")],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# Done. Explore: cd" in done.stdout
    assert str(tmp_path / "the démo") in done.stdout
    assert list(home.iterdir()) == []
    clone = Clone(tmp_path / "the démo/project", home)
    assert clone.is_clean()
    rows = json.loads(
        "[" + ",".join(clone.gitmemo("df", "evaluate", "--json").out.splitlines()) + "]"
    )
    assert len(rows) == 6
    again = clone.process(*GITMEMO, "demo", str(tmp_path / "the démo"), code=2)
    assert "not empty" in again.err


def test_the_format_can_be_read_without_gitmemo(committed: Clone) -> None:
    reader = """
import json, subprocess
paths = subprocess.run(["git", "ls-tree", "-rz", "--name-only", "HEAD", ".gitmemo/index/1"],
                       capture_output=True, text=True, check=True).stdout.split("\\0")
for path in filter(None, paths):
    text = subprocess.run(["git", "show", "HEAD:" + path], capture_output=True, text=True).stdout
    for line in text.splitlines():
        record = json.loads(line)
        if record[0] == "call" and record[1].endswith(":train"):
            print(dict((name, value) for name, value, *_ in record[5])["loss"]["v"])
"""
    out = committed.process(sys.executable, "-I", "-c", reader).out
    assert sorted(map(int, out.split())) == [249500, 499000]


def test_a_shallow_clone_works(committed: Clone, tmp_path: Path) -> None:
    home = tmp_path / "h"
    home.mkdir()
    theirs = Clone(tmp_path / "shallow", home)
    url = committed.root.as_uri()
    theirs.process("git", "clone", "-q", "--depth", "1", url, str(theirs.root), cwd=tmp_path)
    identify(theirs)
    theirs.gitmemo("init")
    assert len(theirs.rows("train")) == 2
    assert theirs.run("1")[0] >= 1
