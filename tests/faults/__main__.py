"""`python -m tests.faults`: many faults, a table of what they did, and what they broke.

Not the ordinary test (`test_faults`). The exit code is 1 if an invariant was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def main() -> int:
    """Run as many trials as were asked for, in processes of their own."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("-n", "--faults", type=int, default=1000)
    parser.add_argument("-j", "--jobs", type=int, default=1)
    parser.add_argument("--seed", default="1")
    parser.add_argument(
        "--only", default="", help="a regular expression for operations; NONE names them all"
    )
    parser.add_argument("--again", help="one trial: OPERATION/FAULT@STEP/FAULT@STEP…")
    parser.add_argument("--storms", action="store_true", help="faults at many steps of each run")
    parser.add_argument("--reads", action="store_true", help="faults where files are read")
    parser.add_argument("--s3", action="store_true", help="faults of a remote in S3, at requests")
    parser.add_argument(
        "--idle", action="store_true", help="only: is it noticed if an operation does nothing?"
    )
    parser.add_argument("--log", type=Path, help="a file for each trial, as JSON lines")
    parser.add_argument("--width", type=int, default=300, help="of what is broken")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--share", default="0/1", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        _work(options)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what is below is removed then
    if options.idle:
        options.jobs = 1
    trials = list(_all(options))
    return _table(trials)


def _all(options: argparse.Namespace):
    sys.path[:0] = [str(TESTS), str(TESTS.parent)]
    from faults.control import Control, environment
    from faults.trials import place_for_worlds, remove

    place = place_for_worlds()
    workers = []
    began = time.monotonic()
    try:
        for number in range(options.jobs):
            command = _worker(options, place, number)
            if options.s3:
                variables = os.environ | {"PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
            else:
                control = place / f"control-{number}"
                Control(control, create=True)
                variables = environment(control)
            workers.append(
                subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
            )
        for line in _merged(workers):
            trial = json.loads(line)
            if options.log:
                with options.log.open("a") as log:
                    log.write(json.dumps(trial | {"s": round(time.monotonic() - began)}) + "\n")
            if trial["broken"] or options.again:
                told = [line[-options.width :] for line in trial["broken"]]
                blows = "/".join(f"{fault}@{step}" for fault, step, *_ in trial["blows"])
                (*_, at, code) = trial["blows"][-1]
                where = at or "it has fewer steps"
                print(
                    f"{trial['operation']}/{blows} ({where}) -> {code}",
                    *told,
                    sep="\n   ",
                    flush=True,
                )
            yield trial
    finally:
        for worker in workers:
            worker.kill()
        remove(place)


def _worker(options: argparse.Namespace, place: Path, number: int) -> list[str]:
    """Return the command that does a share of the trials."""
    count = options.faults // options.jobs + (number < options.faults % options.jobs)
    command = [sys.executable, "-m", "faults", "--worker", str(place / f"{number}")]
    command += ["-n", str(count), "--only", options.only]
    if options.s3:  # all faults in one order, of which each takes its share
        command += ["--s3", "--seed", options.seed, "--share", f"{number}/{options.jobs}"]
    else:
        command += ["--seed", f"{options.seed}-{number}"]
    for name in ("storms", "reads", "idle"):
        command += [f"--{name}"] if getattr(options, name) else []
    return [*command, "--again", options.again] if options.again else command


def _merged(workers: list):
    import selectors

    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.stdout, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                if line := key.fileobj.readline():
                    yield line
                else:
                    selector.unregister(key.fileobj)
    for worker in workers:
        if worker.wait() != 0:
            raise SystemExit(f"a worker ended with {worker.returncode}")


def _work(options: argparse.Namespace) -> None:
    out = os.fdopen(os.dup(1), "w")
    faults = 0
    for trial in _s3_trials(options) if options.s3 else _shim_trials(options):
        print(json.dumps(asdict(trial)), file=out, flush=True)
        faults += trial.fired
        if faults >= options.faults:
            break


def _shim_trials(options: argparse.Namespace):
    from faults.control import READING, WRITING, Control, fault_of, named
    from faults.operations import OPERATIONS
    from faults.trials import Bench, chosen

    control = Control(Path(os.environ["FAULTS_CONTROL"]))
    bench = Bench(Path(options.worker), control, counts=READING if options.reads else WRITING)
    if options.idle:
        yield from _idle(bench, OPERATIONS, options.only)
        return
    if options.again:
        name, *blows = options.again.split("/")
        operation = named("operation", name, OPERATIONS)
        parts = [blow.split("@") for blow in blows]
        trials = [(operation, [(fault_of(name, bench.faults), int(n)) for name, n in parts])]
    else:
        if not any(re.search(options.only, one.name) for one in OPERATIONS):
            named("operation", options.only, OPERATIONS)
        trials = chosen(bench, options.seed, options.only, storms=options.storms)
    for operation, blows in trials:
        yield bench.tried(operation, blows)


def _idle(bench, operations, only: str):
    """Yield a trial for each operation: broken if nobody notices that it does nothing."""
    from faults.trials import Trial

    for operation in operations:
        if re.search(only, operation.name):
            broken = [] if bench.notices(operation) else ["nobody notices that it does nothing"]
            yield Trial(operation.name, [("it does nothing", 0, "", 0)], 1, broken)


def _s3_trials(options: argparse.Namespace):
    from faults.s3 import S3_OPERATIONS, S3Bench, blow_of, every_fault
    from faults.s3_service import Service

    service = Service()
    try:
        bench = S3Bench(Path(options.worker), service)
        if options.idle:
            yield from _idle(bench, S3_OPERATIONS, options.only)
            return
        if options.again:
            trials = [blow_of(options.again)]
        else:
            part, parts = map(int, options.share.split("/"))
            trials = every_fault(bench, options.seed, options.only)[part::parts]
        for operation, blow in trials:
            yield bench.tried(operation, blow)
    finally:
        service.close()


def _table(trials: list[dict]) -> int:
    worlds, faults, broken = Counter(), Counter(), Counter()
    for trial in trials:
        name = trial["operation"]
        worlds[name] += 1
        faults[name] += trial["fired"]
        broken[name] += bool(trial["broken"])
        faults.update(
            "a storm" if fault.startswith("storm ") else fault
            for fault, _, at, _ in trial["blows"]
            if at  # else the operation had ended before that step
        )
    print(f"{'':28} {'worlds':>7} {'faults':>7} {'broken':>7}")
    for name in sorted(worlds):
        print(f"{name:28} {worlds[name]:7} {faults[name]:7} {broken[name]:7}")
    total = worlds.total(), sum(trial["fired"] for trial in trials), broken.total()
    print(f"{'all':28} {total[0]:7} {total[1]:7} {total[2]:7}\n")
    for name in sorted(faults.keys() - worlds.keys()):
        print(f"{name:28} {faults[name]:7}")
    return int(total[2] > 0)


if __name__ == "__main__":
    sys.exit(main())
