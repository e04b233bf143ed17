"""The programs of a world: what is run under faults, and what results must be. Not a test."""

HELPER = """\
import hashlib


class Model:
    def __init__(self, weights):
        self.weights = weights

    def __eq__(self, other):
        return type(other) is Model and other.weights == self.weights


def small(n):
    return {"n": n, "text": "x" * 40}


def middle(n):
    return [f"{n}:{i}" for i in range(300)]


def large(n):
    return hashlib.sha256(b"%d" % n).digest() * 3000


def model(n):
    return Model([n, n + 1])


def document(n):
    return b"document %d\\n" % n * 200


def total(n):
    return sum(range(n)) + len(middle(n))
"""

STUDY = """\
import os
import pathlib
import sqlite3
import sys
import tempfile

import gitmemo as gm
import helper

storage = gm.open()


@gm.op
def small(n):
    os.write(9, f"ran small {n}\\n".encode())
    return helper.small(n)


@gm.op
def middle(n):
    os.write(9, f"ran middle {n}\\n".encode())
    return helper.middle(n)


@gm.op
def large(n):
    os.write(9, f"ran large {n}\\n".encode())
    return helper.large(n)


@gm.op
def model(n):
    os.write(9, f"ran model {n}\\n".encode())
    return helper.model(n)


@gm.op
def document(n):
    os.write(9, f"ran document {n}\\n".encode())
    path = pathlib.Path(tempfile.mkdtemp(), "document.txt")
    path.write_bytes(helper.document(n))
    return gm.File(path)


@gm.op
def total(n, parts):
    os.write(9, f"ran total {n}\\n".encode())
    return sum(range(n)) + len(parts)


def calls(n):
    for op in (small, large, model, document):
        yield op.__name__, lambda: op(n)
    yield "total", lambda: total(n, middle(n))


def compute(numbers, goes_on):
    with storage:
        for n in numbers:
            for name, call in calls(n):
                try:
                    call()
                except (Exception, KeyboardInterrupt) as error:
                    os.write(9, f"raised {type(error).__name__} {name} {n} {error}\\n".encode())
                    if not goes_on:
                        raise
                else:
                    os.write(9, f"returned {name} {n}\\n".encode())


def check(numbers):
    with storage:
        for n in numbers:
            for name, call in calls(n):
                try:
                    value = storage.unwrap(call())
                    if isinstance(value, gm.File):
                        value = value.read_bytes()
                except gm.errors.ValueMissing:
                    os.write(9, f"missing {name} {n}\\n".encode())
                    continue
                if value != getattr(helper, name)(n):
                    os.write(9, f"wrong {name} {n}\\n".encode())
                os.write(9, f"checked {name} {n}\\n".encode())


if __name__ == "__main__":
    what, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    numbers = range(first, last)
    if what == "check":
        check(numbers)
    else:
        for _ in range(3):
            try:
                compute(numbers, what == "go-on")
                break
            except (Exception, KeyboardInterrupt) as error:
                if what != "go-on":
                    raise
                os.write(9, f"raised {type(error).__name__} block 0 {error}\\n".encode())
"""

SPREAD = """\
import os
import sys

import gitmemo as gm

storage = gm.open()


@gm.op
def square(n):
    return [n * n] * 50


def results(what, numbers):
    if what == "map":
        return storage.map(square, numbers, n_jobs=2)
    return (square(n) for n in numbers)


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[2:]]
    with storage:
        for n, ref in zip(numbers, results(sys.argv[1], numbers)):
            if storage.unwrap(ref) != [n * n] * 50:
                os.write(9, f"wrong square {n}\\n".encode())
            os.write(9, f"returned square {n}\\n".encode())
"""

PICTURES = """\
import os
import pathlib
import sys

import gitmemo as gm

storage = gm.open()


@gm.op
def picture(n):
    os.write(9, f"ran picture {n}\\n".encode())
    path = pathlib.Path("made", f"{n}.bin")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"%06d" % n * 20_000)
    return gm.File(path)


if __name__ == "__main__":
    with storage:
        for n in map(int, sys.argv[1:]):
            file = storage.unwrap(picture(n))
            if file.read_bytes() != b"%06d" % n * 20_000:
                os.write(9, f"wrong picture {n}\\n".encode())
"""

OLD = """\
from joblib import Memory

memory = Memory("cache", verbose=0)


@memory.cache
def power(n, exponent):
    return [n**exponent] * 100


@memory.cache
def name(n):
    return f"number {n}"


for n in range(4):
    power(n, 2)
    name(n)
"""

NOW = """\
import gitmemo as gm

storage = gm.open()


@gm.op
def power(n, exponent):
    return [n**exponent] * 100


@gm.op
def name(n):
    return f"number {n}"


if __name__ == "__main__":
    with storage:
        for n in range(4):
            print(storage.unwrap(power(n, 2))[0], storage.unwrap(name(n)))
"""
