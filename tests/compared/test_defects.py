"""Programs that go wrong with mandala, run literally. Each test says what happens here instead."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections import Counter, OrderedDict, defaultdict, namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from compared.conftest import Script

import gitmemo as gm
from gitmemo import errors

RUNS: list[Any] = []
Point = namedtuple("Point", "x y")


@pytest.fixture(autouse=True)
def no_runs() -> None:
    RUNS.clear()


# --- wrong results -----------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [np.array([3, 1, 2]), [3, 1, 2], pd.DataFrame({"a": [3, 1, 2]})],
    ids=["array", "list", "frame"],
)
def test_mutating_an_argument_does_not_corrupt_the_store(storage: gm.Storage, given: Any) -> None:
    @gm.op
    def srt(a):
        if isinstance(a, pd.DataFrame):
            a.sort_values("a", inplace=True)
        else:
            a.sort()
        return a

    @gm.op
    def make():
        return given

    plain = np.asarray(given).ravel().tolist()
    with storage:
        with pytest.raises(errors.InputMutated, match="'a'"):
            srt(given)
        assert len(storage.cf(srt)) == 0
        made = make()
    before = np.asarray(storage.unwrap(made)).ravel().tolist()
    with storage:
        result = srt(made)
    call = storage.get_ref_creator(result)
    assert call is not None
    assert np.asarray(storage.unwrap(call.inputs["a"])).ravel().tolist() == before
    assert np.asarray(storage.unwrap(result)).ravel().tolist() == sorted(plain)


def test_functions_of_one_name_do_not_share_results(storage: gm.Storage) -> None:
    one, two = gm.op(name="plus one")(lambda x: x + 1), gm.op(name="plus two")(lambda x: x + 2)
    with pytest.raises(errors.UntrackableOp, match="name="):
        gm.op(lambda x: x + 1)

    def mkop(n):
        @gm.op
        def add(x):
            return x + n

        return add

    with storage:
        assert storage.unwrap([one(1), two(1)]) == [2, 3]
        assert storage.unwrap([mkop(1)(10), mkop(2)(10)]) == [11, 12]


def test_another_process_reuses_equal_content(script: Script) -> None:
    program = """
        import sys
        import gitmemo as gm

        @gm.op
        def inc(x):
            return x + 1

        @gm.op
        def g(x):
            print("g runs")
            return x * 10

        storage = gm.Storage(db_path="s.db")
        with storage:
            g(inc(1)) if sys.argv[1] == "P1" else g(2)
        """
    assert script(program, "P1") == "g runs"
    assert script(program, "P2") == ""


@pytest.mark.parametrize("how", ["import lib", "from lib import CONST, helper"])
def test_what_an_op_reads_from_a_module_is_noticed(
    script: Script, tmp_path: Path, how: str
) -> None:
    prefix = "lib." if how == "import lib" else ""
    program = f"""
        import gitmemo as gm
        {how}

        @gm.op
        def f(x):
            return {prefix}helper(x) + {prefix}CONST

        storage = gm.Storage(db_path="s.db", deps_path=".")
        with storage:
            print(storage.unwrap(f(1)), storage.counter.computed)
        """
    lib = "CONST = {}\n\ndef helper(x):\n    return x {} 1\n"
    for constant, sign, said in ((5, "+", "7 1"), (50, "+", "52 1"), (50, "-", "50 1")):
        (tmp_path / "lib.py").write_text(lib.format(constant, sign))
        assert script(program) == said
    (tmp_path / "lib.py").write_text(lib.format(5, "+"))
    assert script(program) == "7 0"


def test_versions_do_not_change_what_the_program_does(script: Script) -> None:
    program = """
        import gitmemo as gm

        COUNT = 0

        @gm.op
        def count():
            global COUNT
            COUNT += 1
            return [COUNT, "COUNT" in globals()]

        storage = gm.Storage(deps_path="__main__")
        with storage:
            print(storage.unwrap(count()), COUNT)
        """
    assert script(program) == "[1, True] 1"


def test_a_list_of_refs_is_the_same_argument_every_time(storage: gm.Storage) -> None:
    @gm.op
    def sq(x):
        RUNS.append(x)
        return x * x

    @gm.op
    def total(xs):
        RUNS.append(xs)
        return sum(xs)

    hids = set()
    for _ in range(3):
        with storage:
            hids.add(total([sq(2), sq(3)]).hid)
    assert len(hids) == 1
    assert RUNS == [2, 3, [4, 9]]
    assert len(storage.cf(total)) == 1


def test_an_op_sees_the_types_it_was_given(storage: gm.Storage) -> None:
    @gm.op
    def kind(x):
        return [type(x).__name__, type(x.y).__name__ if isinstance(x, Point) else ""]

    @gm.op
    def two():
        return 2

    with storage:
        for inside in (1, two()):
            for value, name in (
                (OrderedDict(a=inside), "OrderedDict"),
                (defaultdict(list, a=inside), "defaultdict"),
                (Counter(a=1), "Counter"),
                (frozenset({inside}), "frozenset"),
            ):
                assert storage.unwrap(kind(value))[0] == name
            assert storage.unwrap(kind(Point(1, inside))) == ["Point", "int"]


def test_parameters_that_look_like_star_arguments(storage: gm.Storage) -> None:
    @gm.op
    def clash(args_0, *args):
        return [args_0, args]

    with storage:
        assert storage.unwrap([clash(1, 2), clash(7, 2), clash(7, 3)]) == [
            [1, (2,)],
            [7, (2,)],
            [7, (3,)],
        ]


def test_a_changed_signature_is_no_silent_reuse(storage: gm.Storage) -> None:
    def before(x):
        return x

    def three(x) -> tuple[int, int, int]:
        return x, x, x

    with storage:
        gm.op(name="f")(before)(1)
        with pytest.raises(errors.SignatureChanged, match=r"@op\(version=1\)"):
            gm.op(name="f")(three)(1)
        a, b, c = gm.op(name="f", version=1)(three)(1)
    assert storage.unwrap([a, b, c]) == [1, 1, 1]


def test_changed_output_names_are_said(storage: gm.Storage) -> None:
    def pair(x):
        return x, x + 1

    with storage:
        gm.op(name="f", output_names=["a", "b"])(pair)(1)
        for options in ({"output_names": ["c", "d"]}, {"nout": 2}):
            with pytest.raises(errors.SignatureChanged, match="'a', 'b'"):
                gm.op(name="f", **options)(pair)(1)
        with pytest.raises(errors.WrongOutputs, match="3 outputs"):
            gm.op(name="g", output_names=["a", "b", "c"])(pair)(1)
    assert list(storage.cf("f").df()[["a", "b"]].iloc[0]) == [1, 2]


# --- blocks, threads and processes -------------------------------------------------


def test_an_inner_block_does_not_end_the_outer_one() -> None:
    a, b = gm.Storage(), gm.Storage()

    @gm.op
    def f(x):
        return x

    with a:
        f(1)
        with b:
            f(2)
        ref = f(3)
    assert isinstance(ref, gm.Ref)
    assert sorted(a.cf(f).df()["x"]) == [1, 3] and list(b.cf(f).df()["x"]) == [2]
    with pytest.raises(ZeroDivisionError), a, b:
        _ = 1 / 0
    assert f(1) == 1


def test_a_storage_used_inside_an_op_is_no_dependency(script: Script) -> None:
    program = """
        import gitmemo as gm

        storage = gm.Storage(db_path="s.db", deps_path="__main__")

        @gm.op
        def make(x):
            return [x] * 100

        @gm.op
        def use(n):
            return storage.unwrap(REF)[0] + n

        for _ in range(3):
            with storage:
                REF = make(1)
                y = use(1)
        print(storage.unwrap(y), storage.counter.computed)
        """
    assert script(program) == "2 2"
    assert script(program) == "2 0"


def test_forgetting_a_call_of_this_block_spoils_nothing(storage: gm.Storage) -> None:
    @gm.op
    def f(x):
        RUNS.append(x)
        return x

    with storage:
        f(1)
        f(2)
        f.forget(1)
        f(3)
    with storage:
        f(1)
        f(2)
        f(3)
    assert RUNS == [1, 2, 3, 1]


def test_a_large_result_is_stored_like_others(storage: gm.Storage) -> None:
    @gm.op
    def large(n):
        return np.zeros(n, dtype="u1")

    @gm.op
    def small(n):
        RUNS.append(n)
        return n

    with storage:
        ref = large(61_000_000)
        small(1)
    with storage:
        small(1)
        small(2)
        assert storage.unwrap(large(61_000_000)).nbytes == 61_000_000
    assert RUNS == [1, 2]
    assert storage.counter.computed == 3 and ref.cid


def test_reading_writes_nothing(storage: gm.Storage, path: Path) -> None:
    @gm.op
    def f(x):
        return [x] * 1000

    def files() -> dict[str, bytes]:
        # What `-shm` holds is how readers find each other, not data.
        return {p.name: p.read_bytes() for p in path.parent.glob("s.db*") if p.suffix != ".db-shm"}

    with storage:
        f(1)
    before = files()
    with storage:
        ref = f(1)
        storage.unwrap(ref)
        storage.attach(ref)
        storage.load_ref(ref.hid)
        storage.cf(f).df()
    assert files() == before


def test_two_processes_compute_the_same_calls(tmp_path: Path) -> None:
    program = """
import gitmemo as gm

@gm.op
def f(i):
    return [i] * 100

storage = gm.Storage(db_path="s.db")
with storage:
    refs = [f(i) for i in range(40)]
    g = sum(storage.unwrap(ref)[0] for ref in refs)
with storage:
    f(1000)
print(g, storage.counter.computed)
"""
    (tmp_path / "script.py").write_text(program)
    both = [
        subprocess.Popen(
            [sys.executable, "script.py"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    done = [child.communicate(timeout=60) for child in both]
    assert [out.split()[:1] for out, _ in done] == [["780"], ["780"]], done
    assert sum(int(out.split()[1]) for out, _ in done) == 41, done  # each call once
    assert [child.returncode for child in both] == [0, 0]
    storage = gm.Storage(db_path=tmp_path / "s.db")
    table = storage.cf("f").df()
    assert sorted(table["i"]) == [*range(40), 1000]
    storage.close()


def test_24_threads_in_one_block(storage: gm.Storage) -> None:
    @gm.op
    def f(i):
        return [i] * 100

    results: list[Any] = []

    def work(first: int) -> None:
        results.extend(storage.unwrap(f(i))[0] for i in range(first, first + 10))

    with storage:
        threads = [threading.Thread(target=gm.carried(work), args=(i * 5,)) for i in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == 240
    assert sorted(storage.cf(f).df()["i"]) == list(range(125))


POOL = """
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

import gitmemo as gm

storage = gm.Storage(db_path="s.db")

@gm.op
def sq(x):
    return [x * x] * 100

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    for _ in range(2):
        with storage, ProcessPoolExecutor(2, mp_context=context) as pool:
            refs = list(pool.map(gm.carried(sq), range(6)))
        print([storage.unwrap(ref)[0] for ref in refs], len(storage.cf(sq)))
"""


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_calls_in_a_process_pool_are_stored(script: Script, start: str) -> None:
    line = "[0, 1, 4, 9, 16, 25] 6"
    assert script(POOL, start) == f"{line}\n{line}"


# --- values ------------------------------------------------------------------------


def test_a_value_of_a_main_class_is_read_elsewhere(script: Script, tmp_path: Path) -> None:
    script(
        """
        import gitmemo as gm

        class P:
            def __init__(self, x):
                self.x = x

        @gm.op
        def make(x):
            return P(x)

        storage = gm.Storage(db_path="s.db")
        with storage:
            make(1)
            make(2)
        """,
        name="writer.py",
    )
    read = """
        import gitmemo as gm

        storage = gm.Storage(db_path="s.db")
        table = storage.cf("make").df(values="objs")
        print(sorted(p.x for p in table["make"]), list(table["x"]))
        """
    assert script(read, name="reader.py") == "[1, 2] [1, 2]"


def test_ops_and_storages_can_be_pickled(storage: gm.Storage, path: Path) -> None:
    @gm.op
    def f(x):
        return x + 1

    with storage:
        ref = f(1)
    again, op = pickle.loads(pickle.dumps((storage, f)))
    assert op(1) == 2
    with again:
        assert again.unwrap(op(1)) == 2
    assert again.counter.computed == 0
    assert again.unwrap(again.load_ref(ref.hid)) == 2
    again.close()
    with pytest.raises(errors.GitmemoError, match="memory"):
        pickle.dumps(gm.Storage())


def test_assertions_are_sentences(storage: gm.Storage) -> None:
    @gm.op(nout=1)
    def one(x):
        return x

    @gm.op(nout="var")
    def lists(x):
        return [x]

    @gm.op(nout=2)
    def two(x):
        return x

    with storage:
        assert storage.unwrap(one(3)) == 3
        with pytest.raises(errors.WrongOutputs, match=r'lists.*nout="var".*one list'):
            lists(1)
        with pytest.raises(errors.WrongOutputs, match=r"two.*2 outputs.*one int"):
            two(1)


def test_an_op_without_inputs_and_outputs(storage: gm.Storage) -> None:
    @gm.op
    def f():
        RUNS.append(1)
        return ()

    @gm.op
    def g(x):
        return x

    with storage:
        assert f() == ()
        g(1)
    with storage:
        assert f() == ()
        g(1)
    assert RUNS == [1] and storage.counter.computed == 2


def test_every_kind_of_function_is_an_op_or_is_refused_by_name() -> None:
    class Thing:
        @gm.op
        def method(self, x):
            return x

    assert Thing().method(3) == 3
    with pytest.raises(errors.UntrackableOp, match="generator"):

        @gm.op
        def numbers():
            yield 1


def test_modules_are_only_imported_when_the_program_imports_them(
    script: Script, tmp_path: Path
) -> None:
    (tmp_path / "loud.py").write_text('print("SIDE EFFECT")\n')
    (tmp_path / "broken.py").write_text("def (\n")
    program = """
        import gitmemo as gm

        @gm.op
        def f(x):
            return x

        storage = gm.Storage(deps_path=".")
        with storage:
            print(storage.unwrap(f(1)))
        """
    assert script(program) == "1"
