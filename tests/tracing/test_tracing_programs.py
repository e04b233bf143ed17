"""Edits that change a result are noticed, edits that do not are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tracing.tracing_classes
import tracing.tracing_flow
import tracing.tracing_foreign
import tracing.tracing_modules
import tracing.tracing_wrappers  # noqa: F401  each adds its programs
from tracing.tracing_programs import PROGRAMS, Edit, Program
from tracing.tracing_worlds import World, world, write

from gitmemo.model.components import MAIN_PATH, Component
from gitmemo.model.decisions import Decisions
from gitmemo.model.facts import Version
from gitmemo.model.validity import changed
from gitmemo.source.tree import SourceTree
from gitmemo.tracing import Capture, CodeState, Project, Tracker

ALL = pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name.replace(" ", "-"))


def call(it: World, program: Program) -> Any:
    return it.op(*given(it, program))


def given(it: World, program: Program) -> tuple[Any, ...]:
    found: tuple[Any, ...] = eval(program.arguments, it.names)
    return found


def captured(it: World, program: Program, state: CodeState) -> tuple[Any, Capture]:
    arguments = given(it, program)
    with Tracker(state.project, state).capture(it.op, arguments=arguments) as capture:
        result = it.op(*arguments)
    return result, capture


def names(capture: Capture) -> set[str]:
    return {
        str(c).removeprefix("main.py:").removeprefix(f"{MAIN_PATH}:") for c in capture.components
    }


def differing(capture: Capture, program: Program, root: Path, edit: Edit | None) -> list[Component]:
    with world(program, root, edit):
        state = CodeState(Project(root))
        return changed(Version(capture.components), state, Decisions([]))


@ALL
def test_the_edits_are_what_they_claim(program: Program, tmp_path: Path) -> None:
    with world(program, tmp_path / "base") as it:
        base = repr(call(it, program))
    for number, edit in enumerate([*program.noticed, *program.ignored]):
        with world(program, tmp_path / f"edit{number}", edit) as it:
            try:
                result = repr(call(it, program))
            except Exception as error:  # noqa: BLE001 - an error is a result too
                result = repr(error)
        assert (result == base) == (edit in program.ignored), edit


@ALL
def test_a_call_touches_what_it_depends_on(program: Program, tmp_path: Path) -> None:
    with world(program, tmp_path / "plain") as it:
        expected = repr(call(it, program))
    with world(program, tmp_path / "base") as it:
        result, capture = captured(it, program, CodeState(Project(it.root)))
    assert repr(result) == expected
    found = names(capture)
    missing = [w for w in program.touches if not found & set(w.replace("~", " ").split("|"))]
    assert not missing, found
    assert {c.unit for c in capture.mutated} == set(program.mutated)


@ALL
def test_edits_count_as_they_should(program: Program, tmp_path: Path) -> None:
    with world(program, tmp_path / "base") as it:
        _, capture = captured(it, program, CodeState(Project(it.root)))
    assert differing(capture, program, tmp_path / "again", None) == []
    for number, edit in enumerate(program.noticed):
        assert differing(capture, program, tmp_path / f"noticed{number}", edit), edit
    for number, edit in enumerate(program.ignored):
        assert differing(capture, program, tmp_path / f"ignored{number}", edit) == [], edit


@ALL
def test_a_second_call_touches_the_same(program: Program, tmp_path: Path) -> None:
    with world(program, tmp_path / "base") as it:
        state = CodeState(Project(it.root))
        tracker = Tracker(state.project, state)
        found = []
        for _ in range(4):
            arguments = given(it, program)
            with tracker.capture(it.op, arguments=arguments) as capture:
                it.op(*arguments)
            found.append(set(capture.components))
        assert found[2] == found[3] <= found[0]


HANDED_ON = [p for p in PROGRAMS if "near.py:$g" in p.touches]


@pytest.mark.parametrize("program", HANDED_ON, ids=lambda p: p.name.replace(" ", "-"))
def test_files_alone_show_what_is_imported_elsewhere(program: Program, tmp_path: Path) -> None:
    with world(program, tmp_path / "base") as it:
        _, capture = captured(it, program, CodeState(Project(it.root)))
    version = Version(capture.components)
    for edit, expected in ((None, []), (program.noticed[0], [Component("near.py", "$g")])):
        write(program, tmp_path / "base", edit)
        files = SourceTree(lambda path: (tmp_path / "base" / path).read_bytes())
        assert changed(version, files, Decisions([])) == expected
