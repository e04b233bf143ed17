"""Random sequences of what people do with git, against the model of what must be there."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from git_life import INPUTS, PATHS, VARIANTS, Life, at
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

BRANCHES = ("Side", "side", "ünï/cödé", "a,b;c", "-".join("long" * 12), "@", "x.y", "HEAD2")
ops = st.sampled_from(tuple(PATHS))
variants = st.sampled_from(VARIANTS)
some_inputs = st.lists(st.sampled_from(INPUTS), min_size=1, max_size=2, unique=True)
numbers = st.integers(0, 5)


class GitLife(RuleBasedStateMachine):
    """One repository, a process that lives on, and somebody at git."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="git-life-"))
        self.life = Life(self.folder)
        self.first = self.life.head()
        self.trees = 0

    # --- results ----------------------------------------------------------

    @rule(inputs=some_inputs)
    def run(self, inputs: list[int]) -> None:
        self.life.run(*inputs)

    @rule(op=ops, variant=variants, inputs=some_inputs)
    def edit_and_run(self, op: str, variant: int, inputs: list[int]) -> None:
        self.life.edit(op, variant)
        self.life.run(*inputs)

    @rule()
    def end_of_process(self) -> None:
        self.life.close()

    # --- commits ----------------------------------------------------------

    @rule(how=st.sampled_from(("all", "path", "amend", "--no-verify", "skip", "libgit2")))
    def commit(self, how: str) -> None:
        life = self.life
        if how == "all":
            life.commit("-a")
        elif how == "path":
            life.commit(PATHS["one"])
            life.commit("-a", "--amend")
        elif how == "amend":
            life.commit("-a", "--amend")
        else:
            life.commit_without_hooks(how)

    @rule(how=st.sampled_from(("editor", "hook")), op=ops)
    def abort(self, how: str, op: str) -> None:
        self.settle()
        self.life.edit(op, (self.life.code[op] + 1) % len(VARIANTS))
        self.life.run(1)
        self.life.abort_commit(how)
        self.life.world()
        self.settle()

    # --- branches ---------------------------------------------------------

    @rule(which=numbers)
    def branch(self, which: int) -> None:
        self.settle()
        new = [name for name in BRANCHES if name not in self.branches()]
        if new:
            self.life.git("switch", "-q", "-c", new[which % len(new)])

    @rule(which=numbers)
    def switch(self, which: int) -> None:
        self.settle()
        self.life.git("switch", "-q", self.other(which))

    @rule(which=numbers)
    def detach(self, which: int) -> None:
        self.settle()
        self.life.git("switch", "-q", "--detach", self.a_commit(which))

    @rule(which=numbers, how=st.sampled_from(("", "--no-ff", "--squash")))
    def merge(self, which: int, how: str) -> None:
        self.settle()
        if how == "--squash":
            self.life.squash(self.other(which))
        else:
            self.life.merge(self.other(which), *filter(None, [how]))

    @precondition(lambda self: not self.life.is_detached)
    @rule(which=numbers, backend=st.sampled_from(("--merge", "--apply")))
    def rebase(self, which: int, backend: str) -> None:
        self.settle()
        self.life.rebase(self.other(which), backend)

    @rule(which=numbers, how=st.sampled_from(("pick", "revert", "mail")))
    def again(self, which: int, how: str) -> None:
        self.settle()
        commit = self.a_commit(which)
        if commit == self.first:
            return
        if how == "mail":
            self.life.mail(commit)
        else:
            self.life.pick(commit, reverted=how == "revert")

    # --- throwing away ----------------------------------------------------

    @rule(which=numbers)
    def reset(self, which: int) -> None:
        self.settle()
        self.life.git("reset", "-q", "--hard", self.a_commit(which))

    @rule(op=ops, variant=variants, clean=st.booleans())
    def stash(self, op: str, variant: int, clean: bool) -> None:
        self.settle()
        self.life.edit(op, variant)
        self.life.run(1)
        if self.life.git("status", "--porcelain"):
            self.life.git("stash", "-q")
            self.life.run(2)
            if clean:
                self.life.git("clean", "-q", "-fdx")
            self.life.git("stash", "pop", "-q")

    @rule()
    def prune(self) -> None:
        """Let git forget what nothing but reflogs reaches."""
        self.settle()
        self.life.git("reflog", "expire", "--expire=all", "--all")
        self.life.git("gc", "-q", "--prune=now")
        self.life.homeless |= self.life.computed

    @rule(op=ops, variant=variants, commits=st.booleans())
    def work_tree(self, op: str, variant: int, commits: bool) -> None:
        self.settle()
        self.trees += 1
        branch = f"tree {self.trees}".replace(" ", "-")
        other = at(self.life, self.life.add_worktree(f"tree {self.trees}", "-b", branch))
        other.edit(op, variant)
        other.run(1, 2)
        other.commit_without_hooks("--no-verify")
        if commits:
            other.commit()
        other.check(runs=False)
        self.life.leave(other)

    # --- what must hold ---------------------------------------------------

    @invariant()
    def holds(self) -> None:
        if self.life.git("status", "--porcelain") == "":
            self.life.check(runs=False)

    def teardown(self) -> None:
        if hasattr(self, "life"):
            try:
                self.life.check_everything()
            finally:
                self.life.close()
                for op in PATHS:
                    sys.modules.pop(f"life_{op}", None)
                shutil.rmtree(self.folder, ignore_errors=True)

    def settle(self) -> None:
        """Commit what lies in the work tree."""
        if self.life.git("status", "--porcelain"):
            self.life.commit("-a")

    def branches(self) -> list[str]:
        return self.life.git("branch", "--format=%(refname:lstrip=2)").splitlines()

    def other(self, which: int) -> str:
        names = [name for name in self.branches() if not name.startswith("(")]
        return names[which % len(names)]

    def a_commit(self, which: int) -> str:
        """Return some commit of any branch that is no merge; the first if there is no other."""
        found = self.life.git("rev-list", "--branches", "--no-merges", "--min-parents=1").split()
        return found[which % len(found)] if found else self.first


IS_DEEP = os.environ.get("GITMEMO_TEST_PROFILE") == "deep"
TestGitLife = GitLife.TestCase
TestGitLife.settings = settings(
    max_examples=100 if IS_DEEP else 4,
    stateful_step_count=40 if IS_DEEP else 12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
