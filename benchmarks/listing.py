"""How long it takes to list many versions: 1,000 functions, each with 10 versions.

Not how they come about: the facts are made up, and written into one database
file in bulk. Listed are all ops, and the versions of one.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.amounts import scaled
from benchmarks.peers import REPOSITORY
from benchmarks.rows import show
from benchmarks.timing import Row, figure
from gitmemo.hashing.digest import digest
from gitmemo.model.components import Component, Content
from gitmemo.model.facts import Call, Fact, Source, Text, Version
from gitmemo.model.validity import NoCode
from gitmemo.source.tree import SourceTree
from gitmemo.versions.contents import module_name
from gitmemo.versions.listing import Shape, summaries, versions_of
from gitmemo.world.standalone import StandaloneWorld

FUNCTIONS, EACH = scaled(1000), 10
_PER_FILE = 20


def facts() -> list[Fact]:
    """Return the facts of functions that were each edited nine times; each calls two shared ones."""
    found: list[Fact] = []
    for number in range(FUNCTIONS):
        path = f"package/module_{number // _PER_FILE}.py"
        for edit in range(EACH):
            pairs = {}
            for unit, age in ((f"f{number}", edit), ("shared", edit // 3), ("$LIMIT", 0)):
                text = f"def {unit}(x):\n    return x + {age}\n"
                if unit.startswith("$"):
                    text = f"{unit[1:]} = 10\n"
                source = digest(f"{path}{text}".encode())
                component = Component(path, unit)
                pairs[component] = Content(source, digest(b"value"))
                found += [Text(text), Source(component, source, digest(text.encode()))]
            version = Version(pairs)
            run = {"start": f"2026-01-01T00:00:{edit:02d}.000Z", "seconds": 0.25}
            op = f"{module_name(path)}:f{number}"
            found += [version, Call(op, 0, version.id, (), (), (), run)]
    return found


def file_of(path: str) -> bytes:
    """Return one of the files as it is now: the last edit of each function."""
    number = int(path.removesuffix(".py").rpartition("_")[2])
    names = range(number * _PER_FILE, (number + 1) * _PER_FILE)
    functions = [f"def f{n}(x):\n    return x + {EACH - 1}\n" for n in names]
    return "\n\n".join(["LIMIT = 10\n", "def shared(x):\n    return x + 3\n", *functions]).encode()


def measure() -> dict[str, float]:
    """Return how many seconds of processor time each listing took, first and with a warm cache."""
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
                found[f"all ops, {name}, {when}"] = time.process_time() - started
                assert sum(one.contents for one in listed) == FUNCTIONS * EACH
            started = time.process_time()
            shown = versions_of(world, listed[0].op, code, Shape(module_name))
            found[f"one op, {when}"] = time.process_time() - started
            assert len(shown) == EACH
            world.close()
    return found


def listing(_: int, group: str) -> None:
    """List 10,000 versions."""
    for what, seconds in measure().items():
        name = f"listing-{what.replace(', ', '-').replace(' ', '-')}"
        title = f"{FUNCTIONS} functions, {FUNCTIONS * EACH} versions: {what} (CPU)"
        show(Row(name, title, [figure(REPOSITORY, [1e6 * seconds])], group=group))
