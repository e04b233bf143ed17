"""Versioning as mandala offers it, and where it goes wrong there, run literally."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from compared.conftest import Script

import gitmemo as gm
from gitmemo import errors
from gitmemo.memo.strictness import DependenciesGone, GlobalNotHashed

HEAD = """\
import sys, warnings
from unittest.mock import patch
from gitmemo.imports import *
from gitmemo.utils import mock_input
"""
COUNT = "print(storage.counter.reused, storage.counter.computed)\n"


# --- settings -------------------------------------------------------------------------

TRACKED = """\
import threading
FACTOR = 2
LOCK = threading.Lock()
COUNT = []

@track
def helper(x):
    return x * FACTOR

@op
def plain(x):
    return helper(x)

@op
def locked(x):
    with LOCK:
        return x

@op
def counted(x):
    COUNT.append(x)
    return x
"""


def test_strict_tracing_accepts_what_is_tracked(script: Script) -> None:
    out = script(
        HEAD
        + "storage = Storage(deps_path='__main__', strict_tracing=True)\n"
        + TRACKED
        + "with storage:\n    print(unwrap(plain(2)))\n"
    )
    assert out == "4"


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        ("locked", r"__main__:\$LOCK.*lock, which cannot be hashed"),
        ("counted", "COUNT.*changed it"),
    ],
)
def test_strict_tracing_refuses_what_is_not(script: Script, op: str, reason: str) -> None:
    out = script(
        HEAD
        + "from gitmemo.errors import UnreliableTracking\n"
        + "storage = Storage(deps_path='__main__', strict_tracing=True)\n"
        + TRACKED
        + f"""\
with storage:
    try:
        {op}(3)
    except UnreliableTracking as error:
        print(error.value, str(error).splitlines()[0])
print(len(storage.cf({op})))
"""
    )
    assert re.match(rf"3 __main__:{op} depends on .*{reason}.*\n0$", out), out


def test_code_that_is_not_its_text_is_refused_by_strict_tracing(tmp_path: Path) -> None:
    name = f"strict_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(
        "import gitmemo as gm\n@gm.op\ndef f(x):\n    return g(x)\n"
    )
    storage = gm.Storage(deps_path=tmp_path, strict_tracing=True)
    with patch.object(sys, "path", [str(tmp_path), *sys.path]):
        module: Any = __import__(name)
    exec(compile("def g(x):\n    return x + 1", str(tmp_path / f"{name}.py"), "exec"), vars(module))
    with storage, pytest.raises(errors.UnreliableTracking, match="text of its file") as refused:
        module.f(1)
    assert refused.value.value == 2
    del sys.modules[name]


def test_globals_that_cannot_be_hashed(script: Script) -> None:
    for settings, said in (
        ("", "warned"),
        (", skip_globals_silently=True", "silent"),
        (", skip_unhashable_globals=False", "raised"),
    ):
        out = script(
            HEAD
            + f"storage = Storage(deps_path='__main__'{settings})\n"
            + TRACKED
            + """\
with storage, warnings.catch_warnings(record=True) as told:
    try:
        locked(1), locked(2)
        print("warned" if told else "silent", len(told))
    except Exception as error:
        print("raised", error.kind)
"""
        )
        assert out.split()[0] == said
        assert out.split()[1] in ("0", "1", "unreliable-tracking")
    assert issubclass(GlobalNotHashed, UserWarning)


def test_globals_need_not_count(script: Script) -> None:
    program = (
        HEAD
        + "storage = Storage('s.db', deps_path='__main__', track_globals=False)\n"
        + TRACKED
        + "with storage:\n    plain(2)\n"
        + COUNT
    )
    assert script(program) == "0 1"
    assert script(program.replace("FACTOR = 2", "FACTOR = 3")) == "1 0"
    again = program.replace(", track_globals=False", ", on_change='pending'")
    assert script(again.replace("x * FACTOR", "FACTOR * x")) == "0 1"


def test_code_that_is_gone(script: Script) -> None:
    program = (
        HEAD
        + "storage = Storage('s.db', deps_path='__main__')\n"
        + TRACKED
        + "with storage:\n    plain(2)\n"
        + COUNT
    )
    assert script(program) == "0 1"
    without = program.replace("@track\ndef helper(x):\n    return x * FACTOR\n", "").replace(
        "return helper(x)", "return x * FACTOR"
    )
    asked = without.replace("Storage(", "Storage(on_change='pending', db_path=")
    strict = asked.replace("deps_path", "skip_missing_deps=False, deps_path")
    loud = asked.replace("deps_path", "skip_missing_silently=False, deps_path")
    caught = strict.replace(
        "with storage:\n    plain(2)\n",
        "try:\n    with storage:\n        plain(2)\n"
        "except Exception as error:\n    print(error.kind, 'helper' in str(error))\n",
    )
    assert script(caught).splitlines()[0] == "missing-dependencies True"
    warned = loud.replace(
        "with storage:", "with warnings.catch_warnings(record=True) as w, storage:"
    )
    assert script(warned + "print([m.category.__name__ for m in w])\n").splitlines() == [
        "0 1",
        f"['{DependenciesGone.__name__}']",
    ]
    assert script(asked) == "1 0"


def test_tracers_are_accepted_by_name(tmp_path: Path) -> None:
    class SysTracer:
        pass

    for tracer in (None, "DecTracer", "SysTracer", SysTracer):
        storage = gm.Storage(deps_path=tmp_path, tracer_impl=tracer)
        with storage:
            assert gm.op(name="same")(lambda x: x)(1).unwrap() == 1
        storage.close()
    with pytest.raises(errors.BadSetting, match="tracer_impl"):
        gm.Storage(deps_path=tmp_path, tracer_impl="MagicTracer")


@pytest.mark.parametrize(
    "setting", [{"strict_tracing": True}, {"track_globals": False}, {"tracer_impl": "SysTracer"}]
)
def test_settings_without_code_to_track_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidStorage, match="deps_path"):
        gm.Storage(**setting)


def test_settings_must_be_true_or_false(tmp_path: Path) -> None:
    with pytest.raises(errors.BadSetting, match="strict_tracing"):
        gm.Storage(deps_path=tmp_path, strict_tracing="yes")  # type: ignore[arg-type]


def test_settings_are_heard_when_a_file_is_opened_again(script: Script) -> None:
    program = HEAD + "storage = Storage('s.db', deps_path='__main__'{})\n" + TRACKED
    call = "with storage, warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    {}\n"
    assert script(program.format("") + call.format("counted(1)") + COUNT) == "0 1"
    caught = "\n".join(
        [
            "with storage:",
            "    try:",
            "        counted(2)",
            "    except Exception as error:",
            "        print(error.kind)\n",
        ]
    )
    again = program.format(", strict_tracing=True, on_change='error'")
    assert script(again + caught + "print(storage.on_change)") == "unreliable-tracking\nerror"
    assert script(program.format("") + call.format("counted(2)") + COUNT) == "0 1"


# --- changes --------------------------------------------------------------------------

CHANGING = """\
storage = Storage('s.db', deps_path='__main__')

@op
def f(x):
    return x + 1

with storage:
    f(1)
"""


def test_a_change_without_anybody_to_ask_is_no_error(script: Script) -> None:
    assert script(HEAD + CHANGING + COUNT) == "0 1"
    assert script(HEAD + CHANGING.replace("x + 1", "1 + x") + COUNT) == "0 1"


def test_an_abort_leaves_no_block(script: Script) -> None:
    assert script(HEAD + CHANGING + COUNT) == "0 1"
    for answers in ("['a']", "[]"):
        changed = CHANGING.replace("x + 1", "1 + x").replace(
            "with storage:\n    f(1)\n",
            f"""\
try:
    with patch('builtins.input', mock_input({answers})):
        with storage:
            f(1)
except Exception as error:
    print(error.kind)
print(type(f(5)).__name__)
""",
        )
        assert script(HEAD + changed).splitlines()[-2:] == ["aborted", "int"]


def test_another_process_uses_the_file_while_a_person_thinks(
    script: Script, tmp_path: Path
) -> None:
    assert script(HEAD + CHANGING + COUNT) == "0 1"
    (tmp_path / "other.py").write_text(
        HEAD
        + "storage = Storage('s.db', deps_path='__main__')\n"
        + "@op\ndef g(x):\n    return x\nwith storage:\n    g(1)\nprint('done')\n"
    )
    changed = CHANGING.replace("x + 1", "1 + x").replace(
        "with storage:\n",
        """\
def thinking(prompt):
    import subprocess
    done = subprocess.run([sys.executable, 'other.py'], capture_output=True, text=True, timeout=30)
    print(done.stdout.strip(), done.stderr)
    return 'n'

with patch('builtins.input', thinking), storage:
""",
    )
    out = script(HEAD + changed + COUNT).splitlines()
    assert out[-2].strip() == "done"
    assert out[-1] == "1 0"


def test_two_processes_with_other_ops_keep_each_others_versions(
    tmp_path: Path, script: Script
) -> None:
    program = HEAD + (
        "storage = Storage('s.db', deps_path='__main__')\n"
        "@track\ndef {0}_helper(x):\n    return x + 1\n"
        "@op\ndef {0}(x):\n    return {0}_helper(x)\n"
        "for i in range(30):\n    with storage:\n        {0}(i)\n"
    )
    for name in ("wa", "wb"):
        (tmp_path / f"{name}.py").write_text(program.format(name) + COUNT)
    started = [
        subprocess.Popen(
            [sys.executable, f"{name}.py"], cwd=tmp_path, env=os.environ, stdout=subprocess.PIPE
        )
        for name in ("wa", "wb")
    ]
    assert [process.communicate(timeout=60)[0].split() for process in started] == [
        [b"0", b"30"]
    ] * 2
    for name in ("wa", "wb"):
        assert script(program.format(name) + COUNT, name=f"{name}.py") == "30 0"


def test_a_forgotten_call_is_computed_again_with_versions(tmp_path: Path) -> None:
    storage = gm.Storage(deps_path=tmp_path)
    double = gm.op(name="double")(lambda x: x * 2)
    with storage:
        double(1)
        double.forget(1)
        assert double(1).unwrap() == 2
    assert storage.counter.computed == 2
    with storage:
        double(1)
    assert storage.counter.computed == 2
    storage.close()


def test_a_storage_used_in_an_op_is_asked_about_never(script: Script) -> None:
    program = (
        HEAD
        + """\
storage = Storage('s.db', deps_path='__main__', on_change='error')

@op
def make(x):
    return x

@op
def use(ref):
    return storage.unwrap(ref) + 1

for i in range(3):
    with storage:
        use(make(1))
"""
        + COUNT
    )
    assert script(program) == "4 2"
    assert script(program) == "6 0"


def test_the_files_of_the_folder_are_not_imported(script: Script, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("this is no Python\n")
    (tmp_path / "effect.py").write_text("print('SIDE EFFECT')\n")
    program = (
        HEAD
        + "storage = Storage('s.db', deps_path='.')\n"
        + (
            "exec('def made(x):\\n    return x')\n@op\ndef f(x):\n    return x\n"
            "with storage:\n    f(1)\n"
        )
    )
    assert script(program + COUNT) == "0 1"


def test_the_answer_given_by_the_program_is_used_by_the_next(script: Script) -> None:
    assert script(HEAD + CHANGING + COUNT) == "0 1"
    changed = CHANGING.replace("x + 1", "1 + x").replace(
        "with storage:", "storage.decide(f, breaking=False, why='the same sum')\nwith storage:"
    )
    assert script(HEAD + changed + COUNT) == "1 0"
    assert script(HEAD + CHANGING.replace("x + 1", "1 + x") + COUNT) == "1 0"
