"""Names of files and folders that git quotes, or that mean something else elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from driver import Clone, make_clone

from gitmemo.errors import UnusableFileName

SCRIPT = """import gitmemo as gm
import helper
storage = gm.open()

@gm.op
def f(x):
    return helper.plus(x)

with storage:
    print(storage.unwrap(f(1)), storage.counter.computed)
"""
HELPER = "def plus(x):\n    return x + 1\n"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="other systems have no such names")


@pytest.fixture
def clone(tmp_path: Path, template_home: Path) -> Clone:
    clone = make_clone(tmp_path / "r", template_home)
    clone.gitmemo("init")
    return clone


@pytest.mark.parametrize("name", ["ü", 'a"b', "-x", "ab:c"])
def test_a_call_is_committed_with_the_code_in_a_folder_of_any_name(clone: Clone, name: str) -> None:
    clone.write(f"{name}/main.py", SCRIPT)
    clone.write(f"{name}/helper.py", HELPER)
    assert clone.python(f"./{name}/main.py").out == "2 1\n"
    clone.git("commit", "-q", "--allow-empty", "-m", "Without the code")
    assert clone.calls_in() == 0
    assert "1 call" in clone.commit("With it")
    assert clone.python(f"./{name}/main.py").out == "2 0\n"
    clone.write(f"{name}/helper.py", HELPER.replace("1", "2"))
    assert clone.python(f"./{name}/main.py").out == "3 1\n"


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\\b", "@x", "c:d", b"\xff"])
def test_code_is_refused_whose_path_would_not_be_found_again(
    clone: Clone, name: str | bytes
) -> None:
    folder = clone.root / os.fsdecode(name)
    folder.mkdir()
    (folder / "main.py").write_text(SCRIPT)
    (folder / "helper.py").write_text(HELPER)
    done = clone.python(str(folder / "main.py"), code=None)
    assert done.code == 1
    assert UnusableFileName.__name__ in done.err
    assert "rename the file or the folder" in done.err
    # Code elsewhere that imports it only while the call runs.
    late = SCRIPT.replace("import helper\n", "").replace(
        "    return", f"    import sys; sys.path.append({str(folder)!r}); import helper\n    return"
    )
    clone.write("late.py", late)
    done = clone.python("late.py", code=None)
    assert UnusableFileName.__name__ in done.err
    assert clone.records() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="file systems elsewhere have no such names")
def test_a_repository_may_stand_in_a_folder_that_is_not_utf8(
    tmp_path: Path, template_home: Path
) -> None:
    clone = make_clone(tmp_path / os.fsdecode(b"\xff"), template_home)
    clone.gitmemo("init")
    clone.write("main.py", SCRIPT)
    clone.write("helper.py", HELPER)
    assert clone.python("main.py").out == "2 1\n"
    assert "1 call" in clone.commit("All")
    assert clone.python("main.py").out == "2 0\n"
    assert clone.status()["pending"] == 0
