"""What the main script defines is stored by name, and code by value never meets live code."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from gitmemo.blobs.store import is_codec_name
from gitmemo.codecs import decode, encode, is_safe
from gitmemo.errors import UndecodableValue

BY_VALUE = f"cloudpickle-{sys.version_info[0]}.{sys.version_info[1]}"

PIPELINE = """
    import enum, sys, typing
    import numpy as np
    from pathlib import Path
    from gitmemo.codecs import decode, encode

    class Thing:
        def __init__(self, x): self.x = x
        def says(self): return "first"
        class Inner: pass
    class Kind(enum.Enum):
        A = 1
    class Pair(typing.NamedTuple):
        a: int
    T = typing.TypeVar("T")
    def act(): return "first"

    VALUES = {
        "object": lambda: Thing(1), "array": lambda: Thing(np.zeros(20_000)),
        "class": lambda: [Thing], "inner": lambda: Thing.Inner(), "function": lambda: act,
        "enum": lambda: Kind.A, "pair": lambda: Pair(1), "method": lambda: Thing(1).says,
        "unbound": lambda: Thing.says, "variable": lambda: (T,), "tuple": lambda: (Thing(1), 2),
    }

    def write(name, folder):
        made = encode(VALUES[name]())
        (folder / "blob").write_bytes(b"".join(made.chunks))
        (folder / "codec").write_text(made.codec)

    def read(folder):
        return decode((folder / "codec").read_text(), folder / "blob")

    if __name__ == "__main__":
        print("runs")
        if sys.argv[1] == "write":
            write(sys.argv[2], Path("."))
        else:
            value = read(Path("."))
            print(type(value).__module__, getattr(value, "__module__", ""))
            print(isinstance(value, Thing), value in (Thing, act, Kind.A, T))
            print(value.says() if isinstance(value, Thing) else "")
"""


def run(folder: Path, *args: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *args], cwd=folder, capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def put(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")


NAMES = [
    "object", "array", "class", "inner", "function", "enum", "pair", "method", "unbound", "variable",
    "tuple",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_script_import_and_other_script_agree(tmp_path, name):
    put(tmp_path, "pipeline.py", PIPELINE)
    run(tmp_path, "pipeline.py", "write", name)
    assert (tmp_path / "codec").read_text() == ("joblib" if name == "array" else "pickle")
    run(tmp_path, "pipeline.py", "read")
    run(tmp_path, "-m", "pipeline", "read")
    # Another script has a class of the same name, which is not meant.
    put(
        tmp_path,
        "other.py",
        """
        import sys
        from pathlib import Path
        from gitmemo.codecs import decode
        class Thing: pass
        def act(): pass
        value = decode(Path("codec").read_text(), Path("blob"))
        import pipeline
        got, meant = [value, pipeline.VALUES[sys.argv[1]]()]
        assert type(got) is type(meant), (got, meant)
        if sys.argv[1] in ("class", "function", "enum", "unbound", "variable"):
            assert got == meant, (got, meant)
        """,
    )
    run(tmp_path, "other.py", name)


@pytest.mark.parametrize("name", ["object", "array"])
def test_what_an_import_wrote_the_script_reads_without_running_twice(tmp_path, name):
    put(tmp_path, "pipeline.py", PIPELINE)
    run(tmp_path, "-c", f"import pipeline, pathlib; pipeline.write({name!r}, pathlib.Path('.'))")
    put(tmp_path, "pipeline.py", textwrap.dedent(PIPELINE) + "assert 'pipeline' not in sys.modules")
    assert run(tmp_path, "pipeline.py", "read").split() == [
        "runs", "__main__", "__main__", "True", "False", "first",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["object", "array"])
def test_the_code_of_now_runs_and_the_class_is_the_live_one(tmp_path, name):
    put(tmp_path, "pipeline.py", PIPELINE)
    run(tmp_path, "pipeline.py", "write", name)
    put(
        tmp_path,
        "pipeline.py",
        PIPELINE.replace('says(self): return "first"', 'says(self): return "new"'),
    )
    assert run(tmp_path, "pipeline.py", "read").split()[-3:] == ["True", "False", "new"]


def test_a_missing_script_is_named(tmp_path):
    put(tmp_path, "pipeline.py", PIPELINE)
    run(tmp_path, "pipeline.py", "write", "object")
    with pytest.raises(UndecodableValue, match=r"'Thing' is defined in the script 'pipeline'"):
        decode("pickle", tmp_path / "blob")
    put(tmp_path, "pipeline.py", PIPELINE.replace("Thing", "Renamed"))
    said = run(tmp_path, "pipeline.py", "read", code=1)
    assert "no such name now" in said
    assert "fix: define Thing in pipeline" in said


def test_a_session_without_a_file_reads_what_it_defines(tmp_path):
    define = "class Thing:\n    x = 1\n"
    write = (
        "import pathlib\nfrom gitmemo.codecs import decode, encode\nblob = pathlib.Path('blob')\n"
    )
    run(tmp_path, "-c", f"{define}{write}blob.write_bytes(encode(Thing()).chunks[0])")
    run(tmp_path, "-c", f"{define}{write}assert type(decode('pickle', blob)) is Thing")
    said = run(tmp_path, "-c", f"{write}decode('pickle', blob)", code=1)
    assert "an interactive session" in said


def test_a_worker_started_by_spawn_agrees(tmp_path):
    put(
        tmp_path,
        "pool.py",
        """
        import multiprocessing
        from gitmemo.codecs import decode, encode
        class Thing: pass
        def work(data):
            assert type(decode("pickle", data)) is Thing
            return encode(Thing()).chunks[0]
        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                assert type(decode("pickle", pool.apply(work, [encode(Thing()).chunks[0]]))) is Thing
        """,
    )
    run(tmp_path, "pool.py")


# --- code by value --------------------------------------------------------------------


def test_code_of_another_python_is_refused():
    major, minor = sys.version_info[:2]
    for other in (f"cloudpickle-{major}.{minor + 1}", "cloudpickle-3.1", "cloudpickle"):
        with pytest.raises(
            UndecodableValue, match=r"which Python .* cannot run\n  fix: "
        ) as caught:
            decode(other, encode(lambda: 1).chunks[0])
        assert caught.value.codec == other
    assert is_codec_name(BY_VALUE)
    assert not is_safe(BY_VALUE)


def local(word):
    class Local:
        def says(self):
            return word

    return Local


def test_reading_leaves_a_live_local_class_alone():
    kind = local("then")
    made = encode(kind())
    assert made.codec == BY_VALUE
    kind.says = lambda self: "now"
    kind.extra = 1
    before = dict(vars(kind))
    again = decode(BY_VALUE, made.chunks[0])
    assert type(again) is kind
    assert again.says() == "now"
    assert dict(vars(kind)) == before


def test_values_with_a_local_class_agree_elsewhere(tmp_path):
    kind = local("then")
    for name in "ab":
        (tmp_path / name).write_bytes(b"".join(encode(kind()).chunks))
    put(
        tmp_path,
        "read.py",
        f"""
        from pathlib import Path
        from gitmemo.codecs import decode
        a, b = [decode({BY_VALUE!r}, Path(name)) for name in "ab"]
        assert type(a) is type(b)
        assert a.says() == b.says() == "then"
        """,
    )
    run(tmp_path, "read.py")


def test_a_local_function_calls_the_live_functions_of_its_script(tmp_path):
    script = """
        import sys
        from pathlib import Path
        from gitmemo.codecs import decode, encode
        def helper(): return "first"
        def make(): return lambda: helper()
        if sys.argv[1] == "write":
            Path("blob").write_bytes(encode(make()).chunks[0])
        else:
            print(decode(sys.argv[1], Path("blob"))())
    """
    put(tmp_path, "script.py", script)
    run(tmp_path, "script.py", "write")
    put(tmp_path, "script.py", script.replace('"first"', '"new"'))
    assert run(tmp_path, "script.py", BY_VALUE).strip() == "new"
