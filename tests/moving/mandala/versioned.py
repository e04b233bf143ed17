"""Makes `versioned.sql`: run with pymandala 0.2.0a0 and pandas 2; dump `versioned.db` with sqlite3."""

from mandala.imports import Storage, op, track

storage = Storage(db_path="versioned.db", deps_path="__main__")
K = 4


@track
def helper(x):
    return x * K


@op
def f(x):
    return helper(x) + 1


with storage:
    f(3)
