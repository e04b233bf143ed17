"""Names that were given away and taken again: a stored call stands for a function, not for its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driver import Clone, copy_of

PROGRAM = """\
import gitmemo as gm
{imports}
storage = gm.open()

{code}

with storage:
    print({calls})
"""


def program(clone: Clone, code: str, calls: str, imports: str = "") -> None:
    named = ", ".join(f"storage.unwrap({call})" for call in calls.split("; "))
    clone.write("main.py", PROGRAM.format(code=code, calls=named, imports=imports))


def op(name: str, body: str, arguments: str = "x") -> str:
    return f"@gm.op\ndef {name}({arguments}):\n    return {body}\n\n"


def printed(clone: Clone) -> str:
    return clone.gitmemo("run", "main.py").out.strip()


@pytest.fixture(scope="module")
def renamed_template(tmp_path_factory: pytest.TempPathFactory, begun_template: Clone) -> Clone:
    """`fa` was run, is `fc` now, and left a link under that name."""
    begun = copy_of(begun_template, tmp_path_factory.mktemp("renamed") / "project")
    program(begun, op("fa", "x + 2"), "fa(1)")
    assert printed(begun) == "3"
    begun.commit("One")
    program(begun, op("fc", "x + 2"), "fc(1)")
    assert "main.py:fa is main.py:fc now" in begun.commit("Rename")
    done = begun.gitmemo("run", "main.py")
    assert (done.out.strip(), done.counted) == ("3", (1, 0))
    return begun


@pytest.fixture
def renamed(renamed_template: Clone, tmp_path: Path) -> Clone:
    return copy_of(renamed_template, tmp_path / "project")


def test_a_link_does_not_outlive_the_function_that_it_was_made_for(renamed: Clone) -> None:
    program(renamed, op("fa", "x + 2") + op("fc", "x + 100"), "fa(1); fc(1)")
    assert renamed.rows("main:fc") == []
    assert [row["fa"] for row in renamed.rows("main:fa")] == [3]
    assert printed(renamed) == printed(renamed) == "3 101"
    assert [row["fc"] for row in renamed.rows("main:fc")] == [101]


def test_while_the_function_is_what_it_was_its_link_counts(renamed: Clone) -> None:
    program(renamed, op("fa", "x + 2") + op("fc", "x + 2"), "fa(1); fc(1)")
    done = renamed.gitmemo("run", "main.py")
    assert (done.out.strip(), done.counted) == ("3 3", (2, 0))
    assert [row["fc"] for row in renamed.rows("main:fc")] == [3]
    program(renamed, op("fa", "x + 2") + op("fc", "x + 1"), "fa(1); fc(1)")
    assert printed(renamed) == "3 2"


def test_a_link_is_counted_with_what_it_repeats(renamed: Clone) -> None:
    """One call was made; that it is known under two names makes no second one."""

    def counted() -> list[tuple[int, int]]:
        said = (json.loads(renamed.gitmemo(word, "--json").out) for word in ("status", "world"))
        return [(found["calls"], found["pending"]) for found in said]

    assert counted() == [(1, 0), (1, 0)]
    before = renamed.calls_in()
    renamed.gitmemo("commit", "-m", "The link")
    assert renamed.calls_in() == before + 1, "it is committed all the same"
    assert counted() == [(1, 0), (1, 0)]
    chained = op("two", "2", "") + op("fc", "x + 2")
    program(renamed, chained, "fc(2); fc(two())")
    assert printed(renamed) == "4 4"
    assert counted() == [(3, 2), (3, 2)]


def test_a_link_does_not_outlive_the_file_that_was_moved(begun: Clone) -> None:
    code = "import gitmemo as gm\n\n" + op("f", "x * 2")
    begun.write("old.py", code)
    program(begun, "", "f(1)", "from old import f")
    assert printed(begun) == "2"
    begun.commit("One")
    begun.git("mv", "old.py", "new.py")
    program(begun, "", "f(1)", "from new import f")
    assert "old.py:f is new.py:f now" in begun.commit("Move")
    assert begun.gitmemo("run", "main.py").counted == (1, 0)
    begun.write("old.py", code)
    begun.change("x * 2", "x * 8", "new.py")
    program(begun, "", "f(1); g(1)", "from old import f\nfrom new import f as g")
    assert printed(begun) == "2 8"
    assert [row["f"] for row in begun.rows("new:f")] == [8]


def test_after_a_rename_that_was_taken_back_its_links_count_no_more(renamed: Clone) -> None:
    renamed.gitmemo("rename", "--undo", "fa", "fc")
    program(renamed, op("fa", "x + 2") + op("fc", "x + 2"), "fa(1); fc(1)")
    assert renamed.gitmemo("run", "main.py").counted == (1, 1)


def test_an_argument_that_has_its_old_name_again(begun: Clone) -> None:
    old, new = op("f", "a - b", "a, b"), op("f", "a - c", "a, c")
    program(begun, old, "f(5, 2)")
    assert printed(begun) == "3"
    program(begun, new, "f(5, 2); f(7, 2)")
    begun.gitmemo("rename", "--argument", "f", "b", "c")
    done = begun.gitmemo("run", "main.py")
    assert (done.out.strip(), done.counted) == ("3 5", (1, 1))
    begun.commit("Renamed")
    program(begun, old, "f(5, 2); f(7, 2)")
    done = begun.gitmemo("run", "main.py")
    assert (done.out.strip(), done.counted) == ("3 5", (2, 0))


def test_a_helper_under_its_old_name_is_not_taken_for_the_one_that_is_called(begun: Clone) -> None:
    ha = "def ha(x):\n    return x + 2\n\n\n"
    program(begun, ha + op("f", "ha(x)"), "f(1)")
    assert printed(begun) == "3"
    begun.commit("One")
    program(begun, ha.replace("ha", "hc") + op("f", "hc(x)"), "f(1)")
    begun.commit("Rename")
    assert begun.gitmemo("run", "main.py").counted == (1, 0)
    hc = "def hc(x):\n    return x + 100\n\n\n"
    program(begun, ha + hc + op("f", "hc(x)"), "f(1)")
    assert begun.rows("f") == []
    assert printed(begun) == "101"
    program(begun, ha + hc + op("f", "ha(x)"), "f(1)")
    assert begun.gitmemo("run", "main.py").counted == (1, 0), "the very code of before"


SAME_NAME = (
    "import gitmemo as gm\n\nstorage = gm.open()\n\n\n@gm.op(name='work')\n"
    "def {function}(x):\n    return x + {n}\n\n\nwith storage:\n"
    "    print(storage.unwrap({function}(1)))\n"
)


def test_two_functions_that_give_themselves_one_name_are_told_apart(begun: Clone) -> None:
    begun.write("s1.py", SAME_NAME.format(function="odd", n=1))
    begun.write("s2.py", SAME_NAME.format(function="odd", n=2))
    assert begun.gitmemo("run", "s1.py").out == "2\n"
    assert begun.gitmemo("run", "s2.py").out == "3\n"
    assert "1 reused" in begun.gitmemo("run", "s1.py").err
    begun.commit("Both")
    begun.git("mv", "s2.py", "moved.py")
    begun.commit("Move")
    done = begun.gitmemo("run", "moved.py")
    assert done.out == "3\n"
    assert "1 reused" in done.err, "it has been recognised as moved"


def test_a_diff_does_not_count_links_that_no_longer_stand(renamed: Clone) -> None:
    program(renamed, op("fa", "x + 2") + op("fc", "x + 100"), "fa(1)")
    assert printed(renamed) == "3"
    renamed.commit("Both")
    renamed.git("commit", "-q", "--allow-empty", "--no-verify", "-m", "Nothing else")
    summary = json.loads(renamed.gitmemo("diff", "HEAD~1", "HEAD", "--json").out.splitlines()[0])
    assert (summary["same"], summary["added"], summary["removed"]) == (1, 0, 0)
