"""Makes `plain.sql`: run with pymandala 0.2.0a0 and pandas 2; dump `plain.db` with sqlite3."""

import numpy as np
from mandala.imports import Ignore, MDict, MList, Storage, op

storage = Storage(db_path="plain.db")


@op
def load(n):
    return np.arange(n), n + 1


@op(output_names=["acc"])
def train(X, lr=0.1, batch=Ignore(8)):
    return float(X.sum() * lr)


@op
def many(n: int) -> MList[int]:
    return list(range(n))


@op
def total(xs: MList[int]) -> int:
    return sum(xs)


@op
def named(d: MDict[str, int], *more) -> MDict[str, int]:
    return {k: v + len(more) for k, v in d.items()}


@op
def loose(*more, **kw):
    return len(more) + len(kw)


with storage:
    X, m = load(5)
    a = train(X)
    b = train(X, lr=0.5)
    ms = many(4)
    total(ms)
    total([ms[0], ms[1], 7])
    d = named({"a": 1, "b": ms[3]}, 7, 8, 9)
    named(d)
    loose(z=1)
    loose(1, z=1)
