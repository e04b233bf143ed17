"""Which components a text refers to, found as Python would find them."""

from __future__ import annotations

import pytest

from gitmemo.model.components import Component
from gitmemo.source.references import References
from gitmemo.source.tree import SourceTree

FILES = {
    "lib/__init__.py": "from lib.deep import far as near\nfrom . import deep\n",
    "lib/deep.py": "LIMIT = 3\n\n\ndef far(x):\n    return min(x, LIMIT)\n",
    "lib/star.py": "from .deep import *\n\n\ndef shine(x):\n    return far(x)\n",
    "lib/boxes.py": (
        "class Box:\n"
        "    SIZE = 1\n\n"
        "    def __init__(self, x):\n        self.x = x\n\n"
        "    def open(self):\n        return self._inside() + Box._count()\n\n"
        "    def _inside(self):\n        return self.x\n\n"
        "    @staticmethod\n    def _count():\n        return 1\n"
    ),
    "src/tools/hammer.py": "def hit(x):\n    return x\n",
    "scripts/own.py": "def mine(x):\n    return x\n",
    "broken.py": "def (\n",
}


def tree(**added: str) -> SourceTree:
    files = {**FILES, **added}
    return SourceTree(lambda path: files[path].encode() if path in files else None)


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        ("", "helper(x)", {"scripts/m.py:helper"}),
        ("import lib", "lib.near(x)", {"lib/deep.py:far"}),
        ("import lib.deep", "lib.deep.far(x)", {"lib/deep.py:far"}),
        ("import lib.deep as d", "d.far(x) + d.LIMIT", {"lib/deep.py:far", "lib/deep.py:$LIMIT"}),
        ("from lib import deep", "deep.far(x)", {"lib/deep.py:far"}),
        ("from lib.star import shine", "shine(x)", {"lib/star.py:shine"}),
        ("from lib import near as n", "map(n, x)", {"lib/deep.py:far"}),
        ("from tools.hammer import hit", "hit(x)", {"src/tools/hammer.py:hit"}),
        ("from own import mine", "mine(x)", {"scripts/own.py:mine"}),
        ("import numpy as np", "np.sum(x)", set()),
        ("from broken import f", "f(x)", set()),
        ("", "(lambda helper: helper(x))(1)", set()),
        (
            "from lib.boxes import Box",
            "Box(x)",
            {f"lib/boxes.py:Box.{name}" for name in ("__init__", "open", "_inside", "_count")}
            | {"lib/boxes.py:class Box"},
        ),
    ],
)
def test_names_are_followed_to_where_they_are_defined(
    head: str, body: str, expected: set[str]
) -> None:
    text = f"{head}\n\n\ndef helper(x):\n    return x\n\n\ndef f(x):\n    return {body}\n"
    found = References(tree(**{"scripts/m.py": text})).of(Component("scripts/m.py", "f"))
    assert set(map(str, found)) == expected


def test_an_import_inside_the_function_is_followed() -> None:
    text = "def f(x):\n    from lib.deep import far\n    return far(x)\n"
    found = References(tree(**{"m.py": text})).of(Component("m.py", "f"))
    assert set(map(str, found)) == {"lib/deep.py:far"}


def test_relative_imports_start_at_the_file_and_stars_reach_on() -> None:
    references = References(tree())
    assert set(map(str, references.of(Component("lib/star.py", "shine")))) == {"lib/deep.py:far"}


def test_a_method_refers_to_the_methods_that_it_calls_on_its_own_object() -> None:
    found = References(tree()).of(Component("lib/boxes.py", "Box.open"))
    assert {"lib/boxes.py:Box._inside", "lib/boxes.py:Box._count"} <= set(map(str, found))


def test_files_that_import_each_other_are_no_circle() -> None:
    loop = {"a.py": "from b import f\n", "b.py": "from a import f\n"}
    files = tree(**loop, **{"m.py": "from a import f\n\n\ndef g():\n    return f()\n"})
    assert References(files).of(Component("m.py", "g")) == set()
