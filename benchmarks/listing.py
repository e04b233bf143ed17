"""How long it takes to list many versions: 10,000 contents of 1,000 functions.

Not how they come about: the facts are made up, and written in bulk, into one database file (`listing`) and
into the segments of a repository (`versions`). CPU time.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.amounts import scaled
from benchmarks.peers import REPOSITORY, open_tool, prepare
from benchmarks.rows import show
from benchmarks.timing import Action, Row, cpu_in_turn, figure
from gitmemo.hashing.digest import digest
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import Call, Fact, JsonValue, Source, Text, Version
from gitmemo.model.lines import record_id, to_line
from gitmemo.model.validity import NoCode
from gitmemo.source.tree import SourceTree
from gitmemo.versions.contents import module_name
from gitmemo.versions.listing import Shape, summaries, versions_of
from gitmemo.world.segments import build_segment
from gitmemo.world.standalone import StandaloneWorld

FUNCTIONS, EACH = scaled(1000), 10
_PER_FILE = 20
_SEGMENTS, _ROUNDS = 20, 15
_BARE = "bare: all lines as JSON"


def facts() -> list[Fact]:
    """Return the facts of functions that were each edited nine times; each calls two shared ones."""
    found: list[Fact] = []
    known: dict[Component, Source] = {}
    for edit in range(EACH):
        for number in range(FUNCTIONS):
            path = f"package/module_{number // _PER_FILE}.py"
            pairs = {}
            for unit, age in ((f"f{number}", edit), ("shared", edit // 3), ("$LIMIT", 0)):
                text = f"def {unit}(x):\n    return x + {age}\n"
                if unit.startswith("$"):
                    text = f"{unit[1:]} = 10\n"
                source = digest(f"{path}{text}".encode())
                component = Component(path, unit)
                pairs[component] = Content(source, digest(b"value"))
                before = known.get(component)
                if before is None or before.source != source:
                    parents = () if before is None else (record_id(to_line(before)),)
                    known[component] = Source(component, source, digest(text.encode()), parents)
                    found += [Text(text), known[component]]
            version = Version(pairs)
            run: dict[str, JsonValue] = {
                "start": f"2026-01-01T00:00:{edit:02d}.000Z",
                "seconds": 0.25,
            }
            op = f"{module_name(path)}:f{number}"
            found += [version, Call(op, 0, version.id, (), (), (), run)]
    return found


def file_of(path: str) -> bytes:
    """Return one of the files as it is now: the last edit of each function."""
    number = int(path.removesuffix(".py").rpartition("_")[2])
    names = range(number * _PER_FILE, (number + 1) * _PER_FILE)
    functions = [f"def f{n}(x):\n    return x + {EACH - 1}\n" for n in names]
    return "\n\n".join(["LIMIT = 10\n", "def shared(x):\n    return x + 3\n", *functions]).encode()


def listing(_: int, group: str) -> None:
    """List all ops, and the versions of one, of a file: first, and with a warm cache."""
    for what, taken in _listed().items():
        name = f"listing-{what.replace(', ', '-').replace(' ', '-')}"
        title = f"{FUNCTIONS} functions, {FUNCTIONS * EACH} versions: {what} (CPU)"
        show(Row(name, title, [figure(REPOSITORY, [taken])], group=group))


def _listed() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "versions.db"
        world = StandaloneWorld(path)
        world.record(facts())
        world.close()
        found: dict[str, float] = {}
        for when in ("first", "again"):
            world = StandaloneWorld(path)
            for name, code in (("no code", NoCode()), ("files", SourceTree(file_of))):
                started = time.process_time()
                listed = summaries(world, code)
                found[f"all ops, {name}, {when}"] = (time.process_time() - started) * 1e6
                assert sum(one.contents for one in listed) == FUNCTIONS * EACH
            started = time.process_time()
            shown = versions_of(world, listed[0].op, code, Shape(module_name))
            found[f"one op, {when}"] = (time.process_time() - started) * 1e6
            assert len(shown) == EACH
            world.close()
    return found


def versions(_: int, group: str) -> None:
    """Read them into a repository's index, and then all contents and versions from it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        prepare(REPOSITORY, folder)
        lines = list(dict.fromkeys(to_line(fact) for fact in facts()))
        for part in range(_SEGMENTS):
            segment = build_segment(lines[part::_SEGMENTS])
            path = folder / segment.path("2026-01")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(segment.data)
        world = open_tool(REPOSITORY, folder).storage.world
        started = time.process_time()
        world.enter()
        read = (time.process_time() - started) * 1e6
        _show_reading(world.index, lines, group)
        title = f"{FUNCTIONS * EACH:,} contents of functions, read into the index once (CPU)"
        show(Row("versions-index", title, [figure(REPOSITORY, [read])], group=group))


def _show_reading(index: Any, lines: list[str], group: str) -> None:
    components = [
        Component(f"package/module_{n // _PER_FILE}.py", f"f{n}") for n in range(FUNCTIONS)
    ]
    bare = Action(lambda: [json.loads(line) for line in lines])
    contents = f"{FUNCTIONS * EACH:,} contents of {FUNCTIONS:,} functions"
    for name, title, ours in (
        ("versions-contents", contents, lambda: index.facts("source")),
        ("versions", f"versions of {contents}", lambda: index.facts("version")),
        (
            "versions-histories",
            f"{contents}, one function after the other",
            lambda: [index.history(one) for one in components],
        ),
    ):
        both = {REPOSITORY: Action(ours), _BARE: bare}
        figures = [
            replace(one, is_floor=one.name == _BARE) for one in cpu_in_turn(both, 1, rounds=_ROUNDS)
        ]
        show(Row(name, f"{title} (CPU)", figures, group=group))
