"""A person at git with results in the repository, and a model of what the results must be.

Not a test. The model never looks at how gitmemo keeps calls. It knows which call was ever
computed, which file of results holds which calls, which commit has which files (by the algebra
of sets that merging files is), and which calls were recorded on which branch since. What ran is
told by its result: no two calls of different code or input return the same.
"""

from __future__ import annotations

import importlib.util
import json
import linecache
import re
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pygit2
from driver import Clone, make_clone

import gitmemo as gm
from gitmemo.counts import counts, counts_of_calls
from gitmemo.workspace import find, look

Fact: TypeAlias = tuple[str, int]
"""An op, and what it returned."""
Files: TypeAlias = frozenset[str]
"""Files of results, by name."""

INPUTS = (1, 2, 3)
VARIANTS = (0, 1, 2)
PATHS = {"one": "löad data.py", "two": "Analysis/fit ß.py"}
TEXT = """\
import gitmemo as gm


@gm.op
def {op}(x):
    return x * 10 + {variant}
"""
FOLDER = ".gitmemo/index"


def merged(base: Files, ours: Files, theirs: Files) -> Files:
    """Return what a three-way merge makes of files that are only added and deleted."""
    return (ours | theirs) - (base - ours) - (base - theirs)


def without_renames(base: Files, ours: Files, theirs: Files) -> tuple[str, ...]:
    """Return the options for git where both sides have deleted a file of results.

    Only reverting brings that about. Git may take a deleted file for renamed to a similar one, and
    then finds a conflict between what either side made of it; see docs/git.md.
    """
    # Until 2.50 the strategy `ort` looks for renames whatever it is told.
    return ("--strategy=recursive", "-X", "no-renames") if base - ours - theirs else ()


class Life:
    """One repository in which results are computed, and the model of it.

    Attributes:
        code: Which variant of each op the work tree holds.
        computed: Every call that ever ran.
        contents: What each file of results holds.
        trees: Which files of results each commit has.
        waiting: The calls that wait for a commit, by the branch or detached commit at which they
            were made or reused; of this work tree.
        perhaps: The same, with calls of which it does not matter.
        homeless: Calls that any world may show: made at detached commits or in work trees that
            are gone, or whose commit git forgot.
    """

    def __init__(self, folder: Path) -> None:
        self.clone = make_clone(folder / "my projéct", folder)
        self.clone.variables = {"GITMEMO_ON_CHANGE": "pending"}
        self.computed: set[Fact] = set()
        self.contents: dict[str, frozenset[Fact]] = {}
        self.trees: dict[str, Files] = {}
        self.waiting: dict[str, set[Fact]] = defaultdict(set)
        self.perhaps: dict[str, set[Fact]] = defaultdict(set)
        self.homeless: set[Fact] = set()
        self._steps = 0
        self._storages: dict[Path, gm.Storage] = {}
        for op in PATHS:
            self.edit(op, 0)
        self.clone.gitmemo("init")
        self.clone.commit("Begin")
        self.trees[self.head()] = self.trees[""] = frozenset()

    # --- what there is ----------------------------------------------------

    def git(self, *arguments: str, **options: Any) -> str:
        """Run git and return its output."""
        return self.clone.git(*arguments, **options)

    def head(self, rev: str = "HEAD") -> str:
        """Return the id of a commit, empty where there is none."""
        return self.git("rev-parse", "--verify", "-q", f"{rev}^{{commit}}", code=None)

    def place(self) -> str:
        """Return the checked-out branch, or the commit."""
        return self.git("symbolic-ref", "-q", "--short", "HEAD", code=None) or self.head()

    @property
    def is_detached(self) -> bool:
        """Whether no branch is checked out."""
        return _is_commit(self.place())

    @property
    def code(self) -> dict[str, int]:
        """Which variant of each op the work tree holds."""
        return {
            op: self._variant_in((self.clone.root / path).read_text("utf-8"))
            for op, path in PATHS.items()
        }

    def _code_in(self, rev: str) -> dict[str, int]:
        """Return which variant of each op a commit has; it may lack one."""
        texts = {op: self.git("show", f"{rev}:{path}", code=None) for op, path in PATHS.items()}
        return {op: self._variant_in(text) for op, text in texts.items() if text}

    def files(self, rev: str = "HEAD") -> Files:
        """Return the names of the files of results that git has in a commit."""
        listing = self.git("ls-tree", "-r", "--name-only", rev, "--", FOLDER)
        return frozenset(Path(path).name for path in listing.splitlines())

    def committed(self, rev: str = "HEAD") -> set[Fact]:
        """Return the calls that a commit has, as the model knows them."""
        return self._facts(self.trees[self.head(rev)])

    def _facts(self, files: Files) -> set[Fact]:
        return {fact for name in files for fact in self.contents[name]}

    def fitting(self) -> set[Fact]:
        """Return what was computed that the code of now would compute again."""
        code = self.code
        return {
            (op, value) for op, value in self.computed if self._code_of(op, value) <= code.items()
        }

    @staticmethod
    def _code_of(op: str, value: int) -> set[tuple[str, int]]:
        """Return what has to be in the code for `value` to be a result of `op`, and its inputs'."""
        own = {(op, value % 10)}
        return own if op == "one" else own | {("one", value // 10 % 10)}

    def pending(self) -> tuple[set[Fact], set[Fact]]:
        """Return which calls must be in the next commit here, and which may be.

        A call that was recorded elsewhere in this work tree, is valid here and in no commit yet
        goes along with any. So may what was recorded at a detached commit, or in a work tree that
        is gone, with what has its commit.
        """
        return self.pending_at(self.trees[self.head()])

    def pending_at(self, files: Files) -> tuple[set[Fact], set[Fact]]:
        """Return the same where these files of results are checked out."""
        must, may = (
            waiting[self.place()] | (set().union(*waiting.values()) & self.fitting())
            for waiting in (self.waiting, self.perhaps)
        )
        committed = self._facts(files)
        return must - committed, (may | self.homeless) - committed

    # --- what people do ---------------------------------------------------

    def edit(self, op: str, variant: int) -> None:
        """Change the code of an op."""
        self.clone.write(PATHS[op], TEXT.format(op=op, variant=variant))

    def message(self) -> str:
        """Return a message that no other commit has."""
        self._steps += 1
        return f"Step {self._steps}"

    def run(self, *inputs: int) -> int:
        """Run both ops, one on the result of the other; return how many calls were computed.

        What was ever computed with this code is not computed again, wherever it is.
        """
        storage, code = self.storage(), self.code
        modules = {op: self._loaded(op) for op in PATHS}
        before = storage.counter.computed
        for x in inputs:
            with storage:
                results = (x * 10 + code["one"], (x * 10 + code["one"]) * 10 + code["two"])
                value: Any = x
                for op, result in zip(PATHS, results, strict=True):
                    ran = storage.counter.computed
                    value = getattr(modules[op], op)(value)
                    assert storage.unwrap(value) == result, f"{op} returned what other code made"
                    ran = storage.counter.computed - ran
                    known = (op, result) in self.computed
                    assert ran == (0 if known else 1), f"{op} -> {result}: {known=}, {ran} computed"
                    self.computed.add((op, result))
                    if (op, result) not in self.committed():
                        self.waiting[self.place()].add((op, result))
                        self.perhaps[self.place()].add((op, result))
                        if self.is_detached:
                            self.homeless.add((op, result))
        return storage.counter.computed - before

    def storage(self) -> gm.Storage:
        """Return this process's storage of the work tree."""
        return self._storages.setdefault(self.clone.root, gm.open(self.clone.root))

    def close(self) -> None:
        """End this process's part: its journals are nobody's then."""
        for storage in self._storages.values():
            storage.close()
        self._storages.clear()

    def commit(self, *arguments: str, keeps: Files | None = None, **options: Any) -> None:
        """Commit with git's own command and our hooks; results go along.

        `keeps` are the files of results of the commit as it would be without new ones; if
        omitted, those of HEAD.
        """
        keeps = self.trees[self.head()] if keeps is None else keeps
        must, may = self.pending()
        self.git("commit", "-q", "--allow-empty", "-m", self.message(), *arguments, **options)
        self.took(keeps, must, may)

    def took(self, keeps: Files, must: set[Fact], may: set[Fact]) -> None:
        """Check what HEAD has beyond `keeps`, and remember it."""
        files = self.files()
        assert keeps <= files, "a commit lost results"
        new = files - keeps
        for name in new:
            held = self._read(name)
            assert self.contents.setdefault(name, held) == held
        found = self._facts(new)
        kept = self._facts(keeps)
        absent = self.code.items() - self._code_in("HEAD").items()
        waits = {fact for fact in must if self._code_of(*fact) & absent}
        left = must - waits - found - kept
        assert not left, f"pending calls are not in the commit: {left}"
        ahead = {(op, value) for op, value in found if (op, value % 10) in absent}
        assert not ahead, f"calls are in a commit without their code: {ahead}"
        assert found <= may | kept, f"calls in the commit are of elsewhere: {found - may}"
        self.trees[self.head()] = files
        self.perhaps[self.place()] -= self.committed()
        self.rests()

    def rests(self) -> None:
        """After a commit: what it has does not wait here any more, nor at detached commits."""
        for place in self.waiting:
            if place == self.place() or _is_commit(place):
                self.waiting[place] -= self.committed()

    def moved(self, files: Files) -> None:
        """Check that HEAD has just these files of results, and remember it."""
        assert self.files() == files, (self._facts(self.files()), self._facts(files))
        self.trees[self.head()] = files

    def commit_without_hooks(self, how: str) -> None:
        """Commit everything by `--no-verify`, by `GITMEMO_SKIP=1`, or with libgit2."""
        files = self.trees[self.head()]
        self.git("add", "-A")
        if how == "libgit2":
            repository = pygit2.Repository(str(self.clone.root))
            person = pygit2.Signature("Tester", "tester@localhost")
            repository.index.read()
            tree = repository.index.write_tree()
            parents = [repository.head.target]
            repository.create_commit("HEAD", person, person, self.message(), tree, parents)
        elif how == "--no-verify":
            self.git("commit", "-q", "--allow-empty", "--no-verify", "-m", self.message())
        else:
            self.git("commit", "-q", "--allow-empty", "-m", self.message(), GITMEMO_SKIP="1")
        self.moved(files)
        self.rests()

    def abort_commit(self, how: str) -> None:
        """Begin a commit that git gives up after our hook; the next command tidies up."""
        before = self.head()
        self.git("add", "-A")
        if how == "editor":
            done = self.clone.process("git", "commit", code=None, GIT_EDITOR="false")
        else:
            hook = self.clone.root / ".git/hooks/commit-msg"
            hook.write_text("#!/bin/sh\nexit 1\n")
            hook.chmod(0o755)
            command = ("git", "commit", "-m", "Refused")
            done = self.clone.process(*command, code=None)
            hook.unlink()
        assert done.code != 0
        assert self.head() == before
        said = self.git("status", "--porcelain").splitlines()
        assert all(line.startswith("AD") for line in said if FOLDER in line)

    def merge(self, other: str, *options: str) -> None:
        """Merge a branch; of code that both changed ours stays."""
        base, ours, theirs = self._three(other)
        renames = without_renames(base, ours, theirs)
        self.do("merge", "-q", "--no-edit", *renames, "-X", "ours", *options, other)
        self.moved(merged(base, ours, theirs))

    def squash(self, other: str) -> None:
        """Merge a branch into one new commit."""
        base, ours, theirs = self._three(other)
        renames = without_renames(base, ours, theirs)
        self.do("merge", "-q", "--squash", *renames, "-X", "ours", other)
        self.commit(keeps=merged(base, ours, theirs))

    def _three(self, other: str) -> tuple[Files, Files, Files]:
        base = self.merge_base("HEAD", other)
        return base, self.trees[self.head()], self.trees[self.head(other)]

    def merge_base(self, a: str, b: str) -> Files:
        """Return the files of what two commits have in common, as git's merge makes it."""
        bases = self.git("merge-base", "--all", a, b, code=None).split()
        if not bases:
            return frozenset()
        found, seen = self.trees[bases[0]], bases[0]
        for other in bases[1:]:
            found = merged(self.merge_base(seen, other), found, self.trees[other])
        return found

    def pick(self, rev: str, *, reverted: bool = False) -> None:
        """Cherry-pick a commit, or revert it."""
        three = self._picked(self.trees[self.head()], rev, reverted=reverted)
        command = ("cherry-pick", "--allow-empty", "--keep-redundant-commits", "-X", "ours")
        if reverted:
            command = ("revert", "--no-edit", "-X", "ours")
        files = merged(*three)
        if not self.try_git(*command, *without_renames(*three), rev):  # nothing is left of it
            self.git(command[0], "--skip", code=None)
            assert files == self.trees[self.head()]
        self.moved(files)

    def _picked(
        self, onto: Files, rev: str, *, reverted: bool = False
    ) -> tuple[Files, Files, Files]:
        """Return what git merges for a pick: base, ours, theirs."""
        parent = self.git("rev-parse", "-q", "--verify", f"{rev}^", code=None)
        before, after = self.trees[parent], self.trees[self.head(rev)]
        return (after, onto, before) if reverted else (before, onto, after)

    def mail(self, rev: str) -> None:
        """Send a commit by mail and apply it here."""
        three = self._picked(self.trees[self.head()], rev)
        before = self.head()
        patch = self.git("format-patch", "--binary", "--always", "-1", "--stdout", rev)
        mailbox = self.clone.root.parent / "a patch.mbox"
        mailbox.write_text(patch + "\n", "utf-8")
        quiet = ("-c", "merge.renames=false")  # three ways, if there is no other
        if self.try_git(*quiet, "am", "-q", "-3", str(mailbox)):
            self.moved(merged(*three))
        else:
            self.git("am", "--abort")
            assert self.head() == before
            self.moved(self.trees[before])

    def rebase(self, upstream: str, backend: str) -> None:
        """Rebase the branch with one of git's two back ends."""
        before, place = self.trees[self.head()], self.place()
        picks = ("rev-list", "--reverse", "--topo-order", "--no-merges", "--cherry-pick")
        commits = self.git(*picks, "--right-only", f"{upstream}...HEAD").split()
        files, renames = self.trees[self.head(upstream)], ()
        for commit in commits:
            three = self._picked(files, commit)
            files, renames = merged(*three), renames or without_renames(*three)
        options = (*renames, "-X", "theirs") if backend == "--merge" else ()
        quiet = ("-c", "merge.renames=false") if renames else ()
        if not self.try_git(*quiet, "rebase", "-q", backend, *options, upstream):
            self.git("rebase", "--abort")
            files = before
        assert self.place() == place
        self.moved(files)

    def try_git(self, *arguments: str) -> bool:
        """Run a command that may stop at a conflict of code, but at none of results."""
        done = self.clone.process("git", *arguments, code=None)
        if done.code:
            conflicts = self.git("diff", "--name-only", "--diff-filter=U", "-z").split("\0")
            assert not [path for path in conflicts if FOLDER in path], done.text
            left = ("empty", "nothing to commit", "CONFLICT", "could not apply", "patch does not")
            assert any(text in done.text for text in (*left, "Patch failed")), done.text
        return not done.code

    def do(self, *arguments: str) -> None:
        """Run a command that meets no conflict."""
        done = self.clone.process("git", *arguments, code=None)
        assert not done.code, done.text

    def add_worktree(self, name: str, *arguments: str) -> Path:
        """Make a linked work tree and return its folder."""
        folder = self.clone.root.parent / name
        self.git("worktree", "add", "-q", str(folder), *arguments)
        return folder

    def leave(self, other: Life) -> None:
        """Remove another work tree; what waited there belongs to the same branches here."""
        self.git("worktree", "remove", str(other.clone.root))
        self.homeless |= set().union(*other.perhaps.values())

    # --- what must hold ---------------------------------------------------

    def check(self, *, runs: bool = True) -> None:
        """Nothing is lost or dirty, and the world is the model's."""
        assert self.git("status", "--porcelain") == ""
        assert self.clone.process("git", "fsck", "--strict", "--no-dangling").text == ""
        assert self.files() == self.trees[self.head()]
        must, may = self.pending()
        world = self.world()
        committed = self.committed()
        assert world >= committed | must, f"not in sight: {(committed | must) - world}"
        assert world <= committed | may, f"of another world: {world - committed - may}"
        if runs:
            self.run(*INPUTS[:2])

    def world(self) -> set[Fact]:
        """Return the calls of the checked-out world, as another process sees them."""
        workspace = find(self.clone.root)
        view = look(self.clone.root)
        assert counts(view) == counts_of_calls(view)
        view.base.close()
        try:
            calls = workspace.world.calls(workspace.code)
            return {
                (call.op.rpartition(":")[2], self._value(call.outputs[0].inline)) for call in calls
            }
        finally:
            workspace.world.close()

    def check_everything(self) -> None:
        """Whatever was computed is reused where its code is checked out."""
        code = self.code
        known = [value for op, value in self.computed if op == "two"]
        for one, two in sorted({(value // 10 % 10, value % 10) for value in known}):
            self.edit("one", one)
            self.edit("two", two)
            inputs = [v // 100 for v in known if (v // 10 % 10, v % 10) == (one, two)]
            assert self.run(*inputs) == 0
        for op, variant in code.items():
            self.edit(op, variant)

    @staticmethod
    def _value(inline: object) -> int:
        found = re.search(r"\d+", str(inline))
        assert found, inline
        return int(found[0])

    def _read(self, name: str) -> frozenset[Fact]:
        (path,) = (self.clone.root / FOLDER).rglob(name)
        lines = map(json.loads, path.read_text("utf-8").splitlines())
        return frozenset(
            (line[1].rpartition(":")[2], line[5][0][1]["v"]) for line in lines if line[0] == "call"
        )

    def _loaded(self, op: str) -> ModuleType:
        linecache.checkcache()
        name = f"life_{op}"
        spec = importlib.util.spec_from_file_location(name, self.clone.root / PATHS[op])
        assert spec is not None and spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @staticmethod
    def _variant_in(text: str) -> int:
        found = re.search(r"10 \+ (\d)", text)
        assert found, text
        return int(found[1])


def _is_commit(place: str) -> bool:
    return re.fullmatch("[0-9a-f]{40}", place) is not None


def at(life: Life, root: Path) -> Life:
    """Return the same life in front of another work tree of the repository."""
    other = object.__new__(Life)
    vars(other).update(vars(life))
    other.clone = Clone(root, life.clone.home, life.clone.variables)
    other.waiting, other.perhaps = defaultdict(set), defaultdict(set)
    return other
