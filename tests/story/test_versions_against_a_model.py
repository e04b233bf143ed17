"""Edits, runs, decisions, reverts, branches and merges, against a model of what must be reused.

The model is a list of what was computed and a set of what was decided. It never sees how
gitmemo looks calls up; gitmemo must neither reuse what the model does not allow, nor compute
what the model has.
"""

from __future__ import annotations

import importlib.util
import linecache
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from driver import Clone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import gitmemo as gm
from gitmemo.changes.change import Change
from gitmemo.changes.deciding import facts_of
from gitmemo.hashing.digest import Digest
from gitmemo.model.components import Component
from gitmemo.model.facts import Decision, Verdict
from gitmemo.source.tree import SourceTree

MODULE = "code_of_many_versions"
PATH = f"{MODULE}.py"
TEXT = """\
import gitmemo as gm

SCALE = {SCALE}


def left(x):
    return x + {left}


def right(x):
    return x * 7 + {right}


def pick(x):
    return left(x) if x % 2 else right(x) + {pick}


@gm.op
def one(x):
    return left(x) * 1000 + {one}


@gm.op
def two(x):
    return pick(x) * (SCALE + 3) + {two}


@gm.op
def three(x):
    return one(x) * 11 + right(x) + {three}
"""
UNITS = {"SCALE": "$SCALE"} | {
    name: name for name in ("left", "right", "pick", "one", "two", "three")
}
NAMES = tuple(UNITS)
VARIANTS = (0, 1, 2)
ALL_CALLS = [(op, x) for op in ("one", "two", "three") for x in (1, 2)]

names = st.sampled_from(NAMES)
variants = st.sampled_from(VARIANTS)
inputs = st.sampled_from((1, 2))


def text_of(code: dict[str, int]) -> str:
    return TEXT.format(**code)


def code_in(text: str) -> dict[str, int]:
    """Return which variant of each piece a text holds."""
    pattern = re.escape(TEXT)
    for name in NAMES:
        pattern = pattern.replace(re.escape("{" + name + "}"), rf"(?P<{name}>\d)")
    found = re.fullmatch(pattern, text)
    assert found, text
    return {name: int(value) for name, value in found.groupdict().items()}


def _variant_of_ids() -> dict[tuple[str, Digest], int]:
    """Return which variant each content id stands for, read from the texts."""
    found = {}
    for variant in VARIANTS:
        text = text_of(dict.fromkeys(NAMES, variant)).encode()
        tree = SourceTree({PATH: text}.get)
        for name, unit in UNITS.items():
            content = tree.current(Component(PATH, unit))
            assert content is not None
            found[name, content.source] = variant
    return found


VARIANT_OF = _variant_of_ids()
SOURCE_OF = {(name, variant): source for (name, source), variant in VARIANT_OF.items()}


def touched(op: str, x: int) -> set[str]:
    """Return the pieces of code that a call of `op` touches."""
    if op == "one":
        return {"one", "left"}
    if op == "two":
        return {"two", "pick", "SCALE", "left" if x % 2 else "right"}
    return {"three", "one", "left", "right"}


def result(op: str, x: int, code: dict[str, int], inner: int = 0) -> int:
    """Return what the body of `op` returns; `inner` is what its call of `one` returned."""
    left, right = x + code["left"], x * 7 + code["right"]
    if op == "one":
        return left * 1000 + code["one"]
    if op == "two":
        picked = left if x % 2 else right + code["pick"]
        return picked * (code["SCALE"] + 3) + code["two"]
    return inner * 11 + right + code["three"]


@dataclass(frozen=True)
class Computed:
    """A call that ran, with the variants that it touched."""

    op: str
    x: int
    code: frozenset[tuple[str, int]]
    value: int


class Classes:
    """The equivalence that decisions make between the variants of one piece of code."""

    def __init__(self, decisions: list[Decision]) -> None:
        joined = [{variant} for variant in VARIANTS]
        for decision in decisions:
            if decision.verdict is Verdict.NON_BREAKING:
                pair = self._variants(decision)
                merged = set().union(*(group for group in joined if group & pair))
                joined = [group for group in joined if not group & pair] + [merged]
        contested = [
            group
            for group in joined
            for decision in decisions
            if decision.verdict is Verdict.BREAKING and self._variants(decision) <= group
        ]
        self.groups = [group for group in joined if group not in contested]

    @staticmethod
    def _variants(decision: Decision) -> set[int]:
        name = decision.component.unit.removeprefix("$")
        return {VARIANT_OF[name, decision.old], VARIANT_OF[name, decision.new]}

    def same(self, a: int, b: int) -> bool:
        return a == b or any({a, b} <= group for group in self.groups)


class Projects(RuleBasedStateMachine):
    """One repository, one process that never ends, and somebody at git."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="versions-"))
        self.clone = Clone(
            self.folder / "work",
            self.folder,
            {"GITMEMO_ON_CHANGE": "pending", "GIT_EDITOR": "true"},
        )
        self.clone.root.mkdir()
        self.clone.git("init", "-q", "-b", "main")
        self.clone.git("config", "user.email", "me@example.org")
        self.clone.git("config", "user.name", "Me")
        self.clone.gitmemo("init")
        self.code = dict.fromkeys(NAMES, 0)
        self.write()
        self.clone.commit("Begin")
        self.storage = gm.open(self.clone.root)
        self.branch = "main"
        self.branches = {"main"}
        self.said: dict[str, set[Digest]] = {"main": set()}
        self.computed: list[Computed] = []
        self.commits: list[str] = [self.clone.git("rev-parse", "HEAD")]
        self.steps = 0
        self.ran = False

    def write(self) -> None:
        self.clone.write(PATH, text_of(self.code))

    # --- what people do ---------------------------------------------------

    @rule(name=names, variant=variants)
    def edit(self, name: str, variant: int) -> None:
        self.code[name] = variant
        self.write()

    @rule(calls=st.lists(st.tuples(st.sampled_from(("one", "two", "three")), inputs), min_size=1))
    def run(self, calls: list[tuple[str, int]]) -> None:
        self.ran = True
        module = self.loaded()
        with self.storage:
            classes = self.classes()
            for op, x in calls:
                self.call(module, classes, op, x)

    @rule(name=names, variant=variants, verdict=st.sampled_from([*Verdict, None]))
    def edit_and_run(self, name: str, variant: int, verdict: Verdict | None) -> None:
        """Do what people do all day: run, edit, perhaps say what the edit means, run again."""
        self.run(ALL_CALLS)
        before = self.code[name]
        self.edit(name, variant)
        if verdict is not None:
            self.decide(name, before, variant, verdict)
        self.run(ALL_CALLS)

    @rule(name=names, a=variants, b=variants, verdict=st.sampled_from(Verdict))
    def decide(self, name: str, a: int, b: int, verdict: Verdict) -> None:
        if a == b:
            return
        component = Component(PATH, UNITS[name])
        old, new = SOURCE_OF[name, a], SOURCE_OF[name, b]
        change = Change(component, old, new, "", f"variant {b}", new, ())
        world = self.storage.world
        world.enter()
        world.record(list(facts_of(world, change, verdict)))
        world.enter()
        self.said[self.branch] |= {
            record for record, fact in world.statements() if isinstance(fact, Decision)
        }

    @precondition(lambda self: self.ran)
    @rule()
    def commit(self) -> None:
        self.ran = False
        self.steps += 1
        self.clone.git("add", "-A")
        self.clone.git("commit", "-q", "--allow-empty", "-m", f"Step {self.steps}")
        self.commits.append(self.clone.git("rev-parse", "HEAD"))

    @precondition(lambda self: len(self.commits) > 1)
    @rule(which=st.integers(0, 5))
    def restore(self, which: int) -> None:
        """Take the code of an old commit, but stay on the branch."""
        old = self.commits[which % len(self.commits)]
        self.clone.git("checkout", "-q", old, "--", PATH)
        self.read()
        self.run(ALL_CALLS)

    @precondition(lambda self: len(self.branches) < 3)
    @rule()
    def make_branch(self) -> None:
        self.commit()
        new = f"side-{len(self.branches)}"
        self.clone.git("checkout", "-q", "-b", new)
        self.branches.add(new)
        self.said[new] = set(self.said[self.branch])
        self.branch = new

    @precondition(lambda self: len(self.branches) > 1)
    @rule(which=st.integers(0, 1))
    def switch(self, which: int) -> None:
        self.commit()
        self.branch = self.other_branch(which)
        self.clone.git("checkout", "-q", self.branch)
        self.read()
        self.run(ALL_CALLS)

    @precondition(lambda self: len(self.branches) > 1)
    @rule(which=st.integers(0, 1))
    def merge(self, which: int) -> None:
        self.commit()
        other = self.other_branch(which)
        self.clone.git("merge", "-q", "-X", "ours", "--no-edit", other)
        self.said[self.branch] |= self.said[other]
        self.read()
        self.run(ALL_CALLS)

    def other_branch(self, which: int) -> str:
        others = sorted(self.branches - {self.branch})
        return others[which % len(others)]

    # --- what must hold ---------------------------------------------------

    def call(self, module: ModuleType, classes: dict[str, Classes], op: str, x: int) -> None:
        fitting = self.fitting(classes, op, x)
        inner = self.fitting(classes, "one", x) if op == "three" else []
        before = self.storage.counter.computed
        ref = getattr(module, op)(x)
        value: Any = self.storage.unwrap(ref)
        ran = self.storage.counter.computed - before
        if fitting:
            assert ran == 0, f"{op}({x}) was computed again"
            assert value in {known.value for known in fitting}, f"{op}({x}) is of other code"
            return
        assert ran == (1 if op != "three" or inner else 2), f"{op}({x}): {ran} computed"
        if op == "three" and not inner:
            one = self.storage.unwrap(module.one(x))
            assert one == result("one", x, self.code)
            self.computed.append(self.as_stored(module.one(x), classes, "one", x, one))
            inner = self.computed[-1:]
        possible = {result(op, x, self.code, known.value) for known in inner} or {
            result(op, x, self.code)
        }
        assert value in possible
        self.computed.append(self.as_stored(ref, classes, op, x, value))

    def fitting(self, classes: dict[str, Classes], op: str, x: int) -> list[Computed]:
        """Return what was computed and may stand for a call now."""
        return [
            known
            for known in self.computed
            if (known.op, known.x) == (op, x)
            and all(classes[name].same(variant, self.code[name]) for name, variant in known.code)
        ]

    def as_stored(
        self, ref: Any, classes: dict[str, Classes], op: str, x: int, value: int
    ) -> Computed:
        """Return what the record of a call that ran says, if that is what it should say."""
        world = self.storage.world
        call = world.creator(ref._hid)
        assert call is not None and call.version is not None
        version = world.version(call.version)
        assert version is not None
        code = {
            component.unit.removeprefix("$"): VARIANT_OF[
                component.unit.removeprefix("$"), content.source
            ]
            for component, content in version.pairs.items()
        }
        assert set(code) == touched(op, x)
        for name, variant in code.items():
            assert classes[name].same(variant, self.code[name])
        return Computed(op, x, frozenset(code.items()), value)

    def classes(self) -> dict[str, Classes]:
        """Return what is decided here: nothing that nobody said, and all that was said here."""
        statements = dict(self.storage.world.statements())
        everything = set().union(*self.said.values())
        assert self.said[self.branch] <= statements.keys() <= everything
        replaced = {other for fact in statements.values() for other in fact.supersedes}
        current = [
            fact
            for record, fact in statements.items()
            if record not in replaced and isinstance(fact, Decision)
        ]
        return {
            name: Classes([fact for fact in current if fact.component.unit == unit])
            for name, unit in UNITS.items()
        }

    @invariant()
    def running_never_touches_the_tree(self) -> None:
        listing = (
            self.clone.git("status", "--porcelain").splitlines() if self.steps % 5 == 4 else []
        )
        assert all(line.endswith(PATH) for line in listing), listing

    def loaded(self) -> ModuleType:
        """Return the code of now, imported anew as a fresh process would."""
        linecache.checkcache()
        spec = importlib.util.spec_from_file_location(MODULE, self.clone.root / PATH)
        assert spec is not None and spec.loader is not None
        module = sys.modules[MODULE] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def read(self) -> None:
        self.code = code_in((self.clone.root / PATH).read_text("utf-8"))

    def teardown(self) -> None:
        if hasattr(self, "storage"):
            self.storage.close()
            sys.modules.pop(MODULE, None)
            shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody's policy counts in this process, and Python keeps no bytecode of the same second."""
    monkeypatch.delenv("GITMEMO_ON_CHANGE", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield


IS_DEEP = os.environ.get("GITMEMO_TEST_PROFILE") == "deep"
TestProjects = Projects.TestCase
TestProjects.settings = settings(
    max_examples=60 if IS_DEEP else 3,
    stateful_step_count=40 if IS_DEEP else 16,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
