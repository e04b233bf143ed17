"""Ops on their way to other processes."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import cloudpickle

import gitmemo as gm

ROOT = Path(__file__).parents[2]


@gm.op(output_names=["a"], version=3)
def module_level(x):
    return (x + 1,)


def test_an_op_of_a_module_is_pickled_by_name() -> None:
    for pickler in (pickle, cloudpickle):
        data = pickler.dumps(module_level)
        assert pickle.loads(data) is module_level
        assert len(data) < 200


def test_a_local_op_is_pickled_with_its_code_and_options() -> None:
    step = 5

    @gm.op(name="local", version=2, ignore_args="verbose")
    def local(x, verbose=False):
        return x if x <= 0 else local(x - step)

    copy = pickle.loads(pickle.dumps(local))
    assert copy is not local
    assert copy(7) == local(7) == -3
    assert copy.options == local.options
    assert copy.__wrapped__.__closure__[0].cell_contents is copy  # it leads back to itself


def test_an_op_of_the_main_script_reaches_a_worker(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import multiprocessing
            import pickle
            from concurrent.futures import ProcessPoolExecutor

            import cloudpickle
            import joblib
            import gitmemo as gm

            @gm.op
            def double(x):
                return 2 * x

            if __name__ == "__main__":
                assert pickle.loads(pickle.dumps(double)) is double
                spawn = multiprocessing.get_context("spawn")
                with ProcessPoolExecutor(1, mp_context=spawn) as pool:
                    print(list(pool.map(double, [1, 2])))
                print(joblib.Parallel(2)(joblib.delayed(double)(x) for x in (3, 4)))
            """
        )
    )
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout.split("\n")[:2] == ["[2, 4]", "[6, 8]"], done.stderr
